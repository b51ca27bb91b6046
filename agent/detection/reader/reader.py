"""What a text reveals of somebody, read as a whole: for texts that the quicker models doubt of."""

from __future__ import annotations

from collections.abc import Iterable
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
    """Log-odds of each category: by the words that reveal it best, and by the text as a whole."""

    evidence: tuple[float, ...]
    categories: tuple[float, ...]


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
        evidence, whole = [], []
        for part in range(parts):
            marked = [self._pieces.beginning, *pieces[part * size : (part + 1) * size], self._pieces.end]
            by_piece, by_text = self._network.read(marked)
            evidence.append(by_piece.max(axis=0))
            whole.append(by_text)
        return Reading(*(tuple(numpy.max(told, axis=0).tolist()) for told in (evidence, whole)))


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


@lru_cache(maxsize=1)
def shipped_reader() -> Reader:
    """The reader that comes with the package; made once. Raises `ConfigurationError` if it cannot be read."""
    return made_of(FILE, Reader)
