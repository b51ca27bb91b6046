"""What a schedule says beside its classes: placement rules, recipients, the supervisory authority, lists of words."""

from __future__ import annotations

import re
from collections.abc import Set

from agent.model.finding import JUDGED_CATEGORIES, DataCategory
from agent.model.schedule import Authority, PlacementRule, Recipient
from agent.retention.clock_entries import read_name
from agent.retention.conditions import read_free_condition
from agent.retention.entries import Entry
from agent.retention.problems import nearest
from agent.retention.schema import AUTHORITY_FIELDS, ID, PLACEMENT_FIELDS, RECIPIENT_FIELDS

_ID_RULE = "Use small letters and digits, in parts joined by hyphens, beginning with a letter: patient-data."


def read_names(entry: Entry | None) -> tuple[str, ...]:
    """A list of names of keys or fields; empty where nothing stands."""
    names = [] if entry is None else [read_name(item) for item in entry.items() or []]
    return tuple(name for name in names if name)


def read_texts(entry: Entry | None) -> tuple[str, ...]:
    """A list of texts; empty where nothing stands."""
    return () if entry is None else tuple(text for item in entry.items() or [] if (text := item.text()))


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
        receives = read_texts(fields.get("receives"))
        for at, class_id in zip(fields["receives"].items() or [] if receives else [], receives, strict=False):
            if class_id not in classes:
                at.complain(
                    f'There is no class "{class_id[:60]}" in this schedule. {nearest(class_id, classes)}'.strip()
                )
        if name and contact and receives:
            recipients.append(Recipient(name, contact, receives))
    return tuple(recipients)


def read_authority(entry: Entry | None) -> Authority | None:
    """The supervisory authority, if one is named."""
    fields = None if entry is None else entry.group(AUTHORITY_FIELDS)
    name, contact = (fields[part].text() if fields and part in fields else None for part in ("name", "contact"))
    return Authority(name, contact) if name and contact else None
