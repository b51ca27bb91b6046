"""What a report is made of: rows, coverage, and the words on its title page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One item as a report shows it; no value of any finding is here.

    `path` is relative to the share and already printable (`connectors.base.show_name`). `outcome` is `scanned`,
    `skipped(reason)` or `failed(reason)`, `extraction` how getting its text ended, empty if that was not tried.
    `findings` counts distinct values per entity type. `due_on` is the day from which the item may go. `sharing` is how
    widely it is shared by itself at its source (`agent.model.sharing.Sharing`), empty if it is not.
    """

    share: str
    path: str
    format: str
    size_bytes: int
    modified_on: date
    outcome: str
    extraction: str
    categories: tuple[str, ...]
    findings: Mapping[str, int]
    classes: tuple[str, ...]
    state: str
    due_on: date | None
    disposition: str
    reasons: tuple[str, ...]
    sharing: str = ""

    @property
    def is_personal(self) -> bool:
        """Whether personal data was found in the item."""
        return bool(self.findings or self.categories)


@dataclass(frozen=True, slots=True)
class ShareCoverage:
    """What became of everything seen in the last scan of one share. Counts are items, unless they say folders.

    `reconciles` says that seen + unreached is exactly scanned + skipped + failed. `unreached` are items known from
    earlier scans below folders that could not be listed this time. `folders_not_listed` are places with the reason.
    """

    name: str
    location: str
    seen: int
    scanned: int
    skipped: Mapping[str, int]
    failed: Mapping[str, int]
    unreached: int
    folders: int
    folders_not_listed: tuple[tuple[str, str], ...]
    extraction: Mapping[str, int]
    missing: int
    tombstoned: int
    complete: bool
    reconciles: bool
    started_at: datetime
    ended_at: datetime | None
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a report says.

    `rows` may be called more than once and may give a million rows: a writer keeps totals and bounded lists only.
    """

    title: str
    generated_at: datetime
    as_of: date
    schedule_id: str
    schedule_title: str
    schedule_version: str
    class_titles: Mapping[str, str]
    coverage: tuple[ShareCoverage, ...]
    rows: Callable[[], Iterable[ReportRow]]
