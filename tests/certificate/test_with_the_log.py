"""The entries that the trail really writes, in a real log, carry a certificate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from agent.audit.leaf import Reference, encode
from agent.audit.log import AuditLog
from agent.catalogue.database import Database
from agent.certificate.document import LogEntry
from agent.certificate.issue import PURPOSE, VaultKeys, issue, signing_key
from agent.certificate.verify import verify
from agent.keys import derive
from agent.usecases.trail import Trail
from tests.catalogue.empty import empty_at
from tests.certificate import reference
from tests.certificate.destroyed import ORIGIN, a_disposed, a_heading

MASTER = bytes(range(32))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(empty_at(tmp_path / "catalogue.sqlite"), create=False)) as opened:
        yield opened


def test_a_certificate_rests_on_the_entries_of_the_trail(database: Database) -> None:
    trail = Trail.derived(partial(derive, MASTER), ORIGIN)
    disposed = [
        a_disposed(number, pseudonym=trail.pseudonyms.item(str(1000 + number).encode())) for number in range(1, 6)
    ]
    log = AuditLog(database.connection)
    for moment in range(6):
        with database.transaction() as connection:
            trail(connection, [one.steps[moment] for one in disposed])
    checkpoint = list(log.checkpoints())[-1]
    entries = {
        int(leaf.references[Reference.STEP]): LogEntry(position, encode(leaf), tuple(log.inclusion_proof(position)))
        for position, leaf in log.entries()
    }
    key = signing_key(ORIGIN, derive(MASTER, PURPOSE))
    signed = issue(a_heading(), disposed, entries, checkpoint, VaultKeys(), key, [trail.signing_key.verifier])
    keys = (trail.signing_key.verifier, key.verifier)
    assert verify(signed.data, keys).good
    assert len(reference.check(signed.data, [one.text for one in keys])["items"]) == 5
