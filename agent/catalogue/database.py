"""One open database: its connection, its transactions, and its faults in plain words."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from agent.catalogue.tables import change_count
from agent.errors import CatalogueError
from agent.model.witness import Testimony, Witness, no_witness
from agent.rights import open_or_make

HEAD = "0010"
_BUSY_SECONDS = 10.0


class Database:
    """An SQLite file that is our catalogue, at the newest schema.

    `connection` is in autocommit: what is written outside `transaction()` stands at once.
    `witness` is told what people record, in the transaction that records it.
    Raises `CatalogueError` for whatever a person has to mend, at opening and at every later call.
    """

    def __init__(self, path: Path, *, create: bool, witness: Witness = no_witness) -> None:
        self.path = path
        self._witness = witness
        if not create and not path.exists():
            raise CatalogueError(f"{path}: there is no catalogue here yet. Run a scan first, or name its --state.")
        with self.faults():
            if create:
                _make(path)
            self._engine = _engine(path)
            try:
                self.connection = self.connect()
                _bring_up_to_date(self.connection, path, self._engine)
            except BaseException:
                self.close()
                raise

    def connect(self) -> Connection:
        """A further connection, for reading while another one writes. The caller closes it."""
        return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def close(self) -> None:
        """Ends the connection. Safe to call twice."""
        if hasattr(self, "connection"):
            self.connection.close()
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All that is written inside stands together, or none of it."""
        with self.faults():
            self.connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.exec_driver_sql("COMMIT")
            except BaseException:
                if self.connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
                    self.connection.exec_driver_sql("ROLLBACK")
                raise

    def shrink(self) -> None:
        """Gives back the memory in which pages of the database are kept: whoever comes next reads them again."""
        with self.faults():
            self.connection.exec_driver_sql("PRAGMA shrink_memory")

    def testify(self, facts: Sequence[Testimony]) -> None:
        """Tells the witness what has just been written, inside the transaction that writes it."""
        self._witness(self.connection, facts)

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Turns the database's faults into `CatalogueError`, without any value that stood in a statement."""
        try:
            yield
        except DBAPIError as error:
            raise _in_plain_words(self.path, error.orig) from None
        except sqlite3.Error as error:
            raise _in_plain_words(self.path, error) from None
        except OSError as error:
            raise CatalogueError(f"{self.path}: cannot open the catalogue ({error.strerror}).") from None


def _make(path: Path) -> None:
    """An empty file, unless there is one; never readable to others, not even for a moment.

    One that is there is opened by nobody but SQLite. Its locks belong to the whole process, and closing any descriptor
    of the file gives up those of all its connections: another process would then take itself for the last one, and
    throw away the log into which they go on writing. So the file gets its name when it is closed already.
    """
    place = Path(os.path.realpath(path))
    if place.exists():
        return
    draft = place.with_name(f"{place.name}.{secrets.token_hex(8)}")
    os.close(open_or_make(draft))
    try:
        with suppress(FileExistsError):  # somebody was quicker
            os.link(draft, place)
    finally:
        draft.unlink()


def _engine(path: Path) -> Engine:
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, poolclass=NullPool, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        # FULL makes a commit survive a power cut.
        for pragma in ("synchronous = FULL", "foreign_keys = ON", "cache_size = -32768"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _bring_up_to_date(connection: Connection, path: Path, engine: Engine) -> None:
    tables = set(inspect(connection).get_table_names())
    revision = None
    if "alembic_version" in tables:
        revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    elif tables:
        raise CatalogueError(f"{path}: this is a database, but not a catalogue of retentiond. Name another --state.")
    # WAL lets reports read while a scan writes. The file keeps it, so it is set only once the file is known as ours.
    connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    if revision == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise CatalogueError(
            f"{path}: this catalogue was written by a newer version of retentiond (schema {revision}). "
            "Use that version, or another --state. Nothing was changed."
        )
    if revision is not None:
        _back_up(connection, path, revision)
    # A table is changed by making it anew, and what points at it must not mind meanwhile.
    connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    command.upgrade(config, "head")
    if connection.execute(change_count.select()).first() is None:
        connection.execute(change_count.insert().values(changes=0))
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise CatalogueError(f"{path}: rows point at others that are not there. Restore the catalogue from a backup.")
    connection.exec_driver_sql("COMMIT")
    connection.exec_driver_sql("PRAGMA foreign_keys = ON")


def _back_up(connection: Connection, path: Path, revision: str) -> None:
    """An older catalogue is copied before it is changed; a copy that is there already is older still, and stays."""
    copy = path.with_name(f"{path.name}.before-{revision}")
    if copy.exists():
        return
    draft = copy.with_name(f"{copy.name}.draft")  # what a crash has left half made must not pass for a backup
    draft.unlink(missing_ok=True)
    connection.exec_driver_sql("VACUUM INTO ?", (str(draft),))
    draft.chmod(0o600)
    with open(draft, "rb") as file:
        os.fsync(file.fileno())
    draft.rename(copy)


def _in_plain_words(path: Path, error: BaseException | None) -> CatalogueError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            said = "another process has been holding the catalogue for ten seconds. Wait for it to end."
        case sqlite3.SQLITE_NOTADB:
            said = "this file is not a catalogue, or it is damaged. Restore it from a backup, or name another --state."
        case sqlite3.SQLITE_CORRUPT:
            said = "the catalogue is damaged. Restore it from a backup, or move it away and scan again."
        case sqlite3.SQLITE_FULL:
            said = "the disk is full. Make room and run the command again; nothing that was stored is lost."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH | sqlite3.SQLITE_CANTOPEN:
            said = "the catalogue cannot be opened for writing. Check who owns it and its directory."
        case sqlite3.SQLITE_IOERR:
            said = "the disk reports a fault. Check the disk, then run the command again."
        case _:
            said = f"the catalogue refused a statement ({type(error).__name__}, code {code}). Please report this."
    return CatalogueError(f"{path}: {said}")
