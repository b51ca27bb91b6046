"""Invented people of the United Kingdom, with identifiers that are valid by their own rules.

Where a range is set aside for tests or drama, it is used: NHS numbers from 999, telephone numbers from Ofcom's list.
A value stands in a text as `{{TYPE|value}}`; `unmark` takes the marks off and says what they marked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

_FIRST = (
    "Tamsin Idris Morwenna Callum Priya Gethin Oluwaseun Bronagh Hamish Zainab Rowena Dafydd Ailsa Kwame Fenella "
    "Jarvis Siobhan Tariq Elspeth Lachlan Nerys Obadiah Verity Anjali"
).split()
_LAST = (
    "Quillfeather Bexcombe Trethowan Ashgrove Venkatraman Llewin Adeyoola O'Farrellan Macinver Qureshani Thistlewick "
    "Pryddwyn Strathmoor Boatengi Wolverby Penhallick Dunleary Mahmoodi Kirkbriden Garrowby Morgannwg Featherly "
    "Hollinshead Raghunath"
).split()
_STREETS = "Harbour Lane|Mill Road|Church Close|Station Terrace|Orchard Way|Victoria Crescent|Tannery Row".split("|")
_TOWNS = (("Leeds", "LS"), ("Cardiff", "CF"), ("Norwich", "NR"), ("Exeter", "EX"), ("Dundee", "DD"), ("Luton", "LU"))
_PHONE_AREAS = ("20 7946 0", "161 496 0", "113 496 0", "117 496 0", "131 496 0", "121 496 0", "29 2018 0")
_NINO_FIRST, _NINO_SECOND = "ABCEHJLMPRSWXY", "ABCEHJLMPRSWXY"
_NINO_NEVER = {"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"}
_INWARD = "ABDEFGHJLNPQRSTUWXYZ"
_MONTHS = (
    "January February March April May June July August September October November December"
).split()  # not strftime: a machine may speak another language
_MARK = re.compile(r"\{\{([A-Z_]+)\|(.*?)\}\}")


@dataclass(frozen=True, slots=True)
class Planted:
    """A value of one entity type as it is spelled in a file."""

    entity_type: str
    value: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist. Values are compact; `fields` spells them as people do."""

    first: str
    last: str
    born: date
    street: str
    town: str
    postcode: str
    phone: str
    nino: str
    nhs: str
    utr: str
    sort_code: str
    account: str
    card: str
    number: int

    @property
    def iban(self) -> str:
        rest = f"QZBK{self.sort_code}{self.account}"
        digits = "".join(str(int(letter, 36)) for letter in rest + "GB00")
        return f"GB{98 - int(digits) % 97:02}{rest}"

    @property
    def driving_licence(self) -> str:
        surname = re.sub("[^A-Z]", "", self.last.upper()).ljust(5, "9")[:5]
        year = f"{self.born.year % 100:02}"
        return f"{surname}{year[0]}{self.born:%m%d}{year[1]}{self.first[0]}99QX"


def _digits(chance: Random, count: int) -> str:
    return "".join(chance.choices("0123456789", k=count))


def _nhs(chance: Random) -> str:
    while True:
        body = "999" + _digits(chance, 6)
        check = 11 - sum(int(digit) * weight for digit, weight in zip(body, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            return body + str(check % 11)


def _utr(chance: Random) -> str:
    body = _digits(chance, 9)
    weights = (6, 7, 8, 9, 10, 5, 4, 3, 2)
    return "21987654321"[sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11] + body


def _card(chance: Random) -> str:
    body = "400000" + _digits(chance, 9)
    doubled = [int(digit) * (2 - position % 2) for position, digit in enumerate(body)]
    return body + str(-sum(number // 10 + number % 10 for number in doubled) % 10)


def _nino(chance: Random) -> str:
    while True:
        prefix = chance.choice(_NINO_FIRST) + chance.choice(_NINO_SECOND)
        if prefix not in _NINO_NEVER:
            return prefix + _digits(chance, 6) + chance.choice("ABCD")


def people(chance: Random) -> list[Person]:
    """Twenty-four people, no two of them alike."""
    names = zip(_FIRST, chance.sample(_LAST, len(_LAST)), strict=True)
    return [_person(chance, first, last, number) for number, (first, last) in enumerate(names)]


def _person(chance: Random, first: str, last: str, number: int) -> Person:
    town, area = chance.choice(_TOWNS)
    return Person(
        first=first,
        last=last,
        born=date(chance.randint(1955, 2001), chance.randint(1, 12), chance.randint(1, 28)),
        street=f"{chance.randint(1, 180)} {chance.choice(_STREETS)}",
        town=town,
        postcode=f"{area}{chance.randint(1, 9)} {chance.randint(1, 9)}{''.join(chance.choices(_INWARD, k=2))}",
        phone=f"0{_PHONE_AREAS[number % len(_PHONE_AREAS)]}{100 + number * 7}",
        nino=_nino(chance),
        nhs=_nhs(chance),
        utr=_utr(chance),
        sort_code=_digits(chance, 6),
        account=_digits(chance, 8),
        card=_card(chance),
        number=10417 + number * 13,
    )


def fields(person: Person, chance: Random) -> dict[str, str]:
    """Everything about the person in one of the spellings that people use, marked, for `str.format`."""
    nino, nhs, phone, card = person.nino, person.nhs, person.phone, person.card
    day = person.born
    spaced_nino = f"{nino[:2]} {nino[2:4]} {nino[4:6]} {nino[6:8]} {nino[8]}"
    local = f"{person.first}.{person.last}".lower().replace("'", "")
    spellings: dict[str, tuple[str, Sequence[str]]] = {
        "name": ("PERSON", (f"{person.first} {person.last}",)),
        "email": ("EMAIL_ADDRESS", (f"{local}@example.org", f"{local}@example.com")),
        "phone": ("PHONE_NUMBER", (phone, f"+44 {phone[1:]}", f"+44 (0){phone[1:]}", phone.replace(" ", ""))),
        "street": ("STREET_ADDRESS", (person.street,)),
        "postcode": ("UK_POSTCODE", (person.postcode,)),
        "born": (
            "DATE_OF_BIRTH",
            (f"{day:%d/%m/%Y}", f"{day.day} {_MONTHS[day.month - 1]} {day.year}", f"{day:%d.%m.%Y}", f"{day:%Y-%m-%d}"),
        ),
        "nino": ("UK_NINO", (nino, spaced_nino, f"{nino[:2]} {nino[2:8]} {nino[8]}")),
        "nhs": ("UK_NHS", (nhs, f"{nhs[:3]} {nhs[3:6]} {nhs[6:]}", f"{nhs[:3]}-{nhs[3:6]}-{nhs[6:]}")),
        "utr": ("UK_UTR", (person.utr, f"{person.utr[:5]} {person.utr[5:]}")),
        "sort_code": ("UK_BANK_ACCOUNT", ("-".join(re.findall("..", person.sort_code)),)),
        "account": ("UK_BANK_ACCOUNT", (person.account,)),
        "iban": ("IBAN_CODE", (person.iban, " ".join(re.findall(".{1,4}", person.iban)))),
        "card": ("CREDIT_CARD", (" ".join(re.findall("....", card)), "-".join(re.findall("....", card)), card)),
        "licence": ("UK_DRIVING_LICENCE", (person.driving_licence,)),
        "staff": ("EMPLOYEE_ID", (f"EMP-{person.number}",)),
    }
    marked = {key: f"{{{{{kind}|{chance.choice(values)}}}}}" for key, (kind, values) in spellings.items()}
    return {**marked, "first": person.first, "last": person.last, "town": person.town}


def unmark(text: str) -> str:
    """The text without its marks."""
    return _MARK.sub(r"\2", text)


def marks(texts: Iterable[str]) -> tuple[Planted, ...]:
    """What is marked in the texts, each value once, in order."""
    return tuple(dict.fromkeys(Planted(*found) for text in texts for found in _MARK.findall(text)))
