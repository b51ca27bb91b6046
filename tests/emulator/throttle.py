"""Throttling as SharePoint and Exchange do it: budgets, closed gates, and calls that come too early.

After an answer with Retry-After the gate of that app is closed. Whoever calls while it is closed is refused, is
remembered, and makes the wait longer: that is what Microsoft says of clients that retry at once.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.emulator.clock import Clock
from tests.emulator.http import Problem, Workload

_TOLD_FROM = 0.8  # of the minute's budget: from here on the RateLimit headers are sent
_LEAVING_SECONDS = 0.1
_MINUTE_SECONDS = 60.0
_DAY_SECONDS = 86400.0
_WORDS = ("activityLimitReached", "The request has been throttled", {"code": "throttledRequest"})


@dataclass
class Limits:
    """What an app may use; None is without limit. May be changed while the emulator runs.

    `grace_seconds` of real time after a gate has closed, calls on other connections do not count as early: with many
    threads a call may be on its way. `early_penalty_seconds` is what an early call adds to the wait.
    """

    units_per_minute: int | None = None
    units_per_day: int | None = None
    at_once_per_mailbox: int | None = 4
    grace_seconds: float = 0.0
    early_penalty_seconds: float = 5.0


@dataclass(frozen=True)
class Payer:
    """Whose budget a call goes against: an app's in one workload, for mail in one mailbox."""

    client_id: str
    workload: Workload
    mailbox: str | None = None


@dataclass
class _Gate:
    closed_until: float = 0.0  # by the emulator's clock
    closed_since: float = 0.0  # by time.monotonic()
    told_on: int = 0  # the connection that was told


@dataclass
class _Budget:
    minute_ends: float = 0.0
    used_this_minute: int = 0
    day_ends: float = 0.0
    used_today: int = 0


class TooEarly(Problem):
    """A call came although its app had been told to wait."""


class Throttle:
    """The books of all apps of a tenant."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._gates: dict[Payer, _Gate] = {}
        self._budgets: dict[str, _Budget] = {}
        self._at_once: Counter[Payer] = Counter()

    @contextlib.contextmanager
    def turn(self, payer: Payer, arrived: float, connection: int) -> Iterator[None]:
        """A call, from when it came to when it has been answered.

        `arrived` is by time.monotonic(). Raises TooEarly while the gate is closed and the caller could know that, and
        Problem 429 when too many calls are under way in one mailbox.
        """
        self._check_gate(payer, arrived, connection)
        self._enter(payer)
        try:
            yield
        finally:
            with self._lock:
                self._at_once[payer] -= 1

    def close_gate(self, payer: Payer, seconds: float, connection: int) -> None:
        """Somebody was told to wait; from now on calls are early until so many seconds have passed."""
        with self._lock:
            gate = self._gates.setdefault(payer, _Gate())
            gate.closed_until = max(gate.closed_until, self._clock.time() + seconds)
            gate.closed_since = time.monotonic()
            gate.told_on = connection

    def pay(self, payer: Payer, units: int) -> dict[str, str]:
        """Take units from the budget; gives the RateLimit headers, if it is time for them.

        Raises Problem 429 when they are used up; the units are gone nevertheless.
        """
        if payer.workload != "spo" or (self._limits.units_per_minute is None and self._limits.units_per_day is None):
            return {}
        with self._lock:
            budget, now = self._budget(payer)
            budget.used_this_minute += units
            budget.used_today += units
            if self._limits.units_per_day is not None and budget.used_today > self._limits.units_per_day:
                raise _throttled(budget.day_ends - now)
            per_minute = self._limits.units_per_minute
            if per_minute is None:
                return {}
            if budget.used_this_minute > per_minute:
                raise _throttled(budget.minute_ends - now, _told(per_minute, 0, budget.minute_ends - now))
            if budget.used_this_minute < per_minute * _TOLD_FROM:
                return {}
            return _told(per_minute, per_minute - budget.used_this_minute, budget.minute_ends - now)

    def used_today(self, client_id: str) -> int:
        """The units that an app has used since its day began."""
        with self._lock:
            budget = self._budgets.get(client_id)
            return 0 if budget is None else budget.used_today

    def _check_gate(self, payer: Payer, arrived: float, connection: int) -> None:
        with self._lock:
            gate = self._gates.get(payer)
            if gate is None or gate.closed_until <= self._clock.time():
                return
            grace = 0.0 if connection == gate.told_on else self._limits.grace_seconds
            if arrived <= gate.closed_since + grace:
                return
            gate.closed_until += self._limits.early_penalty_seconds
            wait = gate.closed_until - self._clock.time()
        raise TooEarly(429, *_WORDS, headers=_retry_after(wait))

    def _enter(self, payer: Payer) -> None:
        """Counts the call as under way. One whose answer has just gone out may be counted for a moment longer."""
        patience = time.monotonic() + _LEAVING_SECONDS
        while not self._has_entered(payer):
            if time.monotonic() >= patience:
                message = "Application is over its MailboxConcurrency limit."
                raise Problem(429, "ApplicationThrottled", message, headers=_retry_after(1.0))
            time.sleep(_LEAVING_SECONDS / 20)

    def _has_entered(self, payer: Payer) -> bool:
        with self._lock:
            most = self._limits.at_once_per_mailbox
            if payer.mailbox is not None and most is not None and self._at_once[payer] >= most:
                return False
            self._at_once[payer] += 1
            return True

    def _budget(self, payer: Payer) -> tuple[_Budget, float]:
        now = self._clock.time()
        budget = self._budgets.setdefault(payer.client_id, _Budget())
        if now >= budget.minute_ends:
            budget.minute_ends, budget.used_this_minute = now + _MINUTE_SECONDS, 0
        if now >= budget.day_ends:
            budget.day_ends, budget.used_today = now + _DAY_SECONDS, 0
        return budget, now


def _told(limit: int, remaining: int, reset_seconds: float) -> dict[str, str]:
    return {
        "RateLimit-Limit": str(limit),
        "RateLimit-Remaining": str(max(0, remaining)),
        "RateLimit-Reset": str(math.ceil(reset_seconds)),
    }


def _throttled(wait_seconds: float, headers: dict[str, str] | None = None) -> Problem:
    return Problem(429, *_WORDS, headers=_retry_after(wait_seconds) | (headers or {}))


def _retry_after(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(max(1, math.ceil(seconds)))}
