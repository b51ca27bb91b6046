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
            value = _parsed(decode(document.read_all()).lstrip("\ufeff"))
        except LimitReached:
            raise
        except (ValueError, RecursionError):
            pass
        else:
            entries = value if type(value) is list else [value]
            for number, entry in enumerate(entries, 1):
                _write(document, entry, at(entry=number) if entries is value else "")
            return
    _lines(document)


def _lines(document: Document) -> None:
    for number, line in enumerate(text_lines(document.stream), 1):
        try:
            value = _parsed(line)
        except (ValueError, RecursionError):
            if number == 1:
                text.read(document)
                return
            document.output.write(line, inside(document.place, at(line=number)))
        else:
            _write(document, value, at(line=number))


class _Object(list[tuple[str, Any]]):
    """The pairs of an object, those with the same key as well."""


def _parsed(content: str) -> Any:
    """The value, with numbers as they are written. Raises `ValueError` or `RecursionError` for what is no JSON."""
    return json.loads(content, object_pairs_hook=_Object, parse_float=str, parse_int=str)


def _write(document: Document, value: Any, location: str) -> None:
    """Walks the value without recursion: its depth is the document's choice, not ours."""
    place = inside(document.place, location)
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        key, value = waiting.pop()
        label = key.replace("_", " ")
        if isinstance(value, _Object):
            document.output.write(f"{label}\n" if label else "", place)
            waiting.extend(reversed(value))
        elif isinstance(value, list):
            document.output.write(f"{label}\n" if label and not value else "", place)
            waiting.extend((key, inner) for inner in reversed(value))
        elif value is None or isinstance(value, bool):
            document.output.write(f"{label}\n" if label else "", place)
        else:
            document.output.write(f"{label}: {value}\n" if label else f"{value}\n", place)
