"""The catalogue in a backup: a copy of one moment, what it says of the audit log, and whether it is sound."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from agent.audit.log import AuditLog
from agent.audit.rows import last_checkpoint
from agent.catalogue.database import HEAD
from agent.errors import CatalogueError

_BUSY_SECONDS = 60.0
_TOLD = 10
_PRIMARY = 0xFF
_ON_THE_DISK = {sqlite3.SQLITE_FULL: errno.ENOSPC, sqlite3.SQLITE_IOERR: errno.EIO}


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """The schema of a copy, and its audit log: how many entries, their root, the newest checkpoint or nothing."""

    schema: str
    entries: int
    root: bytes
    checkpoint: bytes


def copy_catalogue(catalogue: Path, copy: Path) -> None:
    """Writes everything that stands in the catalogue at this moment to a new file, while others go on writing.

    What was deleted is not in it. Raises `CatalogueError` if there is no sound catalogue, `OSError` if the copy cannot
    be written.
    """
    if not catalogue.exists():
        raise CatalogueError(f"{catalogue}: there is no catalogue here yet. Run a scan first, or name its --state.")
    try:
        with closing(_reading(catalogue)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        with closing(_reading(copy)) as connection:
            sound = connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        if code in _ON_THE_DISK:
            raise OSError(_ON_THE_DISK[code], os.strerror(_ON_THE_DISK[code])) from None
        if code == sqlite3.SQLITE_BUSY:
            raise CatalogueError(f"{catalogue}: another process has been holding it for a minute. Try later.") from None
        sound = False
    if not sound:
        raise CatalogueError(
            f"{catalogue}: the catalogue is damaged or cannot be read, so that no backup of it was made. Earlier "
            "backups are as they were; restore the last good one."
        )


def facts_of(copy: Path) -> CopyFacts:
    """What the copy says of itself. Raises `CatalogueError` if it is no catalogue of ours, or its log is damaged."""
    schema = _schema(copy)
    if schema is None:
        raise CatalogueError(f"{copy.name}: this is a database, but not a catalogue of retentiond.")
    with _connected(copy) as connection:
        tables = {row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "audit_leaf" not in tables:
            return CopyFacts(schema, 0, b"", b"")
        log, last = AuditLog(connection), last_checkpoint(connection)
        return CopyFacts(schema, log.size, log.root(), last.note if last is not None else b"")


def known_schema(schema: str, where: str) -> None:
    """Raises `CatalogueError` if only a newer version of ours knows this schema."""
    if schema > HEAD:
        raise CatalogueError(
            f"{where}: the catalogue in it was written by a newer version of retentiond (schema {schema}; this version "
            f"knows those up to {HEAD}). Use that version. Nothing was changed."
        )


def faults_in(copy: Path, schema: str) -> list[str]:
    """What is wrong with a copy as a database: pages, indexes, rows that point at others that are not there."""
    try:
        with closing(_reading(copy)) as connection:
            found = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({_TOLD})")]
            if found != ["ok"]:
                return ["its catalogue is damaged: SQLite's own check of it fails."]
            strays = connection.execute("SELECT COUNT(*) FROM pragma_foreign_key_check").fetchone()[0]
    except sqlite3.Error:
        return ["its catalogue is no database, or is damaged."]
    faults = [f"{strays:,} rows of its catalogue point at others that are not there."] if strays else []
    if _schema(copy) != schema:
        faults.append("its catalogue is of another schema than its manifest says.")
    return faults


def _schema(path: Path) -> str | None:
    try:
        with closing(_reading(path)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return None
    return row[0] if row is not None and isinstance(row[0], str) else None


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS, isolation_level=None)


@contextmanager
def _connected(path: Path) -> Iterator[Connection]:
    engine = create_engine("sqlite://", creator=lambda: _reading(path), poolclass=StaticPool, hide_parameters=True)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection
    finally:
        engine.dispose()
