"""Workbooks (xlsx): cells of all kinds, and the names that formulas go by."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.anonymisation import office
from agent.anonymisation.base import CannotAnonymise
from agent.anonymisation.coding import CELL_TEXT
from agent.anonymisation.markup import Kind, tokens
from agent.anonymisation.numbers import Numbers
from agent.anonymisation.package import Package, given
from agent.anonymisation.page import Page, Place
from agent.anonymisation.places import Run
from agent.anonymisation.renaming import settle_names
from agent.anonymisation.sheet import Sheet
from agent.anonymisation.story import Story
from agent.anonymisation.work import Work

_BOOK = "xl/workbook.xml"
_SHEET = re.compile(r"xl/(?:work|chart|dialog|macro)sheets/[^/]+\.xml", re.IGNORECASE)
_STRINGS, _STYLES, _CHAIN = "xl/sharedStrings.xml", "xl/styles.xml", "xl/calcChain.xml"
_TABLE = re.compile(r"xl/tables/[^/]+\.xml", re.IGNORECASE)
_PIVOT = re.compile(r"xl/pivotCache/pivotCacheDefinition\d*\.xml", re.IGNORECASE)


def edit(content: bytes, work: Work) -> bytes:
    """The workbook without what must go. Raises `CannotAnonymise`."""
    package = Package(content, work)
    if _BOOK not in package.parts:
        raise CannotAnonymise("The workbook is damaged: its main part is missing. Open it and save it anew.")
    settle_names(package, _BOOK, work)
    numbers = Numbers(package.page(_STYLES) if _STYLES in package.parts else None, from_1904=_from_1904(package))
    strings = _SharedStrings(package.page(_STRINGS) if _STRINGS in package.parts else None)
    sheets = [name for name in package.parts if _SHEET.fullmatch(name)]
    cut = False
    for name in sheets:
        sheet = Sheet(package.page(name), numbers, strings.places)
        work.settle(sheet.gather())
        cut |= sheet.cut_formulas()
        package.finish(name)
    if cut:
        package.drop(_CHAIN)  # the order in which formulas are worked out: without it, it is found anew
    if _STRINGS in package.parts:
        work.settle(strings.others())
        package.finish(_STRINGS)
    office.edit_parts(package, work, done={*sheets, _STRINGS})
    for name in package.parts:
        if _TABLE.fullmatch(name):
            _check_columns(package.page(name))
        elif _PIVOT.fullmatch(name):
            _check_items(package.page(name))
    return package.write()


def _from_1904(package: Package) -> bool:
    page = package.page(_BOOK)
    return any(
        given(page, token).get("date1904") in ("1", "true")
        for token in tokens(page.text)
        if token.kind is Kind.OPEN and token.name == "workbookPr"
    )


def _check_columns(page: Page) -> None:
    """A table's columns must differ in name, or the workbook cannot be opened."""
    names = [
        given(page, token).get("name", "").casefold()
        for token in tokens(page.text)
        if token.kind is Kind.OPEN and token.name == "tableColumn"
    ]
    if len(names) != len(set(names)):
        raise CannotAnonymise(
            "A table in the workbook has columns named after persons, which would all be called alike. Turn the table "
            "into a plain range first (Table Design, Convert to Range)."
        )


def _check_items(page: Page) -> None:
    """The values by which a pivot table sorts must differ in each field, or the workbook cannot be opened."""
    seen: set[str] = set()
    for token in tokens(page.text):
        if token.kind is Kind.OPEN and token.name == "sharedItems":
            seen.clear()
        elif token.kind is Kind.OPEN and token.name == "s":
            value = given(page, token).get("v", "").casefold()
            if value in seen:
                raise CannotAnonymise(
                    "A pivot table in the workbook sorts by persons, who would all be called alike. Delete the pivot "
                    "table first."
                )
            seen.add(value)


class _SharedStrings:
    """The texts that cells share, each as the places that its runs are."""

    def __init__(self, page: Page | None) -> None:
        self._texts: list[list[Place]] = []
        self._phonetic = Story()
        self._used: set[int] = set()
        if page is not None:
            self._read(page)

    def places(self, number: int) -> Sequence[Place]:
        """The places of a text; none for a number that has none."""
        self._used.add(number)
        return self._texts[number] if number < len(self._texts) else ()

    def others(self) -> list[Story]:
        """The texts that no cell uses any more, and how texts are pronounced."""
        unused = Story()
        for number, places in enumerate(self._texts):
            if number not in self._used:
                for place in places:
                    unused.add(place)
                unused.gap("\n")
        return [unused, self._phonetic]

    def _read(self, page: Page) -> None:
        tag = None
        phonetic = False
        for token in tokens(page.text):
            if token.name == "rPh":
                phonetic = token.kind is Kind.OPEN
            elif token.kind is Kind.OPEN and token.name == "si":
                self._texts.append([])
            elif token.name == "t":
                tag = token if token.kind is Kind.OPEN else None
            elif token.kind is Kind.TEXT and tag is not None and phonetic:
                self._phonetic.line("phonetic", Place(page, token.start, token.end, CELL_TEXT))
            elif token.kind is Kind.TEXT and tag is not None:
                plain = "xml:space" not in page.text[tag.start : tag.end]
                run = Run(page, token.start, token.end, CELL_TEXT, tag.end)
                self._texts[-1].append(run if plain else Place(page, token.start, token.end, CELL_TEXT))
