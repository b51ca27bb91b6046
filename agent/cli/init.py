"""`retentiond init`: a first configuration and a schedule of one's own, for oneself or for the service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli import options

_SERVICE = "For the service (--system)"


def init(
    context: typer.Context,
    shares: Annotated[
        list[Path] | None, typer.Argument(metavar="[SHARE]...", help="Folders that `retentiond scan` shall crawl.")
    ] = None,
    config: options.Config = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that are there already. Keys and the vault never are.")
    ] = False,
    system: Annotated[
        bool, typer.Option("--system", help="Prepare this machine for the system service.", rich_help_panel=_SERVICE)
    ] = False,
    share: Annotated[
        list[str] | None,
        typer.Option(
            "--share",
            metavar="NAME=PATH",
            help="A folder to look after. May be repeated.",
            show_default=False,
            rich_help_panel=_SERVICE,
        ),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            "--schedule",
            metavar="NAME|FILE",
            help="The retention schedule to make your own: a shipped one's name or a YAML file. Left out: uk-default.",
            show_default=False,
            rich_help_panel=_SERVICE,
        ),
    ] = None,
    reviewer: Annotated[
        list[str] | None,
        typer.Option(
            "--reviewer",
            metavar="LOGIN:ROLE[,ROLE][:EMAIL]",
            help="Who takes part in reviews. May be repeated.",
            show_default=False,
            rich_help_panel=_SERVICE,
        ),
    ] = None,
    nights: Annotated[
        str | None,
        typer.Option(
            "--nights",
            metavar="HH:MM-HH:MM",
            help="When shares may be scanned; or: always. Left out: 20:00-06:00.",
            show_default=False,
            rich_help_panel=_SERVICE,
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing; what is not said is as told here.", rich_help_panel=_SERVICE)
    ] = False,
    root: Annotated[
        Path | None,
        typer.Option(
            "--root",
            metavar="FOLDER",
            help="Prepare the image of a machine whose files begin in this folder.",
            show_default=False,
            rich_help_panel=_SERVICE,
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Write a settings file, and beside it a copy of the default schedule to make your own.

    Neither is needed for a first scan. With --system it prepares a file server for the service: settings, schedule,
    state directory, keys, vault, and what systemd must know of the shares. It may be run again, and must be after a
    class was switched on; then it makes only what is lacking.

    Example:  retentiond init /srv/shares/office

    Example:  retentiond init --system --share office=/srv/shares/office --yes
    """
    from agent.errors import UsageError

    if system:
        from agent.cli.init_system import Said, init_system

        source = context.get_parameter_source("config")
        if shares or (source is not None and source.name == "COMMANDLINE"):
            raise UsageError("With --system, name folders by --share NAME=PATH; the settings are where the units look.")
        init_system(Said(share, schedule, reviewer, nights, yes=yes, force=force), root, json=json)
        return
    if share or schedule or reviewer or nights or yes or root or json:
        raise UsageError("These options belong to --system:  retentiond init --system --share NAME=PATH")
    _init_for_oneself(shares or [], config, force=force)


def _init_for_oneself(shares: list[Path], config: Path | None, *, force: bool) -> None:
    import json

    from agent import bootstrap
    from agent.errors import UsageError

    settings_file = (config or bootstrap.configuration_file()).absolute()
    schedule_file = settings_file.with_name("schedule.yaml")
    for file in (settings_file, schedule_file):
        if file.exists() and not force:
            raise UsageError(f"{file} is there already. Use --force to replace it, or name another with --config.")
    for share in shares:
        if not share.is_dir():
            raise UsageError(f"{share}: there is no such folder.")
    template = bootstrap.shipped("config/retentiond.yaml").read_text(encoding="utf-8")
    if shares:
        # JSON strings are YAML strings, so any name is written safely.
        entries = "".join(
            f"  - name: {json.dumps(share.absolute().name or '/')}\n    path: {json.dumps(str(share.absolute()))}\n"
            for share in shares
        )
        template = template.replace("shares: []\n", f"shares:\n{entries}", 1)
    template = template.replace("schedule: uk-default\n", f"schedule: {json.dumps(str(schedule_file))}\n", 1)
    try:
        settings_file.parent.mkdir(parents=True, exist_ok=True)
        settings_file.write_text(template, encoding="utf-8")
        schedule_file.write_text(bootstrap.schedule_file("uk-default").read_text(encoding="utf-8"), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{error.filename}: cannot be written ({error.strerror}).") from error
    bootstrap.schedule_from(bootstrap.settings_from(settings_file).schedule)
    typer.echo(f"Settings: {settings_file}")
    typer.echo(f"Schedule: {schedule_file}  (make it your own, then: retentiond check)")
