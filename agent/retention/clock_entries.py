"""The clock of a class, read from its entries: triggers, periods, cut-offs, and several of them combined."""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent.model.schedule import (
    AgeTrigger,
    Combination,
    Combined,
    Countdown,
    CutOff,
    Disposition,
    EventTrigger,
    Period,
    RecordDate,
    SingleTrigger,
    Trigger,
)
from agent.retention.entries import Entry
from agent.retention.fields import NAME, NO_PERIOD, TRIGGER_FIELDS
from agent.retention.periods import parse_period
from agent.retention.problems import one_of
from agent.retention.schema import AGE_FIELDS, CLASS_FIELDS, CLOCK_FIELDS, COMBINED_FIELDS, COUNTDOWN_FIELDS

_NAME_RULE = "Use small letters, digits and underscores, beginning with a letter: employment_ended."
_MOST_AGE = 150


def read_name(entry: Entry | None) -> str | None:
    """The name of a key or event, or none after its problems have been noted."""
    return entry.matching(re.compile(NAME).fullmatch, _NAME_RULE) if entry else None


def read_trigger(entry: Entry, keys: tuple[str, ...]) -> Trigger | None:
    """The trigger written in `entry`, or none after its problems have been noted."""
    if entry.is_group and field_names(entry) & {str(how) for how in Combination}:
        return _combined(entry, keys)
    return _single(entry, keys)


def read_period(entry: Entry, trigger: Trigger | None) -> Period | None:
    """The period written in `entry`; none for "none", and after its problems have been noted."""
    text = entry.text()
    if text is None:
        return None
    if text == NO_PERIOD:
        if isinstance(trigger, RecordDate) and trigger is not RecordDate.FOUND:
            entry.complain(
                "Without a period every item would be due on the day it is saved. "
                "Give a period, or let an event start the clock."
            )
        return None
    try:
        return parse_period(text)
    except ValueError as error:
        entry.complain(str(error))
        return None


def read_cut_off(entry: Entry | None) -> CutOff | None:
    """The cut-off written in `entry`, or none after its problems have been noted."""
    word = entry.word([str(cut_off) for cut_off in CutOff], "a cut-off") if entry else None
    return CutOff(word) if word else None


def check_clock(outcome: Disposition, fields: Mapping[str, Entry], at_class: Entry) -> None:
    """Notes what is missing from a class's clock, or does not go with its outcome or with combined triggers."""
    permanent = outcome is Disposition.RETAIN_PERMANENTLY
    combined = "trigger" in fields and bool(field_names(fields["trigger"]) & {str(how) for how in Combination})
    for name in CLOCK_FIELDS:
        if permanent and name in fields:
            fields[name].complain(
                f'A class that retains permanently has no {name}. Take out "{name}" or change the outcome.'
            )
        elif combined and name in fields and name != "trigger":
            fields[name].complain(
                f'Each trigger that is combined has a {name} of its own. Move "{name}" down to the triggers it is for.'
            )
        elif not permanent and name not in fields and name != "cut_off" and not (combined and name == "period"):
            needed = next(field for field in CLASS_FIELDS if field.name == name)
            at_class.complain(f'The field "{name}" is missing. {needed.meaning}')


def field_names(entry: Entry) -> set[str]:
    """The names of the fields that stand in a group, known or not; none where no group stands."""
    return {name.value for name, _ in entry.node.value if isinstance(name.value, str)} if entry.is_group else set()


def _combined(entry: Entry, keys: tuple[str, ...]) -> Combined | None:
    fields = entry.group(COMBINED_FIELDS) or {}
    if len(fields) > 1:
        entry.complain(f"{' and '.join(fields)} stand side by side. Keep one of them.")
    countdowns: list[Countdown] = []
    for name, parts in fields.items():
        items = parts.items() or []
        if len(items) == 1:
            parts.complain(f"One trigger alone needs no {name}. Write it as the trigger itself, or add another.")
        countdowns += [countdown for item in items if (countdown := _countdown(item, keys))]
    how = next(iter(fields), None)
    return Combined(Combination(how), tuple(countdowns)) if how and countdowns else None


def _countdown(entry: Entry, keys: tuple[str, ...]) -> Countdown | None:
    fields = entry.group(COUNTDOWN_FIELDS)
    if fields is None:
        return None
    trigger = _single(fields["trigger"], keys) if "trigger" in fields else None
    period = read_period(fields["period"], trigger) if "period" in fields else None
    cut_off = read_cut_off(fields.get("cut_off"))
    return Countdown(trigger, period, cut_off) if trigger else None


def _single(entry: Entry, keys: tuple[str, ...]) -> SingleTrigger | None:
    if not entry.is_group:
        words = [str(which) for which in RecordDate]
        text = entry.text()
        if text is None or text in words:
            return RecordDate(text) if text else None
        entry.complain(
            f'"{text[:60]}" is not a trigger. {one_of(text, words)} '
            "For an event write two fields below it, event and key, such as: event: employment_ended, key: person."
        )
        return None
    if "age" in field_names(entry):
        return _age(entry, keys)
    return read_event(entry, keys)


def read_event(entry: Entry, keys: tuple[str, ...]) -> EventTrigger | None:
    """The event written in `entry`, about one of these keys, or none after its problems have been noted."""
    fields = entry.group(TRIGGER_FIELDS)
    event_type, key = (read_name(fields.get(field.name)) if fields else None for field in TRIGGER_FIELDS)
    if fields and key:
        _check_key(fields["key"], key, keys, "The event refers to")
    return EventTrigger(event_type, key) if event_type and key else None


def _age(entry: Entry, keys: tuple[str, ...]) -> AgeTrigger | None:
    fields = entry.group(AGE_FIELDS) or {}
    age = fields["age"].count() if "age" in fields else None
    if age is not None and age > _MOST_AGE:
        fields["age"].complain(f"Nobody reaches the age of {age}. Write a number up to {_MOST_AGE}.")
    key = read_name(fields.get("key"))
    if key:
        _check_key(fields["key"], key, keys, "The age is that of")
    return AgeTrigger(age, key) if age and key else None


def _check_key(entry: Entry, key: str, keys: tuple[str, ...], what: str) -> None:
    if key not in keys:
        entry.complain(
            f'{what} the key "{key}", which this class does not have. '
            f"Capture {{{key}}} in a path pattern and list it under keys, or no event can ever reach an item."
        )
