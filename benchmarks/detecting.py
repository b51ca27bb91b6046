"""How fast text is searched, beside plain Presidio with the same recognisers on the same texts."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from random import Random

from presidio_analyzer import AnalyzerEngine

from agent.detection.language import LocalNlpEngine
from agent.detection.presidio import PresidioDetector
from agent.detection.registry import LANGUAGE, registry
from tests.corpus.people import Person, fields, people, unmark

_POLICY = (
    "Every manager keeps the records of the team in the folders that this schedule names and nowhere else. "
    "Records are reviewed once a year, in April, and what has served its purpose is put forward for disposal. "
    "Section {number} sets out who decides; nobody disposes of a record while a claim or an inquiry is open. "
)
_LETTER = (
    "Dear {name},\nwe write to {street}, {town} {postcode} about your pay. National Insurance number {nino}, "
    "account {account} at {sort_code}. Please ring {phone} or answer to {email}.\nYours sincerely\n\n"
)
_ROW = "{name},{staff},{nino},{phone},{email},{postcode},{iban}\n"


def _texts() -> dict[str, list[str]]:
    """Texts of four kinds, always the same ones."""
    chance = Random(7)
    everybody = people(chance)

    def filled(template: str, person: Person) -> str:
        return unmark(template.format(number=chance.randint(1, 40), **fields(person, chance)))

    def repeated(template: str, times: int) -> str:
        return "".join(filled(template, chance.choice(everybody)) for _ in range(times))

    return {
        "policy prose": [repeated(_POLICY, 60) for _ in range(12)],
        "letters": [repeated(_LETTER, 1) for _ in range(400)],
        "one long file of letters": [repeated(_LETTER, 250)],
        "rows of a table": [repeated(_ROW, 300) for _ in range(2)],
    }


def _rate(search: Callable[[str], object], texts: Sequence[str]) -> float:
    """Millions of UTF-8 bytes for each second of processor time."""
    began = time.process_time()
    for text in texts:
        search(text)
    return sum(len(text.encode()) for text in texts) / (time.process_time() - began) / 1e6


def measure() -> None:
    """Prints MB/s for each kind of text, one core, start-up left out."""
    logging.getLogger("presidio-analyzer").disabled = True
    plain = AnalyzerEngine(
        registry=registry(names=False), nlp_engine=LocalNlpEngine(None), supported_languages=[LANGUAGE]
    )
    ours = PresidioDetector()
    plain.analyze("warm 020 7946 0018", LANGUAGE)
    ours.detect("warm 020 7946 0018")
    print("Searching text, MB/s on one core: ours beside plain Presidio with the same recognisers")
    for kind, texts in _texts().items():
        size = sum(len(text.encode()) for text in texts)
        before, after = _rate(lambda text: plain.analyze(text, LANGUAGE), texts), _rate(ours.detect, texts)
        print(
            f"  {kind:<26} {len(texts):4} texts, {size / 1e6:5.2f} MB: plain {before:6.3f}, ours {after:6.3f} MB/s, "
            f"{after / before:5.1f} times"
        )
    print()
