"""Samples of the vault are fair and can be drawn again, and reading the vault tells damage from what went away."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.age.keys import new_identity
from agent.errors import UsageError
from agent.usecases.vault import identities_in, identity_of, make_identity, make_vault, named, sampled, verify
from agent.vault.base import Entry, Fate, Strays, WrongKey
from agent.vault.recovery import write_bundle
from agent.vault.store import Vault
from tests.vault.factories import MONDAY, ROOT, an_id, make, opened, put

IDS = [an_id(number) for number in range(1, 201)]

entries = st.lists(
    st.builds(Entry, st.sampled_from(IDS), st.sampled_from(Fate), st.integers(0, 1000)),
    unique_by=lambda entry: entry.id,
)
percents = st.floats(0.001, 100.0)
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where an empty vault is."""
    make(tmp_path / "vault")
    return tmp_path / "vault"


@pytest.fixture
def vault(place: Path) -> Iterator[Vault]:
    with opened(place) as opening:
        yield opening


def silent(items: int, size_bytes: int) -> None:
    """Where nobody watches."""


def ids_of(found: list[Entry]) -> set[str]:
    return {entry.id for entry in found if entry.fate is Fate.SEALED}


@given(entries, percents, seeds)
def test_a_sample_has_the_size_that_is_asked_for_and_only_sealed_objects(
    found: list[Entry], percent: float, seed: int
) -> None:
    sample = sampled(found, percent, seed)

    sealed = ids_of(found)
    assert set(sample) <= sealed
    assert list(sample) == sorted(set(sample))
    assert len(sample) == min(len(sealed), max(1, math.ceil(len(sealed) * percent / 100)))


@given(entries, percents, seeds)
def test_the_same_seed_draws_the_same_sample_however_the_vault_is_listed(
    found: list[Entry], percent: float, seed: int
) -> None:
    assert sampled(reversed(found), percent, seed) == sampled(found, percent, seed)


@given(entries, seeds)
def test_all_of_it_is_all_of_it(found: list[Entry], seed: int) -> None:
    assert set(sampled(found, 100.0, seed)) == ids_of(found)


def test_samples_of_many_days_reach_every_object_about_as_often() -> None:
    found = [Entry(id, Fate.SEALED, 1) for id in IDS]
    times = dict.fromkeys(IDS, 0)
    for seed in range(400):
        for id in sampled(found, 5.0, seed):
            times[id] += 1

    assert sum(times.values()) == 400 * 10
    assert min(times.values()) >= 5  # 20 are expected of each
    assert max(times.values()) <= 45


def test_the_sample_of_a_seed_stays_what_it_is_in_every_version() -> None:
    found = [Entry(an_id(number), Fate.SEALED, 1) for number in range(10)]

    assert sampled(found, 30.0, 7) == (an_id(1), an_id(6), an_id(7))  # by sha256sum


# Reading


def test_reading_all_adds_up(vault: Vault) -> None:
    put(vault, *IDS[:3])
    watched = []

    told = verify(vault, vault.entries(), lambda items, size_bytes: watched.append((items, size_bytes)))

    assert (told.sound, told.gone, told.faults, told.strays, told.good) == (3, 0, (), Strays(), True)
    assert told.stored_bytes == sum(entry.stored_bytes for entry in vault.entries()) > 0
    assert watched == [(1, entry.stored_bytes) for entry in vault.entries()]


def test_what_is_destroyed_or_given_back_while_others_are_read_is_no_damage(vault: Vault) -> None:
    put(vault, *IDS[:4])
    listed = vault.entries()

    def meanwhile(items: int, size_bytes: int) -> None:
        vault.remove(IDS[1])
        vault.discard(IDS[2])

    told = verify(vault, listed, meanwhile)

    assert (told.sound, told.gone, told.faults, told.good) == (2, 2, (), True)


def test_an_object_without_any_key_is_a_fault_and_did_not_go_away(place: Path, vault: Vault) -> None:
    put(vault, IDS[0])
    stray = place / "objects" / IDS[1][:2] / f"{IDS[1]}.enc"
    stray.parent.mkdir()
    stray.write_bytes(b"x")

    told = verify(vault, [entry for entry in vault.entries() if entry.id == IDS[1]], silent)

    assert [fault.id for fault in told.faults] == [IDS[1]]
    assert told.strays.without_key == (IDS[1],)
    assert not told.good


@pytest.mark.parametrize(
    ("strays", "good"),
    [
        (Strays(), True),
        (Strays(parts=("a",), foreign=("b",)), True),
        (Strays(without_key=("a",)), False),
        (Strays(without_object=("a",)), False),
        (Strays(damaged_keys=(1,)), False),
        (Strays(damaged_slots=(1,)), False),
    ],
)
def test_what_could_cost_an_item_is_not_good(vault: Vault, strays: Strays, good: bool) -> None:
    class Telling(Vault):
        def strays(self) -> Strays:
            return strays

    vault.__class__ = Telling

    assert verify(vault, [], silent).good is good


def test_named_objects_are_taken_once_each_and_in_order() -> None:
    found = [Entry(IDS[0], Fate.SEALED, 1), Entry(IDS[1], Fate.ABSENT, 1), Entry(IDS[2], Fate.ERASED, 0)]

    assert named(found, [IDS[1], IDS[0], IDS[1]]) == (IDS[1], IDS[0])
    for id in (IDS[2], IDS[3], "AB" * 16, ""):
        with pytest.raises(UsageError):
            named(found, [id])


# Making


@pytest.mark.parametrize("there", ["nothing", "directory", "objects", "slots", "vault"])
@pytest.mark.parametrize("given_root", [False, True])
def test_whatever_is_there_of_a_new_vault_making_it_goes_on_from_there(
    tmp_path: Path, there: str, given_root: bool
) -> None:
    place = tmp_path / "vault"
    make(tmp_path / "other")
    steps = ["nothing", "directory", "objects", "slots", "vault"]
    reached = steps.index(there)
    if reached >= 1:
        place.mkdir(mode=0o700)
    if reached >= 2:
        (place / "objects").mkdir(mode=0o700)
    if reached >= 3:
        (place / "slots").write_bytes((tmp_path / "other" / "slots").read_bytes())
    if reached >= 4:
        (place / "keyring").write_bytes((tmp_path / "other" / "keyring").read_bytes())
    key_file = tmp_path / "root.key"

    made = make_vault(str(place), str(place / "slots"), str(key_file), ROOT if given_root else None)

    assert (made.vault, made.key) == (there != "vault", not given_root)
    assert key_file.exists() is not given_root
    if given_root:
        with opened(place) as vault:
            put(vault, IDS[0])


# Identities


def test_identities_are_read_as_age_writes_them() -> None:
    first, second = new_identity()[0], new_identity()[0]
    file = f"# created: x\n# public key: y\n{first}\r\n\n  {second}  \n".encode()

    assert identities_in(file, "x") == (first, second)


def test_the_identity_that_opens_the_bundle_is_found_among_several(tmp_path: Path) -> None:
    mine, recipient = new_identity()
    others = [new_identity() for _ in range(2)]
    bundle = str(tmp_path / "b.age")
    write_bundle(bundle, ROOT, an_id(1), [recipient, new_identity()[1]], MONDAY)

    assert identity_of(bundle, [others[0][0], mine, others[1][0]]) == mine
    assert identity_of(bundle, [others[0][0], mine]) == mine
    with pytest.raises(WrongKey):
        identity_of(bundle, [secret for secret, _ in others])


def test_an_identity_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "identity"
    with monkeypatch.context() as patch, pytest.raises(UsageError, match="cannot be written"):
        patch.setattr(os, "fsync", full)
        make_identity(str(path), datetime(2026, 3, 2, tzinfo=UTC))
    assert not path.exists()

    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="never replaces"):
        make_identity(str(path), datetime(2026, 3, 2, tzinfo=UTC))
    assert not (tmp_path / "elsewhere").exists()
    path.unlink()
    before = os.umask(0)
    try:
        make_identity(str(path), datetime(2026, 3, 2, tzinfo=UTC))
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("# created: 2026-03-02T00:00:00+00:00\n")
