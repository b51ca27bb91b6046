"""What is left of a ZIP archive whose directory is gone: members are found by the header that stands before each."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import BinaryIO

from agent.extraction.budget import Budget

_HEADER = struct.Struct("<4s5H3I2H")
_MAGIC = b"PK\x03\x04"
_STORED, _DEFLATED = 0, 8
_ENCRYPTED_FLAG = 0x1
_BLOCK_BYTES = 256 * 1024


class SalvagedArchive:
    """The part of `zipfile.ZipFile` that reading needs, over an archive that was cut off or overwritten.

    A member ends where its bytes stop making sense; what came before is kept.
    """

    def __init__(self, data: bytes, budget: Budget) -> None:
        self._data = data
        self._budget = budget
        self._members: dict[str, tuple[int, int, int]] = {}
        position = data.find(_MAGIC)
        while position >= 0 and position + _HEADER.size <= len(data):
            self._note(position)
            position = data.find(_MAGIC, position + 4)

    def _note(self, position: int) -> None:
        _, _, flags, method, _, _, _, size, _, name_size, extra_size = _HEADER.unpack_from(self._data, position)
        start = position + _HEADER.size
        name = self._data[start : start + name_size].decode("utf-8", "replace")
        if name and not name.endswith("/") and not flags & _ENCRYPTED_FLAG and method in (_STORED, _DEFLATED):
            self._members.setdefault(name, (start + name_size + extra_size, size, method))

    def namelist(self) -> list[str]:
        return list(self._members)

    def infolist(self) -> list[zipfile.ZipInfo]:
        return [zipfile.ZipInfo(name) for name in self._members]

    def open(self, name: str | zipfile.ZipInfo) -> BinaryIO:
        """What can be read of the member. Raises `KeyError` if there is none of that name."""
        start, size, method = self._members[name.filename if isinstance(name, zipfile.ZipInfo) else name]
        if method == _STORED:
            return io.BytesIO(self._data[start : start + size])
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        out = bytearray()
        pending = self._data[start:]
        try:
            while pending and not inflater.eof:
                block = inflater.decompress(pending, _BLOCK_BYTES)
                self._budget.expand(len(block))
                out += block
                pending = inflater.unconsumed_tail
        except zlib.error:
            pass  # the rest is lost
        return io.BytesIO(out)
