"""What a watch over folders tells, what it does not, and that it says so when it no longer can."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from watchdog.observers.inotify_c import InotifyEvent

from connectors.filesystem import inotify, watching
from connectors.filesystem.connector import HOLD
from connectors.filesystem.inotify import Inotify
from connectors.filesystem.mounts import remote_kind
from connectors.filesystem.watched import DirtyFolders, WatchedFolder
from connectors.filesystem.watched_tree import WatchedTree
from connectors.filesystem.watching import FolderWatch
from connectors.watching import Dirty, WatchState
from tests.connectors.conditions import needs_root
from tests.connectors.watched import drained, settled, until

Watched = Callable[..., FolderWatch]


@pytest.fixture
def watched() -> Iterator[Watched]:
    """Watches a folder and lets the first answer, which is always everything, be past."""
    watches: list[FolderWatch] = []

    def watched(root: Path, *, excluded: tuple[bytes, ...] = (), most_watches: int = 500_000) -> FolderWatch:
        watch = FolderWatch(bytes(root), excluded=excluded, most_watches=most_watches)
        watches.append(watch)
        watch.drain()
        return watch

    yield watched
    for watch in watches:
        watch.close()


def told_until_now(watch: FolderWatch, share: Path) -> frozenset[bytes]:
    """Without the root, in which the end is made."""
    dirty = settled(watch, share)
    assert not dirty.everything
    return dirty.folders - {b""}


# What is told


def test_at_first_anything_may_have_changed(share: Path) -> None:
    watch = FolderWatch(bytes(share))
    try:
        assert watch.drain() == Dirty(frozenset(), everything=True)
        assert watch.drain() == Dirty(frozenset(), everything=False)
        assert watch.condition.state is WatchState.WATCHED
        assert watch.alive()
    finally:
        watch.close()


def _write(file: Path) -> None:
    file.write_text("more")


def _replace(file: Path) -> None:
    new = file.with_name("new")
    new.write_text("other")
    new.replace(file)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a new file": lambda file: file.with_name("new.txt").touch(),
    "a written file": _write,
    "a replaced file": _replace,
    "a deleted file": Path.unlink,
    "a renamed file": lambda file: file.rename(file.with_name("renamed.txt")),
    "another mode": lambda file: file.chmod(0o640),
    "other times": lambda file: os.utime(file, (1, 1)),
    "a mark": lambda file: os.setxattr(file, "user.retentiond.label", b"x"),
    "another name for it": lambda file: os.link(file, file.with_name("link.txt")),
    "a symbolic link": lambda file: file.with_name("link").symlink_to(file),
    "a folder's mode": lambda file: file.parent.chmod(0o750),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_tells_the_folder_it_is_in(share: Path, watched: Watched, change: Callable[[Path], object]) -> None:
    folder = share / "HR" / "2019"
    folder.mkdir(parents=True)
    (folder / "contract.txt").write_text("text")
    watch = watched(share)

    change(folder / "contract.txt")

    dirty = drained(watch, b"HR/2019")
    assert dirty.folders - {b"HR"} == {b"HR/2019"}
    assert not dirty.everything


def test_a_file_moved_between_folders_tells_both(share: Path, watched: Watched) -> None:
    for name in ("from", "to"):
        (share / name).mkdir()
    (share / "from" / "file").touch()
    watch = watched(share)

    (share / "from" / "file").rename(share / "to" / "file")

    assert drained(watch, b"from", b"to").folders == {b"from", b"to"}


def test_reading_tells_nothing(share: Path, watched: Watched) -> None:
    (share / "HR").mkdir()
    (share / "HR" / "contract.txt").write_text("text")
    watch = watched(share)

    (share / "HR" / "contract.txt").read_text()
    (share / "HR" / "contract.txt").stat()
    assert list(share.rglob("*"))

    assert told_until_now(watch, share) == set()


def test_names_that_are_no_text_are_told_as_they_are(share: Path, watched: Watched) -> None:
    folder = bytes(share) + b"/caf\xe9/\xff\n"
    os.makedirs(folder)
    watch = watched(share)

    with open(folder + b"/\x80", "wb"):
        pass

    assert drained(watch, b"caf\xe9/\xff\n").folders == {b"caf\xe9/\xff\n"}


def test_paths_longer_than_the_kernel_takes_at_once_are_told(share: Path, watched: Watched) -> None:
    step = b"d" * 200
    here = os.open(share, os.O_RDONLY)
    for _ in range(30):
        os.mkdir(step, dir_fd=here)
        deeper = os.open(step, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    watch = watched(share)
    assert watch.condition.state is WatchState.WATCHED

    os.close(os.open(b"file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)

    assert drained(watch, b"/".join([step] * 30)).folders == {b"/".join([step] * 30)}


def test_what_is_told_once_is_not_told_again(share: Path, watched: Watched) -> None:
    (share / "HR").mkdir()
    watch = watched(share)
    (share / "HR" / "one").touch()
    assert told_until_now(watch, share) == {b"HR"}
    assert told_until_now(watch, share) == set()

    (share / "HR" / "two").touch()

    assert drained(watch, b"HR").folders == {b"HR"}


# Folders that come, go and move


def test_a_new_folder_is_told_with_the_folder_it_is_in(share: Path, watched: Watched) -> None:
    watch = watched(share)
    (share / "HR").mkdir()
    assert drained(watch, b"", b"HR").folders == {b"", b"HR"}


def test_folders_made_and_filled_at_once_are_told(share: Path, watched: Watched) -> None:
    watch = watched(share)
    for number in range(50):
        (share / f"{number}" / "b" / "c").mkdir(parents=True)
        (share / f"{number}" / "b" / "c" / "file").touch()
    dirty = drained(watch, *(b"%d/b/c" % number for number in range(50)))
    assert not dirty.everything


def test_a_tree_moved_in_is_told_and_watched(share: Path, tmp_path: Path, watched: Watched) -> None:
    for number in range(20):
        (tmp_path / "outside" / f"{number}" / "deep").mkdir(parents=True)
        (tmp_path / "outside" / f"{number}" / "deep" / "file").touch()
    watch = watched(share)

    (tmp_path / "outside").rename(share / "in")
    drained(watch, b"", b"in", *(b"in/%d/deep" % number for number in range(20)))

    (share / "in" / "7" / "deep" / "later").touch()
    assert drained(watch, b"in/7/deep").folders == {b"in/7/deep"}


def test_a_tree_moved_out_tells_where_it_was_and_nothing_more(share: Path, tmp_path: Path, watched: Watched) -> None:
    (share / "HR" / "old" / "deep").mkdir(parents=True)
    watch = watched(share)

    (share / "HR" / "old").rename(tmp_path / "outside")
    assert told_until_now(watch, share) == {b"HR"}

    (tmp_path / "outside" / "deep" / "file").touch()
    assert told_until_now(watch, share) == set()


def test_a_renamed_folder_is_told_by_its_new_name_with_all_below(share: Path, watched: Watched) -> None:
    (share / "HR" / "a" / "b").mkdir(parents=True)
    watch = watched(share)

    (share / "HR").rename(share / "People")
    assert drained(watch, b"", b"People", b"People/a", b"People/a/b").folders == {
        b"",
        b"People",
        b"People/a",
        b"People/a/b",
    }

    (share / "People" / "a" / "b" / "file").touch()
    assert drained(watch, b"People/a/b").folders == {b"People/a/b"}


def test_a_folder_made_again_by_the_same_name_is_watched(share: Path, watched: Watched) -> None:
    (share / "HR" / "deep").mkdir(parents=True)
    watch = watched(share)
    for _ in range(20):
        shutil.rmtree(share / "HR")
        (share / "HR" / "deep").mkdir(parents=True)
    told_until_now(watch, share)

    (share / "HR" / "deep" / "file").touch()

    assert drained(watch, b"HR/deep").folders == {b"HR/deep"}


def test_two_folders_that_change_places_keep_being_told_apart(share: Path, watched: Watched) -> None:
    for name in ("a", "b"):
        (share / name / f"in-{name}").mkdir(parents=True)
    watch = watched(share)

    (share / "a").rename(share / "c")
    (share / "b").rename(share / "a")
    (share / "c").rename(share / "b")
    assert told_until_now(watch, share) >= {b"a/in-b", b"b/in-a"}

    (share / "a" / "in-b" / "file").touch()
    assert drained(watch, b"a/in-b").folders == {b"a/in-b"}


# What is left out


@pytest.mark.parametrize("there", [True, False], ids=["there before", "made later"])
def test_the_hold_is_not_told(share: Path, watched: Watched, there: bool) -> None:
    hold = share / os.fsdecode(HOLD)
    (share / "HR").mkdir()
    (share / "HR" / "file").touch()
    if there:
        (hold / "deep").mkdir(parents=True)
    watch = watched(share)

    (hold / "deep").mkdir(parents=True, exist_ok=True)
    (hold / "deep" / "manifest").touch()
    assert told_until_now(watch, share) == set()

    (share / "HR" / "file").rename(hold / "file")
    assert told_until_now(watch, share) == {b"HR"}


@pytest.mark.parametrize("there", [True, False], ids=["there before", "made later"])
def test_excluded_folders_are_not_told(share: Path, watched: Watched, there: bool) -> None:
    state = share / "apps" / "state"
    (share / "apps").mkdir()
    if there:
        state.mkdir()
    watch = watched(share, excluded=(bytes(state),))

    (state / "deep").mkdir(parents=True, exist_ok=True)
    (state / "deep" / "file").touch()
    assert told_until_now(watch, share) == set()

    (share / "apps" / "state2").mkdir()
    assert drained(watch, b"apps", b"apps/state2").folders == {b"apps", b"apps/state2"}


@needs_root
def test_an_excluded_folder_is_left_out_by_whatever_path_it_is_met(
    share: Path, tmp_path: Path, watched: Watched
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "state" / "deep").mkdir(parents=True)
    mounted = subprocess.run(["mount", "--bind", elsewhere, share], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("cannot mount here")
    try:
        watch = watched(share, excluded=(bytes(elsewhere / "state"), bytes(tmp_path / "nothing here")))
        (share / "state" / "deep" / "file").touch()
        (share / "state" / "new").mkdir()
        assert told_until_now(watch, share) == set()
    finally:
        subprocess.run(["umount", "--lazy", share], check=True)


def test_symbolic_links_are_not_followed(share: Path, tmp_path: Path, watched: Watched) -> None:
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    (share / "link").symlink_to(tmp_path / "elsewhere")
    watch = watched(share)
    (share / "later").symlink_to(tmp_path / "elsewhere")
    drained(watch, b"")

    (tmp_path / "elsewhere" / "deep" / "file").touch()

    assert told_until_now(watch, share) == set()


@needs_root
def test_other_mounts_are_not_watched(share: Path, tmp_path: Path, watched: Watched) -> None:
    inside, elsewhere = share / "mounted", tmp_path / "elsewhere"
    inside.mkdir()
    elsewhere.mkdir()
    mounted = subprocess.run(["mount", "--bind", elsewhere, inside], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("cannot mount here")
    try:
        watch = watched(share)
        (elsewhere / "file").touch()
        assert told_until_now(watch, share) == set()
    finally:
        subprocess.run(["umount", "--lazy", inside], check=True)


# What cannot be watched


def test_a_folder_that_is_missing_is_not_watched_and_the_reason_is_told(share: Path, watched: Watched) -> None:
    watch = FolderWatch(bytes(share / "nothing"))
    assert watch.condition.state is WatchState.RECONCILE_ONLY
    assert watch.condition.why == "there is no such folder"
    assert not watch.alive()
    assert watch.drain().everything
    assert not watch.drain().everything
    watch.close()
    assert watch.condition.state is WatchState.RECONCILE_ONLY


MOUNTS = """\
{number} 1 0:52 / /srv/share rw,relatime shared:9 master:1 - {kind} server:/share rw,vers=4.2
9{number} 1 254:0 / / rw,relatime - ext4 /dev/vda rw
"""


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse", "fuse.sshfs", "9p", "ceph", "lustre"])
def test_a_network_file_system_is_not_watched(
    kind: str, share: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = mounts_with(share, kind, tmp_path)
    monkeypatch.setattr(watching, "remote_kind", lambda folder: remote_kind(folder, mounts))
    watch = FolderWatch(bytes(share))
    assert watch.condition.state is WatchState.RECONCILE_ONLY
    assert kind in watch.condition.why
    assert "network" in watch.condition.why
    watch.close()


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuseblk"])
def test_a_local_file_system_is_no_network(kind: str, share: Path, tmp_path: Path) -> None:
    folder = os.open(share, os.O_RDONLY)
    try:
        assert remote_kind(folder) is None
        assert remote_kind(folder, mounts_with(share, kind, tmp_path)) is None
        assert remote_kind(folder, os.devnull) is None
    finally:
        os.close(folder)


def mounts_with(share: Path, kind: str, tmp_path: Path) -> str:
    folder = os.open(share, os.O_RDONLY)
    try:
        (number,) = [
            line.split()[1]
            for line in Path(f"/proc/self/fdinfo/{folder}").read_text().splitlines()
            if line.startswith("mnt_id:")
        ]
    finally:
        os.close(folder)
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS.format(number=number, kind=kind))
    return str(mounts)


def test_a_share_of_too_many_folders_is_not_watched(share: Path, watched: Watched) -> None:
    for number in range(10):
        (share / f"{number}").mkdir()
    assert watched(share, most_watches=11).condition.state is WatchState.WATCHED
    condition = watched(share, most_watches=10).condition
    assert condition.state is WatchState.RECONCILE_ONLY
    assert "more than 10 folders" in condition.why


def test_a_share_that_grows_too_large_is_no_longer_watched(share: Path, watched: Watched) -> None:
    watch = watched(share, most_watches=2)
    (share / "one").mkdir()
    drained(watch, b"", b"one")
    assert watch.alive()

    (share / "two").mkdir()

    until(lambda: not watch.alive())
    assert watch.condition.state is WatchState.RECONCILE_ONLY
    assert watch.drain().everything


def out_of(fault: int, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel gives so many watches and then this fault, as watchdog passes it on."""
    given = 0
    add = Inotify.add_callback

    def add_callback(self: Inotify, *arguments: Any) -> object:
        nonlocal given
        given += 1
        if given > after:
            raise OSError(fault, os.strerror(fault))
        return add(self, *arguments)

    monkeypatch.setattr(Inotify, "add_callback", add_callback)


def test_when_the_kernel_gives_no_more_watches_the_setting_and_the_number_needed_are_named(
    share: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1_200):
        (share / f"{number}").mkdir()
    (share / os.fsdecode(HOLD) / "not counted").mkdir(parents=True)
    out_of(errno.ENOSPC, 5, monkeypatch)
    condition = watched(share).condition
    assert condition.state is WatchState.RECONCILE_ONLY
    limit = int(Path("/proc/sys/fs/inotify/max_user_watches").read_text())
    assert f"fs.inotify.max_user_watches is {limit:,}" in condition.why
    assert "needs 1,201" in condition.why


def test_when_the_kernel_gives_no_more_watches_later_it_is_told(
    share: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of(errno.ENOSPC, 1, monkeypatch)
    watch = watched(share)
    assert watch.alive()

    (share / "new").mkdir()

    until(lambda: not watch.alive())
    assert watch.condition.state is WatchState.RECONCILE_ONLY
    assert "fs.inotify.max_user_watches" in watch.condition.why
    assert watch.drain().everything


IN_A_NAMESPACE = """
import sys
from connectors.filesystem.watching import FolderWatch
def limit(what, most):
    with open("/proc/sys/user/max_inotify_" + what, "w") as file:
        file.write(str(most))
limit("watches", 3)
watch = FolderWatch(sys.argv[1].encode())
watch.close()
sys.stdout.write(watch.condition.why + "\\n")
limit("watches", 100)
limit("instances", 1)
watch = FolderWatch(sys.argv[1].encode())
another = FolderWatch(sys.argv[2].encode())
sys.stdout.write(another.condition.why + "\\n")
"""


def test_the_limits_of_a_real_kernel_are_understood(share: Path, tmp_path: Path) -> None:
    for number in range(10):
        (share / f"{number}").mkdir()
    small = tmp_path / "small"
    small.mkdir()
    ran = subprocess.run(
        ["unshare", "--user", "--map-root-user", sys.executable, "-c", IN_A_NAMESPACE, share, small],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in ran.stderr or "/proc/sys/user" in ran.stderr:
        pytest.skip("no user namespaces here")
    watches, instances = ran.stdout.splitlines()
    assert "fs.inotify.max_user_watches" in watches
    assert "needs 11" in watches
    assert "fs.inotify.max_user_instances" in instances


@pytest.mark.parametrize("fault", [errno.EMFILE, errno.ENOSYS])
def test_a_kernel_that_tells_nothing_is_no_error(
    fault: int, share: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> Inotify:
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr(inotify, "Inotify", refuse)
    watch = watched(share)
    assert watch.condition.state is WatchState.RECONCILE_ONLY
    assert ("max_user_instances" in watch.condition.why) == (fault == errno.EMFILE)


AS_NOBODY = """
import os, sys
root = sys.argv[1].encode()
from connectors.filesystem.watching import FolderWatch
from tests.connectors.watched import drained
os.setuid(65534)
watch = FolderWatch(root)
watch.drain()
sys.stdout.write(watch.condition.why + "\\n")
sys.stdout.flush()
sys.stdin.readline()
sys.stdout.write(f"{b'closed' in drained(watch, b'closed', b'closed/deep').folders}\\n")
watch.close()
"""


@needs_root
def test_folders_that_we_may_not_read_are_counted_and_watched_once_we_may(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    share = Path("/tmp") / tmp_path_factory.mktemp("open").name
    share.mkdir(mode=0o755)
    try:
        (share / "closed" / "deep").mkdir(parents=True)
        (share / "closed").chmod(0o700)
        process = subprocess.Popen(
            [sys.executable, "-c", AS_NOBODY, share], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        why = process.stdout.readline()
        (share / "closed").chmod(0o755)
        rest, _ = process.communicate("\n")
        assert "1 of its folders cannot be read" in why
        assert rest == "True\n"
    finally:
        shutil.rmtree(share)


# What is lost


def overflow(folder: Path) -> None:
    """More changes than the kernel keeps and the thread takes at once; no two in a row that would count as one."""
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    one, other = folder / "one", folder / "other"
    one.touch()
    other.touch()
    for _ in range(most // 2 + 4_000):
        os.utime(one, (1, 1))
        os.utime(other, (1, 1))


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """No change is taken from the kernel until this is set."""
    hears = threading.Event()
    take = WatchedTree.take

    def wait(self: WatchedTree, event: InotifyEvent) -> object:
        hears.wait()
        return take(self, event)

    monkeypatch.setattr(WatchedTree, "take", wait)
    monkeypatch.setattr(watching, "_SETTLING_SECONDS", 0.05)
    yield hears
    hears.set()


def test_lost_events_are_told_as_everything(share: Path, watched: Watched, deaf: threading.Event) -> None:
    (share / "HR").mkdir()
    watch = watched(share)
    overflow(share / "HR")
    assert not watch.drain().everything

    deaf.set()

    until(lambda: watch.drain().everything)
    assert watch.alive()


def test_after_lost_events_what_came_and_went_unheard_is_known(
    share: Path, tmp_path: Path, watched: Watched, deaf: threading.Event
) -> None:
    for name in ("busy", "gone/deep", "moved/deep", "stays"):
        (share / name).mkdir(parents=True)
    watch = watched(share)
    overflow(share / "busy")
    (share / "new" / "deep").mkdir(parents=True)
    (share / "gone").rename(tmp_path / "outside")
    (share / "moved").rename(share / "stays" / "moved")
    deaf.set()
    until(lambda: watch.drain().everything)
    until(lambda: watch._mending is None)
    assert watch.drain().everything, "what happened in the new folder while it was not watched"

    (tmp_path / "outside" / "deep" / "file").touch()
    (share / "new" / "deep" / "file").touch()
    (share / "stays" / "moved" / "deep" / "file").touch()
    assert told_until_now(watch, share) == {b"new/deep", b"stays/moved/deep"}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_death_of_the_hearing_thread_is_told(
    share: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = watched(share)

    def die(self: WatchedTree, event: object) -> None:
        raise ValueError("a mistake of ours")

    monkeypatch.setattr(WatchedTree, "take", die)
    (share / "file").touch()

    until(lambda: watch.drain().everything)
    assert watch.condition.state is WatchState.LOST
    assert "died" in watch.condition.why
    assert not watch.alive()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_death_of_the_mending_thread_is_told(
    share: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = watched(share)
    monkeypatch.setattr(watching, "_SETTLING_SECONDS", 0.05)

    def die(self: WatchedTree, *arguments: object, again: bool = False) -> None:
        raise ValueError("a mistake of ours")

    monkeypatch.setattr(WatchedTree, "survey", die)
    watch.on_queue_overflow()

    until(lambda: not watch.alive())
    assert watch.condition.state is WatchState.LOST
    assert watch.drain().everything


LOSSES: dict[str, Callable[[Path], object]] = {
    "moved": lambda share: share.rename(share.with_name("moved")),
    "deleted": shutil.rmtree,
    "moved with the folder it is in": lambda share: share.parent.rename(share.parent.with_name("elsewhere")),
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
def test_a_folder_that_is_no_longer_there_is_lost(
    tmp_path: Path, watched: Watched, lose: Callable[[Path], object]
) -> None:
    share = tmp_path / "disk" / "share"
    (share / "HR").mkdir(parents=True)
    watch = watched(share)

    lose(share)

    until(lambda: not watch.alive())
    assert watch.condition.state is WatchState.LOST
    assert watch.condition.why
    assert watch.drain().everything
    assert not watch.drain().everything


def test_a_folder_replaced_by_another_is_lost(tmp_path: Path, watched: Watched) -> None:
    share = tmp_path / "disk" / "share"
    share.mkdir(parents=True)
    watch = watched(share)
    share.parent.rename(tmp_path / "old")
    share.mkdir(parents=True)
    assert not watch.alive()
    assert watch.condition.state is WatchState.LOST
    assert "another folder" in watch.condition.why


@needs_root
def test_an_unmounted_share_is_lost_and_its_unmounting_is_not_hindered(tmp_path: Path, watched: Watched) -> None:
    share = tmp_path / "mounted"
    share.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", share], capture_output=True, check=False).returncode != 0:
        pytest.skip("cannot mount here")
    watch = watched(share)
    assert watch.condition.state is WatchState.WATCHED
    (share / "HR").mkdir()
    drained(watch, b"HR")
    (share / "HR" / "file").touch()
    drained(watch, b"HR")  # heard after all is done about the new folder

    unmounted = subprocess.run(["umount", share], capture_output=True, text=True, check=False)
    if unmounted.returncode != 0:
        subprocess.run(["umount", "--lazy", share], check=True)
    assert unmounted.returncode == 0, unmounted.stderr

    until(lambda: watch.drain().everything)
    assert watch.condition.state is WatchState.LOST
    assert "unmounted" in watch.condition.why
    assert not watch.alive()


# What it costs


def test_no_more_folders_are_kept_than_are_worth_it() -> None:
    dirty = DirtyFolders(most=3)
    assert dirty.drain().everything
    root = WatchedFolder(None, b"")
    folders = [WatchedFolder(root, b"%d" % number) for number in range(4)]
    for folder in folders[:3]:
        dirty.mark(folder)
        dirty.mark(folder)
    assert dirty.drain() == Dirty(frozenset({b"0", b"1", b"2"}), everything=False)
    for folder in folders:
        dirty.mark(folder)
    assert dirty.drain() == Dirty(frozenset(), everything=True)
    dirty.mark(folders[0])
    assert dirty.drain() == Dirty(frozenset({b"0"}), everything=False)


def test_closing_frees_everything_and_may_be_repeated(share: Path) -> None:
    (share / "HR").mkdir()
    before, threads = set(os.listdir("/proc/self/fd")), set(threading.enumerate())
    watch = FolderWatch(bytes(share))
    assert set(os.listdir("/proc/self/fd")) > before
    watch.close()
    watch.close()
    assert set(os.listdir("/proc/self/fd")) == before
    assert set(threading.enumerate()) == threads
    assert watch.condition.state is WatchState.LOST
    assert not watch.alive()


def test_a_child_process_hears_nothing(share: Path, watched: Watched) -> None:
    before = set(os.listdir("/proc/self/fd"))
    watched(share)
    opened = [int(number) for number in set(os.listdir("/proc/self/fd")) - before]
    kinds = [os.readlink(f"/proc/self/fd/{number}") for number in opened if os.path.lexists(f"/proc/self/fd/{number}")]
    assert any("inotify" in kind for kind in kinds)
    assert not any(os.get_inheritable(number) for number in opened if os.path.lexists(f"/proc/self/fd/{number}"))
