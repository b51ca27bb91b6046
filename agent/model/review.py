"""The nouns of a review: what people did about an item that is due, and how it stands after that."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from agent.model.schedule import Disposition

# What these let go stays where it was or can be put back. All others destroy, or let a later act destroy: they need two
# different people.
HARMLESS = frozenset({Disposition.QUARANTINE, Disposition.RETAIN_PERMANENTLY})


def needs_two_people(outcome: Disposition | None) -> bool:
    """Whether one person alone may never let an item go this way.

    That includes `review`: what is approved there goes for good in the end, so one person's word is not enough either.
    """
    return outcome not in HARMLESS


class ActKind(StrEnum):
    """What a reviewer did."""

    APPROVE = "approve"
    EXTEND = "extend"
    RECLASSIFY = "reclassify"
    REJECT = "reject"
    ASK = "ask"
    DELEGATE = "delegate"


class ReviewState(StrEnum):
    """How the review of an item stands. `not_due` is for one that nothing is proposed about."""

    PROPOSED = "proposed"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXTENDED = "extended"
    RECLASSIFIED = "reclassified"
    ASKED = "asked"
    EXPIRED = "expired"
    NOT_DUE = "not_due"


# Somebody still has to do something about these.
OPEN = frozenset({ReviewState.PROPOSED, ReviewState.IN_REVIEW, ReviewState.ASKED, ReviewState.EXPIRED})


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A person whom the settings name: the login by which acts are recorded, and the roles that this person holds."""

    name: str
    roles: tuple[str, ...]
    email: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a review, to be taken by a person who holds the role of that name, or by `anybody` who is named."""

    name: str
    anybody: bool = False


_WORDS = {
    "version": "the file",
    "content_hash": "its content",
    "class_id": "its class",
    "outcome": "what is to be done with it",
    "due_on": "the day since which it is due",
    "basis": "the schedule",
}


@dataclass(frozen=True, slots=True)
class Grounds:
    """What an act was decided on: the item as it was, how it stood, and the basis (schedule and the like) of that.

    Approvals count only as long as nothing of it has changed.
    """

    version: bytes
    content_hash: bytes | None
    class_id: str | None
    outcome: Disposition | None
    due_on: date | None
    basis: str

    @property
    def needs_two_people(self) -> bool:
        """Whether one person alone may not approve what is proposed."""
        return needs_two_people(self.outcome)

    @property
    def mark(self) -> str:
        """A short text that is another one as soon as anything here is."""
        content = self.content_hash.hex() if self.content_hash is not None else None
        parts = (self.version.hex(), content, self.class_id, self.outcome and self.outcome.value, self.due_on)
        return hashlib.sha256(repr((*map(str, parts), self.basis)).encode()).hexdigest()[:32]

    def changed(self, now: Grounds) -> tuple[str, ...]:
        """What is different by now, in words; nothing if these are the same grounds."""
        return tuple(words for name, words in _WORDS.items() if getattr(self, name) != getattr(now, name))


@dataclass(frozen=True, slots=True)
class ReviewAct:
    """What one person did about one item; nothing is ever taken out.

    `number` gives the order of recording, `stage` is the step it was done in, `at` is in UTC. `until` is the day on
    which an extended item is due again, `class_id` the class that it was put into, `to` the person a stage was moved
    to.
    """

    number: int
    item_id: int
    kind: ActKind
    stage: str
    by: str
    at: datetime
    reason: str
    grounds: Grounds
    until: date | None = None
    class_id: str | None = None
    to: str = ""


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """What reviews have decided about one item that bears on its class and its date.

    `extended_until` is the day on which it is due again; `assigned` the class that a review has put it into, and when.
    """

    extended_until: date | None = None
    assigned: tuple[str, date] | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """How the review of one item stands: computed from acts and facts whenever asked, never a stored truth.

    `stage` is the step to be taken next, moved to the person `delegated_to` if one is named. `approvals` are those that
    count now, in their order; all stages are through since `approved_since`. `changed` says in words what has changed
    since the act `last`, which ends what was approved before.
    """

    state: ReviewState
    stage: Stage | None = None
    approvals: tuple[ReviewAct, ...] = ()
    approved_since: datetime | None = None
    last: ReviewAct | None = None
    changed: tuple[str, ...] = field(default=())
    delegated_to: str = ""


# Samples


@dataclass(frozen=True, slots=True)
class Group:
    """Items so alike that some may speak for all: of one class and outcome, found by the same path pattern of the
    class's condition (empty if by none), and of one format."""

    class_id: str
    outcome: Disposition
    pattern: str
    format: str

    @property
    def key(self) -> str:
        """A short name for it."""
        parts = (self.class_id, self.outcome.value, self.pattern, self.format)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class SampleVerdict:
    """What a reviewer found in one item of a sample: that it may go as proposed (`good`), or why not."""

    item_id: int
    good: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """A random sample of a group of `population` items, drawn under a certain basis so that anybody can draw it again.

    If nothing bad is `drawn`, then with 95 % confidence no more than `at_most` items of the group are bad.
    """

    number: int
    group: Group
    basis: str
    seed: str
    population: int
    at_most: int
    drawn: tuple[int, ...]
    by: str
    at: datetime
    verdicts: tuple[SampleVerdict, ...] = ()

    @property
    def bad(self) -> tuple[SampleVerdict, ...]:
        """What must not go as proposed: one is enough for the whole group to be reviewed one by one."""
        return tuple(one for one in self.verdicts if not one.good)

    @property
    def left(self) -> tuple[int, ...]:
        """The items that nobody has judged yet."""
        judged = {one.item_id for one in self.verdicts}
        return tuple(item_id for item_id in self.drawn if item_id not in judged)

    @property
    def clean(self) -> bool:
        """Whether all of it was judged and nothing bad was found."""
        return not self.left and not self.bad
