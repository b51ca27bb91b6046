"""What a recogniser says depends on the text near a value only, and any text gets an answer in bounded time."""

from __future__ import annotations

import time

import pytest
from presidio_analyzer import EntityRecognizer

from agent.detection.recognisers.labels import REACH, REACH_BEHIND
from agent.detection.registry import recognisers

# Patterns themselves look some characters around a match, and a line break matters.
_MARGIN = 60

_LETTER = """Re: Desmond Akinfenwa, born 5 December 1958, NHS no. 461 922 2224, NI number AB 12 34 56 C
Flat 2, 88 Montpelier Rise, Brighton BN1 6WA. Tel 01632 960 227, d.akinfenwa@post.example
Passport 561903378, licence MORGA657054SM9IJ, UTR 2468025748, car AB51 CDE, staff no. RG-027, our ref GRV/24/07
Pay to 20-33-61 / 73310482, IBAN GB82 WEST 1234 5698 7654 32, card 4111 1111 1111 1111, VAT no. 402 1188 04
signed in from 192.0.2.17, order no. 4542928411, company no. 09817741
"""
_TEXT = ("Nothing of note was said that day by anyone at all. " * 5 + "\n" + _LETTER) * 3


@pytest.mark.parametrize("recogniser", recognisers(), ids=lambda each: type(each).__name__)
def test_a_window_of_a_text_gives_what_the_whole_text_gives(recogniser: EntityRecognizer) -> None:
    results = recogniser.analyze(_TEXT, [], None)
    assert results
    for whole in results:
        begin = max(0, whole.start - REACH - _MARGIN)
        part = _TEXT[begin : whole.end + REACH_BEHIND + _MARGIN]
        found = {(each.start + begin, each.end + begin, each.score) for each in recogniser.analyze(part, [], None)}
        assert (whole.start, whole.end, whole.score) in found


@pytest.mark.parametrize("recogniser", recognisers(), ids=lambda each: type(each).__name__)
@pytest.mark.parametrize(
    "unit", ["x", "7", "12 ", "Ab ", "AB12 ", "a@", "1.", "ab:12:", "Flat 2, The Old ", "A-1-", "\n"]
)
def test_the_time_grows_with_the_text_and_no_faster(recogniser: EntityRecognizer, unit: str) -> None:
    begun = time.process_time()
    recogniser.analyze(unit * (60_000 // len(unit)), [], None)
    assert time.process_time() - begun < 4.0


@pytest.mark.parametrize("label", ["UTR", "NHS", "passport", "card", "car", "IBAN NI number"])
def test_a_label_out_of_reach_says_nothing(label: str) -> None:
    values = " 2468025748, 461 922 2224, 561903378, 4111111111111111, A123BCD, ab123456c"
    alone, far = "quite other words " * 8 + values, label + " and " + "quite other words " * 8 + values
    assert len(far) - len(values) > REACH
    moved = len(far) - len(alone)
    for recogniser in recognisers():
        near = {(each.start + moved, each.end + moved, each.score) for each in recogniser.analyze(alone, [], None)}
        assert {(each.start, each.end, each.score) for each in recogniser.analyze(far, [], None)} == near
