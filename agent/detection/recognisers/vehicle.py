"""Vehicle registration marks of Great Britain and Northern Ireland."""

from __future__ import annotations

import regex
from presidio_analyzer.predefined_recognizers import UkVehicleRegistrationRecognizer

from agent.detection.recognisers.judged import (
    CASE_COUNTS,
    CERTAIN,
    DOUBTFUL,
    LIKELY,
    POSSIBLE,
    UNLIKELY,
    JudgedRecognizer,
    shapes,
)
from agent.detection.recognisers.labels import labels_before
from agent.detection.recognisers.vocabulary import Kind

_EDGE, _END = r"(?<![\w/&-])", r"(?![\w/&-]|\.\d| ?[:=])"
# DVLA INF104: two letters, two digits for the half-year, three letters; neither I, Q nor Z where they are not issued.
_CURRENT = _EDGE + r"[A-HJ-PR-Y]{2}(?:0[1-9]|[1-7]\d)[ \u00a0]?[A-HJ-Z]{3}" + _END
_PREFIX = _EDGE + r"[A-HJ-NPR-TV-Y]\d{1,3}[ \u00a0]?[A-HJ-PR-Y][A-HJ-PR-Z]{2}" + _END
_SUFFIX = _EDGE + r"[A-HJ-PR-Z]{3}[ \u00a0]?\d{1,3}[A-HJ-NPR-TV-Y]" + _END
_NORTHERN_IRELAND = _EDGE + r"[A-Z]?[A-Z]{0,1}(?:I[A-Z]|[A-Z]Z)[ \u00a0]?\d{1,4}" + _END

_SPACED_PREFIX = regex.compile(
    r"[A-Z]\d{1,3} (?!AND|THE|FOR|NOT|YOU|ALL|DUE|SET|BAY|ARE|BUT|PER|OUT|OFF|ONE|TWO|VIA|REF|REV)[A-Z]{3}"
)


class VehicleRegistrationRecognizer(JudgedRecognizer, UkVehicleRegistrationRecognizer):
    """Registration marks. Scores: 0.95 with a word for a vehicle before; the current form 0.75 without, older ones
    0.3."""

    def __init__(self) -> None:
        patterns = shapes(
            "UK_VEHICLE_REGISTRATION",
            (_CURRENT, LIKELY),
            (_PREFIX, DOUBTFUL),
            (_SUFFIX, DOUBTFUL),
            (_NORTHERN_IRELAND, UNLIKELY),
        )
        super().__init__(patterns=patterns)
        self.context = []
        self.global_regex_flags = CASE_COUNTS

    def validate_result(self, pattern_text: str) -> None:
        return None

    def invalidate_result(self, pattern_text: str) -> bool:
        compact = "".join(char for char in pattern_text if char.isalnum())
        if len(compact) == 7 and compact[:2].isalpha() and compact[2:4].isdigit():
            return not (2 <= int(compact[2:4]) <= 29 or 51 <= int(compact[2:4]) <= 79)
        return False

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        labels = labels_before(text, start)
        if score == UNLIKELY:
            return CERTAIN if labels and labels[0].kind == Kind.VEHICLE and labels[0].adjacent else score
        if any(label.kind == Kind.VEHICLE and "\n\n" not in label.gap for label in labels):
            return CERTAIN
        if labels and labels[0].kind in (Kind.OTHER, Kind.EMPLOYEE) and labels[0].numbered and labels[0].adjacent:
            return UNLIKELY
        if labels and labels[0].kind == Kind.OTHER and labels[0].adjacent:
            return min(score, DOUBTFUL)
        if score == DOUBTFUL and _SPACED_PREFIX.fullmatch(text, start, end):
            return POSSIBLE
        return score
