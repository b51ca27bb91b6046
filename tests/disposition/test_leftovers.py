"""A plain original that lies in the hold beside the vault's copy is destroyed there, and only if that copy is whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.catalogue.disposal_rows import Disposal
from agent.model.disposal import Obstacle
from agent.vault.base import Damaged, Fate
from agent.vault.store import Vault
from connectors.errors import ScopeUnavailable, SourceFault
from connectors.filesystem.holding import FilesystemHolding
from tests.disposition.house import House
from tests.disposition.test_recovery import CASE, CONTENT, cut_off, failing, in_place


@pytest.fixture
def quarantined(house: House) -> Disposal:
    house.put(CASE, CONTENT)
    house.scan()
    house.approve(CASE)
    (disposal,) = house.take().done
    return disposal


def left(house: House, disposal: Disposal, content: bytes = CONTENT, suffix: str = "") -> Path:
    """As a share that was set back to an older state has it."""
    file = house.share / ".retentiond-hold" / f"{disposal.vault_id}{suffix}"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize(("content", "suffix"), [(CONTENT, ""), (b"half destroyed", ".going")])
def test_what_is_left_of_an_item_in_the_vault_is_destroyed(
    house: House, quarantined: Disposal, content: bytes, suffix: str
) -> None:
    left(house, quarantined, content, suffix)
    told = house.recover()
    assert (told.discarded, told.unsettled, told.finished) == (1, {}, 0)
    assert (house.held(), house.states()) == ([], ["quarantined"])
    assert house.vault.fate(quarantined.vault_id) is Fate.SEALED
    assert house.recover().discarded == 0


def test_what_is_not_what_the_vault_has_is_left_for_a_person(house: House, quarantined: Disposal) -> None:
    file = left(house, quarantined, b"something else")
    assert house.recover().unsettled == {quarantined.item_id: Obstacle.CHANGED}
    assert file.read_bytes() == b"something else"


@pytest.mark.parametrize("suffix", ["", ".going"])
def test_where_the_vault_cannot_read_its_copy_the_original_stays(
    house: House, quarantined: Disposal, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = left(house, quarantined, suffix=suffix)
    with monkeypatch.context() as damaged:
        damaged.setattr(Vault, "verify", failing(Damaged("as in life")))
        assert house.recover().unsettled == {quarantined.item_id: Obstacle.VAULT_FAULT}
    assert file.read_bytes() == CONTENT


def test_a_fault_of_the_share_is_told_and_the_next_recovery_tries_again(
    house: House, quarantined: Disposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = left(house, quarantined)
    with monkeypatch.context() as patched:
        patched.setattr(FilesystemHolding, "let_go", failing(SourceFault("x")))
        assert house.recover().unsettled == {quarantined.item_id: Obstacle.SOURCE_FAULT}
    assert file.exists()
    assert house.recover().discarded == 1


def test_a_hold_that_cannot_be_reached_stays_as_it_is(
    house: House, quarantined: Disposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = left(house, quarantined)
    with monkeypatch.context() as patched:
        patched.setattr(FilesystemHolding, "in_hold", failing(ScopeUnavailable("x")))
        assert house.recover().unsettled == {}
    assert file.exists()


def test_no_key_is_overwritten_by_a_recovery_before_the_original_is_gone(
    house: House, quarantined: Disposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    ripe = house.ripe()
    cut_off(house, (Vault, "remove"), lambda: house.destroy(ripe), monkeypatch)
    left(house, quarantined)
    cut_off(house, (Vault, "remove"), house.recover, monkeypatch)
    assert (house.held(), house.states()) == ([], ["destroying"])
    assert house.recover().finished == 1


def test_what_lies_in_a_hold_for_another_reason_is_left_alone(
    house: House, quarantined: Disposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = house.share / ".retentiond-hold"
    foreign = left(house, replace(quarantined, vault_id="0" * 32))
    (hold / "notes.txt").write_bytes(b"whose?")
    assert house.restoring().give_back(quarantined, quarantined.ref, "needed for an appeal") is None
    over = left(house, quarantined)
    assert house.recover().discarded == 0
    assert foreign.exists()
    assert over.exists()
    assert in_place(house)


def test_what_lies_in_the_hold_of_another_share_is_left_alone(
    house: House, quarantined: Disposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = left(house, quarantined)
    means = house.means
    monkeypatch.setattr(House, "means", property(lambda self: replace(means, sources={"another": _source(means)})))
    assert house.recover().discarded == 0
    assert file.exists()


def _source(means: object) -> object:
    (source,) = means.sources.values()  # type: ignore[attr-defined]
    return source
