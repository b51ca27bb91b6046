"""Static word vectors, kept in whole numbers: they tell that a word never seen is like one that was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH = 64


class WordVectors:
    """The vectors of lower-case words: `words` are UTF-8 lines, `rows` bytes, one row for each, times `scale`."""

    def __init__(self, words: bytes, rows: NDArray[Any], scale: float) -> None:
        self._index = {word: row for row, word in enumerate(words.decode().split("\n"))}
        self._rows = rows
        self._scale = scale

    def means(self, tokens: Sequence[str], groups: NDArray[Any], group_count: int) -> NDArray[Any]:
        """The mean vector of the tokens of each group, counting those that have one; zeros for a group without.

        The tokens are in the order of their groups.
        """
        import numpy

        found = numpy.asarray([self._index.get(token, -1) for token in tokens], dtype=numpy.int64)
        known = found >= 0
        sums = numpy.zeros((group_count, WIDTH), numpy.float32)
        if known.any():
            present = groups[known]
            firsts = numpy.flatnonzero(numpy.diff(present, prepend=-1))
            sums[present[firsts]] = numpy.add.reduceat(self._rows[found[known]].astype(numpy.float32), firsts, axis=0)
        number = numpy.bincount(groups[known], minlength=group_count).astype(numpy.float32)
        means: NDArray[Any] = sums * (self._scale / numpy.maximum(number, 1))[:, None]
        return means
