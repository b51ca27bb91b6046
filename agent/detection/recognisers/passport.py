"""Passport numbers: nine digits, or one or two letters and six to eight digits, as those of other countries are; and
nothing without the word before them."""

from __future__ import annotations

from presidio_analyzer.predefined_recognizers import UkPassportRecognizer

from agent.detection.recognisers.judged import (
    CASE_COUNTS,
    CERTAIN,
    DOUBTFUL,
    LIKELY,
    UNLIKELY,
    JudgedRecognizer,
    shapes,
)
from agent.detection.recognisers.labels import close_label, labels_before
from agent.detection.recognisers.vocabulary import Kind

_DIGITS = r"(?<![\w.+£$€/-])(?<!\d,)\d{3}([ \u00a0]?)\d{3}\1\d{3}(?![\w£€%]|[./-]\d| \d{3,})"
_LETTERS = r"(?<![\w/-])[A-Z]{1,2} ?\d{6,8}(?![\w/-]|\.\d)"


class PassportRecognizer(JudgedRecognizer, UkPassportRecognizer):
    """Passport numbers. Scores: 0.95 behind the word, 0.75 further behind it, at most 0.3 without it."""

    def __init__(self) -> None:
        super().__init__(patterns=shapes("UK_PASSPORT", (_DIGITS, UNLIKELY), (_LETTERS, DOUBTFUL)))
        self.context = []
        self.global_regex_flags = CASE_COUNTS

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        labels = labels_before(text, start)
        if not labels:
            return score
        if close_label(labels, Kind.PASSPORT):
            return CERTAIN
        if labels[0].kind not in (Kind.NUMBER, Kind.PASSPORT) and labels[0].adjacent:
            return UNLIKELY
        if any(label.kind == Kind.PASSPORT and "\n" not in label.gap for label in labels):
            return LIKELY
        return score
