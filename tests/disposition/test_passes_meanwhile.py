"""What is disposed of while a pass goes on is no reason for the pass to find that something is unaccounted for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from agent.model.disposal import DisposalState
from connectors.base import Found, ItemRef
from connectors.errors import ItemNotFound
from tests.disposition.house import House, version

CASE = "Cases/1/a.txt"


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    made.put(CASE)
    made.put("Letters/b.txt")
    made.scan()
    made.approve(CASE)
    return made


def pass_around(house: House, *, before_it_is_seen: bool, act: object) -> bool:
    """Whether a pass reconciles in which something is done before or after its pages are read."""
    catalogue = house.catalogue
    share = catalogue.ensure_share("office", str(house.share), house.scope.identity)
    current = catalogue.begin_pass(share, version(), house.office.now())
    if before_it_is_seen:
        act()  # type: ignore[operator]
    pages = list(house.connector.changes(house.scope, catalogue.known(current)))
    if not before_it_is_seen:
        act()  # type: ignore[operator]
    for page in pages:
        results = [house._result(change) if isinstance(change, Found) else change for change in page.changes]
        catalogue.commit(current, results, page.cursor, page.seen, page.folders, house.office.now())
    return catalogue.end_pass(current, house.office.now()).reconciles


@pytest.mark.parametrize("before_it_is_seen", [True, False])
def test_what_is_taken_meanwhile_is_accounted_for(house: House, before_it_is_seen: bool) -> None:
    assert pass_around(house, before_it_is_seen=before_it_is_seen, act=house.take)
    assert house.states() == ["quarantined"]


@pytest.mark.parametrize("before_it_is_seen", [True, False])
def test_what_is_given_back_meanwhile_is_accounted_for(house: House, before_it_is_seen: bool) -> None:
    house.take()
    house.scan()

    def give_back() -> None:
        (disposal,) = house.catalogue.disposals.of_state(DisposalState.QUARANTINED)
        assert house.restoring().give_back(disposal, ItemRef.parse(CASE), "needed for an appeal") is None

    assert pass_around(house, before_it_is_seen=before_it_is_seen, act=give_back)


def test_a_folder_that_goes_while_an_item_in_it_is_being_taken_is_not_forgotten(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody takes the folder away. The item that was to be taken is found to have gone, as the next pass says."""
    house.put("Cases/1/deep/c.txt")
    house.scan()
    plans = house.outlook().plans
    shutil.rmtree(house.share / "Cases")
    run = house.catalogue.disposals.begin_run("quarantine", house.office.now(), "ann", "")
    seen = []

    def scanned(*_: object) -> None:
        house.scan()
        seen.append({str(ref) for ref, _ in house.catalogue.records()})
        raise ItemNotFound("it is gone")

    monkeypatch.setattr(type(house.means.sources["office"].holding), "take", scanned)
    house.quarantine.take(run, plans, lambda _: None)
    assert seen == [{CASE, "Letters/b.txt"}], "what is being taken is its disposal's business"
    assert house.states() == ["abandoned"]

    house.scan()

    assert {str(ref) for ref, _ in house.catalogue.records()} == {"Letters/b.txt"}
    last = house.catalogue.last_pass(house.catalogue.shares()[0])
    assert last is not None
    assert last.reconciles
