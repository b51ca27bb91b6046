"""Acts of reviews are recorded whole or not at all, in their order, and the database itself wants two people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy.exc import IntegrityError

from agent.catalogue.database import Database
from agent.catalogue.reviews import _SO_FAR, ItemsChanged, ItemToReview, NewAct
from agent.catalogue.standing import Stood
from agent.catalogue.store import Catalogue
from agent.catalogue.tables import metadata, review_act
from agent.errors import CatalogueError, UsageError
from agent.model.decision import Decision, DecisionState
from agent.model.review import (
    HARMLESS,
    ActKind,
    Grounds,
    Group,
    ReviewAct,
    ReviewFacts,
    Sample,
    SampleVerdict,
    needs_two_people,
)
from agent.model.schedule import Disposition
from agent.retention.reviews import begins_anew
from connectors.base import Gone
from tests.catalogue.conftest import BEGAN, a_pass, a_result, ref_of

AT = datetime(2026, 6, 1, 12, 30, 15, 123456, tzinfo=UTC)
DUE = date(2025, 1, 1)
ON = "b" * 64


def _decide(catalogue: Catalogue, item_id: int, on: str = ON, **parts: object) -> None:
    given: dict[str, object] = {"outcome": Disposition.DESTROY, "due_on": DUE, "state": DecisionState.DUE}
    decision = Decision(**{"class_id": "cases", "reasons": (), **given, **parts})  # type: ignore[arg-type]
    catalogue.standings.begin(on)
    assert catalogue.standings.keep([Stood(item_id, decision, frozenset(), frozenset())], catalogue.state_mark())


@pytest.fixture
def due(catalogue: Catalogue) -> Catalogue:
    """A catalogue with two items, of which the first is due."""
    a_pass(catalogue, a_result(b"Cases/1/letter"), a_result(b"Cases/2/letter", content_hash=b"i" * 32))
    _decide(catalogue, 1)
    return catalogue


def _item(catalogue: Catalogue, item_id: int = 1) -> ItemToReview:
    return catalogue.reviews.items([item_id])[item_id]


def _new(catalogue: Catalogue, kind: ActKind = ActKind.APPROVE, stage: str = "reviewer", **parts: object) -> NewAct:
    item = _item(catalogue)
    return replace(NewAct(1, kind, stage, "a reason", item.grounds(ON), item.newest_act), **parts)  # type: ignore[arg-type]


def _add(
    catalogue: Catalogue, kind: ActKind = ActKind.APPROVE, by: str = "ann", stage: str = "reviewer", hours: int = 0
) -> ReviewAct:
    (act,) = catalogue.reviews.add([_new(catalogue, kind, stage)], AT + timedelta(hours=hours), by)
    return act


# Recording


def test_an_act_is_read_back_as_it_was_recorded(due: Catalogue, path: Path) -> None:
    grounds = Grounds(b"1", b"h" * 32, "cases", Disposition.DESTROY, DUE, ON)
    approved = _add(due)
    assert approved == ReviewAct(1, 1, ActKind.APPROVE, "reviewer", "ann", AT, "a reason", grounds)
    new = _new(due, ActKind.DELEGATE, until=date(2030, 1, 1), class_id="other", to="ben")
    (moved,) = due.reviews.add([new], AT, "ben")
    assert (moved.until, moved.class_id, moved.to) == (date(2030, 1, 1), "other", "ben")
    due.close()
    with Catalogue.open(path, create=False) as again:
        assert again.reviews.acts_of(1) == (approved, moved)
        assert again.reviews.acts_of(2) == ()
        assert again.reviews.acts_of_all([2, 1, 1]) == {1: (approved, moved)}


def test_what_is_due_is_told_with_its_grounds_and_the_newest_act(due: Catalogue) -> None:
    (item,) = due.reviews.due(DUE)
    assert (item.share, item.ref, item.item_id, item.state) == (
        "office",
        ref_of(b"Cases/1/letter"),
        1,
        DecisionState.DUE,
    )
    assert (item.size_bytes, item.format, item.first_seen_at) == (100, "pdf", BEGAN + timedelta(seconds=30))
    assert (item.newest_act, item.acted_at) == (0, None)
    assert item.due(DUE)
    assert not item.due(DUE - timedelta(days=1))
    _add(due)
    assert (_item(due).newest_act, _item(due).acted_at) == (1, AT)
    assert list(due.reviews.due(DUE, "cases")) == [_item(due)]
    assert list(due.reviews.due(DUE, "other")) == list(due.reviews.due(DUE - timedelta(days=1))) == []
    assert due.reviews.items([2]) == {}, "this one has not been decided on"


def test_what_waits_or_is_held_is_not_due(due: Catalogue) -> None:
    _decide(due, 1, state=DecisionState.BLOCKED)
    assert not _item(due).due(DUE)
    _decide(due, 1, state=DecisionState.WAITING, due_on=None)
    assert not _item(due).due(DUE)
    _decide(due, 1, state=DecisionState.KEEP, due_on=None)
    assert not _item(due).due(DUE)


def test_facts_copies_and_places_of_items(catalogue: Catalogue) -> None:
    a_pass(catalogue, *(a_result(b"f/%d" % number, content_hash=b"h" * 32) for number in range(3)), a_result(b"g/x"))
    records = catalogue.reviews.records([1, 3, 99])
    assert {number: record.path for number, record in records.items()} == {1: "f/0", 3: "f/2"}
    assert catalogue.reviews.copies(1, 10) == (2, 3, 4)
    assert catalogue.reviews.copies(1, 1) == (2,)
    share = catalogue.shares()[0]
    assert catalogue.reviews.item_at(share.id, ref_of(b"f/1")) == 2
    assert catalogue.reviews.item_at(share.id, ref_of(b"f/9")) is None
    assert catalogue.reviews.item_at(9, ref_of(b"f/1")) is None


def test_many_items_are_told_whole(catalogue: Catalogue) -> None:
    """More than one statement asks for them."""
    a_pass(catalogue, *(a_result(b"f/%d" % number, content_hash=None) for number in range(1300)))
    stood = Decision(DecisionState.DUE, "cases", Disposition.DESTROY, DUE, ())
    catalogue.standings.begin(ON)
    catalogue.standings.keep(
        [Stood(number, stood, frozenset(), frozenset()) for number in range(1, 1301)], catalogue.state_mark()
    )
    items = catalogue.reviews.items(range(1, 1301))
    assert sorted(items) == list(range(1, 1301))
    acts = [NewAct(number, ActKind.APPROVE, "reviewer", "ok", item.grounds(ON), 0) for number, item in items.items()]
    assert len(catalogue.reviews.add(acts, AT, "ann")) == 1300
    assert len(catalogue.reviews.acts_of_all(range(1, 1301))) == 1300
    assert len(list(catalogue.reviews.due(DUE))) == 1300
    assert len(catalogue.reviews.records(range(1, 1301))) == 1300


# What an act changes


@pytest.mark.parametrize("kind", ActKind)
def test_every_act_is_a_new_fact_and_only_what_moves_an_item_has_it_decided_on_anew(
    due: Catalogue, kind: ActKind
) -> None:
    before = due.state_mark()
    due.reviews.add([_new(due, kind, until=DUE, class_id="other", to="ben")], AT, "ann")
    assert due.state_mark() != before
    assert (1 in due.reviews.items([1])) is (kind not in (ActKind.EXTEND, ActKind.RECLASSIFY))


def test_no_act_is_no_new_fact(due: Catalogue) -> None:
    before = due.state_mark()
    assert due.reviews.add([], AT, "ann") == ()
    assert due.state_mark() == before


# What refuses an act


def _decided_anew(catalogue: Catalogue) -> None:
    _decide(catalogue, 1, due_on=date(2024, 1, 1))


def _other_basis(catalogue: Catalogue) -> None:
    _decide(catalogue, 1, on="c" * 64)


def _new_content(catalogue: Catalogue) -> None:
    a_pass(catalogue, a_result(b"Cases/1/letter", content_hash=b"x" * 32), hours=1)
    _decide(catalogue, 1)


def _new_version(catalogue: Catalogue) -> None:
    a_pass(catalogue, a_result(b"Cases/1/letter", version=b"2"), hours=1)
    _decide(catalogue, 1)


def _forgotten(catalogue: Catalogue) -> None:
    a_pass(catalogue, a_result(b"Cases/1/letter"), hours=1)


def _gone(catalogue: Catalogue) -> None:
    a_pass(catalogue, Gone(ref_of(b"Cases/1/letter")), hours=1)


def _somebody_acted(catalogue: Catalogue) -> None:
    _add(catalogue, ActKind.REJECT, "ben")


@pytest.mark.parametrize(
    "change",
    [_decided_anew, _other_basis, _new_content, _new_version, _forgotten, _gone, _somebody_acted],
)
def test_nothing_is_recorded_about_an_item_that_has_changed_meanwhile(
    due: Catalogue, change: Callable[[Catalogue], None]
) -> None:
    _decide(due, 2)
    other = due.reviews.items([2])[2]
    acts = [NewAct(2, ActKind.APPROVE, "reviewer", "ok", other.grounds(ON), 0), _new(due)]
    change(due)
    if change is not _other_basis:
        _decide(due, 2)
    before = due.reviews.acts_of_all([1, 2])
    with pytest.raises(ItemsChanged) as told:
        due.reviews.add(acts, AT, "ann")
    assert told.value.item_ids == ({1, 2} if change is _other_basis else {1})
    assert due.reviews.acts_of_all([1, 2]) == before


def test_an_act_before_the_last_one_shows_a_wrong_clock(due: Catalogue) -> None:
    _add(due, ActKind.REJECT)
    with pytest.raises(UsageError, match="2026-06-01 at 12:30 UTC, which lies ahead of the clock"):
        _add(due, hours=-1)
    assert len(due.reviews.acts_of(1)) == 1
    _add(due)


def test_nobody_approves_twice(due: Catalogue) -> None:
    _add(due)
    for stage in ("reviewer", "second reviewer"):
        with pytest.raises(UsageError, match="ann has approved item 1 already"):
            _add(due, stage=stage)
    _add(due, by="ben", stage="second reviewer")
    assert due.reviews.approvers(1) == 2


def test_after_a_question_the_same_people_may_approve_again(due: Catalogue) -> None:
    _add(due)
    _add(due, ActKind.DELEGATE, "ann")
    with pytest.raises(UsageError, match="already"):
        _add(due)
    _add(due, ActKind.ASK, "ben")
    assert due.reviews.approvers(1) == 0
    _add(due)
    assert due.reviews.approvers(1) == 1


def test_on_other_grounds_the_same_people_may_approve_again(due: Catalogue) -> None:
    _add(due)
    _decided_anew(due)
    assert due.reviews.approvers(1) == 0
    _add(due)
    assert due.reviews.approvers(1) == 1


def test_one_person_may_take_both_stages_of_what_loses_nothing(due: Catalogue) -> None:
    _decide(due, 1, outcome=Disposition.QUARANTINE)
    _add(due, stage="first")
    with pytest.raises(UsageError, match="already"):
        _add(due, stage="first")
    _add(due, stage="second")
    assert due.reviews.approvers(1) == 1


# What the database itself refuses


def _raw(path: Path, **changes: object) -> None:
    """Writes an approval past every check of ours."""
    database = Database(path, create=False)
    try:
        with database.transaction() as connection:
            newest = connection.execute(sqlalchemy.select(review_act).order_by(review_act.c.id.desc())).first()
            assert newest is not None
            row = {**newest._mapping, "id": newest.id + 1, **changes}
            connection.execute(review_act.insert().values(row))
    finally:
        database.close()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"stage": "second reviewer"},
        {"round": 7, "acted_by": "ben"},
        {"acted_at": 1, "acted_by": "ben"},
    ],
    ids=["twice", "two stages by one", "another round", "before the last one"],
)
def test_the_database_refuses_approvals_that_would_pass_for_those_of_two(
    due: Catalogue, path: Path, changes: dict[str, object]
) -> None:
    _add(due)
    with pytest.raises(CatalogueError):
        _raw(path, **changes)
    assert due.reviews.approvers(1) == 1
    _raw(path, acted_by="ben", stage="second reviewer")
    assert due.reviews.approvers(1) == 2


def test_the_database_knows_the_same_harmless_outcomes_and_the_same_new_beginnings(due: Catalogue, path: Path) -> None:
    (index,) = [one for one in review_act.indexes if one.name == "uq_review_act_two_people"]
    where = str(index.dialect_options["sqlite"]["where"])
    assert {outcome for outcome in Disposition if f"'{outcome}'" in where} == HARMLESS
    assert {one for one in Disposition if not needs_two_people(one)} == HARMLESS
    with due._database.connect() as connection:
        written = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'review_approved'").scalar()
        trigger = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE name = 'review_act_comes_in_order'"
        ).scalar()
    for sql in (written, trigger, _SO_FAR):
        begins = str(sql).partition("kind IN (")[2].partition(")")[0]
        assert {kind for kind in ActKind if f"'{kind}'" in begins} == {kind for kind in ActKind if begins_anew(kind)}


@pytest.mark.parametrize("table", ["review_act", "review_sample", "review_sample_item", "review_sample_verdict"])
def test_nothing_that_was_recorded_is_changed_or_deleted(due: Catalogue, table: str) -> None:
    _add(due)
    group = Group("cases", Disposition.DESTROY, "Cases/**", "docx")
    sample = due.review_samples.add(Sample(0, group, ON, "seed", 2, 0, (1,), "ann", AT), {1: "m"})
    due.review_samples.judge(sample.number, [SampleVerdict(1, good=True)], "ann", AT)
    column = next(iter(metadata.tables[table].columns)).name
    with due._database.connect() as connection:
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):  # noqa: S608
            with pytest.raises(IntegrityError, match="only grows"):
                connection.exec_driver_sql(statement)


# Who has approved an item as it stands


@pytest.mark.parametrize(
    "change",
    [_decided_anew, _other_basis, _new_content, _new_version, _forgotten, _gone, _somebody_acted],
)
def test_approvals_count_only_while_all_is_as_it_was(due: Catalogue, change: Callable[[Catalogue], None]) -> None:
    _add(due)
    _add(due, by="cem", stage="second reviewer")
    assert due.reviews.approvers(1) == 2
    change(due)
    assert due.reviews.approvers(1) == 0


@pytest.mark.parametrize("parts", [{"class_id": "x"}, {"outcome": Disposition.THIN}, {"state": DecisionState.BLOCKED}])
def test_approvals_count_only_for_the_same_class_and_outcome_and_not_under_a_hold(
    due: Catalogue, parts: dict[str, object]
) -> None:
    _add(due)
    _decide(due, 1, ON, **parts)
    assert due.reviews.approvers(1) == 0
    _decide(due, 1)
    assert due.reviews.approvers(1) == 1


# What reviews have decided


def _facts(catalogue: Catalogue) -> dict[int, ReviewFacts]:
    return dict(catalogue.reviews.facts(UTC))


def _move(catalogue: Catalogue, hours: int = 0, until: date | None = None, class_id: str | None = None) -> None:
    _decide(catalogue, 1)
    kind = ActKind.EXTEND if until else ActKind.RECLASSIFY
    catalogue.reviews.add([_new(catalogue, kind, until=until, class_id=class_id)], AT + timedelta(hours=hours), "ann")


def test_the_newest_extension_counts(due: Catalogue) -> None:
    assert _facts(due) == {}
    _add(due)
    assert _facts(due) == {}
    _move(due, until=date(2030, 1, 1))
    assert _facts(due) == {1: ReviewFacts(date(2030, 1, 1))}
    _move(due, until=date(2028, 1, 1))
    assert _facts(due) == {1: ReviewFacts(date(2028, 1, 1))}


def test_a_reclassification_ends_the_extension_before_it_and_not_the_one_after(due: Catalogue) -> None:
    _move(due, until=date(2030, 1, 1))
    _move(due, class_id="other", hours=12)
    assert _facts(due) == {1: ReviewFacts(None, ("other", date(2026, 6, 2)))}, "00:30 on the next day"
    _move(due, until=date(2028, 1, 1), hours=13)
    assert _facts(due) == {1: ReviewFacts(date(2028, 1, 1), ("other", date(2026, 6, 2)))}
    _move(due, class_id="third", hours=14)
    assert _facts(due) == {1: ReviewFacts(None, ("third", date(2026, 6, 2)))}


def test_a_reclassification_lasts_as_long_as_the_content(due: Catalogue) -> None:
    _move(due, class_id="other")
    a_pass(due, a_result(b"Cases/1/letter", version=b"2"), hours=1)
    assert 1 in _facts(due), "another version of the same bytes"
    a_pass(due, a_result(b"Cases/1/letter", version=b"3", content_hash=b"x" * 32), hours=2)
    assert _facts(due) == {}
    a_pass(due, a_result(b"Cases/1/letter", version=b"4", content_hash=None), hours=3)
    assert _facts(due) == {}


def test_without_content_a_reclassification_lasts_as_long_as_the_version(due: Catalogue) -> None:
    a_pass(due, a_result(b"Cases/1/letter", content_hash=None), hours=1)
    _move(due, class_id="other")
    assert 1 in _facts(due)
    a_pass(due, a_result(b"Cases/1/letter", version=b"2", content_hash=None), hours=2)
    assert _facts(due) == {}


def test_an_extension_stays_when_the_content_changes_since_it_only_keeps(due: Catalogue) -> None:
    _move(due, until=date(2030, 1, 1))
    a_pass(due, a_result(b"Cases/1/letter", version=b"2", content_hash=b"x" * 32), hours=1)
    assert _facts(due) == {1: ReviewFacts(date(2030, 1, 1))}


def test_what_comes_back_after_its_end_is_another_item(due: Catalogue) -> None:
    _move(due, until=date(2030, 1, 1))
    for hours in (1, 24 * 365):
        a_pass(due, Gone(ref_of(b"Cases/1/letter")), hours=hours)
        assert _facts(due) == {}
        a_pass(due, a_result(b"Cases/1/letter"), hours=hours + 1)
    assert _facts(due) == {}, "it came back a year later"
