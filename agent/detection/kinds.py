"""The kind of record that a text looks like, by its words and the letters in them."""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.detection.stored import made_of
from agent.model.record_kind import RecordKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE = Path(__file__).parent / "models" / "kinds.npz"
KINDS = tuple(str(kind) for kind in RecordKind)
LONGEST = 8_000  # characters that are read: what a document is, it says at its beginning
BUCKETS = 1 << 16  # of hashed words, and again of hashed letters; a power of two
_FEWEST_WORDS = 5  # with fewer a text says nothing of what it is
_TITLE = 160  # characters in which words count once more
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+|[£%@\[\]_/:]")
_MOST_TOLD = 3
_LEAST_TOLD = 0.05  # confidence below which a second choice is not worth telling
_WORDS_WEIGHT = 1.0
_LETTERS_WEIGHT = 0.8
_SPREAD = 0x9E3779B97F4A7C15


class KindSearch:
    """Tells the kind of a record. Safe to share between threads.

    Raises `ConfigurationError` if the model cannot be read.
    """

    def __init__(self, stored: dict[str, NDArray[Any]] | None = None) -> None:
        import numpy

        arrays = stored or _shipped()
        self._weights = arrays["weights"].astype(numpy.float32)
        self._intercept = arrays["intercept"]
        self._rarity = arrays["rarity"].astype(numpy.float32)
        self._sharpness = float(arrays["sharpness"][0])
        self._threshold = float(arrays["threshold"][0])

    def kinds(self, text: str) -> list[tuple[str, float]]:
        """The likeliest kinds with their confidence (0 to 1), the likeliest first; empty if none is likely enough.

        Only the first LONGEST characters are read.
        """
        if sum(1 for _ in zip(_WORD.finditer(text[:LONGEST]), range(_FEWEST_WORDS), strict=False)) < _FEWEST_WORDS:
            return []
        confidence = self.confidences(text)
        order = confidence.argsort()[::-1]
        if confidence[order[0]] < self._threshold:
            return []
        told = [(KINDS[kind], round(float(confidence[kind]), 4)) for kind in order[:_MOST_TOLD]]
        return [told[0], *(kind for kind in told[1:] if kind[1] >= _LEAST_TOLD)]

    def confidences(self, text: str) -> NDArray[Any]:
        """The confidence in each of KINDS; all the same for a text without words."""
        import numpy

        buckets, values = features(text, self._rarity)
        scores = (self._weights[buckets] * values[:, None]).sum(axis=0) + self._intercept
        if not len(buckets):
            scores = numpy.zeros(len(KINDS))
        grown = numpy.exp(self._sharpness * (scores - scores.max()))
        shares: NDArray[Any] = grown / grown.sum()
        return shares


def features(text: str, rarity: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The hashed features of the beginning of a text, with their values: words first, then runs of letters.

    `rarity` says for each of 2 x BUCKETS how much it tells, by how few documents have it.
    """
    import numpy

    beginning = text[:LONGEST].lower()
    found = list(_WORD.finditer(beginning))
    words = [match[0] if not match[0].isdigit() else "0" * min(len(match[0]), 9) for match in found]
    title = [f"title {word}" for match, word in zip(found, words, strict=True) if match.start() < _TITLE]
    hashes = numpy.asarray([_hash(word) for word in words], dtype=numpy.uint64)
    pairs = hashes[:-1] * numpy.uint64(1_000_003) + hashes[1:] + numpy.uint64(1)
    titles = numpy.asarray([_hash(word) for word in title], dtype=numpy.uint64)
    of_words = _weighed(numpy.concatenate([hashes, pairs, titles]), _WORDS_WEIGHT, rarity[:BUCKETS])
    of_letters = _weighed(_runs(beginning), _LETTERS_WEIGHT, rarity[BUCKETS:])
    return (
        numpy.concatenate([of_words[0], of_letters[0] + BUCKETS]),
        numpy.concatenate([of_words[1], of_letters[1]]).astype(numpy.float32),
    )


@lru_cache(maxsize=100_000)
def _hash(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "replace")) | 1


def _runs(text: str) -> NDArray[Any]:
    """Hashes of all runs of three to five letters, digits being alike, blanks and lines kept."""
    import numpy

    plain = re.sub(r"\d", "0", re.sub(r"[ \t]+", " ", text))
    letters = numpy.frombuffer(plain.encode("utf-8", "replace"), dtype=numpy.uint8).astype(numpy.uint64)
    found = []
    for length in (3, 4, 5):
        if len(letters) < length:
            continue
        run = numpy.full(len(letters) - length + 1, length, dtype=numpy.uint64)
        for step in range(length):
            run = run * numpy.uint64(1_000_003) + letters[step : len(letters) - length + 1 + step]
        found.append(run)
    return numpy.concatenate(found) if found else letters[:0]


def _weighed(hashes: NDArray[Any], weight: float, rarity: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Buckets with the logarithm of how often each occurs, times its rarity, of the length `weight` together."""
    import numpy

    mixed = ((hashes * numpy.uint64(_SPREAD)) >> numpy.uint64(40)) & numpy.uint64(BUCKETS - 1)
    buckets, number = numpy.unique(mixed.astype(numpy.int64), return_counts=True)
    values = (1 + numpy.log(number)) * rarity[buckets]
    length = float(numpy.sqrt((values**2).sum())) or 1.0
    return buckets, values * (weight / length)


@lru_cache(maxsize=1)
def _shipped() -> dict[str, NDArray[Any]]:
    return made_of(FILE, dict)
