"""The body of an age file: chunks of 64 KiB, of which none can be missed, moved or altered (STREAM, as age has it)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from agent.age.base import Damaged
from agent.age.header import derived, new_file_key, read_header, write_header
from agent.age.keys import identity_key

CHUNK_BYTES = 1 << 16
_TAG_BYTES = 16
_NONCE_BYTES = 16


class Target(Protocol):
    """Where an age file is written to: an open file, or something that takes bytes as one does."""

    def write(self, data: bytes | memoryview, /) -> int:
        """Takes some of the bytes and tells how many."""


class Writer:
    """Writes an age file that each of the recipients (`age1…`) can open alone; memory is one chunk.

    It is whole only after `finish`. There is no `close`, and it is no context manager: what was begun and not finished
    must never look like a whole file.
    """

    def __init__(self, target: Target, recipients: Sequence[str]) -> None:
        """Writes the head. Raises `UsageError` for a recipient that is none."""
        file_key = new_file_key()
        header = write_header(recipients, file_key)
        nonce = os.urandom(_NONCE_BYTES)
        self._target = target
        self._aead = ChaCha20Poly1305(derived(file_key, nonce, b"payload"))
        self._plain = bytearray()
        self._number = 0
        self._finished = False
        _write(target, header + nonce)

    def write(self, data: bytes | memoryview) -> None:
        """Adds plain bytes. Raises `ValueError` after `finish`."""
        if self._finished:
            raise ValueError("this age file is finished")
        rest = memoryview(data).cast("B")
        while rest:
            if len(self._plain) == CHUNK_BYTES:  # only now, since the last chunk is never an empty one
                self._seal(last=False)
            room = CHUNK_BYTES - len(self._plain)
            self._plain += rest[:room]
            rest = rest[room:]

    def finish(self) -> None:
        """Writes the last chunk. The target stays the caller's, to be made durable and closed."""
        if self._finished:
            raise ValueError("this age file is finished")
        self._seal(last=True)
        self._finished = True

    def _seal(self, *, last: bool) -> None:
        _write(self._target, self._aead.encrypt(_nonce(self._number, last), bytes(self._plain), None))
        self._number += 1
        self._plain.clear()


class Reader:
    """Opens an age file with one identity (`AGE-SECRET-KEY-1…`); memory is two chunks.

    Each piece that iterating gives is authentic; that there were all is sure only when it ends.
    """

    def __init__(self, source: BinaryIO, identity: str) -> None:
        """Reads the head.

        Raises `UsageError` for an identity that is none, `WrongKey` if the file was not made for it, `Damaged`.
        """
        file_key = read_header(source, identity_key(identity))
        nonce = _exactly(source, _NONCE_BYTES)
        if len(nonce) < _NONCE_BYTES:
            raise Damaged
        self._source = source
        self._aead = ChaCha20Poly1305(derived(file_key, nonce, b"payload"))

    def __iter__(self) -> Iterator[bytes]:
        """The plain pieces, once. Raises `Damaged`: then nothing of the file may be used."""
        number = 0
        sealed = self._next()
        while True:
            behind = self._next()
            try:
                plain = self._aead.decrypt(_nonce(number, last=not behind), sealed, None)
            except InvalidTag:
                raise Damaged from None
            if number and not plain:
                raise Damaged
            yield plain
            if not behind:
                return
            number, sealed = number + 1, behind

    def _next(self) -> bytes:
        return _exactly(self._source, CHUNK_BYTES + _TAG_BYTES)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _write(target: Target, data: bytes) -> None:
    """All of it, since a file without a buffer may take less than it is given."""
    rest = memoryview(data)
    while rest:
        rest = rest[target.write(rest) :]


def _exactly(source: BinaryIO, size: int) -> bytes:
    """So many bytes; fewer only at the end, since a pipe may give less than it is asked for."""
    pieces = []
    while size and (piece := source.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
