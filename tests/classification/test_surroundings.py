"""What an item bears, lies beside and lies in: labels, copies, sorts of place; exemptions and placement rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.classification.classify import BY_COPY, BY_KIND, BY_MARK, Classifier, classify
from agent.model.condition import (
    AnyOf,
    Condition,
    LabelIs,
    Not,
    PathMatches,
    PathPattern,
    SameContentAs,
    StorageKind,
    StoredIn,
)
from agent.model.decision import CLASS_MARK, KEY_MARK, LABELS_MARK, Assignment, Misplacement
from agent.model.record import Record
from agent.model.schedule import Capture, EventTrigger, Exemption, PlacementRule, RetentionSchedule
from tests.retention.factories import a_class, a_record, a_schedule

DRIVES = {"laptop 7": frozenset({StorageKind.LOCAL_DRIVE, StorageKind.REMOVABLE})}
ANY = PathMatches((PathPattern("**"),))


def copies(*patterns: str) -> SameContentAs:
    return SameContentAs(tuple(map(PathPattern, patterns)))


def only(condition: Condition, record: Record) -> Assignment | None:
    schedule = a_schedule(a_class("one", applies_when=condition, keys=("case", "person")))
    assignments = Classifier(schedule, DRIVES).classify(record)
    return assignments[0] if assignments else None


def labelled(labels: str) -> Record:
    return a_record(marks={LABELS_MARK: labels})


# Labels


@pytest.mark.parametrize("labels", ["used in report", "draft, Used in Report ", "USED IN REPORT,"])
def test_a_label_is_known_whatever_its_case_and_neighbours(labels: str) -> None:
    assignment = only(LabelIs(("Final", "Used in report")), labelled(labels))
    assert assignment is not None
    assert (assignment.provenance, assignment.confidence) == ('label "Used in report" at the source', BY_MARK)


@pytest.mark.parametrize("labels", ["", ",", "used", "used in report 2"])
def test_a_label_that_the_item_does_not_bear_proves_nothing(labels: str) -> None:
    assert only(LabelIs(("used in report",)), labelled(labels)) is None
    assert only(LabelIs(("used in report",)), a_record()) is None


# Copies


def test_a_copy_elsewhere_is_evidence_and_gives_its_keys() -> None:
    condition = copies("Reports/{case}/**", "Old/**")
    assignment = only(condition, a_record("Letters/a.docx", copies=("Other/a.docx", "REPORTS/2019-14/App 1/a.docx")))
    assert assignment is not None
    assert assignment.provenance == 'the same content as an item at "Reports/{case}/**"'
    assert (assignment.keys, assignment.confidence) == ({"case": "2019-14"}, BY_COPY)
    assert only(condition, a_record("Letters/a.docx", copies=("Other/a.docx",))) is None
    assert only(condition, a_record("Reports/2019-14/a.docx")) is None


def test_a_copy_that_gives_a_key_comes_before_one_that_does_not() -> None:
    record = a_record(copies=("Old/a.docx", "Reports/2019-14/a.docx"))
    assignment = only(copies("Old/**", "Reports/{case}/**"), record)
    assert assignment is not None
    assert assignment.keys == {"case": "2019-14"}


# Sorts of place


def test_a_place_is_told_by_the_name_of_its_share_and_the_settings() -> None:
    condition = StoredIn((StorageKind.CLOUD, StorageKind.REMOVABLE))
    assignment = only(condition, a_record(share="LAPTOP 7"))
    assert assignment is not None
    assert (assignment.provenance, assignment.confidence) == ("stored in: removable", BY_KIND)
    assert only(StoredIn((StorageKind.CLOUD,)), a_record(share="laptop 7")) is None
    assert only(condition, a_record(share="office")) is None


# Exemptions


def exempt_from(*unless: Exemption, **facts: Any) -> str:
    schedule = a_schedule(a_class("one", applies_when=ANY, unless=unless))
    (assignment,) = classify(a_record(**facts), schedule)
    return assignment.exempt


def test_an_exemption_that_the_item_shows_is_told_in_its_words_and_the_class_with_it() -> None:
    by_event = Exemption(EventTrigger("used", "case"))
    by_copy, by_label = Exemption(copies("Reports/**")), Exemption(LabelIs(("used",)))
    assert exempt_from(by_event) == ""
    assert exempt_from(by_event, by_copy, by_label) == ""
    labels = {LABELS_MARK: "used"}
    assert exempt_from(by_event, by_copy, by_label, marks=labels) == 'label "used" at the source'
    assert exempt_from(by_copy, by_label, marks=labels, copies=("Reports/a",)) == (
        'the same content as an item at "Reports/**"'
    )


def test_an_item_that_a_mark_puts_in_a_class_may_be_exempt_from_it_too() -> None:
    nowhere = PathMatches((PathPattern("nowhere"),))
    schedule = a_schedule(a_class("one", applies_when=nowhere, unless=(Exemption(Not(nowhere)),)))
    (assignment,) = classify(a_record(marks={CLASS_MARK: "one"}), schedule)
    assert (assignment.explicit, assignment.exempt) == (True, "no exception applies")


# Placement rules


def placing(*conditions: Condition) -> RetentionSchedule:
    rules = tuple(
        PlacementRule(f"r{n}", "Not here", "A law.", one, n == 1) for n, one in enumerate(conditions, start=1)
    )
    return replace(a_schedule(a_class("one")), placement=rules)


def test_every_placement_rule_that_is_broken_is_told_with_its_evidence() -> None:
    drives = StoredIn((StorageKind.LOCAL_DRIVE,))
    classifier = Classifier(placing(drives, PathMatches((PathPattern("HR/**"),)), AnyOf((drives, copies("x")))), DRIVES)
    assert classifier.misplaced(a_record("HR/a.docx", share="Laptop 7")) == (
        Misplacement("r1", "stored in: local drive"),
        Misplacement("r2", 'path pattern "HR/**"'),
        Misplacement("r3", "stored in: local drive"),
    )
    assert classifier.misplaced(a_record("Pay/a.docx")) == ()


def test_without_placement_rules_nothing_is_misplaced() -> None:
    assert Classifier(placing(), DRIVES).misplaced(a_record(share="laptop 7")) == ()


# Keys from marks and texts


def test_a_key_is_read_from_the_path_first_and_then_from_mark_and_text_in_the_order_of_the_class() -> None:
    captures = (Capture("person"), Capture("person", "PERSON"), Capture("case", "CASE_REFERENCE"))
    patterns = PathMatches((PathPattern("HR/{person}/**"), PathPattern("**")))
    schedule = a_schedule(a_class("one", applies_when=patterns, keys=("person", "case"), captures=captures))

    def keys(path: str, marks: dict[str, str], identities: dict[str, bytes]) -> dict[str, str]:
        (assignment,) = classify(a_record(path, marks=marks, identities=identities), schedule)
        return dict(assignment.keys)

    marked, found = {KEY_MARK + "person": "Jane"}, {"PERSON": b"\x01" * 16}
    assert keys("HR/Joe/a", marked, found) == {"person": "joe"}
    assert keys("a", marked, found) == {"person": "Jane"}
    assert keys("a", {}, found) == {"person": "#" + "01" * 16}
    assert keys("a", {}, {"CASE_REFERENCE": b"\x02" * 16}) == {"case": "#" + "02" * 16}
    assert keys("a", {}, {}) == {}
