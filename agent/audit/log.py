"""The audit log: entries that are added in the transaction of what they tell, and proofs about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import NoReturn

from sqlalchemy import Connection, delete, func, insert, select, update

from agent.audit import tree
from agent.audit.checkpoint import NotACheckpoint, SigningKey, create, parse
from agent.audit.leaf import AuditKind, Digest, Leaf, NotALeaf, Reference, decode, encode, microseconds
from agent.audit.rows import (
    LeafRow,
    audit_checkpoint,
    audit_leaf,
    audit_text,
    checkpoint_rows,
    in_transaction,
    last_checkpoint,
    leaf_row,
    leaf_rows,
    snapshot,
    text_rows,
)
from agent.audit.texts import TextDamaged, TextKeys, seal, unseal
from agent.errors import CatalogueError


class AuditLog:
    """The log that lives in one database.

    Adding takes the connection whose transaction also writes what the entry tells, so that both stand or neither.
    Reading a damaged log raises `CatalogueError`; what is wrong with it, `agent.audit.verify` tells.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # Adding

    def append(self, connection: Connection, leaf: Leaf) -> int:
        """Adds the entry and gives its position, counted from 0. Raises `RuntimeError` outside of a transaction."""
        return self.extend(connection, (leaf,))[0]

    def extend(self, connection: Connection, new: Iterable[Leaf]) -> range:
        """Adds the entries in their order and gives their positions; cheaper for many than one by one.

        Raises `RuntimeError` outside of a transaction.
        """
        if not in_transaction(connection):
            raise RuntimeError("an entry of the audit log is only written together with what it tells")
        start = _size(connection)
        added: dict[int, LeafRow] = {}

        def row(position: int) -> LeafRow | None:
            return added.get(position) or leaf_row(connection, position)

        for position, leaf in enumerate(new, start):
            data = encode(leaf)
            leaf_hash = tree.leaf_hash(data)
            subtrees = b"".join(tree.complete(position, leaf_hash, _subtree_of(row)))
            at = str(microseconds(leaf.at)).encode()
            added[position] = LeafRow(position, leaf.kind.encode(), at, leaf_hash, subtrees, data)
        if added:
            connection.execute(insert(audit_leaf), [_values(row) for row in added.values()])
        return range(start, start + len(added))

    def append_with_text(self, connection: Connection, leaf: Leaf, text: str, keys: TextKeys) -> int:
        """Adds an entry with words that a person wrote. They are kept aside, encrypted, and can be erased."""
        sealed = seal(text, keys)
        position = self.append(connection, replace(leaf, digests={**leaf.digests, Digest.TEXT: sealed.digest}))
        row = {"position": position, "wrapped_key": sealed.wrapped_key, "sealed": sealed.sealed}
        connection.execute(insert(audit_text).values(row))
        return position

    def erase_text(self, connection: Connection, position: int, at: datetime, actor: bytes | None) -> int | None:
        """Erases the words kept for an entry, and adds an entry that says so; gives its position.

        None, and nothing happens, if there are no words (any more).
        """
        if not connection.execute(delete(audit_text).where(audit_text.c.position == position)).rowcount:
            return None
        references = {Reference.ENTRY: str(position)}
        return self.append(connection, Leaf(AuditKind.TEXT_ERASED, at, actor=actor, references=references))

    def rewrap_texts(self, connection: Connection, old: TextKeys, new: TextKeys) -> int:
        """Puts the keys of all texts under another key, so that the old one can be destroyed. Gives their number."""
        count = 0
        for row in text_rows(connection):
            try:
                wrapped = new.wrap(old.unwrap(row.wrapped_key))
            except ValueError:
                _damaged(f"the key of the text of entry {row.position} does not open")
            here = audit_text.c.position == row.position
            connection.execute(update(audit_text).where(here).values(wrapped_key=wrapped))
            count += 1
        return count

    # Reading

    @property
    def size(self) -> int:
        """How many entries there are."""
        return _size(self._connection)

    def root(self, size: int | None = None) -> bytes:
        """The root over the first `size` entries; over all of them, if it is not given."""
        with snapshot(self._connection):
            return tree.root(self.size if size is None else size, _subtree_of(self._row))

    def leaf(self, position: int) -> Leaf:
        """The entry at this position. Raises `IndexError` if there is none."""
        row = self._row(position)
        if row is None:
            raise IndexError(f"the audit log has no entry {position}")
        return _decoded(row)

    def entries(self, start: int = 0) -> Iterator[tuple[int, Leaf]]:
        """All entries from a position on, with their positions, in order."""
        return ((row.position, _decoded(row)) for row in leaf_rows(self._connection, start))

    def text(self, position: int, keys: TextKeys) -> str | None:
        """The words that belong to an entry; None if it has none, or they were erased."""
        row = next(text_rows(self._connection, position), None)
        if row is None or row.position != position:
            return None
        try:
            return unseal(row.wrapped_key, row.sealed, self.leaf(position).digests.get(Digest.TEXT, b""), keys)
        except TextDamaged as damage:
            _damaged(f"the text of entry {position} is not what was written: {damage}")

    def inclusion_proof(self, position: int, size: int | None = None) -> list[bytes]:
        """What proves that the entry stands in the tree of `size` entries, or of all. Raises `ValueError` if not."""
        with snapshot(self._connection):
            return tree.inclusion_proof(position, self.size if size is None else size, _subtree_of(self._row))

    def consistency_proof(self, first: int, second: int) -> list[bytes]:
        """What proves that the log of `second` entries begins with that of `first`. Raises `ValueError` if not."""
        with snapshot(self._connection):
            if second > self.size:
                raise ValueError(f"the audit log has only {self.size} entries")
            return tree.consistency_proof(first, second, _subtree_of(self._row))

    # Checkpoints

    def checkpoint(self, connection: Connection, key: SigningKey) -> bytes:
        """A signed checkpoint of the log as it is now, stored; the one there is already, if nothing was added since.

        Inside the caller's transaction. Raises `CatalogueError`, and signs nothing, if the log does not begin with
        what its last checkpoint says.
        """
        size, subtree = _size(connection), _subtree_of(lambda position: leaf_row(connection, position))
        last = last_checkpoint(connection)
        if last is not None:
            _check_against(last.note, size, subtree)
        note = create(size, tree.root(size, subtree), key)
        if last is None or note != last.note:
            number = 1 if last is None else last.number + 1  # without gaps, so that a missing one is noticed
            connection.execute(insert(audit_checkpoint).values(id=number, size=size, note=note))
        return note

    def checkpoints(self) -> Iterator[bytes]:
        """The stored checkpoints, oldest first."""
        return (row.note for row in checkpoint_rows(self._connection))

    def _row(self, position: int) -> LeafRow | None:
        return leaf_row(self._connection, position)


def _size(connection: Connection) -> int:
    last = connection.scalar(select(func.max(audit_leaf.c.position)))
    return 0 if last is None else last + 1


def _values(row: LeafRow) -> dict[str, object]:
    kept = {"kind": row.kind.decode(), "at": int(row.at), "hash": row.hash}
    return {"position": row.position, **kept, "subtrees": row.subtrees, "leaf": row.leaf}


def _subtree_of(row: Callable[[int], LeafRow | None]) -> tree.Subtree:
    """Perfect subtrees from the rows of the leaves that completed them."""

    def subtree(level: int, index: int) -> bytes:
        position = tree.completed_by(level, index)
        found = row(position)
        hashes = found.hash + found.subtrees if found is not None else b""
        wanted = hashes[level * tree.HASH_BYTES : (level + 1) * tree.HASH_BYTES]
        if len(wanted) != tree.HASH_BYTES:
            _damaged(f"what entry {position} should hold is missing")
        return wanted

    return subtree


def _check_against(note: bytes, size: int, subtree: tree.Subtree) -> None:
    """A log must not sign what contradicts a checkpoint that it has signed before."""
    try:
        before = parse(note)
    except NotACheckpoint as fault:
        _damaged(f"its last checkpoint cannot be read, since {fault}")
    if before.size > size or tree.root(before.size, subtree) != before.root:
        _damaged(f"it does not agree with its own checkpoint of {before.size} entries")


def _decoded(row: LeafRow) -> Leaf:
    try:
        return decode(row.leaf)
    except NotALeaf as fault:
        _damaged(f"entry {row.position} cannot be read, since {fault}")


def _damaged(what: str) -> NoReturn:
    raise CatalogueError(f"The audit log is damaged: {what}. Run: retentiond audit verify") from None
