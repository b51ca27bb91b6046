"""Parts of a text put together, a line end between them, so that they are read at once and still each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from agent.detection.special.analysis import LONGEST_UNIT, UNIT, units
from agent.detection.special.known_words import SOMEBODY

if TYPE_CHECKING:
    from numpy.typing import NDArray


def is_cut(text: str, position: int) -> bool:
    """Whether a word may go on across a position."""
    return 0 < position < len(text) and text[position - 1].isalnum() and text[position].isalnum()


def people_within(
    parts: Sequence[tuple[int, int]], offsets: Sequence[int], people: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The names that lie in a part as a whole, by offsets into the parts joined."""
    found = []
    number = 0
    for first, last in people:
        while number < len(parts) and parts[number][1] < first:
            number += 1
        if number < len(parts) and parts[number][0] <= first and last <= parts[number][1]:
            shift = offsets[number] - parts[number][0]
            found.append((first + shift, last + shift))
    return found


def without_names(lowered: str, people: Sequence[tuple[int, int]]) -> str:
    """The text with one sign and blanks for each name, of the same length."""
    pieces: list[str] = []
    behind = 0
    for start, end in people:
        if start >= behind:
            pieces += (lowered[behind:start], SOMEBODY.ljust(end - start))
            behind = end
    return "".join([*pieces, lowered[behind:]])


def unit_ends(joined: str, starts: NDArray[Any], names: int) -> NDArray[Any]:
    """The end of each unit, as `units` tells them of each part; `starts` are those of the tokens, as many of which as
    there are `names` may stand in white space.
    """
    import numpy

    spans = [match.span() for match in UNIT.finditer(joined)]
    firsts, ends = numpy.fromiter(chain.from_iterable(spans), numpy.int64, 2 * len(spans)).reshape(-1, 2).T
    if (ends - firsts > LONGEST_UNIT).any():
        return numpy.asarray([unit.end for unit in units(joined)], numpy.int64)
    tokens = starts.searchsorted(ends) - starts.searchsorted(firsts)
    blank = [unit for unit in (tokens <= names).nonzero()[0].tolist() if joined[firsts[unit] : ends[unit]].isspace()]
    return numpy.delete(ends, blank) if blank else ends
