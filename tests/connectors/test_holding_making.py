"""What is made anew: the folders on the way to it, its properties, its holes, names and sizes of every sort."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.base import ItemRef, KnowsNothing
from connectors.errors import NoRoom, SourceFault, Unsupported
from connectors.filesystem import changes, folders, giving, placing, properties
from connectors.filesystem.connector import FilesystemConnector
from connectors.filesystem.hold import Hold
from connectors.testing import found
from tests.connectors.acting import ID, OTHER_ID, Acted
from tests.connectors.conditions import (
    PLACE,
    TEXT,
    failing,
    flag,
    make,
    needs_root,
    opened,
    poorer,
    taken,
)
from tests.connectors.conftest import Mount

_OF_5_GIB = "28f322e294a03a47522f40a2e580cf03dedfe7e0a09efa6fd4c1b4aa702ab726"


@pytest.fixture
def acted(share: Path) -> Iterator[Acted]:
    with Acted(share) as acted:
        acted.put(PLACE.path)
        yield acted


# Folders


@needs_root
def test_a_folder_that_went_is_made_again_as_it_was(acted: Acted) -> None:
    acted.put(b"HR/Leavers/contract.txt")
    os.chown(acted.at(b"HR"), 1000, 1001)
    os.chmod(acted.at(b"HR"), 0o2750)  # noqa: S103 — groups and all
    os.chmod(acted.at(b"HR/Leavers"), 0o1770)  # noqa: S103
    os.setxattr(acted.at(b"HR/Leavers"), "user.note", b"\xff")
    had = taken(acted, ItemRef(b"HR/Leavers", b"contract.txt"))
    subprocess.run(["rm", "-r", acted.at(b"HR")], check=True)
    assert make(acted, had, ItemRef(b"HR/Leavers/new", b"contract.txt")) == ()
    outer, inner = os.stat(acted.at(b"HR")), os.stat(acted.at(b"HR/Leavers"))
    assert (outer.st_uid, outer.st_gid, outer.st_mode & 0o7777) == (1000, 1001, 0o2750)
    assert (inner.st_uid, inner.st_mode & 0o7777) == (0, 0o1770)
    assert os.getxattr(acted.at(b"HR/Leavers"), "user.note") == b"\xff"
    new = os.stat(acted.at(b"HR/Leavers/new"))
    assert (new.st_uid, new.st_mode & 0o7777) == (0, 0o1770), "as the one that it lies in"
    assert os.listxattr(acted.at(b"HR/Leavers/new")) == []


@needs_root
def test_another_way_than_the_recorded_one_is_made_as_where_it_begins(acted: Acted) -> None:
    had = taken(acted)
    os.mkdir(acted.at(b"Returned"))
    os.chown(acted.at(b"Returned"), 1000, 1001)
    os.chmod(acted.at(b"Returned"), 0o2770)  # noqa: S103
    access = struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", tag, 7, who) for tag, who in [(1, 2**32 - 1), (4, 2**32 - 1), (32, 2**32 - 1)]
    )
    os.setxattr(acted.at(b"Returned"), "system.posix_acl_default", access)
    os.setxattr(acted.at(b"Returned"), "user.note", b"not for others")
    make(acted, had, ItemRef(b"Returned/HR/deep", b"contract.txt"))
    for folder in (b"Returned/HR", b"Returned/HR/deep"):
        facts = os.stat(acted.at(folder))
        assert (facts.st_uid, facts.st_gid, facts.st_mode & 0o7777) == (1000, 1001, 0o2770)
        assert os.listxattr(acted.at(folder)) == ["system.posix_acl_default"]


@pytest.mark.parametrize("missing", [(), ("renames_new",)], ids=["rename", "link"])
def test_a_folder_that_somebody_else_makes_meanwhile_is_used(
    acted: Acted, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...]
) -> None:
    poorer(monkeypatch, *missing)
    had = taken(acted)
    os.rmdir(acted.at(b"HR"))

    def late(descriptor: int, wanted: properties.FolderProperties) -> None:
        giving.give_folder(descriptor, wanted)
        acted.put(b"HR/theirs")

    monkeypatch.setattr(folders, "give_folder", late)
    make(acted, had)
    assert sorted(os.listdir(acted.at(b"HR"))) == [b"contract.txt", b"theirs"]
    assert acted.held() == [ID]


def test_a_folder_that_cannot_be_made_leaves_nothing(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    had = taken(acted)
    os.rmdir(acted.at(b"HR"))
    monkeypatch.setattr(folders, "give_folder", failing(errno.EIO))
    with pytest.raises(SourceFault):
        make(acted, had)
    assert acted.held() == [ID]
    assert os.listdir(acted.share) == [b".retentiond-hold"]


# Properties


def test_properties_that_a_later_release_wrote_are_refused(acted: Acted) -> None:
    had = taken(acted).replace(b'"version": 1', b'"version": 2')
    with pytest.raises(Unsupported, match="later release"):
        make(acted, had)


def test_a_file_with_more_attributes_than_could_be_kept_is_put_back(
    acted: Acted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(properties, "_LIMIT_BYTES", 100)
    with pytest.raises(SourceFault, match="attributes"):
        acted.take(PLACE.path)
    assert (acted.held(), acted.read(PLACE.path)) == ([], TEXT)


def test_of_very_many_holes_the_largest_are_kept(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(properties, "_HOLES_KEPT", 2)
    with open(acted.at(PLACE.path), "r+b") as file:
        for position in (0, 65536, 65536 * 10, 65536 * 14):
            os.pwrite(file.fileno(), b"a" * 4096, position)
    had = properties.read(taken(acted))
    assert had.holes == [(65536 + 4096, 65536 * 10), (65536 * 10 + 4096, 65536 * 14)]


def test_where_there_are_neither_attributes_nor_flags_there_are_none(mount: Mount) -> None:
    with Acted(mount("-t", "ramfs", "ramfs")) as acted:
        acted.put(PLACE.path)
        had = taken(acted)
        read = properties.read(had)
        assert (read.attributes, read.flags, read.born) == ({}, 0, None)
        acted.let_go()
        assert make(acted, had) == ()
        assert acted.read(PLACE.path) == TEXT


@pytest.mark.parametrize("call", ["listxattr", "getxattr"])
def test_attributes_that_cannot_be_read_for_a_fault_are_not_lost(
    acted: Acted, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr(f"os.{call}", failing(errno.EIO))
    with pytest.raises(SourceFault):
        acted.take(PLACE.path)
    monkeypatch.undo()
    assert (acted.held(), acted.read(PLACE.path)) == ([], TEXT)


def test_where_attributes_cannot_even_be_listed_there_are_none(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.listxattr", failing(errno.ENOTSUP))
    assert properties.read(taken(acted)).attributes == {}


def test_flags_go_the_whole_way(acted: Acted) -> None:
    with flag(acted.at(PLACE.path), "d"):
        had = taken(acted)
        acted.let_go()
        assert make(acted, had) == ()
        with open(acted.at(PLACE.path), "rb") as file:
            assert changes.flags_of(file.fileno()) & 0x40


def test_what_a_place_does_not_take_is_told(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    os.setxattr(acted.at(PLACE.path), "user.note", b"1")
    with flag(acted.at(PLACE.path), "d"):
        had = taken(acted)
        monkeypatch.setattr("os.fchown", failing(errno.EPERM))
        monkeypatch.setattr("os.setxattr", failing(errno.ENOTSUP))
        monkeypatch.setattr("os.utime", failing(errno.EPERM))
        monkeypatch.setattr("os.fchmod", failing(errno.EPERM))
        monkeypatch.setattr(changes, "set_flags", failing(errno.ENOTTY))
        assert make(acted, had) == ("attributes", "mode", "owner", "times")


def test_lists_that_a_place_does_not_take_have_a_word_of_their_own(
    acted: Acted, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [(1, 6, 2**32 - 1), (2, 4, 12345), (4, 4, 2**32 - 1), (16, 4, 2**32 - 1), (32, 0, 2**32 - 1)]
    entries = b"".join(struct.pack("<HHI", *part) for part in parts)
    try:
        os.setxattr(acted.at(PLACE.path), "system.posix_acl_access", struct.pack("<I", 2) + entries)
    except OSError:
        pytest.skip("this file system keeps no lists of permissions")
    had = taken(acted)
    acted.let_go()
    monkeypatch.setattr("os.setxattr", failing(errno.ENOTSUP))
    assert make(acted, had) == ("acl",)


def test_a_fault_while_properties_are_given_leaves_nothing(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    had = taken(acted)
    monkeypatch.setattr("os.fchown", failing(errno.EIO))
    with pytest.raises(SourceFault):
        make(acted, had)
    assert (acted.held(), os.listdir(acted.at(b"HR"))) == ([ID], [])


# Whether it lies there, when something fails


def test_no_room_before_it_lies_there_is_told_as_that(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    had = taken(acted)
    monkeypatch.setattr(placing, "keeping_times", failing(errno.ENOSPC))
    with pytest.raises(NoRoom):
        make(acted, had)
    assert os.listdir(acted.at(b"HR")) == []


def test_once_it_lies_there_no_failure_is_told_as_a_refusal(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    had = taken(acted)
    with monkeypatch.context() as failed:
        failed.setattr(placing, "sync", failing(errno.ENOSPC))
        with pytest.raises(SourceFault):
            make(acted, had)
        assert acted.read(PLACE.path) == TEXT
        with pytest.raises(SourceFault):  # and the same when it is looked at again
            make(acted, had)

    assert make(acted, had) == ()
    assert acted.read(PLACE.path) == TEXT


# Names and sizes


@pytest.mark.parametrize("missing", [(), ("nameless", "renames_new")], ids=["able", "poor"])
@pytest.mark.parametrize(
    "path",
    [
        b"n" * 255,
        b"\xff\xfe \n\t\\.txt",
        b"/".join([b"d" * 200] * 25) + b"/" + b"n" * 255,
        b"/".join([b"d"] * 60) + b"/file",
    ],
    ids=["255 bytes", "no text", "beyond 4096 bytes", "deep"],
)
def test_names_and_ways_of_every_sort_go_the_whole_way(
    acted: Acted, monkeypatch: pytest.MonkeyPatch, path: bytes, missing: tuple[str, ...]
) -> None:
    poorer(monkeypatch, *missing)
    folder, _, name = path.rpartition(b"/")
    ref = ItemRef(folder, name)
    make(acted, taken(acted), ref)
    connector = FilesystemConnector(acted.share, "share")
    (item,) = found(connector.changes(acted.scope, KnowsNothing()))
    assert item.ref == ref
    with acted.holding.take(acted.scope, ref, item.version, OTHER_ID) as content:
        had = content.taken.properties
        assert os.pread(content.fileno(), 100, 0) == TEXT
    assert acted.put_back(ref.path, OTHER_ID)
    (item,) = found(connector.changes(acted.scope, KnowsNothing()))
    acted.holding.take(acted.scope, ref, item.version, OTHER_ID).close()
    acted.let_go(OTHER_ID)
    assert make(acted, had, ref) == ()
    (item,) = found(connector.changes(acted.scope, KnowsNothing()))
    assert (item.ref, item.size_bytes) == (ref, len(TEXT))
    connector.close()


@pytest.mark.slow
def test_a_sparse_file_of_5_gib_goes_the_whole_way_without_being_filled(acted: Acted) -> None:
    size = 5 << 30
    with open(acted.at(PLACE.path), "r+b") as file:
        file.truncate(size)
        file.seek(size // 2)
        file.write(b"in the middle")
    blocks = os.stat(acted.at(PLACE.path)).st_blocks
    had = taken(acted)
    acted.let_go()

    def write(descriptor: int) -> None:
        os.ftruncate(descriptor, size)
        os.pwrite(descriptor, TEXT, 0)
        os.pwrite(descriptor, b"in the middle", size // 2)

    assert acted.holding.make(acted.scope, PLACE, had, write, _OF_5_GIB).made
    facts = os.stat(acted.at(PLACE.path))
    assert (facts.st_size, facts.st_blocks) == (size, blocks)


def test_a_writer_that_fills_holes_gets_them_back(acted: Acted) -> None:
    with open(acted.at(PLACE.path), "r+b") as file:
        file.truncate(4 << 20)
    blocks = os.stat(acted.at(PLACE.path)).st_blocks
    content = TEXT + bytes((4 << 20) - len(TEXT))
    had = taken(acted)
    acted.let_go()
    make(acted, had, content=content)
    assert os.stat(acted.at(PLACE.path)).st_blocks == blocks


def test_holes_of_the_original_take_nothing_from_a_file_derived_from_it(acted: Acted) -> None:
    with open(acted.at(PLACE.path), "r+b") as file:
        file.truncate(1 << 20)
    had = taken(acted)
    derived = bytes(range(1, 256)) * 4112 + b"x" * 16
    make(acted, had, ItemRef(b"HR", b"derived"), derived)
    assert acted.read(b"HR/derived") == derived


def test_a_hold_opened_for_a_folder_is_private_to_its_process(acted: Acted) -> None:
    taken(acted)
    root = opened(acted.share)
    hold = Hold.find(root, None)
    assert hold is not None
    assert fcntl.fcntl(hold.descriptor, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
    hold.close()
    os.close(root)
