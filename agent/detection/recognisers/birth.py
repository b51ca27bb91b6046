"""Dates of birth: dates that a word before them makes one."""

from __future__ import annotations

import regex

from agent.detection.recognisers.dates import DATE
from agent.detection.recognisers.judged import CASE_IGNORED, CERTAIN, LIKELY, UNLIKELY, JudgedRecognizer, shapes
from agent.detection.recognisers.labels import REACH, REACH_BEHIND, labels_before
from agent.detection.recognisers.vocabulary import Kind

_STOPPED = regex.compile(
    r"\b(?:start(?:ed|s)?|joined|issued?|expir\w+|exp|dated?|due|from|since|until|till|to|left|leaving|on file|signed"
    r"|seen|received|rec['’]d|sent|reviewed?|appointed|employed|married|died|death|moved|arrived|now|valid"
    r"|began|completed|qualified|graduated)\b",
    regex.IGNORECASE,
)
_OR = regex.compile(
    r"^[\s,:;(]*(?:" + DATE + r")(?:[\s,;)]|\b(?:or|and|not|is|right|here|there|which|says|typed|as)\b|[?])*$",
    regex.IGNORECASE,
)

# In the heading of a clinic's letter and in a row of a list of patients nothing says what the date is.
_PATIENT_BEFORE = regex.compile(
    r"(?:^|\n)\s{0,8}R[Ee]:? (?:(?:Mrs?|Ms|Miss|Mx|Dr|Master)\.? )?(?:\p{Lu}[\p{L}’'-]+[ ]?){2,4}, $"
)
_NHS_BEHIND = regex.compile(r"(?:,? {1,6}|[,;|\t] ?)(?:NHS(?: no\.?| number)?:? ?)?\d{3} \d{3} \d{4}(?!\d)")

# What programs write where they know no date.
_SENTINELS = frozenset({"1900-01-01", "01/01/1900", "1970-01-01", "01/01/1970", "9999-12-31"})


class BirthDateRecognizer(JudgedRecognizer):
    """Dates of birth. Scores: 0.95 right behind "born", "DOB" and the like, 0.75 with a few words between, 0.1 for all
    other dates."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="DATE_OF_BIRTH",
            patterns=shapes("DATE_OF_BIRTH", (r"(?<![\w/.-])" + DATE + r"(?![\w/-]|\.\d)", UNLIKELY)),
            global_regex_flags=CASE_IGNORED,
        )

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        if text[start:end] in _SENTINELS:
            return UNLIKELY
        if _PATIENT_BEFORE.search(text, max(0, start - REACH), start):
            return LIKELY
        if _NHS_BEHIND.match(text, end, end + REACH_BEHIND):
            return LIKELY
        for label in labels_before(text, start):
            if label.kind == Kind.BIRTH:
                if label.adjacent:
                    return CERTAIN
                between = label.gap
                near = "\n" not in between.strip("\n \t") and len(between) <= 45
                if near and not regex.search(r"\d{2}", between) and not _STOPPED.search(between):
                    return LIKELY
                return LIKELY if _OR.match(between) else score
        return score
