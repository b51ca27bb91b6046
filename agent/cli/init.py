"""`retentiond init`: a first configuration and a schedule of one's own, for oneself or for the service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli import options

_SERVICE = "For the service (--system)"
_TENANT = "For Microsoft 365 (--m365)"


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
    m365: Annotated[
        bool,
        typer.Option("--m365", help="Prepare for a tenant; with --system, for the service.", rich_help_panel=_TENANT),
    ] = False,
    tenant: Annotated[
        str | None,
        typer.Option(
            "--tenant",
            metavar="NAME",
            help="What the tenant is called here. Left out: the first part of its domain.",
            show_default=False,
            rich_help_panel=_TENANT,
        ),
    ] = None,
    tenant_id: Annotated[
        str | None,
        typer.Option(
            "--tenant-id",
            metavar="ID|DOMAIN",
            help="The tenant's id, or one of its domains.",
            show_default=False,
            rich_help_panel=_TENANT,
        ),
    ] = None,
    cloud: Annotated[
        str | None,
        typer.Option(
            "--cloud",
            metavar="NAME",
            help="global, gcc, gcc_high, dod or china. Left out: global.",
            show_default=False,
            rich_help_panel=_TENANT,
        ),
    ] = None,
    reader: Annotated[
        str | None,
        typer.Option(
            "--reader",
            metavar="CLIENT-ID",
            help="The app registration that scans.",
            show_default=False,
            rich_help_panel=_TENANT,
        ),
    ] = None,
    writer: Annotated[
        str | None,
        typer.Option(
            "--writer",
            metavar="CLIENT-ID",
            help="The app registration that labels, quarantines and deletes. Left out: the tenant is only observed.",
            show_default=False,
            rich_help_panel=_TENANT,
        ),
    ] = None,
    site: Annotated[
        list[str] | None,
        typer.Option(
            "--site",
            metavar="URL",
            help="A SharePoint site to look after, or: all. May be repeated.",
            show_default=False,
            rich_help_panel=_TENANT,
        ),
    ] = None,
    officer: Annotated[
        list[str] | None,
        typer.Option(
            "--officer",
            metavar="USER",
            help="Who may see quarantined files; needed with --writer. May be repeated.",
            show_default=False,
            rich_help_panel=_TENANT,
        ),
    ] = None,
    new_certificate: Annotated[
        bool,
        typer.Option(
            "--new-certificate",
            help="Make new keys and certificates; the old ones are kept aside.",
            rich_help_panel=_TENANT,
        ),
    ] = False,
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
    class was switched on; then it makes only what is lacking. With --m365 it makes keys with certificates for a tenant
    of Microsoft 365, writes the tenant into the settings, and says what is to be uploaded and granted there.

    Example:  retentiond init /srv/shares/office

    Example:  retentiond init --system --share office=/srv/shares/office --yes

    Example:  retentiond init --m365 --tenant-id contoso.onmicrosoft.com --reader 11111111-2222-3333-4444-555555555555
    """
    from agent.errors import UsageError

    of_tenant = (tenant, tenant_id, cloud, reader, writer, site, officer, new_certificate or None)
    if m365:
        from agent.cli import init_m365

        if shares or share or schedule or reviewer or nights or (root and not system):
            raise UsageError(
                "With --m365 no shares are set up, and --root needs --system: run it once with it, and once without."
            )
        told = init_m365.Said(
            tenant, tenant_id, cloud, reader, writer, site, officer, new_certificate, yes=yes, force=force
        )
        init_m365.init_m365(told, config, root, system=system, json=json)
        return
    if any(one is not None for one in of_tenant):
        raise UsageError("These options belong to --m365:  retentiond init --m365 --tenant-id ID --reader CLIENT-ID")
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
