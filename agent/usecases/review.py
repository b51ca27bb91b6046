"""Acting on what is due: approving, extending, reclassifying, rejecting, asking, delegating. One person at work."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from agent.catalogue.reviews import ItemsChanged, NewAct
from agent.catalogue.store import Catalogue
from agent.errors import UsageError
from agent.model.decision import Decision
from agent.model.review import ActKind, ReviewAct
from agent.usecases.evaluate import Evaluation, Terms
from agent.usecases.review_rules import ReviewRules, Wish
from agent.usecases.review_sampling import Groups
from agent.usecases.review_standing import AT_ONCE, ReviewStandings, UnderReview
from agent.usecases.standing import Advance

_MOVING = (ActKind.EXTEND, ActKind.RECLASSIFY)
_ONE_BY_ONE = "A sample of its group has found something bad, so that each item must be reviewed by itself."


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a wish cannot be carried out, in whole sentences."""

    item_id: int
    why: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """What would be recorded, with the items as they are now, and what cannot be.

    `then` says how the items that would be extended or reclassified would stand.
    """

    acts: tuple[NewAct, ...]
    items: Mapping[int, UnderReview]
    then: Mapping[int, Decision]
    refused: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Bulk:
    """Many items on which one and the same act is possible, by number, eight bytes each.

    `refused` counts the others by the reason why not. `marks` are those of the grounds on which it is to be done, empty
    if it is to be done whatever they are.
    """

    wish: Wish
    items: array[int]
    refused: Counter[str]
    marks: Mapping[int, str]


class ReviewDesk:
    """One person's acts on the reviews of a catalogue. Nothing is written before `record` or `record_all`.

    What is proposed is told as of the last time that `standings` were brought up to date.
    """

    def __init__(
        self, catalogue: Catalogue, terms: Terms, standings: ReviewStandings, by: str, now: Callable[[], datetime]
    ) -> None:
        self._catalogue = catalogue
        self._terms = terms
        self._standings = standings
        self._by = by
        self._now = now
        names = tuple(reviewer.name for reviewer in standings.reviewers)
        self._rules = ReviewRules(terms.schedule, standings.today, by, names, standings.observed)

    # Some items, one by one

    def propose(self, wishes: Sequence[Wish]) -> Proposed:
        """What would be recorded if all were as it should be, and what is in the way.

        Raises `UsageError` if the person at work is not named as a reviewer.
        """
        self._rules.check_named()
        items = self._standings.of_numbers(wish.item_id for wish in wishes)
        moving = [wish.item_id for wish in wishes if wish.kind in _MOVING]
        records = self._catalogue.reviews.records(moving, self._terms.schedule.captured_types)
        evaluation = Evaluation(self._catalogue, self._terms, self._standings.today) if moving else None
        times = Counter(wish.item_id for wish in wishes)
        acts: list[NewAct] = []
        then: dict[int, Decision] = {}
        refused: list[Refusal] = []
        for wish in wishes:
            one = items.get(wish.item_id)
            if one is None:
                refused.append(Refusal(wish.item_id, "There is no item of that number, or it is gone from its share."))
                continue
            if times[wish.item_id] > 1:
                refused.append(Refusal(wish.item_id, "It is named more than once. Say one thing about it."))
                continue
            try:
                reason = self._rules.reason(wish)
                self._rules.check(wish, one)
                if evaluation is not None and wish.kind in _MOVING:
                    then[wish.item_id] = self._rules.then(wish, one, records[wish.item_id], evaluation)
                acts.append(_new(wish, one, reason))
            except UsageError as error:
                refused.append(Refusal(wish.item_id, str(error)))
        return Proposed(tuple(acts), items, then, tuple(refused))

    def record(self, proposed: Proposed) -> tuple[ReviewAct, ...]:
        """Records all that was proposed, together. Raises `UsageError`, and records nothing, if anything about these
        items has changed meanwhile."""
        try:
            return self._catalogue.reviews.add(proposed.acts, self._now(), self._by)
        except ItemsChanged as error:
            numbers = ", ".join(map(str, sorted(error.item_ids)[:10]))
            raise UsageError(
                f"These items have changed, or somebody else has acted on them, since you looked at them: {numbers}. "
                "Look again, then decide. Nothing was recorded."
            ) from None

    # Many items at once

    def propose_all(self, class_id: str, wish: Wish, advance: Advance) -> Bulk:
        """The same act on every due item of the class on which this person may do it; `item_id` of the wish is no
        matter. Nothing is held open meanwhile, and memory grows by eight bytes an item."""
        due = array("q", (one.item.item_id for one in self._standings.due(class_id)))
        return self._possible(wish, due, {}, advance)

    def propose_sampled(self, number: int, wish: Wish, advance: Advance) -> Bulk:
        """Approval of every item that the clean sample of that number speaks for and that is still as it was then.

        Raises `UsageError` unless the person at work has drawn the sample and found nothing bad in any of it.
        """
        sample = Groups(self._catalogue, self._terms, self._standings).clean(number, self._by)
        marks = self._catalogue.review_samples.marks(number)
        said = (
            f"By sample {number}: none of {len(sample.drawn):,} drawn out of {sample.population:,} was bad, "
            f"so that with 95 % confidence at most {sample.at_most:,} are."
        )
        wish = replace(wish, reason=" ".join([self._rules.reason(wish), said]))
        return self._possible(wish, marks, marks, advance)

    def record_all(self, bulk: Bulk, advance: Advance) -> tuple[int, Counter[str]]:
        """Records the act on these items, a thousand in one transaction; tells on how many, and why not on others.

        What has changed meanwhile is left out.
        """
        recorded, refused = 0, Counter[str]()
        for block in _blocks(bulk.items):
            while True:
                proposed = self._fitting(bulk.wish, block, bulk.marks)
                try:
                    recorded += len(self._catalogue.reviews.add(proposed.acts, self._now(), self._by))
                except ItemsChanged as error:
                    block = [item_id for item_id in block if item_id not in error.item_ids]
                    refused["It has changed while this was going on."] += len(error.item_ids)
                else:
                    break
            refused.update(refusal.why for refusal in proposed.refused)
            advance(len(block))
        return recorded, refused

    def _possible(self, wish: Wish, item_ids: Iterable[int], marks: Mapping[int, str], advance: Advance) -> Bulk:
        self._rules.check_named()
        self._rules.reason(wish)
        possible, refused = array("q"), Counter[str]()
        for block in _blocks(item_ids):
            proposed = self._fitting(wish, block, marks)
            possible.extend(act.item_id for act in proposed.acts)
            refused.update(refusal.why for refusal in proposed.refused)
            advance(len(block))
        return Bulk(wish, possible, refused, marks)

    def _fitting(self, wish: Wish, block: Sequence[int], marks: Mapping[int, str]) -> Proposed:
        proposed = self.propose([replace(wish, item_id=item_id, seen=marks.get(item_id, "")) for item_id in block])
        if wish.kind is not ActKind.APPROVE:
            return proposed
        groups = Groups(self._catalogue, self._terms, self._standings)
        alone = {one.item.item_id for one in proposed.items.values() if groups.escalated(one.item)}
        return replace(
            proposed,
            acts=tuple(act for act in proposed.acts if act.item_id not in alone),
            refused=(
                *proposed.refused,
                *(Refusal(act.item_id, _ONE_BY_ONE) for act in proposed.acts if act.item_id in alone),
            ),
        )


def _new(wish: Wish, one: UnderReview, reason: str) -> NewAct:
    class_id = wish.class_id.strip().casefold() if wish.class_id is not None else None
    return NewAct(
        wish.item_id, wish.kind, one.stage, reason, one.grounds, one.item.newest_act, wish.until, class_id, wish.to
    )


def _blocks(item_ids: Iterable[int]) -> Iterator[list[int]]:
    numbers = array("q", item_ids)
    return (list(numbers[start : start + AT_ONCE]) for start in range(0, len(numbers), AT_ONCE))
