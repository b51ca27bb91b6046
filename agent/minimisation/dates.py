"""Dates as British offices write them."""

from __future__ import annotations

import re
from datetime import date

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<{0}>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thurs?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?"
_FORMS = (
    r"(?P<year1>\d{4})-(?P<month1>\d{2})-(?P<day1>\d{2})",
    _WEEKDAY + r"(?:the\s+)?(?P<day2>\d{1,2})(?:st|[nr]d|th)?\s+(?:day\s+of\s+)?"
    rf"{_MONTH.format('month2')},?\s+(?P<year2>\d{{4}})",
    _WEEKDAY + rf"{_MONTH.format('month3')}\s+(?P<day3>\d{{1,2}})(?:st|[nr]d|th)?,?\s+(?P<year3>\d{{4}})",
    r"(?P<day4>\d{1,2})(?P<dash>[/.-])(?P<month4>\d{1,2})(?P=dash)(?P<year4>\d{4}|\d{2})",
    rf"(?P<day5>\d{{1,2}})-{_MONTH.format('month5')}-(?P<year5>\d{{4}}|\d{{2}})",
)
DATE = re.compile(rf"(?<![\w/.-])(?:{'|'.join(_FORMS)})(?![\w/]|[.-]\w)", re.IGNORECASE)
_LATEST_YEARS = 10


def read_date(match: re.Match[str], around: date) -> date | None:
    """The date that `DATE` matched, in British order; none if there is no such day.

    A year of two digits is the last one so written that is not much later than `around`.
    """
    parts = {name[:-1]: value for name, value in match.groupdict().items() if value and name != "dash"}
    year = int(parts["year"])
    if len(parts["year"]) == 2:
        year += 2000 if 2000 + year <= around.year + _LATEST_YEARS else 1900
    month = parts["month"]
    number = int(month) if month.isdigit() else _MONTHS.index(month[:3].lower()) + 1
    try:
        return date(year, number, int(parts["day"]))
    except ValueError:
        return None
