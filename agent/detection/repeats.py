"""What was found in texts seen before: quoted mail, disclaimers and forms come again and again."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Generic, TypeVar

from agent.model.finding import Span

_ENTRY = 200  # bytes that an entry takes beside what it holds, about
_SHORTEST = 200  # characters; looking up less costs more than it saves
_BLANK_LINES = re.compile(r"\n[ \t\r]*\n\s*")

T = TypeVar("T")


class Repeats(Generic[T]):
    """Remembers something by a text, for as many texts as fit into `bytes_kept`; the longest unseen goes first.

    A text is known by 16 bytes of BLAKE2b, and is not kept. Not safe to share between threads.
    """

    def __init__(self, bytes_kept: int = 4_000_000) -> None:
        self._room = bytes_kept
        self._kept: OrderedDict[bytes, tuple[T, int]] = OrderedDict()

    def recall(self, text: str) -> T | None:
        """What was remembered by exactly this text, None if nothing is."""
        key = _key(text)
        entry = self._kept.get(key)
        if entry is None:
            return None
        self._kept.move_to_end(key)
        return entry[0]

    def remember(self, text: str, value: T, weight: int = 0) -> None:
        """Remembers a value, which takes about `weight` bytes."""
        key = _key(text)
        old = self._kept.pop(key, None)
        if old is not None:
            self._room += old[1]
        self._kept[key] = (value, weight + _ENTRY)
        self._room -= weight + _ENTRY
        while self._room < 0 and self._kept:
            self._room += self._kept.popitem(last=False)[1][1]


class RepeatedParagraphs:
    """A search that is not made again in paragraphs seen before.

    `find` must look at no more than `margin` characters before and behind what it finds, and find nothing longer:
    then the answers are the same as its own. A paragraph is known together with its margins.
    """

    def __init__(self, find: Callable[[str], Iterable[Span]], margin: int, bytes_kept: int = 4_000_000) -> None:
        self._find = find
        self._margin = margin
        self._known: Repeats[tuple[Span, ...]] = Repeats(bytes_kept)

    def find(self, text: str) -> list[Span]:
        """What the search finds in the text, by start, end and type."""
        found: list[Span] = []
        for start, end in paragraphs(text):
            begin = max(0, start - 2 * self._margin)
            around = text[begin : end + 2 * self._margin]
            key = f"{start - begin} {end - begin} {around}"
            known = self._known.recall(key)
            if known is None:
                known = tuple(span for span in self._find(around) if start - begin <= span.start < end - begin)
                self._known.remember(key, known, weight=100 * len(known))
            found.extend(replace(span, start=span.start + begin, end=span.end + begin) for span in known)
        return sorted(found, key=lambda span: (span.start, span.end, span.entity_type))


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Where the text's paragraphs begin and end, with the blank lines behind each; together they are the text."""
    start = 0
    for gap in _BLANK_LINES.finditer(text):
        if gap.end() - start >= _SHORTEST:
            yield start, gap.end()
            start = gap.end()
    if start < len(text) or not text:
        yield start, len(text)
