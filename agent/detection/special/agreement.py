"""What the linear models and the reader say of a text, brought together."""

from __future__ import annotations

import math
from collections.abc import Sequence

from agent.detection.reader.reader import Reading

# Below and above, the linear models are believed alone: to read a text takes many times as long as all that is before.
DOUBT_FROM, DOUBT_TO = 0.05, 0.95
NEEDED = 0.4  # probability from which on a document is said to reveal a category
_READERS_SHARE = 0.5  # of the reader's words in what both say
_LEAST = 1e-4  # probability, so that nothing is believed without end


def in_doubt(chances: Sequence[float]) -> bool:
    """Whether the reader is to be asked about a text, of which the linear models say so for each category."""
    return any(DOUBT_FROM <= chance <= DOUBT_TO for chance in chances)


def together(chances: Sequence[float], reading: Reading) -> list[float]:
    """The probability of each category: a weighted mean of both in log-odds; the reader's two answers count alike."""
    return [
        _sigmoid((1 - _READERS_SHARE) * _log_odds(chance) + _READERS_SHARE * (_bounded(words) + _bounded(whole)) / 2)
        for chance, words, whole in zip(chances, reading.evidence, reading.categories, strict=True)
    ]


def _log_odds(chance: float) -> float:
    bounded = min(max(float(chance), _LEAST), 1 - _LEAST)
    return math.log(bounded / (1 - bounded))


def _bounded(log_odds: float) -> float:
    most = _log_odds(1 - _LEAST)
    return min(max(log_odds, -most), most)


def _sigmoid(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))
