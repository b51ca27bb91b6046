"""`retentiond run`: the system service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli import options

if TYPE_CHECKING:
    from agent.settings import Settings


def run(
    role: Annotated[
        str,
        typer.Option(
            "--role",
            metavar="scan|dispose|all",
            help="What this process does: read shares, or change them as approved, or both.",
        ),
    ] = "all",
    share: Annotated[
        list[Path] | None,
        typer.Option("--share", metavar="PATH", help="A folder to look after, instead of those in the settings."),
    ] = None,
    state: options.State = None,
    config: options.Config = None,
) -> None:
    """Serve: watch the shares, scan what changes, keep dates, and carry out what is approved, until told to stop.

    SIGTERM or Ctrl-C ends it after what is at hand; SIGHUP reads the settings again. systemd starts one process for
    each role; by hand, for a trial without any settings:

    Example:  retentiond run --share ~/Documents
    """
    from agent import bootstrap
    from agent.daemon.serve import serve
    from agent.errors import UsageError
    from agent.model.service import Role

    if role not in list(Role):
        raise UsageError(f'--role: "{role}" is no role. Write scan, dispose or all.')
    settings = _settings(config, share or [])
    directory = bootstrap.state_directory(state, settings, create=True)
    raise typer.Exit(serve(Role(role), directory, settings, lambda: _settings(config, share or []), config))


def _settings(config: Path | None, folders: list[Path]) -> Settings:
    import os

    from agent import bootstrap
    from agent.errors import UsageError
    from agent.settings import ShareSettings
    from connectors.base import show_name

    settings = bootstrap.settings_from(config)
    if folders:
        paths = [os.path.abspath(folder) for folder in folders]
        shares = [ShareSettings(name=show_name(os.fsencode(path)), path=path) for path in dict.fromkeys(paths)]
        settings = settings.model_copy(update={"shares": tuple(shares)})
    if not settings.shares and not settings.tenants:
        raise UsageError(
            "There is no share to look after. Name them in the settings, or for a trial:  "
            "retentiond run --share ~/Documents"
        )
    return settings
