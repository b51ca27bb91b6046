"""A log in which items were destroyed, and what a certificate of it is made from. All of it is invented."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

from agent.audit import tree
from agent.audit.checkpoint import SigningKey, VerifierKey, create
from agent.audit.leaf import AuditKind, Digest, Leaf, Reference, encode
from agent.certificate.document import Copy, CopyKind, Heading, LogEntry, Sanitisation
from agent.certificate.form import SignedCertificate
from agent.certificate.issue import Disposed, VaultKeys, issue, signing_key
from agent.model.disposal import Account, Approval, DisposalState, DisposalStep
from agent.model.schedule import Disposition, Officer

ORIGIN = "records.example.org/audit"
LOG_KEY = SigningKey(ORIGIN, bytes(range(32)))
KEY = signing_key(ORIGIN, bytes(range(100, 132)))
KEYS = (LOG_KEY.verifier, KEY.verifier)
BEGAN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ISSUED = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)

_STATE = DisposalState
_COURSE = (_STATE.PLANNED, _STATE.SEALED, _STATE.QUARANTINED, _STATE.DESTROYING, _STATE.DESTROYED, _STATE.ERASED)
_KINDS = {
    _STATE.PLANNED: AuditKind.DISPOSAL_PLANNED,
    _STATE.SEALED: AuditKind.ITEM_QUARANTINED,
    _STATE.QUARANTINED: AuditKind.ITEM_QUARANTINED,
    _STATE.DESTROYING: AuditKind.ITEM_DESTROYED,
    _STATE.DESTROYED: AuditKind.ITEM_DESTROYED,
    _STATE.ERASED: AuditKind.EPOCH_ERASED,
}


def a_hash(*of: object) -> bytes:
    return hashlib.sha256(repr(of).encode()).digest()


def a_heading(**changes: Any) -> Heading:
    heading = Heading(
        id="0123456789abcdef0123456789abcdef",
        organisation="Example Training Ltd",
        software="retentiond 0.1.0",
        issued_at=ISSUED,
        batch="7",
        limits=(
            "Snapshots of the share office are kept for 14 days: until 16 November 2026.",
            "What the drive keeps beneath the file system cannot be told.",
        ),
        officers=(Officer("Data protection officer", "Dana Example", "dpo@example.org"),),
    )
    return replace(heading, **changes)


def an_account(number: int = 1, **changes: Any) -> Account:
    account = Account(
        schedule_id="training-provider",
        schedule_version="3",
        class_id="unsuccessful-applicant",
        class_title="Unsuccessful applicants",
        mandate="UK GDPR Art. 5(1)(e); Equality Act 2010 s.123",
        rule='six months after the event "recruitment_ended" of the vacancy',
        clock='Class "unsuccessful-applicant" counts six months from 31 March 2026.',
        due_on=date(2026, 9, 30),
        approvals=(
            Approval(2 * number, "ann", "case officer", BEGAN - timedelta(days=9)),
            Approval(2 * number + 1, "ben", "data protection officer", BEGAN - timedelta(days=8)),
        ),
    )
    return replace(account, **changes)


def the_steps(number: int, **changes: Any) -> tuple[DisposalStep, ...]:
    """The course of one disposal; `changes` are by state: attributes of that step, or None to leave it out."""
    steps = []
    for index, state in enumerate(_COURSE):
        step = DisposalStep(
            number=100 * number + index,
            disposal=number,
            item_id=1000 + number,
            before=_COURSE[index - 1].value if index else "",
            after=state,
            at=BEGAN + timedelta(days=2 * index, seconds=number, microseconds=1),
            by="cara",
            method="overwritten" if state is _STATE.QUARANTINED else "",
            digest=a_hash("content", number) if state is _STATE.SEALED else None,
        )
        change = changes.get(state.value, {})
        if change is not None:
            steps.append(replace(step, **change))
    return tuple(steps)


def a_disposed(number: int = 1, **changes: Any) -> Disposed:
    disposed = Disposed(
        disposal=number,
        pseudonym=a_hash("item", 1000 + number),
        account=an_account(number),
        outcome=Disposition.DESTROY,
        size_bytes=48_213 * number,
        source="office",
        steps=the_steps(number),
    )
    return replace(disposed, **changes)


def leaf_of(step: DisposalStep, **changes: Any) -> Leaf:
    """The entry that the trail makes of a step."""
    leaf = Leaf(
        kind=_KINDS[step.after],
        at=step.at,
        item=a_hash("item", step.item_id),
        actor=a_hash("actor", step.by),
        before=step.before,
        after=step.after.value,
        references={Reference.STEP: str(step.number), Reference.DISPOSAL: str(step.disposal)},
        digests={Digest.RECORD: a_hash("record", step.number)}
        | ({Digest.CONTENT: step.digest} if step.digest is not None else {}),
    )
    return replace(leaf, **changes)


@dataclass
class Made:
    """A batch, its log, and what `issue` gets of them. `leaves` are the bytes of entries by the number of their step;
    they stand in the log behind others that have nothing to do with it."""

    disposed: list[Disposed]
    heading: Heading = field(default_factory=a_heading)
    vault_keys: VaultKeys = field(default_factory=VaultKeys)
    leaves: dict[int, bytes] = field(default_factory=dict)
    before: int = 3
    log_key: SigningKey = LOG_KEY

    def __post_init__(self) -> None:
        steps = sorted((step for one in self.disposed for step in one.steps), key=lambda step: step.at)
        self.leaves = {step.number: encode(leaf_of(step)) for step in steps} | self.leaves

    @cached_property
    def data(self) -> list[bytes]:
        return [b"another %d" % number for number in range(self.before)] + list(self.leaves.values())

    def subtree(self, level: int, index: int) -> bytes:
        if level == 0:
            return tree.leaf_hash(self.data[index])
        return tree.node_hash(self.subtree(level - 1, 2 * index), self.subtree(level - 1, 2 * index + 1))

    @cached_property
    def checkpoint(self) -> bytes:
        size = len(self.data)
        return create(size, tree.root(size, self.subtree), self.log_key)

    @cached_property
    def entries(self) -> dict[int, LogEntry]:
        entries = {}
        for position, (number, leaf) in enumerate(self.leaves.items(), start=self.before):
            proof = tree.inclusion_proof(position, len(self.data), self.subtree)
            entries[number] = LogEntry(position, leaf, tuple(proof))
        return entries

    def issue(
        self,
        entries: Mapping[int, LogEntry] | None = None,
        checkpoint: bytes | None = None,
        key: SigningKey = KEY,
        log_keys: Iterable[VerifierKey] = (LOG_KEY.verifier,),
    ) -> SignedCertificate:
        return issue(
            self.heading,
            self.disposed,
            self.entries if entries is None else entries,
            self.checkpoint if checkpoint is None else checkpoint,
            self.vault_keys,
            key,
            log_keys,
        )


def a_batch(count: int = 2) -> Made:
    return Made([a_disposed(number) for number in range(1, count + 1)])


def the_full_batch() -> Made:
    """Two items, with everything that a certificate can tell."""
    backups = Copy(CopyKind.BACKUP, "kept_until_overwritten", Sanitisation.BEYOND_USE, remains_until=date(2026, 12, 31))
    told = Copy(CopyKind.WITH_RECIPIENT, "recipient_told", Sanitisation.NONE, at=BEGAN + timedelta(days=15))
    misplaced = an_account(
        2, class_id="", class_title="", rule="Patient data outside its own environment", clock="", placement="patients"
    )
    steps = the_steps(2, sealed={"doubts": ("open_unknown",)}, quarantined={"doubts": ("shared_extents",)})
    return Made(
        [
            a_disposed(1, other_copies=(backups, told)),
            a_disposed(2, account=misplaced, steps=steps, source="clients <north>", outcome=Disposition.HAND_BACK),
        ],
        vault_keys=VaultKeys(("the keys lie on another machine (nfs4), which may keep what was overwritten",), None),
    )
