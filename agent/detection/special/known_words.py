"""What each word of a text adds to the scores of the model for evidence: reckoned once, and remembered."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from agent.detection.special.analysis import PERSON, TOKEN, shape, token_hash
from agent.detection.special.features import STEM, STEM_LETTERS, bucket_of, cue_of
from agent.detection.special.ranges import ranges
from agent.detection.special.vectors import WordVectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

SOMEBODY = "\ue000"  # stands for a person's name
_ROOM = 1 << 16  # words, and tokens in them, that are remembered
_SPACES_END = 0x3001  # behind the last white space


class KnownWords:
    """The tokens of texts, by numbers: for each its hash, its buckets, its cue and what its vector adds.

    `projection` brings a vector to what it adds. Not safe to share between threads.
    """

    def __init__(self, vectors: WordVectors, projection: NDArray[Any]) -> None:
        import numpy

        self._vectors, self._projection = vectors, projection
        self._dark = numpy.asarray([not chr(code).isspace() for code in range(_SPACES_END + 1)])
        self._words, self._tokens = _Numbers(), _Numbers()
        self._used = 0
        self._first = numpy.zeros(_ROOM, numpy.int64)
        self._count = numpy.zeros(_ROOM, numpy.int64)
        self._parts = numpy.zeros(_ROOM, numpy.int64)
        self._offsets = numpy.zeros(_ROOM, numpy.int64)
        self.hashes = numpy.zeros(_ROOM, numpy.uint64)
        self.buckets = numpy.zeros(_ROOM, numpy.uint32)
        self.stems = numpy.zeros(_ROOM, numpy.uint32)
        self.cues = numpy.zeros(_ROOM, numpy.int64)  # 0 for none
        self.adds = numpy.zeros((_ROOM, projection.shape[1] + 1), numpy.float32)  # and whether it has a vector

    def read(self, lowered: str) -> tuple[NDArray[Any], NDArray[Any]] | None:
        """The number of each token of a text in small letters, and where it starts; None for a text that is too long.

        Tokens that hold white space are read as several.
        """
        import numpy

        most = _ROOM - len(lowered)
        if most < 0:
            return None
        if max(len(self._words), len(self._tokens), self._used) > most:
            self._words.clear()
            self._tokens.clear()
            self._used = 0
        known = len(self._words)
        words = lowered.split()
        numbers = numpy.fromiter(map(self._words.__getitem__, words), numpy.int64, len(words))
        if len(self._words) > known:
            self._learn(list(islice(self._words, known, None)), known)
        if lowered.isascii():
            codes = numpy.frombuffer(lowered.encode("ascii"), numpy.uint8)
        else:
            codes = numpy.frombuffer(lowered.encode("utf-32-le"), numpy.uint32)
        dark = self._dark.take(codes, mode="clip")
        begins = dark.copy()
        numpy.greater(dark[1:], dark[:-1], out=begins[1:])
        which, places = ranges(self._first.take(numbers), self._count.take(numbers))
        return self._parts.take(places), begins.nonzero()[0].take(which) + self._offsets.take(places)

    def _learn(self, words: Sequence[str], first: int) -> None:
        known = len(self._tokens)
        for number, word in enumerate(words, first):
            self._first[number] = self._used
            for match in TOKEN.finditer(word):
                token = match[0]
                self._parts[self._used] = self._tokens[token if token.isalpha() else shape(token)]
                self._offsets[self._used] = match.start()
                self._used += 1
            self._count[number] = self._used - self._first[number]
        if len(self._tokens) > known:
            new = [PERSON if token == SOMEBODY else token for token in islice(self._tokens, known, None)]
            self._learn_tokens(new, known)

    def _learn_tokens(self, tokens: Sequence[str], first: int) -> None:
        import numpy

        rows = slice(first, first + len(tokens))
        hashes = numpy.asarray([token_hash(token) for token in tokens], numpy.uint64)
        stems = numpy.asarray([token_hash(token[:STEM_LETTERS]) for token in tokens], numpy.uint64)
        self.hashes[rows] = hashes
        self.buckets[rows] = bucket_of(hashes)
        self.stems[rows] = bucket_of(stems * numpy.uint64(STEM))
        self.cues[rows] = [cue_of(token) + 1 for token in tokens]
        vectors = self._vectors.means(tokens, numpy.arange(len(tokens)), len(tokens))
        self.adds[rows, :-1] = vectors @ self._projection
        self.adds[rows, -1] = [token in self._vectors._index for token in tokens]


class _Numbers(dict[str, int]):
    """Numbers what is asked for, in the order in which it is met."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        return number
