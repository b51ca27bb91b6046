"""OpenDocument texts, tables and presentations (odt, ods, odp; ISO/IEC 26300)."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

from agent.extraction.document import Document, Encrypted
from agent.extraction.formats.nested import Nested
from agent.extraction.formats.package import Package
from agent.extraction.formats.rows import headings, labelled
from agent.model.location import at, inside

_MOST_REPEATS = 1_000  # a style may repeat an empty cell to the last column of the sheet
_OBJECT = re.compile(r"Object [^/]+/content\.xml")  # a chart, a formula, a table in a letter
# Attributes that hold what a person wrote, by the element they stand on.
_VALUES = {
    "user-field-decl": ("string-value",),
    "variable-set": ("string-value",),
    "named-range": ("name",),
    "database-range": ("name",),
    "listbox": ("label",),
    "option": ("label", "value"),
    "text": ("value", "current-value", "label"),
    "textarea": ("value", "current-value"),
    "formatted-text": ("value", "current-value"),
    "combobox": ("value", "current-value"),
}


def read(document: Document, nested: Nested) -> None:
    """Writes properties, then content, then what stands in headers and footers, then what is embedded."""
    package = Package(document)
    package.spare(partial(_refuse_encrypted, package))
    for name, key in (("meta.xml", "properties"), ("content.xml", "paragraph"), ("styles.xml", "header")):
        package.spare(partial(_Story(package, key).read, name))
    for number, name in enumerate((name for name in package.names if _OBJECT.fullmatch(name)), 1):
        inner = replace(document, place=inside(document.place, at(part=number)))
        package.spare(partial(_Story(package, "paragraph", inner).read, name))
    package.write_embedded(nested)
    package.finish()


def _refuse_encrypted(package: Package) -> None:
    def started(tag: str, _: dict[str, str]) -> None:
        if tag == "encryption-data":
            raise Encrypted

    package.parse("META-INF/manifest.xml", started, lambda _: None, lambda _: None)


class _Story:
    """One part of the package. Places count paragraphs, cells of a sheet, or slides, as the content has them."""

    def __init__(self, package: Package, key: str, document: Document | None = None) -> None:
        self._package = package
        self._document = document or package.document
        self._output = package.document.output
        self._key = key
        self._paragraphs = 0
        self._sheet = self._row = self._column = self._slide = 0
        self._headings: list[str] = []
        self._cells: list[str] = []
        self._cell: list[str] = []
        self._in_cell = 0
        self._repeated = 1
        self._label = ""

    def read(self, name: str) -> None:
        self._package.parse(name, self._started, self._ended, self._said)

    def _place(self) -> str:
        if self._in_cell:
            location = at(sheet=self._sheet, cell=f"{column_letters(self._column)}{self._row}")
        elif self._slide:
            location = at(slide=self._slide)
        elif self._key == "paragraph":
            location = at(paragraph=self._paragraphs + 1)
        else:
            location = at(**{self._key: 1})
        return inside(self._document.place, location)

    def _write(self, text: str) -> None:
        if self._in_cell:
            self._cell.append(text)
        else:
            self._output.write(text, self._place())

    def _started(self, tag: str, attributes: dict[str, str]) -> None:
        named = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        if tag == "table":
            self._sheet, self._row, self._headings = self._sheet + 1, 0, []
            self._write(named.get("name", "") + "\n")
        elif tag == "table-row":
            self._row, self._column, self._cells = self._row + 1, 0, []
        elif tag in ("table-cell", "covered-table-cell"):
            self._column += 1
            self._in_cell += 1
            self._cell.clear()
            self._repeated = _count(named.get("number-columns-repeated", "1"))
            self._cell.append(named.get("date-value", ""))
        elif tag == "page":
            self._slide += 1
        elif tag == "tab":
            self._write("\t")
        elif tag == "line-break":
            self._write("\n")
        elif tag == "s":
            self._write(" " * _count(named.get("c", "1")))
        elif tag == "user-defined":
            self._label = named.get("name", "")
        elif tag in _VALUES:
            for name in _VALUES[tag]:
                if named.get(name):
                    self._write(f"{named[name]}\n")
        elif tag == "a":
            self._write(f" {named.get('href', '').removeprefix('mailto:')} ")

    def _ended(self, tag: str) -> None:
        if tag in ("p", "h"):
            self._write("\n" if not self._in_cell else " ")
            self._paragraphs += not self._in_cell
        elif tag in ("table-cell", "covered-table-cell"):
            self._end_cell()
        elif tag == "table-row" and self._row == 1:
            self._headings = headings(self._cells)
        elif tag == "table-row" and self._cells:
            self._output.write("\n", self._place())
        elif self._key == "properties":
            self._write("\n")
            self._label = ""

    def _end_cell(self) -> None:
        value = "".join(self._cell).strip()
        if value:
            heading = self._headings[self._column - 1] if 0 < self._column <= len(self._headings) else ""
            self._output.write(labelled(heading, value) + "\t", self._place())
        self._cells.extend([value] * min(self._repeated, _MOST_REPEATS))
        self._in_cell -= 1
        self._column += self._repeated - 1
        self._cell.clear()

    def _said(self, text: str) -> None:
        if self._key == "properties" and self._label and text.strip():
            self._write(f"{self._label}: ")
        if text.strip() or self._key != "properties":
            self._write(text)


def _count(text: str) -> int:
    return max(1, int(text)) if text.isdigit() and len(text) < 8 else 1


def column_letters(column: int) -> str:
    """The column's name in a sheet: 1 is A, 27 is AA."""
    name = ""
    while column > 0:
        column, letter = divmod(column - 1, 26)
        name = chr(ord("A") + letter) + name
    return name or "A"
