"""The examples beside a class, read from their entries."""

from __future__ import annotations

from datetime import date

from agent.model.condition import StorageKind
from agent.model.record_kind import RecordKind
from agent.model.schedule import Example
from agent.retention.clock_entries import read_name
from agent.retention.entries import Entry
from agent.retention.fields import FINDINGS
from agent.retention.pack_entries import read_texts
from agent.retention.pack_schema import EXAMPLE_EVENT_FIELDS, EXAMPLE_FIELDS, EXAMPLE_ITEM_FIELDS, STATES

_USUAL_SHARE = "share"
_USUAL_DAY = date(2020, 1, 2)


def read_examples(entry: Entry | None) -> tuple[Example, ...]:
    """The examples that can be tried."""
    items = [] if entry is None else entry.items() or []
    return tuple(example for item in items if (example := _example(item)))


def _example(entry: Entry) -> Example | None:
    fields = entry.group(EXAMPLE_FIELDS)
    if fields is None:
        return None
    item = fields["item"].group(EXAMPLE_ITEM_FIELDS) if "item" in fields else None
    events = [] if "events" not in fields else [_event(one) for one in fields["events"].items() or []]
    states = _states(fields["states"]) if "states" in fields else ()
    if item is None or "path" not in item:
        return None
    path = item["path"].text()
    share = item["share"].text() if "share" in item else _USUAL_SHARE
    days = {name: item[name].day() if name in item else None for name in ("modified", "created", "found")}
    modified = days["modified"] or days["created"] or _USUAL_DAY
    created = days["created"] or modified
    content = item["content"].word([*RecordKind], "a kind of record") if "content" in item else None
    stored_in = _words(item.get("stored_in"), [*StorageKind], "a sort of place")
    if not (path and share):
        return None
    return Example(
        path=path,
        share=share,
        modified=modified,
        created=created,
        found=days["found"] or created,
        findings=_words(item.get("findings"), sorted(FINDINGS), "an entity type or data category that can be found"),
        content=RecordKind(content) if content else None,
        labels=read_texts(item.get("labels")),
        copies=read_texts(item.get("copies")),
        stored_in=frozenset(map(StorageKind, stored_in)),
        events=tuple(event for event in events if event),
        states=states,
        line=entry.node.start_mark.line + 1,
    )


def _event(entry: Entry) -> tuple[str, str, str, date] | None:
    fields = entry.group(EXAMPLE_EVENT_FIELDS)
    if fields is None:
        return None
    event_type, key = read_name(fields.get("event")), read_name(fields.get("key"))
    value = fields["value"].text() if "value" in fields else None
    day = fields["date"].day() if "date" in fields else None
    return (event_type, key, value, day) if event_type and key and value and day else None


def _states(entry: Entry) -> tuple[tuple[date, str], ...]:
    states = []
    for at_day, at_state in entry.by_name() or []:
        day, state = at_day.day(), at_state.word(STATES, "a state")
        if day and state:
            states.append((day, state))
    return tuple(states)


def _words(entry: Entry | None, known: list[str], what: str) -> tuple[str, ...]:
    return (
        () if entry is None else tuple(word for item in entry.one_or_more() or [] if (word := item.word(known, what)))
    )
