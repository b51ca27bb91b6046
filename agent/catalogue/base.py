"""The facts that go into the catalogue and come out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from agent.model.analysis_version import AnalysisVersion
from agent.model.finding import Finding, Verdict
from agent.model.outcome import Extraction, Outcome, OutcomeKind
from connectors.base import FolderFailed, FolderFound, FolderGone, FolderSkipped, Gone, Item, ItemRef, Met, Swept

LARGEST_NUMBER = 2**63 - 1  # of an item or an act: what the database can hold


@dataclass(frozen=True, slots=True)
class Share:
    """A scope as the catalogue knows it. `location` is the place as people know it, printed by `show_name`.

    `kind` is that of its connector, `tenant` the name in the settings of the tenant that it belongs to, if to one.
    `stored_in` are words of `StorageKind` that the source itself tells.
    """

    id: int
    name: str
    location: str
    identity: str
    kind: str = "filesystem"
    tenant: str = ""
    stored_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pass:
    """One walk over a share, from its beginning to its end, however many runs that takes.

    `version` is what documents are analysed under. `cursor` is where to go on; `seen` and `folders` count what came
    before it. One that `continues` is told only what has changed since the passes before.
    """

    id: int
    share: Share
    number: int
    version: AnalysisVersion
    cursor: bytes | None
    resumed: bool
    seen: int
    folders: int
    continues: bool = False


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one item. `item` is none where the source would say nothing about it.

    With `retry` the item counts as changed in the next pass, whatever its version.
    """

    ref: ItemRef
    item: Item | None
    outcome: Outcome
    extraction: Extraction | None = None
    content_hash: bytes | None = None
    findings: tuple[Finding, ...] = ()
    finding_total: int = 0
    verdict: Verdict = Verdict()
    retry: bool = False

    @property
    def scanned_bytes(self) -> int:
        """The item's size if its text was read, else 0."""
        return self.item.size_bytes if self.item and self.outcome.kind is OutcomeKind.SCANNED else 0


@dataclass(frozen=True, slots=True)
class Refreshed:
    """An item whose place or facts have changed, its content not: what was found in it stands."""

    item: Item


Recorded = ItemResult | Refreshed | Met | Gone | FolderFound | FolderGone | FolderSkipped | FolderFailed | Swept


@dataclass(frozen=True, slots=True)
class FolderNotListed:
    """A folder whose content was not seen in a pass, and why; `failed` unless it was left out on purpose."""

    location: str
    reason: str
    failed: bool


@dataclass(frozen=True, slots=True)
class PassResult:
    """How a pass ended. Counts are items; `size_bytes` sums those whose text was read in this pass.

    `seen` is what the walk counted, or, where the source tells only what changed, what is known to be there; the other
    counts are taken from the catalogue. `unreached` are items known from
    earlier passes below folders not listed in this one. `reconciles` says that seen + unreached is exactly
    scanned + skipped + failed, but for `meanwhile`. `missing` were gone but are not taken for deleted, because the pass
    was not faultless; `tombstoned` were. `meanwhile` items came or went while the pass went on, by looks into
    single folders or by disposals; it may have counted them or not, so that the counts may differ by so many.
    """

    number: int
    complete: bool
    seen: int
    scanned: int
    skipped: Mapping[str, int]
    failed: Mapping[str, int]
    extraction: Mapping[str, int]
    unreached: int
    folders: int
    folders_not_listed: tuple[FolderNotListed, ...]
    missing: int
    tombstoned: int
    size_bytes: int
    started_at: datetime
    ended_at: datetime | None
    reconciles: bool
    meanwhile: int = 0

    @property
    def seconds(self) -> float:
        """How long the pass took, pauses between its runs included; 0 while it is under way."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else 0.0
