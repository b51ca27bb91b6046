from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from agent.model.schedule import Period
from agent.retention.periods import add, date_in, due_after, parse_period, say_date, say_period

days = st.dates(date(1980, 1, 2), date(2100, 12, 31))
periods = st.builds(
    Period,
    years=st.integers(0, 100),
    months=st.integers(0, 1200),
    weeks=st.integers(0, 5000),
    days=st.integers(0, 30000),
)


@pytest.mark.parametrize(
    ("written", "period"),
    [
        ("P6Y", Period(years=6)),
        ("P6M", Period(months=6)),
        ("P6Y1M", Period(years=6, months=1)),
        ("P2W", Period(weeks=2)),
        ("P90D", Period(days=90)),
        ("P1Y2M3W4D", Period(1, 2, 3, 4)),
    ],
)
def test_an_iso_period_is_read_as_written(written: str, period: Period) -> None:
    assert parse_period(written) == period


@pytest.mark.parametrize(
    "written",
    ["", "P", "6Y", "six years", "P6X", "P6", "PY", "-P6Y", "P-6Y", "P0D", "P0Y0M", "PT6H", "P1DT1H", "P1.5Y", "p6y",
     "P6Y ", "P1M6Y", "P٦Y", "P501Y", "P9999999999999999999999Y", "P182626D"],
)  # fmt: skip
def test_what_is_no_period_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        parse_period(written)


@pytest.mark.parametrize(
    ("start", "written", "end"),
    [
        (date(2023, 1, 31), "P1M", date(2023, 2, 28)),
        (date(2024, 1, 31), "P1M", date(2024, 2, 29)),
        (date(2024, 2, 29), "P1Y", date(2025, 2, 28)),
        (date(2024, 2, 29), "P4Y", date(2028, 2, 29)),
        (date(2023, 2, 28), "P1Y", date(2024, 2, 28)),
        (date(1978, 9, 30), "P4M", date(1979, 1, 30)),  # the dates of Dodds v Walker [1981] 1 WLR 1027
        (date(2020, 12, 15), "P1M", date(2021, 1, 15)),
        (date(2017, 4, 3), "P6Y1M", date(2023, 5, 3)),
        (date(2024, 1, 31), "P1M1D", date(2024, 3, 1)),  # months first, then days
        (date(2024, 2, 20), "P2W", date(2024, 3, 5)),
    ],
)
def test_a_period_ends_on_the_corresponding_date(start: date, written: str, end: date) -> None:
    assert add(start, parse_period(written)) == end


def test_an_item_is_due_on_the_day_after_its_period_has_fully_run() -> None:
    assert due_after(date(2017, 4, 3), Period(years=6)) == date(2023, 4, 4)


def test_without_a_period_an_item_is_due_on_the_day_itself() -> None:
    assert due_after(date(2017, 4, 3), None) == date(2017, 4, 3)


@given(days, periods)
def test_a_period_is_added_as_dateutil_adds_it(start: date, period: Period) -> None:
    other = relativedelta(years=period.years, months=period.months, weeks=period.weeks, days=period.days)
    assert add(start, period) == start + other


@given(days, days, periods)
def test_a_later_start_never_ends_earlier(one: date, other: date, period: Period) -> None:
    earlier, later = sorted((one, other))
    assert add(earlier, period) <= add(later, period)


@given(days, periods, periods)
def test_a_longer_period_never_ends_earlier(start: date, shorter: Period, more: Period) -> None:
    longer = Period(
        shorter.years + more.years, shorter.months + more.months, shorter.weeks + more.weeks, shorter.days + more.days
    )
    assert start <= add(start, shorter) <= add(start, longer)


def test_a_period_beyond_the_calendar_overflows_openly() -> None:
    with pytest.raises(OverflowError):
        add(date(9990, 1, 1), Period(years=10))
    with pytest.raises(OverflowError):
        add(date(9999, 12, 30), Period(days=2))


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2020, 6, 30, 23, 30, tzinfo=UTC), date(2020, 7, 1)),
        (datetime(2020, 12, 31, 23, 30, tzinfo=UTC), date(2020, 12, 31)),
        (datetime(2020, 3, 29, 0, 59, tzinfo=UTC), date(2020, 3, 29)),
    ],
)
def test_a_timestamp_becomes_a_date_in_the_time_zone_of_the_schedule(moment: datetime, day: date) -> None:
    assert date_in(moment, ZoneInfo("Europe/London")) == day


def test_the_last_moment_of_the_calendar_is_still_a_date() -> None:
    assert date_in(datetime.max.replace(tzinfo=UTC), ZoneInfo("Asia/Tokyo")) == date.max
    assert date_in(datetime.min.replace(tzinfo=UTC) + timedelta(hours=1), ZoneInfo("America/New_York")) == date.min


@pytest.mark.parametrize(
    ("period", "said"),
    [
        (Period(years=6), "six years"),
        (Period(years=1), "one year"),
        (Period(years=6, months=1), "6 years and 1 month"),
        (Period(months=18), "18 months"),
        (Period(weeks=2), "two weeks"),
        (Period(1, 2, 3, 4), "1 year, 2 months, 3 weeks and 4 days"),
    ],
)
def test_a_period_is_said_in_plain_words(period: Period, said: str) -> None:
    assert say_period(period) == said


def test_a_date_is_said_as_the_british_write_it() -> None:
    assert say_date(date(2023, 4, 3)) == "3 April 2023"
