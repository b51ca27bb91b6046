"""The gate through which every request to a tenant passes: it waits its turn there, and all wait when one is told to.

The service counts what an application asks of a tenant, whoever asks and over however many connections. So one gate
stands for one tenant and one workload (SharePoint or Exchange), and whoever is throttled closes it for everybody.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from connectors.errors import Throttled
from connectors.microsoft365 import standing as rules
from connectors.microsoft365.standing import Budget, OwnStanding, Standing, Standings

T = TypeVar("T")

PATIENCE_SECONDS = 900.0
_SLICE_SECONDS = 1.0  # at most so long in one piece, so that whoever wants us to end is heard
_SHORTEST_SECONDS = 0.001
_LOOK_AGAIN_SECONDS = 0.25
_AT_FIRST, _CLEAN_SECONDS = 4, 30.0  # requests at once, and after how long without a refusal one more is tried
_LONGEST_BACKOFF_SECONDS = 120.0
_JITTER = 0.1  # of the time we were asked to wait, but no more than
_LONGEST_JITTER_SECONDS = 5.0
_FOR_SCANNING = 0.95  # of the day's budget; the rest is left for acting

# By licences of the tenant: resource units per minute and per day that Microsoft allows one application.
_TIERS = ((1_000, 1_250, 1_200_000), (5_000, 2_500, 2_400_000), (15_000, 3_750, 3_600_000), (50_000, 5_000, 4_800_000))
_LARGEST_TIER = (6_250, 6_000_000)


def allowed_units(licences: int) -> tuple[int, int]:
    """How many resource units per minute and per day one application may use in a tenant with so many licences."""
    for most, per_minute, per_day in _TIERS:
        if licences <= most:
            return per_minute, per_day
    return _LARGEST_TIER


def _utc_now() -> datetime:
    return datetime.now(UTC)


class TenantGate:
    """Lets requests through so that the budget of units holds, first come first served, those that act before scans.

    In any 60 seconds no more than `units_per_minute` pass, and on one day (UTC) no more than `units_per_day`; a scan
    leaves a twentieth of that to those that act. At most `most_at_once` requests are under way: four at first, one more
    for every 30 seconds without a refusal, and half as many after one. `now` is a clock that all who share `standings`
    read, in seconds; `sleep` is called with at most a second at a time and may raise what shall end the wait.
    `used_today` is what was used today before, where `standings` does not remember it. For several threads.
    """

    def __init__(
        self,
        units_per_minute: float | None,
        units_per_day: float | None = None,
        most_at_once: int = 16,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        used_today: float = 0.0,
        *,
        standings: Standings | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
        wall_clock: Callable[[], datetime] = _utc_now,
        chance: Callable[[], float] = random.random,
    ) -> None:
        if most_at_once < 1:
            raise ValueError("most_at_once must be at least 1")
        self._budget = Budget(units_per_minute, units_per_day)
        self._ceiling = most_at_once
        self._now = now
        self._sleep = sleep
        self._patience = patience_seconds
        self._wall_clock = wall_clock
        self._chance = chance
        self._standings = standings or OwnStanding()
        self._turn = threading.Condition()
        self._acting: deque[object] = deque()
        self._scanning: deque[object] = deque()
        self._mine = threading.local()
        self._under_way = 0
        self._at_once = min(_AT_FIRST, most_at_once)
        self._changed_at = now()
        self._refusals = 0
        self._waited = 0.0
        self._throttled = 0
        self._change(lambda standing: (replace(standing, used=max(standing.used, used_today)), None))

    @property
    def patience_seconds(self) -> float:
        """How long a request waits here at most before it is given up."""
        return self._patience

    def now(self) -> float:
        """What the clock says by which the gate goes, in seconds."""
        return self._now()

    @property
    def waited_seconds(self) -> float:
        """How long requests have waited here in all, added up over threads."""
        return self._waited

    @property
    def throttled_count(self) -> int:
        """How often the source has asked us to wait."""
        return self._throttled

    @property
    def at_once(self) -> int:
        """How many requests may be under way just now."""
        return self._at_once

    @property
    def used_today(self) -> float:
        """How many units were used on this day (UTC)."""
        with self._turn:
            return self._change(lambda standing: (standing, standing.used))

    @property
    def closed_for_seconds(self) -> float:
        """For how long nothing may be asked; 0 if the gate is open."""
        with self._turn:
            return self._change(lambda standing: (standing, max(0.0, standing.closed_until - standing.counted_at)))

    @contextmanager
    def passing(self, cost: float = 1, acting: bool = False, patience_seconds: float | None = None) -> Iterator[None]:
        """Waits its turn, and counts as under way until the end of the block.

        A thread that is under way already passes again without a second place, so that it never waits for itself.
        Raises `Throttled` as soon as it is certain that it would have to wait for longer than `patience_seconds`.
        """
        self._wait(cost, acting, self._patience if patience_seconds is None else patience_seconds)
        try:
            yield
        finally:
            self._leave()

    def throttled(self, retry_after_seconds: float | None) -> None:
        """The source has asked us to wait: nobody passes until then. None if it did not say how long.

        Requests that were under way together are refused together; that counts as one refusal.
        """
        with self._turn:
            self._throttled += 1
            now = self._now()
            already = self._change(lambda standing: (standing, standing.closed_until > now))
            if not already:
                self._refusals = self._refusals + 1 if now - self._changed_at < _LONGEST_BACKOFF_SECONDS else 1
                self._at_once = max(1, self._at_once // 2)
            again = self._refusals if retry_after_seconds is None else self._refusals - 1
            backoff = min(_LONGEST_BACKOFF_SECONDS, 2.0 ** min(again, 10)) if again > 0 else 0.0
            wait = max(retry_after_seconds or 0.0, backoff)  # to wait as we were told and be refused again: wait longer
            more = self._chance() * min(_LONGEST_JITTER_SECONDS, _JITTER * wait)
            until = now + wait + more
            self._changed_at = max(self._changed_at, until)
            self._change(lambda standing: (rules.closed(standing, until), None))

    def told(self, limit: float, remaining: float, reset_seconds: float) -> None:
        """What the source tells of its own budget: it has `remaining` units of `limit` left for `reset_seconds`."""
        if limit > 0 and reset_seconds >= 0:
            with self._turn:
                until = self._now() + reset_seconds
                self._change(lambda standing: (rules.slowed(standing, limit, remaining, until), None))

    def _wait(self, cost: float, acting: bool, patience: float) -> None:
        queue = self._acting if acting else self._scanning
        ticket = object()
        began = self._now()
        with self._turn:
            queue.append(ticket)
        try:
            while (wait := self._attempt(ticket, queue, cost, acting, began + patience)) > 0:
                self._sleep(min(max(wait, _SHORTEST_SECONDS), _SLICE_SECONDS))
        finally:
            with self._turn:
                if ticket in queue:  # given up
                    queue.remove(ticket)
                self._waited += max(0.0, self._now() - began)
                self._turn.notify_all()

    def _attempt(self, ticket: object, queue: deque[object], cost: float, acting: bool, deadline: float) -> float:
        """Passes, and gives 0; or gives how long to sleep before the next attempt. Waits here while others go first."""
        with self._turn:
            while True:
                first = self._depth > 0 or (queue[0] is ticket and (acting or not self._acting))
                goes = first and self._has_place()
                wait = self._change(self._taking(cost, acting, goes))
                if self._now() + wait > deadline:
                    raise Throttled("the source's budget, or our share of it, is used up for now", max(wait, 1.0))
                if goes:
                    if wait == 0:
                        queue.remove(ticket)
                        self._enter()
                    return wait
                self._turn.wait(_LOOK_AGAIN_SECONDS)

    def _taking(self, cost: float, acting: bool, goes: bool) -> Callable[[Standing], tuple[Standing, float]]:
        of_the_day, left = (1.0, 0.0) if acting else (_FOR_SCANNING, rules.DEAREST)
        until_tomorrow = self._until_tomorrow()

        def rule(standing: Standing) -> tuple[Standing, float]:
            wait = rules.wait_seconds(standing, self._budget, cost, until_tomorrow, of_the_day, left)
            return (rules.taken(standing, self._budget, cost) if goes and wait == 0 else standing), wait

        return rule

    def _has_place(self) -> bool:
        now = self._now()
        if now - self._changed_at >= _CLEAN_SECONDS and self._at_once < self._ceiling:
            self._at_once, self._changed_at = self._at_once + 1, now
        return self._depth > 0 or self._under_way < self._at_once

    @property
    def _depth(self) -> int:
        """How often the calling thread has passed and not left yet."""
        depth: int = getattr(self._mine, "depth", 0)
        return depth

    def _enter(self) -> None:
        if self._depth == 0:
            self._under_way += 1
        self._mine.depth = self._depth + 1

    def _leave(self) -> None:
        with self._turn:
            self._mine.depth = self._depth - 1
            if self._depth == 0:
                self._under_way -= 1
            self._turn.notify_all()

    def _until_tomorrow(self) -> float:
        now = self._wall_clock()
        tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return (tomorrow - now).total_seconds()

    def _change(self, rule: Callable[[Standing], tuple[Standing, T]]) -> T:
        now, day = self._now(), self._wall_clock().date().isoformat()
        return self._standings.change(lambda standing: rule(rules.caught_up(standing, self._budget, now, day)))
