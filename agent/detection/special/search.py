"""Evidence of special categories in a text, and the verdict over a document."""

from __future__ import annotations

import heapq
import math
from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from agent.detection.reader.reader import Reader, in_full, nameless, shipped_reader
from agent.detection.special.agreement import NEEDED, in_doubt, together
from agent.detection.special.analysis import Analysis, Unit, analyse
from agent.detection.special.features import hit_units
from agent.detection.special.lexicon import (
    CATEGORIES,
    CONTEXTS,
    FIRST_CONTEXT,
    NORMAL,
    PATTERN,
    STRONG,
    TIERS,
    Hit,
    Lexicon,
    shipped_lexicon,
)
from agent.detection.special.model import SpecialModel, shipped_model
from agent.detection.special.quick_terms import openings
from agent.detection.special.rows import rows
from agent.detection.special.screen import NotReadable, Screen
from agent.detection.special.somebody import speaks_of_somebody
from agent.model.categories import ENTITY_CATEGORIES
from agent.model.finding import NEGATED, THIRD_PARTY, UNCERTAIN, CategoryVerdict, Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_SCORE = 0.1  # of evidence; what is less likely by itself is no candidate
_REACH = 300  # characters around a term in which something may be said without one
_LINE = 400  # characters that are searched for the end of a line
_WINDOW = 1_500  # characters that are judged as one document: about what the model has learnt from
_MOST_READ = 40  # such parts of a document that the reader is asked about: some 5 seconds
_NOTE = 1_000  # characters: "Diabetic, tablets at noon." may be all that is written of somebody
_KEPT = 8  # spans of a category that the attributes of a verdict are read off
_SURE = 0.5
_NEAR = 40  # characters before evidence in which a "no" denies it
WHY_READ = "reading"  # the reasons of spans that the reader alone has found
WHY_CELL = "column"  # begins the reasons of spans that were told by a column and are taken as they are
_TYPE_OF = {category: entity_type for entity_type, category in ENTITY_CATEGORIES.items() if entity_type[:3] == "SC_"}
ENTITY_TYPES = tuple(_TYPE_OF[category] for category in CATEGORIES)
_INDEX_OF = {entity_type: index for index, entity_type in enumerate(ENTITY_TYPES)}
_WORDS_OF_TIER = {**{tier: f"{name} term" for tier, name in enumerate(TIERS)}, PATTERN: "pattern"}
_KIN, _NEGATION, _DOUBT = (FIRST_CONTEXT + CONTEXTS.index(name) for name in ("kin", "negation", "doubt"))


class SpecialSearch:
    """Finds evidence of special-category and criminal-records data. Not safe to share between threads.

    Without arguments the lexicons and the model that are shipped. Raises `ConfigurationError` if they cannot be read.
    """

    def __init__(self, lexicon: Lexicon | None = None, model: SpecialModel | None = None) -> None:
        self._lexicon = lexicon or shipped_lexicon()
        self._model = model or shipped_model()
        try:
            self._screen: Screen | None = Screen(self._lexicon, self._model, LEAST_SCORE)
        except NotReadable:
            self._screen = None

    def find(self, text: str, persons: Sequence[Span], *, somebody: bool = False) -> list[Span]:
        """Candidates by character offsets, in order of their starts; whether they stand, the document tells.

        `persons` are the names found in the text; `somebody` says that something else found in it belongs to a person.
        Where neither is so and a text that is longer than a note speaks of nobody, only terms that suffice by
        themselves are looked into: others need somebody of whom they are said. `score` is the probability that the
        words are evidence, read by themselves; `why` says which kind of term decided, and what ties it to somebody.
        """
        found: list[Span] = []
        for start, end in self._doubtful(text, persons, somebody=somebody or bool(persons)):
            people = [_shifted(span, -start) for span in persons if start <= span.start and span.end <= end]
            analysis = analyse(text[start:end], people, self._lexicon)
            found += [_shifted(span, start) for span in self._evidence(analysis)]
        return sorted(found, key=lambda span: (span.start, span.end, span.entity_type))

    def _doubtful(self, text: str, persons: Sequence[Span], *, somebody: bool) -> list[tuple[int, int]]:
        """The parts of a text in which there may be evidence."""
        weakest = NORMAL if somebody or len(text) <= _NOTE or speaks_of_somebody(text) else STRONG
        if weakest == STRONG and not self._lexicon.openings(text, STRONG):
            return []  # as in most prose: what follows would say so too, more slowly
        if self._screen is None:
            return _regions(text, self._lexicon.openings(text, weakest))
        hits = self._screen.hits(text)
        people = sorted((span.start, span.end) for span in persons)
        return self._screen.doubtful(text, _regions(text, openings(hits, weakest)), people, hits)

    def _evidence(self, analysis: Analysis) -> Iterator[Span]:
        import numpy

        if not analysis.units or not len(analysis.hashes):
            return
        read = rows(analysis, self._model.vectors)
        chances = self._model.evidence(self._model.scores(read))
        per_unit: dict[int, list[Hit]] = {}
        for hit, number in zip(analysis.hits, hit_units(analysis), strict=True):
            per_unit.setdefault(int(number), []).append(hit)
        for row, category in numpy.argwhere(chances >= LEAST_SCORE):
            hits = per_unit.get(int(row), [])
            own = [hit for hit in hits if hit.category == category and hit.tier <= PATTERN]
            start, end = _place(analysis, analysis.units[row], own)
            yield Span(
                ENTITY_TYPES[category],
                start,
                end,
                round(float(chances[row, category]), 4),
                _attributes(hits, start, end),
                _why(own, read.counts.cues[row]),
            )


def _regions(text: str, openings: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The parts of a text around what may be evidence, each from the beginning of a line to the end of one if near."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(openings):
        if found and last + _REACH <= found[-1][1]:
            continue
        begin = max(0, first - _REACH)
        line = text.rfind("\n", max(0, begin - _LINE), begin)
        begin = line + 1 if line >= 0 else begin
        finish = min(len(text), last + _REACH)
        line = text.find("\n", finish, finish + _LINE)
        finish = line if line >= 0 else finish
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], finish)
        else:
            found.append((begin, finish))
    return found


def _place(analysis: Analysis, unit: Unit, hits: Sequence[Hit]) -> tuple[int, int]:
    """From the first to the last term in a unit, or all of it if there is none."""
    if hits:
        return min(hit.start for hit in hits), max(hit.end for hit in hits)
    words = analysis.text[unit.start : unit.end]
    start = unit.start + len(words) - len(words.lstrip())
    return start, start + len(words.strip())


def _attributes(hits: Sequence[Hit], start: int, end: int) -> frozenset[str]:
    found = set()
    for hit in hits:
        if hit.tier == _NEGATION and start - _NEAR <= hit.start < end:
            found.add(NEGATED)
        elif hit.tier == _DOUBT:
            found.add(UNCERTAIN)
        elif hit.tier == _KIN and hit.end <= end:
            found.add(THIRD_PARTY)
    return frozenset(found)


def _why(own: Sequence[Hit], cues: NDArray[Any]) -> str:
    term = _WORDS_OF_TIER[min(own, key=lambda hit: hit.tier).tier] if own else "wording"
    links = [word for word, present in zip(_LINKS, cues[: len(_LINKS)], strict=True) if present and word]
    return "; ".join([term, *dict.fromkeys(links)])


_TIES = ("pronoun", "title", "name", "ticked", WHY_CELL)
_UNTIED = 0.7
_LINKS = ("pronoun", "pronoun", "", "", "title", "name", "ticked")  # the cues that tie a unit to somebody


def _shifted(span: Span, by: int) -> Span:
    return Span(span.entity_type, span.start + by, span.end + by, span.score, span.attributes, span.why)


class DocumentEvidence:
    """What a document as a whole reveals, from its stretches in order. Memory does not grow with the document.

    Without arguments by the lexicons and models that are shipped; the reader is loaded once something is in doubt, and
    raises `ConfigurationError` then if it cannot be read.
    """

    def __init__(
        self, lexicon: Lexicon | None = None, model: SpecialModel | None = None, reader: Reader | None = None
    ) -> None:
        self._lexicon = lexicon or shipped_lexicon()
        self._model = model or shipped_model()
        self._reader = reader
        self._to_read = _MOST_READ
        self._chances = [0.0] * len(CATEGORIES)
        self._best: dict[str, list[tuple[float, int, Span]]] = {}
        self._seen = 0
        self._somebody = False

    def take(self, text: str, spans: Sequence[Span], persons: Sequence[Span], offset: int = 0) -> list[Span]:
        """Adds a stretch: its text, all spans found in it, the names among them.

        Gives evidence of categories that only the reader has found there. Spans count characters from `offset`
        characters before the text.
        """
        self._somebody = self._somebody or bool(persons)
        evidence = [_shifted(span, -offset) for span in spans if span.entity_type in _INDEX_OF]
        if not evidence:
            return []
        people = [_shifted(span, -offset) for span in persons]
        self._remember(evidence, people)
        more: list[Span] = []
        for start, end in _windows(text):
            within = {span.entity_type for span in evidence if start <= span.start < end}
            if within:
                near = [_shifted(span, -start) for span in people if start <= span.start and span.end <= end]
                more += [_shifted(span, start) for span in self._judge(text[start:end], near, within)]
        self._remember(more, people)
        return [_shifted(span, offset) for span in more]

    def _remember(self, evidence: Sequence[Span], people: Sequence[Span]) -> None:
        for span in evidence:
            self._seen += 1
            heap = self._best.setdefault(span.entity_type, [])
            heapq.heappush(heap, (span.score, -self._seen, span))
            if len(heap) > _KEPT:
                heapq.heappop(heap)
            if people and span.why.startswith(WHY_CELL):
                index = _INDEX_OF[span.entity_type]
                self._chances[index] = max(self._chances[index], span.score)

    def _judge(self, text: str, persons: Sequence[Span], known: Container[str]) -> list[Span]:
        """Judges a part; gives the reader's evidence of what is not known to have any there."""
        analysis = analyse(text, persons, self._lexicon)
        chances = self._model.judge(analysis).tolist()
        more: list[Span] = []
        if self._to_read and in_doubt(chances):
            self._to_read -= 1
            self._reader = self._reader or shipped_reader()
            names = sorted((span.start, span.end) for span in persons)
            bare = nameless(text, names)
            reading = self._reader.read(bare)
            chances = together(chances, reading)
            found = zip(chances, reading.evidence, reading.pieces, strict=bool(reading.pieces))
            for index, (chance, words, pieces) in enumerate(found):
                if chance >= NEEDED and words >= 0 and ENTITY_TYPES[index] not in known:
                    start, end = in_full(self._reader.place(bare, pieces), names)
                    score = 1 / (1 + math.exp(-words))
                    attributes = _attributes(analysis.hits, start, end)
                    more.append(Span(ENTITY_TYPES[index], start, end, round(score, 4), attributes, WHY_READ))
        self._chances = [max(old, float(new)) for old, new in zip(self._chances, chances, strict=True)]
        return more

    def verdicts(self) -> tuple[CategoryVerdict, ...]:
        """The categories that the document reveals, in the order of CATEGORIES.

        `score` is the probability that it does; the attributes are those that all the sure evidence has in common,
        so that what is said once and denied elsewhere is not taken for denied.
        """
        return tuple(
            CategoryVerdict(category, round(chance, 4), self._common(entity_type))
            for category, entity_type, chance in zip(CATEGORIES, ENTITY_TYPES, self._chances, strict=True)
            if entity_type in self._best and chance >= self._needed(entity_type)
        )

    def _needed(self, entity_type: str) -> float:
        """How likely a category must be: more where nobody is named and nothing ties the evidence to anybody."""
        tied = any(link in span.why for _, _, span in self._best[entity_type] for link in _TIES)
        return NEEDED if self._somebody or tied else _UNTIED

    def probabilities(self) -> dict[str, float]:
        """The probability of each category by name, below the threshold too: for measuring."""
        return {str(category): chance for category, chance in zip(CATEGORIES, self._chances, strict=True)}

    def _common(self, entity_type: str) -> frozenset[str]:
        spans = [span for _, _, span in sorted(self._best[entity_type], reverse=True)]
        sure = [span for span in spans if span.score >= _SURE] or spans[:1]
        return frozenset.intersection(*(span.attributes for span in sure))


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """Parts of about _WINDOW characters that end with a line if one ends near; a short rest joins the part before."""
    start = 0
    while len(text) - start > 2 * _WINDOW:
        line = text.rfind("\n", start + _WINDOW // 2, start + _WINDOW)
        end = line + 1 if line >= 0 else start + _WINDOW
        yield start, end
        start = end
    if start < len(text):
        yield start, len(text)
