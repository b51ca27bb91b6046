"""What a schedule says beside its classes: placement rules, recipients, the supervisory authority, lists of words."""

from __future__ import annotations

import re
from collections.abc import Set

from agent.model.categories import ENTITY_CATEGORIES
from agent.model.finding import JUDGED_CATEGORIES, DataCategory
from agent.model.schedule import Authority, Capture, PlacementRule, Recipient, ReferenceForm
from agent.retention.clock_entries import read_name
from agent.retention.conditions import read_free_condition
from agent.retention.entries import Entry
from agent.retention.fields import ID
from agent.retention.pack_schema import (
    AUTHORITY_FIELDS,
    CAPTURE_FIELDS,
    PLACEMENT_FIELDS,
    RECIPIENT_FIELDS,
    REFERENCE_FIELDS,
    REFERENCE_TYPES,
)
from agent.retention.problems import nearest

_ID_RULE = "Use small letters and digits, in parts joined by hyphens, beginning with a letter: patient-data."


def read_names(entry: Entry | None) -> tuple[str, ...]:
    """A list of names of keys or fields; empty where nothing stands."""
    names = [] if entry is None else [read_name(item) for item in entry.items() or []]
    return tuple(name for name in names if name)


def read_texts(entry: Entry | None) -> tuple[str, ...]:
    """A list of texts; empty where nothing stands."""
    return () if entry is None else tuple(text for item in entry.items() or [] if (text := item.text()))


def read_captures(entry: Entry | None, keys: tuple[str, ...], types: dict[str, str]) -> tuple[Capture, ...]:
    """Where keys of the class are read from beside its path. `types` are the entity types that keys have been found to
    be read from so far in the schedule, one for each; those of this class come to be in it."""
    captures: list[Capture] = []
    for item in [] if entry is None else entry.items() or []:
        fields = item.group(CAPTURE_FIELDS)
        key = read_name(fields.get("key")) if fields else None
        if fields is None or key is None:
            continue
        kind = fields["finding"].word(sorted(ENTITY_CATEGORIES), "an entity type") if "finding" in fields else None
        if key not in keys:
            fields["key"].complain(f'The key "{key}" is not among the keys of this class. Add it there.')
        elif any((one.key, one.entity_type) == (key, kind) for one in captures):
            item.complain(f'This says again where "{key}" is read from. Keep one of them.')
        elif kind and types.setdefault(key, kind) != kind:
            item.complain(
                f'The key "{key}" is read from {types[key]} above. What is found is kept as a hash, in which two types '
                "never agree: use one type for one key, or another key."
            )
        else:
            captures.append(Capture(key, kind))
    return tuple(captures)


def read_categories(entry: Entry | None) -> frozenset[DataCategory]:
    """A list of data categories that can be special; empty where nothing stands."""
    items = [] if entry is None else entry.items() or []
    words = [item.word(sorted(JUDGED_CATEGORIES), "a data category that can be special") for item in items]
    return frozenset(DataCategory(word) for word in words if word)


def read_placement(entry: Entry | None) -> tuple[PlacementRule, ...]:
    """The placement rules, each under an id of its own."""
    rules: dict[str, PlacementRule] = {}
    for item in [] if entry is None else entry.items() or []:
        fields = item.group(PLACEMENT_FIELDS)
        if fields is None:
            continue
        rule_id = fields["id"].matching(re.compile(ID).fullmatch, _ID_RULE) if "id" in fields else None
        title, mandate = (fields[name].text() if name in fields else None for name in ("title", "mandate"))
        condition = read_free_condition(fields["applies_when"]) if "applies_when" in fields else None
        then = fields["then"].word(["report", "quarantine"], "what can follow") if "then" in fields else None
        rows = read_texts(fields.get("rows"))
        if rule_id in rules:
            fields["id"].complain(f'There is already a placement rule "{rule_id}". Give each its own id.')
        elif rule_id and title and mandate and condition and then:
            rules[rule_id] = PlacementRule(rule_id, title, mandate, condition, then == "quarantine", rows)
    return tuple(rules.values())


def read_recipients(entry: Entry | None, classes: Set[str]) -> tuple[Recipient, ...]:
    """Who gets data of which of these classes."""
    recipients = []
    for item in [] if entry is None else entry.items() or []:
        fields = item.group(RECIPIENT_FIELDS)
        if fields is None:
            continue
        name, contact = (fields[part].text() if part in fields else None for part in ("name", "contact"))
        receives = []
        for at in (fields["receives"].items() or []) if "receives" in fields else []:
            class_id = at.text()
            if class_id is not None and class_id not in classes:
                near = nearest(class_id, classes)
                at.complain(f'There is no class "{class_id[:60]}" in this schedule. {near}'.strip())
            receives += [class_id] if class_id else []
        if name and contact and receives:
            recipients.append(Recipient(name, contact, tuple(receives)))
    return tuple(recipients)


def read_references(entry: Entry | None) -> tuple[ReferenceForm, ...]:
    """How the organisation's own numbers look."""
    forms = []
    for item in [] if entry is None else entry.items() or []:
        fields = item.group(REFERENCE_FIELDS)
        if fields is None:
            continue
        kind = fields["type"].word(REFERENCE_TYPES, "a type of number") if "type" in fields else None
        pattern, context = _expression(fields.get("pattern")), _expression(fields.get("context"))
        if kind and pattern:
            forms.append(ReferenceForm(kind, pattern, context or ""))
    return tuple(forms)


def _expression(entry: Entry | None) -> str | None:
    text = entry.text() if entry else None
    if entry is None or text is None:
        return None
    try:
        re.compile(text)
    except re.error as error:
        entry.complain(f"This is no regular expression: {error}.")
        return None
    return text


def read_authority(entry: Entry | None) -> Authority | None:
    """The supervisory authority, if one is named."""
    fields = None if entry is None else entry.group(AUTHORITY_FIELDS)
    name, contact = (fields[part].text() if fields and part in fields else None for part in ("name", "contact"))
    return Authority(name, contact) if name and contact else None
