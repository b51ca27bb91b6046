"""Excel workbooks (xlsx): every sheet, hidden ones too, read cell by cell without holding a sheet in memory."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import partial

from agent.extraction.document import Damaged, Document
from agent.extraction.formats.nested import Nested
from agent.extraction.formats.package import Package
from agent.extraction.formats.rows import headings, labelled
from agent.model.location import at, inside

# Number formats that show a date (ECMA-376 part 1, 18.8.30); custom ones are told by their letters.
_DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_NOT_LETTERS = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_MOST_STRINGS = 4_000_000
_READ = frozenset({"t", "text", "author", "v"})
# A pivot table keeps a copy of what it was made from; `s` and `d` are its texts and dates.
_DESCRIBED = {"s": ("v",), "d": ("v",), "cacheField": ("name",), "connection": ("name", "description")}
_ASIDE = (
    ("comments", r"xl/(?:threadedComments/threadedComment|comments)(\d*)\.xml"),
    ("comments", r"xl/comments/comment(\d*)\.xml"),
    ("drawing", r"xl/drawings/drawing(\d*)\.xml"),
    ("drawing", r"xl/charts/chart(\d*)\.xml"),
    ("comments", r"xl/persons/person(\d*)\.xml"),
    ("pivot", r"xl/pivotCache/pivotCache(?:Definition|Records)(\d*)\.xml"),
    ("links", r"xl/externalLinks/externalLink(\d*)\.xml"),
    ("properties", r"xl/connections(\d*)\.xml"),
)


def read(document: Document, nested: Nested) -> None:
    """Writes each row on a line, each value behind the heading of its column; then comments, drawings and properties.

    Dates come in ISO form. A damaged part ends where it breaks off; the others are read all the same.
    """
    package = Package(document)
    package.write_properties()
    book = _Workbook(package)
    for number, name in book.sheets:
        package.spare(partial(_Sheet(book, number).read, name))
        package.spare(partial(package.write_links, name))
    for key, pattern in _ASIDE:
        for number, name in package.matching(pattern):
            package.spare(partial(_write_texts, package, name, at(**{key: number})))
    package.write_bound_data()
    package.write_embedded(nested)
    package.finish()


class _Workbook:
    """What the sheets share: their names and order, texts, and which styles are dates."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.document = package.document
        self.strings: list[str] = []
        self.date_styles: list[bool] = []
        self.sheets: list[tuple[int, str]] = []
        self.epoch = datetime(1899, 12, 30)  # noqa: DTZ001 — a cell knows no time zone
        for step in (self._read_strings, self._read_styles, self._read_book):
            package.spare(step)
        found = {name for _, name in self.sheets}
        others = [name for _, name in self.package.matching(r"xl/worksheets/sheet(\d*)\.xml") if name not in found]
        self.sheets.extend(enumerate(others, len(self.sheets) + 1))

    def _read_book(self) -> None:
        targets = self.package.relations("xl/workbook.xml")
        inside_name = False
        place = inside(self.document.place, at(properties=1))

        def started(tag: str, attributes: dict[str, str]) -> None:
            nonlocal inside_name
            inside_name = tag == "definedName"
            if tag == "sheet":
                target = next((targets.get(value, "") for key, value in attributes.items() if key.endswith(":id")), "")
                path = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
                self.sheets.append((len(self.sheets) + 1, path))
                self.document.output.write(attributes.get("name", "") + "\n", place)
            elif tag == "definedName":
                self.document.output.write(attributes.get("name", "") + "\n", place)
            elif tag == "workbookPr" and attributes.get("date1904") in ("1", "true"):
                self.epoch = datetime(1904, 1, 1)  # noqa: DTZ001

        def said(text: str) -> None:
            if inside_name:
                self.document.output.write(text + "\n", place)

        self.package.parse("xl/workbook.xml", started, lambda _: None, said)

    def _read_strings(self) -> None:
        parts: list[str] = []
        reading = phonetic = False

        def started(tag: str, _: dict[str, str]) -> None:
            nonlocal reading, phonetic
            phonetic = phonetic or tag == "rPh"
            reading = tag == "t" and not phonetic

        def ended(tag: str) -> None:
            nonlocal reading, phonetic
            reading = False
            if tag == "rPh":
                phonetic = False
            if tag == "si":
                self.strings.append("".join(parts))
                parts.clear()
                if len(self.strings) > _MOST_STRINGS:
                    raise Damaged("too_many_strings")

        def said(text: str) -> None:
            if reading:
                parts.append(text)

        self.package.parse("xl/sharedStrings.xml", started, ended, said)

    def _read_styles(self) -> None:
        custom: dict[str, bool] = {}
        in_cells = False

        def started(tag: str, attributes: dict[str, str]) -> None:
            nonlocal in_cells
            if tag == "numFmt":
                custom[attributes.get("numFmtId", "")] = _shows_date(attributes.get("formatCode", ""))
            elif tag == "cellXfs":
                in_cells = True
            elif tag == "xf" and in_cells:
                number = attributes.get("numFmtId", "0")
                self.date_styles.append(custom.get(number, number.isdigit() and int(number) in _DATE_FORMATS))

        def ended(tag: str) -> None:
            nonlocal in_cells
            if tag == "cellXfs":
                in_cells = False

        self.package.parse("xl/styles.xml", started, ended, lambda _: None)

    def value(self, kind: str, style: str, text: str) -> str:
        """What the cell shows."""
        if kind == "s":
            return self.strings[int(text)] if text.isdigit() and int(text) < len(self.strings) else ""
        if (
            kind in ("n", "")
            and style.isdigit()
            and int(style) < len(self.date_styles)
            and self.date_styles[int(style)]
        ):
            return self._date(text)
        return text

    def _date(self, serial: str) -> str:
        try:
            moment = self.epoch + timedelta(days=float(serial))
        except (ValueError, OverflowError):
            return serial
        return moment.date().isoformat() if float(serial).is_integer() else moment.isoformat(" ", "minutes")


def _shows_date(code: str) -> bool:
    letters = _NOT_LETTERS.sub("", code.split(";")[0]).lower()
    return "general" not in letters and ("y" in letters or "d" in letters or "mmm" in letters)


class _Sheet:
    """One sheet, row by row."""

    def __init__(self, book: _Workbook, number: int) -> None:
        self._book = book
        self._number = number
        self._headings: dict[str, str] = {}
        self._row: list[tuple[str, str]] = []
        self._rows = 0
        self._reference = self._kind = self._style = ""
        self._text: list[str] = []
        self._reading = False

    def read(self, name: str) -> None:
        self._book.package.parse(name, self._started, self._ended, self._said)
        self._end_row()

    def _started(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "hyperlink":
            for key in ("display", "tooltip"):
                if attributes.get(key):
                    self._book.document.output.write(attributes[key] + "\n", self._place(attributes.get("ref", "")))
        if tag == "c":
            self._reference = attributes.get("r", "")
            self._kind = attributes.get("t", "")
            self._style = attributes.get("s", "")
            self._text.clear()
        self._reading = tag in (
            "v",
            "t",
            "oddHeader",
            "oddFooter",
            "evenHeader",
            "firstHeader",
            "evenFooter",
            "firstFooter",
        )

    def _ended(self, tag: str) -> None:
        self._reading = False
        if tag == "c":
            value = self._book.value(self._kind, self._style, "".join(self._text)).strip()
            if value:
                self._row.append((self._reference, value))
            self._text.clear()
        elif tag == "row":
            self._end_row()
        elif tag.endswith(("Header", "Footer")) and self._text:
            self._book.document.output.write("".join(self._text) + "\n", self._place(""))
            self._text.clear()

    def _said(self, text: str) -> None:
        if self._reading:
            self._text.append(text)

    def _place(self, reference: str) -> str:
        cell = {"cell": reference} if _REFERENCE.fullmatch(reference) else {}
        return inside(self._book.document.place, at(sheet=self._number, **cell))

    def _end_row(self) -> None:
        if not self._row:
            return
        self._rows += 1
        columns = [_column(reference) for reference, _ in self._row]
        if self._rows == 1:
            self._headings = dict(zip(columns, headings([value for _, value in self._row]), strict=False))
        for column, (reference, value) in zip(columns, self._row, strict=True):
            heading = self._headings.get(column, "") if self._rows > 1 else ""
            self._book.document.output.write(labelled(heading, value) + "\t", self._place(reference))
        self._book.document.output.write("\n", self._place(self._row[-1][0]))
        self._row.clear()


def _column(reference: str) -> str:
    matched = _REFERENCE.fullmatch(reference)
    return matched.group(1) if matched else ""


def _write_texts(package: Package, name: str, location: str) -> None:
    place = inside(package.document.place, location)
    reading = 0

    def started(tag: str, attributes: dict[str, str]) -> None:
        nonlocal reading
        reading += tag in _READ
        for key in _DESCRIBED.get(tag, ("displayName", "descr", "title")):
            if attributes.get(key):
                package.document.output.write(attributes[key] + "\n", place)

    def ended(tag: str) -> None:
        nonlocal reading
        reading -= tag in _READ
        if tag in ("comment", "p", "threadedComment", "author", "v"):
            package.document.output.write("\n", place)

    def said(text: str) -> None:
        if reading:
            package.document.output.write(text, place)

    package.parse(name, started, ended, said)
