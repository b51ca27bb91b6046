"""Doubts: what a schedule can hardly mean, such as classes that can never apply or that others always hide.

Only what is sure is told: silence does not say that every class has its use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from agent.model.condition import (
    CAPTURE,
    AllOf,
    AnyOf,
    Condition,
    ContentIs,
    FileKindIs,
    Not,
    PathMatches,
    SameContentAs,
    ShareIs,
    StoredIn,
    captures_of,
)
from agent.model.schedule import Combined, EventTrigger, RetentionClass, RetentionSchedule
from agent.retention.periods import due_after, say_period

_ANY_DAY = date(2001, 1, 31)


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
    for key in sorted(schedule.personal_keys - captured):
        if schedule.personal_keys != {"person"}:
            yield Doubt("", f'The key "{key}" is among the personal keys, but no class captures it.')
    for one in schedule.classes:
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
    for kind, name in ((FileKindIs, "file_kind"), (ContentIs, "content"), (ShareIs, "share"), (StoredIn, "stored_in")):
        wanted = [_words(part) for part in parts if isinstance(part, kind)]
        # An item may lie in a place of several sorts, but it has one share, one kind and one likeness.
        if kind is not StoredIn and len(wanted) > 1 and not frozenset.intersection(*wanted):
            return f"no item can have two different values of {name}"
    return ""


def _words(condition: Condition) -> frozenset[str]:
    match condition:
        case FileKindIs(kinds) | ContentIs(kinds):
            return frozenset(map(str, kinds))
        case ShareIs(names):
            return frozenset(name.casefold() for name in names)
        case _:
            return frozenset()


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
        case FileKindIs() | ContentIs() | ShareIs() if type(wide) is type(narrow):
            return _words(narrow) <= _words(wide)
        case _:
            return False


def _covers_pattern(wide: str, narrow: str) -> bool:
    wide, narrow = (re.sub(r"\*+(?<!\*\*)", "*", CAPTURE.sub("*", text)).casefold() for text in (wide, narrow))
    if wide in ("**", narrow):
        return True
    return wide.endswith("/**") and narrow.startswith(wide[:-2]) and narrow != wide[:-2]


def _hides(other: RetentionClass, one: RetentionClass) -> bool:
    """Whether `other` rules over `one` on every item of `one`, whatever happens."""
    if not _covers_condition(other.applies_when, one.applies_when) or other.unless:
        return False
    if other.trigger is None:
        return True
    same_clock = other.trigger == one.trigger and not isinstance(one.trigger, Combined | type(None))
    if not same_clock or other.cut_off != one.cut_off:
        return False
    ends = [due_after(_ANY_DAY, each.period) for each in (other, one)]
    if ends[0] != ends[1]:
        return ends[0] > ends[1]
    return other.outcome == one.outcome and other.id < one.id and other.applies_when == one.applies_when


def _say_hidden(hiding: RetentionClass, one: RetentionClass) -> str:
    why = "keeps the same items permanently"
    if hiding.trigger is not None:
        length = f"{say_period(hiding.period)}" if hiding.period else "no time"
        why = f"keeps the same items for {length} from the same day"
    return f'This class never decides on anything: class "{hiding.id}" {why}.'
