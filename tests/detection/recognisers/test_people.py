"""Numbers that the state gives to people, and their dates of birth: what is found, and look-alikes that are not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from presidio_analyzer import EntityRecognizer

from agent.detection.recognisers.birth import BirthDateRecognizer
from agent.detection.recognisers.licence import DrivingLicenceRecognizer
from agent.detection.recognisers.nhs import NhsNumberRecognizer
from agent.detection.recognisers.nino import NinoRecognizer
from agent.detection.recognisers.passport import PassportRecognizer
from agent.detection.recognisers.tax import CompanyNumberRecognizer, UtrRecognizer, VatRecognizer

Check = Callable[[EntityRecognizer, str], None]

NHS = """\
NHS no. ⟦461 922 2224⟧
NHS number: ⟦4542928411⟧, Tel to follow
nhs ⟦637-744-3161⟧
Her NHS number on the emergency card is ⟦461 922 2224⟧.
Patient number ⟦4542928411⟧
the two are NHS ⟦461 922 2224⟧ and ⟦637 744 3161⟧
J Smith, ⟦637 744 3161⟧, ward 4
N.H.S. No ⟦461 922 2224⟧
NHS no.
⟦4542928411⟧
health service number ⟦461 922 2224⟧
Name;NHS ⟦4542928411⟧;yes
"""
NOT_NHS = """\
NHS number 461 922 2225
NHS number 000 000 0000
order no. 461 922 2224
invoice 4542928411
Ring 461 922 22245
4542928411
£461 922 2224
meter 637 744 3161
account 4542928411-2
461.922.2224
NHS 461 922 222
the NHS Trust employs 4,542,928 people
"""
NINO = """\
NI number: ⟦AB 12 34 56 C⟧
NINO ⟦AB123456C⟧
(ni ⟦mb 31 35 44 c⟧)
National Insurance no. ⟦JG-09-07-04-A⟧
her papers say ⟦SE 03 22 63 C⟧ in full
4417,Rose,Tobias,⟦YY906518A⟧,1257L
N.I. number ⟦RZ 71 56 22 D⟧.
Nat. Ins. ⟦CE047030D⟧
NI: ⟦JJ 27 55 49 C⟧   NHS none
⟦KH\u00a073\u00a005\u00a019\u00a0D⟧
""".replace("\\u00a0", "\u00a0")
NOT_NINO = """\
NI number: GB 12 34 56 C
NI number: AB 12 34 56 E
NI number: DA 12 34 56 C
NI number: AO 12 34 56 C
ab123456c
part AB123456C-X
AB 12 34 5 C
XAB123456C
order AB1234567C
NI letter A, code 1257L M1
we pay National Insurance at 13.8 %
file/AB123456C
"""
PASSPORT = """\
passport ⟦561903378⟧
Passport no. ⟦538 114 902⟧, expires 2030
His passport on our file is ⟦561903378⟧.
travel document ⟦ER4471903⟧
pp ⟦533 902 117⟧
Passport seen for right to work, ⟦801277345⟧.
UK passport, original, number ⟦537902146⟧
the copy of my passport lewis made (⟦ER 4471903⟧)
passports ⟦562 338 019⟧ and ⟦B 8821904⟧ seen 4 April
Passport number:
⟦128804417⟧
"""
NOT_PASSPORT = """\
order number 533401372
533401372
VAT 533 401 372
ER4471903
passport office, room 12, 020 7946 0018
passport 53340137
passport 5334013722
passport fee £533401372
company no. 533401372
bring a passport. Booking 533401372 is paid
passport photographs 35 x 45 mm
"""
LICENCE = """\
driving licence ⟦MORGA657054SM9IJ⟧
Licence no. ⟦SZCZE 807196 MJ9RT⟧
⟦ADEBA954122T99XR⟧, own car
licence ⟦OSEIT807224M99KD⟧ (read out twice)
DVLA no: ⟦AWAN9707214TM9KE⟧
D/L ⟦GEOGH602298PA9FM⟧
Denise Abbott, ⟦ABBOT952150DM9TT⟧, 14/02/2030
photocard licence ⟦QUIRO801063FL9DY⟧
NI driving licence ⟦12345678⟧
driver number ⟦KAZI9 855125 S99TN⟧
"""
NOT_LICENCE = """\
MORGA697054SM9IJ
MORGA657994SM9IJ
99999657054SM9IJ
12345678
licence fee 34.00 due 12/2026
order MORGA657054SM9I
XMORGA657054SM9IJ
premises licence for the hall
licence agreement of 2019
driving 12345678 miles a year by order 1
TV
"""
UTR = """\
UTR ⟦2468025748⟧
UTR: ⟦54383 33992⟧
Unique Taxpayer Reference is ⟦63146 58550⟧
His UTR for the year-end form is ⟦4005111867⟧.
UTR ⟦7576 628 686⟧
tax reference ⟦2468025748⟧
CIS UTR ⟦8648727876⟧
your UTR (⟦5255459097⟧, I think?)
UTR
⟦5262028343⟧
HMRC have him under ⟦2468025748⟧
His UTR ⟦2468025748⟧, NI to follow. Hers ⟦1654504528⟧
"""
NOT_UTR = """\
UTR 2468025749
2468025748
order 2468025748
UTR 246802574
UTR 24680257481
account no. 2468025748
UTR 1111111111
UTR will follow by post
telephone 2468025748
£2468025748
"""
BIRTH = """\
born ⟦12 May 1971⟧
DOB ⟦03/04/1985⟧
d.o.b. ⟦19-7-62⟧
Date of birth: ⟦1983-05-14⟧
Re: J Wren, dob ⟦30/05/1999⟧, NHS
b. ⟦21/09/2022⟧
I was born on ⟦3.3.1999⟧ if you need it
(born ⟦23 Nov '72⟧)
DOB on file is ⟦5th March 1951⟧
Date of Birth
⟦17 December 2007⟧
Born in Cardiff, ⟦6 Jan 1983⟧
D.o.B.  ⟦07 05 1993⟧
dob ⟦Sept 9th, 1990⟧
Re Mr Ivo Tredwell, ⟦02.11.74⟧, seen in clinic
Ivo Tredwell   ⟦04 06 1974⟧   461 922 2224
"""
NOT_BIRTH = """\
12 May 1971
dated 03/04/1985
Ref 03/04/1985
start date 1 June 2020
DOB not given, seen 03/04/1985
born and bred here. Started 1 June 2020
invoice 30/05/1999
expires 30 May 1999
"dob" = "1900-01-01"
b. 12 boxes
Meeting of 12 May, 3 pm
born to run, 1975
"""
VAT = """\
VAT reg GB ⟦402 1188 04⟧
VAT no. ⟦123456782⟧
vat registration number ⟦GB888442179⟧
VAT: ⟦402118804⟧
⟦GB318842151⟧
VAT Reg. No: ⟦402 1188 04⟧
our VAT number is ⟦123456782⟧
V.A.T. ⟦123456782⟧
VAT registered ⟦402 1188 04⟧
VAT ⟦GB 402 1188 04⟧
""".replace("GB ⟦402 1188 04⟧\nVAT no", "⟦GB 402 1188 04⟧\nVAT no")
NOT_VAT = """\
402118804
order 402 1188 04
plus VAT at 20 % of 400
GB402118805
£402118804 VAT paid
402-1188-04
VAT paid. Order 402 1188 05
passport 123456782
VAT 12345678
invoice 888442179
"""
COMPANY = """\
Company no. ⟦09817741⟧
Registered in England and Wales ⟦06618840⟧
company number: ⟦SC123456⟧
Companies House ⟦OC408812⟧
Registered no. ⟦03319087⟧
Reg'd in England ⟦12093315⟧
Company registration number ⟦03319087⟧
Co. no. ⟦05518820⟧
CRN ⟦09817741⟧
registered in Scotland, no. ⟦SC123456⟧
"""
NOT_COMPANY = """\
09817741
account 09817741
invoice no. 06618840
SC123456
company car AB51 CDE
order 03319087
the company sold 12 units
ref NI123456
Company 12
registered post 1234567
"""

TABLES: list[tuple[type[EntityRecognizer], str, str]] = [
    (NhsNumberRecognizer, NHS, NOT_NHS),
    (NinoRecognizer, NINO, NOT_NINO),
    (PassportRecognizer, PASSPORT, NOT_PASSPORT),
    (DrivingLicenceRecognizer, LICENCE, NOT_LICENCE),
    (UtrRecognizer, UTR, NOT_UTR),
    (BirthDateRecognizer, BIRTH, NOT_BIRTH),
    (VatRecognizer, VAT, NOT_VAT),
    (CompanyNumberRecognizer, COMPANY, NOT_COMPANY),
]


def rows(table: str) -> list[str]:
    """A row to a line; a line that begins with the mark belongs to the label on the line above."""
    joined: list[str] = []
    for line in table.splitlines():
        if line.startswith("⟦") and joined and joined[-1][-1:] in ".:rhR" and "⟦" not in joined[-1]:
            joined[-1] += "\n" + line
        else:
            joined.append(line)
    return joined


@pytest.mark.parametrize(
    ("recogniser", "row"),
    [(recogniser, row) for recogniser, true, false in TABLES for row in [*rows(true), *false.splitlines()]],
)
def test_what_is_marked_is_found_and_nothing_else(check: Check, recogniser: type[EntityRecognizer], row: str) -> None:
    check(recogniser(), row)


@pytest.mark.parametrize("recogniser", [recogniser for recogniser, _, _ in TABLES])
def test_a_label_makes_it_surer_and_nothing_is_certain(recogniser: type[EntityRecognizer]) -> None:
    true = next(table for each, table, _ in TABLES if each is recogniser)
    text = true.splitlines()[0].replace("⟦", "").replace("⟧", "")
    scores = [result.score for result in recogniser().analyze(text, [], None)]
    assert max(scores) == pytest.approx(0.95)
