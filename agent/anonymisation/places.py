"""Places in which a label cannot simply stand: what changes with them, or stands there instead."""

from __future__ import annotations

import re
from collections.abc import Iterable

from agent.anonymisation.coding import MARKUP, Coding
from agent.anonymisation.page import Page, Place, Splice

_LITERAL = re.compile(r'"[^"]*"')


class Run(Place):
    """The text of a run in a document or of a cell. White space at its ends counts only if its tag says so."""

    __slots__ = ("tag_end",)

    def __init__(self, page: Page, start: int, end: int, coding: Coding, tag_end: int) -> None:
        super().__init__(page, start, end, coding)
        self.tag_end = tag_end

    def splices(self) -> Iterable[Splice]:
        new = self.new_text()
        if new.strip() != new:
            yield self.tag_end - 1, self.tag_end - 1, ' xml:space="preserve"'
        yield from super().splices()


class Typed(Place):
    """A number or date, in a place that takes nothing else: something neutral stands there instead."""

    __slots__ = ("_instead",)

    def __init__(self, page: Page, start: int, end: int, instead: str) -> None:
        super().__init__(page, start, end)
        self._instead = instead

    def splices(self) -> Iterable[Splice]:
        yield self.start, self.end, self._instead


class Formula(Place):
    """A formula. Texts in it may change; if anything else would, all of it becomes a text that is the label."""

    __slots__ = ()

    def __init__(self, page: Page, start: int, end: int) -> None:
        super().__init__(page, start, end, MARKUP)

    def splices(self) -> Iterable[Splice]:
        literals = [found.span() for found in _LITERAL.finditer(self.text)]
        edits = self.merged()
        if all(any(start < edit.start and edit.end < end for start, end in literals) for edit in edits):
            yield from super().splices()
        else:
            yield self.start, self.end, self.coding.write(f'"{edits[0].label}"')
