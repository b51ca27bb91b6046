"""Texts of an office, always the same ones: policies, e-mail, letters, HR notes, rows of tables and logs."""

from __future__ import annotations

import re
from random import Random

from tests.corpus.people import Person, fields, people, unmark

KINDS = ("policy", "e-mail", "letter", "hr note", "rows", "log")
_SHARES = (0.49, 0.16, 0.09, 0.05, 0.13, 0.08)  # of the bytes

_SUBJECTS = (
    "The records manager|Every line manager|The board|A head of service|The project team|Each department|"
    "The audit committee|The supplier|A contractor|The facilities team|The steering group|The finance team"
).split("|")
_VERBS = (
    "reviews|approves|keeps|sets out|publishes|maintains|agrees|follows|reports on|circulates|considers|updates"
).split("|")
_OBJECTS = (
    "the retention schedule|the risk register|the delivery plan|the budget forecast|the business continuity plan|"
    "the register of interests|the procurement guidance|the induction checklist|the meeting room calendar|"
    "the service standards|the travel policy|the change log"
).split("|")
_ENDS = (
    "once a year, in April|before the end of each quarter|on the advice of the legal team|when the need has passed|"
    "as far as resources allow|in line with the agreed procedure|unless an inquiry is open|without undue delay|"
    "for the period that the law asks for|at the next ordinary meeting|with the help of the service desk"
).split("|")
_DISCLAIMER = (
    "\n________________________________\nThis message and its attachments are confidential and meant for the person "
    "it is addressed to. If it reached you in error, please delete it and tell the sender.\n"
)
_MAIL = (
    "From: {name} <{email}>\nSent: {day} March 20{year} 09:{minute}\nSubject: RE: {subject}\n\nHi {first},\n\n"
    "{prose}\n\nKind regards\n{name}\nT: {phone}\n"
)
_LETTER = (
    "{street}\n{town}\n{postcode}\n\n{day} May 20{year}\n\nDear {name},\n\nYour reference C{number}\n\n{prose}\n"
    "Please ring {phone} or answer to {email}.\n\n{prose}\n\nYours sincerely\n\n"
)
_NOTE = (
    "FILE NOTE\nEmployee: {name}, {staff}. Date of birth: {born}\nNational Insurance number: {nino}\n"
    "Bank: {sort_code} {account}\nAddress: {street}, {town} {postcode}\n\n{prose} NHS number {nhs}.\n\n{prose}\n"
)
_ROW = "{staff},{name},{nino},{phone},{email},{postcode},{born},20{year}-04-{day},active\n"
_LOG = (
    "20{year}-03-{day}T06:27:{minute}.60 INFO req={number} ip=10.4.{minute}.{day} path=/records/{number} status=200 "
    "ms={minute} bytes={number}7\n"
)


class _Writer:
    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)
        self._people = people(self._chance)

    def sentences(self, count: int) -> str:
        choose = self._chance.choice
        return " ".join(
            f"{choose(_SUBJECTS)} {choose(_VERBS)} {choose(_OBJECTS)} {choose(_ENDS)}." for _ in range(count)
        )

    def filled(self, template: str, person: Person | None = None) -> str:
        chance = self._chance
        person = person or chance.choice(self._people)
        while "{prose}" in template:
            template = template.replace("{prose}", self.sentences(chance.randint(3, 9)), 1)
        return unmark(
            template.format(
                day=f"{chance.randint(1, 28):02}",
                year=chance.randint(15, 25),
                minute=f"{chance.randint(10, 59)}",
                number=chance.randint(10_000, 99_999),
                subject=chance.choice(_OBJECTS),
                **fields(person, chance),
            )
        )

    def text(self, kind: str) -> str:
        chance = self._chance
        if kind == "policy":
            sections = (
                f"{number}. {self.sentences(chance.randint(3, 8))}" for number in range(1, chance.randint(6, 40))
            )
            return "\n\n".join(sections)
        if kind == "e-mail":
            return "".join(self.filled(_MAIL) + _DISCLAIMER for _ in range(chance.randint(1, 4)))
        template = {"letter": _LETTER, "hr note": _NOTE, "rows": _ROW, "log": _LOG}[kind]
        times = chance.randint(20, 150) if kind in ("rows", "log") else 1
        return "".join(self.filled(template) for _ in range(times))


def mixed(size: int, seed: int = 7) -> dict[str, list[str]]:
    """Texts of each kind, about `size` bytes together."""
    writer = _Writer(seed)
    corpus: dict[str, list[str]] = {}
    for kind, share in zip(KINDS, _SHARES, strict=True):
        texts: list[str] = []
        while sum(len(text.encode()) for text in texts) < size * share:
            texts.append(writer.text(kind))
        corpus[kind] = texts
    return corpus


def prose(size: int, seed: int = 8, *, numbered: bool = True) -> list[str]:
    """Policies without personal data, about `size` bytes together; `numbered` are their sections."""
    writer = _Writer(seed)
    texts: list[str] = []
    total = 0
    while total < size:
        text = writer.text("policy")
        texts.append(text if numbered else re.sub(r"\d+\. ", "", text))
        total += len(texts[-1])
    return texts
