"""The names of sheets and ranges: each changes together with all formulas that go by it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from agent.anonymisation.coding import MARKUP
from agent.anonymisation.markup import Kind, Token, attributes, tokens
from agent.anonymisation.package import Package
from agent.anonymisation.page import Page, Place, Splice
from agent.anonymisation.story import Story
from agent.anonymisation.work import Work

_LONGEST_SHEET = 31
_FORMULAS = frozenset({"f", "formula", "formula1", "formula2", "definedName"})
_NAMES = frozenset({("worksheetSource", "sheet"), ("sheetName", "val"), ("worksheetSource", "name")})
# A text; a sheet in quotation marks; a sheet without; any other name.
_PIECE = re.compile(r"""("(?:[^"]|"")*")|'((?:[^']|''){1,255})'!|([^\W\d][\w.]*)!|([^\W\d][\w.]*)""")


class _Name(Place):
    """A name that changes as a whole, to one that no other has."""

    __slots__ = ("new",)

    def __init__(self, page: Page, start: int, end: int) -> None:
        super().__init__(page, start, end, MARKUP, is_name=True)
        self.new = ""

    def splices(self) -> Iterable[Splice]:
        yield self.start, self.end, self.coding.write(self.new)


def settle_names(package: Package, book: str, work: Work) -> None:
    """Finds the names that must go, and renames what they name in all parts."""
    page = package.page(book)
    sheets, ranges = _names(page, "sheet"), _names(page, "definedName")
    story = Story()
    for place in (*sheets, *ranges):
        story.line("", place)
    work.settle([story])
    renamed_sheets, renamed_ranges = _renamed(sheets, " ", _LONGEST_SHEET), _renamed(ranges, "_", 255)
    package.finish(book)
    if renamed_sheets or renamed_ranges:
        for name in package.parts:
            if name.startswith("xl/") and name.endswith(".xml"):
                _rename(package.page(name), renamed_sheets, renamed_ranges)
                package.finish(name)


def _names(page: Page, element: str) -> list[_Name]:
    """The names that elements of the workbook give."""
    return [
        _Name(page, each.value_start, each.value_end)
        for token in tokens(page.text)
        if token.kind is Kind.OPEN and token.name == element
        for each in attributes(page.text, token)
        if each.name == "name" and not page.text.startswith("_xlnm.", each.value_start)
    ]


def _renamed(places: list[_Name], before_number: str, longest: int) -> dict[str, str]:
    """Gives each name that must change a new one; which were given, by the old ones in small letters."""
    taken = {place.text.casefold() for place in places if not place.edits}
    renamed: dict[str, str] = {}
    for place in places:
        old = place.text.casefold()
        if place.edits and old not in renamed:  # a name may be given anew for a sheet
            wanted = place.new_text()
            new, number = wanted[:longest], 1
            while new.casefold() in taken:
                number += 1
                ending = f"{before_number}{number}"
                new = wanted[: longest - len(ending)] + ending
            taken.add(new.casefold())
            renamed[old] = new
        place.new = renamed.get(old, "")
    return renamed


def _rename(page: Page, sheets: dict[str, str], ranges: dict[str, str]) -> None:
    inside: list[Token] = []
    for token in tokens(page.text):
        if token.kind is Kind.OPEN:
            inside.append(token)
            for each in attributes(page.text, token):
                start, end = each.value_start, each.value_end
                if each.name == "location":
                    _set(page, start, end, _formula(MARKUP.text(page.text[start:end]), sheets, ranges))
                elif (token.name, each.name) in _NAMES:
                    old = MARKUP.text(page.text[start:end])
                    named = sheets if each.name != "name" else ranges
                    _set(page, start, end, named.get(old.casefold(), old))
        elif token.kind is Kind.CLOSE:
            inside.pop()
        elif token.kind is Kind.TEXT and inside and inside[-1].name in _FORMULAS:
            old = MARKUP.text(page.text[token.start : token.end])
            _set(page, token.start, token.end, _formula(old, sheets, ranges))


def _set(page: Page, start: int, end: int, new: str) -> None:
    if new != MARKUP.text(page.text[start:end]):
        page.splice(start, end, MARKUP.write(new))


def _formula(old: str, sheets: dict[str, str], ranges: dict[str, str]) -> str:
    """The formula by its new names."""

    def piece(found: re.Match[str]) -> str:
        literal, quoted, plain, name = found.groups()
        if literal is not None:
            return literal
        if name is not None:
            return ranges.get(name.casefold(), name)
        sheet = quoted.replace("''", "'") if quoted is not None else plain
        new = sheets.get(sheet.casefold())
        return found[0] if new is None else f"'{new.replace(chr(39), chr(39) * 2)}'!"

    return _PIECE.sub(piece, old)
