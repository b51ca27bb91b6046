"""Whatever is in the way where the source keeps what is taken: the item is where it was, and people are told why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from agent.catalogue.disposals import DisposalRecords
from agent.cli.disposing_words import say_why
from agent.disposition.custody import Ending, Returning
from agent.model.disposal import DisposalState, Obstacle
from connectors import errors
from connectors.base import ItemRef, Scope
from connectors.keeping import Kept, Target
from connectors.memory_keeping import MemoryKeeping
from tests.disposition.kept_house import KeptHouse
from tests.disposition.test_never import extend, hold, pause, reject

CASE = "Cases/1/a.txt"
OTHER = "Cases/2/b.txt"
BEFORE_IT_MOVES: list[tuple[errors.ConnectorError, Obstacle]] = [
    (errors.ItemNotFound("x"), Obstacle.GONE),
    (errors.LockedAtSource("x"), Obstacle.OPEN),
    (errors.CheckedOut("x"), Obstacle.CHECKED_OUT),
    (errors.HeldAtSource("x"), Obstacle.HELD_AT_SOURCE),
    (errors.RecordAtSource("x"), Obstacle.RECORD_AT_SOURCE),
    (errors.Unsupported("x"), Obstacle.NOT_IN_PLACE),
    (errors.PermissionDenied("x"), Obstacle.DENIED),
    (errors.NoRoom("x"), Obstacle.NO_ROOM),
    (errors.HoldUnavailable("x"), Obstacle.NO_HOLD),
    (errors.NotSignedIn("x"), Obstacle.NOT_SIGNED_IN),
    (errors.Throttled("x", 3600), Obstacle.THROTTLED),
    (errors.ScopeUnavailable("x"), Obstacle.SHARE_AWAY),
]
IT_MAY_HAVE_MOVED: list[tuple[errors.ConnectorError, Obstacle]] = [
    (errors.SourceFault("x"), Obstacle.SOURCE_FAULT),
    (errors.ItemChanged("x"), Obstacle.CHANGED),
    (errors.PlaceTaken("x"), Obstacle.PLACE_TAKEN),
]
END_THE_SHARE = {
    Obstacle.NO_HOLD,
    Obstacle.NOT_SIGNED_IN,
    Obstacle.THROTTLED,
    Obstacle.SHARE_AWAY,
    Obstacle.NO_ROOM,
}


def named(one: object) -> str:
    return type(one).__name__ if isinstance(one, Exception) else ""


@pytest.fixture
def due(ready_house: Callable[[Mapping[str, bytes]], KeptHouse]) -> KeptHouse:
    """A house in which two cases are approved and can go."""
    return ready_house({CASE: b"the first case", OTHER: b"the second case"})


@pytest.fixture
def one_due(ready_house: Callable[[Mapping[str, bytes]], KeptHouse]) -> KeptHouse:
    """A house in which one case is approved and can go."""
    return ready_house({CASE: b"a case"})


def all_in_place(house: KeptHouse) -> bool:
    return {str(ref) for ref in house.memory.refs()} == {CASE, OTHER} and not house.memory.kept


# Taking


@pytest.mark.parametrize(("error", "obstacle"), BEFORE_IT_MOVES, ids=named)
def test_each_fault_has_its_word_and_leaves_the_item(
    due: KeptHouse, error: errors.ConnectorError, obstacle: Obstacle
) -> None:
    due.keeping.fail("keep", error)
    assert set(due.take().kept.values()) == {obstacle}
    assert all_in_place(due)
    assert due.states() == ["abandoned", "abandoned"]
    due.keeping.fail("keep", None)
    assert len(due.take().done) == 2, "and it goes when the fault is over"


@pytest.mark.parametrize(("error", "obstacle"), BEFORE_IT_MOVES, ids=named)
def test_what_concerns_a_whole_share_is_asked_of_it_once(
    due: KeptHouse, error: errors.ConnectorError, obstacle: Obstacle
) -> None:
    asked = 0

    class Refusing(MemoryKeeping):
        def keep(self, scope: Scope, target: Target, id: str) -> Kept:
            nonlocal asked
            asked += 1
            raise error

    due.keeping = Refusing(due.memory)
    due.take()
    assert asked == (1 if obstacle in END_THE_SHARE else 2)


@pytest.mark.parametrize("error", [errors.Throttled("x", 3600), errors.HoldUnavailable("x")], ids=named)
def test_a_share_that_is_away_is_left_out_of_the_blocks_behind_as_well(
    due: KeptHouse, error: errors.ConnectorError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.disposition.in_place._AT_ONCE", 1)
    due.keeping.fail("keep", error)
    assert len(due.take().kept) == 2
    assert due.states() == ["abandoned"], "of the second not even the intent is recorded"


@pytest.mark.parametrize(("error", "obstacle"), IT_MAY_HAVE_MOVED, ids=named)
@pytest.mark.parametrize("moved", [True, False])
def test_what_may_have_been_moved_is_asked_for_and_given_back(
    due: KeptHouse, error: errors.ConnectorError, obstacle: Obstacle, moved: bool
) -> None:
    class Unsure(MemoryKeeping):
        def keep(self, scope: Scope, target: Target, id: str) -> Kept:
            if moved:
                super().keep(scope, target, id)
            raise error

    due.keeping = Unsure(due.memory)
    assert set(due.take().kept.values()) == {obstacle}
    assert all_in_place(due)
    assert due.states() == ["abandoned", "abandoned"]


@pytest.mark.parametrize("call", ["kept", "give_back"])
def test_what_cannot_be_asked_or_given_back_now_is_by_the_next_recovery(due: KeptHouse, call: str) -> None:
    class Unsure(MemoryKeeping):
        def keep(self, scope: Scope, target: Target, id: str) -> Kept:
            super().keep(scope, target, id)
            raise errors.SourceFault("x")

    due.keeping = Unsure(due.memory)
    due.keeping.fail(call, errors.SourceFault("x"))
    assert set(due.take().kept.values()) == {Obstacle.SOURCE_FAULT}
    assert due.states() == ["planned", "planned"]
    assert len(due.memory.kept) == 2
    due.keeping.fail(call, None)
    recovered = due.recover()
    assert (recovered.put_back, recovered.unsettled) == (2, {})
    assert all_in_place(due)


def test_other_content_than_was_decided_on_is_given_back(due: KeptHouse) -> None:
    class Other(MemoryKeeping):
        def keep(self, scope: Scope, target: Target, id: str) -> Kept:
            kept = super().keep(scope, target, id)
            return Kept(kept.id, kept.file_id, kept.version, kept.size_bytes, "ab" * 32)

    due.keeping = Other(due.memory)
    assert set(due.take().kept.values()) == {Obstacle.CHANGED}
    assert all_in_place(due)


def test_what_has_changed_or_moved_since_the_scan_is_left_where_it_is(due: KeptHouse) -> None:
    plans = due.outlook().plans
    due.put_item(CASE, b"agreed otherwise")
    due.memory.move(OTHER.encode(), b"Elsewhere/b.txt")
    assert set(due.take(plans).kept.values()) == {Obstacle.CHANGED}
    assert sorted(str(ref) for ref in due.memory.refs()) == [CASE, "Elsewhere/b.txt"]
    assert due.memory.kept == {}


def test_what_the_source_protects_is_left_and_the_others_go(due: KeptHouse) -> None:
    file_id = due.memory.item(ItemRef.parse(CASE)).file_id
    due.keeping.protect(file_id, errors.RecordAtSource("x"))
    told = due.take()
    assert (len(told.done), [*told.kept.values()]) == (1, [Obstacle.RECORD_AT_SOURCE])
    assert due.lies(file_id) == CASE


AFTER_THE_DECISION = [
    (hold, Obstacle.HELD),
    (pause, Obstacle.PAUSED),
    (reject, Obstacle.NOT_APPROVED),
    (extend, Obstacle.NOT_DUE),
]


@pytest.mark.parametrize(("happens", "obstacle"), AFTER_THE_DECISION)
def test_what_comes_up_before_the_intent_leaves_the_item(
    one_due: KeptHouse, happens: Callable[[KeptHouse], object], obstacle: Obstacle
) -> None:
    file_id = one_due.memory.item(ItemRef.parse(CASE)).file_id
    plans = one_due.outlook().plans
    happens(one_due)
    assert set(one_due.take(plans).kept.values()) == {obstacle}
    assert one_due.states() == []
    assert one_due.lies(file_id) == CASE


@pytest.mark.parametrize(("happens", "obstacle"), AFTER_THE_DECISION)
def test_what_comes_up_between_the_move_and_the_seal_gives_the_item_back(
    one_due: KeptHouse, happens: Callable[[KeptHouse], object], obstacle: Obstacle
) -> None:
    file_id = one_due.memory.item(ItemRef.parse(CASE)).file_id
    plans = one_due.outlook().plans

    class Meanwhile(MemoryKeeping):
        def keep(self, scope: Scope, target: Target, id: str) -> Kept:
            kept = super().keep(scope, target, id)
            happens(one_due)
            return kept

    one_due.keeping = Meanwhile(one_due.memory)
    assert set(one_due.take(plans).kept.values()) == {obstacle}
    assert one_due.states() == ["abandoned"]
    assert one_due.lies(file_id) == CASE


def test_a_scan_that_meets_other_content_between_the_move_and_the_seal_gives_the_item_back(due: KeptHouse) -> None:
    class Meanwhile(MemoryKeeping):
        def keep(self, scope: Scope, target: Target, id: str) -> Kept:
            kept = super().keep(scope, target, id)
            with due.catalogue.recording() as connection:
                connection.exec_driver_sql("UPDATE item SET content_hash = x'00'")
            return kept

    due.keeping = Meanwhile(due.memory)
    assert set(due.take().kept.values()) == {Obstacle.CHANGED}
    assert all_in_place(due)


def test_a_pause_ends_the_run(due: KeptHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.disposition.in_place._AT_ONCE", 1)
    plans = due.outlook().plans
    pause(due)
    told = due.take(plans)
    assert [*told.kept.values()] == [Obstacle.PAUSED], "the rest is left where it is, and not even asked for"


def test_what_took_its_place_meanwhile_is_not_replaced(due: KeptHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    class Meanwhile(MemoryKeeping):
        def keep(self, scope: Scope, target: Target, id: str) -> Kept:
            kept = super().keep(scope, target, id)
            due.memory.put(target.ref.path, b"somebody else's")
            return kept

    due.keeping = Meanwhile(due.memory)
    monkeypatch.setattr(
        DisposalRecords, "seal", lambda self, steps, *_: {one.of.number: Obstacle.HELD for one in steps}
    )
    assert set(due.take().kept.values()) == {Obstacle.PLACE_TAKEN}
    assert due.states() == ["conflict", "conflict"]
    assert len(due.memory.kept) == 2


# Back


def in_quarantine(house: KeptHouse) -> bool:
    return len(house.memory.kept) == 2 and not [*house.memory.refs()]


AFTER_A_RESTORE = [
    *[(error, obstacle, "quarantined") for error, obstacle in BEFORE_IT_MOVES if obstacle is not Obstacle.SHARE_AWAY],
    (errors.PlaceTaken("x"), Obstacle.PLACE_TAKEN, "quarantined"),
    (errors.NoPlace("x"), Obstacle.NO_PLACE, "quarantined"),
    (errors.SourceFault("x"), Obstacle.SOURCE_FAULT, "restoring"),
    (errors.ScopeUnavailable("x"), Obstacle.SHARE_AWAY, "restoring"),
]


@pytest.mark.parametrize(("error", "obstacle", "state"), AFTER_A_RESTORE, ids=named)
def test_what_cannot_be_given_back_stays_in_quarantine(
    due: KeptHouse, error: errors.ConnectorError, obstacle: Obstacle, state: str
) -> None:
    (one, _) = due.take().done
    due.keeping.fail("give_back", error)
    assert due.give_back(due.get(one)) is obstacle
    assert in_quarantine(due)
    assert due.states() == [state, "quarantined"]
    due.keeping.fail("give_back", None)
    if state == "restoring":
        assert due.recover().finished == 1
    else:
        assert due.give_back(due.get(one)) is None
    assert due.states() == ["restored", "quarantined"]
    assert due.lies(one.file_id) == CASE


def test_what_lies_in_its_place_by_now_is_not_replaced(due: KeptHouse) -> None:
    (one, _) = due.take().done
    due.memory.put(CASE.encode(), b"somebody else's")
    assert due.give_back(due.get(one)) is Obstacle.PLACE_TAKEN
    assert due.lies(one.file_id) == "in quarantine"
    assert due.give_back(due.get(one), "Cases/1/a (restored).txt") is None
    assert due.lies(one.file_id) == "Cases/1/a (restored).txt"


def test_a_share_that_nothing_acts_on_gives_nothing_back_and_deletes_nothing(due: KeptHouse) -> None:
    due.take()
    away = replace(due.means, keepers={})
    disposals = due.catalogue.disposals.of_state(DisposalState.QUARANTINED)
    assert Returning(away).give_back(disposals[0], disposals[0].ref, "needed") is Obstacle.SHARE_AWAY
    told = Ending(away).destroy(disposals, lambda _: None)
    assert (told.done, set(told.kept.values())) == ([], {Obstacle.SHARE_AWAY})
    assert due.states() == ["quarantined", "quarantined"]


# Away


REFUSED_AT_THE_SOURCE = [
    *[(error, obstacle, "quarantined") for error, obstacle in BEFORE_IT_MOVES if obstacle is not Obstacle.SHARE_AWAY],
    (errors.ItemChanged("x"), Obstacle.CHANGED, "quarantined"),
    (errors.SourceFault("x"), Obstacle.SOURCE_FAULT, "destroying"),
    (errors.ScopeUnavailable("x"), Obstacle.SHARE_AWAY, "destroying"),
]


@pytest.mark.parametrize(("error", "obstacle", "state"), REFUSED_AT_THE_SOURCE, ids=named)
def test_what_its_source_does_not_let_go_is_in_quarantine_again(
    due: KeptHouse, error: errors.ConnectorError, obstacle: Obstacle, state: str
) -> None:
    due.take()
    due.keeping.fail("delete", error)
    told = due.destroy()
    assert (told.done, set(told.kept.values())) == ([], {obstacle})
    assert due.states()[0] == state
    assert in_quarantine(due)
    due.keeping.fail("delete", None)
    recovered = due.recover()
    assert recovered.unsettled == {}
    due.destroy()
    assert due.states() == ["destroyed", "destroyed"]


@pytest.mark.parametrize("error", [errors.Throttled("x", 3600), errors.NotSignedIn("x")], ids=named)
def test_a_source_that_asks_us_to_wait_is_not_asked_again(
    due: KeptHouse, error: errors.ConnectorError, monkeypatch: pytest.MonkeyPatch
) -> None:
    due.take()
    asked = 0

    class Refusing(MemoryKeeping):
        def delete(self, *_: object) -> object:  # type: ignore[override]
            nonlocal asked
            asked += 1
            raise error

    due.keeping = Refusing(due.memory)
    assert len(due.destroy().kept) == 2
    assert (asked, due.states()) == (1, ["quarantined", "quarantined"])
    monkeypatch.setattr("agent.disposition.in_place_destroy._AT_ONCE", 1)
    assert len(due.destroy().kept) == 2
    assert (asked, due.states()) == (2, ["quarantined", "quarantined"])


def test_what_was_changed_in_quarantine_is_not_deleted(due: KeptHouse) -> None:
    (one, _) = due.take().done
    due.keeping.change(one.file_id, b"somebody who may enter was there")
    told = due.destroy()
    assert (len(told.done), told.kept) == (1, {one.item_id: Obstacle.CHANGED})
    assert due.lies(one.file_id) == "in quarantine"


def test_what_somebody_has_carried_off_is_neither_deleted_nor_said_to_be(due: KeptHouse) -> None:
    (one, _) = due.take().done
    due.keeping.carry_off(one.file_id, b"Elsewhere/a.txt")
    told = due.destroy()
    assert told.kept == {one.item_id: Obstacle.CHANGED}
    assert due.lies(one.file_id) == "Elsewhere/a.txt"


def test_what_somebody_else_has_deleted_counts_as_gone_but_not_as_erased(due: KeptHouse) -> None:
    (one, _) = due.take().done
    del due.memory.kept[one.vault_id]
    assert len(due.destroy().done) == 2
    assert due.last_step(one).method == "nothing_there"
    assert [gone.number for gone in due.erase()] != [one.number]
    assert due.states() == ["destroyed", "erased"]


@pytest.mark.parametrize(("happens", "obstacle"), [(hold, Obstacle.HELD), (pause, Obstacle.PAUSED)])
def test_what_comes_up_in_quarantine_keeps_the_item_there(
    due: KeptHouse, happens: Callable[[KeptHouse], object], obstacle: Obstacle
) -> None:
    due.take()
    ripe = due.ripe()
    happens(due)
    told = due.destroy(ripe)
    assert (told.done, set(told.kept.values())) == ([], {obstacle})
    assert in_quarantine(due)


def test_every_obstacle_has_words_for_people() -> None:
    for obstacle in Obstacle:
        assert say_why(obstacle.value)
