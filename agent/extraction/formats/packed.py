"""Archives and compressed files that only libarchive reads: 7z, RAR, CAB, cpio, ar; Zstandard, LZ4, compress."""

from __future__ import annotations

import io
from typing import Any

from agent.extraction.document import Damaged, Document, Encrypted, Unsupported
from agent.extraction.formats.nested import Nested
from agent.model.location import at, inside

try:
    import libarchive  # loads the system's library, which the confined process could not do any more
except (ImportError, OSError, AttributeError):
    libarchive = None

_COMPRESSIONS = (b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"\x1f\x9d")
_IN_MEMORY = 64 * 1024 * 1024


def read(document: Document, nested: Nested) -> None:
    """Writes the names of all members and reads each; `member` counts from 1."""
    if libarchive is None:
        raise Unsupported("libarchive_missing")
    document.stream.seek(0)
    compressed = document.stream.read(4).startswith(_COMPRESSIONS)
    document.stream.seek(0)
    number = 0
    try:
        with libarchive.seekable_stream_reader(document.stream, "raw" if compressed else "all") as archive:
            for entry in archive:
                if not entry.isdir and not entry.issym:
                    number += 1
                    _member(document, entry, number, nested, compressed=compressed)
    except libarchive.ArchiveError as fault:
        if "assphrase" in str(fault) or "ncrypt" in str(fault):
            raise Encrypted from None
        raise Damaged("damaged_archive") from None


def _member(document: Document, entry: Any, number: int, nested: Nested, *, compressed: bool) -> None:
    name = document.name.decode("utf-8", "replace").rpartition(".")[0] if compressed else entry.pathname or ""
    document.output.write(name + "\n", inside(document.place, at(member=number)))
    content = bytearray()
    for block in entry.get_blocks():
        document.budget.expand(len(block))
        content += block
        if len(content) > _IN_MEMORY:
            break  # the archive cannot go back; what lies beyond is told by the limit on a member
    encoded = name.rpartition("/")[2].encode("utf-8", "surrogateescape")
    nested(document, io.BytesIO(content), len(content), encoded, at(member=number))
    if len(content) > _IN_MEMORY:
        raise Damaged("member_too_large")
