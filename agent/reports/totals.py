"""One walk over the rows of a report: the counts, and the few rows that are worth showing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from agent.model.decision import DecisionState
from agent.model.finding import SPECIAL_CATEGORIES, DataCategory
from agent.model.sharing import OUTSIDE
from agent.reports.base import ReportRow

DUE_ROWS = 2_000
SHARED_ROWS = 1_000
INVENTORY_ROWS = 5_000

_SENSITIVE = SPECIAL_CATEGORIES | {DataCategory.CRIMINAL}


class Shortlist:
    """The first `limit` rows by `rank`, rows of equal rank in the order they came, however many are offered."""

    def __init__(self, limit: int, rank: Callable[[ReportRow], tuple[object, ...]]) -> None:
        self.offered = 0
        self._limit = limit
        self._rank = rank
        self._rows: list[ReportRow] = []

    def offer(self, row: ReportRow) -> None:
        self.offered += 1
        self._rows.append(row)
        if len(self._rows) >= 2 * self._limit:
            self._rows = self.rows

    @property
    def rows(self) -> list[ReportRow]:
        return sorted(self._rows, key=self._rank)[: self._limit]

    @property
    def left_out(self) -> int:
        return max(0, self.offered - self._limit)


def is_sensitive(row: ReportRow) -> bool:
    """Whether the item holds special category or criminal-offence data (UK GDPR Articles 9 and 10)."""
    return any(category in _SENSITIVE for category in row.categories)


def _oldest_first(row: ReportRow) -> tuple[object, ...]:
    return (row.due_on or date.min, row.share, row.path)


def _personal_data_first(row: ReportRow) -> tuple[object, ...]:
    return (not is_sensitive(row), not row.findings)


def _widest_first(row: ReportRow) -> tuple[object, ...]:
    return (not is_sensitive(row), not row.is_personal, list(map(str, OUTSIDE)).index(row.sharing), row.share, row.path)


@dataclass(slots=True)
class Shared:
    """Items that are shared in one way: how many, how many of them hold personal data, and of which categories."""

    items: int = 0
    with_personal_data: int = 0
    categories: Counter[str] = field(default_factory=Counter)

    def add(self, row: ReportRow) -> None:
        self.items += 1
        self.with_personal_data += row.is_personal
        self.categories.update(row.categories)


class SharedOutside:
    """What is shared beyond the organisation, by how it is shared, and the items that matter most."""

    def __init__(self) -> None:
        self.by: dict[str, Shared] = {how.value: Shared() for how in OUTSIDE}
        self.rows = Shortlist(SHARED_ROWS, _widest_first)

    def add(self, row: ReportRow) -> None:
        """Counts the item, if it is shared so widely."""
        if row.sharing in self.by:
            self.by[row.sharing].add(row)
            self.rows.offer(row)


@dataclass(slots=True)
class Totals:
    """Counts over all rows, in items unless said otherwise; memory does not grow with their number."""

    items: int = 0
    size_bytes: int = 0
    with_personal_data: int = 0
    sensitive: int = 0
    oldest_due: date | None = None
    states: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    extractions: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    classes_due: Counter[str] = field(default_factory=Counter)
    years_due: Counter[int] = field(default_factory=Counter)
    years_to_come: Counter[int] = field(default_factory=Counter)
    due: Shortlist = field(default_factory=lambda: Shortlist(DUE_ROWS, _oldest_first))
    inventory: Shortlist = field(default_factory=lambda: Shortlist(INVENTORY_ROWS, _personal_data_first))
    sharing: SharedOutside = field(default_factory=SharedOutside)

    def add(self, row: ReportRow) -> None:
        self.items += 1
        self.size_bytes += row.size_bytes
        self.with_personal_data += bool(row.findings)
        self.sensitive += is_sensitive(row)
        self.states[row.state] += 1
        self.outcomes[row.outcome] += 1
        self.formats[row.format] += 1
        self.extractions[row.extraction] += 1
        self.categories.update(row.categories)
        self.classes.update(row.classes)
        self.inventory.offer(row)
        self.sharing.add(row)
        if row.state == DecisionState.DUE:
            self._add_due(row)
        elif row.state == DecisionState.KEEP and row.due_on is not None:
            self.years_to_come[row.due_on.year] += 1

    def _add_due(self, row: ReportRow) -> None:
        self.classes_due.update(row.classes)
        self.due.offer(row)
        if row.due_on is not None:
            self.years_due[row.due_on.year] += 1
            self.oldest_due = min(self.oldest_due or row.due_on, row.due_on)


def total(rows: Iterable[ReportRow]) -> Totals:
    """The counts over `rows`, which are walked once."""
    totals = Totals()
    for row in rows:
        totals.add(row)
    return totals
