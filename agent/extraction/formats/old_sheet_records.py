"""What calamine leaves out of old workbooks ([MS-XLS]): comments, text boxes, headers, footers, names and links."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from agent.extraction.document import Document
from agent.extraction.formats import office_art
from agent.extraction.formats.opendocument import column_letters
from agent.model.location import at, inside

_BOF, _HEADER, _FOOTER, _NAME, _NOTE, _CONTINUE = 0x0809, 0x0014, 0x0015, 0x0018, 0x001C, 0x003C
_DRAWING, _TEXT_BOX, _LINK = 0x00EC, 0x01B6, 0x01B8
_GLOBALS = 0x0005
_WIDE = 0x01
_URL = re.compile("(?:mailto|https?|tel|file|sip):[^\0]{2,2000}", re.IGNORECASE)


def write(document: Document, stream: bytes) -> None:
    """Writes what the records of the workbook's stream say, each at its sheet, or its cell where that is known.

    Ends where the stream is not sound: what calamine reads has been written by then.
    """
    sheet = 0
    boxes = 0
    try:
        for kind, record in _records(stream):
            place = inside(document.place, at(sheet=sheet) if sheet else at(properties=1))
            boxes = 2 if kind == _TEXT_BOX else boxes - (kind == _CONTINUE)
            if kind == _BOF:
                sheet += struct.unpack_from("<H", record, 2)[0] != _GLOBALS
            elif kind in (_HEADER, _FOOTER) and len(record) > 3:
                (length,) = struct.unpack_from("<H", record)
                document.output.write(_text(record[2:], length) + "\n", place)
            elif kind == _NAME:
                document.output.write(_text(record[14:], record[3]) + "\n", place)
            elif kind == _NOTE and len(record) > 11:
                row, column, length = struct.unpack_from("<HH4xH", record)
                cell = inside(document.place, at(sheet=sheet, cell=f"{column_letters(column + 1)}{row + 1}"))
                document.output.write(_text(record[10:], length) + "\n", cell)
            elif kind == _CONTINUE and boxes == 1 and record:  # the first one behind a text box is its text
                document.output.write(_text(record, len(record)) + "\n", place)
            elif kind == _LINK:
                for url in _URL.findall(
                    record.decode("utf-16-le", "replace") + record[1:].decode("utf-16-le", "replace")
                ):
                    document.output.write(url.removeprefix("mailto:") + "\n", place)
            elif kind == _DRAWING:
                for text in office_art.texts(record):
                    document.output.write(text + "\n", place)
    except (struct.error, IndexError):
        return


def _records(stream: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, position)
        yield kind, stream[position + 4 : position + 4 + size]
        position += 4 + size


def _text(data: bytes, length: int) -> str:
    """A string of so many characters behind the byte that says how wide they are ([MS-XLS] 2.5.293)."""
    if data[0] & _WIDE:
        return data[1 : 1 + 2 * length].decode("utf-16-le", "replace")
    return data[1 : 1 + length].decode("latin-1")
