"""Outlook messages (msg, [MS-OXMSG]): properties, recipients, bodies, attachments, and messages within."""

from __future__ import annotations

import io
import re
import struct
from dataclasses import replace

from agent.extraction.charset import decode
from agent.extraction.document import Document
from agent.extraction.formats.compound import Compound
from agent.extraction.formats.html import write_markup
from agent.extraction.formats.nested import Nested
from agent.model.location import at, inside

_STREAM = re.compile(r"__substg1\.0_([0-9A-F]{4})(001F|001E|0102)", re.IGNORECASE)
_NAMES = {
    "0037": "Subject",
    "0042": "Sent on behalf of",
    "0065": "Sent on behalf of",
    "007D": "",
    "0C1A": "From",
    "0C1F": "From",
    "0E02": "Bcc",
    "0E03": "Cc",
    "0E04": "To",
    "3001": "Name",
    "3003": "Address",
    "39FE": "Address",
    "3A20": "Name",
    "5D01": "From",
    "5D02": "Sent on behalf of",
}
_BODY, _HTML, _RTF = "1000", "1013", "1009"
_CONTENT, _LONG_NAME, _SHORT_NAME = "3701", "3707", "3704"
_EMBEDDED = "__substg1.0_3701000D"
_LZFU = 0x75465A4C
_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS "
    b"Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b"
    b"\\i\\u\\tab\\tx"
)


def read(document: Document, nested: Nested) -> None:
    """Writes who wrote to whom, then the bodies; attachments are read as what they are, at `part` from 1."""
    compound = Compound(document)
    _Message(compound, nested, [], document.place).read()


class _Message:
    """One message: the file's own, or one attached to it, at a storage inside the same file."""

    def __init__(self, compound: Compound, nested: Nested, root: list[str], place: str) -> None:
        self._compound = compound
        self._document = replace(compound.document, place=place)
        self._nested = nested
        self._root = root

    def read(self) -> None:
        below = [name[len(self._root) :] for name in self._compound.names() if name[: len(self._root)] == self._root]
        headers = inside(self._document.place, at(headers=1))
        bodies: dict[str, list[str]] = {}
        attached: dict[str, list[list[str]]] = {}
        for name in below:
            if name[0].startswith("__attach"):
                attached.setdefault(name[0], []).append(name)
            elif (found := _STREAM.fullmatch(name[-1])) and len(name) <= 2 and not name[0].startswith("__nameid"):
                tag = found.group(1).upper()
                if len(name) == 1 and tag in (_BODY, _HTML, _RTF):
                    bodies[tag] = name
                elif tag in _NAMES and found.group(2) != "0102":
                    label = f"{_NAMES[tag]}: " if _NAMES[tag] else ""
                    self._document.output.write(f"{label}{self._text(name)}\n", headers)
        self._write_bodies(bodies)
        for number, storage in enumerate(sorted(attached), 1):
            self._attachment(storage, attached[storage], number)

    def _write_bodies(self, bodies: dict[str, list[str]]) -> None:
        if _BODY in bodies:
            self._document.output.write(self._text(bodies[_BODY]) + "\n", self._document.place)
        if _HTML in bodies:
            data = self._compound.stream([*self._root, *bodies[_HTML]])
            write_markup(self._document, decode(data))
        elif _RTF in bodies and _BODY not in bodies:
            data = decompressed(self._compound.stream([*self._root, *bodies[_RTF]]))
            self._document.budget.expand(len(data))
            self._nested(self._document, io.BytesIO(data), len(data), b"body.rtf", "")

    def _attachment(self, storage: str, names: list[list[str]], number: int) -> None:
        location = at(part=number)
        streams = {found.group(1).upper(): name for name in names if (found := _STREAM.fullmatch(name[-1]))}
        title = next((self._text(streams[tag]) for tag in (_LONG_NAME, _SHORT_NAME) if tag in streams), "")
        if title:
            self._document.output.write(title + "\n", inside(self._document.place, location))
        if any(len(name) > 1 and name[1].upper() == _EMBEDDED.upper() for name in names):
            self._document.budget.enter(self._document.depth + len(self._root))
            root = [*self._root, storage, _EMBEDDED]
            _Message(self._compound, self._nested, root, inside(self._document.place, location)).read()
        elif _CONTENT in streams and len(streams[_CONTENT]) == 2:
            data = self._compound.stream([*self._root, *streams[_CONTENT]])
            self._nested(self._document, io.BytesIO(data), len(data), title.encode("utf-8", "replace"), location)

    def _text(self, name: list[str]) -> str:
        data = self._compound.stream([*self._root, *name])
        wide = name[-1].upper().endswith("001F")
        return (data.decode("utf-16-le", "replace") if wide else data.decode("cp1252", "replace")).rstrip("\0")


def decompressed(data: bytes) -> bytes:
    """The RTF in a compressed body ([MS-OXRTFCP] 2.2); what cannot be expanded is left out."""
    if len(data) < 16:
        return b""
    _, size, kind = struct.unpack_from("<III", data)
    if kind != _LZFU:
        return data[16:]
    ring = bytearray(_DICTIONARY.ljust(4096, b"\0"))
    write, position = len(_DICTIONARY), 16
    out = bytearray()
    while position < len(data) and len(out) < size:
        flags = data[position]
        position += 1
        for bit in range(8):
            if position >= len(data):
                return bytes(out)
            if not flags >> bit & 1:
                chunk = bytearray(data[position : position + 1])
                position += 1
            else:
                reference = int.from_bytes(data[position : position + 2], "big")
                position += 2
                start = reference >> 4
                if start == write % 4096:
                    return bytes(out)
                chunk = bytearray()
                for step in range((reference & 0xF) + 2):
                    byte = ring[(start + step) % 4096]
                    chunk.append(byte)
                    ring[(write + step) % 4096] = byte
            for step, byte in enumerate(chunk):
                ring[(write + step) % 4096] = byte
            write = (write + len(chunk)) % 4096
            out += chunk
    return bytes(out)
