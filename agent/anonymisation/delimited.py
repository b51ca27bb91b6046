"""Tables in plain text, cell by cell: separators, quotation marks and ends of lines stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.anonymisation import plain
from agent.anonymisation.charset import as_read, decode, sample
from agent.anonymisation.coding import PLAIN, QUOTED
from agent.anonymisation.headings import headings
from agent.anonymisation.page import Page, Place
from agent.anonymisation.story import Story
from agent.anonymisation.work import Work

_SAMPLE_LINES = 20
_SEPARATORS = ",;\t|"
_LONGEST_CELL = 256 * 1024


class _NoTable(Exception):
    """A quotation mark is never closed, so that it would take in all the rest."""


def edit(content: bytes, work: Work) -> bytes:
    """The table without what must go; what is no sound table is taken as a text. Raises `CannotAnonymise`."""
    decoded = decode(content, work.encoding_of(sample(content)))
    page = Page(decoded.text)
    try:
        work.settle(_stories(page))
    except _NoTable:
        return decoded.encode(plain.edit_text(decoded.text, work))
    return decoded.encode(work.changed(page))


def _stories(page: Page) -> Iterator[Story]:
    """The cells, each behind the heading of its column."""
    story = Story()
    heads: list[str] | None = None
    for row in _rows(page, _separator(page.text)):
        first = heads is None
        if heads is None:
            heads = headings([place.text for place in row])
        for column, place in enumerate(row):
            text = as_read(place.text)
            if len(text) > _LONGEST_CELL:
                raise _NoTable
            if text.strip():
                if not first and column < len(heads) and heads[column]:
                    story.gap(f"{heads[column]}: ")
                story.say(place, text)
                story.gap("\n")
        if story.full:
            yield story
            story = Story()
    yield story


def _rows(page: Page, separator: str) -> Iterator[list[Place]]:
    """The cells of each row that has any, without the quotation marks around them."""
    cell = re.compile(rf'"((?:[^"]+|"")*)("?)([^{separator}\r\n]*)|([^{separator}\r\n]*)')
    text = page.text
    position = 0
    row: list[Place] = []
    while position < len(text):
        found = cell.match(text, position)
        assert found is not None  # noqa: S101 — the second form takes whatever there is, nothing included
        if found[4] is None:
            row.append(Place(page, *found.span(1), QUOTED))
            if found[3]:
                row.append(Place(page, *found.span(3), PLAIN))
        else:
            row.append(Place(page, *found.span(), PLAIN))
        position = found.end()
        if not text.startswith(separator, position):
            yield row
            row = []
            position += len(text[position : position + 2]) if text.startswith("\r\n", position) else 1
        else:
            position += 1
    if row:
        yield row


def _separator(text: str) -> str:
    """The separator that splits the first lines most evenly."""
    lines = [line for line in text[: 1024 * 1024].splitlines()[:_SAMPLE_LINES] if line.strip()]

    def evenness(separator: str) -> tuple[int, int]:
        counts = [line.count(separator) for line in lines]
        return min(counts, default=0), sum(counts)

    return max(_SEPARATORS, key=evenness)
