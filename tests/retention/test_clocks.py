"""The day on which an item may go, for every sort of clock: a day early and on the day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model.decision import LABELLED_MARK, DecisionState, ReasonCode
from agent.model.event import Event
from agent.model.schedule import (
    AgeTrigger,
    Combination,
    Combined,
    Countdown,
    CutOff,
    EventTrigger,
    Period,
    RecordDate,
    Trigger,
)
from agent.retention.decide import decide
from agent.retention.periods import birthday, cut_off_after, parse_period, say_period
from tests.retention.factories import a_class, a_record, a_schedule, an_assignment, at

ENDED, WITHDRAWN = EventTrigger("ended", "exercise"), EventTrigger("withdrawn", "person")
TWO_KEYS = {"exercise": "e1", "person": "p1"}


def when_due(
    trigger: Trigger,
    *events: Event,
    today: date,
    period: Period | None = None,
    cut_off: CutOff | None = None,
    **facts: object,
) -> tuple[DecisionState, date | None]:
    rule = a_class("c", trigger=trigger, period=period, cut_off=cut_off, keys=tuple(TWO_KEYS))
    decision = decide(a_record(**facts), [an_assignment("c", **TWO_KEYS)], a_schedule(rule), events, today)
    return decision.state, decision.due_on


def ended(on: date) -> Event:
    return Event("ended", "exercise", "E1", on)


def withdrawn(on: date) -> Event:
    return Event("withdrawn", "person", "P1", on)


def combined(how: Combination) -> Combined:
    return Combined(how, (Countdown(ENDED, parse_period("P6M+P6M")), Countdown(WITHDRAWN)))


def test_the_first_of_two_countdowns_lets_the_item_go() -> None:
    both = combined(Combination.FIRST_OF)
    one, other = ended(date(2025, 3, 31)), withdrawn(date(2025, 8, 9))
    assert when_due(both, one, today=date(2026, 3, 30)) == (DecisionState.KEEP, date(2026, 3, 31))
    assert when_due(both, one, today=date(2026, 3, 31)) == (DecisionState.DUE, date(2026, 3, 31))
    assert when_due(both, one, other, today=date(2025, 8, 9)) == (DecisionState.DUE, date(2025, 8, 9))
    assert when_due(both, one, other, today=date(2025, 8, 8)) == (DecisionState.KEEP, date(2026, 3, 31))


def test_the_last_of_two_countdowns_counts_only_what_has_begun() -> None:
    both = combined(Combination.LAST_OF)
    one, other = ended(date(2025, 3, 31)), withdrawn(date(2027, 8, 9))
    assert when_due(both, one, today=date(2026, 3, 31)) == (DecisionState.DUE, date(2026, 3, 31))
    assert when_due(both, one, other, today=date(2027, 8, 9)) == (DecisionState.DUE, date(2027, 8, 9))
    assert when_due(both, today=date(2027, 8, 9)) == (DecisionState.WAITING, None)


def test_all_of_two_countdowns_must_have_begun() -> None:
    both = combined(Combination.ALL_OF)
    one, other = ended(date(2025, 3, 31)), withdrawn(date(2025, 8, 9))
    assert when_due(both, one, today=date(2030, 1, 1)) == (DecisionState.WAITING, None)
    assert when_due(both, one, other, today=date(2026, 3, 30)) == (DecisionState.KEEP, date(2026, 3, 31))


def test_a_date_that_cannot_be_read_blocks_a_combination_that_needs_it() -> None:
    parts = (Countdown(RecordDate.CREATED, Period(years=1)), Countdown(ENDED))
    facts = {"created_at": None}
    needing, either = Combined(Combination.ALL_OF, parts), Combined(Combination.FIRST_OF, parts)
    assert when_due(needing, today=date(2030, 1, 1), **facts)[0] is DecisionState.BLOCKED
    assert when_due(either, today=date(2030, 1, 1), **facts)[0] is DecisionState.BLOCKED
    assert when_due(either, ended(date(2029, 1, 1)), today=date(2030, 1, 1), **facts) == (
        DecisionState.DUE,
        date(2029, 1, 1),
    )


def test_a_weak_date_in_any_part_asks_for_a_review() -> None:
    both = Combined(Combination.LAST_OF, (Countdown(RecordDate.MODIFIED, Period(years=1)), Countdown(ENDED)))
    rule = a_class("c", trigger=both, period=None, keys=("exercise",))
    record = a_record(modified_at=at(2015), created_at=at(2020))
    decision = decide(
        record, [an_assignment("c", exercise="e1")], a_schedule(rule), [ended(date(2024, 1, 1))], date(2025, 1, 1)
    )
    assert (decision.state, decision.outcome, decision.due_on) == (DecisionState.DUE, "review", date(2024, 1, 1))
    codes = [reason.code for reason in decision.reasons]
    assert codes.count(ReasonCode.CLOCK) == 2
    assert ReasonCode.COMBINED in codes
    assert ReasonCode.WEAK_DATE in codes


def test_a_combination_that_ends_beyond_the_calendar_is_kept() -> None:
    parts = (Countdown(ENDED, Period(years=9000)), Countdown(WITHDRAWN, Period(years=9000)))
    both = Combined(Combination.FIRST_OF, parts)
    state = when_due(both, ended(date(2020, 1, 1)), today=date(2030, 1, 1))
    assert state == (DecisionState.KEEP, None)


@pytest.mark.parametrize(
    ("cut_off", "start", "end"),
    [
        (CutOff.MONTH, date(2024, 2, 1), date(2024, 2, 29)),
        (CutOff.MONTH, date(2023, 2, 28), date(2023, 2, 28)),
        (CutOff.YEAR, date(2024, 1, 1), date(2024, 12, 31)),
        (CutOff.TAX_YEAR, date(2024, 4, 5), date(2024, 4, 5)),
        (CutOff.TAX_YEAR, date(2024, 4, 6), date(2025, 4, 5)),
        (CutOff.FINANCIAL_YEAR, date(2024, 4, 1), date(2025, 3, 31)),
        (CutOff.SCHOOL_YEAR, date(2024, 9, 1), date(2025, 8, 31)),
        (CutOff.SCHOOL_YEAR, date(2024, 8, 31), date(2024, 8, 31)),
    ],
)
def test_a_cut_off_moves_the_start_to_the_end_of_its_year(cut_off: CutOff, start: date, end: date) -> None:
    assert cut_off_after(start, cut_off) == end


def test_the_period_runs_from_the_cut_off() -> None:
    state, due_on = when_due(
        ENDED, ended(date(2019, 4, 6)), today=date(2026, 4, 5), period=Period(years=6), cut_off=CutOff.TAX_YEAR
    )
    assert (state, due_on) == (DecisionState.KEEP, date(2026, 4, 6))


@given(st.dates(max_value=date(9990, 1, 1)), st.sampled_from(CutOff))
def test_a_cut_off_is_never_before_its_date_and_is_its_own_cut_off(start: date, cut_off: CutOff) -> None:
    end = cut_off_after(start, cut_off)
    assert start <= end < start + timedelta(days=367)
    assert cut_off_after(end, cut_off) == end


def test_the_last_cut_off_is_that_of_the_calendar() -> None:
    with pytest.raises(OverflowError):
        cut_off_after(date(9999, 12, 1), CutOff.TAX_YEAR)
    state = when_due(ENDED, ended(date(2020, 1, 1)), today=date(2020, 1, 1), cut_off=CutOff.MONTH)
    assert state == (DecisionState.KEEP, date(2020, 1, 31))


@pytest.mark.parametrize(
    ("born", "age", "reached"),
    [
        (date(2008, 6, 30), 18, date(2026, 6, 30)),
        (date(2008, 2, 29), 18, date(2026, 3, 1)),
        (date(2008, 2, 29), 20, date(2028, 2, 29)),
    ],
)
def test_an_age_is_reached_on_the_birthday(born: date, age: int, reached: date) -> None:
    assert birthday(born, age) == reached


def test_a_minors_file_is_kept_until_some_years_after_the_age() -> None:
    birth = Event("born", "person", "p1", date(2008, 2, 29))
    of_age = AgeTrigger(18, "person")
    assert when_due(of_age, birth, today=date(2032, 3, 1), period=Period(years=6)) == (
        DecisionState.KEEP,
        date(2032, 3, 2),
    )
    assert when_due(of_age, birth, today=date(2012, 1, 1), period=Period(years=6))[0] is DecisionState.KEEP
    assert when_due(of_age, today=date(2012, 1, 1), period=Period(years=6)) == (DecisionState.WAITING, None)
    assert when_due(AgeTrigger(8000, "person"), birth, today=date(2032, 1, 1)) == (DecisionState.KEEP, None)


def test_the_last_access_and_the_label_are_dates_of_an_item() -> None:
    year = Period(years=1)
    facts = {"accessed_at": at(2024, 5, 6), "marks": {LABELLED_MARK: "2023-02-03T10:00:00Z"}}
    assert when_due(RecordDate.ACCESSED, today=date(2026, 1, 1), period=year, **facts)[1] == date(2025, 5, 7)
    assert when_due(RecordDate.LABELLED, today=date(2026, 1, 1), period=year, **facts)[1] == date(2024, 2, 4)
    unread = {"marks": {LABELLED_MARK: "yesterday"}}
    assert when_due(RecordDate.LABELLED, today=date(2026, 1, 1), period=year, **unread)[0] is DecisionState.BLOCKED


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("P6Y+P1Y", "six plus one years"),
        ("P6M + P6M", "six plus six months"),
        ("P1Y+P6M", "one year plus six months"),
        ("P18M+P1M", "18 months plus one month"),
    ],
)
def test_two_periods_are_read_and_said_as_a_sum(written: str, said: str) -> None:
    assert say_period(parse_period(written)) == said


def test_a_second_plus_is_refused() -> None:
    with pytest.raises(ValueError, match="more than one plus"):
        parse_period("P1Y+P1Y+P1Y")
    with pytest.raises(ValueError, match="is not a period"):
        parse_period("P1Y+")
