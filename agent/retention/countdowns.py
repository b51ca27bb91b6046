"""What one countdown says of an item: the date it runs from, how sure that date is, and the day it ends on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from agent.model.decision import Assignment, DecisionState, Reason, ReasonCode, labelled_on
from agent.model.event import Event
from agent.model.key import normalise_key
from agent.model.record import WAVE, Record
from agent.model.schedule import BORN, AgeTrigger, Countdown, EventTrigger, RecordDate, RetentionClass
from agent.retention.periods import birthday, cut_off_after, date_in, due_after, say_cut_off, say_date, say_period

# FAT counts from 1 January 1980, and a file without a date gets that one or the Unix epoch; in a zone behind UTC
# either may show as the day before.
FIRST_BELIEVABLE = date(1980, 1, 2)
COPIED_AFTER = timedelta(days=1)
_NAME_OF = {
    RecordDate.CREATED: "creation",
    RecordDate.MODIFIED: "last modification",
    RecordDate.ACCESSED: "last access",
    RecordDate.LABELLED: "label",
    RecordDate.FOUND: "discovery",
}
# A label is set by a person or a system, and what we saw ourselves we know: no copy makes these dates anew.
_NEVER_WEAK = frozenset({RecordDate.LABELLED, RecordDate.FOUND})


@dataclass(frozen=True, slots=True)
class Facts:
    """What a clock is read from."""

    record: Record
    retention_class: RetentionClass
    assignment: Assignment
    events: Sequence[Event]
    today: date
    time_zone: tzinfo

    @property
    def name(self) -> str:
        """The class as a sentence begins with it."""
        return f'Class "{self.retention_class.id}"'

    def reason(self, code: ReasonCode, sentence: str) -> Reason:
        return Reason(code, sentence, self.retention_class.id)


@dataclass(frozen=True, slots=True)
class Reading:
    """One countdown for one item on one day; `started_on` is none where it has not started or cannot be read.

    A countdown that has started and has no `due_on` ends beyond the calendar. `again_on` is the day from which the
    reading is another one although no fact has changed: an event that is recorded for then, a date that then lies no
    longer ahead.
    """

    state: DecisionState
    reason: Reason
    started_on: date | None = None
    due_on: date | None = None
    weak: Reason | None = None
    again_on: date | None = None


def read_countdown(facts: Facts, countdown: Countdown) -> Reading:
    """The reading of one countdown."""
    match countdown.trigger:
        case EventTrigger(type_, key):
            return _after_event(facts, countdown, type_, key)
        case AgeTrigger(age, key):
            return _after_event(facts, countdown, BORN, key, age)
        case which:
            return _after_date(facts, countdown, which)


def _after_event(facts: Facts, countdown: Countdown, type_: str, key: str, age: int | None = None) -> Reading:
    """Of several events that fit, the last one counts: someone who left twice left on the later day.

    An event dated after today has not happened yet, but that it is known keeps the item until then. A birthday is
    none: that it will come is sure, so the countdown runs.
    """
    waits = f'{facts.name} waits for the event "{type_}"'
    value = facts.assignment.keys.get(key)
    if value is None:
        sentence = (
            f'{waits}, but no key "{key}" could be read from this item, so that no event can reach it. '
            f"File it where a pattern of the class reads that key."
        )
        return Reading(DecisionState.WAITING, facts.reason(ReasonCode.NO_KEY, sentence))
    about = f'the "{key}" this item belongs to'
    days = event_days(facts.events, EventTrigger(type_, key), facts.assignment)
    if not days:
        sentence = f"{waits} of {about}; none is recorded."
        return Reading(DecisionState.WAITING, facts.reason(ReasonCode.NO_EVENT, sentence))
    day = max(days)
    if day > facts.today:
        sentence = f"{waits} of {about}; it is recorded for {say_date(day)}, which is still to come."
        return Reading(DecisionState.WAITING, facts.reason(ReasonCode.NO_EVENT, sentence), again_on=day)
    last = "the last " if len(days) > 1 else "the "
    evidence = f'{last}event "{type_}" of {about}'
    if age is not None:
        try:
            return _running(facts, countdown, f"the birthday at which {about} is {age} years old", birthday(day, age))
        except OverflowError:
            return _beyond(facts, f"{say_date(day)}, the date of {evidence}", day)
    return _running(facts, countdown, evidence, day)


def event_days(events: Sequence[Event], awaited: EventTrigger, assignment: Assignment) -> list[date]:
    """The days of every such event about the item's own key."""
    value = assignment.keys.get(awaited.key)
    return [
        event.on
        for event in events
        if event.type == awaited.type and event.key == awaited.key and normalise_key(event.value) == value
    ]


def _after_date(facts: Facts, countdown: Countdown, which: RecordDate) -> Reading:
    name = _NAME_OF[which]
    started_on = _date_of(facts, which)
    if started_on is None:
        sentence = (
            f"{facts.name} counts from the item's {name}, but its source gives no such date. "
            "A person must say when the period began, or put the item in a class that counts from another date."
        )
        return Reading(DecisionState.BLOCKED, facts.reason(ReasonCode.NO_DATE, sentence))
    wrong = why_impossible(started_on, facts.today)
    if wrong:
        sentence = (
            f"{facts.name} counts from the item's {name}, {say_date(started_on)}, but that date {wrong}. "
            "A person must find out the true date and correct it at the source, "
            "or put the item in a class that counts from another date."
        )
        ahead = started_on if started_on > facts.today else None
        return Reading(DecisionState.BLOCKED, facts.reason(ReasonCode.IMPOSSIBLE_DATE, sentence), again_on=ahead)
    weak = None
    if which not in _NEVER_WEAK:
        weak = why_weak(facts.record, facts.time_zone, created=which is RecordDate.CREATED)
    return _running(facts, countdown, f"the item's {name}", started_on, weak)


def _date_of(facts: Facts, which: RecordDate) -> date | None:
    record = facts.record
    if which is RecordDate.LABELLED:
        return label_date(record)
    moments: dict[RecordDate, datetime | None] = {
        RecordDate.CREATED: record.created_at,
        RecordDate.MODIFIED: record.modified_at,
        RecordDate.ACCESSED: record.accessed_at,
        RecordDate.FOUND: record.first_seen_at,
    }
    moment = moments[which]
    return None if moment is None else date_in(moment, facts.time_zone)


def label_date(record: Record) -> date | None:
    """The day in the mark that says when the item was labelled."""
    return labelled_on(record.marks)


def why_impossible(day: date, today: date) -> str:
    """What is wrong with a date that cannot be true, or nothing."""
    if day > today:
        return f"lies after {say_date(today)}, the day of this decision"
    if day < FIRST_BELIEVABLE:
        return "is what a file without a date gets, or older than files of this kind can be"
    return ""


def why_weak(record: Record, time_zone: tzinfo, *, created: bool = False) -> Reason | None:
    """Why the dates of an item are weak evidence, or none if they are sound.

    A copy or restore keeps the old modification time and makes a new creation time, so an item created here later
    than it was last modified was put here by one; without a creation time nobody can tell. Where many items arrived in
    one minute, a copy, a restore or a migration brought them, and one that has not been changed since may bear the date
    of that day. Neither date then says on its own how long the item has been in use. With `created` it is the creation
    time itself that matters, which a later change does not mend.
    """
    if record.created_at is None:
        sentence = (
            "The item's dates are weak evidence: its source gives no creation date, "
            "so that a copy or restore may have set the others unseen. A person must review it before anything is done."
        )
        return Reason(ReasonCode.WEAK_DATE, sentence)
    arrived = say_date(date_in(record.created_at, time_zone))
    if record.created_at - record.modified_at > COPIED_AFTER:
        sentence = (
            f"The item's dates are weak evidence: it was put here on {arrived}, after its last modification on "
            f"{say_date(date_in(record.modified_at, time_zone))}, by a copy or a restore. "
            "A person must review it before anything is done."
        )
        return Reason(ReasonCode.WEAK_DATE, sentence)
    if record.arrived_with >= WAVE and (created or record.modified_at - record.created_at <= COPIED_AFTER):
        sentence = (
            f"The item's dates are weak evidence: on {arrived} it was put here in the same minute as "
            f"{record.arrived_with - 1:,} others, by a copy, a restore or a migration. "
            "A person must review it before anything is done."
        )
        return Reason(ReasonCode.WEAK_DATE, sentence)
    return None


def _running(
    facts: Facts, countdown: Countdown, evidence: str, started_on: date, weak: Reason | None = None
) -> Reading:
    since = f"{say_date(started_on)}, the date of {evidence}"
    try:
        from_day = cut_off_after(started_on, countdown.cut_off)
        due_on = due_after(from_day, countdown.period)
    except OverflowError:
        return _beyond(facts, since, started_on)
    if countdown.cut_off is not None:
        since = f"{say_date(from_day)}, {say_cut_off(countdown.cut_off)} after {since}"
    length = "" if countdown.period is None else f" {say_period(countdown.period)}"
    sentence = f"{facts.name} counts{length} from {since}, so that the item may go from {say_date(due_on)}."
    state = DecisionState.DUE if due_on <= facts.today else DecisionState.KEEP
    return Reading(state, facts.reason(ReasonCode.CLOCK, sentence), started_on, due_on, weak)


def _beyond(facts: Facts, since: str, started_on: date) -> Reading:
    sentence = f"{facts.name} counts from {since}, to beyond the year 9999."
    return Reading(DecisionState.KEEP, facts.reason(ReasonCode.CLOCK, sentence), started_on)
