"""Situations drawn at random: facts about one item, and a schedule under which it has some of every sort of rule."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import strategies as st

from agent.model.decision import CLASS_MARK, LABELLED_MARK, Assignment, Circumstances, Decision, Misplacement
from agent.model.event import Event
from agent.model.hold import Hold, HoldKind, HoldScope
from agent.model.record import Record
from agent.model.schedule import (
    BORN,
    AgeTrigger,
    Combination,
    Combined,
    Countdown,
    CutOff,
    Disposition,
    EventTrigger,
    Exemption,
    Period,
    PlacementRule,
    RecordDate,
    RetentionClass,
    RetentionSchedule,
)
from agent.retention.decide import decide
from tests.retention.factories import a_class, a_record, a_schedule, an_assignment, at

TODAY = date(2026, 11, 24)
LEFT, CLOSED = EventTrigger("left", "person"), EventTrigger("closed", "case")
REPORTED = EventTrigger("reported", "case")
OF_AGE = AgeTrigger(18, "person")
KEYS = {"person": "zebedee", "case": "17-quux"}

# Days near today, so that much of what happens lies a little ahead; and some that were hardly ever anybody's.
near = st.integers(-3000, 380).map(lambda days: TODAY + timedelta(days=days))
days = st.one_of(near, near, near, st.sampled_from([date(1970, 1, 1), date(2024, 2, 29), date(2009, 2, 28)]))
moments = days.map(lambda day: datetime.combine(day, time(12), UTC))
periods = st.builds(
    lambda years, months, number: Period(years=years, months=months, days=number),
    st.integers(0, 8),
    st.integers(0, 18),
    st.integers(1, 40),
)
cut_offs = st.one_of(st.none(), st.sampled_from(CutOff))
triggers = st.sampled_from([*RecordDate, LEFT, CLOSED, OF_AGE])
countdowns = st.builds(Countdown, triggers, st.one_of(st.none(), periods), cut_offs)
combinations = st.builds(
    Combined, st.sampled_from(Combination), st.lists(countdowns, min_size=2, max_size=3).map(tuple)
)
events = st.builds(
    lambda one, day: Event(*one, day),
    st.sampled_from([("left", "person", "Zebedee"), ("closed", "case", "17-Quux"), ("reported", "case", "17-quux"),
                     (BORN, "person", "zebedee"), ("closed", "case", "18-fnord")]),
    days,
)  # fmt: skip


@st.composite
def classes(draw: st.DrawFn) -> RetentionClass:
    class_id = f"c{draw(st.integers(0, 9))}"
    outcome = draw(st.sampled_from([*Disposition, *[Disposition.DESTROY] * 6]))
    if outcome is Disposition.RETAIN_PERMANENTLY:
        return a_class(class_id, trigger=None, period=None, outcome=outcome, keys=tuple(KEYS))
    trigger = draw(st.one_of(triggers, triggers, combinations))
    alone = not isinstance(trigger, Combined)
    return a_class(
        class_id,
        trigger=trigger,
        period=draw(periods) if alone else None,
        cut_off=draw(cut_offs) if alone else None,
        outcome=outcome,
        keys=tuple(KEYS),
        unless=draw(st.sampled_from([(), (), (Exemption(REPORTED),)])),
        extension=draw(st.one_of(st.none(), periods)),
    )


@st.composite
def holds(draw: st.DrawFn) -> Hold:
    number = draw(st.integers(1, 9))
    return Hold(
        number,
        f"hold {number}",
        draw(st.sampled_from(HoldKind)),
        HoldScope(),
        "a reason",
        draw(st.sampled_from(["", "claim 1"])),
        "somebody",
        at(2020),
        from_day=draw(st.one_of(st.none(), near)),
        until_day=draw(st.one_of(st.none(), near)),
        lifted_at=draw(st.sampled_from([None, None, None, at(2025)])),
    )


@dataclass(frozen=True)
class Situation:
    """Everything that `decide` is told beside the day."""

    record: Record
    assignments: list[Assignment]
    schedule: RetentionSchedule
    events: list[Event]
    circumstances: Circumstances = field(default_factory=Circumstances)

    def on(self, today: date) -> Decision:
        return decide(self.record, self.assignments, self.schedule, self.events, today, self.circumstances)

    def with_holds(self, *more: Hold) -> Situation:
        held = replace(self.circumstances, holds=(*self.circumstances.holds, *more))
        return replace(self, circumstances=held)


def _with_exits(draw: st.DrawFn, drawn: list[RetentionClass]) -> list[RetentionClass]:
    """Classes with exemptions let items go over to one of those that have none."""
    targets = [one.id for one in drawn if not one.unless]
    return [
        replace(one, otherwise=draw(st.one_of(st.none(), st.sampled_from(targets)))) if one.unless and targets else one
        for one in drawn
    ]


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    drawn = draw(st.lists(classes(), min_size=1, max_size=4, unique_by=lambda one: one.id))
    schedule = replace(
        a_schedule(*_with_exits(draw, drawn)),
        placement=tuple(PlacementRule(f"r{n}", "Not here", "A law.", drawn[0].applies_when, n == 2) for n in (1, 2)),
    )
    modified_at = draw(moments)
    record = a_record(
        modified_at=modified_at,
        created_at=draw(st.one_of(st.none(), st.just(modified_at), moments)),
        accessed_at=draw(st.one_of(st.none(), moments)),
        first_seen_at=draw(moments),
        arrived_with=draw(st.sampled_from([1, 1, 100])),
        marks=draw(st.sampled_from([{}, {}, {CLASS_MARK: "nothing"}, {LABELLED_MARK: "2026-12-01"}])),
    )
    assigned = draw(st.lists(st.sampled_from(schedule.classes), max_size=4, unique_by=lambda one: one.id))
    assignments = [
        replace(
            an_assignment(one.id, explicit=draw(st.booleans()), **draw(st.sampled_from([{}, KEYS, KEYS, KEYS]))),
            exempt=draw(st.sampled_from(["", "", "", 'label "used" at the source'])) if one.unless else "",
        )
        for one in assigned
    ]
    broken = draw(st.lists(st.sampled_from(["r1", "r1", "r2"]), max_size=2, unique=True))
    circumstances = Circumstances(
        tuple(draw(st.lists(holds(), max_size=2, unique_by=lambda hold: hold.number))),
        tuple(Misplacement(rule_id, 'path pattern "**"') for rule_id in broken),
        draw(st.one_of(st.none(), near)),
    )
    return Situation(record, assignments, schedule, draw(st.lists(events, max_size=4)), circumstances)
