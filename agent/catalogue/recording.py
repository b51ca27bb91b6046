"""Writing down what a pass told: the statements behind `Catalogue.commit`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, select
from sqlalchemy.dialects.sqlite import insert

from agent.catalogue import verdicts
from agent.catalogue.base import ItemResult, Recorded, Refreshed, Share
from agent.catalogue.disposal_tables import disposal
from agent.catalogue.fingerprints import fingerprint_of
from agent.catalogue.folders import ensure_folder
from agent.catalogue.lasting_ids import LastingIds
from agent.catalogue.standing import forget_places
from agent.catalogue.tables import (
    LIVE,
    MISSING,
    NAMED,
    TOMBSTONE,
    finding,
    folder,
    folder_not_listed,
    item,
    standing,
)
from agent.model.analysis_version import AnalysisVersion
from agent.model.finding import Finding
from agent.model.outcome import Extraction, ItemReason, Outcome, OutcomeKind
from connectors.base import (
    FolderFailed,
    FolderFound,
    FolderGone,
    FolderSkipped,
    Gone,
    Item,
    ItemRef,
    Met,
    SkipReason,
    Swept,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime | None) -> int | None:
    """Whole microseconds since 1970; exact, unlike a float of seconds."""
    if moment is None:
        return None
    passed = moment - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def below(path: bytes) -> tuple[bytes, bytes]:
    """The bounds (from, before) between which the path of every folder under `path` sorts."""
    return path + b"/", path + b"0"  # "0" is the byte after "/"


class Recorder:
    """Writes what a pass, or a look, told inside the caller's transaction."""

    def __init__(
        self, connection: Connection, share: Share, version: AnalysisVersion, at: datetime, pass_id: int | None = None
    ) -> None:
        self._connection = connection
        self._share = share
        self._version = version
        self._pass_id = pass_id
        self._at = microseconds(at)
        self._lasting = LastingIds(connection, share.id, self._at)
        self._folder_ids: dict[bytes, int] = {}
        self.came_or_went = 0  # items that a look found new, or no more
        self._fingerprint_ids: dict[tuple[frozenset[str], bool], int] = {}

    def write(self, results: Sequence[Recorded]) -> None:
        """Stores the results in the order in which they were told."""
        pending: list[ItemResult] = []
        for result in results:
            if isinstance(result, ItemResult):
                pending.append(result)
                continue
            self._items(pending)
            pending = []
            self._other(result)
        self._items(pending)

    def _other(self, result: Recorded) -> None:
        match result:
            case Refreshed(item):
                self._refreshed(item)
            case Met(_, file_id, generation):
                self._lasting.meet(file_id, generation)
            case Gone(ref, file_id):
                self._gone(self._lasting.place_of(file_id, ref) if file_id else ref)
            case FolderFound():
                self._lasting.place(result)
            case FolderGone(path, folder_id):
                there = self._lasting.folder_path(folder_id) if folder_id else path
                if there is not None:
                    self._folder_gone(there)
            case FolderSkipped(path, reason):
                self._not_listed(path, reason, failed=False)
            case FolderFailed(path, reason):
                self._not_listed(path, reason, failed=True)
            case Swept(generation):
                self._sweep(generation)

    def _items(self, told: list[ItemResult]) -> None:
        results = [result for result in told if not self._is_ours(result)]
        if not results:
            return
        for result in results:
            if result.item is not None and result.item.generation:
                self._lasting.bring(result.item)
        for path in {result.ref.folder for result in results}:
            self._folder_ids[path] = ensure_folder(self._connection, self._share.id, path)
        upsert = insert(item)
        kept = {"id", "folder_id", "name"}
        changed: dict[str, Any] = {
            column.name: upsert.excluded[column.name] for column in item.columns if column.name not in kept
        }
        # A name that comes back after its tombstone is another item, seen for the first time.
        reborn = item.c.state == TOMBSTONE
        changed["first_seen_at"] = case((reborn, upsert.excluded.first_seen_at), else_=item.c.first_seen_at)
        places = [(self._folder_ids[result.ref.folder], result.ref.name) for result in results]
        if self._pass_id is None:
            self.came_or_went += sum(not self._is_live(*place) for place in places)
        forget_places(self._connection, places)  # with the content that the items had
        self._connection.execute(
            upsert.on_conflict_do_update(index_elements=["folder_id", "name"], index_where=NAMED, set_=changed),
            [self._row(result) for result in results],
        )
        forget_places(self._connection, places)  # and with the content that they have now
        self._findings(results)

    def _is_ours(self, result: ItemResult) -> bool:
        """Whether the item is told as what we have made of it. One that we have taken, and that people have brought
        back among their own, is told like any other."""
        there = result.item
        if there is None or not there.generation:
            return False
        if self._lasting.is_on_its_way(there.file_id):
            return True
        if result.outcome.reason != SkipReason.OWN_QUARANTINE or not self._lasting.was_taken(there.file_id):
            return False
        row = self._lasting.item(there.file_id)
        if row is not None:  # it was told to lie elsewhere while we took it
            self._mark_missing(item.c.id == row.id)
        return True

    def _is_live(self, folder_id: int, name: bytes) -> bool:
        statement = "SELECT 1 FROM item WHERE folder_id = ? AND name = ? AND state = 0"
        return self._connection.exec_driver_sql(statement, (folder_id, name)).first() is not None

    def _row(self, result: ItemResult) -> dict[str, Any]:
        there, extraction = result.item, result.extraction
        counts: dict[str, int] = {}
        for found in result.findings:
            counts[found.entity_type] = counts.get(found.entity_type, 0) + 1
        return {
            "folder_id": self._folder_ids[result.ref.folder],
            "name": result.ref.name,
            "state": LIVE,
            "retry": result.retry,
            "fingerprint_id": self._fingerprint_id(extraction),
            "outcome": result.outcome.kind.value,
            "reason": str(result.outcome.reason),
            "extraction": extraction.status.value if extraction else None,
            "extraction_reasons": " ".join(extraction.reasons) if extraction else "",
            "characters": extraction.characters if extraction else 0,
            "format": extraction.format if extraction else "unknown",
            "content_hash": result.content_hash,
            "finding_total": result.finding_total,
            "findings": json.dumps(counts, separators=(",", ":")) if counts else "",
            "first_seen_at": self._at,
            "gone_at": None,
            "verdict": verdicts.written(result.verdict),
            **_facts(there),
        }

    def _refreshed(self, there: Item) -> None:
        if self._lasting.is_on_its_way(there.file_id) or self._lasting.refresh(there, _facts(there)):
            return
        # The caller knew it when it was told, and does not any more: it is read in the next pass.
        again = Outcome(OutcomeKind.FAILED, ItemReason.CHANGED_WHILE_READ)
        self._items([ItemResult(there.ref, there, again, retry=True)])

    def _fingerprint_id(self, extraction: Extraction | None) -> int:
        """Under which versions a document was analysed; one that was not opened is as good as one without formats."""
        met = extraction.met if extraction else frozenset[str]()
        with_text = bool(extraction and extraction.characters)
        key = (met, with_text)
        if key not in self._fingerprint_ids:
            found = fingerprint_of(self._connection, self._version, met, with_text=with_text)
            self._fingerprint_ids[key] = found
        return self._fingerprint_ids[key]

    def _findings(self, results: list[ItemResult]) -> None:
        ids = self._ids([result.ref for result in results])
        self._connection.execute(
            finding.delete().where(finding.c.item_id == bindparam("of")),
            [{"of": ids[result.ref]} for result in results],
        )
        rows = [{"item_id": ids[result.ref], **_finding_row(found)} for result in results for found in result.findings]
        if rows:
            self._connection.execute(finding.insert(), rows)

    def _ids(self, refs: Iterable[ItemRef]) -> dict[ItemRef, int]:
        statement = "SELECT id FROM item WHERE folder_id = ? AND name = ? AND state < 3"
        ids = {}
        for ref in refs:
            ids[ref] = self._connection.exec_driver_sql(
                statement, (self._folder_ids[ref.folder], ref.name)
            ).scalar_one()
        return ids

    def _gone(self, ref: ItemRef) -> None:
        within = select(folder.c.id).where(folder.c.share_id == self._share.id, folder.c.path == ref.folder)
        self._mark_missing(item.c.folder_id.in_(within) & (item.c.name == ref.name))

    def _folder_gone(self, path: bytes) -> None:
        start, end = below(path)
        inside = (folder.c.share_id == self._share.id) & (
            (folder.c.path == path) | ((folder.c.path >= start) & (folder.c.path < end))
        )
        self._mark_missing(item.c.folder_id.in_(select(folder.c.id).where(inside)))
        # A folder stays known as long as an item in it does, or nobody would ever be told that this one has gone too.
        left = select(folder.c.path).where(
            inside & folder.c.id.in_(select(item.c.folder_id).where(item.c.state == LIVE))
        )
        known = {path[:end] for path in self._connection.scalars(left) for end in _ends(path)}
        gone = inside if not known else inside & folder.c.path.not_in(known)
        self._connection.execute(folder.update().where(gone).values(gone=True))

    def _mark_missing(self, which: Any) -> None:
        # What we are taking ourselves is in the hold, and its disposal says what becomes of it.
        being_taken = select(disposal.c.item_id).where(disposal.c.state.in_(("planned", "conflict")))
        gone = which & (item.c.state == LIVE) & item.c.id.not_in(being_taken)
        copy = item.alias()
        copies = select(copy.c.id).join(item, item.c.content_hash == copy.c.content_hash).where(gone)
        self._connection.execute(standing.delete().where(standing.c.item_id.in_(copies)))
        missing = self._connection.execute(item.update().where(gone).values(state=MISSING, gone_at=self._at))
        self.came_or_went += missing.rowcount

    def _sweep(self, generation: int) -> None:
        within = select(folder.c.id).where(folder.c.share_id == self._share.id)
        before = (item.c.generation > 0) & (item.c.generation < generation)
        self._mark_missing(item.c.folder_id.in_(within) & before)
        for number in self._lasting.swept(generation):
            path = self._connection.exec_driver_sql("SELECT path FROM folder WHERE id = ?", (number,)).scalar_one()
            self._folder_gone(path)

    def _not_listed(self, path: bytes, reason: str, *, failed: bool) -> None:
        if self._pass_id is None:
            return  # of a look; the next pass will tell
        row = {"pass_id": self._pass_id, "path": path, "reason": str(reason), "failed": failed}
        self._connection.execute(insert(folder_not_listed).on_conflict_do_nothing(), row)


def _ends(path: bytes) -> Iterator[int]:
    """Where the path of each folder on the way to this one, and its own, ends."""
    yield from (end for end, byte in enumerate(path) if byte == ord("/"))
    yield len(path)


def _facts(there: Item | None) -> dict[str, Any]:
    """The columns of what the source says of an item."""
    return {
        "version": there.version if there else b"",
        "size_bytes": there.size_bytes if there else 0,
        "modified_at": microseconds(there.modified_at) if there else 0,
        "created_at": microseconds(there.created_at) if there else None,
        "accessed_at": microseconds(there.accessed_at) if there else None,
        "owner": there.owner if there else "",
        "file_id": there.file_id if there else b"",
        "link_count": there.link_count if there else 1,
        "marks": json.dumps(dict(there.marks), separators=(",", ":")) if there and there.marks else "",
        "generation": there.generation if there else 0,
    }


def _finding_row(found: Finding) -> dict[str, Any]:
    return {
        "entity_type": found.entity_type,
        "identity": found.identity,
        "score": found.score,
        "count": found.count,
        "location": found.location,
        "attributes": " ".join(sorted(found.attributes)),
        "why": found.why,
    }
