"""A certificate is issued for what is gone and proven, and for nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from agent.audit.checkpoint import SigningKey, create
from agent.audit.leaf import AuditKind, Digest, Reference, encode
from agent.certificate import issue as module
from agent.certificate.document import Copy, CopyKind, LogEntry, Sanitisation
from agent.certificate.issue import CertificateRefused, VaultKeys, signing_key
from agent.certificate.verify import verify
from agent.errors import ExitCode
from agent.keys import derive
from agent.model.disposal import Approval
from agent.model.schedule import Disposition
from tests.certificate.destroyed import (
    BEGAN,
    ISSUED,
    KEY,
    KEYS,
    LOG_KEY,
    ORIGIN,
    Made,
    a_batch,
    a_disposed,
    a_hash,
    a_heading,
    an_account,
    leaf_of,
    the_steps,
)


def reasons(made: Made, **given: Any) -> tuple[str, ...]:
    with pytest.raises(CertificateRefused) as refused:
        made.issue(**given)
    return refused.value.reasons


def test_what_is_gone_and_proven_gets_a_certificate() -> None:
    made = a_batch(2)
    signed = made.issue()
    assert verify(signed.data, KEYS).good
    item = signed.certificate.items[1]
    assert item.disposal == 2
    assert item.content == a_hash("content", 2)
    assert item.quarantined_at == BEGAN + timedelta(days=2, seconds=2, microseconds=1)
    assert item.holds_checked_at == BEGAN + timedelta(days=6, seconds=2, microseconds=1)
    assert item.destroyed_at == BEGAN + timedelta(days=8, seconds=2, microseconds=1)
    assert item.destroyed_by == "cara"
    assert item.erased_at == BEGAN + timedelta(days=10, seconds=2, microseconds=1)
    assert item.evidence.erased == made.entries[205]


def test_the_key_for_certificates_has_the_name_of_the_log_and_a_purpose_of_its_own() -> None:
    key = signing_key(ORIGIN, derive(bytes(32), module.PURPOSE))
    assert key.name == "records.example.org/audit/certificates"
    assert key.verifier.public != SigningKey(ORIGIN, derive(bytes(32), "audit/checkpoint")).verifier.public


@pytest.mark.parametrize(
    ("method", "doubts", "category"),
    [
        ("overwritten", (), Sanitisation.CLEAR_ATTEMPTED),
        ("overwritten", ("open_unknown",), Sanitisation.CLEAR_ATTEMPTED),
        ("overwritten", ("open_unknown", "shared_extents"), Sanitisation.BEYOND_USE),
        ("unlinked", (), Sanitisation.BEYOND_USE),
        ("nothing_there", (), Sanitisation.BEYOND_USE),
    ],
)
def test_the_original_is_never_said_to_be_more_than_overwritten_through_its_file_system(
    method: str, doubts: tuple[str, ...], category: Sanitisation
) -> None:
    steps = the_steps(1, quarantined={"method": method, "doubts": doubts}, sealed={"doubts": doubts[:1]})
    original = Made([a_disposed(1, steps=steps)]).issue().certificate.items[0].copies[0]
    assert original == Copy(CopyKind.ORIGINAL, method, category, steps[2].at, doubts)


@pytest.mark.parametrize(
    ("keys", "category"),
    [
        (VaultKeys(), Sanitisation.PURGE),
        (VaultKeys(("btrfs leaves old blocks",)), Sanitisation.PURGE_ATTEMPTED),
        (VaultKeys((), date(2026, 12, 17)), Sanitisation.PURGE_ATTEMPTED),
    ],
)
def test_the_copy_in_the_vault_is_purged_only_if_nothing_of_its_keys_is_left(
    keys: VaultKeys, category: Sanitisation
) -> None:
    copy = Made([a_disposed(1)], vault_keys=keys).issue().certificate.items[0].copies[1]
    assert (copy.kind, copy.category) == (CopyKind.VAULT_COPY, category)
    assert (copy.doubts, copy.remains_until) == (keys.doubts, keys.backups_until)


def test_an_item_that_was_being_restored_in_between_is_told_by_its_last_course() -> None:
    steps = the_steps(1)
    back = replace(steps[2], number=190, before="restoring", at=steps[2].at + timedelta(hours=5), method="")
    made = Made([a_disposed(1, steps=(*steps[:3], back, *steps[3:]))])
    original = made.issue().certificate.items[0].copies[0]
    assert (original.method, original.at) == ("overwritten", steps[2].at)


# What is missing


def test_nothing_is_certified_of_nothing() -> None:
    assert reasons(Made([])) == ("It names no item.",)


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("sealed", "sealed"),
        ("quarantined", "quarantined"),
        ("destroying", "destroying"),
        ("destroyed", "destroyed"),
        ("erased", "erased"),
    ],
)
def test_what_has_not_come_to_its_end_is_refused(missing: str, said: str) -> None:
    steps = the_steps(2, **{missing: None})
    made = Made([a_disposed(1), a_disposed(2, steps=steps)])
    assert reasons(made) == (f"Disposal 2 (item {a_hash('item', 1002).hex()[:12]}…): it is not on record as {said}.",)


@pytest.mark.parametrize(("step", "state"), [(101, "sealed"), (104, "destroyed"), (105, "erased")])
def test_what_has_no_entry_in_the_log_is_refused(step: int, state: str) -> None:
    made = a_batch(1)
    del made.entries[step]
    (reason,) = reasons(made)
    assert reason.endswith(f"there is no entry of the log that proves that it was {state}.")


def test_what_has_no_digest_of_its_content_is_refused() -> None:
    made = Made([a_disposed(1, steps=the_steps(1, sealed={"digest": None}))])
    assert "no digest of its content is on record" in reasons(made)[0]


def test_all_reasons_are_told_at_once_and_the_first_twenty_in_the_message() -> None:
    made = Made([a_disposed(number, steps=the_steps(number, erased=None)) for number in range(1, 26)])
    made.disposed.append(a_disposed(30, account=an_account(30, approvals=())))
    made = Made(made.disposed)
    with pytest.raises(CertificateRefused) as refused:
        made.issue()
    assert len(refused.value.reasons) == 26
    assert "nobody has approved it" in refused.value.reasons[25]
    assert str(refused.value).endswith("- and 6 more")
    assert str(refused.value).count("\n- Disposal") == 20
    assert refused.value.exit_code is ExitCode.ITEMS_FAILED


# What is not so

ANN, BEN = an_account(1).approvals
DECISIONS: list[tuple[dict[str, Any], str]] = [
    ({"approvals": ()}, "nobody has approved it"),
    ({"approvals": (ANN,)}, "all its approvals are by one"),
    ({"approvals": (ANN, replace(BEN, by="ann"))}, "all its approvals are by one"),
    ({"approvals": (ANN, replace(BEN, by="Ann"))}, "all its approvals are by one"),
    ({"approvals": (ANN, BEN, BEN)}, "an approval counts twice"),
    ({"approvals": (ANN, replace(BEN, act=ANN.act))}, "an approval counts twice"),
    ({"approvals": (ANN, replace(BEN, at=BEGAN + timedelta(days=9)))}, "approved after it had been destroyed"),
    ({"class_id": ""}, "neither a retention class nor a placement rule"),
    ({"class_title": ""}, "neither a retention class nor a placement rule"),
    ({"due_on": date(2026, 11, 6)}, "it was taken on 2026-11-04, before it was due on 2026-11-06"),
    ({"mandate": ""}, "items 1 account mandate is empty"),
    ({"rule": "a\tb"}, "items 1 account rule has characters that cannot be shown"),
    ({"approvals": (ANN, Approval(7, "", "x", BEGAN))}, "items 1 account approvals 2 by is empty"),
    ({"approvals": (ANN, replace(BEN, at=BEGAN.replace(tzinfo=None)))}, "a moment lacks its time zone"),
]


@pytest.mark.parametrize(("changes", "said"), DECISIONS, ids=[said for _, said in DECISIONS])
def test_a_decision_that_does_not_carry_is_refused(changes: dict[str, Any], said: str) -> None:
    (reason,) = reasons(Made([a_disposed(1, account=an_account(1, **changes))]))
    assert said in reason


def test_what_was_due_the_same_day_by_another_clock_is_not_refused() -> None:
    account = an_account(1, due_on=date(2026, 11, 5))  # quarantined on the 4th in UTC
    assert Made([a_disposed(1, account=account)]).issue()


def test_a_placement_rule_may_stand_for_the_class() -> None:
    account = an_account(1, class_id="", class_title="", clock="", placement="patients-elsewhere")
    assert Made([a_disposed(1, account=account)]).issue().certificate.items[0].account == account


def test_what_was_to_be_kept_for_good_is_refused() -> None:
    made = Made([a_disposed(1, outcome=Disposition.RETAIN_PERMANENTLY)])
    assert "it was to be kept permanently" in reasons(made)[0]


@pytest.mark.parametrize("index", [1, 2, 3, 4, 5])
def test_dates_out_of_order_are_refused(index: int) -> None:
    state = ("planned", "sealed", "quarantined", "destroying", "destroyed", "erased")[index]
    steps = the_steps(1, **{state: {"at": BEGAN + timedelta(days=1 if index != 1 else 9)}})
    said = " ".join(reasons(Made([a_disposed(1, steps=steps)])))
    assert "before it was" in said or "its original did not go between" in said


def test_what_happened_after_the_certificate_is_refused() -> None:
    early = a_heading(issued_at=ISSUED - timedelta(days=14))
    assert (
        "it was certified at 2026-11-10T09:05:00.000000Z, before it was erased at"
        in reasons(Made([a_disposed(1)], heading=early))[0]
    )
    late = Copy(CopyKind.EXPORT, "handed_over", Sanitisation.NONE, ISSUED + timedelta(seconds=1))
    assert "a copy went after the certificate was issued" in reasons(Made([a_disposed(1, other_copies=(late,))]))[0]


@pytest.mark.parametrize(
    ("copy", "said"),
    [
        (Copy(CopyKind.ORIGINAL, "unlinked", Sanitisation.BEYOND_USE, BEGAN + timedelta(days=5)), "once each"),
        (Copy(CopyKind.BACKUP, "rotated", Sanitisation.PURGE), "can be said to be purged"),
        (Copy(CopyKind.BACKUP, "Rotated!", Sanitisation.NONE), "copies 3 method has a value that it cannot have"),
    ],
)
def test_copies_of_which_too_much_is_said_are_refused(copy: Copy, said: str) -> None:
    (reason,) = reasons(Made([a_disposed(1, other_copies=(copy,))]))
    assert said in reason


def test_an_item_twice_is_refused() -> None:
    again = a_disposed(2, pseudonym=a_disposed(1).pseudonym, steps=the_steps(2, **dict.fromkeys(["planned"])))
    said = reasons(Made([a_disposed(1), again]))
    assert f"The item {again.pseudonym.hex()[:12]}… stands in it 2 times." in said
    assert "Disposal 1 stands in it 2 times." in reasons(Made([a_disposed(1), a_disposed(1)]))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"limits": ()}, "It does not say what may remain."),
        ({"id": "7"}, "It could not be read, since id has a value that it cannot have."),
        ({"organisation": ""}, "It could not be read, since organisation is empty."),
        ({"statement": "a\x00b"}, "It could not be read, since statement has characters that cannot be shown."),
        ({"issued_at": datetime(2026, 11, 24)}, "It would be read otherwise than it is meant"),  # noqa: DTZ001
    ],
)
def test_a_heading_that_says_too_little_is_refused(changes: dict[str, Any], said: str) -> None:
    (reason,) = reasons(Made([a_disposed(1)], heading=a_heading(**changes)))
    assert said in reason


def test_too_many_items_for_one_file_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_BYTES", 8_000)
    assert reasons(a_batch(2)) == ("2 items are too many for one certificate. Issue several, each for a part of them.",)


# What is not proven

SEALED, DESTROYED, ERASED = 101, 104, 105


def a_lying_log(step: int, **changes: Any) -> Made:
    """A log in which the entry of one step of disposal 1 says something else."""
    disposed = a_disposed(1)
    leaf = leaf_of(next(one for one in disposed.steps if one.number == step), **changes)
    return Made([disposed], leaves={step: encode(leaf)})


LIES: list[tuple[int, dict[str, Any], str]] = [
    (SEALED, {"digests": {Digest.CONTENT: a_hash("other")}}, "is about another content"),
    (SEALED, {"digests": {}}, "is about another content"),
    (SEALED, {"kind": AuditKind.ITEM_TAGGED}, "says something else"),
    (SEALED, {"after": "quarantined"}, "says something else"),
    (DESTROYED, {"kind": AuditKind.ITEM_RESTORED}, "says something else"),
    (DESTROYED, {"after": "destroying"}, "says something else"),
    (DESTROYED, {"before": "quarantined"}, "says something else"),
    (DESTROYED, {"item": a_hash("item", 9)}, "is about another item or disposal"),
    (DESTROYED, {"item": None}, "is about another item or disposal"),
    (DESTROYED, {"references": {Reference.DISPOSAL: "2"}}, "is about another item or disposal"),
    (DESTROYED, {"references": {}}, "is about another item or disposal"),
    (ERASED, {"kind": AuditKind.ITEM_DESTROYED}, "says something else"),
    (ERASED, {"at": BEGAN + timedelta(days=10)}, "has another time"),
]


@pytest.mark.parametrize(("step", "changes", "said"), LIES)
def test_an_entry_that_says_something_else_is_refused(step: int, changes: dict[str, Any], said: str) -> None:
    state = {SEALED: "sealed", DESTROYED: "destroyed", ERASED: "erased"}[step]
    (reason,) = reasons(a_lying_log(step, **changes))
    assert reason.endswith(f": the entry that should prove that it was {state} {said}.")


@pytest.mark.parametrize("leaf", [b"", b"{}", b"not a leaf", b"caf\xe9", b"a\nb"])
def test_what_is_no_entry_is_refused(leaf: bytes) -> None:
    disposed = a_disposed(1)
    made = Made([disposed], leaves={DESTROYED: leaf})
    said = reasons(made)[0]
    assert "is no entry of the log" in said or "It could not be read" in said or "It would be read otherwise" in said


PROOFS: list[Callable[[LogEntry], LogEntry]] = [
    lambda entry: replace(entry, proof=()),
    lambda entry: replace(entry, proof=entry.proof[:-1]),
    lambda entry: replace(entry, proof=(*entry.proof, bytes(32))),
    lambda entry: replace(entry, proof=(*entry.proof[::-1],)),
    lambda entry: replace(entry, proof=(bytes(32), *entry.proof[1:])),
    lambda entry: replace(entry, position=entry.position + 1),
    lambda entry: replace(entry, position=2**63 - 1),
]


@pytest.mark.parametrize("step", [SEALED, DESTROYED, ERASED])
@pytest.mark.parametrize("change", PROOFS, ids=range(len(PROOFS)))
def test_a_proof_that_does_not_hold_is_refused(step: int, change: Callable[[LogEntry], LogEntry]) -> None:
    made = Made([a_disposed(1)], before=5)
    made.entries[step] = change(made.entries[step])
    assert any("does not stand in the log of the checkpoint" in reason for reason in reasons(made))


def test_entries_in_another_order_than_what_they_tell_are_refused() -> None:
    made = a_batch(1)
    leaves = {number: made.leaves[number] for number in (100, 102, 103, ERASED, DESTROYED, SEALED)}
    other = Made([a_disposed(1)])
    other.leaves = leaves
    assert "in the order of what happened" in reasons(other)[0]


def test_one_entry_cannot_prove_two_disposals() -> None:
    made = a_batch(2)
    made.entries[204] = made.entries[104]
    assert any("is about another item or disposal" in reason for reason in reasons(made))


def test_a_checkpoint_of_others_is_refused() -> None:
    other = SigningKey(ORIGIN, bytes(32))
    made = Made([a_disposed(1)], log_key=other)
    assert reasons(made) == ("The checkpoint is not signed by the key of the log.",)
    elsewhere = Made([a_disposed(1)], log_key=SigningKey("elsewhere", bytes(32)))
    assert reasons(elsewhere, log_keys=[SigningKey("elsewhere", bytes(32)).verifier]) == (
        "The key records.example.org/audit/certificates is not for certificates of the log elsewhere.",
    )


def test_a_checkpoint_whose_text_was_changed_is_refused() -> None:
    made = a_batch(1)
    forged = made.checkpoint.replace(b"\n9\n", b"\n8\n")
    assert forged != made.checkpoint
    assert "The checkpoint is not signed by the key of the log." in reasons(made, checkpoint=forged)


def test_a_later_checkpoint_than_the_proofs_is_refused() -> None:
    made = a_batch(1)
    later = create(10, bytes(32), LOG_KEY)
    assert len([reason for reason in reasons(made, checkpoint=later) if "does not stand" in reason]) == 3


@pytest.mark.parametrize("note", [b"nothing of the kind", b"\xff\xfe"])
def test_what_is_no_checkpoint_is_refused(note: bytes) -> None:
    (reason,) = reasons(a_batch(1), checkpoint=note)
    assert reason.startswith("What should be the log's checkpoint is none")


def test_a_key_of_another_purpose_is_refused() -> None:
    (reason,) = reasons(a_batch(1), key=LOG_KEY)
    assert reason == f"The key {ORIGIN} is not for certificates of the log {ORIGIN}."


def test_a_refusal_names_no_person_and_nothing_of_the_content() -> None:
    made = Made([a_disposed(1, account=an_account(1, approvals=(ANN, replace(BEN, by="ann"))))])
    (reason,) = reasons(made)
    assert "ann" not in reason
    assert a_hash("content", 1).hex() not in reason


def test_moments_of_other_zones_are_the_same_moments() -> None:
    made = a_batch(1)
    made.heading = a_heading(issued_at=datetime.fromisoformat("2026-11-24T10:05:00+01:00"))
    said = json.loads(made.issue().text)
    assert said["issued_at"] == "2026-11-24T09:05:00.000000Z"
    assert ISSUED.tzinfo is UTC


def test_the_same_facts_give_the_same_bytes() -> None:
    assert a_batch(2).issue(key=KEY).data == a_batch(2).issue().data
    assert a_batch(2).issue().sha256 == a_batch(2).issue().sha256
