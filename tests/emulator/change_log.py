"""What happened, in order: the log from which the emulated change feeds are told.

A subject (an item, a site) has its place where it last changed; older places of it are passed over. So a feed that
reads on from a place tells the latest state of everything that changed since, and tells a subject again if it changes
while the feed is being read.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Subject(Protocol):
    """What can change; `told` is the place of its latest change."""

    told: int


S = TypeVar("S", bound=Subject)


class ChangeLog(Generic[S]):
    """All changes of one drive or tenant, numbered from 0."""

    def __init__(self) -> None:
        self._subjects: list[S] = []
        self._moments = array("d")

    def __len__(self) -> int:
        return len(self._subjects)

    def tell(self, subject: S, moment: float) -> None:
        """The subject changed at that moment (seconds since 1970)."""
        subject.told = len(self._subjects)
        self._subjects.append(subject)
        self._moments.append(moment)

    def since(self, place: int) -> Iterator[S]:
        """The subjects whose latest change is at that place or behind it, in the order of those changes."""
        for at in range(place, len(self._subjects)):
            subject = self._subjects[at]
            if subject.told == at:
                yield subject

    def place_at(self, moment: float) -> int:
        """The place of the first change at or after that moment."""
        return bisect_left(self._moments, moment)
