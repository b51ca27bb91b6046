"""Opening for reading so that nothing on the disk changes by it, not even the time of the last access."""

from __future__ import annotations

import os

_QUIETLY = os.O_RDONLY | os.O_NOATIME | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def open_file(name: str | bytes, directory: int | None = None) -> int:
    """A file, never through a link. Raises `OSError`: `EPERM` for whoever is neither its owner nor root."""
    return os.open(name, _QUIETLY | os.O_NOFOLLOW, dir_fd=directory)


def open_directory(name: str | bytes, directory: int | None = None) -> int:
    """A directory to be listed, never through a link. Raises `OSError`, as `open_file` does."""
    return os.open(name, _QUIETLY | os.O_NOFOLLOW | os.O_DIRECTORY, dir_fd=directory)


def read_at(descriptor: int, size: int, offset: int) -> bytes:
    """Up to `size` bytes from there; fewer only at the end of the file."""
    pieces = []
    while size and (piece := os.pread(descriptor, size, offset)):
        pieces.append(piece)
        size, offset = size - len(piece), offset + len(piece)
    return b"".join(pieces)
