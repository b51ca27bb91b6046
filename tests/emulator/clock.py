"""The emulator's clock: tokens, signed links, retention periods and throttling windows all go by it.

It runs with real time from the start and can be put forward, so that no test waits an hour for a token to expire.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime


class Clock:
    """Real time plus whatever it was put forward by; may be read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead_seconds = 0.0

    def time(self) -> float:
        """Seconds since 1970 (UTC)."""
        return time.time() + self._ahead_seconds

    def now(self) -> datetime:
        """The moment, with UTC as its zone."""
        return datetime.fromtimestamp(self.time(), UTC)

    def advance(self, seconds: float) -> None:
        """Put the clock forward."""
        with self._lock:
            self._ahead_seconds += seconds
