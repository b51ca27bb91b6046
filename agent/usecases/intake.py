"""Takes in what a connector tells: opens what is new or changed, has it analysed, and stores it batch by batch.

Every item that is told ends as scanned, skipped(reason) or failed(reason).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from agent.catalogue.base import ItemResult, Recorded, Refreshed, Share
from agent.catalogue.store import Catalogue
from agent.execution.base import Executor, Lost, Ticket
from agent.model.analysis_version import ANY_FORMAT
from agent.model.decision import KEY_MARK
from agent.model.key import NAMED_AS, Identify, hidden, normalise_key
from agent.model.outcome import Extraction, ExtractionStatus, ItemReason, Outcome, OutcomeKind, outcome_of
from agent.usecases.analyse import Analysis
from connectors.base import Change, Connector, Content, Failed, Found, Item, ItemRef, Page, Scope, Skipped, SkipReason
from connectors.errors import (
    AccessTimeWouldChange,
    ConnectorError,
    ItemChanged,
    ItemNotFound,
    LockedAtSource,
    NotSignedIn,
    Offline,
    PermissionDenied,
    ScopeUnavailable,
    Sparse,
    Throttled,
)

log = structlog.get_logger("retentiond.scan")

_BATCH_RESULTS = 500
_BATCH_SECONDS = 2.0
_BATCHES_AHEAD = 4  # a document that takes long holds its batch back; this many may be taken up meanwhile

# What an error on opening means for the item, and whether the next scan shall try again although nothing changed.
_ON_OPENING: tuple[tuple[type[ConnectorError], Outcome, bool], ...] = (
    (ItemNotFound, Outcome(OutcomeKind.SKIPPED, ItemReason.VANISHED), True),
    (ItemChanged, Outcome(OutcomeKind.FAILED, ItemReason.CHANGED_WHILE_READ), True),
    (LockedAtSource, Outcome(OutcomeKind.FAILED, ItemReason.LOCKED_AT_SOURCE), True),
    (PermissionDenied, Outcome(OutcomeKind.FAILED, "permission_denied"), True),
    (Offline, Outcome(OutcomeKind.SKIPPED, SkipReason.OFFLINE), False),
    (Sparse, Outcome(OutcomeKind.SKIPPED, SkipReason.SPARSE), False),
    (AccessTimeWouldChange, Outcome(OutcomeKind.SKIPPED, SkipReason.ACCESS_TIME), True),
    (ConnectorError, Outcome(OutcomeKind.FAILED, "io_error"), True),
)


# Hears how far a scan has come: so many more items, of so many bytes.
Progress = Callable[[int, int], None]

# Stores results together with the cursor behind them, and with how many items and folders were seen on the way.
Store = Callable[[Sequence[Recorded], bytes, int, int], None]


@dataclass(slots=True)
class _Pending:
    """An item that has been opened and handed to a worker, and what came of it as soon as that is known."""

    item: Item
    content: Content
    ticket: Ticket
    result: ItemResult | None = None


@dataclass(slots=True)
class _Batch:
    """What one or more pages told, on its way into the catalogue; it is stored together with the last page's cursor."""

    cursor: bytes
    seen: int = 0
    folders: int = 0
    entries: list[Recorded | _Pending] = field(default_factory=list)

    def waits_for(self) -> Ticket | None:
        for entry in self.entries:
            if isinstance(entry, _Pending) and not entry.ticket.done:
                return entry.ticket
        return None


def _lost(reason: str) -> Extraction:
    """What is known of a document that ended the process which analysed it: it may have been any format's reader."""
    return Extraction(ExtractionStatus.KILLED, "unknown", (reason,), met=frozenset({ANY_FORMAT}))


class Intake:
    """What one run over a scope takes in. `store` is called with each batch, in the order in which it was told."""

    def __init__(
        self,
        connector: Connector,
        scope: Scope,
        catalogue: Catalogue,
        executor: Executor,
        share: Share,
        store: Store,
        on_progress: Progress,
        identify: Identify | None = None,
    ) -> None:
        """`identify` gives keys that marks at the source write down the form in which they are kept; without it, they
        are left out."""
        self._connector = connector
        self._scope = scope
        self._catalogue = catalogue
        self._executor = executor
        self._share = share
        self._store = store
        self._on_progress = on_progress
        self._identify = identify
        self._under_way: deque[_Batch] = deque()
        self._held_back: dict[bytes, ItemRef] = {}  # hard-link names given out in pages not yet stored
        self._stored_at = time.monotonic()
        self.opened = 0

    def take_up(self, page: Page) -> None:
        """Adds the page to the youngest batch, or begins a new one when that is full; stores what is finished."""
        if not self._under_way or len(self._under_way[-1].entries) >= _BATCH_RESULTS:
            self._under_way.append(_Batch(page.cursor))
        batch = self._under_way[-1]
        entries = [self._entry(change) for change in page.changes]
        batch.entries.extend(entries)
        self._on_progress(page.seen - sum(isinstance(entry, _Pending) for entry in entries), 0)
        batch.seen += page.seen
        batch.folders += page.folders
        batch.cursor = page.cursor
        self._executor.poll()
        self._store_finished()

    def finish(self) -> None:
        """Waits for what is under way, and stores it."""
        self._store_finished(everything=True)

    def close(self) -> None:
        """Lets go of what is under way; it is not stored."""
        for batch in self._under_way:
            for entry in batch.entries:
                if isinstance(entry, _Pending):
                    self._executor.forget(entry.ticket)
                    entry.content.close()
        self._under_way.clear()

    def _entry(self, change: Change) -> Recorded | _Pending:
        match change:
            case Found(item, same_content=True):
                return Refreshed(self._without_values(item))
            case Found(item):
                return self._found(self._without_values(item))
            case Skipped(item, reason):
                return ItemResult(item.ref, self._without_values(item), Outcome(OutcomeKind.SKIPPED, reason))
            case Failed(ref, reason):
                log.warning("item.failed", item=str(ref), reason=reason.value)
                return ItemResult(ref, None, Outcome(OutcomeKind.FAILED, reason), retry=True)
            case _:
                return change

    def _without_values(self, item: Item) -> Item:
        """The item, the keys in its marks turned into keyed hashes: they may name persons."""
        if not any(name.startswith(KEY_MARK) for name in item.marks):
            return item
        marks = {name: value for name, value in item.marks.items() if not name.startswith(KEY_MARK)}
        if self._identify is not None:
            for name, value in item.marks.items():
                if name.startswith(KEY_MARK) and normalise_key(value):
                    marks[name] = hidden(self._identify(NAMED_AS, normalise_key(value)))
        return replace(item, marks=marks)

    def _found(self, item: Item) -> ItemResult | _Pending:
        if item.link_count > 1 and item.file_id:
            holder = self._held_back.get(item.file_id) or self._catalogue.holder_of(self._share, item.file_id)
            if holder is not None and holder != item.ref:
                return ItemResult(item.ref, item, Outcome(OutcomeKind.SKIPPED, ItemReason.HARD_LINK))
            self._held_back[item.file_id] = item.ref
        try:
            content = self._connector.open(self._scope, item)
        except (ScopeUnavailable, Throttled, NotSignedIn):
            raise  # the next item would fare no better
        except ConnectorError as error:
            outcome, retry = next((outcome, retry) for kind, outcome, retry in _ON_OPENING if isinstance(error, kind))
            log.warning("item.not_opened", item=str(item.ref), outcome=str(outcome))
            return ItemResult(item.ref, item, outcome, retry=retry)
        self.opened += 1
        ticket = self._executor.submit(content.fileno(), item.ref.name)
        pending = _Pending(item, content, ticket)
        if ticket.done:
            self._answered(pending)
        else:
            ticket.on_done = lambda: self._answered(pending)
        return pending

    def _answered(self, pending: _Pending) -> None:
        """Closes the document at once: a batch that waits for a slow one has thousands of others, and a process may
        have no more than about a thousand files open."""
        pending.result = self._settled(pending)
        self._on_progress(1, pending.item.size_bytes)

    def _store_finished(self, *, everything: bool = False) -> None:
        """Stores the oldest batches whose items are all answered, once they are full or old enough."""
        while self._under_way:
            batch = self._under_way[0]
            full = len(batch.entries) >= _BATCH_RESULTS
            if not (everything or full or time.monotonic() - self._stored_at >= _BATCH_SECONDS):
                return
            while (ticket := batch.waits_for()) is not None:
                if not everything and len(self._under_way) < _BATCHES_AHEAD:
                    return
                self._executor.wait(ticket)
            self._store_batch(batch)
            self._under_way.popleft()

    def _store_batch(self, batch: _Batch) -> None:
        recorded = [
            (entry.result or self._settled(entry)) if isinstance(entry, _Pending) else entry for entry in batch.entries
        ]
        self._store(recorded, batch.cursor, batch.seen, batch.folders)
        self._stored_at = time.monotonic()
        for result in recorded:
            item = result.item if isinstance(result, ItemResult) else None
            if item is not None and self._held_back.get(item.file_id) == item.ref:
                del self._held_back[item.file_id]

    def _settled(self, pending: _Pending) -> ItemResult:
        item, answer = pending.item, pending.ticket.answer
        with pending.content as content:
            current = self._connector.capabilities.copies or content.still_current()
        if not current:
            log.warning("item.changed_while_read", item=str(item.ref))
            outcome = Outcome(OutcomeKind.FAILED, ItemReason.CHANGED_WHILE_READ)
            return ItemResult(item.ref, item, outcome, retry=True)
        if isinstance(answer, Lost):
            answer = Analysis(_lost(answer.reason), (), 0, None)
        outcome = outcome_of(answer.extraction)
        if outcome.kind is OutcomeKind.FAILED:
            log.warning("item.failed", item=str(item.ref), reason=outcome.reason)
        return ItemResult(
            item.ref,
            item,
            outcome,
            answer.extraction,
            answer.content_hash,
            answer.findings,
            answer.total,
            answer.verdict,
        )
