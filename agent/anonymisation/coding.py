"""How characters are written in a place of a file: as references in markup, percent signs in addresses, twice in
quotation marks.

Only what is replaced is written anew, so that the rest of a place keeps the very characters it had.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

_REFERENCE = r"&(?:#x[0-9A-Fa-f]{1,8}|#[0-9]{1,9}|[A-Za-z]{1,9});"
_PERCENT = r"(?:%[0-9A-Fa-f]{2})+"
_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}


@dataclass(frozen=True, slots=True)
class Coding:
    """`written` matches characters that are written in another way than by themselves, `read` says what they mean.

    `write` gives a label in the form in which it may stand there.
    """

    written: re.Pattern[str] | None
    read: Callable[[str], str]
    write: Callable[[str], str]

    def text(self, raw: str) -> str:
        """What is meant by the characters of a place."""
        return raw if self.written is None else self.written.sub(lambda found: self.read(found[0]), raw)

    def raw_ranges(self, raw: str, ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Where parts of the text, by start and end, stand in `raw`: the least that holds all of each.

        Takes time in proportion to `raw` once, however many parts are asked for.
        """
        if self.written is None:
            yield from ranges
            return
        firsts, ends = [], []  # where each written character begins and ends in the text
        raw_starts, raw_ends, shifts = [], [], [0]  # and in `raw`; by how much what is between them is further on there
        for found in self.written.finditer(raw):
            firsts.append(found.start() - shifts[-1])
            ends.append(firsts[-1] + len(self.read(found[0])))
            raw_starts.append(found.start())
            raw_ends.append(found.end())
            shifts.append(found.end() - ends[-1])
        for start, end in ranges:
            first, last = bisect_right(ends, start), bisect_left(ends, end)
            within_first = first < len(ends) and firsts[first] < start
            within_last = last < len(ends) and firsts[last] < end
            yield (
                raw_starts[first] if within_first else start + shifts[first],
                raw_ends[last] if within_last else end + shifts[last],
            )


def _in_markup(label: str) -> str:
    return "".join(_MARKUP.get(char, char) for char in label)


def _as_it_is(label: str) -> str:
    return label


def _reference(written: str) -> str:
    return html.unescape(written)


def _address(written: str) -> str:
    return html.unescape(written) if written.startswith("&") else unquote(written)


def _cell_text(written: str) -> str:
    return html.unescape(f"&#x{written[2:6]};" if written.startswith("_") else written)


PLAIN = Coding(None, _as_it_is, _as_it_is)
MARKUP = Coding(re.compile(_REFERENCE), _reference, _in_markup)
# As browsers read them, with or without a semicolon.
PAGE = Coding(
    re.compile(r"&(?:#[xX][0-9A-Fa-f]{1,8};?|#[0-9]{1,9};?|[A-Za-z][A-Za-z0-9]{0,31};?)"), _reference, _in_markup
)
ADDRESS = Coding(re.compile(f"{_REFERENCE}|{_PERCENT}"), _address, _in_markup)
# ECMA-376 part 1, 22.9.2.19
CELL_TEXT = Coding(re.compile(f"{_REFERENCE}|_x[0-9A-Fa-f]{{4}}_"), _cell_text, _in_markup)
QUOTED = Coding(re.compile('""'), lambda _: '"', _as_it_is)
