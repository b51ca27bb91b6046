"""How a review stands, who may take its next step, and what a class it assigns does to those found by conditions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from agent.model.decision import Assignment
from agent.model.review import ActKind, Grounds, Review, ReviewAct, Reviewer, ReviewState, Stage
from agent.model.schedule import Disposition, RetentionClass, RetentionSchedule
from agent.retention.periods import say_date

ANYBODY = Stage("reviewer", anybody=True)
SECOND = Stage("second reviewer", anybody=True)

# What begins the review anew. A delegation does not: another person decides, but on nothing else, so that what others
# have approved in the stages before stays approved.
_BEGINS_ANEW = frozenset({ActKind.EXTEND, ActKind.RECLASSIFY, ActKind.REJECT, ActKind.ASK})
_MOVED_ON = {ActKind.EXTEND: ReviewState.EXTENDED, ActKind.RECLASSIFY: ReviewState.RECLASSIFIED}
_STOPPED = {ActKind.REJECT: ReviewState.REJECTED, ActKind.ASK: ReviewState.ASKED}


def begins_anew(kind: ActKind) -> bool:
    """Whether such an act ends the approvals that were given before it."""
    return kind in _BEGINS_ANEW


def stages_of(retention_class: RetentionClass | None, *, two_people: bool) -> tuple[Stage, ...]:
    """The stages of the class, in their order. A class without any has one, for anybody who is named; where two people
    are needed and there is only one stage, a second one follows, for anybody else."""
    named = retention_class.stages if retention_class else ()
    stages = tuple(Stage(name) for name in named) or (ANYBODY,)
    return (*stages, SECOND) if two_people and len(stages) == 1 else stages


def standing_of(
    acts: Iterable[ReviewAct], now: Grounds, stages: Sequence[Stage], *, two_people: bool, due: bool
) -> Review:
    """How the review of one item stands, from all acts about it in any order, and from how the item stands itself.

    - What was approved before an extension, a reclassification, a rejection or a question no longer counts.
    - An approval counts while the item and its standing are what it was given on, else it has expired.
    - The stages are approved in their order, each once; with `two_people`, each by somebody else.
    - An item that is not `due` is never approved.
    """
    history = sorted(acts, key=lambda act: (act.at, act.number))
    last = history[-1] if history else None
    began = max((index for index, act in enumerate(history) if begins_anew(act.kind)), default=-1)
    turn = history[began] if began >= 0 else None
    given = [act for act in history[began + 1 :] if act.kind is ActKind.APPROVE]
    changed = last.grounds.changed(now) if last else ()
    if not due:
        return Review(_off(given, turn, now), last=last, changed=changed)
    approvals = _counting(given, now, stages, two_people=two_people)
    if len(approvals) == len(stages):
        return Review(ReviewState.APPROVED, None, approvals, approvals[-1].at, last, changed)
    stage = stages[len(approvals)]
    if approvals:
        state = ReviewState.IN_REVIEW
    elif given and given[-1].grounds != now:
        state = ReviewState.EXPIRED
    elif turn is not None and not given and turn.grounds == now:
        state = _STOPPED.get(turn.kind, ReviewState.PROPOSED)
    else:
        state = ReviewState.PROPOSED
    return Review(state, stage, approvals, None, last, changed, _delegated(history, stage, now))


def _counting(
    given: Iterable[ReviewAct], now: Grounds, stages: Sequence[Stage], *, two_people: bool
) -> tuple[ReviewAct, ...]:
    counting: list[ReviewAct] = []
    for act in given:
        if len(counting) == len(stages):
            break
        again = two_people and any(act.by == other.by for other in counting)
        if act.grounds == now and act.stage == stages[len(counting)].name and not again:
            counting.append(act)
    return tuple(counting)


def _off(given: Sequence[ReviewAct], turn: ReviewAct | None, now: Grounds) -> ReviewState:
    """The state of an item that is not due. One that waits under a hold keeps what was approved until it is over."""
    if given:
        return ReviewState.NOT_DUE if given[-1].grounds == now else ReviewState.EXPIRED
    return _MOVED_ON.get(turn.kind, ReviewState.NOT_DUE) if turn else ReviewState.NOT_DUE


def _delegated(history: Iterable[ReviewAct], stage: Stage, now: Grounds) -> str:
    """The newest delegation of that stage holds as long as the item stays in its class."""
    to = ""
    for act in history:
        if act.kind is ActKind.DELEGATE and act.stage == stage.name and act.grounds.class_id == now.class_id:
            to = act.to
    return to


# Who


def holds_role(reviewer: Reviewer, stage: Stage) -> bool:
    """Whether this person may take the stage, unless it is moved to another one. Capitals and spaces do not matter."""
    return stage.anybody or _plain(stage.name) in map(_plain, reviewer.roles)


def _plain(role: str) -> str:
    return " ".join(role.casefold().split())


def who_may_approve(review: Review, reviewers: Sequence[Reviewer], *, two_people: bool) -> tuple[str, ...]:
    """The names of those who may take the next stage, in the order of the settings; none if no stage is open.

    Nobody does twice where two people are needed. A stage moved to somebody who is no longer named, or has approved
    another one, falls back to those who hold its role.
    """
    if review.stage is None:
        return ()
    stage = review.stage
    done = {act.by for act in review.approvals} if two_people else set()
    others = [one for one in reviewers if one.name not in done]
    delegate = [one for one in others if one.name == review.delegated_to]
    return tuple(one.name for one in delegate or others if delegate or holds_role(one, stage))


def who_may_delegate(review: Review, reviewers: Sequence[Reviewer]) -> tuple[str, ...]:
    """The names of those who may move the next stage to somebody else: who holds its role, and whom it was moved to."""
    if review.stage is None:
        return ()
    stage = review.stage
    return tuple(one.name for one in reviewers if one.name == review.delegated_to or holds_role(one, stage))


def who_may_stop(review: Review, stages: Sequence[Stage], reviewers: Sequence[Reviewer]) -> tuple[str, ...]:
    """The names of those who may reject, ask, extend or reclassify: whoever may take any stage, or has approved one.

    So what was approved by mistake can still be stopped by each of those who took part.
    """
    took_part = {act.by for act in review.approvals} | {review.delegated_to}
    return tuple(
        one.name for one in reviewers if one.name in took_part or any(holds_role(one, stage) for stage in stages)
    )


def stages_nobody_takes(
    stages: Sequence[Stage], reviewers: Sequence[Reviewer], *, two_people: bool
) -> tuple[Stage, ...]:
    """The stages for which there is nobody, or nobody else where each needs another person."""
    alone = tuple(stage for stage in stages if not any(holds_role(one, stage) for one in reviewers))
    if alone or not two_people:
        return alone
    taken: dict[str, Stage] = {}
    return tuple(stage for stage in stages if not _seat(stage, reviewers, taken, set()))


def _seat(stage: Stage, reviewers: Sequence[Reviewer], taken: dict[str, Stage], tried: set[str]) -> bool:
    """Finds a person of its own for the stage, moving others to other people if need be (Kuhn's algorithm)."""
    for one in reviewers:
        if one.name in tried or not holds_role(one, stage):
            continue
        tried.add(one.name)
        if one.name not in taken or _seat(taken[one.name], reviewers, taken, tried):
            taken[one.name] = stage
            return True
    return False


# What a review's class does


def reassigned(
    assignments: Sequence[Assignment], own: Assignment, on: date, schedule: RetentionSchedule
) -> tuple[Assignment, ...]:
    """The classes of an item that a review has put into the class of `own` on that day.

    The review's class replaces those found by conditions: a person has looked at the item and found them wrong, and
    beside them its word would count only on a day on which both let the item go (`decide`). What stays beside it:
    - what a mark at the source says, since that is a person's word too, to be corrected there;
    - classes that retain permanently, or may come to, since what they lose cannot be got back; they are corrected in
      the schedule.

    Keys that the review's class needs and that only the others read are taken over from these.
    """
    wanted = schedule.by_id[own.class_id].keys
    found = {name: value for one in reversed(assignments) for name, value in one.keys.items() if name in wanted}
    provenance = f"a review assigned it on {say_date(on)}"
    first = replace(own, keys={**found, **own.keys}, provenance=provenance, confidence=1.0, explicit=True)
    others = (one for one in assignments if one.class_id != own.class_id)
    return (first, *(one for one in others if one.explicit or _may_be_permanent(one, schedule)))


def _may_be_permanent(assignment: Assignment, schedule: RetentionSchedule) -> bool:
    retention_class = schedule.by_id[assignment.class_id]
    ways = [retention_class, *([schedule.by_id[retention_class.otherwise]] if retention_class.otherwise else [])]
    return any(one.outcome is Disposition.RETAIN_PERMANENTLY for one in ways)
