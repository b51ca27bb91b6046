"""What detection finds in texts and files that somebody hands in. Nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from agent.detection.base import Detector, detect, told
from agent.errors import UsageError
from agent.extraction.base import Extractor
from agent.model.finding import SPECIAL_CATEGORIES, DataCategory, Span, Verdict
from agent.model.outcome import Extraction
from agent.usecases.search import TextSearch


@dataclass(frozen=True, slots=True)
class Located:
    """A finding and the location in the document where it begins."""

    span: Span
    location: str

    @property
    def facts(self) -> dict[str, Any]:
        """What is told of it in JSON, but for where it stands in a text that was handed in."""
        return {"type": self.span.entity_type, "score": round(self.span.score, 4), **_reasons(self.span)}


def detect_lines(lines: Iterable[str | bytes], detector: Detector) -> Iterator[dict[str, Any]]:
    """One answer for each `{"id", "text"}` line. Raises `UsageError` that names the first line that is not one."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            asked = json.loads(line)
        except (ValueError, RecursionError):  # bytes that are no UTF-8 among them
            raise UsageError(f"standard input, line {number}: this is not one JSON object in UTF-8.") from None
        if not isinstance(asked, dict) or not isinstance(asked.get("text"), str) or "id" not in asked:
            raise UsageError(f'standard input, line {number}: expected an object with "id" and "text" (a string).')
        spans, verdict = detect(detector, asked["text"])
        findings = [
            {
                "type": span.entity_type,
                "start": span.start,
                "end": span.end,
                "score": round(span.score, 4),
                **_reasons(span),
            }
            for span in spans
        ]
        yield {"id": asked["id"], "findings": findings, **implied(verdict)}


def _reasons(span: Span) -> dict[str, Any]:
    told_of_it: dict[str, Any] = {}
    if span.attributes:
        told_of_it["attributes"] = sorted(span.attributes)
    if span.why:
        told_of_it["why"] = span.why
    return told_of_it


def implied(verdict: Verdict) -> dict[str, Any]:
    """What the document as a whole is found to be, ready for JSON."""
    categories = {judged.category for judged in verdict.categories}
    return {
        "special": sorted(category.value for category in categories & SPECIAL_CATEGORIES),
        "criminal": DataCategory.CRIMINAL in categories,
        "verdicts": [
            {
                "category": judged.category.value,
                "score": round(judged.score, 4),
                "attributes": sorted(judged.attributes),
            }
            for judged in verdict.categories
        ],
        "classes": [kind for kind, _ in verdict.kinds[:1]],
        "kinds": [{"kind": kind, "confidence": round(confidence, 4)} for kind, confidence in verdict.kinds],
    }


def detect_file(
    descriptor: int, name: bytes, extractor: Extractor, detector: Detector
) -> tuple[Extraction, list[Located], Verdict]:
    """How far the file could be read, what was found in it, in order, and what it is as a whole."""
    located: list[Located] = []
    document = detector.document()
    search = TextSearch(document, lambda span, value, location: located.append(Located(span, location)))
    extraction = extractor.extract(descriptor, name, search.take)
    search.finish()
    verdict = document.verdict()
    standing = set(told((found.span for found in located), verdict))
    return extraction, [found for found in located if found.span in standing], verdict
