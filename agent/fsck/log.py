"""The audit log, recomputed: its tree, its checkpoints, and whether it tells of each step of a disposal once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from agent.fsck.base import Kind
from agent.fsck.findings import Findings
from agent.fsck.merkle import Tree, leaf_hash
from agent.fsck.notes import Checkpoint, LogKey, NotANote, read_checkpoint

_VERIFY = "Run:  retentiond audit verify"
_LEAVES = "SELECT position, kind, at, hash, subtrees, CAST(leaf AS BLOB) FROM audit_leaf ORDER BY position"
_NOTES = "SELECT id, size, CAST(note AS BLOB) FROM audit_checkpoint ORDER BY size, id"
_TOLD_OTHERWISE = (
    "SELECT s.id, s.disposal_id, s.item_id, t.position FROM temp.told t JOIN disposal_step s ON s.id = t.step "
    "WHERE (t.before, t.after, t.disposal, t.at) IS NOT (s.before, s.after, s.disposal_id, s.at) ORDER BY s.id"
)
_NOT_TOLD_ONCE = (
    "SELECT s.id, s.disposal_id, s.item_id, COUNT(t.step) FROM disposal_step s LEFT JOIN temp.told t ON t.step = s.id "
    "GROUP BY s.id HAVING COUNT(t.step) <> 1 ORDER BY s.id"
)
_OF_NO_STEP = (
    "SELECT t.position, t.step FROM temp.told t LEFT JOIN disposal_step s ON s.id = t.step WHERE s.id IS NULL "
    "ORDER BY t.position"
)


@dataclass(slots=True)
class _Trust:
    """Whether the tree and the checkpoints still mean something; after the first fault all further ones follow."""

    tree: bool = True
    roots: bool = True


class Log:
    """The log of one catalogue. `key` is that of the log, if the signatures are to be checked."""

    def __init__(self, connection: sqlite3.Connection, findings: Findings, key: LogKey | None) -> None:
        self._connection = connection
        self._findings = findings
        self._key = key
        self._trust = _Trust()
        self._tree = Tree()
        self._covered = 0
        self.entries = 0
        self.checkpoints = 0

    def check(self) -> None:
        """Looks at everything, in one pass over the entries and one over the checkpoints."""
        self._connection.execute(
            "CREATE TEMP TABLE told "
            "(position INTEGER, step INTEGER, disposal INTEGER, before TEXT, after TEXT, at INTEGER)"
        )
        self._connection.execute("CREATE INDEX temp.told_step ON told (step)")
        checkpoints = self._read_checkpoints()
        waiting = next(checkpoints, None)
        for position, kind, at, hashed, subtrees, leaf in self._connection.execute(_LEAVES):
            while waiting is not None and waiting[1].size <= self._tree.size:
                self._compare(*waiting)
                waiting = next(checkpoints, None)
            self._place(position)
            self._add(position, hashed, subtrees, leaf)
            self._read(position, kind, at, leaf)
        while waiting is not None:
            self._compare(*waiting)
            waiting = next(checkpoints, None)
        self._count_checkpoints()
        if self._covered < self._tree.size:
            bare = f"The last {self._tree.size - self._covered:,} entries of the audit log"
            self._findings.note(f"{bare} are under no checkpoint. Make one:  retentiond audit checkpoint")
        self._compare_steps()

    # The tree

    def _place(self, position: int) -> None:
        if position != self._tree.size and self._trust.tree:
            self._problem(f"the entries before {position} are not all there")
            self._trust = _Trust(tree=False, roots=False)

    def _add(self, position: int, hashed: bytes, subtrees: bytes, leaf: bytes) -> None:
        self.entries += 1
        computed = leaf_hash(leaf)
        completed = self._tree.add(computed)
        if computed != hashed or (self._trust.tree and completed != subtrees):
            self._problem(f"entry {position} is not what its hashes say")
            self._trust.tree = False

    def _read(self, position: int, kind: str, at: int, leaf: bytes) -> None:
        try:
            said = json.loads(leaf)
            references = said.get("references", {})
            step, disposal = references.get("step"), references.get("disposal")
            row = (position, step and int(step), disposal and int(disposal), said.get("before", ""), said.get("after"))
            agrees = (said["kind"], said["at"]) == (kind, at)
        except (ValueError, TypeError, AttributeError, KeyError):
            self._problem(f"entry {position} cannot be read")
            return
        if not agrees:
            self._problem(f"entry {position} is listed as another than it is")
        if step is not None:
            self._connection.execute("INSERT INTO told VALUES (?, ?, ?, ?, ?, ?)", (*row, said["at"]))

    # Its checkpoints

    def _read_checkpoints(self) -> Iterator[tuple[int, Checkpoint]]:
        for number, size, note in self._connection.execute(_NOTES):
            self.checkpoints += 1
            try:
                checkpoint = read_checkpoint(note)
            except NotANote:
                self._problem(f"checkpoint {number} cannot be read")
                continue
            if checkpoint.size != size:
                self._problem(f"checkpoint {number} is listed under another size than it has")
                continue
            if self._key is not None and not self._key.signed(checkpoint):
                self._problem(f"checkpoint {number} is not signed with the log's key")
            yield number, checkpoint

    def _compare(self, number: int, checkpoint: Checkpoint) -> None:
        if checkpoint.size > self._tree.size:
            self._problem(
                f"checkpoint {number} covers {checkpoint.size:,} entries, but there are only {self._tree.size:,}"
            )
            return
        self._covered = checkpoint.size
        if self._trust.roots and checkpoint.root != self._tree.root():
            self._problem(f"what checkpoint {number} says of the first {checkpoint.size:,} entries is not so")
            self._trust.roots = False

    def _count_checkpoints(self) -> None:
        (highest,) = self._connection.execute("SELECT COALESCE(MAX(id), 0) FROM audit_checkpoint").fetchone()
        if highest != self.checkpoints:
            self._problem(f"of {highest:,} checkpoints only {self.checkpoints:,} are there")

    # What it vouches for

    def _compare_steps(self) -> None:
        execute = self._connection.execute
        for step, disposal, item, position in execute(_TOLD_OTHERWISE):
            said = f"step {step} of disposal {disposal} (item {item}) is not as entry {position} has it"
            self._problem(said, item)
        for step, disposal, item, count in execute(_NOT_TOLD_ONCE):
            told = "no entry tells" if count == 0 else f"{count} entries tell"
            self._problem(f"{told} of step {step} of disposal {disposal} (item {item})", item)
        for position, step in execute(_OF_NO_STEP):
            self._problem(f"entry {position} tells of step {step} of a disposal, which the catalogue does not have")

    def _problem(self, said: str, item: int | None = None) -> None:
        self._findings.problem(Kind.LOG, f"The audit log does not hold: {said}. {_VERIFY}", item)
