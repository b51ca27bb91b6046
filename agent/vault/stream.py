"""One sealed object: a header in the clear, then chunks of ciphertext of which none can be missed, moved or mended.

    header   magic, version, algorithm, log2 of the chunk size, id, nonce prefix (36 bytes)
    chunk    up to 2^n plain bytes as AES-256-GCM ciphertext and its tag; all but the last are full

The chunks are the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015): a chunk's nonce is the object's
random prefix, the chunk's number and one byte that is 1 in the last chunk only; the header is associated data of
every chunk. The plain bytes inside are records:

    M length, metadata           once, in front
    D offset, length, content    one for each stretch of data; what lies between is a hole
    E size, SHA-256              once, behind: of the content with its holes read as zeros

Memory in use is a few chunks, whatever the size of the file.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agent.vault.base import Damaged, Opened, SourceChanged, id_bytes
from agent.vault.disk import Disk, read_exactly

CHUNK_BYTES = 1 << 20
METADATA_LIMIT = 16 << 20

MAGIC = b"RTDVAULT"
HEADER = struct.Struct(">8sBBBx16s7sx")
META = struct.Struct(">cI")
DATA = struct.Struct(">cQQ")
END = struct.Struct(">cQ32s")
TAG_BYTES = 16

_VERSION = 1
_AES_256_GCM = 1
_SMALLEST, _LARGEST = 4, 24  # log2 of the chunk sizes we read: 16 bytes, for tests, to 16 MiB
_PREFIX_BYTES = 7
_COUNTER_LIMIT = 1 << 32
_ZEROS = bytes(CHUNK_BYTES)
_NO_HOLES_HERE = (errno.EINVAL, errno.EOPNOTSUPP)


@dataclass(frozen=True, slots=True)
class Content:
    """The plain content as it was read, and the bytes it became."""

    sha256: str
    size_bytes: int
    stored_bytes: int


def chunk_nonce(prefix: bytes, number: int, last: bool) -> bytes:
    """The nonce of one chunk. Raises `ValueError` beyond 2^32 chunks (4 PiB), where it would come a second time."""
    if number >= _COUNTER_LIMIT:
        raise ValueError("an object cannot have more than 2^32 chunks")
    return prefix + number.to_bytes(4, "big") + (b"\x01" if last else b"\x00")


class Sealer:
    """Cuts what it is fed into chunks and writes each of them encrypted behind the last one."""

    def __init__(self, target: int, key: bytes, id: str, chunk_bytes: int = CHUNK_BYTES, disk: Disk | None = None):
        self._disk = disk or Disk()
        self._target = target
        self._aead = AESGCM(key)
        self._prefix = secrets.token_bytes(_PREFIX_BYTES)
        self._header = HEADER.pack(
            MAGIC, _VERSION, _AES_256_GCM, chunk_bytes.bit_length() - 1, id_bytes(id), self._prefix
        )
        self._plain = memoryview(bytearray(chunk_bytes))
        self._filled = 0
        self._number = 0
        self.written = 0
        self._write(self._header)

    def room(self) -> memoryview:
        """Where the next bytes may be put; `took` says how many were. Never empty."""
        if self._filled == len(self._plain):
            self._seal(last=False)
        return self._plain[self._filled :]

    def took(self, count: int) -> None:
        self._filled += count

    def feed(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            room = self.room()[: len(rest)]
            room[:] = rest[: len(room)]
            self.took(len(room))
            rest = rest[len(room) :]

    def close(self) -> None:
        """Writes the last chunk. Without it the object is one that was cut short."""
        self._seal(last=True)

    def _seal(self, last: bool) -> None:
        nonce = chunk_nonce(self._prefix, self._number, last)
        self._write(self._aead.encrypt(nonce, self._plain[: self._filled], self._header))
        self._number += 1
        self._filled = 0

    def _write(self, data: bytes) -> None:
        self._disk.write(self._target, data, self.written)
        self.written += len(data)


def seal(
    source: int, target: int, key: bytes, id: str, metadata: bytes, disk: Disk, chunk_bytes: int = CHUNK_BYTES
) -> Content:
    """Encrypts the file open in `source`, with `metadata`, into the empty file open in `target`; nothing is synced.

    `key` must be fresh: never seal twice with one. The position of `source` moves. Raises `SourceChanged` if the file
    shrinks or grows meanwhile, `ValueError` for more than 16 MiB of metadata, `OSError` from the file systems.
    """
    if len(metadata) > METADATA_LIMIT:
        raise ValueError("an item's metadata cannot be more than 16 MiB")
    size = os.fstat(source).st_size
    sealer = Sealer(target, key, id, chunk_bytes, disk)
    sealer.feed(META.pack(b"M", len(metadata)))
    sealer.feed(metadata)
    digest = hashlib.sha256()
    at = 0
    for start, end in _stretches(source, size, disk):
        _hash_zeros(digest, start - at)
        sealer.feed(DATA.pack(b"D", start, end - start))
        at = start
        while at < end:
            room = sealer.room()[: end - at]
            count = os.preadv(source, [room], at)
            if not count:
                raise SourceChanged(f"The file for vault object {id} shrank while it was being sealed.")
            digest.update(room[:count])
            sealer.took(count)
            at += count
    _hash_zeros(digest, size - at)
    if os.fstat(source).st_size != size:
        raise SourceChanged(f"The file for vault object {id} changed its size while it was being sealed.")
    sealer.feed(END.pack(b"E", size, digest.digest()))
    sealer.close()
    return Content(digest.hexdigest(), size, sealer.written)


def _stretches(descriptor: int, size: int, disk: Disk) -> Iterator[tuple[int, int]]:
    """Where there is data, in order. A file system that cannot tell has data everywhere."""
    at = 0
    while at < size:
        try:
            start = disk.seek(descriptor, at, os.SEEK_DATA)
            end = min(disk.seek(descriptor, start, os.SEEK_HOLE), size)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole from here on
                return
            if error.errno not in _NO_HOLES_HERE:
                raise
            start, end = at, size
        if start >= end:  # the data begins behind the size we go by: the file grew
            return
        yield start, end
        at = end


def _hash_zeros(digest: hashlib._Hash, count: int) -> None:
    while count > 0:
        count -= (step := min(count, len(_ZEROS)))
        digest.update(_ZEROS[:step] if step < len(_ZEROS) else _ZEROS)


class _Chunks:
    """Gives the plain bytes of an object in order, and none that were not sealed at that place under that id."""

    def __init__(self, source: int, key: bytes, id: str):
        self.size = os.fstat(source).st_size
        self._source = source
        self._id = id
        self._aead = AESGCM(key)
        self._header = read_exactly(source, HEADER.size, 0)
        self._chunk = self._checked_header() + TAG_BYTES
        body = self.size - HEADER.size
        self._count = -(-body // self._chunk)
        self._number = 0
        self._plain = memoryview(b"")

    def _checked_header(self) -> int:
        if len(self._header) < HEADER.size:
            raise self.damaged("it is shorter than a header")
        magic, version, algorithm, chunk_log, id, self._prefix = HEADER.unpack(self._header)
        if magic != MAGIC or (version, algorithm) != (_VERSION, _AES_256_GCM):
            raise self.damaged("it does not begin as an object of this version does")
        if id != id_bytes(self._id):
            raise self.damaged("it was sealed under another id")
        if not _SMALLEST <= chunk_log <= _LARGEST:
            raise self.damaged("its header gives a chunk size that we never use")
        return 1 << int(chunk_log)

    def damaged(self, why: str) -> Damaged:
        return Damaged(f"Vault object {self._id} is damaged: {why}. Put it back from a backup of the vault.")

    def _next(self) -> None:
        if self._number >= self._count:
            raise self.damaged("it ends in the middle of a record")
        offset = HEADER.size + self._number * self._chunk
        last = self._number == self._count - 1
        sealed = read_exactly(self._source, self._chunk, offset)
        try:
            plain = self._aead.decrypt(chunk_nonce(self._prefix, self._number, last), sealed, self._header)
        except InvalidTag:
            raise self.damaged(f"chunk {self._number + 1} of {self._count} does not open with its key") from None
        self._number += 1
        self._plain = memoryview(plain)

    def pieces(self, count: int) -> Iterator[memoryview]:
        """The next `count` plain bytes, as they come."""
        while count:
            while not self._plain:
                self._next()
            piece, self._plain = self._plain[:count], self._plain[count:]
            count -= len(piece)
            yield piece

    def exactly(self, count: int) -> bytes:
        return b"".join(self.pieces(count))

    def end(self) -> None:
        """Raises `Damaged` if there is more."""
        if self._plain or self._number < self._count:
            raise self.damaged("there is something behind its end")


def unseal(source: int, key: bytes, id: str, target: int | None, disk: Disk) -> Opened:
    """Decrypts the whole object into the empty file open in `target`, holes and all, or only checks it if that is None.

    Nothing is synced. Raises `Damaged` at the first byte that is not as it was sealed; what was written to `target` by
    then is a beginning of the content and must be thrown away. `OSError` from the file systems.
    """
    chunks = _Chunks(source, key, id)
    metadata = _metadata(chunks)
    digest = hashlib.sha256()
    at = 0
    while (kind := chunks.exactly(1)) == b"D":
        start, length = struct.unpack(">QQ", chunks.exactly(DATA.size - 1))
        if start < at:
            raise chunks.damaged("its stretches of data overlap")
        _hash_zeros(digest, start - at)
        at = start
        for piece in chunks.pieces(length):
            digest.update(piece)
            if target is not None:
                disk.write(target, piece, at)
            at += len(piece)
    if kind != b"E":
        raise chunks.damaged("it holds a record of no known kind")
    size, sha256 = struct.unpack(">Q32s", chunks.exactly(END.size - 1))
    chunks.end()
    if size < at:
        raise chunks.damaged("its data is longer than its size")
    _hash_zeros(digest, size - at)
    if digest.digest() != sha256:
        raise chunks.damaged("its content does not have the hash it was sealed with")
    if target is not None:
        disk.resize(target, size)
    return Opened(metadata, digest.hexdigest(), size, chunks.size)


def _metadata(chunks: _Chunks) -> bytes:
    kind, length = META.unpack(chunks.exactly(META.size))
    if kind != b"M" or length > METADATA_LIMIT:
        raise chunks.damaged("it does not begin with its metadata")
    return chunks.exactly(length)


def unseal_metadata(source: int, key: bytes, id: str) -> bytes:
    """Only what the caller gave with the content; reads no further than that. Raises `Damaged`, `OSError`."""
    return _metadata(_Chunks(source, key, id))
