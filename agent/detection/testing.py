"""The contract that every detector passes. A suite of tests: derive from it and say how a detector is made."""

from __future__ import annotations

import pytest

from agent.detection.base import Detector, detect
from agent.model.categories import ENTITY_CATEGORIES

_LETTER = """Dear Ms Quillfeather,

we hold your National Insurance number as AB 12 34 56 C and your e-mail address as
tamsin.q@quillfeather.example. Call us on 020 7946 0018. NHS number: 999 000 0018.
"""


class DetectorContract:
    """Derive, override the fixture `detector`, and every test below judges it."""

    @pytest.fixture
    def detector(self) -> Detector:
        raise NotImplementedError("say how a detector is made")

    def test_an_empty_text_holds_nothing(self, detector: Detector) -> None:
        assert list(detect(detector, "")[0]) == []

    def test_spans_lie_in_the_text_in_order_with_known_types_and_scores(self, detector: Detector) -> None:
        spans = list(detect(detector, _LETTER)[0])
        assert spans
        assert spans == sorted(spans, key=lambda span: (span.start, span.end, span.entity_type))
        for span in spans:
            assert 0 <= span.start < span.end <= len(_LETTER)
            assert 0.0 < span.score <= 1.0
            assert span.entity_type in ENTITY_CATEGORIES

    def test_the_same_text_gives_the_same_spans(self, detector: Detector) -> None:
        assert list(detect(detector, _LETTER)[0]) == list(detect(detector, _LETTER)[0])

    def test_no_span_is_told_twice(self, detector: Detector) -> None:
        told = [(span.entity_type, span.start, span.end) for span in detect(detector, _LETTER * 300)[0]]
        assert len(told) == len(set(told))

    def test_offsets_count_characters_whatever_stands_before(self, detector: Detector) -> None:
        before = "naïve 😀 e\u0301 – \r\n\t"
        alone = list(detect(detector, _LETTER)[0])
        moved = list(detect(detector, before + _LETTER)[0])
        assert [(span.entity_type, span.start + len(before)) for span in alone] == [
            (span.entity_type, span.start) for span in moved
        ]

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("\0" * 50, id="zeros"),
            pytest.param("\udcff 020 7946 0018 \ud800", id="lone surrogates"),
            pytest.param("7" * 100_000, id="one long number"),
            pytest.param("a@" * 5_000, id="many at signs"),
            pytest.param("\n" * 20_000, id="empty lines"),
        ],
    )
    def test_any_text_gets_an_answer(self, detector: Detector, text: str) -> None:
        for span in detect(detector, text)[0]:
            assert 0 <= span.start < span.end <= len(text)

    def test_the_version_is_a_word_that_stays(self, detector: Detector) -> None:
        assert detector.version
        assert detector.version == detector.version.strip()
