"""SQLite databases: every row of every table, from a copy in memory that no statement of the file can leave."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from agent.extraction.charset import decode, looks_like_text
from agent.extraction.document import Damaged, Document
from agent.extraction.formats.rows import labelled
from agent.model.location import at, inside

_JOURNAL_VERSIONS = slice(18, 20)  # 2 means a write-ahead log, which a copy in memory cannot have
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_PRAGMA}


def read(document: Document) -> None:
    """Writes each value behind the name of its column; `table` counts tables by name, `row` rows, both from 1."""
    data = bytearray(document.read_all())
    data[_JOURNAL_VERSIONS] = b"\x01\x01"
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            database.deserialize(bytes(data))
            database.text_factory = bytes
            database.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY)
            for number, table in enumerate(_tables(database), 1):
                _read_table(document, database, table, number)
        except sqlite3.Error:
            raise Damaged("damaged_file") from None


def _tables(database: sqlite3.Connection) -> Iterator[str]:
    """Tables with rows of their own: no views, and no virtual tables, which would run code."""
    rows = database.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
    for name, sql in rows:
        if not (sql or b"").lstrip().upper().startswith(b"CREATE VIRTUAL"):
            yield name.decode("utf-8", "replace")


def _read_table(document: Document, database: sqlite3.Connection, table: str, number: int) -> None:
    document.output.write(table + "\n", inside(document.place, at(table=number)))
    quoted = table.replace('"', '""')
    rows = database.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608 — quoted, and the authorizer lets only reading pass
    columns = [column[0] for column in rows.description]
    for count, row in enumerate(rows, 1):
        place = inside(document.place, at(table=number, row=count))
        for column, value in zip(columns, row, strict=True):
            text = _said(value)
            if text:
                document.output.write(labelled(column, text) + "\n", place)


def _said(value: object) -> str:
    if isinstance(value, bytes):
        return decode(value).strip() if looks_like_text(value[:8192]) else ""
    return "" if value is None else str(value)
