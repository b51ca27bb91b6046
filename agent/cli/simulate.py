"""`retentiond simulate`: what will be due on another day, or under another schedule?"""

from __future__ import annotations

from typing import Annotated

import typer

from agent.cli import options


def simulate(
    at: options.At = None,
    policy: Annotated[
        str | None,
        typer.Option("--policy", help="Another schedule: a shipped name or a file's path.", show_default=False),
    ] = None,
    show: options.Show = 20,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Show how the files would stand on another day, under another schedule, or both. Nothing is changed.

    Example:  retentiond simulate --at 2030-01-01 --policy council-ig-service
    """
    from agent.cli.comparing import compare
    from agent.errors import UsageError

    if at is None and policy is None:
        raise UsageError("Say what is to be otherwise: another day with --at, another schedule with --policy.")
    compare(state, config, schedule, policy or schedule, at_before=None, at_after=at, show=show, json=json)
