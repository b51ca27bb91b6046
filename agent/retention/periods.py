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
- `P6Y+P1Y`, six plus one years, is the one period and then the other from the day that the first ends on.
- A cut-off moves the start on to the end of its month, year, tax year (5 April), financial year (31 March) or school
  year (31 August); a date that is that day itself stays.
- Somebody born on 29 February reaches an age on 1 March of a year that has no such day (Family Law Reform Act 1969
  s.9 lets age be attained at the beginning of the birthday; a day that does not exist has not begun the day before).
- A timestamp becomes a date in the time zone of the schedule, not in UTC: an item saved at 23:30 UTC on 30 June was
  saved on 1 July in London.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo

from agent.model.schedule import CutOff, Period

MAX_YEARS = 500

_PERIOD = re.compile(r"P(?=\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?", re.ASCII)
_WRITE = "Write P, then numbers with Y, M, W or D: P6Y is six years, P6M six months, P6Y1M both, P2W two weeks."
_YEAR_ENDS = {
    CutOff.YEAR: (12, 31),
    CutOff.TAX_YEAR: (4, 5),
    CutOff.FINANCIAL_YEAR: (3, 31),
    CutOff.SCHOOL_YEAR: (8, 31),
}
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def parse_period(text: str) -> Period:
    """The period written in `text`. Raises `ValueError` with sentences for the person who wrote it."""
    first, plus, rest = text.partition("+")
    if plus:
        if "+" in rest:
            raise ValueError(f'"{text}" has more than one plus. Write one period, or two joined by a plus: P6Y+P1Y.')
        return replace(_single(first.strip()), plus=_single(rest.strip()))
    return _single(text)


def _single(text: str) -> Period:
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise ValueError(_what_is_wrong(text))
    if len(text) > 20:
        raise ValueError(f"This period has more digits than any period needs. {_WRITE}")
    years, months, weeks, days = (int(number or 0) for number in found.groups())
    period = Period(years, months, weeks, days)
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
    end = corresponding + timedelta(weeks=period.weeks, days=period.days)
    return end if period.plus is None else add(end, period.plus)


def cut_off_after(start: date, cut_off: CutOff | None) -> date:
    """The first cut-off on or after `start`, or `start` itself without one. Raises `OverflowError` beyond 9999."""
    match cut_off:
        case None:
            return start
        case CutOff.MONTH:
            return start.replace(day=monthrange(start.year, start.month)[1])
        case _:
            month, day = _YEAR_ENDS[cut_off]
            year = start.year + ((start.month, start.day) > (month, day))
            if year > date.max.year:
                raise OverflowError("the calendar ends with the year 9999")
            return date(year, month, day)


def birthday(born: date, age: int) -> date:
    """The day on which somebody born on that day reaches the age. Raises `OverflowError` beyond the year 9999."""
    year = born.year + age
    if year > date.max.year:
        raise OverflowError("the calendar ends with the year 9999")
    if (born.month, born.day) == (2, 29) and monthrange(year, 2)[1] == 28:
        return date(year, 3, 1)
    return born.replace(year=year)


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
    """The period in plain words: `six years`, `18 months`, `6 years and 1 month`, `six plus one years`."""
    if period.plus is not None:
        return _say_sum(replace(period, plus=None), period.plus)
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


def _say_sum(period: Period, plus: Period) -> str:
    first, second = say_period(period), say_period(plus)
    number, _, unit = first.rpartition(" ")
    more, _, same = second.rpartition(" ")
    if number.isalpha() and more.isalpha() and unit.removesuffix("s") == same.removesuffix("s"):
        return f"{number} plus {more} {unit.removesuffix('s')}s"
    return f"{first} plus {second}"


def say_cut_off(cut_off: CutOff) -> str:
    """The cut-off as people say it: `the end of the tax year`."""
    return "the end of the " + cut_off.value.removeprefix("end_of_").replace("_", " ")


def say_date(day: date) -> str:
    """The date as the British write it: `3 April 2023`, whatever the machine's locale."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
