"""Invented people to fill the gaps of templates: names of every origin, and identifiers in the spellings one meets."""

from __future__ import annotations

import re
from random import Random

from agent.detection.names.gazetteer import origins
from training.documents import Fill

_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
_STREETS = (
    "Road Street Lane Close Avenue Crescent Drive Way Terrace Gardens Grove Place Mews Rise Court Walk Hill View"
).split()
_PLACES = (
    "Mill Church Station Victoria Albert Park Oak Elm Beech Canal Quarry Moor Chapel School Bridge Manor Castle Spring "
    "Meadow Orchard Abbey Priory Harbour Viaduct Foundry Tannery"
).split()
_MAIL = "example.org example.com outlook.com gmail.com nhs.net btinternet.com hotmail.co.uk ashdown.example.net".split()
_MONTHS = ("January February March April May June July August September October November December").split()
_HYPHENATED, _MIDDLE = 0.1, 0.2


def fill(chance: Random) -> Fill:
    """What fills the gaps of one document: a person for each of `f1`, `m1` …, the same wherever the gap stands."""
    people: dict[str, tuple[str, str, str]] = {}

    def value(key: str) -> str:
        who, dot, form = key.partition(".")
        if not dot:
            return _number(chance, re.sub(r"\d+$", "", key))
        if who not in people:
            people[who] = _person(chance, woman=who.startswith("f"))
        return _form(chance, *people[who], form)

    return value


def _person(chance: Random, *, woman: bool) -> tuple[str, str, str]:
    """Given, middle and family name; the origin of the family name is mostly that of the given one."""
    own = chance.choice(origins())
    family = own if chance.random() < 0.85 else chance.choice(origins())
    given = chance.choice(own.women if woman else own.men)
    last = chance.choice(family.family)
    if chance.random() < _HYPHENATED:
        last = f"{last}-{chance.choice(chance.choice(origins()).family)}"
    middle = ""
    if chance.random() < _MIDDLE:
        letter = chance.choice(_LETTERS)
        middle = chance.choice([f" {letter}", f" {letter}.", " " + chance.choice(own.women if woman else own.men)])
    return given, middle, last


def _form(chance: Random, given: str, middle: str, last: str, form: str) -> str:
    return {
        "full": f"{given}{middle} {last}",
        "first": given,
        "last": last,
        "short": chance.choice([f"{given[0]}. {last}", f"{given[0]} {last}", f"{given[0]}.{last}"]),
        "last_first": f"{last}, {given}{middle}",
        "caps": f"{given} {last}".upper(),
    }[form]


def _digits(chance: Random, count: int) -> str:
    return "".join(chance.choices("0123456789", k=count))


def _letters(chance: Random, count: int) -> str:
    return "".join(chance.choices(_LETTERS, k=count))


def _number(chance: Random, kind: str) -> str:
    """A number in one of its spellings; it need not pass its check, since only what is around it is learnt."""
    d, w = (lambda count: _digits(chance, count)), (lambda count: _letters(chance, count))
    day, month, year = chance.randint(1, 28), chance.randint(1, 12), chance.randint(1938, 2012)
    name = chance.choice(chance.choice(origins()).family)
    mailed = re.sub(r"[^a-z]", "", name.casefold()) or "office"
    spellings = {
        "nino": [f"{w(2)}{d(6)}{chance.choice('ABCD')}", f"{w(2)} {d(2)} {d(2)} {d(2)} {chance.choice('ABCD')}"],
        "nhs": [d(10), f"{d(3)} {d(3)} {d(4)}"],
        "phone": [
            f"07700 900{d(3)}",
            f"020 7946 0{d(3)}",
            f"+44 7700 900{d(3)}",
            f"01632 960{d(3)}",
            f"0161 496 0{d(3)}",
        ],
        "email": [
            f"{mailed}.{w(1).lower()}@{chance.choice(_MAIL)}",
            f"{w(1).lower()}{mailed}{d(2)}@{chance.choice(_MAIL)}",
        ],
        "postcode": [f"{w(2)}{d(1)} {d(1)}{w(2)}", f"{w(1)}{d(2)} {d(1)}{w(2)}", f"{w(2)}{d(2)}{d(1)}{w(2)}"],
        "street": [
            f"{chance.randint(1, 180)} {chance.choice([*_PLACES, name])} {chance.choice(_STREETS)}",
            f"Flat {chance.randint(1, 30)}, {chance.randint(1, 90)} {chance.choice(_PLACES)} {chance.choice(_STREETS)}",
        ],
        "dob": [
            f"{day:02}/{month:02}/{year}",
            f"{day}.{month}.{year % 100:02}",
            f"{day} {_MONTHS[month - 1]} {year}",
            f"{year}-{month:02}-{day:02}",
        ],
        "account": [f"{d(2)}-{d(2)}-{d(2)} {d(8)}", f"{d(2)}-{d(2)}-{d(2)}", d(8)],
        "passport": [d(9), f"{w(2)}{d(7)}"],
        "licence": [f"{name.upper()[:5].ljust(5, '9')}{d(6)}{w(2)}9{w(2)}"],
        "utr": [d(10), f"{d(5)} {d(5)}"],
        "vrm": [f"{w(2)}{d(2)} {w(3)}", f"{w(2)}{d(2)}{w(3)}"],
        "iban": [f"GB{d(2)} {w(4)} {d(4)} {d(4)} {d(4)} {d(2)}"],
        "card": [f"4{d(3)} {d(4)} {d(4)} {d(4)}"],
        "ip": [f"10.{chance.randint(0, 254)}.{chance.randint(0, 254)}.{chance.randint(1, 254)}"],
        "employee": [f"E{d(5)}", d(6), f"{w(2)}-{d(4)}", f"{w(3)}{d(4)}"],
        "case": [f"{w(3)}/{d(2)}/{d(3)}", f"{w(2)}-{d(4)}-{d(3)}", f"{w(2)}{d(6)}"],
    }
    return chance.choice(spellings[kind])
