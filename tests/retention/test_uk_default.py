"""The default schedule, on the names that offices give their folders."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from agent.classification.classify import Classifier
from agent.model.decision import DecisionState
from agent.model.schedule import Disposition, EventTrigger
from agent.retention.decide import decide
from agent.retention.loader import load_schedule
from tests.retention.factories import a_record, at

PATH = Path(__file__).parents[2] / "config" / "policies" / "uk-default.yaml"
SCHEDULE = load_schedule(PATH.read_text(), PATH.name)
CLASSIFIER = Classifier(SCHEDULE)

EXAMPLES = [
    ("recruitment", "HR/Recruitment/2019/Shortlist.xlsx"),
    ("recruitment", "HR/Vacancies/Office manager/CV - A Example.pdf"),
    ("recruitment", "Job Applications 2021/CV A Example.docx"),
    ("recruitment", "HR/Candidate interview notes.docx"),
    ("personnel-file", "HR/Personnel Files/Example A/Contract.docx"),
    ("personnel-file", "HUMAN RESOURCES/STAFF FILES/EXAMPLE A/APPRAISAL 2019.DOC"),
    ("leaver-file", "HR/Leavers/Example B/Contract.docx"),
    ("leaver-file", "HR/Personnel Files/Leavers/Example B/Contract.docx"),
    ("payroll", "Finance/Payslips/2016/April.pdf"),
    ("payroll", "Accounts/Payroll 2018.xlsx"),
    ("payroll", "HR/Example A/P45.pdf"),
    ("payroll", "Finance/Pension auto-enrolment/list.xlsx"),
    ("disciplinary", "HR/Grievances/2020/letter.docx"),
    ("disciplinary", "HR/Example A final written warning.docx"),
    ("criminal-record-check", "HR/DBS/results.xlsx"),
    ("criminal-record-check", "School/DBS checks 2019/list.xlsx"),
    ("criminal-record-check", "HR/Example A DBS certificate.pdf"),
    ("sickness", "HR/Sickness absence/2020.xlsx"),
    ("sickness", "HR/Fit note Example A.pdf"),
    ("sickness", "HR/Occupational Health/Example A report.docx"),
    ("case-file", "Cases/2014-017/statement.docx"),
    ("case-file", "Investigations/Case 12/evidence/photo.jpg"),
    ("closed-case", "Closed Cases/2009-003/letter.docx"),
    ("closed-case", "Cases/Closed 2012/12-3/letter.docx"),
    ("rights-request", "Data protection/Subject access requests/2021/reply.docx"),
    ("rights-request", "SARs/12/search.xlsx"),
    ("breach-record", "Data protection/Breach log.xlsx"),
    ("client-contract", "Legal/Contracts/Example plc/signed.pdf"),
    ("client-contract", "Engagement letter Example plc.docx"),
    ("client-record", "Clients/Example plc/contacts.xlsx"),
    ("client-record", "Host Families/Example/profile.docx"),
    ("invoice", "Finance/Invoices/2015/17.pdf"),
    ("invoice", "Accounts/2015/bank.xlsx"),
    ("training", "Training/2020/attendance.xlsx"),
    ("enquiry", "Sales/Enquiries/2022/question.eml"),
    ("marketing", "Marketing/Mailing lists/autumn.csv"),
    ("meeting", "Minutes/2011-05 team.docx"),
    ("meeting", "Admin/Board minutes May.docx"),
]


def classes_of(path: str, **facts: object) -> set[str]:
    return {assignment.class_id for assignment in CLASSIFIER.classify(a_record(path, **facts))}


@pytest.mark.parametrize(("class_id", "path"), EXAMPLES)
def test_an_ordinary_office_path_is_recognised(class_id: str, path: str) -> None:
    assert class_id in classes_of(path)


def test_every_class_has_an_example() -> None:
    assert {class_id for class_id, _ in EXAMPLES} == set(SCHEDULE.by_id)


@pytest.mark.parametrize(
    "path",
    [
        "readme.txt",
        "Photos/Summer party/1.jpg",
        "IT/Server manuals/backup.pdf",
        "Projects/New website/plan.docx",
        "Recvd/app60.docx",
        "Templates/letterhead.dotx",
    ],
)
def test_a_path_that_says_nothing_is_given_no_class(path: str) -> None:
    assert classes_of(path) == set()


def test_records_that_must_be_kept_for_forty_years_are_not_taken_for_sickness_records() -> None:
    assert "sickness" not in classes_of("HR/Occupational Health/Health surveillance/Example A.pdf")


def test_a_contract_of_employment_is_no_contract_with_a_client() -> None:
    assert "client-contract" not in classes_of("HR/Contracts/Example A.docx")


@pytest.mark.parametrize(
    ("class_id", "path", "findings", "file_format"),
    [
        ("payroll", "Finance/list.xlsx", {"UK_NINO": 30, "UK_BANK_ACCOUNT": 30}, "xlsx"),
        ("criminal-record-check", "HR/letter.docx", {"SC_CRIMINAL": 1}, "docx"),
        ("sickness", "HR/letter.docx", {"SC_HEALTH": 1}, "docx"),
        ("marketing", "Office/subscribers.csv", {"EMAIL_ADDRESS": 200}, "text"),
    ],
)
def test_what_was_found_inside_gives_a_class_too(
    class_id: str, path: str, findings: dict[str, int], file_format: str
) -> None:
    assert class_id in classes_of(path, findings=findings, format=file_format)
    assert class_id not in classes_of(path, findings={}, format=file_format)


def test_nothing_is_proposed_for_destruction_unseen() -> None:
    assert {retention_class.outcome for retention_class in SCHEDULE.classes} == {Disposition.REVIEW}


def test_the_first_scan_tells_what_is_old_without_any_event() -> None:
    states = {}
    for class_id, path in EXAMPLES:
        record = a_record(path, modified_at=at(2009, 6, 1))
        decision = decide(record, CLASSIFIER.classify(record), SCHEDULE, [], date(2026, 11, 24))
        states[class_id] = decision.state
    waiting = {one.id for one in SCHEDULE.classes if isinstance(one.trigger, EventTrigger)}
    assert waiting == {"personnel-file", "case-file"}
    assert all(states[class_id] is DecisionState.WAITING for class_id in waiting)
    assert all(state is DecisionState.DUE for class_id, state in states.items() if class_id not in waiting)
