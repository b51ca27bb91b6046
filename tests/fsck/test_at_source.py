"""What a service keeps cannot be looked at from here: what is recorded of it is checked, and how much it is is told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.fsck.base import Kind, Report, Standing, VaultFiles
from agent.fsck.check import check
from agent.model.disposal import DisposalState
from connectors import errors
from tests.disposition.house import ROOT
from tests.disposition.kept_house import SHARE, Fuse, KeptHouse
from tests.disposition.test_in_place_recovery import cut_off
from tests.fsck.estate import LOG_KEY

CASE, LETTER = "Cases/1/a.txt", "Letters/b.txt"
S = Standing


@pytest.fixture
def house(tmp_path: Path) -> Iterator[KeptHouse]:
    """A service in which a case may go, and a letter stays."""
    made = KeptHouse(tmp_path)
    made.put_item(CASE)
    made.put_item(LETTER)
    made.scan()
    made.approve(CASE)
    yield made
    made.close()


def checked(house: KeptHouse, *, vault: bool = False) -> Report:
    files = VaultFiles(house.folder / "vault", house.folder / "vault" / "slots", ROOT.secret)
    return check(house.folder / "catalogue.sqlite", {}, files if vault else None, log_key=LOG_KEY)


def sql(house: KeptHouse, statement: str) -> None:
    """Behind the back of those who act."""
    with closing(sqlite3.connect(house.folder / "catalogue.sqlite")) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
        connection.commit()


def stand(house: KeptHouse, state: str) -> None:
    match state:
        case "planned":
            cut_off(house, house.take, Fuse(2, after=True))
        case "sealed":
            cut_off(house, house.take, Fuse(3, after=True))
        case "conflict":
            cut_off(house, house.take, Fuse(2, after=True))
            house.put_item(CASE, b"somebody else's")
            house.recover()
        case "restoring":
            house.take()
            house.keeping.fail("give_back", errors.SourceFault("x"))
            house.give_back(house.only())
        case "restored":
            house.take()
            house.give_back(house.only())
        case "destroying":
            house.take()
            house.keeping.fail("delete", errors.SourceFault("x"))
            house.destroy()
        case "abandoned":
            house.keeping.fail("keep", errors.HeldAtSource("x"))
            house.take()
        case _:
            house.take()
            if state in ("destroyed", "erased"):
                house.destroy()
            if state == "erased":
                house.erase()


STATES = {
    "planned": S.AT_SOURCE,
    "sealed": S.AT_SOURCE,
    "conflict": S.AT_SOURCE,
    "quarantined": S.AT_SOURCE,
    "restoring": S.AT_SOURCE,
    "restored": S.AT_SOURCE,
    "destroying": S.AT_SOURCE,
    "abandoned": S.AT_SOURCE,
    "destroyed": S.DESTROYED,
    "erased": S.ERASED,
}
SETTLED = {"quarantined", "restored", "abandoned", "destroyed", "erased"}


@pytest.mark.parametrize("state", STATES)
def test_an_item_stands_as_its_disposal_says_and_is_never_said_to_be_lost(house: KeptHouse, state: str) -> None:
    stand(house, state)
    assert house.states() == [state]
    report = checked(house, vault=True)
    assert report.problems == ()
    standings = {standing: count for standing, count in report.standings.items() if count}
    assert standings == ({S.AT_SOURCE: 2} if STATES[state] is S.AT_SOURCE else {S.AT_SOURCE: 1, STATES[state]: 1})
    assert any("is not finished" in note.said for note in report.notes) == (state not in SETTLED)


def test_how_many_could_not_be_looked_at_is_told(house: KeptHouse) -> None:
    house.take()
    (note,) = (note.said for note in checked(house).notes if SHARE in note.said)
    assert note.startswith(f"2 items of share '{SHARE}', of which 1 in quarantine there, could not be looked at")


def test_what_scans_have_found_gone_is_gone(house: KeptHouse) -> None:
    house.memory.remove(LETTER.encode())
    house.scan()
    assert checked(house).standings[S.GONE] == 1


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE item SET file_id = x''", "without its id or version at its source"),
        ("UPDATE disposal SET kept_version = x''", "without its id or version at its source"),
        ("UPDATE disposal SET custody = 'nobody'", "custody can never have been recorded"),
        ("UPDATE disposal SET custody = 'vault'", "custody can never have been recorded"),
        ("UPDATE disposal SET state = 'restored'", "steps out of order"),
        ("UPDATE item SET state = 0", "is recorded as there, but its disposal is quarantined"),
        ("UPDATE item SET state = 4 WHERE state = 3", "is recorded as destroyed, but its disposal is quarantined"),
        ("DELETE FROM disposal_step WHERE after = 'sealed'", "a step is missing or was changed"),
    ],
)
def test_records_that_contradict_themselves_are_a_problem(house: KeptHouse, damage: str, said: str) -> None:
    house.take()
    sql(house, damage)
    problems = [problem for problem in checked(house).problems if problem.kind is Kind.WRONG_STATE]
    assert any(said in problem.said for problem in problems), [problem.said for problem in problems]


def test_something_in_the_vault_under_its_id_is_a_problem(house: KeptHouse) -> None:
    import os

    house.take()
    descriptor = os.memfd_create("copy")
    house.vault.put(descriptor, house.only().vault_id, b"", house.day)
    os.close(descriptor)
    (problem,) = checked(house, vault=True).problems
    assert "but the vault has an object and a key" in problem.said


def test_an_older_disposal_of_the_item_is_checked_as_well(house: KeptHouse) -> None:
    house.take()
    house.give_back(house.only())
    house.scan()
    house.approve(CASE)
    house.take()
    assert checked(house).problems == ()
    sql(house, "UPDATE disposal SET kept_version = x'' WHERE state = 'restored'")
    assert [problem.kind for problem in checked(house).problems] == [Kind.WRONG_STATE]


def test_a_certificate_that_is_not_there_is_a_problem(house: KeptHouse) -> None:
    stand(house, "erased")
    sql(house, "UPDATE disposal SET certificate_id = 'ab'")
    assert any("no such document" in problem.said for problem in checked(house).problems)


def test_files_beside_are_looked_at_as_ever(house: KeptHouse) -> None:
    assert house.catalogue.disposals.of_state(*DisposalState) == ()
    report = checked(house)
    assert report.whole
    assert report.items == 2
