"""References of people at work and of cases: no form is theirs alone, so the label before them decides.

An organisation knows the form of its own: `ReferenceRecognizer` takes more patterns.
"""

from __future__ import annotations

from collections.abc import Iterable

import regex
from presidio_analyzer import Pattern

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
from agent.detection.recognisers.labels import REACH, REACH_BEHIND, Label, labels_before
from agent.detection.recognisers.vocabulary import Kind

_EDGE, _END = r"(?<![\w.,£$€@/+*#=-])", r"(?![\w£€%@]|[./*-]\w|:\d)"
_BRACKET_EDGE = r"(?<![\w.,£$€@/+*#-])"
# Letters and digits in one to five parts, with a digit somewhere.
_PARTED = r"(?=[\w/.#*-]{0,24}\d)[A-Z0-9]{1,10}(?:[-/.#*][A-Z0-9]{1,14}){1,4}"
_RUN = r"(?:[A-Z]{1,5}\d{2,12}(?:[A-Z]\d?)?|\d{3,12}-[A-Z])"
_SPACED = r"(?:[A-Z]{1,3} \d{3,7}(?:[-/]\d{2,5})?|[A-Z]{2,3} \d{2}[-/]\d{2,5}|[A-Z]{2,3}-\d{3} \d{3})"
_DIGITS = r"\d{2,10}"
_LOG = r"\d{1,5} of \d{1,2}[/.]\d{1,2}(?:[/.]\d{2,4})?"
_COURT = r"\d{2}[A-Z]{2} \d{4} \d{2} [A-Z]"

_IN_YEAR = regex.compile(
    r"[-/.](?:20[12]\d|[12]\d[-/.]\d{1,6})(?:[-/.]|$)|^(?:20)?2\d[-/]\d{3,6}$|\d{2,}[-/.]2\d$|/2\d/"
)
# References of this sort are as often those of paper, places and goods: bare digits behind them say nothing.
_WEAK = frozenset(
    "ref refs reference re subject report applicant yours ours ticket request file logged review number no my".split()
)
_STAFF_BEFORE = regex.compile(
    r"\b(?:employee|staff|worker|payroll|clock|shift|operative|assistant|checkout|driver|officer|learner|post|hub|dept"
    r"|department|start|team|nights?|grade|dispenser|nurse|carer|guard)\b[^\n]{0,40}$",
    regex.IGNORECASE,
)
_CASE_WORD = regex.compile(
    r"(?:^|[-/])(?:CASE|INVESTIGATION|GRV|GR|DISC|SAR|DSAR|FOI|EIR|COMP|CMP|CMPL|INC|BR|DB|DPB|PDB|SIR|IC|ICO|DI|IG|HRI|ER|INQ"
    r"|PROS|LOG|CRM|CR|AUD|NFRC|HMCTS|ET|WB|CRIME)(?:[-/#]|\d|$)"
)
_NAME = r"\p{Lu}[\p{L}’'-]+,? (?:\p{Lu}[\p{L}’'.-]* ?){0,2}\p{Lu}[\p{L}’'-]+"
_NAME_BEFORE = regex.compile(_NAME + r"(?: ?\(|, | ?/ ?| [–-] |  ?)$")
_NAME_BEHIND = regex.compile(r"[ ]{1,3}(?:\| )?" + _NAME + r"(?:  |[ ]?[:|–,;(\t]|\s*$)", regex.MULTILINE)
_ROLE_BEFORE = regex.compile(
    r"\b(?:assistant|manager|officer|support|driver|operative|handler|technician|worker|nurse|carer|controller|supervisor"
    r"|wardrobe|checkout|security|engineer|administrator|clerk|cleaner|porter|cook|chef|steward)(?: \(|, )$",
    regex.IGNORECASE,
)

# A staff number that has no label: letters and digits, or five or six digits. Numbers of partnerships have letters too.
_STAFF_SHAPE = regex.compile(
    r"(?!(?:OC|SC|NI|SO)\d{6})(?:[A-Z]{1,4}[-/. ]?(?:\d{2,7}|\d{3,7}[A-Z])|[A-Z]\d{2}-\d{2,4}|\d{5,6})(?<!\bP\d\d)"
)
_NEAR = 40  # how many characters may stand between a label and the number


class ReferenceRecognizer(JudgedRecognizer):
    """What the two have in common."""

    own: Kind
    other: Kind

    def __init__(self, entity: str, extra: Iterable[tuple[str, str]] = ()) -> None:
        patterns = shapes(
            entity,
            (_EDGE + _PARTED + _END, DOUBTFUL),
            (_BRACKET_EDGE + _RUN + _END, DOUBTFUL),
            (_EDGE + _SPACED + _END, UNLIKELY),
            (_BRACKET_EDGE + _DIGITS + _END + r"(?! \d{3})", UNLIKELY),
        )
        patterns += self.shapes_of_its_own()
        super().__init__(supported_entity=entity, patterns=patterns, global_regex_flags=CASE_COUNTS)

    def shapes_of_its_own(self) -> list[Pattern]:
        return []

    def invalidate_result(self, pattern_text: str) -> bool:
        return _is_date(pattern_text)

    def labelled(self, labels: tuple[Label, ...]) -> Label | None:
        """The nearest label that says what the value is."""
        for label in labels:
            if label.kind == Kind.NUMBER and label.adjacent:
                continue
            return label
        return None


class EmployeeIdRecognizer(ReferenceRecognizer):
    """Staff, payroll, clock and badge numbers. Scores: 0.95 behind their label, 0.5 in brackets behind a name, at most
    0.3 otherwise."""

    def __init__(self) -> None:
        super().__init__("EMPLOYEE_ID")

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        label = self.labelled(labels_before(text, start))
        value = text[start:end]
        if label is not None and label.kind == Kind.EMPLOYEE and label.adjacent:
            if len(label.gap) <= (_NEAR if label.numbered else 12) and (
                label.numbered or score > UNLIKELY or "=" in label.gap
            ):
                return CERTAIN
            if not label.numbered and len(value) in (4, 5, 6) and not label.gap.strip(" :="):
                return LIKELY
        if label is not None and label.kind != Kind.EMPLOYEE and label.adjacent:
            return UNLIKELY
        if label is None or label.kind == Kind.CASE:
            numbered = labels_before(text, start)[:1]
            if numbered and numbered[0].phrase in ("no", "number") and numbered[0].adjacent:
                return LIKELY if _STAFF_BEFORE.search(text, max(0, start - 70), start) else score
        if _CASE_WORD.search(value) or _IN_YEAR.search(value):
            return UNLIKELY
        if _heads_line(text, start, end):
            return POSSIBLE
        if score == UNLIKELY and value.isdigit():
            return UNLIKELY
        return POSSIBLE if _beside_name(text, start, end) else DOUBTFUL


def _beside_name(text: str, start: int, end: int) -> bool:
    """Whether it stands right behind a name or a post: "Mr Craig Illingworth (SS/2094)"."""
    if text[end : end + 1] not in "),;:/ \n" or not _STAFF_SHAPE.fullmatch(text, start, end):
        return False
    before = max(0, start - 60)
    return (_NAME_BEFORE.search(text, before, start) or _ROLE_BEFORE.search(text, before, start)) is not None


def _heads_line(text: str, start: int, end: int) -> bool:
    """Whether it begins a line of a list and a name follows: "BL0081  Wayne Deakin   enrolled"."""
    begins = text[text.rfind("\n", max(0, start - 12), start) + 1 : start] if start else ""
    if start and "\n" not in text[max(0, start - 12) : start] and start > 12:
        return False
    return (
        not begins.strip()
        and _STAFF_SHAPE.fullmatch(text, start, end) is not None
        and _NAME_BEHIND.match(text, end, end + REACH_BEHIND) is not None
    )


class CaseReferenceRecognizer(ReferenceRecognizer):
    """References of cases, complaints, claims, requests, crimes, students and the like. Scores: 0.95 behind their
    label, 0.75 with a word such as SAR or INV in them, 0.5 with a year, at most 0.3 otherwise."""

    def __init__(self) -> None:
        super().__init__("CASE_REFERENCE")

    def shapes_of_its_own(self) -> list[Pattern]:
        return shapes("CASE_REFERENCE log", (_EDGE + _LOG + _END, POSSIBLE), (_EDGE + _COURT + _END, LIKELY))

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        label = self.labelled(labels_before(text, start))
        value = text[start:end]
        if label is not None and label.adjacent:
            if label.kind == Kind.CASE and (len(value) > 3 or not value.isdigit()):
                bare = value.isdigit() and (not label.numbered or label.phrase in _WEAK)
                return CERTAIN if not bare else DOUBTFUL
            if score < POSSIBLE and label.kind not in (Kind.CASE, Kind.NUMBER, Kind.ADDRESS, Kind.PHONE, Kind.BIRTH):
                return UNLIKELY
        if score == UNLIKELY:
            return score
        if (_CASE_WORD.search(value) or value.startswith("INV/")) and not value.isalnum():
            return LIKELY
        return POSSIBLE if _IN_YEAR.search(value) and not value.isalnum() and value[0].isalpha() else score


_DATE_LIKE = regex.compile(
    r"\d{1,2}([-/.])\d{1,2}\1\d{2,4}|\d{4}([-/.])\d{1,2}\2\d{1,2}|\d{1,2}[-/.](?:\d{1,2}|\d{4})|\d{2,4}/\d{2}|\d+(?:\.\d+)+"
    r"|\d{1,2}-[A-Z]{3}-\d{2,4}|\d{4}-\d{2}-\d{2}T?.*|\d{2}-\d{2}-\d{2}",
    regex.IGNORECASE,
)


def _is_date(value: str) -> bool:
    return _DATE_LIKE.fullmatch(value) is not None


class OrganisationReferenceRecognizer(JudgedRecognizer):
    """References by the form that an organisation has given them. `context` is an expression for what must stand in
    the reach before; without it the form alone counts. Scores: 0.95 with context, 0.75 for a form without one asked
    for, 0.3 where it is asked for and missing."""

    def __init__(self, entity: str, form: str, context: str = "") -> None:
        super().__init__(
            supported_entity=entity,
            patterns=shapes(f"{entity} of the organisation", (r"(?<!\w)(?:" + form + r")(?!\w)", LIKELY)),
            global_regex_flags=CASE_COUNTS,
        )
        self._asked = regex.compile(context, regex.IGNORECASE) if context else None

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        if self._asked is None:
            return score
        return CERTAIN if self._asked.search(text, max(0, start - REACH), start) else DOUBTFUL
