"""What would change if the documents were analysed as they would be today: before anything depends on it.

Only what a scan would read is read, and nothing is recorded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agent.catalogue.base import Share
from agent.catalogue.store import Catalogue
from agent.errors import SourceUnavailable
from agent.execution.base import Executor, Lost, Ticket
from agent.model.analysis_version import AnalysisVersion
from agent.model.categories import category_of
from agent.model.finding import DataCategory
from agent.model.record import Record
from agent.usecases.analyse import Analysis
from connectors.base import Connector, Content, Found, Item, ItemRef, Scope
from connectors.errors import ConnectorError, ScopeUnavailable

_AHEAD = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """A known document in which other categories, or another kind of record, would be found now.

    `changed` says that the document itself is another one than when it was analysed.
    """

    path: str
    gained: frozenset[DataCategory]
    lost: frozenset[DataCategory]
    kind_before: str | None
    kind_now: str | None
    changed: bool


@dataclass(frozen=True, slots=True)
class _Pending:
    item: Item
    before: Record
    content: Content
    ticket: Ticket


class Comparison:
    """Compares what a scope's documents are recorded to hold with what would be found in them now."""

    def __init__(
        self,
        connector: Connector,
        scope: Scope,
        catalogue: Catalogue,
        executor: Executor,
        version: AnalysisVersion,
        on_progress: Callable[[int, int], None],
    ) -> None:
        self._connector = connector
        self._scope = scope
        self._catalogue = catalogue
        self._executor = executor
        self._version = version
        self._on_progress = on_progress
        self.compared = 0
        self.not_compared = 0

    def differences(self) -> Iterator[Difference]:
        """Each document that would differ, in the order of the walk; counts are complete once they are all told.

        Documents that cannot be opened, or whose analysis ends its process, count as not compared. Raises
        `SourceUnavailable` if the scope cannot be reached, or is another one than was scanned.
        """
        share = self._share()
        waiting: deque[_Pending] = deque()
        try:
            for page in self._connector.changes(self._scope, self._catalogue.known_under(share, self._version)):
                begun = [pending for change in page.changes if (pending := self._begin(share, change))]
                self._on_progress(page.seen - len(begun), 0)
                waiting.extend(begun)
                while len(waiting) > _AHEAD:
                    yield from self._settle(waiting.popleft())
            while waiting:
                yield from self._settle(waiting.popleft())
        except ScopeUnavailable as error:
            raise SourceUnavailable(f"{share.location}: {error}") from error
        finally:
            for pending in waiting:
                pending.content.close()

    def _share(self) -> Share:
        for share in self._catalogue.shares():
            if share.name == self._scope.name:
                if share.identity != self._scope.identity:
                    raise SourceUnavailable(
                        f"{share.location}: another file system answers here than in the last scan; "
                        "there is nothing to compare with."
                    )
                return share
        raise SourceUnavailable(f"{self._scope.name}: this has not been scanned yet; there is nothing to compare with.")

    def _begin(self, share: Share, change: object) -> _Pending | None:
        if not isinstance(change, Found):
            return None
        before = self._catalogue.record(share, change.item.ref)
        if before is None or before.extraction is None:
            return None
        try:
            content = self._connector.open(self._scope, change.item)
        except ScopeUnavailable:
            raise
        except ConnectorError:
            self.not_compared += 1
            return None
        return _Pending(change.item, before, content, self._executor.submit(content.fileno(), change.item.ref.name))

    def _settle(self, pending: _Pending) -> Iterator[Difference]:
        with pending.content:
            answer = self._executor.wait(pending.ticket)
        self._on_progress(1, pending.item.size_bytes)
        if isinstance(answer, Lost):
            self.not_compared += 1
            return
        self.compared += 1
        found = _difference(pending.item.ref, pending.item, pending.before, answer)
        if found.gained or found.lost or found.kind_before != found.kind_now:
            yield found


def _difference(ref: ItemRef, item: Item, before: Record, now: Analysis) -> Difference:
    found = {category_of(finding.entity_type) for finding in now.findings}
    found |= {judged.category for judged in now.verdict.categories}
    return Difference(
        path=str(ref),
        gained=frozenset(found - before.categories),
        lost=frozenset(before.categories - found),
        kind_before=_kind(before.verdict.kinds),
        kind_now=_kind(now.verdict.kinds),
        changed=(item.size_bytes, item.modified_at) != (before.size_bytes, before.modified_at),
    )


def _kind(kinds: tuple[tuple[str, float], ...]) -> str | None:
    return kinds[0][0] if kinds else None
