"""Access databases (mdb, accdb): every row of every table that people see."""

from __future__ import annotations

import logging
from itertools import count
from typing import Any

from agent.extraction.charset import decode, looks_like_text
from agent.extraction.document import Damaged, Document, Unsupported
from agent.extraction.formats.rows import labelled
from agent.model.location import at, inside

try:
    from access_parser import access_parser
except ImportError:  # it is an extra
    access_parser = None
else:
    access_parser.read_db_file = bytes  # it would open a path; it is given what was read
    logging.getLogger("access_parser").disabled = True  # it quotes the pages that it cannot read

# Whatever a broken page makes it meet: it checks nothing.
_FAULTS = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError)


def read(document: Document) -> None:
    """Writes each value behind the name of its column; `table` counts tables, `row` rows, both from 1.

    A damaged table ends where it breaks off; the others are read all the same.
    """
    if access_parser is None:
        raise Unsupported("access_parser_missing")
    faults = (*_FAULTS, access_parser.ConstructError)
    try:
        database = access_parser.AccessParser(document.read_all())
    except faults:
        raise Damaged("damaged_file") from None
    damaged = False
    for number, name in enumerate(sorted(name for name in database.catalog if name != "MSysObjects"), 1):
        document.output.write(name + "\n", inside(document.place, at(table=number)))
        try:
            table = database.get_table(name)
            damaged |= table is None or not _read_table(document, table, number, faults)
        except faults:
            damaged = True
    if damaged:
        raise Damaged("damaged_table")


def _read_table(document: Document, table: Any, number: int, faults: tuple[type[Exception], ...]) -> bool:
    """Whether every row could be read. Each is written as it is met, and not kept."""
    sound = True
    parse_row = table._parse_row
    rows = count(1)

    def parse(record: bytes) -> None:
        nonlocal sound
        try:
            parse_row(record)
        except faults:
            sound = False
        place = inside(document.place, at(table=number, row=next(rows)))
        for column, values in table.parsed_table.items():
            for value in values:
                if text := _said(value):
                    document.output.write(labelled(column, text) + "\n", place)
            values.clear()

    table._parse_row = parse
    table.parse()
    return sound


def _said(value: object) -> str:
    if isinstance(value, bytes):
        return decode(value).strip() if looks_like_text(value[:8192]) else ""
    return "" if value is None or value is True or value is False else str(value).strip()
