"""Ways to reach, to pay and to drive: what is found, and look-alikes that are not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from presidio_analyzer import EntityRecognizer

from agent.detection.recognisers.bank import BankAccountRecognizer, BankIbanRecognizer
from agent.detection.recognisers.card import PaymentCardRecognizer
from agent.detection.recognisers.internet import InternetAddressRecognizer
from agent.detection.recognisers.mail import EmailAddressRecognizer
from agent.detection.recognisers.phone import DialledNumberRecognizer, RegionalPhoneRecognizer
from agent.detection.recognisers.postcode import PostcodeRecognizer
from agent.detection.recognisers.street import StreetAddressRecognizer
from agent.detection.recognisers.vehicle import VehicleRegistrationRecognizer

Check = Callable[[EntityRecognizer, str], None]

PHONE = """\
Ring ⟦020 7946 0018⟧ after six
mobile ⟦+44 (0)7700 900123⟧
⟦0121-496-0312⟧
(⟦01632 960 227⟧)
Tel ⟦(01584) 555 019⟧
⟦01752.555.017⟧
sms,⟦07700900812⟧,Gay
⟦447700900771⟧ 11:15 hello
helpline ⟦0800 555 011⟧
⟦+353 1 437 0000⟧
⟦01326 555 0142⟧ as films have it
Tel. ⟦O7700 9OO2l4⟧
0113 or ⟦0113 496 0388⟧
call ⟦07700 900, 721⟧.
9/11 ⟦07700 900 417⟧ rang twice
on her card: ⟦0115 496 0417⟧
"""
NOT_PHONE = """\
sort code 04-00-04 55120937
NHS 461 922 2224
2024-03-10T06:27:04.60
order 0100577468
0471 of 06/07
0093 3312 4471
08-92-99 65110374
07/05/1993 and 08.30
invoice no. 02079460018
0000000000
part 01-632-960
serial 07700900812X
version 01.632.960
"""
EMAIL = """\
Write to ⟦tamsin@quillfeather.example⟧ today
<⟦idris@dc01.corp.local⟧>
mailto:⟦a.b-c+d@x.co.uk⟧.
⟦T_Smith%1@sub.domain.org⟧;
"⟦o'shea@sendme.example.net⟧"
⟦zoë@café.example⟧
from ⟦x@y.io⟧, to
[⟦first.last@nhs.net⟧]
⟦a@b-c.uk⟧
⟦UPPER@CASE.COM⟧
"""
NOT_EMAIL = """\
@handle on chat
a@b
user@localhost
3 @ 1.75
name@.com
name@domain.
12 eggs @ 2.40 each
a@1.2.3.4
@example.com
me at example dot com
"""
IP = """\
logged in from ⟦192.0.2.17⟧
⟦81.174.22.9⟧, which turned out
src=⟦10.20.4.117⟧
host ⟦2001:db8::1⟧
ip ⟦fd12:3456:789a:1::25⟧
(⟦203.0.113.77⟧)
⟦10.0.0.1⟧ and ⟦10.0.0.2⟧
Z,⟦192.0.2.141⟧,active
From IP       ⟦81.2.69.144⟧
reader address ⟦192.168.40.17⟧.
"""
NOT_IP = """\
version 16.0.4.51
v2.0.0.9
section 1.2.3.4
firmware 4.11.0.2
1.2.3
256.1.1.1
1.2.3.4.5
12:30:45
10.44.0.0/16
clause 12.3.4.5
mail program version is now 16.10.44.51
"""
POSTCODE = """\
17 Mill Road, Leeds ⟦LS1 4AP⟧
⟦SW1A 1AA⟧
⟦M3 4NH⟧
Postcode ⟦EC1N 2HQ⟧
drives in from ⟦GL2 4PB⟧.
Larkhall
⟦ML9 2BN⟧
(⟦NE26 1AB⟧ ish)
"⟦CO10 1PX⟧","Y"
⟦B79 7LP⟧ and ⟦BT6 9FL⟧
⟦W1T3NF⟧
lives in ⟦ls6 2ab⟧ now
LS1 or ⟦LSl 4AP⟧, as scanned
Hove ⟦BN3\u00a01AE⟧
""".replace("Larkhall\n", "Larkhall ")
NOT_POSTCODE = """\
XX1 1AA
LS1 4CP
LS1 4A
A4 paper
form AR21
L5/S1
QQ1 1AA
LS14APX
JQ1 2AB
B2B and B2C
PO123456
share code W4T 7NB 2LD
room b2 3rd floor
B1 ONE OFF
"""
STREET = """\
⟦17 Mill Road⟧, Leeds LS1 4AP
Address: ⟦Flat 2, 88 Montpelier Rise⟧
lives at ⟦9b Furnace Hill⟧, S3 7AF
⟦Old Dispensary, 20 Sheep Street⟧
Skipton BD23 1JH
⟦Unit 4, Goods Yard⟧, Evesham WR11 4DN
⟦PO Box 72⟧, Shrewsbury SY1 2AB
⟦3 Heol y Coed⟧, Pontyclun CF72 9AD
⟦52 Cross Keys Lane⟧
⟦33 Heaton Park Dr⟧ BD9 5QE
⟦4 Tan-y-Graig⟧, LL57 1BW
to ⟦14-16 St John's Terrace⟧
⟦Quern Barn, Holloway Lane⟧, for sale
⟦64 Juniper Crescent, Flat 3⟧, asked
⟦Maes Glas, Ffordd Newydd⟧, Aberaeron SA46 0AB
⟦Unit 7, Smithy⟧, Ludlow SY8 1QA
⟦17 MILL ROAD⟧
⟦5 The Green⟧
she lives at ⟦6 lilac avenue⟧ with her mum
⟦Larkrise Surgery, Tithe Lane⟧ OX7 5QA
""".replace("Street⟧\nSkipton", "Street⟧, Skipton")
NOT_STREET = """\
3 Jim Park – no chainsaw ticket
09:40 Lars Holt: reset reader
2 years on the Road to Recovery
in 2022, Doncaster Crown Court
the Green Party gained 2 seats
Lane 4 is closed
12 boxes, 3 pallets
Mrs Hill and Mr Wood
4 Apr Court hearing moved
page 12 of the Close report
the High Street
open 11–3, Abbey Road entrance
depot 3, Monday
5 miles of road
2 cars in the drive
"""
CARD = """\
Card ⟦4111 1111 1111 1111⟧ was charged
Visa ⟦4532 0188 4417 3626⟧
amex ⟦3742 864108 56895⟧
(⟦5213683744894622⟧)
⟦4929-8521-4877-4122⟧ exp 09/27
card no. ⟦4111111111111111⟧
Mastercard: ⟦5424 1294 9128 5791⟧
⟦4606 5521 9983 0563⟧
debit card ⟦5404 1357 9262 8906⟧
⟦4543 3182 3691 2822⟧, on the back
"""
NOT_CARD = """\
4111 1111 1111 1112
EAN 5055512340026
4444 4444 4444 4444
5055512340026
order no. 5213683744894622
4111 1111 1111
41111111111111111
card 1234
1111 1111 1111 1117
card ending 3626
"""
BANK = """\
sort code ⟦30-98-97⟧, account ⟦53661747⟧
BACS ⟦23-69-72 / 10044719⟧.
into ⟦60-12-24 22485914⟧
Sort code: ⟦04 00 04⟧
a/c ⟦18371454⟧
⟦11-22-64⟧, ⟦60817734⟧
account number ⟦41882093⟧
acct no: ⟦6510 9377⟧
Pay to ⟦20-33-61 / 73310482⟧
s/c ⟦77-85-03⟧ a/c ⟦41928870⟧
Pay to ⟦30-90-17⟧  ⟦21450417⟧
"""
NOT_BANK = """\
30-98-97
10044719
council tax account 80417726
order no. 53661747
12-05-24 10:30
account 1140 2298 7716 0034
invoice 41882093
SNOMED 195967001, 13645005
customer account 12345678
2024-03-11
tel 23-69-72
"""
IBAN = """\
IBAN ⟦GB82 WEST 1234 5698 7654 32⟧
⟦GB82WEST12345698765432⟧
iban: ⟦DE65 3704 0044 0532 0139 17⟧
⟦FR76 3000 4910 5241 3554 3689 556⟧ since
pay ⟦LT12 1000 0111 0100 1000⟧
(IBAN ⟦GB68 COOP 4956 7220 6917 49⟧)
⟦IE29 AIBK 9311 5212 3456 78⟧
⟦PL73109024020000000611223344⟧
⟦BE68 5390 0754 7034⟧
to ⟦GB84 NWBK 3098 9737 4918 73⟧.
"""
NOT_IBAN = """\
GB83 WEST 1234 5698 7654 32
GB82 WEST 1234
IBAN to follow
ZZ82 WEST 1234 5698 7654 32
GB402118804
LOYDGB21XX
GB00 0000 0000 0000 0000 00
DE65 3704 0044 0532 0139
AB12 CDE
12345698765432
"""
VEHICLE = """\
vehicle registration ⟦AB51 CDE⟧
her car is ⟦A123 BCD⟧
white Transit ⟦DN17 ZRO⟧
⟦KR70TUV⟧ off road
Reg. ⟦BX68 OHJ⟧
van (⟦YT21 HKD⟧)
the plate, ⟦NJ66 PTX⟧
Car ⟦ABC 123D⟧
car ⟦BIG 1234⟧
keys of ⟦SK68 BVA⟧
"""
NOT_VEHICLE = """\
form ar21
AB30 CDE
LS1 4AP
IN10 caution
see A4 AND B5
AB51CDEF
order ref no. AB51 CDE
A123
ABC 123
the car park at B12
version X11 ABC
"""

TABLES: list[tuple[type[EntityRecognizer], str, str]] = [
    (DialledNumberRecognizer, PHONE, NOT_PHONE),
    (EmailAddressRecognizer, EMAIL, NOT_EMAIL),
    (InternetAddressRecognizer, IP, NOT_IP),
    (PostcodeRecognizer, POSTCODE, NOT_POSTCODE),
    (StreetAddressRecognizer, STREET, NOT_STREET),
    (PaymentCardRecognizer, CARD, NOT_CARD),
    (BankAccountRecognizer, BANK, NOT_BANK),
    (BankIbanRecognizer, IBAN, NOT_IBAN),
    (VehicleRegistrationRecognizer, VEHICLE, NOT_VEHICLE),
]


@pytest.mark.parametrize(
    ("recogniser", "row"),
    [(each, row) for each, true, false in TABLES for row in [*true.splitlines(), *false.splitlines()]],
)
def test_what_is_marked_is_found_and_nothing_else(check: Check, recogniser: type[EntityRecognizer], row: str) -> None:
    check(recogniser(), row)


def test_numbers_of_other_regions_are_found_on_request() -> None:
    text = "Anruf 030 231251"
    assert not DialledNumberRecognizer().analyze(text, [], None)
    assert RegionalPhoneRecognizer(["DE"]).analyze(text, [], None)
