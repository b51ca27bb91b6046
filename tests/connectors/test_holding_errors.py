"""What an acting half answers when a file or its folder does not let it act, or something fails midway."""

from __future__ import annotations

import errno
import mmap
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from connectors.base import ItemRef
from connectors.errors import (
    ConnectorError,
    HoldUnavailable,
    Immutable,
    ItemChanged,
    ItemNotFound,
    LockedAtSource,
    NoRoom,
    PermissionDenied,
    PlaceTaken,
    ReadOnlySource,
    ScopeUnavailable,
    SeveralNames,
    SourceFault,
)
from connectors.filesystem import changes, destroying, placing, properties, taking
from connectors.filesystem.faults import on_acting
from connectors.filesystem.hold import Hold
from connectors.holding import Doubt
from connectors.testing_acting import fills, sha256
from tests.connectors.acting import ID, Acted
from tests.connectors.conditions import (
    TEXT,
    as_nobody,
    as_root,
    failing,
    flag,
    needs_root,
    poorer,
)


@pytest.fixture
def acted(share: Path) -> Iterator[Acted]:
    with Acted(share) as acted:
        acted.put(b"HR/contract.txt")
        yield acted


def is_in_place(acted: Acted, content: bytes = TEXT) -> bool:
    return acted.read(b"HR/contract.txt") == content and acted.held() == []


# Marked against change


@pytest.mark.parametrize("letter", ["i", "a"])
def test_a_file_that_nobody_may_change_stays(acted: Acted, letter: str) -> None:
    with flag(acted.at(b"HR/contract.txt"), letter):
        with pytest.raises(Immutable):
            acted.take(b"HR/contract.txt")
        assert is_in_place(acted)


def test_of_a_folder_that_nobody_may_change_nothing_is_taken(acted: Acted) -> None:
    with flag(acted.at(b"HR"), "i"):
        with pytest.raises(Immutable):
            acted.take(b"HR/contract.txt")
        assert is_in_place(acted)


def test_into_a_folder_that_nobody_may_change_nothing_is_put(acted: Acted) -> None:
    with acted.take(b"HR/contract.txt") as content:
        had = content.taken.properties
    with flag(acted.at(b"HR"), "i"):
        with pytest.raises(Immutable):
            acted.put_back(b"HR/contract.txt")
        with pytest.raises(Immutable):
            acted.holding.make(acted.scope, ItemRef(b"HR", b"new"), had, fills(TEXT), sha256(TEXT))
        assert acted.held() == [ID]
    assert acted.put_back(b"HR/contract.txt")
    assert os.listdir(acted.at(b"HR")) == [b"contract.txt"]


def test_a_file_that_nobody_may_change_is_not_marked(acted: Acted) -> None:
    with flag(acted.at(b"HR/contract.txt"), "i"), pytest.raises(Immutable):
        acted.holding.mark(
            acted.scope, ItemRef(b"HR", b"contract.txt"), acted.version(b"HR/contract.txt"), {"state": "due"}
        )


# In use


def test_a_file_that_somebody_writes_to_stays_until_it_is_closed(acted: Acted) -> None:
    with open(acted.at(b"HR/contract.txt"), "ab"):
        with pytest.raises(LockedAtSource):
            acted.take(b"HR/contract.txt")
        assert is_in_place(acted)
    acted.take(b"HR/contract.txt").close()


def test_a_file_that_is_mapped_for_writing_counts_as_open(acted: Acted) -> None:
    with open(acted.at(b"HR/contract.txt"), "r+b") as file:
        mapped = mmap.mmap(file.fileno(), 0)
    with mapped, pytest.raises(LockedAtSource):
        acted.take(b"HR/contract.txt")
    assert is_in_place(acted)


def test_a_file_that_somebody_only_reads_is_taken(acted: Acted) -> None:
    with open(acted.at(b"HR/contract.txt"), "rb") as file:
        content = acted.take(b"HR/contract.txt")
        assert content.taken.doubts == frozenset()
        content.close()
        assert file.read() == TEXT


def test_without_leases_a_file_must_have_been_quiet_for_a_while(share: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poorer(monkeypatch, "leases")
    with Acted(share, quiet_seconds=1.0) as acted:
        acted.put(b"HR/contract.txt")
        os.utime(acted.at(b"HR/contract.txt"), (0, 0))  # what anybody can say of a file does not count
        with pytest.raises(LockedAtSource):
            acted.take(b"HR/contract.txt")
        time.sleep(1.1)
        with acted.take(b"HR/contract.txt") as content:
            assert content.taken.doubts == {Doubt.OPEN_UNKNOWN}
        again = acted.holding.taken(acted.scope, ID)
        assert again is not None
        assert again.taken.doubts == {Doubt.OPEN_UNKNOWN}
        again.close()


@needs_root
def test_whoever_may_ask_for_no_lease_must_wait_until_the_file_is_quiet(acted: Acted) -> None:
    with as_nobody() as folder, Acted(folder, quiet_seconds=60) as theirs:
        theirs.put(b"contract.txt")
        with as_root():
            os.chown(theirs.at(b"contract.txt"), 1000, 1000)
            os.chmod(theirs.at(b"contract.txt"), 0o644)
        with pytest.raises(LockedAtSource, match="touched"):
            theirs.take(b"contract.txt")


def test_a_program_that_runs_goes_and_goes_on_running(acted: Acted) -> None:
    program = acted.put(b"HR/program", Path("/bin/sleep").read_bytes())
    os.chmod(program, 0o700)
    running = subprocess.Popen([program, "60"])
    try:
        acted.take(b"HR/program").close()
        gone = acted.holding.let_go(acted.scope, ID)
        assert (gone.method, gone.doubts) in (
            ("unlinked", frozenset({Doubt.COPIES_ON_WRITE})),  # ETXTBSY
            ("overwritten", frozenset()),  # kernels that let a running program be written to
        )
        assert acted.held() == []
    finally:
        running.kill()
        running.wait()


# Another than was decided on


def test_a_file_with_another_name_stays(acted: Acted) -> None:
    os.link(acted.at(b"HR/contract.txt"), acted.at(b"second name"))
    with pytest.raises(SeveralNames):
        acted.take(b"HR/contract.txt")
    assert is_in_place(acted)


def test_an_edit_is_noticed_though_its_time_was_set_back(acted: Acted) -> None:
    version, facts = acted.version(b"HR/contract.txt"), os.stat(acted.at(b"HR/contract.txt"))
    acted.put(b"HR/contract.txt", b"b case")
    os.utime(acted.at(b"HR/contract.txt"), ns=(facts.st_atime_ns, facts.st_mtime_ns))
    with pytest.raises(ItemChanged):
        acted.take(b"HR/contract.txt", version=version)
    assert is_in_place(acted, b"b case")


def _fifo(place: bytes) -> None:
    os.mkfifo(place)


def _link(place: bytes) -> None:
    os.symlink(b"/etc/hostname", place)


def _socket(place: bytes) -> None:
    here = os.getcwd()
    os.chdir(os.path.dirname(place))  # the kernel takes short addresses only
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.basename(place))
    os.chdir(here)


@pytest.mark.parametrize("instead", [_fifo, _link, _socket, os.mkdir], ids=["fifo", "link", "socket", "folder"])
def test_what_is_no_file_any_more_is_left_alone(acted: Acted, instead: Callable[[bytes], None]) -> None:
    place, version = acted.at(b"HR/contract.txt"), acted.version(b"HR/contract.txt")
    os.unlink(place)
    instead(place)
    before = os.lstat(place)
    with pytest.raises(ItemChanged):
        acted.take(b"HR/contract.txt", version=version)
    assert os.lstat(place) == before
    assert acted.held() == []


@pytest.mark.parametrize("instead", [_fifo, _link, _socket, os.mkdir], ids=["fifo", "link", "socket", "folder"])
def test_what_is_no_file_is_a_taken_place(acted: Acted, instead: Callable[[bytes], None]) -> None:
    with acted.take(b"HR/contract.txt") as content:
        had = content.taken.properties
    instead(acted.at(b"HR/contract.txt"))
    with pytest.raises(PlaceTaken):
        acted.put_back(b"HR/contract.txt")
    with pytest.raises(PlaceTaken):
        acted.holding.make(acted.scope, ItemRef(b"HR", b"contract.txt"), had, fills(TEXT), sha256(TEXT))
    assert acted.held() == [ID]


def test_nothing_is_taken_through_a_link_that_came_in_place_of_a_folder(acted: Acted, tmp_path: Path) -> None:
    version = acted.version(b"HR/contract.txt")
    os.rename(acted.at(b"HR"), tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", acted.at(b"HR"))
    with pytest.raises(ItemChanged):
        acted.take(b"HR/contract.txt", version=version)
    assert os.listdir(tmp_path / "elsewhere") == ["contract.txt"]


def test_nothing_is_put_through_a_link_that_came_in_place_of_a_folder(acted: Acted, tmp_path: Path) -> None:
    with acted.take(b"HR/contract.txt") as content:
        had = content.taken.properties
    (tmp_path / "elsewhere").mkdir()
    os.rmdir(acted.at(b"HR"))
    os.symlink(tmp_path / "elsewhere", acted.at(b"HR"))
    with pytest.raises(PlaceTaken):
        acted.put_back(b"HR/contract.txt")
    with pytest.raises(PlaceTaken):
        acted.holding.make(acted.scope, ItemRef(b"HR/deeper", b"new"), had, fills(TEXT), sha256(TEXT))
    assert os.listdir(tmp_path / "elsewhere") == []
    assert acted.held() == [ID]


def test_nothing_is_marked_through_a_link(acted: Acted, tmp_path: Path) -> None:
    acted.put(b"HR/deeper/contract.txt")
    version = acted.version(b"HR/deeper/contract.txt")
    os.rename(acted.at(b"HR"), tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", acted.at(b"HR"))
    with pytest.raises(ItemChanged):
        acted.holding.mark(acted.scope, ItemRef(b"HR/deeper", b"contract.txt"), version, {"state": "due"})


def test_a_way_out_of_the_share_is_not_gone(acted: Acted, tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(TEXT)
    with pytest.raises(ConnectorError):
        acted.holding.take(acted.scope, ItemRef(b"..", b"outside"), b"1", ID)
    with pytest.raises(ConnectorError):
        acted.holding.take(acted.scope, ItemRef(b"HR", b"../../outside"), b"1", ID)


def test_what_is_gone_with_its_folder_is_not_found(acted: Acted) -> None:
    with pytest.raises(ItemNotFound):
        acted.holding.take(acted.scope, ItemRef(b"HR/old", b"contract.txt"), b"1", ID)


def test_an_id_that_is_none_is_refused(acted: Acted) -> None:
    for id in ("", "../" + "a" * 29, "A" * 32, "a" * 33):
        with pytest.raises(ValueError, match="hexadecimal"):
            acted.take(b"HR/contract.txt", id=id)
        with pytest.raises(ValueError, match="hexadecimal"):
            acted.let_go(id)


# At the last moment


def test_what_comes_into_the_place_at_the_last_moment_is_put_back(
    acted: Acted, monkeypatch: pytest.MonkeyPatch
) -> None:
    acted.put(b"HR/other.txt", b"precious")
    _before_moving(monkeypatch, lambda: os.rename(acted.at(b"HR/other.txt"), acted.at(b"HR/contract.txt")))
    with pytest.raises(ItemChanged):
        acted.take(b"HR/contract.txt")
    assert is_in_place(acted, b"precious")


@pytest.mark.parametrize("missing", [(), ("renames_new",)], ids=["rename", "link"])
def test_a_folder_that_comes_into_the_place_at_the_last_moment_is_put_back(
    acted: Acted, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...]
) -> None:
    poorer(monkeypatch, *missing)
    acted.put(b"HR/folder/inside", b"precious")

    def swap() -> None:
        os.unlink(acted.at(b"HR/contract.txt"))
        os.rename(acted.at(b"HR/folder"), acted.at(b"HR/contract.txt"))

    _before_moving(monkeypatch, swap)
    with pytest.raises(ItemChanged):
        acted.take(b"HR/contract.txt")
    assert acted.read(b"HR/contract.txt/inside") == b"precious"
    assert acted.held() == []


def test_an_edit_while_it_is_asked_who_writes_is_noticed(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither size nor time shows it, and the lease comes too late to tell of it."""
    nobody_writes = taking.nobody_writes

    def late(descriptor: int, hold: Hold) -> bool:
        facts = os.fstat(descriptor)
        acted.put(b"HR/contract.txt", b"b case")
        os.utime(acted.at(b"HR/contract.txt"), ns=(facts.st_atime_ns, facts.st_mtime_ns))
        return nobody_writes(descriptor, hold)

    monkeypatch.setattr(taking, "nobody_writes", late)
    with pytest.raises(ItemChanged):
        acted.take(b"HR/contract.txt")
    assert is_in_place(acted, b"b case")


def test_a_further_name_at_the_last_moment_is_noticed(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    _before_moving(monkeypatch, lambda: os.link(acted.at(b"HR/contract.txt"), acted.at(b"second name")))
    with pytest.raises(SeveralNames):
        acted.take(b"HR/contract.txt")
    assert is_in_place(acted)


def test_a_writer_at_the_last_moment_is_noticed(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    def begin_to_write() -> None:
        with suppress(BlockingIOError):
            os.close(os.open(acted.at(b"HR/contract.txt"), os.O_WRONLY | os.O_NONBLOCK))

    _before_moving(monkeypatch, begin_to_write)
    with pytest.raises(LockedAtSource):
        acted.take(b"HR/contract.txt")
    assert is_in_place(acted)


def test_an_edit_at_the_last_moment_is_noticed_without_leases(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    poorer(monkeypatch, "leases")
    _before_moving(monkeypatch, lambda: acted.put(b"HR/contract.txt", b"b case"))
    with pytest.raises(ItemChanged):
        acted.take(b"HR/contract.txt")
    assert is_in_place(acted, b"b case")


def test_a_change_while_properties_are_read_is_noticed(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    collect = properties.collect

    def changed_meanwhile(descriptor: int, way: tuple[()]) -> object:
        found = collect(descriptor, way)
        os.fchmod(descriptor, 0o640)
        return found

    monkeypatch.setattr(properties, "collect", changed_meanwhile)
    with pytest.raises(ItemChanged):
        acted.take(b"HR/contract.txt")
    assert is_in_place(acted)


def test_what_cannot_go_back_stays_in_the_hold_and_is_told(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody exchanges the file, and has put a third one there when ours notices."""
    acted.put(b"HR/other.txt", b"precious")
    _before_moving(monkeypatch, lambda: os.rename(acted.at(b"HR/other.txt"), acted.at(b"HR/contract.txt")))
    settle = taking._settle

    def settle_late(*arguments: object, **named: object) -> object:
        acted.put(b"HR/contract.txt", b"a third")
        return settle(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(taking, "_settle", settle_late)
    with pytest.raises(PlaceTaken):
        acted.take(b"HR/contract.txt")
    assert acted.read(b"HR/contract.txt") == b"a third"
    with open(acted.in_hold(), "rb") as file:
        assert file.read() == b"precious"


def _before_moving(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Something that somebody does right before the file is moved into the hold."""
    move_in = Hold.move_in

    def moved(hold: Hold, folder: int, name: bytes, to: bytes) -> None:
        act()
        move_in(hold, folder, name, to)

    monkeypatch.setattr(Hold, "move_in", moved)


# Faults


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.EROFS, ReadOnlySource),
        (errno.ENOSPC, NoRoom),
        (errno.EDQUOT, NoRoom),
        (errno.EXDEV, HoldUnavailable),
        (errno.EEXIST, PlaceTaken),
        (errno.EPERM, PermissionDenied),
        (errno.EACCES, PermissionDenied),
        (errno.ETXTBSY, LockedAtSource),
        (errno.EBUSY, LockedAtSource),
        (errno.ESTALE, ScopeUnavailable),
        (errno.ENOTCONN, ScopeUnavailable),
        (errno.EHOSTDOWN, ScopeUnavailable),
        (errno.EIO, SourceFault),
        (errno.ENAMETOOLONG, SourceFault),
    ],
    ids=lambda value: errno.errorcode[value] if isinstance(value, int) else "",
)
def test_every_fault_has_its_error(number: int, error: type[ConnectorError]) -> None:
    found = on_acting(OSError(number, "said", b"a name that must not be told"))
    assert type(found) is error
    assert "name that" not in str(found)


@pytest.mark.parametrize("missing", [(), ("renames_new",)], ids=["rename", "link"])
def test_what_could_not_be_made_durable_is_put_back(
    acted: Acted, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...]
) -> None:
    poorer(monkeypatch, *missing)
    monkeypatch.setattr(taking, "sync", failing(errno.EIO))
    with pytest.raises(SourceFault):
        acted.take(b"HR/contract.txt")
    assert is_in_place(acted)


def test_what_can_be_moved_neither_in_nor_back_is_told_to_lie_in_the_hold(
    acted: Acted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "sync", failing(errno.EIO))
    monkeypatch.setattr("connectors.filesystem.hold.Hold.move_out", failing(errno.EIO))
    with pytest.raises(PlaceTaken, match="stays in the hold"):
        acted.take(b"HR/contract.txt")
    assert acted.held() == [ID]


@pytest.mark.parametrize("module", [taking, placing], ids=["taking", "placing"])
def test_a_fault_says_nothing_of_the_item(acted: Acted, monkeypatch: pytest.MonkeyPatch, module: object) -> None:
    monkeypatch.setattr(module, "make_folders", failing(errno.EIO))
    with acted.take(b"HR/contract.txt") as content:
        had = content.taken.properties
    ref = ItemRef(b"HR", b"contract.txt")
    with pytest.raises(SourceFault) as told:
        if module is taking:
            acted.put_back(b"HR/contract.txt")
        else:
            acted.holding.make(acted.scope, ref, had, fills(TEXT), sha256(TEXT))
    assert "contract" not in str(told.value)


def test_a_disk_that_takes_no_zeros_is_told(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destroying, "written_in_place", lambda descriptor: True)
    monkeypatch.setattr(destroying, "may_share", lambda descriptor: False)
    monkeypatch.setattr(destroying, "overwrite", failing(errno.EIO))
    acted.take(b"HR/contract.txt").close()
    gone = acted.holding.let_go(acted.scope, ID)
    assert (gone.method, gone.doubts) == ("unlinked", frozenset({Doubt.COPIES_ON_WRITE}))
    assert acted.held() == []


def test_content_that_may_be_shared_is_told(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destroying, "written_in_place", lambda descriptor: True)
    monkeypatch.setattr(destroying, "may_share", lambda descriptor: True)
    acted.take(b"HR/contract.txt").close()
    gone = acted.holding.let_go(acted.scope, ID)
    assert (gone.method, gone.doubts) == ("unlinked", frozenset({Doubt.SHARED_EXTENTS}))


def test_what_somebody_puts_there_first_and_takes_away_again_is_a_taken_place(
    acted: Acted, monkeypatch: pytest.MonkeyPatch
) -> None:
    with acted.take(b"HR/contract.txt") as content:
        had = content.taken.properties
    monkeypatch.setattr("connectors.filesystem.hold.Hold.place", failing(errno.EEXIST))
    with pytest.raises(PlaceTaken):
        acted.holding.make(acted.scope, ItemRef(b"HR", b"contract.txt"), had, fills(TEXT), sha256(TEXT))


def test_a_fault_of_what_lies_in_the_place_is_no_taken_place(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    with acted.take(b"HR/contract.txt") as content:
        had = content.taken.properties
    monkeypatch.setattr(placing, "open_file", failing(errno.EIO))
    with pytest.raises(SourceFault):
        acted.holding.make(acted.scope, ItemRef(b"HR", b"contract.txt"), had, fills(TEXT), sha256(TEXT))


# The kernel's word on leases


def test_whoever_opens_a_leased_file_does_not_end_us(tmp_path: Path) -> None:
    """By default the kernel tells the holder of a lease by a signal that ends it."""
    file = tmp_path / "file"
    file.write_bytes(TEXT)
    code = (
        "import os, sys\n"
        "from connectors.filesystem.leases import lease, lease_holds\n"
        "descriptor = os.open(sys.argv[1], os.O_RDONLY)\n"
        "got = lease(descriptor)\n"
        "print(got, flush=True)\n"
        "sys.stdin.readline()\n"
        "print(lease_holds(descriptor) if got else False, flush=True)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, file],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child.stdin, child.stdout:
        if child.stdout.readline().strip() != "True":
            pytest.skip("there are no leases here")
        with pytest.raises(BlockingIOError):
            os.open(file, os.O_WRONLY | os.O_NONBLOCK)
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.stdout.readline().strip() == "False"
    assert child.wait() == 0, f"ended by {signal.Signals(-child.returncode).name if child.returncode < 0 else ''}"


def test_an_error_of_a_rename_is_the_systems(tmp_path: Path) -> None:
    directory = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(FileNotFoundError):
            changes.rename_new(directory, b"missing", directory, b"new")
    finally:
        os.close(directory)
