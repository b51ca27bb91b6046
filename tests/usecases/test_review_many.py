"""What changes while people review, and what is done about many items at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from agent.errors import UsageError
from agent.model.condition import StorageKind
from agent.model.review import ActKind, ReviewState
from agent.usecases import review as review_module
from agent.usecases import review_standing
from agent.usecases.evaluate import Terms
from agent.usecases.review import ReviewDesk
from agent.usecases.review_rules import Wish
from connectors.base import Gone
from tests.catalogue.conftest import a_pass, ref_of
from tests.catalogue.factories import a_hold
from tests.usecases.review_office import BEN, FORM, NOW, TERMS, Office, a_file, an_office, quiet

CASE, CASE_2, LETTER = range(1, 4)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with an_office(tmp_path / "catalogue.sqlite", ("Cases/1/a.pdf", "Cases/2/b.pdf", "Letters/c.pdf")) as catalogue:
        yield Office(catalogue)


# What changes meanwhile


def test_a_change_of_the_file_or_the_schedule_ends_what_was_approved(office: Office) -> None:
    office.act("ann", CASE)
    office.act("ben", CASE)
    a_pass(office.catalogue, a_file("Cases/1/a.pdf", version=b"2"), hours=1)
    one = office.under(CASE)
    assert (one.review.state, one.review.changed) == (ReviewState.EXPIRED, ("the file",))
    office.act("ann", CASE)
    assert office.under(CASE).review.state is ReviewState.IN_REVIEW
    stored = Office(office.catalogue, Terms(TERMS.schedule, FORM, {"office": frozenset({StorageKind.SERVER})}))
    assert stored.under(CASE).review.changed == ("the schedule",)


def test_nothing_can_be_done_under_a_hold_and_what_was_approved_waits(office: Office) -> None:
    office.act("ann", CASE)
    office.act("ben", CASE)
    hold = office.catalogue.holds.place(a_hold(), [CASE])
    one = office.under(CASE)
    assert (one.due, one.review.state, office.catalogue.reviews.approvers(CASE)) == (False, ReviewState.NOT_DUE, 0)
    for kind in ActKind:
        assert office.why_not("ann", CASE, kind).startswith("Nothing may be done with it: a hold covers it")
    office.catalogue.holds.lift(hold.number, "jo", "over", NOW, None)
    assert office.under(CASE).review.state is ReviewState.APPROVED


def test_an_extended_item_under_a_hold_stays_as_it_is(office: Office) -> None:
    office.act("ann", CASE, ActKind.EXTEND, until=date(2028, 1, 1))
    office.catalogue.holds.place(a_hold(), [CASE])
    assert office.why_not("ann", CASE, ActKind.EXTEND, until=date(2027, 1, 1)).startswith("Nothing may be done")


def test_what_somebody_saw_must_be_what_is_there(office: Office) -> None:
    seen = office.under(CASE).grounds.mark
    assert office.why_not("ann", CASE, seen=seen) == ""
    assert office.why_not("ann", CASE, seen="0" * 32) == (
        "It has changed since you looked at it. Look again, then decide."
    )


def test_what_changes_between_looking_and_recording_is_not_recorded(office: Office) -> None:
    desk = office.desk("ann")
    proposed = desk.propose([office.wish(number, ActKind.APPROVE) for number in (CASE, CASE_2)])
    office.act("cem", CASE, ActKind.REJECT)
    with pytest.raises(UsageError, match="since you looked at them: 1"):
        desk.record(proposed)
    assert office.catalogue.reviews.acts_of(CASE_2) == ()


def test_nothing_is_written_before_it_is_recorded(office: Office) -> None:
    office.desk().propose([office.wish(CASE, ActKind.APPROVE)])
    office.desk().propose_all("case-file", office.wish(0, ActKind.APPROVE), quiet)
    assert list(office.catalogue.reviews.all()) == []


# Many at once


def test_all_due_items_of_a_class_are_counted_first_and_then_acted_on(office: Office) -> None:
    desk = office.desk("ann")
    bulk = desk.propose_all("case-file", office.wish(0, ActKind.APPROVE), quiet)
    assert (list(bulk.items), bulk.refused) == ([CASE, CASE_2], Counter())
    seen: list[int] = []
    assert desk.record_all(bulk, seen.append) == (2, Counter())
    assert seen == [2]
    again = office.desk("ann").propose_all("case-file", office.wish(0, ActKind.APPROVE), quiet)
    assert list(again.items) == []
    assert list(again.refused.values()) == [2]


def test_a_bulk_act_leaves_out_what_it_is_not_possible_on_and_says_why(office: Office) -> None:
    office.act("ann", CASE)
    bulk = office.desk("ben").propose_all("case-file", office.wish(0, ActKind.APPROVE), quiet)
    assert list(bulk.items) == [CASE]
    assert bulk.refused == {'Its next stage is "case officer". That is for ann or cem.': 1}


def test_a_bulk_act_other_than_approving_checks_each_item_too(office: Office) -> None:
    wish = office.wish(0, ActKind.EXTEND, until=date(2031, 5, 18))
    desk = office.desk("ann")
    assert desk.record_all(desk.propose_all("case-file", wish, quiet), quiet) == (2, Counter())
    assert office.under(CASE_2).review.state is ReviewState.EXTENDED


def test_what_changes_while_many_are_recorded_is_left_out(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = office.desk("ann")
    bulk = desk.propose_all("case-file", office.wish(0, ActKind.APPROVE), quiet)
    fitting = ReviewDesk._fitting

    def meanwhile(self: ReviewDesk, *arguments: object) -> object:
        proposed = fitting(self, *arguments)  # type: ignore[arg-type]
        if not office.catalogue.reviews.acts_of(CASE):
            office.act("cem", CASE, ActKind.REJECT)
        return proposed

    monkeypatch.setattr(ReviewDesk, "_fitting", meanwhile)
    recorded, refused = desk.record_all(bulk, quiet)
    assert (recorded, refused) == (1, {"It has changed while this was going on.": 1})
    assert [act.kind for act in office.catalogue.reviews.acts_of(CASE)] == [ActKind.REJECT]
    assert [act.kind for act in office.catalogue.reviews.acts_of(CASE_2)] == [ActKind.APPROVE]


def test_many_are_recorded_in_several_transactions(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_module, "AT_ONCE", 1)
    monkeypatch.setattr(review_standing, "AT_ONCE", 1)
    desk = office.desk("ann")
    seen: list[int] = []
    assert desk.record_all(desk.propose_all("case-file", office.wish(0, ActKind.APPROVE), quiet), seen.append)[0] == 2
    assert seen == [1, 1]
    assert len({act.at for act in office.catalogue.reviews.all()}) == 2


def test_a_bulk_act_needs_a_class_of_the_schedule_and_a_reason(office: Office) -> None:
    with pytest.raises(UsageError, match='--class: the schedule "office" has no class "cases"'):
        office.desk().propose_all("cases", office.wish(0, ActKind.APPROVE), quiet)
    with pytest.raises(UsageError, match="--reason: say why"):
        office.desk().propose_all("letter", Wish(0, ActKind.APPROVE, ""), quiet)


def test_gone_items_are_not_under_review(office: Office) -> None:
    a_pass(office.catalogue, Gone(ref_of(b"Cases/1/a.pdf")), hours=1)
    assert office.why_not("ann", CASE) == "There is no item of that number, or it is gone from its share."
    assert BEN.name in office.under(LETTER).may_approve
