"""Runs over a drive's change feed: which link to ask, when to begin anew, and what a page's cursor has to say.

A run from the start enumerates the drive under a new generation, and ends with `Swept`: what was not told in it is
gone. A run behind a cursor follows the feed from there. Both end at the feed's own end and nowhere else; then what the
caller wants to read again is looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from connectors.base import Known, Page, Scope, Swept
from connectors.errors import SourceFault, Unsupported
from connectors.microsoft365 import facts
from connectors.microsoft365.answers import Resync
from connectors.microsoft365.drive_cursor import Cursor
from connectors.microsoft365.entries import Entries, Terms, Told
from connectors.microsoft365.graph import Graph, Listed
from connectors.microsoft365.links import Origin, quoted
from connectors.microsoft365.unavailable import made_unavailable

_MOST_RESYNCS = 3
_CLOCK_MAY_BE_OFF = timedelta(days=1)
_FROM_THE_START_COST, _BEHIND_A_TOKEN_COST = 2, 1


def drive_changes(
    graph: Graph,
    scope: Scope,
    known: Known,
    after: bytes | None,
    terms: Terms,
    now: Callable[[], datetime],
    data_location: str = "",
) -> Iterator[Page]:
    """The pages of one run over the drive `scope.identity`. Raises `ScopeUnavailable` whatever went wrong."""
    with made_unavailable():
        yield from _Run(graph, scope.identity, known, after, terms, now, data_location).pages()


class _Run:
    """One run: the cursor behind the last page, and what is known of the drive's folders."""

    def __init__(
        self,
        graph: Graph,
        drive_id: str,
        known: Known,
        after: bytes | None,
        terms: Terms,
        now: Callable[[], datetime],
        data_location: str,
    ) -> None:
        self._graph = graph
        self._drive_id = drive_id
        self._known = known
        self._terms = terms
        self._now = now
        cursor = self._usable(after)
        self._cursor = cursor or self._start(known.generation(), "", "")
        self._entries = Entries(
            graph, drive_id, known, terms, now, root_id=self._cursor.root_id, data_location=data_location
        )
        self._entries.gone.update(dict.fromkeys(self._cursor.gone))

    def pages(self) -> Iterator[Page]:
        resyncs = 0
        while True:
            try:
                yield from self._to_the_end()
                break
            except Resync as forgotten:
                resyncs += 1
                if resyncs > _MOST_RESYNCS:
                    raise SourceFault("the source keeps forgetting where we were") from None
                self._begin_anew(forgotten.location)
        for told in self._entries.outdated(self._cursor.generation):
            yield self._page(told)

    def _usable(self, after: bytes | None) -> Cursor | None:
        """The cursor, if it is one of this drive and leads to this service, and no new enumeration is due."""
        cursor = Cursor.decode(after) if after is not None else None
        if cursor is None or cursor.drive_id != self._drive_id or not self._leads_here(cursor.link):
            return None
        age = self._now() - cursor.began
        if cursor.enumerates:
            return cursor
        return cursor if -_CLOCK_MAY_BE_OFF < age < self._terms.full_every else None

    def _leads_here(self, link: str) -> bool:
        try:
            Origin.of(self._graph.root).url(link)
        except SourceFault:
            return False
        return True

    def _start(self, generation: int, link: str, root_id: str) -> Cursor:
        return Cursor(self._drive_id, link, generation + 1, self._now(), enumerates=True, root_id=root_id)

    def _begin_anew(self, location: str | None) -> None:
        """The source has forgotten where we were: from where it says, everything is told again."""
        newest = max(self._cursor.generation, self._known.generation())
        link = location if location and self._leads_here(location) else ""
        self._cursor = self._start(newest, link, self._entries.tree.root_id)
        self._entries.gone.clear()

    def _to_the_end(self) -> Iterator[Page]:
        asked: set[int] = set()
        ended = False
        while not ended:
            if hash(self._cursor.link) in asked:
                raise SourceFault("the source answered with a list that has no end")
            asked.add(hash(self._cursor.link))
            listed = self._ask()
            ended = listed.next is None
            link = listed.next or listed.delta
            if link is None:
                raise SourceFault("the source ended without saying where later changes can be asked for")
            yield self._told(listed, link, ended=ended)

    def _told(self, listed: Listed, link: str, *, ended: bool) -> Page:
        """The page. The cursor is moved on only here, when nothing more can go wrong with it."""
        enumerates = self._cursor.enumerates
        told = self._entries.told(listed.items, self._cursor.generation, enumerates=enumerates)
        if ended:
            last = self._entries.folders_gone()
            last += (Swept(self._cursor.generation),) if enumerates else ()
            told = replace(told, changes=told.changes + last)
            self._entries.gone.clear()
        self._cursor = replace(
            self._cursor,
            link=link,
            enumerates=enumerates and not ended,
            root_id=self._entries.tree.root_id,
            gone=tuple(self._entries.gone),
        )
        return self._page(told)

    def _page(self, told: Told) -> Page:
        return Page(told.changes, told.seen, told.folders, self._cursor.encode())

    def _ask(self) -> Listed:
        if self._cursor.link:
            try:
                return self._graph.listed(self._cursor.link, cost=_BEHIND_A_TOKEN_COST)
            except Unsupported:
                raise Resync("the source does not take a link that it gave us itself", None) from None
        start = f"/drives/{quoted(self._drive_id)}/root/delta"
        for query in self._queries():
            try:
                return self._graph.listed(start + query, cost=_FROM_THE_START_COST)
            except Unsupported:
                continue
        raise Unsupported("the source does not tell changes of this drive")

    def _queries(self) -> Iterator[str]:
        """What to ask a feed for: everything at once, where that is possible, and less where it is not."""
        plain = f"?$top={self._terms.page_items}&{facts.SELECT}"
        for expand in facts.expansions(self._terms.columns):
            yield f"{plain}&{expand}"
        yield plain
        yield ""
