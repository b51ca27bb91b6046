"""Reading rows back as facts."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Set
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from agent.catalogue import verdicts
from agent.catalogue.database import Database
from agent.catalogue.fingerprints import in_force
from agent.catalogue.tables import QUARANTINED
from agent.model.analysis_version import AnalysisVersion
from agent.model.outcome import ExtractionStatus, Outcome, OutcomeKind
from agent.model.record import WAVE, Record
from connectors.base import ItemRef, KnownFolder, KnownItem

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_COLUMNS = (
    "s.name, f.path, i.name, i.format, i.size_bytes, i.modified_at, i.created_at, i.accessed_at, i.first_seen_at, "
    "i.outcome, i.reason, i.extraction, i.findings, i.marks, i.verdict, i.id, s.id, i.content_hash, "
    "i.content_hash IS NOT NULL AND i.size_bytes > 0 AND EXISTS "
    "(SELECT 1 FROM item o WHERE o.content_hash = i.content_hash AND o.id <> i.id AND o.state = 0), "
    "(SELECT group_concat(h.hold_id) FROM held h WHERE h.item_id = i.id), i.state, s.stored_in"
)
_TABLES = "item i JOIN folder f ON f.id = i.folder_id JOIN share s ON s.id = f.share_id"
_WAVES = (
    "SELECT f.share_id, i.created_at / 60000000, COUNT(*) FROM item i JOIN folder f ON f.id = i.folder_id "
    "WHERE i.state = 0 AND i.created_at IS NOT NULL GROUP BY 1, 2 HAVING COUNT(*) >= ?"
)
_COPIES = (
    "SELECT i.id, f.path, i.name FROM item i JOIN folder f ON f.id = i.folder_id "
    "WHERE i.content_hash = ? AND i.state = 0 ORDER BY i.id LIMIT ?"
)
_MOST_COPIES = 1_000
_HASHES_REMEMBERED = 256
_BLOCK = 1000


def moment(microseconds: int) -> datetime:
    """The aware moment in UTC; one beyond what a calendar can hold becomes the calendar's end."""
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if microseconds > 0 else datetime.min.replace(tzinfo=UTC)


def read_waves(connection: Connection) -> Mapping[tuple[int, int], int]:
    """How many items were created in the same minute on the same share, where these are `WAVE` or more: by the share's
    number and the minute since 1970."""
    rows = connection.exec_driver_sql(_WAVES, (WAVE,)).all()
    return {(share, minute): count for share, minute, count in rows}


class RecordReader:
    """Reads items as facts, with what their neighbours tell of them. Which arrived together is asked once.

    `identified` are the entity types whose identities are wanted, where an item holds just one value.
    """

    def __init__(self, database: Database, identified: frozenset[str] = frozenset()) -> None:
        self._database = database
        self._identified = identified
        self._waves: Mapping[tuple[int, int], int] | None = None
        self._copies: OrderedDict[bytes, tuple[tuple[int, str], ...]] = OrderedDict()

    def read(
        self, where: str, values: tuple[Any, ...] = (), order: str = "s.name, f.path, i.name"
    ) -> Iterator[tuple[ItemRef, Record]]:
        """The items that fulfil a condition on item `i`, folder `f` and share `s`, in that order.

        Memory is bounded whatever their number.
        """
        statement = f"SELECT {_COLUMNS} FROM {_TABLES} WHERE {where} ORDER BY {order}"  # noqa: S608
        with self._database.faults(), self._database.connect() as reader, self._database.connect() as beside:
            if self._waves is None:
                self._waves = read_waves(beside)
            waves = self._waves
            rows = reader.exec_driver_sql(statement, values).cursor
            while block := rows.fetchmany(_BLOCK):
                for row in block:
                    content_hash, has_copies = row[17:19]
                    copies = self._copies_of(beside, content_hash) if has_copies else ()
                    identities = self._identities_of(beside, row[15], row[12]) if self._identified else {}
                    yield _record(row, waves, copies, identities)

    def _identities_of(self, beside: Connection, item_id: int, findings: str) -> Mapping[str, bytes]:
        counts = json.loads(findings) if findings else {}
        wanted = [entity_type for entity_type in sorted(self._identified) if counts.get(entity_type) == 1]
        statement = "SELECT identity FROM finding WHERE item_id = ? AND entity_type = ?"
        return {
            entity_type: beside.exec_driver_sql(statement, (item_id, entity_type)).scalar_one()
            for entity_type in wanted
        }

    def _copies_of(self, beside: Connection, content_hash: bytes) -> tuple[tuple[int, str], ...]:
        """The items with that content and their paths; remembered, since copies often lie together and may be many."""
        found = self._copies.pop(content_hash, None)
        if found is None:
            rows = beside.exec_driver_sql(_COPIES, (content_hash, _MOST_COPIES)).all()
            found = tuple((item_id, str(ItemRef(folder, name))) for item_id, folder, name in rows)
            if len(self._copies) >= _HASHES_REMEMBERED:
                self._copies.popitem(last=False)
        self._copies[content_hash] = found
        return found


def _record(
    row: tuple[Any, ...],
    waves: Mapping[tuple[int, int], int],
    copies: tuple[tuple[int, str], ...],
    identities: Mapping[str, bytes],
) -> tuple[ItemRef, Record]:
    share, folder, name, format_, size, modified, created, accessed, seen, kind, reason, extraction, found = row[:13]
    marks, verdict, item_id, share_id, _, _, holds, state, stored_in = row[13:]
    ref = ItemRef(folder, name)
    return ref, Record(
        share=share,
        path=str(ref),
        format=format_,
        size_bytes=size,
        modified_at=moment(modified),
        first_seen_at=moment(seen),
        outcome=Outcome(OutcomeKind(kind), reason),
        created_at=None if created is None else moment(created),
        accessed_at=None if accessed is None else moment(accessed),
        findings=json.loads(found) if found else {},
        marks=json.loads(marks) if marks else {},
        verdict=verdicts.read(verdict),
        extraction=ExtractionStatus(extraction) if extraction else None,
        item_id=item_id,
        copies=tuple(path for copy, path in copies if copy != item_id),
        arrived_with=1 if created is None else waves.get((share_id, created // 60_000_000), 1),
        holds=tuple(sorted(map(int, holds.split(",")))) if holds else (),
        in_vault=state == QUARANTINED,
        identities=identities,
        stored_in=frozenset(stored_in.split()),
    )


class KnownItems:
    """What is recorded of a share, as a connector wants it (`connectors.base.Known`).

    Items to be tried again, or analysed under a version no longer in force, have the version `b""`, which no item has.
    """

    _VERSIONS = (
        "SELECT i.name, CASE WHEN i.retry OR i.fingerprint_id NOT IN ({}) THEN ? ELSE i.version END "
        "FROM folder f JOIN item i ON i.folder_id = f.id WHERE f.share_id = ? AND f.path = ? AND i.state = 0"
    )
    _FOLDERS = (
        "SELECT below.path FROM folder f JOIN folder below ON below.parent_id = f.id "
        "WHERE f.share_id = ? AND f.path = ? AND NOT below.gone"
    )

    # What was left out on purpose is told anew each time, in case the reason for it is no more.
    _ITEM = (
        "SELECT f.path, i.name, CASE WHEN i.retry OR i.outcome = 'skipped' OR i.fingerprint_id NOT IN ({}) THEN x'' "
        "ELSE i.version END FROM item i JOIN folder f ON f.id = i.folder_id "
        "WHERE i.file_id = ? AND i.generation > 0 AND i.state = 0 AND f.share_id = ?"
    )
    _OUTDATED = (
        "SELECT i.id, f.path, i.name, i.file_id FROM item i JOIN folder f ON f.id = i.folder_id "
        "WHERE i.id > ? AND f.share_id = ? AND i.generation > 0 AND i.state = 0 "
        "AND (i.retry OR i.version = x'' OR (i.outcome <> 'skipped' AND i.fingerprint_id NOT IN ({}))) "
        "ORDER BY i.id LIMIT 500"
    )
    _FOLDER = (
        "SELECT COALESCE(p.source_id, x''), f.path FROM folder f LEFT JOIN folder p ON p.id = f.parent_id "
        "WHERE f.share_id = ? AND f.source_id = ? AND NOT f.gone"
    )
    _GENERATION = "SELECT MAX(generation) FROM folder WHERE share_id = ?"

    def __init__(self, database: Database, share_id: int, version: AnalysisVersion) -> None:
        self._database = database
        self._share_id = share_id
        with database.faults():
            current = ", ".join(map(str, in_force(database.connection, version)))
        self._statement = self._VERSIONS.format(current)
        self._item = self._ITEM.format(current)
        self._outdated = self._OUTDATED.format(current)

    def versions(self, folder: bytes) -> Mapping[bytes, bytes]:
        # The driver's own rows: a share has a million of them, and ours would cost more than the query.
        values = (b"", self._share_id, folder)
        with self._database.faults():
            return dict(self._database.connection.exec_driver_sql(self._statement, values).cursor.fetchall())

    def folders(self, folder: bytes) -> Set[bytes]:
        with self._database.faults():
            rows = self._database.connection.exec_driver_sql(self._FOLDERS, (self._share_id, folder)).all()
        return {path.rpartition(b"/")[2] for (path,) in rows}

    def item_of(self, file_id: bytes) -> KnownItem | None:
        with self._database.faults():
            values = (file_id, self._share_id)
            found = self._database.connection.exec_driver_sql(self._item, values).first()
        return KnownItem(ItemRef(found[0], found[1]), found[2]) if found else None

    def folder_of(self, folder_id: bytes) -> KnownFolder | None:
        with self._database.faults():
            values = (self._share_id, folder_id)
            found = self._database.connection.exec_driver_sql(self._FOLDER, values).first()
        return KnownFolder(found[0], found[1].rpartition(b"/")[2]) if found else None

    def outdated(self) -> Iterator[tuple[ItemRef, bytes]]:
        after = 0
        while True:
            with self._database.faults():
                values = (after, self._share_id)
                block = self._database.connection.exec_driver_sql(self._outdated, values).all()
            if not block:
                return
            yield from ((ItemRef(folder, name), file_id) for _, folder, name, file_id in block)
            after = block[-1][0]

    def generation(self) -> int:
        with self._database.faults():
            return int(self._database.connection.exec_driver_sql(self._GENERATION, (self._share_id,)).scalar() or 0)
