"""Which patterns can match in a text at all, by one scan over it: never too few of them, sometimes too many.

Hyperscan scans for all patterns at once, in a simpler form that matches wherever they do (`superset`); `regex` decides
in the end. What cannot be brought into that form is always told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import hyperscan

from agent.detection.reach import reach_of
from agent.detection.superset import NotSimpler, conditions, shown, superset

BEFORE = 80  # what a pattern needs to stand before a match is looked for so many characters back
_MODE = hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_DOTALL


@dataclass(frozen=True, slots=True)
class GatedPattern:
    """A regular expression of `regex`, with its flags."""

    expression: str
    flags: int = 0


class PatternGate:
    """Tells which of some patterns may match in a text. Patterns are known by their place in the sequence.

    `ungated` are those that cannot be scanned for; they are always told. Not safe to share between threads.
    """

    def __init__(self, patterns: Sequence[GatedPattern]) -> None:
        self._scan, self.ungated = _scan_for(patterns)

    def may_match(self, text: str) -> frozenset[int]:
        """The patterns that may match somewhere in the text."""
        return self.shown(text).may_match(0, len(text))

    def shown(self, text: str) -> ShownText:
        """The text as it is shown to the scanner, to ask about parts of it."""
        return ShownText(shown(text), self._scan, self.ungated)


class ShownText:
    """A text as it is shown to the scanner."""

    def __init__(self, text: bytes, scan: Callable[[bytes], set[int]], always: frozenset[int]) -> None:
        self._text = text
        self._scan = scan
        self.always = always

    def may_match(self, start: int, end: int) -> frozenset[int]:
        """The patterns that may match in the part of the text, given by characters."""
        found = self._scan(self._text[start:end])
        return self.always | found if found else self.always


def _scan_for(patterns: Sequence[GatedPattern]) -> tuple[Callable[[bytes], set[int]], frozenset[int]]:
    """A function that tells which patterns are in a shown text, and those that it cannot tell of."""
    simpler: list[tuple[int, bytes]] = []
    needed: dict[int, set[int]] = {}
    more = len(patterns)
    for number, pattern in enumerate(patterns):
        try:
            simpler.append((number, superset(pattern.expression, pattern.flags)))
        except NotSimpler:
            continue
        if reach_of(pattern.expression, pattern.flags).length is not None:
            for condition in conditions(pattern.expression, pattern.flags, BEFORE):
                simpler.append((more, condition))
                needed.setdefault(number, set()).add(more)
                more += 1
    databases = _databases(tuple(simpler))
    scanned = {number for _, numbers in databases for number in numbers}
    left_out = frozenset(range(len(patterns))) - scanned
    needed = {number: wanted & scanned for number, wanted in needed.items()}
    found: set[int] = set()
    count, none = len(patterns), set[int]()

    def note(number: int, _start: int, _end: int, _flags: int, _context: object) -> None:
        found.add(number)

    def scan(text: bytes) -> set[int]:
        found.clear()
        for database, _ in databases:
            database.scan(text, match_event_handler=note)
        return {number for number in found if number < count and needed.get(number, none) <= found}

    return scan, left_out


@lru_cache(maxsize=8)
def _databases(patterns: tuple[tuple[int, bytes], ...]) -> tuple[tuple[hyperscan.Database, list[int]], ...]:
    """The patterns compiled, with their numbers; without those that Hyperscan refuses (one that may match nothing)."""
    if not patterns:
        return ()
    numbers = [number for number, _ in patterns]
    database = hyperscan.Database()
    try:
        database.compile(
            expressions=[expression for _, expression in patterns],
            ids=numbers,
            elements=len(patterns),
            flags=[_MODE] * len(patterns),
        )
    except hyperscan.error:
        half = len(patterns) // 2
        return _databases(patterns[:half]) + _databases(patterns[half:]) if half else ()
    database.scratch = hyperscan.Scratch(database)
    return ((database, numbers),)
