"""What somebody who can sign certificates, but has not the key of the log, cannot make others believe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from cryptography.exceptions import InvalidSignature

from agent.audit.checkpoint import SigningKey
from agent.certificate.document import Certificate, Copy, CopyKind, DestroyedItem, Sanitisation
from agent.certificate.form import sign
from agent.certificate.verify import Verification, verify
from agent.model.schedule import Disposition
from tests.certificate import reference
from tests.certificate.destroyed import BEGAN, KEY, KEYS, LOG_KEY, ORIGIN, Made, a_batch, a_disposed, a_hash

HONEST = a_batch(2).issue()
OTHER_LOG = SigningKey(ORIGIN, bytes(32))


def forged(change: Callable[[Certificate], Certificate], key: SigningKey = KEY) -> bytes:
    return sign(change(HONEST.certificate), key).data


def of_item(**changes: object) -> Callable[[Certificate], Certificate]:
    return lambda one: replace(one, items=(replace(one.items[0], **changes), *one.items[1:]))  # type: ignore[arg-type]


def of_account(**changes: object) -> Callable[[Certificate], Certificate]:
    return lambda one: of_item(account=replace(one.items[0].account, **changes))(one)  # type: ignore[arg-type]


def of_evidence(change: Callable[[DestroyedItem], dict[str, object]]) -> Callable[[Certificate], Certificate]:
    def changed(one: Certificate) -> Certificate:
        item = one.items[0]
        return of_item(evidence=replace(item.evidence, **change(item)))(one)  # type: ignore[arg-type]

    return changed


ITEM = HONEST.certificate.items[0]
ORIGINAL, VAULT_COPY = ITEM.copies
ERASED = ITEM.evidence.erased
SECOND = timedelta(seconds=1)
FORGERIES: dict[str, tuple[Callable[[Certificate], Certificate], str]] = {
    "another item": (of_item(pseudonym=a_hash("item", 77)), "is about another item or disposal"),
    "another disposal": (of_item(disposal=77), "is about another item or disposal"),
    "another content": (of_item(content=a_hash("other")), "is about another content"),
    "quarantined earlier": (of_item(quarantined_at=ITEM.quarantined_at - SECOND), "has another time"),
    "destroyed earlier": (of_item(destroyed_at=ITEM.destroyed_at - SECOND), "has another time"),
    "erased earlier": (of_item(erased_at=ITEM.erased_at - SECOND), "has another time"),
    "one person": (of_account(approvals=ITEM.account.approvals[:1]), "all its approvals are by one"),
    "nobody": (of_account(approvals=()), "nobody has approved it"),
    "approved late": (
        of_account(approvals=(*ITEM.account.approvals, replace(ITEM.account.approvals[0], act=9, at=ITEM.erased_at))),
        "approved after it had been destroyed",
    ),
    "not due": (of_account(due_on=date(2030, 1, 1)), "before it was due"),
    "no class": (of_account(class_id=""), "neither a retention class nor a placement rule"),
    "kept for good": (of_item(outcome=Disposition.RETAIN_PERMANENTLY), "it was to be kept permanently"),
    "holds checked late": (of_item(holds_checked_at=ITEM.erased_at), "before it was checked for holds"),
    "holds checked early": (of_item(holds_checked_at=BEGAN), "it was checked for holds at"),
    "issued early": (lambda one: replace(one, heading=replace(one.heading, issued_at=BEGAN)), "it was certified at"),
    "no limits": (lambda one: replace(one, heading=replace(one.heading, limits=())), "does not say what may remain"),
    "no items": (lambda one: replace(one, items=()), "names no item"),
    "an item twice": (lambda one: replace(one, items=(*one.items, one.items[0])), "stands in it 2 times"),
    "no copies": (of_item(copies=()), "once each"),
    "no vault copy": (of_item(copies=(ORIGINAL,)), "once each"),
    "no original": (of_item(copies=(VAULT_COPY,)), "once each"),
    "original kept": (of_item(copies=(replace(ORIGINAL, at=None), VAULT_COPY)), "its original did not go"),
    "original gone late": (
        of_item(copies=(replace(ORIGINAL, at=ITEM.erased_at), VAULT_COPY)),
        "its original did not go",
    ),
    "original purged": (
        of_item(copies=(replace(ORIGINAL, category=Sanitisation.PURGE), VAULT_COPY)),
        "can be said to be purged",
    ),
    "purged with doubts": (
        of_item(copies=(ORIGINAL, replace(VAULT_COPY, doubts=("it may be",)))),
        "can be said to be purged",
    ),
    "purged with backups": (
        of_item(copies=(ORIGINAL, replace(VAULT_COPY, remains_until=date(2027, 1, 1)))),
        "can be said to be purged",
    ),
    "vault copy gone at another time": (
        of_item(copies=(ORIGINAL, replace(VAULT_COPY, at=ITEM.destroyed_at))),
        "the copy in the vault did not go when it was erased",
    ),
    "entries swapped": (
        of_evidence(lambda item: {"destroyed": item.evidence.erased, "erased": item.evidence.destroyed}),
        "in the order of what happened",
    ),
    "one entry for all": (
        of_evidence(lambda item: {"sealed": item.evidence.erased, "destroyed": item.evidence.erased}),
        "says something else",
    ),
    "an entry of another item": (
        lambda one: of_evidence(lambda item: {"erased": one.items[1].evidence.erased})(one),
        "is about another item or disposal",
    ),
    "an entry made up": (
        of_evidence(lambda item: {"erased": replace(ERASED, leaf=ERASED.leaf.replace(b"105", b"106"))}),
        "does not stand in the log of the checkpoint",
    ),
    "no entry": (
        of_evidence(lambda item: {"erased": replace(ERASED, leaf=b"{}")}),
        "is no entry of the log",
    ),
    "no proof": (
        of_evidence(lambda item: {"erased": replace(ERASED, proof=())}),
        "does not stand in the log of the checkpoint",
    ),
    "no checkpoint": (lambda one: replace(one, checkpoint="none"), "The checkpoint in it is none"),
    "a checkpoint of another key": (
        lambda one: replace(one, checkpoint=Made(a_batch(2).disposed, log_key=OTHER_LOG).checkpoint.decode()),
        "",
    ),
    "a checkpoint made smaller": (
        lambda one: replace(one, checkpoint=one.checkpoint.replace("\n15\n", "\n14\n")),
        "was not signed by the log",
    ),
    "no leaf text": (
        of_evidence(lambda item: {"erased": replace(ERASED, leaf=b"")}),
        "erased leaf is empty",
    ),
}
AGREED = frozenset(FORGERIES) - {  # what the reference leaves to us: it checks proofs and people, not every sentence
    "not due",
    "no class",
    "kept for good",
    "holds checked late",
    "holds checked early",
    "issued early",
    *(name for name in FORGERIES if "copies" in name or "original" in name or "purged" in name or "copy" in name),
}


def say(told: Verification) -> str:
    return " ".join((*told.false, *told.unverifiable))


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_with_a_good_signature_is_found(name: str) -> None:
    change, said = FORGERIES[name]
    told = verify(forged(change), KEYS)
    assert not told.good
    assert bool(told.false) == (name != "a checkpoint of another key")
    assert said in say(told)


@pytest.mark.parametrize("name", sorted(AGREED))
def test_the_reference_finds_it_too(name: str) -> None:
    with pytest.raises((ValueError, LookupError, InvalidSignature)):
        reference.check(forged(FORGERIES[name][0]), [key.text for key in KEYS])


def test_words_that_the_log_does_not_have_rest_on_the_signature_alone() -> None:
    """What cannot be proven by the log: the limit of what a certificate is worth, and told in the how-to."""
    assert verify(forged(of_account(class_title="Another class", mandate="Another law")), KEYS).good
    assert not verify(forged(of_account(class_title="Another class"), SigningKey(KEY.name, bytes(32))), KEYS).good


# Keys


def test_without_the_key_of_certificates_nothing_is_false_and_nothing_is_good() -> None:
    told = verify(HONEST.data, [LOG_KEY.verifier])
    assert (told.good, told.false) == (False, ())
    (said,) = told.unverifiable
    assert said == f"It is signed by {KEY.name} ({KEY.verifier.key_id.hex()}), whose key was not given."
    assert told.certificate == HONEST


def test_without_the_key_of_the_log_nothing_is_false_and_nothing_is_good() -> None:
    told = verify(HONEST.data, [KEY.verifier])
    assert (told.good, told.false) == (False, ())
    assert told.unverifiable == (f"The checkpoint in it is of the log {ORIGIN}, whose key was not given.",)


def test_without_any_key_what_contradicts_itself_is_still_found() -> None:
    told = verify(forged(of_item(disposal=77)), ())
    assert len(told.unverifiable) == 2
    assert "is about another item or disposal" in told.false[0]


def test_the_key_of_the_log_cannot_sign_a_certificate() -> None:
    told = verify(forged(lambda one: one, LOG_KEY), KEYS)
    assert told.false == (f"{ORIGIN} may not sign certificates of the log {ORIGIN}.",)


def test_the_key_of_certificates_cannot_sign_a_checkpoint() -> None:
    """Not even as the log of its own name, with its own entries."""
    made = Made([a_disposed(1)], log_key=KEY)
    honest = a_batch(1).issue().certificate
    items = (
        replace(
            honest.items[0],
            evidence=replace(
                honest.items[0].evidence,
                sealed=made.entries[101],
                destroyed=made.entries[104],
                erased=made.entries[105],
            ),
        ),
    )
    by_itself = sign(Certificate(honest.heading, made.checkpoint.decode(), items), KEY)
    told = verify(by_itself.data, KEYS)
    assert told.false == (f"{KEY.name} may not sign certificates of the log {KEY.name}.",)


def test_a_signature_by_another_key_of_the_same_name_is_not_believed() -> None:
    told = verify(forged(lambda one: one, SigningKey(KEY.name, bytes(32))), KEYS)
    assert (told.good, told.false) == (False, ())
    assert "whose key was not given" in say(told)


def test_a_changed_certificate_is_told_by_its_signature() -> None:
    told = verify(HONEST.data.replace(b'"by":"ann"', b'"by":"eve"'), KEYS)
    assert told.false == (f"Its signature is false: it was changed since {KEY.name} signed it, or never signed.",)


# Files


def test_what_is_no_certificate_cannot_be_verified() -> None:
    told = verify(b"Dear auditor, we destroyed everything.\n", KEYS)
    assert (told.good, told.certificate, told.false) == (False, None, ())
    assert "This is not a certificate" in told.unverifiable[0]


def test_a_newer_version_cannot_be_verified_and_is_not_false() -> None:
    text = HONEST.text.replace('"version":1}', '"version":3}')
    told = verify(f"{text}\n{KEY.sign(text)}".encode(), KEYS)
    assert (told.good, told.false) == (False, ())
    assert told.unverifiable == ("It cannot be read, since it is of a version that this program does not know.",)


def test_a_signed_line_that_is_no_certificate_is_false() -> None:
    told = verify(f"{{}}\n\n{KEY.sign('{}' + chr(10))}".encode(), KEYS)
    assert told.false == ("What is signed is not a certificate, since version is missing.",)


def test_a_checkpoint_with_the_signature_of_a_witness_is_as_good() -> None:
    made = a_batch(1)
    witness = SigningKey("witness.example.net", bytes(32))
    text = made.checkpoint.decode().partition("\n\n")[0] + "\n"
    signed = made.issue(checkpoint=made.checkpoint + witness.sign(text).encode())
    assert verify(signed.data, KEYS).good
    assert reference.check(signed.data, [key.text for key in KEYS])


def test_copies_beside_the_two_are_free_to_say_what_remains() -> None:
    other = Copy(CopyKind.SNAPSHOT, "kept", Sanitisation.NONE, remains_until=date(2026, 12, 1))
    made = Made([a_disposed(1, other_copies=(other, replace(other, kind=CopyKind.REPLICA, remains_until=None)))])
    assert verify(made.issue().data, KEYS).good
