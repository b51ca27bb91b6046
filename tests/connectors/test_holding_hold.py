"""The hold: ours alone, without a trace in the share, in order after a crash; what can be done there; durability."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.base import KnowsNothing
from connectors.filesystem import capabilities, changes, directories, extents
from connectors.filesystem.connector import FilesystemConnector
from connectors.filesystem.linux import beyond_stat
from connectors.testing import found
from tests.connectors.acting import ID, OTHER_ID, Acted
from tests.connectors.conditions import (
    PLACE,
    TEXT,
    failing,
    make,
    opened,
    poorer,
    taken,
    times,
)
from tests.connectors.conftest import Mount


@pytest.fixture
def acted(share: Path) -> Iterator[Acted]:
    with Acted(share) as acted:
        acted.put(PLACE.path)
        yield acted


@pytest.fixture
def overwritten(acted: Acted) -> None:
    """Skips the test where files are not overwritten in place."""
    with open(acted.at(PLACE.path), "rb") as file:
        if not extents.written_in_place(file.fileno()) or extents.may_share(file.fileno()):
            pytest.skip("this file system does not write again where something lies")


# The hold


def test_a_hold_is_ours_alone_and_leaves_no_trace_in_the_times_of_the_share(acted: Acted) -> None:
    os.utime(acted.share, ns=(1_500_000_000_000_000_001, 1_400_000_000_000_000_002))
    before = times(acted.share)
    taken(acted)
    assert os.stat(acted.at(b".retentiond-hold")).st_mode & 0o7777 == 0o700
    assert times(acted.share) == before


def test_looking_makes_no_hold(acted: Acted) -> None:
    assert acted.holding.taken(acted.scope, ID) is None
    assert acted.let_go() == "nothing_there"
    assert not acted.put_back(PLACE.path)
    assert acted.held() == []
    assert os.listdir(acted.share) == [b"HR"]


def test_folders_keep_their_times_whatever_we_do(acted: Acted) -> None:
    os.utime(acted.at(b"HR"), ns=(1_500_000_000_000_000_001, 1_400_000_000_000_000_002))
    before = times(acted.at(b"HR"))
    had = taken(acted)
    assert times(acted.at(b"HR")) == before
    acted.put_back(PLACE.path)
    assert times(acted.at(b"HR")) == before
    taken(acted)
    acted.let_go()
    make(acted, had)
    assert times(acted.at(b"HR")) == before


def test_a_hold_can_be_elsewhere_by_a_name_relative_to_where_we_are(
    acted: Acted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Acted(Path(os.fsdecode(acted.share)), hold=b"hold") as other:
        taken(other)
        assert other.held() == [ID] == os.listdir(tmp_path / "hold")


def test_a_link_by_the_name_of_the_hold_hides_nothing_from_a_scan(acted: Acted) -> None:
    os.symlink(b"HR", acted.at(b".retentiond-hold"))
    connector = FilesystemConnector(acted.share, "share")
    items = found(connector.changes(acted.scope, KnowsNothing()))
    connector.close()
    assert [item.ref for item in items] == [PLACE]


def test_names_in_the_hold_are_told_whatever_they_are(acted: Acted) -> None:
    taken(acted)
    acted.put(b".retentiond-hold/\xff foreign")
    assert acted.held() == [ID, os.fsdecode(b"\xff foreign")]


def test_what_a_crash_left_half_made_is_swept(acted: Acted) -> None:
    taken(acted)
    acted.holding.close()
    acted.put(b".retentiond-hold/draft-" + b"0" * 32)
    os.mkdir(acted.at(b".retentiond-hold/draft-" + b"1" * 32))
    assert acted.held() == [ID]


def test_what_cannot_be_swept_is_left(acted: Acted) -> None:
    taken(acted)
    acted.holding.close()
    acted.put(b".retentiond-hold/draft-full/inside")
    assert acted.held() == [ID, "draft-full"]


@pytest.mark.parametrize("missing", [(), ("renames_new",)], ids=["rename", "link"])
def test_putting_back_is_finished_after_a_crash(
    acted: Acted, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...]
) -> None:
    """Where a link is needed, there is a moment at which the file lies in both places."""
    poorer(monkeypatch, *missing)
    taken(acted)
    if missing:
        os.link(acted.in_hold(), acted.at(PLACE.path))
    assert acted.put_back(PLACE.path)
    assert (acted.held(), acted.read(PLACE.path)) == ([], TEXT)
    assert os.stat(acted.at(PLACE.path)).st_nlink == 1


# Durable


@pytest.fixture
def synced(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool, bool]]:
    """What has been made durable since: the kind of thing, whether the file was in its place by then, and whether it
    was in the hold."""
    fsync, told = os.fsync, list[tuple[str, bool, bool]]()

    def watched(descriptor: int) -> None:
        facts, folder = os.fstat(descriptor), os.stat(acted.at(b"HR"))
        kind = "file" if stat.S_ISREG(facts.st_mode) else "folder" if facts.st_ino == folder.st_ino else "hold"
        told.append((kind, os.path.lexists(acted.at(PLACE.path)), os.path.lexists(acted.in_hold())))
        fsync(descriptor)

    taken(acted, id=OTHER_ID)
    acted.put_back(PLACE.path, OTHER_ID)
    monkeypatch.setattr("os.fsync", watched)
    return told


@pytest.mark.parametrize("missing", [(), ("nameless", "renames_new")], ids=["able", "poor"])
def test_every_act_is_durable_when_it_is_said_to_be_done(
    acted: Acted,
    synced: list[tuple[str, bool, bool]],
    monkeypatch: pytest.MonkeyPatch,
    missing: tuple[str, ...],
) -> None:
    poorer(monkeypatch, *missing)
    acted.holding.close()
    had = taken(acted)
    assert {("hold", False, True), ("folder", False, True)} <= set(synced)
    synced.clear()
    acted.put_back(PLACE.path)
    assert {("hold", True, False), ("folder", True, False)} <= set(synced)
    taken(acted)
    synced.clear()
    acted.let_go()
    assert synced[-1] == ("hold", False, False)
    synced.clear()
    assert acted.let_go() == "nothing_there"
    assert synced == [("hold", False, False)], "what is gone may be so in memory only"
    synced.clear()
    make(acted, had)
    assert synced == [
        ("file", False, False),  # before it is read back
        ("file", False, False),  # with its properties
        ("folder", True, False),
    ]
    synced.clear()
    make(acted, had)
    assert synced == [("file", True, False), ("folder", True, False)], "what is there may be so in memory only"


def test_marks_are_durable(acted: Acted, synced: list[tuple[str, bool, bool]]) -> None:
    acted.holding.mark(acted.scope, PLACE, acted.version(PLACE.path), {"state": "due"})
    assert synced == [("file", True, False)]


@pytest.mark.usefixtures("overwritten")
def test_it_is_durable_that_a_file_is_going_before_anything_in_it_is_destroyed(
    acted: Acted, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = list[str]()
    fsync, pwrite = os.fsync, os.pwrite

    def synced(descriptor: int) -> None:
        order.append("sync " + ("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"))
        fsync(descriptor)

    def written(descriptor: int, data: bytes, position: int) -> int:
        order.append("zeros")
        return pwrite(descriptor, data, position)

    taken(acted)
    monkeypatch.setattr("os.fsync", synced)
    monkeypatch.setattr("os.pwrite", written)
    acted.let_go()
    assert order == ["sync folder", "zeros", "sync file", "sync folder"]


# What can be done here


def test_what_this_file_system_can_do_is_found_out_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    directory = opened(tmp_path)
    try:
        can = capabilities.probe(directory, b"probe")
        assert can.links
        assert can.time_step_ns in (1, 100, 1_000, 1_000_000, 1_000_000_000, 2_000_000_000)
    finally:
        os.close(directory)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("kind", "lacking"), [("ramfs", {"nameless", "marks"}), ("tmpfs", set[str]())], ids=["ramfs", "tmpfs"]
)
def test_what_file_systems_of_memory_can_do(mount: Mount, kind: str, lacking: set[str]) -> None:
    directory = opened(mount("-t", kind, kind))
    try:
        can = capabilities.probe(directory, b"probe")
    finally:
        os.close(directory)
    named = ("renames_new", "links", "nameless", "leases", "marks")
    assert {name for name in named if not getattr(can, name)} <= lacking


@pytest.mark.parametrize(
    ("answer", "can"), [(errno.EINVAL, False), (errno.ENOSYS, False), (0, True)], ids=["EINVAL", "ENOSYS", "done"]
)
def test_a_rename_that_never_replaces_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: int, can: bool
) -> None:
    if answer:
        monkeypatch.setattr(changes, "rename_new", failing(answer))
    directory = opened(tmp_path)
    try:
        assert capabilities.probe(directory, b"probe").renames_new is can
    finally:
        os.close(directory)
    assert os.listdir(tmp_path) == []


def test_a_fault_is_no_lack_of_ability(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "rename_new", failing(errno.EIO))
    directory = opened(tmp_path)
    try:
        with pytest.raises(OSError, match="Input/output"):
            capabilities.probe(directory, b"probe")
    finally:
        os.close(directory)


@pytest.mark.parametrize(
    ("kept", "step"),
    [
        (1_500_000_000_123_456_789, 1),
        (1_500_000_000_123_456_700, 100),
        (1_500_000_000_123_456_000, 1_000),
        (1_500_000_000_000_000_000, 10**9),
        (1_499_999_998_000_000_000, 2 * 10**9),
    ],
)
def test_the_steps_of_times_are_found_out(kept: int, step: int) -> None:
    assert capabilities.step_of(kept) == step


def test_a_folder_that_cannot_be_synced_by_itself_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fsync", failing(errno.EINVAL))
    directories.sync(0)
    monkeypatch.setattr("os.fsync", failing(errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        directories.sync(0)


def test_what_the_kernel_does_not_tell_is_nothing() -> None:
    told = beyond_stat(-1)
    assert (told.unchangeable, told.mount, told.born) == (False, 0, None)


def test_a_fault_while_abilities_are_tried_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(changes, "rename_new", fails)
    directory = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with pytest.raises(OSError, match="Input/output"):
            capabilities.probe(directory, b"tried")
    finally:
        os.close(directory)
    assert [*tmp_path.iterdir()] == []
