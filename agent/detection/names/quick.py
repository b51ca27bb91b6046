"""A spaCy model for names, read by numpy: the same entities several times as fast, where a name may begin.

The vector of a word depends on the word alone, and is remembered. The layers that look at its neighbours too are
reckoned only for words with which a name may begin or go on, and for what these layers look at. As long as no name is
open, the model's choices do not depend on each other, so that they are made for all words at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy
from numpy.lib.stride_tricks import as_strided

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from spacy.language import Language
    from spacy.tokens import Doc

_MOST_ROWS = 32_768  # words remembered, with about 300 bytes each
_MOST_TOKENS = 4_096  # that are reckoned with at once; fewer than the words remembered, so that all of them fit
_MIX = 0x9E3779B97F4A7C15
_EMBED = ("extract_features", "list2ragged", "with_array", "with_array", "ragged2list")
_FEATURES = 3  # of a state: the next word, the first one of the open name, the one before the next


class NotReadable(Exception):
    """The pipeline is not built of the parts that are known here."""


@dataclass(frozen=True, slots=True)
class _Maxout:
    """A layer: the largest of some linear functions, brought to one mean and spread."""

    weights: NDArray[Any]  # inputs x (pieces x outputs)
    bias: NDArray[Any]
    width: int
    gain: NDArray[Any]
    shift: NDArray[Any]

    @classmethod
    def of(cls, layer: Any) -> _Maxout:
        maxout, norm = layer.layers[0].layers if layer.name.startswith("maxout>>layernorm>>") else (None, None)
        if maxout is None or norm is None or (maxout.name, norm.name) != ("maxout", "layernorm"):
            raise NotReadable(layer.name)
        weights = maxout.get_param("W")
        width, pieces, inputs = weights.shape
        return cls(
            numpy.ascontiguousarray(weights.transpose(1, 0, 2).reshape(pieces * width, inputs).T),
            maxout.get_param("b").T.reshape(-1),
            width,
            norm.get_param("G"),
            norm.get_param("b"),
        )

    def finish(self, products: NDArray[Any]) -> NDArray[Any]:
        """What the layer makes of the products of its input with its weights; they are written over."""
        products += self.bias
        best = products[:, : self.width]
        for start in range(self.width, products.shape[1], self.width):
            numpy.maximum(best, products[:, start : start + self.width], out=best)
        centred: NDArray[Any] = best - best.mean(axis=1, keepdims=True)
        spread = numpy.einsum("ij,ij->i", centred, centred) / numpy.float32(self.width) + numpy.float32(1e-8)
        centred *= (1 / numpy.sqrt(spread))[:, None]
        centred *= self.gain
        centred += self.shift
        return centred


class _Words:
    """The words met last: their vectors, and whether a name may begin with them. Row 0 is the padding around a text."""

    def __init__(self, embed: Any, may_begin: Callable[[str], bool]) -> None:
        extract, _, self._embed, mix, _ = embed.layers
        self._columns = ["ORTH", *extract.attrs["columns"]]
        self._mix = _Maxout.of(mix.layers[0])
        self._may_begin = may_begin
        self.vectors = numpy.zeros((_MOST_ROWS, self._mix.width), numpy.float32)
        self.begins = numpy.zeros(_MOST_ROWS, dtype=bool)
        self._rows: dict[int, int] = {}

    def of(self, documents: Sequence[Doc], padding: int) -> NDArray[Any]:
        """The row of each token, the texts with padding before, between and behind."""
        features = numpy.concatenate([document.to_array(self._columns) for document in documents])
        keys = features[:, 0].copy()
        for column in range(1, features.shape[1]):
            keys = (keys ^ (keys >> numpy.uint64(29))) * numpy.uint64(_MIX) + features[:, column]
        listed = keys.tolist()
        rows = [self._rows.get(key, 0) for key in listed]
        new = {key: place for place, key in enumerate(listed) if not rows[place]}
        if new:
            if len(self._rows) + len(new) >= _MOST_ROWS:
                self._rows.clear()
                new = {key: place for place, key in enumerate(listed)}
            self._learn(new, features, documents[0].vocab.strings)
            rows = [self._rows[key] for key in listed]
        places = numpy.concatenate(
            [numpy.arange(len(document)) + start for document, start in _starts(documents, padding)]
        )
        padded = numpy.zeros(len(listed) + padding * (len(documents) + 1), numpy.int64)
        padded[places] = rows
        return padded

    def _learn(self, new: dict[int, int], features: NDArray[Any], strings: Any) -> None:
        start = len(self._rows) + 1
        rows = slice(start, start + len(new))
        theirs = features[list(new.values())]
        embedded = self._embed.layers[0].predict(numpy.ascontiguousarray(theirs[:, 1:]))
        self.vectors[rows] = self._mix.finish(embedded @ self._mix.weights)
        self.begins[rows] = [self._may_begin(strings[word]) for word in theirs[:, 0].tolist()]
        self._rows.update(zip(new, range(start, start + len(new)), strict=True))


@dataclass(frozen=True, slots=True)
class _Moves:
    """What the model may choose, by its number: to begin a name, to go on, to end it, one of a single word, nothing."""

    begin: NDArray[Any]
    inside: NDArray[Any]
    last: NDArray[Any]
    unit: NDArray[Any]
    out: int
    labels: tuple[str, ...]

    @classmethod
    def of(cls, recogniser: Any) -> _Moves:
        names = [recogniser.moves.get_class_name(number) for number in range(recogniser.moves.n_moves)]
        labels = [name[2:] for name in names if name.startswith("B-")]
        begin, inside, last, unit = (
            numpy.asarray([names.index(f"{kind}-{label}") for label in labels], dtype=numpy.int64) for kind in "BILU"
        )
        return cls(begin, inside, last, unit, names.index("O"), tuple(labels))


class QuickEntities:
    """Finds what the named-entity part of a pipeline finds, but only entities that begin where `may_begin` allows.

    `may_begin` is asked for each word once. Raises `NotReadable` for a pipeline of other parts. Not safe to share
    between threads.
    """

    def __init__(self, pipeline: Language, may_begin: Callable[[str], bool]) -> None:
        if pipeline.pipe_names != ["ner"]:
            raise NotReadable("other parts")
        recogniser: Any = pipeline.get_pipe("ner")
        try:
            self._read(recogniser, may_begin)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise NotReadable(type(error).__name__) from error

    def _read(self, recogniser: Any, may_begin: Callable[[str], bool]) -> None:
        model = recogniser.model
        to_vectors = model.get_ref("tok2vec")
        encoder, _, linear = to_vectors.layers
        embed, encode = encoder.layers
        layers = [_residual(layer) for layer in encode.layers[0].layers]
        lower, upper = model.get_ref("lower"), model.get_ref("upper")
        shape = lower.get_param("W").shape  # features x outputs x pieces x inputs
        if (
            tuple(layer.name.partition("(")[0] for layer in embed.layers) != _EMBED
            or (linear.name, lower.name, upper.name) != ("linear", "precomputable_affine", "linear")
            or encode.attrs["pad"] != len(layers)
            or shape[0] != _FEATURES
            or not model.attrs["has_upper"]
            or model.attrs["unseen_classes"]
        ):
            raise NotReadable(model.name)
        self._words = _Words(embed, may_begin)
        self._layers = layers
        self._pieces = shape[2]
        # Nothing but a linear function stands between the last layer and the features of a state: they are made one.
        feature = lower.get_param("W").transpose(0, 2, 1, 3).reshape(_FEATURES, shape[1] * shape[2], shape[3])
        self._feature = [numpy.ascontiguousarray((one @ linear.get_param("W")).T) for one in feature]
        offsets = [one @ linear.get_param("b") for one in feature]
        absent = lower.get_param("pad")[0].transpose(0, 2, 1).reshape(_FEATURES, -1)
        bias = lower.get_param("b").T.reshape(-1)
        self._bias_outside = offsets[0] + absent[1] + absent[2] + bias
        self._bias_inside = sum(offsets, start=bias)
        self._upper, self._upper_bias = upper.get_param("W").T, upper.get_param("b")
        self._moves = _Moves.of(recogniser)

    def entities(self, documents: Sequence[Doc]) -> list[list[tuple[int, int, str]]]:
        """For each text the first token, the end and the label of each entity. A text may have _MOST_TOKENS tokens."""
        found: list[list[tuple[int, int, str]]] = []
        for batch in _batches(documents):
            found += self._in_batch(batch)
        return found

    def _in_batch(self, documents: Sequence[Doc]) -> list[list[tuple[int, int, str]]]:
        found: list[list[tuple[int, int, str]]] = [[] for _ in documents]
        filled = [number for number, document in enumerate(documents) if len(document)]
        if not filled:
            return found
        padding = len(self._layers)
        texts = [documents[number] for number in filled]
        rows = self._words.of(texts, padding)
        begins = self._words.begins[rows]
        if not begins.any():
            return found
        lasts = numpy.asarray([start + len(text) - 1 for text, start in _starts(texts, padding)])
        spans = self._chosen(rows, begins, lasts)
        starts = lasts - [len(text) - 1 for text in texts]
        for start, end, label in spans:
            text_number = int(numpy.searchsorted(lasts, start))
            offset = int(starts[text_number])
            found[filled[text_number]].append((start - offset, end - offset, self._moves.labels[label]))
        return found

    def _chosen(self, rows: NDArray[Any], begins: NDArray[Any], lasts: NDArray[Any]) -> Iterator[tuple[int, int, int]]:
        """The entities in order, of those that begin within another none."""
        looked_at = begins.copy()
        looked_at[1:] |= begins[:-1]  # with the word behind: most names have two
        looked_at &= rows > 0
        read = self._vectors(rows, looked_at)
        places = numpy.flatnonzero(begins)
        scores = self._scores(read[places] @ self._feature[0] + self._bias_outside)
        moves, labels = self._moves, range(len(self._moves.begin))
        scores_begin = scores[:, moves.begin]
        scores_begin[numpy.isin(places, lasts)] = -numpy.inf  # nothing begins with the last word and goes on
        opening = numpy.concatenate([scores_begin, scores[:, moves.unit], scores[:, moves.out, None]], axis=1)
        choice = opening.argmax(axis=1)
        opened = choice < len(labels)
        ends = self._ends(rows, looked_at, read, places[opened], choice[opened], lasts)
        behind = 0
        long = dict(zip(places[opened].tolist(), ends, strict=True))
        for place, chosen in zip(places.tolist(), choice.tolist(), strict=True):
            if place < behind or chosen == 2 * len(labels):
                continue
            behind = long.get(place, place + 1)
            yield place, behind, chosen % len(labels)

    def _ends(
        self,
        rows: NDArray[Any],
        looked_at: NDArray[Any],
        read: NDArray[Any],
        starts: NDArray[Any],
        labels: NDArray[Any],
        lasts: NDArray[Any],
    ) -> list[int]:
        """Where each of the opened entities ends, all taken one word further at a time."""
        ends = numpy.zeros(len(starts), numpy.int64)
        active = numpy.arange(len(starts))
        places = starts + 1
        first = read[starts] @ self._feature[1] + self._bias_inside
        while len(active):
            here = places[active]
            if not looked_at[here].all():
                looked_at = rows > 0
                read = self._vectors(rows, looked_at)
            state = read[here] @ self._feature[0] + first[active] + read[here - 1] @ self._feature[2]
            scores = self._scores(state)
            each = numpy.arange(len(active))
            goes_on = scores[each, self._moves.inside[labels[active]]]
            stops = (scores[each, self._moves.last[labels[active]]] > goes_on) | numpy.isin(here, lasts)
            ends[active[stops]] = here[stops] + 1
            active = active[~stops]
            places[active] += 1
        return [int(end) for end in ends]

    def _scores(self, states: NDArray[Any]) -> NDArray[Any]:
        width = states.shape[1] // self._pieces
        best = states[:, :width]
        for start in range(width, states.shape[1], width):
            best = numpy.maximum(best, states[:, start : start + width])
        scores: NDArray[Any] = best @ self._upper + self._upper_bias
        return scores

    def _vectors(self, rows: NDArray[Any], wanted: NDArray[Any]) -> NDArray[Any]:
        """What the last layer makes of the wanted places; what it makes of others is not reckoned."""
        needed = [wanted]
        for _ in self._layers[1:]:
            wider = needed[-1].copy()
            wider[1:] |= needed[-1][:-1]
            wider[:-1] |= needed[-1][1:]
            needed.append(wider)
        read: NDArray[Any] = self._words.vectors[rows]
        # Each vector with those beside it, which stand one behind the other in memory.
        width = read.shape[1]
        windows = as_strided(read, (len(read) - 2, 3 * width), (width * read.itemsize, read.itemsize))
        for layer, mask in zip(self._layers, reversed(needed), strict=True):
            places = numpy.flatnonzero(mask)
            read[places] += layer.finish(windows[places - 1] @ layer.weights)
        return read


def _residual(layer: Any) -> _Maxout:
    window, maxout = layer.layers[0].layers[0], layer.layers[0].layers[1]
    if not layer.name.startswith("residual(") or window.name != "expand_window" or window.attrs["window_size"] != 1:
        raise NotReadable(layer.name)
    return _Maxout.of(maxout)


def _starts(documents: Sequence[Doc], padding: int) -> Iterator[tuple[Doc, int]]:
    """Each text, and where it begins among all with the padding between them."""
    start = padding
    for document in documents:
        yield document, start
        start += len(document) + padding


def _batches(documents: Sequence[Doc]) -> Iterator[list[Doc]]:
    batch: list[Doc] = []
    tokens = 0
    for document in documents:
        if batch and tokens + len(document) > _MOST_TOKENS:
            yield batch
            batch, tokens = [], 0
        batch.append(document)
        tokens += len(document)
    if batch:
        yield batch
