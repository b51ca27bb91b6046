"""The weights that are shipped, and what they make of a text."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.detection.special.analysis import Analysis
from agent.detection.special.features import Ragged
from agent.detection.special.lexicon import CATEGORIES
from agent.detection.special.rows import DOCUMENT_WORDS_WEIGHT, WORDS_WEIGHT, Rows, rows
from agent.detection.special.stacking import NO_TERM, Scores, Stacker, sigmoid, stack_rows
from agent.detection.special.vectors import WordVectors
from agent.detection.stored import made_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE = Path(__file__).parent.parent / "models" / "special.npz"


class SpecialModel:
    """Gives scores and probabilities. `stored` are the arrays of the file, as `training.special` makes them."""

    def __init__(self, stored: dict[str, NDArray[Any]]) -> None:
        import numpy

        single = {name: array.astype(numpy.float32) for name, array in stored.items() if array.dtype == numpy.float16}
        self.arrays = {**stored, **single}
        self.vectors = WordVectors(bytes(stored["words"]), stored["vectors"], float(stored["vector_scale"][0]))
        self.stacker = Stacker(self.arrays) if "stack_weights" in stored else None
        self.evidence_weights = stored.get("evidence", numpy.asarray([1.0, 0.5, 0.0]))

    def scores(self, read: Rows) -> Scores:
        """What the linear models make of the rows of a text."""
        import numpy

        arrays = self.arrays
        units = _weighted(read.words, arrays["unit_words"], WORDS_WEIGHT)
        units += read.unit_dense @ arrays["unit_dense"] + arrays["unit_intercept"]
        around = numpy.full((len(units), len(CATEGORIES)), NO_TERM, dtype=numpy.float32)
        near = _weighted(read.around, arrays["around"][:, None], 1.0)[:, 0] + arrays["around_intercept"][0]
        around[read.pairs[:, 0], read.pairs[:, 1]] = near
        buckets = read.document_buckets
        document = arrays["document_words"][buckets].sum(axis=0)
        document *= DOCUMENT_WORDS_WEIGHT / max(len(buckets), 1) ** 0.5
        document = document + read.document_dense @ arrays["document_dense"] + arrays["document_intercept"]
        named = len(CATEGORIES)
        return Scores(units, around, document[:named], float(document[named]), float(document[named + 1]))

    def evidence(self, scores: Scores) -> NDArray[Any]:
        """The probability that each unit is evidence for each category, by itself."""
        own, near, intercept = self.evidence_weights
        return sigmoid(scores.units * own + scores.around * near + intercept)

    def judge(self, analysis: Analysis) -> NDArray[Any]:
        """The probability that a text reveals each category of somebody."""
        import numpy

        if self.stacker is None or not analysis.units or not len(analysis.hashes):
            return numpy.zeros(len(CATEGORIES))
        read = rows(analysis, self.vectors)
        return self.stacker.probabilities(stack_rows(self.scores(read), read))


def _weighted(ragged: Ragged, weights: NDArray[Any], weight: float) -> NDArray[Any]:
    """The sum of the weights of each row's features, as if the row had the length `weight`."""
    import numpy

    total = numpy.zeros((ragged.row_count, weights.shape[1]), dtype=numpy.float32)
    if not len(ragged.rows):
        return total
    firsts = numpy.flatnonzero(numpy.diff(ragged.rows, prepend=-1))
    present = ragged.rows[firsts]
    number = numpy.diff(firsts, append=len(ragged.rows))
    total[present] = numpy.add.reduceat(weights[ragged.buckets], firsts, axis=0) * (weight / number**0.5)[:, None]
    return total


@lru_cache(maxsize=1)
def shipped_model() -> SpecialModel:
    """The model that comes with the package; read once. Raises `ConfigurationError` if it cannot be read."""
    return made_of(FILE, SpecialModel)
