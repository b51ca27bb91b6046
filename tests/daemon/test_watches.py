"""What watches tell, written down as dirty folders, reconciles that are due, and how shares stand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.catalogue.jobs import Wanted
from agent.catalogue.store import Catalogue
from agent.daemon.watches import Watches
from agent.errors import CatalogueError
from agent.model.service import JobName, ShareState
from agent.settings import ShareSettings
from connectors.watching import Dirty, Watch, WatchCondition, WatchState
from tests.catalogue.empty import empty_at

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
OFFICE = ShareSettings(name="office", path="/srv/office")


class Told:
    """A watch that tells what the test says."""

    def __init__(self) -> None:
        self.dirty = Dirty(frozenset(), everything=True)
        self.condition = WatchCondition(WatchState.WATCHED)
        self.closed = False

    def drain(self) -> Dirty:
        told, self.dirty = self.dirty, Dirty(frozenset(), everything=False)
        return told

    def alive(self) -> bool:
        return self.condition.state is WatchState.WATCHED

    def close(self) -> None:
        self.closed = True


class House:
    """A catalogue with one share, watches over it, and a clock that the test turns."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.share = catalogue.ensure_share("office", "/srv/office", "id")
        catalogue.jobs.want(JobName, [Wanted(JobName.RECONCILE, "office", "15 1 * * *", NOW + timedelta(hours=9))])
        self.opened: list[Told] = []
        self.clock = 0.0
        self.watches = Watches(catalogue, lambda: NOW, lambda: self.clock)

    def open(self, share: ShareSettings) -> Watch | None:
        if not share.watch:
            return None
        self.opened.append(Told())
        return self.opened[-1]

    def take_in(self) -> None:
        self.clock += 60
        self.watches.take_in()

    @property
    def due_at(self) -> datetime:
        return self.catalogue.jobs.all()[0].due_at

    @property
    def condition(self) -> tuple[ShareState, str]:
        (found,) = self.catalogue.services.conditions()
        return found.state, found.why

    @property
    def dirty(self) -> set[bytes]:
        return set(self.catalogue.dirty.settled(self.share, NOW, timedelta(), timedelta(), 99))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with Catalogue.open(empty_at(tmp_path / "catalogue.sqlite")) as catalogue:
        made = House(catalogue)
        made.watches.watch((OFFICE,), made.open)
        yield made


def test_what_may_have_changed_unseen_makes_a_reconcile_due_at_once(house: House) -> None:
    house.take_in()

    assert house.due_at == NOW
    assert house.condition == (ShareState.WATCHED, "")


def test_folders_in_which_something_happened_are_dirty(house: House) -> None:
    house.take_in()
    house.opened[0].dirty = Dirty(frozenset({b"HR", b""}), everything=False)

    house.take_in()

    assert house.dirty == {b"HR", b""}


def on_a_full_disk(*_: object) -> None:
    raise CatalogueError("the disk is full")


def test_what_was_told_outlives_a_catalogue_that_takes_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.take_in()
    house.opened[0].dirty = Dirty(frozenset({b"HR"}), everything=False)
    with monkeypatch.context() as full:
        full.setattr(house.catalogue.dirty, "add", on_a_full_disk)
        with pytest.raises(CatalogueError):
            house.take_in()
    assert house.dirty == set()

    house.take_in()

    assert house.dirty == {b"HR"}


def test_a_watch_that_is_lost_is_told_and_replaced(house: House) -> None:
    house.take_in()
    house.opened[0].condition = WatchCondition(WatchState.LOST, "the share was unmounted")

    house.take_in()

    assert house.opened[0].closed
    assert len(house.opened) == 2
    assert house.condition == (ShareState.WATCHED, "")


def test_a_share_that_cannot_be_watched_is_only_reconciled(house: House) -> None:
    house.opened[0].condition = WatchCondition(WatchState.RECONCILE_ONLY, "a network file system")

    house.take_in()
    house.take_in()

    assert house.condition == (ShareState.RECONCILE_ONLY, "a network file system")
    assert len(house.opened) == 1, "it is not tried again and again"

    house.clock += 3600
    house.take_in()

    assert len(house.opened) == 2, "but now and then"
    assert house.condition == (ShareState.WATCHED, "")


def test_a_share_that_was_not_reached_is_unavailable_until_it_is(house: House) -> None:
    house.take_in()

    house.watches.away("office", "there is no such folder")
    assert house.condition == (ShareState.UNAVAILABLE, "there is no such folder")
    house.take_in()
    assert house.condition == (ShareState.UNAVAILABLE, "there is no such folder")

    house.watches.away("office", "")
    assert house.condition == (ShareState.WATCHED, "")


def test_a_share_that_is_mounted_late_is_watched_as_soon_as_it_was_reached(house: House) -> None:
    house.opened[0].condition = WatchCondition(WatchState.RECONCILE_ONLY, "there is no such folder")
    house.watches.away("office", "there is no such folder")
    house.take_in()
    house.watches.away("office", "")

    house.take_in()

    assert house.condition == (ShareState.WATCHED, "")


def test_settings_that_ask_for_no_watch_are_obeyed(house: House) -> None:
    quiet = OFFICE.model_copy(update={"watch": False})

    house.watches.watch((quiet,), house.open)
    house.take_in()

    assert house.opened[0].closed
    assert house.condition[0] is ShareState.RECONCILE_ONLY


def test_a_share_whose_settings_stay_keeps_its_watch_and_one_that_goes_loses_it(house: House) -> None:
    house.watches.watch((OFFICE,), house.open)
    assert len(house.opened) == 1
    house.take_in()

    house.watches.watch((), house.open)

    assert house.opened[0].closed
    assert house.catalogue.services.conditions() == ()


def test_everything_is_let_go_of_at_the_end(house: House) -> None:
    house.watches.close()
    house.watches.close()

    assert house.opened[0].closed
