"""Hours in which something may be done."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.timetable.window import read_span, read_window

_MONDAY = datetime(2026, 11, 23)
_MINUTES = st.integers(0, 7 * 24 * 60 - 1)
_CLOCKS = st.integers(0, 24 * 60 - 1)


def at(text: str) -> datetime:
    """Such as `wed 07:30`, in the week of that Monday."""
    day, clock = text.split()
    hours, minutes = map(int, clock.split(":"))
    ahead = ("mon", "tue", "wed", "thu", "fri", "sat", "sun").index(day)
    return _MONDAY + timedelta(days=ahead, hours=hours, minutes=minutes)


@pytest.mark.parametrize(
    ("written", "open_at", "closed_at"),
    [
        ("20:00-06:00", ["mon 20:00", "tue 05:59", "sun 23:59", "mon 00:00"], ["mon 06:00", "mon 19:59"]),
        ("mon-fri 19:00-07:00", ["fri 19:00", "sat 06:59", "tue 03:00"], ["sat 19:00", "mon 03:00", "sat 07:00"]),
        ("sat,sun", ["sat 00:00", "sun 23:59"], ["fri 23:59", "mon 00:00"]),
        ("fri-mon 12:00-13:00", ["fri 12:00", "sun 12:30", "mon 12:59"], ["tue 12:00", "fri 13:00"]),
        ("00:00-24:00", ["mon 00:00", "mon 23:59"], []),
        ("MON 9:00-17:00", ["mon 09:00"], ["mon 17:00", "tue 09:00"]),
    ],
)
def test_a_window_is_open_when_it_says_so(written: str, open_at: list[str], closed_at: list[str]) -> None:
    window = read_window([written])

    assert [moment for moment in open_at if not window.is_open(at(moment))] == []
    assert [moment for moment in closed_at if window.is_open(at(moment))] == []


def test_without_hours_a_window_is_always_open() -> None:
    assert read_window([]).is_open(at("wed 03:00"))


def test_closed_hours_take_away_from_open_ones() -> None:
    window = read_window(["20:00-06:00"], ["02:00-03:30"])

    assert window.is_open(at("tue 01:59"))
    assert not window.is_open(at("tue 02:00"))
    assert window.is_open(at("tue 03:30"))


def test_a_closed_window_says_when_it_opens() -> None:
    window = read_window(["mon-fri 19:00-07:00"])

    assert window.opens(at("sat 08:00") + timedelta(seconds=31)) == at("mon 19:00") + timedelta(days=7)
    assert window.opens(at("tue 20:30")) == at("tue 20:30")


@pytest.mark.parametrize(
    "written",
    ["", "  ", "nights", "25:00-06:00", "20:00-06:61", "20:00", "mon-fry 20:00-06:00", "20:00-06:00 mon", "24:01-2:00"],
)
def test_what_is_no_window_is_refused_with_its_words(written: str) -> None:
    with pytest.raises(ValueError, match="must"):
        read_span(written)


def test_a_window_that_never_opens_is_refused() -> None:
    with pytest.raises(ValueError, match="never"):
        read_window(["sat,sun"], ["fri-mon"])


@given(_CLOCKS, _CLOCKS, _MINUTES)
def test_a_span_of_hours_is_open_as_long_as_it_says(begins: int, ends: int, minute: int) -> None:
    window = read_window([f"{begins // 60:02}:{begins % 60:02}-{ends // 60:02}:{ends % 60:02}"])
    moment = _MONDAY + timedelta(minutes=minute)
    clock = minute % (24 * 60)

    inside = begins <= clock < ends if begins < ends else not ends <= clock < begins

    assert window.is_open(moment) == inside


@given(_CLOCKS, _CLOCKS, _MINUTES)
def test_when_a_window_opens_it_is_open_and_was_not_a_minute_before(begins: int, ends: int, minute: int) -> None:
    window = read_window([f"mon,thu {begins // 60:02}:{begins % 60:02}-{ends // 60:02}:{ends % 60:02}"])
    moment = _MONDAY + timedelta(minutes=minute)

    opens = window.opens(moment)

    assert opens is not None
    assert window.is_open(opens)
    assert opens == moment or not window.is_open(opens - timedelta(minutes=1))
