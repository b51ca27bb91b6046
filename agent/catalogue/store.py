"""The catalogue: what is known of every item ever seen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, func, select

from agent.catalogue.base import ItemResult, Pass, PassResult, Recorded, Share
from agent.catalogue.database import Database
from agent.catalogue.dirty import DirtyFolders
from agent.catalogue.disposals import DisposalRecords
from agent.catalogue.events import EventRecords
from agent.catalogue.findings import findings_by_type, findings_of
from agent.catalogue.fingerprints import fingerprint_of
from agent.catalogue.holds import HoldRecords
from agent.catalogue.jobs import JobRecords
from agent.catalogue.notices import NoticeRecords
from agent.catalogue.outgoing import BundleRecords, CertificateRecords
from agent.catalogue.passes import (
    ABANDONED,
    COMPLETE,
    RUNNING,
    accounted,
    bury,
    coverage,
    disposed_during,
    newest,
    read_newest,
)
from agent.catalogue.pauses import PauseRecords
from agent.catalogue.reading import KnownItems, RecordReader, moment
from agent.catalogue.recording import Recorder, microseconds
from agent.catalogue.review_samples import ReviewSamples
from agent.catalogue.reviews import ReviewRecords
from agent.catalogue.services import ServiceRecords
from agent.catalogue.standing import Standing, Standings
from agent.catalogue.tables import (
    LIVE,
    change_count,
    evaluation,
    folder_not_listed,
    item,
    scan_pass,
    share,
)
from agent.model.analysis_version import ANY_FORMAT, AnalysisVersion
from agent.model.finding import Finding
from agent.model.record import Record
from agent.model.witness import Witness, no_witness
from connectors.base import ItemRef, Known

_MOST_COPIES = 1_000


class Catalogue:
    """One catalogue, open. Every call may raise `CatalogueError`; one writer at a time, any number of readers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection
        self.events = EventRecords(database)
        self.holds = HoldRecords(database)
        self.reviews = ReviewRecords(database)
        self.review_samples = ReviewSamples(database)
        self.standings = Standings(database)
        self.disposals = DisposalRecords(database)
        self.pauses = PauseRecords(database)
        self.bundles = BundleRecords(database)
        self.certificates = CertificateRecords(database)
        self.jobs = JobRecords(database)
        self.dirty = DirtyFolders(database)
        self.services = ServiceRecords(database)
        self.notices = NoticeRecords(database)

    @classmethod
    def open(cls, path: Path, *, create: bool = True, witness: Witness = no_witness) -> Self:
        """The catalogue in `path`, brought up to date. Without `create` it must be there already.

        `witness` is told what people record, in the transaction that records it.
        """
        return cls(Database(path, create=create, witness=witness))

    def close(self) -> None:
        """Safe to call twice."""
        self._database.close()

    def rest(self) -> None:
        """There is nothing to do for a while: memory that was held to be quick is given back."""
        self._database.shrink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Connections for what lives in the same database

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """A connection of its own, for reading."""
        with self._database.faults(), self._database.connect() as connection:
            yield connection

    @contextmanager
    def recording(self) -> Iterator[Connection]:
        """The connection, in a transaction: what is written inside stands together, or none of it."""
        with self._database.transaction() as connection:
            yield connection

    def newest_moment(self) -> datetime | None:
        """When the newest entry of the audit log was written, in UTC."""
        with self._database.faults():
            newest = self._connection.exec_driver_sql("SELECT MAX(at) FROM audit_leaf").scalar()
        return None if newest is None else moment(newest)

    def marked(self, item_id: int, before: bytes, after: bytes) -> None:
        """Records that we have marked the item ourselves, so that it does not count as changed."""
        with self._database.transaction() as connection:
            there = (item.c.id == item_id) & (item.c.version == before) & (item.c.state == LIVE)
            connection.execute(item.update().where(there).values(version=after))

    # Shares

    def shares(self) -> tuple[Share, ...]:
        """All shares ever scanned, by name."""
        with self._database.faults():
            rows = self._connection.execute(select(share).order_by(share.c.name)).all()
        return tuple(map(read_share, rows))

    def ensure_share(
        self,
        name: str,
        location: str,
        identity: str,
        kind: str = "filesystem",
        tenant: str = "",
        stored_in: Sequence[str] = (),
    ) -> Share:
        """The share of that name, recorded first if it is new; one that is known keeps its identity."""
        facts = {"location": location, "kind": kind, "tenant": tenant, "stored_in": " ".join(stored_in)}
        with self._database.transaction() as connection:
            row = connection.execute(select(share).where(share.c.name == name)).first()
            if row is None:
                connection.execute(share.insert().values(name=name, identity=identity, **facts))
            elif any(row._mapping[column] != fact for column, fact in facts.items()):
                connection.execute(share.update().where(share.c.id == row.id).values(facts))
                if row.stored_in != facts["stored_in"]:  # rules of placement may ask for it
                    connection.exec_driver_sql(
                        "DELETE FROM standing WHERE item_id IN "
                        "(SELECT i.id FROM item i JOIN folder f ON f.id = i.folder_id WHERE f.share_id = ?)",
                        (row.id,),
                    )
                    self._facts_changed()
            return read_share(connection.execute(select(share).where(share.c.name == name)).one())

    def ensure_scope(
        self, name: str, location: str, identity: str, kind: str, tenant: str, stored_in: Sequence[str] = ()
    ) -> Share:
        """The share of that tenant which has this identity, recorded first if it is new. It is called `name` from now
        on, or, if another share is called so, by that and the end of its identity."""
        with self._database.transaction() as connection:
            of_tenant = (share.c.tenant == tenant) & (share.c.identity == identity)
            row = connection.execute(select(share).where(of_tenant)).first()
            others = share.c.id != (row.id if row else 0)
            if connection.execute(select(share.c.id).where(others & (share.c.name == name))).first() is not None:
                name = f"{name} ({identity[-8:]})"
            if row is not None and row.name != name:
                connection.execute(share.update().where(share.c.id == row.id).values(name=name))
                self._facts_changed()
        return self.ensure_share(name, location, identity, kind, tenant, stored_in)

    def accept_identity(self, known: Share, identity: str) -> Share:
        """The share, from now on with another identity."""
        with self._database.transaction() as connection:
            connection.execute(share.update().where(share.c.id == known.id).values(identity=identity))
        return replace(known, identity=identity)

    # Passes

    def begin_pass(self, of: Share, version: AnalysisVersion, at: datetime, *, continues: bool = False) -> Pass:
        """The pass to do: the unfinished one if it was begun under the same version, else a new one.

        Where the source `continues`, a new one goes on behind the last cursor of the pass before.
        """
        with self._database.transaction() as connection:
            fingerprint_id = fingerprint_of(connection, version, (ANY_FORMAT,), with_text=True)
            last = connection.execute(newest(of.id)).first()
            if last is not None and last.state == RUNNING:
                if last.fingerprint_id == fingerprint_id:
                    return Pass(
                        last.id, of, last.number, version, last.cursor, True, last.seen, last.folders, continues
                    )
                abandon = scan_pass.update().where(scan_pass.c.id == last.id)
                connection.execute(abandon.values(state=ABANDONED, ended_at=microseconds(at)))
            number = last.number + 1 if last is not None else 1
            cursor = last.cursor if last is not None and continues else None
            made = connection.execute(
                scan_pass.insert().values(
                    share_id=of.id,
                    number=number,
                    fingerprint_id=fingerprint_id,
                    state=RUNNING,
                    cursor=cursor,
                    continues=continues,
                    seen=0,
                    folders=0,
                    size_bytes=0,
                    tombstoned=0,
                    started_at=microseconds(at),
                )
            )
            made_id = int(made.inserted_primary_key[0])  # type: ignore[index]
        return Pass(made_id, of, number, version, cursor, False, 0, 0, continues)

    def known(self, current: Pass) -> Known:
        """What a connector needs to tell what has changed since the passes before."""
        return self.known_under(current.share, current.version)

    def known_under(self, of: Share, version: AnalysisVersion) -> Known:
        """The same outside a pass: what was analysed under a version no longer in force counts as changed."""
        return KnownItems(self._database, of.id, version)

    def holder_of(self, of: Share, file_id: bytes) -> ItemRef | None:
        """The live name under which a file with several names is recorded, if it is."""
        statement = (
            "SELECT f.path, i.name FROM item i JOIN folder f ON f.id = i.folder_id "
            "WHERE i.file_id = ? AND i.link_count > 1 AND i.state = 0 AND i.reason <> 'hard_link' AND f.share_id = ? "
            "ORDER BY f.path, i.name"
        )
        with self._database.faults():
            row = self._connection.exec_driver_sql(statement, (file_id, of.id)).first()
        return ItemRef(row[0], row[1]) if row else None

    def commit(
        self, current: Pass, results: Sequence[Recorded], cursor: bytes, seen: int, folders: int, at: datetime
    ) -> None:
        """Stores results and cursor together. `seen` and `folders` are added to the pass's counts."""
        scanned = sum(result.scanned_bytes for result in results if isinstance(result, ItemResult))
        with self._database.transaction() as connection:
            Recorder(connection, current.share, current.version, at, current.id).write(results)
            connection.execute(
                scan_pass.update()
                .where(scan_pass.c.id == current.id)
                .values(
                    cursor=cursor,
                    seen=scan_pass.c.seen + seen,
                    folders=scan_pass.c.folders + folders,
                    size_bytes=scan_pass.c.size_bytes + scanned,
                )
            )
            if results:
                self._facts_changed()

    def commit_look(self, of: Share, version: AnalysisVersion, results: Sequence[Recorded], at: datetime) -> None:
        """Stores what a look into some folders told. What is missing there is buried by the next whole pass only."""
        if not results:
            return
        with self._database.transaction() as connection:
            recorder = Recorder(connection, of, version, at)
            recorder.write(results)
            self._facts_changed()
            running = (scan_pass.c.share_id == of.id) & (scan_pass.c.state == RUNNING)
            counted = scan_pass.c.meanwhile + recorder.came_or_went
            connection.execute(scan_pass.update().where(running).values(meanwhile=counted))

    def end_pass(self, current: Pass, at: datetime) -> PassResult:
        """Ends a pass whose walk came to its end on a verified scope.

        If every folder could be listed, what is missing is taken for deleted: it becomes a tombstone, without findings.
        """
        with self._database.transaction() as connection:
            failed = folder_not_listed.c.failed & (folder_not_listed.c.pass_id == current.id)
            faultless = not connection.scalar(select(func.count()).select_from(folder_not_listed).where(failed))
            tombstoned = bury(connection, current.share.id) if faultless else 0
            if tombstoned:
                self._facts_changed()
            ended: dict[str, Any] = {"state": COMPLETE, "ended_at": microseconds(at), "tombstoned": tombstoned}
            ended["meanwhile"] = scan_pass.c.meanwhile + disposed_during(connection, current.id)
            connection.execute(scan_pass.update().where(scan_pass.c.id == current.id).values(**ended))
            counted = coverage(connection, current.share.id, current.id)
            told: dict[str, Any] = {"coverage": json.dumps(counted)}
            if current.continues:  # it was told of changes only: what it has seen is what is known to be there
                told["seen"] = accounted(counted) - counted["unreached"]
            connection.execute(scan_pass.update().where(scan_pass.c.id == current.id).values(told))
        result = self.last_pass(current.share)
        assert result is not None  # noqa: S101 — it was written a moment ago
        return result

    def last_pass(self, of: Share) -> PassResult | None:
        """The newest pass of the share, also one that is not at its end yet; its counts are of the moment it ended."""
        with self._database.faults():
            return read_newest(self._connection, of.id)

    # Facts

    def records(
        self, identified: frozenset[str] = frozenset(), *, in_vault: bool = False
    ) -> Iterator[tuple[ItemRef, Record]]:
        """Every live item, by share, folder and name, in memory bounded whatever their number; with `in_vault` also
        those that lie in the vault.

        `identified` are the entity types whose identities are wanted; the same below.
        """
        return RecordReader(self._database, identified).read("i.state IN (0, 3)" if in_vault else "i.state = 0")

    def undecided(
        self, today: date, at_once: int, identified: frozenset[str] = frozenset()
    ) -> Iterator[Sequence[Record]]:
        """The live items that must be decided on anew, in blocks; nothing is held open while one is worked on."""
        reader = RecordReader(self._database, identified)
        after = 0
        while block := [record for _, record in reader.read(*self.standings.undecided(today, after, at_once))]:
            yield block
            after = block[-1].item_id

    def turning(self, day: date, identified: frozenset[str] = frozenset()) -> Iterator[tuple[Standing, Record]]:
        """The items about which more than a due date changes until that day: how they stand, and their facts."""
        reader = RecordReader(self._database, identified)
        where = "i.state = 0 AND i.id IN (SELECT g.item_id FROM standing g WHERE g.again_on <= ?)"
        records = (record for _, record in reader.read(where, (day.toordinal(),), "i.id"))
        return zip(self.standings.turning(day), records, strict=True)

    def duplicates(self, identified: frozenset[str] = frozenset()) -> Iterator[Sequence[Record]]:
        """Live items with the same bytes and something found in them, group by group: what takes up the most room
        first. Of a group with more than a thousand the others are left out."""
        groups = (
            "SELECT content_hash FROM item WHERE state = 0 AND content_hash IS NOT NULL AND size_bytes > 0 "
            "AND findings <> '' GROUP BY content_hash HAVING COUNT(*) > 1 "
            "ORDER BY (COUNT(*) - 1) * MAX(size_bytes) DESC, content_hash"
        )
        reader = RecordReader(self._database, identified)
        with self._database.faults(), self._database.connect() as connection:
            for (content_hash,) in connection.exec_driver_sql(groups):
                where = "i.state = 0 AND i.content_hash = ?"
                yield [record for _, record in reader.read(where, (content_hash, _MOST_COPIES), "i.id LIMIT ?")]

    def item(self, number: int, identified: frozenset[str] = frozenset()) -> tuple[Share, ItemRef, Record] | None:
        """The item of that number, there or in the vault, with its share."""
        found = next(RecordReader(self._database, identified).read("i.state IN (0, 3) AND i.id = ?", (number,)), None)
        if found is None:
            return None
        share = next(share for share in self.shares() if share.name == found[1].share)
        return share, *found

    def record(self, of: Share, ref: ItemRef, identified: frozenset[str] = frozenset()) -> Record | None:
        """The facts about one live item."""
        where = "i.state = 0 AND s.id = ? AND f.path = ? AND i.name = ?"
        found = next(RecordReader(self._database, identified).read(where, (of.id, ref.folder, ref.name)), None)
        return found[1] if found else None

    def findings(self, of: Share, ref: ItemRef) -> tuple[Finding, ...]:
        """The findings of one item, by type, surest first."""
        with self._database.faults():
            return findings_of(self._connection, of.id, ref)

    def findings_summary(self, of: Share) -> dict[str, tuple[int, int]]:
        """For each entity type in live items: in how many items, and how many distinct values."""
        with self._database.faults():
            return findings_by_type(self._connection, of.id)

    # What follows from the facts, kept as long as they stand

    def state_mark(self) -> str:
        """Changes whenever a fact about any item does."""
        with self._database.faults():
            return str(self._connection.scalar(select(change_count.c.changes)))

    def evaluation(self, key: str) -> str | None:
        """The summary kept under `key`."""
        with self._database.faults():
            return self._connection.scalar(select(evaluation.c.summary).where(evaluation.c.key == key))

    def keep_evaluation(self, key: str, summary: str) -> None:
        """Keeps one summary, in place of any other."""
        with self._database.transaction() as connection:
            connection.execute(evaluation.delete())
            connection.execute(evaluation.insert().values(key=key, summary=summary))

    def _facts_changed(self) -> None:
        self._connection.execute(change_count.update().values(changes=change_count.c.changes + 1))


def read_share(row: Any) -> Share:
    """A row of shares as a fact."""
    return Share(row.id, row.name, row.location, row.identity, row.kind, row.tenant, tuple(row.stored_in.split()))
