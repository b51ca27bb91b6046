"""What each class's clock says of an item: from which date it runs, how sure that date is, and when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

from agent.model.decision import Assignment, DecisionState, Reason, ReasonCode
from agent.model.event import Event
from agent.model.record import Record
from agent.model.schedule import Combination, Combined, Countdown, RecordDate, RetentionClass
from agent.retention.countdowns import Facts, Reading, read_countdown
from agent.retention.periods import say_date


@dataclass(frozen=True, slots=True)
class Clock:
    """One class's clock for one item on one day.

    `started_on` and `due_on` are none where the clock has not started, cannot be read, or never ends. `again_on` is the
    day from which it reads otherwise although no fact has changed.
    """

    retention_class: RetentionClass
    assignment: Assignment
    state: DecisionState
    reasons: tuple[Reason, ...]
    started_on: date | None = None
    due_on: date | None = None
    weak: Reason | None = None
    again_on: date | None = None


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
            reading = read_countdown(facts, countdown)
            return _clock(facts, reading, (reading.reason,), reading.weak, reading.again_on)


def _clock(
    facts: Facts, ruling: Reading, reasons: tuple[Reason, ...], weak: Reason | None, again_on: date | None
) -> Clock:
    return Clock(
        facts.retention_class,
        facts.assignment,
        ruling.state,
        reasons,
        ruling.started_on,
        ruling.due_on,
        weak,
        again_on,
    )


def _combined(facts: Facts, combined: Combined) -> Clock:
    """The clock of several countdowns. A weak date in any of them makes the whole weak: it might have been another."""
    readings = [read_countdown(facts, countdown) for countdown in combined.countdowns]
    reasons = tuple(reading.reason for reading in readings)
    weak = next((reading.weak for reading in readings if reading.weak), None)
    again_on = min((reading.again_on for reading in readings if reading.again_on), default=None)
    running = [reading for reading in readings if reading.started_on is not None]
    awaited = _holding_up(combined, readings) or ([] if running else readings)
    if awaited:
        # What can be mended by nobody but a person comes before what time will bring.
        ruling = next((reading for reading in awaited if reading.state is DecisionState.BLOCKED), awaited[0])
        what = {
            Combination.FIRST_OF: "the first of these",
            Combination.LAST_OF: "the last of these",
            Combination.ALL_OF: "all of these",
        }[combined.how]
        sentence = f"{facts.name} waits for {what}, and cannot say yet when the item may go."
        combining = Reason(ReasonCode.COMBINED, sentence, facts.retention_class.id)
        return _clock(facts, ruling, (*reasons, combining), weak, again_on)
    choose = min if combined.how is Combination.FIRST_OF else max
    ruling = choose(running, key=lambda reading: (reading.due_on or date.max, reading.started_on or date.max))
    which = "the earliest" if combined.how is Combination.FIRST_OF else "the latest"
    day = f"{say_date(ruling.due_on)}" if ruling.due_on else "beyond the year 9999"
    sentence = f"{facts.name} goes by {which} of these days: {day}."
    combining = Reason(ReasonCode.COMBINED, sentence, facts.retention_class.id)
    return _clock(facts, ruling, (*reasons, combining), weak, again_on)


def _holding_up(combined: Combined, readings: Sequence[Reading]) -> list[Reading]:
    """The countdowns that have not begun and without which no other may let the item go.

    The last of those that have begun leaves out what may never happen, such as an event or a label; not an event that
    is recorded for a day to come, nor a date that every item has but that nobody can believe or knows.
    """
    standing = [
        (countdown, reading)
        for countdown, reading in zip(combined.countdowns, readings, strict=True)
        if reading.started_on is None
    ]
    if combined.how is Combination.FIRST_OF:
        return []
    return [
        reading
        for countdown, reading in standing
        if combined.how is Combination.ALL_OF
        or reading.again_on is not None
        or (reading.state is DecisionState.BLOCKED and countdown.trigger is not RecordDate.LABELLED)
    ]
