"""What holds a whole run back: caps on how much may leave a share in a day, and a clock that cannot be trusted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.catalogue.disposal_rows import Plan


@dataclass(frozen=True, slots=True)
class Caps:
    """How much may leave one share in a day. `percent` is of the items that are there."""

    items: int
    size_bytes: int
    percent: float


@dataclass(frozen=True, slots=True)
class Share:
    """What bears on the caps of one share: items that are there, and what has left it today, with its bytes."""

    live: int
    taken: int
    taken_bytes: int


class CapsReached:
    """Lets plans through until a share's caps are reached; `beyond` counts those held back, by share."""

    def __init__(self, caps: Caps, shares: dict[str, Share]) -> None:
        self._caps = caps
        self._shares = shares
        self.beyond: dict[str, int] = {}

    def allowed(self, plans: Iterable[Plan]) -> Iterator[Plan]:
        """The plans that stay within the caps, in the same order. One item larger than the cap of bytes goes alone."""
        used = {name: [share.taken, share.taken_bytes] for name, share in self._shares.items()}
        for plan in plans:
            count, size = used[plan.share]
            if count + 1 > self._most(plan.share) or (size and size + plan.size_bytes > self._caps.size_bytes):
                self.beyond[plan.share] = self.beyond.get(plan.share, 0) + 1
                continue
            used[plan.share] = [count + 1, size + plan.size_bytes]
            yield plan

    def _most(self, name: str) -> int:
        """The cap in items. However few there are, one may go."""
        share = self._shares[name]
        before_today = share.live + share.taken
        return max(1, min(self._caps.items, int(before_today * self._caps.percent / 100)))


_SLACK = timedelta(minutes=1)  # another process may record something between the two looks


def clock_doubt(now: datetime, newest: datetime | None, ahead: timedelta, *, synchronised: bool) -> str:
    """Why the clock cannot be trusted for an act that depends on dates; empty if nothing is known against it.

    `newest` is the last moment that anything was recorded at. A clock that runs behind it was set back. One that has
    jumped far ahead would make everything due, so it must be synchronised with others, or confirmed by a person.
    """
    if newest is None:
        return ""
    if now < newest - _SLACK:
        return (
            f"The clock of this machine says {now:%Y-%m-%d %H:%M} UTC, but something was recorded at "
            f"{newest:%Y-%m-%d %H:%M} UTC. Set the clock right."
        )
    if now - newest > ahead and not synchronised:
        hours = int(ahead / timedelta(hours=1))
        return (
            f"The clock of this machine says {now:%Y-%m-%d %H:%M} UTC, more than {hours} hours after the last thing "
            f"that was recorded ({newest:%Y-%m-%d %H:%M} UTC), and no time server confirms it. Check the clock; if "
            "it is right, an administrator says so with --clock-is-right."
        )
    return ""
