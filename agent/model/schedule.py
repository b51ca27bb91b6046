"""The nouns of a retention schedule: classes, the conditions that place an item in them, and the clocks they run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo
from enum import StrEnum
from functools import cached_property

from agent.model.condition import Condition, StorageKind
from agent.model.finding import SPECIAL_CATEGORIES, DataCategory
from agent.model.key import NAMED_AS
from agent.model.record_kind import RecordKind


class Disposition(StrEnum):
    """What is done with an item at the end of its period.

    `minimise` keeps some fields of it and lets the document go; `hand_back` exports it to whom it belongs and then
    destroys it; `thin` takes it out of a file of which other parts stay, because a longer class keeps them;
    `quarantine` moves it out of reach at once and alerts somebody, since it must not be where it is.
    """

    REVIEW = "review"
    DESTROY = "destroy"
    ANONYMISE = "anonymise"
    MINIMISE = "minimise"
    HAND_BACK = "hand_back"
    THIN = "thin"
    QUARANTINE = "quarantine"
    RETAIN_PERMANENTLY = "retain_permanently"


class RecordDate(StrEnum):
    """A date that every item brings along, from which a period may run."""

    CREATED = "created"
    MODIFIED = "modified"
    ACCESSED = "accessed"
    LABELLED = "labelled"
    FOUND = "found"


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


@dataclass(frozen=True, slots=True)
class Exemption:
    """What takes an item out of a class: a condition that holds, or an event that has happened to one of its keys."""

    by: Condition | EventTrigger


@dataclass(frozen=True, slots=True)
class Capture:
    """Where a key is read from if the item's path does not give it: from the mark of the key's name at its source
    (`user.retentiond.key.NAME`), or from its text, if that holds just one value of an entity type."""

    key: str
    entity_type: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """An item as the class's author imagines it, and how it must stand on certain days (`retentiond schedule test`).

    `modified` and `created` are dates of the item, `findings` entity types or data categories, `content` the kind of
    record that its text looks like; `events` are type, key, value and day.
    """

    path: str
    share: str
    modified: date
    created: date
    found: date
    findings: tuple[str, ...]
    content: RecordKind | None
    labels: tuple[str, ...]
    copies: tuple[str, ...]
    stored_in: frozenset[StorageKind]
    events: tuple[tuple[str, str, str, date], ...]
    states: tuple[tuple[date, str], ...]
    line: int


@dataclass(frozen=True, slots=True)
class RetentionClass:
    """One line of the schedule: which items, how long after what, and what then.

    `mandate` is the law or instrument that gives authority to keep or destroy, `scope_notes` say how to apply the
    class. A class whose outcome is `retain_permanently` has neither trigger nor period; any other has a trigger, and
    without a period its items are due on the very day the clock starts. Where several countdowns are combined, each
    has its own period and cut-off, and the class none.

    `rows` are the lines of the organisation's own policy that it carries out. `keeps` names what remains of an item
    that is minimised. Any one of `unless` takes an item out of the class, into the class `otherwise` if there is one.
    `extension` is how much longer a review may
    let an item stay, `stages` the roles that must agree to its end, in their order.
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
    rows: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    unless: tuple[Exemption, ...] = ()
    otherwise: str | None = None
    extension: Period | None = None
    stages: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    captures: tuple[Capture, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacementRule:
    """What must not lie where it lies. `quarantine` says that it is to be moved out of reach, else it is reported."""

    id: str
    title: str
    mandate: str
    applies_when: Condition
    quarantine: bool
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Officer:
    """A person or post that answers for the schedule."""

    role: str
    name: str
    contact: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """Someone outside who gets data of these classes, and must be told when it is erased (UK GDPR Art. 19)."""

    name: str
    contact: str
    receives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReferenceForm:
    """How the organisation writes staff or case numbers of its own (`EMPLOYEE_ID`, `CASE_REFERENCE`): regular
    expressions for a number, and for what must stand before one, if anything."""

    entity_type: str
    pattern: str
    context: str = ""


@dataclass(frozen=True, slots=True)
class Authority:
    """The supervisory authority to which breaches are reported."""

    name: str
    contact: str


@dataclass(frozen=True)
class RetentionSchedule:
    """The whole set of classes, versioned. `time_zone` turns a timestamp into a date.

    `personal_keys` are keys whose values name persons, so that they are kept as keyed hashes. `special_categories`
    are the data categories that this organisation treats as special.
    """

    id: str
    title: str
    version: str
    organisation: str
    time_zone: tzinfo
    classes: tuple[RetentionClass, ...]
    officers: tuple[Officer, ...] = field(default=())
    personal_keys: frozenset[str] = frozenset({"person"})
    special_categories: frozenset[DataCategory] = SPECIAL_CATEGORIES
    placement: tuple[PlacementRule, ...] = ()
    recipients: tuple[Recipient, ...] = ()
    authority: Authority | None = None
    references: tuple[ReferenceForm, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[str, RetentionClass]:
        return {retention_class.id: retention_class for retention_class in self.classes}

    @cached_property
    def hidden_keys(self) -> Mapping[str, str]:
        """The keys that are kept as keyed hashes, each with the entity type whose identities they are: those that name
        persons, and those that are read from marks or texts, which keep no values either."""
        captures = [capture for one in self.classes for capture in one.captures]
        named = [*self.personal_keys, *(capture.key for capture in captures)]
        found = {capture.key: capture.entity_type for capture in captures if capture.entity_type}
        return {**dict.fromkeys(named, NAMED_AS), **found}

    @cached_property
    def captured_types(self) -> frozenset[str]:
        """The entity types that keys are read from."""
        return frozenset(capture.entity_type for one in self.classes for capture in one.captures if capture.entity_type)

    @cached_property
    def awaited(self) -> frozenset[EventTrigger]:
        """Every event that some class waits for."""
        return frozenset(event for retention_class in self.classes for event in events_of(retention_class))


def events_of(retention_class: RetentionClass) -> frozenset[EventTrigger]:
    """The events that this class's clock or an exemption waits for; an age waits for the birth."""
    match retention_class.trigger:
        case Combined(_, countdowns):
            triggers: tuple[Trigger | None, ...] = tuple(countdown.trigger for countdown in countdowns)
        case trigger:
            triggers = (trigger,)
    exempting = tuple(exemption.by for exemption in retention_class.unless)
    return frozenset(
        EventTrigger(BORN, trigger.key) if isinstance(trigger, AgeTrigger) else trigger
        for trigger in (*triggers, *exempting)
        if isinstance(trigger, EventTrigger | AgeTrigger)
    )
