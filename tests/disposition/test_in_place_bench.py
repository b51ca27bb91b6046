"""What acts is put together as the shares need it: a machine that acts on services alone has no vault."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from agent import acting, bootstrap
from agent.catalogue.base import Share
from agent.disposition.base import NoVault
from agent.errors import ConfigurationError
from agent.model.disposal import Custody, Obstacle
from agent.settings import Settings
from agent.usecases.dispose import Disposing
from connectors.memory_keeping import MemoryKeeping
from tests.disposition.house import MASTER, TERMS, House
from tests.disposition.kept_house import SHARE, KeptHouse
from tests.usecases.review_office import quiet

CASE = "Cases/1/a.txt"


class Closing(MemoryKeeping):
    closed = 0

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def due(kept_house: KeptHouse, monkeypatch: pytest.MonkeyPatch) -> KeptHouse:
    """A state directory without a vault, with one share of a service, in which one case can go."""
    monkeypatch.setattr(bootstrap, "now", kept_house.office.now)
    (kept_house.folder / "master.key").write_bytes(MASTER)
    (kept_house.folder / "master.key").chmod(0o600)
    kept_house.vault.close()
    shutil.rmtree(kept_house.folder / "vault")
    kept_house.put_item(CASE)
    kept_house.scan()
    kept_house.approve(CASE)
    return kept_house


def test_everything_can_be_done_without_a_vault(due: KeptHouse) -> None:
    keeping = Closing(due.memory)
    asked: list[Share] = []

    def keeping_of(share: Share) -> MemoryKeeping:
        asked.append(share)
        return keeping

    with acting.bench(Settings(), due.folder, due.catalogue, TERMS, keeping_of) as bench:
        assert [share.name for share in asked] == [SHARE]
        assert (bench.means.sources, [*bench.means.keepers]) == ({}, [SHARE])
        taken = due.disposing.take(due.outlook(), bench.means, bench.quarantine, "", quiet)
        (disposal,) = taken.done
        assert disposal.custody is Custody.SOURCE
        assert bench.restoring.give_back(due.only(), disposal.ref, "needed for the appeal") is None
        due.scan()
        due.approve(CASE)
        due.disposing.take(due.outlook(), bench.means, bench.quarantine, "", quiet)
        assert len(due.disposing.destroy(due.ripe(), bench.means, quiet).done) == 1
        assert Disposing.recover(bench.means, bench.quarantine).unsettled == {}
        ceremony, erased = bench.destruction.erase()
        assert (ceremony.epochs, len(erased)) == ((), 1)
        with pytest.raises(NoVault):
            bench.means.vault.entries()
    assert keeping.closed == 1
    assert due.states() == ["restored", "erased"]


def test_a_service_on_which_nothing_may_act_is_left_alone(due: KeptHouse) -> None:
    plans = due.outlook().plans
    with acting.bench(Settings(), due.folder, due.catalogue, TERMS) as bench:
        assert bench.means.keepers == {}
        told = due.disposing.take(due.outlook(), bench.means, bench.quarantine, "", quiet)
    assert told.kept == {plan.item_id: Obstacle.SHARE_AWAY for plan in plans}


def test_a_vault_is_needed_unless_services_alone_are_acted_on(due: KeptHouse, tmp_path: Path) -> None:
    settings, state = Settings(), due.folder

    def needed() -> bool:
        return acting.vault_is_needed(settings, state, due.catalogue)

    assert not needed()
    due.take()
    assert not needed(), "what its source keeps is in no vault"
    with due.catalogue.recording() as connection:
        connection.exec_driver_sql("DROP TRIGGER disposal_stays_in_custody")
        connection.exec_driver_sql("UPDATE disposal SET custody = 'vault'")
    assert needed(), "something once went into it"
    with due.catalogue.recording() as connection:
        connection.exec_driver_sql("UPDATE disposal SET custody = 'source'")
    assert not needed()
    due.catalogue.ensure_share("files", str(tmp_path / "files"), "id")
    assert needed(), "files go into it"
    with pytest.raises(ConfigurationError), acting.bench(settings, state, due.catalogue, TERMS):
        pass


def test_a_vault_that_is_there_is_opened_whether_it_is_needed_or_not(kept_house: KeptHouse) -> None:
    kept_house.scan()
    assert acting.vault_is_needed(Settings(), kept_house.folder, kept_house.catalogue)


def test_where_nothing_was_scanned_yet_a_vault_is_needed(house: House) -> None:
    shutil.rmtree(house.folder / "vault")
    assert acting.vault_is_needed(Settings(), house.folder, house.catalogue)


def test_the_rules_know_which_shares_keep_by_themselves(due: KeptHouse) -> None:
    due.catalogue.ensure_share("files", "/srv/files", "id")
    rules = acting.rules(Settings(), due.catalogue.shares())
    assert rules.in_place == {SHARE}
    assert Counter(rules.barred) == Counter()


def test_addresses_of_services_are_no_paths() -> None:
    within = (
        Share(1, "one", "https://example.test/hr", "1", kind="memory"),
        Share(2, "two", "https://example.test/hr/sub", "2", kind="memory"),
        Share(3, "files", "/", "3"),
    )
    assert acting.twins(within, frozenset()) == frozenset()
    again = (*within, Share(4, "again", "https://example.test/other", "1", kind="memory"))
    assert acting.twins(again, frozenset()) == {"one", "again"}
