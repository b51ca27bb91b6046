"""The facts about one item from which its class and its decision are computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agent.model.categories import category_of
from agent.model.finding import DataCategory, Verdict
from agent.model.outcome import ExtractionStatus, Outcome


@dataclass(frozen=True, slots=True)
class Record:
    """An item as classification and decision see it. Times are aware and in UTC; `path` is relative to the share.

    `format` is what the content was found to be (`pdf`, `docx`, `unknown` …), `findings` the number of distinct
    values per entity type, `verdict` what it is as a whole, `marks` the labels found at the source, `extraction` how
    getting its text ended, if it was tried. No content and no value of any finding is here.
    """

    share: str
    path: str
    format: str
    size_bytes: int
    modified_at: datetime
    first_seen_at: datetime
    outcome: Outcome
    created_at: datetime | None = None
    accessed_at: datetime | None = None
    findings: Mapping[str, int] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)
    extraction: ExtractionStatus | None = None
    verdict: Verdict = Verdict()

    @property
    def categories(self) -> frozenset[DataCategory]:
        """Every category of personal data in the item."""
        if not self.findings and not self.verdict.categories:
            return frozenset()
        found = {category_of(entity_type) for entity_type in self.findings}
        return frozenset(found | {judged.category for judged in self.verdict.categories})
