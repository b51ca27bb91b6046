"""Where the source keeps what is taken, what was cut off is finished or undone, wherever it was cut off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from agent.disposition.recovery import Recovered
from agent.model.disposal import DisposalState, Obstacle
from agent.model.review import ActKind
from connectors import errors
from connectors.base import ItemRef, Scope
from connectors.keeping import Kept, Target
from connectors.memory import ref_of
from connectors.memory_keeping import MemoryKeeping
from tests.disposition.conftest import Cases
from tests.disposition.kept_house import Cut, Fuse, KeptHouse
from tests.disposition.test_never import hold, pause

CASE, OTHER = "Cases/1/a.txt", "Cases/2/b.txt"
CONTENT = {CASE: b"the first case", OTHER: b"the second case"}
NOTHING = Recovered()


@pytest.fixture
def due(ready_house: Callable[[Mapping[str, bytes]], KeptHouse]) -> KeptHouse:
    """A house in which two cases are approved and can go."""
    return ready_house(CONTENT)


@pytest.fixture
def before(made_once: Callable[[Cases], KeptHouse], tmp_path: Path) -> KeptHouse:
    """Such a house, which is prepared and closed so that its copies can be cut off."""
    return made_once(tuple(CONTENT.items())).copied(tmp_path / "before")


def cut_off(house: KeptHouse, act: Callable[[], object], fuse: Fuse) -> bool:
    """Whether the act was cut off. Afterwards everything is as after a restart."""
    house.fuse = fuse
    try:
        act()
    except (Cut, SystemExit, KeyboardInterrupt):
        return True
    finally:
        house.restart()
    return False


def as_recorded(house: KeptHouse, destroyed: frozenset[str] = frozenset()) -> None:
    """Every item is where the catalogue has it, whole, and only what may be gone is."""
    contents = {stored.file_id: stored.content for stored in house.memory.kept.values()}
    for ref in house.memory.refs():
        item = house.memory.item(ref)
        contents[item.file_id] = house.memory.at(ref, item.version).content
    for path, content in CONTENT.items():
        statement = (
            "SELECT i.state, i.file_id, (SELECT state FROM disposal WHERE item_id = i.id ORDER BY id DESC LIMIT 1) "
            "FROM item i WHERE i.id = ?"
        )
        with house.catalogue.connected() as connection:
            state, file_id, disposal = connection.exec_driver_sql(statement, (sorted(CONTENT).index(path) + 1,)).one()
        lies = house.lies(file_id)
        match state:
            case 0:
                assert (lies, disposal) in ((path, "abandoned"), (path, "restored"), (path, None)), path
            case 3:
                assert (lies, disposal) == ("in quarantine", "quarantined"), path
            case _:
                assert (lies, disposal, path in destroyed) == ("nowhere", "destroyed", True), path
                continue
        assert contents[file_id] == content


def at_every_call(
    before: KeptHouse,
    prepare: Callable[[KeptHouse], object],
    act: Callable[[KeptHouse], object],
    kinds: tuple[Callable[[], BaseException], ...] = (Cut,),
) -> list[tuple[KeptHouse, str]]:
    """A house for each place where the act can be cut off: by a crash, or by somebody who stops it."""
    prepare(before)
    before.close()
    houses = []
    for number, blows in enumerate(kinds):
        for after in (False, True):
            for call in range(1, 100):
                house = before.copied(before.folder.with_name(f"{number}-{after}-{call}"))
                if not cut_off(house, lambda house=house: act(house), Fuse(call, after=after, blows=blows)):
                    house.close()
                    break
                houses.append((house, house.folder.name))
    return houses


def reject_what_is_there(house: KeptHouse) -> None:
    for one in house.catalogue.disposals.of_state(DisposalState.QUARANTINED, DisposalState.DESTROYING):
        if one.vault_id in house.memory.kept:
            house.office.act("ann", one.item_id, ActKind.REJECT)


def settled(house: KeptHouse) -> None:
    """One recovery is enough, and another finds nothing to do."""
    assert house.recover().unsettled == {}
    assert house.recover() == NOTHING


# Cut off at every call


@pytest.mark.slow
def test_taking_can_be_cut_off_anywhere(before: KeptHouse) -> None:
    houses = at_every_call(before, lambda house: None, KeptHouse.take, (Cut, SystemExit))
    assert len(houses) >= 20, "so many calls there are"
    for house, where in houses:
        settled(house)
        as_recorded(house)
        house.scan()
        planned = {str(plan.ref) for plan in house.outlook().plans}
        house.approve(*[str(ref) for ref in house.memory.refs() if str(ref) not in planned])
        house.take()
        assert len(house.memory.kept) == 2, where
        house.honest()
        house.close()


@pytest.mark.slow
def test_taking_can_be_cut_off_anywhere_and_a_hold_placed_meanwhile_keeps_what_was_not_sealed(
    before: KeptHouse,
) -> None:
    for house, where in at_every_call(before, lambda house: None, KeptHouse.take):
        sealed = {"sealed", "quarantined"} & set(house.states())
        hold(house, condition="path: Cases/**\n")
        settled(house)
        as_recorded(house)
        assert bool(house.memory.kept) == bool(sealed), where
        house.honest()
        house.close()


@pytest.mark.slow
def test_restoring_can_be_cut_off_anywhere(before: KeptHouse) -> None:
    def give_back(house: KeptHouse) -> None:
        for one in house.catalogue.disposals.of_state(DisposalState.QUARANTINED):
            house.give_back(one)

    houses = at_every_call(before, KeptHouse.take, give_back)
    assert len(houses) >= 12
    for house, where in houses:
        settled(house)
        as_recorded(house)
        give_back(house)
        assert house.memory.kept == {}, where
        assert set(house.states()) == {"restored"}
        house.honest()
        house.close()


@pytest.mark.slow
def test_destroying_can_be_cut_off_anywhere(before: KeptHouse) -> None:
    def prepare(house: KeptHouse) -> None:
        house.take()

    houses = at_every_call(before, prepare, KeptHouse.destroy)
    assert len(houses) >= 10
    for house, where in houses:
        settled(house)
        as_recorded(house, frozenset(CONTENT))
        house.destroy()
        assert house.states() == ["destroyed", "destroyed"], where
        house.honest()
        house.close()


@pytest.mark.slow
@pytest.mark.parametrize("happens", [hold, pause, reject_what_is_there])
def test_destroying_can_be_cut_off_anywhere_and_what_comes_up_meanwhile_keeps_what_is_there(
    before: KeptHouse, happens: Callable[[KeptHouse], object]
) -> None:
    for house, where in at_every_call(before, KeptHouse.take, KeptHouse.destroy):
        there = set(house.memory.kept)
        happens(house)
        house.office.standings(house.day).bring_up_to_date(lambda _: None)
        house.recover()
        kept = {one.vault_id: one for one in house.catalogue.disposals.of_state(*DisposalState)}
        for id in there:
            assert (id in house.memory.kept, kept[id].state.value) == (True, "quarantined"), where
        as_recorded(house, frozenset(CONTENT))
        house.honest()
        house.close()


@pytest.mark.slow
def test_a_recovery_can_be_cut_off_anywhere_itself(before: KeptHouse) -> None:
    def prepare(house: KeptHouse) -> None:
        """One item of each sort: moved and not sealed, being restored, being destroyed."""
        cut_off(house, house.take, Fuse(2, after=True))

    houses = at_every_call(before, prepare, KeptHouse.recover)
    assert len(houses) >= 10
    for house, _ in houses:
        settled(house)
        as_recorded(house)
        house.honest()
        house.close()


# What it settles, and what it cannot


def test_nothing_to_settle_is_nothing_done(due: KeptHouse) -> None:
    due.take()
    assert due.recover() == NOTHING


@pytest.mark.parametrize("fuse", [Fuse(2, after=True), Fuse(2, after=True, blows=SystemExit)])
def test_an_interruption_is_undone_at_once_if_anything_of_ours_still_runs(due: KeptHouse, fuse: Fuse) -> None:
    class Stopped(MemoryKeeping):
        def keep(self, scope: Scope, target: Target, id: str) -> Kept:
            super().keep(scope, target, id)
            raise fuse.blows()

    due.keeping = Stopped(due.memory)
    with pytest.raises((SystemExit, Cut)):
        due.take()
    stopped = fuse.blows is SystemExit
    assert due.states() == (["abandoned"] * 2 if stopped else ["planned"] * 2)
    assert len(due.memory.kept) == (0 if stopped else 1)
    settled(due)
    as_recorded(due)


def test_what_cannot_be_undone_at_once_is_by_the_next_recovery(due: KeptHouse) -> None:
    class Stopped(MemoryKeeping):
        def keep(self, scope: Scope, target: Target, id: str) -> Kept:
            super().keep(scope, target, id)
            self.fail("kept", errors.SourceFault("x"))
            raise SystemExit

    due.keeping = Stopped(due.memory)
    with pytest.raises(SystemExit):
        due.take()
    assert due.states() == ["planned", "planned"]
    due.keeping = MemoryKeeping(due.memory)
    settled(due)
    as_recorded(due)


def test_a_fault_of_the_catalogue_while_undoing_is_not_told_instead_of_the_first(
    due: KeptHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agent.catalogue.disposals import DisposalRecords

    def fails(*_: object) -> None:
        raise ValueError("the second")

    class Stopped(MemoryKeeping):
        def keep(self, scope: Scope, target: Target, id: str) -> Kept:
            super().keep(scope, target, id)
            monkeypatch.setattr(DisposalRecords, "move", fails)
            raise RuntimeError("the first")

    due.keeping = Stopped(due.memory)
    with pytest.raises(RuntimeError, match="the first"):
        due.take()
    monkeypatch.undo()
    due.keeping = MemoryKeeping(due.memory)
    settled(due)
    as_recorded(due)


def test_what_was_left_already_is_not_undone_again(due: KeptHouse) -> None:
    class Stopped(MemoryKeeping):
        calls = 0

        def keep(self, scope: Scope, target: Target, id: str) -> Kept:
            self.calls += 1
            if self.calls == 1:
                raise errors.CheckedOut("x")
            raise SystemExit

    due.keeping = Stopped(due.memory)
    with pytest.raises(SystemExit):
        due.take()
    assert due.states() == ["abandoned", "abandoned"]
    reasons = [due.last_step(one).why for one in due.catalogue.disposals.of_state(DisposalState.ABANDONED)]
    assert reasons == [Obstacle.CHECKED_OUT, Obstacle.INTERRUPTED]


def test_what_is_held_by_now_is_not_destroyed_by_a_recovery(due: KeptHouse) -> None:
    due.take()
    assert cut_off(due, due.destroy, Fuse(2))
    hold(due, condition="path: Cases/**\n")
    assert set(due.recover().unsettled.values()) == {Obstacle.HELD}
    assert due.states() == ["quarantined", "quarantined"]
    assert len(due.memory.kept) == 2


def sealed_only(due: KeptHouse) -> None:
    """The seals are recorded, and nothing behind them."""
    assert cut_off(due, due.take, Fuse(4, after=True))
    assert due.states() == ["sealed", "sealed"]


def test_what_was_sealed_is_finished(due: KeptHouse) -> None:
    sealed_only(due)
    assert due.recover().finished == 2
    assert due.states() == ["quarantined", "quarantined"]
    as_recorded(due)


def test_what_was_sealed_and_put_back_by_others_is_left_there(due: KeptHouse) -> None:
    sealed_only(due)
    (one, _) = due.catalogue.disposals.of_state(DisposalState.SEALED)
    due.keeping.carry_off(one.file_id, CASE.encode())
    recovered = due.recover()
    assert (recovered.finished, recovered.put_back, recovered.unsettled) == (1, 1, {})
    assert due.states() == ["abandoned", "quarantined"]
    assert due.row(one)[:2] == (0, b""), "it is there, and read again"
    as_recorded(due)


def test_what_was_sealed_and_carried_off_is_gone_until_its_source_tells_where(due: KeptHouse) -> None:
    sealed_only(due)
    (one, _) = due.catalogue.disposals.of_state(DisposalState.SEALED)
    due.keeping.carry_off(one.file_id, b"Elsewhere/a.txt")
    assert due.recover().unsettled == {one.item_id: Obstacle.GONE}
    assert due.states() == ["abandoned", "quarantined"]
    assert due.row(one)[0] == 1, "missing"
    due.scan()
    assert due.number("Elsewhere/a.txt") == one.item_id


def test_what_was_carried_off_does_not_take_the_place_of_what_lies_there_now(due: KeptHouse) -> None:
    sealed_only(due)
    (one, _) = due.catalogue.disposals.of_state(DisposalState.SEALED)
    due.keeping.carry_off(one.file_id, b"Elsewhere/a.txt")
    another = due.put_item(CASE, b"another of that name")
    due.scan()
    assert due.recover().unsettled == {one.item_id: Obstacle.GONE}
    assert due.lies(another) == CASE
    assert due.number(CASE) != one.item_id
    assert due.row(one)[0] == 5, "its name is another's"


def test_what_lies_in_the_place_of_what_should_go_back_is_not_replaced(due: KeptHouse) -> None:
    assert cut_off(due, due.take, Fuse(2, after=True))
    another = due.put_item(CASE, b"somebody else's")
    recovered = due.recover()
    assert (recovered.put_back, set(recovered.unsettled.values())) == (1, {Obstacle.PLACE_TAKEN})
    assert sorted(due.states()) == ["abandoned", "conflict"]
    assert set(due.recover().unsettled.values()) == {Obstacle.PLACE_TAKEN}
    assert due.lies(another) == CASE
    due.memory.remove(CASE.encode())
    recovered = due.recover()
    assert (recovered.put_back, recovered.unsettled) == (1, {})
    assert due.states() == ["abandoned", "abandoned"]
    as_recorded(due)


def test_a_row_that_was_set_aside_for_another_item_goes_back_under_its_own_name(due: KeptHouse) -> None:
    assert cut_off(due, due.take, Fuse(2, after=True))
    due.put_item(CASE, b"somebody else's")
    due.scan()
    due.memory.remove(CASE.encode())
    due.scan()
    assert due.recover().unsettled == {}
    assert {str(ref) for ref in due.memory.refs()} == {CASE, OTHER}
    as_recorded(due)


def test_what_cannot_be_reached_waits(due: KeptHouse) -> None:
    assert cut_off(due, due.take, Fuse(2, after=True))
    due.memory.available = False
    assert set(due.recover().unsettled.values()) == {Obstacle.SHARE_AWAY}
    assert due.states() == ["planned", "planned"]
    due.memory.available = True
    settled(due)
    as_recorded(due)


def test_a_share_that_nothing_acts_on_waits(due: KeptHouse) -> None:
    from agent.disposition.in_place_recovery import InPlaceRecovery

    assert cut_off(due, due.take, Fuse(2, after=True))
    told = InPlaceRecovery(replace(due.means, keepers={})).run()
    assert set(told.unsettled.values()) == {Obstacle.SHARE_AWAY}
    assert due.states() == ["planned", "planned"]
    settled(due)


@pytest.mark.parametrize(
    ("error", "obstacle"),
    [(errors.Throttled("x", 900), Obstacle.THROTTLED), (errors.NotSignedIn("x"), Obstacle.NOT_SIGNED_IN)],
)
def test_a_source_that_asks_us_to_wait_is_asked_once(
    due: KeptHouse, error: errors.ConnectorError, obstacle: Obstacle
) -> None:
    assert cut_off(due, due.take, Fuse(3, after=True))
    asked = 0

    class Refusing(MemoryKeeping):
        def kept(self, *_: object) -> None:  # type: ignore[override]
            nonlocal asked
            asked += 1
            raise error

    due.keeping = Refusing(due.memory)
    assert set(due.recover().unsettled.values()) == {obstacle}
    assert asked == 1
    due.keeping = MemoryKeeping(due.memory)
    settled(due)


@pytest.mark.parametrize("call", ["kept", "delete"])
def test_what_was_being_destroyed_waits_for_an_answer(due: KeptHouse, call: str) -> None:
    due.take()
    assert cut_off(due, due.destroy, Fuse(2))
    if call == "kept":  # which is asked only if something is in the way
        hold(due, condition="path: Cases/**\n")
    due.keeping.fail(call, errors.SourceFault("x"))
    assert set(due.recover().unsettled.values()) == {Obstacle.SOURCE_FAULT}
    assert due.states() == ["destroying", "destroying"]
    assert len(due.memory.kept) == 2


# What lies in quarantine, against what is recorded


def test_a_move_that_was_carried_out_after_we_had_given_up_is_undone(due: KeptHouse) -> None:
    late: list[tuple[Target, str]] = []

    class Slow(MemoryKeeping):
        def keep(self, scope: Scope, target: Target, id: str) -> Kept:
            late.append((target, id))
            raise errors.SourceFault("no answer in time")

    due.keeping = Slow(due.memory)
    due.take()
    assert due.states() == ["abandoned", "abandoned"]
    due.keeping = MemoryKeeping(due.memory)
    for target, id in late:
        due.keeping.keep(due.memory.scope, target, id)
    recovered = due.recover()
    assert (recovered.put_back, recovered.unsettled) == (2, {})
    as_recorded(due)
    assert due.recover() == NOTHING


def lies_there_though_given_back(due: KeptHouse) -> bytes:
    """One item lies in quarantine although its disposal is over; gives its id."""
    assert cut_off(due, due.take, Fuse(2, after=True))
    due.recover()
    one = due.catalogue.disposals.of_state(DisposalState.ABANDONED)[0]
    ref = ref_of(CASE.encode())
    target = Target(one.file_id, ref, due.memory.folder_id(ref.folder), due.memory.item(ref).version)
    due.keeping.keep(due.memory.scope, target, one.vault_id)
    return one.file_id


def test_it_waits_while_something_else_lies_in_its_place(due: KeptHouse) -> None:
    file_id = lies_there_though_given_back(due)
    due.put_item(CASE, b"somebody else's")
    assert set(due.recover().unsettled.values()) == {Obstacle.PLACE_TAKEN}
    assert due.lies(file_id) == "in quarantine"


def test_it_waits_while_its_source_does_not_answer(due: KeptHouse) -> None:
    file_id = lies_there_though_given_back(due)
    due.keeping.fail("give_back", errors.SourceFault("x"))
    assert set(due.recover().unsettled.values()) == {Obstacle.SOURCE_FAULT}
    due.keeping.fail("give_back", None)
    assert due.recover().put_back == 1
    assert due.lies(file_id) == CASE


def test_what_is_carried_off_while_it_is_looked_at_is_left(due: KeptHouse) -> None:
    lies_there_though_given_back(due)
    due.keeping.fail("give_back", errors.ItemNotFound("x"))
    assert due.recover() == NOTHING


def test_what_should_be_in_quarantine_and_is_not_is_told_every_time(due: KeptHouse) -> None:
    (one, _) = due.take().done
    due.keeping.carry_off(one.file_id, b"Elsewhere/a.txt")
    for _ in range(2):
        assert due.recover().unsettled == {one.item_id: Obstacle.GONE}
    assert due.states() == ["quarantined", "quarantined"]
    assert due.give_back(due.get(one), "Elsewhere/a.txt") is None, "a person says where it is"
    assert due.recover() == NOTHING
    assert due.row(one)[:2] == (0, b""), "and it is read again"


def test_nothing_is_said_to_be_missing_because_nobody_answers(due: KeptHouse) -> None:
    due.take()
    due.keeping.fail("in_quarantine", errors.SourceFault("x"))
    assert due.recover() == NOTHING


def test_what_was_deleted_and_has_been_brought_back_is_told(due: KeptHouse) -> None:
    due.take()
    stored = dict(due.memory.kept)
    due.destroy()
    due.memory.kept.update(stored)  # as an administrator does out of the recycle bin
    recovered = due.recover()
    assert set(recovered.unsettled.values()) == {Obstacle.CHANGED}
    assert len(due.memory.kept) == 2, "and left there: a person must look"


def test_what_belongs_to_no_disposal_is_counted_and_left(due: KeptHouse) -> None:
    (one, _) = due.take().done
    file_id = due.put_item("Letters/a.txt")
    item = due.memory.item(ItemRef.parse("Letters/a.txt"))
    due.keeping.keep(due.memory.scope, Target(file_id, item.ref, b"", item.version), "ab" * 16)
    swapped = due.memory.kept[one.vault_id]
    due.memory.kept["cd" * 16] = swapped
    recovered = due.recover()
    assert recovered.foreign == 2
    assert recovered.unsettled == {}
    assert due.lies(file_id) == "in quarantine"


def test_another_item_under_the_id_of_a_disposal_is_foreign(due: KeptHouse) -> None:
    (one, _) = due.take().done
    stored = due.memory.kept[one.vault_id]
    due.memory.kept[one.vault_id] = replace(stored, file_id=b"another")
    recovered = due.recover()
    assert (recovered.foreign, recovered.unsettled) == (1, {one.item_id: Obstacle.GONE})


def test_the_parts_of_a_recovery_add_up() -> None:
    one = Recovered(1, 2, {1: Obstacle.GONE}, 3, 4)
    other = Recovered(10, 20, {2: Obstacle.HELD}, 30, 40)
    assert one + other == Recovered(11, 22, {1: Obstacle.GONE, 2: Obstacle.HELD}, 33, 44)
