"""Driving licence numbers: of Great Britain by their form, of Northern Ireland (eight digits) by the word before."""

from __future__ import annotations

from presidio_analyzer.predefined_recognizers import UkDrivingLicenceRecognizer

from agent.detection.recognisers.judged import (
    CASE_COUNTS,
    CERTAIN,
    LIKELY,
    UNLIKELY,
    JudgedRecognizer,
    shapes,
)
from agent.detection.recognisers.labels import close_label, labels_before
from agent.detection.recognisers.vocabulary import Kind

# Surname, decade, month (plus 50 for women), day, year, initials, a digit that tells doubles apart, two check letters.
_GREAT_BRITAIN = (
    r"(?<![\w-])[A-Z]{1,5}(?:(?<=[A-Z]{5})|9{1,4}(?<=\w{5}))([ \u00a0-]?)\d(?:0[1-9]|1[0-2]|5[1-9]|6[0-2])"
    r"(?:0[1-9]|[12]\d|3[01])\d[ \u00a0-]?[A-Z9]{2}[A-Z0-9][A-Z]{2}(?:[ \u00a0]?\d{2}(?!\d))?(?![\w-])"
)
_NORTHERN_IRELAND = r"(?<![\w.+£$€/-])(?<!\d,)\d{8}(?![\w£€%]|[./-]\d)"


class DrivingLicenceRecognizer(JudgedRecognizer, UkDrivingLicenceRecognizer):
    """Driving licence numbers. Scores: 0.95 behind a label; without one 0.75 by the form of Great Britain, and 0.1 for
    eight digits."""

    def __init__(self) -> None:
        super().__init__(patterns=shapes("UK_DRIVING_LICENCE", (_GREAT_BRITAIN, LIKELY), (_NORTHERN_IRELAND, UNLIKELY)))
        self.context = []
        self.global_regex_flags = CASE_COUNTS

    def validate_result(self, pattern_text: str) -> None:
        return None

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        return CERTAIN if close_label(labels_before(text, start), Kind.LICENCE) else score
