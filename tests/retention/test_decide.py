from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from agent.model.decision import CLASS_MARK, Claim, DecisionState, ReasonCode
from agent.model.event import Event
from agent.model.schedule import Disposition, EventTrigger, Period, RecordDate, RetentionClass
from agent.retention.decide import decide
from tests.retention.factories import a_class, a_record, a_schedule, an_assignment, at

LEFT = EventTrigger("employment_ended", "person")
TODAY = date(2026, 11, 24)


def test_a_period_is_hit_on_the_day_and_missed_a_day_early() -> None:
    schedule = a_schedule(a_class("payroll", outcome=Disposition.DESTROY))
    record = a_record(modified_at=at(2017, 4, 3))
    early = decide(record, [an_assignment("payroll")], schedule, [], date(2023, 4, 3))
    on_the_day = decide(record, [an_assignment("payroll")], schedule, [], date(2023, 4, 4))
    assert (early.state, early.due_on) == (DecisionState.KEEP, date(2023, 4, 4))
    assert (on_the_day.state, on_the_day.outcome) == (DecisionState.DUE, Disposition.DESTROY)


def test_the_item_stays_until_the_last_of_its_classes_lets_it_go() -> None:
    schedule = a_schedule(a_class("long", period=Period(years=9)), a_class("short", period=Period(years=1)))
    record = a_record(modified_at=at(2020, 1, 1))
    decision = decide(record, [an_assignment("short", explicit=True), an_assignment("long")], schedule, [], TODAY)
    assert (decision.state, decision.class_id, decision.due_on) == (DecisionState.KEEP, "long", date(2029, 1, 2))
    assert decision.competing == (
        Claim("short", DecisionState.DUE, Disposition.DESTROY, date(2021, 1, 2), explicit=True),
    )


@pytest.mark.parametrize(
    ("stronger", "weaker", "why"),
    [
        (
            a_class("z", trigger=None, period=None, outcome=Disposition.RETAIN_PERMANENTLY),
            a_class("a", trigger=LEFT),
            "keeps the item permanently",
        ),
        (a_class("z", trigger=LEFT), a_class("a", trigger=RecordDate.CREATED), "keeps the item until its event"),
        (a_class("z", trigger=RecordDate.CREATED), a_class("a", period=Period(years=90)), "must be mended first"),
        (a_class("z", period=Period(years=7)), a_class("a", period=Period(years=6)), "keeps the item longer"),
        (a_class("z", outcome=Disposition.REVIEW), a_class("a", outcome=Disposition.ANONYMISE), "the gentler outcome"),
        (a_class("z", outcome=Disposition.ANONYMISE), a_class("a", outcome=Disposition.DESTROY), "the gentler outcome"),
        (a_class("a"), a_class("z"), "comes first in the alphabet"),
    ],
)
def test_each_step_of_the_precedence_is_told(stronger: RetentionClass, weaker: RetentionClass, why: str) -> None:
    record = a_record(created_at=None)
    assignments = [an_assignment(weaker.id), an_assignment(stronger.id)]
    decision = decide(record, assignments, a_schedule(weaker, stronger), [], TODAY)
    assert decision.class_id == stronger.id
    assert any(why in reason.sentence for reason in decision.reasons if reason.code is ReasonCode.COMPETING)


def test_on_the_same_day_the_explicit_class_rules_and_then_the_shorter_limit() -> None:
    left = Event(LEFT.type, LEFT.key, "p-1044", date(2018, 4, 3))
    shorter = a_class("z", trigger=LEFT, keys=("person",), period=Period(years=3))
    longer = a_class("a", period=Period(years=6))
    record = a_record(modified_at=at(2015, 4, 3))
    schedule = a_schedule(shorter, longer)

    def ruling(*, explicit: bool) -> tuple[str | None, str]:
        assignments = [an_assignment("z", person="p-1044"), an_assignment("a", explicit=explicit)]
        decision = decide(record, assignments, schedule, [left], TODAY)
        lost = next(reason.sentence for reason in decision.reasons if reason.code is ReasonCode.COMPETING)
        return decision.class_id, lost

    assert ruling(explicit=False)[0] == "z"
    assert "the shorter limit" in ruling(explicit=False)[1]
    assert ruling(explicit=True)[0] == "a"
    assert "assigned explicitly" in ruling(explicit=True)[1]


def test_the_last_of_several_events_counts_and_one_to_come_keeps_the_item() -> None:
    schedule = a_schedule(a_class("file", trigger=LEFT, keys=("person",), period=Period(years=6)))
    assignments = [an_assignment("file", person="smith j")]
    first = Event(LEFT.type, LEFT.key, "Smith J ", date(2010, 1, 31))
    again = Event(LEFT.type, LEFT.key, "SMITH J", date(2014, 1, 31))
    another = Event(LEFT.type, LEFT.key, "Jones", date(2019, 1, 31))
    assert decide(a_record(), assignments, schedule, [again, first, another], TODAY).due_on == date(2020, 2, 1)
    to_come = Event(LEFT.type, LEFT.key, "smith j", TODAY + timedelta(days=1))
    decision = decide(a_record(), assignments, schedule, [first, to_come], TODAY)
    assert decision.state is DecisionState.WAITING
    assert "still to come" in decision.reasons[1].sentence


def test_events_of_another_type_or_key_are_not_taken_for_the_one_awaited() -> None:
    schedule = a_schedule(a_class("file", trigger=LEFT, keys=("person",)))
    others = [
        Event("case_closed", "person", "p-1044", date(2010, 1, 1)),
        Event(LEFT.type, "case", "p-1044", date(2010, 1, 1)),
    ]
    decision = decide(a_record(), [an_assignment("file", person="p-1044")], schedule, others, TODAY)
    assert decision.state is DecisionState.WAITING


def test_an_event_without_a_period_lets_the_item_go_on_its_day() -> None:
    schedule = a_schedule(
        a_class("diet", trigger=EventTrigger("course_ended", "course"), keys=("course",), period=None)
    )
    ended = Event("course_ended", "course", "c1", TODAY)
    decision = decide(a_record(), [an_assignment("diet", course="c1")], schedule, [ended], TODAY)
    assert (decision.state, decision.due_on) == (DecisionState.DUE, TODAY)


@pytest.mark.parametrize(
    "modified_at",
    [
        at(1970, 1, 1, hour=0),
        at(1980, 1, 1),
        datetime(2026, 11, 25, 0, 30, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ],
)
def test_an_impossible_date_blocks_and_says_what_to_do(modified_at: datetime) -> None:
    schedule = a_schedule(a_class("payroll"))
    decision = decide(a_record(modified_at=modified_at), [an_assignment("payroll")], schedule, [], TODAY)
    assert decision.state is DecisionState.BLOCKED
    assert decision.reasons[1].code is ReasonCode.IMPOSSIBLE_DATE
    assert "A person must find out the true date" in decision.reasons[1].sentence


@pytest.mark.parametrize("modified_at", [at(1980, 1, 2), datetime(2026, 11, 24, 23, 30, tzinfo=UTC)])
def test_the_first_and_last_believable_dates_do_not_block(modified_at: datetime) -> None:
    schedule = a_schedule(a_class("payroll"))
    decision = decide(a_record(modified_at=modified_at), [an_assignment("payroll")], schedule, [], TODAY)
    assert decision.state is not DecisionState.BLOCKED


def test_a_class_that_counts_from_a_creation_nobody_knows_blocks() -> None:
    schedule = a_schedule(a_class("payroll", trigger=RecordDate.CREATED))
    decision = decide(a_record(created_at=None), [an_assignment("payroll")], schedule, [], TODAY)
    assert (decision.state, decision.reasons[1].code) == (DecisionState.BLOCKED, ReasonCode.NO_DATE)


@pytest.mark.parametrize(
    ("created_at", "outcome"),
    [
        (None, Disposition.REVIEW),
        (at(2015, 4, 4, hour=13), Disposition.REVIEW),
        (at(2015, 4, 4, hour=12), Disposition.DESTROY),
        (at(2015, 1, 1), Disposition.DESTROY),
    ],
)
def test_a_date_that_a_copy_may_have_set_never_destroys_without_a_person(
    created_at: datetime | None, outcome: Disposition
) -> None:
    schedule = a_schedule(a_class("payroll", outcome=Disposition.DESTROY))
    record = a_record(modified_at=at(2015, 4, 3), created_at=created_at)
    decision = decide(record, [an_assignment("payroll")], schedule, [], TODAY)
    assert (decision.state, decision.outcome) == (DecisionState.DUE, outcome)
    assert any(reason.code is ReasonCode.WEAK_DATE for reason in decision.reasons) is (outcome is Disposition.REVIEW)


def test_a_weak_date_of_a_class_that_does_not_rule_still_calls_for_a_person() -> None:
    left = Event(LEFT.type, LEFT.key, "p-1044", date(2018, 4, 3))
    schedule = a_schedule(a_class("file", trigger=LEFT, keys=("person",)), a_class("payroll", period=Period(years=1)))
    assignments = [an_assignment("file", person="p-1044"), an_assignment("payroll")]
    decision = decide(a_record(created_at=None), assignments, schedule, [left], TODAY)
    assert (decision.class_id, decision.state, decision.outcome) == ("file", DecisionState.DUE, Disposition.REVIEW)


def test_a_clock_started_by_an_event_does_not_mind_the_dates_of_the_file() -> None:
    left = Event(LEFT.type, LEFT.key, "p-1044", date(2018, 4, 3))
    schedule = a_schedule(a_class("file", trigger=LEFT, keys=("person",)))
    decision = decide(a_record(created_at=None), [an_assignment("file", person="p-1044")], schedule, [left], TODAY)
    assert decision.outcome is Disposition.DESTROY


def test_a_mark_that_names_no_class_calls_for_a_person_and_is_not_repeated() -> None:
    schedule = a_schedule(a_class("payroll"))
    record = a_record(marks={CLASS_MARK: "Zebedee Quill"})
    decision = decide(record, [an_assignment("payroll")], schedule, [], TODAY)
    assert (decision.state, decision.outcome) == (DecisionState.DUE, Disposition.REVIEW)
    unclassified = decide(record, [], schedule, [], TODAY)
    assert unclassified.state is DecisionState.UNCLASSIFIED
    for reasons in (decision.reasons, unclassified.reasons):
        assert any(reason.code is ReasonCode.UNKNOWN_MARK for reason in reasons)
        assert "quill" not in repr(reasons).lower()


def test_a_period_that_ends_beyond_the_calendar_keeps_the_item() -> None:
    schedule = a_schedule(a_class("file", period=Period(years=500)))
    record = a_record(modified_at=at(9600))
    decision = decide(record, [an_assignment("file")], schedule, [], date(9700, 1, 1))
    assert (decision.state, decision.due_on) == (DecisionState.KEEP, None)


def test_keys_and_event_values_stay_out_of_repr() -> None:
    assert "quill" not in repr(an_assignment("file", person="zebedee quill"))
    assert "quill" not in repr(Event(LEFT.type, LEFT.key, "zebedee quill", TODAY))
