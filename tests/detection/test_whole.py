"""What lets the detector leave out a layer changes nothing: with every layer on every text it finds the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.detection import gated
from agent.detection.columns import table_spans
from agent.detection.detector import LayeredDetector
from agent.detection.names import places as module_of_places
from agent.detection.names.places import places
from agent.detection.repeats import Repeats
from agent.model.finding import Span, Verdict
from benchmarks.office_text import mixed, prose
from tests.corpus.people import fields, people, unmark
from training.documents import goldset

Found = tuple[list[Span], Verdict]

EVERY = 1 if "RETENTIOND_TEST_LONG" in os.environ else 8  # document of a set
EXAMPLES = 200 if "RETENTIOND_TEST_LONG" in os.environ else 30

_VALUES = "{name}; {first} {last}, {email} {phone} {nino} {postcode} {street} {staff} born {born}".split()
_PHRASES = (
    "The board agrees the plan. She has dialysis on Tuesday|name,dob,ethnicity\nOona Tredwell,1 May 1980,Welsh\n|"
    "Name: Oona Tredwell|Faith: Sikh|12.|10. The|2024|\tstaff no\tname|Section 3; see page 12 / 4 / 5|Dear oona|"
    "tredwell|Kind regards\noona\n|APRIL|In April|April Jones|MAY|Best|A|The Revd Ffion ap Rhys|Ms|DE LA CRUZ|Zoë|"
    "Émile Ødegård|union rep|no caution|procedure|sets out the record| a  b  c |x; y; z|a / b / c|her mother's stroke"
).split("|")
_TRAPS = [
    "\r\n", "\n\n", "\n", " ", "  ", "\t", "\u00a0", "\u2028", "\x1c", "\0", "\u200b", "e\u0301", "\u0130", "\u03a3",
    "\u2019", "\u00b2", "\u0661", "\ud800", "\ue000", "\U0001f600", "|", ";", ",", ": ", " / ", "@", ".", "[ ]", "_",
]  # fmt: skip


class _Holding(str):
    """A text that is said to hold whatever is asked for, so that nothing is left out for want of it."""

    __slots__ = ()

    def __contains__(self, part: object) -> bool:
        return True


def everywhere(text: str) -> list[int]:
    """The places of names, each capitalised word looked at."""
    known = module_of_places.known_words()
    capitalised = list(module_of_places._CAPITALISED.finditer(text))
    found = [match.start() for match in capitalised if module_of_places._is_place(text, match)]
    if len(capitalised) * module_of_places._SPARSE < len(text):
        small = (match for match in module_of_places._WORD.finditer(text) if match[0].islower())
        found += [m.start() for m in small if m[0] in known and m[0] not in module_of_places.FIRST_OF_TWO]
    else:
        found += [match.start(1) for match in module_of_places._ALONE.finditer(text) if match[1] in known]
    return sorted(found)


class Pair:
    """The detector, and one that leaves nothing out."""

    def __init__(self) -> None:
        self.gated = LayeredDetector("gated", None, 0.4)
        self._other = LayeredDetector("ungated", None, 0.4)
        self._other.special._screen = None

    def ungated(self, text: str) -> Found:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("agent.detection.names.search.places", everywhere)
            patch.setattr("agent.detection.detector.table_spans", lambda text: table_spans(_Holding(text)))
            patch.setattr(gated, "_FEW", -1)
            return found(self._other, text)

    def differs(self, text: str) -> bool:
        return found(self.gated, text) != self.ungated(text)


def found(detector: LayeredDetector, text: str) -> Found:
    """All that is found, candidates too, and the verdict."""
    document = detector.document()
    return list(document.search(text)), document.verdict()


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Pair()


def values(seed: int) -> Iterator[str]:
    chance = Random(seed)
    for person in people(chance):
        filled = fields(person, chance)
        yield from (unmark(value.format(**filled)) for value in _VALUES)


def changed(text: str, chance: Random) -> str:
    chars = list(text)
    for _ in range(chance.randrange(max(2, len(chars) // 60))):
        place = chance.randrange(len(chars) + 1)
        chars[place : place + chance.randrange(2)] = [chance.choice([*_TRAPS, *_PHRASES])]
    return "".join(chars)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", "BCDEFGHI")
def test_documents_give_what_every_layer_on_every_text_gives(pair: Pair, name: str) -> None:
    chance = Random(name)
    spans = 0
    for number, document in enumerate(goldset(name)[name][::EVERY]):
        for text in (document.text, changed(document.text, chance))[: 1 + (number % 4 == 0)]:
            expected = pair.ungated(text)
            assert found(pair.gated, text) == expected, document.id
            spans += len(expected[0])
    assert spans > 500 // EVERY


def test_documents_of_an_office_do_too(pair: Pair) -> None:
    texts = [*prose(20_000, seed=1), *prose(20_000, seed=2, numbered=False)]
    texts += [text for texts in mixed(15_000, seed=3).values() for text in texts[:2]]
    chance = Random(4)
    texts += [changed(text, chance) for text in texts]
    found_somewhere = 0
    for number, text in enumerate(texts):
        expected = pair.ungated(text)
        assert found(pair.gated, text) == expected, number
        found_somewhere += bool(expected[0])
    assert len(texts) > found_somewhere > 10


def test_names_and_terms_at_the_edges_of_pieces_do_too(pair: Pair) -> None:
    (filling,) = prose(1_000, seed=5, numbered=False)[:1]
    filling = (filling * 40)[:17_000]
    chance = Random(6)
    phrases = [*values(7), *_PHRASES]
    for edge in (1_600, 8_000, 16_000):
        for shift in range(-60, 61, 15):
            place = edge + shift
            text = f"{filling[:place]} {chance.choice(phrases)} {chance.choice(phrases)} {filling[place:]}"
            assert not pair.differs(text), (edge, shift)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(st.sampled_from([*_PHRASES, *_TRAPS, *list(values(8))[:60]]) | st.text(max_size=6), max_size=40),
    st.sampled_from([" ", "\n", "\r\n", "\u00a0"]),
    st.sampled_from([0, 0, 90, 450]),
)
def test_any_text_does_too(pair: Pair, words: list[str], between: str, filling: int) -> None:
    text = between.join([*words[: len(words) // 2], "and so on " * (filling // 10), *words[len(words) // 2 :]])
    assert found(pair.gated, text) == pair.ungated(text)


def _hardly_evidence(pair: Pair, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pair.gated.special._screen, "_least", 1.0)


def _no_given_names(_: Pair, patch: pytest.MonkeyPatch) -> None:
    names = module_of_places.known_words()
    patch.setattr(module_of_places, "_no_places", lambda: frozenset(name.capitalize() for name in names))


def _no_tables(_: Pair, patch: pytest.MonkeyPatch) -> None:
    patch.setattr("agent.detection.columns._SEPARATORS", ())


def _no_windows(_: Pair, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(gated, "_FEW", 1_000)
    patch.setattr("agent.detection.gate.PatternGate.look_at", lambda gate, _: gate.shown(""))


@pytest.fixture(scope="module")
def expected(pair: Pair) -> list[tuple[str, Found]]:
    rows = "".join(f"{name},{day} May 1980,Welsh\n" for day, name in enumerate(list(values(9))[:90:9], 1))
    texts = [f"name,date of birth,ethnicity\n{rows}"] * 3 + [document.text for document in goldset("C")["C"]][:14]
    texts += ["The plan is agreed. " * 110 + text for text in texts[3:9]]
    return [(text, pair.ungated(text)) for text in texts]


@pytest.mark.parametrize("fault", [_hardly_evidence, _no_given_names, _no_tables, _no_windows])
def test_the_comparison_fails_when_too_much_is_left_out(
    pair: Pair,
    expected: list[tuple[str, Found]],
    fault: Callable[[Pair, pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for search in (pair.gated.identifiers, pair.gated.names):
        monkeypatch.setattr(search, "_seen", Repeats())  # what was found without the fault
    fault(pair, monkeypatch)
    assert sum(found(pair.gated, text) != before for text, before in expected) >= 3


def test_places_are_those_of_each_capitalised_word() -> None:
    chance = Random(10)
    compared = 0
    for document in goldset("CDE").values():
        for one in chance.sample(document, 60):
            for text in (one.text, changed(one.text, chance), one.text.encode("ascii", "ignore").decode()):
                assert places(text) == everywhere(text), one.id
                compared += len(places(text))
    assert compared > 2_000
