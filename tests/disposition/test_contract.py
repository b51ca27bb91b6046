"""What every action keeps to: the same suite for each outcome that a class or a placement rule may have."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from agent.catalogue.disposal_rows import Disposal
from agent.disposition.quarantine import Quarantine
from agent.model.disposal import DisposalState, Obstacle
from connectors import errors
from connectors.base import ItemRef
from connectors.filesystem.holding import FilesystemHolding
from tests.disposition.house import House
from tests.disposition.test_never import hold, pause

CONTENT = b"something that is due\n" * 40
REMAINS = b"what remains\n"


@dataclass(frozen=True, slots=True)
class Action:
    """An outcome: where its items lie, whether people approve it, and what is there afterwards."""

    name: str
    path: str
    ends: DisposalState = DisposalState.QUARANTINED
    approved: bool = True
    remains: bytes | None = None
    relocate: bool = False


ACTIONS = (
    Action("destroy", "Cases/1/a.txt"),
    Action("thin", "Parts/a.txt"),
    Action("anonymise", "Names/a.txt", remains=REMAINS),
    Action("minimise", "Outcomes/a.txt", remains=REMAINS),
    Action("hand_back", "Returns/a.txt"),
    Action("quarantine", "Drop/a.txt", approved=False),
    Action("relocate", "Drop/a.txt", DisposalState.RELOCATED, approved=False, relocate=True),
)


@pytest.fixture(params=ACTIONS, ids=lambda action: action.name)
def action(request: pytest.FixtureRequest) -> Action:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def ready(house: House, action: Action) -> House:
    """A house in which one item can go that way."""
    house.put(action.path, CONTENT)
    house.scan()
    if action.approved:
        house.approve(action.path)
    house.derive = what_remains
    if action.relocate:
        house.rules = replace(house.rules, relocate={"not-here": "Restricted"})
    return house


def what_remains(disposal: Disposal, source: int, target: int) -> str:
    assert os.pread(source, len(CONTENT), 0) == CONTENT
    os.write(target, REMAINS)
    return ""


def untouched(house: House, action: Action) -> None:
    """The item is where it was, as it was, and nothing of it is anywhere else."""
    assert (house.share / action.path).read_bytes() == CONTENT
    assert house.vault.entries() == []
    assert house.held() == []
    assert set(house.states()) <= {"abandoned"}


def test_it_is_carried_out_and_told(ready: House, action: Action) -> None:
    told = ready.take()
    assert len(told.done) == 1
    assert told.kept == {}
    assert ready.states() == [action.ends.value]
    place = ready.share / action.path
    assert (place.read_bytes() if place.exists() else None) == action.remains
    moved = ready.share / "Restricted" / action.path
    assert moved.exists() == action.relocate
    assert len(ready.vault.entries()) == (not action.relocate)
    assert ready.held() == []
    assert ready.take().done == [], "once is enough"


@pytest.mark.parametrize(("happens", "obstacle"), [(hold, Obstacle.HELD), (pause, Obstacle.PAUSED)])
def test_what_is_held_or_paused_is_left(
    ready: House, action: Action, happens: Callable[..., object], obstacle: Obstacle
) -> None:
    plans = ready.outlook().plans
    if happens is hold:
        hold(ready, condition="share: office\n")
    else:
        happens(ready)
    assert set(ready.take(plans).kept.values()) == {obstacle}
    untouched(ready, action)


def test_what_has_changed_is_left(ready: House, action: Action) -> None:
    plans = ready.outlook().plans
    changed = CONTENT.replace(b"due", b"new")
    (ready.share / action.path).write_bytes(changed)
    assert set(ready.take(plans).kept.values()) == {Obstacle.CHANGED}
    assert (ready.share / action.path).read_bytes() == changed


def test_what_is_gone_is_told(ready: House, action: Action) -> None:
    plans = ready.outlook().plans
    (ready.share / action.path).unlink()
    assert set(ready.take(plans).kept.values()) == {Obstacle.GONE}


FAULTS = [
    (errors.LockedAtSource, Obstacle.OPEN),
    (errors.Immutable, Obstacle.IMMUTABLE),
    (errors.SeveralNames, Obstacle.SEVERAL_NAMES),
    (errors.PermissionDenied, Obstacle.DENIED),
    (errors.ReadOnlySource, Obstacle.READ_ONLY),
    (errors.NoRoom, Obstacle.NO_ROOM),
    (errors.HoldUnavailable, Obstacle.NO_HOLD),
    (errors.SourceFault, Obstacle.SOURCE_FAULT),
    (errors.ScopeUnavailable, Obstacle.SHARE_AWAY),
]


def test_each_fault_of_the_source_has_its_word_and_leaves_the_item(
    ready: House, action: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = ready.outlook().plans
    for fault, obstacle in FAULTS:

        def fails(*_: object, fault: type[errors.ConnectorError] = fault) -> None:
            raise fault("as in life")

        with monkeypatch.context() as patched:
            patched.setattr(FilesystemHolding, "take", fails)
            assert set(ready.take(plans).kept.values()) == {obstacle}
        untouched(ready, action)
    assert ready.states() == ["abandoned"] * len(FAULTS)
    assert len(ready.take(plans).done) == 1, "and it goes when the faults are over"


def test_an_interruption_is_settled_by_the_next_recovery(
    ready: House, action: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stops(self: Quarantine, *_: object) -> None:
        raise KeyboardInterrupt

    plans = ready.outlook().plans
    with monkeypatch.context() as patched:
        patched.setattr(FilesystemHolding, "put_back" if action.relocate else "let_go", stops)
        with pytest.raises(KeyboardInterrupt):
            ready.take(plans)
    recovered = ready.recover()
    assert recovered.unsettled == {}
    assert recovered.put_back + recovered.finished == 1
    assert (recovered.finished == 1) != action.relocate
    assert ready.recover().finished == 0
    assert ready.states() == ["abandoned" if action.relocate else "quarantined"]


def test_what_went_into_the_vault_comes_back_as_it_was(ready: House, action: Action) -> None:
    if action.relocate:
        pytest.skip("nothing of it is in the vault")
    (disposal,) = ready.take().done
    back = ItemRef(disposal.ref.folder, b"back.txt")
    assert ready.restoring().give_back(disposal, back, "needed for an appeal") is None
    assert (ready.share / action.path).with_name("back.txt").read_bytes() == CONTENT
    assert ready.vault.entries() == []
