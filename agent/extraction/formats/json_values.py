"""JSON, and JSON objects line by line."""

from __future__ import annotations

import json
from typing import Any

from agent.extraction.budget import LimitReached
from agent.extraction.charset import decode, text_lines
from agent.extraction.document import Document
from agent.extraction.formats import text
from agent.model.location import at, inside

_WHOLE_BYTES = 32 * 1024 * 1024


def read(document: Document) -> None:
    """Writes a line for each value behind its key. What is no JSON is read as plain text."""
    if document.size <= _WHOLE_BYTES:
        try:
            value = json.loads(decode(document.read_all()).lstrip("\ufeff"))
        except LimitReached:
            raise
        except (ValueError, RecursionError):
            pass
        else:
            entries = value if isinstance(value, list) else [value]
            for number, entry in enumerate(entries, 1):
                _write(document, entry, at(entry=number) if entries is value else "")
            return
    _lines(document)


def _lines(document: Document) -> None:
    for number, line in enumerate(text_lines(document.stream), 1):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            if number == 1:
                text.read(document)
                return
            document.output.write(line, inside(document.place, at(line=number)))
        else:
            _write(document, value, at(line=number))


def _write(document: Document, value: Any, location: str) -> None:
    """Walks the value without recursion: its depth is the document's choice, not ours."""
    place = inside(document.place, location)
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(reversed([(str(name), inner) for name, inner in value.items()]))
        elif isinstance(value, list):
            waiting.extend((key, inner) for inner in reversed(value))
        elif value is not None and not isinstance(value, bool):
            document.output.write(f"{key.replace('_', ' ')}: {value}\n" if key else f"{value}\n", place)
