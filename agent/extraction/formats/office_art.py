"""Drawings in old Office files ([MS-ODRAW]): what people have written about a picture or drawn as letters."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

# The record of a shape's properties, RecordHeader 2.2.1 with rh.recVer 3: how many, type 0xF00B, length.
_PROPERTIES = re.compile(rb"[\x03\x13\x23\x33\x43\x53\x63\x73\x83\x93\xa3\xb3\xc3\xd3\xe3\xf3].\x0b\xf0", re.DOTALL)
_TOLD = frozenset({0x00C0, 0x0380, 0x0381, 0x038D, 0x0382})  # letters drawn, name, description, tip, link
_LINK = 0x0382
_COMPLEX = 0x8000
_MOST = 500
_URL = re.compile("(?:mailto|https?|tel):[^\0]{3,2000}")


def texts(data: bytes) -> Iterator[str]:
    """The texts among the properties of every shape in the data, wherever they lie in it."""
    for found in _PROPERTIES.finditer(data):
        yield from _properties(data, found.start())


def _properties(data: bytes, start: int) -> Iterator[str]:
    head, length = struct.unpack_from("<HxxI", data.ljust(start + 8, b"\0"), start)
    count = head >> 4
    position = start + 8 + 6 * count
    if count > _MOST or 6 * count > length or start + 8 + length > len(data):
        return
    for number in range(count):
        kind, value = struct.unpack_from("<HI", data, start + 8 + 6 * number)
        if not kind & _COMPLEX:
            continue
        content = data[position : position + value]
        position += value
        if kind & 0x3FFF in _TOLD:
            text = content.decode("utf-16-le", "replace")
            if kind & 0x3FFF == _LINK:
                text = " ".join(_URL.findall(text))
            yield text.strip("\0 ")
