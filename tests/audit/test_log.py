"""The log grows in the transaction of what it tells, and proves what it holds."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from agent.audit import rows, tree
from agent.audit.checkpoint import create, parse
from agent.audit.leaf import AuditKind, Digest, Reference, encode
from agent.audit.log import AuditLog
from agent.audit.texts import WrappedUnder
from agent.catalogue import database as database_module
from agent.catalogue.database import Database
from agent.catalogue.tables import metadata
from agent.errors import CatalogueError
from tests.audit import reference
from tests.audit.entries import ACTOR, BEGAN, KEY, OTHER_KEY, TEXT_KEYS, a_leaf, fill
from tests.catalogue.empty import empty_at


def _attack(path: Path, *statements: str) -> None:
    """Changes the file as somebody would who does not care for triggers."""
    with sqlite3.connect(path) as database:
        for table in ("audit_leaf", "audit_checkpoint"):
            for change in ("update", "delete"):
                database.execute(f"DROP TRIGGER {table}_refuses_{change}")
        for statement in statements:
            database.execute(statement)
    database.close()


@pytest.mark.parametrize("table", [rows.audit_leaf, rows.audit_checkpoint, rows.audit_text])
def test_the_tables_are_those_that_the_catalogue_makes(table: object) -> None:
    assert set(table.c.keys()) == set(metadata.tables[table.name].c.keys())  # type: ignore[attr-defined]


def test_a_new_catalogue_has_an_empty_log(log: AuditLog) -> None:
    assert log.size == 0
    assert log.root() == tree.EMPTY_ROOT
    assert list(log.entries()) == []
    with pytest.raises(IndexError, match="no entry 0"):
        log.leaf(0)


def test_a_catalogue_of_an_older_version_gets_its_log(path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(Path(database_module.__file__).parent / "migrations"))
        command.upgrade(config, "0004")
    database = Database(path, create=False)
    fill(database, 3, checkpoints=(3,), texts=(1,))
    assert AuditLog(database.connection).size == 3
    database.close()


def test_entries_come_back_in_their_order(database: Database, log: AuditLog) -> None:
    for position in range(10):
        with database.transaction() as connection:
            assert log.append(connection, a_leaf(position)) == position
    assert log.size == 10
    assert [log.leaf(position) for position in range(10)] == [a_leaf(position) for position in range(10)]
    assert list(log.entries(7)) == [(position, a_leaf(position)) for position in (7, 8, 9)]


@pytest.mark.parametrize("block", [1, 2, 3, 10])
def test_rows_are_read_in_blocks_without_loss(database: Database, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(database, 6, checkpoints=(2, 4), texts=(1, 3, 4))
    monkeypatch.setattr(rows, "BLOCK", block)
    assert [row.position for row in rows.leaf_rows(database.connection)] == list(range(6))
    assert [row.position for row in rows.leaf_rows(database.connection, 4)] == [4, 5]
    assert [row.number for row in rows.checkpoint_rows(database.connection)] == [1, 2]
    assert [row.position for row in rows.text_rows(database.connection)] == [1, 3, 4]


def test_many_entries_at_once_are_the_same_log_as_one_by_one(database: Database, log: AuditLog, tmp_path: Path) -> None:
    with database.transaction() as connection:
        assert log.extend(connection, map(a_leaf, range(5))) == range(5)
        assert log.extend(connection, []) == range(5, 5)
        assert log.extend(connection, map(a_leaf, range(5, 23))) == range(5, 23)
    other = Database(empty_at(tmp_path / "other.sqlite"), create=False)
    fill(other, 23)
    assert list(rows.leaf_rows(database.connection)) == list(rows.leaf_rows(other.connection))
    assert log.root() == AuditLog(other.connection).root()
    other.close()


def test_an_entry_stands_or_falls_with_what_it_tells(database: Database, log: AuditLog) -> None:
    fill(database, 3)
    root = log.root()
    with pytest.raises(ZeroDivisionError), database.transaction() as connection:
        connection.exec_driver_sql("INSERT INTO share (name, location, identity) VALUES ('s', '/s', '')")
        assert log.append(connection, a_leaf(3)) == 3
        _ = 1 / 0
    assert log.size == 3
    assert log.root() == root
    assert database.connection.exec_driver_sql("SELECT count(*) FROM share").scalar() == 0


def test_an_entry_outside_of_a_transaction_is_refused(database: Database, log: AuditLog) -> None:
    with pytest.raises(RuntimeError, match="only written together with what it tells"):
        log.append(database.connection, a_leaf())
    assert log.size == 0


@pytest.mark.parametrize("table", ["audit_leaf", "audit_checkpoint"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET rowid = rowid + 1000"])
def test_the_database_refuses_to_change_what_was_written(database: Database, table: str, statement: str) -> None:
    fill(database, 3, checkpoints=(3,))
    with pytest.raises(CatalogueError), database.transaction() as connection:
        connection.exec_driver_sql(statement.format(table))
    assert AuditLog(database.connection).size == 3


@given(size=st.integers(1, 40), data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
def test_proofs_from_the_stored_tree_are_those_of_the_recursive_definition(
    database: Database, log: AuditLog, size: int, data: st.DataObject
) -> None:
    if log.size == 0:
        fill(database, 40)
    entries = [encode(a_leaf(position)) for position in range(40)]
    assert log.root(size) == reference.mth(entries[:size])
    position, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    assert log.inclusion_proof(position, size) == reference.path(position, entries[:size])
    assert log.consistency_proof(first, size) == reference.proof(first, entries[:size])


def test_proofs_are_of_the_whole_log_unless_asked_otherwise(database: Database, log: AuditLog) -> None:
    fill(database, 5)
    leaf = tree.leaf_hash(encode(a_leaf(2)))
    assert tree.verify_inclusion(leaf, 2, 5, log.inclusion_proof(2), log.root())
    with pytest.raises(ValueError, match="no leaf 5"):
        log.inclusion_proof(5)
    with pytest.raises(ValueError, match="only 5 entries"):
        log.consistency_proof(1, 6)


def test_what_is_read_is_of_one_moment_also_inside_a_transaction(database: Database, log: AuditLog) -> None:
    fill(database, 3)
    with database.transaction() as connection:
        log.append(connection, a_leaf(3))
        assert log.root() == reference.mth([encode(a_leaf(position)) for position in range(4)])
    assert not rows.in_transaction(database.connection)
    with pytest.raises(ZeroDivisionError), rows.snapshot(database.connection):
        _ = 1 / 0
    assert not rows.in_transaction(database.connection)


# Checkpoints


def test_a_checkpoint_is_stored_once_for_a_log_that_stays(database: Database, log: AuditLog) -> None:
    fill(database, 3)
    with database.transaction() as connection:
        note = log.checkpoint(connection, KEY)
        assert log.checkpoint(connection, KEY) == note == create(3, log.root(), KEY)
    assert list(log.checkpoints()) == [note]
    with database.transaction() as connection:
        log.append(connection, a_leaf(3))
        newer = log.checkpoint(connection, KEY)
    assert list(log.checkpoints()) == [note, newer]
    assert parse(newer).size == 4


def test_a_new_key_signs_anew(database: Database, log: AuditLog) -> None:
    fill(database, 1, checkpoints=(1,))
    with database.transaction() as connection:
        log.checkpoint(connection, OTHER_KEY)
    assert len(list(log.checkpoints())) == 2


def test_an_empty_log_can_be_signed(database: Database, log: AuditLog) -> None:
    with database.transaction() as connection:
        assert parse(log.checkpoint(connection, KEY)).size == 0
    fill(database, 1, checkpoints=(1,))
    assert len(list(log.checkpoints())) == 2


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("DELETE FROM audit_leaf WHERE position = 3", "does not agree with its own checkpoint of 4"),
        ("UPDATE audit_leaf SET subtrees = zeroblob(64) WHERE position = 3", "does not agree with its own checkpoint"),
        ("UPDATE audit_leaf SET subtrees = x'' WHERE position = 3", "what entry 3 should hold is missing"),
        ("UPDATE audit_leaf SET position = 10 WHERE position = 3", "what entry 3 should hold is missing"),
        ("UPDATE audit_checkpoint SET note = x'ff'", "its last checkpoint cannot be read"),
        ("UPDATE audit_checkpoint SET note = 'text'", "its last checkpoint cannot be read"),
    ],
)
def test_nothing_is_signed_that_contradicts_what_was_signed(path: Path, damage: str, said: str) -> None:
    database = Database(path, create=True)
    fill(database, 4, checkpoints=(4,))
    database.close()
    _attack(path, damage)
    database = Database(path, create=False)
    log = AuditLog(database.connection)
    with pytest.raises(CatalogueError, match=said) as told, database.transaction() as connection:
        log.checkpoint(connection, KEY)
    assert "retentiond audit verify" in str(told.value)
    assert len(list(log.checkpoints())) == 1
    database.close()


def test_a_leaf_that_cannot_be_read_is_told_as_damage(path: Path) -> None:
    database = Database(path, create=True)
    fill(database, 2)
    database.close()
    _attack(path, "UPDATE audit_leaf SET leaf = 'Jane Doe' WHERE position = 1")
    database = Database(path, create=False)
    with pytest.raises(CatalogueError, match="entry 1 cannot be read") as told:
        AuditLog(database.connection).leaf(1)
    assert "Jane" not in str(told.value)
    assert told.value.__suppress_context__
    database.close()


# Texts


def test_words_of_a_person_are_kept_aside_and_come_back(database: Database, log: AuditLog, path: Path) -> None:
    with database.transaction() as connection:
        log.append(connection, a_leaf(0))
        assert log.append_with_text(connection, a_leaf(1), "Jane Doe left", TEXT_KEYS) == 1
    assert log.text(1, TEXT_KEYS) == "Jane Doe left"
    assert log.text(0, TEXT_KEYS) is None
    assert set(log.leaf(1).digests) == {Digest.CONTENT, Digest.TEXT}
    kept = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"Jane Doe" not in kept
    assert b"payroll" in kept


def test_words_can_be_erased_and_the_log_says_so(database: Database, log: AuditLog) -> None:
    fill(database, 3, texts=(1,))
    root = log.root(3)
    with database.transaction() as connection:
        assert log.erase_text(connection, 1, BEGAN, ACTOR) == 3
        assert log.erase_text(connection, 1, BEGAN, ACTOR) is None
        assert log.erase_text(connection, 0, BEGAN, None) is None
    assert log.text(1, TEXT_KEYS) is None
    assert log.root(3) == root
    erasure = log.leaf(3)
    assert (erasure.kind, erasure.actor) == (AuditKind.TEXT_ERASED, ACTOR)
    assert erasure.references == {Reference.ENTRY: "1"}
    assert log.size == 4


def test_words_that_were_exchanged_are_not_shown(database: Database, log: AuditLog) -> None:
    fill(database, 3, texts=(1, 2))
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE audit_text SET (wrapped_key, sealed) = "
            "(SELECT wrapped_key, sealed FROM audit_text WHERE position = 2) WHERE position = 1"
        )
    with pytest.raises(CatalogueError, match="text of entry 1 is not what was written"):
        log.text(1, TEXT_KEYS)
    assert log.text(2, TEXT_KEYS) == "because of 2"


def test_the_keys_of_texts_move_under_another_key(database: Database, log: AuditLog) -> None:
    fill(database, 3, texts=(0, 2))
    new = WrappedUnder(b"n" * 32)
    with database.transaction() as connection:
        assert log.rewrap_texts(connection, TEXT_KEYS, new) == 2
    assert log.text(2, new) == "because of 2"
    with pytest.raises(CatalogueError, match="text of entry 0"):
        log.text(0, TEXT_KEYS)
    with pytest.raises(CatalogueError, match="key of the text of entry 0"), database.transaction() as connection:
        log.rewrap_texts(connection, TEXT_KEYS, new)
    assert log.text(0, new) == "because of 0"
