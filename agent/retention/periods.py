"""Calendar periods: how they are written, added to a date and told to people.

The rules
- A period is years, months, weeks and days, in the ISO 8601 form `P6Y`, `P6M`, `P6Y1M`, `P2W`, `P90D`. There are no
  hours, no fractions and no signs, and no period of zero.
- Years and months are added first, to the *corresponding date*: the same day of a later month. Where that month has
  no such day, its last day serves: 31 January plus one month is 28 or 29 February, and 29 February plus one year is
  28 February. A month's end does not stick: 30 September plus four months is 30 January, not 31. This is the law of
  England and Wales for periods of months, Dodds v Walker [1981] 1 WLR 1027 (HL). Weeks and days are added after that.
- The day on which the clock starts does not count, so the period has fully run at the end of the date so reached.
  An item is due on the day after it.
- A timestamp becomes a date in the time zone of the schedule, not in UTC: an item saved at 23:30 UTC on 30 June was
  saved on 1 July in London.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, timedelta, tzinfo

from agent.model.schedule import Period

MAX_YEARS = 500

_PERIOD = re.compile(r"P(?=\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?", re.ASCII)
_WRITE = "Write P, then numbers with Y, M, W or D: P6Y is six years, P6M six months, P6Y1M both, P2W two weeks."
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def parse_period(text: str) -> Period:
    """The period written in `text`. Raises `ValueError` with sentences for the person who wrote it."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise ValueError(_what_is_wrong(text))
    if len(text) > 20:
        raise ValueError(f"This period has more digits than any period needs. {_WRITE}")
    period = Period(*(int(number or 0) for number in found.groups()))
    if period == Period():
        raise ValueError(
            'A period of zero is no period. Write "period: none" if items are due as soon as the clock starts.'
        )
    if period.years + period.months / 12 + period.weeks / 52 + period.days / 365 > MAX_YEARS:
        raise ValueError(
            f"A period of more than {MAX_YEARS} years is surely a slip. "
            'Use "outcome: retain_permanently" for records that are never to go.'
        )
    return period


def _what_is_wrong(text: str) -> str:
    """Two sentences on a text that is no period."""
    if "-" in text:
        return f'"{text}" is negative; a period can only run forwards. {_WRITE}'
    if re.fullmatch(r"P[\dYMWD]*T[\dHMS]*", text):
        return f'"{text}" counts hours, minutes or seconds; a retention period counts whole days at least. {_WRITE}'
    if re.fullmatch(r"P[\dYMWD]*[.,][\dYMWD.,]*", text):
        return f'"{text}" has a fraction; a half year is P6M. {_WRITE}'
    if _PERIOD.fullmatch(text.upper()):
        return f'"{text}" is written in small letters. Write "{text.upper()}".'
    return f'"{text}" is not a period. {_WRITE}'


def add(start: date, period: Period) -> date:
    """The last day of a period whose clock starts on `start`. Raises `OverflowError` beyond the year 9999."""
    month = start.month - 1 + period.months
    year, month = start.year + period.years + month // 12, month % 12 + 1
    if year > date.max.year:
        raise OverflowError("the calendar ends with the year 9999")
    corresponding = date(year, month, min(start.day, monthrange(year, month)[1]))
    return corresponding + timedelta(weeks=period.weeks, days=period.days)


def due_after(start: date, period: Period | None) -> date:
    """The first day on which an item may go: the day after the period has fully run, or at once without a period."""
    return start if period is None else add(start, period) + timedelta(days=1)


def date_in(moment: datetime, time_zone: tzinfo) -> date:
    """The calendar date of an aware timestamp in that time zone."""
    try:
        return moment.astimezone(time_zone).date()
    except OverflowError:  # within a day of the first or last that can be written; both are impossible dates anyway
        return moment.date()


def say_period(period: Period) -> str:
    """The period in plain words: `six years`, `18 months`, `6 years and 1 month`."""
    parts = [
        (number, unit)
        for number, unit in (
            (period.years, "year"),
            (period.months, "month"),
            (period.weeks, "week"),
            (period.days, "day"),
        )
        if number
    ]
    in_words = len(parts) == 1 and parts[0][0] < len(_WORDS)
    said = [f"{_WORDS[number] if in_words else number} {unit}{'' if number == 1 else 's'}" for number, unit in parts]
    return " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)


def say_date(day: date) -> str:
    """The date as the British write it: `3 April 2023`, whatever the machine's locale."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
