"""What stands above the classes' clocks: a review's extension, a placement rule, and above all a hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from agent.model.decision import Decision, DecisionState, Misplacement, Reason, ReasonCode
from agent.model.hold import Hold, HoldKind
from agent.model.schedule import Disposition, Period, RetentionSchedule
from agent.retention.clocks import Clock
from agent.retention.periods import add, say_date, say_period

_KIND = {
    HoldKind.LEGAL_HOLD: "a legal hold",
    HoldKind.MORATORIUM: "a moratorium",
    HoldKind.SUBJECT_REQUEST: "an open request of a person",
    HoldKind.RESTRICTION: "a restriction of processing",
}
_ONLY_STORED = " Under a restriction the item may only be stored, neither changed nor erased (UK GDPR Art. 18(2))."


def extended(clock: Clock, until: date | None, today: date) -> Clock:
    """The clock after a review has let the item stay until the day before `until`, as far as its class allows; one that
    does not end by a known day is not changed."""
    longest = clock.retention_class.extension
    if until is None or longest is None or clock.due_on is None or until <= clock.due_on:
        return clock
    last = _latest(clock.due_on, longest)
    due_on = min(until, last)
    sentence = f"A review has extended the time of this item to {say_date(due_on)}."
    if until > last:
        sentence = (
            f"A review has extended the time of this item to {say_date(until)}, but its class allows "
            f"{say_period(longest)} at the most: {say_date(last)}."
        )
    reason = Reason(ReasonCode.EXTENDED, sentence, clock.retention_class.id)
    state = DecisionState.DUE if due_on <= today else DecisionState.KEEP
    return replace(clock, state=state, due_on=due_on, reasons=(*clock.reasons, reason))


def _latest(due_on: date, longest: Period) -> date:
    try:
        return add(due_on, longest)
    except OverflowError:
        return date.max


def placed(
    decision: Decision, misplaced: Sequence[Misplacement], schedule: RetentionSchedule, found_on: date, today: date
) -> Decision:
    """The decision where an item lies in the wrong place: each rule that it breaks is told, and one that demands
    quarantine has it moved out of reach from the day it was found, whatever its classes say, since that loses nothing.
    """
    if not misplaced:
        return decision
    rules = {rule.id: rule for rule in schedule.placement}
    reasons = []
    moved = None
    for misplacement in sorted(misplaced, key=lambda one: one.rule_id):
        rule = rules[misplacement.rule_id]
        then = "it is to be moved to quarantine and somebody told" if rule.quarantine else "this is reported"
        sentence = f'Placement rule "{rule.id}" ({rule.title}) is broken: {misplacement.provenance}; {then}.'
        reasons.append(Reason(ReasonCode.PLACEMENT, sentence))
        moved = moved or (rule.id if rule.quarantine else None)
    decision = replace(decision, reasons=(*decision.reasons, *reasons))
    if moved is None:
        return decision
    state = DecisionState.DUE if found_on <= today else DecisionState.KEEP
    return replace(decision, state=state, outcome=Disposition.QUARANTINE, due_on=found_on, placement=moved)


def held(decision: Decision, holds: Sequence[Hold], today: date) -> Decision:
    """The decision under the holds that cover the item. One in force blocks whatever else was decided."""
    standing = sorted((hold for hold in holds if hold.in_force(today)), key=lambda hold: hold.number)
    turns = [decision.again_on] if decision.again_on else []
    for hold in holds:
        if hold.lifted_at is not None:
            continue
        if hold.from_day is not None and hold.from_day > today:
            turns.append(hold.from_day)
        if hold.until_day is not None and today <= hold.until_day < date.max:
            turns.append(hold.until_day + timedelta(days=1))
    again_on = min(turns, default=None)
    if not standing:
        return replace(decision, again_on=again_on)
    return replace(
        decision,
        state=DecisionState.BLOCKED,
        reasons=(*decision.reasons, *map(_reason, standing)),
        holds=tuple(hold.number for hold in standing),
        again_on=again_on,
    )


def _reason(hold: Hold) -> Reason:
    parts = [f'Nothing may be done with the item: {_KIND[hold.kind]}, "{hold.name}", covers it']
    parts += [f" ({hold.citation})"] if hold.citation else []
    parts += [f", until the end of {say_date(hold.until_day)}"] if hold.until_day else []
    more = _ONLY_STORED if hold.kind is HoldKind.RESTRICTION else ""
    return Reason(ReasonCode.HOLD, f"{''.join(parts)}.{more}")
