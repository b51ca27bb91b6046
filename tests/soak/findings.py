"""What a soak has found wrong, and how often each thing was done."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

_MOST_OF_A_KIND = 12


class Findings:
    """Collects; any thread may call. Of one kind only the first ones are kept in words, all are counted."""

    def __init__(self, tell: Callable[[str], None] = lambda line: None) -> None:
        """`tell` hears of each of those that are kept, at once."""
        self._tell = tell
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self.kinds: Counter[str] = Counter()
        self.told: list[str] = []
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def add(self, kind: str, what: str) -> None:
        with self._lock:
            self.kinds[kind] += 1
            if self.kinds[kind] <= _MOST_OF_A_KIND:
                self.told.append(f"[{time.monotonic() - self._began:7.1f} s] {kind}: {what}")
                self._tell(self.told[-1])

    def did(self, what: str, times: int = 1) -> None:
        self.done[what] += times
