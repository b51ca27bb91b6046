"""What a mount can do, found out by trying it in the hold; never assumed from the name of its file system."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from dataclasses import dataclass

from connectors.filesystem import changes

_PROBE = b".probe-"
_CANNOT = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EISDIR)


@dataclass(frozen=True, slots=True)
class HoldingCapabilities:
    """`rename_new`: a rename that never replaces; `nameless`: files without a name until they are whole; `leases`: asking
    whether somebody has a file open; `marks`: attributes of our own; `time_step`: the steps of its times, in
    nanoseconds."""

    rename_new: bool
    nameless: bool
    leases: bool
    marks: bool
    time_step: int


def probe(directory: int) -> HoldingCapabilities:
    """Tries everything with small files in that directory; nothing is left of them, nor of those of an earlier try that
    was cut off. Raises `OSError`."""
    for left in os.listdir(directory):
        if left.startswith(_PROBE.decode()):
            os.unlink(left, dir_fd=directory)
    name, other = (_PROBE + secrets.token_hex(8).encode() for _ in range(2))
    descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=directory)
    try:
        leases = changes.lease(descriptor) is not None
        marks = _can(lambda: os.setxattr(descriptor, "user.retentiond.probe", b"1"))
        time_step = _time_step(descriptor)
        rename_new = _can(lambda: changes.rename_new(directory, name, directory, other))
    finally:
        os.close(descriptor)
        for left in (name, other):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(left, dir_fd=directory)
    return HoldingCapabilities(rename_new, _nameless(directory), leases, marks, time_step)


def _can(act: object) -> bool:
    try:
        act()  # type: ignore[operator]
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        return False
    return True


def _time_step(descriptor: int) -> int:
    odd = 1_500_000_000_123_456_789
    os.utime(descriptor, ns=(odd, odd))
    kept = os.fstat(descriptor).st_mtime_ns
    return next((step for step in (1, 100, 1_000, 1_000_000) if kept == odd - odd % step), 2_000_000_000)


def _nameless(directory: int) -> bool:
    try:
        os.close(os.open(b".", os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o600, dir_fd=directory))
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        return False
    return True
