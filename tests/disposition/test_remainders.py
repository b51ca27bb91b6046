"""What remains of an item lies in its place, and is left alone from then on."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest

from agent.catalogue.disposal_rows import Disposal
from agent.disposition.guards import Caps
from agent.disposition.remainders import NotDerived
from agent.model.disposal import DisposalState, Obstacle
from connectors.base import ItemRef, Scope
from connectors.errors import NoPlace, SourceFault
from connectors.filesystem.holding import FilesystemHolding
from connectors.holding import Made
from tests.disposition.house import House
from tests.disposition.test_recovery import failing

PATH = "Names/a.txt"


def shorter(disposal: Disposal, source: int, target: int) -> str:
    os.write(target, os.pread(source, 5, 0))
    return ""


def beside(disposal: Disposal, source: int, target: int) -> str:
    os.write(target, b"outcome: upheld\n")
    return ".outcome.txt"


def due(house: House) -> None:
    house.put(PATH, b"Jane Doe wrote this")
    house.scan()
    house.approve(PATH)


def test_what_remains_has_the_rights_of_the_original_and_its_class_does_not_apply_again(house: House) -> None:
    due(house)
    (house.share / PATH).chmod(0o640)
    house.scan()
    house.approve(PATH)
    house.derive = shorter
    (disposal,) = house.take().done
    left = house.share / PATH
    assert left.read_bytes() == b"Jane "
    assert left.stat().st_mode & 0o777 == 0o640
    assert os.getxattr(left, "user.retentiond.remainder") == b"anonymise"
    assert [entry.id for entry in house.vault.entries()] == [disposal.vault_id]
    os.utime(left, (0, 0))
    house.scan()
    assert house.number(PATH) != disposal.item_id
    assert house.outlook().plans == []
    with house.catalogue.connected() as connection:
        statement = "SELECT g.state FROM standing g JOIN item i ON i.id = g.item_id WHERE i.state = 0"
        assert connection.exec_driver_sql(statement).scalars().all() == ["unclassified"]


def test_it_may_lie_beside_the_place_under_another_name(house: House) -> None:
    due(house)
    house.derive = beside
    house.take()
    assert not (house.share / PATH).exists()
    assert (house.share / "Names/a.txt.outcome.txt").read_bytes() == b"outcome: upheld\n"


def test_where_it_cannot_be_made_the_item_stays(house: House) -> None:
    due(house)

    def fails(disposal: Disposal, source: int, target: int) -> str:
        os.write(target, b"half")
        raise NotDerived

    house.derive = fails
    told = house.take()
    assert set(told.kept.values()) == {Obstacle.NOT_DERIVED}
    assert (house.share / PATH).read_bytes() == b"Jane Doe wrote this"
    assert house.vault.entries() == []
    assert house.states() == ["abandoned"]


def test_the_original_is_restored_under_another_name_beside_what_remains(house: House) -> None:
    due(house)
    house.derive = shorter
    (disposal,) = house.take().done
    assert house.restoring().give_back(disposal, disposal.ref, "needed for an appeal") is Obstacle.PLACE_TAKEN
    disposal = house.catalogue.disposals.of_item(disposal.item_id)[0]
    assert house.restoring().give_back(disposal, ItemRef(b"Names", b"a (restored).txt"), "needed for an appeal") is None
    assert (house.share / "Names/a (restored).txt").read_bytes() == b"Jane Doe wrote this"
    assert (house.share / PATH).read_bytes() == b"Jane "


def test_a_note_may_say_that_something_was_taken_and_is_never_in_the_way(house: House) -> None:
    house.put("Cases/1/a.txt")
    house.put("Cases/1/b.txt")
    house.put("Cases/1/b.txt.removed.txt", b"somebody's own")
    house.scan()
    house.approve("Cases/1/a.txt", "Cases/1/b.txt")
    house.note = lambda disposal: b"It was removed.\n"
    assert len(house.take().done) == 2
    assert (house.share / "Cases/1/a.txt.removed.txt").read_bytes() == b"It was removed.\n"
    assert (house.share / "Cases/1/b.txt.removed.txt").read_bytes() == b"somebody's own"


def test_where_names_must_be_shorter_what_remains_has_a_short_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    due(house)
    house.derive = beside
    make = FilesystemHolding.make

    def where_names_are_short(self: FilesystemHolding, scope: Scope, ref: ItemRef, *rest: Any, **named: Any) -> Made:
        if len(ref.name) > 16:
            raise NoPlace("as some file systems do")
        return make(self, scope, ref, *rest, **named)

    monkeypatch.setattr(FilesystemHolding, "make", where_names_are_short)
    assert len(house.take().done) == 1
    assert (house.share / "Names/remainder 1.txt").read_bytes() == b"outcome: upheld\n"
    assert house.held() == []


# A note, once the item is back


NOTE = b"It was removed.\n"
NOTED = "Cases/1/a.txt"


@pytest.fixture
def noted(house: House) -> House:
    house.put(NOTED, b"a case")
    house.scan()
    house.approve(NOTED)
    house.note = lambda disposal: NOTE
    house.take()
    assert (house.share / f"{NOTED}.removed.txt").read_bytes() == NOTE
    return house


def give_back(house: House, to: str = NOTED) -> Obstacle | None:
    (disposal,) = house.catalogue.disposals.of_state(DisposalState.QUARANTINED)
    return house.restoring().give_back(disposal, ItemRef.parse(to), "needed for an appeal")


@pytest.mark.parametrize("to", [NOTED, "Elsewhere/b.txt"])
def test_a_note_goes_when_the_item_is_back(noted: House, to: str) -> None:
    noted.note = None
    assert give_back(noted, to) is None
    assert (noted.share / to).read_bytes() == b"a case"
    assert not (noted.share / f"{NOTED}.removed.txt").exists()
    assert (noted.states(), noted.held()) == (["restored"], [])


def test_a_note_that_somebody_has_written_to_stays(noted: House) -> None:
    (noted.share / f"{NOTED}.removed.txt").write_bytes(NOTE + b"Why?")
    assert give_back(noted) is None
    assert (noted.share / f"{NOTED}.removed.txt").read_bytes() == NOTE + b"Why?"


def test_a_note_that_is_gone_is_not_missed(noted: House) -> None:
    (noted.share / f"{NOTED}.removed.txt").unlink()
    assert give_back(noted) is None
    assert [file.name for file in (noted.share / "Cases/1").iterdir()] == ["a.txt"]


def test_a_note_that_cannot_be_taken_away_stays(noted: House) -> None:
    os.link(noted.share / f"{NOTED}.removed.txt", noted.share / "link")
    assert give_back(noted) is None
    assert (noted.share / f"{NOTED}.removed.txt").read_bytes() == NOTE
    assert noted.states() == ["restored"]


def test_a_note_that_is_left_in_the_hold_is_cleared_by_the_next_recovery(
    noted: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(FilesystemHolding, "let_go", failing(SourceFault("x")))
        assert give_back(noted) is Obstacle.SOURCE_FAULT
    assert (noted.states(), len(noted.held())) == (["restoring"], 1)
    told = noted.recover()
    assert (told.finished, told.unsettled) == (1, {})
    assert (noted.states(), noted.held()) == (["restored"], [])
    assert (noted.share / NOTED).read_bytes() == b"a case"


def test_what_was_sealed_while_no_notes_were_left_has_none_when_it_is_finished(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.put(NOTED, b"a case")
    house.scan()
    house.approve(NOTED)
    with monkeypatch.context() as patched:
        patched.setattr(FilesystemHolding, "let_go", failing(SourceFault("x")))
        house.take()
    house.note = lambda disposal: NOTE
    assert house.recover().finished == 1
    assert [*(house.share / "Cases/1").iterdir()] == []


def test_what_is_moved_to_another_place_counts_into_the_caps(house: House) -> None:
    for letter in "abc":
        house.put(f"Drop/{letter}.txt", letter.encode())
    house.scan()
    caps = Caps(2, 1 << 40, 100.0)
    house.rules = replace(house.rules, relocate={"not-here": "Restricted"}, caps=caps)
    assert len(house.take().done) == 2
    assert (house.outlook().plans, house.outlook().beyond_caps) == ([], {"office": 1})
