"""PowerPoint presentations up to 2003 (ppt, [MS-PPT]): the text records, slide by slide."""

from __future__ import annotations

import struct

from agent.extraction.document import Document, Encrypted
from agent.extraction.formats import office_art
from agent.extraction.formats.compound import Compound
from agent.extraction.formats.embedded import write_objects
from agent.extraction.formats.nested import Nested
from agent.model.location import at, inside

_RECORD = struct.Struct("<HHI")
_CONTAINER = 0xF
_SLIDE_LIST, _SLIDE_IN_LIST = 0x0FF0, 0x03F3
_SLIDE, _NOTES = 0x03EE, 0x03F0
_SHAPE, _TAGGED = 0xF00B, 0x138B  # records of later versions, such as comments, lie in a tagged blob
_WIDE_TEXT, _NARROW_TEXT, _STRING = 0x0FA0, 0x0FA8, 0x0FBA


def read(document: Document, nested: Nested) -> None:
    """Writes all text, that of the outline first; what belongs to no slide stands at `layout=1`."""
    compound = Compound(document)
    if compound.has("EncryptedSummary"):
        raise Encrypted
    compound.write_properties()
    _walk(document, compound.stream("PowerPoint Document"))
    write_objects(compound, nested)


def _walk(document: Document, data: bytes) -> None:
    """Goes from record to record; containers are entered by simply going on behind their header."""
    position = 0
    listed = drawn = notes = 0
    current = at(layout=1)
    while position + _RECORD.size <= len(data):
        head, kind, size = _RECORD.unpack_from(data, position)
        position += _RECORD.size
        if kind == _SLIDE_IN_LIST:
            listed += 1
            current = at(slide=listed)
        elif kind == _SLIDE:
            drawn += 1
            current = at(slide=drawn)
        elif kind == _NOTES:
            notes += 1
            current = at(notes=notes)
        elif kind == _SLIDE_LIST:
            listed = 0
        elif kind in (_WIDE_TEXT, _STRING):
            _write(document, data[position : position + size].decode("utf-16-le", "replace"), current)
        elif kind == _NARROW_TEXT:
            _write(document, data[position : position + size].decode("latin-1"), current)
        elif kind == _SHAPE:
            for text in office_art.texts(data[position - _RECORD.size : position + size]):
                _write(document, text, current)
        if head & 0xF != _CONTAINER and kind != _TAGGED:
            position += size


def _write(document: Document, text: str, location: str) -> None:
    plain = text.replace("\r", "\n").replace("\x0b", "\n").strip("\0")
    if plain.strip():
        document.output.write(plain + "\n", inside(document.place, location))
