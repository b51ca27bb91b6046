"""Certificates of what its own source kept in quarantine and deleted: less is claimed, and what may remain is named."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from agent.certificate.document import (
    OF_SERVICES,
    STATEMENT_AT_SOURCE,
    Certificate,
    Copy,
    CopyKind,
    Sanitisation,
)
from agent.certificate.form import SignedCertificate, decode, encode, open_note
from agent.certificate.html import write_html
from agent.certificate.issue import CertificateRefused, Disposed
from agent.certificate.verify import verify
from tests.certificate import reference
from tests.certificate.destroyed import BEGAN, KEYS, Made, a_disposed, a_hash, a_heading, the_steps

DESTROYED_ON = (BEGAN + timedelta(days=8)).date()
REMAINS = ("preservation_hold_library", "recycle_bin_1", "service_backup_14")


def deleted(number: int = 1, remains: tuple[str, ...] = REMAINS, **changes: Any) -> Disposed:
    steps = changes.pop("steps", None) or the_steps(
        number,
        sealed={"doubts": ("content_not_read",)},
        quarantined={"method": "kept_at_source"},
        destroyed={"method": "recycled", "doubts": remains},
    )
    given = {"source_item": a_hash("source", number), "source": "HR/Documents", **changes}
    return a_disposed(number, steps=steps, **given)


def made(*disposed: Disposed) -> Made:
    return Made([*(disposed or (deleted(),))], heading=a_heading(statement=STATEMENT_AT_SOURCE))


def page_of(signed: SignedCertificate) -> str:
    stream = io.StringIO()
    write_html(signed, stream)
    return " ".join(stream.getvalue().split())


def test_it_says_what_became_of_the_original_and_what_may_remain_until_when() -> None:
    (item,) = made().issue().certificate.items
    original, *rest = item.copies
    assert original == Copy(
        CopyKind.ORIGINAL, "recycled", Sanitisation.BEYOND_USE, item.destroyed_at, ("content_not_read",)
    )
    assert {copy.kind: copy.remains_until for copy in rest} == {
        CopyKind.PRESERVATION_HOLD: None,
        CopyKind.RECYCLE_BIN: DESTROYED_ON + timedelta(days=1),
        CopyKind.SERVICE_BACKUP: DESTROYED_ON + timedelta(days=14),
    }
    assert {(copy.method, copy.category, copy.at) for copy in rest} == {("kept_by_source", Sanitisation.NONE, None)}
    assert item.source_item == a_hash("source", 1)


def test_it_verifies_by_us_and_by_the_reference() -> None:
    signed = made(deleted(1), a_disposed(2)).issue()
    assert verify(signed.data, KEYS).good
    said = reference.check(signed.data, [key.text for key in KEYS])
    assert [said["version"], *("source_item" in item for item in said["items"])] == [2, True, False]


def test_its_version_is_that_of_what_it_says() -> None:
    """A program that knows only what goes through the vault must not take it for one of its own, nor the reverse."""
    for signed, other in ((made().issue(), 1), (made(a_disposed(1)).issue(), 2)):
        text, _ = open_note(signed.data)
        said = json.loads(text)
        assert decode(text) == signed.certificate
        said["version"] = other
        with pytest.raises(ValueError, match="canonical form"):
            decode(json.dumps(said, sort_keys=True, separators=(",", ":")) + "\n")


def test_the_page_names_what_remains_and_does_not_say_erased_of_it() -> None:
    page = page_of(made().issue())
    for said in (
        "Out of every recycle bin",
        "moved to the recycle bin by its source, as that has told",
        "as long as a retention policy of the source holds it",
        "its content was not read: the digest is of its id and version",
        "recycle bin of the source",
        "11 Nov 2026",
        a_hash("source", 1).hex(),
    ):
        assert said in page, said
    assert '<th scope="row">Erased</th>' not in page
    assert "encrypted copy in the vault" not in page


@pytest.mark.parametrize("method", ["deleted_permanently", "recycled", "nothing_there"])
def test_no_word_of_a_vocabulary_is_shown_as_the_file_spells_it(method: str) -> None:
    steps = the_steps(1, destroyed={"method": method, "doubts": tuple(f"{kind}_1" for kind in sorted(OF_SERVICES))})
    page = page_of(made(deleted(1, steps=steps)).issue())
    table = page.partition("What became of each copy")[2].partition("</table>")[0]
    assert table.count("<tr>") == 1 + 1 + len(OF_SERVICES)
    assert "_" not in table


def refused(certificate: Certificate, copies: tuple[Copy, ...]) -> list[str]:
    from agent.audit.checkpoint import parse
    from agent.certificate.checks import faults

    changed = replace(certificate, items=(replace(certificate.items[0], copies=copies),))
    return [*faults(changed, parse(certificate.checkpoint.encode()))]


def test_nothing_else_is_believed_of_it() -> None:
    certificate = made().issue().certificate
    original, *rest = certificate.items[0].copies
    vault_copy = Copy(CopyKind.VAULT_COPY, "cryptographic_erase", Sanitisation.PURGE, certificate.items[0].erased_at)
    bin_ = replace(rest[1], remains_until=certificate.items[0].erased_at.date() + timedelta(days=1))
    for copies, said in (
        ((), "said of the original, once"),
        ((original, original), "said of the original, once"),
        ((original, vault_copy), "no copy in the vault"),
        ((replace(original, at=BEGAN),), "did not go when it was destroyed"),
        ((replace(original, category=Sanitisation.CLEAR_ATTEMPTED),), "only be said to be beyond use"),
        ((original, bin_), "while a recycle bin may still have it"),
    ):
        faults = refused(certificate, copies)
        assert any(said in fault for fault in faults), (said, faults)
    assert refused(certificate, (original, *rest)) == []


def test_what_went_through_the_vault_has_no_copy_that_only_services_keep() -> None:
    bin_ = Copy(CopyKind.RECYCLE_BIN, "kept_by_source", Sanitisation.NONE, remains_until=date(2026, 1, 1))
    with pytest.raises(CertificateRefused, match="only services keep"):
        made(a_disposed(1, other_copies=(bin_,))).issue()


def test_what_is_written_is_read_again() -> None:
    certificate = made(deleted(1), deleted(2, remains=())).issue().certificate
    assert decode(encode(certificate)) == certificate
