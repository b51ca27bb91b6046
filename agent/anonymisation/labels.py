"""What stands in the place of a value: its entity type, written as Presidio writes it."""

from __future__ import annotations

import logging
import re
from collections import Counter

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
_LABEL = re.compile(rf"<(?:{_ANY_WORD})(?: \d+)?>|(?<![^\W_])(?:{_ANY_WORD})(?:_\d+)?(?![^\W_])")


class Labels:
    """Gives each value its label: `<PERSON>`, or with numbers `<PERSON 1>`, the same for the same value.

    All special categories and criminal-records data have the label `<SENSITIVE>`.

    The numbers live as long as this object; nothing tells afterwards which value had which.
    """

    def __init__(self, *, numbered: bool) -> None:
        logging.getLogger("presidio-anonymizer").disabled = True  # it writes where in a text something was
        self._engine = AnonymizerEngine()  # type: ignore[no-untyped-call]
        self._numbered = numbered
        self._given: dict[tuple[str, str], str] = {}
        self._highest: Counter[str] = Counter()

    def of(self, entity_type: str, value: str) -> str:
        """The label; spelling in capitals and the width of spaces make no other value."""
        word = _WORDS[entity_type]
        key = (word, " ".join(value.casefold().split()) if self._numbered else "")
        if key not in self._given:
            self._given[key] = self._replaced(word, value)
        return self._given[key]

    def _replaced(self, word: str, value: str) -> str:
        operator = OperatorConfig("replace")
        if self._numbered:
            self._highest[word] += 1
            operator = OperatorConfig("replace", {"new_value": f"<{word} {self._highest[word]}>"})
        found = RecognizerResult(word, 0, len(value), 1.0)
        return self._engine.anonymize(value, [found], {word: operator}).text


def bare(label: str) -> str:
    """The label in letters, digits and low lines alone, for where no others may stand: an address, a name."""
    return label.strip("<>").replace(" ", "_")


def label_ranges(text: str) -> list[tuple[int, int]]:
    """Where labels stand in a text, in order, with their angle brackets or bare."""
    return [found.span() for found in _LABEL.finditer(text)]


def without_labels(text: str) -> str:
    """The text with a space in the place of each label."""
    return _LABEL.sub(" ", text)
