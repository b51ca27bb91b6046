"""NHS numbers: ten digits whose check agrees."""

from __future__ import annotations

from presidio_analyzer.predefined_recognizers import NhsRecognizer

from agent.detection.recognisers.checks import nhs_agrees
from agent.detection.recognisers.judged import (
    CASE_COUNTS,
    CERTAIN,
    DOUBTFUL,
    LIKELY,
    POSSIBLE,
    UNLIKELY,
    JudgedRecognizer,
    digits_of,
    shapes,
)
from agent.detection.recognisers.labels import close_label, labels_before
from agent.detection.recognisers.vocabulary import Kind

_SHAPE = r"(?<![\w.+£$€/-])(?<!\d,)\d{3}([ \u00a0-]?)\d{3}\1\d{4}(?![\w£€]|[./-]\d|[ -]\d{3,})"

# Behind these, a number may still be an NHS number.
_NEUTRAL = frozenset({Kind.NHS, Kind.NUMBER, Kind.BIRTH, Kind.ADDRESS, Kind.CASE})


class NhsNumberRecognizer(JudgedRecognizer, NhsRecognizer):
    """NHS numbers. Scores: 0.95 behind their label, 0.5 when written 3-3-4 without one, 0.3 as plain digits."""

    def __init__(self) -> None:
        super().__init__(patterns=shapes("UK_NHS", (_SHAPE, DOUBTFUL)))
        self.context = []
        self.global_regex_flags = CASE_COUNTS

    def validate_result(self, pattern_text: str) -> bool:
        return nhs_agrees(digits_of(pattern_text))

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        labels = labels_before(text, start)
        grouped = end - start > 10
        if labels:
            if close_label(labels, Kind.NHS):
                return CERTAIN
            if labels[0].kind not in _NEUTRAL and labels[0].adjacent:
                return UNLIKELY
            if any(label.kind == Kind.NHS for label in labels):
                return LIKELY
        return POSSIBLE if grouped and text[start] in "3467" else DOUBTFUL
