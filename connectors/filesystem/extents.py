"""Where the content of a file lies: stretches of data, holes between them, blocks that others share."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import struct
from collections.abc import Iterable, Iterator

from connectors.filesystem.changes import punch

Stretch = tuple[int, int]  # from its first byte to the one behind its last

_BLOCK = 1 << 20
_ZEROS = bytes(_BLOCK)
_FS_IOC_FIEMAP = 0xC020660B
_FIEMAP = struct.Struct("=QQIIII")  # start, length, flags, mapped extents, extents asked for, reserved
_EXTENT = struct.Struct("=QQQ16xI12x")  # logical, physical, length, flags
_SYNC, _LAST, _SHARED = 0x1, 0x1, 0x2000
_EXTENTS = 64
_STATFS_BYTES = 256
_IN_PLACE = frozenset({0xEF53, 0x58465342})  # ext2 to ext4, and xfs: a block that is written again stays where it is

_libc = ctypes.CDLL(None, use_errno=True)


def data_in(descriptor: int, end: int, start: int = 0) -> Iterator[Stretch]:
    """The stretches between `start` and `end` that are not holes. Moves the descriptor's offset."""
    while start < end:
        try:
            begin = os.lseek(descriptor, start, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:  # nothing but a hole from here on
                raise
            return
        if begin >= end:
            return
        start = min(end, os.lseek(descriptor, begin, os.SEEK_HOLE))
        yield begin, start


def holes_in(descriptor: int, size: int) -> Iterator[Stretch]:
    """The holes of a file of that size. Moves the descriptor's offset."""
    position = 0
    for start, end in data_in(descriptor, size):
        if start > position:
            yield position, start
        position = end
    if position < size:
        yield position, size


def punch_again(descriptor: int, holes: Iterable[Stretch]) -> None:
    """Makes holes where there had been some, as far as nothing but zeros lies there now.

    Where the file system has no holes the zeros stay.
    """
    size = os.fstat(descriptor).st_size
    with contextlib.suppress(OSError):
        for begin, behind in holes:
            for start, end in [*data_in(descriptor, min(behind, size), begin)]:
                if _only_zeros(descriptor, start, end):
                    punch(descriptor, start, end)


def _only_zeros(descriptor: int, start: int, end: int) -> bool:
    return not any(
        any(os.pread(descriptor, min(_BLOCK, end - position), position)) for position in range(start, end, _BLOCK)
    )


def overwrite(descriptor: int) -> None:
    """Writes zeros over all that is stored of the file, and waits until they are on the device."""
    for start, end in data_in(descriptor, os.fstat(descriptor).st_size):
        while start < end:
            start += os.pwrite(descriptor, _ZEROS[: min(_BLOCK, end - start)], start)
    os.fsync(descriptor)


def written_in_place(descriptor: int) -> bool:
    """Whether blocks of the file that are written again stay where they are, so that overwriting reaches them."""
    answer = ctypes.create_string_buffer(_STATFS_BYTES)
    _libc.fstatfs(descriptor, answer)
    (kind,) = struct.unpack_from("@l", answer)
    return kind in _IN_PLACE


def may_share(descriptor: int) -> bool:
    """Whether other files or snapshots may hold blocks of this one too; so too if the file system does not tell."""
    start, last = 0, False
    while not last:
        request = bytearray(_FIEMAP.pack(start, 2**64 - 1 - start, _SYNC, 0, _EXTENTS, 0))
        request += bytes(_EXTENT.size * _EXTENTS)
        try:
            fcntl.ioctl(descriptor, _FS_IOC_FIEMAP, request, True)
        except OSError:
            return True
        mapped = _FIEMAP.unpack_from(request)[3]
        last = not mapped
        for number in range(mapped):
            logical, _, length, flags = _EXTENT.unpack_from(request, _FIEMAP.size + _EXTENT.size * number)
            if flags & _SHARED:
                return True
            start, last = logical + length, bool(flags & _LAST)
    return False
