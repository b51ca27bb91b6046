"""References of people at work and of cases: no form is theirs alone, so the label before them decides.

An organisation knows the form of its own: `ReferenceRecognizer` takes more patterns.
"""

from __future__ import annotations

from collections.abc import Iterable

import regex
from presidio_analyzer import Pattern

from agent.detection.recognisers import reference_forms as forms
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


class ReferenceRecognizer(JudgedRecognizer):
    """What the two have in common."""

    own: Kind
    other: Kind

    def __init__(self, entity: str, extra: Iterable[tuple[str, str]] = ()) -> None:
        patterns = shapes(
            entity,
            (forms.EDGE + forms.PARTED + forms.END, DOUBTFUL),
            (forms.BRACKET_EDGE + forms.RUN + forms.END, DOUBTFUL),
            (forms.EDGE + forms.SPACED + forms.END, UNLIKELY),
            (forms.EDGE + forms.MIXED + forms.END, UNLIKELY),
            (forms.DIGITS + forms.END + r"(?! \d{3})", UNLIKELY),
        )
        patterns += self.shapes_of_its_own()
        super().__init__(supported_entity=entity, patterns=patterns, global_regex_flags=CASE_COUNTS)

    def shapes_of_its_own(self) -> list[Pattern]:
        return []

    def invalidate_result(self, pattern_text: str) -> bool:
        return _is_date(pattern_text) or forms.ELSE_FORM.fullmatch(pattern_text) is not None

    def labelled(self, labels: tuple[Label, ...]) -> Label | None:
        """The nearest label that says what the value is."""
        for place, label in enumerate(labels):
            if label.kind == Kind.NUMBER and label.adjacent:
                continue
            if label.kind == Kind.OTHER and not label.numbered and place + 1 < len(labels):
                # "Claim no. for the order QD-0417": what it is a number of has been said.
                named = labels[place + 1]
                between = named.gap[: len(named.gap) - len(label.gap) - len(label.phrase)]
                if named.numbered and named.kind in (Kind.EMPLOYEE, Kind.CASE) and forms.WORDS_ONLY.fullmatch(between):
                    return Label(named.kind, named.phrase, True, label.gap)
            return label
        return None


def _number_before(labels: tuple[Label, ...]) -> bool:
    """Whether "no." or "number" stands right before, on the same line."""
    return bool(labels) and labels[0].phrase in ("no", "number") and labels[0].adjacent and "\n" not in labels[0].gap


class EmployeeIdRecognizer(ReferenceRecognizer):
    """Staff, payroll, clock and badge numbers. Scores: 0.95 behind their label, 0.75 behind a bare "no." near a word
    for staff, 0.5 beside a name or a post, at most 0.3 otherwise."""

    def __init__(self) -> None:
        super().__init__("EMPLOYEE_ID")

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        labels = labels_before(text, start)
        label = self.labelled(labels)
        value = text[start:end]
        if label is not None and label.kind == Kind.EMPLOYEE and label.adjacent:
            if len(label.gap) <= (forms.NEAR if label.numbered else 12) and (
                label.numbered or not value.isdigit() or "=" in label.gap
            ):
                return CERTAIN
            known = value.isdigit() and (4 if label.phrase in forms.LOOSE_STAFF else 3) <= len(value) <= 7
            if not label.numbered and known and not label.gap.strip(" :=#.") and not forms.YEAR.fullmatch(value):
                return LIKELY
        if label is not None and label.kind == Kind.CARD and not label.numbered and not label.gap.strip(" :;|,\t"):
            return POSSIBLE if forms.STAFF_SHAPE.fullmatch(value) and value[0].isalpha() else UNLIKELY  # a reader's log
        if label is not None and label.kind != Kind.EMPLOYEE and label.adjacent:
            return UNLIKELY
        if _is_of_a_case(value):
            return UNLIKELY
        if _number_before(labels) and len(value) > 2:
            spoken_of = label is not None and label.kind == Kind.EMPLOYEE and "\n" not in label.gap
            if spoken_of or forms.STAFF_BEFORE.search(text, max(0, start - 90), start):
                return LIKELY
            if forms.OLD_SYSTEM.fullmatch(value):
                return POSSIBLE
        if _heads_line(text, start, end):
            return POSSIBLE
        return POSSIBLE if _beside_name(text, start, end) else min(score, DOUBTFUL)


def _beside_name(text: str, start: int, end: int) -> bool:
    """Whether it stands right behind a name or a post: "Ms Oona Tredwell (KV/3310)"."""
    if text[end : end + 1] not in "),;:]/. \n" or not forms.STAFF_SHAPE.fullmatch(text, start, end):
        return False
    before = max(0, start - 60)
    value, parted = text[start:end], text[start - 1 : start] in "([" or text[start - 2 : start] == ", "
    if not parted and (value.isdigit() or value.count("/") > 1 or text[end : end + 1] == "."):
        return False
    if not value.isdigit() and (
        forms.BY_BEFORE.search(text, before, start)
        or (forms.LINE_ENDS.match(text, end, end + 20) and forms.NAME_ABOVE.search(text, before, start))
    ):
        return True
    behind = (forms.ID_BEFORE, forms.NAME_BEFORE, forms.NAME_AND_POST_BEFORE, forms.ROLE_BEFORE)
    return any(expression.search(text, before, start) for expression in behind)


def _heads_line(text: str, start: int, end: int) -> bool:
    """Whether it begins a line of a list and a name follows: "BL0081  Wayne Deakin   enrolled"."""
    begins = text[text.rfind("\n", max(0, start - 12), start) + 1 : start] if start else ""
    if start and "\n" not in text[max(0, start - 12) : start] and start > 12:
        return False
    return (
        not begins.strip()
        and forms.STAFF_SHAPE.fullmatch(text, start, end) is not None
        and forms.NAME_BEHIND.match(text, end, end + REACH_BEHIND) is not None
    )


def _is_of_a_case(value: str) -> bool:
    own = forms.OWN_FORM.fullmatch(value) or forms.UNLABELLED.fullmatch(value)
    worded = forms.CASE_WORD.search(value) is not None and not value.isalnum()
    return worded or forms.IN_YEAR.search(value) is not None or own is not None


class CaseReferenceRecognizer(ReferenceRecognizer):
    """References of cases, complaints, claims, requests, crimes, students and the like. Scores: 0.95 behind their
    label, 0.75 with a word such as SAR in them or a form of their own, 0.5 with a year, at the head of an entry in a
    log, in a subject or under a greeting, at most 0.3 otherwise."""

    def __init__(self) -> None:
        super().__init__("CASE_REFERENCE")

    def shapes_of_its_own(self) -> list[Pattern]:
        return shapes(
            "CASE_REFERENCE log",
            (forms.EDGE + forms.LOG + forms.END, POSSIBLE),
            (forms.EDGE + forms.COURT + forms.END, LIKELY),
            (forms.EDGE + forms.OF_OFFICES + forms.END, UNLIKELY),
        )

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        labels = labels_before(text, start)
        label = self.labelled(labels)
        value = text[start:end]
        if forms.OWN_FORM.fullmatch(value):
            return LIKELY
        if label is not None and label.adjacent:
            long_enough = len(value) > (2 if label.numbered else 3) or not value.isdigit()
            if label.kind == Kind.CASE and long_enough and not _elsewhere(label):
                plain = label.phrase in ("ref", "refs", "reference")
                if plain and forms.OTHER_MATTER.search(text, max(0, start - 90), start):
                    return DOUBTFUL
                bare = value.isdigit() and (not label.numbered or label.phrase in forms.WEAK)
                return CERTAIN if not bare else DOUBTFUL
            neutral = label.kind in forms.NEUTRAL or (label.kind == Kind.VEHICLE and "/" in value)
            if score < POSSIBLE and not neutral:
                return UNLIKELY
        if forms.UNLABELLED.fullmatch(value):
            return LIKELY
        if value.isalnum():
            return POSSIBLE if score != UNLIKELY and _heads_entry(text, start, end) else score
        if score != UNLIKELY and forms.CASE_WORD.search(value):
            return LIKELY
        if any(each.kind == Kind.OTHER and "\n" not in each.gap for each in labels):
            return score
        if forms.MONEY_BEHIND.match(text, end, end + REACH_BEHIND):
            return score
        if score != UNLIKELY and value[0].isalpha() and forms.IN_YEAR.search(value):
            return POSSIBLE
        if forms.STRONG.fullmatch(value) and (_number_before(labels) or _heads_text(text, start, end, labels)):
            return POSSIBLE
        return POSSIBLE if score != UNLIKELY and _heads_entry(text, start, end) else score


def _elsewhere(label: Label) -> bool:
    """Whether a word such as "file" or "logged" stands in another line or column."""
    apart = "\n" in label.gap or "      " in label.gap
    return apart and not label.numbered and ":" not in label.gap and label.phrase in forms.LOOSE


def _heads_text(text: str, start: int, end: int, labels: tuple[Label, ...]) -> bool:
    """Whether it belongs to what a letter is about: in its subject, under the greeting, behind the word "report"."""
    if _beside_name(text, start, end):
        return False
    before = max(0, start - REACH)
    if forms.SUBJECT_BEFORE.search(text, before, start) or forms.GREETING_BEFORE.search(text, before, start):
        return True
    return any(
        each.kind == Kind.CASE and each.close and "\n" not in each.gap and not _elsewhere(each) for each in labels[:1]
    )


def _heads_entry(text: str, start: int, end: int) -> bool:
    """Whether it begins an entry of a log: "Q-017 | 9 Mar | Letter to the wrong house"."""
    return (
        text[max(0, start - 1) : start] in ("", "\n")
        and text[start].isalpha()
        and not forms.MONEY_BEHIND.match(text, end, end + REACH_BEHIND)
        and forms.DATE_BEHIND.match(text, end, end + REACH_BEHIND) is not None
    )


def _is_date(value: str) -> bool:
    return forms.DATE_LIKE.fullmatch(value) is not None


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
