"""Holds and what they cover stand together in the catalogue, and nothing of either is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from agent.catalogue.holds import Covered, FactsChanged
from agent.catalogue.store import Catalogue
from agent.errors import CatalogueError, UsageError
from agent.model.finding import Finding
from agent.model.hold import HoldKind, HoldScope
from connectors.base import Gone, ItemRef
from tests.catalogue.conftest import a_pass, a_result, ref_of
from tests.catalogue.factories import PLACED, a_hold

LIFTED = PLACED + timedelta(days=40)
SCOPE = HoldScope(
    'path: ["HR/**"]\n',
    ("payroll", "personnel-file"),
    (("case", "2026-17 é"), ("person", "#" + "ab" * 16)),
    (bytes(range(16)), b"\xff" * 16),
    date(1999, 12, 31),
    date(2020, 2, 29),
)


@pytest.fixture
def items(catalogue: Catalogue) -> dict[str, int]:
    """Numbers of four items by their path."""
    a_pass(catalogue, *(a_result(path) for path in (b"HR/a", b"HR/b", b"Pay/c", b"d")))
    return {record.path: record.item_id for _, record in catalogue.records()}


def standing(catalogue: Catalogue) -> set[int]:
    """The items of which it is known how they stand."""
    rows = catalogue._connection.exec_driver_sql("SELECT item_id FROM standing").all()
    return {item_id for (item_id,) in rows}


def know_all_standings(catalogue: Catalogue, items: dict[str, int]) -> None:
    for item_id in items.values():
        catalogue._connection.exec_driver_sql("INSERT INTO standing (item_id, state) VALUES (?, 'due')", (item_id,))


def paths(catalogue: Catalogue, number: int) -> list[str]:
    return [f"{share}:{ref}" for share, ref in catalogue.holds.covered(number)]


def test_a_hold_is_read_back_as_it_was_placed_also_after_a_restart(catalogue: Catalogue, path: Path) -> None:
    wanted = a_hold(
        kind=HoldKind.RESTRICTION,
        scope=SCOPE,
        review_on=date(2026, 9, 1),
        from_day=date(2026, 4, 1),
        until_day=date(2027, 3, 31),
    )
    placed = catalogue.holds.place(wanted, ())
    catalogue.close()

    with Catalogue.open(path, create=False) as again:
        assert again.holds.all() == (placed,)
    assert placed == replace(wanted, number=1)


def test_a_hold_of_every_kind_and_without_any_part_is_read_back(catalogue: Catalogue) -> None:
    placed = [
        catalogue.holds.place(a_hold(str(kind), kind=kind, scope=HoldScope(), citation=""), ()) for kind in HoldKind
    ]

    assert catalogue.holds.all() == tuple(placed)
    assert [hold.number for hold in placed] == [1, 2, 3, 4]


def test_an_item_may_be_under_several_holds(catalogue: Catalogue, items: dict[str, int]) -> None:
    first = catalogue.holds.place(a_hold("first"), (items["HR/a"], items["HR/b"]))
    second = catalogue.holds.place(a_hold("second"), iter([items["HR/b"], items["d"]]))

    assert catalogue.holds.covering(items["HR/a"]) == (first,)
    assert catalogue.holds.covering(items["HR/b"]) == (first, second)
    assert catalogue.holds.covering(items["Pay/c"]) == ()
    assert paths(catalogue, first.number) == ["office:HR/a", "office:HR/b"]
    assert paths(catalogue, second.number) == ["office:d", "office:HR/b"]
    assert catalogue.holds.counts() == {1: Covered(2), 2: Covered(2)}


def test_a_name_is_taken_whatever_its_capitals_and_also_when_its_hold_is_lifted(
    catalogue: Catalogue, items: dict[str, int]
) -> None:
    catalogue.holds.place(a_hold(), ())
    with pytest.raises(UsageError, match=r'"Smith v Acme" is the name of hold 1\. A name stays'):
        catalogue.holds.place(a_hold("smith  V acme"), (items["d"],))
    catalogue.holds.lift(1, "jo", "settled", LIFTED, None)
    with pytest.raises(UsageError, match=r"hold 1, lifted on 2026-04-10\. A name stays"):
        catalogue.holds.place(a_hold(), (items["d"],))

    assert len(catalogue.holds.all()) == 1
    assert catalogue.holds.counts() == {}


def test_a_hold_and_its_items_are_stored_together_or_not_at_all(catalogue: Catalogue, items: dict[str, int]) -> None:
    def numbers() -> Iterator[int]:
        yield items["HR/a"]
        raise KeyboardInterrupt

    before = catalogue.state_mark()
    with pytest.raises(KeyboardInterrupt):
        catalogue.holds.place(a_hold(), numbers())
    with pytest.raises(CatalogueError):
        catalogue.holds.place(a_hold(), (items["HR/a"], 10_000))

    assert catalogue.holds.all() == ()
    assert catalogue.holds.covering(items["HR/a"]) == ()
    assert catalogue.state_mark() == before


def test_a_hold_is_not_placed_on_what_was_worked_out_before_facts_changed(
    catalogue: Catalogue, items: dict[str, int]
) -> None:
    mark = catalogue.state_mark()
    a_pass(catalogue, a_result(b"new"), seen=5, hours=1)
    with pytest.raises(FactsChanged):
        catalogue.holds.place(a_hold(), (items["d"],), unless_changed_since=mark)
    assert catalogue.holds.all() == ()

    placed = catalogue.holds.place(a_hold(), (items["d"],), unless_changed_since=catalogue.state_mark())
    assert paths(catalogue, placed.number) == ["office:d"]


def test_more_items_than_are_written_at_once_are_all_covered(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.catalogue.holds._BLOCK", 1000)
    a_pass(catalogue, *(a_result(b"%05d" % number, content_hash=None) for number in range(1_050)))
    placed = catalogue.holds.place(a_hold(), [record.item_id for _, record in catalogue.records()])

    assert catalogue.holds.counts() == {1: Covered(1_050)}
    covered = [ref for _, ref in catalogue.holds.covered(placed.number)]
    assert covered == [ItemRef(b"", b"%05d" % number) for number in range(1_050)]


def test_placing_covering_and_lifting_let_nothing_stand_that_was_decided_before(
    catalogue: Catalogue, items: dict[str, int]
) -> None:
    marks = [catalogue.state_mark()]
    know_all_standings(catalogue, items)

    placed = catalogue.holds.place(a_hold(), (items["HR/a"],))
    assert standing(catalogue) == set(items.values()) - {items["HR/a"]}
    marks.append(catalogue.state_mark())
    catalogue.holds.also_cover(placed.number, (items["HR/a"], items["HR/b"]))
    assert standing(catalogue) == {items["Pay/c"], items["d"]}
    marks.append(catalogue.state_mark())
    assert paths(catalogue, placed.number) == ["office:HR/a", "office:HR/b"]

    catalogue._connection.exec_driver_sql("DELETE FROM standing")
    know_all_standings(catalogue, items)
    catalogue.holds.lift(placed.number, "jo", "settled", LIFTED, None)
    assert standing(catalogue) == {items["Pay/c"], items["d"]}
    marks.append(catalogue.state_mark())
    assert len(set(marks)) == 4


def test_a_lifted_hold_covers_nothing_and_stays_on_record(catalogue: Catalogue, items: dict[str, int]) -> None:
    first = catalogue.holds.place(a_hold("first", kind=HoldKind.RESTRICTION), items.values())
    second = catalogue.holds.place(a_hold("second"), (items["d"],))

    lifted = catalogue.holds.lift(first.number, "alex", "withdrawn", LIFTED, date(2026, 4, 9))

    assert lifted == replace(
        first, lifted_at=LIFTED, lifted_by="alex", lifted_why="withdrawn", told_on=date(2026, 4, 9)
    )
    assert catalogue.holds.all() == (lifted, second)
    assert paths(catalogue, first.number) == []
    assert catalogue.holds.covering(items["d"]) == (second,)
    assert catalogue.holds.counts() == {2: Covered(1)}


def test_a_hold_is_lifted_once(catalogue: Catalogue) -> None:
    catalogue.holds.place(a_hold(), ())
    lifted = catalogue.holds.lift(1, "jo", "settled", LIFTED, None)
    before = catalogue.state_mark()
    with pytest.raises(UsageError, match="lifted already, on 2026-04-10 by jo: settled"):
        catalogue.holds.lift(1, "alex", "again", LIFTED, None)

    assert catalogue.holds.all() == (lifted,)
    assert catalogue.state_mark() == before


def test_the_holds_in_force_are_those_of_the_day(catalogue: Catalogue) -> None:
    for name, from_day, until_day in (
        ("always", None, None),
        ("later", date(2026, 6, 1), None),
        ("ended", None, date(2026, 5, 31)),
        ("lifted", None, None),
    ):
        catalogue.holds.place(a_hold(name, from_day=from_day, until_day=until_day), ())
    catalogue.holds.lift(4, "jo", "settled", LIFTED, None)

    assert [hold.name for hold in catalogue.holds.in_force(date(2026, 5, 31))] == ["always", "ended"]
    assert [hold.name for hold in catalogue.holds.in_force(date(2026, 6, 1))] == ["always", "later"]


def test_a_hold_is_found_by_name_and_by_number(catalogue: Catalogue) -> None:
    first = catalogue.holds.place(a_hold("Smith v Acme"), ())
    second = catalogue.holds.place(a_hold("Inquiry 7"), ())

    assert catalogue.holds.get("SMITH v  acme") == first
    assert catalogue.holds.get("2") == catalogue.holds.get(2) == catalogue.holds.get("Inquiry 7") == second
    assert catalogue.holds.get("3") is None
    assert catalogue.holds.get("Smith") is None


def test_items_that_go_in_spite_of_a_hold_are_counted_apart(catalogue: Catalogue, items: dict[str, int]) -> None:
    placed = catalogue.holds.place(a_hold(), items.values())
    a_pass(catalogue, Gone(ref_of(b"HR/a")), seen=3, hours=1)

    assert catalogue.holds.counts() == {placed.number: Covered(3, 1)}
    assert paths(catalogue, placed.number) == ["office:d", "office:HR/b", "office:Pay/c"]


def test_what_another_hold_keeps_is_counted_as_long_as_that_is_in_force(
    catalogue: Catalogue, items: dict[str, int]
) -> None:
    first = catalogue.holds.place(a_hold("first"), items.values())
    catalogue.holds.place(a_hold("second"), (items["HR/a"], items["HR/b"]))
    catalogue.holds.place(a_hold("third", until_day=date(2026, 5, 31)), (items["HR/b"], items["Pay/c"]))
    a_pass(catalogue, Gone(ref_of(b"HR/a")), seen=3, hours=1)

    assert catalogue.holds.held_twice(first.number, date(2026, 5, 31)) == 2
    assert catalogue.holds.held_twice(first.number, date(2026, 6, 1)) == 1
    catalogue.holds.lift(2, "jo", "settled", LIFTED, None)
    assert catalogue.holds.held_twice(first.number, date(2026, 6, 1)) == 0


def test_items_are_found_by_the_identities_in_them(catalogue: Catalogue) -> None:
    def found(*identities: bytes) -> tuple[Finding, ...]:
        return tuple(Finding("PERSON", identity * 16, 0.9, 1, "line=1") for identity in identities)

    a_pass(
        catalogue,
        a_result(b"a", findings=found(b"1", b"2")),
        a_result(b"b", findings=found(b"2")),
        a_result(b"c", findings=found(b"3")),
    )
    by_path = {record.path: record.item_id for _, record in catalogue.records()}

    assert catalogue.holds.items_with([b"1" * 16, b"3" * 16]) == {by_path["a"], by_path["c"]}
    assert catalogue.holds.items_with([b"2" * 16]) == {by_path["a"], by_path["b"]}
    assert catalogue.holds.items_with([b"4" * 16]) == catalogue.holds.items_with([]) == set()


def test_identities_are_looked_up_by_their_index(catalogue: Catalogue) -> None:
    plan = catalogue._connection.exec_driver_sql(
        "EXPLAIN QUERY PLAN SELECT item_id FROM finding WHERE identity = ?", (b"",)
    )

    assert "ix_finding_identity" in str(plan.all())


def test_listing_a_hold_goes_on_while_a_scan_writes(catalogue: Catalogue, items: dict[str, int]) -> None:
    placed = catalogue.holds.place(a_hold(), items.values())
    covered = catalogue.holds.covered(placed.number)
    first = next(covered)
    a_pass(catalogue, a_result(b"new"), seen=5, hours=1)

    assert len([first, *covered]) == 4
