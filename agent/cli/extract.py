"""`retentiond extract`: what the pipeline would read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli import options

if TYPE_CHECKING:
    from agent.usecases.extract import Extracted


def extract(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files and folders to look into.")],
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object for each file.")] = False,
    text: Annotated[bool, typer.Option("--text", help="Also print the text itself.")] = False,
    config: options.Config = None,
) -> None:
    """Show how far files can be read: format, status, and where in them text was found. Nothing is stored.

    Example:  retentiond extract ~/Documents --jsonl
    """
    from agent import bootstrap
    from agent.usecases.extract import extract_files

    extractor = bootstrap.extractor_from(bootstrap.settings_from(config))
    try:
        for extracted in extract_files(map(os.fsencode, paths), extractor, keep_text=text):
            _tell_json(extracted, text) if jsonl else _tell(extracted)
    finally:
        extractor.close()


def _tell_json(extracted: Extracted, text: bool) -> None:
    import json

    facts: dict[str, Any] = {
        "path": extracted.path,
        "format": extracted.extraction.format,
        "status": extracted.extraction.status.value,
        "reasons": list(extracted.extraction.reasons),
        "characters": extracted.extraction.characters,
        "locations": extracted.places,
        "seconds": round(extracted.seconds, 4),
    }
    if text:
        facts["text"] = [{"text": chunk.text, "places": list(chunk.every_place())} for chunk in extracted.chunks]
    typer.echo(json.dumps(facts, ensure_ascii=False))


def _tell(extracted: Extracted) -> None:
    extraction = extracted.extraction
    why = f" ({', '.join(extraction.reasons)})" if extraction.reasons else ""
    places = ", ".join(f"{count:,} {kind}" for kind, count in sorted(extracted.places.items()))
    found = f", {extraction.characters:,} characters in {places}" if places else ""
    typer.echo(f"{extracted.path}: {extraction.format}, {extraction.status.value}{why}{found}")
    for chunk in extracted.chunks:
        typer.echo(chunk.text, nl=False)
