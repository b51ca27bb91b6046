"""Copies of one document that holds personal data: which there are, and which one to keep."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.catalogue.store import Catalogue
from agent.model.decision import DecisionState, ReasonCode
from agent.model.finding import DataCategory
from agent.usecases.evaluate import Evaluated, Evaluation

# Where people put things for the moment, and how programs name what they copy.
_FOR_THE_MOMENT = re.compile(
    r"(?:^|/)(?:downloads?|desktop|temp|tmp|temporary|scratch|old|backups?|bak|copies|to sort|unsorted|misc)(?:/|$)"
    r"|\(\d+\)\.[^/]*$|(?:\bcopy(?: of)?\b|kopie|~)[^/]*$",
    re.IGNORECASE,
)
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Items with the same bytes, the one to keep first; `why` says in words what speaks for it.

    It is a suggestion: each of the others still goes by its own class, and only after a review.
    """

    items: tuple[Evaluated, ...]
    why: str

    @property
    def size_bytes(self) -> int:
        """Of one of them."""
        return self.items[0].record.size_bytes

    @property
    def categories(self) -> frozenset[DataCategory]:
        return self.items[0].record.categories


def duplicates(catalogue: Catalogue, evaluation: Evaluation) -> Iterator[Duplicates]:
    """Every group of copies that hold personal data, those that take up the most room first."""
    for records in catalogue.duplicates(evaluation.identified):
        items = sorted(map(evaluation.of, records), key=_rank)
        yield Duplicates(tuple(items), _why(items[0], items[1]))


def _rank(one: Evaluated) -> tuple[object, ...]:
    return (*_merits(one), one.record.created_at or _LAST, len(one.record.path), one.record.share, one.record.path)


def _merits(one: Evaluated) -> tuple[bool, ...]:
    """What speaks against keeping this one rather than another, the weightiest first."""
    return (
        not one.decision.holds,
        any(reason.code is ReasonCode.PLACEMENT for reason in one.decision.reasons),
        bool(_FOR_THE_MOMENT.search(one.record.path)),
        one.decision.state is DecisionState.UNCLASSIFIED,
    )


_WORDS = (
    "a hold covers it",
    "the others lie where they must not",
    "the others lie where things are put for the moment, or are named as copies",
    "it has a retention class",
)


def _why(best: Evaluated, next_best: Evaluated) -> str:
    for mine, other, words in zip(_merits(best), _merits(next_best), _WORDS, strict=True):
        if mine != other:
            return words
    if best.record.created_at != next_best.record.created_at:
        return "it is the oldest"
    return "nothing else tells them apart but their names"
