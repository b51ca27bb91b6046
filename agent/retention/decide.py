"""From facts and a schedule to a decision with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from agent.model.decision import (
    CLASS_MARK,
    Assignment,
    Circumstances,
    Claim,
    Decision,
    DecisionState,
    Reason,
    ReasonCode,
)
from agent.model.event import Event
from agent.model.record import Record
from agent.model.schedule import Disposition, EventTrigger, RetentionSchedule
from agent.retention.circumstances import extended, held, placed
from agent.retention.clocks import Clock, read_clock
from agent.retention.countdowns import event_days
from agent.retention.periods import date_in, say_date

# The duty to keep, longest first: for good, until something happens that may never happen, until somebody has
# found out a date, and until a known day. A known day counts whether it lies ahead or not: the later one rules.
_PERMANENT, _UNTIL_EVENT, _UNTIL_MENDED, _UNTIL_DAY = range(4)
_GENTLEST_FIRST = (
    Disposition.RETAIN_PERMANENTLY,
    Disposition.REVIEW,
    Disposition.QUARANTINE,
    Disposition.ANONYMISE,
    Disposition.MINIMISE,
    Disposition.HAND_BACK,
    Disposition.THIN,
    Disposition.DESTROY,
)
_FAR_PAST = date.min
NO_CIRCUMSTANCES = Circumstances()


def decide(
    record: Record,
    assignments: Sequence[Assignment],
    schedule: RetentionSchedule,
    events: Sequence[Event],
    today: date,
    circumstances: Circumstances = NO_CIRCUMSTANCES,
) -> Decision:
    """Where the item stands on `today`, and why. The same facts always give the same decision.

    What stands above the classes
    - A hold in force that covers the item blocks it, whatever else is true.
    - A placement rule that demands quarantine has the item moved out of reach at once.
    - A review may have given it more time, which each class counts as far as it allows an extension.
    - An exemption takes the item out of a class, and into another one if it says so, before the classes are compared.

    Which of several classes rules
    1. The longest duty to keep. A class that keeps for good rules over all; then one that waits for its event; then
       one whose date no one can believe, which blocks; then the class whose due date is the latest. So the item stays
       until the last of its classes lets it go.
    2. Where two let it go on the same day, the class assigned explicitly (by a mark at the source) rules over one
       assigned by a condition.
    3. Then the class with the shortest limit, that is the one whose clock started last.
    4. Then the gentler outcome (review first, destroy last) and the first id in the alphabet, so that the order in
       which classes are written never decides.

    Whatever the classes say, the outcome is a review where the item's dates are weak evidence and any of its classes
    rests on them, or where its mark names a class that the schedule does not have. `assignments` must name classes of
    `schedule`; events of other keys and types may be among `events`.
    """
    applying, exempt = _exempted(assignments, schedule, events, today)
    decision = _by_classes(record, applying, schedule, events, today, circumstances.extended_until)
    if exempt:
        again_on = _first(decision.again_on, *(turn for _, turn in exempt))
        told = tuple(reason for reason, _ in exempt if reason is not None)
        decision = replace(decision, reasons=(*told, *decision.reasons), again_on=again_on)
    found_on = date_in(record.first_seen_at, schedule.time_zone)
    decision = placed(decision, circumstances.misplaced, schedule, found_on, today)
    return held(decision, circumstances.holds, today)


def _exempted(
    assignments: Sequence[Assignment], schedule: RetentionSchedule, events: Sequence[Event], today: date
) -> tuple[list[Assignment], list[tuple[Reason | None, date | None]]]:
    """The classes that no exemption takes the item out of; for the others why, and for all when that will change."""
    applying: list[Assignment] = []
    gone_over: list[Assignment] = []
    told: list[tuple[Reason | None, date | None]] = []
    for assignment in sorted(assignments, key=lambda one: one.class_id):
        retention_class = schedule.by_id[assignment.class_id]
        why = assignment.exempt
        for exemption in retention_class.unless:
            if why or not isinstance(exemption.by, EventTrigger):
                continue
            days = event_days(events, exemption.by, assignment)
            if any(day <= today for day in days):
                why = f'the event "{exemption.by.type}" of the "{exemption.by.key}" this item belongs to'
            elif days:
                told.append((None, min(days)))
        if why:
            class_id, otherwise = retention_class.id, retention_class.otherwise
            sentence = f'Class "{class_id}" ({retention_class.title}) does not apply, by an exemption: {why}.'
            if otherwise:
                sentence += f' The item belongs to class "{otherwise}" instead.'
                gone_over.append(replace(assignment, class_id=otherwise, provenance=f"for {why}", exempt=""))
            told.append((Reason(ReasonCode.EXEMPT, sentence, class_id), None))
        else:
            applying.append(assignment)
    known = {assignment.class_id for assignment in applying}
    return [*applying, *(one for one in gone_over if one.class_id not in known)], told


def _by_classes(
    record: Record,
    assignments: Sequence[Assignment],
    schedule: RetentionSchedule,
    events: Sequence[Event],
    today: date,
    extended_until: date | None,
) -> Decision:
    unknown_mark = _unknown_mark(record, schedule)
    if not assignments:
        sentence = "No class of the schedule applies to this item."
        no_class = Reason(ReasonCode.NO_CLASS, sentence)
        reasons = (no_class, unknown_mark) if unknown_mark else (no_class,)
        return Decision(DecisionState.UNCLASSIFIED, None, None, None, reasons)
    read = (
        read_clock(record, schedule.by_id[assignment.class_id], assignment, events, today, schedule.time_zone)
        for assignment in assignments
    )
    clocks = sorted((extended(clock, extended_until, today) for clock in read), key=_precedence)
    strongest: dict[str, Clock] = {}
    for clock in clocks:
        # An item that goes over to one class from several has a clock there for each: the longest duty counts.
        strongest.setdefault(clock.retention_class.id, clock)
    ruling, *others = strongest.values()
    weak = next((clock.weak for clock in clocks if clock.weak), None)
    doubts = [doubt for doubt in (weak, unknown_mark) if doubt]
    outcome = ruling.retention_class.outcome
    if doubts and outcome is not Disposition.RETAIN_PERMANENTLY:
        outcome = Disposition.REVIEW
    return Decision(
        ruling.state,
        ruling.retention_class.id,
        outcome,
        ruling.due_on,
        (
            _applies(ruling),
            *ruling.reasons,
            *(reason for other in others for reason in (_applies(other), *other.reasons, _lost(other, ruling))),
            *doubts,
            _verdict(ruling, outcome),
        ),
        tuple(_claim(other) for other in others),
        again_on=_first(*(clock.again_on for clock in clocks)),
    )


def _first(*days: date | None) -> date | None:
    return min((day for day in days if day is not None), default=None)


def _precedence(clock: Clock) -> tuple[int, int, bool, int, int, str]:
    """Sorts the class that rules to the front; the steps are those in the docstring of `decide`."""
    return (
        _duty(clock),
        -(clock.due_on or _FAR_PAST).toordinal(),
        not clock.assignment.explicit,
        -(clock.started_on or _FAR_PAST).toordinal(),
        _GENTLEST_FIRST.index(clock.retention_class.outcome),
        clock.retention_class.id,
    )


def _duty(clock: Clock) -> int:
    match clock.state:
        case DecisionState.WAITING:
            return _UNTIL_EVENT
        case DecisionState.BLOCKED:
            return _UNTIL_MENDED
        case _:
            return _UNTIL_DAY if clock.due_on else _PERMANENT


def _unknown_mark(record: Record, schedule: RetentionSchedule) -> Reason | None:
    """The mark's own words are not repeated: anybody may have written anything there."""
    mark = record.marks.get(CLASS_MARK, "").strip().casefold()
    if not mark or mark in schedule.by_id:
        return None
    sentence = (
        f'The mark "{CLASS_MARK}" at the source names a class that this schedule does not have. '
        "A person must correct the mark or the schedule before anything is done."
    )
    return Reason(ReasonCode.UNKNOWN_MARK, sentence)


def _applies(clock: Clock) -> Reason:
    retention_class = clock.retention_class
    sentence = f'Class "{retention_class.id}" ({retention_class.title}) applies: {clock.assignment.provenance}.'
    return Reason(ReasonCode.CLASS_APPLIES, sentence, retention_class.id)


def _lost(other: Clock, ruling: Clock) -> Reason:
    """Which step of the precedence set this class aside."""
    loser, winner = f'Class "{other.retention_class.id}"', f'class "{ruling.retention_class.id}"'
    if _duty(ruling) == _PERMANENT and _duty(other) != _PERMANENT:
        why = f"{winner} keeps the item permanently"
    elif _duty(ruling) == _UNTIL_EVENT and _duty(other) != _UNTIL_EVENT:
        why = f"{winner} keeps the item until its event"
    elif _duty(ruling) == _UNTIL_MENDED and _duty(other) != _UNTIL_MENDED:
        why = f"the date that {winner} counts from must be mended first"
    elif ruling.due_on and ruling.due_on != other.due_on:
        why = f"{winner} keeps the item longer, and it stays until the last of its classes lets it go"
    elif ruling.assignment.explicit and not other.assignment.explicit:
        why = f"both say the same of the item's time, and {winner} was assigned explicitly"
    elif ruling.started_on != other.started_on:
        why = f"both let the item go on the same day, and {winner} has the shorter limit"
    elif ruling.retention_class.outcome is not other.retention_class.outcome:
        why = f"both say the same of the item's time, and {winner} has the gentler outcome"
    else:
        why = f"both say the same, and {winner} comes first in the alphabet"
    return Reason(ReasonCode.COMPETING, f"{loser} does not rule: {why}.", other.retention_class.id)


def _verdict(ruling: Clock, outcome: Disposition) -> Reason:
    class_id = ruling.retention_class.id
    then = f"the outcome is: {say_outcome(outcome)}"
    match ruling.state:
        case DecisionState.DUE if ruling.due_on:
            what = f"the item has been due since {say_date(ruling.due_on)}; {then}"
        case DecisionState.KEEP if ruling.due_on:
            what = f"the item is kept until it is due on {say_date(ruling.due_on)}; then {then}"
        case DecisionState.KEEP:
            what = "the item is kept permanently"
        case DecisionState.WAITING:
            what = "the item is kept until the event has happened"
        case _:
            what = "nothing may be done with the item until a person has settled its date"
    return Reason(ReasonCode.RULING, f'Class "{class_id}" rules: {what}.', class_id)


def say_outcome(outcome: Disposition) -> str:
    """The outcome as people say it: `retain permanently`."""
    return outcome.value.replace("_", " ")


def _claim(clock: Clock) -> Claim:
    return Claim(
        clock.retention_class.id,
        clock.state,
        clock.retention_class.outcome,
        clock.due_on,
        clock.assignment.explicit,
    )
