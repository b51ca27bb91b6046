"""What a text reveals of somebody, read as a whole: for texts that the quicker models doubt of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.detection.reader.network import LONGEST, Network
from agent.detection.reader.wordpieces import WordPieces
from agent.detection.stored import made_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE = Path(__file__).parent.parent / "models" / "reader.npz"
SOMEBODY = "Somebody"  # stands for a name


@dataclass(frozen=True, slots=True)
class Reading:
    """Log-odds of each category: by the words that reveal it best, and by the text as a whole.

    `pieces` are the first and the last piece of those words, for each category; none of a text without words.
    """

    evidence: tuple[float, ...]
    categories: tuple[float, ...]
    pieces: tuple[tuple[int, int], ...] = ()


class Reader:
    """Reads texts. Safe to share between threads. Raises `KeyError` if `stored` is no reader."""

    def __init__(self, stored: dict[str, NDArray[Any]]) -> None:
        self._pieces = WordPieces(bytes(stored["vocabulary"]).decode().split("\n"))
        self._network = Network(stored)

    def read(self, text: str) -> Reading:
        """Reads all of a text, where it is too long in parts; a category counts where it is likeliest.

        Names of persons are to be left out of it (`nameless`).
        """
        import numpy

        pieces = self._pieces.of(text)
        parts = -(-len(pieces) // (LONGEST - 2)) or 1
        size = -(-len(pieces) // parts)
        best, words, whole = [], [], []
        for part in range(parts):
            marked = [self._pieces.beginning, *pieces[part * size : (part + 1) * size], self._pieces.end]
            by_piece, by_text = self._network.read(marked)
            best.append(by_piece.max(axis=0))
            words.append(by_piece[1:-1])
            whole.append(by_text)
        evidence, categories = (tuple(numpy.max(told, axis=0).tolist()) for told in (best, whole))
        return Reading(evidence, categories, tuple(map(_run, numpy.concatenate(words).T)) if pieces else ())

    def place(self, text: str, pieces: tuple[int, int]) -> tuple[int, int]:
        """Where the first to the last piece stand in a text that was read, by character offsets."""
        places = self._pieces.places(text)
        return places[pieces[0]][0], places[pieces[1]][1]


def _run(log_odds: NDArray[Any]) -> tuple[int, int]:
    """The likeliest piece, with those beside it that are likely too: the first and the last."""
    first = last = int(log_odds.argmax())
    while first > 0 and log_odds[first - 1] > 0:
        first -= 1
    while last + 1 < len(log_odds) and log_odds[last + 1] > 0:
        last += 1
    return first, last


def nameless(text: str, names: Iterable[tuple[int, int]]) -> str:
    """The text with one word for everybody's name: what somebody is called must not tell their faith or origin.

    `names` are starts and ends in order, none in another.
    """
    pieces: list[str] = []
    behind = 0
    for start, end in names:
        pieces += (text[behind:start], SOMEBODY)
        behind = end
    return "".join([*pieces, text[behind:]])


def in_full(place: tuple[int, int], names: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Where a place in a nameless text is in the text with its names, all of a name that it touches."""
    first, last = start, end = place
    longer = 0  # so far, the text with its names
    for name_start, name_end in names:
        begins = name_start - longer
        ends = begins + len(SOMEBODY)
        longer += name_end - name_start - len(SOMEBODY)
        if begins <= first:
            start = name_start if first < ends else first + longer
        if begins < last:
            end = name_end if last <= ends else last + longer
    return start, end


@lru_cache(maxsize=1)
def shipped_reader() -> Reader:
    """The reader that comes with the package; made once. Raises `ConfigurationError` if it cannot be read."""
    return made_of(FILE, Reader)
