"""Options that several commands share, so that they read alike everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

State = Annotated[
    Path | None,
    typer.Option(
        "--state",
        envvar="RETENTIOND_STATE",
        help="Where catalogue, key and reports live. Left out: /var/lib/retentiond, or ~/.local/state.",
        show_default=False,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", envvar="RETENTIOND_CONFIG", help="The settings file.", show_default=False),
]
Schedule = Annotated[
    str | None,
    typer.Option(
        "--schedule", help="Retention schedule: a shipped one's name or a YAML file's path.", show_default=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Show = Annotated[int, typer.Option("--show", min=0, help="How many files to name; all are counted.")]
At = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="DATE", help="Decide as of this day (YYYY-MM-DD) instead of today.", show_default=False
    ),
]
