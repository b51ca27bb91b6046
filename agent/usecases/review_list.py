"""What is under review: all of it with who has to do something about it, and everything about one item."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date

from agent.catalogue.reviews import ItemToReview
from agent.catalogue.store import Catalogue
from agent.errors import UsageError
from agent.model.review import Group, Reviewer, ReviewState
from agent.retention.reviews import stages_nobody_takes
from agent.usecases.evaluate import Evaluation, Terms
from agent.usecases.explain import Explanation, explain_number
from agent.usecases.review_sampling import Groups
from agent.usecases.review_standing import ReviewStandings, UnderReview

MOST_COPIES = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the items under review to name; all are counted."""

    class_id: str | None = None
    state: ReviewState | None = None
    by: str | None = None
    overdue: bool = False


@dataclass(slots=True)
class Reminder:
    """What waits for one person: how many items, how many of them for too long, and since when the oldest."""

    reviewer: Reviewer
    waiting: int = 0
    overdue: int = 0
    since: date = date.max


@dataclass(slots=True)
class ReviewList:
    """What is due, by the state of its review; and who must be reminded.

    `observed` counts those of classes that are only watched, so that nothing of them can be approved yet.
    `chosen` counts the items that were asked for, `named` are the first of them. `nobody` are classes (empty for items
    without one) with the names of stages that nobody takes, as the settings stand.
    """

    states: Counter[ReviewState] = field(default_factory=Counter)
    overdue: int = 0
    observed: int = 0
    chosen: int = 0
    named: list[UnderReview] = field(default_factory=list)
    reminders: dict[str, Reminder] = field(default_factory=dict)
    nobody: dict[str, tuple[str, ...]] = field(default_factory=dict)


def list_reviews(standings: ReviewStandings, wanted: Wanted, shown: int, overdue_after_days: int) -> ReviewList:
    """What is due of the wanted class, or of all; memory does not grow with its number."""
    listed = ReviewList()
    looked_at: set[tuple[str, tuple[str, ...], bool]] = set()
    for one in standings.due(wanted.class_id):
        overdue = standings.overdue(one, overdue_after_days)
        listed.states[one.review.state] += 1
        listed.overdue += overdue
        listed.observed += standings.observed(one.item.class_id or "")
        if one.open:
            _remind(listed, standings, one, overdue=overdue)
            _look_for_nobody(listed, standings, one, looked_at)
        if (
            wanted.state in (None, one.review.state)
            and (wanted.by is None or (one.open and wanted.by in one.may_approve))
            and (overdue or not wanted.overdue)
        ):
            listed.chosen += 1
            if len(listed.named) < shown:
                listed.named.append(one)
    return listed


def _remind(listed: ReviewList, standings: ReviewStandings, one: UnderReview, *, overdue: bool) -> None:
    for reviewer in standings.reviewers:
        if reviewer.name in one.may_approve:
            reminder = listed.reminders.setdefault(reviewer.name, Reminder(reviewer))
            reminder.waiting += 1
            reminder.overdue += overdue
            reminder.since = min(reminder.since, one.waiting_since)


def _look_for_nobody(
    listed: ReviewList, standings: ReviewStandings, one: UnderReview, looked_at: set[tuple[str, tuple[str, ...], bool]]
) -> None:
    class_id, two_people = one.item.class_id or "", one.grounds.needs_two_people
    key = (class_id, tuple(stage.name for stage in one.stages), two_people)
    if key not in looked_at:
        looked_at.add(key)
        alone = stages_nobody_takes(one.stages, standings.reviewers, two_people=two_people)
        if alone:
            listed.nobody[class_id] = tuple(stage.name for stage in alone)


# One item


@dataclass(frozen=True, slots=True)
class Shown:
    """One item with its decision and its review.

    `copies` have the same bytes, the first `MOST_COPIES`; each goes by its own class and its own review.
    `extend_up_to` is the last day to which it can be extended, none if it cannot. `group` are the items like it, of
    which a sample may speak for all, unless one has found something bad (`one_by_one`).
    """

    explanation: Explanation
    under: UnderReview
    copies: tuple[ItemToReview, ...]
    extend_up_to: date | None
    group: Group | None
    one_by_one: bool


def show_review(catalogue: Catalogue, terms: Terms, standings: ReviewStandings, number: int) -> Shown:
    """Everything that whoever decides about an item must know. Raises `UsageError` if there is no such item."""
    explanation = explain_number(catalogue, terms, number, standings.today)
    under = standings.of_numbers([number]).get(number)
    if under is None:
        raise UsageError(f"Item {number} has changed just now. Run the command again.")
    groups = Groups(catalogue, terms, standings)
    copies = catalogue.reviews.items(catalogue.reviews.copies(number, MOST_COPIES))
    return Shown(
        explanation,
        under,
        tuple(copies.values()),
        _extend_up_to(catalogue, terms, standings.today, explanation),
        groups.group_of(under.item),
        groups.escalated(under.item),
    )


def _extend_up_to(catalogue: Catalogue, terms: Terms, today: date, explanation: Explanation) -> date | None:
    evaluation = Evaluation(catalogue, terms, today)
    record = explanation.evaluated.record
    reviewed = evaluation.reviewed(record.item_id)
    without, furthest = (
        evaluation.of(record, replace(reviewed, extended_until=until)).decision.due_on for until in (None, date.max)
    )
    return furthest if furthest != without and furthest is not None and furthest > today else None
