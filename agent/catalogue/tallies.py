"""Counts for those who look after an installation: one statement each, so that they can be asked for often."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import Connection

from agent.catalogue.reading import moment

_DUE = (
    "SELECT COALESCE(g.class_id, ''), COUNT(*) FROM standing g INDEXED BY ix_standing_due_on "
    "JOIN item i ON i.id = g.item_id "
    "WHERE g.state IN ('due', 'keep') AND g.due_on <= ? AND i.state = 0 GROUP BY 1 ORDER BY 1"
)
_IN_VAULT = (
    "SELECT COUNT(*), COALESCE(SUM(size_bytes), 0) FROM disposal "
    "WHERE state IN ('sealed', 'quarantined', 'restoring', 'destroying')"
)
_DESTROYED = "SELECT COUNT(*) FROM disposal WHERE state IN ('destroyed', 'erased')"
_ENTRIES = "SELECT MAX(CAST(position AS INTEGER)) + 1 FROM audit_leaf"
_COVERED = "SELECT CAST(size AS INTEGER) FROM audit_checkpoint ORDER BY id DESC LIMIT 1"
_WRITTEN_AT = "SELECT CAST(at AS INTEGER) FROM audit_leaf WHERE position = ?"


def due_by_class(connection: Connection, day: date) -> Mapping[str, int]:
    """How many items are due on that day, by retention class (empty for none), as they were last decided on."""
    return {class_id: int(count) for class_id, count in connection.exec_driver_sql(_DUE, (day.toordinal(),))}


def in_vault(connection: Connection) -> tuple[int, int]:
    """How many items lie in the vault, and the bytes that they had on their shares."""
    count, size = connection.exec_driver_sql(_IN_VAULT).one()
    return int(count), int(size)


def destroyed(connection: Connection) -> int:
    """How many items were ever destroyed."""
    return int(connection.exec_driver_sql(_DESTROYED).scalar() or 0)


def audit_log(connection: Connection) -> tuple[int, int, datetime | None]:
    """How many entries the audit log has, how many its newest checkpoint covers, and when (UTC) the last of these was
    written. What is damaged counts as nothing; what is wrong with it, `agent.audit.verify` tells."""
    entries = int(connection.exec_driver_sql(_ENTRIES).scalar() or 0)
    covered = int(connection.exec_driver_sql(_COVERED).scalar() or 0)
    at = connection.exec_driver_sql(_WRITTEN_AT, (covered - 1,)).scalar()
    return entries, covered, None if at is None else moment(int(at))
