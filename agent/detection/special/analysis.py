"""A text as the models see it: units about as long as a sentence, hashed words, lexicon hits."""

from __future__ import annotations

import re
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from agent.detection.special.lexicon import Hit, Lexicon, lower
from agent.model.finding import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST_UNIT = 400  # characters; what has no sentences and no lines is cut
UNIT = re.compile(r"[^\n.!?;]+(?:[.!?;](?![\s)\"'”’]|$)[^\n.!?;]*)*[.!?;]*[)\"'”’]*")
TOKEN = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*|\d+(?:[.,:/-]\d+)*|\[ ?[xX✓] ?\]|\[ *\]|[_.…]{3,}|[^\w\s]")
PERSON = "⟨person⟩"


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence, or a line of a form or table, by character offsets."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is known of a text before a model judges it.

    `tokens`, `starts` and `hashes` go together; `unit_of` names the unit of each token, `hits` are in the same text.
    """

    text: str
    units: tuple[Unit, ...]
    tokens: tuple[str, ...]
    starts: NDArray[Any]
    hashes: NDArray[Any]
    unit_of: NDArray[Any]
    hits: tuple[Hit, ...]
    person_starts: NDArray[Any]


def units(text: str, start: int = 0, end: int | None = None) -> list[Unit]:
    """The units of a part of a text, none longer than LONGEST_UNIT characters."""
    found: list[Unit] = []
    for match in UNIT.finditer(text, start, len(text) if end is None else end):
        first, last = match.span()
        while last - first > LONGEST_UNIT:
            cut = text.rfind(" ", first + LONGEST_UNIT // 2, first + LONGEST_UNIT)
            cut = first + LONGEST_UNIT if cut < 0 else cut
            found.append(Unit(first, cut))
            first = cut
        if text[first:last].strip():
            found.append(Unit(first, last))
    return found


@lru_cache(maxsize=200_000)
def token_hash(token: str) -> int:
    """A number for a word, the same on every machine."""
    return zlib.crc32(token.encode("utf-8", "replace")) | 1


def shape(token: str) -> str:
    """The token itself, or for a number how it looks: its digits say nothing to a model."""
    if not token[0].isdigit():
        return token
    return re.sub(r"\d", "0", token) if len(token) <= 3 else "00" + re.sub(r"\d+", "0", token)


def analyse(text: str, persons: Iterable[Span], lexicon: Lexicon) -> Analysis:
    """The analysis of a text. `persons` are spans in it."""
    import numpy

    people = sorted((span.start, span.end) for span in persons)
    found = _outside_names(lexicon.terms(text) + lexicon.patterned(text), people)
    tokens, starts = _tokens(text, people)
    parts = units(text)
    ends = numpy.asarray([unit.end for unit in parts], dtype=numpy.int64)
    places = numpy.asarray(starts, dtype=numpy.int64)
    unit_of = numpy.searchsorted(ends, places, side="right")
    kept = unit_of < len(parts)
    return Analysis(
        text,
        tuple(parts),
        tuple(token for token, keep in zip(tokens, kept, strict=True) if keep),
        places[kept],
        numpy.asarray([token_hash(token) for token in tokens], dtype=numpy.uint64)[kept],
        unit_of[kept],
        tuple(found),
        numpy.asarray([start for start, _ in people], dtype=numpy.int64),
    )


def _outside_names(hits: Sequence[Hit], people: Sequence[tuple[int, int]]) -> list[Hit]:
    """The hits that are no part of somebody's name: Christian, Bishop and Monk are names too."""
    if not people:
        return list(hits)
    starts = [start for start, _ in people]
    kept = []
    for hit in hits:
        before = bisect_right(starts, hit.start) - 1
        if before < 0 or hit.end > people[before][1]:
            kept.append(hit)
    return kept


def _tokens(text: str, people: Sequence[tuple[int, int]]) -> tuple[list[str], list[int]]:
    """The words in lower case with their offsets; a person's name is one word that is the same for everybody."""
    tokens: list[str] = []
    starts: list[int] = []
    lowered = lower(text)
    position = 0
    for start, end in [*people, (len(text), len(text))]:
        if start < position:
            continue
        for match in TOKEN.finditer(lowered, position, start):
            token = match[0]
            tokens.append(token if token.isalpha() else shape(token))
            starts.append(match.start())
        if start < end:
            tokens.append(PERSON)
            starts.append(start)
        position = end
    return tokens, starts
