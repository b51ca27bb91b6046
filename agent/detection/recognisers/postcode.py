"""Postcodes of the United Kingdom."""

from __future__ import annotations

from presidio_analyzer.predefined_recognizers import UkPostcodeRecognizer

from agent.detection.recognisers.areas import is_area
from agent.detection.recognisers.judged import (
    CASE_COUNTS,
    DOUBTFUL,
    LIKELY,
    POSSIBLE,
    UNLIKELY,
    JudgedRecognizer,
    shapes,
)
from agent.detection.recognisers.labels import labels_before
from agent.detection.recognisers.vocabulary import Kind

_OUT = r"(?:[A-Z]{1,2}\d[A-HJKMNP-Z]?|[A-Z]{1,2}\d\d|GIR)"
_SPACED = r"(?<![\w/&.-])" + _OUT + r"[ \u00a0]{1,2}\d[ABD-HJLNP-UW-Z]{2}(?![\w/&-])"
_RUN = r"(?<![\w/&.-])" + _OUT + r"\d[ABD-HJLNP-UW-Z]{2}(?![\w/&-])"


class PostcodeRecognizer(JudgedRecognizer, UkPostcodeRecognizer):
    """Postcodes in an area that exists. Scores: 0.75 with a space, 0.5 without; at most 0.3 behind a label of
    something else."""

    def __init__(self) -> None:
        super().__init__(patterns=shapes("UK_POSTCODE", (_SPACED, LIKELY), (_RUN, POSSIBLE)))
        self.context = []
        self.global_regex_flags = CASE_COUNTS

    def invalidate_result(self, pattern_text: str) -> bool:
        return not is_area(pattern_text)

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        labels = labels_before(text, start)
        if labels and labels[0].numbered and labels[0].adjacent and labels[0].kind in (Kind.OTHER, Kind.EMPLOYEE):
            return UNLIKELY if score == POSSIBLE else DOUBTFUL
        return score
