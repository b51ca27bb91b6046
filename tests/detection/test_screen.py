"""The screen before the model for evidence: what it reckons is what the model says, on any text and part of a text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from random import Random

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.detection.special import known_words
from agent.detection.special.analysis import analyse
from agent.detection.special.lexicon import NORMAL, STRONG, lower, shipped_lexicon
from agent.detection.special.model import shipped_model
from agent.detection.special.quick_terms import QuickTerms, openings, without_homonyms
from agent.detection.special.rows import rows
from agent.detection.special.screen import NotReadable, Screen
from agent.detection.special.search import LEAST_SCORE, SpecialSearch
from agent.model.finding import Span
from benchmarks.office_text import mixed, prose
from training.documents import goldset

_WORDS = (
    "dialysis diabetes UNISON union's rep Sikh muslims gay HIV+ hiv+s depression? stroke No. not no sure mother's wife "
    "procedure record records convicted caution c/o e.g. fiancée DNA fingerprints Labour Christian she Her they're Mr "
    "Dr. is was of the a in policy may might x_x ___ .... [x] [] [ ] [X ] 12.5 3/4 2024 don't T-cell co-worker"
).split()
# What stands between words, and letters that are made small in a way of their own.
_TRAPS = [
    "\r\n", "\n\n", "\n", "\t", "  ", "\u00a0", "\u2028", "\x1c", "\x85", "\0", "\u200b", "e\u0301", "\u0130", "\u03a3",
    "\u03a3A", "\u2019", "'", "\"", ")", "?", "!", ";",
    ".", "..", ".\t\n", "\n. \n", "\u2026", "_", "-", "/", "[", "\ue000", "\ud800",
    "\u00b2", "\u0661", "\U0001f600", "\u0915\u093f", "s", "S", "x" * 450, "word " * 90,
]  # fmt: skip


@pytest.fixture(scope="module")
def screen() -> Screen:
    return Screen(shipped_lexicon(), shipped_model(), LEAST_SCORE)


@pytest.fixture(scope="module")
def search() -> SpecialSearch:
    return SpecialSearch()


@pytest.fixture(scope="module")
def unscreened() -> SpecialSearch:
    search = SpecialSearch()
    search._screen = None
    return search


def documents() -> list[str]:
    """Annotated documents, and documents of an office that hold next to nothing."""
    listed = [document.text for texts in goldset("BCDEFGHI").values() for document in texts]
    office = [text for texts in mixed(40_000, seed=5).values() for text in texts]
    return [*listed, *prose(60_000, seed=6), *prose(30_000, seed=7, numbered=False), *office]


def changed(text: str, chance: Random) -> str:
    chars = list(text)
    for _ in range(chance.randrange(max(2, len(chars) // 40))):
        place = chance.randrange(len(chars) + 1)
        chars[place : place + chance.randrange(2)] = [chance.choice(_TRAPS)]
    return "".join(chars)


def cut(text: str, chance: Random) -> list[tuple[int, int]]:
    """Some parts of a text, cut anywhere."""
    edges = sorted(chance.sample(range(len(text) + 1), min(len(text) + 1, 2 * chance.randint(1, 4))))
    return [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=False) if start < end]


def some_people(text: str, chance: Random) -> list[Span]:
    """Spans that stand for names; one may lie in another."""
    starts = [chance.randrange(len(text)) for _ in range(chance.randrange(4))] if text else []
    spans = [Span("PERSON", start, min(len(text), start + chance.randint(1, 20)), 1.0) for start in starts]
    return sorted(spans, key=lambda span: (span.start, span.end))


def as_the_model_has_it(text: str, people: Sequence[Span]) -> float:
    """The log-odds of the likeliest evidence in a text."""
    analysis = analyse(text, people, shipped_lexicon())
    if not analysis.units or not len(analysis.hashes):
        return -math.inf
    chance = shipped_model().evidence(shipped_model().scores(rows(analysis, shipped_model().vectors))).max()
    return float(numpy.log(numpy.float64(chance) / (1 - numpy.float64(chance))))


def both(
    screen: Screen, text: str, parts: Sequence[tuple[int, int]], people: Sequence[Span]
) -> Iterator[tuple[float, float]]:
    """What the screen and the model say of each part; nothing if the screen says nothing."""
    told = screen.likelihoods(text, parts, [(span.start, span.end) for span in people], screen.hits(text))
    for (start, end), ours in zip(parts, told if told is not None else (), strict=False):
        within = [span for span in people if start <= span.start and span.end <= end]
        moved = [Span("PERSON", span.start - start, span.end - start, 1.0) for span in within]
        expected = as_the_model_has_it(text[start:end], moved)
        if expected > -math.inf:
            yield float(ours), expected


def test_parts_of_documents_get_the_scores_that_the_model_gives_them(screen: Screen) -> None:
    chance = Random(1)
    compared = likely = 0
    for number, text in enumerate(chance.sample(documents(), 250)):
        text = changed(text, chance) if number % 3 else text
        for ours, expected in both(screen, text, cut(text, chance), some_people(text, chance)):
            assert math.isclose(ours, expected, abs_tol=0.005, rel_tol=1e-4), number
            compared += 1
            likely += expected > -2.2
    assert compared > 300
    assert compared > likely > 50  # else the test shows nothing


def test_the_comparison_fails_for_words_that_are_forgotten(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "_beside", numpy.zeros_like(screen._beside))
    chance = Random(2)
    apart = [
        abs(ours - expected) > 0.005
        for text in chance.sample(documents(), 40)
        for ours, expected in both(screen, text, [(0, len(text))], [])
    ]
    assert sum(apart) > 20


@pytest.mark.parametrize("seed", [3, 4])
def test_the_terms_are_those_of_the_lexicon(seed: int) -> None:
    chance = Random(seed)
    lexicon = shipped_lexicon()
    terms = QuickTerms(lexicon)
    found = 0
    for number, text in enumerate(chance.sample(documents(), 200)):
        text = changed(text, chance) if number % 3 else text
        hits = terms.find(text, lower(text))
        for weakest in (STRONG, NORMAL):
            assert sorted(set(openings(hits, weakest))) == sorted(set(lexicon.openings(text, weakest))), number
        expected = [(hit.start, hit.end, hit.category, hit.tier) for hit in lexicon.terms(text)]
        ours = [tuple(row) for row in without_homonyms(hits).tolist()]
        assert sorted(ours) == sorted(expected), number
        assert [hit for hit in ours if hit[2] < 0] == [hit for hit in expected if hit[2] < 0], number  # the last counts
        found += len(expected)
    assert found > 3_000


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.sampled_from([*_WORDS, *_TRAPS]) | st.text(max_size=5), max_size=60),
    st.sampled_from([" ", "", "\n"]),
    st.integers(0, 1_000),
)
def test_any_text_is_searched_as_without_a_screen(
    search: SpecialSearch, unscreened: SpecialSearch, screen: Screen, words: list[str], between: str, seed: int
) -> None:
    text = between.join(words)
    chance = Random(seed)
    people = some_people(text, chance)
    assert search.find(text, people) == unscreened.find(text, people)
    for ours, expected in both(screen, text, cut(text, chance), people):
        assert math.isclose(ours, expected, abs_tol=0.005, rel_tol=1e-4)


def test_what_is_far_from_evidence_is_not_shown_to_the_model(
    search: SpecialSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(
        "agent.detection.special.search.analyse",
        lambda text, *others: shown.append(text) or analyse(text, *others),  # type: ignore[func-returns-value]
    )
    for text in prose(40_000):
        assert shipped_lexicon().openings(text)
        assert search.find(text, []) == []
    assert not shown
    assert search.find("She has dialysis on Tuesdays.", [])
    assert shown


def test_words_are_forgotten_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_words, "_ROOM", 3_000)
    small = Screen(shipped_lexicon(), shipped_model(), LEAST_SCORE)
    compared = 0
    for text in Random(5).sample(documents(), 60):
        for ours, expected in both(small, text, [(0, len(text))], []):
            assert math.isclose(ours, expected, abs_tol=0.005, rel_tol=1e-4)
            compared += 1
    assert compared > 20
    assert len(small._words._words) < 3_000


def test_what_the_screen_does_not_know_is_searched_without_it(
    unscreened: SpecialSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SpecialSearch()._screen is not None  # it knows the model that is shipped
    monkeypatch.setattr("agent.detection.special.screen.VECTOR", 0.7)  # as if the model had been made in another way
    with pytest.raises(NotReadable):
        Screen(shipped_lexicon(), shipped_model(), LEAST_SCORE)
    search = SpecialSearch()
    assert search._screen is None
    text = "She has dialysis on Tuesdays."
    assert search.find(text, []) == unscreened.find(text, []) != []
