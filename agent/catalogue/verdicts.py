"""What a document was found to be, as a column holds it."""

from __future__ import annotations

import json

from agent.model.finding import CategoryVerdict, DataCategory, Verdict


def written(verdict: Verdict) -> str:
    """The verdict as text; empty where nothing was found."""
    if not verdict.categories and not verdict.kinds:
        return ""
    categories = [
        [judged.category, round(judged.score, 4), *sorted(judged.attributes)] for judged in verdict.categories
    ]
    kinds = [[kind, round(confidence, 4)] for kind, confidence in verdict.kinds]
    return json.dumps([categories, kinds], separators=(",", ":"))


def read(text: str) -> Verdict:
    """The verdict that was written."""
    if not text:
        return Verdict()
    categories, kinds = json.loads(text)
    return Verdict(
        tuple(CategoryVerdict(DataCategory(name), score, frozenset(words)) for name, score, *words in categories),
        tuple((kind, confidence) for kind, confidence in kinds),
    )
