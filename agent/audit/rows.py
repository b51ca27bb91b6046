"""The log's tables as this package speaks to them. They live in the catalogue's database, beside what they vouch for.

The catalogue makes them (`agent.catalogue.tables`); a test holds the two together. Rows are read as bytes, bounded and
without trust in their types: whoever verifies must not stumble over what somebody has put there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, LargeBinary, MetaData, Select, Table, Text, bindparam, cast, func, select

from agent.audit.checkpoint import LARGEST_NOTE_BYTES
from agent.audit.leaf import LARGEST_BYTES
from agent.audit.tree import HASH_BYTES

_LARGEST_SUBTREES = 63 * HASH_BYTES
_LARGEST_TEXT_BYTES = 1_048_576
BLOCK = 2_000


def _table(name: str, *columns: str) -> Table:
    return Table(name, MetaData(), *(Column(column) for column in columns))


audit_leaf = _table("audit_leaf", "position", "kind", "at", "hash", "subtrees", "leaf")
audit_checkpoint = _table("audit_checkpoint", "id", "size", "note")
audit_text = _table("audit_text", "position", "wrapped_key", "sealed")


@dataclass(frozen=True, slots=True)
class LeafRow:
    """A row of `audit_leaf` as it is stored: `at` in digits, `subtrees` the hashes that the leaf completes."""

    position: int
    kind: bytes
    at: bytes
    hash: bytes
    subtrees: bytes
    leaf: bytes


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A row of `audit_checkpoint` as it is stored: `size` in digits."""

    number: int
    size: bytes
    note: bytes


@dataclass(frozen=True, slots=True)
class TextRow:
    """A row of `audit_text` as it is stored."""

    position: int
    wrapped_key: bytes
    sealed: bytes


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """Everything read inside is of one moment, also while another process writes; part of a transaction, if in one."""
    if in_transaction(connection):
        yield
        return
    connection.exec_driver_sql("BEGIN")
    try:
        yield
    finally:
        connection.exec_driver_sql("ROLLBACK")


def in_transaction(connection: Connection) -> bool:
    """Whether what is written now stands or falls with something else."""
    return bool(connection.connection.dbapi_connection.in_transaction)  # type: ignore[union-attr]


def leaf_row(connection: Connection, position: int) -> LeafRow | None:
    """The entry at this position."""
    row = connection.execute(_LEAF, {"position": position}).first()
    return None if row is None else LeafRow(*row)


def leaf_rows(connection: Connection, start: int | None = None) -> Iterator[LeafRow]:
    """The entries in order, from position `start` or, without it, from whatever comes first."""
    return (LeafRow(*row) for row in _in_blocks(connection, _LEAVES, audit_leaf.c.position, start))


def checkpoint_rows(connection: Connection) -> Iterator[CheckpointRow]:
    """The checkpoints in the order in which they were stored."""
    return (CheckpointRow(*row) for row in _in_blocks(connection, _CHECKPOINTS, audit_checkpoint.c.id, None))


def last_checkpoint(connection: Connection) -> CheckpointRow | None:
    """The checkpoint that was stored last."""
    row = connection.execute(_CHECKPOINTS.order_by(audit_checkpoint.c.id.desc()).limit(1)).first()
    return None if row is None else CheckpointRow(*row)


def text_rows(connection: Connection, start: int | None = None) -> Iterator[TextRow]:
    """The texts that are kept for entries, in their order, from position `start`."""
    return (TextRow(*row) for row in _in_blocks(connection, _TEXTS, audit_text.c.position, start))


def _bytes(column: Column[Any], largest: int) -> Any:
    """As many bytes as the column can rightly have, and one more, by which too many are seen."""
    return func.coalesce(func.substr(cast(column, LargeBinary), 1, largest + 1), b"")


def _digits(column: Column[Any]) -> Any:
    return _bytes(cast(column, Text), 40)  # type: ignore[arg-type]


_LEAVES = select(
    audit_leaf.c.position,
    _bytes(audit_leaf.c.kind, 100),
    _digits(audit_leaf.c.at),
    _bytes(audit_leaf.c.hash, HASH_BYTES),
    _bytes(audit_leaf.c.subtrees, _LARGEST_SUBTREES),
    _bytes(audit_leaf.c.leaf, LARGEST_BYTES),
)
_LEAF = _LEAVES.where(audit_leaf.c.position == bindparam("position"))
_CHECKPOINTS = select(
    audit_checkpoint.c.id, _digits(audit_checkpoint.c.size), _bytes(audit_checkpoint.c.note, LARGEST_NOTE_BYTES)
)
_TEXTS = select(
    audit_text.c.position, _bytes(audit_text.c.wrapped_key, 1_000), _bytes(audit_text.c.sealed, _LARGEST_TEXT_BYTES)
)


def _in_blocks(
    connection: Connection, query: Select[Any], order: Column[Any], start: int | None
) -> Iterator[tuple[Any, ...]]:
    block = query.order_by(order).limit(BLOCK)
    rows = connection.execute(block if start is None else block.where(order >= start)).all()
    while rows:
        yield from (tuple(row) for row in rows)
        rows = connection.execute(block.where(order > rows[-1][0])).all() if len(rows) == BLOCK else []
