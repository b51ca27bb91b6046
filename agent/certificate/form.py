"""The bytes of a certificate: one line of canonical JSON, signed as a C2SP signed note.

The signature is over the line as it stands, so that whoever checks it need not bring JSON into any form; and the file
is still read by every tool for JSON (its first line) and for signed notes (all of it).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from agent.audit.checkpoint import Signature, Signed, SigningKey, VerifierKey
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
from agent.certificate.fields import Fields, NotACertificate, say_moment
from agent.model.disposal import Account, Approval
from agent.model.schedule import Disposition, Officer

VERSION, VERSION_AT_SOURCE = (
    1,
    2,
)  # the second only where an item was deleted at its source: older programs know no such
LARGEST_BYTES = 64 * 1024 * 1024  # some eight thousand items
SUFFIX = "/certificates"  # behind the log's name: the name of the key by which its certificates are signed
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_METHOD = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_NOTE = re.compile(rb"([\x20-\x7e]+\n)\n\xe2\x80\x94 ([^ \n+]+) ([A-Za-z0-9+/]{91}=)\n")
_KEY_ID_BYTES = 4


class UnknownVersion(NotACertificate):
    """A certificate that a newer program wrote; this one cannot say what it means."""


@dataclass(frozen=True, slots=True)
class SignedCertificate:
    """A certificate and the bytes in which it was signed; `text` is what the signature is over."""

    certificate: Certificate
    text: str = field(repr=False)
    signature: Signature
    data: bytes = field(repr=False)

    @property
    def sha256(self) -> bytes:
        """The digest of the file, by which a print or an entry of the log names it."""
        return hashlib.sha256(self.data).digest()


def sign(certificate: Certificate, key: SigningKey) -> SignedCertificate:
    """The certificate in its signed form."""
    text = encode(certificate)
    data = f"{text}\n{key.sign(text)}".encode()
    return SignedCertificate(certificate, *open_note(data), data)


def open_note(data: bytes) -> tuple[str, Signature]:
    """The signed text and the one signature below it. Nothing of it may be believed before `signed_by` was asked.

    Raises `NotACertificate` for everything that deviates from the format.
    """
    if len(data) > LARGEST_BYTES:
        raise NotACertificate("it is larger than any certificate")
    parts = _NOTE.fullmatch(data)
    if parts is None:
        raise NotACertificate("it is not one line of text with one signature below")
    name, signature = parts[2].decode("utf-8", "replace"), base64.b64decode(parts[3])
    if not name.isprintable() or name.encode() != parts[2] or base64.b64encode(signature) != parts[3]:
        raise NotACertificate("its signature cannot be read")
    return parts[1].decode("ascii"), Signature(name, signature[:_KEY_ID_BYTES], signature[_KEY_ID_BYTES:])


def signed_by(text: str, signature: Signature, keys: Iterable[VerifierKey]) -> Signed:
    """Whether one of these keys has signed that text."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    known = [key for key in keys if (key.name, key.key_id) == (signature.name, signature.key_id)]
    if not known:
        return Signed.BY_OTHERS
    for key in known:
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature.signature, text.encode())
        except InvalidSignature:
            return Signed.FALSELY
    return Signed.BY_US


# Out


def encode(certificate: Certificate) -> str:
    """The canonical text: JSON on one line, with sorted keys, without blanks, in ASCII; only text and whole numbers."""
    heading = certificate.heading
    said = {
        "version": _version(certificate),
        "id": heading.id,
        "organisation": heading.organisation,
        "software": heading.software,
        "issued_at": say_moment(heading.issued_at),
        "batch": heading.batch,
        "statement": heading.statement,
        "limits": list(heading.limits),
        "officers": [{"role": one.role, "name": one.name, "contact": one.contact} for one in heading.officers],
        "checkpoint": certificate.checkpoint,
        "items": [_item(item) for item in certificate.items],
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False) + "\n"


def _version(certificate: Certificate) -> int:
    at_source = any(item.source_item is not None for item in certificate.items)
    return VERSION_AT_SOURCE if at_source else VERSION


def _item(item: DestroyedItem) -> dict[str, Any]:
    said = {
        "disposal": item.disposal,
        "pseudonym": item.pseudonym.hex(),
        "content": item.content.hex(),
        "size_bytes": item.size_bytes,
        "source": item.source,
        "outcome": item.outcome.value,
        "account": _account(item.account),
        "quarantined_at": say_moment(item.quarantined_at),
        "holds_checked_at": say_moment(item.holds_checked_at),
        "destroyed_at": say_moment(item.destroyed_at),
        "destroyed_by": item.destroyed_by,
        "erased_at": say_moment(item.erased_at),
        "copies": [_copy(copy) for copy in item.copies],
        "evidence": {
            "sealed": _entry(item.evidence.sealed),
            "destroyed": _entry(item.evidence.destroyed),
            "erased": _entry(item.evidence.erased),
        },
    }
    if item.source_item is not None:
        said["source_item"] = item.source_item.hex()
    return said


def _account(account: Account) -> dict[str, Any]:
    said: dict[str, Any] = {
        "schedule_id": account.schedule_id,
        "schedule_version": account.schedule_version,
        "class_id": account.class_id,
        "class_title": account.class_title,
        "mandate": account.mandate,
        "rule": account.rule,
        "clock": account.clock,
        "due_on": account.due_on.isoformat(),
        "approvals": [_approval(approval) for approval in account.approvals],
    }
    if account.placement:
        said["placement"] = account.placement
    return said


def _approval(approval: Approval) -> dict[str, Any]:
    return {"act": approval.act, "by": approval.by, "stage": approval.stage, "at": say_moment(approval.at)}


def _copy(copy: Copy) -> dict[str, Any]:
    said: dict[str, Any] = {"kind": copy.kind.value, "method": copy.method, "category": copy.category.value}
    if copy.at is not None:
        said["at"] = say_moment(copy.at)
    if copy.doubts:
        said["doubts"] = list(copy.doubts)
    if copy.remains_until is not None:
        said["remains_until"] = copy.remains_until.isoformat()
    return said


def _entry(entry: LogEntry) -> dict[str, Any]:
    # Leaves are ASCII by their own form, and readable as they are; anything else is no leaf, and refused as one.
    leaf = entry.leaf.decode("ascii", "replace")
    return {"position": entry.position, "leaf": leaf, "proof": [one.hex() for one in entry.proof]}


# In


def decode(text: str) -> Certificate:
    """The certificate for which `encode` gives this text.

    Raises `UnknownVersion` for what may be a certificate of another version, `NotACertificate` for everything else.
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise NotACertificate("it is not JSON") from None
    whole = Fields(said, "")
    if whole.whole("version") not in (VERSION, VERSION_AT_SOURCE):
        raise UnknownVersion("it is of a version that this program does not know")
    officers = [Officer(one.text("role"), one.text("name"), one.text("contact")) for one in whole.objects("officers")]
    heading = Heading(
        id=whole.matching("id", _ID),
        organisation=whole.text("organisation"),
        software=whole.text("software"),
        issued_at=whole.moment("issued_at"),
        batch=whole.text("batch"),
        limits=whole.texts("limits"),
        officers=tuple(officers),
        statement=whole.text("statement"),
    )
    certificate = Certificate(heading, whole.text("checkpoint"), tuple(map(_read_item, whole.objects("items"))))
    whole.end()
    if encode(certificate) != text:
        raise NotACertificate("it is not in canonical form")
    return certificate


def _read_item(said: Fields) -> DestroyedItem:
    evidence = said.fields("evidence")
    item = DestroyedItem(
        disposal=said.whole("disposal"),
        pseudonym=said.hashed("pseudonym"),
        content=said.hashed("content"),
        size_bytes=said.whole("size_bytes"),
        source=said.text("source"),
        outcome=said.word("outcome", Disposition),
        account=_read_account(said.fields("account")),
        quarantined_at=said.moment("quarantined_at"),
        holds_checked_at=said.moment("holds_checked_at"),
        destroyed_at=said.moment("destroyed_at"),
        destroyed_by=said.text("destroyed_by"),
        erased_at=said.moment("erased_at"),
        copies=tuple(map(_read_copy, said.objects("copies"))),
        evidence=Evidence(*(_read_entry(evidence.fields(name)) for name in ("sealed", "destroyed", "erased"))),
        source_item=said.hashed("source_item") if "source_item" in said else None,
    )
    evidence.end()
    return item


def _read_account(said: Fields) -> Account:
    account = Account(
        schedule_id=said.text("schedule_id"),
        schedule_version=said.text("schedule_version"),
        class_id=said.text("class_id", may_be_empty=True),
        class_title=said.text("class_title", may_be_empty=True),
        mandate=said.text("mandate"),
        rule=said.text("rule"),
        clock=said.text("clock", may_be_empty=True),
        due_on=said.day("due_on"),
        approvals=tuple(
            Approval(one.whole("act"), one.text("by"), one.text("stage"), one.moment("at"))
            for one in said.objects("approvals")
        ),
        placement=said.text("placement") if "placement" in said else "",
    )
    said.end()
    return account


def _read_copy(said: Fields) -> Copy:
    return Copy(
        kind=said.word("kind", CopyKind),
        method=said.matching("method", _METHOD),
        category=said.word("category", Sanitisation),
        at=said.moment("at") if "at" in said else None,
        doubts=said.texts("doubts") if "doubts" in said else (),
        remains_until=said.day("remains_until") if "remains_until" in said else None,
    )


def _read_entry(said: Fields) -> LogEntry:
    entry = LogEntry(said.whole("position"), said.text("leaf").encode("utf-8"), said.hashes("proof"))
    said.end()
    return entry
