"""Where the model finds no evidence for sure, told several times as fast as the model tells it.

The screen reckons the scores of `features`, `rows` and `model` for all parts of a text at once. They are used for one
thing only: a part in which all stay below what counts as evidence, by a margin, need not be shown to the model. What a
word adds is remembered. The screen knows how the model is built, and stands back from another one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from agent.detection.special.analysis import analyse
from agent.detection.special.features import (
    AROUND,
    BIGRAM,
    BUCKETS,
    CONTEXT_COUNT,
    CONTEXT_TOKENS,
    CUE_NAMES,
    OTHER_CATEGORY,
    REACH,
    SKIP,
    TIER_COUNT,
    TIER_TOKENS,
    TRIGRAM,
    bucket_of,
)
from agent.detection.special.known_words import SOMEBODY, KnownWords
from agent.detection.special.lexicon import CATEGORIES, FIRST_CONTEXT, Lexicon, lower
from agent.detection.special.model import SpecialModel
from agent.detection.special.parts import is_cut, people_within, unit_ends, without_names
from agent.detection.special.quick_terms import CATEGORY, END, START, TIER, QuickTerms, without_homonyms
from agent.detection.special.ranges import ranges, root_mean, sums
from agent.detection.special.rows import DENSE, VECTOR, WORDS_WEIGHT, rows
from agent.detection.special.stacking import NO_TERM
from agent.detection.special.vectors import WIDTH
from agent.model.finding import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MARGIN = 0.02  # in log-odds: many times what rounding can do
_NUMBER = len(CATEGORIES)
_CUES = _NUMBER * TIER_COUNT + CONTEXT_COUNT  # the columns of the counts before those of the cues
_COUNTS = _CUES + len(CUE_NAMES)
_BITS = BUCKETS.bit_length() - 1
_MOST_UNITS = 1 << (32 - _BITS)
_SPACED = re.compile(r"\[ +[xX✓] ?\]|\[[xX✓] \]|\[ +\]")  # the tokens that hold white space


@dataclass(frozen=True, slots=True)
class _Read:
    """Parts of a text, one behind the other: its units and tokens."""

    parts: NDArray[Any]  # the part of each unit
    ends: NDArray[Any]  # of units
    firsts: NDArray[Any]  # tokens of units
    sizes: NDArray[Any]  # how many tokens they have
    units: NDArray[Any]  # the unit of each token
    tokens: NDArray[Any]
    starts: NDArray[Any]  # of tokens
    hashes: NDArray[Any]


_EXAMPLE = """Return to work, for Oona Tredwell (48213)
She had a stroke in May and is not disabled; her mother may be diabetic. He was seen by the nurse, no caution was given.
[x] asthma   [] epilepsy   Trade union member: ____
According to our policy, religion and ethnic origin are special categories. Are you a Sikh? The union's rep, Mr X, said:
"it's a black box", and we kept fingerprints.
"""


class NotReadable(Exception):
    """The model is not built as it is known here."""


class Screen:
    """Tells which parts of a text hold no evidence. Raises `NotReadable`. Not safe to share between threads."""

    def __init__(self, lexicon: Lexicon, model: SpecialModel, least: float) -> None:
        import numpy

        arrays = model.arrays
        try:
            self._weights, dense = arrays["unit_words"], arrays["unit_dense"]
            self._intercept = arrays["unit_intercept"]
            self._around, self._around_intercept = arrays["around"][:, None], float(arrays["around_intercept"][0])
            self._own_weight, self._around_weight, self._constant = map(float, model.evidence_weights)
        except (KeyError, ValueError) as error:
            raise NotReadable(type(error).__name__) from error
        if self._weights.shape != (BUCKETS, _NUMBER) or dense.shape != (2 * (_COUNTS + WIDTH), _NUMBER):
            raise NotReadable(dense.shape)
        self._own = dense[:_COUNTS] * numpy.float32(DENSE)
        self._beside = dense[_COUNTS : 2 * _COUNTS] * numpy.float32(DENSE)
        of_unit_and_document = numpy.concatenate([dense[2 * _COUNTS : -WIDTH], dense[-WIDTH:]], axis=1)
        self._words = KnownWords(model.vectors, of_unit_and_document * numpy.float32(VECTOR))
        self._least = math.log(least / (1 - least)) - _MARGIN
        self._terms, self._lexicon = QuickTerms(lexicon), lexicon
        reach = [step for step in range(-REACH, REACH + 1) if step]
        # As `features` has it: of words beside a term it counts where they stand, of others on which side.
        sides = [SKIP + (step if abs(step) == 1 else 10 * (step > 0)) % 97 for step in reach]
        self._sides = numpy.asarray(sides, numpy.uint64)
        self._near = numpy.asarray([REACH + step for step in reach])
        self._context_hashes = numpy.asarray(CONTEXT_TOKENS, numpy.uint64)
        self._tier_hashes = numpy.asarray(TIER_TOKENS, numpy.uint64)
        self._compare(model)

    def _compare(self, model: SpecialModel) -> None:
        """Raises `NotReadable` unless the model itself gives the same for an example."""
        name = _EXAMPLE.index("Oona Tredwell")
        person = Span("PERSON", name, name + len("Oona Tredwell"), 1.0)
        analysis = analyse(_EXAMPLE, [person], self._lexicon)
        chance = float(model.evidence(model.scores(rows(analysis, model.vectors))).max())
        told = self.likelihoods(_EXAMPLE, [(0, len(_EXAMPLE))], [(person.start, person.end)], self.hits(_EXAMPLE))
        if told is None or not math.isclose(told[0], math.log(chance / (1 - chance)), abs_tol=_MARGIN / 2):
            raise NotReadable("other scores")

    def hits(self, text: str) -> NDArray[Any]:
        """The terms in a text, to be given back with it; `quick_terms` says how to read them."""
        return self._terms.find(text, lower(text))

    def doubtful(
        self, text: str, parts: Sequence[tuple[int, int]], people: Sequence[tuple[int, int]], hits: NDArray[Any]
    ) -> list[tuple[int, int]]:
        """Those of the parts that may hold evidence. `people` are the names in the text, in order."""
        if not parts:
            return []
        likely = self.likelihoods(text, parts, people, hits)
        if likely is None:
            return list(parts)
        return [part for part, highest in zip(parts, likely.tolist(), strict=True) if highest >= self._least]

    def likelihoods(
        self, text: str, parts: Sequence[tuple[int, int]], people: Sequence[tuple[int, int]], hits: NDArray[Any]
    ) -> NDArray[Any] | None:
        """The log-odds of the likeliest evidence in each part, None if they cannot be told."""
        import numpy

        joined = "\n".join([text[start:end] for start, end in parts])
        offsets = numpy.cumsum([0, *[end - start + 1 for start, end in parts]])
        within = people_within(parts, offsets.tolist(), people)
        read = self._read(joined, offsets, within)
        if read is None:
            return None
        hits = self._hits_within(joined, parts, offsets, hits, text)
        hits = self._all_hits(joined, offsets.tolist(), within, hits)
        scores = self._scores(read, hits)
        scores *= self._own_weight
        scores += self._around_weight * NO_TERM + self._constant
        with_terms = self._scores_around(read, hits)
        if with_terms is not None:
            units, categories, around = with_terms
            scores[units, categories] += self._around_weight * (around - NO_TERM)
        found = numpy.full(len(parts), -numpy.inf)
        numpy.maximum.at(found, read.parts, scores.max(axis=1))
        return found

    def _read(self, joined: str, offsets: NDArray[Any], people: Sequence[tuple[int, int]]) -> _Read | None:
        import numpy

        lowered = lower(joined)
        if not joined.isascii() and (len(joined.lower()) != len(joined) or SOMEBODY in joined):
            return None  # a letter that grows changes how all others are made small
        if people:
            lowered = without_names(lowered, people)
        if "[" in lowered and _SPACED.search(lowered):
            return None
        read = self._words.read(lowered)
        if read is None:
            return None
        tokens, starts = read
        ends = unit_ends(joined, starts, len(people))
        if not len(ends) or len(ends) >= _MOST_UNITS:
            return None
        bounds = numpy.zeros(len(ends) + 1, numpy.int64)
        bounds[1:] = starts.searchsorted(ends)
        if (bounds.take(ends.searchsorted(offsets)) != starts.searchsorted(offsets)).any():
            return None  # behind the last unit of a part there are tokens, which belong to none
        return _Read(
            parts=offsets.searchsorted(ends) - 1,
            ends=ends,
            firsts=bounds[:-1],
            sizes=bounds[1:] - bounds[:-1],
            units=numpy.arange(len(ends)).repeat(bounds[1:] - bounds[:-1]),
            tokens=tokens,
            starts=starts,
            hashes=self._words.hashes.take(tokens),
        )

    def _hits_within(
        self, joined: str, parts: Sequence[tuple[int, int]], offsets: NDArray[Any], hits: NDArray[Any], text: str
    ) -> NDArray[Any]:
        """The terms in the parts, by offsets into the parts joined. Where a part cuts a word it may have other terms
        than the text has there: these are looked for.
        """
        import numpy

        starts, ends = numpy.asarray(parts).T
        part = starts.searchsorted(hits[:, START], side="right") - 1
        inside = (part >= 0) & (hits[:, END] <= ends.take(part))
        hits, part = hits[inside], part[inside]
        shifts = offsets[:-1] - starts
        hits[:, : END + 1] += shifts.take(part)[:, None]
        heads = [number for number, (start, _) in enumerate(parts) if is_cut(text, start)]
        tails = [number for number, (_, end) in enumerate(parts) if text[end : end + 1].isalnum()]
        if not heads and not tails:
            return hits
        reach = self._terms.longest + 2
        starts, ends = offsets[:-1], offsets[1:] - 1
        snippets = [(number, int(starts[number]), int(min(starts[number] + reach, ends[number]))) for number in heads]
        snippets += [(number, int(max(ends[number] - reach, starts[number])), int(ends[number])) for number in tails]
        cut = "\n".join([joined[first:last] for _, first, last in snippets])
        places = numpy.cumsum([0, *[last - first + 1 for _, first, last in snippets]])
        found = self._terms.find(cut, lower(cut))
        snippet = places.searchsorted(found[:, START], side="right") - 1
        found[:, : END + 1] += (numpy.asarray([first for _, first, _ in snippets]) - places[:-1]).take(snippet)[:, None]
        number = numpy.asarray([number for number, _, _ in snippets]).take(snippet)
        at_head = (found[:, START] == starts.take(number)) & numpy.isin(number, heads)
        at_tail = found[:, END] >= ends.take(number) - 1
        added = numpy.where(snippet < len(heads), at_head, at_tail & ~at_head)
        tail = numpy.zeros(len(parts), dtype=bool)
        tail[tails] = True
        again = tail.take(part) & (hits[:, END] >= ends.take(part) - 1)
        hits = numpy.concatenate([hits[~again], found[added]])
        ordered: NDArray[Any] = hits[hits[:, END].argsort(kind="stable")]
        return ordered

    def _all_hits(
        self, joined: str, offsets: Sequence[int], people: Sequence[tuple[int, int]], hits: NDArray[Any]
    ) -> NDArray[Any]:
        """The terms and what the expressions find, without homonyms and without what is a part of a name."""
        import numpy

        hits = without_homonyms(hits)
        patterned = [
            (hit.start + start, hit.end + start, hit.category, hit.tier)
            for start, behind in pairwise(offsets)
            for hit in self._lexicon.patterned(joined[start : behind - 1])
        ]
        if patterned:
            hits = numpy.concatenate([hits, numpy.asarray(patterned, numpy.int64)])
        if people and len(hits):
            starts, ends = numpy.asarray(people).T
            before = starts.searchsorted(hits[:, START], side="right") - 1
            hits = hits[(before < 0) | (hits[:, END] > ends[before])]
        return hits

    def _scores(self, read: _Read, hits: NDArray[Any]) -> NDArray[Any]:
        """The log-odds of each unit and category by its words: `Scores.units`."""
        import numpy

        words, number = self._words, len(read.ends)
        base = (read.units << _BITS).astype(numpy.uint32)
        pairs = read.hashes[:-1] * numpy.uint64(1_000_003) + read.hashes[1:]
        triples = pairs[:-1] * numpy.uint64(1_000_003) + read.hashes[2:]
        runs = numpy.concatenate([pairs * numpy.uint64(BIGRAM), triples * numpy.uint64(TRIGRAM)])
        first = numpy.concatenate([base[:-1], base[:-2]])
        within = first == numpy.concatenate([base[1:], base[2:]])
        keys = numpy.concatenate(
            [
                words.buckets.take(read.tokens) | base,
                words.stems.take(read.tokens) | base,
                (bucket_of(runs).astype(numpy.uint32) | first)[within],
            ]
        )
        scores = root_mean(keys, self._weights, number, _BITS)
        scores *= numpy.float32(WORDS_WEIGHT)
        added = sums(words.adds.take(read.tokens, axis=0), read.firsts, read.sizes)
        added *= 1 / numpy.maximum(added[:, -1:], 1)
        scores += added[:, :_NUMBER]
        sizes = numpy.bincount(read.parts)
        firsts = sizes.cumsum() - sizes
        whole = sums(added[:, _NUMBER:-1], firsts, sizes)
        scores += (whole / numpy.maximum(sizes, 1)[:, None]).take(read.parts, axis=0)
        counts = self._counts(read, hits)
        scores += counts @ self._own
        beside = counts @ self._beside
        apart = (read.parts[1:] != read.parts[:-1]).nonzero()[0]
        before, behind = beside[:-1], beside[1:]
        if len(apart):
            before, behind = before.copy(), behind.copy()
            before[apart] = behind[apart] = 0
        scores[1:] += before
        scores[:-1] += behind
        scores += self._intercept
        return scores

    def _counts(self, read: _Read, hits: NDArray[Any]) -> NDArray[Any]:
        """How often each unit has terms, contexts and cues, at most 2 of each."""
        import numpy

        number = len(read.ends)
        unit = read.ends.searchsorted(hits[:, START], side="right")
        of_category = hits[:, CATEGORY] >= 0
        first = numpy.where(of_category, hits[:, CATEGORY] * TIER_COUNT, _NUMBER * TIER_COUNT - FIRST_CONTEXT)
        counted = (unit < number) & (of_category | (hits[:, TIER] >= FIRST_CONTEXT))
        cues = self._words.cues.take(read.tokens)
        cued = cues.nonzero()[0]
        of_hits = unit * _COUNTS + first + hits[:, TIER]
        of_cues = read.units.take(cued) * _COUNTS + (cues.take(cued) + (_CUES - 1))
        places = numpy.concatenate([of_hits[counted], of_cues])
        counts = numpy.bincount(places, minlength=number * _COUNTS).reshape(number, _COUNTS)
        return numpy.minimum(counts, 2).astype(numpy.float32)

    def _scores_around(self, read: _Read, hits: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]] | None:
        """Units, categories that they have terms of, and the log-odds by what is around these: of `Scores.around`."""
        import numpy

        bounds = read.starts.searchsorted(hits[:, : END + 1])
        which, covered = ranges(bounds[:, 0], bounds[:, 1] - bounds[:, 0])
        category, tier = hits[:, CATEGORY].take(which), hits[:, TIER].take(which)
        of_context = (category < 0).nonzero()[0]
        hashes = read.hashes.copy()
        hashes[covered.take(of_context)] = self._context_hashes.take(tier.take(of_context) - FIRST_CONTEXT)
        of_category = (category >= 0).nonzero()[0]
        if not len(of_category):
            return None
        covered, category, tier = covered.take(of_category), category.take(of_category), tier.take(of_category)
        hashes[covered] = OTHER_CATEGORY
        # Each token of a unit and category once, with its least tier.
        pair = read.units.take(covered) * _NUMBER + category
        listed = numpy.sort((pair * len(hashes) + covered) * TIER_COUNT + tier)
        place = listed // TIER_COUNT
        new = numpy.ones(len(place), dtype=bool)
        numpy.not_equal(place[1:], place[:-1], out=new[1:])
        place, tier = place[new], (listed % TIER_COUNT)[new]
        pair, covered = place // len(hashes), place % len(hashes)
        new = numpy.ones(len(pair), dtype=bool)
        numpy.not_equal(pair[1:], pair[:-1], out=new[1:])
        which, pair = new.cumsum() - 1, pair[new]
        units = pair // _NUMBER
        # The units once for each category that they have terms of, one behind the other.
        firsts, sizes = read.firsts.take(units), read.sizes.take(units)
        pair_of, tokens = ranges(firsts, sizes)
        there = covered + (sizes.cumsum() - sizes - firsts).take(which)
        text = hashes.take(tokens)
        text[there] = self._tier_hashes.take(tier)
        padding = numpy.zeros(REACH, numpy.uint64)
        text = numpy.concatenate([padding, text, padding])
        outside = numpy.full(REACH, -1)
        windows = there[:, None] + numpy.arange(2 * REACH + 1)
        inside = numpy.concatenate([outside, pair_of, outside]).take(windows) == which[:, None]
        near = text.take(windows)
        values = numpy.empty((len(there), 2 * REACH + 2), numpy.uint64)
        values[:, :-2] = near.take(self._near, axis=1) * self._sides + near[:, REACH, None] * numpy.uint64(31)
        kept = numpy.empty(values.shape, dtype=bool)
        kept[:, :-2] = inside.take(self._near, axis=1)
        for column, step in ((-2, -1), (-1, 1)):
            pairs = near[:, REACH + step] * numpy.uint64(1_000_003) + near[:, REACH + 2 * step] * numpy.uint64(
                17 + step
            )
            values[:, column] = pairs * numpy.uint64(AROUND)
            kept[:, column] = inside[:, REACH + 2 * step]
        base = (which << _BITS).astype(numpy.uint32)[:, None]
        alone = bucket_of(text[REACH:-REACH] * numpy.uint64(AROUND)).astype(numpy.uint32)
        keys = numpy.concatenate(
            [
                (bucket_of(values).astype(numpy.uint32) | base)[kept],
                alone | (pair_of << _BITS).astype(numpy.uint32),
            ]
        )
        scores = root_mean(keys, self._around, len(pair), _BITS)[:, 0] + self._around_intercept
        return units, pair % _NUMBER, scores
