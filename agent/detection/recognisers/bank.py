"""Bank details: sort codes and account numbers by form and label, and IBANs by their check.

Modulus weights are not ours to ship; without a label, six and eight digits say nothing.
"""

from __future__ import annotations

import regex
from presidio_analyzer.predefined_recognizers import IbanRecognizer

from agent.detection.recognisers.judged import (
    CASE_COUNTS,
    CERTAIN,
    DOUBTFUL,
    LIKELY,
    UNLIKELY,
    JudgedRecognizer,
    digits_of,
    shapes,
)
from agent.detection.recognisers.labels import labels_before
from agent.detection.recognisers.vocabulary import Kind

_NEAR = 25  # how many characters may stand between "account" and its number
_EDGE, _END = r"(?<![\w.+£$€/-])(?<!\d[ ,])(?<!(?<![A-Z])[A-Z]{2} )", r"(?![\w£€%]|[./-]\d| \d)"
_BOTH = _EDGE + r"(?:\d{2}-\d{2}-\d{2}|\d{2} \d{2} \d{2})(?: / | )\d{8}(?!\w|[./-]\d)"
_DASHED = _EDGE + r"\d{2}([-–])\d{2}\1\d{2}(?![\w-]|\.\d)"
_SPACED = _EDGE + r"\d{2} \d{2} \d{2}(?![\w-]|\.\d)"
_RUN = r"(?<![\w.+£$€-])\d{6}(?=[\s/,]{1,3}\d{8}\b)"
_ACCOUNT = r"(?<![\w.+£$€-])\d{8}" + _END
_ACCOUNT_SPACED = _EDGE + r"\d{4} \d{4}" + _END
_SORT_CODE = regex.compile(
    r"(?<!\d)\d{2}[- –]?\d{2}[- –]?\d{2}(?:\s|[,;:/()|]|a/c|acc(?:ount|t)?|no\.?|number|is|and|&){1,16}$",
    regex.IGNORECASE,
)
_ACCOUNT_BEHIND = regex.compile(
    r"(?:\s|[,;:/()|]|a/c|acc(?:ount|t)?|no\.?|number|is|and|&){1,16}\d{8}\b", regex.IGNORECASE
)


class BankAccountRecognizer(JudgedRecognizer):
    """Sort codes, account numbers, and the two together. Scores: 0.95 for both together or behind their label, 0.75
    for one beside the other, at most 0.3 alone."""

    def __init__(self) -> None:
        patterns = shapes(
            "UK_BANK_ACCOUNT",
            (_BOTH, CERTAIN),
            (_DASHED, DOUBTFUL),
            (_SPACED, UNLIKELY),
            (_RUN, UNLIKELY),
            (_ACCOUNT, UNLIKELY),
            (_ACCOUNT_SPACED, UNLIKELY),
        )
        super().__init__(supported_entity="UK_BANK_ACCOUNT", patterns=patterns, global_regex_flags=CASE_COUNTS)

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        if score == CERTAIN:
            return score
        labels = labels_before(text, start)
        if len(digits_of(text[start:end])) == 8:
            beside = _SORT_CODE.search(text, max(0, start - 26), start) is not None
        else:
            beside = _ACCOUNT_BEHIND.match(text, end, end + 26) is not None
        if labels and labels[0].kind == Kind.BANK and labels[0].close and len(labels[0].gap) <= _NEAR:
            return CERTAIN
        if beside:
            return LIKELY
        return score


class BankIbanRecognizer(JudgedRecognizer, IbanRecognizer):
    """IBANs. Scores: 0.95 when the check agrees and the form is its country's, whatever stands before."""

    def __init__(self) -> None:
        super().__init__()
        self.context = []

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        return CERTAIN
