"""What each class's clock says of an item: from which date it runs, how sure that date is, and when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

from agent.model.decision import Assignment, DecisionState, Reason, ReasonCode
from agent.model.event import Event
from agent.model.record import Record
from agent.model.schedule import Combination, Combined, Countdown, RetentionClass
from agent.retention.countdowns import Facts, Reading, read_countdown
from agent.retention.periods import say_date


@dataclass(frozen=True, slots=True)
class Clock:
    """One class's clock for one item on one day.

    `started_on` and `due_on` are none where the clock has not started, cannot be read, or never ends.
    """

    retention_class: RetentionClass
    assignment: Assignment
    state: DecisionState
    reasons: tuple[Reason, ...]
    started_on: date | None = None
    due_on: date | None = None
    weak: Reason | None = None


def read_clock(
    record: Record,
    retention_class: RetentionClass,
    assignment: Assignment,
    events: Sequence[Event],
    today: date,
    time_zone: tzinfo,
) -> Clock:
    """The clock that this class runs for the item."""
    facts = Facts(record, retention_class, assignment, events, today, time_zone)
    match retention_class.trigger:
        case None:
            sentence = f"{facts.name} keeps its items permanently."
            reasons = (Reason(ReasonCode.NO_CLOCK, sentence, retention_class.id),)
            return Clock(retention_class, assignment, DecisionState.KEEP, reasons)
        case Combined() as combined:
            return _combined(facts, combined)
        case trigger:
            countdown = Countdown(trigger, retention_class.period, retention_class.cut_off)
            return _clock(facts, read_countdown(facts, countdown))


def _clock(facts: Facts, ruling: Reading, reasons: tuple[Reason, ...] = (), weak: Reason | None = None) -> Clock:
    return Clock(
        facts.retention_class,
        facts.assignment,
        ruling.state,
        reasons or (ruling.reason,),
        ruling.started_on,
        ruling.due_on,
        weak or ruling.weak,
    )


def _combined(facts: Facts, combined: Combined) -> Clock:
    """The clock of several countdowns. A weak date in any of them makes the whole weak: it might have been another."""
    readings = [read_countdown(facts, countdown) for countdown in combined.countdowns]
    reasons = tuple(reading.reason for reading in readings)
    weak = next((reading.weak for reading in readings if reading.weak), None)
    running = [reading for reading in readings if reading.started_on is not None]
    standing = [reading for reading in readings if reading.started_on is None]
    if standing and (not running or combined.how is Combination.ALL_OF):
        # What can be mended by nobody but a person comes before what time will bring.
        ruling = next((reading for reading in standing if reading.state is DecisionState.BLOCKED), standing[0])
        what = {
            Combination.FIRST_OF: "the first of these",
            Combination.LAST_OF: "the last of these",
            Combination.ALL_OF: "all of these",
        }[combined.how]
        sentence = f"{facts.name} waits for {what}, and cannot say yet when the item may go."
        return _clock(facts, ruling, (*reasons, Reason(ReasonCode.COMBINED, sentence, facts.retention_class.id)), weak)
    choose = min if combined.how is Combination.FIRST_OF else max
    ruling = choose(running, key=lambda reading: (reading.due_on or date.max, reading.started_on or date.max))
    which = "the earliest" if combined.how is Combination.FIRST_OF else "the latest"
    day = f"{say_date(ruling.due_on)}" if ruling.due_on else "beyond the year 9999"
    sentence = f"{facts.name} goes by {which} of these days: {day}."
    return _clock(facts, ruling, (*reasons, Reason(ReasonCode.COMBINED, sentence, facts.retention_class.id)), weak)
