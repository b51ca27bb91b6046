"""What is true of every decision, whatever the facts and the schedule."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.model.decision import Circumstances, Decision, DecisionState
from agent.model.event import Event
from agent.model.hold import Hold
from agent.model.schedule import Combination, Combined, Countdown, Period, RetentionClass, Trigger
from agent.retention.periods import add
from tests.retention.factories import a_class, a_record, a_schedule, an_assignment, at
from tests.retention.situations import (
    KEYS,
    TODAY,
    Situation,
    classes,
    combinations,
    cut_offs,
    days,
    events,
    holds,
    near,
    periods,
    situations,
    triggers,
)

EXAMPLES = 50 if "RETENTIOND_TEST_LONG" in os.environ else 20
YEAR = Period(years=1)
edges = st.sampled_from(
    [date(2024, 1, 31), date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1), date(2023, 2, 28), date(2020, 2, 29),
     date(2024, 3, 31), date(2024, 4, 5), date(2024, 4, 6), date(2024, 8, 31), date(2024, 12, 31)]
)  # fmt: skip
later = st.one_of(st.integers(0, 3), st.integers(0, 1500)).map(lambda number: timedelta(days=number))


def stands(decision: Decision) -> tuple[object, ...]:
    """All that people and machines act on, but for the state."""
    return decision.class_id, decision.outcome, decision.due_on, decision.placement, decision.holds


def goes_on(decision: Decision) -> date:
    """The day from which the item may go by its classes, the end of all days if that is not known or never."""
    return decision.due_on or date.max


# How decisions go on by themselves


@given(situations())
@settings(max_examples=EXAMPLES, deadline=None)
def test_until_the_day_of_again_nothing_changes_but_what_is_kept_becomes_due_on_its_day(situation: Situation) -> None:
    now = situation.on(TODAY)
    end = now.again_on or TODAY + timedelta(days=400)
    assert end > TODAY
    for number in range(1, (end - TODAY).days):
        day = TODAY + timedelta(days=number)
        then = situation.on(day)
        due = now.state is DecisionState.KEEP and now.due_on is not None and now.due_on <= day
        assert then.state is (DecisionState.DUE if due else now.state), day
        assert stands(then) == stands(now), day
        assert then.again_on == now.again_on, day


@given(situations(), near)
@settings(max_examples=EXAMPLES, deadline=None)
def test_every_decision_keeps_the_promises_of_its_state(situation: Situation, today: date) -> None:
    decision = situation.on(today)
    assert all(re.fullmatch(r"[A-Z].*[.)]", reason.sentence) for reason in decision.reasons)
    sentences = " ".join(reason.sentence for reason in decision.reasons)
    assert not re.search("zebedee|quux|fnord", sentences, re.IGNORECASE), "a sentence tells what a key stands for"
    match decision.state:
        case DecisionState.DUE:
            assert decision.due_on is not None
            assert decision.due_on <= today
        case DecisionState.KEEP:
            assert decision.due_on is None or decision.due_on > today
        case DecisionState.BLOCKED:
            assert decision.holds or decision.due_on is None
        case _:
            assert decision.due_on is None


# Precedence


@given(situations(), near, st.randoms(use_true_random=False))
@settings(max_examples=EXAMPLES, deadline=None)
def test_the_order_of_classes_events_holds_and_placement_rules_never_matters(
    situation: Situation, today: date, chance: random.Random
) -> None:
    def shuffled(many):  # type: ignore[no-untyped-def]
        return chance.sample(many, len(many))

    schedule, circumstances = situation.schedule, situation.circumstances
    other = Situation(
        situation.record,
        shuffled(situation.assignments),
        replace(schedule, classes=tuple(shuffled(schedule.classes)), placement=tuple(shuffled(schedule.placement))),
        shuffled(situation.events),
        replace(
            circumstances,
            holds=tuple(shuffled(circumstances.holds)),
            misplaced=tuple(shuffled(circumstances.misplaced)),
        ),
    )
    assert other.on(today) == situation.on(today)


@given(situations(), classes(), near)
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_further_class_never_makes_an_item_due(situation: Situation, further: RetentionClass, today: date) -> None:
    further = replace(further, id="further")
    before = situation.on(today)
    wider = replace(
        situation,
        assignments=[*situation.assignments, an_assignment("further", **KEYS)],
        schedule=replace(situation.schedule, classes=(*situation.schedule.classes, further)),
    )
    after = wider.on(today)
    if after.state is DecisionState.DUE and before.state is not DecisionState.UNCLASSIFIED:
        assert before.state is DecisionState.DUE
        assert goes_on(before) <= goes_on(after)


# Holds


@given(situations(), holds(), near)
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_hold_in_force_always_wins(situation: Situation, hold: Hold, today: date) -> None:
    hold = replace(hold, number=99, lifted_at=None, from_day=None, until_day=None)
    before, after = situation.on(today), situation.with_holds(hold).on(today)
    assert after.state is DecisionState.BLOCKED
    assert after.holds == (*before.holds, 99)
    assert (after.class_id, after.outcome, after.due_on) == (before.class_id, before.outcome, before.due_on)
    assert f'"{hold.name}"' in after.reasons[-1].sentence


@given(situations(), holds(), near)
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_further_hold_never_makes_anything_due(situation: Situation, hold: Hold, today: date) -> None:
    hold = replace(hold, number=99)
    before, after = situation.on(today), situation.with_holds(hold).on(today)
    if hold.in_force(today):
        assert after.state is DecisionState.BLOCKED
    else:
        assert replace(after, again_on=before.again_on) == before
    if hold.lifted_at:
        assert after == before


# Events


@given(situations(), events, near)
@settings(max_examples=EXAMPLES, deadline=None)
def test_an_event_that_is_withdrawn_or_about_something_else_leaves_no_trace(
    situation: Situation, event: Event, today: date
) -> None:
    before = situation.on(today)
    told = [*situation.events, event]
    replace(situation, events=told).on(today)
    told.pop()
    assert replace(situation, events=told).on(today) == before
    day = event.on
    others = [
        Event("left", "case", "17-quux", day),
        Event("joined", "person", "zebedee", day),
        Event("left", "person", "yolanda", day),
    ]
    assert replace(situation, events=[*situation.events, *others]).on(today) == before


def due_on(trigger: Trigger, told: list[Event], modified_on: date, period: Period | None, cut_off=None) -> date:  # type: ignore[no-untyped-def]
    alone = not isinstance(trigger, Combined)
    rule = a_class("c", trigger=trigger, period=period if alone else None, cut_off=cut_off, keys=tuple(KEYS))
    moment = at(modified_on.year, modified_on.month, modified_on.day)
    record = a_record(modified_at=moment, accessed_at=moment, first_seen_at=moment)
    return goes_on(Situation(record, [an_assignment("c", **KEYS)], a_schedule(rule), told).on(TODAY))


def lengthened(trigger: Trigger, more: Period) -> Iterator[Trigger]:
    """The combination with one of its periods longer than it was."""
    if isinstance(trigger, Combined):
        for position, one in enumerate(trigger.countdowns):
            longer = list(trigger.countdowns)
            longer[position] = Countdown(one.trigger, plus(one.period, more), one.cut_off)
            yield replace(trigger, countdowns=tuple(longer))


def plus(period: Period | None, more: Period) -> Period:
    if period is None:
        return more
    return replace(
        period,
        years=period.years + more.years,
        months=period.months + more.months,
        days=period.days + more.days,
        plus=plus(period.plus, more) if period.plus else None,
    )


any_period = st.one_of(st.none(), periods, st.builds(lambda one, two: replace(one, plus=two), periods, periods))
days_and_edges = st.one_of(days, edges)


@given(st.one_of(triggers, combinations), st.lists(events, max_size=3), days_and_edges, any_period, periods, cut_offs)
def test_a_longer_period_never_makes_an_item_due_earlier(trigger, told, modified_on, period, more, cut_off) -> None:
    before = due_on(trigger, told, modified_on, period, cut_off)
    assert due_on(trigger, told, modified_on, plus(period, more), cut_off) >= before
    for longer in lengthened(trigger, more):
        assert due_on(longer, told, modified_on, None, None) >= due_on(trigger, told, modified_on, None, None)


@given(
    st.one_of(triggers, combinations),
    st.lists(events, max_size=3),
    events,
    days_and_edges,
    later,
    any_period,
    cut_offs,
)
def test_a_later_event_never_makes_an_item_due_earlier(trigger, told, event, day, more, period, cut_off) -> None:
    earlier, moved = replace(event, on=day), replace(event, on=day + more)
    before = due_on(trigger, [*told, earlier], date(2024, 2, 29), period, cut_off)
    assert due_on(trigger, [*told, moved], date(2024, 2, 29), period, cut_off) >= before


@given(combinations, st.lists(events, max_size=3), days_and_edges, days_and_edges)
def test_the_first_of_several_is_never_later_than_the_last_and_the_last_never_later_than_all(
    combined: Combined, told: list[Event], modified_on: date, day: date
) -> None:
    told = [*told, Event("left", "person", "zebedee", day)]
    first, last, every = (
        due_on(replace(combined, how=how), told, modified_on, None)
        for how in (Combination.FIRST_OF, Combination.LAST_OF, Combination.ALL_OF)
    )
    assert first <= last <= every


# Extensions


@given(situations(), near, near)
@settings(max_examples=EXAMPLES, deadline=None)
def test_an_extension_never_makes_an_item_due_earlier_nor_lets_it_stay_beyond_what_its_classes_allow(
    situation: Situation, until: date, today: date
) -> None:
    plain = replace(situation, circumstances=Circumstances())
    before = plain.on(today)
    after = replace(plain, circumstances=Circumstances(extended_until=until)).on(today)
    assert goes_on(before) <= goes_on(after)
    assert after.state is before.state or after.state is DecisionState.KEEP
    if after.due_on != before.due_on:
        assert after.due_on is not None
        assert after.due_on <= until
        ruling = situation.schedule.by_id[after.class_id or ""]
        claims = [(before.class_id, before.due_on), *((claim.class_id, claim.due_on) for claim in before.competing)]
        own = next(day for class_id, day in claims if class_id == ruling.id)
        assert ruling.extension is not None
        assert own is not None
        assert after.due_on <= add(own, ruling.extension)


@given(near, near, periods)
def test_an_extension_is_the_time_that_was_given_as_far_as_the_class_allows(
    modified_on: date, until: date, longest: Period
) -> None:
    rule = a_class("c", period=YEAR, extension=longest)
    moment = at(modified_on.year, modified_on.month, modified_on.day)
    situation = Situation(a_record(modified_at=moment), [an_assignment("c")], a_schedule(rule), [])
    own = situation.on(TODAY + timedelta(days=400)).due_on
    assert own is not None
    extended = replace(situation, circumstances=Circumstances(extended_until=until)).on(TODAY + timedelta(days=400))
    assert extended.due_on == max(own, min(until, add(own, longest)))
