"""Whatever was done to a backup, or to what is in it, is told; and what could not be checked is told too."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent.audit.verify import Trouble
from agent.errors import AgentError, CatalogueError, UsageError
from agent.usecases import backup as backup_module
from agent.usecases.backup_archive import manifest_of, read_archive
from agent.usecases.backup_manifest import FORMAT, BackupDamaged
from agent.usecases.backup_restore import restore_backup
from agent.usecases.backup_vault import VaultFiles
from agent.usecases.backup_verify import Witnesses, verify_backup
from agent.vault.store import Vault
from tests.disposition.house import MASTER, trail
from tests.usecases.backup_desk import NAME, NOON, THAT_DAY, Desk, manifest_with, members, rewritten


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.house.close()


def test_a_good_backup_is_found_good_and_nothing_is_left_unchecked(desk: Desk) -> None:
    verdict = desk.verify(desk.make().path)

    assert verdict.good, verdict
    assert (verdict.unchecked, verdict.notes) == ((), ())
    assert verdict.log is not None
    assert verdict.log.covered == verdict.log.size > 0
    assert verdict.vault is not None
    assert (verdict.vault.same, verdict.vault.gone, verdict.vault.new) == (2, 0, 0)


def test_without_keys_it_is_told_what_could_not_be_checked(desk: Desk) -> None:
    verdict = desk.verify(desk.make().path, alone=True)

    assert verdict.good
    told = " ".join(verdict.unchecked)
    assert "the master key is needed" in told
    assert "by the key that the backup itself names" in told
    assert "agrees with its audit log" in told
    assert "there is no vault here" in told


def test_with_a_key_kept_elsewhere_the_log_is_checked_by_it(desk: Desk) -> None:
    path = desk.make().path

    ours = desk.verify(path, alone=True, keys=(trail().signing_key.verifier,))
    other = desk.verify(path, alone=True, keys=(replace(trail().signing_key, seed=b"x" * 32).verifier,))

    assert ours.good
    assert "names. Give the key" not in " ".join(ours.unchecked)
    assert {trouble for trouble, _ in other.log_faults} == {Trouble.UNVERIFIABLE}


def test_every_byte_that_matters_is_checked(desk: Desk) -> None:
    path = desk.make(with_objects=True).path
    data = bytearray(path.read_bytes())
    with tarfile.open(path, "r:") as tar:
        content = [(one.offset, one.offset_data + one.size) for one in tar]  # from its header on; padding is nothing
    spoiled = path.with_name("spoiled.tar")
    for begin, end in content:
        for at in {
            begin,
            begin + 5,
            begin + 130,
            begin + 156,
            end - 1,
            *range(begin + 512, end, (end - begin) // 7 + 1),
        }:
            data[at] ^= 0x41
            spoiled.write_bytes(data)
            data[at] ^= 0x41
            try:
                read = read_archive(spoiled, lambda name: None)
                told = [*read.faults()] or not read.manifest.sealed_by(MASTER)
            except AgentError:
                told = True
            assert told, at
    assert len(content) == 8


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_a_backup_that_was_cut_short_is_told_as_such(desk: Desk, share: float) -> None:
    path = desk.make().path
    with tarfile.open(path, "r:") as tar:
        last = tar.getmember("manifest.json")
    with open(path, "r+b") as file:
        file.truncate(int((last.offset_data + last.size - 1) * share))
    with pytest.raises(BackupDamaged):
        desk.verify(path)
    with pytest.raises(BackupDamaged):
        manifest_of(path)


def test_whoever_writes_hashes_anew_has_no_seal(desk: Desk) -> None:
    path = desk.make().path
    forged = rewritten(path, manifest_dot_json=manifest_with(path, version="2.0"))

    assert "its seal is not ours" in desk.verify(forged).faults[0]
    assert desk.verify(forged, alone=True).good  # and that the seal was not checked is told


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"catalogue_dot_sqlite": None}, "catalogue.sqlite is missing"),
        ({"settings_dot_yaml": b"shares: [x]\n"}, "settings.yaml is not what was written"),
        ({"checkpoints__1": b"x"}, "of which its manifest says nothing"),
        ({"vault__objects__aa__" + "aa" * 16 + "_dot_enc": b"x"}, "of which its manifest says nothing"),
        ({"vault__index": b""}, "names 0 objects"),
    ],
)
def test_members_that_are_missing_changed_or_added_are_told(
    desk: Desk, changed: dict[str, bytes | None], said: str
) -> None:
    verdict = desk.verify(rewritten(desk.make().path, **changed))

    assert not verdict.good
    assert said in " ".join(verdict.faults)


def hostile(path: Path, *added: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w") as tar:
        for one in added:
            tar.addfile(one, io.BytesIO(b"x" * one.size))
    return path


def told(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    one = tarfile.TarInfo(name)
    one.type, one.linkname, one.size = kind, link, 1 if kind == tarfile.REGTYPE else 0
    return one


@pytest.mark.parametrize(
    "added",
    [
        [told("../escaped")],
        [told("/etc/escaped")],
        [told("vault/objects/aa/../../escaped.enc")],
        [told("vault/objects/ab/" + "aa" * 16 + ".enc")],
        [told("master.key")],
        [told("catalogue.sqlite", tarfile.SYMTYPE, "/etc/passwd")],
        [told("catalogue.sqlite", tarfile.LNKTYPE, "settings.yaml")],
        [told("vault", tarfile.DIRTYPE)],
        [told("catalogue.sqlite", tarfile.CHRTYPE)],
        [told("settings.yaml"), told("settings.yaml")],
        [told("manifest.json")],
        [told("vault/index"), told("manifest.json")],
    ],
)
def test_a_file_that_we_never_wrote_is_refused_before_anything_is_made_of_it(
    tmp_path: Path, added: list[tarfile.TarInfo]
) -> None:
    path = hostile(tmp_path / "hostile.tar", *added)
    with pytest.raises(BackupDamaged):
        verify_backup(path, Witnesses(), THAT_DAY)
    with pytest.raises(BackupDamaged):
        restore_backup(path, tmp_path / "new", None)
    assert os.listdir(tmp_path) == ["hostile.tar"]


def test_what_is_no_backup_or_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"this is no tar file" * 1000)
    with pytest.raises(BackupDamaged, match="no backup of retentiond"):
        verify_backup(tmp_path / "text", Witnesses(), THAT_DAY)
    with pytest.raises(UsageError, match="cannot be read"):
        verify_backup(tmp_path / "nothing", Witnesses(), THAT_DAY)


def test_a_backup_of_a_newer_version_is_refused_by_name(desk: Desk) -> None:
    path = desk.make().path
    newer_format = rewritten(path, manifest_dot_json=manifest_with(path, format=FORMAT + 1, version="9.1", more=1))
    with pytest.raises(CatalogueError, match=r"newer version of retentiond \(9\.1\)"):
        desk.verify(newer_format)
    newer_schema = rewritten(path, manifest_dot_json=manifest_with(path, schema="9999"))
    for refuse in (lambda: desk.verify(newer_schema), lambda: restore_backup(newer_schema, desk.folder / "new", None)):
        with pytest.raises(CatalogueError, match="schema 9999") as refused:
            refuse()
        assert str(newer_schema) in str(refused.value)
    assert not (desk.folder / "new").exists()


def test_a_log_that_was_changed_before_is_found_in_the_backup(desk: Desk) -> None:
    with sqlite3.connect(desk.sources.catalogue) as database:
        database.execute("DROP TRIGGER audit_leaf_refuses_update")
        database.execute("UPDATE audit_leaf SET hash = zeroblob(32) WHERE position = 1")
    database.close()

    verdict = desk.verify(desk.make().path)

    assert not verdict.faults
    assert Trouble.MISMATCH in {trouble for trouble, _ in verdict.log_faults}


def test_a_catalogue_that_was_changed_behind_the_log_is_found_in_the_backup(desk: Desk) -> None:
    with sqlite3.connect(desk.sources.catalogue) as database:
        database.execute("DROP TRIGGER review_act_refuses_update")
        database.execute("UPDATE review_act SET acted_by = 'eve' WHERE id = 1")
    database.close()

    assert "is not as it was when it was recorded" in desk.verify(desk.make().path).log_faults[0][1]


def test_a_log_that_was_set_back_is_found_by_the_checkpoints_in_the_backup(desk: Desk) -> None:
    with desk.house.catalogue.connected() as connection:
        from agent.audit.log import AuditLog

        newest = [*AuditLog(connection).checkpoints()][-1]
    (desk.folder / "checkpoints").write_bytes(newest + b"\n")
    desk.sources = replace(desk.sources, checkpoints=(desk.folder / "checkpoints",))
    path = desk.make().path
    assert "checkpoints/1" in members(path)
    assert desk.verify(path).good
    later = {"later": newest}
    with sqlite3.connect(desk.sources.catalogue) as database:
        for table, where in (("audit_leaf", "position > 3"), ("audit_checkpoint", "size > 4")):
            database.execute(f"DROP TRIGGER {table}_refuses_delete")
            database.execute(f"DELETE FROM {table} WHERE {where}")  # noqa: S608
    database.close()
    verdict = desk.verify(desk.make(NOON + timedelta(days=1)).path, outside=later)

    assert Trouble.ROLLBACK in {trouble for trouble, _ in verdict.log_faults}


def test_a_database_with_damaged_pages_or_rows_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def damage(catalogue: Path, copy: Path) -> None:
        shutil.copyfile(good, copy)
        with sqlite3.connect(copy) as database:
            database.execute("PRAGMA foreign_keys = OFF")
            database.execute("INSERT INTO finding (item_id, entity_type, identity, score, count, location) "
                             "VALUES (999, 'PERSON', x'00', 1, 1, '')")  # fmt: skip
        database.close()

    good = desk.folder / "good.sqlite"
    from agent.usecases.backup_catalogue import copy_catalogue

    copy_catalogue(desk.sources.catalogue, good)
    monkeypatch.setattr(backup_module, "copy_catalogue", damage)
    verdict = desk.verify(desk.make().path)
    assert "1 rows of its catalogue point at others" in verdict.faults[0]
    assert verdict.log is None

    def overwrite(catalogue: Path, copy: Path) -> None:
        shutil.copyfile(good, copy)
        with sqlite3.connect(copy) as database:
            pages = [row[0] for row in database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'item'")]
        database.close()
        with open(copy, "r+b") as file:
            file.seek((pages[0] - 1) * 4096)
            file.write(b"\xde\xad" * 2048)

    monkeypatch.setattr(backup_module, "copy_catalogue", overwrite)
    assert "its catalogue is" in desk.verify(desk.make(NOON + timedelta(days=1)).path).faults[0]


def test_objects_destroyed_since_are_gone_and_lost_ones_are_told(desk: Desk) -> None:
    path = desk.make().path
    destroyed, lost = (entry.id for entry in desk.house.vault.entries())
    desk.house.vault.remove(destroyed)
    assert (found := desk.verify(path).vault) is not None
    assert (found.same, found.gone, found.faults) == (1, 1, ())

    object = desk.vault.objects / lost[:2] / f"{lost}.enc"
    object.write_bytes(object.read_bytes()[:-1] + b"\0")
    assert f"vault object {lost} is not what it was" in desk.verify(path).faults[0]
    object.unlink()
    assert f"vault object {lost} is missing" in desk.verify(path).faults[0]

    unopened = desk.verify(path, opened=None)
    assert unopened.good
    assert "2 objects that are not in the vault any more were destroyed or are lost" in unopened.unchecked[0]


def test_another_vault_is_not_compared(desk: Desk) -> None:
    path = desk.make().path
    other = desk.folder / "other"
    Vault.create(str(other))

    verdict = desk.verify(path, vault=VaultFiles(other, other / "slots"), opened=None)

    assert verdict.good
    assert "another vault is here" in verdict.unchecked[0]


def test_verifying_leaves_nothing_behind(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = desk.make().path
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))

    desk.verify(path)

    assert os.listdir(tmp_path / "tmp") == []
    assert desk.listed() == [NAME]
