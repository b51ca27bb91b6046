"""A backup is of one moment, for its owner alone, and whole or not there at all."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.age.keys import new_identity
from agent.errors import CatalogueError, UsageError
from agent.usecases import backup as backup_module
from agent.usecases.backup import make_backup
from agent.usecases.backup_archive import ArchiveWriter, manifest_of
from agent.usecases.backup_vault import unchanging
from agent.vault.base import VaultError
from tests.disposition.house import MASTER, ROOT
from tests.usecases.backup_desk import NAME, NOON, Desk, dying, members


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.house.close()


def test_a_backup_is_one_file_for_its_owner_alone(desk: Desk) -> None:
    made = desk.make()

    assert desk.listed() == [NAME]
    assert made.path == desk.backups / NAME
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert made.size_bytes == made.path.stat().st_size
    assert sorted(members(made.path)) == [
        "catalogue.sqlite", "manifest.json", "schedule.yaml", "settings.yaml", "vault/index", "vault/keyring",
    ]  # fmt: skip


def test_its_manifest_says_of_which_moment_it_is_and_where_the_log_stood(desk: Desk) -> None:
    manifest = manifest_of(desk.make().path)

    with desk.house.catalogue.connected() as connection:
        from agent.audit.log import AuditLog

        log = AuditLog(connection)
        assert (manifest.log.entries, manifest.log.root) == (log.size, log.root().hex())
        assert manifest.log.checkpoint == [*log.checkpoints()][-1].decode()
    assert manifest.made_at == NOON
    assert manifest.vault is not None
    assert (manifest.vault.objects, manifest.vault.with_objects) == (2, False)
    assert manifest.sealed_by(MASTER)
    assert not manifest.sealed_by(b"x" * 32)


def test_no_key_is_in_it(desk: Desk) -> None:
    slots = desk.vault.slots.read_bytes()
    filled = [slots[at : at + 100] for at in range(4096, len(slots), 4096) if any(slots[at : at + 4096])]
    assert filled

    data = desk.make(with_objects=True).path.read_bytes()

    assert not [secret for secret in (MASTER, ROOT.secret, MASTER.hex().encode(), *filled) if secret in data]


def test_the_same_state_at_the_same_moment_gives_the_same_bytes(desk: Desk) -> None:
    first = desk.make(target=desk.folder / "first.tar", with_objects=True)
    second = desk.make(target=desk.folder / "second.tar", with_objects=True)

    assert first.path.read_bytes() == second.path.read_bytes()
    assert desk.make(NOON + timedelta(hours=1)).manifest.id != first.manifest.id


def test_with_the_vault_the_objects_are_in_it_as_they_lie_there(desk: Desk) -> None:
    held = members(desk.make(with_objects=True).path)

    lying = {str(path.relative_to(desk.state)): path.read_bytes() for path in desk.vault.objects.rglob("*.enc")}
    assert len(lying) == 2
    assert {name: data for name, data in held.items() if name.endswith(".enc")} == lying


def test_what_another_process_has_not_committed_is_not_in_it(desk: Desk) -> None:
    other = sqlite3.connect(desk.sources.catalogue, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO share (name, location, identity) VALUES ('half', '/', 'x')")

    made = desk.make()

    other.execute("COMMIT")
    other.close()
    assert b"half" not in members(made.path)["catalogue.sqlite"]
    assert desk.verify(made.path).good


def test_while_somebody_goes_on_writing_every_backup_is_of_one_moment(desk: Desk) -> None:
    writer = os.fork()
    if writer == 0:
        database = sqlite3.connect(desk.sources.catalogue, isolation_level=None, timeout=60)
        for number in range(20_000):
            database.execute("BEGIN IMMEDIATE")
            for half in "ab":
                database.execute("INSERT INTO fingerprint (text) VALUES (?)", (f"{number} {half}",))
            database.execute("COMMIT")
        os._exit(0)
    counts = []
    try:
        for hours in range(6):
            copy = desk.folder / "copy.sqlite"
            copy.write_bytes(members(desk.make(NOON + timedelta(hours=hours)).path)["catalogue.sqlite"])
            with closing(sqlite3.connect(copy)) as database:
                found = database.execute("SELECT COUNT(*) FROM fingerprint WHERE text LIKE '% _'").fetchone()
            counts.append(found[0])
    finally:
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)

    assert counts == sorted(counts)
    assert counts[-1] > counts[0]
    assert not [count for count in counts if count % 2]


def test_no_key_of_the_vault_changes_while_its_moment_is_copied(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = []

    def copy(*_: object) -> None:
        with open(desk.vault.keyring, "rb") as keyring:
            try:
                fcntl.flock(keyring, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                locked.append(True)
        raise RuntimeError("seen enough")

    monkeypatch.setattr(backup_module, "copy_catalogue", copy)
    with pytest.raises(RuntimeError):
        desk.make()

    assert locked == [True]
    with unchanging(desk.vault), unchanging(desk.vault):
        pass  # two backups at once do not wait for each other


def test_what_is_destroyed_while_a_backup_is_made_is_not_in_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    add = ArchiveWriter.add_bytes
    gone = desk.house.vault.entries()[0].id

    def destroy_meanwhile(self: ArchiveWriter, name: str, data: bytes) -> Any:
        if name == "schedule.yaml":
            desk.house.vault.remove(gone)
        return add(self, name, data)

    monkeypatch.setattr(ArchiveWriter, "add_bytes", destroy_meanwhile)
    made = desk.make(with_objects=True)

    assert made.manifest.vault is not None
    assert made.manifest.vault.gone_meanwhile == (gone,)
    assert not [name for name in members(made.path) if gone in name]
    verdict = desk.verify(made.path)
    assert verdict.good
    assert "destroyed or given back" in verdict.notes[0]


def test_an_object_that_cannot_be_read_is_told_and_stops_only_a_backup_that_wants_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("agent.usecases.backup_vault._hashed", broken)
    with pytest.raises(VaultError, match="cannot be read"):
        desk.make(with_objects=True)
    assert desk.listed() == []

    made = desk.make()

    assert made.manifest.vault is not None
    assert len(made.manifest.vault.unreadable) == 2


def test_nothing_is_ever_replaced(desk: Desk) -> None:
    target = desk.folder / "own.tar"
    target.write_bytes(b"precious")
    with pytest.raises(UsageError, match="never replaces"):
        desk.make(target=target)
    assert target.read_bytes() == b"precious"
    desk.make()
    with pytest.raises(UsageError, match="never replaces"):
        desk.make()
    with pytest.raises(UsageError, match="no such directory"):
        desk.make(target=desk.folder / "nowhere" / "x.tar")
    with pytest.raises(UsageError, match="into another file"):
        desk.make(target=desk.folder / "keys.age", keys=desk.keys(new_identity()[1]))


@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_full_or_broken_disk_is_told_and_leaves_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, at: int, number: int
) -> None:
    _, recipient = new_identity()
    desk.make(NOON - timedelta(days=1))
    before = desk.listed()
    add, calls = ArchiveWriter.add, 0

    def fail(self: ArchiveWriter, *arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > at:
            raise OSError(number, os.strerror(number))
        return add(self, *arguments)

    monkeypatch.setattr(ArchiveWriter, "add", fail)
    with pytest.raises(UsageError, match="no room" if number == errno.ENOSPC else "cannot be written"):
        desk.make(keep=1, keys=desk.keys(recipient))

    assert desk.listed() == before
    assert not (desk.folder / "keys.age").exists()


def test_keys_that_cannot_be_written_leave_no_backup(desk: Desk) -> None:
    (desk.folder / "keys.age").write_bytes(b"precious")

    with pytest.raises(UsageError, match="keys never replace one"):
        desk.make(keys=desk.keys(new_identity()[1]))

    assert desk.listed() == []
    assert (desk.folder / "keys.age").read_bytes() == b"precious"


def test_a_backup_that_cannot_be_put_in_place_leaves_no_keys(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(backup_module, "put_in_place", refuse)
    with pytest.raises(UsageError):
        desk.make(keys=desk.keys(new_identity()[1]))

    assert desk.listed() == []
    assert not (desk.folder / "keys.age").exists()


def test_a_backup_killed_anywhere_leaves_only_a_draft_which_the_next_one_removes(desk: Desk) -> None:
    for at in range(7):
        child = os.fork()
        if child == 0:
            ArchiveWriter.add = dying(ArchiveWriter.add, at)  # type: ignore[method-assign]
            desk.make()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            break
        assert desk.listed() == [f".{NAME}.draft"], at
    assert at == 6
    assert desk.listed() == [NAME]


def test_a_draft_that_somebody_works_on_stays(desk: Desk) -> None:
    draft = desk.backups / f".{NAME}.draft"
    draft.mkdir()
    (draft / "backup.tar").write_bytes(b"half")
    held = os.open(draft, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(UsageError, match="another process"):
        desk.make()
    desk.make(NOON + timedelta(seconds=1))
    assert (draft / "backup.tar").read_bytes() == b"half"
    os.close(held)
    (draft / "of-somebody-else").write_bytes(b"precious")
    desk.make(NOON + timedelta(seconds=2))
    assert os.listdir(draft) == ["of-somebody-else"]


def test_a_damaged_catalogue_gives_no_backup(desk: Desk) -> None:
    desk.house.close()
    path = desk.sources.catalogue
    with open(path, "r+b") as file:
        for page in range(3, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xde\xad" * 2048)

    with pytest.raises(CatalogueError, match="no backup of it was made"):
        desk.make()

    assert desk.listed() == []


def test_without_a_catalogue_there_is_nothing_to_back_up(desk: Desk) -> None:
    desk.sources = replace(desk.sources, catalogue=desk.folder / "nowhere.sqlite")
    with pytest.raises(CatalogueError, match="Run a scan first"):
        desk.make()


# Rotation


def test_so_many_of_our_backups_stay_and_whatever_is_not_proven_ours_does_too(desk: Desk) -> None:
    old = [desk.make(NOON - timedelta(days=days)).path for days in (5, 4, 3, 2)]
    stranger = replace(desk.sources, master=b"x" * 32)
    of_others = make_backup(stranger, desk.backups, NOON - timedelta(days=9)).path
    touched = shutil.copy(old[0], desk.backups / "retentiond-backup-20200101T000000Z.tar")
    with open(touched, "r+b") as file:
        file.truncate(os.path.getsize(touched) // 2)
    link = desk.backups / "retentiond-backup-20200102T000000Z.tar"
    link.symlink_to(old[1])
    renamed = shutil.copy(old[0], desk.backups / "keep me.tar")

    made = desk.make(keep=2)

    assert made.rotated is not None
    assert made.rotated.deleted == tuple(old[:3])
    assert made.rotated.left == tuple(sorted([of_others, Path(touched), link]))
    assert {path for path in (old[3], made.path, of_others, Path(touched), Path(renamed)) if path.exists()} == {
        old[3], made.path, of_others, Path(touched), Path(renamed),
    }  # fmt: skip
    assert link.is_symlink()


def test_the_newest_stays_whatever_the_files_are_called(desk: Desk) -> None:
    old = desk.make(NOON - timedelta(days=1)).path
    misnamed = old.rename(desk.backups / "retentiond-backup-20991231T000000Z.tar")

    made = desk.make(keep=1)

    assert made.path.exists()
    assert not misnamed.exists()


def test_keep_needs_a_directory_and_a_number(desk: Desk) -> None:
    with pytest.raises(UsageError, match="name the directory"):
        desk.make(target=desk.folder / "x.tar", keep=3)
    with pytest.raises(UsageError, match="at least"):
        desk.make(keep=0)
