"""Places strung together as people read them, so that a name is found whichever way the file cuts it to pieces."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from enum import IntEnum

from agent.anonymisation.page import Edit, Place

_MOST_PIECES = 50_000


class Revision(IntEnum):
    """Whether a piece stands in the text now, stood there before, or both."""

    BOTH = 0
    BEFORE = 1
    NOW = 2


class Story:
    """The pieces in order, with what stands between them but in no place: an end of a line, a heading.

    A long text is told in several stories, each begun anew at the end of a line once the last one is `full`.
    """

    def __init__(self) -> None:
        self._pieces: list[tuple[str, Place | None]] = []
        self._revised: dict[int, Revision] = {}

    @property
    def full(self) -> bool:
        """Whether it is time to begin another one."""
        return len(self._pieces) >= _MOST_PIECES

    def add(self, place: Place, revision: Revision = Revision.BOTH) -> None:
        """Adds a place."""
        if revision is not Revision.BOTH:
            self._revised[len(self._pieces)] = revision
        self._pieces.append((place.shown, place))

    def say(self, place: Place, text: str) -> None:
        """Adds a place of which `text` is shown: it must be as long as its own."""
        self._pieces.append((text, place))

    def gap(self, text: str) -> None:
        """Adds words that help to understand the places around them, and are never replaced."""
        self._pieces.append((text, None))

    def line(self, name: str, place: Place) -> None:
        """Adds a place on a line by itself, behind the name of what it is, if that is known."""
        self.gap(f"{name}: " if name else "")
        self.add(place)
        self.gap("\n")

    def readings(self) -> Iterator[Reading]:
        """The text as it is written; and if it was revised, as it was before and as it is now."""
        yield Reading(self._pieces)
        if self._revised:
            for without in (Revision.BEFORE, Revision.NOW):
                yield Reading(
                    [piece for number, piece in enumerate(self._pieces) if self._revised.get(number) is not without]
                )


class Reading:
    """A text and the places that its characters come from."""

    def __init__(self, pieces: list[tuple[str, Place | None]]) -> None:
        self.text = "".join(text for text, _ in pieces)
        self._places = [place for _, place in pieces]
        self._starts = [0]
        for text, _ in pieces:
            self._starts.append(self._starts[-1] + len(text))

    def owned(self, start: int, end: int) -> tuple[int, int]:
        """The range without what belongs to no place at both its ends; an empty one if nothing is left."""
        number = self._piece_at(start)
        while start < end and self._places[number] is None:
            start, number = self._starts[number + 1], number + 1
        number = self._piece_at(max(start, end - 1))
        while start < end and self._places[number] is None:
            end, number = self._starts[number], number - 1
        return start, max(start, end)

    def replace(self, start: int, end: int, label: str, entity_type: str) -> None:
        """Puts the label where the range begins, and takes away the rest of it from all places it goes through."""
        number = self._piece_at(start)
        while number < len(self._places) and self._starts[number] < end:
            place, first = self._places[number], self._starts[number]
            last = self._starts[number + 1]
            if place is not None and last > first:
                place.edit(Edit(max(start, first) - first, min(end, last) - first, label, entity_type))
                label = entity_type = ""
            number += 1

    def _piece_at(self, offset: int) -> int:
        return bisect_right(self._starts, offset, 0, len(self._places)) - 1
