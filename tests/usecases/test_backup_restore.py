"""A backup comes back as it was, with keys that fit, into a directory where nothing is; else nothing is left of it."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.age.keys import new_identity
from agent.catalogue.store import Catalogue
from agent.errors import CatalogueError, ConfigurationError, UsageError
from agent.keys import master_key
from agent.usecases.backup import Made
from agent.usecases.backup_keys import Keys, KeysOrder, open_keys
from agent.usecases.backup_manifest import BackupDamaged
from agent.usecases.backup_restore import restore_backup
from agent.vault.base import VaultError, WrongKey
from agent.vault.store import Vault
from tests.disposition.house import MASTER, ROOT, WRITTEN, trail
from tests.usecases.backup_desk import NOON, THAT_DAY, Desk, dying, rewritten


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.house.close()


# Keys


def test_keys_open_for_each_recipient_alone(desk: Desk) -> None:
    (ann, to_ann), (ben, to_ben), (eve, _) = new_identity(), new_identity(), new_identity()

    made = desk.make(keys=desk.keys(to_ann, to_ben))

    path = desk.folder / "keys.age"
    assert path.stat().st_mode & 0o777 == 0o600
    expected = Keys(made.manifest.id, MASTER, ROOT.secret, desk.vault.slots.read_bytes(), THAT_DAY + timedelta(days=7))
    assert open_keys(path, [ann]) == open_keys(path, [eve, ben]) == expected
    with pytest.raises(WrongKey, match="made for others"):
        open_keys(path, [eve])
    assert MASTER not in path.read_bytes()
    assert "m" * 32 not in repr(expected)


def test_a_file_of_keys_that_is_none_is_told(desk: Desk) -> None:
    from agent.age.message import encrypt

    identity, recipient = new_identity()
    for content in (b"no age file", encrypt(b"{}", [recipient]), encrypt(b"\xff", [recipient])):
        (desk.folder / "keys").write_bytes(content)
        with pytest.raises(BackupDamaged):
            open_keys(desk.folder / "keys", [identity])
    with pytest.raises(UsageError, match="cannot be read"):
        open_keys(desk.folder / "nothing", [identity])


def test_slots_are_refused_unless_the_settings_allow_their_backup(desk: Desk) -> None:
    _, recipient = new_identity()

    with pytest.raises(ConfigurationError, match=r"vault\.key_backup_days is 0"):
        desk.keys(recipient, days=0)
    assert desk.keys(recipient, days=0, slots=False).delete_by(THAT_DAY) is None
    with pytest.raises(UsageError, match="at least one --recipient"):
        desk.keys()
    with pytest.raises(UsageError, match="not an age recipient"):
        desk.keys("age1mistyped")
    with pytest.raises(UsageError, match="no vault here"):
        KeysOrder(desk.folder / "keys", (recipient,), None, True, 7)


def test_slots_kept_for_too_long_are_told(desk: Desk) -> None:
    made = desk.make(keys=desk.keys(new_identity()[1]))

    assert desk.verify(made.path, today=THAT_DAY + timedelta(days=7)).notes == ()
    notes = desk.verify(made.path, today=THAT_DAY + timedelta(days=8)).notes
    assert "should be gone since 2026-12-04" in notes[0]


# Restoring


def restored(desk: Desk, **options: Any) -> tuple[Path, Made, Keys]:
    identity, recipient = new_identity()
    made = desk.make(keys=desk.keys(recipient, **options), with_objects=True)
    keys = open_keys(desk.folder / "keys.age", [identity])
    state = desk.folder / "new"
    restore_backup(made.path, state, keys)
    return state, made, keys


def test_everything_comes_back_as_it_was_for_its_owner_alone(desk: Desk) -> None:
    before = {entry.id for entry in desk.house.vault.entries()}
    state, made, _ = restored(desk)

    files = {str(path.relative_to(state)): path.stat().st_mode & 0o777 for path in state.rglob("*") if path.is_file()}
    keys = {"master.key", "vault.key", "vault/keyring", "vault/slots"}
    objects = {f"vault/objects/{id[:2]}/{id}.enc" for id in before}
    assert files.keys() == {*keys, *objects, "catalogue.sqlite", "restored/settings.yaml", "restored/schedule.yaml"}
    assert {*files.values()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in [state, *state.rglob("*")] if path.is_dir()} == {0o700}
    assert (state / "master.key").read_bytes() == MASTER
    assert (state / "restored" / "schedule.yaml").read_text() == WRITTEN
    with Vault(str(state / "vault"), ROOT) as vault:
        for id in before:
            assert vault.verify(id) == desk.house.vault.verify(id)
    with Catalogue.open(state / "catalogue.sqlite", create=False) as catalogue:
        assert [*catalogue.reviews.all()] == [*desk.house.catalogue.reviews.all()]
        assert [*disagreements_of(catalogue)] == []
    assert desk.verify(made.path).good


def disagreements_of(catalogue: Catalogue) -> Iterator[str]:
    from agent.audit.log import AuditLog

    with catalogue.connected() as connection:
        yield from trail().disagreements(catalogue, AuditLog(connection))


def test_in_a_directory_of_a_group_catalogue_and_master_key_are_the_groups_too(desk: Desk) -> None:
    state, made, keys = restored(desk)
    shutil.rmtree(state)
    state.mkdir()
    state.chmod(0o2770)

    restore_backup(made.path, state, keys)

    assert state.stat().st_mode & 0o7777 == 0o2770
    modes = {path.name: path.stat().st_mode & 0o777 for path in state.iterdir() if path.is_file()}
    assert modes == {"catalogue.sqlite": 0o660, "master.key": 0o640, "vault.key": 0o600}
    assert master_key(state / "master.key") == MASTER
    assert (state / "vault").stat().st_mode & 0o777 == 0o700


def test_a_restore_replaces_nothing(desk: Desk) -> None:
    path = desk.make().path
    (desk.folder / "there").mkdir()
    (desk.folder / "there" / "something").write_bytes(b"precious")
    with pytest.raises(UsageError, match="something in this directory already"):
        restore_backup(path, desk.folder / "there", None)
    with pytest.raises(UsageError, match="nothing can be restored there"):
        restore_backup(path, desk.folder / "there" / "something", None)
    assert os.listdir(desk.folder / "there") == ["something"]
    (desk.folder / "empty").mkdir(mode=0o755)
    told = restore_backup(path, desk.folder / "empty", None)
    assert (told.master, told.root, told.slots, told.objects, told.opens) == (False, False, False, 0, None)
    assert (desk.folder / "empty").stat().st_mode & 0o777 == 0o700


def test_a_damaged_backup_is_not_restored(desk: Desk) -> None:
    spoiled = rewritten(desk.make().path, settings_dot_yaml=b"shares: [x]\n")
    with pytest.raises(BackupDamaged, match="Nothing was restored"):
        restore_backup(spoiled, desk.folder / "new", None)
    assert not (desk.folder / "new").exists()


def test_keys_that_do_not_belong_to_it_are_refused_and_nothing_is_left(desk: Desk) -> None:
    state, made, keys = restored(desk)
    shutil.rmtree(state)
    with pytest.raises(UsageError, match="of another installation"):
        restore_backup(made.path, state, replace(keys, master=b"x" * 32))
    with pytest.raises(WrongKey):
        restore_backup(made.path, state, replace(keys, root=b"x" * 32))
    with pytest.raises(VaultError):
        restore_backup(made.path, state, replace(keys, slots=b"x" * 8192))
    assert not state.exists()


def test_the_keys_of_an_earlier_backup_serve_but_for_its_slots(desk: Desk) -> None:
    state, _, keys = restored(desk)
    shutil.rmtree(state)
    later = desk.make(NOON + timedelta(days=1), with_objects=True)

    told = restore_backup(later.path, state, keys)

    assert (told.master, told.root, told.slots, told.opens) == (True, True, False, None)
    assert not (state / "vault" / "slots").exists()
    (state / "vault" / "slots").write_bytes(desk.vault.slots.read_bytes())  # those in use, where they outlived it
    with Vault(str(state / "vault"), ROOT) as vault:
        assert {entry.fate.value for entry in vault.entries()} == {"sealed"}


def test_slots_of_a_backup_bring_back_what_was_erased_since_and_without_them_it_stays_gone(desk: Desk) -> None:
    identity, recipient = new_identity()
    made = desk.make(keys=desk.keys(recipient), with_objects=True)
    ids = [entry.id for entry in desk.house.vault.entries()]
    desk.house.vault.remove(*ids)
    desk.house.vault.erase(THAT_DAY)
    assert desk.house.vault.fate(ids[0]).value == "erased"
    keys = open_keys(desk.folder / "keys.age", [identity])

    restore_backup(made.path, desk.folder / "with", keys)
    with Vault(str(desk.folder / "with" / "vault"), ROOT) as vault:
        assert vault.verify(ids[0]).size_bytes > 0  # why their copies must be deleted in time

    restore_backup(made.path, desk.folder / "without", replace(keys, slots=None))
    shutil.copy(desk.vault.slots, desk.folder / "without" / "vault" / "slots")
    with Vault(str(desk.folder / "without" / "vault"), ROOT) as vault, pytest.raises(VaultError):
        vault.verify(ids[0])


def test_a_restore_killed_anywhere_leaves_no_state_and_says_so(desk: Desk) -> None:
    made = desk.make(with_objects=True)
    state = desk.folder / "new"
    killed = 0
    for at in range(100):
        child = os.fork()
        if child == 0:
            os.fsync = dying(os.fsync, at)  # type: ignore[assignment]
            restore_backup(made.path, state, None)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            break
        killed += 1
        if (state / "catalogue.sqlite").exists():
            assert desk.verify(made.path).good
            assert not (state / "restore-is-not-finished").exists()
        else:
            with pytest.raises(CatalogueError, match="no catalogue"):
                Catalogue.open(state / "catalogue.sqlite", create=False)
            with pytest.raises(UsageError, match="cut off here"):
                restore_backup(made.path, state, None)
        shutil.rmtree(state)
    assert killed > 8
    Catalogue.open(state / "catalogue.sqlite", create=False).close()


def test_a_disk_that_is_full_leaves_nothing_of_a_restore(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made = desk.make(with_objects=True)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="no room"):
        restore_backup(made.path, desk.folder / "new", None)
    assert not (desk.folder / "new").exists()


def test_the_vault_without_its_objects_waits_for_them(desk: Desk) -> None:
    identity, recipient = new_identity()
    made = desk.make(keys=desk.keys(recipient))
    state = desk.folder / "new"

    told = restore_backup(made.path, state, open_keys(desk.folder / "keys.age", [identity]))

    assert (told.objects, told.opens) == (0, True)
    with Vault(str(state / "vault"), ROOT) as vault:
        assert len(vault.strays().without_object) == 2
    shutil.copytree(desk.vault.objects, state / "vault" / "objects", dirs_exist_ok=True)
    with Vault(str(state / "vault"), ROOT) as vault:
        assert not vault.strays().without_object
