"""The nine categories as Presidio recognisers, which share one analysis of a text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from presidio_analyzer import EntityRecognizer, RecognizerResult

from agent.detection.special.search import ENTITY_TYPES, SpecialSearch
from agent.model.finding import Span


class SharedSpecialSearch:
    """Searches a text once, however many recognisers ask for it one after the other. Not safe between threads."""

    def __init__(self, search: SpecialSearch | None = None) -> None:
        self._search = search or SpecialSearch()
        self._asked = b""
        self._found: list[Span] = []

    def find(self, text: str, persons: Sequence[Span] = ()) -> list[Span]:
        """The evidence of all categories in a text."""
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        if digest != self._asked:
            self._asked, self._found = digest, self._search.find(text, persons)
        return self._found


class SpecialCategoryRecogniser(EntityRecognizer):
    """Finds candidates for one category. Presidio gives recognisers no names, so pronouns and titles are the link."""

    def __init__(self, entity_type: str, search: SharedSpecialSearch) -> None:
        self._shared = search
        super().__init__([entity_type], name=f"Special category {entity_type}", supported_language="en")

    def load(self) -> None:
        """Everything is loaded with the search."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """The candidates for the category, with the probability of each as its score."""
        wanted = self.supported_entities[0]
        if entities and wanted not in entities:
            return []
        return [
            RecognizerResult(span.entity_type, span.start, span.end, span.score)
            for span in self._shared.find(text)
            if span.entity_type == wanted
        ]


def special_recognisers(search: SpecialSearch | None = None) -> list[SpecialCategoryRecogniser]:
    """One recogniser for each category."""
    shared = SharedSpecialSearch(search)
    return [SpecialCategoryRecogniser(entity_type, shared) for entity_type in ENTITY_TYPES]
