"""Certificates of destruction for what is erased: everything that is on record of it, with its proofs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from agent.audit.checkpoint import SigningKey, parse
from agent.audit.leaf import Reference, encode
from agent.audit.log import AuditLog
from agent.catalogue.disposal_rows import Disposal
from agent.catalogue.outgoing import Issued
from agent.catalogue.store import Catalogue
from agent.certificate.document import (
    STATEMENT,
    STATEMENT_AT_SOURCE,
    STATEMENT_OF_BOTH,
    Copy,
    CopyKind,
    Heading,
    LogEntry,
    Sanitisation,
)
from agent.certificate.form import SignedCertificate
from agent.certificate.issue import Disposed, VaultKeys, issue
from agent.errors import UsageError
from agent.model.disposal import Account, Approval, Custody, DisposalState, DisposalStep
from agent.model.review import ActKind, ReviewAct
from agent.model.schedule import Disposition, RetentionSchedule
from agent.model.share_name import without_person
from agent.retention.reviews import begins_anew
from agent.usecases.trail import Trail

_EVIDENCE = (DisposalState.SEALED, DisposalState.DESTROYED, DisposalState.ERASED)


@dataclass(frozen=True, slots=True)
class KeptElsewhere:
    """What else keeps copies of a share's files: what it is, and for how many days at most, if that is known."""

    kind: CopyKind
    what: str
    days: int | None


@dataclass(frozen=True, slots=True)
class House:
    """What a certificate says of the house: its software, what is doubtful about the vault's medium, for how long
    backups of its keys are kept, and what else keeps copies of which share."""

    software: str
    medium_doubts: tuple[str, ...]
    key_backup_days: int
    copies: Mapping[str, Sequence[KeptElsewhere]] = field(default_factory=dict)


class Certifying:
    """Issues certificates in one catalogue."""

    def __init__(
        self, catalogue: Catalogue, schedule: RetentionSchedule, trail: Trail, key: SigningKey, house: House
    ) -> None:
        self._catalogue = catalogue
        self._schedule = schedule
        self._trail = trail
        self._key = key
        self._house = house

    def pending(self) -> tuple[Disposal, ...]:
        """What is erased and on no certificate yet."""
        erased = self._catalogue.disposals.of_state(DisposalState.ERASED)
        return tuple(one for one in erased if one.certificate is None)

    def issue(self, disposals: Sequence[Disposal], id: str, now: datetime, by: str) -> SignedCertificate:
        """The certificate over these, recorded, and in the audit log. Raises `CertificateRefused` with every reason
        why it would say what is not so, and `UsageError` if there is nothing to certify; then nothing is recorded."""
        if not disposals:
            raise UsageError(
                "Nothing is erased that is not on a certificate already. See:  retentiond dispose list --all"
            )
        steps = {one.number: tuple(self._catalogue.disposals.steps(one.number)) for one in disposals}
        checkpoint, entries = self._evidence(step for one in steps.values() for step in one)
        received = {bundle.number: bundle.confirmed_at for bundle in self._catalogue.bundles.all()}
        signed = issue(
            self._heading(id, now, disposals),
            [self._disposed(one, steps[one.number], received) for one in disposals],
            entries,
            checkpoint,
            self._vault_keys(now.date()),
            self._key,
            [self._trail.signing_key.verifier],
        )
        record = Issued(id, now, by, len(disposals), signed.data)
        self._catalogue.certificates.add(record, [one.number for one in disposals])
        return signed

    def _heading(self, id: str, now: datetime, disposals: Sequence[Disposal]) -> Heading:
        runs = sorted({one.run for one in disposals})
        return Heading(
            id=id,
            organisation=self._schedule.organisation,
            software=self._house.software,
            issued_at=now,
            batch=f"{runs[0]}-{runs[-1]}" if len(runs) > 1 else str(runs[0]),
            limits=tuple(self._limits(disposals)),
            officers=self._schedule.officers,
            statement=_statement({one.custody for one in disposals}),
        )

    def _limits(self, disposals: Sequence[Disposal]) -> Iterable[str]:
        kept_by = {one.custody for one in disposals}
        if Custody.VAULT in kept_by:
            yield (
                "What a drive does beneath its file system cannot be seen: flash may keep old blocks of the originals "
                "for a while."
            )
        if Custody.SOURCE in kept_by:
            yield (
                "What a service keeps for its own recovery, or because a retention policy or a hold of its own demands "
                "it, cannot be seen from outside. It keeps that for as long as it or its policy says."
            )
        yield from dict.fromkeys(
            limit for share in sorted({one.share for one in disposals}) for limit in self._limits_of(share)
        )

    def _limits_of(self, share: str) -> Iterator[str]:
        """What was said of the copies of one share. A mailbox or a OneDrive is not named: its name is a person's."""
        name = without_person(share)
        said = f"the share {name}" if name == share else name
        for other in self._house.copies.get(share, ()):
            until = f"for at most {other.days} days" if other.days is not None else "for an unknown time"
            yield f"{other.what} of {said} may keep copies {until}."
        if share not in self._house.copies:
            yield f"Whether snapshots, backups or replicas of {said} exist was not stated."

    def _vault_keys(self, today: date) -> VaultKeys:
        days = self._house.key_backup_days
        return VaultKeys(self._house.medium_doubts, today + timedelta(days=days) if days else None)

    def _disposed(
        self, one: Disposal, steps: Sequence[DisposalStep], received: Mapping[int, datetime | None]
    ) -> Disposed:
        began = [step for step in steps if step.after is DisposalState.DESTROYING]  # all but the last were withdrawn
        destroying = began[-1] if began else None
        account = one.account if destroying is None else self._as_destroyed(one, destroying.at)
        return Disposed(
            disposal=one.number,
            pseudonym=self._trail.pseudonyms.item(str(one.item_id).encode()),
            account=account,
            outcome=one.action,
            size_bytes=one.size_bytes,
            source=without_person(one.share),
            steps=steps,
            other_copies=tuple(self._other_copies(one, steps, received)),
            source_item=self._source_item(one) if one.custody is Custody.SOURCE else None,
        )

    def _source_item(self, one: Disposal) -> bytes:
        """Whoever has the key of the log, and an id from the source's own records, can ask whether it is that item."""
        return self._trail.pseudonyms.item(b"source:" + one.file_id)

    def _as_destroyed(self, one: Disposal, at: datetime) -> Account:
        """The account with the approvals that its destruction rested on; they may be newer than those of its taking."""
        acts = [act for act in self._catalogue.reviews.acts_of(one.item_id) if act.at <= at]
        began = max((number for number, act in enumerate(acts) if begins_anew(act.kind)), default=-1)
        given = [act for act in acts[began + 1 :] if act.kind is ActKind.APPROVE]
        counting = [act for act in given if act.grounds == given[-1].grounds]
        return replace(one.account, approvals=tuple(map(_approval, counting)))

    def _other_copies(
        self, one: Disposal, steps: Sequence[DisposalStep], received: Mapping[int, datetime | None]
    ) -> Iterable[Copy]:
        # From the day on no newer copy was made: of what its source keeps that is when it was deleted there.
        last_day = DisposalState.QUARANTINED if one.custody is Custody.VAULT else DisposalState.DESTROYED
        gone_on = next((step.at.date() for step in steps if step.after is last_day), None)
        for other in self._house.copies.get(one.share, ()):
            until = gone_on + timedelta(days=other.days) if gone_on is not None and other.days is not None else None
            yield Copy(other.kind, "not_touched", Sanitisation.NONE, remains_until=until)
        if one.action is Disposition.HAND_BACK:
            confirmed_at = received.get(one.bundle) if one.bundle is not None else None
            yield Copy(CopyKind.EXPORT, "handed_back", Sanitisation.NONE, confirmed_at)
        if any(one.account.class_id in recipient.receives for recipient in self._schedule.recipients):
            yield Copy(CopyKind.WITH_RECIPIENT, "to_be_told", Sanitisation.NONE)

    def _evidence(self, steps: Iterable[DisposalStep]) -> tuple[bytes, Mapping[int, LogEntry]]:
        """A checkpoint of the log as it is now, and the entries of these steps with their proofs under it."""
        wanted = {str(step.number): step.number for step in steps if step.after in _EVIDENCE}
        with self._catalogue.recording() as connection:
            log = AuditLog(connection)
            checkpoint = log.checkpoint(connection, self._trail.signing_key)
        with self._catalogue.connected() as connection:
            log = AuditLog(connection)
            size = parse(checkpoint).size  # others may have added entries since
            found = {}
            for position, leaf in log.entries():
                number = wanted.get(leaf.references.get(Reference.STEP, ""))
                if number is not None:
                    found[number] = (position, encode(leaf))
            return checkpoint, {
                number: LogEntry(position, leaf, tuple(log.inclusion_proof(position, size)))
                for number, (position, leaf) in found.items()
            }


def _statement(kept_by: Set[Custody]) -> str:
    if kept_by == {Custody.SOURCE}:
        return STATEMENT_AT_SOURCE
    return STATEMENT if kept_by == {Custody.VAULT} else STATEMENT_OF_BOTH


def _approval(act: ReviewAct) -> Approval:
    return Approval(act.number, act.by, act.stage, act.at)
