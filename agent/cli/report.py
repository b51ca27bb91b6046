"""`retentiond report`: the estate on paper."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from agent.cli import options


class Format(StrEnum):
    """What a report can be written as."""

    HTML = "html"
    CSV = "csv"
    JSON = "json"


def report(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; `-` is standard output.", show_default=False)
    ] = None,
    format: Annotated[Format, typer.Option("--format", "-f", help="One HTML page, CSV, or JSON.")] = Format.HTML,
    at: options.At = None,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
) -> None:
    """Write a report from what the last scans found: inventory, due list, coverage.

    The HTML report is one file that needs nothing else; no value that was found is in any of them.

    Example:  retentiond report --format csv --output due.csv
    """
    from agent import bootstrap
    from agent.cli.days import day
    from connectors.base import show_name

    settings = bootstrap.settings_from(config)
    directory = bootstrap.state_directory(state, settings, create=False)
    rules = bootstrap.schedule_from(schedule or settings.schedule)
    as_of = day(at) if at else bootstrap.today(rules)
    target = output or directory / f"report.{format.value}"
    with bootstrap.open_catalogue(directory) as catalogue:
        terms = bootstrap.terms_of(rules, settings, directory)
        if str(target) == "-":
            bootstrap.stream_report(sys.stdout, format.value, catalogue, terms, as_of)
            return
        bootstrap.write_report(target, format.value, catalogue, terms, as_of)
    typer.echo(f"Report: {show_name(os.fsencode(target))}")
