"""Payment cards: a length and first digits that issuers use, and a check digit that agrees."""

from __future__ import annotations

from presidio_analyzer.predefined_recognizers import CreditCardRecognizer

from agent.detection.recognisers.checks import luhn_agrees
from agent.detection.recognisers.judged import (
    CASE_COUNTS,
    CERTAIN,
    DOUBTFUL,
    LIKELY,
    POSSIBLE,
    JudgedRecognizer,
    digits_of,
    shapes,
)
from agent.detection.recognisers.labels import labels_before
from agent.detection.recognisers.vocabulary import Kind

# The lengths of card numbers by the first digit of the issuer (ISO/IEC 7812).
_LENGTHS = {"2": (16,), "3": (14, 15, 16), "4": (13, 16, 19), "5": (16,), "6": (16, 19)}
_START = r"(?<![\w.+£$€/-])(?<!\d,)(?<!\d[ -])"
_FOURS = _START + r"[2-6]\d{3}([ \u00a0-]?)\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?(?![\w]|[./-]\d| \d{3,4}\b)"
_AMEX = _START + r"3[47]\d{2}([ \u00a0-]?)\d{6}\1\d{5}(?![\w]|[./-]\d)"
_PLAIN = _START + r"(?:3[068]\d{12}|4\d{12})(?![\w]|[./-]\d)"


class PaymentCardRecognizer(JudgedRecognizer, CreditCardRecognizer):
    """Payment cards. Scores: 0.95 with a word for a card before; without one 0.75 in groups of four, 0.5 as plain
    digits, and 0.3 behind a label of something else."""

    def __init__(self) -> None:
        super().__init__(patterns=shapes("CREDIT_CARD", (_FOURS, POSSIBLE), (_AMEX, POSSIBLE), (_PLAIN, DOUBTFUL)))
        self.context = []
        self.global_regex_flags = CASE_COUNTS

    def validate_result(self, pattern_text: str) -> bool:
        digits = digits_of(pattern_text)
        return len(digits) in _LENGTHS.get(digits[:1], ()) and len(set(digits)) > 1 and luhn_agrees(digits)

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        labels = labels_before(text, start)
        if any(label.kind == Kind.CARD for label in labels):
            return CERTAIN
        if labels and labels[0].kind == Kind.OTHER and labels[0].adjacent:
            return DOUBTFUL
        if not text[start:end].isdigit():
            return LIKELY
        return POSSIBLE if end - start >= 15 else DOUBTFUL
