"""What the detection engine promises to those who call it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from agent.model.categories import category_of
from agent.model.finding import JUDGED_CATEGORIES, Span, Verdict


class DocumentSearch(Protocol):
    """The search of one document, a stretch of its text after the other. Memory does not grow with the document."""

    def search(self, text: str, own_from: int = 0, own_to: int | None = None) -> Sequence[Span]:
        """The spans in the next stretch that begin between the offsets, ordered by start, end and entity type.

        What lies before `own_from` and from `own_to` on is there to be understood by, and belongs to the stretches
        beside this one. Spans of a judged category are candidates until `verdict` has the category.
        """

    def verdict(self) -> Verdict:
        """What the document is found to be, from the stretches so far."""


class Detector(Protocol):
    """Finds personal data in documents."""

    @property
    def version(self) -> str:
        """Changes whenever the same document may give other spans or another verdict."""

    def document(self) -> DocumentSearch:
        """The search of a document that begins. The same text always gives the same."""


def told(spans: Iterable[Span], verdict: Verdict) -> list[Span]:
    """The spans that stand once the document is judged: without candidates for a category it was not found to have."""
    found = {judged.category for judged in verdict.categories}
    refuted = JUDGED_CATEGORIES - found
    return [span for span in spans if category_of(span.entity_type) not in refuted]


def detect(detector: Detector, text: str) -> tuple[list[Span], Verdict]:
    """What is found in a text that is a document by itself."""
    document = detector.document()
    spans = document.search(text)
    verdict = document.verdict()
    return told(spans, verdict), verdict
