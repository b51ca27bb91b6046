"""The audit trail of what people record: written with it, and held against it later."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from agent.audit.checkpoint import SigningKey
from agent.audit.leaf import AuditKind, Digest, Leaf, Reference
from agent.audit.log import AuditLog
from agent.audit.pseudonyms import CHECKPOINT_PURPOSE, Pseudonyms
from agent.catalogue.store import Catalogue
from agent.model.disposal import CertificateIssued, DisposalState, DisposalStep, Pause
from agent.model.event import EventState, RecordedEvent
from agent.model.hold import Hold
from agent.model.review import ReviewAct
from agent.model.witness import Testimony

RECORD_PURPOSE = "audit/record"
_PLACED, _LIFTED = "placed", "lifted"
_PAUSED, _RESUMED = "paused", "resumed"
_END_OF_PAUSE = ("ended_at", "ended_by", "ended_why")
_END_OF_EVENT = ("state", "ended_at", "ended_by", "ended_why")
_END_OF_HOLD = ("lifted_at", "lifted_by", "lifted_why", "told_on")

_MOST_COMPARISONS = 20


@dataclass(frozen=True, slots=True)
class Trail:
    """Writes an entry of the audit log for each fact that people record, and a checkpoint behind them.

    An entry holds no name, no value and no words: who acted and on what are keyed hashes, and the row it vouches for is
    a keyed digest.
    """

    pseudonyms: Pseudonyms
    record_key: bytes = field(repr=False)
    signing_key: SigningKey = field(repr=False)

    @classmethod
    def derived(cls, derive: Callable[[str], bytes], origin: str) -> Trail:
        """By keys that `derive` gives for each purpose. `origin` is the name of the log in its checkpoints."""
        key = SigningKey(origin, derive(CHECKPOINT_PURPOSE))
        return cls(Pseudonyms.derived(derive), derive(RECORD_PURPOSE), key)

    def __call__(self, connection: Connection, facts: Sequence[Testimony]) -> None:
        """Adds the entries inside the transaction of `connection`: a `Witness`."""
        if not facts:
            return
        log = AuditLog(connection)
        log.extend(connection, [self._leaf(fact) for fact in facts])
        log.checkpoint(connection, self.signing_key)

    def disagreements(self, catalogue: Catalogue, log: AuditLog) -> list[str]:
        """What the catalogue says otherwise than the log: facts changed, added or taken away behind its back.

        One sentence for each. Keeps a digest of each fact in memory. Others may go on recording: where they do, only
        what is found again and again is told, since facts and log cannot be read as of one moment.
        """
        told: list[str] | None = None
        for _ in range(_MOST_COMPARISONS):
            size = log.size
            found = list(self._compared(catalogue, log))
            told = found if told is None else [one for one in told if one in found]
            if not told or log.size == size:
                break
        return told or []

    def _compared(self, catalogue: Catalogue, log: AuditLog) -> Iterator[str]:
        told = {
            (reference, number, part): leaf.digests.get(Digest.RECORD, b"")
            for _, leaf in log.entries()
            for reference, number, part in _about(leaf)
        }
        for fact in _facts_of(catalogue):
            for name, number, part, digest in self._vouched(fact):
                known = told.pop((name, number, part), None)
                what = f"{_NAMES[name]} {number}" + (", that it ended," if part else "")
                if known is None:
                    yield f"The audit log knows nothing of {what} in the catalogue."
                elif known != digest:
                    yield f"{what[:1].upper()}{what[1:]} is not as it was when it was recorded."
        for name, number, part in sorted(told, key=str):
            happened = "ended" if part else "was recorded"
            yield f"{_NAMES[name].capitalize()} {number} {happened}, says the log, but the catalogue does not know it."

    def _leaf(self, fact: Testimony) -> Leaf:
        *_, (name, number, part, digest) = self._vouched(fact)
        kind, at, by, before, after = _what(fact, ended=part)
        references = {name: number}
        digests = {Digest.RECORD: digest}
        item = None
        if isinstance(fact, ReviewAct | DisposalStep):
            item = self.pseudonyms.item(str(fact.item_id).encode())
        if isinstance(fact, ReviewAct) and fact.grounds.class_id:
            references[Reference.CLASS] = fact.grounds.class_id
        if isinstance(fact, DisposalStep):
            references[Reference.DISPOSAL] = str(fact.disposal)
            if fact.epoch:
                references[Reference.EPOCH] = fact.epoch
            if fact.digest is not None:
                digests[Digest.CONTENT] = fact.digest
        actor = self.pseudonyms.actor(by)
        return Leaf(kind, at, item, actor, before, after, references, digests)

    def _vouched(self, fact: Testimony) -> Iterator[tuple[Reference, str, bool, bytes]]:
        """What entries vouch for: the fact as it was recorded, and how it ended, if it has."""
        parts = asdict(fact)
        ends: tuple[str, ...]
        match fact:
            case RecordedEvent():
                name, ends, ended = Reference.EVENT, _END_OF_EVENT, fact.state is not EventState.IN_FORCE
            case Hold():
                name, ends, ended = Reference.HOLD, _END_OF_HOLD, fact.lifted_at is not None
            case Pause():
                name, ends, ended = Reference.PAUSE, _END_OF_PAUSE, fact.ended_at is not None
            case DisposalStep():
                name, ends, ended = Reference.STEP, (), False
            case CertificateIssued():
                name, ends, ended = Reference.CERTIFICATE, (), False
            case _:
                name, ends, ended = Reference.REVIEW, (), False
        end = {part: parts.pop(part) for part in ends}
        number = str(fact.number)
        yield name, number, False, self._digest(name, parts)
        if ended:
            yield name, number, True, self._digest(name, {"number": fact.number, **end})

    def _digest(self, name: Reference, parts: Mapping[str, Any]) -> bytes:
        written = json.dumps([name.value, parts], sort_keys=True, default=_plain, ensure_ascii=True)
        return hmac.digest(self.record_key, written.encode(), "sha256")


_NAMES = {
    Reference.EVENT: "event",
    Reference.HOLD: "hold",
    Reference.REVIEW: "act of review",
    Reference.STEP: "step of a disposal",
    Reference.PAUSE: "pause",
    Reference.CERTIFICATE: "certificate",
}
_ENDINGS = {AuditKind.EVENT_WITHDRAWN, AuditKind.HOLD_LIFTED, AuditKind.DISPOSALS_RESUMED}
_KINDS = {
    DisposalState.PLANNED: AuditKind.DISPOSAL_PLANNED,
    DisposalState.SEALED: AuditKind.ITEM_QUARANTINED,
    DisposalState.QUARANTINED: AuditKind.ITEM_QUARANTINED,
    DisposalState.RESTORING: AuditKind.ITEM_RESTORED,
    DisposalState.RESTORED: AuditKind.ITEM_RESTORED,
    DisposalState.DESTROYING: AuditKind.ITEM_DESTROYED,
    DisposalState.DESTROYED: AuditKind.ITEM_DESTROYED,
    DisposalState.ERASED: AuditKind.EPOCH_ERASED,
    DisposalState.ABANDONED: AuditKind.DISPOSAL_ABANDONED,
    DisposalState.CONFLICT: AuditKind.DISPOSAL_ABANDONED,
    DisposalState.RELOCATED: AuditKind.RELOCATED,
}


def _about(leaf: Leaf) -> Iterator[tuple[Reference, str, bool]]:
    for name in _NAMES:
        if name in leaf.references:
            ended = leaf.kind in _ENDINGS or leaf.after == EventState.CORRECTED
            yield name, leaf.references[name], ended


def _facts_of(catalogue: Catalogue) -> Iterator[Testimony]:
    yield from catalogue.events.all()
    yield from catalogue.holds.all()
    yield from catalogue.reviews.all()
    yield from catalogue.disposals.steps()
    yield from catalogue.pauses.all()
    yield from catalogue.certificates.facts()


def _what(fact: Testimony, *, ended: bool) -> tuple[AuditKind, datetime, str, str, str]:
    """The kind of entry, when and by whom, and the state before and after."""
    match fact:
        case RecordedEvent() if ended:
            kind = AuditKind.EVENT_WITHDRAWN if fact.state is EventState.WITHDRAWN else AuditKind.EVENT_CORRECTED
            return kind, fact.ended_at or fact.recorded_at, fact.ended_by, EventState.IN_FORCE, fact.state
        case RecordedEvent():
            kind = AuditKind.EVENT_RECORDED if fact.corrects is None else AuditKind.EVENT_CORRECTED
            return kind, fact.recorded_at, fact.recorded_by, "", EventState.IN_FORCE
        case Hold() if ended:
            return AuditKind.HOLD_LIFTED, fact.lifted_at or fact.placed_at, fact.lifted_by, _PLACED, _LIFTED
        case Hold():
            return AuditKind.HOLD_PLACED, fact.placed_at, fact.placed_by, "", _PLACED
        case Pause() if ended:
            return AuditKind.DISPOSALS_RESUMED, fact.ended_at or fact.at, fact.ended_by, _PAUSED, _RESUMED
        case Pause():
            return AuditKind.DISPOSALS_PAUSED, fact.at, fact.by, "", _PAUSED
        case CertificateIssued():
            return AuditKind.CERTIFICATE_ISSUED, fact.at, fact.by, "", ""
        case DisposalStep():
            return _KINDS[fact.after], fact.at, fact.by, fact.before, fact.after
        case _:
            return AuditKind.DECISION_REVIEWED, fact.at, fact.by, "", ""


def _plain(value: object) -> str:
    match value:
        case bytes():
            return value.hex()
        case date():
            return value.isoformat()
        case StrEnum():
            return value.value
        case _:
            raise TypeError(f"{type(value).__name__} has no place in a fact")
