"""What remains of an item lies in its place, and is left alone from then on."""

from __future__ import annotations

import os

from agent.catalogue.disposal_rows import Disposal
from agent.disposition.remainders import NotDerived
from agent.model.disposal import Obstacle
from connectors.base import ItemRef
from tests.disposition.house import House

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
