"""Caps and clocks: what holds a whole run back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.catalogue.disposal_rows import Plan
from agent.disposition.guards import Caps, CapsReached, Share, clock_doubt
from agent.model.disposal import Account
from agent.model.schedule import Disposition
from connectors.base import ItemRef

ACCOUNT = Account("s", "1", "c", "C", "A law.", "one year", "", date(2020, 1, 1))
NEWEST = datetime(2026, 11, 26, 12, tzinfo=UTC)
AHEAD = timedelta(hours=48)


def a_plan(number: int, size: int = 10, share: str = "office") -> Plan:
    ref = ItemRef(b"", b"%d" % number)
    return Plan(number, share, ref, Disposition.DESTROY, b"v", None, size, "m", 2, ACCOUNT)


def allowed(caps: Caps, share: Share, *sizes: int) -> tuple[list[int], int]:
    reached = CapsReached(caps, {"office": share})
    plans = [a_plan(number, size) for number, size in enumerate(sizes)]
    through = [plan.item_id for plan in reached.allowed(plans)]
    return through, reached.beyond.get("office", 0)


def test_so_many_items_and_no_more() -> None:
    assert allowed(Caps(2, 1000, 100.0), Share(50, 0, 0), 1, 1, 1) == ([0, 1], 1)
    assert allowed(Caps(2, 1000, 100.0), Share(50, 1, 0), 1, 1, 1) == ([0], 2)


def test_so_many_bytes_and_one_larger_item_alone() -> None:
    assert allowed(Caps(9, 100, 100.0), Share(50, 0, 0), 60, 60, 40) == ([0, 2], 1)
    assert allowed(Caps(9, 100, 100.0), Share(50, 0, 0), 500, 1) == ([0], 1)
    assert allowed(Caps(9, 100, 100.0), Share(50, 1, 90), 20) == ([], 1)


def test_a_percentage_is_of_what_was_there_before_today_and_one_may_always_go() -> None:
    assert allowed(Caps(99, 1000, 5.0), Share(36, 4, 0), *[1] * 5) == ([], 5)
    assert allowed(Caps(99, 1000, 5.0), Share(100, 0, 0), *[1] * 8) == ([0, 1, 2, 3, 4], 3)
    assert allowed(Caps(99, 1000, 5.0), Share(3, 0, 0), 1, 1) == ([0], 1)


@given(st.integers(1, 20), st.integers(1, 500), st.floats(0.1, 100), st.integers(0, 50), st.lists(st.integers(0, 300)))
def test_the_caps_are_never_exceeded(items: int, size: int, percent: float, live: int, sizes: list[int]) -> None:
    through, beyond = allowed(Caps(items, size, percent), Share(live, 0, 0), *sizes)
    taken = [sizes[number] for number in through]
    assert len(through) + beyond == len(sizes)
    assert len(taken) <= max(1, min(items, int(live * percent / 100)))
    assert sum(taken) <= size or sum(one > 0 for one in taken) == 1


def doubt(now: datetime, *, synchronised: bool = False) -> str:
    return clock_doubt(now, NEWEST, AHEAD, synchronised=synchronised)


@pytest.mark.parametrize("synchronised", [False, True])
def test_a_clock_that_was_set_back_is_never_trusted(synchronised: bool) -> None:
    assert "Set the clock right" in doubt(datetime(1970, 1, 1, tzinfo=UTC), synchronised=synchronised)
    assert "Set the clock right" in doubt(NEWEST - timedelta(minutes=1, microseconds=1), synchronised=synchronised)


def test_a_clock_far_ahead_needs_a_time_server_or_a_person() -> None:
    assert "--clock-is-right" in doubt(datetime(2099, 1, 1, tzinfo=UTC))
    assert doubt(datetime(2099, 1, 1, tzinfo=UTC), synchronised=True) == ""
    assert doubt(NEWEST + AHEAD) == ""
    assert doubt(NEWEST + AHEAD + timedelta(seconds=1)) != ""


def test_summer_time_and_leap_days_are_no_doubt() -> None:
    before = datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC)
    assert clock_doubt(before + timedelta(seconds=1), before, AHEAD, synchronised=False) == ""
    leap = datetime(2028, 2, 29, 23, 59, tzinfo=UTC)
    assert clock_doubt(leap + timedelta(minutes=2), leap, AHEAD, synchronised=False) == ""


def test_before_anything_was_recorded_there_is_nothing_to_hold_it_against() -> None:
    assert clock_doubt(NEWEST, None, AHEAD, synchronised=False) == ""


def test_what_another_process_recorded_a_moment_ago_is_no_reason_to_doubt_the_clock() -> None:
    assert doubt(NEWEST - timedelta(seconds=59), synchronised=False) == ""
