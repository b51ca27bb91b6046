"""What is known of an item before its document is read, and what remains of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from agent.model.disposal import Account
from agent.model.schedule import ReferenceForm

OUTCOME_SUFFIX = ".outcome.txt"
_HEADING = "What is kept of a document that was removed"


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What is known without the document. `account` is that of the disposal, `removed_on` its day.

    `events` are those recorded for the item's keys, by type: what happened on a day is known better than from a paper.
    `known` are values of fields that the caller has worked out. `references` is how the organisation writes numbers.
    """

    account: Account
    removed_on: date
    events: Mapping[str, date] = field(default_factory=dict)
    known: Mapping[str, str] = field(default_factory=dict, repr=False)
    references: tuple[ReferenceForm, ...] = ()


class Why(StrEnum):
    """Why a field is lacking."""

    MISSING = "missing"  # nothing says it
    UNCLEAR = "unclear"  # the document says several things, or says it in words that we do not know
    NOT_CLEAN = "not_clean"  # what it says would tell of a person


@dataclass(frozen=True, slots=True)
class Kept:
    """A field that remains. `location` is where in the document it stood; none if it was known without it."""

    field: str
    value: str
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Lacking:
    """A field that the class keeps and that could not be had. `locations` are places to look at, if there are any."""

    field: str
    why: Why
    locations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutcomeRecord:
    """The small document that stays in the place of a minimised one; `fields` in the order of the class."""

    facts: ItemFacts
    fields: tuple[Kept, ...]
    lacking: tuple[Lacking, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything that the class keeps is there. If not, the caller decides whether the document may go."""
        return not self.lacking

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of the fields that could not be had."""
        return tuple(one.field for one in self.lacking)

    def as_bytes(self) -> bytes:
        """The record as UTF-8 text for people, with `field: value` lines; the same facts always give the same bytes."""
        account = self.facts.account
        lines = [_HEADING, ""]
        lines += [f"{one.field}: {one.value}" for one in self.fields]
        lines += [f"{one.field}: not known" for one in self.lacking]
        lines += [
            "",
            f"class: {account.class_id}",
            f"due on: {account.due_on.isoformat()}",
            f"removed on: {self.facts.removed_on.isoformat()}",
            f"rule: {account.rule}",
            "",
            f'The document itself was removed under the class "{account.class_title}" ({account.mandate}).',
            "",
        ]
        return "\n".join(lines).encode()
