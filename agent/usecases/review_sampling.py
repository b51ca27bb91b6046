"""Samples that speak for many items so alike that looking at all tells no more: how large, which, and what then.

A sample that finds nothing bad says with 95 % confidence that no more than a stated number of the group is bad: the
size is the smallest at which a group with one more would have shown it 19 times out of 20 (hypergeometric; for large
groups that is the rule of three, 3 divided by the share of bad items). One bad item found ends it for the whole group.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from math import floor, lgamma, log

from agent.catalogue.reviews import ItemToReview
from agent.catalogue.store import Catalogue
from agent.classification.paths import CompiledPattern, compile_pattern, fold
from agent.errors import UsageError
from agent.model.condition import AllOf, AnyOf, Condition, PathMatches
from agent.model.review import Group, Sample, SampleVerdict
from agent.usecases.evaluate import Terms
from agent.usecases.review_standing import ReviewStandings

CONFIDENCE = 0.95
_ROUNDING = 1e-9
_ONE_BY_ONE = "Its items must be reviewed one by one."


def sample_size(population: int, at_most: int) -> int:
    """How many of so many items to draw so that, if none of them is bad, no more than `at_most` are, with 95 %
    confidence; all of them at the most."""
    if at_most >= population:
        return 0
    low, high = 1, population
    while low < high:
        middle = (low + high) // 2
        if _log_of_none_drawn(population, at_most + 1, middle) <= log(1 - CONFIDENCE) + _ROUNDING:
            high = middle
        else:
            low = middle + 1
    return low


def _log_of_none_drawn(population: int, bad: int, drawn: int) -> float:
    """The logarithm of the chance that a sample of so many has none of the bad items."""
    if drawn > population - bad:
        return float("-inf")
    return (
        lgamma(population - bad + 1)
        - lgamma(population - bad - drawn + 1)
        - lgamma(population + 1)
        + lgamma(population - drawn + 1)
    )


def draw(item_ids: Iterable[int], size: int, seed: str) -> tuple[int, ...]:
    """The sample that this seed gives, in ascending order: those whose SHA-256 of `SEED:NUMBER` come first.

    The same items and the same seed give the same sample, on any machine and in any language.
    """

    def lot(item_id: int) -> bytes:
        return hashlib.sha256(f"{seed}:{item_id}".encode()).digest()

    return tuple(sorted(sorted(item_ids, key=lot)[:size]))


class Groups:
    """The groups of like items under certain terms, and the samples drawn from them."""

    def __init__(self, catalogue: Catalogue, terms: Terms, standings: ReviewStandings) -> None:
        self._catalogue = catalogue
        self._terms = terms
        self._standings = standings
        self._patterns: dict[str, list[CompiledPattern]] = {}

    # Groups

    def group_of(self, item: ItemToReview) -> Group | None:
        """The group that an item belongs to; none if no class rules over it."""
        if item.class_id is None or item.outcome is None:
            return None
        path = fold(str(item.ref))
        pattern = next((one.text for one in self._of_class(item.class_id) if one.match(path) is not None), "")
        return Group(item.class_id, item.outcome, pattern, item.format)

    def escalated(self, item: ItemToReview) -> bool:
        """Whether a sample of the item's group has found something bad since the schedule was last changed."""
        group = self.group_of(item) if self._bad else None
        return group is not None and group.key in self._bad

    def possible(self, class_id: str, by: str) -> Counter[Group]:
        """The groups of due items of that class whose next stage this person may take, with how many there are."""
        return Counter(group for group, _, _ in self._members(class_id, by))

    # Samples

    def draw(
        self, class_id: str, percent: float, by: str, now: Callable[[], datetime], seed: str, key: str = ""
    ) -> Sample:
        """A sample of one group of the class, drawn with this seed and recorded; that person's unfinished sample of the
        group if there is one, so that nobody draws until a convenient one comes.

        It is so large that finding nothing bad says that at most so many percent are. `key` names the group where there
        are several (`possible`). Raises `UsageError` if there is none to draw from.
        """
        members: dict[Group, dict[int, str]] = {}
        for group, item_id, mark in self._members(class_id, by):
            members.setdefault(group, {})[item_id] = mark
        group = _chosen(members, class_id, key)
        if group.key in self._bad:
            raise UsageError(f"A sample of this group has found something bad. {_ONE_BY_ONE}")
        marks = members[group]
        for open_ in reversed(self._catalogue.review_samples.of(group)):
            if open_.by == by and not open_.bad and open_.left and self._still(open_, marks):
                return open_
        at_most = floor(len(marks) * percent / 100 + 1e-9)
        drawn = draw(marks, sample_size(len(marks), at_most), seed)
        sample = Sample(0, group, self._standings.basis, seed, len(marks), at_most, drawn, by, now())
        return self._catalogue.review_samples.add(sample, marks)

    def get(self, number: int) -> Sample:
        """The sample of that number. Raises `UsageError` if there is none."""
        sample = self._catalogue.review_samples.get(number)
        if sample is None:
            raise UsageError(f"There is no sample {number}. To draw one: retentiond review sample --class ID")
        return sample

    def judge(self, number: int, verdicts: Sequence[SampleVerdict], by: str, at: datetime) -> Sample:
        """The sample after these verdicts of the person who has drawn it. A bad one ends it, and must say why.

        Raises `UsageError`, and records nothing, if one of them cannot be given.
        """
        sample = self._own(number, by)
        if sample.bad:
            raise UsageError(f"Sample {number} has found something bad already. {_ONE_BY_ONE}")
        marks = self._catalogue.review_samples.marks(number)
        items = self._standings.of_numbers(one.item_id for one in verdicts)
        for one, times in Counter(verdict.item_id for verdict in verdicts).items():
            if times > 1:
                raise UsageError(f"Item {one} is named more than once. Say one thing about it.")
            if one not in sample.drawn:
                raise UsageError(f"Item {one} is not among those that sample {number} has drawn.")
            if one not in items or items[one].grounds.mark != marks[one]:
                raise UsageError(f"Item {one} has changed since sample {number} was drawn. Draw another one.")
        if any(not verdict.good and not verdict.reason for verdict in verdicts):
            raise UsageError("--reason: say what is bad. It is kept for whoever asks later. Leave names out.")
        self._catalogue.review_samples.judge(number, verdicts, by, at)
        return self.get(number)

    def clean(self, number: int, by: str) -> Sample:
        """The sample of that number, if this person has drawn it, judged all of it, and found nothing bad.

        Raises `UsageError` otherwise.
        """
        sample = self._own(number, by)
        if sample.bad:
            raise UsageError(f"Sample {number} has found something bad. {_ONE_BY_ONE}")
        if sample.left:
            left = len(sample.left)
            raise UsageError(
                f"Sample {number} is not finished: {left:,} of {len(sample.drawn):,} items must still be judged. "
                f"See them: retentiond review sample {number}"
            )
        if sample.basis != self._standings.basis:
            raise UsageError(f"The schedule has changed since sample {number} was drawn. Draw another one.")
        return sample

    def _own(self, number: int, by: str) -> Sample:
        sample = self.get(number)
        if sample.by != by:
            raise UsageError(f"Sample {number} was drawn by {sample.by}, who alone can judge it. Draw one of your own.")
        return sample

    def _still(self, sample: Sample, now: Mapping[int, str]) -> bool:
        """Whether what is left of it can still be judged."""
        marks = self._catalogue.review_samples.marks(sample.number)
        return all(now.get(item_id) == marks[item_id] for item_id in sample.left)

    # The parts of groups

    @cached_property
    def _bad(self) -> frozenset[str]:
        return self._catalogue.review_samples.escalated(self._standings.basis)

    def _members(self, class_id: str, by: str) -> Iterator[tuple[Group, int, str]]:
        for one in self._standings.due(class_id):
            group = self.group_of(one.item)
            if group is not None and by in one.may_approve:
                yield group, one.item.item_id, one.grounds.mark

    def _of_class(self, class_id: str) -> list[CompiledPattern]:
        if class_id not in self._patterns:
            retention_class = self._terms.schedule.by_id.get(class_id)
            condition = retention_class.applies_when if retention_class else None
            self._patterns[class_id] = list(_patterns_in(condition)) if condition else []
        return self._patterns[class_id]


def _chosen(groups: Mapping[Group, object], class_id: str, key: str) -> Group:
    if not groups:
        raise UsageError(f'Nothing of class "{class_id}" is due that is yours to approve.')
    chosen = [group for group in groups if group.key == key] if key else list(groups)
    if len(chosen) == 1:
        return chosen[0]
    keys = ", ".join(sorted(group.key for group in groups))
    if key:
        raise UsageError(f'--group: class "{class_id}" has no group "{key}" that is yours to approve; it has: {keys}.')
    raise UsageError(f'Class "{class_id}" has several groups of like items. Choose one with --group: {keys}.')


def _patterns_in(condition: Condition) -> Iterator[CompiledPattern]:
    """The patterns under which an item may have come into the class, in their order."""
    match condition:
        case PathMatches(patterns):
            yield from map(compile_pattern, patterns)
        case AllOf(conditions) | AnyOf(conditions):
            for inner in conditions:
                yield from _patterns_in(inner)
