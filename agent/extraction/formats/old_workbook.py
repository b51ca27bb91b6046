"""Binary workbooks (xls up to 2003, xlsb) by calamine."""

from __future__ import annotations

import io
import re
import struct
from datetime import date, datetime
from functools import partial

import python_calamine

from agent.extraction.document import Damaged, Document, Encrypted
from agent.extraction.formats import old_sheet_records
from agent.extraction.formats.compound import Compound
from agent.extraction.formats.embedded import write_objects
from agent.extraction.formats.nested import Nested
from agent.extraction.formats.opendocument import column_letters
from agent.extraction.formats.package import Package
from agent.extraction.formats.rows import headings, labelled
from agent.model.location import at, inside

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_FILEPASS = 0x002F
_WIDE_TEXT = re.compile(rb"(?:[\x20-\x7e\xa0-\xff]\0){2,}")


def read(document: Document, nested: Nested) -> None:
    """Writes each row of each sheet, hidden ones too, each value behind the heading of its column."""
    data = document.read_all()
    stream = _look_at_container(document) if data.startswith(_OLE) else b""
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        for number, name in enumerate(book.sheet_names, 1):
            document.output.write(name + "\n", inside(document.place, at(properties=1)))
            _read_sheet(document, book.get_sheet_by_index(number - 1), number)
        old_sheet_records.write(document, stream)
        if stream:
            write_objects(Compound(document), nested)
        if data.startswith(_ZIP):
            _write_aside(document, nested)
    except python_calamine.PasswordError:
        raise Encrypted from None
    except python_calamine.CalamineError:
        raise Damaged("damaged_file") from None
    except BaseException as fault:
        if type(fault).__name__ != "PanicException":  # how a fault of the library in Rust arrives here
            raise
        raise Damaged("parser_fault") from None


def _write_aside(document: Document, nested: Nested) -> None:
    """Writes what lies beside the sheets of an xlsb: properties, links, and the texts in comments."""
    package = Package(document)
    package.write_properties()
    for _, name in package.matching(r"xl/worksheets/sheet(\d*)\.bin"):
        package.spare(partial(package.write_links, name))
    for number, name in package.matching(r"xl/(?:comments|persons/person|threadedComments/threadedComment)(\d*)\.bin"):
        with package.open(name) as part:
            place = inside(document.place, at(comments=number))
            for text in _WIDE_TEXT.findall(package.document.budget.read_all(part)):
                document.output.write(text.decode("utf-16-le") + "\n", place)
    package.write_embedded(nested)


def _look_at_container(document: Document) -> bytes:
    """The workbook's stream. Writes the properties, and refuses an encrypted file: calamine would call it damaged."""
    compound = Compound(document)
    compound.write_properties()
    stream = compound.stream("Workbook") or compound.stream("Book")
    position = 0
    for _ in range(20):  # the record that says so stands among the first ([MS-XLS] 2.4.117)
        if position + 4 > len(stream):
            break
        kind, size = struct.unpack_from("<HH", stream, position)
        if kind == _FILEPASS:
            raise Encrypted
        position += 4 + size
    return stream


def _read_sheet(document: Document, sheet: python_calamine.CalamineSheet, number: int) -> None:
    first_row, first_column = sheet.start or (0, 0)
    heads: list[str] = []
    for count, row in enumerate(sheet.iter_rows()):
        values = [_said(value) for value in row]
        if not any(values):
            continue
        if not heads and count == 0:
            heads = headings(values)
        place = inside(document.place, at(sheet=number))
        for column, value in enumerate(values):
            if value:
                cell = f"{column_letters(first_column + column + 1)}{first_row + count + 1}"
                heading = heads[column] if count and column < len(heads) else ""
                place = inside(document.place, at(sheet=number, cell=cell))
                document.output.write(labelled(heading, value) + "\t", place)
        document.output.write("\n", place)


def _said(value: object) -> str:
    if isinstance(value, datetime):
        whole = value.time() == value.time().min
        return value.date().isoformat() if whole else value.isoformat(" ", "minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
