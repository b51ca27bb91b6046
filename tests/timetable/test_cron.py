"""Times by cron expressions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.timetable.cron import check_cron, next_time

_LONDON = ZoneInfo("Europe/London")
_NONE = timedelta(0)


def test_the_clock_is_that_of_the_time_zone() -> None:
    summer = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)

    assert next_time("15 1 * * *", _LONDON, summer, _NONE, "") == datetime(2026, 7, 2, 0, 15, tzinfo=UTC)


def test_an_hour_that_summer_time_skips_comes_all_the_same() -> None:
    before = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)  # at 01:00 the clock goes to 02:00

    assert next_time("15 1 * * *", _LONDON, before, _NONE, "").date() == before.date()


def test_an_hour_that_comes_twice_is_named_once() -> None:
    before = datetime(2026, 10, 24, 23, 0, tzinfo=UTC)  # at 02:00 summer time the clock goes back to 01:00

    first = next_time("15 1 * * *", _LONDON, before, _NONE, "")

    assert next_time("15 1 * * *", _LONDON, first, _NONE, "") - first > timedelta(hours=12)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)), st.text(max_size=5), st.integers(0, 600))
def test_the_next_time_lies_ahead_and_not_too_far(moment: datetime, seed: str, minutes: int) -> None:
    after = moment.replace(tzinfo=UTC)
    jitter = timedelta(minutes=minutes)

    plain = next_time("30 4 * * *", _LONDON, after, _NONE, seed)
    put_off = next_time("30 4 * * *", _LONDON, after, jitter, seed)

    assert plain > after
    assert plain <= put_off <= plain + jitter
    assert put_off == next_time("30 4 * * *", _LONDON, after, jitter, seed)


@pytest.mark.parametrize("written", ["", "1 2 3", "99 1 * * *", "a b c d e", "0 0 30 2 *"])
def test_what_is_no_cron_expression_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(ValueError, match="must be a cron expression"):
        check_cron(written)
