"""The rows of numbers that the linear models weigh, for units and for a document as a whole, beside hashed words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.detection.special.analysis import Analysis
from agent.detection.special.features import Counts, Ragged, around_features, counts, word_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.detection.special.vectors import WordVectors

DENSE, VECTOR, _DOCUMENT_DENSE = 0.4, 0.6, 0.15  # how much they weigh beside hashed words of length 2 and 3
WORDS_WEIGHT, DOCUMENT_WORDS_WEIGHT = 2.0, 3.0


@dataclass(frozen=True, slots=True)
class Rows:
    """All that the models read off a text."""

    words: Ragged
    around: Ragged
    pairs: NDArray[Any]  # (unit, category) of each row of `around`
    counts: Counts
    unit_dense: NDArray[Any]
    document_buckets: NDArray[Any]
    document_dense: NDArray[Any]
    document_counts: NDArray[Any]


def rows(analysis: Analysis, vectors: WordVectors) -> Rows:
    """The rows of an analysis with at least one unit."""
    import numpy

    words = word_features(analysis)
    around, pairs = around_features(analysis)
    counted = counts(analysis)
    unit_vectors = vectors.means(analysis.tokens, analysis.unit_of, len(analysis.units))
    document_counts = _document_counts(analysis, counted)
    tiers = numpy.minimum(counted.tiers.sum(axis=0), 4).ravel()
    document_dense = numpy.concatenate(
        [numpy.concatenate([document_counts, tiers]) * _DOCUMENT_DENSE, unit_vectors.mean(axis=0) * VECTOR]
    )
    return Rows(
        words,
        around,
        pairs,
        counted,
        _unit_dense(counted, unit_vectors),
        numpy.unique(words.buckets),
        document_dense.astype(numpy.float32),
        document_counts,
    )


def _unit_dense(counted: Counts, unit_vectors: NDArray[Any]) -> NDArray[Any]:
    """Each unit's counts, those of both neighbours together, its mean vector and the document's."""
    import numpy

    number = len(unit_vectors)
    own = numpy.concatenate(
        [
            numpy.minimum(counted.tiers.reshape(number, -1), 2),
            numpy.minimum(counted.contexts, 2),
            numpy.minimum(counted.cues, 2),
        ],
        axis=1,
    )
    whole = unit_vectors.mean(axis=0, keepdims=True).repeat(number, axis=0)
    return numpy.concatenate(
        [
            own * DENSE,
            _beside(own) * DENSE,
            unit_vectors * VECTOR,
            whole * VECTOR,
        ],
        axis=1,
    ).astype(numpy.float32)


def _beside(matrix: NDArray[Any]) -> NDArray[Any]:
    """The sum of the rows before and after each row."""
    import numpy

    beside = numpy.zeros_like(matrix)
    beside[1:] += matrix[:-1]
    beside[:-1] += matrix[1:]
    return beside


def _document_counts(analysis: Analysis, counted: Counts) -> NDArray[Any]:
    import numpy

    number = len(analysis.units)
    contexts, cues = counted.contexts.sum(axis=0), counted.cues.sum(axis=0)
    sizes = numpy.log1p([number, float(counted.words.sum()), len(analysis.person_starts)])
    return numpy.concatenate([contexts, cues, sizes, contexts / number, cues / number]).astype(numpy.float32)
