"""The filesystem connector on the files that break others."""

from __future__ import annotations

import errno
import os
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.base import (
    FailReason,
    FolderFailed,
    FolderGone,
    FolderSkipped,
    Found,
    Item,
    ItemRef,
    KnowsNothing,
    Page,
    Scope,
    Skipped,
    SkipReason,
)
from connectors.errors import (
    AccessTimeWouldChange,
    ItemChanged,
    LockedAtSource,
    Offline,
    PermissionDenied,
    ScopeUnavailable,
    Sparse,
)
from connectors.filesystem import content as content_module
from connectors.filesystem import linux
from connectors.filesystem.attributes import dos_attributes
from connectors.filesystem.connector import FilesystemConnector
from connectors.testing import Remembered, found

as_root = pytest.mark.root
not_as_root = "only root can do this"
Open = Callable[..., FilesystemConnector]
MANY = 100_000 if "RETENTIOND_TEST_LONG" in os.environ else 20_000


@pytest.fixture
def share(tmp_path: Path) -> Path:
    folder = tmp_path / "share"
    folder.mkdir()
    return folder


@pytest.fixture
def connect(share: Path) -> Iterator[Open]:
    made: list[FilesystemConnector] = []

    def connect(path: Path = share, **options: object) -> FilesystemConnector:
        made.append(FilesystemConnector(os.fsencode(path), "share", **options))  # type: ignore[arg-type]
        return made[-1]

    yield connect
    for connector in made:
        connector.close()


def scope_of(connector: FilesystemConnector) -> Scope:
    return connector.scopes()[0]


def pages_of(connector: FilesystemConnector) -> list[Page]:
    return list(connector.changes(scope_of(connector), KnowsNothing()))


def changes_of(connector: FilesystemConnector) -> list[object]:
    return [change for page in pages_of(connector) for change in page.changes]


def the_item(connector: FilesystemConnector) -> Item:
    (item,) = found(pages_of(connector))
    return item


def read(connector: FilesystemConnector, item: Item) -> bytes:
    with connector.open(scope_of(connector), item) as content:
        return os.pread(content.fileno(), 1 << 20, 0)


def skipped(connector: FilesystemConnector) -> dict[bytes, SkipReason]:
    return {change.item.ref.path: change.reason for change in changes_of(connector) if isinstance(change, Skipped)}


def _set_attribute(path: Path, name: str, value: bytes) -> None:
    try:
        os.setxattr(path, name, value)
    except OSError:
        pytest.skip("this file system keeps no extended attributes")


# Names


def test_a_name_of_255_bytes_is_found_and_read(share: Path, connect: Open) -> None:
    name = ("ü" * 127 + "x").encode()
    assert len(name) == 255
    (share / os.fsdecode(name)).write_bytes(b"content")
    connector = connect()
    assert the_item(connector).ref.name == name
    assert read(connector, the_item(connector)) == b"content"


@pytest.mark.parametrize("name", [b"\xff\xfe.txt", b"caf\xe9", b"line\nbreak", b"\\x41", b" ", b"-rf", b"\xed\xa0\x80"])
def test_a_name_that_is_no_text_is_kept_byte_for_byte(share: Path, connect: Open, name: bytes) -> None:
    with open(os.path.join(os.fsencode(share), name), "wb") as file:
        file.write(b"content")
    connector = connect()
    item = the_item(connector)
    assert item.ref.name == name
    assert ItemRef.parse(str(item.ref)) == item.ref
    assert str(item.ref).isprintable()
    assert read(connector, item) == b"content"


def test_a_path_of_more_than_4096_bytes_is_walked_and_read(share: Path, connect: Open) -> None:
    depth, part = 30, b"d" * 200
    here = os.open(share, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(part, dir_fd=here)
        deeper = os.open(part, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    with open(os.open(b"deep.txt", os.O_WRONLY | os.O_CREAT, dir_fd=here), "wb") as file:
        file.write(b"content")
    os.close(here)
    connector = connect()
    item = the_item(connector)
    assert len(item.ref.path) > 6000
    assert read(connector, item) == b"content"
    subprocess.run(["rm", "-rf", str(share)], check=True)  # shutil knows no such depth


@pytest.mark.slow
def test_many_files_in_one_folder_come_in_pages_and_are_unchanged_the_next_time(share: Path, connect: Open) -> None:
    here = os.open(share, os.O_RDONLY)
    for number in range(MANY):
        os.close(os.open(b"%d" % number, os.O_WRONLY | os.O_CREAT, dir_fd=here))
    os.close(here)
    connector = connect()
    known = Remembered()
    most = 0
    for page in connector.changes(scope_of(connector), KnowsNothing()):
        most = max(most, len(page.changes))
        known.store([page])
    assert len(known.items) == MANY
    assert most <= 1000
    names = {ref.name: version for ref, version in known.items.items()}
    known.versions = lambda folder: names  # type: ignore[method-assign]
    again = list(connector.changes(scope_of(connector), known))
    assert sum(page.seen for page in again) == MANY
    assert all(page.changes == () for page in again)


# Special files and links


def test_a_named_pipe_a_socket_and_links_are_skipped_without_being_opened(share: Path, connect: Open) -> None:
    os.mkfifo(share / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(share / "socket"))
    (share / "to a file").symlink_to("/etc/passwd")
    (share / "to the folder").symlink_to(".")
    (share / "loop").symlink_to("loop")
    connector = connect()
    assert skipped(connector) == {
        b"pipe": SkipReason.FIFO,
        b"socket": SkipReason.SOCKET,
        b"to a file": SkipReason.SYMBOLIC_LINK,
        b"to the folder": SkipReason.SYMBOLIC_LINK,
        b"loop": SkipReason.SYMBOLIC_LINK,
    }
    assert sum(page.seen for page in pages_of(connector)) == 5


@as_root
@pytest.mark.skipif(os.geteuid() != 0, reason=not_as_root)
def test_devices_are_skipped(share: Path, connect: Open) -> None:
    os.mknod(share / "null", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    os.mknod(share / "disk", stat.S_IFBLK | 0o600, os.makedev(7, 200))
    assert set(skipped(connect()).values()) == {SkipReason.DEVICE}


@pytest.mark.parametrize("replacement", ["pipe", "link", "folder"])
def test_a_file_that_was_replaced_after_the_listing_is_not_opened(share: Path, connect: Open, replacement: str) -> None:
    (share / "file").write_bytes(b"content")
    connector = connect()
    item = the_item(connector)
    (share / "file").unlink()
    if replacement == "pipe":
        os.mkfifo(share / "file")
    elif replacement == "link":
        (share / "file").symlink_to("/etc/passwd")
    else:
        (share / "file").mkdir()
    with pytest.raises(ItemChanged):
        connector.open(scope_of(connector), item)


def test_a_folder_that_became_a_link_leads_nowhere(share: Path, connect: Open, tmp_path: Path) -> None:
    (share / "folder").mkdir()
    (share / "folder" / "file").write_bytes(b"content")
    connector = connect()
    item = the_item(connector)
    (share / "folder").rename(tmp_path / "elsewhere")
    (share / "folder").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ItemChanged):
        connector.open(scope_of(connector), item)


def test_all_names_of_one_file_share_its_id(share: Path, connect: Open) -> None:
    (share / "a").write_bytes(b"content")
    os.link(share / "a", share / "b")
    (share / "c").write_bytes(b"content")
    items = {item.ref.name: item for item in found(pages_of(connect()))}
    assert items[b"a"].file_id == items[b"b"].file_id != items[b"c"].file_id
    assert [items[name].link_count for name in (b"a", b"b", b"c")] == [2, 2, 1]


# Folders that move, fail or are left out


def test_a_folder_that_vanishes_while_the_share_is_walked_is_told_as_gone(share: Path, connect: Open) -> None:
    for name in ("a", "b"):
        (share / name).mkdir()
        (share / name / "file").write_bytes(b"x")
    connector = connect()
    pages = connector.changes(scope_of(connector), KnowsNothing())
    next(pages)
    subprocess.run(["rm", "-r", str(share / "b")], check=True)
    rest = [change for page in pages for change in page.changes]
    assert FolderGone(b"b") in rest
    assert [change.item.ref.path for change in rest if isinstance(change, Found)] == [b"a/file"]


def test_a_file_that_vanishes_between_listing_and_looking_is_not_counted(
    share: Path, connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.filesystem.walk._CHANGES_PER_PAGE", 1)
    for name in "abc":
        (share / name).write_bytes(b"x")
    connector = connect()
    pages = connector.changes(scope_of(connector), KnowsNothing())
    first = next(pages)
    (share / "b").unlink()
    rest = list(pages)
    assert first.seen + sum(page.seen for page in rest) == 2


def test_a_folder_emptied_between_two_runs_of_one_walk_is_told_only_as_far_as_it_was_not_counted(
    share: Path, connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.filesystem.walk._CHANGES_PER_PAGE", 1)
    for path in ("a/1", "a/2", "a/3", "a/below/4", "b/5", "c/6"):
        (share / path).parent.mkdir(parents=True, exist_ok=True)
        (share / path).write_bytes(b"x")
    connector = connect()
    known = Remembered()
    known.store(pages_of(connector))
    for path in known.items:
        known.items[path] = b"older"
    stopped = []
    for page in connector.changes(scope_of(connector), known):
        stopped.append(page)
        if any(item.ref.path == b"a/2" for item in found([page])):
            break
    known.store(stopped)
    subprocess.run(["rm", "-r", str(share / "a"), str(share / "b")], check=True)
    rest = list(connector.changes(scope_of(connector), known, stopped[-1].cursor))
    known.store(rest)
    seen = sum(page.seen for page in stopped + rest)
    assert sorted(ref.path for ref in known.items) == [b"a/1", b"a/2", b"c/6"]  # the first two were counted: next time
    assert seen == len(known.items)


def test_our_own_state_is_left_out_wherever_it_lies(share: Path, connect: Open) -> None:
    (share / "deep" / "state").mkdir(parents=True)
    (share / "deep" / "state" / "catalogue.sqlite").write_bytes(b"x")
    connector = connect(excluded=[os.fsencode(share / "deep" / "state"), b"/does/not/exist"])
    assert changes_of(connector) == [FolderSkipped(b"deep/state", SkipReason.OWN_STATE)]


@as_root
@pytest.mark.skipif(os.geteuid() != 0, reason=not_as_root)
def test_another_file_system_mounted_inside_is_not_entered(share: Path, connect: Open) -> None:
    inside, bound = share / "inside", share / "bound"
    for folder in (inside, bound, share / "own"):
        folder.mkdir()
    mounted = []
    try:
        for arguments in (["-t", "tmpfs", "none", str(inside)], ["--bind", str(share / "own"), str(bound)]):
            if subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode:
                pytest.skip("mounting is not allowed here")
            mounted.append(arguments[-1])
        (inside / "file").write_bytes(b"x")
        assert [change for change in changes_of(connect()) if not isinstance(change, Found)] == [
            FolderSkipped(b"bound", SkipReason.OTHER_MOUNT),
            FolderSkipped(b"inside", SkipReason.OTHER_MOUNT),
        ]
    finally:
        for path in mounted:
            subprocess.run(["umount", path], check=True)


@as_root
@pytest.mark.skipif(os.geteuid() != 0, reason=not_as_root)
def test_an_unmounted_share_is_unavailable_and_never_empty(share: Path, connect: Open) -> None:
    if subprocess.run(["mount", "-t", "tmpfs", "none", str(share)], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        (share / "file").write_bytes(b"x")
        connector = connect()
        scope = scope_of(connector)
        assert len(found(connector.changes(scope, KnowsNothing()))) == 1
    finally:
        subprocess.run(["umount", "-l", str(share)], check=True)
    with pytest.raises(ScopeUnavailable, match="another file system answers here"):
        list(connector.changes(scope, KnowsNothing()))
    assert scope_of(connect()).identity != scope.identity


def test_a_share_that_is_replaced_while_it_is_walked_is_unavailable_at_the_end(
    share: Path, connect: Open, tmp_path: Path
) -> None:
    (share / "file").write_bytes(b"x")
    connector = connect()
    pages = connector.changes(scope_of(connector), KnowsNothing())
    next(pages)
    share.rename(tmp_path / "moved")
    share.mkdir()
    with pytest.raises(ScopeUnavailable):
        list(pages)


@pytest.mark.parametrize(("kind", "said"), [("missing", "no such folder"), ("file", "not a folder")])
def test_a_root_that_is_no_folder_is_unavailable(tmp_path: Path, connect: Open, kind: str, said: str) -> None:
    if kind == "file":
        (tmp_path / "root").write_bytes(b"x")
    with pytest.raises(ScopeUnavailable, match=said):
        connect(tmp_path / "root").scopes()


@pytest.mark.parametrize("fault", [errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN])
def test_a_file_system_that_goes_away_midway_makes_the_share_unavailable(
    share: Path, connect: Open, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    (share / "folder").mkdir()
    connector = connect()
    pages = connector.changes(scope_of(connector), KnowsNothing())
    next(pages)
    monkeypatch.setattr("connectors.filesystem.walk.open_beneath", _raising(fault))
    with pytest.raises(ScopeUnavailable):
        list(pages)


def test_a_folder_with_a_disk_fault_fails_and_the_walk_goes_on(
    share: Path, connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "ab":
        (share / name).mkdir()
        (share / name / "file").write_bytes(b"x")
    working = linux.open_beneath

    def faulty(directory: int, path: bytes, flags: int) -> int:
        if path == b"a":
            raise OSError(errno.EIO, "Input/output error")
        return working(directory, path, flags)

    monkeypatch.setattr("connectors.filesystem.walk.open_beneath", faulty)
    changes = changes_of(connect())
    assert FolderFailed(b"a", FailReason.IO_ERROR) in changes
    assert any(isinstance(change, Found) and change.item.ref.path == b"b/file" for change in changes)


def _raising(fault: int) -> Callable[..., int]:
    def fail(*_: object) -> int:
        raise OSError(fault, os.strerror(fault))

    return fail


# Leaving no trace


def _trace(path: Path) -> tuple[object, ...]:
    facts = os.lstat(path)
    return facts.st_atime_ns, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_mode, sorted(os.listxattr(path))


def test_looking_and_reading_leave_no_trace(share: Path, connect: Open) -> None:
    (share / "folder").mkdir()
    file = share / "folder" / "file"
    file.write_bytes(b"content")
    _set_attribute(file, "user.retentiond.class", b"payroll")
    long_ago = 1_200_000_000 * 10**9
    for path in (file, share / "folder", share):
        os.utime(path, ns=(long_ago, long_ago + 1))  # an access time before the change: the next reader would move it
    before = [_trace(path) for path in (file, share / "folder", share)]
    connector = connect()
    assert connector.capabilities.keeps_access_time
    assert read(connector, the_item(connector)) == b"content"
    assert [_trace(path) for path in (file, share / "folder", share)] == before


_AS_SOMEBODY_ELSE = """
import os, sys
from connectors.base import KnowsNothing
from connectors.filesystem.connector import FilesystemConnector
from connectors.errors import ConnectorError
from connectors.testing import found
os.setgid(65534); os.setuid(65534)
connector = FilesystemConnector(os.fsencode(sys.argv[1]), "share", may_change_access_times=sys.argv[2] == "may")
scope = connector.scopes()[0]
pages = list(connector.changes(scope, KnowsNothing()))
for page in pages:
    for change in page.changes:
        print(type(change).__name__, getattr(change, "reason", ""))
for item in found(pages):
    try:
        with connector.open(scope, item) as content:
            print(item.ref, os.read(content.fileno(), 100))
    except ConnectorError as error:
        print(item.ref, type(error).__name__)
print(connector.capabilities.keeps_access_time)
"""


@as_root
@pytest.mark.skipif(os.geteuid() != 0, reason=not_as_root)
@pytest.mark.parametrize("allowed", ["keep", "may"])
def test_who_may_not_keep_access_times_reads_only_if_told_to(allowed: str) -> None:
    with _readable_by_all() as share:
        (share / "open").write_bytes(b"content")
        (share / "open").chmod(0o644)
        (share / "closed").write_bytes(b"secret")
        (share / "closed").chmod(0o600)
        (share / "folder").mkdir(mode=0o700)
        said = subprocess.run(
            [sys.executable, "-c", _AS_SOMEBODY_ELSE, str(share), allowed],
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[2],
            check=True,
        ).stdout.splitlines()
    assert "closed PermissionDenied" in said
    assert "FolderFailed permission_denied" in said
    assert ("open b'content'" if allowed == "may" else "open AccessTimeWouldChange") in said
    assert said[-1] == "False"


@contextmanager
def _readable_by_all() -> Iterator[Path]:
    """A folder outside pytest's own, which nobody but its owner may enter."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_file_that_may_not_be_read_is_told_as_denied(
    share: Path, connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    (share / "file").write_bytes(b"x")
    connector = connect()
    item = the_item(connector)
    monkeypatch.setattr(content_module, "open_beneath", _raising(errno.EACCES))
    with pytest.raises(PermissionDenied):
        connector.open(scope_of(connector), item)


@pytest.mark.parametrize("allowed", [True, False])
def test_without_the_right_to_keep_access_times_a_file_is_refused_unless_allowed(
    share: Path, connect: Open, monkeypatch: pytest.MonkeyPatch, allowed: bool
) -> None:
    (share / "file").write_bytes(b"content")
    connector = connect(may_change_access_times=allowed)
    item = the_item(connector)
    working = linux.open_beneath

    def not_the_owner(directory: int, path: bytes, flags: int) -> int:
        if flags & os.O_NOATIME:
            raise OSError(errno.EPERM, "Operation not permitted")
        return working(directory, path, flags)

    monkeypatch.setattr(content_module, "open_beneath", not_the_owner)
    monkeypatch.setattr(content_module, "mount_keeps_access_times", lambda descriptor: False)
    if allowed:
        assert read(connector, item) == b"content"
    else:
        with pytest.raises(AccessTimeWouldChange):
            connector.open(scope_of(connector), item)


# Content that is not what it seems


def test_a_file_that_grows_while_it_is_read_is_no_longer_current(share: Path, connect: Open) -> None:
    (share / "log").write_bytes(b"first\n")
    connector = connect()
    with connector.open(scope_of(connector), the_item(connector)) as content:
        assert content.still_current()
        with (share / "log").open("ab") as log:
            log.write(b"second\n")
        assert not content.still_current()


def test_an_edit_that_sets_back_the_time_is_noticed(share: Path, connect: Open) -> None:
    (share / "file").write_bytes(b"content")
    connector = connect()
    item = the_item(connector)
    facts = (share / "file").stat()
    time.sleep(0.02)  # file systems count time in ticks of the kernel
    (share / "file").write_bytes(b"CONTENT")
    os.utime(share / "file", ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert (share / "file").stat().st_mtime_ns == facts.st_mtime_ns
    assert the_item(connector).version != item.version


def test_a_file_of_holes_is_not_read(share: Path, connect: Open) -> None:
    with (share / "sparse").open("wb") as file:
        file.write(b"start")
        file.truncate(1 << 34)
    connector = connect()
    with pytest.raises(Sparse):
        connector.open(scope_of(connector), the_item(connector))


def test_a_small_hole_does_no_harm(share: Path, connect: Open) -> None:
    with (share / "file").open("wb") as file:
        file.truncate(500_000)
    connector = connect()
    assert read(connector, the_item(connector)) == bytes(500_000)


def test_a_file_of_which_nothing_is_stored_is_not_fetched(
    share: Path, connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (share / "stub").open("wb") as file:
        file.truncate(500_000)
    connector = connect()
    item = the_item(connector)
    monkeypatch.setattr(content_module, "stored_bytes", lambda descriptor, size: size)  # as a store of stubs answers
    monkeypatch.setattr(content_module, "_SETTLED_SECONDS", -1)
    with pytest.raises(Offline):
        connector.open(scope_of(connector), item)


def _samba(attributes: int, version: int = 5) -> bytes:
    return struct.pack("<HHHHII8x", 0, version, version, 0, 0x11, attributes)


@pytest.mark.parametrize(
    ("name", "value", "offline"),
    [
        ("user.DOSATTRIB", _samba(0x1020), True),
        ("user.DOSATTRIB", _samba(0x400020, 3), True),
        ("user.DOSATTRIB", _samba(0x20), False),
        ("user.DOSATTRIB", b"0x1020\0", True),
        ("user.DOSATTRIB", b"", False),
        ("user.DOSATTRIB", b"\0\0\x09\0\x09\0\0\0\x11\0\0\0\xff\xff\xff\xff", False),
        ("user.cifs.dosattrib", struct.pack("<I", 0x40000), True),
        ("user.cifs.dosattrib", struct.pack("<I", 0x20), False),
    ],
)
def test_the_offline_attribute_of_windows_is_heeded(
    share: Path, connect: Open, name: str, value: bytes, offline: bool
) -> None:
    (share / "stub").write_bytes(b"x")
    _set_attribute(share / "stub", name, value)
    assert skipped(connect()) == ({b"stub": SkipReason.OFFLINE} if offline else {})


def test_samba_writes_its_attributes_in_a_form_that_we_read() -> None:
    as_written = bytes.fromhex("0000050005000000110000002000000000d3f2b1a0c4d901")
    assert dos_attributes(as_written) == 0x20


def test_a_file_that_a_file_server_has_leased_is_told_as_locked(share: Path, connect: Open) -> None:
    import fcntl
    import signal

    (share / "file").write_bytes(b"x")
    connector = connect()
    item = the_item(connector)
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)  # how the holder of a lease hears of us
    holder = os.open(share / "file", os.O_WRONLY)
    try:
        try:
            fcntl.fcntl(holder, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError:
            pytest.skip("this file system knows no leases")
        with pytest.raises(LockedAtSource):
            connector.open(scope_of(connector), item)
    finally:
        fcntl.fcntl(holder, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        os.close(holder)
        signal.signal(signal.SIGIO, before)


# Facts


def test_times_owner_and_marks_of_a_file_are_told(share: Path, connect: Open) -> None:
    file = share / "file"
    file.write_bytes(b"content")
    _set_attribute(file, "user.retentiond.class", "payroll – Löhne".encode())
    _set_attribute(file, "user.other", b"not ours")
    os.utime(file, ns=(1_600_000_000_000_000_000, 1_500_000_000_123_456_789))
    item = the_item(connect())
    assert item.modified_at == datetime(2017, 7, 14, 2, 40, 0, 123456, tzinfo=UTC)
    assert item.accessed_at == datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)
    assert item.created_at is None or abs(item.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert item.marks == {"user.retentiond.class": "payroll – Löhne"}
    assert item.owner == f"{os.geteuid()}:{os.getegid()}"


def test_times_beyond_the_calendar_are_its_ends(share: Path, connect: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    from connectors.filesystem.facts import moment

    assert moment(2**63 - 1).year == 2262
    assert moment(10**24).year == 9999
    assert moment(-(10**24)).year == 1


# The kernel


@pytest.mark.parametrize("opener", [linux.open_beneath, linux.open_stepwise])
def test_nothing_outside_a_folder_can_be_opened_through_it(share: Path, opener: Callable[..., int]) -> None:
    (share / "folder").mkdir()
    (share / "folder" / "file").write_bytes(b"x")
    (share / "link").symlink_to("folder")
    (share / "out").symlink_to("/etc/passwd")
    root = os.open(share, os.O_RDONLY)
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        os.close(opener(root, b"folder/file", flags))
        for path in (b"../share", b"/etc/passwd", b"folder/../../share"):
            with pytest.raises(OSError, match="cross-device"):
                opener(root, path, flags)
        for path in (b"out", b"link/file"):
            with pytest.raises(OSError, match=r"symbolic links|Not a directory"):
                opener(root, path, flags)
        with pytest.raises(FileNotFoundError):
            opener(root, b"folder/none", flags)
    finally:
        os.close(root)


def test_no_descriptor_is_left_open(share: Path, connect: Open) -> None:
    for path in ("a/b/c/1", "a/2", "d/3"):
        (share / path).parent.mkdir(parents=True, exist_ok=True)
        (share / path).write_bytes(b"x")
    before = len(os.listdir("/proc/self/fd"))
    connector = connect()
    for item in found(pages_of(connector)):
        read(connector, item)
    next(iter(connector.changes(scope_of(connector), KnowsNothing()))).seen  # noqa: B018 — stopped midway
    connector.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_walk_beside_a_busy_writer_ends(share: Path, connect: Open) -> None:
    stop = threading.Event()

    def churn() -> None:
        number = 0
        while not stop.is_set():
            folder = share / f"{number % 7}"
            folder.mkdir(exist_ok=True)
            (folder / f"{number}").write_bytes(b"x")
            if number % 5 == 0:
                subprocess.run(["rm", "-rf", str(folder)], check=False)
            number += 1

    writer = threading.Thread(target=churn)
    writer.start()
    try:
        for _ in range(20):
            connector = connect()
            changes = changes_of(connector)
            assert not any(isinstance(change, FolderFailed) for change in changes)
    finally:
        stop.set()
        writer.join()
