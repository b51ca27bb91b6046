"""How a review stands is computed from what people did and from how the item stands, and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model.review import (
    ActKind,
    Grounds,
    Group,
    Review,
    ReviewAct,
    Reviewer,
    ReviewState,
    Sample,
    SampleVerdict,
    Stage,
    needs_two_people,
)
from agent.model.schedule import Disposition
from agent.retention.reviews import (
    ANYBODY,
    SECOND,
    begins_anew,
    reassigned,
    stages_nobody_takes,
    stages_of,
    standing_of,
    who_may_approve,
    who_may_delegate,
    who_may_stop,
)
from tests.retention.factories import a_class, a_schedule, an_assignment

GROUNDS = Grounds(b"v1", b"h" * 32, "cases", Disposition.DESTROY, date(2026, 1, 1), "b" * 64)
OFFICER, LEAD = Stage("case officer"), Stage("privacy lead")
TWO = (OFFICER, LEAD)
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
CHANGES: dict[str, tuple[object, str]] = {
    "version": (b"v2", "the file"),
    "content_hash": (None, "its content"),
    "class_id": ("other", "its class"),
    "outcome": (Disposition.REVIEW, "what is to be done with it"),
    "due_on": (date(2025, 1, 1), "the day since which it is due"),
    "basis": ("c" * 64, "the schedule"),
}


def act(number: int, kind: ActKind, by: str = "ann", stage: Stage = OFFICER, **parts: object) -> ReviewAct:
    given: dict[str, object] = {"at": AT + timedelta(hours=number), "reason": "a reason", "grounds": GROUNDS}
    return ReviewAct(number, 7, kind, stage.name, by, **{**given, **parts})  # type: ignore[arg-type]


def stands(
    *acts: ReviewAct,
    now: Grounds = GROUNDS,
    stages: Sequence[Stage] = TWO,
    two_people: bool = True,
    due: bool = True,
) -> Review:
    return standing_of(acts, now, stages, two_people=two_people, due=due)


BY_ANN, BY_BEN = act(1, ActKind.APPROVE), act(2, ActKind.APPROVE, "ben", LEAD)


# Stages


def test_what_is_due_is_proposed_for_its_first_stage() -> None:
    assert stands() == Review(ReviewState.PROPOSED, OFFICER)


def test_stages_are_approved_in_their_order() -> None:
    first = stands(BY_ANN)
    assert (first.state, first.stage, first.approvals) == (ReviewState.IN_REVIEW, LEAD, (BY_ANN,))
    assert first.approved_since is None
    both = stands(BY_ANN, BY_BEN)
    assert (both.state, both.stage, both.approvals) == (ReviewState.APPROVED, None, (BY_ANN, BY_BEN))
    assert both.approved_since == BY_BEN.at, "the cool-off begins with the last approval that was needed"


def test_a_later_stage_does_not_count_before_the_earlier_one() -> None:
    review = stands(BY_BEN)
    assert (review.state, review.stage, review.approvals) == (ReviewState.PROPOSED, OFFICER, ())
    early = act(1, ActKind.APPROVE, "ben", LEAD)
    assert stands(early, act(2, ActKind.APPROVE)).stage == LEAD


def test_nobody_counts_twice_where_two_people_are_needed() -> None:
    again = act(2, ActKind.APPROVE, "ann", LEAD)
    assert stands(BY_ANN, again).state is ReviewState.IN_REVIEW
    assert stands(BY_ANN, again, two_people=False).state is ReviewState.APPROVED
    assert stands(BY_ANN, again, act(3, ActKind.APPROVE, "ben", LEAD)).state is ReviewState.APPROVED


def test_what_comes_after_the_last_stage_changes_nothing() -> None:
    late = act(3, ActKind.APPROVE, "cem", LEAD)
    review = stands(BY_ANN, BY_BEN, late)
    assert (review.approvals, review.approved_since, review.last) == ((BY_ANN, BY_BEN), BY_BEN.at, late)


@pytest.mark.parametrize(
    ("outcome", "needed"),
    [
        (Disposition.DESTROY, True),
        (Disposition.ANONYMISE, True),
        (Disposition.MINIMISE, True),
        (Disposition.HAND_BACK, True),
        (Disposition.THIN, True),
        (Disposition.REVIEW, True),
        (None, True),
        (Disposition.QUARANTINE, False),
        (Disposition.RETAIN_PERMANENTLY, False),
    ],
)
def test_only_what_can_be_undone_needs_one_person(outcome: Disposition | None, needed: bool) -> None:
    assert needs_two_people(outcome) is needed
    assert replace(GROUNDS, outcome=outcome).needs_two_people is needed


def test_a_class_without_stages_has_one_for_anybody_and_a_second_where_two_are_needed() -> None:
    assert stages_of(None, two_people=False) == stages_of(a_class("a"), two_people=False) == (ANYBODY,)
    assert stages_of(a_class("a"), two_people=True) == (ANYBODY, SECOND)
    one = a_class("a", stages=("privacy lead",))
    assert stages_of(one, two_people=True) == (LEAD, SECOND)
    assert stages_of(one, two_people=False) == (LEAD,)
    assert stages_of(a_class("a", stages=("case officer", "privacy lead")), two_people=True) == TWO


def test_a_stage_that_the_schedule_calls_reviewer_is_for_those_who_hold_that_role() -> None:
    (stage,) = stages_of(a_class("a", stages=("reviewer",)), two_people=False)
    assert not stage.anybody


# What ends approvals


@pytest.mark.parametrize("part", CHANGES)
def test_an_approval_expires_when_what_it_was_given_on_changes_and_says_what(part: str) -> None:
    value, words = CHANGES[part]
    now = replace(GROUNDS, **{part: value})  # type: ignore[arg-type]
    for acts in ((BY_ANN,), (BY_ANN, BY_BEN)):
        review = stands(*acts, now=now)
        assert (review.state, review.stage, review.approvals) == (ReviewState.EXPIRED, OFFICER, ())
        assert (review.changed, review.approved_since) == ((words,), None)
    assert now.mark != GROUNDS.mark


def test_approvals_on_new_grounds_count_and_those_on_old_ones_do_not() -> None:
    now = replace(GROUNDS, version=b"v2")
    again = act(3, ActKind.APPROVE, "ben", OFFICER, grounds=now)
    review = stands(BY_ANN, BY_BEN, again, now=now)
    assert (review.state, review.stage, review.approvals, review.changed) == (
        ReviewState.IN_REVIEW,
        LEAD,
        (again,),
        (),
    )


def test_what_changed_back_is_what_was_approved() -> None:
    assert stands(BY_ANN, BY_BEN, now=replace(GROUNDS)).state is ReviewState.APPROVED


@pytest.mark.parametrize(("kind", "state"), [(ActKind.REJECT, ReviewState.REJECTED), (ActKind.ASK, ReviewState.ASKED)])
def test_a_rejection_or_question_ends_the_approvals_before_it(kind: ActKind, state: ReviewState) -> None:
    stopped = act(3, kind, "cem")
    review = stands(BY_ANN, BY_BEN, stopped)
    assert (review.state, review.stage, review.approvals) == (state, OFFICER, ())
    assert review.last == stopped
    anew = stands(BY_ANN, BY_BEN, stopped, act(4, ActKind.APPROVE))
    assert (anew.state, anew.stage) == (ReviewState.IN_REVIEW, LEAD)
    changed = stands(stopped, now=replace(GROUNDS, version=b"v2"))
    assert (changed.state, changed.changed) == (ReviewState.PROPOSED, ("the file",)), "it was about another file"


@pytest.mark.parametrize("kind", [ActKind.EXTEND, ActKind.RECLASSIFY])
def test_what_was_moved_on_is_proposed_anew_when_it_is_due_again(kind: ActKind) -> None:
    moved = act(3, kind)
    state = {ActKind.EXTEND: ReviewState.EXTENDED, ActKind.RECLASSIFY: ReviewState.RECLASSIFIED}[kind]
    assert stands(BY_ANN, BY_BEN, moved, due=False).state is state
    assert stands(BY_ANN, BY_BEN, moved).state is ReviewState.PROPOSED
    assert stands(BY_ANN, BY_BEN, moved).stage == OFFICER


def test_a_delegation_moves_a_stage_and_leaves_what_others_have_approved() -> None:
    moved = act(2, ActKind.DELEGATE, "ben", LEAD, to="dan")
    review = stands(BY_ANN, moved)
    assert (review.state, review.stage, review.delegated_to) == (ReviewState.IN_REVIEW, LEAD, "dan")
    assert stands(moved).delegated_to == "", "the first stage is not the one that was moved"
    further = act(3, ActKind.DELEGATE, "dan", LEAD, to="eve")
    assert stands(BY_ANN, moved, further).delegated_to == "eve"
    other = replace(GROUNDS, class_id="other")
    assert stands(moved, replace(BY_ANN, grounds=other), now=other).delegated_to == "", "another class, other people"


@pytest.mark.parametrize("kind", ActKind)
def test_everything_but_approving_and_delegating_begins_anew(kind: ActKind) -> None:
    assert begins_anew(kind) is (kind not in (ActKind.APPROVE, ActKind.DELEGATE))


# What is not due


def test_what_is_not_due_is_never_approved() -> None:
    assert stands(due=False) == Review(ReviewState.NOT_DUE)
    under_hold = stands(BY_ANN, BY_BEN, due=False)
    assert (under_hold.state, under_hold.stage, under_hold.approvals) == (ReviewState.NOT_DUE, None, ())
    moved = stands(BY_ANN, due=False, now=replace(GROUNDS, due_on=date(2030, 1, 1)))
    assert (moved.state, moved.changed) == (ReviewState.EXPIRED, ("the day since which it is due",))
    assert stands(act(1, ActKind.REJECT), due=False).state is ReviewState.NOT_DUE


# Properties

PEOPLE = ("ann", "ben", "cem")
grounds = st.sampled_from([GROUNDS, replace(GROUNDS, version=b"v2"), replace(GROUNDS, due_on=None)])
all_stages = st.sampled_from([(OFFICER, LEAD), (ANYBODY, SECOND), (OFFICER, LEAD, Stage("third"))])


@st.composite
def histories(draw: st.DrawFn) -> list[ReviewAct]:
    numbers = range(1, draw(st.integers(0, 9)) + 1)
    stage = st.sampled_from([OFFICER, LEAD, ANYBODY, SECOND, Stage("third")])
    kinds = st.sampled_from([ActKind.APPROVE, ActKind.APPROVE, ActKind.APPROVE, *ActKind])
    return [
        act(
            number,
            draw(kinds),
            draw(st.sampled_from(PEOPLE)),
            draw(stage),
            grounds=draw(grounds),
            at=AT + timedelta(hours=draw(st.integers(0, 3))),
            to=draw(st.sampled_from(PEOPLE)),
        )
        for number in numbers
    ]


@given(histories(), grounds, all_stages, st.booleans(), st.booleans(), st.randoms(use_true_random=False))
def test_the_order_in_which_acts_arrive_does_not_matter(acts, now, stages, two_people, due, chance) -> None:  # type: ignore[no-untyped-def]
    shuffled = chance.sample(acts, len(acts))
    expected = standing_of(acts, now, stages, two_people=two_people, due=due)
    assert standing_of(shuffled, now, stages, two_people=two_people, due=due) == expected


@given(histories(), grounds, all_stages, st.booleans(), st.booleans())
def test_what_is_approved_was_approved_by_enough_people_on_what_is_true_now(acts, now, stages, two_people, due) -> None:  # type: ignore[no-untyped-def]
    review = standing_of(acts, now, stages, two_people=two_people, due=due)
    approvals = review.approvals
    assert all(one.kind is ActKind.APPROVE and one.grounds == now and one in acts for one in approvals)
    assert [one.stage for one in approvals] == [stage.name for stage in stages[: len(approvals)]]
    assert [one.at for one in approvals] == sorted(one.at for one in approvals)
    if two_people:
        assert len({one.by for one in approvals}) == len(approvals)
    if approvals:
        assert not any(begins_anew(one.kind) and (one.at, one.number) > (approvals[0].at, approvals[0].number)
                       for one in acts)  # fmt: skip
    approved = review.state is ReviewState.APPROVED
    assert approved == (due and len(approvals) == len(stages))
    assert approved == (review.approved_since is not None)
    assert (review.stage is None) == (approved or not due)


@given(histories(), grounds, all_stages, st.sampled_from(sorted(CHANGES)))
def test_no_change_of_what_was_approved_leaves_anything_approved(acts, now, stages, part) -> None:  # type: ignore[no-untyped-def]
    other = replace(now, **{part: "never seen" if part in ("class_id", "basis") else CHANGES[part][0]})
    if any(one.grounds == other for one in acts):
        return
    assert standing_of(acts, other, stages, two_people=True, due=True).approvals == ()


@given(histories(), all_stages, st.sampled_from([ActKind.REJECT, ActKind.ASK, ActKind.EXTEND, ActKind.RECLASSIFY]))
def test_whoever_stops_a_review_stops_it_whatever_was_before(acts, stages, kind) -> None:  # type: ignore[no-untyped-def]
    stop = act(99, kind, at=AT + timedelta(days=9))
    review = standing_of([*acts, stop], GROUNDS, stages, two_people=True, due=True)
    assert (review.approvals, review.stage) == ((), stages[0])
    assert review.state is not ReviewState.APPROVED


# Who

ANN = Reviewer("ann", ("Case  Officer",))
BEN = Reviewer("ben", ("privacy lead", "case officer"), "ben@example.org")
CEM = Reviewer("cem", ("auditor",))


def test_a_stage_is_for_those_who_hold_its_role_whatever_its_capitals_and_spaces() -> None:
    assert who_may_approve(stands(), (ANN, BEN, CEM), two_people=True) == ("ann", "ben")
    assert who_may_approve(stands(stages=(ANYBODY,)), (ANN, CEM), two_people=True) == ("ann", "cem")
    assert who_may_approve(stands(BY_ANN, BY_BEN), (ANN, BEN), two_people=True) == ()
    assert who_may_approve(stands(due=False), (ANN, BEN), two_people=True) == ()


def test_who_has_approved_one_stage_may_not_take_another_where_two_people_are_needed() -> None:
    first = stands(act(1, ActKind.APPROVE, "ben"))
    assert who_may_approve(first, (ANN, BEN), two_people=True) == ()
    assert who_may_approve(first, (ANN, BEN), two_people=False) == ("ben",)


def test_a_stage_that_was_moved_is_for_that_person_alone() -> None:
    moved = act(1, ActKind.DELEGATE, "ann", OFFICER, to="cem")
    review = stands(moved)
    assert who_may_approve(review, (ANN, BEN, CEM), two_people=True) == ("cem",)
    assert who_may_approve(review, (ANN, BEN), two_people=True) == ("ann", "ben"), "cem is named no longer"
    assert who_may_delegate(review, (ANN, BEN, CEM)) == ("ann", "ben", "cem")
    assert who_may_delegate(stands(), (ANN, BEN, CEM)) == ("ann", "ben")
    assert who_may_delegate(stands(BY_ANN, BY_BEN), (ANN, BEN, CEM)) == ()


def test_a_stage_moved_to_somebody_who_has_approved_another_one_falls_back() -> None:
    moved = act(1, ActKind.DELEGATE, "ben", LEAD, to="ann")
    review = stands(moved, act(2, ActKind.APPROVE, "ann"))
    assert review.delegated_to == "ann"
    assert who_may_approve(review, (ANN, BEN), two_people=True) == ("ben",)


def test_whoever_may_take_any_stage_or_took_part_may_stop_a_review() -> None:
    assert who_may_stop(stands(), TWO, (ANN, BEN, CEM)) == ("ann", "ben")
    by_cem = stands(act(1, ActKind.APPROVE, "cem"))
    assert who_may_stop(by_cem, (LEAD,), (ANN, BEN, CEM)) == ("ben", "cem")
    moved = stands(act(1, ActKind.DELEGATE, "ann", OFFICER, to="cem"))
    assert who_may_stop(moved, TWO, (ANN, CEM)) == ("ann", "cem")
    assert who_may_stop(stands(), TWO, ()) == ()


def test_a_stage_that_nobody_takes_is_found() -> None:
    assert stages_nobody_takes(TWO, (ANN,), two_people=True) == (LEAD,)
    assert stages_nobody_takes(TWO, (), two_people=False) == TWO
    assert stages_nobody_takes(TWO, (BEN,), two_people=False) == ()
    assert stages_nobody_takes(TWO, (BEN,), two_people=True) == (LEAD,), "ben cannot take both"
    assert stages_nobody_takes(TWO, (BEN, ANN), two_people=True) == (), (
        "ann moves to the first stage, ben to the second"
    )
    assert stages_nobody_takes((ANYBODY, SECOND), (CEM,), two_people=True) == (SECOND,)
    assert stages_nobody_takes((ANYBODY, SECOND), (CEM, ANN), two_people=True) == ()


# The class of a review

KEPT = a_class("kept", outcome=Disposition.RETAIN_PERMANENTLY, trigger=None, period=None)
SCHEDULE = a_schedule(
    a_class("mine", keys=("case",)),
    a_class("found"),
    a_class("marked"),
    KEPT,
    a_class("leads-there", otherwise="kept"),
    a_class("leads-elsewhere", otherwise="found"),
)


def test_a_class_that_a_review_assigns_replaces_those_found_by_conditions() -> None:
    own = an_assignment("mine", explicit=True)
    found = [an_assignment("found"), an_assignment("mine"), an_assignment("leads-elsewhere")]
    (only,) = reassigned(found, own, date(2026, 3, 4), SCHEDULE)
    assert (only.class_id, only.explicit, only.confidence) == ("mine", True, 1.0)
    assert only.provenance == "a review assigned it on 4 March 2026"


def test_marks_and_classes_that_may_retain_permanently_stay_beside_it() -> None:
    own = an_assignment("mine", explicit=True)
    stay = [an_assignment("marked", explicit=True), an_assignment("kept"), an_assignment("leads-there")]
    first, *others = reassigned([*stay, an_assignment("found")], own, date(2026, 3, 4), SCHEDULE)
    assert (first.class_id, others) == ("mine", stay)


def test_keys_that_only_the_replaced_classes_read_are_taken_over() -> None:
    own = an_assignment("mine", explicit=True)
    found = [an_assignment("found", case="2026-17", person="p"), an_assignment("leads-elsewhere", case="other")]
    (only,) = reassigned(found, own, date(2026, 3, 4), SCHEDULE)
    assert only.keys == {"case": "2026-17"}
    (mine,) = reassigned(found, replace(own, keys={"case": "own"}), date(2026, 3, 4), SCHEDULE)
    assert mine.keys == {"case": "own"}


# Samples


def test_a_sample_is_clean_when_all_was_judged_and_nothing_was_bad() -> None:
    group = Group("cases", Disposition.DESTROY, "Cases/**", "docx")
    sample = Sample(1, group, "b", "seed", 100, 2, (3, 5), "ann", AT)
    assert (sample.left, sample.bad, sample.clean) == ((3, 5), (), False)
    half = replace(sample, verdicts=(SampleVerdict(3, good=True),))
    assert (half.left, half.clean) == ((5,), False)
    assert replace(half, verdicts=(*half.verdicts, SampleVerdict(5, good=True))).clean
    bad = SampleVerdict(5, good=False, reason="why")
    spoilt = replace(half, verdicts=(*half.verdicts, bad))
    assert (spoilt.left, spoilt.bad, spoilt.clean) == ((), (bad,), False)


def test_groups_are_told_apart_by_each_part() -> None:
    group = Group("cases", Disposition.DESTROY, "Cases/**", "docx")
    others = [
        replace(group, class_id="x"),
        replace(group, outcome=Disposition.REVIEW),
        replace(group, pattern=""),
        replace(group, format="pdf"),
    ]
    assert len({one.key for one in (group, *others)}) == 5
    assert replace(group).key == group.key
