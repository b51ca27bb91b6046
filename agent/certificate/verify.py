"""Whether a certificate is what it says: told by its bytes and public keys alone, without the log or the vault."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agent.audit.checkpoint import NotACheckpoint, Signed, VerifierKey, parse, signed
from agent.certificate.checks import faults
from agent.certificate.fields import NotACertificate
from agent.certificate.form import SUFFIX, SignedCertificate, UnknownVersion, decode, open_note, signed_by


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of it, one sentence for each finding.

    `false` is what is wrong, `unverifiable` what could not be checked, since a key was not given or the file cannot be
    read. `certificate` is None if there is none that could be read; unless it is `good`, nothing in it may be believed.
    """

    certificate: SignedCertificate | None
    false: tuple[str, ...] = ()
    unverifiable: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether everything was checked and nothing is wrong."""
        return self.certificate is not None and not self.false and not self.unverifiable


def verify(data: bytes, keys: Iterable[VerifierKey]) -> Verification:
    """Checks the signature, the form, the checkpoint, every proof, and that every entry says what the certificate says.

    `keys` are those of the log and of its certificates, in any order. Which is for what their names say: the log's is
    the origin of its checkpoints, the other has `/certificates` behind it. So neither can stand in for the other.
    """
    known = tuple(keys)
    try:
        text, signature = open_note(data)
    except NotACertificate as fault:
        return Verification(None, unverifiable=(f"This is not a certificate, since {fault}.",))
    false, unverifiable = [], []
    match signed_by(text, signature, known):
        case Signed.FALSELY:
            false.append(f"Its signature is false: it was changed since {signature.name} signed it, or never signed.")
        case Signed.BY_OTHERS:
            unverifiable.append(
                f"It is signed by {signature.name} ({signature.key_id.hex()}), whose key was not given."
            )
    try:
        certificate = decode(text)
    except UnknownVersion as fault:
        return Verification(None, tuple(false), (*unverifiable, f"It cannot be read, since {fault}."))
    except NotACertificate as fault:
        return Verification(None, (*false, f"What is signed is not a certificate, since {fault}."), tuple(unverifiable))
    one = SignedCertificate(certificate, text, signature, data)
    wrong, unchecked = _checked(one, known)
    return Verification(one, (*false, *wrong), (*unverifiable, *unchecked))


def _checked(one: SignedCertificate, keys: tuple[VerifierKey, ...]) -> tuple[list[str], list[str]]:
    """What is wrong within it, and what could not be checked."""
    try:
        checkpoint = parse(one.certificate.checkpoint.encode())
    except NotACheckpoint as fault:
        return [f"The checkpoint in it is none, since {fault}."], []
    wrong, unchecked = [], []
    match signed(checkpoint, keys):
        case Signed.FALSELY:
            wrong.append(f"The checkpoint in it was not signed by the log {checkpoint.origin}.")
        case Signed.BY_OTHERS:
            unchecked.append(f"The checkpoint in it is of the log {checkpoint.origin}, whose key was not given.")
    if one.signature.name != checkpoint.origin + SUFFIX:
        wrong.append(f"{one.signature.name} may not sign certificates of the log {checkpoint.origin}.")
    wrong += faults(one.certificate, checkpoint)
    return wrong, unchecked
