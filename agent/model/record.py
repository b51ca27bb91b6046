"""The facts about one item from which its class and its decision are computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agent.model.categories import category_of
from agent.model.finding import DataCategory, Verdict
from agent.model.outcome import ExtractionStatus, Outcome

WAVE = 100  # so many items of a share created in one minute were hardly written one by one


@dataclass(frozen=True, slots=True)
class Record:
    """An item as classification and decision see it. Times are aware and in UTC; `path` is relative to the share.

    `format` is what the content was found to be (`pdf`, `docx`, `unknown` …), `findings` the number of distinct
    values per entity type, `verdict` what it is as a whole, `marks` the labels found at the source, `extraction` how
    getting its text ended, if it was tried. No content and no value of any finding is here.

    `item_id` is the catalogue's number for it, 0 outside one. `copies` are the paths of other items, in any share,
    with the same bytes, or some of them if there are many. `arrived_with` is how many items of the share were created
    in the same minute, itself included, where they are `WAVE` or more; else 1. `holds` are the numbers of the holds
    that the catalogue says cover it, in force or not. `in_vault` says that it lies in quarantine, and `path` where it
    came from. `identities` are those of entity types of which it holds just one value, where they were asked for.
    `stored_in` is what the source itself tells of the sort of place.
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
    item_id: int = 0
    copies: tuple[str, ...] = ()
    arrived_with: int = 1
    holds: tuple[int, ...] = ()
    in_vault: bool = False
    identities: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    stored_in: frozenset[str] = frozenset()

    @property
    def categories(self) -> frozenset[DataCategory]:
        """Every category of personal data in the item."""
        if not self.findings and not self.verdict.categories:
            return frozenset()
        found = {category_of(entity_type) for entity_type in self.findings}
        return frozenset(found | {judged.category for judged in self.verdict.categories})
