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
_SPACED = r"(?<![\w/&.-])" + _OUT + r"(?:[ \u00a0]{1,2}|\n)\d[ABD-HJLNP-UW-Z]{2}(?![\w/&-]| \d[A-Z]{2}\b)"
# As scanners misread it: letters for digits, but one digit at least.
_SCANNED = (
    r"(?<![\w/&.-])(?=[\w ]{0,6}\d)(?=[\d A-Z]{1,6}[OlI]|[A-Z]{1,2}[OlI])[A-Z]{1,2}[\dOlI]{1,2}[A-Z]? "
    r"(?!O[NUFLWDH]\w|I[LTNFS]\w)[\dOlI][ABD-HJLNP-UW-Z]{2}(?![\w/&-])"
)
_SMALL = (
    r"(?<![\w/&.@-])[a-z]{1,2}\d[a-hjkmnp-z\d]?[ \u00a0]\d"
    r"(?!(?:st|nd|rd|th|am|pm|ed|kg|ml|mg|lb|ft|hr|bn|hd|up|pt|px)\b)[abd-hjlnp-uw-z]{2}(?![\w/&@-])"
)
_RUN = r"(?<![\w/&.-])" + _OUT + r"\d[ABD-HJLNP-UW-Z]{2}(?![\w/&-])"


class PostcodeRecognizer(JudgedRecognizer, UkPostcodeRecognizer):
    """Postcodes in an area that exists. Scores: 0.75 with a space, 0.5 without, in small letters or as
    scanners misread it; at most 0.3 behind a label of
    something else."""

    def __init__(self) -> None:
        patterns = shapes("UK_POSTCODE", (_SPACED, LIKELY), (_RUN, POSSIBLE), (_SMALL, POSSIBLE), (_SCANNED, POSSIBLE))
        super().__init__(patterns=patterns)
        self.context = []
        self.global_regex_flags = CASE_COUNTS

    def invalidate_result(self, pattern_text: str) -> bool:
        misread = [pattern_text[:size] + "1" for size in (1, 2) if pattern_text[size] in "OlI"]
        return not any(map(is_area, [pattern_text, *misread]))

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        labels = labels_before(text, start)
        if labels and labels[0].numbered and labels[0].adjacent and labels[0].kind in (Kind.OTHER, Kind.EMPLOYEE):
            return UNLIKELY if score == POSSIBLE else DOUBTFUL
        return score
