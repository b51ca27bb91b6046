"""Archives and compressed files: each member is read as the document it is, under the carrier's one budget."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from typing import IO, BinaryIO, cast

from agent.extraction.budget import Budget
from agent.extraction.document import Damaged, Document, Encrypted
from agent.extraction.formats.nested import Nested
from agent.extraction.formats.salvage import SalvagedArchive
from agent.extraction.sniff import sniff_compressed
from agent.model.location import at, inside

_IN_MEMORY = 64 * 1024 * 1024
_BLOCK_BYTES = 256 * 1024
_FAULTS = (
    *(zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error),
    *(EOFError, OSError, ValueError, NotImplementedError, OverflowError),
)
_ENCRYPTED_FLAG = 0x1
_OPENERS: dict[str, Callable[[BinaryIO], IO[bytes]]] = {
    "gzip": lambda stream: cast(IO[bytes], gzip.GzipFile(fileobj=stream)),
    "bzip2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
}


class _Counted(io.RawIOBase):
    """A compressed member too large to be held: read as a stream, counted as it comes, from the start each time."""

    def __init__(self, stream: IO[bytes], budget: Budget) -> None:
        self._stream = stream
        self._budget = budget

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        self._budget.expand(len(block))
        return block

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()


def read(document: Document, nested: Nested) -> None:
    """Writes the names of all members and reads each; `member` counts from 1. A damaged member costs only itself."""
    document.stream.seek(0)
    kind = sniff_compressed(document.stream)
    document.stream.seek(0)
    if kind == "zip":
        _zip(document, nested)
    elif kind == "tar":
        _tar(document, nested)
    else:
        _compressed(document, kind, nested)


def _zip(document: Document, nested: Nested) -> None:
    archive: zipfile.ZipFile | SalvagedArchive
    damage: Damaged | None = None
    try:
        archive = zipfile.ZipFile(document.stream)
    except _FAULTS:
        damage = Damaged("damaged_archive")
        archive = SalvagedArchive(document.read_all(), document.budget)
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if entries and all(entry.flag_bits & _ENCRYPTED_FLAG for entry in entries):
        raise Encrypted
    for number, entry in enumerate(entries, 1):
        document.output.write(entry.filename + "\n", inside(document.place, at(member=number)))
        try:
            with archive.open(entry) as member:
                _hand_over(document, member, entry.filename, number, nested)
        except (*_FAULTS, Damaged, RuntimeError):  # RuntimeError: this member is locked
            damage = damage or Damaged("damaged_member")
    if damage is not None:
        raise damage


def _tar(document: Document, nested: Nested) -> None:
    number = 0
    try:
        with tarfile.open(fileobj=document.stream, mode="r:") as archive:
            for entry in archive:
                number += 1
                document.output.write(entry.name + "\n", inside(document.place, at(member=number)))
                member = archive.extractfile(entry) if entry.isreg() else None
                if member is not None:
                    _hand_over(document, member, entry.name, number, nested)
    except _FAULTS:
        raise Damaged("damaged_archive") from None


def _compressed(document: Document, kind: str, nested: Nested) -> None:
    name = document.name.decode("utf-8", "replace")
    plain = name.rpartition(".")[0] or name
    try:
        with _OPENERS[kind](document.stream) as member:
            _hand_over(document, member, plain, 1, nested)
    except _FAULTS:
        raise Damaged("damaged_archive") from None


def _hand_over(document: Document, member: IO[bytes], name: str, number: int, nested: Nested) -> None:
    """Small members are held, since readers go back and forth in them; a large one stays a stream.

    Of a damaged one, what came before the damage is read; then the fault is raised.
    """
    content = bytearray()
    fault: Exception | None = None
    try:
        while len(content) <= _IN_MEMORY and (block := member.read(_BLOCK_BYTES)):
            content += block
    except _FAULTS as error:
        fault = error
    encoded = name.rpartition("/")[2].encode("utf-8", "surrogateescape")
    if len(content) <= _IN_MEMORY:
        document.budget.expand(len(content))
        if content or fault is None:
            nested(document, io.BytesIO(content), len(content), encoded, at(member=number))
    else:
        del content
        member.seek(0)
        nested(document, cast(BinaryIO, _Counted(member, document.budget)), 1 << 62, encoded, at(member=number))
    if fault is not None:
        raise Damaged("damaged_member")
