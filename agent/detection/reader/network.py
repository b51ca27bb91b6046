"""The transformer itself, in numpy: layers of BERT's build and three heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WIDTH_OF_HEAD = 32
_TINY = 1e-12
LONGEST = 512  # pieces that can be told apart by their place


@dataclass(frozen=True, slots=True)
class _Layer:
    """The weights of a layer; `attend` makes queries, keys and values at once."""

    attend: NDArray[Any]
    attend_bias: NDArray[Any]
    join: NDArray[Any]
    join_bias: NDArray[Any]
    join_gain: NDArray[Any]
    join_shift: NDArray[Any]
    widen: NDArray[Any]
    widen_bias: NDArray[Any]
    narrow: NDArray[Any]
    narrow_bias: NDArray[Any]
    narrow_gain: NDArray[Any]
    narrow_shift: NDArray[Any]


class Network:
    """Reads pieces of words. `stored` are the arrays of the file, as `training.reader` makes them; safe to share.

    Raises `KeyError` if one is missing.
    """

    def __init__(self, stored: Mapping[str, NDArray[Any]]) -> None:
        self._pieces, self._piece_scales = stored["pieces"], stored["pieces_scale"]
        self._places = _whole(stored, "places")
        self._gain, self._shift = _whole(stored, "gain"), _whole(stored, "shift")
        count = sum(1 for name in stored if name.endswith("_attend"))
        self._layers = [_layer(stored, number) for number in range(count)]
        self._heads = {name: _whole(stored, name) for name in ("evidence", "looks", "whole")}
        self._biases = {name: _whole(stored, f"{name}_bias") for name in self._heads}

    def read(self, pieces: Sequence[int]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Log-odds of each category: of each piece, and of the text as a whole.

        Reads at most LONGEST pieces.
        """
        import numpy

        rows = numpy.asarray(pieces[:LONGEST], dtype=numpy.int64)
        states = self._pieces[rows].astype(numpy.float32) * self._piece_scales[rows, None]
        states += self._places[: len(rows)]
        states = _normed(states, self._gain, self._shift)
        for layer in self._layers:
            states = _normed(states + _attended(states, layer), layer.join_gain, layer.join_shift)
            wide = states @ layer.widen + layer.widen_bias
            wide /= 1 + numpy.exp(-1.702 * wide)  # about a Gaussian gate (Hendrycks & Gimpel, 2016), and quick
            states = _normed(states + wide @ layer.narrow + layer.narrow_bias, layer.narrow_gain, layer.narrow_shift)
        evidence = states @ self._heads["evidence"] + self._biases["evidence"]
        looked_at = _shares((states @ self._heads["looks"] + self._biases["looks"]).T)
        whole = ((looked_at @ states) * self._heads["whole"].T).sum(axis=1) + self._biases["whole"]
        return evidence, whole


def _layer(stored: Mapping[str, NDArray[Any]], number: int) -> _Layer:
    return _Layer(**{field.name: _whole(stored, f"{number}_{field.name}") for field in fields(_Layer)})


def _whole(stored: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    """An array in single precision; of one that is kept in whole numbers, each column has its scale."""
    import numpy

    array = stored[name].astype(numpy.float32)
    if f"{name}_scale" in stored:
        array *= stored[f"{name}_scale"].astype(numpy.float32)
    return numpy.ascontiguousarray(array)


def _normed(states: NDArray[Any], gain: NDArray[Any], shift: NDArray[Any]) -> NDArray[Any]:
    """Each row brought to one mean and spread."""
    import numpy

    states -= states.mean(axis=1, keepdims=True)
    spread = numpy.einsum("ij,ij->i", states, states) / numpy.float32(states.shape[1]) + numpy.float32(_TINY)
    states *= (1 / numpy.sqrt(spread))[:, None]
    states *= gain
    states += shift
    return states


def _attended(states: NDArray[Any], layer: _Layer) -> NDArray[Any]:
    """For each row what the others tell it, each by how much it concerns it."""
    import numpy

    length, width = states.shape
    mixed = states @ layer.attend + layer.attend_bias
    queries, keys, values = mixed.reshape(length, 3, width // _WIDTH_OF_HEAD, _WIDTH_OF_HEAD).transpose(1, 2, 0, 3)
    queries *= numpy.float32(_WIDTH_OF_HEAD**-0.5)
    told = _shares(queries @ keys.transpose(0, 2, 1)) @ values
    joined: NDArray[Any] = told.transpose(1, 0, 2).reshape(length, width) @ layer.join + layer.join_bias
    return joined


def _shares(scores: NDArray[Any]) -> NDArray[Any]:
    """Scores as shares of a whole, along the last axis; the scores are written over."""
    import numpy

    scores -= scores.max(axis=-1, keepdims=True)
    numpy.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    return scores
