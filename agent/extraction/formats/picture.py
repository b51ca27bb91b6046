"""Pictures (JPEG, PNG, TIFF, GIF, BMP, WebP): what stands beside the picture, such as author, caption and comment, and
the text in it if that is to be recognised."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

from agent.extraction.charset import decode
from agent.extraction.document import Document
from agent.extraction.formats.recognition import text_of_picture
from agent.extraction.formats.xml import write_packet
from agent.model.location import at, inside

_WHOLE_BYTES = 64 * 1024 * 1024
_XMP = re.compile(rb"<x:xmpmeta\b.*?</x:xmpmeta>", re.DOTALL)
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_TIFF = (b"II*\0", b"MM\0*")
_MOST_ENTRIES = 1_000
_HOLDS_TEXT = 40_000  # pixels: what is smaller is a logo, a button or a line
_ASCII, _UNDEFINED, _BYTES = 2, 7, 1
_FURTHER = frozenset({0x8769, 0x8825})  # directories of Exif's own and of the place where a picture was taken
_USER_COMMENT = 0x9286
_WINDOWS_TEXTS = frozenset(range(0x9C9B, 0x9CA0))


def read(document: Document) -> None:
    """Writes the texts of Exif, XMP and comments, then the text in the picture; `page` counts its pages.

    Raises `Unread` if that text cannot be had and the picture is large enough to hold some.
    """
    document.stream.seek(0)
    data = document.stream.read(_WHOLE_BYTES)
    place = inside(document.place, at(properties=1))
    for text in _texts(data):
        if text.strip("\0 \n"):
            document.output.write(text.strip("\0 \n") + "\n", place)
    for packet in _XMP.findall(data):
        write_packet(document, packet, place)
    if _pixels(data) >= _HOLDS_TEXT:
        for number, text in enumerate(text_of_picture(document.budget, data), 1):
            document.output.write(text, inside(document.place, at(page=number)))


def _pixels(data: bytes) -> int:
    """How many pixels the picture claims to have; as many as it takes where that is not easily told."""
    try:
        if data.startswith(_PNG):
            width, height = struct.unpack_from(">II", data, 16)
        elif data.startswith(b"GIF8"):
            width, height = struct.unpack_from("<HH", data, 6)
        elif data.startswith(b"BM"):
            width, height = struct.unpack_from("<ii", data, 18)
        elif data.startswith(_JPEG):
            height, width = next(_jpeg_sizes(data))
        else:
            return _HOLDS_TEXT
    except (struct.error, StopIteration):
        return _HOLDS_TEXT
    return abs(int(width) * int(height))


def _jpeg_sizes(data: bytes) -> Iterator[tuple[int, int]]:
    for marker, start, _ in _jpeg_segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            yield struct.unpack_from(">HH", data, start + 1)


def _texts(data: bytes) -> Iterator[str]:
    if data.startswith(_PNG):
        yield from _png_texts(data)
    elif data.startswith(_JPEG):
        yield from _jpeg_texts(data)
    elif data.startswith(_TIFF):
        yield from _exif_texts(data)


def _png_texts(data: bytes) -> Iterator[str]:
    """Text chunks (PNG 11.3.3) and Exif."""
    position = len(_PNG)
    while position + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        chunk = data[position + 8 : position + 8 + size]
        if kind == b"tEXt":
            yield chunk.replace(b"\0", b": ").decode("latin-1")
        elif kind == b"zTXt":
            name, _, packed = chunk.partition(b"\0")
            yield f"{name.decode('latin-1')}: {_inflated(packed[1:]).decode('latin-1')}"
        elif kind == b"iTXt":
            name, _, rest = chunk.partition(b"\0")
            text = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
            plain = _inflated(text) if rest[:1] == b"\x01" else text
            yield f"{name.decode('latin-1')}: {plain.decode('utf-8', 'replace')}"
        elif kind == b"eXIf":
            yield from _exif_texts(chunk)
        position += 12 + size


def _inflated(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, 1024 * 1024)
    except zlib.error:
        return b""


def _jpeg_texts(data: bytes) -> Iterator[str]:
    """Comments and Exif, out of the segments before the picture."""
    for marker, start, end in _jpeg_segments(data):
        if marker == 0xFE:
            yield decode(data[start:end])
        elif marker == 0xE1 and data.startswith(b"Exif\0\0", start, end):
            yield from _exif_texts(data[start + 6 : end])


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment before the picture itself (ISO/IEC 10918-1, B.1.1.4)."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF and data[position + 1] != 0xDA:
        marker, size = struct.unpack_from(">xBH", data, position)
        yield marker, position + 4, position + 2 + size
        position += 2 + size


def _exif_texts(data: bytes) -> Iterator[str]:
    """The texts in a TIFF structure (Exif 2.32, 4.6), directory after directory."""
    if data[:4] not in _TIFF or len(data) < 8:
        return
    order = "<" if data[:2] == b"II" else ">"
    waiting = [struct.unpack_from(f"{order}I", data, 4)[0]]
    seen: set[int] = set()
    while waiting:
        start = waiting.pop()
        if start in seen or start + 2 > len(data) or len(seen) > _MOST_ENTRIES:
            continue
        seen.add(start)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        for number in range(min(count, _MOST_ENTRIES)):
            entry = start + 2 + 12 * number
            if entry + 12 > len(data):
                break
            tag, kind, length, value = struct.unpack_from(f"{order}HHII", data, entry)
            where = entry + 8 if length <= 4 else value
            content = data[where : where + length]
            if tag in _FURTHER:
                waiting.append(value)
            elif tag in _WINDOWS_TEXTS and kind == _BYTES:
                yield content.decode("utf-16-le", "replace")
            elif tag == _USER_COMMENT and kind == _UNDEFINED:
                yield _user_comment(content)
            elif kind == _ASCII:
                yield decode(content)


def _user_comment(content: bytes) -> str:
    """The comment behind the eight bytes that name its encoding."""
    return content[8:].decode("utf-16", "replace") if content.startswith(b"UNICODE") else decode(content[8:])
