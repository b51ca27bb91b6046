"""Hours in which something may be done, by the clock on the wall: `20:00-06:00`, `mon-fri 19:00-07:00`, `sat,sun`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_SPAN = re.compile(r"(?:(?P<days>[a-z,-]+)\s*)?(?:(?P<from>\d{1,2}:\d{2})\s*-\s*(?P<to>\d{1,2}:\d{2}))?")
_LONGEST_LOOK_AHEAD = 8 * _DAY_MINUTES


@dataclass(frozen=True, slots=True)
class Span:
    """Hours that begin on these weekdays (0: Monday), so many minutes after midnight, and last so many minutes."""

    days: frozenset[int]
    begins: int
    minutes: int

    def holds(self, moment: datetime) -> bool:
        minute = moment.hour * 60 + moment.minute
        if moment.weekday() in self.days and self.begins <= minute < self.begins + self.minutes:
            return True
        yesterday = (moment.weekday() - 1) % 7
        return yesterday in self.days and minute < self.begins + self.minutes - _DAY_MINUTES


@dataclass(frozen=True, slots=True)
class Window:
    """When something may be done: in one of `spans` (always, if there are none) and in none of `closed`."""

    spans: tuple[Span, ...] = ()
    closed: tuple[Span, ...] = ()

    def is_open(self, moment: datetime) -> bool:
        """Whether it may be done at that moment, whose clock is the one on the wall."""
        inside = not self.spans or any(span.holds(moment) for span in self.spans)
        return inside and not any(span.holds(moment) for span in self.closed)

    def opens(self, moment: datetime) -> datetime | None:
        """That moment if it may be done then, else the first whole minute at which it may; none if that never comes."""
        if self.is_open(moment):
            return moment
        minute = moment.replace(second=0, microsecond=0)
        for ahead in range(1, _LONGEST_LOOK_AHEAD):
            if self.is_open(later := minute + timedelta(minutes=ahead)):
                return later
        return None


ALWAYS = Window()


def read_window(open_in: Sequence[str], closed_in: Sequence[str] = ()) -> Window:
    """The window that is written so. Raises `ValueError`, which says what is wrong."""
    window = Window(tuple(map(read_span, open_in)), tuple(map(read_span, closed_in)))
    if window.opens(datetime(2024, 1, 1)) is None:  # noqa: DTZ001 — a clock on the wall has no zone
        raise ValueError("must leave some time open; this never does")
    return window


def read_span(text: str) -> Span:
    """Days, hours, or both, such as `mon-fri 20:00-06:00`. Hours may go past midnight. Raises `ValueError`."""
    match = _SPAN.fullmatch(text.strip().lower())
    if match is None or not match.group(0):
        raise ValueError(f'must be written like "20:00-06:00", "mon-fri 19:00-07:00" or "sat,sun"; not {text!r}')
    begins, ends = (_minute(match[part], text) for part in ("from", "to"))
    if match["from"] is None:
        begins, ends = 0, _DAY_MINUTES
    return Span(_days(match["days"], text), begins, (ends - begins) % _DAY_MINUTES or _DAY_MINUTES)


def _minute(clock: str | None, text: str) -> int:
    if clock is None:
        return 0
    hours, minutes = map(int, clock.split(":"))
    if minutes > 59 or hours * 60 + minutes > _DAY_MINUTES:
        raise ValueError(f"must name times from 00:00 to 24:00; {clock} in {text!r} is none")
    return hours * 60 + minutes


def _days(named: str | None, text: str) -> frozenset[int]:
    if named is None:
        return frozenset(range(7))
    days = set[int]()
    for part in named.split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last or first) not in _DAYS:
            raise ValueError(f"must name weekdays as mon, tue, wed, thu, fri, sat, sun; not as in {text!r}")
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        days.update(day % 7 for day in range(begin, end + 1 if end >= begin else end + 8))
    return frozenset(days)
