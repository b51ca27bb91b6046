"""The nouns of a decision: what an item was classified as, what happened, and what follows on a given day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from agent.model.hold import Hold
from agent.model.schedule import Disposition

CLASS_MARK = "user.retentiond.class"
KEY_MARK = "user.retentiond.key."  # and the key's name: the value, as people write it at the source
LABELS_MARK = "user.retentiond.labels"  # labels that people gave the item, parted by commas
REMAINDER = "remainder"  # what we leave of a record that was anonymised or minimised, and which of both
REMAINDER_MARK = f"user.retentiond.{REMAINDER}"
LABELLED_MARK = "user.retentiond.labelled"  # the day on which the class was set, as YYYY-MM-DD
# What Microsoft 365 calls labels, by the names under which its connector tells them, and when the first was set.
TENANT_LABELS = ("retention_label", "sensitivity_label")
TENANT_LABELLED = "retention_label_applied"


def labels_of(marks: Mapping[str, str]) -> tuple[str, ...]:
    """The labels that people have given an item at its source, as written there."""
    ours = (label.strip() for label in marks.get(LABELS_MARK, "").split(","))
    theirs = (marks.get(name, "") for name in TENANT_LABELS)
    return tuple(label for label in (*ours, *theirs) if label)


def labelled_on(marks: Mapping[str, str]) -> date | None:
    """The day on which an item was labelled at its source; none if nothing, or no day, is told."""
    try:
        return date.fromisoformat((marks.get(LABELLED_MARK) or marks.get(TENANT_LABELLED, "")).strip()[:10])
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Assignment:
    """That an item belongs to a class, with the keys read from it, and why.

    `explicit` means that a person or system said so at the source; `confidence` lies between 0 and 1.
    `provenance` is words for people without any value from the item; `keys` may name persons and stay out of `repr`.
    `exempt` says in words which exemption takes the item out of the class after all; empty if none does.
    """

    class_id: str
    keys: Mapping[str, str] = field(repr=False)
    confidence: float
    provenance: str
    explicit: bool
    exempt: str = ""


@dataclass(frozen=True, slots=True)
class Misplacement:
    """That an item lies where a placement rule says it must not, and why, in words without any value from the item."""

    rule_id: str
    provenance: str


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What bears on one item beside its classes and events.

    `holds` cover the item, in force or not. `extended_until` is the first day after the time that a review has given
    it.
    """

    holds: tuple[Hold, ...] = ()
    misplaced: tuple[Misplacement, ...] = ()
    extended_until: date | None = None


class DecisionState(StrEnum):
    """Where an item stands on the day asked about."""

    KEEP = "keep"
    WAITING = "waiting"
    DUE = "due"
    BLOCKED = "blocked"
    UNCLASSIFIED = "unclassified"


class ReasonCode(StrEnum):
    """What a reason is about, for machines; its sentence is for people."""

    CLASS_APPLIES = "class_applies"
    NO_CLASS = "no_class"
    UNKNOWN_MARK = "unknown_mark"
    CLOCK = "clock"
    NO_CLOCK = "no_clock"
    NO_EVENT = "no_event"
    NO_KEY = "no_key"
    NO_DATE = "no_date"
    IMPOSSIBLE_DATE = "impossible_date"
    WEAK_DATE = "weak_date"
    COMBINED = "combined"
    EXEMPT = "exempt"
    EXTENDED = "extended"
    HOLD = "hold"
    PLACEMENT = "placement"
    RULING = "ruling"
    COMPETING = "competing"


@dataclass(frozen=True, slots=True)
class Reason:
    """One complete sentence of why, or two; about one class, or about the item as a whole."""

    code: ReasonCode
    sentence: str
    class_id: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """What one class on its own would have done with the item on that day.

    `due_on` is the first day on which the item may go; none where the class keeps it for good or cannot say yet.
    """

    class_id: str
    state: DecisionState
    outcome: Disposition
    due_on: date | None
    explicit: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """Where an item stands on a day, and why. Computed from facts whenever asked, never a stored truth.

    `class_id` names the class that rules and `outcome` what happens in the end. `due_on` is the day from which the
    item may go: in the future with `keep`, today or earlier with `due`; with a hold, the day from which it might go
    without it; none with the other states and with a class that keeps for good. `competing` are the claims of the
    other classes, strongest first. `placement` is the rule that has the item moved out of reach, `holds` the numbers
    of the holds in force. Until `again_on`, nothing but `due_on` changes how the item stands while the facts stay.
    """

    state: DecisionState
    class_id: str | None
    outcome: Disposition | None
    due_on: date | None
    reasons: tuple[Reason, ...]
    competing: tuple[Claim, ...] = ()
    placement: str | None = None
    holds: tuple[int, ...] = ()
    again_on: date | None = None
