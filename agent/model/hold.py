"""The nouns of a hold: what suspends every disposition, whatever the schedule says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class HoldKind(StrEnum):
    """Why an item is held. Whoever lifts a restriction must have told the person first (UK GDPR Art. 18(3))."""

    LEGAL_HOLD = "legal_hold"
    MORATORIUM = "moratorium"
    SUBJECT_REQUEST = "subject_request"
    RESTRICTION = "restriction"


@dataclass(frozen=True, slots=True)
class HoldScope:
    """What a hold covers: items for which every part that is given holds; within a part one is enough.

    `condition` is a condition in the language of the schedule (`applies_when`), as YAML; paths and shares are part of
    it. `classes` are ids of classes, `keys` pairs of a key's name and its value as it is kept (`agent.model.key`),
    `persons` identities of findings. `dated_from` and `dated_until` (both included) bound the date of last
    modification. A scope without any part covers everything.
    """

    condition: str = ""
    classes: tuple[str, ...] = ()
    keys: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    persons: tuple[bytes, ...] = field(default=(), repr=False)
    dated_from: date | None = None
    dated_until: date | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold, as the catalogue keeps it; nothing is ever taken out.

    `number` and `name` name it for people. `citation` is the statute, order or request it rests on. It is in force
    from the day it was placed, or `from_day`, to the end of `until_day`, or until it is lifted (`lifted_at`, UTC). By
    `review_on` somebody must have asked whether it is still needed. `told_on` is the day on which the person was told
    that a restriction would be lifted.
    """

    number: int
    name: str
    kind: HoldKind
    scope: HoldScope
    reason: str
    citation: str
    placed_by: str
    placed_at: datetime
    review_on: date | None = None
    from_day: date | None = None
    until_day: date | None = None
    lifted_at: datetime | None = None
    lifted_by: str = ""
    lifted_why: str = ""
    told_on: date | None = None

    def in_force(self, day: date) -> bool:
        """Whether it stands on that day, as far as is known now; a lifted hold no longer does."""
        if self.lifted_at is not None:
            return False
        return (self.from_day is None or self.from_day <= day) and (self.until_day is None or day <= self.until_day)
