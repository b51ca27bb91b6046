"""Makes `agent/detection/models/kinds.npz`, the model of the twenty kinds of record.

    python -m training kinds                     makes the model and prints how it does on set B
    python -m training kinds --leave-one-out     prints how each set of C to I is told by a model that never saw it

Linear support vector machines over hashed words and letters, each as telling as it is rare, trained on the goldset C to
I and on all templates. How sharp the confidence is, and below which none is told, is measured on sets left out.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy
from numpy.typing import NDArray

from agent.detection.kinds import BUCKETS, FILE, KINDS, KindSearch, features
from training import documents
from training.special import MEASURED, SETS, template_documents

_WIDTH = 2 * BUCKETS
_PRUNED = 0.01  # weights below this are put to zero, so that the file packs
_STRENGTH = 3.0
_LEAST = 0.15  # below it, a kind is not much likelier than another
_RIGHT_WANTED = 0.80  # share of told kinds that are to be right


def rarity(found: Sequence[documents.Document]) -> NDArray[Any]:
    """For each bucket, one and the logarithm of how many times more documents there are than such that have it."""
    evenly = numpy.ones(_WIDTH)
    having = numpy.zeros(_WIDTH)
    for one in found:
        having[features(one.text, evenly)[0]] += 1
    return (1 + numpy.log((1 + len(found)) / (1 + having))).astype(numpy.float32)


def matrix(found: Sequence[documents.Document], rare: NDArray[Any]) -> Any:
    """The features of documents."""
    from scipy import sparse

    read = [features(one.text, rare) for one in found]
    lines = numpy.repeat(numpy.arange(len(read)), [len(buckets) for buckets, _ in read])
    columns = numpy.concatenate([buckets for buckets, _ in read])
    return sparse.csr_matrix((numpy.concatenate([values for _, values in read]), (lines, columns)), (len(read), _WIDTH))


def wanted(found: Sequence[documents.Document]) -> NDArray[Any]:
    """The kinds of documents, as places in KINDS."""
    return numpy.asarray([KINDS.index(one.kind) for one in found])


def trained(read: Any, kinds: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The arrays of the model, with confidences that are not yet measured."""
    from sklearn.svm import LinearSVC

    model = LinearSVC(C=_STRENGTH, tol=1e-2, random_state=0).fit(read, kinds)
    weights = numpy.where(numpy.abs(model.coef_.T) < _PRUNED, 0, model.coef_.T)
    return {
        "weights": weights.astype(numpy.float16),
        "intercept": model.intercept_.astype(numpy.float32),
        "sharpness": numpy.asarray([1.0]),
        "threshold": numpy.asarray([0.0]),
    }


def scores(arrays: dict[str, NDArray[Any]], read: Any) -> NDArray[Any]:
    """What the model makes of documents: documents x KINDS."""
    found: NDArray[Any] = read @ arrays["weights"].astype(numpy.float32) + arrays["intercept"]
    return found


def sharpness(found: NDArray[Any], kinds: NDArray[Any]) -> float:
    """By which factor scores become the most truthful confidences."""

    def loss(factor: float) -> float:
        shares = _shares(found, factor)
        return float(-numpy.log(shares[numpy.arange(len(kinds)), kinds] + 1e-12).mean())

    return float(min(numpy.arange(0.5, 8.05, 0.1), key=loss))


def _shares(found: NDArray[Any], factor: float) -> NDArray[Any]:
    grown = numpy.exp(factor * (found - found.max(axis=1, keepdims=True)))
    shares: NDArray[Any] = grown / grown.sum(axis=1, keepdims=True)
    return shares


def threshold(shares: NDArray[Any], kinds: NDArray[Any]) -> float:
    """The least confidence from which on the share of right answers is what is wanted."""
    right, best = shares.argmax(axis=1) == kinds, shares.max(axis=1)
    for step in numpy.arange(_LEAST, 0.95, 0.01):
        told = best >= step
        if told.any() and right[told].mean() >= _RIGHT_WANTED:
            return float(step)
    return 0.95


def table(title: str, shares: NDArray[Any], kinds: NDArray[Any], least: float) -> str:
    """How many are right, told and right among those told, and for each kind how many were found."""
    guess, told = shares.argmax(axis=1), shares.max(axis=1) >= least
    right = guess == kinds
    lines = [
        f"{title}: {len(kinds)} documents, right {right.mean():.3f}; from confidence {least:.2f} on "
        f"{told.mean():.3f} are told, right {right[told].mean():.3f}"
    ]
    for place, name in enumerate(KINDS):
        here, said = kinds == place, guess == place
        lines.append(
            f"  {name:24} {here.sum():4} P {right[said].mean() if said.any() else 0:.2f} R {right[here].mean():.2f}"
        )
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Makes the model; with `--leave-one-out` only tells how the sets are judged."""
    sets = {**documents.goldset(SETS), "templates": template_documents()}
    held_scores, held_kinds = [], []
    for name in SETS:
        others = [one for other, found in sets.items() if other != name for one in found]
        rare = rarity(others)
        arrays = trained(matrix(others, rare), wanted(others))
        held_scores.append(scores(arrays, matrix(sets[name], rare)))
        held_kinds.append(wanted(sets[name]))
        print(f"set {name}: right {(held_scores[-1].argmax(axis=1) == held_kinds[-1]).mean():.3f}", file=sys.stderr)
    found, kinds = numpy.concatenate(held_scores), numpy.concatenate(held_kinds)
    factor = sharpness(found, kinds)
    least = threshold(_shares(found, factor), kinds)
    print(table("leave one set out, C to I", _shares(found, factor), kinds, least))
    if "--leave-one-out" in arguments:
        return
    everything = [one for found in sets.values() for one in found]
    rare = rarity(everything)
    arrays = trained(matrix(everything, rare), wanted(everything))
    arrays["rarity"] = rare.astype(numpy.float16)
    arrays["sharpness"], arrays["threshold"] = numpy.asarray([factor]), numpy.asarray([least])
    FILE.parent.mkdir(exist_ok=True)
    numpy.savez_compressed(FILE, **arrays)
    measured = documents.goldset(MEASURED)[MEASURED]
    search = KindSearch(arrays)
    shares = numpy.stack([search.confidences(one.text) for one in measured])
    print(table(f"set {MEASURED}", shares, wanted(measured), least))


if __name__ == "__main__":
    main(sys.argv[1:])
