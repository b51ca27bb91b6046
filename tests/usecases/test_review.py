"""What is due goes through people, stage by stage; what they may do about it, and why not, is told beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from agent.catalogue.base import ItemResult
from agent.catalogue.store import Catalogue
from agent.errors import UsageError
from agent.model.decision import DecisionState
from agent.model.event import Event
from agent.model.hold import HoldScope
from agent.model.review import ActKind, Reviewer, ReviewFacts, ReviewState
from agent.model.schedule import Disposition
from agent.usecases.evaluate import Evaluation, Terms
from agent.usecases.explain import explain_item
from tests.catalogue.factories import a_hold
from tests.usecases.review_office import (
    ANN,
    FORM,
    NOW,
    PEOPLE,
    REASON,
    TERMS,
    TODAY,
    Office,
    an_office,
    quiet,
)

CASE, CASE_2, LETTER, YOUNG, LABELLED, CLOSED, MINUTES, DROPPED = range(1, 9)
FILES: tuple[str | ItemResult, ...] = (
    "Cases/1/a.pdf",
    "Cases/2/b.pdf",
    "Letters/c.pdf",
    "Young/d.pdf",
    "Labelled/e.pdf",
    "Closed/7/f.pdf",
    "Cases/3/minutes.pdf",
    "Drop/g.pdf",
)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with an_office(tmp_path / "catalogue.sqlite", FILES) as opened:
        yield opened


@pytest.fixture
def office(catalogue: Catalogue) -> Office:
    return Office(catalogue)


# Approving


def test_two_people_approve_two_stages(office: Office) -> None:
    office.act("ann", CASE)
    assert office.under(CASE).review.state is ReviewState.IN_REVIEW
    office.act("ben", CASE, reason="ok")
    review = office.under(CASE).review
    assert review.state is ReviewState.APPROVED
    assert [(act.by, act.stage, act.reason) for act in review.approvals] == [
        ("ann", "case officer", REASON),
        ("ben", "privacy lead", "ok"),
    ]
    assert review.approved_since == NOW + timedelta(hours=2)
    assert office.catalogue.reviews.approvers(CASE) == 2
    assert office.why_not("cem", CASE) == "All its stages are approved already."


def test_what_is_only_moved_out_of_reach_needs_one_person(office: Office) -> None:
    office.act("ben", DROPPED)
    assert office.under(DROPPED).review.state is ReviewState.APPROVED
    assert office.under(DROPPED).item.outcome is Disposition.QUARANTINE


def test_a_class_without_stages_still_needs_two_people(office: Office) -> None:
    office.act("ann", LETTER)
    assert office.why_not("ann", LETTER) == (
        "You have approved it already, and two different people must. That is for ben or cem."
    )
    office.act("ben", LETTER)
    assert office.under(LETTER).review.state is ReviewState.APPROVED


def test_one_person_with_all_roles_is_not_two_people(office: Office) -> None:
    office.act("cem", CASE)
    assert office.why_not("cem", CASE) == (
        "You have approved it already, and two different people must. That is for ben."
    )
    alone = Office(office.catalogue, people=(replace(ANN, name="cem", roles=("case officer", "privacy lead")),))
    assert alone.why_not("cem", CASE).endswith("The settings name nobody else who may take that.")


def test_a_stage_is_not_for_those_without_its_role(office: Office) -> None:
    assert office.why_not("ben", CASE) == 'Its next stage is "case officer". That is for ann or cem.'


def test_whoever_is_not_named_is_told_how_to_be(office: Office) -> None:
    with pytest.raises(UsageError) as told:
        office.desk("dan").propose([office.wish(CASE, ActKind.APPROVE)])
    assert str(told.value) == (
        '"dan" is not named as a reviewer. Whoever acts in reviews must stand in the settings, by the name of the '
        "login and with roles, for example:\nreviewers:\n  - {name: dan, roles: [reviewer]}"
    )
    with pytest.raises(UsageError, match="is not named as a reviewer"):
        office.desk("dan").propose_all("case-file", office.wish(0, ActKind.APPROVE), quiet)


def test_only_what_is_due_can_be_approved(office: Office) -> None:
    assert office.why_not("ann", YOUNG) == "It is not due before 18 May 2040. Only what is due can be reviewed."
    assert office.why_not("ann", CLOSED) == "It is not due. Only what is due can be reviewed."
    assert office.why_not("ann", LABELLED).startswith("Nothing may be done with it: a hold covers it, or its date is")
    assert office.why_not("ann", 99) == "There is no item of that number, or it is gone from its share."


def test_an_item_is_named_once(office: Office) -> None:
    wish = office.wish(CASE, ActKind.APPROVE)
    proposed = office.desk().propose([wish, wish, replace(wish, item_id=CASE_2)])
    assert [act.item_id for act in proposed.acts] == [CASE_2]
    assert {refusal.why for refusal in proposed.refused} == {"It is named more than once. Say one thing about it."}


# Reasons


@pytest.mark.parametrize(
    ("kind", "reason", "said"),
    [
        (ActKind.APPROVE, " ", "--reason: say why. It is kept for whoever asks later. Leave names out."),
        (ActKind.REJECT, "", "--reason: say why. It is kept for whoever asks later. Leave names out."),
        (ActKind.REJECT, "no", "--reason: 2 characters say too little. Whoever asks later must understand why."),
        (ActKind.ASK, "x" * 501, "--reason: This has 501 characters; 500 are the most."),
        (ActKind.APPROVE, "a\x07b", "--reason: There are characters in it that cannot be printed. Take them out."),
    ],
)
def test_every_act_needs_a_reason(office: Office, kind: ActKind, reason: str, said: str) -> None:
    assert office.why_not("ann", CASE, kind, reason=reason) == said


# Stopping


@pytest.mark.parametrize(("kind", "state"), [(ActKind.REJECT, ReviewState.REJECTED), (ActKind.ASK, ReviewState.ASKED)])
def test_what_was_approved_can_be_stopped_by_whoever_takes_part_and_approved_anew(
    office: Office, kind: ActKind, state: ReviewState
) -> None:
    office.act("ann", CASE)
    office.act("ben", CASE)
    office.act("ann", CASE, kind)
    assert office.under(CASE).review.state is state
    assert office.catalogue.reviews.approvers(CASE) == 0
    office.act("ann", CASE)
    office.act("ben", CASE)
    assert office.under(CASE).review.state is ReviewState.APPROVED


def test_who_has_no_part_in_a_review_cannot_stop_it(catalogue: Catalogue) -> None:
    office = Office(catalogue, people=(*PEOPLE, Reviewer("dan", ("auditor",))))
    for kind in (ActKind.REJECT, ActKind.ASK, ActKind.EXTEND, ActKind.RECLASSIFY):
        assert office.why_not("dan", CASE, kind) == (
            'Its stages are "case officer" and "privacy lead". That is for ann or ben or cem.'
        )
    assert office.why_not("dan", DROPPED, ActKind.REJECT) == ""
    nobody = Office(catalogue, people=(Reviewer("dan", ("auditor",)),))
    assert nobody.why_not("dan", CASE, ActKind.REJECT).endswith("The settings name nobody else who may take that.")


# Extending


def test_an_extension_keeps_an_item_until_its_day_and_then_it_is_reviewed_anew(office: Office) -> None:
    office.act("ann", CASE)
    wish = office.wish(CASE, ActKind.EXTEND, until=date(2028, 1, 1))
    proposed = office.desk("ben").propose([wish])
    then = proposed.then[CASE]
    assert (then.state, then.class_id, then.due_on) == (DecisionState.KEEP, "case-file", date(2028, 1, 1))
    office.desk("ben").record(proposed)
    one = office.under(CASE)
    assert (one.item.state, one.item.due_on, one.review.state) == (then.state, then.due_on, ReviewState.EXTENDED)
    later = office.under(CASE, date(2028, 1, 1))
    assert (later.due, later.review.state, later.review.approvals) == (True, ReviewState.PROPOSED, ())
    reasons = explain_item(office.catalogue, TERMS, b"/srv/office/Cases/1/a.pdf", TODAY).evaluated.decision.reasons
    assert "A review has extended the time of this item to 1 January 2028." in [one.sentence for one in reasons]


def test_an_extension_may_be_set_right_while_it_lasts(office: Office) -> None:
    office.act("ann", CASE, ActKind.EXTEND, until=date(2031, 5, 18))
    office.act("ann", CASE, ActKind.EXTEND, until=date(2027, 1, 1))
    assert office.under(CASE).item.due_on == date(2027, 1, 1)
    assert office.why_not("ann", CASE) == "It is not due before 1 January 2027. Only what is due can be reviewed."
    assert "to 18 May 2031 at the most" in office.why_not("ann", CASE, ActKind.EXTEND, until=date(2031, 5, 19))


def test_an_extension_beyond_what_the_class_allows_is_refused_and_says_what_it_allows(office: Office) -> None:
    assert office.why_not("ann", CASE, ActKind.EXTEND, until=date(2031, 5, 19)) == (
        '--until: Class "case-file" lets it be extended to 18 May 2031 at the most. '
        "Without an extension it is due since 18 May 2021."
    )
    assert office.why_not("ann", LETTER, ActKind.EXTEND, until=date(2027, 1, 1)) == (
        '--until: Class "letter" allows no extension, and nor does any other class of the item.'
    )
    assert office.why_not("ann", DROPPED, ActKind.EXTEND, until=date(2027, 1, 1)) == (
        '--until: it lies where placement rule "not-here" says it must not, and no extension changes that.'
    )


@pytest.mark.parametrize("until", [None, TODAY, date(2020, 1, 1)])
def test_an_extension_ends_in_the_future(office: Office, until: date | None) -> None:
    said = "--until: give a day to come, on which it is due again."
    assert office.why_not("ann", CASE, ActKind.EXTEND, until=until) == said


def test_an_extension_that_has_run_out_is_told(office: Office) -> None:
    desk = office.desk("ann", date(2041, 6, 1))
    (refusal,) = desk.propose([office.wish(YOUNG, ActKind.EXTEND, until=date(2042, 1, 1))]).refused
    assert refusal.why == '--until: Class "young" lets it be extended to 18 May 2041 at the most, which is past.'


# Reclassifying


def test_a_class_that_a_review_assigns_replaces_the_one_that_was_found(office: Office) -> None:
    proposed = office.desk("ben").propose([office.wish(LETTER, ActKind.RECLASSIFY, class_id=" Young ")])
    assert (proposed.then[LETTER].state, proposed.then[LETTER].class_id) == (DecisionState.KEEP, "young")
    office.desk("ben").record(proposed)
    one = office.under(LETTER)
    assert (one.item.class_id, one.item.state, one.review.state) == (
        "young",
        DecisionState.KEEP,
        ReviewState.RECLASSIFIED,
    )
    evaluated = explain_item(office.catalogue, TERMS, b"/srv/office/Letters/c.pdf", TODAY).evaluated
    (assignment,) = evaluated.assignments
    assert (assignment.explicit, assignment.provenance) == (True, "a review assigned it on 1 June 2026")
    office.act("ben", LETTER, ActKind.RECLASSIFY, class_id="letter")
    assert office.under(LETTER).review.state is ReviewState.PROPOSED, "due again, so it is reviewed as what it is"


def test_what_is_due_in_its_new_class_too_is_reviewed_anew_under_its_stages(office: Office) -> None:
    office.act("ann", LETTER)
    office.act("ben", LETTER, ActKind.RECLASSIFY, class_id="case-file")
    one = office.under(LETTER)
    assert (one.due, one.review.state, one.stage) == (True, ReviewState.PROPOSED, "case officer")


def test_keys_come_along_into_the_new_class(office: Office) -> None:
    event = Event("case_closed", "case", "2", date(2025, 12, 31))
    office.act("ann", CASE_2, ActKind.RECLASSIFY, class_id="case-event")
    record = office.catalogue.reviews.records([CASE_2])[CASE_2]
    decision = Evaluation(office.catalogue, TERMS, TODAY, [event]).of(record).decision
    assert (decision.state, decision.due_on) == (DecisionState.KEEP, date(2027, 1, 1))


def test_a_class_that_counts_from_its_label_counts_from_the_day_of_the_review(office: Office) -> None:
    office.act("ann", LETTER, ActKind.RECLASSIFY, class_id="by-label")
    assert office.under(LETTER).item.due_on == date(2027, 6, 2)


def test_what_retains_permanently_rules_over_the_class_of_a_review(office: Office) -> None:
    record = office.catalogue.reviews.records([MINUTES])[MINUTES]
    evaluated = Evaluation(office.catalogue, TERMS, TODAY).of(record, ReviewFacts(assigned=("letter", TODAY)))
    assert [one.class_id for one in evaluated.assignments] == ["letter", "minutes"]
    assert evaluated.decision.class_id == "minutes"
    assert "not due" in office.why_not("ann", MINUTES, ActKind.RECLASSIFY, class_id="letter")


@pytest.mark.parametrize(
    ("class_id", "said"),
    [
        ("leter", '--class: the schedule "office" has no class "leter". Did you mean "letter"?'),
        (None, '--class: the schedule "office" has no class "". Use one of: '),
        ("case-file", '--class: class "case-file" rules over it already.'),
    ],
)
def test_a_class_that_cannot_be_assigned_is_refused(office: Office, class_id: str | None, said: str) -> None:
    assert office.why_not("ann", CASE, ActKind.RECLASSIFY, class_id=class_id).startswith(said)


def test_a_class_that_the_schedule_has_no_longer_leaves_those_that_are_found(office: Office) -> None:
    office.act("ann", LETTER, ActKind.RECLASSIFY, class_id="young")
    rules = replace(TERMS.schedule, classes=tuple(one for one in TERMS.schedule.classes if one.id != "young"))
    other = Office(office.catalogue, Terms(rules, FORM))
    one = other.under(LETTER)
    assert (one.item.class_id, one.due, one.review.state) == ("letter", True, ReviewState.PROPOSED)


def test_a_hold_covers_an_item_by_the_class_that_a_review_took_from_it(office: Office) -> None:
    office.act("ann", LETTER, ActKind.RECLASSIFY, class_id="case-file")
    for class_id in ("letter", "case-file"):
        office.catalogue.holds.place(a_hold(class_id, scope=HoldScope(classes=(class_id,))), [])
    record = office.catalogue.reviews.records([LETTER])[LETTER]
    evaluated = Evaluation(office.catalogue, TERMS, TODAY).of(record)
    assert [hold.name for hold in evaluated.holds] == ["letter", "case-file"]


# Delegating


def test_a_delegated_stage_is_for_one_person_who_can_give_it_back(office: Office) -> None:
    office.act("ann", CASE, ActKind.DELEGATE, to="ben")
    one = office.under(CASE)
    assert (one.review.delegated_to, one.may_approve) == ("ben", ("ben",))
    assert office.why_not("ann", CASE) == 'Its next stage is "case officer". That is for ben.'
    office.act("ben", CASE, ActKind.DELEGATE, to="ann")
    office.act("ann", CASE)
    office.act("ben", CASE, ActKind.DELEGATE, to="cem")
    assert office.under(CASE).may_approve == ("cem",), "what ann has approved stays approved"
    office.act("cem", CASE)
    assert office.under(CASE).review.state is ReviewState.APPROVED


@pytest.mark.parametrize(
    ("by", "to", "said"),
    [
        ("ben", "cem", 'Its next stage is "case officer". That is for ann or cem.'),
        ("ann", "bn", '--to: "bn" is not named as a reviewer in the settings. Did you mean "ben"?'),
        ("ann", "", '--to: "" is not named as a reviewer in the settings. Use one of: ann, ben, cem.'),
    ],
)
def test_a_delegation_that_cannot_be_is_refused(office: Office, by: str, to: str, said: str) -> None:
    assert office.why_not(by, CASE, ActKind.DELEGATE, to=to) == said


def test_a_stage_goes_neither_to_whom_it_is_for_already_nor_to_who_has_approved(office: Office) -> None:
    office.act("ann", CASE, ActKind.DELEGATE, to="ben")
    assert (
        office.why_not("ann", CASE, ActKind.DELEGATE, to="ben") == "--to: ben is the one who takes this stage already."
    )
    office.act("ben", CASE)
    assert office.why_not("cem", CASE, ActKind.DELEGATE, to="ben") == (
        "--to: ben has approved it already, and two different people must."
    )
    office.act("cem", CASE)
    assert office.why_not("cem", CASE, ActKind.DELEGATE, to="ann") == (
        "All its stages are approved already, so that none can be delegated."
    )


def test_where_one_person_is_enough_a_stage_may_go_to_who_has_taken_another(catalogue: Catalogue) -> None:
    office = Office(catalogue)
    assert office.why_not("ann", DROPPED, ActKind.DELEGATE, to="ben") == ""
