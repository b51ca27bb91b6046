"""What each class's clock says of an item: from which date it runs, how sure that date is, and when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from agent.model.decision import Assignment, DecisionState, Event, Reason, ReasonCode, normalise_key
from agent.model.record import Record
from agent.model.schedule import EventTrigger, RecordDate, RetentionClass
from agent.retention.periods import date_in, due_after, say_date, say_period

# FAT counts from 1 January 1980, and a file without a date gets that one or the Unix epoch; in a zone behind UTC
# either may show as the day before.
FIRST_BELIEVABLE = date(1980, 1, 2)
COPIED_AFTER = timedelta(days=1)
_NAME_OF = {RecordDate.CREATED: "creation", RecordDate.MODIFIED: "last modification"}


@dataclass(frozen=True, slots=True)
class Clock:
    """One class's clock for one item on one day.

    `started_on` and `due_on` are none where the clock has not started, cannot be read, or never ends.
    """

    retention_class: RetentionClass
    assignment: Assignment
    state: DecisionState
    reason: Reason
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
    match retention_class.trigger:
        case None:
            sentence = f"{_name(retention_class)} keeps its items permanently."
            reason = Reason(ReasonCode.NO_CLOCK, sentence, retention_class.id)
            return Clock(retention_class, assignment, DecisionState.KEEP, reason)
        case EventTrigger() as trigger:
            return _event_clock(retention_class, trigger, assignment, events, today)
        case RecordDate() as which:
            return _date_clock(record, retention_class, which, assignment, today, time_zone)


def _event_clock(
    retention_class: RetentionClass,
    trigger: EventTrigger,
    assignment: Assignment,
    events: Sequence[Event],
    today: date,
) -> Clock:
    """Of several events that fit, the last one counts: someone who left twice left on the later day.

    An event dated after `today` has not happened yet, but that it is known keeps the item until then.
    """
    waits = f'{_name(retention_class)} waits for the event "{trigger.type}"'
    key = assignment.keys.get(trigger.key)
    if key is None:
        sentence = (
            f'{waits}, but no key "{trigger.key}" could be read from this item, so that no event can reach it. '
            f"File it where a pattern of the class reads that key."
        )
        return _standing(retention_class, assignment, DecisionState.WAITING, ReasonCode.NO_KEY, sentence)
    about = f'the "{trigger.key}" this item belongs to'
    days = [
        event.on
        for event in events
        if event.type == trigger.type and event.key == trigger.key and normalise_key(event.value) == key
    ]
    if not days:
        sentence = f"{waits} of {about}; none is recorded."
        return _standing(retention_class, assignment, DecisionState.WAITING, ReasonCode.NO_EVENT, sentence)
    started_on = max(days)
    if started_on > today:
        sentence = f"{waits} of {about}; it is recorded for {say_date(started_on)}, which is still to come."
        return _standing(retention_class, assignment, DecisionState.WAITING, ReasonCode.NO_EVENT, sentence)
    last = "the last " if len(days) > 1 else "the "
    return _running(retention_class, assignment, f'{last}event "{trigger.type}" of {about}', started_on, today)


def _date_clock(
    record: Record,
    retention_class: RetentionClass,
    which: RecordDate,
    assignment: Assignment,
    today: date,
    time_zone: tzinfo,
) -> Clock:
    moment = record.created_at if which is RecordDate.CREATED else record.modified_at
    name = _NAME_OF[which]
    if moment is None:
        sentence = (
            f"{_name(retention_class)} counts from the item's {name}, but its source gives no such date. "
            "A person must say when the period began, or put the item in a class that counts from another date."
        )
        return _standing(retention_class, assignment, DecisionState.BLOCKED, ReasonCode.NO_DATE, sentence)
    started_on = date_in(moment, time_zone)
    wrong = _why_impossible(started_on, today)
    if wrong:
        sentence = (
            f"{_name(retention_class)} counts from the item's {name}, {say_date(started_on)}, but that date {wrong}. "
            "A person must find out the true date and correct it at the source, "
            "or put the item in a class that counts from another date."
        )
        return _standing(retention_class, assignment, DecisionState.BLOCKED, ReasonCode.IMPOSSIBLE_DATE, sentence)
    weak = why_weak(record.created_at, record.modified_at, time_zone)
    return _running(retention_class, assignment, f"the item's {name}", started_on, today, weak)


def _why_impossible(day: date, today: date) -> str:
    if day > today:
        return f"lies after {say_date(today)}, the day of this decision"
    if day < FIRST_BELIEVABLE:
        return "is what a file without a date gets, or older than files of this kind can be"
    return ""


def why_weak(created_at: datetime | None, modified_at: datetime, time_zone: tzinfo) -> Reason | None:
    """Why the dates of an item are weak evidence, or none if they are sound.

    A copy or restore keeps the old modification time and makes a new creation time, so an item created here later
    than it was last modified was put here by one; without a creation time nobody can tell. Neither date then says
    on its own how long the item has been in use.
    """
    if created_at is None:
        sentence = (
            "The item's dates are weak evidence: its source gives no creation date, "
            "so that a copy or restore may have set the others unseen. A person must review it before anything is done."
        )
        return Reason(ReasonCode.WEAK_DATE, sentence)
    if created_at - modified_at > COPIED_AFTER:
        sentence = (
            f"The item's dates are weak evidence: it was put here on {say_date(date_in(created_at, time_zone))}, "
            f"after its last modification on {say_date(date_in(modified_at, time_zone))}, by a copy or a restore. "
            "A person must review it before anything is done."
        )
        return Reason(ReasonCode.WEAK_DATE, sentence)
    return None


def _running(
    retention_class: RetentionClass,
    assignment: Assignment,
    evidence: str,
    started_on: date,
    today: date,
    weak: Reason | None = None,
) -> Clock:
    period = retention_class.period
    try:
        due_on = due_after(started_on, period)
    except OverflowError:
        since = f"{say_date(started_on)}, the date of {evidence}"
        sentence = f"{_name(retention_class)} counts from {since}, to beyond the year 9999."
        return _standing(retention_class, assignment, DecisionState.KEEP, ReasonCode.CLOCK, sentence)
    length = "" if period is None else f" {say_period(period)}"
    sentence = (
        f"{_name(retention_class)} counts{length} from {say_date(started_on)}, the date of {evidence}, "
        f"so that the item may go from {say_date(due_on)}."
    )
    state = DecisionState.DUE if due_on <= today else DecisionState.KEEP
    reason = Reason(ReasonCode.CLOCK, sentence, retention_class.id)
    return Clock(retention_class, assignment, state, reason, started_on, due_on, weak)


def _standing(
    retention_class: RetentionClass, assignment: Assignment, state: DecisionState, code: ReasonCode, sentence: str
) -> Clock:
    return Clock(retention_class, assignment, state, Reason(code, sentence, retention_class.id))


def _name(retention_class: RetentionClass) -> str:
    return f'Class "{retention_class.id}"'
