"""The kernel's cache of file contents: what of a file lies in it, and giving back what we brought there.

Others need the cache for what they work with; we read every file once.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress

from connectors.filesystem.extents import Stretch

PAGE_BYTES = mmap.PAGESIZE
_SYS_CACHESTAT = 451  # the same number on every architecture that we know to run on (Linux 6.5)
_RANGE = struct.Struct("=QQ")
_ANSWER = struct.Struct("=QQQQQ")
_WINDOW_PAGES = 65_536
_MOST_STRETCHES = 10_000  # of a file that is cached here and there; what lies behind is left alone
_LOWEST_BIT = bytes(byte & 1 for byte in range(256))
_FAILED = ctypes.c_void_p(-1).value

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (
    *(ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int),
    *(ctypes.c_int, ctypes.c_int, ctypes.c_longlong),
)
_libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_libc.mincore.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p)


def not_cached(descriptor: int, size: int) -> tuple[Stretch, ...]:
    """The stretches of a file of `size` bytes that are not in the cache, in whole pages. Brings none of them in.

    The kernel tells that only to the file's owner, to who may write it, and to root. Others learn whether the first
    page, the one in the middle and the last are there; if they are, the whole file is taken to be. What cannot be told
    counts as cached.
    """
    if size <= 0:
        return ()
    pages = -(-size // PAGE_BYTES)
    whole = ((0, pages * PAGE_BYTES),)
    cached = cached_pages(descriptor, size)
    if cached is not None and not 0 < cached < pages:
        return () if cached else whole
    if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_NOATIME:  # it was given to us by the same right that mincore asks
        return tuple(_gaps(descriptor, pages))
    return () if cached or _seems_cached(descriptor, pages) else whole


def cached_pages(descriptor: int, size: int) -> int | None:
    """How many pages of the file's first `size` bytes are cached; none where the kernel does not tell us."""
    answer = ctypes.create_string_buffer(_ANSWER.size)
    if _libc.syscall(_SYS_CACHESTAT, descriptor, _RANGE.pack(0, size), answer, 0) != 0:
        return None
    cached: int = _ANSWER.unpack(answer.raw)[0]
    return cached


def drop(descriptor: int, stretches: Sequence[Stretch]) -> None:
    """Gives these stretches of the file back to whoever needs the memory. What is being written is kept."""
    with suppress(OSError):  # a file system without such a cache
        for start, end in stretches:
            os.posix_fadvise(descriptor, start, end - start, os.POSIX_FADV_DONTNEED)


def _gaps(descriptor: int, pages: int) -> Iterator[Stretch]:
    """What is not cached, as mincore tells it page by page."""
    told = 0
    for first in range(0, pages, _WINDOW_PAGES):
        present = _present(descriptor, first, min(_WINDOW_PAGES, pages - first))
        start = present.find(0)
        while start >= 0:
            end = present.find(1, start)
            end = len(present) if end < 0 else end
            yield (first + start) * PAGE_BYTES, (first + end) * PAGE_BYTES
            told += 1
            if told == _MOST_STRETCHES:
                return
            start = present.find(0, end)


def _present(descriptor: int, first: int, pages: int) -> bytes:
    """One byte for each page: 1 if it is cached. Nothing is mapped to be read, so a file cut short does us no harm."""
    length = pages * PAGE_BYTES
    place = _libc.mmap(None, length, mmap.PROT_READ, mmap.MAP_SHARED, descriptor, first * PAGE_BYTES)
    if place == _FAILED:
        return b"\1" * pages
    try:
        answer = ctypes.create_string_buffer(pages)
        told = _libc.mincore(place, length, answer) == 0
        return answer.raw.translate(_LOWEST_BIT) if told else b"\1" * pages
    finally:
        _libc.munmap(place, length)


def _seems_cached(descriptor: int, pages: int) -> bool:
    """Whether each of a few pages can be read without waiting. Where the file system does not say, as if they could.

    The kernel fetches a page that is not there before it looks whether it has to wait; now and then a disk has answered
    by then, and the page is taken for one that was there. That all of them are is rare. Without reading ahead none
    brings the next one in.
    """
    with suppress(OSError):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
    try:
        for page in sorted({0, pages // 2, pages - 1}):
            os.preadv(descriptor, [bytearray(1)], page * PAGE_BYTES, os.RWF_NOWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        with suppress(OSError):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_NORMAL)
    return True
