"""References of staff and of cases, by label, by place and by an organisation's own form."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from presidio_analyzer import EntityRecognizer

from agent.detection.recognisers.references import (
    CaseReferenceRecognizer,
    EmployeeIdRecognizer,
    OrganisationReferenceRecognizer,
)

Check = Callable[[EntityRecognizer, str], None]

EMPLOYEE = """\
staff no. ⟦RG-027⟧
Payroll no ⟦PSA0129⟧, d.o.b.
My clock number is ⟦44071⟧.
works number ⟦KB-0117⟧
Mr Craig Illingworth (⟦SS/2094⟧), Stores
BADGE NO: ⟦U0071853⟧
employee id ⟦004417⟧
⟦BL0081⟧  Wayne Deakin     enrolled
⟦500712⟧ Ged Heneghan – 2 days
uid=⟦40131⟧ match
clock ⟦EX-5512⟧
Payroll/works no.  ⟦C0-7745⟧
"""
NOT_EMPLOYEE = """\
invoice no. RG-027
44071
SEC-7010  Union Jack luggage straps
staff meeting on 12/03/2024
Supplier: Larkrise Partners LLP (OC408812)
order PSA0129
employee of the month 2024
12 Wayne Deakin
case SS/2094
ST0NELEIGH PARK SCH00L
AB12 3CD
staff of 120 in 14 offices
"""
CASE = """\
Our ref ⟦MW/OH/24-0617⟧
crime ref ⟦42/88105/25⟧
Case ⟦INV/25/07⟧
complaint no. ⟦FR-C-118⟧
(our ref ⟦GRV/24/07⟧)
told the ICO (⟦IC-274418-K2P7⟧)
police log ⟦0188 of 09/07/2024⟧
HSE ref ⟦4826113⟧
student number ⟦S1204417⟧
Claim ⟦MV-5518902⟧
Your request ⟦SAR-2025-061⟧
the order is ⟦13LD 0482 25 A⟧
"""
NOT_CASE = """\
order no. MW/OH/24-0617
invoice ref LHS-20177
form HR-22
12/03/2024
ref 77120
vacancy ref HCC-25-06
part SG-F-10
in case 3 of them fail
2024-25 budget
1.5.2-3
meter 12/345
contract SLA/26/004
"""


@pytest.mark.parametrize("row", [*EMPLOYEE.splitlines(), *NOT_EMPLOYEE.splitlines()])
def test_staff_numbers_are_told_by_label_name_or_list(check: Check, row: str) -> None:
    check(EmployeeIdRecognizer(), row)


@pytest.mark.parametrize("row", [*CASE.splitlines(), *NOT_CASE.splitlines()])
def test_references_of_cases_are_told_by_label_or_a_word_in_them(check: Check, row: str) -> None:
    check(CaseReferenceRecognizer(), row)


@pytest.mark.parametrize(
    ("context", "text", "score"),
    [
        ("", "see QX-1234 there", 0.75),
        ("enquiry", "enquiry QX-1234", 0.95),
        ("enquiry", "see QX-1234 there", 0.3),
        ("", "see QX-12345 there", None),
    ],
)
def test_an_organisation_gives_the_form_of_its_own(context: str, text: str, score: float | None) -> None:
    found = OrganisationReferenceRecognizer("CASE_REFERENCE", r"QX-\d{4}", context).analyze(text, [], None)
    assert [result.score for result in found] == ([] if score is None else [score])
