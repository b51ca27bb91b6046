"""`retentiond detect`: what would be found in these files or texts? Nothing is stored."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli import options

if TYPE_CHECKING:
    from agent.detection.base import Detector, DocumentSearch


def detect(
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="Files to look into.")] = None,
    jsonl: Annotated[
        bool,
        typer.Option(
            "--jsonl", help='Read {"id", "text"} lines from standard input; write one line of findings for each.'
        ),
    ] = False,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Show what is found in files, without storing anything and without showing the values.

    Example:  retentiond detect letter.docx payroll.xlsx
    """
    from agent import bootstrap
    from agent.errors import UsageError

    if jsonl == bool(files):
        raise UsageError("Name the files to look into, or give --jsonl and lines on standard input.")
    settings = bootstrap.settings_from(config)
    settings = bootstrap.searching(settings, bootstrap.schedule_from(settings.schedule))
    detector = _Later(lambda: bootstrap.detector_from(settings))
    if jsonl:
        import json as codec

        from agent.usecases.detect import detect_lines

        for found in detect_lines(sys.stdin.buffer, detector):
            sys.stdout.write(codec.dumps(found) + "\n")
        return
    _detect_files(files or [], bootstrap.extractor_from(settings), detector, json)


class _Later:
    """A detector that is loaded, which takes seconds, with the first document: who mistyped its name, or sends what is
    no document, does not wait for it."""

    def __init__(self, load: Callable[[], Detector]) -> None:
        self._load = functools.cache(load)

    @property
    def version(self) -> str:
        return self._load().version

    def document(self) -> DocumentSearch:
        return self._load().document()


def _detect_files(files: list[Path], extractor: Any, detector: Detector, json: bool) -> None:
    import json as codec

    from agent.errors import UsageError
    from agent.model.location import describe
    from agent.usecases.detect import detect_file, implied
    from connectors.base import show_name

    try:
        for file in files:
            shown = show_name(os.fsencode(file))
            try:
                document = open(file, "rb", buffering=0)  # noqa: SIM115 — the error belongs to this line alone
            except OSError as error:
                raise UsageError(f"{shown}: cannot be read ({error.strerror}).") from error
            with document:
                extraction, located, verdict = detect_file(
                    document.fileno(), os.fsencode(file.name), extractor, detector
                )
            if json:
                facts = {"path": shown, "format": extraction.format, "status": extraction.status.value}
                findings = [{**found.facts, "location": found.location} for found in located]
                typer.echo(codec.dumps({**facts, "findings": findings, **implied(verdict)}))
                continue
            typer.echo(f"{shown}: {extraction.format}, {extraction.status.value}, {len(located)} findings")
            for judged in verdict.categories:
                typer.echo(f"  reveals {judged.category.value} ({_shown(judged.score, judged.attributes)})")
            for kind, confidence in verdict.kinds[:1]:
                typer.echo(f"  looks like: {kind} ({confidence:.2f})")
            for found in located:
                sure = _shown(found.span.score, found.span.attributes)
                typer.echo(f"  {found.span.entity_type:<26} {sure}  {describe(found.location)}")
    finally:
        extractor.close()


def _shown(score: float, attributes: frozenset[str]) -> str:
    return ", ".join([f"{score:.2f}", *sorted(attributes)])
