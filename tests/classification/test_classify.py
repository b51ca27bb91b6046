from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent.classification.classify import BY_CONTENT, BY_FINDING, BY_KIND, BY_MARK, BY_PATH, Classifier, classify
from agent.classification.file_kinds import file_kind_of
from agent.model.condition import (
    AllOf,
    AnyOf,
    Condition,
    ContentIs,
    FileKind,
    FileKindIs,
    FindingPresent,
    Not,
    PathMatches,
    PathPattern,
    ShareIs,
)
from agent.model.decision import CLASS_MARK, Assignment
from agent.model.finding import CategoryVerdict, DataCategory, Verdict
from agent.model.outcome import Outcome, OutcomeKind
from agent.model.record import Record
from agent.model.record_kind import RecordKind
from agent.model.schedule import Disposition, RetentionClass, RetentionSchedule

MOMENT = datetime(2020, 1, 1, tzinfo=UTC)


def record(path: str = "HR/a.docx", **facts: Any) -> Record:
    given = {"share": "Office", "format": "docx", "marks": {}, "findings": {}, **facts}
    return Record(
        path=path,
        size_bytes=1,
        modified_at=MOMENT,
        first_seen_at=MOMENT,
        outcome=Outcome(OutcomeKind.SCANNED),
        **given,
    )


def schedule(**conditions: Condition) -> RetentionSchedule:
    classes = tuple(
        RetentionClass(name, name, "law", "all", condition, ("person",), None, None, Disposition.RETAIN_PERMANENTLY)
        for name, condition in conditions.items()
    )
    return RetentionSchedule("test", "Test", "1", "Example Ltd", ZoneInfo("Europe/London"), classes)


def path(*patterns: str) -> PathMatches:
    return PathMatches(tuple(map(PathPattern, patterns)))


def only(condition: Condition, item: Record) -> Assignment | None:
    assignments = classify(item, schedule(one=condition))
    assert len(assignments) < 2
    return assignments[0] if assignments else None


def test_a_path_gives_class_key_and_words() -> None:
    assignment = only(path("hr/{person}/**"), record("HR/Smith J/a.docx"))
    assert assignment == Assignment("one", {"person": "smith j"}, BY_PATH, 'path pattern "hr/{person}/**"', False)


def test_a_pattern_that_captures_is_preferred_wherever_it_stands() -> None:
    patterns = path("hr/**", "hr/{person}/**")
    nested = AnyOf((path("hr/**"), path("hr/{person}/**")))
    for condition in (patterns, nested):
        assignment = only(condition, record("HR/Smith J/a.docx"))
        assert assignment is not None
        assert assignment.keys == {"person": "smith j"}


def test_a_share_is_told_by_its_name_without_regard_to_case() -> None:
    assignment = only(ShareIs(("HR", "office")), record())
    assert assignment is not None
    assert (assignment.provenance, assignment.confidence) == ('share "office"', BY_KIND)
    assert only(ShareIs(("HR",)), record()) is None


def test_findings_are_counted_by_type_or_over_a_category() -> None:
    item = record(findings={"EMAIL_ADDRESS": 2, "PHONE_NUMBER": 3, "CREDIT_CARD": 1})
    contact = only(FindingPresent(DataCategory.CONTACT, 5), item)
    assert contact is not None
    assert contact.provenance == '5 findings of the data category "contact"'
    assert contact.confidence == BY_FINDING
    assert only(FindingPresent(DataCategory.CONTACT, 6), item) is None
    card = only(FindingPresent("CREDIT_CARD"), item)
    assert card is not None
    assert card.provenance == "1 finding of type CREDIT_CARD"
    assert only(FindingPresent("CREDIT_CARD", 2), item) is None
    assert only(FindingPresent(DataCategory.HEALTH), record()) is None


def test_all_of_needs_every_part_and_keeps_keys_and_words_of_each() -> None:
    condition = AllOf((path("hr/{person}/**"), FileKindIs((FileKind.DOCUMENT,)), Not(ShareIs(("archive",)))))
    assignment = only(condition, record("HR/Smith J/a.docx"))
    assert assignment is not None
    assert assignment.keys == {"person": "smith j"}
    assert assignment.provenance == 'path pattern "hr/{person}/**" and file kind document and no exception applies'
    assert assignment.confidence == BY_PATH
    assert only(condition, record("HR/Smith J/a.docx", share="archive")) is None
    assert only(condition, record("HR/Smith J/a.pdf", format="pdf")) is None


def test_what_the_text_looks_like_is_evidence_as_sure_as_the_model_is() -> None:
    condition = ContentIs((RecordKind.PAYROLL, RecordKind.SICKNESS))
    likely = record("x/a.docx", verdict=Verdict(kinds=(("payroll", 0.62), ("sickness", 0.3))))
    assignment = only(condition, likely)
    assert assignment is not None
    assert assignment.provenance == "text like that of payroll (62% sure)"
    assert assignment.confidence == 0.62
    certain = only(condition, record("x/a.docx", verdict=Verdict(kinds=(("sickness", 0.99),))))
    assert certain is not None
    assert certain.confidence == BY_CONTENT
    second_guess = Verdict(kinds=(("invoice", 0.5), ("payroll", 0.4)))
    assert only(condition, record("x/a.docx", verdict=second_guess)) is None
    assert only(condition, record("x/a.docx")) is None


def test_a_category_that_the_document_reveals_as_a_whole_counts_as_found() -> None:
    verdict = Verdict((CategoryVerdict(DataCategory.HEALTH, 0.8),))
    assert only(FindingPresent(DataCategory.HEALTH), record("x/a", verdict=verdict)) is not None
    assert only(FindingPresent(DataCategory.HEALTH, 2), record("x/a", verdict=verdict)) is None
    assert only(FindingPresent(DataCategory.GENETIC), record("x/a", verdict=verdict)) is None


def test_only_the_keys_of_the_class_are_given() -> None:
    assignment = only(path("{dept}/{person}/**"), record("HR/Smith J/a.docx"))
    assert assignment is not None
    assert dict(assignment.keys) == {"person": "smith j"}


def test_a_mark_assigns_explicitly_and_first_and_leaves_the_others_standing() -> None:
    both = schedule(first=path("hr/**"), second=path("nowhere/**"), third=path("hr/{person}/**"))
    item = record("HR/Smith J/a.docx", marks={CLASS_MARK: " Third "})
    third, first = classify(item, both)
    assert (third.class_id, third.explicit, third.confidence) == ("third", True, BY_MARK)
    assert third.keys == {"person": "smith j"}
    assert third.provenance == f'mark "{CLASS_MARK}" at the source, and path pattern "hr/{{person}}/**"'
    assert (first.class_id, first.explicit) == ("first", False)
    second, *_ = classify(record(marks={CLASS_MARK: "second"}), both)
    assert (second.class_id, second.explicit, second.keys) == ("second", True, {})
    assert second.provenance == f'mark "{CLASS_MARK}" at the source'


def test_a_mark_that_names_no_class_assigns_none() -> None:
    assert classify(record("x/a", marks={CLASS_MARK: "fourth"}), schedule(one=path("hr/**"))) == ()


def test_one_classifier_serves_many_records() -> None:
    classifier = Classifier(schedule(hr=path("hr/**"), finance=path("finance/**")))
    found = [classifier.classify(record(name))[0].class_id for name in ("HR/a", "Finance/b", "hr/c/d")]
    assert found == ["hr", "finance", "hr"]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.docx", "docx", FileKind.DOCUMENT),
        ("a.docx", "pdf", FileKind.PDF),
        ("a.csv", "text", FileKind.SPREADSHEET),
        ("a.XLSX", "unknown", FileKind.SPREADSHEET),
        ("a.eml", "", FileKind.MAIL),
        ("notes", "text", FileKind.TEXT),
        ("folder.pdf/notes", "unknown", FileKind.OTHER),
        (".pdf", "unknown", FileKind.OTHER),
        ("a.b.zip", "unknown", FileKind.ARCHIVE),
        ("a.weird", "unknown", FileKind.OTHER),
        ("a.weird", "text", FileKind.TEXT),
        ("a.mdb", "unknown", FileKind.DATABASE),
    ],
)
def test_the_kind_of_a_file_is_told_by_its_content_and_else_by_its_name(
    name: str, content: str, kind: FileKind
) -> None:
    assert file_kind_of(record(f"x/{name}", format=content)) is kind
