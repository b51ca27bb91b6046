"""Numbers of tax: Unique Taxpayer References of people, and VAT and company numbers, so that they are taken for
nothing else."""

from __future__ import annotations

import regex

from agent.detection.recognisers.checks import utr_agrees, vat_agrees
from agent.detection.recognisers.judged import (
    CASE_COUNTS,
    CASE_IGNORED,
    CERTAIN,
    DOUBTFUL,
    LIKELY,
    UNLIKELY,
    JudgedRecognizer,
    digits_of,
    shapes,
)
from agent.detection.recognisers.labels import REACH, close_label, labels_before
from agent.detection.recognisers.vocabulary import Kind

_EDGE, _END = r"(?<![\w.+£$€/-])(?<!\d,)", r"(?![\w£€%]|[./-]\d)"
_UTR = _EDGE + r"(?:\d{10}|\d{5}[ \u00a0]\d{5}|\d{4}([ \u00a0])\d{3}\1\d{3}|\d{3}([ \u00a0])\d{3}\2\d{4})K?" + _END
_VAT = _EDGE + r"(?:GB ?)?\d{3}[ \u00a0]?\d{4}[ \u00a0]?\d{2}(?:[ \u00a0]?\d{3})?" + _END
_COMPANY = _EDGE + r"(?:\d{7,8}|(?:SC|NI|OC|SO|NC|R|IP|SP|RS|CE|CS|FC|LP|SL|GE|AC) ?\d{5,6})" + _END


# Words of those who pay tax by themselves.
_TAX_BEFORE = regex.compile(
    r"\b(?:HMRC|Revenue|tax(?: (?:return|ref\w*|office|payer))?|taxpayer|self-?employed|sole trader|sub-?contractors?"
    r"|CIS|SA100|SA ref\w*|SA no)\b(?!\s?(?:code|invoice))",
    regex.IGNORECASE,
)


class UtrRecognizer(JudgedRecognizer):
    """Unique Taxpayer References. Scores: 0.95 behind their label, 0.75 with the label nearby, else 0.3; the check must
    agree."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="UK_UTR", patterns=shapes("UK_UTR", (_UTR, DOUBTFUL)), global_regex_flags=CASE_COUNTS
        )

    def invalidate_result(self, pattern_text: str) -> bool:
        return not utr_agrees(digits_of(pattern_text))

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        labels = labels_before(text, start)
        if close_label(labels, Kind.UTR):
            return CERTAIN
        if labels and labels[0].kind not in (Kind.NUMBER, Kind.UTR, Kind.CASE) and labels[0].adjacent:
            return UNLIKELY
        if any(label.kind == Kind.UTR for label in labels):
            return LIKELY
        return LIKELY if _TAX_BEFORE.search(text, max(0, start - REACH), start) else DOUBTFUL


class VatRecognizer(JudgedRecognizer):
    """VAT registration numbers of businesses, by check and label. Scores: 0.95 behind the label, 0.75 with `GB`."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="UK_VAT", patterns=shapes("UK_VAT", (_VAT, UNLIKELY)), global_regex_flags=CASE_IGNORED
        )

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        agrees = vat_agrees(digits_of(text[start:end]))
        if close_label(labels_before(text, start), Kind.VAT):
            return CERTAIN if agrees else LIKELY
        return LIKELY if agrees and text[start : start + 2].upper() == "GB" else UNLIKELY


class CompanyNumberRecognizer(JudgedRecognizer):
    """Numbers of Companies House. Scores: 0.95 behind their label, 0.1 without."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="UK_COMPANY_NUMBER",
            patterns=shapes("UK_COMPANY_NUMBER", (_COMPANY, UNLIKELY)),
            global_regex_flags=CASE_COUNTS,
        )

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        return CERTAIN if close_label(labels_before(text, start), Kind.COMPANY) else UNLIKELY
