"""The conditions of a schedule's classes, read from their entries."""

from __future__ import annotations

from agent.model.condition import (
    CAPTURE,
    AllOf,
    AnyOf,
    Condition,
    ContentIs,
    FileKind,
    FileKindIs,
    FindingPresent,
    LabelIs,
    MarkIs,
    Not,
    PathMatches,
    PathPattern,
    SameContentAs,
    ShareIs,
    StorageKind,
    StoredIn,
    captures_of,
)
from agent.model.finding import DataCategory
from agent.model.record_kind import RecordKind
from agent.retention.entries import Entry, read_entries
from agent.retention.fields import FINDINGS
from agent.retention.problems import ScheduleError
from agent.retention.schema import AT_LEAST, CONDITION_FIELDS, MARK_VALUES

_NAMES = tuple(field.name for field in CONDITION_FIELDS)


def read_condition(entry: Entry) -> Condition | None:
    """The condition written in `entry`, or none after its problems have been noted."""
    if entry.is_list:
        entry.complain('A list of conditions needs to say how many must hold. Put "any_of:" or "all_of:" above it.')
        return None
    fields = entry.group((*CONDITION_FIELDS, AT_LEAST, MARK_VALUES))
    if fields is None:
        return None
    given = [name for name in _NAMES if name in fields]
    if AT_LEAST.name in fields and "finding" not in fields:
        fields[AT_LEAST.name].complain('"at_least" counts findings and stands only beside "finding".')
    if MARK_VALUES.name in fields and "mark" not in fields:
        fields[MARK_VALUES.name].complain('"is" says what a mark may be and stands only beside "mark".')
    if len(given) > 1:
        entry.complain(
            f"{' and '.join(given)} stand side by side. Put them as a list under all_of if every one must hold, "
            "under any_of if one is enough."
        )
    elif not fields and not entry.node.value:
        entry.complain(f"This condition says nothing. Write one of: {', '.join(_NAMES)}.")
    conditions = [_read(name, fields) for name in given]
    return conditions[0] if len(conditions) == 1 else None


def read_free_condition(entry: Entry) -> Condition | None:
    """A condition that stands outside a class or takes an item out of one, so that it may capture nothing."""
    condition = read_condition(entry)
    for name in sorted(captures_of(condition)) if condition else ():
        entry.complain(f"{{{name}}} can capture nothing here. Write * in its place.")
    return condition


def _read(name: str, fields: dict[str, Entry]) -> Condition | None:
    entry = fields[name]
    match name:
        case "path":
            patterns = [_pattern(item) for item in entry.one_or_more() or []]
            return PathMatches(tuple(pattern for pattern in patterns if pattern))
        case "share":
            return ShareIs(tuple(text for item in entry.one_or_more() or [] if (text := item.text())))
        case "stored_in":
            words = [item.word([*StorageKind], "a sort of place") for item in entry.one_or_more() or []]
            return StoredIn(tuple(StorageKind(word) for word in words if word))
        case "label":
            return LabelIs(tuple(text for item in entry.one_or_more() or [] if (text := item.text())))
        case "mark":
            return _mark(entry, fields.get(MARK_VALUES.name))
        case "same_content_as":
            patterns = [_pattern(item) for item in entry.one_or_more() or []]
            return SameContentAs(tuple(pattern for pattern in patterns if pattern))
        case "file_kind":
            words = [item.word([*FileKind], "a file kind") for item in entry.one_or_more() or []]
            return FileKindIs(tuple(FileKind(word) for word in words if word))
        case "content":
            words = [item.word([*RecordKind], "a kind of record") for item in entry.one_or_more() or []]
            return ContentIs(tuple(RecordKind(word) for word in words if word))
        case "finding":
            return _finding(entry, fields.get(AT_LEAST.name))
        case "not":
            return _not(entry)
        case _:
            parts = tuple(part for item in entry.items() or [] if (part := read_condition(item)))
            return AllOf(parts) if name == "all_of" else AnyOf(parts)


def _finding(entry: Entry, at_least: Entry | None) -> Condition | None:
    word = entry.word(sorted(FINDINGS), "an entity type or data category that can be found")
    number = 1 if at_least is None else at_least.count()
    if word is None or number is None:
        return None
    return FindingPresent(DataCategory(word) if word in set(DataCategory) else word, number)


def _mark(entry: Entry, values: Entry | None) -> Condition | None:
    name = entry.text()
    wanted = () if values is None else tuple(text for item in values.one_or_more() or [] if (text := item.text()))
    return None if name is None or (values is not None and not wanted) else MarkIs(name, wanted)


def _not(entry: Entry) -> Condition | None:
    inner = read_condition(entry)
    if inner is None:
        return None
    for name in sorted(captures_of(inner)):
        entry.complain(
            f'{{{name}}} under "not" can capture nothing, since nothing matches there. Write * in its place.'
        )
    return Not(inner)


def _pattern(entry: Entry) -> PathPattern | None:
    """A path pattern that can match something."""
    text = entry.text()
    if text is None:
        return None
    wrong = _what_is_wrong(text)
    if wrong:
        entry.complain(wrong)
        return None
    return PathPattern(text)


def _what_is_wrong(text: str) -> str:
    components = text.split("/")
    captures = CAPTURE.findall(text)
    rest = CAPTURE.sub("", text)
    if "\\" in text:
        return "A path pattern has / between folders, never a backslash."
    if text.startswith("/"):
        return "A path pattern begins inside the share, without a slash. Write ** in front to mean any folder."
    if text.endswith("/"):
        return f'This pattern ends with a slash. Write "{text}**" for everything in that folder.'
    if "" in components:
        return "Two slashes stand side by side in this pattern. Take one out."
    if "." in components or ".." in components:
        return "A path pattern cannot contain the folders . or .., because no path in a share has them."
    if any("**" in component and component != "**" for component in components):
        return "** stands for whole folders and needs slashes around it. Within a name, write a single *."
    if "{" in rest or "}" in rest:
        return "The braces in this pattern do not hold the name of a key. Write {person}, in small letters."
    if "}{" in text:
        return "Two keys stand side by side with nothing to tell them apart. Put a separator between them."
    twice = [name for name in captures if captures.count(name) > 1]
    if twice:
        return f"{{{twice[0]}}} stands twice in one pattern. Write * in place of one of them."
    return ""


def parse_condition(text: str, source: str) -> Condition:
    """The condition that stands alone in a YAML text, as in the scope of a hold, where it captures nothing.

    Raises `ScheduleError`, which lists all problems.
    """
    root = read_entries(text, source)
    condition = read_free_condition(root)
    if condition is None or root.problems:
        raise ScheduleError(source, root.problems)
    return condition
