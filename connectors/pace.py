"""How fast one source is read: files and bytes per second at most, and slower while storage is slow for others."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from connectors.easing import Ease, Tolerance, eased

_SLICE_SECONDS = 1.0
_NOTHING_SECONDS = 1e-6  # shorter waits are rounding
_PRESSURE_SECONDS = 1.0  # the kernel counts anew every two
_OF_A_PAUSE = 0.1  # a folder's listing costs its storage less than a file


class Budget:
    """So much per second, and what was not used in `burst_seconds`.

    Whoever finds the budget not overdrawn may take as much as he needs at once; the next one waits until that is paid
    back. So an item larger than a second's budget passes too, and in the long run no more than the rate is used.
    """

    def __init__(self, per_second: float, burst_seconds: float, now: float) -> None:
        if not 0 < per_second < math.inf:
            raise ValueError("per_second must be above 0 and finite")
        self._per_second = per_second
        self._most = per_second * burst_seconds
        self._left = self._most
        self._counted = now

    def wait_seconds(self, now: float) -> float:
        """How long to wait before the next one may take something."""
        self._count(now)
        wait = -self._left / self._per_second
        return wait if wait > _NOTHING_SECONDS else 0.0

    def take(self, amount: float, now: float) -> None:
        self._count(now)
        self._left -= amount

    def _count(self, now: float) -> None:
        self._left = min(self._most, self._left + max(0.0, now - self._counted) * self._per_second)
        self._counted = max(now, self._counted)


class Pace:
    """Keeps one source's rates: files spread evenly, bytes with up to a second's budget at once.

    With a `tolerance`, it also pauses between files while storage is slow; `pressure` gives how much others wait for
    it, in percent. `sleep` is called with at most a second at a time, so that one that is given may notice that we are
    to end, or tell that we are alive, and may raise what shall end the wait.
    """

    def __init__(
        self,
        *,
        files_per_second: float | None = None,
        bytes_per_second: float | None = None,
        tolerance: Tolerance | None = None,
        pressure: Callable[[], float | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        now = clock()
        self._files = None if files_per_second is None else Budget(files_per_second, 0.0, now)
        self._bytes = None if bytes_per_second is None else Budget(bytes_per_second, 1.0, now)
        self._tolerance = tolerance
        self._ease = Ease()
        self._ask_pressure = pressure
        self._pressure: float | None = None
        self._asked = -math.inf
        self._clock = clock
        self._sleep = sleep
        self._waited = 0.0

    @property
    def waited_seconds(self) -> float:
        """How long was waited in all."""
        return self._waited

    @property
    def slow(self) -> bool:
        """Whether storage is slow for others or for us just now."""
        return self._ease.slow

    @property
    def pause_seconds(self) -> float:
        """How long we pause between two files just now, beside what the rates ask for."""
        return self._ease.pause_seconds

    @property
    def measures(self) -> bool:
        """Whether `after_opening` wants to know how long it took."""
        return self._tolerance is not None

    def before_opening(self) -> None:
        """Waits until the next file may be opened."""
        now = self._clock()
        budgets = [budget for budget in (self._files, self._bytes) if budget is not None]
        self._wait(max([self._ease.pause_seconds, *(budget.wait_seconds(now) for budget in budgets)]))
        if self._files is not None:
            self._files.take(1, self._clock())

    def after_opening(self, size_bytes: int, seconds: float | None) -> None:
        """Counts a file that will be read, and how long its beginning took (none: it did not come from storage)."""
        if self._bytes is not None:
            self._bytes.take(max(0, size_bytes), self._clock())
        if self._tolerance is not None:
            self._ask()
            self._ease = eased(self._ease, self._tolerance, seconds, self._pressure)

    def between_pages(self) -> None:
        """Pauses a little after part of a listing while storage is slow, so that walking makes room too."""
        if self._tolerance is not None:
            if self._ask():
                self._ease = eased(self._ease, self._tolerance, None, self._pressure)
            self._wait(self._ease.pause_seconds * _OF_A_PAUSE)

    def _ask(self) -> bool:
        now = self._clock()
        due = now - self._asked >= _PRESSURE_SECONDS
        if due:
            self._pressure, self._asked = self._ask_pressure(), now
        return due

    def _wait(self, seconds: float) -> None:
        if seconds <= 0:
            return
        began = self._clock()
        try:
            while seconds > 0:
                self._sleep(min(seconds, _SLICE_SECONDS))
                seconds -= _SLICE_SECONDS
        finally:
            self._waited += self._clock() - began
