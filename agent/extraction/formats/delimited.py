"""Tables in plain text: values separated by commas, semicolons, tabs or bars."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from agent.extraction.charset import text_lines
from agent.extraction.document import Damaged, Document
from agent.extraction.formats import text
from agent.extraction.formats.rows import headings, labelled
from agent.model.location import at, inside

_SAMPLE_LINES = 20
_SEPARATORS = ",;\t|"


def read(document: Document) -> None:
    """Writes a line for each value, behind the heading of its column; `row` counts from 1, headings included."""
    csv.field_size_limit(256 * 1024)
    separator = _separator(document)
    heads: list[str] = []
    for number, row in enumerate(_rows(document, separator), 1):
        if number == 1:
            heads = headings(row)
        place = inside(document.place, at(row=number))
        for column, value in enumerate(row):
            if value.strip():
                heading = heads[column] if number > 1 and column < len(heads) else ""
                document.output.write(labelled(heading, value) + "\n", place)


def _rows(document: Document, separator: str) -> Iterator[list[str]]:
    lines = (line.replace("\0", "") for line in text_lines(document.stream))
    try:
        yield from csv.reader(lines, delimiter=separator)
    except csv.Error:  # a quotation mark that is never closed would take in all the rest
        text.read(document)
        raise Damaged("damaged_rows") from None


def _separator(document: Document) -> str:
    """The separator that splits the first lines most evenly."""
    lines = [line for line, _ in zip(text_lines(document.stream), range(_SAMPLE_LINES), strict=False) if line.strip()]

    def evenness(separator: str) -> tuple[int, int]:
        counts = [line.count(separator) for line in lines]
        return (min(counts, default=0), sum(counts))

    return max(_SEPARATORS, key=evenness)
