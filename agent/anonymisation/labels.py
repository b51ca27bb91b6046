"""What stands in the place of a value: its entity type, written as Presidio writes it."""

from __future__ import annotations

import logging
import re

from presidio_anonymizer import AnonymizerEngine
from presidio_anonymizer.entities import OperatorConfig, RecognizerResult

from agent.model.categories import ENTITY_CATEGORIES
from agent.model.finding import JUDGED_CATEGORIES

# "SC_RELIGION" in a text would itself read as a word about somebody's religion.
_SENSITIVE = "SENSITIVE"
_WORDS = {
    entity_type: _SENSITIVE if category in JUDGED_CATEGORIES else entity_type
    for entity_type, category in ENTITY_CATEGORIES.items()
}
_ANY_WORD = "|".join(sorted(set(_WORDS.values()), key=lambda word: (-len(word), word)))
_LABEL = re.compile(rf"<(?:{_ANY_WORD})>|(?<![^\W_])(?:{_ANY_WORD})(?![^\W_])")


class Labels:
    """Gives each value its label, `<PERSON>`. All special categories and criminal-records data have the label
    `<SENSITIVE>`.
    """

    def __init__(self) -> None:
        logging.getLogger("presidio-anonymizer").disabled = True  # it writes where in a text something was
        self._engine = AnonymizerEngine()  # type: ignore[no-untyped-call]
        self._given: dict[str, str] = {}

    def of(self, entity_type: str, value: str) -> str:
        """The label of a value of that type."""
        word = _WORDS[entity_type]
        if word not in self._given:
            self._given[word] = self._replaced(word, value)
        return self._given[word]

    def _replaced(self, word: str, value: str) -> str:
        found = RecognizerResult(word, 0, len(value), 1.0)
        return self._engine.anonymize(value, [found], {word: OperatorConfig("replace")}).text


def bare(label: str) -> str:
    """The label in letters and low lines alone, for where no others may stand: an address, a name."""
    return label.strip("<>")


def label_ranges(text: str) -> list[tuple[int, int]]:
    """Where labels stand in a text, in order, with their angle brackets or bare."""
    return [found.span() for found in _LABEL.finditer(text)]


def without_labels(text: str) -> str:
    """The text with a space in the place of each label."""
    return _LABEL.sub(" ", text)
