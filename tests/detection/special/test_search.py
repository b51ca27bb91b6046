"""The search for evidence: bounds, speed, and its face towards Presidio."""

from __future__ import annotations

import time

import pytest

from agent.detection.special.analysis import LONGEST_UNIT, units
from agent.detection.special.recognisers import special_recognisers
from agent.detection.special.search import ENTITY_TYPES, DocumentEvidence, SpecialSearch
from agent.model.finding import Span


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a" * 1_000_000, id="a megabyte without spaces"),
        pytest.param("0123456789" * 200_000, id="digits"),
        pytest.param("asthma\ud800 and \udfff he has diabetes", id="lone surrogates"),
        pytest.param("\u202ehe has\u200b asthma\u200d and \u2066diabetes\u2069", id="right to left and zero width"),
        pytest.param("he\x00has\x00asthma " * 1_000, id="NULs"),
        pytest.param("asthma" * 50_000, id="a term repeated without spaces"),
        pytest.param("\n" * 100_000, id="lines without words"),
        pytest.param("İ he has asthma", id="letters that grow in lower case"),
    ],
)
def test_hostile_texts_take_bounded_time(text: str) -> None:
    began = time.process_time()
    spans = SpecialSearch().find(text, [])
    evidence = DocumentEvidence()
    evidence.take(text, spans, [])
    evidence.verdicts()
    assert time.process_time() - began < 10
    assert all(0 <= span.start < span.end <= len(text) for span in spans)


def test_units_are_never_long_and_cover_all_words() -> None:
    text = "word " * 1_000 + "x" * 5_000
    found = units(text)
    assert max(unit.end - unit.start for unit in found) <= LONGEST_UNIT
    assert "".join(text[unit.start : unit.end] for unit in found).replace(" ", "") == text.replace(" ", "")


def test_prose_without_any_term_costs_next_to_nothing() -> None:
    sentence = "The quarterly figures for the northern depots are attached and the totals agree with the ledger.\n"
    text, search = sentence * 20_000, SpecialSearch()
    assert search.find(sentence, []) == []
    began = time.process_time()
    assert search.find(text, []) == []
    assert len(text) / 1e6 / (time.process_time() - began) > 10  # a fifth of what it does: machines differ


NEUTRAL = "The depot keeps the ledgers and the figures go to the office. " * 20 + "\n\n"


@pytest.mark.parametrize(
    ("text", "somebody", "found"),
    [
        (NEUTRAL + "Diabetic, tablets at noon.", False, False),
        (NEUTRAL + "Diabetic, tablets at noon.", True, True),
        (NEUTRAL + "Diabetic, tablets at noon, as told her.", False, True),
        (NEUTRAL + "Patient: diabetic, tablets at noon.", False, True),
        (NEUTRAL + "[x] diabetic, tablets at noon.", False, True),
        (NEUTRAL + "Diabetic, insulin at noon.", False, True),  # insulin suffices by itself
        ("Diabetic, tablets at noon.", False, True),  # a note
    ],
)
def test_a_term_that_needs_somebody_is_no_evidence_in_a_long_text_that_speaks_of_nobody(
    text: str, somebody: bool, found: bool
) -> None:
    assert bool(SpecialSearch().find(text, [], somebody=somebody)) == found


def test_presidio_gets_one_recogniser_for_each_category_and_they_agree_with_the_search() -> None:
    text = "My asthma is worse and I was arrested on suspicion of theft in May."
    search = SpecialSearch()
    found = [
        (result.entity_type, result.start, result.end)
        for recogniser in special_recognisers(search)
        for result in recogniser.analyze(text, [])
    ]
    assert {recogniser.supported_entities[0] for recogniser in special_recognisers(search)} == set(ENTITY_TYPES)
    assert sorted(found) == sorted((span.entity_type, span.start, span.end) for span in search.find(text, []))
    assert {kind for kind, _, _ in found} >= {"SC_HEALTH", "SC_CRIMINAL"}


def test_a_recogniser_that_is_not_asked_for_its_category_gives_nothing() -> None:
    health = special_recognisers()[0]
    assert health.analyze("My asthma is worse.", ["SC_UNION"]) == []


@pytest.mark.parametrize(
    "text", ["Dear Christian, the van is at the hut.", "Duncan Bishop has paid.", "From: Anselm Monk"]
)
def test_a_word_of_faith_that_is_part_of_a_name_is_no_evidence(text: str) -> None:
    name = next(word for word in ("Christian", "Duncan Bishop", "Anselm Monk") if word in text)
    person = Span("PERSON", text.index(name), text.index(name) + len(name), 0.9)
    assert not [span for span in SpecialSearch().find(text, [person]) if span.entity_type == "SC_RELIGION"]
    assert [span for span in SpecialSearch().find(text, []) if span.entity_type == "SC_RELIGION"]
