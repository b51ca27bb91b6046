"""Telephone numbers: British ones by how they are dialled, assigned or not; others by Google's library."""

from __future__ import annotations

from collections.abc import Sequence

import regex
from presidio_analyzer.predefined_recognizers import PhoneRecognizer

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
from agent.detection.recognisers.labels import labels_before
from agent.detection.recognisers.vocabulary import Kind

_GAP = r"[ \u00a0.\u2011–-]{0,2}"
_REST = r"\d{1,4}(?:" + _GAP + r"\d{2,7}|, \d{3}\b){1,4}"
_START = r"(?<![\w.@/#=-])(?<!(?<![/:]\d)(?<![/:])\d[ ,])"
_NATIONAL = (
    _START
    + r"(?:\(0[1235789]\d{1,4}\)"
    + _GAP
    + r"\d{2,7}(?:"
    + _GAP
    + r"\d{2,6}){0,3}|0[1235789]"
    + _REST
    + ")"
    + r"(?![\w£€%@]|[./-]\d)"
)
_ABROAD = (
    r"(?<![\w.@/#-])(?:\+|00)44"
    + _GAP
    + r"(?:\(0\)"
    + _GAP
    + r")?(?:\([1235789]\d{1,4}\)"
    + _GAP
    + r"\d{2,7}(?:"
    + _GAP
    + r"\d{2,6}){0,3}|[1235789]"
    + _REST
    + ")"
    + r"(?![\w£€%@]|[./-]\d)"
)
_BARE = r"(?<![\w.@/#+-])447\d{9}(?![\w£€%@]|[./-]\d)"
_FOREIGN = r"(?<![\w.@/#-])\+(?!44)[1-9]\d{0,2}[ .()-]{0,2}\d(?:[ .()/-]{0,2}\d){6,11}(?!\w)"

_SCANNED = r"(?<![\w.@/#=-])(?=[\d ]{0,13}[OolI])[0O][12378](?: ?[\dOolI]){8,10}(?![\w£€%@]|[./-]\d)"

# Parted by the end of a line, once.
_BROKEN = (
    _START + r"0[1237]\d{2,3}(?:[ -]?\n\d{3}[ -]?\d{3,4}|[ -]\d{3}[ -]?\n\d{3,4}|[ -]?\n\d{6})(?![\w£€%@]|[./-]\d)"
)

_INVENTED = regex.compile(r"(?<!\d)(?:0?1\d{3}|01\d{3})[)]?[ .-]\d{3}[ .-]\d{4}$")
_MISREAD = str.maketrans("OolI", "0011")
_FIRST_GROUP = regex.compile(r"\d+")


class DialledNumberRecognizer(JudgedRecognizer):
    """British numbers as they are dialled and others in international form. Scores: 0.95 behind a word for telephones,
    0.75 in groups, 0.5 as plain digits, 0.1 behind a label of something else."""

    def __init__(self) -> None:
        patterns = shapes(
            "PHONE_NUMBER",
            (_NATIONAL, POSSIBLE),
            (_ABROAD, LIKELY),
            (_BARE, POSSIBLE),
            (_FOREIGN, POSSIBLE),
            (_SCANNED, UNLIKELY),
            (_BROKEN, POSSIBLE),
        )
        super().__init__(supported_entity="PHONE_NUMBER", patterns=patterns, global_regex_flags=CASE_COUNTS)

    def invalidate_result(self, pattern_text: str) -> bool:
        digits = digits_of(pattern_text.replace("(0)", "").translate(_MISREAD))
        if pattern_text.startswith("+") and not digits.startswith("44"):
            return not _possible("+" + digits)
        if digits.startswith(("44", "0044")) and not digits.startswith("0441"):
            national = digits.removeprefix("00").removeprefix("44").removeprefix("0")
        else:
            national = digits.removeprefix("0")
            first = _FIRST_GROUP.search(pattern_text)
            if first is not None and len(first[0]) < 3:
                return True
        if national[:1] in "237":
            return len(national) != 10 or len(set(national)) < 3
        # Numbers invented in the manner of films have five, three and four digits, one too many.
        lengths = (9, 10, 11) if _INVENTED.search(pattern_text) else (9, 10)
        return len(national) not in lengths or len(set(national)) < 3

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        labels = labels_before(text, start)
        grouped = not text[start:end].isdigit()
        if labels:
            if labels[0].kind == Kind.PHONE and labels[0].close:
                return CERTAIN
            if score == UNLIKELY:
                return score
            if labels[0].adjacent and labels[0].kind in _FOREIGN_LABELS:
                # "his card", "the nurse's number" before groups as they are dialled: that of the person.
                theirs = grouped and labels[0].kind in (Kind.CARD, Kind.EMPLOYEE)
                return LIKELY if theirs else DOUBTFUL if grouped else UNLIKELY
        return score if score == UNLIKELY or not grouped else LIKELY


_FOREIGN_LABELS = frozenset(
    {Kind.OTHER, Kind.BANK, Kind.CARD, Kind.VAT, Kind.COMPANY, Kind.UTR, Kind.NHS, Kind.EMPLOYEE, Kind.PASSPORT}
)


class RegionalPhoneRecognizer(PhoneRecognizer):
    """Numbers of other regions in their national form, by Google's library: slow, therefore on request only."""

    def __init__(self, regions: Sequence[str]) -> None:
        super().__init__(context=["phone"], supported_regions=tuple(regions))
        self.context = []


def _possible(number: str) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False
