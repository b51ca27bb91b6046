"""One object of the vault, read from end to end by the format that ADR 0011 documents.

    header   8 bytes RTDVAULT, version 1, algorithm 1 (AES-256-GCM), log2 of the chunk size, 0, id, nonce prefix, 0
    chunk    up to that many plain bytes, encrypted, and a tag; nonce: prefix, number (32 bits), 1 in the last one
    inside   M length metadata; D offset length bytes for each stretch, holes between them; E size SHA-256

The header is associated data of every chunk.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agent.fsck.files import read_at

_HEADER = struct.Struct(">8sBBBB16s7sB")
_TAG = 16
_LOG_OF_CHUNK = range(4, 25)
_LONGEST_METADATA = 16 << 20
_ZEROS = bytes(1 << 20)


class NotReadable(Exception):
    """A copy in the vault cannot be read; says why, as the end of a sentence."""


def read_object(source: int, key: bytes, id: bytes) -> tuple[bytes, int]:
    """The SHA-256 of the plain content, holes as zeros, and the bytes that were read, from the device.

    Raises `NotReadable` at the first byte that is not as it was sealed under this id, `OSError`.
    """
    os.posix_fadvise(source, 0, 0, os.POSIX_FADV_DONTNEED)
    plain = _Plain(_chunks(source, key, id))
    if plain.exactly(1) != b"M" or (length := plain.number(4)) > _LONGEST_METADATA:
        raise NotReadable("it does not begin with its metadata")
    plain.exactly(length)
    digest, at = hashlib.sha256(), 0
    while (kind := plain.exactly(1)) == b"D":
        start, length = plain.number(8), plain.number(8)
        if start < at:
            raise NotReadable("its stretches of data overlap")
        _hash_hole(digest, start - at)
        for piece in plain.pieces(length):
            digest.update(piece)
        at = start + length
    if kind != b"E":
        raise NotReadable("it holds a record of no known kind")
    size, said = plain.number(8), plain.exactly(32)
    if not plain.at_end() or size < at:
        raise NotReadable("it does not end where it should")
    _hash_hole(digest, size - at)
    if digest.digest() != said:
        raise NotReadable("its content does not have the hash it was sealed with")
    return said, os.fstat(source).st_size


def _hash_hole(digest: hashlib._Hash, length: int) -> None:
    while length > 0:
        digest.update(_ZEROS[:length])
        length -= len(_ZEROS)


def _chunks(source: int, key: bytes, id: bytes) -> Iterator[bytes]:
    header = read_at(source, _HEADER.size, 0)
    if len(header) < _HEADER.size:
        raise NotReadable("it is shorter than a header")
    magic, version, algorithm, chunk_log, zero, sealed_as, prefix, also_zero = _HEADER.unpack(header)
    if (magic, version, algorithm, zero, also_zero) != (b"RTDVAULT", 1, 1, 0, 0) or chunk_log not in _LOG_OF_CHUNK:
        raise NotReadable("it does not begin as an object does")
    if sealed_as != id:
        raise NotReadable("it was sealed under another id")
    sealed_chunk = (1 << chunk_log) + _TAG
    count = -(-(os.fstat(source).st_size - _HEADER.size) // sealed_chunk)
    cipher = AESGCM(key)
    for number in range(count):
        last = b"\1" if number == count - 1 else b"\0"
        sealed = read_at(source, sealed_chunk, _HEADER.size + number * sealed_chunk)
        try:
            yield cipher.decrypt(prefix + number.to_bytes(4, "big") + last, sealed, header)
        except InvalidTag:
            raise NotReadable(f"chunk {number + 1} of {count} does not open with its key") from None


class _Plain:
    """The plain bytes of an object, in order."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def pieces(self, count: int) -> Iterator[memoryview]:
        while count:
            if not self._rest and not self._more():
                raise NotReadable("it ends in the middle of a record")
            piece, self._rest = self._rest[:count], self._rest[count:]
            count -= len(piece)
            yield piece

    def exactly(self, count: int) -> bytes:
        return b"".join(self.pieces(count))

    def number(self, size: int) -> int:
        return int.from_bytes(self.exactly(size), "big")

    def at_end(self) -> bool:
        return not self._rest and not self._more()

    def _more(self) -> bool:
        """The next chunk that is not empty; whether there is one."""
        for chunk in self._chunks:
            self._rest = memoryview(chunk)
            if chunk:
                return True
        return False
