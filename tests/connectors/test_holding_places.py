"""Where an acting half can act: file systems that are away, full or for reading only, its hold, its rights."""

from __future__ import annotations

import errno
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.base import ItemRef
from connectors.errors import (
    HoldUnavailable,
    ItemChanged,
    NoRoom,
    PermissionDenied,
    ReadOnlySource,
    ScopeUnavailable,
    SourceFault,
    Unsupported,
)
from connectors.holding import Doubt
from connectors.testing_acting import fills, sha256
from tests.connectors.acting import ID, OTHER_ID, Acted
from tests.connectors.conditions import (
    NOBODY,
    TEXT,
    as_nobody,
    as_root,
    failing,
    needs_root,
    poorer,
)
from tests.connectors.conftest import Mount


@pytest.fixture
def acted(share: Path) -> Iterator[Acted]:
    with Acted(share) as acted:
        acted.put(b"HR/contract.txt")
        yield acted


# The file system


@pytest.mark.parametrize("hold_first", [False, True], ids=["no hold yet", "with a hold"])
def test_a_share_that_is_mounted_for_reading_says_so(tmp_path: Path, mount: Mount, hold_first: bool) -> None:
    disk = mount("-t", "tmpfs", "tmpfs")
    with Acted(disk) as acted:
        acted.put(b"HR/contract.txt")
        if hold_first:
            acted.put(b"HR/other.txt")
            acted.take(b"HR/other.txt").close()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with Acted(disk) as acted:
        with pytest.raises(ReadOnlySource):
            acted.take(b"HR/contract.txt")
        assert acted.held() == ([ID] if hold_first else [])
        if hold_first:
            with pytest.raises(ReadOnlySource):
                acted.put_back(b"HR/other.txt")
            with pytest.raises(ReadOnlySource):
                acted.let_go()
            assert acted.held() == [ID]
        else:
            assert not acted.put_back(b"HR/contract.txt")
            assert acted.let_go() == "nothing_there"
            assert acted.holding.taken(acted.scope, ID) is None


@pytest.mark.parametrize("missing", [(), ("nameless",), ("nameless", "renames_new")], ids=str)
def test_on_a_full_disk_nothing_is_made_and_nothing_left(
    mount: Mount, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...]
) -> None:
    poorer(monkeypatch, *missing)
    with Acted(mount("-t", "tmpfs", "-o", "size=1m", "tmpfs")) as acted:
        acted.put(b"contract.txt")
        with acted.take(b"contract.txt") as content:
            had = content.taken.properties
        much = bytes(range(256)) * 8192
        with pytest.raises(NoRoom):
            acted.holding.make(acted.scope, ItemRef(b"", b"contract.txt"), had, fills(much), sha256(much))
        assert sorted(os.listdir(acted.share)) == [b".retentiond-hold"]
        assert acted.held() == [ID]
        assert acted.put_back(b"contract.txt")
        assert acted.read(b"contract.txt") == TEXT


def test_where_there_is_no_room_for_a_hold_nothing_is_taken(mount: Mount) -> None:
    with Acted(mount("-t", "tmpfs", "-o", "nr_inodes=3", "tmpfs")) as acted:
        acted.put(b"HR/contract.txt")
        with pytest.raises(NoRoom):
            acted.take(b"HR/contract.txt")
        assert acted.read(b"HR/contract.txt") == TEXT


def test_a_file_on_a_mount_inside_the_share_is_left_alone(acted: Acted, mount: Mount) -> None:
    inner = os.fsencode(mount("-t", "tmpfs", "tmpfs"))
    with open(os.path.join(inner, b"inside"), "wb") as file:
        file.write(TEXT)
    os.mkdir(acted.at(b"inner"))
    subprocess.run(["mount", "--bind", inner, acted.at(b"inner")], check=True)
    try:
        with pytest.raises(HoldUnavailable):
            acted.take(b"inner/inside")
        assert acted.held() == []
    finally:
        subprocess.run(["umount", acted.at(b"inner")], check=True)


def test_a_share_that_is_gone_or_exchanged_is_left_alone(mount: Mount) -> None:
    disk = mount("-t", "tmpfs", "tmpfs")
    with Acted(disk) as acted:
        acted.put(b"contract.txt")
        acted.take(b"contract.txt").close()
        acted.put(b"other.txt")
        version = acted.version(b"other.txt")
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", disk], check=True)
        acted.put(b"other.txt")
        for attempt in (
            lambda: acted.take(b"other.txt", OTHER_ID, version),
            lambda: acted.put_back(b"contract.txt"),
            lambda: acted.let_go(),
            lambda: acted.held(),
        ):
            with pytest.raises(ScopeUnavailable):
                attempt()
        assert os.listdir(disk) == ["other.txt"]
        subprocess.run(["umount", disk], check=True)
        assert acted.put_back(b"contract.txt")


def test_a_share_that_was_mounted_anew_is_acted_on_by_its_new_mount(mount: Mount) -> None:
    place = mount("-t", "tmpfs", "tmpfs")
    with Acted(place) as acted:
        acted.put(b"contract.txt")
        acted.take(b"contract.txt").close()
        subprocess.run(["mount", "--bind", place, place], check=True)  # the same file system, by another mount
        try:
            subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
            with pytest.raises(ReadOnlySource):
                acted.put_back(b"contract.txt")
            subprocess.run(["mount", "-o", "remount,bind,rw", place], check=True)
            assert acted.put_back(b"contract.txt")
            assert acted.read(b"contract.txt") == TEXT
        finally:
            acted.holding.close()
            subprocess.run(["umount", place], check=True)


# The hold


def refused(acted: Acted) -> None:
    with pytest.raises(HoldUnavailable):
        acted.take(b"HR/contract.txt")
    assert acted.read(b"HR/contract.txt") == TEXT


def test_a_hold_that_is_a_link_is_refused(acted: Acted, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(mode=0o700)
    os.symlink(tmp_path / "theirs", acted.at(b".retentiond-hold"))
    refused(acted)
    assert os.listdir(tmp_path / "theirs") == []


def test_a_hold_that_is_a_file_is_refused(acted: Acted) -> None:
    acted.put(b".retentiond-hold")
    refused(acted)


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o750, 0o777])
def test_a_hold_that_others_can_enter_is_refused(acted: Acted, mode: int) -> None:
    os.mkdir(acted.at(b".retentiond-hold"))
    os.chmod(acted.at(b".retentiond-hold"), mode)
    refused(acted)


@needs_root
def test_a_hold_of_somebody_else_is_refused(acted: Acted) -> None:
    os.mkdir(acted.at(b".retentiond-hold"), 0o700)
    os.chown(acted.at(b".retentiond-hold"), NOBODY, NOBODY)
    refused(acted)


def test_a_hold_on_another_file_system_is_refused(acted: Acted, mount: Mount) -> None:
    elsewhere = mount("-t", "tmpfs", "tmpfs")
    with Acted(Path(os.fsdecode(acted.share)), hold=os.fsencode(elsewhere / "hold")) as other:
        refused(other)


def test_a_hold_on_another_mount_of_the_same_file_system_is_refused(acted: Acted, tmp_path: Path, mount: Mount) -> None:
    (tmp_path / "behind").mkdir()
    again = mount("--bind", str(tmp_path / "behind"))
    with Acted(Path(os.fsdecode(acted.share)), hold=os.fsencode(again / "hold")) as other:
        with pytest.raises(HoldUnavailable, match="the same mount of it"):
            other.take(b"HR/contract.txt")
        refused(other)


def test_a_hold_in_a_folder_that_is_not_there_is_refused(acted: Acted, tmp_path: Path) -> None:
    with Acted(Path(os.fsdecode(acted.share)), hold=os.fsencode(tmp_path / "missing" / "hold")) as other:
        refused(other)


def test_where_nothing_could_be_moved_back_nothing_is_taken(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    poorer(monkeypatch, "renames_new", "links")
    refused(acted)
    assert acted.held() == []


def test_a_hold_on_a_faulty_disk_is_a_fault(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.filesystem.hold.probe", failing(errno.EIO))
    with pytest.raises(SourceFault):
        acted.take(b"HR/contract.txt")
    assert acted.read(b"HR/contract.txt") == TEXT


# Without rights


@needs_root
def test_a_file_that_we_may_not_read_is_denied() -> None:
    with as_nobody() as folder, Acted(folder) as acted:
        acted.put(b"contract.txt")
        with as_root():
            os.chown(acted.at(b"contract.txt"), 0, 0)
            os.chmod(acted.at(b"contract.txt"), 0o600)
        with pytest.raises(PermissionDenied):
            acted.take(b"contract.txt")


@needs_root
def test_a_folder_that_we_may_not_change_is_denied() -> None:
    with as_nobody() as folder, Acted(folder) as acted:
        acted.put(b"HR/contract.txt")
        with as_root():
            os.chown(acted.at(b"HR"), 0, 0)
            os.chown(acted.at(b"HR/contract.txt"), NOBODY, NOBODY)
        with pytest.raises(PermissionDenied):
            acted.take(b"HR/contract.txt")
        assert acted.read(b"HR/contract.txt") == TEXT
        assert acted.held() == []


@needs_root
def test_a_root_in_which_we_can_make_no_hold_is_told() -> None:
    with as_nobody() as folder, Acted(folder) as acted:
        acted.put(b"contract.txt")
        with as_root():
            os.chown(folder, 0, 0)
        with pytest.raises(HoldUnavailable):
            acted.take(b"contract.txt")


@needs_root
def test_somebody_elses_file_goes_the_whole_way_and_what_it_lacks_is_told() -> None:
    with as_nobody() as folder, Acted(folder) as acted:
        acted.put(b"contract.txt")
        with as_root():
            os.chown(acted.at(b"contract.txt"), 1000, 1000)
            os.chmod(acted.at(b"contract.txt"), 0o4755)  # noqa: S103 — the point of this test
        with acted.take(b"contract.txt") as content:  # read without O_NOATIME, which only its owner may ask for
            had = content.taken.properties
            assert content.taken.doubts == {Doubt.OPEN_UNKNOWN}
        gone = acted.holding.let_go(acted.scope, ID)
        assert (gone.method, gone.doubts) == ("unlinked", frozenset({Doubt.COPIES_ON_WRITE}))
        made = acted.holding.make(acted.scope, ItemRef(b"", b"contract.txt"), had, fills(TEXT), sha256(TEXT))
        assert made.lacking == ("mode", "owner")
        facts = os.stat(acted.at(b"contract.txt"))
        assert (facts.st_uid, facts.st_mode & 0o7777) == (NOBODY, 0o755), "nobody else's rights are given away"


@needs_root
def test_an_owner_who_may_only_read_gets_everything_back() -> None:
    entries = [(1, 4, 2**32 - 1), (2, 4, 12345), (4, 4, 2**32 - 1), (16, 4, 2**32 - 1), (32, 0, 2**32 - 1)]
    access = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    with as_nobody() as folder, Acted(folder) as acted:
        place = acted.put(b"contract.txt")
        os.setxattr(place, "user.note", b"kept")
        try:
            os.setxattr(place, "system.posix_acl_access", access)
        except OSError:
            pytest.skip("this file system keeps no lists of permissions")
        with acted.take(b"contract.txt") as content:
            had = content.taken.properties
        made = acted.holding.make(acted.scope, ItemRef(b"", b"contract.txt"), had, fills(TEXT), sha256(TEXT))
        assert made.lacking == ()
        assert os.getxattr(place, "user.note") == b"kept"
        assert os.getxattr(place, "system.posix_acl_access") == access


@needs_root
def test_what_only_its_owner_could_move_back_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    poorer(monkeypatch, "renames_new")
    with as_nobody() as folder, Acted(folder) as acted:
        acted.put(b"contract.txt")
        with as_root():
            os.chown(acted.at(b"contract.txt"), 1000, 1000)
        with pytest.raises(PermissionDenied, match="owner"):
            acted.take(b"contract.txt")
        assert acted.read(b"contract.txt") == TEXT


# Marks


def test_where_files_carry_no_marks_that_is_told(mount: Mount) -> None:
    with Acted(mount("-t", "ramfs", "ramfs")) as acted:
        acted.put(b"contract.txt")
        with pytest.raises(Unsupported):
            acted.holding.mark(acted.scope, ItemRef(b"", b"contract.txt"), acted.version(b"contract.txt"), {"a": "b"})


def test_a_file_that_can_carry_no_marks_is_told(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getxattr", failing(errno.ENOTSUP))
    with pytest.raises(Unsupported):
        acted.holding.mark(
            acted.scope, ItemRef(b"HR", b"contract.txt"), acted.version(b"HR/contract.txt"), {"state": "due"}
        )


def test_an_edit_while_a_file_is_marked_is_noticed(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    version = acted.version(b"HR/contract.txt")
    monkeypatch.setattr("connectors.filesystem.marking._set", lambda *_: acted.put(b"HR/contract.txt", b"longer now"))
    with pytest.raises(ItemChanged):
        acted.holding.mark(acted.scope, ItemRef(b"HR", b"contract.txt"), version, {"state": "due"})
