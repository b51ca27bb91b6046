"""The root key is read from where it is safe and nowhere else; keys are bound to what they are for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.errors import ConfigurationError
from agent.vault import keys
from agent.vault.base import StorageFailed
from agent.vault.keys import RootKey, keep_root_key, new_root_key, root_key, unwrap, wrap
from agent.vault.medium import overwriting_doubts
from agent.vault.places import Places
from agent.vault.rotation import change_key_file
from tests.vault.factories import ROOT, an_id, assert_readable, opened, put

A = an_id(1)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    keep_root_key(str(tmp_path / "root.key"), ROOT)
    return tmp_path / "root.key"


def test_the_systemd_credential_comes_first(key_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "vault-root").write_bytes(bytes(32))
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    assert root_key(str(key_file), "vault-root", environment) == RootKey(bytes(32))
    assert root_key(str(key_file), "another", environment) == ROOT
    assert root_key(str(key_file), "vault-root", {}) == ROOT
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    assert root_key(str(key_file), "vault-root") == RootKey(bytes(32))


def test_a_key_file_that_others_can_read_is_refused(key_file: Path) -> None:
    assert key_file.stat().st_mode & 0o777 == 0o600
    key_file.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        root_key(str(key_file), "vault-root", {})


def test_a_root_key_that_is_not_there_is_never_made_up(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no root key"):
        root_key(str(tmp_path / "root.key"), "vault-root", {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [0, 31, 33, 1000])
def test_a_root_key_of_another_length_is_refused(tmp_path: Path, size: int) -> None:
    (tmp_path / "root.key").write_bytes(bytes(size))
    (tmp_path / "root.key").chmod(0o600)
    with pytest.raises(ConfigurationError, match="32 bytes"):
        root_key(str(tmp_path / "root.key"), "vault-root", {})
    with pytest.raises(ValueError, match="32 bytes"):
        RootKey(bytes(size))


def test_a_key_file_that_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir(mode=0o700)
    with pytest.raises(ConfigurationError, match="cannot read"):
        root_key(str(tmp_path / "directory"), "vault-root", {})
    with pytest.raises(ConfigurationError, match="cannot write"):
        keep_root_key(str(tmp_path / "nowhere" / "root.key"), ROOT)


def test_a_key_file_is_never_replaced_and_leaves_no_draft(key_file: Path) -> None:
    with pytest.raises(ConfigurationError, match="never replaced"):
        keep_root_key(str(key_file), new_root_key())
    assert key_file.read_bytes() == ROOT.secret
    assert list(key_file.parent.iterdir()) == [key_file]


def test_a_key_is_written_into_the_current_directory_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    keep_root_key("root.key", ROOT)
    assert root_key("root.key", "x", {}) == ROOT


def test_no_key_shows_itself(key_file: Path) -> None:
    assert "secret" not in repr(ROOT)
    assert ROOT.secret.hex() not in repr(ROOT)


def test_root_keys_are_told_apart_by_an_id_that_tells_nothing() -> None:
    assert ROOT.id != RootKey(bytes(32)).id
    assert ROOT.id not in ROOT.secret + ROOT.slot_key()
    assert len({ROOT.id, ROOT.slot_key()[:8], keys.derived(ROOT.secret, "other")[:8]}) == 3


def test_a_wrapped_key_opens_only_for_what_it_is_for() -> None:
    key, wrapping = bytes(range(32)), bytes(32)
    wrapped = wrap(wrapping, key, b"this")
    assert len(wrapped) == keys.WRAPPED_BYTES
    assert unwrap(wrapping, wrapped, b"this") == key
    assert unwrap(wrapping, wrapped, b"that") is None
    assert unwrap(key, wrapped, b"this") is None
    for place in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[place] ^= 1
        assert unwrap(wrapping, bytes(changed), b"this") is None
    assert wrap(wrapping, key, b"this") != wrapped


def test_the_root_key_in_a_key_file_is_changed(place: Path, key_file: Path) -> None:
    with opened(place) as vault:
        put(vault, A)
    inode = os.open(key_file, os.O_RDONLY)
    new = change_key_file(str(place), str(key_file))
    assert root_key(str(key_file), "x", {}) == new != ROOT
    assert os.pread(inode, 32, 0) == bytes(32), "the old key was overwritten where it was"
    os.close(inode)
    with opened(place, root=new) as vault:
        assert_readable(vault, A)
    assert sorted(path.name for path in place.parent.iterdir()) == ["root.key", "vault"]
    assert change_key_file(str(place), str(key_file)) != new


def test_a_root_key_cannot_be_changed_where_there_is_no_vault(key_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no vault"):
        change_key_file(str(tmp_path / "nowhere"), str(key_file))
    assert key_file.read_bytes() == ROOT.secret


MOUNTS = """21 1 {device} / / rw,relatime shared:1 - {first}
22 21 0:99 / /proc rw - proc proc rw
23 21 {device} / /mnt rw - {last}
"""


@pytest.mark.parametrize(
    ("last", "doubt"),
    [
        ("ext4 /dev/sda1 rw", ""),
        ("ext4 /dev/sda1 rw,data=ordered", ""),
        ("ext4 /dev/sda1 rw,data=journal", "data=journal"),
        ("xfs /dev/sda1 rw", ""),
        ("btrfs /dev/sda1 rw", "leaves the old"),
        ("zfs tank rw", "leaves the old"),
        ("nfs4 server:/x rw", "another machine"),
    ],
)
def test_file_systems_on_which_overwriting_is_in_doubt_are_named(tmp_path: Path, last: str, doubt: str) -> None:
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mounts"
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts.write_text(MOUNTS.format(device=number, first="btrfs /dev/sdb rw", last=last))
    doubts = overwriting_doubts(str(tmp_path), str(mounts))
    assert len(doubts) == bool(doubt)
    assert doubt in "".join(doubts)


def test_a_file_system_that_is_not_in_the_list_is_in_doubt(tmp_path: Path) -> None:
    (tmp_path / "mounts").write_text("22 21 0:9999 / /proc rw - proc proc rw\n")
    assert overwriting_doubts(str(tmp_path), str(tmp_path / "mounts"))[0].startswith("the file system")


def test_the_real_list_of_mounts_can_be_read(tmp_path: Path) -> None:
    assert isinstance(overwriting_doubts(str(tmp_path)), tuple)


def test_a_place_is_used_again_only_after_it_was_emptied(tmp_path: Path) -> None:
    from agent.vault.base import NoSpace
    from agent.vault.disk import Disk

    path = str(tmp_path / "places")
    Places.create(path, b"RTDTEST\0", 128, 3, bytes(16), Disk())
    places = Places(path, b"RTDTEST\0", 128, Disk())
    assert list(places.load()) == []
    assert [places.fill(b"one"), places.fill(b"two", far=True), places.fill(b"three")] == [1, 3, 2]
    with pytest.raises(NoSpace, match="no place"):
        places.fill(b"four")
    places.sync()
    assert [held.rstrip(b"\0") for _, held in places.load()] == [b"one", b"three", b"two"]
    places.empty([3, 1])
    assert [number for number, _ in places.load()] == [2]
    assert (places.free(), places.total()) == (2, 3)
    assert places.fill(b"five") == 1
    places.grow(2)
    assert (places.free(), places.total()) == (3, 5)
    assert [places.fill(b"x") for _ in range(3)] == [3, 4, 5]
    places.close()
    with pytest.raises(StorageFailed):
        _opening_a_link(tmp_path)


def _opening_a_link(tmp_path: Path) -> None:
    """A key file is never reached through a link that somebody else may have laid."""
    from agent.vault.store import Vault

    (tmp_path / "vault").mkdir(mode=0o700)
    (tmp_path / "vault" / "keyring").symlink_to(tmp_path / "places")
    Vault(str(tmp_path / "vault"), ROOT)
