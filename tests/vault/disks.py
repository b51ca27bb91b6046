"""Disks that fail on purpose: the current is cut before a given step, or a given step is refused."""

from __future__ import annotations

import contextlib
import errno
import os
from collections import Counter
from collections.abc import Callable
from enum import StrEnum

from agent.vault.disk import Bytes, Disk

Key = tuple[int, int]


class Lost(StrEnum):
    """What is not on the device any more after the cut, of all that was not made durable."""

    NOTHING = "nothing"  # the process was killed: the system writes everything in the end
    CONTENTS = "contents"  # names came through, what was written did not
    NAMES = "names"  # the other way round
    EVERYTHING = "everything"


class Cut(BaseException):
    """The process is no more. Not an `Exception`, so that nothing tidies up behind it by mistake."""


def _key(descriptor: int) -> Key:
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino


class Steps(Disk):
    """Counts what changes the disk, and lets one step be the last one, or fail.

    Nothing is really synced: what a sync would have made durable is remembered instead, and at the cut the rest is
    taken back, the latest first. A file's name is durable only after its directory was synced. `graves` is a directory
    for what was unlinked and may have to come back.
    """

    def __init__(
        self,
        graves: str,
        cut_at: int | None = None,
        lost: Lost = Lost.NOTHING,
        refuse: dict[int, int] | None = None,
        deaf: Callable[[int], bool] = lambda descriptor: False,
    ):
        self.cut_at = cut_at
        self.lost = lost
        self.refuse = refuse or {}  # step → error number
        self.deaf = deaf  # a planted bug: these descriptors are never really synced
        self.count: Counter[str] = Counter()
        self.dead = False
        self._pending: list[tuple[Key, bool, Callable[[], None]]] = []
        self._open: list[int] = []
        self._graves = graves

    def __enter__(self) -> Steps:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in self._open:
            os.close(descriptor)

    def steps(self) -> int:
        return sum(self.count.values())

    def _step(self, name: str) -> None:
        if self.dead:
            raise Cut
        if self.steps() == self.cut_at:
            self.cut(self.lost)
            raise Cut
        number = self.steps()
        self.count[name] += 1
        if error := self.refuse.get(number):
            raise OSError(error, os.strerror(error))

    def cut(self, lost: Lost) -> None:
        """The current goes now."""
        self.dead = True
        self._take_back(
            lambda key, is_name: lost is Lost.EVERYTHING or lost is (Lost.NAMES if is_name else Lost.CONTENTS)
        )

    def _take_back(self, which: Callable[[Key, bool], bool]) -> None:
        for key, is_name, undo in reversed(self._pending):
            if which(key, is_name):
                with contextlib.suppress(FileNotFoundError, FileExistsError, OSError):
                    undo()
        self._pending = []

    def _changed(self, descriptor: int | None, is_name: bool, undo: Callable[[int], None], path: str = ".") -> None:
        kept = os.dup(descriptor) if descriptor is not None else os.open(path or ".", os.O_RDONLY | os.O_DIRECTORY)
        self._open.append(kept)
        self._pending.append((_key(kept), is_name, lambda: undo(kept)))

    def make_directory(self, name: str, directory: int | None = None) -> None:
        self._step("mkdir")
        super().make_directory(name, directory)
        base = os.path.basename(name)
        self._changed(directory, True, lambda at: os.rmdir(base, dir_fd=at), os.path.dirname(name))

    def create(self, name: str, directory: int | None = None) -> int:
        self._step("create")
        descriptor = super().create(name, directory)
        base = os.path.basename(name)
        self._changed(directory, True, lambda at: os.unlink(base, dir_fd=at), os.path.dirname(name))
        return descriptor

    def write(self, descriptor: int, data: Bytes, offset: int) -> None:
        self._step("write")
        size = os.fstat(descriptor).st_size
        there = os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR)
        self._open.append(there)
        before = os.pread(there, len(data), offset)

        def undo(_: int) -> None:
            os.pwrite(there, before, offset)
            os.ftruncate(there, size)

        self._changed(descriptor, False, undo)
        super().write(descriptor, data, offset)

    def resize(self, descriptor: int, size_bytes: int) -> None:
        self._step("resize")
        super().resize(descriptor, size_bytes)

    def sync(self, descriptor: int) -> None:
        key = _key(descriptor)
        try:
            self._step("sync")
        except OSError:  # the pages are clean now and the device has the old contents: a sync tried again would succeed
            kept = [one for one in self._pending if one[0] != key]
            self._take_back(lambda other, is_name: other == key)
            self._pending = kept
            raise
        if not self.deaf(descriptor):
            self._pending = [one for one in self._pending if one[0] != key]

    def rename_noreplace(self, directory: int, old: str, new: str) -> None:
        self._step("rename")
        super().rename_noreplace(directory, old, new)
        self._changed(directory, True, lambda at: os.rename(new, old, src_dir_fd=at, dst_dir_fd=at))

    def rename_over(self, old: str, new: str) -> None:
        self._step("rename")
        grave = self._bury(new, None)
        super().rename_over(old, new)

        def undo(_: int) -> None:
            os.rename(new, old)
            os.link(grave, new)

        self._changed(None, True, undo, os.path.dirname(new))

    def link(self, old: str, new: str, directory: int | None = None) -> None:
        self._step("link")
        super().link(old, new, directory)
        base = os.path.basename(new)
        self._changed(directory, True, lambda at: os.unlink(base, dir_fd=at), os.path.dirname(new))

    def _bury(self, name: str, directory: int | None) -> str:
        grave = os.path.join(self._graves, os.urandom(8).hex())
        os.link(name, grave, src_dir_fd=directory)
        return grave

    def unlink(self, name: str, directory: int | None = None) -> None:
        self._step("unlink")
        grave = None
        with contextlib.suppress(FileNotFoundError):
            grave = self._bury(name, directory)
        super().unlink(name, directory)
        base = os.path.basename(name)
        self._changed(directory, True, lambda at: os.link(grave or "", base, dst_dir_fd=at), os.path.dirname(name))


class WithoutNoreplace(Disk):
    """A file system like NFS, which knows no such rename."""

    def rename_noreplace(self, directory: int, old: str, new: str) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
