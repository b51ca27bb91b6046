"""The nouns of a retention schedule: classes, the conditions that place an item in them, and the clocks they run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from functools import cached_property

from agent.model.finding import DataCategory
from agent.model.record_kind import RecordKind

CAPTURE = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class Disposition(StrEnum):
    """What is done with an item at the end of its period."""

    REVIEW = "review"
    DESTROY = "destroy"
    ANONYMISE = "anonymise"
    RETAIN_PERMANENTLY = "retain_permanently"


class RecordDate(StrEnum):
    """A date that every item brings along, from which a period may run."""

    CREATED = "created"
    MODIFIED = "modified"
    ACCESSED = "accessed"
    LABELLED = "labelled"


@dataclass(frozen=True, slots=True)
class EventTrigger:
    """The clock starts with an event of this type about whatever the item's key of this name says."""

    type: str
    key: str


@dataclass(frozen=True, slots=True)
class AgeTrigger:
    """The clock starts on the birthday on which the person of the item's key reaches this age.

    The birth is an event of the type BORN, since no date of birth is kept with an item.
    """

    age: int
    key: str


BORN = "born"
SingleTrigger = RecordDate | EventTrigger | AgeTrigger


@dataclass(frozen=True, slots=True)
class Period:
    """A length of calendar time. How it is added to a date is written down in `agent.retention.periods`.

    `plus` runs after it: six plus one years are six years that the law asks for and one of grace.
    """

    years: int = 0
    months: int = 0
    weeks: int = 0
    days: int = 0
    plus: Period | None = None


class CutOff(StrEnum):
    """The day at whose end a batch of records is closed, so that their period runs from there."""

    MONTH = "end_of_month"
    YEAR = "end_of_year"
    TAX_YEAR = "end_of_tax_year"
    FINANCIAL_YEAR = "end_of_financial_year"
    SCHOOL_YEAR = "end_of_school_year"


@dataclass(frozen=True, slots=True)
class Countdown:
    """A trigger, the cut-off that moves its date on, and the period that runs from there; without one, at once."""

    trigger: SingleTrigger
    period: Period | None = None
    cut_off: CutOff | None = None


class Combination(StrEnum):
    """Which of several countdowns counts."""

    FIRST_OF = "first_of"
    LAST_OF = "last_of"
    ALL_OF = "all_of"


@dataclass(frozen=True, slots=True)
class Combined:
    """Several countdowns of which one lets the item go.

    The first of those that have begun to end, the last of them, or the last when all of them have begun.
    """

    how: Combination
    countdowns: tuple[Countdown, ...]


Trigger = SingleTrigger | Combined


class FileKind(StrEnum):
    """What sort of file an item is, as office people sort them."""

    DOCUMENT = "document"
    SPREADSHEET = "spreadsheet"
    PRESENTATION = "presentation"
    PDF = "pdf"
    MAIL = "mail"
    TEXT = "text"
    WEB_PAGE = "web_page"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    ARCHIVE = "archive"
    DATABASE = "database"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A pattern on an item's path relative to its share, read without regard to upper and lower case.

    `**` stands for any number of folders (none included) and is a component of its own, at the end for everything
    below; `*` for any characters within one component, `?` for exactly one; `{name}` for one or more characters
    within one component, as few as will do, which become the item's key `name`.
    """

    text: str

    @property
    def captures(self) -> tuple[str, ...]:
        return tuple(CAPTURE.findall(self.text))


@dataclass(frozen=True, slots=True)
class PathMatches:
    """The item's path matches one of these patterns."""

    patterns: tuple[PathPattern, ...]


@dataclass(frozen=True, slots=True)
class ShareIs:
    """The item lies in one of these shares, by name, read without regard to upper and lower case."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileKindIs:
    """The item is a file of one of these kinds."""

    kinds: tuple[FileKind, ...]


@dataclass(frozen=True, slots=True)
class ContentIs:
    """The item's text looks most like a record of one of these kinds."""

    kinds: tuple[RecordKind, ...]


@dataclass(frozen=True, slots=True)
class FindingPresent:
    """At least so many distinct values of an entity type, or of a whole data category, were found in the item."""

    what: str | DataCategory
    at_least: int = 1


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of these conditions holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these conditions holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """This condition does not hold."""

    condition: Condition


Condition = PathMatches | ShareIs | FileKindIs | ContentIs | FindingPresent | AllOf | AnyOf | Not


def captures_of(condition: Condition) -> frozenset[str]:
    """The names of the keys that this condition may capture. What stands under `not` captures nothing."""
    match condition:
        case PathMatches(patterns):
            return frozenset(name for pattern in patterns for name in pattern.captures)
        case AllOf(conditions) | AnyOf(conditions):
            return frozenset().union(*(captures_of(part) for part in conditions))
        case _:
            return frozenset()


@dataclass(frozen=True, slots=True)
class RetentionClass:
    """One line of the schedule: which items, how long after what, and what then.

    `mandate` is the law or instrument that gives authority to keep or destroy, `scope_notes` say how to apply the
    class. A class whose outcome is `retain_permanently` has neither trigger nor period; any other has a trigger, and
    without a period its items are due on the very day the clock starts. Where several countdowns are combined, each
    has its own period and cut-off, and the class none.
    """

    id: str
    title: str
    mandate: str
    scope_notes: str
    applies_when: Condition
    keys: tuple[str, ...]
    trigger: Trigger | None
    period: Period | None
    outcome: Disposition
    cut_off: CutOff | None = None


@dataclass(frozen=True, slots=True)
class Officer:
    """A person or post that answers for the schedule."""

    role: str
    name: str
    contact: str


@dataclass(frozen=True)
class RetentionSchedule:
    """The whole set of classes, versioned. `time_zone` turns a timestamp into a date."""

    id: str
    title: str
    version: str
    organisation: str
    time_zone: tzinfo
    classes: tuple[RetentionClass, ...]
    officers: tuple[Officer, ...] = field(default=())
    personal_keys: frozenset[str] = frozenset({"person"})

    @cached_property
    def by_id(self) -> Mapping[str, RetentionClass]:
        return {retention_class.id: retention_class for retention_class in self.classes}

    @cached_property
    def awaited(self) -> frozenset[EventTrigger]:
        """Every event that some class waits for."""
        return frozenset(event for retention_class in self.classes for event in events_of(retention_class))


def events_of(retention_class: RetentionClass) -> frozenset[EventTrigger]:
    """The events that this class's clock waits for; an age waits for the birth."""
    match retention_class.trigger:
        case Combined(_, countdowns):
            triggers: tuple[Trigger | None, ...] = tuple(countdown.trigger for countdown in countdowns)
        case trigger:
            triggers = (trigger,)
    return frozenset(
        EventTrigger(BORN, trigger.key) if isinstance(trigger, AgeTrigger) else trigger
        for trigger in triggers
        if isinstance(trigger, EventTrigger | AgeTrigger)
    )
