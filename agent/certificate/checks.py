"""What must be true of a certificate by itself: the same for who issues one and for who checks one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from agent.audit import tree
from agent.audit.checkpoint import Checkpoint
from agent.audit.leaf import AuditKind, Digest, Leaf, NotALeaf, Reference, decode
from agent.certificate.document import (
    BINS,
    OF_SERVICES,
    Certificate,
    Copy,
    CopyKind,
    DestroyedItem,
    LogEntry,
    Sanitisation,
)
from agent.certificate.fields import say_moment
from agent.model.disposal import DisposalState
from agent.model.schedule import Disposition

# A due date is a day where the schedule applies, a moment is in UTC: the two may be a day apart.
_TIME_ZONES = timedelta(days=1)
_STATE = DisposalState
_EXPECTED = {
    _STATE.SEALED: (AuditKind.ITEM_QUARANTINED, _STATE.PLANNED),
    _STATE.DESTROYED: (AuditKind.ITEM_DESTROYED, _STATE.DESTROYING),
    _STATE.ERASED: (AuditKind.EPOCH_ERASED, _STATE.DESTROYED),
}


def faults(certificate: Certificate, checkpoint: Checkpoint) -> Iterator[str]:
    """Everything that is not as a certificate must have it, one sentence each; nothing if all is well.

    `checkpoint` is the certificate's own, whose signature is for the caller to check.
    """
    if not certificate.items:
        yield "It names no item."
    if not certificate.heading.limits:
        yield "It does not say what may remain."
    yield from _twice(certificate)
    for item in certificate.items:
        for fault in _faults_of(item, certificate.heading.issued_at, checkpoint):
            yield f"{named(item.disposal, item.pseudonym)}: {fault}"


def named(disposal: int, pseudonym: bytes) -> str:
    """How an item is called in what is said of it."""
    return f"Disposal {disposal} (item {pseudonym.hex()[:12]}…)"


def _twice(certificate: Certificate) -> Iterator[str]:
    items = certificate.items
    for pseudonym, count in Counter(item.pseudonym for item in items).items():
        if count > 1:
            yield f"The item {pseudonym.hex()[:12]}… stands in it {count} times."
    for number, count in Counter(item.disposal for item in items).items():
        if count > 1:
            yield f"Disposal {number} stands in it {count} times."


def _faults_of(item: DestroyedItem, issued_at: datetime, checkpoint: Checkpoint) -> Iterator[str]:
    yield from _faults_of_decision(item)
    yield from _faults_of_order(item, issued_at)
    yield from _faults_in_vault(item) if item.source_item is None else _faults_at_source(item)
    yield from _faults_of_copies(item, issued_at)
    yield from _faults_of_evidence(item, checkpoint)


def _faults_of_decision(item: DestroyedItem) -> Iterator[str]:
    account = item.account
    if not (account.class_id and account.class_title) and not account.placement:
        yield "it has neither a retention class nor a placement rule."
    if item.outcome is Disposition.RETAIN_PERMANENTLY:
        yield "it was to be kept permanently."
    people = {approval.by.casefold() for approval in account.approvals}
    if len(people) < 2:
        yield "it takes two different people to let an item go, and " + (
            "all its approvals are by one." if people else "nobody has approved it."
        )
    if len({approval.act for approval in account.approvals}) < len(account.approvals):
        yield "an approval counts twice."
    if any(approval.at > item.destroyed_at for approval in account.approvals):
        yield "it was approved after it had been destroyed."


def _faults_of_order(item: DestroyedItem, issued_at: datetime) -> Iterator[str]:
    due_on = item.account.due_on
    if item.quarantined_at.date() + _TIME_ZONES < due_on:
        yield f"it was taken on {item.quarantined_at.date()}, before it was due on {due_on}."
    course = (
        ("quarantined", item.quarantined_at),
        ("checked for holds", item.holds_checked_at),
        ("destroyed", item.destroyed_at),
        ("erased", item.erased_at),
        ("certified", issued_at),
    )
    for (before, first), (after, second) in pairwise(course):
        if first > second:
            yield f"it was {after} at {say_moment(second)}, before it was {before} at {say_moment(first)}."


def _faults_in_vault(item: DestroyedItem) -> Iterator[str]:
    kinds = Counter(copy.kind for copy in item.copies)
    if kinds[CopyKind.ORIGINAL] != 1 or kinds[CopyKind.VAULT_COPY] != 1:
        yield "it must be said of the original and of the copy in the vault, once each, what became of them."
    for copy in item.copies:
        if copy.kind is CopyKind.ORIGINAL and not (copy.at and item.quarantined_at <= copy.at <= item.destroyed_at):
            yield "its original did not go between its quarantine and its destruction."
        if copy.kind is CopyKind.VAULT_COPY and copy.at != item.erased_at:
            yield "the copy in the vault did not go when it was erased."
        if copy.kind in OF_SERVICES:
            yield "it has a copy of a kind that only services keep, but no service has deleted it."


def _faults_at_source(item: DestroyedItem) -> Iterator[str]:
    kinds = Counter(copy.kind for copy in item.copies)
    if kinds[CopyKind.ORIGINAL] != 1 or kinds[CopyKind.VAULT_COPY]:
        yield "it must be said of the original, once, what became of it, and there was no copy in the vault."
    for copy in item.copies:
        if copy.kind is CopyKind.ORIGINAL and copy.at != item.destroyed_at:
            yield "its original did not go when it was destroyed."
        if copy.kind is CopyKind.ORIGINAL and copy.category is not Sanitisation.BEYOND_USE:
            yield "what a service has deleted can only be said to be beyond use."
        if copy.kind in BINS and copy.remains_until is not None and copy.remains_until > item.erased_at.date():
            yield "it is said to be erased while a recycle bin may still have it."


def _faults_of_copies(item: DestroyedItem, issued_at: datetime) -> Iterator[str]:
    for copy in item.copies:
        if copy.at is not None and copy.at > issued_at:
            yield "a copy went after the certificate was issued."
        if copy.category is Sanitisation.PURGE and not _may_be_purged(copy):
            yield "only an encrypted copy of whose keys nothing remains, without a doubt, can be said to be purged."


def _may_be_purged(copy: Copy) -> bool:
    return copy.kind is CopyKind.VAULT_COPY and not copy.doubts and copy.remains_until is None


def _faults_of_evidence(item: DestroyedItem, checkpoint: Checkpoint) -> Iterator[str]:
    evidence = item.evidence
    told = (
        (_STATE.SEALED, evidence.sealed, item.quarantined_at),
        (_STATE.DESTROYED, evidence.destroyed, item.destroyed_at),
        (_STATE.ERASED, evidence.erased, item.erased_at),
    )
    for state, entry, at in told:
        try:
            leaf = decode(entry.leaf)
        except NotALeaf as fault:
            yield f"what should prove that it was {state} is no entry of the log, since {fault}."
            continue
        for wrong in _wrong_in(leaf, item, state, at):
            yield f"the entry that should prove that it was {state} {wrong}."
        if not _stands(entry, checkpoint):
            yield f"the entry that should prove that it was {state} does not stand in the log of the checkpoint."
    if not evidence.sealed.position < evidence.destroyed.position < evidence.erased.position:
        yield "its entries do not stand in the log in the order of what happened."


def _wrong_in(leaf: Leaf, item: DestroyedItem, state: DisposalState, at: datetime) -> Iterator[str]:
    kind, before = _EXPECTED[state]
    if (leaf.kind, leaf.before, leaf.after) != (kind, before, state):
        yield "says something else"
    if leaf.item != item.pseudonym or leaf.references.get(Reference.DISPOSAL) != str(item.disposal):
        yield "is about another item or disposal"
    if leaf.at != at:
        yield "has another time"
    if state is _STATE.SEALED and leaf.digests.get(Digest.CONTENT) != item.content:
        yield "is about another content"


def _stands(entry: LogEntry, checkpoint: Checkpoint) -> bool:
    leaf_hash = tree.leaf_hash(entry.leaf)
    return tree.verify_inclusion(leaf_hash, entry.position, checkpoint.size, entry.proof, checkpoint.root)
