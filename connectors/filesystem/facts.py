"""What a file's status says of it, and what the faults of a file system mean."""

from __future__ import annotations

import errno
import os
import stat
import struct
from datetime import UTC, datetime, timedelta

from connectors.base import FailReason, SkipReason
from connectors.errors import (
    ConnectorError,
    ItemChanged,
    ItemNotFound,
    LockedAtSource,
    PermissionDenied,
    ScopeUnavailable,
    SourceFault,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KIND_BITS = 0o170000  # stat.S_IFMT, without its call for each file
_VERSION = struct.Struct("=QqqqH")  # inode, size, mtime and ctime in nanoseconds, type: 34 bytes

_SPECIAL = {
    stat.S_IFLNK: SkipReason.SYMBOLIC_LINK,
    stat.S_IFIFO: SkipReason.FIFO,
    stat.S_IFSOCK: SkipReason.SOCKET,
    stat.S_IFBLK: SkipReason.DEVICE,
    stat.S_IFCHR: SkipReason.DEVICE,
}

# By these a file system as a whole says that it is not there.
_AWAY = frozenset({errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENODEV, errno.ESHUTDOWN})
_ON_OPENING: dict[int, type[ConnectorError]] = {
    errno.ENOENT: ItemNotFound,
    errno.ENOTDIR: ItemChanged,
    errno.ELOOP: ItemChanged,
    errno.ENXIO: ItemChanged,
    errno.EACCES: PermissionDenied,
    errno.EPERM: PermissionDenied,
    errno.EWOULDBLOCK: LockedAtSource,
    errno.ETXTBSY: LockedAtSource,
    errno.EBUSY: LockedAtSource,
}


def version_of(facts: os.stat_result) -> bytes:
    """The version of a file. Its change time is in it, which nobody can set back."""
    return _VERSION.pack(facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_mode & _KIND_BITS)


def special(facts: os.stat_result) -> SkipReason | None:
    """Why a file of this kind is never opened, or none for a regular file."""
    return _SPECIAL.get(stat.S_IFMT(facts.st_mode))


def moment(nanoseconds: int) -> datetime:
    """The moment in UTC, to the microsecond; one that no calendar holds becomes the calendar's end."""
    try:
        return _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if nanoseconds > 0 else datetime.min.replace(tzinfo=UTC)


def fail_reason(error: OSError) -> FailReason:
    """Why an item or folder cannot be read. Raises `ScopeUnavailable` if the fault speaks for the whole share."""
    if error.errno in _AWAY:
        raise ScopeUnavailable(f"the file system went away ({os.strerror(error.errno)})") from None
    denied = error.errno in (errno.EACCES, errno.EPERM)
    return FailReason.PERMISSION_DENIED if denied else FailReason.IO_ERROR


def on_opening(error: OSError) -> ConnectorError:
    """What a fault on opening an item means. The message names the fault, never the item."""
    said = os.strerror(error.errno or errno.EIO)
    if error.errno in _AWAY:
        return ScopeUnavailable(f"the file system went away ({said})")
    return _ON_OPENING.get(error.errno or 0, SourceFault)(said)
