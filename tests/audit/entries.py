"""Entries, keys and logs for the tests of the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from agent.audit.checkpoint import SigningKey
from agent.audit.leaf import AuditKind, Digest, Leaf, Reference
from agent.audit.log import AuditLog
from agent.audit.pseudonyms import Pseudonyms
from agent.audit.texts import WrappedUnder
from agent.catalogue.database import Database

BEGAN = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
KEY = SigningKey("records.example.org/audit", bytes(range(32)))
OTHER_KEY = SigningKey("records.example.org/audit", bytes(range(1, 33)))
TEXT_KEYS = WrappedUnder(b"k" * 32)
NAMES = Pseudonyms(b"i" * 32, b"a" * 32)
ACTOR = NAMES.actor("jane.doe")


def a_leaf(number: int = 0, **changes: object) -> Leaf:
    said: dict[str, object] = {
        "kind": AuditKind.ITEM_QUARANTINED,
        "at": BEGAN + timedelta(seconds=number),
        "item": NAMES.item(b"%d" % number),
        "actor": ACTOR,
        "before": "due",
        "after": "vaulted",
        "references": {Reference.CLASS: "payroll", Reference.DECISION: str(number)},
        "digests": {Digest.CONTENT: b"c" * 32},
    }
    return Leaf(**(said | changes))  # type: ignore[arg-type]


def fill(database: Database, count: int, *, checkpoints: Sequence[int] = (), texts: Sequence[int] = ()) -> list[bytes]:
    """Adds entries, texts at these positions, checkpoints whenever the log has one of these sizes; gives those."""
    log, notes = AuditLog(database.connection), []
    for _ in range(count):
        with database.transaction() as connection:
            position = log.size
            if position in texts:
                log.append_with_text(connection, a_leaf(position), f"because of {position}", TEXT_KEYS)
            else:
                log.append(connection, a_leaf(position))
            if position + 1 in checkpoints:
                notes.append(log.checkpoint(connection, KEY))
    return notes
