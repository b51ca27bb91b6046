"""How a tenant stands with us: what of its budget is used up and until when we were asked to wait. Rules, no clock.

All who use one tenant share one standing, across threads and, by `gate_file`, across processes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

T = TypeVar("T")

_AT_ONCE = 0.1  # of a minute's budget; the rest is spread over the minute, so that no 60 seconds see more than it
DEAREST = 5.0  # units that the dearest single request costs
_SLOW_BELOW = 0.2  # of the source's own budget
_SLOWEST = 0.05
_NOTHING = 1e-9  # units; less is rounding


@dataclass(frozen=True, slots=True)
class Budget:
    """How many resource units may be used in any 60 seconds and on one day (UTC); none for no limit.

    Raises `ValueError` for a budget so small that the dearest request would not fit.
    """

    per_minute: float | None = None
    per_day: float | None = None

    def __post_init__(self) -> None:
        if self.per_minute is not None and not self.per_minute >= 2 * DEAREST:
            raise ValueError(f"a budget must allow at least {2 * DEAREST:.0f} units per minute")
        if self.per_day is not None and not self.per_day > 0:
            raise ValueError("a budget must allow some units per day")

    @property
    def at_once(self) -> float:
        return max(DEAREST, _AT_ONCE * (self.per_minute or 0.0))

    @property
    def per_second(self) -> float:
        return ((self.per_minute or 0.0) - self.at_once) / 60


@dataclass(frozen=True, slots=True)
class Standing:
    """`level` units may be used now; it was counted at `counted_at`. Until `closed_until` nothing may be asked.

    Until `slow_until` the level rises only with `slow_to` of its rate. `used` units were used on `day`. The times are
    seconds of a clock that all who share this read.
    """

    counted_at: float = 0.0
    level: float = 0.0
    closed_until: float = 0.0
    slow_until: float = 0.0
    slow_to: float = 1.0
    day: str = ""
    used: float = 0.0


class Standings(Protocol):
    """Where a standing is kept."""

    def change(self, rule: Callable[[Standing], tuple[Standing, T]]) -> T:
        """Replaces the standing by what `rule` makes of it and gives what else the rule tells. One at a time."""


class OwnStanding:
    """The standing of one process. The caller sees to it that one thread at a time asks."""

    def __init__(self) -> None:
        self._standing = Standing()

    def change(self, rule: Callable[[Standing], tuple[Standing, T]]) -> T:
        self._standing, told = rule(self._standing)
        return told


def caught_up(standing: Standing, budget: Budget, now: float, day: str) -> Standing:
    """The standing as it is now. While the gate is closed, the level does not rise.

    One that was never counted has saved up nothing: so a process that is started again and again does not begin with a
    full measure each time. One from the future was counted before the machine was started anew: what it asks us to wait
    still holds from now on, and what it allowed does not.
    """
    if standing.counted_at == 0.0:
        standing = replace(standing, counted_at=now, level=0.0)
    elif standing.counted_at > now:
        ahead = standing.counted_at - now
        closed, slow = standing.closed_until - ahead, standing.slow_until - ahead
        standing = replace(standing, counted_at=now, level=0.0, closed_until=closed, slow_until=slow)
    begins = min(now, max(standing.counted_at, standing.closed_until))
    slow_seconds = max(0.0, min(now, standing.slow_until) - begins)
    earned = (now - begins - slow_seconds + standing.slow_to * slow_seconds) * budget.per_second
    level = min(budget.at_once, standing.level + earned)
    used = standing.used if standing.day == day else 0.0
    return replace(standing, counted_at=now, level=level, day=day, used=used)


def wait_seconds(
    standing: Standing, budget: Budget, cost: float, until_tomorrow: float, of_the_day: float, left: float = 0.0
) -> float:
    """How long whoever wants `cost` units has to wait at least, for a standing that has caught up.

    `of_the_day` is the part of the day's budget that he may use; `left` is how many units he has to leave there for
    others, who may be in another process and have no place in our queue.
    """
    wait = max(0.0, standing.closed_until - standing.counted_at)
    if budget.per_minute is not None:
        wait += _seconds_to_earn(standing, budget, min(cost + left, budget.at_once) - standing.level)
    if budget.per_day is not None and standing.used + cost > budget.per_day * of_the_day:
        wait = max(wait, until_tomorrow)
    return wait


def _seconds_to_earn(standing: Standing, budget: Budget, lacking: float) -> float:
    """How long after the gate has opened so many units are there."""
    if lacking <= _NOTHING:
        return 0.0
    slowly = budget.per_second * standing.slow_to
    slow_seconds = max(0.0, standing.slow_until - max(standing.counted_at, standing.closed_until))
    if slow_seconds * slowly >= lacking:
        return lacking / slowly
    return slow_seconds + (lacking - slow_seconds * slowly) / budget.per_second


def taken(standing: Standing, budget: Budget, cost: float) -> Standing:
    """What costs more than may be used at once (a batch) passes when as much is there, and the rest is paid back."""
    level = standing.level if budget.per_minute is None else standing.level - cost
    return replace(standing, level=level, used=standing.used + cost)


def closed(standing: Standing, until: float) -> Standing:
    """Nothing is asked before then, and what was saved up is void; a later time that was asked for before stands."""
    return replace(standing, closed_until=max(standing.closed_until, until), level=min(standing.level, 0.0))


def slowed(standing: Standing, limit: float, remaining: float, until: float) -> Standing:
    """What the source tells of its own budget: as it nears its end, we slow down, and at its end we wait."""
    if remaining <= 0:
        return closed(standing, until)
    slow_to = min(1.0, max(_SLOWEST, remaining / (_SLOW_BELOW * limit)))
    return replace(standing, slow_to=slow_to, slow_until=until if slow_to < 1.0 else 0.0)
