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
_TOGETHER = 36  # expressions that are compiled as one; more take far longer, and are scanned for no faster
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

    def look_at(self, other: ShownText) -> ShownText:
        """The text that was shown to another gate."""
        return ShownText(other.text, self._scan, self.ungated)


class ShownText:
    """A text as it is shown to the scanner."""

    def __init__(self, text: bytes, scan: Callable[[bytes], set[int]], always: frozenset[int]) -> None:
        self.text = text
        self._scan = scan
        self.always = always

    def may_match(self, start: int, end: int) -> frozenset[int]:
        """The patterns that may match in the part of the text, given by characters."""
        found = self._scan(self.text[start:end])
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
    # The same expression may stand for several patterns: it is scanned for once.
    meant: dict[bytes, list[int]] = {}
    for number, expression in simpler:
        meant.setdefault(expression, []).append(number)
    expressions = list(meant)
    databases = [
        database
        for start in range(0, len(expressions), _TOGETHER)
        for database in _databases(tuple(expressions[start : start + _TOGETHER]))
    ]
    scanned = {number for _, scanned_for in databases for expression in scanned_for for number in meant[expression]}
    left_out = frozenset(range(len(patterns))) - scanned
    needed = {number: wanted & scanned for number, wanted in needed.items()}
    found: set[int] = set()
    count, none = len(patterns), set[int]()

    def scan(text: bytes) -> set[int]:
        found.clear()
        for database, scanned_for in databases:
            database.scan(
                text, match_event_handler=lambda place, *_, those=scanned_for: found.update(meant[those[place]])
            )
        return {number for number in found if number < count and needed.get(number, none) <= found}

    return scan, left_out


@lru_cache(maxsize=128)
def _databases(expressions: tuple[bytes, ...]) -> tuple[tuple[hyperscan.Database, tuple[bytes, ...]], ...]:
    """Expressions compiled, by their place; without those that Hyperscan refuses (one that may match nothing)."""
    database = hyperscan.Database()
    try:
        database.compile(
            expressions=list(expressions),
            ids=list(range(len(expressions))),
            elements=len(expressions),
            flags=[_MODE] * len(expressions),
        )
    except hyperscan.error:
        half = len(expressions) // 2
        return _databases(expressions[:half]) + _databases(expressions[half:]) if half else ()
    database.scratch = hyperscan.Scratch(database)
    return ((database, expressions),)
