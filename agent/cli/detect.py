"""`retentiond detect`: what would be found in these files or texts? Nothing is stored."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.cli import options


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
    from agent.detection.presidio import PresidioDetector
    from agent.errors import UsageError

    if jsonl == bool(files):
        raise UsageError("Name the files to look into, or give --jsonl and lines on standard input.")
    settings = bootstrap.settings_from(config)
    detector = PresidioDetector(settings.detection.model, settings.detection.minimum_score)
    if jsonl:
        import json as codec

        from agent.usecases.detect import detect_lines

        sys.stdin.reconfigure(encoding="utf-8", errors="surrogatepass")  # type: ignore[union-attr]
        for found in detect_lines(sys.stdin, detector):
            sys.stdout.write(codec.dumps(found) + "\n")
        return
    _detect_files(files or [], bootstrap.extractor_from(settings), detector, json)


def _detect_files(files: list[Path], extractor: Any, detector: Any, json: bool) -> None:
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
                extraction, located = detect_file(document.fileno(), os.fsencode(file.name), extractor, detector)
            if json:
                findings = [
                    {"type": found.entity_type, "score": round(found.score, 4), "location": found.location}
                    for found in located
                ]
                facts = {"path": shown, "format": extraction.format, "status": extraction.status.value}
                kinds = implied(found.entity_type for found in located)
                typer.echo(codec.dumps({**facts, "findings": findings, **kinds}))
                continue
            typer.echo(f"{shown}: {extraction.format}, {extraction.status.value}, {len(located)} findings")
            for found in located:
                typer.echo(f"  {found.entity_type:<26} {found.score:.2f}  {describe(found.location)}")
    finally:
        extractor.close()
