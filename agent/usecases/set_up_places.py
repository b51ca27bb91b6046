"""What the folders that shall be shares are: whether they are there and mounted, and what can be done in them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from agent.errors import ConfigurationError, SourceUnavailable
from agent.usecases.set_up_wanted import WantedShare, refuse_overlap
from agent.vault.disk import Disk
from connectors.base import Capabilities

PROC = Path("/proc")
MOST_FOLDERS = 2_000_000  # counted; beyond that it makes no difference to what is said
_TRIAL = ".retentiond-trial"
_OF_OTHER_MACHINES = re.compile(r"nfs4?|cifs|smb3?|9p|ceph|afs|virtiofs|fuse\..+")
# The service has folders of its own in these places, and does not see those of others.
_HIDDEN = ("/tmp", "/var/tmp")  # noqa: S108 — nothing is put there
_NO_SHARE = tuple(map(PurePosixPath, ("/etc", "/usr", "/boot", "/dev", "/proc", "/sys", "/run", "/root", *_HIDDEN)))
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """Where a file system is mounted, what it is, and whether it can only be read."""

    at: PurePosixPath
    kind: str
    read_only: bool

    @property
    def is_remote(self) -> bool:
        """Whether it lies on another machine, of whose changes this one is told nothing."""
        return _OF_OTHER_MACHINES.fullmatch(self.kind) is not None


@dataclass(frozen=True, slots=True)
class Trial:
    """What a file system has shown it can do with files of ours.

    `never_replaces`: something can be moved without the danger of replacing another. `tells_open`: whether somebody
    has a file open can be asked. `tags`: files can carry attributes of ours.
    """

    never_replaces: bool
    tells_open: bool
    tags: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A share as it was found. `trial` is none where nothing can be written; `folders` counts those to be watched."""

    share: WantedShare
    mount: Mount
    keeps_access_times: bool
    trial: Trial | None
    folders: int
    is_empty: bool

    @property
    def is_watched(self) -> bool:
        """Whether changes are told at once, instead of being found by the nightly reconciliation."""
        return not self.mount.is_remote


def mounts(proc: Path = PROC) -> tuple[Mount, ...]:
    """What is mounted here; of several at one place the last is on top."""
    found = []
    for line in (proc / "self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        before, _, after = line.partition(" - ")
        place, options = before.split(" ")[4:6]
        kind, _, of_all = after.split(" ")[:3]
        read_only = "ro" in options.split(",") or "ro" in of_all.split(",")
        found.append(Mount(PurePosixPath(_unescaped(place)), kind, read_only))
    return tuple(found)


def _unescaped(text: str) -> str:
    """A path as mountinfo and fstab write it."""
    return _ESCAPED.sub(lambda code: chr(int(code.group(1), 8)), text)


def mount_of(path: PurePosixPath, among: Sequence[Mount]) -> Mount:
    """The mount that a path, free of links, lies on."""
    above = [mount for mount in among if path.is_relative_to(mount.at)]
    deepest = max(len(mount.at.parts) for mount in above)
    return [mount for mount in above if len(mount.at.parts) == deepest][-1]


def missing_mount(path: PurePosixPath, fstab: str, among: Sequence[Mount]) -> PurePosixPath | None:
    """What should be mounted above or at the path by `fstab`, and is not."""
    mounted = {mount.at for mount in among}
    for line in fstab.splitlines():
        fields = line.split()
        if len(fields) < 4 or fields[0].startswith("#") or not fields[1].startswith("/"):
            continue
        place = PurePosixPath(_unescaped(fields[1]))
        if path.is_relative_to(place) and place not in mounted and len(place.parts) > 1:
            return place
    return None


def real_shares(
    shares: Sequence[WantedShare], at: Callable[[PurePosixPath], Path], root: Path
) -> tuple[WantedShare, ...]:
    """The shares by their paths without links, as a mount table has them.

    Raises `SourceUnavailable` for one that is no folder, `ConfigurationError` for one where the service can have none,
    `UsageError` if two overlap.
    """
    found: list[WantedShare] = []
    base = root.resolve()
    for share in shares:
        folder = at(share.path)
        if not folder.is_dir():
            raise SourceUnavailable(
                f"Share {share.name!r}: {share.path} is no folder here. Check the path, and that it is mounted."
            )
        inside = folder.resolve()
        if not inside.is_relative_to(base):
            raise SourceUnavailable(f"Share {share.name!r}: {share.path} leads out of {root}. Name the folder itself.")
        real = WantedShare(share.name, PurePosixPath("/") / inside.relative_to(base))
        if not str(real.path).isprintable():
            raise ConfigurationError(
                f"Share {share.name!r}: its path has control characters or broken UTF-8. Rename it."
            )
        for other in found:
            refuse_overlap(real, other)
        found.append(real)
    return tuple(found)


def refuse_system_folders(shares: Sequence[WantedShare], own: Sequence[PurePosixPath]) -> None:
    """Raises `ConfigurationError` for a share in or around folders of the system, or those that are our own."""
    for share in shares:
        for folder in (*_NO_SHARE, *own):
            if share.path.is_relative_to(folder) or folder.is_relative_to(share.path):
                raise ConfigurationError(
                    f"Share {share.name!r}: {share.path} and {folder} cannot be told apart by the service, which must "
                    "never touch the latter. Name folders that hold nothing but documents."
                )


def look(
    share: WantedShare,
    folder: Path,
    mount: Mount,
    capabilities: Callable[[], Capabilities],
    *,
    most: int = MOST_FOLDERS,
) -> Place:
    """What can be done in the share, which lies at `folder` for us. Nothing of the trial is left behind.

    Raises `SourceUnavailable` if it does not answer.
    """
    try:
        can = capabilities()
        trial = None if mount.read_only else try_out(folder)
        folders = 0 if mount.is_remote else sum(1 for _ in zip(_folders(folder), range(most), strict=False))
        empty = _is_empty(folder)
    except OSError as error:
        raise SourceUnavailable(f"Share {share.name!r}: {share.path} does not answer ({error.strerror}).") from error
    return Place(share, mount, can.keeps_access_time, trial, folders, empty)


def try_out(folder: Path) -> Trial | None:
    """Tries with a small file in a folder that nobody else can enter; none if we may write nothing.

    The share has its times afterwards that it had before: when people last changed it is evidence. Raises `OSError`.
    """
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        before = os.fstat(root)
        try:
            os.mkdir(_TRIAL, 0o700, dir_fd=root)
        except FileExistsError:
            pass  # left by one that was cut off
        except OSError:
            return None
        try:
            return _tried(root)
        finally:
            os.rmdir(_TRIAL, dir_fd=root)
            with contextlib.suppress(OSError):
                os.utime(root, ns=(before.st_atime_ns, before.st_mtime_ns))
    finally:
        os.close(root)


def _tried(root: int) -> Trial:
    disk = Disk()
    directory = os.open(_TRIAL, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=root)
    try:
        for name in ("a", "b"):
            with contextlib.suppress(FileNotFoundError):
                disk.unlink(name, directory)
        os.close(disk.create("a", directory))
        never_replaces = _can(lambda: disk.rename_new(directory, "a", "b"))
        name = "b" if never_replaces else "a"
        reading = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory)
        try:
            tags = _can(lambda: os.setxattr(reading, "user.retentiond.trial", b"1"))
            tells_open = _can(lambda: fcntl.fcntl(reading, fcntl.F_SETLEASE, fcntl.F_RDLCK))
        finally:
            os.close(reading)
        for name in ("a", "b"):
            with contextlib.suppress(FileNotFoundError):
                disk.unlink(name, directory)
        return Trial(never_replaces, tells_open, tags)
    finally:
        os.close(directory)


def _can(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def _folders(top: Path) -> Iterator[bytes]:
    """Every folder on the same file system, by way of descriptors that leave access times alone."""
    device = top.stat().st_dev
    waiting = [os.fsencode(top)]
    while waiting:
        path = waiting.pop()
        try:
            descriptor = _open_quietly(path)
        except OSError:
            continue  # gone meanwhile, or not for us
        try:
            if os.fstat(descriptor).st_dev != device:
                continue
            yield path
            with os.scandir(descriptor) as entries:
                waiting += [
                    path + b"/" + os.fsencode(entry.name) for entry in entries if entry.is_dir(follow_symlinks=False)
                ]
        except OSError:
            continue
        finally:
            os.close(descriptor)


def _is_empty(folder: Path) -> bool:
    descriptor = _open_quietly(os.fsencode(folder))
    try:
        with os.scandir(descriptor) as entries:
            return next(entries, None) is None
    finally:
        os.close(descriptor)


def _open_quietly(path: bytes) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags | os.O_NOATIME)
    except PermissionError:
        return os.open(path, flags)


def most_watches(proc: Path = PROC) -> int | None:
    """How many folders the kernel lets one user watch; none if it does not say."""
    try:
        return int((proc / "sys/fs/inotify/max_user_watches").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
