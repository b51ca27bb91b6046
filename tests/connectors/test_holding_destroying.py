"""What is let go is gone for good, and nothing else; blocks, and where they are shared."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from connectors.errors import ItemChanged, LockedAtSource
from connectors.filesystem import destroying, extents
from connectors.filesystem.hold import Hold
from connectors.holding import Doubt, LetGo
from tests.connectors.acting import ID, OTHER_ID, Acted
from tests.connectors.conditions import (
    PLACE,
    TEXT,
    failing,
    opened,
    poorer,
    taken,
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


# Away for good


@pytest.mark.usefixtures("overwritten")
@pytest.mark.parametrize("size", [1, 4096, (1 << 20) - 1, (1 << 20) + 1, 3 << 20])
def test_what_is_let_go_is_overwritten_to_its_last_byte(acted: Acted, size: int) -> None:
    acted.put(PLACE.path, b"\xa5" * size)
    descriptor = opened(acted.at(PLACE.path))  # somebody who reads keeps the blocks in sight
    taken(acted)
    assert acted.holding.let_go(acted.scope, ID) == LetGo("overwritten")
    assert os.pread(descriptor, size + 1, 0) == bytes(size)
    assert os.fstat(descriptor).st_nlink == 0
    os.close(descriptor)


@pytest.mark.usefixtures("overwritten")
def test_holes_are_not_filled_for_being_overwritten(acted: Acted) -> None:
    with open(acted.at(PLACE.path), "r+b") as file:
        file.truncate(1 << 40)
        file.seek(1 << 39)
        file.write(b"\xa5")
    descriptor = opened(acted.at(PLACE.path))
    blocks = os.fstat(descriptor).st_blocks
    taken(acted)
    assert acted.let_go() == "overwritten"
    assert os.pread(descriptor, 1, 1 << 39) == b"\0"
    assert os.fstat(descriptor).st_blocks == blocks
    os.close(descriptor)


def test_a_file_system_that_does_not_write_in_place_is_told(mount: Mount) -> None:
    with Acted(mount("-t", "tmpfs", "tmpfs")) as acted:
        acted.put(PLACE.path)
        taken(acted)
        gone = acted.holding.let_go(acted.scope, ID)
        assert gone == LetGo("unlinked", frozenset({Doubt.COPIES_ON_WRITE}))


def test_what_has_a_further_name_by_now_is_only_unlinked(acted: Acted) -> None:
    taken(acted)
    os.link(acted.in_hold(), acted.at(b"kept"))
    acted.holding._seen.clear()  # as after a restart
    gone = acted.holding.let_go(acted.scope, ID)
    assert gone == LetGo("unlinked", frozenset({Doubt.SHARED_EXTENTS}))
    assert acted.read(b"kept") == TEXT


def test_what_is_half_destroyed_is_never_put_back(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    class PowerCut(Exception):
        pass

    def cut(descriptor: int) -> None:
        os.pwrite(descriptor, b"\0\0", 0)
        raise PowerCut

    monkeypatch.setattr(destroying, "written_in_place", lambda descriptor: True)
    monkeypatch.setattr(destroying, "may_share", lambda descriptor: False)
    monkeypatch.setattr(destroying, "overwrite", cut)
    taken(acted)
    with pytest.raises(PowerCut):
        acted.let_go()
    acted.holding.close()
    monkeypatch.setattr(destroying, "overwrite", extents.overwrite)
    assert acted.held() == [f"{ID}.going"]
    assert acted.holding.taken(acted.scope, ID) is None
    assert not acted.put_back(PLACE.path)
    assert acted.let_go() == "overwritten"
    assert acted.held() == []


def test_what_was_changed_in_the_hold_is_not_let_go(acted: Acted) -> None:
    reading = opened(acted.at(PLACE.path))
    taken(acted)
    with open(f"/proc/self/fd/{reading}", "ab") as file:  # a way that no directory closes
        file.write(b", and what came later")
    os.close(reading)
    with pytest.raises(ItemChanged):
        acted.let_go()
    again = acted.holding.taken(acted.scope, ID)  # somebody looks
    assert again is not None
    with again:
        assert os.pread(again.fileno(), 100, 0) == TEXT + b", and what came later"
    assert acted.let_go() in ("overwritten", "unlinked")


def test_what_was_changed_and_set_back_in_the_hold_is_not_let_go(acted: Acted) -> None:
    reading = opened(acted.at(PLACE.path))
    taken(acted)
    facts = os.stat(reading)
    with open(f"/proc/self/fd/{reading}", "r+b") as file:
        file.write(b"b")
    os.utime(reading, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    os.close(reading)
    with pytest.raises(ItemChanged):
        acted.let_go()
    assert acted.held() == [ID]


@pytest.mark.usefixtures("overwritten")
@pytest.mark.parametrize("missing", [(), ("leases",)], ids=["leases", "no leases"])
@pytest.mark.parametrize("moment", ["rename", "_open_for_writing"])
def test_what_is_written_to_at_the_last_moment_is_not_let_go(
    acted: Acted, monkeypatch: pytest.MonkeyPatch, moment: str, missing: tuple[str, ...]
) -> None:
    """Somebody had the file open before it was taken, and opens it by that for writing."""
    poorer(monkeypatch, *missing)
    reading = opened(acted.at(PLACE.path))
    taken(acted)
    where, writes = (Hold, []) if moment == "rename" else (destroying, [])
    true = getattr(where, moment)

    def meddle(*arguments: object) -> object:
        done = true(*arguments) if moment == "rename" else None
        if moment == "rename" or os.fsencode(f"{ID}.going") in arguments:
            with suppress(BlockingIOError):
                writing = os.open(f"/proc/self/fd/{reading}", os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK)
                writes.append(os.write(writing, b", and more"))
                os.close(writing)
        return done if moment == "rename" else true(*arguments)

    monkeypatch.setattr(where, moment, meddle)
    with pytest.raises(ItemChanged):
        acted.let_go()
    monkeypatch.undo()
    os.close(reading)
    assert acted.held() == [ID]
    again = acted.holding.taken(acted.scope, ID)
    assert again is not None
    with again:
        assert os.pread(again.fileno(), 100, 0) == TEXT + b", and more" * len(writes)
    assert acted.let_go() == "overwritten"


def test_what_somebody_writes_to_is_not_let_go(acted: Acted) -> None:
    reading = opened(acted.at(PLACE.path))
    taken(acted)
    with open(f"/proc/self/fd/{reading}", "ab"):
        with pytest.raises(LockedAtSource):
            acted.let_go()
        with pytest.raises(LockedAtSource):
            acted.holding.taken(acted.scope, ID)
    os.close(reading)
    assert acted.held() == [ID]


def test_what_is_still_open_is_not_let_go(acted: Acted) -> None:
    with acted.take(PLACE.path), pytest.raises(LockedAtSource):
        acted.let_go()
    assert acted.held() == [ID]
    assert acted.let_go() in ("overwritten", "unlinked")


@pytest.mark.parametrize("instead", [os.mkdir, os.mkfifo], ids=["folder", "fifo"])
def test_what_is_no_file_in_the_hold_is_neither_read_nor_let_go(acted: Acted, instead: Callable[[bytes], None]) -> None:
    taken(acted, id=OTHER_ID)
    instead(acted.in_hold())
    with pytest.raises(ItemChanged):
        acted.holding.taken(acted.scope, ID)
    with pytest.raises(ItemChanged):
        acted.let_go()
    assert acted.held() == [ID, OTHER_ID]


def test_content_is_no_longer_current_once_it_is_written_to(acted: Acted) -> None:
    reading = opened(acted.at(PLACE.path))
    with acted.take(PLACE.path) as content:
        assert content.still_current()
        with pytest.raises(BlockingIOError):
            os.open(f"/proc/self/fd/{reading}", os.O_WRONLY | os.O_NONBLOCK)
        assert not content.still_current()
    os.close(reading)


@pytest.mark.parametrize("change", ["mode", "times", "name"])
def test_content_is_no_longer_current_once_anything_is_changed(acted: Acted, change: str) -> None:
    with acted.take(PLACE.path) as content:
        match change:
            case "mode":
                os.chmod(acted.in_hold(), 0o640)
            case "times":
                os.utime(acted.in_hold(), (0, 0))
            case _:
                os.link(acted.in_hold(), acted.at(b"second name"))
        assert not content.still_current()


# Blocks


def test_data_and_holes_are_told_apart(tmp_path: Path) -> None:
    file = opened(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    try:
        assert [*extents.data_in(file, 0)] == [] == [*extents.holes_in(file, 0)]
        os.ftruncate(file, 1 << 20)
        assert [*extents.holes_in(file, 1 << 20)] == [(0, 1 << 20)]
        os.pwrite(file, b"a" * 4096, 65536)
        assert [*extents.data_in(file, 1 << 20)] == [(65536, 65536 + 4096)]
        assert [*extents.data_in(file, 65536)] == []
        assert [*extents.data_in(file, 65536 + 10, 65536 + 5)] == [(65536 + 5, 65536 + 10)]
        assert [*extents.holes_in(file, 1 << 20)] == [(0, 65536), (65536 + 4096, 1 << 20)]
        assert [*extents.holes_in(file, 65536 + 4096)] == [(0, 65536)]
    finally:
        os.close(file)


def test_a_fault_of_looking_for_data_is_told(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with pytest.raises(OSError, match="Illegal seek"):
        [*extents.data_in(reading, 1)]
    os.close(reading)
    os.close(writing)


def test_holes_are_made_again_only_where_zeros_lie(tmp_path: Path) -> None:
    file = opened(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    try:
        os.pwrite(file, bytes(1 << 20) + b"precious" + bytes((1 << 20) - 8), 0)
        extents.punch_again(file, [(0, 65536), (1 << 20, 3 << 20)])
        data = [*extents.data_in(file, 2 << 20)]
        assert data[0][0] in (0, 65536)
        assert os.pread(file, 2 << 20, 0) == bytes(1 << 20) + b"precious" + bytes((1 << 20) - 8)
    finally:
        os.close(file)


def test_where_no_holes_can_be_made_the_zeros_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extents, "punch", failing(errno.ENOTSUP))
    file = opened(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    os.pwrite(file, bytes(65536), 0)
    extents.punch_again(file, [(0, 65536)])
    assert os.pread(file, 65537, 0) == bytes(65536)
    os.close(file)


def test_many_stretches_are_all_asked_about(acted: Acted) -> None:
    with open(acted.at(PLACE.path), "r+b") as file:
        for number in range(200):
            os.pwrite(file.fileno(), b"a", number * 65536)
        assert extents.may_share(file.fileno()) in (False, not extents.written_in_place(file.fileno()))
        assert len([*extents.data_in(file.fileno(), 200 * 65536)]) == 200


def test_a_shared_stretch_among_many_is_found(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([[(0, 4096, 0), (4096, 4096, 0)], [(8192, 4096, 0x2000 | 0x1)]])

    def ioctl(descriptor: int, request: int, into: bytearray, mutate: bool) -> None:
        stretches = next(answers)
        struct.pack_into("=I", into, 20, len(stretches))
        for number, (start, length, flags) in enumerate(stretches):
            struct.pack_into("=QQQ16xI", into, 32 + 56 * number, start, 0, length, flags)

    monkeypatch.setattr("fcntl.ioctl", ioctl)
    assert extents.may_share(0)


def test_where_the_file_system_does_not_tell_blocks_may_be_shared(mount: Mount) -> None:
    with Acted(mount("-t", "tmpfs", "tmpfs")) as acted, open(acted.put(b"file"), "rb") as file:
        assert extents.may_share(file.fileno())
