"""The lines of a document joined to paragraphs and rows, and the labels that may stand at the beginning of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from agent.minimisation.vocabulary import any_of, label_name, straight

_NUMBERING = r"(?:[^\w\n]{0,6}|\(?(?:\d{1,2}(?:\.\d{1,2}){0,3}|[a-z])[.):]?\s+)"
_ASIDE = r"(?:\s*+\([^()]{0,40}\))?"
_BEHIND = r"(?P<behind>\s*+[:=]|\s*+\.{3,}+|\s++-{1,2}(?=\s)|\s{2,}+|\s)"
_ANY_LABEL = re.compile(r"[\w'/() -]{1,40}:(?:\s|$)")
_LISTED = re.compile(r"(?:[-•*·▪◦☐☑☒□■]|\(?\d{1,2}[.)]\s|\(?[a-z][.)]\s)")
_ENDS = (".", "!", "?", ";", ":")
_WRAPPED = 55  # a line that is longer may go on in the next one
_LONGEST = 4_000  # characters of lines that are taken for one paragraph


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or the cells of a row. `sheet` tells the sheet of rows whose columns the reader has named."""

    location: str
    cells: tuple[str, ...]
    sheet: str = ""


class Labels:
    """The labels asked for."""

    def __init__(self, labels: Iterable[str]) -> None:
        named = f"(?P<label>{any_of(labels)})"
        self._alone = re.compile(rf"{_NUMBERING}{named}{_ASIDE}\s*+(?::\s*+)?", re.IGNORECASE)
        self._led = re.compile(
            rf"(?:^{_NUMBERING}|(?<=[.;!?])\s+){named}(?!\w){_ASIDE}{_BEHIND}\s*+(?=\S)", re.IGNORECASE
        )

    def alone(self, text: str) -> str:
        """The label that the text is; empty if it is none."""
        found = self._alone.fullmatch(text)
        return label_name(found["label"]) if found else ""

    def led(self, text: str) -> Iterator[tuple[str, str, bool]]:
        """The labels in a paragraph, what stands behind each, and whether it is one for certain.

        With no more than a blank behind it, it may be a word like any other.
        """
        found = list(self._led.finditer(text))
        for number, match in enumerate(found, 1):
            end = found[number].start() if number < len(found) else len(text)
            yield label_name(match["label"]), text[match.end() : end].strip(), match["behind"] != " "

    def begins(self, line: str) -> bool:
        """Whether a line is a label, or begins with one."""
        return bool(self.alone(line)) or any(certain for _, _, certain in self.led(line))


def blocks(text: Iterable[tuple[str, str]], labels: Labels) -> Iterator[Block]:
    """The paragraphs and rows of a document's lines, each with its location, with straight quotes and hyphens."""
    lines = ((location, straight(line)) for location, block in text for line in block.split("\n"))
    for row, group in groupby(lines, key=lambda line: _delimited_row(line[0])):
        if row:  # a line for each value
            cells = tuple(line.strip() for _, line in group if line.strip())
            yield Block(row, cells, row.rpartition("=")[0])
        else:
            yield from _paragraphs(group, labels)


def _paragraphs(lines: Iterable[tuple[str, str]], labels: Labels) -> Iterator[Block]:
    place, parts, length = "", list[str](), 0
    for location, line in lines:
        sheet = _sheet(location)
        row = bool(sheet) or "\t" in line
        text = line.strip()
        if parts and (row or not text or length > _LONGEST or not _goes_on(parts[-1], text, labels)):
            yield Block(place, (" ".join(parts),))
            parts, length = [], 0
        if row:
            cells = tuple(cell.strip() for cell in line.removesuffix("\t").split("\t"))
            if any(cells):
                yield Block(location, cells, sheet)
        elif text:
            place = place if parts else location
            parts.append(text)
            length += len(text) + 1
    if parts:
        yield Block(place, (" ".join(parts),))


def _goes_on(before: str, line: str, labels: Labels) -> bool:
    """Whether the line is the rest of a paragraph that was wrapped."""
    if before.endswith(_ENDS) or labels.alone(before):
        return False
    if _LISTED.match(line) or _ANY_LABEL.match(line) or labels.begins(line):
        return False
    return line[0].islower() or len(before) >= _WRAPPED


def _delimited_row(location: str) -> str:
    """The location, if it is that of a row of values that are parted by commas and the like."""
    return location if _last_key(location) == "row" else ""


def _sheet(location: str) -> str:
    """The sheet that the location lies in, if it is one of a sheet."""
    return location.rpartition("&")[0] or location if _last_key(location) == "sheet" else ""


def _last_key(location: str) -> str:
    return location.rpartition("!")[2].partition("=")[0]
