"""What lies in a share and in its hold, found out from the file system without changing anything there."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from agent.fsck.files import open_directory, open_file

_VERSION = struct.Struct("=QqqqH")  # inode, size, times of change of content and of status in nanoseconds, type
_WHICH = struct.Struct("=Qqq")  # the part of it that stays when a file is only moved
_KIND_BITS = 0o170000
_PATH = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)


class ShareAway(Exception):
    """The share cannot be looked at; says why, as the end of a sentence."""


def version_of(facts: os.stat_result) -> bytes:
    """What a file's version in the catalogue must be, if it is as it was."""
    kind = facts.st_mode & _KIND_BITS
    return _VERSION.pack(facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, kind)


def mark_of(version: bytes) -> bytes:
    """The part of a version by which a file that was only moved is known again."""
    return version[: _WHICH.size]


def is_version(version: bytes) -> bool:
    """Whether these bytes are such a version; other connectors have others, which say nothing here."""
    return len(version) == _VERSION.size


def same_file(facts: os.stat_result, version: bytes) -> bool:
    """Whether it is the very file that had this version, though it may have been changed since."""
    inode, _, _, _, kind = _VERSION.unpack(version)
    return (facts.st_ino, facts.st_mode & _KIND_BITS) == (inode, kind)


class Share:
    """The folder `root`, open. Raises `ShareAway` unless it is there and is the one that was scanned."""

    def __init__(self, root: Path, identity: str, hold: Path) -> None:
        try:
            self._root = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise ShareAway(f"the folder cannot be opened ({error.strerror})") from None
        self._device = os.fstat(self._root).st_dev
        self._folder: tuple[bytes, int] | None = None
        self._hold: tuple[int, int] | None = None
        self.hold: dict[bytes, os.stat_result] = {}
        try:
            self._must_be(identity)
            self._list_hold(hold)
        except ShareAway:
            os.close(self._root)
            raise

    def _must_be(self, identity: str) -> None:
        if f"{os.statvfs(self._root).f_fsid:x}:{os.fstat(self._root).st_ino}" != identity:
            raise ShareAway("another file system answers there now")

    def _list_hold(self, hold: Path) -> None:
        try:
            descriptor = open_directory(os.fsencode(hold), self._root)
        except FileNotFoundError:
            return
        except OSError as error:
            raise ShareAway(f"its hold cannot be opened ({error.strerror})") from None
        try:
            facts = os.fstat(descriptor)
            self._hold = facts.st_dev, facts.st_ino
            self.hold.update(_listed(descriptor))
        finally:
            os.close(descriptor)

    def close(self) -> None:
        if self._folder is not None:
            os.close(self._folder[1])
        os.close(self._root)

    def at(self, folder: bytes, name: bytes) -> os.stat_result | None:
        """What lies at a place, if anything does. Raises `OSError` if that cannot be told."""
        try:
            return os.stat(name, dir_fd=self._folder_at(folder), follow_symlinks=False)
        except OSError as error:
            if error.errno in _NOTHING_THERE:
                return None
            raise
        except ValueError:  # no file can have such a name
            return None

    def sha256(self, folder: bytes, name: bytes) -> bytes | None:
        """The SHA-256 of the file at a place; none if that is no file. Raises `OSError`."""
        descriptor = open_file(name, self._folder_at(folder))
        with open(descriptor, "rb", buffering=0) as file:
            is_file = os.fstat(descriptor).st_mode & _KIND_BITS == 0o100000
            return hashlib.file_digest(file, "sha256").digest() if is_file else None

    def held(self, id: str, ending: str = "") -> os.stat_result | None:
        """What lies in the hold under an id; what has been asked for is not in `hold` any more."""
        return self.hold.pop((id + ending).encode(), None)

    def marks(self) -> Iterator[bytes]:
        """The mark of everything that is no folder, in the whole share but not in its hold. What cannot be listed is
        left out."""
        waiting = [b""]
        while waiting:
            path = waiting.pop()
            with contextlib.suppress(OSError):
                folder = open_directory(b".", self._folder_at(path))
                try:
                    for name, facts in _listed(folder):
                        if facts.st_mode & _KIND_BITS != 0o040000:
                            yield mark_of(version_of(facts))
                        elif facts.st_dev == self._device and (facts.st_dev, facts.st_ino) != self._hold:
                            waiting.append(path + b"/" + name if path else name)
                finally:
                    os.close(folder)

    def _folder_at(self, path: bytes) -> int:
        """A descriptor of the folder; the last one asked for is kept, since a folder's items come together."""
        if self._folder is None or self._folder[0] != path:
            opened = self._opened(path)
            if self._folder is not None:
                os.close(self._folder[1])
            self._folder = path, opened
        return self._folder[1]

    def _opened(self, path: bytes) -> int:
        here = os.dup(self._root)
        for step in path.split(b"/") if path else ():
            try:
                deeper = os.open(step, _PATH, dir_fd=here)
            finally:
                os.close(here)
            here = deeper
        if os.fstat(here).st_dev != self._device:
            os.close(here)
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return here


def _listed(folder: int) -> Iterator[tuple[bytes, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):  # others may take it away at any time
                yield os.fsencode(entry.name), entry.stat(follow_symlinks=False)
