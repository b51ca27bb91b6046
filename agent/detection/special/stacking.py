"""The last step: from all scores of a document to the probability that it reveals each category of somebody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.detection.special.lexicon import CATEGORIES
from agent.detection.special.rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BEST = 3  # how many of the best units are looked at one by one
_NO_UNIT, NO_TERM = -8.0, -6.0  # scores that stand for what is not there


@dataclass(frozen=True, slots=True)
class Scores:
    """Log-odds: of each unit by its words, of each unit by what is around its terms, and of the document as a whole."""

    units: NDArray[Any]  # units x categories
    around: NDArray[Any]  # units x categories
    document: NDArray[Any]  # categories
    anything: float  # that any category is revealed
    only_speaks: float  # that it only speaks of such things


def sigmoid(scores: NDArray[Any]) -> NDArray[Any]:
    """Probabilities from log-odds."""
    import numpy

    probabilities: NDArray[Any] = 1.0 / (1.0 + numpy.exp(-numpy.clip(scores, -40, 40)))
    return probabilities


def stack_rows(scores: Scores, read: Rows) -> NDArray[Any]:
    """A row for each category: its scores, what stands in its best unit, the other categories, and the document."""
    import numpy

    return numpy.stack([_row(scores, read, category) for category in range(len(CATEGORIES))])


def _row(scores: Scores, read: Rows, category: int) -> NDArray[Any]:
    import numpy

    own, around = scores.units[:, category], scores.around[:, category]
    best = int(numpy.argmax(own + 0.5 * around))
    others = numpy.delete(numpy.arange(len(CATEGORIES)), category)
    rivals = numpy.sort(scores.units[:, others].max(axis=0))[::-1]
    likely = sigmoid(own)
    which = numpy.zeros(len(CATEGORIES))
    which[category] = 1
    counted = read.counts
    return numpy.concatenate(
        [
            _best(own, _NO_UNIT),
            _best(around, NO_TERM),
            _best(own + around, _NO_UNIT + NO_TERM),
            [likely.sum(), likely.mean(), own[best], around[best]],
            counted.contexts[best],
            counted.cues[best],
            counted.tiers[best, category],
            counted.tiers[:, category].sum(axis=0),
            rivals[:2],
            [scores.document[category], scores.anything, scores.only_speaks, scores.document[others].max()],
            read.document_counts,
            which,
        ]
    ).astype(numpy.float32)


def _best(values: NDArray[Any], absent: float) -> NDArray[Any]:
    import numpy

    best = numpy.sort(values)[::-1][:_BEST]
    return numpy.concatenate([best, numpy.full(_BEST - len(best), absent)])


class Stacker:
    """The mean of a logistic regression and of boosted trees, both in plain numbers."""

    def __init__(self, stored: dict[str, NDArray[Any]]) -> None:
        self._centre, self._spread = stored["stack_centre"], stored["stack_spread"]
        self._weights, self._intercept = stored["stack_weights"], float(stored["stack_intercept"][0])
        self._feature, self._threshold = stored["tree_feature"], stored["tree_threshold"]
        self._left, self._right = stored["tree_left"], stored["tree_right"]
        self._value, self._baseline = stored["tree_value"], float(stored["tree_baseline"][0])
        self._depth = int(stored["tree_depth"][0])

    def probabilities(self, matrix: NDArray[Any]) -> NDArray[Any]:
        """Of each row; rows are those of `stack_rows`."""
        import numpy

        linear = ((matrix - self._centre) / self._spread) @ self._weights + self._intercept
        trees = numpy.arange(len(self._feature))
        total = numpy.full(len(matrix), self._baseline)
        for number, row in enumerate(matrix):
            node = numpy.zeros(len(trees), dtype=numpy.int64)
            for _ in range(self._depth):  # a leaf leads to itself
                goes_left = row[self._feature[trees, node]] <= self._threshold[trees, node]
                node = numpy.where(goes_left, self._left[trees, node], self._right[trees, node])
            total[number] += self._value[trees, node].sum()
        mean: NDArray[Any] = (sigmoid(linear) + sigmoid(total)) / 2
        return mean
