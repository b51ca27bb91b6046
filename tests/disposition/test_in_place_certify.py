"""What a service has deleted gets a certificate once no recycle bin has it, and it says what the service may keep."""

from __future__ import annotations

from datetime import timedelta

from agent.certificate.document import (
    STATEMENT,
    STATEMENT_AT_SOURCE,
    STATEMENT_OF_BOTH,
    CopyKind,
    Sanitisation,
)
from agent.certificate.verify import verify
from agent.model.disposal import Custody
from agent.usecases.certify import Certifying, KeptElsewhere, _statement
from agent.usecases.certify import House as Stated
from connectors.keeping import Deleted, Remains
from connectors.memory_keeping import MemoryKeeping
from tests.disposition.house import RULES, trail
from tests.disposition.kept_house import SHARE, KeptHouse
from tests.disposition.test_certify import KEY, KEYS

CASE = "Cases/1/a.txt"
STATED = Stated("retentiond test", (), 35, {SHARE: (KeptElsewhere(CopyKind.BACKUP, "The backup service", 30),)})


def test_a_certificate_says_what_its_source_has_told(kept_house: KeptHouse) -> None:
    remains = {Remains.RECYCLE_BIN: 93, Remains.PRESERVATION_HOLD: None}
    kept_house.keeping = MemoryKeeping(kept_house.memory, deleted=Deleted("recycled", remains))
    kept_house.put_item(CASE)
    kept_house.scan()
    kept_house.approve(CASE)
    kept_house.take()
    kept_house.office._now += timedelta(days=10)  # backups of the service go on meanwhile, and have it still
    (disposal,) = kept_house.destroy().done
    desk = Certifying(kept_house.catalogue, RULES, trail(), KEY, STATED)
    destroyed_on = kept_house.only().since.date()
    kept_house.erase()
    assert desk.pending() == (), "the recycle bin has it still"

    kept_house.office._now += timedelta(days=94)
    kept_house.day = destroyed_on + timedelta(days=94)
    kept_house.erase()
    signed = desk.issue(desk.pending(), "1" * 32, kept_house.office.now(), "ann")

    told = verify(signed.data, KEYS)
    assert told.good, (told.false, told.unverifiable)
    (item,) = signed.certificate.items
    assert item.source_item == trail().pseudonyms.item(b"source:" + disposal.file_id)
    assert [(copy.kind, copy.category, copy.remains_until) for copy in item.copies] == [
        (CopyKind.ORIGINAL, Sanitisation.BEYOND_USE, None),
        (CopyKind.PRESERVATION_HOLD, Sanitisation.NONE, None),
        (CopyKind.RECYCLE_BIN, Sanitisation.NONE, destroyed_on + timedelta(days=93)),
        (CopyKind.BACKUP, Sanitisation.NONE, destroyed_on + timedelta(days=30)),
    ]
    assert signed.certificate.heading.statement == STATEMENT_AT_SOURCE
    assert not any("flash" in limit for limit in signed.certificate.heading.limits)
    assert any("retention policy" in limit for limit in signed.certificate.heading.limits)
    assert b"a.txt" not in signed.data
    assert disposal.file_id not in signed.data


def test_what_is_stated_is_true_of_all_that_a_certificate_names() -> None:
    assert _statement({Custody.VAULT}) == STATEMENT
    assert _statement({Custody.SOURCE}) == STATEMENT_AT_SOURCE
    assert _statement({Custody.VAULT, Custody.SOURCE}) == STATEMENT_OF_BOTH
