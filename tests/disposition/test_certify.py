"""What is erased gets a certificate that anybody can check with public keys."""

from __future__ import annotations

import pytest

from agent.audit.checkpoint import SigningKey
from agent.certificate.document import CopyKind
from agent.certificate.issue import CertificateRefused, signing_key
from agent.certificate.verify import verify
from agent.errors import UsageError
from agent.model.review import ActKind
from agent.usecases.certify import Certifying, KeptElsewhere
from agent.usecases.certify import House as Stated
from tests.disposition.house import RULES, House, trail

KEY: SigningKey = signing_key("retentiond/test", b"c" * 32)
STATED = Stated("retentiond test", (), 35, {"office": (KeptElsewhere(CopyKind.BACKUP, "The nightly backup", 35),)})
KEYS = [KEY.verifier, trail().signing_key.verifier]


def certifying(house: House) -> Certifying:
    return Certifying(house.catalogue, RULES, trail(), KEY, STATED)


def gone(house: House, *paths: str) -> None:
    for path in paths:
        house.put(path, path.encode())
    house.scan()
    house.approve(*paths)
    house.take()
    house.destroy()
    house.erase()


def test_a_certificate_is_issued_for_what_is_erased_and_holds(house: House) -> None:
    gone(house, "Cases/1/a.txt", "Cases/1/b.txt")
    desk = certifying(house)
    signed = desk.issue(desk.pending(), "1" * 32, house.office.now(), "ann")
    told = verify(signed.data, KEYS)
    assert not told.false
    assert not told.unverifiable
    item = signed.certificate.items[0]
    assert [approval.by for approval in item.account.approvals] == ["ann", "ben"]
    assert [copy.kind for copy in item.copies] == [CopyKind.ORIGINAL, CopyKind.VAULT_COPY, CopyKind.BACKUP]
    assert b"a.txt" not in signed.data
    assert desk.pending() == ()
    with pytest.raises(UsageError, match="Nothing is erased"):
        desk.issue(desk.pending(), "2" * 32, house.office.now(), "ann")


def test_the_approvals_on_it_are_those_that_the_destruction_rested_on(house: House) -> None:
    house.put("Cases/1/a.txt")
    house.scan()
    house.approve("Cases/1/a.txt")
    (disposal,) = house.take().done
    house.office.act("ann", disposal.item_id, ActKind.REJECT)
    for by in ("cem", "ben"):
        house.office.act(by, disposal.item_id)
    house.destroy()
    house.erase()
    desk = certifying(house)
    signed = desk.issue(desk.pending(), "1" * 32, house.office.now(), "ann")
    assert [approval.by for approval in signed.certificate.items[0].account.approvals] == ["cem", "ben"]


def test_nothing_is_certified_that_is_only_destroyed(house: House) -> None:
    house.put("Cases/1/a.txt")
    house.scan()
    house.approve("Cases/1/a.txt")
    house.take()
    told = house.destroy()
    desk = certifying(house)
    assert desk.pending() == ()
    with pytest.raises(CertificateRefused, match="erased"):
        desk.issue(told.done, "1" * 32, house.office.now(), "ann")
