"""Open files: got at without being waited for, their content hashed."""

from __future__ import annotations

import errno
import hashlib
import os

from connectors.filesystem.extents import data_in
from connectors.filesystem.linux import open_beneath

_BLOCK = 1 << 20
_ZEROS = memoryview(bytes(_BLOCK))


def open_file(folder: int, name: bytes) -> int:
    """A descriptor for reading; the access time is kept where we may ask for that. Raises `OSError`.

    No link is followed, and should somebody put a named pipe in the file's place, we don't wait for it.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
    try:
        return open_beneath(folder, name, flags | os.O_NOATIME)
    except PermissionError as error:
        if error.errno != errno.EPERM:
            raise
    return open_beneath(folder, name, flags)


def sha256_of(descriptor: int) -> str:
    """The SHA-256 of an open file in hexadecimal digits. Holes are hashed as the zeros they are, but not read."""
    digest = hashlib.sha256()
    position, size = 0, os.fstat(descriptor).st_size
    for start, end in data_in(descriptor, size):
        _hash_zeros(digest, start - position)
        position = start
        while position < end and (block := os.pread(descriptor, min(_BLOCK, end - position), position)):
            digest.update(block)
            position += len(block)
    _hash_zeros(digest, size - position)
    return digest.hexdigest()


def _hash_zeros(digest: hashlib._Hash, count: int) -> None:
    while count > 0:
        digest.update(_ZEROS[: min(_BLOCK, count)])
        count -= _BLOCK
