"""Many ranges of rows at once: what stands in each, what it adds up to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


def ranges(firsts: NDArray[Any], sizes: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """All that stands in ranges, one behind the other: the number of the range, and the place."""
    import numpy

    ends = sizes.cumsum()
    which = numpy.arange(len(sizes)).repeat(sizes)
    return which, numpy.arange(len(which)) + (firsts - ends + sizes).take(which)


def sums(values: NDArray[Any], firsts: NDArray[Any], sizes: NDArray[Any]) -> NDArray[Any]:
    """The sum of the values in each range; the ranges stand one behind the other."""
    import numpy

    if sizes.all():
        added: NDArray[Any] = numpy.add.reduceat(values, firsts, axis=0)
        return added
    total = numpy.zeros((len(sizes), *values.shape[1:]), values.dtype)
    filled = numpy.flatnonzero(sizes)
    if len(filled):
        total[filled] = numpy.add.reduceat(values, firsts[filled], axis=0)
    return total


def root_mean(keys: NDArray[Any], weights: NDArray[Any], rows: int, bits: int) -> NDArray[Any]:
    """The sum of the weights of what is in each row, by the root of how much that is; what is there twice counts once.

    A key is the row above `bits` bits that say which weight. The keys are sorted where they are.
    """
    import numpy

    keys.sort()
    new = numpy.empty(len(keys), dtype=bool)
    new[:1] = True
    numpy.not_equal(keys[1:], keys[:-1], out=new[1:])
    keys = keys[new]
    bounds = numpy.empty(rows + 1, numpy.int64)
    bounds[:-1] = keys.searchsorted(numpy.arange(rows, dtype=keys.dtype) << keys.dtype.type(bits))
    bounds[-1] = len(keys)
    sizes = bounds[1:] - bounds[:-1]
    added = sums(weights.take(keys & keys.dtype.type((1 << bits) - 1), axis=0), bounds[:-1], sizes)
    added *= (1 / numpy.sqrt(numpy.maximum(sizes, 1), dtype=numpy.float32))[:, None]
    return added
