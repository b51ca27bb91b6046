"""Tables in the text of a document: columns typed by their header and by what stands in them.

A table is a header row and at least one row below it, parted by commas, semicolons, tabs, bars, slashes or runs of
spaces; or, as delimited files are read, lines `header: value` that repeat. What a header promises, each cell must keep:
a column "DOB" yields the cells that are dates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import regex

from agent.detection.names.gazetteer import as_listed, family_names, given_names
from agent.detection.recognisers.headers import HEADERS, fits
from agent.model.finding import Span

SCORE = 0.9  # a cell that fits its header
_ENOUGH = 0.5  # the share of filled cells that must fit, so that the header may be believed
_LONGEST_LINE = 2_000
_LONGEST_HEADER = 40
_MOST_COLUMNS = 60
_LEAST_RECORDS = 2

# A column headed "staff" may hold numbers or names.
_ELSE = {"EMPLOYEE_ID": ("PERSON",)}
_NUMBERING = frozenset({"id", "no", "no.", "number", "#"})

_SEPARATORS = ("\t", "|", ";", ",", " / ", "  ")
_QUOTED = {separator: regex.compile(rf'\s*(?:"([^"]*)"|([^{separator}]*))(?:{separator}|$)') for separator in ",;"}
_SPACES = regex.compile(r" {2,}")
_LABELLED = regex.compile(r"^([^\n:]{2,40}): (\S[^\n]{0,200})$", regex.MULTILINE)
_RULE = regex.compile(r"[\s|+=:_*-]+")
_POSTCODE_BEHIND = regex.compile(r",?[ \t]*\b[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2}\b", regex.IGNORECASE)
_NAME_WORD = regex.compile(r"[\p{L}\p{M}]+")
_NOT_WORDS = regex.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell by its offsets into the text, without the white space and quotation marks around it."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the type its header stands for, if it is known, and the filled cells below."""

    entity: str | None
    header: Cell
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table from `start` to `end` in a text. At least one of its columns has a type."""

    start: int
    end: int
    columns: tuple[Column, ...]


def table_spans(text: str) -> list[Span]:
    """What the columns of the tables in a text hold, in order. A span of a special category is a candidate."""
    spans: dict[tuple[int, int, str], Span] = {}
    for table in find_tables(text):
        for column in table.columns:
            if column.entity is None:
                continue
            for entity in (column.entity, *_ELSE.get(column.entity, ())):
                fitting = [cell for cell in column.cells if fits(entity, text[cell.start : cell.end])]
                if entity == "PERSON" and not any(_holds_a_name(text[cell.start : cell.end]) for cell in fitting):
                    continue  # a form whose first line looks like a heading
                if fitting and (entity.startswith("SC_") or len(fitting) >= _ENOUGH * len(column.cells)):
                    for cell in fitting:
                        end = _street_end(text, cell) if entity == "STREET_ADDRESS" else cell.end
                        spans[cell.start, end, entity] = Span(entity, cell.start, end, SCORE, why="column")
                    break
    return [spans[key] for key in sorted(spans)]


def _holds_a_name(value: str) -> bool:
    words = map(as_listed, _NAME_WORD.findall(value))
    return any(word in given_names() or word in family_names() for word in words)


def _street_end(text: str, cell: Cell) -> int:
    """Where the street ends in a cell that may go on with a postcode: that is found for itself."""
    behind = _POSTCODE_BEHIND.search(text, cell.start, cell.end)
    return behind.start() if behind and behind.start() > cell.start else cell.end


def find_tables(text: str) -> list[Table]:
    """The tables in a text whose header names a type, in order. Takes time in proportion to the text."""
    tables: list[Table] = []
    # A sign is found many times faster than one between blanks.
    separators = [separator for separator in _SEPARATORS if separator.strip(" ") in text and separator in text]
    lines = list(_lines(text)) if separators else []
    number = 0
    while number < len(lines) - 1:
        start, end = lines[number]
        table, used = _table_at(text, lines, number) if _may_head(text, start, end, separators) else (None, 1)
        if table is not None:
            tables.append(table)
        number += used
    labelled = _labelled_table(text)
    return [*tables, labelled] if labelled else tables


def _lines(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield start, end
        start = end + 1


def _may_head(text: str, start: int, end: int, separators: Sequence[str]) -> bool:
    return 5 <= end - start <= _LONGEST_LINE and any(
        text.count(separator, start, end) >= (2 if separator in ", ;" else 1) for separator in separators
    )


def _table_at(text: str, lines: list[tuple[int, int]], number: int) -> tuple[Table | None, int]:
    """The table whose header is a line, if it is one, and how many lines it takes."""
    start, end = lines[number]
    for separator in _SEPARATORS:
        if text.find(separator, start, end) < 0:
            continue
        heads = _cells(text, start, end, separator)
        if not 2 <= len(heads) <= _MOST_COLUMNS or not all(_is_header(text, cell) for cell in heads):
            continue
        types = _types(text, heads)
        if not _promises(types, separator):
            continue
        rows, last = _rows(text, lines, number + 1, separator, heads)
        if rows:
            columns = tuple(
                Column(entity, head, tuple(row[index] for row in rows if index in row))
                for index, (entity, head) in enumerate(zip(types, heads, strict=True))
            )
            return Table(start, lines[last][1], columns), last - number + 1
    return None, 1


def _promises(types: list[str | None], separator: str) -> bool:
    known = sum(entity is not None for entity in types)
    return known >= 1 and (len(types) >= 3 or known == 2) and (known >= 2 or separator not in ", / ")


def _rows(
    text: str, lines: list[tuple[int, int]], number: int, separator: str, heads: list[Cell]
) -> tuple[list[dict[int, Cell]], int]:
    """The rows from a line on, each by column, and the last line that belongs to them."""
    rows: list[dict[int, Cell]] = []
    last = number - 1
    blank = 0
    for position in range(number, len(lines)):
        start, end = lines[position]
        if end - start > _LONGEST_LINE:
            break
        if not text[start:end].strip() or _RULE.fullmatch(text, start, end):
            blank += 1
            if blank > 1:
                break
            continue
        cells = _cells(text, start, end, separator)
        if len(cells) < max(2, (len(heads) + 1) // 2):
            if blank or not rows or not text[start:end].lstrip().startswith("#"):
                break
            continue
        blank = 0
        rows.append(_placed(cells, heads, start, lines, text, separator))
        last = position
    return rows, last


def _placed(
    cells: list[Cell], heads: list[Cell], start: int, lines: list[tuple[int, int]], text: str, separator: str
) -> dict[int, Cell]:
    """Each cell under its header: by count, or where runs of spaces part the cells and some are missing, by place."""
    if separator != "  " or len(cells) == len(heads):
        return {index: cell for index, cell in enumerate(cells[: len(heads)]) if cell.end > cell.start}
    head_line = text.rfind("\n", 0, heads[0].start) + 1
    offsets = [head.start - head_line for head in heads]
    placed: dict[int, Cell] = {}
    for cell in cells:
        nearest = min(range(len(offsets)), key=lambda index: abs(offsets[index] - (cell.start - start)))
        if abs(offsets[nearest] - (cell.start - start)) <= 3:
            placed.setdefault(nearest, cell)
    return placed


def _cells(text: str, start: int, end: int, separator: str) -> list[Cell]:
    """The cells of a line."""
    if separator in _QUOTED and '"' in text[start:end]:
        return _quoted_cells(text, start, end, separator)
    cells: list[Cell] = []
    if separator == "  ":
        position = start
        for gap in _SPACES.finditer(text, start, end):
            if gap.start() > position:
                cells.append(_trimmed(text, position, gap.start()))
            position = gap.end()
        return [*cells, _trimmed(text, position, end)] if position < end else cells
    if separator == "|" and text[start:end].startswith("|"):
        start, end = start + 1, end - text[start:end].rstrip().endswith("|")
    position = start
    while True:
        found = text.find(separator, position, end)
        cells.append(_trimmed(text, position, end if found < 0 else found))
        if found < 0:
            return cells
        position = found + len(separator)


def _quoted_cells(text: str, start: int, end: int, separator: str) -> list[Cell]:
    cells: list[Cell] = []
    position = start
    while position < end:
        found = _QUOTED[separator].match(text, position, end)
        if found is None or found.end() == position:
            break
        group = 1 if found[1] is not None else 2
        cells.append(_trimmed(text, found.start(group), found.end(group)))
        position = found.end()
    return cells


def _trimmed(text: str, start: int, end: int) -> Cell:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Cell(start, end)


def _is_header(text: str, cell: Cell) -> bool:
    value = text[cell.start : cell.end]
    return len(value) <= _LONGEST_HEADER and not value.endswith(".") and sum(map(str.isdigit, value)) <= 1


def _type_of(text: str, cell: Cell) -> str | None:
    return HEADERS.get(_NOT_WORDS.sub(" ", text[cell.start : cell.end].casefold()).strip())


def _types(text: str, heads: list[Cell]) -> list[str | None]:
    """The types of columns. One headed "id" or "no" numbers staff if another one is headed "staff"."""
    types = [_type_of(text, cell) for cell in heads]
    of_staff = "EMPLOYEE_ID" in types
    return [
        "EMPLOYEE_ID" if of_staff and text[head.start : head.end].casefold() in _NUMBERING else entity
        for head, entity in zip(heads, types, strict=True)
    ]


def _labelled_table(text: str) -> Table | None:
    """The table that a delimited file was: lines `header: value` that repeat for each row."""
    if ":" not in text:
        return None
    columns: dict[str, tuple[Cell, list[Cell]]] = {}
    for found in _LABELLED.finditer(text):
        name = _NOT_WORDS.sub(" ", found[1].casefold()).strip()
        header = Cell(found.start(1), found.end(1))
        columns.setdefault(name, (header, []))[1].append(_trimmed(text, found.start(2), found.end(2)))
    records = Counter({name: len(cells) for name, (_, cells) in columns.items() if name in HEADERS})
    if len(records) < 2 or max(records.values()) < _LEAST_RECORDS:
        return None
    typed = tuple(
        Column(HEADERS[name], header, tuple(cells))
        for name, (header, cells) in columns.items()
        if name in records and len(cells) >= _LEAST_RECORDS
    )
    if len(typed) < 2:
        return None
    everything = [cell for column in typed for cell in column.cells]
    return Table(typed[0].header.start, max(cell.end for cell in everything), typed)
