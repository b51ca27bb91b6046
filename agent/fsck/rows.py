"""The catalogue's rows as they lie in its database: read-only, of one moment, one after the other."""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from agent.errors import CatalogueError

SCHEMA = "0010"
FILESYSTEM = "filesystem"
VAULT, SOURCE = "vault", "source"
UNSEALED = frozenset({"planned", "conflict", "abandoned"})  # a disposal may come so far without being sealed
LIVE, MISSING, TOMBSTONE, QUARANTINED, DESTROYED, SUPERSEDED = range(6)

_ITEMS = (
    "SELECT i.id, i.state, CAST(i.version AS BLOB), CAST(i.name AS BLOB), CAST(f.path AS BLOB), s.name, "
    "d.id, CAST(d.vault_id AS TEXT), CAST(d.derived_id AS TEXT), CAST(d.state AS TEXT), CAST(d.version AS BLOB), "
    "CAST(d.content_hash AS BLOB), CAST(d.since AS INTEGER), d.certificate_id, LENGTH(c.document), "
    "CAST(d.custody AS TEXT), LENGTH(i.file_id), LENGTH(d.kept_version), s.kind "
    "FROM item i LEFT JOIN folder f ON f.id = i.folder_id LEFT JOIN share s ON s.id = f.share_id "
    "LEFT JOIN disposal d ON d.item_id = i.id LEFT JOIN certificate c ON c.id = d.certificate_id ORDER BY i.id, d.id"
)
_STEPS = "SELECT id, item_id, before, after, why, epoch FROM disposal_step WHERE disposal_id = ? ORDER BY id"


@dataclass(frozen=True, slots=True)
class Disposal:
    """One disposal as it is recorded. `certificate` is empty without one, `certified` tells whether that is there.

    `custody` is who keeps the item in quarantine, `named` whether an id and a version at its source are on record.
    """

    number: int
    vault_id: str
    derived_id: str | None
    state: str
    version: bytes
    content_hash: bytes | None
    since: int
    certificate: str
    certified: bool
    custody: str = VAULT
    named: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One item with all its disposals, oldest first. `share` is empty if the catalogue does not say where it was;
    `in_service` tells whether that is no file system, so that it cannot be looked at from here."""

    number: int
    state: int
    version: bytes
    name: bytes
    folder: bytes
    share: str
    disposals: tuple[Disposal, ...]
    in_service: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a disposal as it is recorded."""

    number: int
    item: int
    before: str
    after: str
    why: str
    epoch: str


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """The catalogue, open for reading in one transaction, so that all that is read is of one moment.

    Raises `CatalogueError`, also for faults inside the block.
    """
    if not path.exists():
        raise CatalogueError(f"{path}: there is no catalogue here. Name another --state.")
    try:
        connection = sqlite3.connect(f"file:{quote(os.fspath(path.absolute()))}?mode=ro", uri=True)
        with contextlib.closing(connection):
            connection.isolation_level = None
            connection.execute("BEGIN")
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            if found != (SCHEMA,):
                raise CatalogueError(
                    f"{path}: this catalogue is of another version than this program (it knows schema {SCHEMA}). "
                    "Use the program of that version, or let any other command bring the catalogue up to date."
                )
            yield connection
    except sqlite3.Error as error:
        raise CatalogueError(
            f"{path}: the catalogue cannot be read ({_fault(error)}). Restore it from a backup, or check who "
            "owns it and its directory."
        ) from None


def _fault(error: sqlite3.Error) -> str:
    """Its name, and not its words, in which a value may stand."""
    return getattr(error, "sqlite_errorname", type(error).__name__)


def count_items(path: Path) -> int:
    """How many items the catalogue has ever seen. Raises `CatalogueError`."""
    with reading(path) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM item").fetchone()[0])


def share_locations(path: Path) -> dict[str, str]:
    """Where each share lies by the catalogue, as it writes paths. Raises `CatalogueError`."""
    with reading(path) as connection:
        return dict(connection.execute("SELECT name, location FROM share ORDER BY name"))


class Rows:
    """What the checker asks of the database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def shares(self) -> dict[str, str]:
        """The identity of each share by its name."""
        return dict(self.connection.execute("SELECT name, identity FROM share ORDER BY name"))

    def services(self) -> frozenset[str]:
        """The shares that are no file systems."""
        rows = self.connection.execute("SELECT name FROM share WHERE kind <> ?", (FILESYSTEM,))
        return frozenset(name for (name,) in rows)

    def scanned_since(self) -> dict[str, int]:
        """When the last scan that came to its end began, in microseconds since 1970, by the share's name."""
        query = (
            "SELECT s.name, MAX(p.started_at) FROM scan_pass p JOIN share s ON s.id = p.share_id "
            "WHERE p.state = 'complete' GROUP BY s.name"
        )
        return dict(self.connection.execute(query))

    def items(self) -> Iterator[Item]:
        """Every item ever seen, in the order of its number."""
        rows = self.connection.execute(_ITEMS)
        for number, of_item in itertools.groupby(rows, key=lambda row: row[0]):
            first, *more = of_item
            _, state, version, name, folder, share = first[:6]
            disposals = tuple(_disposal(row[6:18]) for row in (first, *more) if row[6] is not None)
            in_service = first[18] not in (None, FILESYSTEM)
            yield Item(number, state, version, name, folder or b"", share or "", disposals, in_service)

    def steps(self, disposal: int) -> list[Step]:
        """The steps of one disposal, in the order of recording."""
        return [Step(*row) for row in self.connection.execute(_STEPS, (disposal,))]

    def without_item(self) -> Iterator[int]:
        """Disposals of items that the catalogue does not have."""
        query = "SELECT id FROM disposal WHERE item_id NOT IN (SELECT id FROM item) ORDER BY id"
        return (row[0] for row in self.connection.execute(query))

    def without_disposal(self) -> Iterator[int]:
        """Steps of disposals that the catalogue does not have."""
        query = "SELECT id FROM disposal_step WHERE disposal_id NOT IN (SELECT id FROM disposal) ORDER BY id"
        return (row[0] for row in self.connection.execute(query))

    def certificates_miscounted(self) -> Iterator[str]:
        """Certificates over another number of items than there are disposals on them."""
        query = (
            "SELECT c.id FROM certificate c LEFT JOIN disposal d ON d.certificate_id = c.id "
            "GROUP BY c.id HAVING c.items <> COUNT(d.id) ORDER BY c.id"
        )
        return (row[0] for row in self.connection.execute(query))


def _disposal(row: tuple[Any, ...]) -> Disposal:
    number, vault_id, derived_id, state, version, content_hash, since, certificate, length = row[:9]
    custody, id_bytes, version_bytes = row[9:]
    return Disposal(
        number,
        vault_id,
        derived_id,
        state,
        version,
        content_hash,
        since,
        certificate or "",
        bool(length),
        custody,
        bool(id_bytes) and (bool(version_bytes) or state in UNSEALED),
    )
