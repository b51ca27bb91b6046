"""What a watch over a source tells: which folders are worth reading again, and whether it still sees anything.

A watch gives hints. What is true is found by reading: a source is read whole on a schedule of its own, whether it is
watched or not. The promise is only that a watch misses nothing silently: what it cannot tell apart is `everything`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Dirty:
    """Where something may have changed.

    `folders` are relative to the source's root, which is `b""`, with `/` between components. A folder that is new is
    named too, and so is each folder found below it; one that has gone is not, but the folder it was in. `everything`
    means that any folder may have changed: read the source whole.
    """

    folders: frozenset[bytes]
    everything: bool


class WatchState(StrEnum):
    """Whether a watch tells anything. Only `WATCHED` does; from the others nothing comes until a new watch is made."""

    WATCHED = "watched"
    RECONCILE_ONLY = "reconcile_only"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class WatchCondition:
    """The state, and why it is not the best one, in a sentence for the administrator. It names no file or folder.

    `RECONCILE_ONLY`: this source cannot be watched, or not with what the kernel allows; reading it whole on schedule
    is all there is. `LOST`: the source was watched and has been replaced, unmounted or taken away, or the watch
    itself has failed; make a new one.
    """

    state: WatchState
    why: str = ""


class Watch(Protocol):
    """Watches one source from when it is made until `close`. May be asked by one thread at a time."""

    @property
    def condition(self) -> WatchCondition: ...

    def drain(self) -> Dirty:
        """What was told since the last call, which is forgotten by this one. Cheap; never raises.

        The first call says `everything`, since nobody watched before. So does one call after each loss, but not every
        call while the condition is another than `WATCHED`: then the schedule alone says when to read.
        """
        ...

    def alive(self) -> bool:
        """Whether changes are still seen. Asks the source whether it is still the one that is watched."""
        ...

    def close(self) -> None:
        """Ends the watch and frees what it holds. May be called again."""
        ...
