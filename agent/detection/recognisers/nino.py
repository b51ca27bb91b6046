"""National Insurance numbers: two letters by HMRC's rule for prefixes, six digits, and A to D."""

from __future__ import annotations

from presidio_analyzer.predefined_recognizers import UkNinoRecognizer

from agent.detection.recognisers.judged import (
    CASE_IGNORED,
    CERTAIN,
    DOUBTFUL,
    LIKELY,
    JudgedRecognizer,
    shapes,
)
from agent.detection.recognisers.labels import labels_before
from agent.detection.recognisers.vocabulary import Kind

# HMRC manual NIM39110: D, F, I, Q, U and V in neither place, O not in the second, and some pairs never issued.
_PREFIX = r"(?!BG|GB|NK|KN|NT|TN|ZZ)[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z]"
_SEPARATED = r"(?<![\w/-])" + _PREFIX + r"([ \u00a0.-]?)\d{2}\1\d{2}\1\d{2}\1[A-D](?![\w-]|\.\w)"
_UNEVEN = r"(?<![\w/-])" + _PREFIX + r"[ \u00a0]?\d{2}[ \u00a0]?\d{2}[ \u00a0]?\d{2}[ \u00a0]?[A-D](?![\w-]|\.\w)"


class NinoRecognizer(JudgedRecognizer, UkNinoRecognizer):
    """National Insurance numbers. Scores: 0.95 behind a label, 0.75 without one, 0.3 in lower case without one."""

    def __init__(self) -> None:
        super().__init__(patterns=shapes("UK_NINO", (_SEPARATED, LIKELY), (_UNEVEN, LIKELY)))
        self.context = []
        self.global_regex_flags = CASE_IGNORED

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        if any(label.kind == Kind.NINO for label in labels_before(text, start)):
            return CERTAIN
        return LIKELY if text[start:end].isupper() else DOUBTFUL
