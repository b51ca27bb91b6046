"""Objects that programs embed in each other's documents as OLE compound files ([MS-OLEDS])."""

from __future__ import annotations

import io
import struct

from agent.extraction.document import Document, Unread
from agent.extraction.formats import strings
from agent.extraction.formats.compound import Compound
from agent.extraction.formats.nested import Nested
from agent.model.location import at

_PACKED = "\x01Ole10Native"
_PLAIN = frozenset({"Package", "CONTENTS", "EmbeddedOdf", "package_stream"})


def read(document: Document, nested: Nested) -> None:
    """Hands over the files inside. Of one that holds none, what looks like text is read, and `Unread` is raised."""
    compound = Compound(document)
    compound.write_properties()
    if not write_objects(compound, nested) and strings.read(document):
        raise Unread("unknown_format")


def write_objects(compound: Compound, nested: Nested) -> int:
    """Hands over every file that is embedded in the compound file, at `part` from 1; how many there were."""
    number = 0
    for path in compound.names():
        if path[-1] == _PACKED:
            name, content = _unpacked(compound.stream(path))
        elif path[-1] in _PLAIN:
            name, content = b"", compound.stream(path)
        else:
            continue
        number += 1
        nested(compound.document, io.BytesIO(content), len(content), name, at(part=number))
    return number


def _unpacked(data: bytes) -> tuple[bytes, bytes]:
    """Name and content of a file in a package: label, path, temporary path, then the bytes."""
    label, _, rest = data[6:].partition(b"\0")
    _, _, rest = rest.partition(b"\0")
    try:
        (length,) = struct.unpack_from("<4xI", rest)
        (size,) = struct.unpack_from("<I", rest, 8 + length)
    except struct.error:
        return b"", data
    return label, rest[12 + length : 12 + length + size]
