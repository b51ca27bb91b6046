"""From a schedule's text to the schedule, or to everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from datetime import tzinfo
from zoneinfo import ZoneInfo, available_timezones

from agent.model.condition import captures_of
from agent.model.finding import SPECIAL_CATEGORIES
from agent.model.schedule import Disposition, Officer, RetentionClass, RetentionSchedule, events_of
from agent.retention.clock_entries import check_clock, read_cut_off, read_period, read_trigger
from agent.retention.conditions import read_condition
from agent.retention.ending_entries import check_ending, read_exemptions
from agent.retention.entries import Entry, read_entries
from agent.retention.example_entries import read_examples
from agent.retention.fields import ID
from agent.retention.pack_entries import (
    read_authority,
    read_captures,
    read_categories,
    read_names,
    read_placement,
    read_recipients,
    read_references,
    read_texts,
)
from agent.retention.problems import ScheduleError, nearest
from agent.retention.schema import CLASS_FIELDS, OFFICER_FIELDS, SCHEDULE_FIELDS

_USUAL_PERSONAL_KEYS = frozenset({"person"})
_ID_RULE = "Use small letters and digits, in parts joined by hyphens, beginning with a letter: personnel-file."


def load_schedule(text: str, source: str) -> RetentionSchedule:
    """The schedule written in `text`. `source` is the file's name as people know it.

    Raises `ScheduleError`, which lists all problems with line, column and field. Reads nothing but `text`.
    """
    root = read_entries(text, source)
    schedule = _schedule(root)
    if schedule is None or root.problems:
        raise ScheduleError(source, root.problems)
    return schedule


def _schedule(root: Entry) -> RetentionSchedule | None:
    fields = root.group(SCHEDULE_FIELDS)
    if fields is None:
        return None
    schedule_id, title, version, organisation = (
        _id(fields.get("id")),
        _text(fields.get("title")),
        _text(fields.get("version")),
        _text(fields.get("organisation")),
    )
    time_zone = _time_zone(fields["time_zone"]) if "time_zone" in fields else None
    personal_keys = read_names(fields.get("personal_keys"))
    special = read_categories(fields.get("special_categories"))
    placement = read_placement(fields.get("placement"))
    authority = read_authority(fields.get("supervisory_authority"))
    references = read_references(fields.get("references"))
    officers = [_officer(entry) for entry in (fields["officers"].items() or [])] if "officers" in fields else []
    classes, ids = _classes(fields["classes"]) if "classes" in fields else ([], set())
    recipients = read_recipients(fields.get("recipients"), ids)
    if not (schedule_id and title and version and organisation and time_zone):
        return None
    return RetentionSchedule(
        schedule_id,
        title,
        version,
        organisation,
        time_zone,
        tuple(one for one in classes if one),
        tuple(one for one in officers if one),
        frozenset(personal_keys) or _USUAL_PERSONAL_KEYS,
        special or SPECIAL_CATEGORIES,
        placement=placement,
        recipients=recipients,
        authority=authority,
        references=references,
    )


def _officer(entry: Entry) -> Officer | None:
    fields = entry.group(OFFICER_FIELDS)
    if fields is None:
        return None
    role, name, contact = (_text(fields.get(field.name)) for field in OFFICER_FIELDS)
    return Officer(role, name, contact) if role and name and contact else None


def _time_zone(entry: Entry) -> tzinfo | None:
    name = entry.text()
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # an unknown name, a path that leads out of the database, a folder in it
        advice = nearest(name, available_timezones()) or "Write region and city, as in Europe/London."
        entry.complain(f'"{name[:60]}" is not a time zone. {advice}')
        return None


def _classes(entry: Entry) -> tuple[list[RetentionClass | None], Set[str]]:
    """The classes, none for one that cannot be read, and the ids of all."""
    classes: list[RetentionClass | None] = []
    lines: dict[str, int] = {}
    going_over: list[tuple[RetentionClass, Entry]] = []
    types: dict[str, str] = {}
    for unnamed in entry.items() or []:
        at_class = Entry(unnamed.node, _name_of_class(unnamed), unnamed.problems)
        fields = at_class.group(CLASS_FIELDS)
        if fields is None:
            continue
        class_id = _id(fields.get("id"))
        if class_id in lines:
            fields["id"].complain(
                f'The class "{class_id}" is already defined on line {lines[class_id]}. Give each its own id.'
            )
        elif class_id:
            lines[class_id] = fields["id"].node.start_mark.line + 1
        read = _class(class_id, fields, at_class, types)
        classes.append(read)
        if read and read.otherwise:
            going_over.append((read, fields["otherwise"]))
    known = {one.id: one for one in classes if one}
    for one, otherwise in going_over:
        _check_otherwise(one, otherwise, known, lines.keys())
    return classes, lines.keys()


def _check_otherwise(one: RetentionClass, otherwise: Entry, known: Mapping[str, RetentionClass], ids: Set[str]) -> None:
    """An exempt item may go over to a class that exists, is another one, takes it without asking further, and finds the
    keys that its events need. `known` are the classes that could be read, out of those with these `ids`."""
    named = one.otherwise or ""
    other = known.get(named)
    if named == one.id or named not in ids:
        near = nearest(named, ids - {one.id})
        otherwise.complain(f'There is no other class "{named[:60]}" in this schedule. {near}'.strip())
    elif other and other.unless:
        otherwise.complain(
            f'The class "{other.id}" has exemptions of its own, which nobody would ask about an item that goes over to '
            "it. Name a class without them."
        )
    elif other and (missing := sorted({event.key for event in events_of(other)} - set(one.keys))):
        otherwise.complain(
            f'The class "{other.id}" needs the key "{missing[0]}", which this class does not have, '
            "so that no event could reach an item that goes over to it. Capture it here too."
        )


def _name_of_class(entry: Entry) -> str:
    """`classes[payroll]` reads better than `classes[3]`, as long as the id can be read."""
    pairs = entry.node.value if entry.is_group else []
    names = [value.value for name, value in pairs if name.value == "id" and isinstance(value.value, str)]
    return f"classes[{names[0]}]" if names and re.fullmatch(ID, names[0]) else entry.field


def _class(
    class_id: str | None, fields: dict[str, Entry], at_class: Entry, types: dict[str, str]
) -> RetentionClass | None:
    title, mandate, scope_notes = (_text(fields.get(name)) for name in ("title", "mandate", "scope_notes"))
    condition = read_condition(fields["applies_when"]) if "applies_when" in fields else None
    keys = read_names(fields.get("keys"))
    outcome = _outcome(fields.get("outcome"))
    trigger = read_trigger(fields["trigger"], keys) if "trigger" in fields else None
    period = read_period(fields["period"], trigger) if "period" in fields else None
    cut_off = read_cut_off(fields.get("cut_off"))
    captures = read_captures(fields.get("captures"), keys, types)
    if condition is not None:
        _check_keys(keys, captures_of(condition), {capture.key for capture in captures}, fields)
    if outcome is not None:
        check_clock(outcome, fields, at_class)
        check_ending(outcome, fields, at_class)
    unless = read_exemptions(fields.get("unless"), keys)
    extension = read_period(fields["extend_up_to"], None) if "extend_up_to" in fields else None
    rows, stages = read_texts(fields.get("rows")), read_texts(fields.get("stages"))
    examples = read_examples(fields.get("examples"))
    if not (class_id and title and mandate and scope_notes and condition and outcome):
        return None
    return RetentionClass(
        class_id,
        title,
        mandate,
        scope_notes,
        condition,
        keys,
        trigger,
        period,
        outcome,
        cut_off,
        rows,
        read_names(fields.get("keep")),
        unless,
        fields["otherwise"].text() if "otherwise" in fields else None,
        extension,
        stages,
        examples,
        captures,
    )


def _check_keys(keys: tuple[str, ...], captured: frozenset[str], otherwise: Set[str], fields: dict[str, Entry]) -> None:
    """Every key must be captured somewhere, and nothing is captured in vain: both are mostly slips of the pen."""
    for item in (fields["keys"].items() or []) if "keys" in fields else []:
        if item.node.value in keys and item.node.value not in captured | otherwise:
            item.complain(
                f'The key "{item.node.value}" is never captured. '
                f"Put {{{item.node.value}}} into a path pattern of this class, or take the key out."
            )
    for name in sorted(captured - set(keys)):
        fields["applies_when"].complain(
            f'{{{name}}} is captured, but "{name}" is not among the keys of this class. '
            f"Add it to keys, or write * in its place."
        )


def _outcome(entry: Entry | None) -> Disposition | None:
    word = entry.word([str(outcome) for outcome in Disposition], "an outcome") if entry else None
    return Disposition(word) if word else None


def _id(entry: Entry | None) -> str | None:
    return entry.matching(re.compile(ID).fullmatch, _ID_RULE) if entry else None


def _text(entry: Entry | None) -> str | None:
    return entry.text() if entry else None
