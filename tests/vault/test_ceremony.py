"""Destroyed is not yet erased; after the ceremony it is, for the destroyed alone, and no key of it is on the disk."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from agent.vault.base import Damaged, Fate, KeyGone, NoSpace, Strays, VaultError
from agent.vault.disk import Disk
from agent.vault.keys import RootKey
from agent.vault.store import Vault
from tests.vault.disks import Cut, Steps
from tests.vault.factories import (
    MONDAY,
    ROOT,
    TUESDAY,
    WEDNESDAY,
    an_id,
    assert_readable,
    opened,
    put,
)

A, B, C, D = map(an_id, range(1, 5))


def test_destroyed_is_erased_only_after_the_ceremony_and_the_others_stay_readable(vault: Vault) -> None:
    put(vault, A, B, on=MONDAY)
    put(vault, C, on=TUESDAY)
    before = vault._slots.alive
    vault.remove(A)
    assert vault.fate(A) is Fate.DESTROYED
    with pytest.raises(KeyGone):
        vault.verify(A)
    told = vault.erase(WEDNESDAY)
    assert (told.survivors, told.erased, len(told.epochs)) == (1, (A,), 1)
    assert vault.fate(A) is Fate.ERASED
    assert_readable(vault, B, C)
    assert {bytes.fromhex(epoch) for epoch in told.epochs} == before - vault._slots.alive


def test_a_ceremony_without_anything_to_do_does_nothing(vault: Vault) -> None:
    put(vault, A, on=MONDAY)
    alive = vault._slots.alive
    assert vault.erase(TUESDAY) == vault.erase(TUESDAY)
    assert vault._slots.alive == alive


def test_it_says_again_what_is_erased_until_that_is_forgotten(vault: Vault) -> None:
    put(vault, A, B)
    vault.remove(A)
    with pytest.raises(VaultError, match="not erased"):
        vault.forget(A)
    assert vault.erase(TUESDAY).erased == vault.erase(TUESDAY).erased == (A,)
    with pytest.raises(VaultError, match="not erased"):
        vault.forget(A, B)
    assert vault.fate(A) is Fate.ERASED
    vault.forget(A)
    assert vault.erase(TUESDAY).erased == ()
    assert vault.fate(A) is Fate.ABSENT


def test_an_epoch_of_today_can_end_and_another_of_today_begins(vault: Vault) -> None:
    put(vault, A, B, on=MONDAY)
    vault.remove(A)
    vault.erase(MONDAY)
    assert vault.fate(A) is Fate.ERASED
    assert_readable(vault, B)
    put(vault, C, on=MONDAY)
    assert len(vault._slots.epochs()) == 1


def test_an_epoch_that_nobody_is_in_any_more_ends_too_but_not_that_of_today(vault: Vault) -> None:
    put(vault, A, on=MONDAY)
    put(vault, B, on=TUESDAY)
    vault.discard(A, B)
    told = vault.erase(TUESDAY)
    assert len(told.epochs) == 1
    assert [epoch.opened_on for epoch in vault._slots.epochs()] == [TUESDAY]


def test_several_can_be_destroyed_at_once_and_again(vault: Vault) -> None:
    put(vault, A, B, C)
    vault.remove(A, B)
    vault.remove(B, A)
    assert vault.erase(TUESDAY).erased == (A, B)
    vault.remove(A)
    assert vault.fate(A) is Fate.ERASED
    assert_readable(vault, C)


def test_one_unknown_among_several_stops_all(vault: Vault) -> None:
    put(vault, A)
    with pytest.raises(KeyGone, match=B):
        vault.remove(A, B)
    assert_readable(vault, A)


def test_the_ceremony_finishes_a_destruction_that_was_cut_off(place: Path, tmp_path: Path) -> None:
    with opened(place) as vault:
        put(vault, A, B)
    with Steps(str(tmp_path), cut_at=3) as disk, opened(place, disk) as vault, pytest.raises(Cut):
        vault.remove(A)  # the tomb is written, and the key is still there
    with opened(place) as vault:
        assert vault._keyring.held(bytes.fromhex(A))
        assert vault.fate(A) is Fate.DESTROYED
        with pytest.raises(KeyGone):
            vault.verify(A)
        assert vault.erase(TUESDAY).erased == (A,)
        assert vault.strays() == Strays()
        assert [entry.stored_bytes for entry in vault.entries() if entry.id == A] == [0]
        assert_readable(vault, B)


def overwrite(place: Path, name: str, at: int) -> None:
    with (place / name).open("r+b") as file:
        file.seek(at)
        file.write(b"worn out")


def test_while_an_object_has_no_key_nothing_is_erased_until_a_person_destroys_it(place: Path) -> None:
    with opened(place) as vault:
        put(vault, A, B, on=MONDAY)
        put(vault, C, on=TUESDAY)
        (held,) = vault._keyring.held(bytes.fromhex(A))
        vault.remove(B)
    overwrite(place, "keyring", held.place * 128 + 10)
    with opened(place) as vault:
        assert vault.strays() == Strays(without_key=(A,), damaged_keys=(held.place,))
        with pytest.raises(Damaged, match=f"1 object.*{A}"):
            vault.erase(WEDNESDAY)
        assert vault.fate(B) is Fate.DESTROYED
        vault.remove(A)
        assert vault.fate(A) is Fate.DESTROYED
        told = vault.erase(WEDNESDAY)
        assert told.erased == (A, B)
        assert len(told.epochs) == 2, "nobody can know which epoch its key was in"
        assert_readable(vault, C)
        assert vault.strays() == Strays()


def test_a_worn_out_copy_of_an_epoch_key_is_replaced_by_the_next_ceremony(place: Path) -> None:
    with opened(place) as vault:
        put(vault, A)
        places = [slot.place for slot in vault._slots._slots]
    assert max(places) - min(places) > 4, "the copies lie apart"
    overwrite(place, "slots", places[0] * 4096 + 30)
    with opened(place) as vault:
        assert vault.strays() == Strays(damaged_slots=(places[0],))
        assert_readable(vault, A)
        vault.erase(MONDAY)
        assert vault.strays() == Strays()
        assert len(vault._slots._slots) == 2
        assert_readable(vault, A)


def test_while_a_slot_cannot_be_read_nothing_is_called_erased(place: Path) -> None:
    """It may be that of the destroyed item's epoch, half overwritten."""
    with opened(place) as vault:
        put(vault, A)
        vault.remove(A)
        places = [slot.place for slot in vault._slots._slots]
    for number in places:
        overwrite(place, "slots", number * 4096 + 30)
    with opened(place) as vault:
        assert not vault._slots.alive
        assert vault.fate(A) is Fate.DESTROYED
        assert vault.erase(TUESDAY).erased == (A,)
        assert vault.strays() == Strays()


def test_items_whose_epoch_key_is_worn_out_are_told_apart_from_erased_ones(place: Path) -> None:
    with opened(place) as vault:
        put(vault, A)
        places = [slot.place for slot in vault._slots._slots]
    kept = (place / "slots").read_bytes()
    for number in places:
        overwrite(place, "slots", number * 4096 + 30)
    with opened(place) as vault:
        with pytest.raises(Damaged, match="key files"):
            vault.verify(A)
        with pytest.raises(Damaged, match="no key"):
            vault.erase(TUESDAY)
    (place / "slots").write_bytes(kept[:4096] + bytes(len(kept) - 4096))
    with opened(place) as vault:
        with pytest.raises(KeyGone, match="epoch key"):
            vault.verify(A)
        with pytest.raises(KeyGone, match="was erased"):
            vault._slots.key(b"whatever")
    (place / "slots").write_bytes(kept)
    with opened(place) as vault:
        assert_readable(vault, A)


def test_a_slot_that_was_altered_on_purpose_opens_nothing(place: Path) -> None:
    import zlib

    with opened(place) as vault:
        put(vault, A)
        places = [slot.place for slot in vault._slots._slots]
    data = bytearray((place / "slots").read_bytes())
    for number in places:
        data[number * 4096 + 60] ^= 1
        body = data[number * 4096 :][:4092]
        data[number * 4096 + 4092 : number * 4096 + 4096] = zlib.crc32(body).to_bytes(4, "big")
    (place / "slots").write_bytes(data)
    with opened(place) as vault, pytest.raises(Damaged, match="altered"):
        vault.verify(A)


class KeepsOld(Disk):
    """A medium on which zeros do not arrive."""

    def write(self, descriptor: int, data: bytes | bytearray | memoryview, offset: int) -> None:
        if any(data):
            super().write(descriptor, data, offset)


def test_where_overwriting_does_not_work_nothing_is_called_erased(place: Path) -> None:
    with opened(place) as vault:
        put(vault, A)
    with opened(place, KeepsOld()) as vault:
        with pytest.raises(Damaged, match="could not be overwritten"):
            vault.remove(A)
        assert vault.fate(A) is Fate.DESTROYED


class Deaf(Disk):
    """A medium that takes nothing at all for the slots, once the vault is made."""

    def write(self, descriptor: int, data: bytes | bytearray | memoryview, offset: int) -> None:
        if not os.readlink(f"/proc/self/fd/{descriptor}").endswith("slots"):
            super().write(descriptor, data, offset)


def test_a_new_epoch_key_is_read_back_before_it_is_used(place: Path) -> None:
    with opened(place, Deaf()) as vault, pytest.raises(Damaged, match="does not hold"):
        put(vault, A)


def test_when_key_slots_become_scarce_the_oldest_epochs_are_merged(place: Path) -> None:
    with opened(place) as vault:  # 16 slots: eight epochs
        ids = [an_id(number) for number in range(7)]
        for number, id in enumerate(ids):
            put(vault, id, on=MONDAY + timedelta(number))
        with pytest.raises(NoSpace, match="ceremony"):
            put(vault, an_id(9), on=MONDAY + timedelta(30))
        assert vault.strays() == Strays()
        told = vault.erase(MONDAY + timedelta(30))
        assert (len(told.epochs), told.survivors) == (3, 3)
        assert_readable(vault, *ids)
        put(vault, an_id(9), on=MONDAY + timedelta(31))
        assert len(vault._slots.epochs()) == 6


def test_when_all_epochs_must_end_at_once_the_reserve_is_enough(place: Path) -> None:
    with opened(place) as vault:
        ids = [an_id(number) for number in range(14)]
        for number, id in enumerate(ids):
            put(vault, id, on=MONDAY + timedelta(number % 7))
        vault.remove(*ids[:7])
        assert vault.erase(MONDAY + timedelta(30)).survivors == 7
        assert_readable(vault, *ids[7:])
        assert len(vault._slots.epochs()) == 1


def test_a_root_key_can_be_changed_while_all_slots_but_the_reserve_are_in_use(place: Path) -> None:
    with opened(place) as vault:
        ids = [an_id(number) for number in range(7)]
        for number, id in enumerate(ids):
            put(vault, id, on=MONDAY + timedelta(number))
    new = RootKey(bytes(32))
    with opened(place, root=new, former=ROOT) as vault:
        assert_readable(vault, *ids)
    assert ROOT.id not in (place / "slots").read_bytes()
    assert new.id in (place / "slots").read_bytes()
