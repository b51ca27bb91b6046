"""Whether the log is what it was: everything recomputed from its entries, in one pass and bounded memory.

Believed are the keys and the checkpoints kept outside, which the caller gives; nothing that the database holds is.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from sqlalchemy import Connection

from agent.audit import tree
from agent.audit.checkpoint import Checkpoint, NotACheckpoint, Signed, VerifierKey, parse, signed
from agent.audit.leaf import AuditKind, Digest, Leaf, NotALeaf, Reference, UnknownVersion, decode, microseconds
from agent.audit.rows import LeafRow, TextRow, checkpoint_rows, leaf_rows, snapshot, text_rows
from agent.audit.texts import TextDamaged, TextKeys, unseal

_T = TypeVar("_T")

TOLD = 100  # how many findings are told one by one


class Trouble(StrEnum):
    """In which way the log is not what it was."""

    MISMATCH = "mismatch"  # something was changed, put elsewhere, or taken out of the middle
    TRUNCATION = "truncation"  # the log is shorter than its own checkpoints say
    ROLLBACK = "rollback"  # the log with its checkpoints is older than one that was kept outside
    UNVERIFIABLE = "unverifiable"  # what would prove it cannot be read, or nobody we know has signed it


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in plain words; `position` is that of the entry where it shows, if there is one."""

    trouble: Trouble
    position: int | None
    said: str


@dataclass(slots=True)
class Verification:
    """What came of it. `covered` entries stand under a checkpoint that was found good; the others can still be changed
    without a trace. `findings` holds the first hundred, `counts` all of them by kind.
    """

    size: int = 0
    root: bytes = tree.EMPTY_ROOT
    covered: int = 0
    checkpoints: int = 0
    texts_checked: bool = False
    findings: list[Finding] = field(default_factory=list)
    counts: dict[Trouble, int] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.counts

    def add(self, trouble: Trouble, position: int | None, said: str) -> None:
        """One more finding."""
        self.counts[trouble] = self.counts.get(trouble, 0) + 1
        if len(self.findings) < TOLD:
            self.findings.append(Finding(trouble, position, said))


@dataclass(frozen=True, slots=True)
class _Claim:
    """A signed checkpoint, what to call it, and whether it lay outside of the database."""

    name: str
    outside: bool
    checkpoint: Checkpoint

    @property
    def size(self) -> int:
        return self.checkpoint.size


class _Queue(Generic[_T]):
    """Things in the order of their places, taken as far as one has come."""

    def __init__(self, things: Iterator[_T], place: Callable[[_T], int]) -> None:
        self._things = things
        self._place = place
        self._next = next(things, None)

    def upto(self, place: int | None) -> Iterator[_T]:
        """Takes all up to and with this place; all that are left, if there is no place."""
        while self._next is not None and (place is None or self._place(self._next) <= place):
            taken, self._next = self._next, next(self._things, None)
            yield taken


def verify(
    connection: Connection,
    keys: Iterable[VerifierKey],
    outside: Mapping[str, bytes] | None = None,
    text_keys: TextKeys | None = None,
) -> Verification:
    """Recomputes the log and holds it against its own checkpoints and those kept `outside` (by what to call them).

    `keys` are all by which this log has ever signed. Texts are only checked with `text_keys`.
    """
    with snapshot(connection):
        return _Pass(connection, tuple(keys), outside or {}, text_keys).run()


class _Pass:
    """One pass over the log. Keeps a compact tree, the outside checkpoints, and the entries whose texts are gone."""

    def __init__(
        self,
        connection: Connection,
        keys: tuple[VerifierKey, ...],
        outside: Mapping[str, bytes],
        text_keys: TextKeys | None,
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._outside = outside
        self._text_keys = text_keys
        self._tree = tree.CompactRange()
        self._whole = True  # no entry is missing, so that roots can be computed
        self._trees_told = False  # what follows from a fault that was told is not told again
        self._own_told = False
        self._gone: set[int] = set()
        self._told = Verification(texts_checked=text_keys is not None)

    def run(self) -> Verification:
        """What came of it."""
        told = self._told
        claims = _Queue(heapq.merge(self._own(), self._kept_outside(), key=_size), _size)
        texts = _Queue(text_rows(self._connection), lambda row: row.position)
        for row in leaf_rows(self._connection):
            for claim in claims.upto(told.size):
                self._hold_against(claim)
            leaf = self._entry(row)
            for stray in texts.upto(row.position - 1):
                self._stray_text(stray)
            kept = next(texts.upto(row.position), None)
            if leaf is not None:
                self._text(row.position, leaf, kept)
        for stray in texts.upto(None):
            self._stray_text(stray)
        for claim in claims.upto(told.size):
            self._hold_against(claim)
        self._beyond_the_end(claims.upto(None))
        for position in sorted(self._gone):
            said = f"The words that belong to entry {position} are gone, and no entry says that they were erased."
            told.add(Trouble.MISMATCH, position, said)
        if told.size and not told.checkpoints:
            said = f"No checkpoint covers any of the {told.size} entries: nothing shows whether they are genuine."
            told.add(Trouble.UNVERIFIABLE, None, said)
        told.root = self._tree.root()
        return told

    # Entries

    def _entry(self, row: LeafRow) -> Leaf | None:
        """Takes one entry into the tree. Gives what it says, if that can be told."""
        here, told = row.position, self._told
        if here != told.size:
            self._missing(here)
        told.size = here + 1
        leaf_hash = tree.leaf_hash(row.leaf)
        subtrees = b"".join(self._tree.append(leaf_hash))
        changed = row.hash != leaf_hash
        if changed:
            self._trees_told = True
            told.add(Trouble.MISMATCH, here, f"Entry {here} does not have the hash that was recorded with it.")
        elif row.subtrees != subtrees and not self._trees_told:
            self._trees_told = True
            told.add(Trouble.MISMATCH, here, f"The tree recorded with entry {here} does not follow from the entries.")
        try:
            leaf = decode(row.leaf)
        except NotALeaf as fault:
            if not changed:
                trouble = Trouble.UNVERIFIABLE if isinstance(fault, UnknownVersion) else Trouble.MISMATCH
                told.add(trouble, here, f"Entry {here} cannot be read, since {fault}.")
            return None
        if row.kind != leaf.kind.encode() or row.at != b"%d" % microseconds(leaf.at):
            told.add(Trouble.MISMATCH, here, f"Entry {here} is filed under another kind or time than it says.")
        return leaf

    def _missing(self, found: int) -> None:
        expected = self._told.size
        self._whole, self._trees_told = False, True
        if found < expected:
            said = f"There is an entry {found}, where none can be."
        elif found == expected + 1:
            said = f"Entry {expected} is missing."
        else:
            said = f"Entries {expected} to {found - 1} are missing."
        self._told.add(Trouble.MISMATCH, expected, said)

    # Texts

    def _text(self, here: int, leaf: Leaf, kept: TextRow | None) -> None:
        """Holds the words kept for an entry against the digest in it."""
        digest = leaf.digests.get(Digest.TEXT)
        if digest is None:
            if kept is not None:
                self._stray_text(kept)
        elif kept is None:
            self._gone.add(here)
        elif self._text_keys is not None:
            try:
                unseal(kept.wrapped_key, kept.sealed, digest, self._text_keys)
            except TextDamaged as damage:
                said = f"The words kept for entry {here} are not those that were written: {damage}."
                self._told.add(Trouble.MISMATCH, here, said)
        if leaf.kind is AuditKind.TEXT_ERASED:
            self._erased(here, leaf.references.get(Reference.ENTRY, ""))

    def _erased(self, here: int, of: str) -> None:
        if of.isdecimal() and int(of) in self._gone:
            self._gone.remove(int(of))
        else:
            said = f"Entry {here} says that words were erased which are there all the same, or never were."
            self._told.add(Trouble.MISMATCH, here, said)

    def _stray_text(self, row: TextRow) -> None:
        said = f"Words are kept for entry {row.position}, which knows of none."
        self._told.add(Trouble.MISMATCH, row.position, said)

    # Checkpoints

    def _own(self) -> Iterator[_Claim]:
        """The checkpoints in the database that can be read and are signed by the log, in their order."""
        expected, reached = 1, 0
        for row in checkpoint_rows(self._connection):
            name = f"the log's own checkpoint {row.number}"
            if row.number != expected:
                self._told.add(Trouble.MISMATCH, None, f"The log's own checkpoint {expected} is missing.")
            expected = row.number + 1
            checkpoint = self._read(name, row.note, Trouble.MISMATCH)
            if checkpoint is None:
                continue
            if row.size != b"%d" % checkpoint.size or checkpoint.size < reached:
                self._told.add(Trouble.MISMATCH, None, f"{_capital(name)} stands where it does not belong.")
                continue
            reached = checkpoint.size
            yield _Claim(name, False, checkpoint)

    def _kept_outside(self) -> list[_Claim]:
        read = ((name, self._read(name, note, Trouble.UNVERIFIABLE)) for name, note in self._outside.items())
        claims = (_Claim(name, True, checkpoint) for name, checkpoint in read if checkpoint is not None)
        return sorted(claims, key=_size)

    def _read(self, name: str, note: bytes, if_unreadable: Trouble) -> Checkpoint | None:
        try:
            checkpoint = parse(note)
        except NotACheckpoint as fault:
            self._told.add(if_unreadable, None, f"{_capital(name)} is no checkpoint: {fault}.")
            return None
        answer = signed(checkpoint, self._keys)
        if answer is Signed.BY_US:
            self._told.checkpoints += 1
            return checkpoint
        if answer is Signed.FALSELY:
            said = f"{_capital(name)} names a key of this log, which has not signed what it says."
            self._told.add(Trouble.MISMATCH, None, said)
        else:
            said = f"{_capital(name)} is not signed by any key of this log that was given."
            self._told.add(Trouble.UNVERIFIABLE, None, said)
        return None

    def _hold_against(self, claim: _Claim) -> None:
        """As many entries were taken as the checkpoint says: the tree must have the root that it says."""
        if not self._whole:
            return
        if claim.checkpoint.root == self._tree.root():
            self._told.covered = claim.size
        elif claim.outside or not self._own_told:
            self._own_told = self._own_told or not claim.outside
            said = f"{_capital(claim.name)} was made over other entries than the {claim.size} that are here now"
            good = self._told.covered
            said += f"; the first {good} are as they were." if good else "."
            self._told.add(Trouble.MISMATCH, good, said)

    def _beyond_the_end(self, claims: Iterator[_Claim]) -> None:
        """These say that the log was longer than it is."""
        size, before, own, outside = self._told.size, None, None, None
        for claim in claims:
            if before is not None and before.size == claim.size and before.checkpoint.root != claim.checkpoint.root:
                said = f"{_capital(before.name)} and {claim.name} speak of different logs of {claim.size} entries."
                self._told.add(Trouble.MISMATCH, size, said)
            before = claim
            if claim.outside:
                outside = claim
            else:
                own = claim
        if own is not None:
            said = f"The log ends after {size} entries, but {own.name} says that it had {own.size}."
            self._told.add(Trouble.TRUNCATION, size, said)
        if outside is not None and (own is None or outside.size > own.size):
            said = f"The log has been set back to {size} entries: {outside.name} shows that it had {outside.size}."
            self._told.add(Trouble.ROLLBACK, size, said)


def _size(claim: _Claim) -> int:
    return claim.size


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
