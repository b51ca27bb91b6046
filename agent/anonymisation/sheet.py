"""One sheet of a workbook, row by row, each value behind the heading of its column."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from agent.anonymisation.coding import CELL_TEXT, MARKUP
from agent.anonymisation.headings import headings
from agent.anonymisation.markup import Kind, Token, attributes, tokens
from agent.anonymisation.numbers import Numbers
from agent.anonymisation.office_rules import OFFICE
from agent.anonymisation.package import given
from agent.anonymisation.page import Page, Place, Splice
from agent.anonymisation.places import Formula
from agent.anonymisation.story import Story
from agent.anonymisation.written import Written

_COLUMN = re.compile(r"[A-Z]{1,3}")
_SWITCH = re.compile(r'&"[^"]*"|&K[0-9A-F]{6}|&\d+|&.')
_HEADERS = ("oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader", "firstFooter")


class Number(Place):
    """A cell that holds a number. If a label comes into it, the cell holds text from then on."""

    __slots__ = ("_shown", "_tag")

    def __init__(self, page: Page, start: int, end: int, shown: str, tag: Token) -> None:
        super().__init__(page, start, end, MARKUP)
        self._shown = shown
        self._tag = tag

    @property
    def text(self) -> str:
        return self._shown

    def splices(self) -> Iterable[Splice]:
        kind = next((each for each in attributes(self.page.text, self._tag) if each.name == "t"), None)
        if kind is None:
            yield self._tag.end - 1, self._tag.end - 1, ' t="str"'
        else:
            yield kind.value_start, kind.value_end, "str"
        yield self.start, self.end, self.coding.write(self.new_text())


@dataclass(frozen=True, slots=True)
class _Calculated:
    """A cell with a formula: where the element stands, the places in it, and those of the result."""

    start: int
    end: int
    formula: Sequence[Place]
    result: Sequence[Place]


class Sheet:
    """A sheet. `strings` gives the places of a shared text by its number."""

    def __init__(self, page: Page, numbers: Numbers, strings: Callable[[int], Sequence[Place]]) -> None:
        self._page = page
        self._numbers = numbers
        self._strings = strings
        self._written = Written(page, OFFICE)
        self._cells = Story()
        self._formulas = Story()
        self._headers = Story()
        self._calculated: dict[tuple[str, str], list[_Calculated]] = {}
        self._headings: dict[str, str] | None = None
        self._row: list[tuple[str, Sequence[Place]]] = []

    def gather(self) -> Iterator[Story]:
        """The rows; pages' headers and footers; what stands beside: hints, links, filters."""
        cell: Token | None = None
        inside: list[Token] = []
        values: dict[str, list[Token]] = {}
        for token in tokens(self._page.text):
            if token.kind is Kind.OPEN and token.name == "c":
                cell, values = token, {}
            elif token.kind is Kind.CLOSE and token.name == "c" and cell is not None:
                self._add_cell(cell, values)
                cell = None
            elif token.kind is Kind.CLOSE and token.name == "row":
                self._end_row()
                if self._cells.full or self._formulas.full:
                    yield self._cells
                    yield self._formulas
                    self._cells, self._formulas = Story(), Story()
            if token.kind is Kind.OPEN:
                inside.append(token)
            elif token.kind is Kind.CLOSE:
                inside.pop()
            name = inside[-1].name if inside else ""
            if cell is not None and (name == "f" or token.name == "f"):
                values.setdefault("f", []).append(token)
            elif token.kind in (Kind.TEXT, Kind.DATA) and cell is not None and name in ("v", "t"):
                values.setdefault(name, []).append(token)
            elif token.kind is Kind.TEXT and name in _HEADERS:
                place = Place(self._page, token.start, token.end, CELL_TEXT)
                self._headers.say(place, _SWITCH.sub(lambda found: " " * len(found[0]), place.text))
                self._headers.gap("\n")
            else:
                self._written.take(token)
                if token.kind is Kind.CLOSE:
                    yield from self._written.told(token)
        yield self._cells
        yield self._formulas
        yield self._headers
        yield from self._written.told()

    def cut_formulas(self) -> bool:
        """Takes out the formulas whose result must go, or they would give it again; whether there were any.

        Cells that share a formula keep or lose it together: it is written out in one of them only.
        """
        groups = [
            group for group in self._calculated.values() if any(place.edits for each in group for place in each.result)
        ]
        for each in (each for group in groups for each in group):
            for place in each.formula:
                place.edits = ()
            self._page.splice(each.start, each.end, "")
        return bool(groups)

    def _add_cell(self, cell: Token, values: dict[str, list[Token]]) -> None:
        said = given(self._page, cell)
        kind, style = said.get("t", "n"), said.get("s", "")
        texts = [Place(self._page, token.start, token.end, CELL_TEXT) for token in values.get("t", ())]
        if "f" in values:
            self._add_formula(values["f"], texts)
        for token in values.get("v", ()):
            raw = self._page.text[token.start : token.end]
            if kind == "s":
                texts += self._strings(int(raw)) if raw.isdigit() else ()
            elif kind in ("n", "d"):
                shown = self._numbers.shown(style, raw) if kind == "n" else raw
                texts.append(Number(self._page, token.start, token.end, shown, cell))
            elif kind == "str":
                texts.append(Place(self._page, token.start, token.end, CELL_TEXT))
        if any(place.text.strip() for place in texts):
            column = _COLUMN.match(said.get("r", ""))
            self._row.append((column[0] if column else "", texts))

    def _add_formula(self, element: Sequence[Token], result: Sequence[Place]) -> None:
        """Takes note of a formula, and of the places of its result, of which more may come."""
        start, end = element[0].start, element[-1].end
        said = given(self._page, element[0])
        places = [Formula(self._page, token.start, token.end) for token in element if token.kind is Kind.TEXT]
        for place in places:
            self._formulas.line("", place)
        group = ("shared", said["si"]) if "si" in said else ("at", str(start))
        self._calculated.setdefault(group, []).append(_Calculated(start, end, places, result))

    def _end_row(self) -> None:
        row, self._row = self._row, []
        if not row:
            return
        first = self._headings is None
        if self._headings is None:
            named = headings(["".join(place.text for place in texts) for _, texts in row])
            self._headings = dict(zip((column for column, _ in row), named, strict=False))
        for column, texts in row:
            heading = "" if first else self._headings.get(column, "")
            if heading:
                self._cells.gap(f"{heading}: ")
            for place in texts:
                self._cells.add(place)
            self._cells.gap("\t")
        self._cells.gap("\n")
