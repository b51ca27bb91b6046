"""Calls of the Linux kernel that change something, as Python does not offer them. All raise `OSError`."""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct

_NOREPLACE = 1
_AT_FDCWD, _AT_SYMLINK_FOLLOW = -100, 0x400
_KEEP_SIZE, _PUNCH_HOLE = 1, 2
_FS_IOC_GETFLAGS, _FS_IOC_SETFLAGS = 0x80086601, 0x40086602

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_long, ctypes.c_long)


def _must(answer: int) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def rename_new(from_dir: int, from_name: bytes, to_dir: int, to_name: bytes) -> None:
    """Renames, never over anything: raises `FileExistsError`. `EINVAL` or `ENOSYS` say that this cannot be done."""
    _must(_libc.renameat2(from_dir, from_name, to_dir, to_name, ctypes.c_uint(_NOREPLACE)))


def link_open(descriptor: int, to_dir: int, to_name: bytes) -> None:
    """Gives an open file without a name one, never over anything: raises `FileExistsError`."""
    _must(_libc.linkat(_AT_FDCWD, b"/proc/self/fd/%d" % descriptor, to_dir, to_name, _AT_SYMLINK_FOLLOW))


def punch(descriptor: int, start: int, end: int) -> None:
    """Makes that stretch of the file a hole."""
    _must(_libc.fallocate(descriptor, _PUNCH_HOLE | _KEEP_SIZE, start, end - start))


def flags_of(descriptor: int) -> int:
    """The inode flags (`chattr`) of an open file."""
    (flags,) = struct.unpack("=I", fcntl.ioctl(descriptor, _FS_IOC_GETFLAGS, bytes(4)))
    return int(flags)


def set_flags(descriptor: int, flags: int) -> None:
    """Sets the inode flags."""
    fcntl.ioctl(descriptor, _FS_IOC_SETFLAGS, struct.pack("=I", flags))
