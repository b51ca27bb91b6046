"""What may be done about an item under review, by whom, and why not: the same rules for every face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from agent.errors import UsageError
from agent.model.decision import Decision, DecisionState
from agent.model.record import Record
from agent.model.review import ActKind, ReviewFacts, ReviewState
from agent.model.schedule import RetentionSchedule
from agent.retention.periods import say_date
from agent.retention.problems import one_of
from agent.usecases.evaluate import Evaluation
from agent.usecases.event_rules import MOST_IN_NOTE, plain_text
from agent.usecases.review_standing import UnderReview

LEAST_IN_REASON = 10  # characters; one word is enough where an item goes as it was proposed
_MOVED = (ReviewState.EXTENDED, ReviewState.RECLASSIFIED)
_WHILE_DUE = "Only what is due can be reviewed."


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to do about one item, as it was said.

    `until`, `class_id` and `to` are as in `ReviewAct`. `seen` is the mark of the grounds that this person had before
    the eyes (`Grounds.mark`), empty if that is not known.
    """

    item_id: int
    kind: ActKind
    reason: str
    until: date | None = None
    class_id: str | None = None
    to: str = ""
    seen: str = ""


class ReviewRules:
    """The rules for one person at work on one day. Every call raises `UsageError` that says what is in the way."""

    def __init__(
        self,
        schedule: RetentionSchedule,
        today: date,
        by: str,
        reviewers: tuple[str, ...],
        observed: Callable[[str], bool],
    ) -> None:
        self._schedule = schedule
        self._today = today
        self._by = by
        self._reviewers = reviewers
        self._observed = observed

    def check_named(self) -> None:
        """Whether this person may take part in reviews at all."""
        if self._by not in self._reviewers:
            raise UsageError(
                f'"{self._by}" is not named as a reviewer. Whoever acts in reviews must stand in the settings, by the '
                "name of the login and with roles, for example:\n"
                f"reviewers:\n  - {{name: {self._by}, roles: [reviewer]}}"
            )

    def reason(self, wish: Wish) -> str:
        """The reason on one line."""
        try:
            line = plain_text(wish.reason, MOST_IN_NOTE)
        except ValueError as error:
            raise UsageError(f"--reason: {error}") from None
        least = 1 if wish.kind is ActKind.APPROVE else LEAST_IN_REASON
        if len(line) < least:
            raise UsageError(
                "--reason: say why. It is kept for whoever asks later. Leave names out."
                if not line
                else f"--reason: {len(line)} characters say too little. Whoever asks later must understand why."
            )
        return line

    def check(self, wish: Wish, one: UnderReview) -> None:
        """Whether it may be done about this item by this person now, leaving aside what it would lead to."""
        if wish.seen and wish.seen != one.grounds.mark:
            raise UsageError("It has changed since you looked at it. Look again, then decide.")
        moving = wish.kind in (ActKind.EXTEND, ActKind.RECLASSIFY)
        if not one.due and not (moving and one.review.state in _MOVED and one.item.state is not DecisionState.BLOCKED):
            raise UsageError(_not_due(one))
        if wish.kind is ActKind.APPROVE:
            self._check_approval(one)
        elif wish.kind is ActKind.DELEGATE:
            self._check_delegation(wish, one)
        elif self._by not in one.may_stop:
            raise UsageError(f"{_stages(one)} {_for(one.may_stop)}")

    def _check_approval(self, one: UnderReview) -> None:
        if one.item.class_id is not None and self._observed(one.item.class_id):
            raise UsageError(
                f'Class "{one.item.class_id}" is only observed, so that nothing of it can be approved. '
                "The settings say when that ends, for example:\n"
                f"disposition:\n  classes: {{{one.item.class_id}: propose}}"
            )
        if one.review.state is ReviewState.APPROVED:
            raise UsageError("All its stages are approved already.")
        if self._by in one.may_approve:
            return
        if any(act.by == self._by for act in one.review.approvals):
            raise UsageError(f"You have approved it already, and two different people must. {_for(one.may_approve)}")
        raise UsageError(f'Its next stage is "{one.stage}". {_for(one.may_approve)}')

    def _check_delegation(self, wish: Wish, one: UnderReview) -> None:
        if one.review.stage is None:
            raise UsageError("All its stages are approved already, so that none can be delegated.")
        if self._by not in one.may_delegate:
            raise UsageError(f'Its next stage is "{one.stage}". {_for(one.may_delegate)}')
        if wish.to not in self._reviewers:
            known = one_of(wish.to, self._reviewers)
            raise UsageError(f'--to: "{wish.to}" is not named as a reviewer in the settings. {known}')
        if one.may_approve == (wish.to,):
            raise UsageError(f"--to: {wish.to} is the one who takes this stage already.")
        if one.grounds.needs_two_people and any(act.by == wish.to for act in one.review.approvals):
            raise UsageError(f"--to: {wish.to} has approved it already, and two different people must.")

    # What it would lead to

    def then(self, wish: Wish, one: UnderReview, record: Record, evaluation: Evaluation) -> Decision:
        """How the item would stand after an extension or a reclassification."""
        before = evaluation.reviewed(record.item_id)
        if wish.kind is ActKind.RECLASSIFY:
            class_id = self._class(wish, one)
            return evaluation.of(record, ReviewFacts(assigned=(class_id, self._today))).decision

        def due_on(until: date | None) -> Decision:
            return evaluation.of(record, replace(before, extended_until=until)).decision

        until = self._until(wish, due_on)
        return due_on(until)

    def _class(self, wish: Wish, one: UnderReview) -> str:
        class_id = (wish.class_id or "").strip().casefold()
        if class_id not in self._schedule.by_id:
            known = one_of(class_id, self._schedule.by_id)
            raise UsageError(f'--class: the schedule "{self._schedule.id}" has no class "{class_id}". {known}')
        if class_id == one.item.class_id:
            raise UsageError(f'--class: class "{class_id}" rules over it already.')
        return class_id

    def _until(self, wish: Wish, stands: Callable[[date | None], Decision]) -> date:
        if wish.until is None or wish.until <= self._today:
            raise UsageError("--until: give a day to come, on which it is due again.")
        without, furthest = stands(None), stands(date.max)
        rules = f'Class "{without.class_id}"'
        if without.placement is not None:
            raise UsageError(
                f'--until: it lies where placement rule "{without.placement}" says it must not, and no extension '
                "changes that."
            )
        if furthest.due_on is None or without.due_on is None or furthest.due_on == without.due_on:
            raise UsageError(f"--until: {rules} allows no extension, and nor does any other class of the item.")
        if furthest.due_on <= self._today:
            raise UsageError(
                f"--until: {rules} lets it be extended to {say_date(furthest.due_on)} at the most, which is past."
            )
        if wish.until > furthest.due_on:
            raise UsageError(
                f"--until: {rules} lets it be extended to {say_date(furthest.due_on)} at the most. "
                f"Without an extension it is due since {say_date(without.due_on)}."
            )
        return wish.until


def _not_due(one: UnderReview) -> str:
    if one.item.state is DecisionState.BLOCKED:
        return "Nothing may be done with it: a hold covers it, or its date is not certain. See: retentiond explain"
    if one.item.due_on is not None:
        return f"It is not due before {say_date(one.item.due_on)}. {_WHILE_DUE}"
    return f"It is not due. {_WHILE_DUE}"


def _stages(one: UnderReview) -> str:
    names = " and ".join(f'"{stage.name}"' for stage in one.stages)
    return f"Its {'stage is' if len(one.stages) == 1 else 'stages are'} {names}."


def _for(names: tuple[str, ...]) -> str:
    if not names:
        return "The settings name nobody else who may take that."
    return f"That is for {' or '.join(names)}."
