"""What is under review is told with whose turn it is, for how long, and what nobody can take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from agent.catalogue.store import Catalogue
from agent.errors import UsageError
from agent.model.review import ActKind, ReviewState
from agent.model.schedule import Disposition
from agent.usecases import review_list
from agent.usecases.explain import places_of, unseen
from agent.usecases.review_list import ReviewList, Wanted, list_reviews, show_review
from tests.catalogue.conftest import a_pass, ref_of
from tests.catalogue.empty import empty_at
from tests.usecases.review_office import ANN, BEN, CEM, TERMS, Office, a_file, an_office

TWIN = b"t" * 32
CASE, CASE_2, LETTER, YOUNG, COPY, DROPPED, NOTE = range(1, 8)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    files = (
        a_file("Cases/1/a.pdf", content=TWIN),
        "Cases/2/b.pdf",
        "Letters/c.pdf",
        "Young/d.pdf",
        a_file("Young/copy of a.pdf", content=TWIN),
        "Drop/g.pdf",
        "Nowhere/h.pdf",
    )
    with an_office(tmp_path / "catalogue.sqlite", files) as catalogue:
        yield Office(catalogue)


def _list(
    office: Office, shown: int = 10, days: int = 30, today: date = date(2026, 6, 1), **wanted: object
) -> ReviewList:
    return list_reviews(office.standings(today), Wanted(**wanted), shown, days)  # type: ignore[arg-type]


def _named(listed: ReviewList) -> list[int]:
    return [one.item.item_id for one in listed.named]


def test_what_is_due_is_counted_by_the_state_of_its_review(office: Office) -> None:
    office.act("ann", CASE)
    office.act("ann", CASE_2, ActKind.REJECT)
    listed = _list(office)
    assert listed.states == {ReviewState.IN_REVIEW: 1, ReviewState.REJECTED: 1, ReviewState.PROPOSED: 2}
    assert _named(listed) == [CASE, CASE_2, LETTER, DROPPED], "longest due first"
    assert listed.chosen == 4


def test_only_what_is_asked_for_is_named_and_all_of_it_is_counted(office: Office) -> None:
    office.act("ann", CASE)
    office.act("ann", CASE_2, ActKind.REJECT)
    assert _named(_list(office, state=ReviewState.REJECTED)) == [CASE_2]
    assert _named(_list(office, class_id="case-file")) == [CASE, CASE_2]
    assert _list(office, class_id="case-file").states.total() == 2
    assert _named(_list(office, by="ann")) == [LETTER, DROPPED], "the rejected item waits for nobody"
    assert _named(_list(office, by="ben")) == [CASE, LETTER, DROPPED]
    few = _list(office, shown=1)
    assert (_named(few), few.chosen, few.states.total()) == ([CASE], 4, 4)
    with pytest.raises(UsageError, match="has no class"):
        _list(office, class_id="none")


def test_what_waits_for_too_long_is_overdue_and_people_are_reminded(office: Office) -> None:
    office.act("ann", CASE)
    office.act("ann", CASE_2, ActKind.REJECT)
    listed = _list(office, days=151)
    assert listed.overdue == 0, "the others were first seen on 1 January, 151 days ago"
    listed = _list(office, days=150)
    assert listed.overdue == 2
    assert _named(_list(office, days=150, overdue=True)) == [LETTER, DROPPED]
    told = {name: (one.waiting, one.overdue, one.since) for name, one in listed.reminders.items()}
    january = date(2026, 1, 1)
    assert told == {"ann": (2, 2, january), "ben": (3, 2, january), "cem": (3, 2, january)}
    assert listed.reminders["ann"].reviewer == ANN
    assert _list(office, days=0).overdue == 2, "what somebody acted on today waits since today"
    assert _list(office, days=0, today=date(2026, 6, 2)).overdue == 3


def test_an_item_waits_since_it_is_due_if_it_was_seen_before(office: Office) -> None:
    one = office.under(YOUNG, date(2041, 1, 1))
    assert one.waiting_since == date(2040, 5, 18)
    assert office.under(NOTE).waiting_since == date(2026, 1, 1)


def test_stages_that_nobody_takes_are_told_by_class(office: Office) -> None:
    assert _list(office).nobody == {}
    alone = Office(office.catalogue, people=(ANN,))
    assert _list(alone).nobody == {"case-file": ("privacy lead",), "letter": ("second reviewer",)}
    cem = Office(office.catalogue, people=(CEM,))
    assert _list(cem).nobody == {"case-file": ("privacy lead",), "letter": ("second reviewer",)}
    none = Office(office.catalogue, people=())
    assert _list(none).nobody == {
        "": ("reviewer",),
        "case-file": ("case officer", "privacy lead"),
        "letter": ("reviewer", "second reviewer"),
    }
    assert _list(none).reminders == {}


# One item


def test_one_item_is_shown_with_all_that_who_decides_must_know(office: Office) -> None:
    office.act("ann", CASE)
    shown = show_review(office.catalogue, TERMS, office.standings(), CASE)
    assert shown.explanation.evaluated.decision.outcome is Disposition.DESTROY
    assert [act.by for act in shown.under.acts] == ["ann"]
    assert shown.under.may_approve == (BEN.name, CEM.name)
    assert [copy.item_id for copy in shown.copies] == [COPY]
    assert shown.extend_up_to == date(2031, 5, 18)
    assert shown.group is not None
    assert (shown.group.pattern, shown.group.format) == ("Cases/{case}/**", "pdf")
    assert not shown.one_by_one


def test_what_cannot_be_extended_is_told(office: Office) -> None:
    for number in (LETTER, DROPPED, NOTE):
        assert show_review(office.catalogue, TERMS, office.standings(), number).extend_up_to is None
    late = office.standings(date(2042, 1, 1))
    assert show_review(office.catalogue, TERMS, late, YOUNG).extend_up_to is None, "that day is past"
    assert show_review(office.catalogue, TERMS, office.standings(), NOTE).group is None


def test_copies_are_told_up_to_a_number(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_list, "MOST_COPIES", 0)
    assert show_review(office.catalogue, TERMS, office.standings(), CASE).copies == ()


def test_an_item_that_is_not_there_cannot_be_shown(office: Office) -> None:
    with pytest.raises(UsageError, match="There is no item number 99"):
        show_review(office.catalogue, TERMS, office.standings(), 99)
    standings = office.standings()
    a_pass(office.catalogue, a_file("Letters/c.pdf", version=b"2"), hours=1)
    with pytest.raises(UsageError, match="Item 3 has changed just now"):
        show_review(office.catalogue, TERMS, standings, LETTER)


# Places


def test_a_path_lies_in_the_deepest_share_first(catalogue: Catalogue) -> None:
    outer = catalogue.ensure_share("all", "/srv", "fs:1")
    inner = catalogue.ensure_share("office", "/srv/office/", "fs:2")
    assert places_of(catalogue, b"/srv/office/Cases/a") == (
        (inner, ref_of(b"Cases/a")),
        (outer, ref_of(b"office/Cases/a")),
    )
    assert places_of(catalogue, b"/srv/x") == ((outer, ref_of(b"x")),)
    assert places_of(catalogue, b"/elsewhere/x") == ()
    assert "no folder that has been scanned" in str(unseen(b"/x", anywhere=False))
    assert "no scan has seen this item" in str(unseen(b"/x", anywhere=True))


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(empty_at(tmp_path / "other.sqlite")) as opened:
        yield opened


def test_a_group_needs_a_class(office: Office) -> None:
    shown = show_review(office.catalogue, TERMS, office.standings(), DROPPED)
    assert shown.group is None
    assert replace(shown.under.item, class_id="letter").outcome is Disposition.QUARANTINE
