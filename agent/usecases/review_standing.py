"""How the reviews of items stand today, and who may do what about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

from agent.catalogue.reviews import ItemToReview
from agent.catalogue.store import Catalogue
from agent.errors import UsageError
from agent.model.review import OPEN, Grounds, Review, ReviewAct, Reviewer, Stage
from agent.retention.periods import date_in
from agent.retention.problems import one_of
from agent.retention.reviews import stages_of, standing_of, who_may_approve, who_may_delegate, who_may_stop
from agent.usecases.evaluate import Terms
from agent.usecases.standing import Advance, basis, bring_up_to_date

AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class UnderReview:
    """One item with its review, and all acts there were about it.

    `may_approve`, `may_delegate` and `may_stop` are the names of those who may take the next stage, move it to somebody
    else, and reject, ask, extend or reclassify. `waiting_since` is the day on which the next step came to be somebody's
    to take.
    """

    item: ItemToReview
    due: bool
    grounds: Grounds
    stages: tuple[Stage, ...]
    acts: tuple[ReviewAct, ...]
    review: Review
    may_approve: tuple[str, ...]
    may_delegate: tuple[str, ...]
    may_stop: tuple[str, ...]
    waiting_since: date

    @property
    def open(self) -> bool:
        """Whether somebody still has to do something about it."""
        return self.review.state in OPEN

    @property
    def stage(self) -> str:
        """The stage in which an act is done now: the next one, or the last one of an item that is approved."""
        return (self.review.stage or self.stages[-1]).name


def _none(class_id: str) -> bool:
    return False


class ReviewStandings:
    """How reviews stand under certain terms, on one day, with these people.

    `observed` says of which classes nothing can be approved, since they are only watched so far.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        terms: Terms,
        today: date,
        reviewers: Sequence[Reviewer],
        observed: Callable[[str], bool] = _none,
    ) -> None:
        self._catalogue = catalogue
        self._terms = terms
        self._basis = basis(terms)
        self.today = today
        self.reviewers = tuple(reviewers)
        self.observed = observed

    @property
    def basis(self) -> str:
        """What the items' standings are computed on."""
        return self._basis

    def bring_up_to_date(self, advance: Advance | None = None) -> None:
        """Decides on every item about which something has changed; to be called before anything else is asked."""
        bring_up_to_date(self._catalogue, self._terms, self.today, advance)

    def due(self, class_id: str | None = None) -> Iterator[UnderReview]:
        """Everything that is due, longest due first, in memory that does not grow with its number.

        Raises `UsageError` if the schedule has no class of that id.
        """
        self.check_class(class_id)
        return self.of(self._catalogue.reviews.due(self.today, class_id))

    def check_class(self, class_id: str | None) -> None:
        """Raises `UsageError` if a class is named that the schedule does not have."""
        if class_id is not None and class_id not in self._terms.schedule.by_id:
            schedule = self._terms.schedule
            raise UsageError(
                f'--class: the schedule "{schedule.id}" has no class "{class_id}". {one_of(class_id, schedule.by_id)}'
            )

    def of_numbers(self, item_ids: Iterable[int]) -> dict[int, UnderReview]:
        """The items of these numbers, as far as they are there."""
        return {one.item.item_id: one for one in self.of(self._catalogue.reviews.items(item_ids).values())}

    def of(self, items: Iterable[ItemToReview]) -> Iterator[UnderReview]:
        """These items with their reviews, in the same order."""
        coming = iter(items)
        while block := list(islice(coming, AT_ONCE)):
            acts = self._catalogue.reviews.acts_of_all(one.item_id for one in block if one.newest_act)
            for one in block:
                yield self._under(one, acts.get(one.item_id, ()))

    def _under(self, item: ItemToReview, acts: tuple[ReviewAct, ...]) -> UnderReview:
        grounds = item.grounds(self._basis)
        two_people = grounds.needs_two_people
        stages = stages_of(self._terms.schedule.by_id.get(item.class_id or ""), two_people=two_people)
        due = item.due(self.today)
        review = standing_of(acts, grounds, stages, two_people=two_people, due=due)
        return UnderReview(
            item,
            due,
            grounds,
            stages,
            acts,
            review,
            who_may_approve(review, self.reviewers, two_people=two_people),
            who_may_delegate(review, self.reviewers),
            who_may_stop(review, stages, self.reviewers),
            self._waiting_since(item),
        )

    def _waiting_since(self, item: ItemToReview) -> date:
        newest = max(item.first_seen_at, item.acted_at or item.first_seen_at)
        return max(item.due_on or date.min, date_in(newest, self._terms.schedule.time_zone))

    def overdue(self, one: UnderReview, after_days: int) -> bool:
        """Whether the review has been waiting for somebody for more than so many days."""
        return one.open and self.today - one.waiting_since > timedelta(days=after_days)
