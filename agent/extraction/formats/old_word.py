"""Word documents up to 2003 (doc, [MS-DOC]): every story, in the order of the file."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import pairwise

from agent.extraction.document import Damaged, Document, Encrypted
from agent.extraction.formats import office_art
from agent.extraction.formats.compound import Compound
from agent.extraction.formats.embedded import write_objects
from agent.extraction.formats.nested import Nested
from agent.model.location import at, inside

_MAGIC = (0xA5EC, 0xA5DC, 0xA5DB)
_ENCRYPTED, _SECOND_TABLE = 0x0100, 0x0200
_WORD_97 = 0xC1
# Where the file information block says how long each story is, in characters, and what it is called here.
_STORIES = (
    (0x4C, "paragraph"),
    (0x50, "footnotes"),
    (0x54, "header"),
    (0x58, "drawing"),
    (0x5C, "comments"),
    (0x60, "endnotes"),
    (0x64, "drawing"),
    (0x68, "drawing"),
)
_CLX = 0x01A2
# Who has commented, tracked changes, and saved; each an offset into the table stream and a length.
_COMMENTERS, _REVISERS, _SAVERS = 0x01BA, 0x0232, 0x02D2
_COMPRESSED = 0x40000000
_BLOCK = 32_000  # characters
_CONTROLS = {
    0x07: "\t", 0x0B: "\n", 0x0C: "\n", 0x0D: "\n", 0x0E: "\n", 0x13: " ", 0x14: " ", 0x15: " ", 0x1E: "-", 0x1F: "",
    0x01: "", 0x02: "", 0x03: "", 0x04: "", 0x05: "", 0x08: "",
}  # fmt: skip


def read(document: Document, nested: Nested) -> None:
    """Writes body, footnotes, headers, comments, endnotes and text boxes; paragraphs are counted in the body."""
    compound = Compound(document)
    compound.write_properties()
    main = compound.stream("WordDocument")
    if len(main) < 0x20 or struct.unpack_from("<H", main)[0] not in _MAGIC:
        raise Damaged("damaged_file")
    version, flags = struct.unpack_from("<H6xH", main, 2)
    if flags & _ENCRYPTED:
        raise Encrypted
    try:
        if version < _WORD_97:
            start, end = struct.unpack_from("<II", main, 0x18)
            _Writer(document, [(1 << 62, "paragraph")]).write(main[start:end].decode("cp1252", "replace"))
            return
        table = compound.stream("1Table" if flags & _SECOND_TABLE else "0Table")
        lengths = [(struct.unpack_from("<i", main, offset)[0], key) for offset, key in _STORIES]
        writer = _Writer(document, [(max(0, length), key) for length, key in lengths])
        for text in _pieces(main, table):
            writer.write(text)
        _write_aside(compound, main, table)
        write_objects(compound, nested)
    except struct.error:
        raise Damaged("damaged_file") from None


def _pieces(main: bytes, table: bytes) -> Iterator[str]:
    """The text piece by piece, in the order of the document, as the piece table tells ([MS-DOC] 2.8.35)."""
    offset, size = struct.unpack_from("<II", main, _CLX)
    clx = table[offset : offset + size]
    position = 0
    while position < len(clx) and clx[position] == 1:
        position += 3 + struct.unpack_from("<H", clx, position + 1)[0]
    if position >= len(clx) or clx[position] != 2:
        raise Damaged("damaged_file")
    (size,) = struct.unpack_from("<I", clx, position + 1)
    plc = clx[position + 5 : position + 5 + size]
    count = (len(plc) - 4) // 12
    borders = struct.unpack_from(f"<{count + 1}I", plc)
    for number, (first, last) in enumerate(pairwise(borders)):
        (where,) = struct.unpack_from("<I", plc, 4 * (count + 1) + 8 * number + 2)
        length = last - first
        if not 0 < length <= len(main):
            continue
        if where & _COMPRESSED:
            start = (where & ~_COMPRESSED) // 2
            yield main[start : start + length].decode("cp1252", "replace")
        else:
            yield main[where : where + 2 * length].decode("utf-16-le", "replace")


def _write_aside(compound: Compound, main: bytes, table: bytes) -> None:
    """Writes who has commented, revised and saved, and what is said of the pictures."""
    document = compound.document
    place = inside(document.place, at(comments=1))
    for name in _names(table, main, _COMMENTERS, listed=False):
        document.output.write(name + "\n", place)
    place = inside(document.place, at(properties=1))
    for where in (_REVISERS, _SAVERS):
        for name in _names(table, main, where, listed=True):
            document.output.write(name + "\n", place)
    place = inside(document.place, at(drawing=1))
    for text in dict.fromkeys([*office_art.texts(table), *office_art.texts(compound.stream("Data"))]):
        document.output.write(text + "\n", place)


def _names(table: bytes, main: bytes, where: int, *, listed: bool) -> Iterator[str]:
    """The strings of an array: `listed` ones are counted, in a string table ([MS-DOC] 2.2.4), the others are not."""
    if where + 8 > len(main):
        return
    offset, size = struct.unpack_from("<II", main, where)
    data = table[offset : offset + size]
    position = 6 if listed else 0
    if listed and not data.startswith(b"\xff\xff"):
        return
    extra = struct.unpack_from("<H", data, 4)[0] if listed else 0
    while position + 2 <= len(data):
        (length,) = struct.unpack_from("<H", data, position)
        yield data[position + 2 : position + 2 + 2 * length].decode("utf-16-le", "replace")
        position += 2 + 2 * length + extra


class _Writer:
    """Tells the stories apart by their lengths, and turns Word's control characters into text."""

    def __init__(self, document: Document, stories: list[tuple[int, str]]) -> None:
        self._document = document
        self._stories = [story for story in stories if story[0]]
        self._paragraphs = 1

    def write(self, text: str) -> None:
        while text and self._stories:
            left, key = self._stories[0]
            self._write(text[:left], key)
            if len(text) < left:
                self._stories[0] = (left - len(text), key)
                return
            text = text[left:]
            self._stories.pop(0)

    def _write(self, text: str, key: str) -> None:
        for paragraph in re.findall(rf"[^\r]{{1,{_BLOCK}}}\r?|\r", text):
            number = self._paragraphs if key == "paragraph" else 1
            place = inside(self._document.place, at(**{key: number}))
            self._document.output.write(paragraph.translate(_CONTROLS), place)
            self._paragraphs += key == "paragraph" and paragraph.endswith("\r")
