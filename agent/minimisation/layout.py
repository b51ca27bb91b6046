"""A document's text as its layout has it: labels with the values behind, beside or below them, and paragraphs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.minimisation.paragraphs import Block, Labels, blocks

_BELOW = 6  # paragraphs below a heading that are taken for what it says


@dataclass(frozen=True, slots=True)
class Passage:
    """What stands at a label. `certain` is False where the label may be no label: then only a clear value counts."""

    label: str
    value: str
    location: str
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, or a cell of a table."""

    text: str
    location: str
    in_table: bool = False


@dataclass(slots=True)
class Layout:
    """The passages of a document at the labels asked for, and all its paragraphs, in order."""

    passages: list[Passage] = field(default_factory=list)
    paragraphs: list[Paragraph] = field(default_factory=list)


def lay_out(text: Iterable[tuple[str, str]], labels: Iterable[str]) -> Layout:
    """The layout of a document of which these are the lines, each with its location."""
    known = Labels(labels)
    reading = _Reading(known)
    for block in blocks(text, known):
        reading.take(block)
    reading.end_heading()
    return reading.layout


class _Reading:
    """Takes a document block by block."""

    def __init__(self, labels: Labels) -> None:
        self.layout = Layout()
        self._labels = labels
        self._heading = ""
        self._below: list[str] = []
        self._heading_at = ""
        self._columns: dict[int, str] = {}
        self._width = 0
        self._sheet = ""
        self._sheet_heads: tuple[str, ...] = ()

    def take(self, block: Block) -> None:
        if block.sheet:
            self.end_heading()
            self._take_sheet_row(block)
        elif len(block.cells) > 1:
            self.end_heading()
            self._take_table_row(block)
        else:
            self._columns = {}
            self._take_paragraph(block)

    # Paragraphs

    def _take_paragraph(self, block: Block) -> None:
        text = block.cells[0]
        self.layout.paragraphs.append(Paragraph(text, block.location))
        if heading := self._labels.alone(text):
            self.end_heading()
            self._heading, self._heading_at = heading, block.location
            return
        found = self._led(text, block.location)
        if any(passage.certain for passage in found):
            self.end_heading()
        elif self._heading:
            self._below.append(text)
            if len(self._below) == _BELOW:
                self.end_heading()

    def end_heading(self) -> None:
        """What stood below the last heading is all of it."""
        if self._below:
            self._add(self._heading, "\n".join(self._below), self._heading_at)
        self._heading, self._below = "", []

    # Tables

    def _take_table_row(self, block: Block) -> None:
        heads = [self._labels.alone(cell) for cell in block.cells]
        if len(heads) in (2, 4) and heads[0] and not heads[1]:
            self._columns = {}
            for head, value in zip(heads[::2], block.cells[1::2], strict=True):
                self._pair(head, value, block.location)
        elif any(heads):
            self._columns = {number: head for number, head in enumerate(heads) if head}
            self._width = len(heads)
        elif len(heads) == self._width:
            for number, head in self._columns.items():
                self._pair(head, block.cells[number], block.location)
        else:
            self._columns = {}
        self._take_cells(block.cells, block.location)

    def _take_sheet_row(self, block: Block) -> None:
        """A row of a sheet: `heading: value` in each cell, or a label and its value.

        The first row is taken for headings by the reader of the format even if it is a label and its value; then its
        words stand before those of every row below, and are taken away here.
        """
        cells = block.cells
        if block.sheet != self._sheet:
            self._sheet, self._sheet_heads = block.sheet, cells
        else:
            bare = tuple(_without_heading(cell, self._sheet_heads) for cell in cells)
            if self._is_pair(self._sheet_heads) or self._is_pair(bare):
                cells = bare
        if self._is_pair(cells):
            self._pair(self._labels.alone(cells[0]), cells[1], block.location)
        self._take_cells(cells, block.location)

    def _is_pair(self, cells: tuple[str, ...]) -> bool:
        return len(cells) == 2 and bool(self._labels.alone(cells[0])) and not self._labels.alone(cells[1])

    def _take_cells(self, cells: Iterable[str], location: str) -> None:
        for cell in cells:
            self.layout.paragraphs.append(Paragraph(cell, location, in_table=True))
            self._led(cell, location)

    def _pair(self, label: str, value: str, location: str) -> None:
        if label and value:
            self._add(label, value, location)

    # Both

    def _led(self, text: str, location: str) -> list[Passage]:
        found = [Passage(label, value, location, certain) for label, value, certain in self._labels.led(text)]
        self.layout.passages.extend(found)
        return found

    def _add(self, label: str, value: str, location: str) -> None:
        self.layout.passages.append(Passage(label, value, location))


def _without_heading(cell: str, headings: Iterable[str]) -> str:
    heading = next((one for one in headings if cell.startswith(f"{one}: ")), None)
    return cell if heading is None else cell.removeprefix(f"{heading}: ")
