"""What a file system can do where we act, found out by trying it in the hold; never assumed from its name."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from dataclasses import dataclass

from connectors.filesystem import changes, leases

_ODD = 1_500_000_000_123_456_789  # nanoseconds; every digit shows in which steps times are kept
_STEPS = (1, 100, 1_000, 1_000_000, 1_000_000_000)
_COARSEST = 2_000_000_000
_MARK = "user.retentiond.probe"
_CANNOT = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM, errno.EISDIR, errno.ENOENT)


@dataclass(frozen=True, slots=True)
class HoldingCapabilities:
    """What was found out.

    `renames_new`: a rename that never replaces; `links`: several names for one file; `nameless`: files without a name
    until they are whole; `leases`: asking whether somebody has a file open for writing; `marks`: attributes of our
    own; `time_step_ns`: the steps in which times are kept, in nanoseconds.
    """

    renames_new: bool
    links: bool
    nameless: bool
    leases: bool
    marks: bool
    time_step_ns: int


def probe(directory: int, name: bytes) -> HoldingCapabilities:
    """Tries everything with a small file of that name; nothing is left of it. Raises `OSError` if there can be none."""
    other = name + b"-2"
    try:
        return _tried(directory, name, other)
    except OSError:
        for left in (name, other):
            with contextlib.suppress(OSError):
                os.unlink(left, dir_fd=directory)
        raise


def _tried(directory: int, name: bytes, other: bytes) -> HoldingCapabilities:
    descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=directory)
    try:
        os.utime(descriptor, ns=(_ODD, _ODD))
        time_step_ns = step_of(os.fstat(descriptor).st_mtime_ns)
        marks = _can(lambda: os.setxattr(descriptor, _MARK, b"1"))
        links = _can(lambda: os.link(name, other, src_dir_fd=directory, dst_dir_fd=directory))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(other, dir_fd=directory)
        renames_new = _can(lambda: changes.rename_new(directory, name, directory, other))
    finally:
        os.close(descriptor)
    name = other if renames_new else name
    try:
        leased = _leases(directory, name)
    finally:
        os.unlink(name, dir_fd=directory)
    nameless = _can(lambda: _make_nameless(directory, name))
    return HoldingCapabilities(renames_new, links, nameless, leased, marks, time_step_ns)


def _can(attempt: Callable[[], None]) -> bool:
    try:
        attempt()
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        return False
    return True


def step_of(kept_ns: int) -> int:
    """In what steps times are kept, by what has become of an odd one."""
    return next((step for step in _STEPS if kept_ns == _ODD - _ODD % step), _COARSEST)


def _leases(directory: int, name: bytes) -> bool:
    descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory)  # for writing it would never be granted
    try:
        return leases.lease(descriptor) is True
    finally:
        os.close(descriptor)


def _make_nameless(directory: int, name: bytes) -> None:
    descriptor = os.open(b".", os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600, dir_fd=directory)
    try:
        changes.link_open(descriptor, directory, name)
        os.unlink(name, dir_fd=directory)
    finally:
        os.close(descriptor)
