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
Emp. ⟦20417⟧ off since Monday
clock card ⟦0613⟧
D. Varga (⟦QH20417⟧) was late
Dilys Varga, glazing, ⟦QH-417⟧. Seen again on Tuesday
Starter: Ola Brandt, fitter, no. ⟦MT/0061⟧
Closed by: ⟦QH4417⟧
keys are with driver ⟦QH3310⟧
Employee Oona Tredwell, no. ⟦V-3306⟧
staff no. on the form was ⟦QH-88231⟧
21:04;gate 2;card;⟦V-3306⟧;open
Ms Oona Tredwell (⟦KV/TOOLS/3⟧)
employee ⟦QHB 6630⟧ signed
Name: Dilys Varga   ID: ⟦QH20417⟧
ESR no. ⟦30417722⟧
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
Emp ref 604/QB00417
employer PAYE ref 604/QB00417
lead nurse, ref QHK-112
tender number QH-40031 has been started by the team
Friday at the fair, Pitch J72.
payroll 2024
card 8830-1175 was lost
Dilys Varga, BS 7121, and the rest
payroll bulletin no. 48
rota code 5-2-C
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
Leeds ET ⟦3310417/2025⟧
police log ⟦417 of 12 March⟧
crime ref. ⟦44240012345⟧
LGSCO ref ⟦23 004 417⟧
Subject: your letter of Friday (⟦QH/774⟧)
Re: Varga - ⟦QHS 4410417⟧
ACAS cert no. ⟦R104417/25/31⟧
service desk: ⟦INC0048817⟧ since May
Your request of 3 June (⟦QR-0877⟧)
answered as ⟦FOI 2288⟧ in full
claim no. for the order ⟦QD-0417⟧
Mags will know, number ⟦QH/22417/25⟧
⟦Q-017⟧ | 9 Mar | Letter to the wrong house
OUTCOME REPORT (draft two)       ⟦QHI-2290⟧
she was given ⟦42/20417/25⟧ by the officer
[in on 3 May - reg as ⟦QPR/24/118⟧]
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
Vacancy: porter. Ref QH/0419
Finance Manager (ref QH-24-9)
hire agreement ref QSA/24/0033
bill for March (ref QHS-31008)
the extension next door, re 23/01180/OUT
Emp ref 604/QB00417
BS 7121 and ISO 27001
Torch, wall   QC-2023-08   12.40
call ref 3302-ABC
breach log no. 2024-11
Re: order QH-77120
order no. 42/20417/25
"""


@pytest.mark.parametrize("row", [*EMPLOYEE.splitlines(), *NOT_EMPLOYEE.splitlines()])
def test_staff_numbers_are_told_by_label_name_or_list(check: Check, row: str) -> None:
    check(EmployeeIdRecognizer(), row)


@pytest.mark.parametrize("row", [*CASE.splitlines(), *NOT_CASE.splitlines()])
def test_references_of_cases_are_told_by_label_or_a_word_in_them(check: Check, row: str) -> None:
    check(CaseReferenceRecognizer(), row)


def test_a_staff_number_stands_under_the_name_that_signs(check: Check) -> None:
    check(EmployeeIdRecognizer(), "Kind regards\nTamsin\n⟦QH-9014⟧")
    check(EmployeeIdRecognizer(), "Kind regards\nTamsin\nQH-9014 is the part to order")


def test_the_heading_of_a_letter_is_the_reference_of_its_case(check: Check) -> None:
    check(CaseReferenceRecognizer(), "Dear Oona\n\n⟦QS/912⟧ - Tredwell\n")
    check(CaseReferenceRecognizer(), "it came with lunch\nQS/912 - Tredwell\n")


def test_a_label_belongs_to_its_own_line_and_column(check: Check) -> None:
    check(CaseReferenceRecognizer(), "as set out in the policy\nRef ⟦QAW-1190⟧")
    check(CaseReferenceRecognizer(), "nothing was logged\nK-58 comes next")
    check(CaseReferenceRecognizer(), "from the file            T-20417 to 19")


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


def test_the_number_of_a_paragraph_is_nobodys_even_below_a_heading_for_staff_numbers() -> None:
    text = "Staff number:\n12. The rota is kept by the depot.\n"
    assert not EmployeeIdRecognizer().analyze(text, ["EMPLOYEE_ID"])
    assert EmployeeIdRecognizer().analyze(text.replace("12. ", "12 . "), ["EMPLOYEE_ID"])
