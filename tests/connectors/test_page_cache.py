"""The page cache holds after a scan what it held before: what we brought in is given back, what was there stays."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.base import Item, KnowsNothing, Scope
from connectors.filesystem import page_cache
from connectors.filesystem.connector import FilesystemConnector
from connectors.filesystem.page_cache import PAGE_BYTES, cached_pages, drop, not_cached
from connectors.testing import found

PAGES = 512
BYTES = PAGES * PAGE_BYTES


class Desk:
    """A share with one file, read through the connector as the analysis does."""

    def __init__(self, root: Path) -> None:
        self.path = root / "file"
        self.connector = FilesystemConnector(os.fsencode(root), "share")

    def write(self, size: int) -> None:
        with self.path.open("wb") as file:
            file.write(os.urandom(size))
            file.flush()
            os.fsync(file.fileno())

    def cached(self) -> int:
        """How many pages of the file are cached, told by mincore and not by what is under test first."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_NOATIME)
        try:
            pages = -(-os.fstat(descriptor).st_size // PAGE_BYTES)
            return page_cache._present(descriptor, 0, pages).count(1) if pages else 0
        finally:
            os.close(descriptor)

    def cool(self) -> None:
        """Nothing of the file is cached. Skips the test where that cannot be had: a file system in memory."""
        descriptor = os.open(self.path, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
        if self.cached():
            pytest.skip("this file system keeps everything in memory")

    def warm(self, pages: range) -> None:
        """Somebody else has read these pages, and no others."""
        descriptor = os.open(self.path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)  # no reading ahead
        for page in pages:
            os.pread(descriptor, 1, page * PAGE_BYTES)
        os.close(descriptor)

    def scan(self) -> None:
        scope, item = self.item()
        with self.connector.open(scope, item) as content:
            read_all(content.fileno())
            assert self.cached() == -(-item.size_bytes // PAGE_BYTES), "it was read"

    def item(self) -> tuple[Scope, Item]:
        (scope,) = self.connector.scopes()
        (item,) = found(self.connector.changes(scope, KnowsNothing()))
        return scope, item


def read_all(descriptor: int) -> None:
    digest, offset = hashlib.sha256(), 0
    while block := os.pread(descriptor, 1 << 20, offset):
        digest.update(block)
        offset += len(block)


@pytest.fixture
def desk(share: Path) -> Desk:
    desk = Desk(share)
    desk.write(BYTES)
    return desk


def old_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_cache, "_SYS_CACHESTAT", 100_000)


def this_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is."""


@pytest.fixture(params=[this_kernel, old_kernel])
def either_kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    request.param(monkeypatch)


@pytest.mark.parametrize("size", [1, PAGE_BYTES - 1, PAGE_BYTES, PAGE_BYTES + 1, BYTES - 7, BYTES])
@pytest.mark.usefixtures("either_kernel")
def test_nothing_is_left_of_a_file_that_nobody_used(desk: Desk, size: int) -> None:
    desk.write(size)
    desk.cool()

    desk.scan()

    assert desk.cached() == 0


@pytest.mark.usefixtures("either_kernel")
def test_a_file_that_others_use_stays(desk: Desk) -> None:
    desk.cool()
    desk.warm(range(PAGES))

    desk.scan()

    assert desk.cached() == PAGES


@pytest.mark.parametrize("used", [range(1), range(100, 200), range(PAGES - 1, PAGES), range(0, PAGES, 2)])
@pytest.mark.usefixtures("either_kernel")
def test_of_a_file_that_others_use_in_part_that_part_stays(desk: Desk, used: range) -> None:
    desk.cool()
    desk.warm(used)
    assert desk.cached() == len(used)

    desk.scan()

    assert desk.cached() == len(used)
    with desk.path.open("rb") as file:
        present = page_cache._present(file.fileno(), 0, PAGES)
    assert [page for page in range(PAGES) if present[page]] == list(used)


def test_it_is_dropped_although_a_worker_still_holds_the_file(desk: Desk) -> None:
    """The worker reads on another processor, whose lists of new pages the kernel keeps apart for a while."""
    desk.cool()
    scope, item = desk.item()
    content = desk.connector.open(scope, item)
    reading = f"import os, sys; os.lseek({content.fileno()}, 0, 0); n = 0"
    reading += f"\nwhile block := os.read({content.fileno()}, 1 << 20): n += len(block)"
    reading += "\nprint(n, flush=True); sys.stdin.read()"
    worker = subprocess.Popen(
        [sys.executable, "-c", reading],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[content.fileno()],
        text=True,
    )
    with worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == f"{BYTES}\n"
        assert desk.cached() == PAGES

        content.close()
        content.close()

        assert desk.cached() == 0
        assert worker.poll() is None


def test_what_was_opened_and_never_read_is_left_as_it_was(desk: Desk) -> None:
    desk.cool()
    scope, item = desk.item()
    desk.connector.open(scope, item).close()
    assert desk.cached() == 0


def test_finding_out_brings_nothing_in_and_moves_nothing(desk: Desk) -> None:
    desk.cool()
    desk.warm(range(10, 20))
    descriptor = os.open(desk.path, os.O_RDONLY | os.O_NOATIME)
    gaps = not_cached(descriptor, BYTES)
    assert gaps == ((0, 10 * PAGE_BYTES), (20 * PAGE_BYTES, BYTES))
    assert os.lseek(descriptor, 0, os.SEEK_CUR) == 0
    os.close(descriptor)
    assert desk.cached() == 10


def test_a_large_file_is_told_window_by_window(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_cache, "_WINDOW_PAGES", 100)
    desk.cool()
    desk.warm(range(150, 160))

    desk.scan()

    assert desk.cached() == 10


def test_of_too_many_stretches_the_rest_is_left_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_cache, "_MOST_STRETCHES", 3)
    desk.cool()
    desk.warm(range(0, PAGES, 2))
    with desk.path.open("rb") as file:
        fcntl.fcntl(file, fcntl.F_SETFL, os.O_NOATIME)
        assert not_cached(file.fileno(), BYTES) == tuple(
            (page * PAGE_BYTES, (page + 1) * PAGE_BYTES) for page in (1, 3, 5)
        )


def test_an_empty_file_has_nothing_to_drop(desk: Desk) -> None:
    desk.path.write_bytes(b"")
    desk.scan()


def test_access_times_stay(desk: Desk) -> None:
    os.utime(desk.path, (1_000_000_000, 1_500_000_000))  # read before it was changed: reading would be recorded
    desk.cool()
    desk.scan()
    assert desk.path.stat().st_atime == 1_000_000_000


def test_what_has_no_such_cache_is_left_alone() -> None:
    reading, writing = os.pipe()
    drop(reading, not_cached(reading, PAGE_BYTES))
    drop(reading, [(0, PAGE_BYTES)])
    os.close(reading)
    os.close(writing)


# Who may not be told


@pytest.fixture
def stranger(desk: Desk) -> Callable[[], tuple[object, ...]]:
    """What `not_cached` tells who may read the file but neither owns it nor may write it."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")

    def asked() -> tuple[object, ...]:
        desk.path.chmod(0o444)
        descriptor = os.open(desk.path, os.O_RDONLY)
        os.seteuid(65534)
        try:
            return not_cached(descriptor, BYTES)
        finally:
            os.seteuid(0)
            os.close(descriptor)

    return asked


@pytest.mark.parametrize("used", [range(0), range(1), range(PAGES - 1), range(1, PAGES)])
def test_who_may_not_be_told_takes_what_is_there_in_part_for_not_there(
    desk: Desk, stranger: Callable[[], tuple[object, ...]], used: range
) -> None:
    told = set()
    for _ in range(10):  # a disk that answers before the kernel looks is taken for the cache
        desk.cool()
        desk.warm(used)
        told.add(stranger())
    assert ((0, BYTES),) in told


def test_who_may_not_be_told_takes_what_is_there_for_there(
    desk: Desk, stranger: Callable[[], tuple[object, ...]]
) -> None:
    desk.cool()
    desk.warm(range(PAGES))
    assert stranger() == ()


def test_a_scan_by_who_may_not_be_told_leaves_nothing_behind(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_cache, "cached_pages", lambda descriptor, size: None)
    monkeypatch.setattr("connectors.filesystem.page_cache.os.O_NOATIME", 0)
    desk.cool()
    desk.scan()
    assert desk.cached() == 0


def test_the_two_ways_to_ask_agree(desk: Desk) -> None:
    desk.cool()
    desk.warm(range(30, 50))
    with desk.path.open("rb") as file:
        told = cached_pages(file.fileno(), BYTES)
    if told is None:
        pytest.skip("this kernel has no cachestat")
    assert told == desk.cached() == 20
