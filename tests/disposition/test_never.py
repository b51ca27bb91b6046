"""What is held, changed, no longer due or no longer approved is never touched, whenever that comes about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from agent.catalogue.disposal_rows import Disposal, Plan
from agent.disposition.quarantine import Quarantine
from agent.model.disposal import DisposalState, Obstacle
from agent.model.hold import Hold, HoldKind, HoldScope
from agent.model.review import ActKind
from agent.usecases.holds import Holds
from tests.disposition.house import TERMS, House
from tests.usecases.review_office import quiet

CASE = "Cases/1/a.txt"


@pytest.fixture
def due(house: House) -> House:
    """A house in which one case is approved and can go."""
    house.put(CASE, b"the first case")
    house.scan()
    house.approve(CASE)
    return house


def hold(house: House, **scope: object) -> Hold:
    holds = Holds(house.catalogue, TERMS)
    new = Hold(
        0,
        "A claim",
        HoldKind.LEGAL_HOLD,
        HoldScope(**(scope or {"condition": "path: Cases/**\n"})),  # type: ignore[arg-type]
        "A claim",
        "",
        "jo",
        house.office.now(),
    )
    return holds.place(holds.work_out(new, everything=False, progress=quiet), quiet)


def reject(house: House) -> None:
    house.office.act("ann", house.number(CASE), ActKind.REJECT)


def extend(house: House) -> None:
    house.office.act("ann", house.number(CASE), ActKind.EXTEND, until=date(2030, 1, 1))


def only_covered(house: House) -> None:
    """A hold on the item, without what else placing one does."""
    number = hold(house, condition="path: Nothing/**\n").number
    with house.catalogue.recording() as connection:
        connection.exec_driver_sql("INSERT INTO held (item_id, hold_id) SELECT item_id, ? FROM disposal", (number,))


def pause(house: House) -> None:
    house.catalogue.pauses.begin(house.office.now(), "ann", "an inquiry")


AFTER_THE_DECISION = [
    (hold, Obstacle.HELD),
    (pause, Obstacle.PAUSED),
    (reject, Obstacle.NOT_APPROVED),
    (extend, Obstacle.NOT_DUE),
]


@pytest.mark.parametrize(("happens", "obstacle"), AFTER_THE_DECISION)
def test_what_comes_up_before_the_intent_leaves_the_item(
    due: House, happens: Callable[[House], object], obstacle: Obstacle
) -> None:
    plans = due.outlook().plans
    happens(due)
    told = due.take(plans)
    assert set(told.kept.values()) == {obstacle}
    assert due.states() == []
    assert (due.share / CASE).read_bytes() == b"the first case"


@pytest.mark.parametrize(("happens", "obstacle"), AFTER_THE_DECISION)
def test_what_comes_up_while_it_is_copied_puts_the_item_back(
    due: House, happens: Callable[[House], object], obstacle: Obstacle, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = due.outlook().plans
    copied = Quarantine._copied

    def meanwhile(self: Quarantine, disposal: Disposal, content: object) -> object:
        step = copied(self, disposal, content)  # type: ignore[arg-type]
        happens(due)
        return step

    monkeypatch.setattr(Quarantine, "_copied", meanwhile)
    told = due.take(plans)
    assert set(told.kept.values()) == {obstacle}
    assert due.states() == ["abandoned"]
    assert (due.share / CASE).read_bytes() == b"the first case"
    assert due.vault.entries() == []
    assert due.held() == []


@pytest.mark.parametrize("happens", [hold, pause])
def test_what_comes_up_in_quarantine_keeps_the_item_there(due: House, happens: Callable[[House], object]) -> None:
    due.take()
    ripe = due.ripe()
    happens(due)
    assert due.destroy(ripe).done == []
    assert due.states() == ["quarantined"]


def test_an_item_in_quarantine_stands_under_holds_on_its_class_and_its_keys(due: House) -> None:
    (disposal,) = due.take().done
    placed = hold(due, classes=("case-file",))
    assert [path.path for _, path in due.catalogue.holds.covered(placed.number)] == [disposal.ref.path]
    assert due.ripe() == []


def test_a_rejection_in_quarantine_keeps_the_item_until_it_is_approved_anew(due: House) -> None:
    (disposal,) = due.take().done
    due.office.act("ann", disposal.item_id, ActKind.REJECT)
    assert due.ripe() == []
    for by in ("ann", "ben"):
        due.office.act(by, disposal.item_id)
    assert [one.number for one in due.ripe()] == [disposal.number]
    assert len(due.destroy().done) == 1


def test_an_extension_in_quarantine_keeps_the_item(due: House) -> None:
    (disposal,) = due.take().done
    due.office.act("ann", disposal.item_id, ActKind.EXTEND, until=date(2030, 1, 1))
    assert due.ripe() == []


def test_neither_the_cool_off_nor_the_stay_can_be_cut_short(due: House) -> None:
    due.rules = replace(due.rules, cool_off=timedelta(days=400))
    assert due.outlook().plans == []
    assert due.outlook().waiting == {"too_soon": 1}
    due.rules = replace(due.rules, cool_off=timedelta(0), least_stay=timedelta(days=400))
    due.take()
    assert due.ripe() == []


@pytest.mark.parametrize("mode", ["observe", "propose"])
def test_a_class_on_which_nothing_acts_stays(due: House, mode: str) -> None:
    due.rules = replace(due.rules, mode_of=lambda _: mode)
    outlook = due.outlook()
    assert outlook.plans == []
    assert outlook.waiting == {mode: 1}


def test_one_approval_is_not_enough(house: House) -> None:
    house.put(CASE)
    house.scan()
    house.office.act("ann", house.number(CASE))
    assert house.outlook().waiting == {"in_review": 1}


def test_the_day_before_it_is_due_nothing_goes(due: House) -> None:
    plans = due.outlook().plans
    due.day = plans[0].account.due_on - timedelta(days=1)
    told = due.take(plans)
    assert set(told.kept.values()) == {Obstacle.NOT_DUE}
    due.day = plans[0].account.due_on
    due.outlook()
    assert len(due.take(plans).done) == 1


# The database itself refuses, whatever the code above it does


def _state(house: House, number: int, state: str) -> None:
    with house.catalogue.recording() as connection:
        try:
            connection.exec_driver_sql("UPDATE disposal SET state = ? WHERE id = ?", (state, number))
        except IntegrityError as error:
            raise ValueError(str(error.orig)) from None


def _planned(house: House, plan: Plan) -> int:
    named = [("0" * 32, None, plan)]
    planned, _ = house.catalogue.disposals.plan(
        house.catalogue.disposals.begin_run("test", house.office.now(), "x"), named, house.office.now(), "x", house.day
    )
    return planned[0].number


@pytest.mark.parametrize(
    ("happens", "said"), [(only_covered, "a hold or a pause"), (pause, "a hold or a pause"), (reject, "approval")]
)
def test_the_database_refuses_to_seal(due: House, happens: Callable[[House], object], said: str) -> None:
    number = _planned(due, due.outlook().plans[0])
    happens(due)
    with pytest.raises(ValueError, match=said):
        _state(due, number, "sealed")


@pytest.mark.parametrize(("happens", "said"), [(only_covered, "a hold or a pause"), (pause, "a hold or a pause")])
def test_the_database_refuses_to_destroy(due: House, happens: Callable[[House], object], said: str) -> None:
    (disposal,) = due.take().done
    due.outlook()
    happens(due)
    with pytest.raises(ValueError, match=said):
        _state(due, disposal.number, "destroying")


@pytest.mark.parametrize("state", ["quarantined", "destroying", "erased", "restored", "destroyed", "planned"])
def test_the_database_refuses_a_step_out_of_order(due: House, state: str) -> None:
    number = _planned(due, due.outlook().plans[0])
    if state == "planned":
        with pytest.raises(ValueError, match="stays"), due.catalogue.recording() as connection:
            try:
                connection.exec_driver_sql("UPDATE disposal SET mark = 'other' WHERE id = ?", (number,))
            except IntegrityError as error:
                raise ValueError(str(error.orig)) from None
        return
    with pytest.raises(ValueError, match="step by step"):
        _state(due, number, state)


def test_the_database_takes_a_destruction_back_only_until_the_key_is_overwritten(due: House) -> None:
    (disposal,) = due.take().done
    due.outlook()
    _state(due, disposal.number, "destroying")
    _state(due, disposal.number, "quarantined")
    _state(due, disposal.number, "destroying")
    _state(due, disposal.number, "destroyed")
    with pytest.raises(ValueError, match="step by step"):
        _state(due, disposal.number, "quarantined")


def test_another_scan_does_not_take_what_is_in_quarantine_for_gone(due: House) -> None:
    (disposal,) = due.take().done
    due.put(CASE, b"a new file of that name")
    due.scan()
    assert due.number(CASE) != disposal.item_id
    refused = due.restoring().give_back(disposal, disposal.ref, "needed for an appeal")
    assert refused is Obstacle.PLACE_TAKEN
    assert due.states() == [DisposalState.QUARANTINED]
    (due.share / CASE).unlink()
    disposal = due.catalogue.disposals.of_state(DisposalState.QUARANTINED)[0]
    assert due.restoring().give_back(disposal, disposal.ref, "needed for an appeal") is None
    assert due.number(CASE) == disposal.item_id
    due.scan()
    assert (due.share / CASE).read_bytes() == b"the first case"
