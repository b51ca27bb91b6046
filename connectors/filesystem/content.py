"""Opening a file so that it neither changes, nor blocks, nor is fetched from elsewhere."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Sequence

from connectors.content import OpenContent
from connectors.errors import AccessTimeWouldChange, ConnectorError, ItemChanged, Offline, Sparse
from connectors.filesystem.extents import Stretch
from connectors.filesystem.facts import on_opening, version_of
from connectors.filesystem.linux import open_beneath
from connectors.filesystem.page_cache import drop, not_cached

# A file is mostly holes when reading it would make up this many bytes and at most an eighth of it is stored.
_HOLE_BYTES = 1024 * 1024
_HOLE_RATIO = 8
# Smaller content may lie in the inode, and just written content nowhere yet: neither counts blocks.
_INLINE_BYTES = 4096
_SETTLED_SECONDS = 60


class FileContent(OpenContent):
    """A file's bytes. `brought` is what of it others had not in the cache: closing gives that back."""

    brought: Sequence[Stretch] = ()

    def close(self) -> None:
        if self._descriptor is not None:
            drop(self._descriptor, self.brought)
        super().close()


def open_content(directory: int, name: bytes, version: bytes, *, may_change_access_times: bool) -> FileContent:
    """The file `name` in `directory` at `version`. What reading it brings into the page cache is dropped at its close.

    Raises the errors of `Connector.open`. Should somebody put a named pipe in the file's place, we don't wait for it.
    """
    try:
        descriptor = _open(directory, name, may_change_access_times)
    except OSError as error:
        raise on_opening(error) from None
    content = FileContent(descriptor, lambda opened: _is_at(opened, version))
    try:
        if not content.still_current():
            raise ItemChanged("the file is another one than was listed")
        _refuse_to_recall(descriptor)
        content.brought = not_cached(descriptor, os.fstat(descriptor).st_size)
    except OSError as error:
        content.close()
        raise on_opening(error) from None
    except ConnectorError:
        content.close()
        raise
    return content


def _is_at(descriptor: int, version: bytes) -> bool:
    facts = os.fstat(descriptor)
    return stat.S_ISREG(facts.st_mode) and version_of(facts) == version


def _open(directory: int, name: bytes, may_change_access_times: bool) -> int:
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
    try:
        return open_beneath(directory, name, flags | os.O_NOATIME)
    except PermissionError as error:
        if error.errno != errno.EPERM:  # EACCES: we may not read it at all; EPERM: we may not ask for O_NOATIME
            raise
    if not (may_change_access_times or mount_keeps_access_times(directory)):
        raise AccessTimeWouldChange("only the file's owner can read it without changing its access time")
    return open_beneath(directory, name, flags)


def mount_keeps_access_times(descriptor: int) -> bool:
    """Whether the mount never changes access times, whoever reads."""
    return bool(os.fstatvfs(descriptor).f_flag & (os.ST_NOATIME | os.ST_RDONLY))


def _refuse_to_recall(descriptor: int) -> None:
    """Raises `Offline` or `Sparse` if reading would bring in or make up what is not stored here."""
    facts = os.fstat(descriptor)
    if facts.st_blocks * 512 * _HOLE_RATIO > facts.st_size or facts.st_size <= _INLINE_BYTES:
        return
    # Few blocks may mean compression too; only holes are made up, so they are what is counted.
    stored = stored_bytes(descriptor, facts.st_size)
    if stored * _HOLE_RATIO <= facts.st_size and facts.st_size - stored >= _HOLE_BYTES:
        raise Sparse("the file is mostly holes")
    if facts.st_blocks == 0 and stored and time.time() - facts.st_ctime > _SETTLED_SECONDS:
        raise Offline("nothing of the file's content is stored here")


def stored_bytes(descriptor: int, size: int) -> int:
    """How many bytes of the file are not holes. The descriptor's offset is left at the beginning."""
    stored = end = 0
    try:
        while end < size:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
            end = os.lseek(descriptor, start, os.SEEK_HOLE)
            stored += end - start
    except OSError as error:
        if error.errno != errno.ENXIO:  # no more data behind `end`
            raise
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)
    return stored
