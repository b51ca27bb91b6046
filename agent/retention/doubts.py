"""Doubts: what a schedule can hardly mean, such as classes that can never apply or that others always hide.

Only what is sure is told: silence does not say that every class has its use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from agent.model.condition import (
    CAPTURE,
    AllOf,
    AnyOf,
    Condition,
    ContentIs,
    FileKindIs,
    LabelIs,
    MarkIs,
    Not,
    PathMatches,
    SameContentAs,
    ShareIs,
    StoredIn,
    captures_of,
)
from agent.model.schedule import Combined, EventTrigger, RecordDate, RetentionClass, RetentionSchedule
from agent.retention.periods import due_after, say_period

_ByWords = FileKindIs | ContentIs | ShareIs | StoredIn | LabelIs

# An item may lie in a place of several sorts and bear several labels, but it has one share, one kind, one likeness.
_ONE_OF_A_KIND: tuple[tuple[type[FileKindIs | ContentIs | ShareIs], str], ...] = (
    (FileKindIs, "file_kind"),
    (ContentIs, "content"),
    (ShareIs, "share"),
)
# Days enough to tell which of two periods is the longer from whichever day: leap years, and a century without one.
_DAYS = tuple(date(2096, 1, 1) + timedelta(days=number) for number in range(9 * 365))


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing to look at again: the class or placement rule, or "" for the schedule itself, and why."""

    about: str
    sentence: str


def doubts(schedule: RetentionSchedule) -> tuple[Doubt, ...]:
    """Everything that can hardly be meant, in the order of the schedule."""
    return tuple(_doubts(schedule))


def _doubts(schedule: RetentionSchedule) -> Iterator[Doubt]:
    captured = frozenset().union(*(captures_of(one.applies_when) for one in schedule.classes))
    captured |= {capture.key for one in schedule.classes for capture in one.captures}
    for key in sorted(schedule.personal_keys - captured):
        if schedule.personal_keys != {"person"}:
            yield Doubt("", f'The key "{key}" is among the personal keys, but no class captures it.')
    gone_over_to = {one.otherwise for one in schedule.classes}
    for one in schedule.classes:
        if one.id in gone_over_to:
            continue  # it gets items beside those of its own condition
        never = impossible(one.applies_when)
        if never:
            yield Doubt(one.id, f"This class can never apply: {never}.")
            continue
        always = next(
            (exemption.by for exemption in one.unless if _covers_condition(exemption.by, one.applies_when)), None
        )
        if always is not None:
            yield Doubt(one.id, "This class never decides on anything: its exemption holds for all its items.")
            continue
        hiding = next((other for other in schedule.classes if other is not one and _hides(other, one)), None)
        if hiding is not None:
            yield Doubt(one.id, _say_hidden(hiding, one))
    for rule in schedule.placement:
        never = impossible(rule.applies_when)
        if never:
            yield Doubt(rule.id, f"This placement rule can never apply: {never}.")


def impossible(condition: Condition) -> str:
    """Why the condition can never hold, or nothing if it may."""
    match condition:
        case AnyOf(parts):
            reasons = [impossible(part) for part in parts]
            return reasons[0] if reasons and all(reasons) else ""
        case AllOf(parts):
            return next(filter(None, map(impossible, parts)), "") or _contradiction(parts)
        case Not(PathMatches(patterns)) if any(pattern.text == "**" for pattern in patterns):
            return "every path matches **, and it must not"
        case _:
            return ""


def _contradiction(parts: tuple[Condition, ...]) -> str:
    for part in parts:
        for other in parts:
            if isinstance(other, Not) and _covers_condition(other.condition, part):
                return 'what it asks for is what stands under "not"'
    for kind, name in _ONE_OF_A_KIND:
        wanted = [_words(part) for part in parts if isinstance(part, kind)]
        if len(wanted) > 1 and not frozenset.intersection(*wanted):
            return f"no item can have two different values of {name}"
    return ""


def _words(condition: _ByWords) -> frozenset[str]:
    if isinstance(condition, ShareIs | LabelIs):
        return _folded(condition.names)
    return frozenset(map(str, condition.kinds))


def _covers_condition(wide: Condition | EventTrigger, narrow: Condition) -> bool:
    """Whether everything for which `narrow` holds is something for which `wide` does; if in doubt, no."""
    if wide == narrow:
        return True
    match narrow:
        case AllOf(parts):
            return any(_covers_condition(wide, part) for part in parts)
        case AnyOf(parts):
            return all(_covers_condition(wide, part) for part in parts)
    match wide:
        case AllOf(parts):
            return all(_covers_condition(part, narrow) for part in parts)
        case AnyOf(parts):
            return any(_covers_condition(part, narrow) for part in parts)
        case PathMatches(patterns) if isinstance(narrow, PathMatches):
            return all(any(_covers_pattern(one.text, other.text) for one in patterns) for other in narrow.patterns)
        case SameContentAs(patterns) if isinstance(narrow, SameContentAs):
            return all(any(_covers_pattern(one.text, other.text) for one in patterns) for other in narrow.patterns)
        case FileKindIs() | ContentIs() | ShareIs() | StoredIn() | LabelIs() if type(wide) is type(narrow):
            return _words(narrow) <= _words(wide)
        case MarkIs(name, values) if isinstance(narrow, MarkIs) and name.casefold() == narrow.name.casefold():
            return not values or (bool(narrow.values) and _folded(narrow.values) <= _folded(values))
        case _:
            return False


def _folded(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(text.casefold() for text in texts)


def _covers_pattern(wide: str, narrow: str) -> bool:
    wide, narrow = ("/".join(map(_without_names, text.casefold().split("/"))) for text in (wide, narrow))
    if wide in ("**", narrow):
        return True
    return wide.endswith("/**") and narrow.startswith(wide[:-2])


def _without_names(component: str) -> str:
    """A component of which only the names of its keys do not count; a key alone is as good as a star."""
    return "*" if CAPTURE.fullmatch(component) else CAPTURE.sub("{}", component)


def _hides(other: RetentionClass, one: RetentionClass) -> bool:
    """Whether `other` rules over `one` on every item of `one`, whatever happens."""
    if not _covers_condition(other.applies_when, one.applies_when) or other.unless or one.extension:
        return False
    first_of_two = other.outcome == one.outcome and other.id < one.id
    if other.trigger is None or one.trigger is None:
        return other.trigger is None and (one.trigger is not None or first_of_two)
    if other.trigger != one.trigger or other.cut_off != one.cut_off or isinstance(one.trigger, Combined):
        return False
    same_items = other.applies_when == one.applies_when
    # Where an event starts the clock, the key that two patterns read from one path need not be the same.
    if not (same_items or isinstance(one.trigger, RecordDate)):
        return False
    if other.period == one.period:
        return same_items and first_of_two
    return all(due_after(day, other.period) > due_after(day, one.period) for day in _DAYS)


def _say_hidden(hiding: RetentionClass, one: RetentionClass) -> str:
    why = "keeps the same items permanently"
    if hiding.trigger is not None:
        length = f"{say_period(hiding.period)}" if hiding.period else "no time"
        why = f"keeps the same items for {length} from the same day"
    return f'This class never decides on anything: class "{hiding.id}" {why}.'
