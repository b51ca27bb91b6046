"""`retentiond init`: a first configuration and a schedule of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli import options


def init(
    shares: Annotated[
        list[Path] | None, typer.Argument(metavar="[SHARE]...", help="Folders that `retentiond scan` shall crawl.")
    ] = None,
    config: options.Config = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there already.")] = False,
) -> None:
    """Write a settings file, and beside it a copy of the default schedule to make your own.

    Neither is needed for a first scan.

    Example:  retentiond init /srv/shares/office
    """
    import json

    from agent import bootstrap
    from agent.errors import UsageError

    settings_file = (config or bootstrap.configuration_file()).absolute()
    schedule_file = settings_file.with_name("schedule.yaml")
    for file in (settings_file, schedule_file):
        if file.exists() and not force:
            raise UsageError(f"{file} is there already. Use --force to replace it, or name another with --config.")
    for share in shares or []:
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
