"""What the parts of the service share: the word to stop, signs of life, and what a role's work looks like."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from agent.daemon.beats import Beats
from agent.observing.base import ReviewCounts
from agent.settings import Settings


@dataclass(slots=True)
class Life:
    """What every loop of the process looks at and answers to. `wakes` end the pauses
    of its loops before their time."""

    beats: Beats
    doing: dict[str, str] = field(default_factory=dict)  # by loop, in a few words without names of files
    errors: Counter[str] = field(default_factory=Counter)  # unforeseen ones, by kind
    throttled: dict[str, tuple[int, float]] = field(default_factory=dict)  # by share: how often we waited, seconds
    reviews: ReviewCounts | None = None  # as they were counted last: it takes long where much is due
    stopping: threading.Event = field(default_factory=threading.Event)
    wakes: list[threading.Event] = field(default_factory=list)

    def stop(self) -> None:
        self.stopping.set()
        for wake in self.wakes:
            wake.set()


class Work(Protocol):
    """What one role does, once it is open. All calls come from one thread, and may raise `AgentError`."""

    def turn(self) -> float:
        """Does what is to be done now, and gives how many seconds to wait before asking again."""

    def reload(self, settings: Settings) -> None:
        """From now on these settings are in force."""


# Opens a role's work under these settings, and settles first what an earlier process left behind.
OpenWork = Callable[[Settings], AbstractContextManager[Work]]
