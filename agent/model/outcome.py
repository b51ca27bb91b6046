"""How the reading of an item ended. Every item seen ends in exactly one of these, never in silence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ExtractionStatus(StrEnum):
    """How getting text out of a document ended."""

    OK = "ok"
    EMPTY = "empty"
    PARTIAL = "partial"
    ENCRYPTED = "encrypted"
    UNSUPPORTED = "unsupported"
    CORRUPT = "corrupt"
    KILLED = "killed"
    SKIPPED = "skipped"


class OutcomeKind(StrEnum):
    """The three ends an item can come to in a scan."""

    SCANNED = "scanned"
    SKIPPED = "skipped"
    FAILED = "failed"


class ItemReason(StrEnum):
    """Why an item was skipped or failed, where neither the source nor its format is the reason."""

    HARD_LINK = "hard_link"
    VANISHED = "vanished"
    CHANGED_WHILE_READ = "changed_while_read"
    LOCKED_AT_SOURCE = "locked_at_source"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end an item came to, with a reason unless it was scanned. `reason` is a word of a fixed vocabulary."""

    kind: OutcomeKind
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.kind}({self.reason})" if self.reason else self.kind


@dataclass(frozen=True, slots=True)
class Extraction:
    """The result of reading one document: its format by content, and how far the reading came.

    `reasons` are words of a fixed vocabulary, never text from the document. `characters` counts the text given out.
    `met` are the formats on which that depends: the document's own and those of what lies inside it.
    """

    status: ExtractionStatus
    format: str
    reasons: tuple[str, ...] = ()
    characters: int = 0
    met: frozenset[str] = frozenset()


_OUTCOME_OF = {
    ExtractionStatus.OK: OutcomeKind.SCANNED,
    ExtractionStatus.EMPTY: OutcomeKind.SCANNED,
    ExtractionStatus.PARTIAL: OutcomeKind.SCANNED,
    ExtractionStatus.ENCRYPTED: OutcomeKind.SKIPPED,
    ExtractionStatus.UNSUPPORTED: OutcomeKind.SKIPPED,
    ExtractionStatus.SKIPPED: OutcomeKind.SKIPPED,
    ExtractionStatus.CORRUPT: OutcomeKind.FAILED,
    ExtractionStatus.KILLED: OutcomeKind.FAILED,
}


def outcome_of(extraction: Extraction) -> Outcome:
    """The item's end that follows from how its extraction ended."""
    kind = _OUTCOME_OF[extraction.status]
    if kind is OutcomeKind.SCANNED:
        return Outcome(kind)
    if extraction.status is ExtractionStatus.SKIPPED and extraction.reasons:
        return Outcome(kind, extraction.reasons[0])
    return Outcome(kind, extraction.status.value)
