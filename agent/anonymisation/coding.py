"""How characters are written in a place of a file: as references in markup, percent signs in addresses, twice in
quotation marks.

Only what is replaced is written anew, so that the rest of a place keeps the very characters it had.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
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

    def raw_range(self, raw: str, start: int, end: int) -> tuple[int, int]:
        """Where the part of the text from `start` to `end` stands in `raw`: the least that holds all of it."""
        if self.written is None:
            return start, end
        shift = 0  # by which what follows stands further on in `raw` than in the text
        raw_start = raw_end = -1
        for found in self.written.finditer(raw):
            first = found.start() - shift
            behind = first + len(self.read(found[0]))
            if raw_start < 0 and start < behind:
                raw_start = min(start, first) + shift
            if raw_end < 0 and end <= first:
                raw_end = end + shift
            if raw_end < 0 and end <= behind:
                raw_end = found.end()
            shift = found.end() - behind
        return (raw_start if raw_start >= 0 else start + shift, raw_end if raw_end >= 0 else end + shift)


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
