"""What detection finds in texts and files that somebody hands in. Nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from agent.detection.base import Detector
from agent.errors import UsageError
from agent.extraction.base import Extractor
from agent.model.categories import category_of
from agent.model.finding import SPECIAL_CATEGORIES, DataCategory, Span
from agent.model.outcome import Extraction
from agent.usecases.search import TextSearch


@dataclass(frozen=True, slots=True)
class Located:
    """A finding and the location in the document where it begins."""

    entity_type: str
    score: float
    location: str


def detect_lines(lines: Iterable[str], detector: Detector) -> Iterator[dict[str, Any]]:
    """One answer for each `{"id", "text"}` line. Raises `UsageError` that names the first line that is not one."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            asked = json.loads(line)
        except ValueError:
            raise UsageError(f"standard input, line {number}: this is not a JSON object on one line.") from None
        if not isinstance(asked, dict) or not isinstance(asked.get("text"), str) or "id" not in asked:
            raise UsageError(f'standard input, line {number}: expected an object with "id" and "text" (a string).')
        yield {"id": asked["id"], **answer(detector.detect(asked["text"]))}


def answer(spans: Iterable[Span]) -> dict[str, Any]:
    """The spans and what follows from them, ready for JSON."""
    found = list(spans)
    return {
        "findings": [
            {"type": span.entity_type, "start": span.start, "end": span.end, "score": round(span.score, 4)}
            for span in found
        ],
        **implied(span.entity_type for span in found),
    }


def implied(entity_types: Iterable[str]) -> dict[str, Any]:
    """What kinds of data the entity types are, and the classes they speak for."""
    categories = {category_of(entity_type) for entity_type in entity_types}
    return {
        "special": sorted(category.value for category in categories & SPECIAL_CATEGORIES),
        "criminal": DataCategory.CRIMINAL in categories,
        "classes": [],
    }


def detect_file(
    descriptor: int, name: bytes, extractor: Extractor, detector: Detector
) -> tuple[Extraction, list[Located]]:
    """How far the file could be read, and what was found in it, in order."""
    located: list[Located] = []

    def take(entity_type: str, value: str, score: float, location: str) -> None:
        located.append(Located(entity_type, score, location))

    search = TextSearch(detector, take)
    extraction = extractor.extract(descriptor, name, search.take)
    search.finish()
    return extraction, located
