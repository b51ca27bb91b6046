"""Calls of the Linux kernel that Python does not offer: opening strictly beneath a directory, and what statx tells."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_SYS_OPENAT2 = 437  # the same number on every architecture that has it (Linux 5.6)
_NO_XDEV, _NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x01, 0x02, 0x04, 0x08
_STATX_BTIME, _STATX_MNT_ID = 0x800, 0x1000
_STATX_BYTES = 256
_ATTRIBUTES_AT, _MOUNT_AT = 8, 144
_BIRTH_AT = 80  # offset of stx_btime in struct statx: seconds (64 bits), nanoseconds (32 bits)
_AT_SYMLINK_NOFOLLOW, _AT_EMPTY_PATH = 0x100, 0x1000
_UNCHANGEABLE = 0x10 | 0x20  # STATX_ATTR_IMMUTABLE, STATX_ATTR_APPEND
_PATH_BYTES = 4000  # the kernel takes 4,096 with the closing zero; longer ways are gone in steps
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_libc = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_beneath(directory: int, path: bytes, flags: int) -> int:
    """A descriptor for `path`, which must lie below `directory` on the same mount with no symbolic link on the way.

    Paths may be longer than the kernel takes at once. Raises `OSError`: `ELOOP` for a symbolic link, `EXDEV` for
    another mount or a way out. Where the kernel lacks openat2, each step is checked by itself; a bind mount of the
    same file system is then not told apart.
    """
    flags |= os.O_CLOEXEC | os.O_NOFOLLOW
    here = directory
    try:
        while len(path) > _PATH_BYTES:
            cut = path.rindex(b"/", 0, _PATH_BYTES)
            deeper = _open(here, path[:cut], os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
            if here != directory:
                os.close(here)
            here, path = deeper, path[cut + 1 :]
        return _open(here, path, flags)
    finally:
        if here != directory:
            os.close(here)


def _open(directory: int, path: bytes, flags: int) -> int:
    how = _OpenHow(flags, 0, _BENEATH | _NO_SYMLINKS | _NO_MAGICLINKS | _NO_XDEV)
    while True:
        descriptor: int = _libc.syscall(_SYS_OPENAT2, directory, path, ctypes.byref(how), ctypes.sizeof(how))
        if descriptor >= 0:
            return descriptor
        fault = ctypes.get_errno()
        if fault in (errno.ENOSYS, errno.EINVAL) or (fault == errno.EPERM and not _have_openat2()):
            return open_stepwise(directory, path, flags)
        if fault not in (errno.EINTR, errno.EAGAIN) or (fault == errno.EAGAIN and flags & os.O_NONBLOCK):
            raise OSError(fault, os.strerror(fault))


def _have_openat2() -> bool:
    """Whether the call itself is let through; container run times of old answer it with EPERM."""
    how = _OpenHow(os.O_PATH | os.O_CLOEXEC, 0, 0)
    descriptor: int = _libc.syscall(_SYS_OPENAT2, -100, b"/", ctypes.byref(how), ctypes.sizeof(how))
    if descriptor >= 0:
        os.close(descriptor)
    return descriptor >= 0


def open_stepwise(directory: int, path: bytes, flags: int) -> int:
    """What `open_beneath` does where the kernel lacks openat2: one step at a time, none through a link."""
    device = os.fstat(directory).st_dev
    steps = path.split(b"/")
    if b".." in steps or path.startswith(b"/"):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
    here = directory
    on_the_way = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    for number, step in enumerate(steps, 1):
        try:
            deeper = os.open(step, flags if number == len(steps) else on_the_way, dir_fd=here)
        finally:
            if here != directory:
                os.close(here)
        here = deeper
        if os.fstat(here).st_dev != device:
            os.close(here)
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
    return here


def birth_time(directory: int, name: bytes) -> datetime | None:
    """When the file was made, to the microsecond, if its file system keeps that. Opens nothing."""
    answer = ctypes.create_string_buffer(_STATX_BYTES)
    if _libc.statx(directory, name, _AT_SYMLINK_NOFOLLOW, _STATX_BTIME, answer) != 0:
        return None
    (mask,) = struct.unpack_from("=I", answer)
    if not mask & _STATX_BTIME:
        return None
    seconds, nanoseconds = struct.unpack_from("=qI", answer, _BIRTH_AT)
    return _EPOCH + timedelta(seconds=seconds, microseconds=nanoseconds // 1000)


@dataclass(frozen=True, slots=True)
class Beyond:
    """What statx tells beyond stat: whether nobody may change the file (`chattr +i`, `+a`), the number of the mount by
    which it was reached (0 if the kernel does not tell), and when it was made, in nanoseconds since 1970, if kept."""

    unchangeable: bool
    mount: int
    born: int | None


def beyond_stat(descriptor: int) -> Beyond:
    """The same for an open file or folder; nothing of it where the kernel does not answer."""
    answer = ctypes.create_string_buffer(_STATX_BYTES)
    if _libc.statx(descriptor, b"", _AT_EMPTY_PATH, _STATX_BTIME | _STATX_MNT_ID, answer) != 0:
        return Beyond(False, 0, None)
    (mask,) = struct.unpack_from("=I", answer)
    (attributes,) = struct.unpack_from("=Q", answer, _ATTRIBUTES_AT)
    (mount,) = struct.unpack_from("=Q", answer, _MOUNT_AT)
    seconds, nanoseconds = struct.unpack_from("=qI", answer, _BIRTH_AT)
    return Beyond(
        unchangeable=bool(attributes & _UNCHANGEABLE),
        mount=mount if mask & _STATX_MNT_ID else 0,
        born=seconds * 1_000_000_000 + nanoseconds if mask & _STATX_BTIME else None,
    )
