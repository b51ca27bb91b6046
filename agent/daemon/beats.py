"""Signs of life: each loop says until when it will be heard from again, and the supervisor sees who is silent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Beats:
    """The signs of life of all loops of this process. Safe to use from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}

    def beat(self, loop: str, within_seconds: float) -> None:
        """The loop lives, and will say so again within that time."""
        with self._lock:
            self._until[loop] = self._clock() + within_seconds

    def end(self, loop: str) -> None:
        """The loop has come to its end; nothing more is expected of it."""
        with self._lock:
            self._until.pop(loop, None)

    def silent(self) -> tuple[str, ...]:
        """The loops that have not kept their word."""
        now = self._clock()
        with self._lock:
            return tuple(sorted(loop for loop, until in self._until.items() if until < now))
