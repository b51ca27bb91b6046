"""The numbers that the models read off a unit: its words, its words around the terms of a category, and counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from agent.detection.special.analysis import PERSON, Analysis, token_hash
from agent.detection.special.lexicon import CATEGORIES, CONTEXTS, FIRST_CONTEXT, HOMONYM

if TYPE_CHECKING:
    from numpy.typing import NDArray

BUCKETS = 1 << 16  # of hashed features; a power of two
REACH = 5  # how many words around a term are looked at
BIGRAM, TRIGRAM, SKIP, AROUND, STEM = (token_hash(f"⟨salt{number}⟩") for number in range(5))
TIER_TOKENS = tuple(token_hash(f"⟨tier{tier}⟩") for tier in range(HOMONYM + 1))
OTHER_CATEGORY = token_hash("⟨another category⟩")
CONTEXT_TOKENS = tuple(token_hash(f"⟨{name}⟩") for name in CONTEXTS)
STEM_LETTERS = 5
_PRONOUNS = {
    **dict.fromkeys("i me my mine myself i'm i've i'd i'll".split(), 0),
    **dict.fromkeys("he him his himself he's he'd she her hers herself she's she'd they them their".split(), 1),
    **dict.fromkeys("you your yours you're you've".split(), 2),
    **dict.fromkeys("we us our ours".split(), 3),
    **dict.fromkeys("mr mrs ms miss dr cllr revd rev sgt mx".split(), 4),
    PERSON: 5,
}
_FORM = {**dict.fromkeys(("[x]", "[ x ]", "✓", "[x ]", "[ x]"), 6), **dict.fromkeys(("[]", "[ ]", "[  ]"), 7)}
_CUES = 9
CUE_NAMES = ("first", "third", "second", "we", "title", "person", "ticked", "unticked", "blank")
CONTEXT_COUNT = len(CONTEXTS)
TIER_COUNT = HOMONYM + 1


@dataclass(frozen=True, slots=True)
class Ragged:
    """Hashed features: `buckets` of the rows named in `rows`, in order of the rows."""

    buckets: NDArray[Any]
    rows: NDArray[Any]
    row_count: int


def word_features(analysis: Analysis) -> Ragged:
    """Words, pairs, triples and beginnings of words of each unit."""
    import numpy

    hashes, units = analysis.hashes, analysis.unit_of
    stems = numpy.asarray(
        [token_hash(token[:STEM_LETTERS]) for token in analysis.tokens], dtype=numpy.uint64
    ) * numpy.uint64(STEM)
    pairs, pair_units = _joined(hashes, units, 1, BIGRAM)
    triples, triple_units = _joined(hashes, units, 2, TRIGRAM)
    buckets = numpy.concatenate([bucket_of(hashes), bucket_of(stems), bucket_of(pairs), bucket_of(triples)])
    rows = numpy.concatenate([units, units, pair_units, triple_units])
    return _distinct(buckets, rows, len(analysis.units))


def bucket_of(values: NDArray[Any]) -> NDArray[Any]:
    import numpy

    product = values * numpy.uint64(0x9E3779B97F4A7C15)
    return (product >> numpy.uint64(40)) & numpy.uint64(BUCKETS - 1)


def _joined(hashes: NDArray[Any], units: NDArray[Any], reach: int, salt: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Runs of `reach` + 1 words that stay in a unit."""
    import numpy

    if len(hashes) <= reach:
        return hashes[:0], units[:0]
    joined = hashes[:-reach].copy()
    for step in range(1, reach + 1):
        joined = joined * numpy.uint64(1_000_003) + hashes[step : len(hashes) - reach + step]
    same = units[:-reach] == units[reach:]
    return joined[same] * numpy.uint64(salt), units[:-reach][same]


def _distinct(buckets: NDArray[Any], rows: NDArray[Any], row_count: int) -> Ragged:
    import numpy

    keys = numpy.unique(rows.astype(numpy.uint64) * numpy.uint64(BUCKETS) + buckets)
    return Ragged(
        (keys & numpy.uint64(BUCKETS - 1)).astype(numpy.int64),
        (keys // numpy.uint64(BUCKETS)).astype(numpy.int64),
        row_count,
    )


@dataclass(frozen=True, slots=True)
class Counts:
    """How often what stands in each unit: `tiers` by unit, category and tier; `contexts` and `cues` by unit."""

    tiers: NDArray[Any]
    contexts: NDArray[Any]
    cues: NDArray[Any]
    words: NDArray[Any]


def counts(analysis: Analysis) -> Counts:
    """The counts of lexicon hits, context words, pronouns, names and form fields in each unit."""
    import numpy

    number = len(analysis.units)
    tiers = numpy.zeros((number, len(CATEGORIES), TIER_COUNT), numpy.float32)
    contexts = numpy.zeros((number, CONTEXT_COUNT), numpy.float32)
    cues = numpy.zeros((number, _CUES), numpy.float32)
    hits = numpy.asarray([(hit.category, hit.tier) for hit in analysis.hits], dtype=numpy.int64).reshape(-1, 2)
    category, tier, unit = hits[:, 0], hits[:, 1], hit_units(analysis)
    of_category, of_context = (unit < number) & (category >= 0), (unit < number) & (category < 0)
    of_context &= tier >= FIRST_CONTEXT
    numpy.add.at(tiers, (unit[of_category], category[of_category], tier[of_category]), 1)
    numpy.add.at(contexts, (unit[of_context], tier[of_context] - FIRST_CONTEXT), 1)
    told = numpy.asarray([cue_of(token) for token in analysis.tokens], dtype=numpy.int64)
    cued = told >= 0
    numpy.add.at(cues, (analysis.unit_of[cued], told[cued]), 1)
    words = numpy.bincount(analysis.unit_of, minlength=number).astype(numpy.float32)
    return Counts(tiers, contexts, cues, words)


@lru_cache(maxsize=100_000)
def cue_of(token: str) -> int:
    """Which of CUE_NAMES a word is, -1 for none."""
    cue = _PRONOUNS.get(token, _FORM.get(token, -1))
    return 8 if cue < 0 and len(token) > 2 and token[0] in "_.…" else cue


def hit_units(analysis: Analysis) -> NDArray[Any]:
    """The unit in which each hit begins; the number of units for one beyond them."""
    import numpy

    ends = numpy.asarray([unit.end for unit in analysis.units], dtype=numpy.int64)
    starts = numpy.asarray([hit.start for hit in analysis.hits], dtype=numpy.int64)
    return numpy.searchsorted(ends, starts, side="right")


def around_features(analysis: Analysis) -> tuple[Ragged, NDArray[Any]]:
    """What stands around the terms of a category, with the term and all context words put as classes.

    Gives the features of each pair of a unit and a category that it has terms of, and those pairs as rows of
    (unit, category). Since the terms themselves are left out, one model serves all categories.
    """
    import numpy

    base, per_category = _abstracted(analysis)
    if not per_category:
        empty = numpy.zeros(0, numpy.int64)
        return Ragged(empty, empty, 0), numpy.zeros((0, 2), numpy.int64)
    # The text is put once for each category, one behind the other, with units of its own.
    count, length, unit_count = len(per_category), len(base), len(analysis.units)
    hashes = numpy.tile(base, count)
    units = numpy.tile(analysis.unit_of, count) + numpy.repeat(numpy.arange(count) * unit_count, length)
    found: list[NDArray[Any]] = []
    for number, marks in enumerate(per_category.values()):
        there = numpy.asarray(sorted(marks), dtype=numpy.int64)
        hashes[there + number * length] = numpy.asarray([TIER_TOKENS[marks[place]] for place in there], numpy.uint64)
        found.append(there + number * length)
    places = numpy.concatenate(found)
    with_terms = numpy.unique(units[places])
    row_of = numpy.full(count * unit_count, -1, dtype=numpy.int64)
    row_of[with_terms] = numpy.arange(len(with_terms))
    inside = row_of[units] >= 0
    values, where = zip(*_windows(hashes, places, units), strict=True)
    values, where = (*values, hashes[inside] * numpy.uint64(AROUND)), (*where, units[inside])
    rows = row_of[numpy.concatenate(where)]
    features = _distinct(bucket_of(numpy.concatenate(values)), rows, len(with_terms))
    categories = numpy.asarray(list(per_category), dtype=numpy.int64)[with_terms // unit_count]
    return features, numpy.stack([with_terms % unit_count, categories], axis=1)


def _abstracted(analysis: Analysis) -> tuple[NDArray[Any], dict[int, dict[int, int]]]:
    """The words with context words put as their class, and for each category the words that its terms cover."""
    import numpy

    base = analysis.hashes.copy()
    per_category: dict[int, dict[int, int]] = {}
    if not len(base):
        return base, per_category
    firsts = numpy.searchsorted(analysis.starts, [hit.start for hit in analysis.hits], side="left")
    lasts = numpy.searchsorted(analysis.starts, [hit.end for hit in analysis.hits], side="left")
    for hit, first, last in zip(analysis.hits, firsts, lasts, strict=True):
        if hit.category < 0:
            base[first:last] = CONTEXT_TOKENS[hit.tier - FIRST_CONTEXT]
    for hit, first, last in zip(analysis.hits, firsts, lasts, strict=True):
        if hit.category < 0:
            continue
        base[first:last] = OTHER_CATEGORY
        marks = per_category.setdefault(hit.category, {})
        for place in range(first, last):
            known = marks.get(place)
            marks[place] = hit.tier if known is None or hit.tier < known else known
    return base, {category: marks for category, marks in per_category.items() if marks}


def _windows(
    hashes: NDArray[Any], places: NDArray[Any], units: NDArray[Any]
) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Each term with each word near it, and with the two beside it on either side."""
    import numpy

    found = []
    for distance in [step for step in range(-REACH, REACH + 1) if step]:
        near = places + distance
        inside = (near >= 0) & (near < len(hashes))
        here, there = places[inside], near[inside]
        same = units[here] == units[there]
        here, there = here[same], there[same]
        side = numpy.uint64(SKIP + (distance if abs(distance) == 1 else 10 * (distance > 0)) % 97)
        found.append((hashes[here] * numpy.uint64(31) + hashes[there] * side, units[here]))
    for step in (-1, 1):
        first, second = places + step, places + 2 * step
        inside = (second >= 0) & (second < len(hashes))
        here, first, second = places[inside], first[inside], second[inside]
        same = units[here] == units[second]
        values = hashes[first[same]] * numpy.uint64(1_000_003) + hashes[second[same]] * numpy.uint64(17 + step)
        found.append((values * numpy.uint64(AROUND), units[here[same]]))
    return found
