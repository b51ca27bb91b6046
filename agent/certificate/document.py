"""The nouns of a certificate of destruction. It names nobody but those who answer for the destruction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from agent.model.disposal import Account
from agent.model.schedule import Disposition, Officer

STATEMENT = (
    "The items named below were destroyed at the end of their retention period, after two people had approved it and "
    "while no hold, restriction or open request covered them. Each was kept encrypted under a key of its own, and "
    "every key that could open it was overwritten. The proofs below show that the audit log recorded this. What may "
    "remain of them elsewhere, or of those keys, is said with its date where one is known."
)
STATEMENT_AT_SOURCE = (
    "The items named below were destroyed at the end of their retention period, after two people had approved it and "
    "while no hold, restriction or open request covered them. Each lay out of people's reach in a quarantine of its "
    "own source, a service that others run, and was deleted there. That it was deleted is what the service has told; "
    "nothing was overwritten by us. The proofs below show that the audit log recorded this. What the service may keep "
    "of them, and what may remain elsewhere, is said with its date where one is known."
)
STATEMENT_OF_BOTH = (
    "The items named below were destroyed at the end of their retention period, after two people had approved it and "
    "while no hold, restriction or open request covered them. Those for which a copy in the vault is named were kept "
    "encrypted under a key of their own, and every key that could open them was overwritten. The others lay out of "
    "people's reach in a quarantine of their own source, a service that others run, and were deleted there: that they "
    "were is what the service has told. The proofs below show that the audit log recorded this. What may remain of "
    "them elsewhere, of those keys, or with the service, is said with its date where one is known."
)


class CopyKind(StrEnum):
    """Which copy of an item is spoken of."""

    ORIGINAL = "original"  # as it lay on its share
    VAULT_COPY = "vault_copy"
    KNOWN_COPY = "known_copy"  # another file of the same content
    SNAPSHOT = "snapshot"
    BACKUP = "backup"
    REPLICA = "replica"
    EXPORT = "export"  # handed back to whom it belongs
    WITH_RECIPIENT = "with_recipient"  # given to somebody outside, who was told
    RECYCLE_BIN = "recycle_bin"  # of the service that it was deleted in, as are the following
    SECOND_STAGE = "second_stage_recycle_bin"
    PRESERVATION_HOLD = "preservation_hold_library"
    RECOVERABLE_ITEMS = "recoverable_items"
    SERVICE_BACKUP = "service_backup"


# What only services have; out of the bins among them their people take things again.
BINS = frozenset({CopyKind.RECYCLE_BIN, CopyKind.SECOND_STAGE, CopyKind.RECOVERABLE_ITEMS})
OF_SERVICES = BINS | {CopyKind.PRESERVATION_HOLD, CopyKind.SERVICE_BACKUP}


class Sanitisation(StrEnum):
    """What the treatment of a copy amounts to, in the words of NIST SP 800-88 where they apply.

    A file that was overwritten through its file system is no more than an attempt at *clear*: older versions, journals
    and what a drive does beneath may keep blocks of it. *Purge* by losing the key holds only for what was never
    written but encrypted, and only once no copy of the key is left.
    """

    PURGE = "purge"
    PURGE_ATTEMPTED = "purge_attempted"
    CLEAR_ATTEMPTED = "clear_attempted"
    BEYOND_USE = "beyond_use"  # out of everybody's reach, but not overwritten
    NONE = "none"  # nothing was done to it


@dataclass(frozen=True, slots=True)
class Copy:
    """What became of one copy of an item: how, when (UTC), and with which doubts.

    `at` is None if nothing was done to it; `remains_until` is the last day on which it may still exist, as far as that
    is known.
    """

    kind: CopyKind
    method: str
    category: Sanitisation
    at: datetime | None = None
    doubts: tuple[str, ...] = ()
    remains_until: date | None = None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry of the audit log, its position, and the hashes that prove that it stands there (RFC 9162, 2.1.3)."""

    position: int
    leaf: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The three entries of the log on which an item's destruction rests."""

    sealed: LogEntry
    destroyed: LogEntry
    erased: LogEntry


@dataclass(frozen=True, slots=True)
class DestroyedItem:
    """One item that is gone for good. Times are in UTC.

    `pseudonym` and `content` are keyed hashes, of the item and of what it held: whoever has the keys can ask whether a
    given item is meant, nobody else can. `disposal` is the number under which the catalogue keeps it, `source` the
    share it lay on; its path may name people and stands nowhere. `quarantined_at` is when its sealed copy was recorded,
    from when on it lay out of reach.

    `source_item` is there if its source kept it in quarantine, a service, and deleted it: the keyed hash of the id that
    it had there. Such an item never had a copy in the vault, and is erased once no recycle bin has it any more; if
    nobody had read it, `content` is the keyed hash of its id and version.
    """

    disposal: int
    pseudonym: bytes
    content: bytes
    size_bytes: int
    source: str
    outcome: Disposition
    account: Account
    quarantined_at: datetime
    holds_checked_at: datetime
    destroyed_at: datetime
    destroyed_by: str
    erased_at: datetime
    copies: tuple[Copy, ...]
    evidence: Evidence
    source_item: bytes | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """What a certificate says for all of its items. `id` is 32 hexadecimal digits, `issued_at` is in UTC.

    `limits` are sentences on what may remain where and until when: snapshots, backups, recipients, drives.
    """

    id: str
    organisation: str
    software: str
    issued_at: datetime
    batch: str
    limits: tuple[str, ...]
    officers: tuple[Officer, ...] = ()
    statement: str = STATEMENT


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as it is signed. `checkpoint` is the signed note of the log that all proofs lead to."""

    heading: Heading
    checkpoint: str
    items: tuple[DestroyedItem, ...]
