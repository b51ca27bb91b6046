"""Every change the vault makes on a disk goes through here, so that a test can let any of them fail."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from collections.abc import Iterator

from agent.vault.base import NoSpace, StorageFailed

Bytes = bytes | bytearray | memoryview

_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_SUCH_RENAME = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
_RENAME_NOREPLACE = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Disk:
    """The system calls that change something, and the few reads whose answer a file system may refuse.

    All raise `OSError`. Directories are descriptors; names are relative to them.
    """

    def make_directory(self, name: str, directory: int | None = None) -> None:
        """Makes a directory for its owner alone."""
        os.mkdir(name, 0o700, dir_fd=directory)

    def create(self, name: str, directory: int | None = None) -> int:
        """A new empty file for its owner alone, open for reading and writing. Refuses a name that is taken."""
        return os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=directory)

    def write(self, descriptor: int, data: Bytes, offset: int) -> None:
        """Writes all of it, however many calls that takes."""
        rest = memoryview(data)
        while rest:
            written = os.pwrite(descriptor, rest, offset)
            rest, offset = rest[written:], offset + written

    def resize(self, descriptor: int, size_bytes: int) -> None:
        """Cuts or extends a file; what is added is a hole."""
        os.ftruncate(descriptor, size_bytes)

    def sync(self, descriptor: int) -> None:
        """What was written is on the device when this returns. A failure must not be tried again on the same file."""
        os.fsync(descriptor)

    def forget_cache(self, descriptor: int) -> None:
        """What is read next comes from the device."""
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def rename_new(self, directory: int, old: str, new: str) -> None:
        """Renames inside one directory and never replaces: `FileExistsError` if the new name is taken.

        Where the file system has no such rename (NFS), a link and an unlink do the same.
        """
        try:
            self.rename_noreplace(directory, old, new)
        except OSError as error:
            if error.errno not in _NO_SUCH_RENAME:
                raise
            self.link(old, new, directory)
            self.unlink(old, directory)

    def rename_noreplace(self, directory: int, old: str, new: str) -> None:
        """renameat2(2) with RENAME_NOREPLACE, which Python does not have."""
        if _libc.renameat2(directory, old.encode(), directory, new.encode(), ctypes.c_uint(_RENAME_NOREPLACE)) < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), new)

    def rename_over(self, old: str, new: str) -> None:
        """Renames and replaces."""
        os.rename(old, new)

    def link(self, old: str, new: str, directory: int | None = None) -> None:
        """A second name for a file; refuses a name that is taken."""
        os.link(old, new, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)

    def unlink(self, name: str, directory: int | None = None) -> None:
        """Removes a name."""
        os.unlink(name, dir_fd=directory)

    def seek(self, descriptor: int, offset: int, whence: int) -> int:
        """lseek(2), here for SEEK_DATA and SEEK_HOLE."""
        return os.lseek(descriptor, offset, whence)


def sync_directory(disk: Disk, path: str) -> None:
    """Makes the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        disk.sync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def plainly(what: str) -> Iterator[None]:
    """Turns the system's refusals into the vault's errors. `what` is the beginning of the sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise NoSpace(f"{what}: the disk or the quota is full. Make room and try again.") from error
        raise StorageFailed(f"{what} ({error.strerror}).") from error


def read_exactly(descriptor: int, size: int, offset: int) -> bytes:
    """Up to `size` bytes from there; fewer only at the end of the file."""
    pieces = []
    while size and (piece := os.pread(descriptor, size, offset)):
        pieces.append(piece)
        size, offset = size - len(piece), offset + len(piece)
    return b"".join(pieces)
