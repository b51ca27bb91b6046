"""Issuing a certificate: only for what is gone beyond doubt and proven by the log, and never for less."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from agent.audit.checkpoint import (
    LARGEST_NOTE_BYTES,
    NotACheckpoint,
    Signed,
    SigningKey,
    VerifierKey,
    parse,
    signed,
)
from agent.certificate.checks import faults, named
from agent.certificate.document import (
    Certificate,
    Copy,
    CopyKind,
    DestroyedItem,
    Evidence,
    Heading,
    LogEntry,
    Sanitisation,
)
from agent.certificate.fields import NotACertificate
from agent.certificate.form import LARGEST_BYTES, SUFFIX, SignedCertificate, decode, encode, sign
from agent.errors import AgentError, ExitCode
from agent.model.disposal import Account, DisposalState, DisposalStep
from agent.model.schedule import Disposition

PURPOSE = "certificate"  # what the signing key is derived for (`agent.keys.derive`)
_TOLD = 20
_STATE = DisposalState
_HARMLESS_DOUBTS = frozenset({"open_unknown"})  # of the taking; says nothing against the overwriting


class CertificateRefused(AgentError):
    """Something that a certificate would say is missing, or is not so. `reasons` are all of them, one sentence each."""

    exit_code = ExitCode.ITEMS_FAILED

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        lines = [f"- {reason}" for reason in self.reasons[:_TOLD]]
        if len(self.reasons) > _TOLD:
            lines.append(f"- and {len(self.reasons) - _TOLD:,} more")
        super().__init__("No certificate was issued, because it would say what is not so:\n" + "\n".join(lines))


@dataclass(frozen=True, slots=True)
class Disposed:
    """What is on record of one item's way out. `pseudonym` is the item as the log names it.

    `account` has the approvals that its destruction rested on, `steps` all that was recorded of the disposal, in their
    order. `other_copies` are those beside the original and the one in the vault. `source_item` is the keyed hash of the
    id that it had at its source, where that kept and deleted it.
    """

    disposal: int
    pseudonym: bytes
    account: Account
    outcome: Disposition
    size_bytes: int
    source: str
    steps: Sequence[DisposalStep]
    other_copies: tuple[Copy, ...] = ()
    source_item: bytes | None = None


@dataclass(frozen=True, slots=True)
class VaultKeys:
    """What may keep the vault's keys alive after they were overwritten: doubts of the medium, and the last day on
    which a backup of them can still exist."""

    doubts: tuple[str, ...] = ()
    backups_until: date | None = None


def signing_key(origin: str, seed: bytes) -> SigningKey:
    """The key for certificates of the log of that name, from 32 secret bytes of its own purpose."""
    return SigningKey(origin + SUFFIX, seed)


def issue(
    heading: Heading,
    disposed: Sequence[Disposed],
    entries: Mapping[int, LogEntry],
    checkpoint: bytes,
    vault_keys: VaultKeys,
    key: SigningKey,
    log_keys: Iterable[VerifierKey],
) -> SignedCertificate:
    """The signed certificate for these items. `entries` are the log's entries of their steps, by the step's number.

    Raises `CertificateRefused`, with every reason there is, unless each item is erased, was approved by two people
    and is proven by entries under `checkpoint`, which one of `log_keys` must have signed. Signs nothing else.
    """
    items, reasons = [], []
    for one in disposed:
        item = _item(one, entries, vault_keys)
        if isinstance(item, DestroyedItem):
            items.append(item)
        else:
            reasons += [f"{named(one.disposal, one.pseudonym)}: {reason}" for reason in item]
    if items or not disposed:
        certificate = Certificate(heading, checkpoint.decode("utf-8", "replace"), tuple(items))
        reasons += _unreadable(certificate) or list(_untrue(certificate, checkpoint, key, log_keys))
        if not reasons:
            return sign(certificate, key)
    raise CertificateRefused(reasons)


def _item(one: Disposed, entries: Mapping[int, LogEntry], vault_keys: VaultKeys) -> DestroyedItem | list[str]:
    """The item as a certificate has it, or what is missing."""
    last = {step.after: step for step in one.steps}
    sealed, checked = last.get(_STATE.SEALED), last.get(_STATE.DESTROYING)
    destroyed, erased = last.get(_STATE.DESTROYED), last.get(_STATE.ERASED)
    left = next((step for step in one.steps if step.after is _STATE.QUARANTINED), None)  # not when it came back here
    if not (sealed and left and checked and destroyed and erased):
        steps = {"sealed": sealed, "quarantined": left, "destroying": checked, "destroyed": destroyed, "erased": erased}
        return [f"it is not on record as {name}." for name, step in steps.items() if step is None]
    proofs = [entries.get(step.number) for step in (sealed, destroyed, erased)]
    missing = [
        f"there is no entry of the log that proves that it was {step.after}."
        for step, entry in zip((sealed, destroyed, erased), proofs, strict=True)
        if entry is None
    ]
    if sealed.digest is None:
        return [*missing, "no digest of its content is on record."]
    if missing:
        return missing
    return DestroyedItem(
        disposal=one.disposal,
        pseudonym=one.pseudonym,
        content=sealed.digest,
        size_bytes=one.size_bytes,
        source=one.source,
        outcome=one.outcome,
        account=one.account,
        quarantined_at=sealed.at,
        holds_checked_at=checked.at,
        destroyed_at=destroyed.at,
        destroyed_by=destroyed.by,
        erased_at=erased.at,
        copies=(
            *(
                (_original(sealed, left), _vault_copy(erased, vault_keys))
                if one.source_item is None
                else _at_source(sealed, destroyed)
            ),
            *one.other_copies,
        ),
        evidence=Evidence(*filter(None, proofs)),
        source_item=one.source_item,
    )


def _original(sealed: DisposalStep, left: DisposalStep) -> Copy:
    doubts = tuple(sorted({*sealed.doubts, *left.doubts}))
    overwritten = left.method == "overwritten" and _HARMLESS_DOUBTS.issuperset(doubts)
    category = Sanitisation.CLEAR_ATTEMPTED if overwritten else Sanitisation.BEYOND_USE
    return Copy(CopyKind.ORIGINAL, left.method, category, left.at, doubts)


def _at_source(sealed: DisposalStep, destroyed: DisposalStep) -> Iterator[Copy]:
    """What became of the original where its source deleted it, and what that may have kept."""
    yield Copy(CopyKind.ORIGINAL, destroyed.method, Sanitisation.BEYOND_USE, destroyed.at, tuple(sealed.doubts))
    for word in destroyed.doubts:
        kind, days = read_remains(word)
        until = None if days is None else destroyed.at.date() + timedelta(days=days)
        yield Copy(kind, "kept_by_source", Sanitisation.NONE, remains_until=until)


def read_remains(word: str) -> tuple[CopyKind, int | None]:
    """What a source may keep, and for how many days at most if that is known, as a step has it: `recycle_bin_93`."""
    name, _, days = word.rpartition("_")
    return (CopyKind(name), int(days)) if days.isdecimal() else (CopyKind(word), None)


def _vault_copy(erased: DisposalStep, keys: VaultKeys) -> Copy:
    sure = not keys.doubts and keys.backups_until is None
    category = Sanitisation.PURGE if sure else Sanitisation.PURGE_ATTEMPTED
    return Copy(CopyKind.VAULT_COPY, "cryptographic_erase", category, erased.at, keys.doubts, keys.backups_until)


def _unreadable(certificate: Certificate) -> list[str]:
    """What would keep others from reading the certificate as it is meant."""
    text = encode(certificate)
    if len(text) > LARGEST_BYTES - LARGEST_NOTE_BYTES:  # the name in the signature is no longer than a checkpoint
        count = len(certificate.items)
        return [f"{count:,} items are too many for one certificate. Issue several, each for a part of them."]
    try:
        read = decode(text)
    except NotACertificate as fault:
        return [f"It could not be read, since {fault}."]
    return [] if read == certificate else ["It would be read otherwise than it is meant: a moment lacks its time zone."]


def _untrue(
    certificate: Certificate, checkpoint: bytes, key: SigningKey, log_keys: Iterable[VerifierKey]
) -> Iterator[str]:
    """What it would say that is not so."""
    try:
        note = parse(checkpoint)
    except NotACheckpoint as fault:
        yield f"What should be the log's checkpoint is none, since {fault}."
        return
    if signed(note, log_keys) is not Signed.BY_US:
        yield "The checkpoint is not signed by the key of the log."
    if key.name != note.origin + SUFFIX:
        yield f"The key {key.name} is not for certificates of the log {note.origin}."
    yield from faults(certificate, note)
