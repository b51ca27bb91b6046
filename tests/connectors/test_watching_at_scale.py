"""That nothing is missed silently where there is much: many folders, many changes, and changes lost by the kernel.

With RETENTIOND_TEST_LONG in the environment there is more of it: five times as many folders.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from watchdog.observers.inotify_c import InotifyEvent

from connectors.filesystem import watching
from connectors.filesystem.watched_tree import WatchedTree
from connectors.filesystem.watching import FolderWatch
from connectors.watching import WatchState
from tests.connectors.watched import END, drained, settled, until

pytestmark = pytest.mark.slow

LONG = "RETENTIOND_TEST_LONG" in os.environ
FOLDERS = 10_000 if LONG else 2_000
STEMS = FOLDERS // 10  # folders that have nine below them, and lie in ten
PER_TOP = STEMS // 10
FILES = 15_000 if LONG else 6_000  # of each process of a storm; four of them make more than the kernel keeps
REST_SECONDS = 4 if LONG else 2
AT_ONCE = 2_000  # so many changes are no storm: the kernel keeps 16,384


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A few more folders than `FOLDERS`, four deep."""
    share = tmp_path / "share"
    for number in range(STEMS):
        for below in range(8):
            (share / f"{number // PER_TOP}" / f"{number}" / "x" / f"{below}").mkdir(parents=True)
    return share


@pytest.fixture
def start() -> Iterator[Callable[[Path], FolderWatch]]:
    watches: list[FolderWatch] = []

    def start(root: Path) -> FolderWatch:
        watch = FolderWatch(bytes(root))
        watches.append(watch)
        assert watch.condition.state is WatchState.WATCHED
        watch.drain()
        return watch

    yield start
    for watch in watches:
        watch.close()


Start = Callable[[Path], FolderWatch]


def folders_of(share: Path) -> list[bytes]:
    root = bytes(share)
    return [folder[len(root) + 1 :] for folder, _, _ in os.walk(root)]


def assert_all_are_watched(watch: FolderWatch, share: Path) -> None:
    """A file in each folder tells this folder, and no other."""
    folders = folders_of(share)
    watch.drain()
    for first in range(0, len(folders), AT_ONCE):
        some = folders[first : first + AT_ONCE]
        for folder in some:
            with open(bytes(share) + b"/" + folder + b"/a probe", "wb"):
                pass
        dirty = drained(watch, *some)
        assert not dirty.everything
        assert dirty.folders <= frozenset(folders)
        assert dirty.folders >= frozenset(some)


def run_at_once(script: str, share: Path, acts: int) -> None:
    """In 4 processes, so many acts each."""
    started = [
        subprocess.Popen([sys.executable, "-c", script, share, str(number), str(acts)], stdout=subprocess.DEVNULL)
        for number in range(4)
    ]
    assert [process.wait() for process in started] == [0] * 4


def test_at_rest_nothing_is_told_and_nothing_is_spent(large: Path, start: Start) -> None:
    before, memory = time.monotonic(), _resident_bytes()
    watch = start(large)
    seconds, grown = time.monotonic() - before, _resident_bytes() - memory

    spent = time.process_time()
    time.sleep(REST_SECONDS)
    spent = time.process_time() - spent

    dirty = watch.drain()
    sys.stdout.write(
        f"start {seconds:.2f} s, {grown / 1e6:.1f} MB, at rest {spent / REST_SECONDS:.4%} of a processor\n"
    )
    assert not dirty.folders
    assert not dirty.everything
    assert watch._losses == 0
    assert spent / REST_SECONDS < 0.01
    assert grown < 8e6 + 3_200 * FOLDERS


def test_reading_all_of_it_tells_nothing(large: Path, start: Start) -> None:
    watch = start(large)
    assert len(folders_of(large)) >= FOLDERS
    for folder in folders_of(large):
        os.listdir(bytes(large) + b"/" + folder)
    assert settled(watch, large).folders <= {b""}


def test_each_folder_at_any_depth_is_watched(large: Path, start: Start) -> None:
    assert_all_are_watched(start(large), large)


def test_a_storm_of_new_folders_with_files_is_told(large: Path, start: Start) -> None:
    watch = start(large)
    expected = [b"3/%d/%d/b/c" % (3 * PER_TOP, number) for number in range(300)]
    for folder in expected:
        os.makedirs(bytes(large) + b"/" + folder)
        with open(bytes(large) + b"/" + folder + b"/file", "wb"):
            pass
    assert not drained(watch, *expected).everything
    assert_all_are_watched(watch, large)


def test_a_large_tree_moved_within_the_share_is_told_and_watched(large: Path, start: Start) -> None:
    watch = start(large)
    (large / "3").rename(large / "5" / "moved")
    dirty = drained(watch, b"5", *(b"5/" + folder for folder in _below(large / "5" / "moved", b"moved")))
    assert not dirty.everything
    assert_all_are_watched(watch, large)


CREATING = f"""
import os, sys
share, number = os.fsencode(sys.argv[1]), int(sys.argv[2])
for count in range(int(sys.argv[3])):
    one = count % {STEMS}
    os.close(os.open(share + b"/%d/%d/x/%d/%d-%d" % (one // {PER_TOP}, one, count % 7, number, count), os.O_CREAT))
"""


def test_a_storm_of_new_files_by_4_processes_misses_nothing_silently(large: Path, start: Start) -> None:
    watch = start(large)
    run_at_once(CREATING, large, FILES)
    dirty = settled(watch, large)
    expected = {b"%d/%d/x/%d" % (n % STEMS // PER_TOP, n % STEMS, n % 7) for n in range(FILES)}
    sys.stdout.write(f"{len(dirty.folders):,} folders told, everything: {dirty.everything}, losses: {watch._losses}\n")
    assert dirty.everything or dirty.folders >= expected


def test_a_storm_of_which_the_kernel_loses_much_is_told_as_everything(
    large: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_SETTLING_SECONDS", 0.05)
    watch = start(large)
    hears = _deafen(monkeypatch)
    run_at_once(CREATING, large, FILES)
    hears.set()
    until(lambda: watch.drain().everything)
    assert watch._losses
    settled(watch, large)
    assert_all_are_watched(watch, large)


SHUFFLING = """
import os, random, shutil, sys
share, number, acts = os.fsencode(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
by_chance = random.Random(number)
known = [b""]
def some():
    return share + by_chance.choice(known)
for count in range(acts):
    try:
        act = by_chance.random()
        here = by_chance.choice(known)
        there = by_chance.choice(known) + b"/%d" % by_chance.randrange(6)
        if act < 0.45:
            os.makedirs(share + there, exist_ok=True)
            known.append(there)
        elif act < 0.75 and here:
            os.rename(share + here, share + there)
            known.append(there)
        elif act < 0.80 and here.count(b"/") > 2:
            shutil.rmtree(share + here)
        else:
            os.close(os.open(share + here + b"/file", os.O_CREAT))
        if len(known) > 100:
            known = [each for each in known if os.path.isdir(share + each)]
    except OSError:
        pass
"""


@pytest.mark.parametrize("loses", [False, True], ids=["heard", "partly lost"])
def test_whatever_is_moved_about_each_folder_is_watched_by_its_right_path(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch, loses: bool
) -> None:
    monkeypatch.setattr(watching, "_SETTLING_SECONDS", 0.01)
    share = tmp_path / "share"
    share.mkdir()
    watch = start(share)
    losing = threading.Event()
    if loses:
        loser = threading.Thread(target=_lose_now_and_then, args=(watch, losing))
        loser.start()
    run_at_once(SHUFFLING, share, 3_000 if loses else 800)
    losing.set()
    if loses:
        loser.join()
    dirty = settled(watch, share)
    assert watch.alive(), watch.condition
    if not dirty.everything:
        assert dirty.folders >= {each for each in folders_of(share) if not each.startswith(END)}, "each is new here"
    sys.stdout.write(f"{len(folders_of(share)):,} folders, losses: {watch._losses}\n")
    assert_all_are_watched(watch, share)
    assert watch._tree is not None
    assert len(watch._tree._folders) == len(folders_of(share))


def _lose_now_and_then(watch: FolderWatch, enough: threading.Event) -> None:
    """Takes changes from the kernel's queue unheard, which is what it does itself when that is full."""
    while not enough.wait(0.05):
        assert watch._tree is not None
        take = watch._tree.take
        watch._tree.take = lambda event: None  # type: ignore[method-assign]
        time.sleep(0.02)
        watch._tree.take = take  # type: ignore[method-assign]
        watch.on_queue_overflow()


def _deafen(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    hears = threading.Event()
    take = WatchedTree.take

    def wait(self: WatchedTree, event: InotifyEvent) -> object:
        hears.wait()
        return take(self, event)

    monkeypatch.setattr(WatchedTree, "take", wait)
    return hears


def _below(folder: Path, name: bytes) -> list[bytes]:
    return [(name + b"/" + each).rstrip(b"/") for each in folders_of(folder)]


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
