"""Reading rows back as facts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.catalogue import verdicts
from agent.catalogue.database import Database
from agent.catalogue.fingerprints import in_force
from agent.model.analysis_version import AnalysisVersion
from agent.model.outcome import ExtractionStatus, Outcome, OutcomeKind
from agent.model.record import Record
from connectors.base import ItemRef

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

RECORD_COLUMNS = (
    "s.name, f.path, i.name, i.format, i.size_bytes, i.modified_at, i.created_at, i.accessed_at, i.first_seen_at, "
    "i.outcome, i.reason, i.extraction, i.findings, i.marks, i.verdict"
)
RECORD_TABLES = "item i JOIN folder f ON f.id = i.folder_id JOIN share s ON s.id = f.share_id"


def moment(microseconds: int) -> datetime:
    """The aware moment in UTC; one beyond what a calendar can hold becomes the calendar's end."""
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if microseconds > 0 else datetime.min.replace(tzinfo=UTC)


def record_of(row: tuple[Any, ...]) -> tuple[ItemRef, Record]:
    """The item and its facts out of a row of `RECORD_COLUMNS`."""
    share, folder, name, format_, size, modified, created, accessed, seen, kind, reason, extraction, found = row[:13]
    marks, verdict = row[13:]
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

    def __init__(self, database: Database, share_id: int, version: AnalysisVersion) -> None:
        self._database = database
        self._share_id = share_id
        with database.faults():
            self._statement = self._VERSIONS.format(", ".join(map(str, in_force(database.connection, version))))

    def versions(self, folder: bytes) -> Mapping[bytes, bytes]:
        # The driver's own rows: a share has a million of them, and ours would cost more than the query.
        values = (b"", self._share_id, folder)
        with self._database.faults():
            return dict(self._database.connection.exec_driver_sql(self._statement, values).cursor.fetchall())

    def folders(self, folder: bytes) -> Set[bytes]:
        with self._database.faults():
            rows = self._database.connection.exec_driver_sql(self._FOLDERS, (self._share_id, folder)).all()
        return {path.rpartition(b"/")[2] for (path,) in rows}
