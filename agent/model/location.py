"""Where in a document something stood: written, read back and put into words in this one place.

A location is steps joined by `!`, from the outside in; a step is `key=number` pairs joined by `&`, and a cell:
`page=3`, `sheet=2&cell=C17`, `part=2!page=3`. It holds no name out of the document, since a name may be a person's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_VALUE = re.compile(r"[A-Za-z0-9]{1,20}")
_KEY = re.compile(r"[a-z]{1,20}")
_MAX_CHARACTERS = 300

_WORDS = {
    "header": "page header",
    "footer": "page footer",
    "footnotes": "footnotes",
    "endnotes": "endnotes",
    "comments": "comments",
    "properties": "document properties",
    "links": "links",
    "drawing": "drawing",
    "headers": "message headers",
    "pivot": "copy for a pivot table",
    "layout": "slide layout",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One level of a location: what is counted, and which one it is."""

    parts: tuple[tuple[str, str], ...]


def at(**parts: int | str) -> str:
    """The location with one step: `at(sheet=2, cell="C17")`."""
    return "&".join(f"{key}={value}" for key, value in parts.items())


def inside(outer: str, inner: str) -> str:
    """The location `inner` of a document that lies at `outer` of another one. Either may be empty."""
    return f"{outer}!{inner}" if outer and inner else outer or inner


def read(location: str) -> tuple[Step, ...]:
    """The steps of a location; none for a document as a whole. Raises `ValueError` for anything else."""
    if len(location) > _MAX_CHARACTERS:
        raise ValueError("a location is too long")
    if not location:
        return ()
    return tuple(Step(tuple(_pair(pair) for pair in step.split("&"))) for step in location.split("!"))


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (equals and _KEY.fullmatch(key) and _VALUE.fullmatch(value)):
        raise ValueError("not a location")
    return key, value


def describe(location: str) -> str:
    """The location in words: `sheet 2, cell C17`; `part 2, page 3`; `the document` for the whole."""
    told = [f"{_WORDS.get(key, key)} {value}" for step in read(location) for key, value in step.parts]
    return ", ".join(told) or "the document"
