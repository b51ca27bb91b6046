"""Where a soak plays: a share, a state directory, a schedule of its own, and settings that change on the way."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

SHARE = "office"
DUE, KEPT = b"Old", b"Kept"  # below the one, everything old enough is due; below the other, nothing ever is
AREAS = tuple(b"A%d" % number for number in range(8))
HOLD = b".retentiond-hold"
READER, OFFICER, ADMINISTRATOR = "ann", "ben", "cas"

_SCHEDULE = """\
id: soak
title: Schedule of a soak
version: "1"
organisation: Example Ltd
time_zone: Europe/London
classes:
  - id: old-papers
    title: Old papers
    mandate: UK GDPR Art. 5(1)(e)
    scope_notes: Whatever lies in the folder of old papers. It goes a year after its last change.
    applies_when: {path: "Old/**"}
    trigger: modified
    period: P1Y
    outcome: destroy
    stages: [reader, data protection officer]
  - id: deeds
    title: Deeds
    mandate: Deed of trust
    scope_notes: Whatever lies in the folder of what is kept.
    applies_when: {path: "Kept/**"}
    trigger: modified
    period: P90Y
    outcome: destroy
    stages: [reader, data protection officer]
"""
_SETTINGS = """\
schedule: {schedule}
jobs: {workers}
shares: [{{name: office, path: {share}}}]
reviewers:
  - {{name: ann, roles: [reader]}}
  - {{name: ben, roles: [data protection officer]}}
  - {{name: cas, roles: [administrator]}}
disposition:
  mode: act
  cool_off_hours: 0
  quarantine_days: {quarantine_days}
  quiet_minutes: 0
  caps: {{items: 1000000, gib: 1000.0, percent: 100.0}}
service:
  jitter_minutes: 0
  settle_seconds: {settle_seconds}
  metrics: {folder}
  backup: {{directory: {folder}/backups, keep: 2}}
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A live item as the catalogue has it."""

    version: bytes
    outcome: str
    retry: bool


class Place:
    """The folder in which everything of one soak lies."""

    def __init__(self, folder: Path, workers: int = 1) -> None:
        self.folder = folder
        self.share = folder / "share"
        self.state = folder / "state"
        self.aside = folder / "aside"
        self.settings = folder / "settings.yaml"
        self.quarantine_days = 30
        self._workers = workers
        for each in (self.share, self.aside):
            each.mkdir(parents=True)
        for top in (DUE, KEPT):
            for area in AREAS:
                os.makedirs(self.at(top + b"/" + area))
        (folder / "schedule.yaml").write_text(_SCHEDULE)
        self.settle()

    def at(self, path: bytes) -> bytes:
        """Where a path of the share lies on this machine."""
        return os.path.join(os.fsencode(self.share), path)

    def settle(self, settle_seconds: float = 0.5) -> None:
        """Writes settings that can be read."""
        self.settings.write_text(
            _SETTINGS.format(
                schedule=self.folder / "schedule.yaml",
                share=self.share,
                folder=self.folder,
                workers=self._workers,
                quarantine_days=self.quarantine_days,
                settle_seconds=settle_seconds,
            )
        )

    def spoil(self, line: str) -> None:
        """Writes settings that are refused."""
        self.settings.write_text(self.settings.read_text() + line + "\n")

    def files(self) -> Iterator[bytes]:
        """Every file of the share, by its path from the root; not what lies in the hold."""
        root = os.fsencode(self.share)
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if (folder, name) != (root, HOLD)]
            for name in names:
                yield os.path.relpath(os.path.join(folder, name), root)

    def in_hold(self) -> list[bytes]:
        """What lies in the hold of the share."""
        hold = self.at(HOLD)
        return sorted(os.listdir(hold)) if os.path.isdir(hold) else []

    @contextmanager
    def catalogue(self) -> Iterator[sqlite3.Connection]:
        """The catalogue as it stands, for looking into it with eyes of our own."""
        path = f"file:{self.state / 'catalogue.sqlite'}?mode=ro"
        with closing(sqlite3.connect(path, uri=True, timeout=10)) as connection:
            yield connection

    def rows(self) -> dict[bytes, Row]:
        """The live items of the catalogue, by path."""
        query = (
            "SELECT f.path, i.name, i.version, i.outcome || ' ' || i.reason, i.retry FROM item i "
            "JOIN folder f ON f.id = i.folder_id WHERE i.state = 0"
        )
        with self.catalogue() as connection:
            found = connection.execute(query).fetchall()
        return {
            os.path.join(folder, name): Row(version, how, bool(again)) for folder, name, version, how, again in found
        }

    def version_of(self, item: int) -> bytes:
        """The version in which the catalogue has an item; empty if it has none of that number."""
        with self.catalogue() as connection:
            row = connection.execute("SELECT version FROM item WHERE id = ?", (item,)).fetchone()
        return row[0] if row else b""

    def why_failed(self, job: str) -> str:
        """What the last failure of a job said."""
        query = (
            "SELECT r.said FROM job_run r JOIN job j ON j.id = r.job_id WHERE j.name = ? AND r.result = 'failed' "
            "ORDER BY r.id DESC LIMIT 1"
        )
        with self.catalogue() as connection:
            row = connection.execute(query, (job,)).fetchone()
        return str(row[0]) if row else ""
