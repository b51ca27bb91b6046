"""A file that was destroyed and is made anew is the file that it was: property tests over files of every sort, and over
thousands with RETENTIOND_TEST_LONG in the environment."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import stat
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import ItemRef
from connectors.testing_acting import fills, sha256
from tests.connectors.acting import Acted

ROOT = os.geteuid() == 0
MANY = 2_000 if "RETENTIOND_TEST_LONG" in os.environ else 250
READABLE = 0 if ROOT else 4  # by its owner; nobody but root could take, or look at, a file that is not
BLOCK = 4096
ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
_GETFLAGS, _SETFLAGS = 0x80086601, 0x40086602
_FLAGS = {"sync": 0x8, "nodump": 0x40, "noatime": 0x80}
_SECOND_NS = 10**9
CAPABILITY = struct.pack("<IIIII", 0x02000001, 0x2000, 0, 0, 0)  # as `setcap` writes it, version 2


@dataclass(frozen=True)
class Shape:
    """A file to be: stretches of it in blocks (empty ones are holes), what it ends with, and all it has besides."""

    stretches: list[tuple[int, bytes]]
    tail: bytes
    mode: int
    owner: tuple[int, int]
    acl: bytes
    attributes: dict[str, bytes] = field(repr=False)
    flags: int
    times: tuple[int, int]
    folder_mode: int
    folder_acl: bytes
    name: bytes


def acl(users: dict[int, int], mask: int, owner: int = 6) -> bytes:
    """A list of permissions as the kernel takes it: version 2, then entries of tag, permissions, id."""
    entries = [(0x01, owner, 0xFFFFFFFF), *((0x02, users[uid], uid) for uid in sorted(users)), (0x04, 4, 0xFFFFFFFF)]
    entries += [(0x10, mask, 0xFFFFFFFF), (0x20, 0, 0xFFFFFFFF)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


ids = st.sampled_from([0, 1, 1000, 65534, 2**31])
permissions = st.integers(0, 7)
users = st.dictionaries(ids, permissions, min_size=1, max_size=4)
lists = st.just(b"") | st.builds(acl, users, permissions, permissions.map(READABLE.__or__))
moments = st.integers(-(2**31) * _SECOND_NS, 2**33 * _SECOND_NS)  # 1901 to 2242, to the nanosecond
capability = st.just({"security.capability": CAPABILITY, "trusted.ours": b"1"})
own = st.dictionaries(
    st.text("abcxyz.-_ é", min_size=1, max_size=20).map("user.".__add__), st.binary(max_size=120), max_size=4
)
attributes = st.builds(lambda first, then: first | then, own, (capability | st.just({})) if ROOT else st.just({}))
names = st.binary(min_size=1, max_size=255).map(lambda raw: raw.replace(b"/", b"_").replace(b"\0", b"_"))
shapes = st.builds(
    Shape,
    stretches=st.lists(st.tuples(st.integers(1, 5), st.binary(max_size=3)), max_size=6),
    tail=st.binary(max_size=100),
    mode=st.integers(0, 0o7777).map((READABLE << 6).__or__),
    owner=st.tuples(ids, ids) if ROOT else st.just((os.getuid(), os.getgid())),
    acl=lists,
    attributes=attributes,
    flags=st.sampled_from([0, *_FLAGS.values(), sum(_FLAGS.values())]),
    times=st.tuples(moments, moments),
    folder_mode=st.integers(0, 0o7777).map(lambda mode: mode | 0o700),
    folder_acl=lists,
    name=names.filter(lambda name: name not in (b".", b"..")),
)


def content_of(shape: Shape) -> bytes:
    parts = []
    for blocks, seed in shape.stretches:
        parts.append(((seed or b"\0") * (blocks * BLOCK))[: blocks * BLOCK])
    return b"".join(parts) + shape.tail


def lay(folder: bytes, shape: Shape) -> bytes:
    """Makes the file and its folder; gives its path. What the file system does not take is left out."""
    os.mkdir(folder)
    path = os.path.join(folder, shape.name)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        position = 0
        for blocks, seed in shape.stretches:
            if seed:
                os.pwrite(descriptor, (seed * (blocks * BLOCK))[: blocks * BLOCK], position)
            position += blocks * BLOCK
        os.pwrite(descriptor, shape.tail, position)
        os.ftruncate(descriptor, position + len(shape.tail))
        os.fchown(descriptor, *shape.owner)
        for name, value in shape.attributes.items():
            _set(path, name, value)
        os.fchmod(descriptor, shape.mode)
        if shape.acl:
            _set(path, ACCESS, shape.acl)
        os.fsync(descriptor)
        with suppress(OSError):
            fcntl.ioctl(descriptor, _SETFLAGS, struct.pack("=I", _flags(descriptor) | shape.flags))
        os.utime(descriptor, ns=shape.times)
    finally:
        os.close(descriptor)
    if shape.folder_acl:
        _set(folder, ACCESS, shape.folder_acl)
        _set(folder, DEFAULT, shape.folder_acl)
    os.chmod(folder, shape.folder_mode)
    os.chown(folder, *shape.owner)
    os.chmod(folder, shape.folder_mode)
    return path


def _set(path: bytes, name: str, value: bytes) -> None:
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.ENOSPC, errno.EPERM):
            raise


def _flags(descriptor: int) -> int:
    try:
        return int(struct.unpack("=I", fcntl.ioctl(descriptor, _GETFLAGS, bytes(4)))[0])
    except OSError:
        return 0


def facts_of(path: bytes, *, content: bool = True) -> dict[str, object]:
    """Everything that can be seen of a file or folder."""
    facts = os.lstat(path)
    found: dict[str, object] = {
        "kind": stat.S_IFMT(facts.st_mode),
        "mode": oct(stat.S_IMODE(facts.st_mode)),
        "owner": (facts.st_uid, facts.st_gid),
        "attributes": {name: os.getxattr(path, name) for name in os.listxattr(path)},
    }
    if not content:
        return found
    found |= {"size": facts.st_size, "accessed": facts.st_atime_ns, "modified": facts.st_mtime_ns}
    descriptor = os.open(path, os.O_RDONLY | os.O_NOATIME)
    try:
        found["sha256"] = hashlib.sha256(os.pread(descriptor, facts.st_size, 0)).hexdigest()
        found["flags"] = _flags(descriptor) & sum(_FLAGS.values())
        found["data"] = _data(descriptor, facts.st_size)
    finally:
        os.close(descriptor)
    return found


def _data(descriptor: int, size: int) -> list[tuple[int, int]]:
    found, end = [], 0
    with suppress(OSError):
        while end < size:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
            end = os.lseek(descriptor, start, os.SEEK_HOLE)
            found.append((start, end))
    return found


def whole_way(acted: Acted, shape: Shape, *, folder_goes: bool) -> None:
    """Taken, destroyed, made anew: all must be as it was."""
    folder, relative = acted.at(b"folder"), b"folder/" + shape.name
    path = lay(folder, shape)
    try:
        before, folder_before, times_before = facts_of(path), facts_of(folder, content=False), _times(folder)
        written = content_of(shape)
        with acted.take(relative) as content:
            assert os.pread(content.fileno(), len(written) + 1, 0) == written
            assert content.still_current()
            properties = content.taken.properties
        assert not os.path.lexists(path)
        assert _times(folder) == times_before
        assert acted.let_go() in ("overwritten", "unlinked")
        if folder_goes:
            os.rmdir(folder)
        made = acted.holding.make(
            acted.scope, ItemRef(b"folder", shape.name), properties, fills(written), sha256(written)
        )
        assert (made.made, made.lacking) == (True, ())
        assert facts_of(path) == before
        assert facts_of(folder, content=False) == folder_before
        assert folder_goes or _times(folder) == times_before
        assert made.version == acted.version(relative)
    finally:
        shutil.rmtree(folder)


def _times(path: bytes) -> tuple[int, int]:
    facts = os.lstat(path)
    return facts.st_atime_ns, facts.st_mtime_ns


@pytest.fixture(scope="module")
def acted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acted]:
    with Acted(tmp_path_factory.mktemp("share")) as acted:
        yield acted


def a_shape(**different: Any) -> Shape:
    plain = {
        "stretches": [(1, b"a"), (2, b""), (1, b"b")],
        "tail": b"end",
        "mode": 0o640,
        "owner": (os.getuid(), os.getgid()),
        "acl": b"",
        "attributes": {},
        "flags": 0,
        "times": (1_500_000_000_123_456_789, 1_400_000_000_987_654_321),
        "folder_mode": 0o750,
        "folder_acl": b"",
        "name": b"contract.txt",
    }
    return Shape(**{**plain, **different})


@pytest.mark.parametrize("folder_goes", [False, True], ids=["folder stays", "folder goes"])
@pytest.mark.parametrize(
    "shape",
    [
        a_shape(),
        a_shape(stretches=[], tail=b""),
        a_shape(stretches=[(5, b"")], tail=b""),
        a_shape(stretches=[(1, b"\0"), (2, b""), (2, b"\0")], tail=b""),
        a_shape(mode=0o7777),
        a_shape(acl=acl({1: 7, 1000: 0}, 5)),
        a_shape(attributes={"user.comment": b"\0\xff", "user.empty": b""}),
        a_shape(flags=sum(_FLAGS.values())),
        a_shape(times=(-1, -(2**31) * _SECOND_NS + 1)),
        a_shape(folder_mode=0o3777, folder_acl=acl({1: 7}, 7)),
        a_shape(name=b"\xff" * 255),
    ],
    ids=["plain", "empty", "a hole", "zeros", "suid", "acl", "attributes", "flags", "old", "folder", "long name"],
)
def test_a_file_of_that_sort_comes_back_as_it_was(acted: Acted, shape: Shape, folder_goes: bool) -> None:
    whole_way(acted, shape, folder_goes=folder_goes)


@pytest.mark.skipif(not ROOT, reason="only root may give files away and set capabilities")
def test_owner_suid_and_capabilities_survive_in_whatever_order_they_clear_each_other(acted: Acted) -> None:
    shape = a_shape(
        owner=(1000, 2000),
        mode=0o6755,
        attributes={"security.capability": CAPABILITY, "trusted.ours": b"1"},
        acl=acl({1000: 7}, 7),
    )
    whole_way(acted, shape, folder_goes=True)


@settings(max_examples=30, deadline=None, database=None)
@given(shape=shapes, folder_goes=st.booleans())
def test_any_file_comes_back_as_it_was(acted: Acted, shape: Shape, folder_goes: bool) -> None:
    whole_way(acted, shape, folder_goes=folder_goes)


@pytest.mark.slow
def test_many_files_come_back_as_they_were(tmp_path: Path) -> None:
    """On a file system in memory if we may mount one, since many files are made durable on the way."""
    with _quick_place(tmp_path) as place, Acted(place) as acted:

        @settings(max_examples=MANY, deadline=None, database=None)
        @given(shape=shapes, folder_goes=st.booleans())
        def each(shape: Shape, folder_goes: bool) -> None:
            whole_way(acted, shape, folder_goes=folder_goes)

        each()


@contextmanager
def _quick_place(otherwise: Path) -> Iterator[Path]:
    memory = "/dev/shm"
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else otherwise) as folder:
        place = Path(folder, "share")
        place.mkdir()
        image = Path(folder, "image")
        with image.open("wb") as file:
            file.truncate(128 << 20)
        mounted = ROOT and all(
            subprocess.run(command, capture_output=True, check=False).returncode == 0
            for command in (["mkfs.ext4", "-q", image], ["mount", "-o", "loop", image, place])
        )
        try:
            yield place
        finally:
            if mounted:
                subprocess.run(["umount", "--lazy", place], check=True)
