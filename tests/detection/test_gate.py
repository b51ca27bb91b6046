"""The gate leaves nothing out: what it gives is what plain Presidio gives, on any text; on more texts with
RETENTIOND_TEST_LONG in the environment."""

from __future__ import annotations

import os
import sys
import time
from random import Random
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from presidio_analyzer import AnalyzerEngine, EntityRecognizer, Pattern, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    IbanRecognizer,
    IpRecognizer,
    NhsRecognizer,
    PhoneRecognizer,
    UkNinoRecognizer,
    UkPostcodeRecognizer,
)

from agent.detection import gated
from agent.detection.gate import GatedPattern, PatternGate
from agent.detection.identifiers import IdentifierSearch
from agent.detection.language import LocalNlpEngine
from agent.detection.reach import UNKNOWN, reach_of
from agent.detection.registry import recognisers
from agent.detection.repeats import Repeats
from agent.detection.segments import pieces, segments
from agent.detection.superset import NotSimpler, superset
from agent.model.finding import Span
from tests.corpus.people import fields, people, unmark
from training.documents import goldset

Found = list[tuple[str, int, int, float]]
# How many texts are compared, and one in how many characters.
TEXTS, TEXTS_IN_ASCII, EXAMPLES, STEP = (150, 60, 60, 7) if "RETENTIOND_TEST_LONG" in os.environ else (50, 20, 30, 23)


def registry() -> list[EntityRecognizer]:
    """Ours, and Presidio's own with what ours do not use: words of context, checks, matching of its own, a library."""
    return [
        *recognisers(),
        CreditCardRecognizer(),
        IbanRecognizer(context=["iban", "bank"]),
        IpRecognizer(context=["host", "call"]),
        NhsRecognizer(context=["nhs", "call"]),
        PhoneRecognizer(supported_regions=("GB", "DE")),
        UkNinoRecognizer(context=["ni", "insurance", "be"]),
        UkPostcodeRecognizer(context=["postcode", "("]),
    ]


class Pair:
    """Our search and plain Presidio on the very same recognisers."""

    def __init__(self, listed: list[EntityRecognizer], minimum: float = 0.0) -> None:
        before = _compiled(listed)
        self.ours = IdentifierSearch(listed, minimum)
        self.ours.find(_VALUES)
        self.left_as_they_were = _compiled(listed) == before  # plain Presidio will compile some of them
        self._plain = AnalyzerEngine(
            registry=RecognizerRegistry(recognizers=listed),
            nlp_engine=LocalNlpEngine(None),
            default_score_threshold=minimum,
            context_aware_enhancer=LemmaContextAwareEnhancer(context_matching_mode="whole_word"),
        )

    def found(self, text: str) -> Found:
        return sorted((span.entity_type, span.start, span.end, span.score) for span in self.ours.find(text))

    def plain(self, text: str) -> Found:
        text = regex.sub("[\ud800-\udfff]", "\ufffd", text)
        best: dict[tuple[str, int, int], float] = {}
        for start, own_from, own_to, end in pieces(text):
            for result in self._plain.analyze(text[start:end], "en"):
                if own_from <= start + result.start < own_to:
                    key = (result.entity_type, start + result.start, start + result.end)
                    best[key] = max(best.get(key, 0.0), result.score)
        return sorted((*key, score) for key, score in best.items())

    def differs(self, text: str) -> bool:
        return self.found(text) != self.plain(text)


def _compiled(listed: list[EntityRecognizer]) -> dict[Pattern, Any]:
    """What the patterns of the recognisers are compiled to."""
    return {pattern: pattern.compiled_regex for one in listed for pattern in getattr(one, "patterns", [])}


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Pair(registry())


_VALUES = unmark(
    "NI {nino}, NHS {nhs}, UTR {utr}, card {card}, iban {iban}, tel {phone}, {email}, {street}, {town} {postcode}, "
    "born {born}, account {account} {sort_code}, licence {licence}, {staff}. ".format(
        **fields(people(Random(3))[5], Random(4))
    )
)
# What people, scanners and converters put into texts, and what letters, digits and spaces have beyond ASCII.
_TRAPS = [
    "\r\n", "\n\n", "\t", "\u00a0", "\u200b", "\u200d", "\u2028", "\x85", "\x1c", "\0", "\ufeff", "\u202e", "\u05d0",
    "\u0660", "\uff10", "\U0001e950", "\u00bd", "\u00b2", "e\u0301", "\u0915\u093f", "\u212a", "\u017f", "\u0130",
    "\u0131", "\u00df", "\ufb01", "\u2013", "\u2019", "\u00a3", "\U0001f600", "\ud800", "@", ".", "+", "(", ")", ":",
    "-", "/", "0", "12", "AB", " ", "  ", " call:be ", " nhs:(call ", "http://", "be", "(",
]  # fmt: skip


def mutated(text: str, chance: Random, traps: list[str]) -> str:
    chars = list(text)
    for _ in range(chance.randrange(max(2, len(chars) // 25))):
        place = chance.randrange(len(chars) + 1)
        chars[place : place + chance.randrange(2)] = [chance.choice(traps)]
    return "".join(chars).strip()  # a match in the white space at the end is an error of plain Presidio's


def texts(seed: int, count: int) -> list[str]:
    """Documents of the goldset and values of invented people, changed at random; some are longer than a piece."""
    chance = Random(seed)
    known = [document.text for documents in goldset("CDEFGHI").values() for document in documents]
    found = []
    for number in range(count):
        text = chance.choice(known) + (_VALUES if number % 3 == 0 else "")
        if number % 4 == 0:
            text += "".join(chance.choices(known, k=chance.choice([2, 4, 12])))
        found.append(mutated(text, chance, _TRAPS) if number % 5 else text.strip())
    return found


def test_documents_changed_at_random_give_what_plain_presidio_gives(pair: Pair) -> None:
    compared = results = 0
    for number, text in enumerate(texts(11, TEXTS)):
        expected = pair.plain(text)
        assert pair.found(text) == expected, f"text {number}"
        compared += 1
        results += len(expected)
    assert compared == TEXTS
    assert results > 10 * TEXTS  # else the test shows nothing


@pytest.mark.parametrize("minimum", [0.0, 0.4])
def test_texts_in_ascii_that_the_standard_library_searches_do_too(minimum: float, pair: Pair) -> None:
    pair = Pair(registry(), minimum) if minimum else pair
    results = 0
    for number, text in enumerate(texts(12, TEXTS_IN_ASCII)):
        plain_text = text.encode("ascii", "ignore").decode().strip()
        expected = pair.plain(plain_text)
        assert pair.found(plain_text) == expected, f"text {number}"
        results += len(expected)
    assert results > 6 * TEXTS_IN_ASCII


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.sampled_from([*_TRAPS, *_VALUES.split()]) | st.text(max_size=6), max_size=40).map(" ".join))
def test_any_text_gives_what_plain_presidio_gives(pair: Pair, text: str) -> None:
    assert pair.found(text.strip()) == pair.plain(text.strip())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\u00b2AB123456C", id="a sign that one library takes for a letter"),
        pytest.param("e\u0301 AB123456C e\u0301AB123456C", id="a combining mark before"),
        pytest.param("NI AB\U0001e951\U0001e952\U0001e9533456C", id="digits of a new script"),
        pytest.param("a\u0130b@example.org \u0131x@\u0130.com \u212aE12 3AB", id="letters with another case elsewhere"),
        pytest.param(" ".join(["the"] * 4_000) + " 10.1.2.3", id="stop words without end"),
        pytest.param(_VALUES.replace(" ", "\u00a0"), id="no-break spaces"),
        pytest.param(_VALUES.replace(" ", "\u2028"), id="line separators"),
        pytest.param(_VALUES.replace(" ", "\r\n"), id="windows line ends"),
        pytest.param(_VALUES[::-1] + "\u202e" + _VALUES, id="right to left"),
        pytest.param("\0".join(_VALUES.split()), id="zeros"),
        pytest.param("\udcff " + _VALUES + "\ud800", id="lone surrogates"),
        pytest.param((_VALUES * 40).replace(" ", ""), id="no white space"),
    ],
)
def test_unusual_texts_give_what_plain_presidio_gives(pair: Pair, text: str) -> None:
    assert pair.found(text) == pair.plain(text)


def test_the_comparison_fails_when_segments_do_not_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_overlap(text: str, *_: int) -> Any:
        return ((start, start, start + 61, start + 61) for start in range(0, len(text), 61))

    monkeypatch.setattr(gated, "segments", without_overlap)
    broken = Pair([NhsRecognizer(), UkNinoRecognizer(), IbanRecognizer(), PhoneRecognizer(supported_regions=("GB",))])
    assert sum(broken.differs(text + _VALUES * 8) for text in texts(12, 12)) >= 3


def test_the_comparison_fails_when_letters_beyond_ascii_are_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.detection.gate.shown", lambda text: text.encode("ascii", "replace"))
    broken = Pair([PatternRecognizer("X", patterns=[Pattern("x", r"\w{3}-\d{4}", 0.5)])])
    assert broken.differs("\u00e9\u00e8\u00ea-\u0661\u0662\u0663\u0664")


def test_recognisers_that_are_given_stay_as_they_are(pair: Pair) -> None:
    assert pair.left_as_they_were


class ByCode(EntityRecognizer):
    """Finds the word `seven` by itself."""

    def __init__(self, **attributes: object) -> None:
        super().__init__(supported_entities=["SEVEN"])
        self.texts = 0
        vars(self).update(attributes)

    def load(self) -> None:
        """Nothing."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> Any:
        from presidio_analyzer import RecognizerResult

        self.texts += 1
        place = text.find("seven")
        return [RecognizerResult("SEVEN", place, place + 5, 0.5)] if place >= 0 else []


def test_a_recogniser_that_works_by_itself_sees_every_text_unless_it_says_what_it_needs() -> None:
    search = IdentifierSearch([ByCode()], 0.0)
    said = IdentifierSearch([ByCode(gate_patterns=["seven"])], 0.0)
    for one, looked in ((search, 2), (said, 1)):
        assert one.find("six") == []
        assert one.find("and seven") == [Span("SEVEN", 4, 9, 0.5)]
        assert one._gated.recognisers[0].texts == looked


@pytest.mark.parametrize(
    ("expression", "flags"),
    [
        (r"(?<!\d)\d{3}(?!\d)", 0),
        (r"(\d)-?\1", 0),
        (r"[^a-z@]{3}", regex.IGNORECASE),
        (r"[k-s]x", regex.IGNORECASE),
        (r"[^\W\d_]+\s\S", 0),
        (r"[À-ž]{2}", 0),
        (r"\p{Lu}\p{N}", 0),
        (r"(?i:ab)c|^x$", regex.MULTILINE),
        (r"a.b", regex.DOTALL),
        (r"[^\p{L}]b", 0),
        (r"(?<=a|b)(?=[0-9a-z]{0,9}\d)[a-z0-9]{2}", 0),
        (r"(?>a+)b++", 0),
        (r"a(?:b|\Z)|[12]-\Z", 0),
        (r"(?=(?<=[^\n])\d\d|\d{3}|\d\d\Z)\d\d", regex.MULTILINE),
        (r"(?=[abx](?<=[ab])[0-3])[abx][0-3]", 0),
    ],
)
def test_the_simpler_expression_matches_wherever_the_first_does(expression: str, flags: int) -> None:
    gate = PatternGate([GatedPattern(expression, int(flags))])
    compiled = regex.compile(expression, flags)
    chance = Random(1)
    alphabet = "abckKsSxyzAB0123 -\n@_\u00e9\u00c9\u017e\u0130\u0131\u017f\u212a\u0661\u00bd\u00a0\u2028\u0301\u00df"
    matched = 0
    for _ in range(3_000):
        text = "".join(chance.choices(alphabet, k=8))
        if compiled.search(text):
            matched += 1
            assert gate.may_match(text) == {0}, ascii(text)
    assert matched


def test_what_stands_before_something_looked_at_ahead_shuts_texts_out() -> None:
    gate = PatternGate([GatedPattern(r"(?=\d{3}|\d\d[^.]|\d\d\.?\Z|(?<=[^\n])\d\d\. )\d{2,9}")])
    assert not gate.may_match("12. One\n\n13. Two")
    for text in ("see 12. One", "123. One", "12", "12.", "\n12 a"):
        assert gate.may_match(text), text


def test_each_character_is_shown_as_what_regex_takes_it_for() -> None:
    kinds = [r"\d", r"\w", r"\s", r"[^\w]", r"[^\d]", r"[^\s]", r"\D", r"\W", r"\S"]
    gate = PatternGate([GatedPattern(kind) for kind in kinds])
    compiled = [regex.compile(kind) for kind in kinds]
    for number in range(0, sys.maxunicode + 1, STEP):
        char = chr(number)
        matching = {place for place, kind in enumerate(compiled) if kind.match(char)}
        assert matching <= gate.may_match(char), hex(number)


@pytest.mark.parametrize("expression", [r"(?:foo){e<=1}", r"\p{Greek}x", r"(?(1)a|b)", r"[[:alpha:]]x", r"(?r)ab"])
def test_what_cannot_be_made_simpler_is_always_told(expression: str) -> None:
    with pytest.raises(NotSimpler):
        superset(expression, 0)
    assert reach_of(expression) == UNKNOWN
    gate = PatternGate([GatedPattern("abc"), GatedPattern(expression), GatedPattern("x*")])
    assert gate.ungated == {1, 2}
    assert gate.may_match("nothing") == {1, 2}
    assert gate.may_match("an abc") == {0, 1, 2}


@pytest.mark.parametrize(
    ("expression", "length", "one_word"),
    [
        (r"\b\d{9}\b", 11, True),
        (r"ab{2,5}", 6, True),
        (r"a\s?b", 3, False),
        (r"[^\s@]+@x", None, True),
        (r"\S+", None, True),
        (r".+", None, False),
        (r"(a{3})-\1", 7, True),
        (r"a(?=\s{0,20}b)", 22, True),
        (r"a(?!\d{3,})", 4, True),
        (r"(?<=abc )d", 1, True),
    ],
)
def test_the_reach_of_a_pattern_is_known(expression: str, length: int | None, one_word: bool) -> None:
    reach = reach_of(expression)
    assert (reach.length, reach.one_word) == (length, one_word)


def test_segments_own_every_character_once_and_see_what_begins_there_whole() -> None:
    text = "word " * 700 + "x" * 900 + " end"
    position = 0
    for begin, start, stop, end in segments(text, 512, 1, 100):
        assert begin <= start == position < stop <= end
        assert end == len(text) or text[end] == " "
        assert end - stop >= min(100, len(text) - stop)
        position = stop
    assert position == len(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("7" * 1_000_000, id="digits"),
        pytest.param("a@" * 100_000, id="at signs"),
        pytest.param("x" * 1_000_000, id="letters without white space"),
        pytest.param("12 " * 100_000, id="short numbers"),
        pytest.param("\n" * 1_000_000, id="empty lines"),
        pytest.param("\u0661" * 300_000, id="digits of another script"),
    ],
)
def test_time_is_bounded_whatever_the_text(text: str) -> None:
    search = IdentifierSearch(recognisers(), 0.4)
    began = time.process_time()
    search.find(text)
    assert (time.process_time() - began) / len(text) * 1e6 < 12  # seconds for a million characters


def test_what_is_remembered_stays_small_and_the_longest_unseen_goes_first() -> None:
    repeats: Repeats[int] = Repeats(bytes_kept=1_000)
    for number in range(4):
        repeats.remember(f"text {number}", number, weight=40)
    assert repeats.recall("text 0") == 0
    repeats.remember("text 4", 4, weight=40)
    assert [repeats.recall(f"text {number}") for number in range(5)] == [0, None, 2, 3, 4]
    repeats.remember("far too much", 5, weight=10_000)
    assert repeats.recall("far too much") is None


def _numbers(text: str) -> list[Span]:
    return [
        Span("X", found.start(), found.end(), 0.5) for found in regex.finditer(r"(?<=no\W{1,8})\d{3,9}(?=\W)", text)
    ]


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        pytest.param(r"\b\d{9}\b", "123456789", id="short"),
        pytest.param(r"a[- ]{100,200}z", "a" + "- " * 75 + "z", id="long"),
        pytest.param(r"ab(?=[- ]{0,200}z)", "ab" + "- " * 75 + "z", id="what must stand behind"),
        pytest.param(r"ab(?![- ]{0,200}z)", "ab" + "- " * 75 + "y", id="what must not stand behind"),
        pytest.param(r"(?<=a[- ]{100,200})z", "a" + "- " * 75 + "z", id="what must stand before"),
        pytest.param(r"\S+@\S+(?= {3})", "x" * 300 + "@" + "y" * 300 + "   ", id="one word without end"),
    ],
)
def test_the_edge_of_a_window_changes_no_match(shape: str, value: str) -> None:
    edges = Pair([PatternRecognizer("X", patterns=[Pattern("shape", shape, 0.5)])])
    for shift in range(150, 270, 2):
        text = "- " * shift + value + " -" * 400
        expected = edges.plain(text)
        assert len(expected) == 1
        assert edges.found(text) == expected, shift
        without = "- " * shift + value[:-1] + "!!" + " -" * 400
        assert edges.found(without) == edges.plain(without), shift


def test_a_seam_between_pieces_gives_what_plain_presidio_gives(pair: Pair) -> None:
    for shift in range(0, 400, 37):
        text = "x" * (7_500 + shift) + " " + _VALUES * 3
        assert pair.found(text) == pair.plain(text), shift
