"""A log in the hands of somebody who may do anything to its file, and what the verifier says of it then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from agent.audit.checkpoint import VerifierKey
from agent.audit.texts import TextKeys
from agent.audit.verify import Trouble, Verification, verify
from tests.audit.entries import KEY, TEXT_KEYS

MISMATCH, TRUNCATION, ROLLBACK, UNVERIFIABLE = Trouble
SIZE, CHECKPOINTS, TEXTS = 7, (0, 3, 6, 7), (1, 4)
COLUMNS = [
    *(("audit_leaf", "position", column) for column in ("leaf", "hash", "subtrees", "kind", "at")),
    *(("audit_checkpoint", "id", column) for column in ("note", "size")),
    *(("audit_text", "position", column) for column in ("wrapped_key", "sealed")),
]
TABLES = ("audit_leaf", "audit_checkpoint")


class Made(NamedTuple):
    """A log in a file, and the checkpoints that were made of it."""

    path: Path
    notes: list[bytes]


@contextmanager
def attacked(path: Path) -> Iterator[Connection]:
    """The log in the hands of somebody who may do anything to the file; put back as it was afterwards."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        for table in TABLES:
            for change in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER {table}_refuses_{change}")
        yield connection
        connection.exec_driver_sql("ROLLBACK")


def told(
    connection: Connection,
    outside: Mapping[str, bytes] | None = None,
    keys: tuple[VerifierKey, ...] = (KEY.verifier,),
    text_keys: TextKeys | None = TEXT_KEYS,
) -> Verification:
    return verify(connection, keys, outside, text_keys)


def kinds(verification: Verification) -> set[Trouble]:
    assert sum(verification.counts.values()) >= len(verification.findings)
    assert {finding.trouble for finding in verification.findings} == set(verification.counts)
    assert verification.good == (not verification.findings)
    return set(verification.counts)


def words(verification: Verification) -> str:
    return "\n".join(finding.said for finding in verification.findings)
