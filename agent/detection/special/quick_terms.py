"""The terms of a lexicon as `Lexicon.terms` finds them, several times as fast, in arrays."""

from __future__ import annotations

import re
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

from agent.detection.special.lexicon import HOMONYM, NORMAL, Hit, Lexicon, hits_without_homonyms
from agent.detection.special.ranges import ranges

if TYPE_CHECKING:
    from ahocorasick_rs import AhoCorasick
    from numpy.typing import NDArray

START, END, CATEGORY, TIER = range(4)  # the columns of what is found
_BLANKS = {code: " " for code in range(128) if not chr(code).isalnum()}
_SIGNS = "".join(map(chr, _BLANKS))
_SIGNS_BEYOND = re.compile(r"[^\w\x00-\x7f]")


class QuickTerms:
    """Finds what `lexicon.terms` finds.

    A term is searched for between blanks, in a text that has a blank for whatever is no letter and no digit: so that a
    term inside of a word is never looked at. What else stands in a term is compared where it may stand.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        import numpy

        self._forms: list[str] = []
        self._terms: list[str] = []
        self._signs: list[tuple[str, int]] = []  # what begins with no letter
        meanings: list[tuple[int, int, bool]] = []
        of_form: list[tuple[int, int, int, bool]] = []  # the first meaning, how many, the length, whether to compare
        for term, meant in zip(lexicon._terms, lexicon._by_index, strict=True):
            facts = (len(meanings), len(meant), len(term), not term.isalnum())
            meanings += [(meaning.category, meaning.tier, meaning.capital) for meaning in meant]
            if not term[0].isalnum():
                self._signs.append((term, len(of_form)))
                of_form.append(facts)
                self._forms.append("\n")  # never in a blanked text
                self._terms.append(term)
                continue
            for ending in ("", "s"):
                self._forms.append(f" {blanked(term)}{ending} ")
                self._terms.append(term)
                of_form.append(facts)
        self.longest = max(map(len, self._terms), default=0)
        self._first, self._count, self._length, self._compared = (
            numpy.asarray(of_form, numpy.int64).reshape(-1, 4).T.copy()
        )
        self._category, self._tier, self._capital = numpy.asarray(meanings, numpy.int64).reshape(-1, 3).T.copy()

    @cached_property
    def _search(self) -> AhoCorasick:
        from ahocorasick_rs import AhoCorasick, Implementation

        return AhoCorasick(self._forms, implementation=Implementation.DFA)

    def find(self, text: str, lowered: str) -> NDArray[Any]:
        """Start, end, category and tier of each hit, in order of the ends, homonyms and what they cover among them.

        `lowered` is the text as `lower` makes it.
        """
        import numpy

        matches = self._search.find_matches_as_indexes(f" {blanked(lowered)} ", overlapping=True)
        for term, form in self._signs:
            start = lowered.find(term)
            while start >= 0:
                end = start + len(term)
                if _ends(lowered, end) or (lowered[end] == "s" and _ends(lowered, end + 1)):
                    matches.append((form, start, end))
                start = lowered.find(term, start + 1)
        if not matches:
            return numpy.zeros((0, 4), numpy.int64)
        table = numpy.fromiter(chain.from_iterable(matches), numpy.int64, 3 * len(matches)).reshape(-1, 3)
        forms, starts = table[:, 0], table[:, 1]
        compared = self._compared.take(forms).nonzero()[0].tolist()
        wrong = [row for row in compared if not lowered.startswith(self._terms[matches[row][0]], matches[row][1])]
        if wrong:
            forms, starts = numpy.delete(forms, wrong), numpy.delete(starts, wrong)
        which, meanings = ranges(self._first.take(forms), self._count.take(forms))
        found = numpy.empty((len(which), 4), numpy.int64)
        found[:, START] = starts.take(which)
        found[:, END] = found[:, START] + self._length.take(forms).take(which)
        found[:, CATEGORY] = self._category.take(meanings)
        found[:, TIER] = self._tier.take(meanings)
        capital = self._capital.take(meanings).nonzero()[0].tolist()
        small = [row for row in capital if not text[found[row, START]].isupper()]
        if small:
            found = numpy.delete(found, small, axis=0)
        ordered: NDArray[Any] = found[found[:, END].argsort(kind="stable")]
        return ordered


def openings(found: NDArray[Any], weakest: int = NORMAL) -> list[tuple[int, int]]:
    """As `Lexicon.openings`."""
    opening = (found[:, CATEGORY] >= 0) & (found[:, TIER] <= weakest)
    opened: list[tuple[int, int]] = [(start, end) for start, end in found[opening, : END + 1].tolist()]
    return opened


def without_homonyms(found: NDArray[Any]) -> NDArray[Any]:
    """Without what stands in a phrase that only looks like a term."""
    import numpy

    if not (found[:, TIER] == HOMONYM).any():
        return found
    kept = hits_without_homonyms([Hit(*row) for row in found.tolist()])
    return numpy.asarray([(hit.start, hit.end, hit.category, hit.tier) for hit in kept], numpy.int64)


def blanked(lowered: str) -> str:
    """A blank for each character that is no letter and no digit."""
    if lowered.isascii():
        return lowered.translate(_BLANKS)
    lowered = _SIGNS_BEYOND.sub(" ", lowered)
    for sign in _SIGNS:
        if sign in lowered:
            lowered = lowered.replace(sign, " ")
    return lowered


def _ends(lowered: str, position: int) -> bool:
    return position >= len(lowered) or not lowered[position].isalnum()
