"""Nothing is found where nothing was done, and no single byte is changed without being found."""

# ruff: noqa: S608 - the statements are an attack
from __future__ import annotations

import sqlite3
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.audit import tree
from agent.audit.log import AuditLog
from agent.catalogue.database import Database
from tests.audit import reference
from tests.audit.attacks import (
    COLUMNS,
    MISMATCH,
    SIZE,
    UNVERIFIABLE,
    Made,
    attacked,
    kinds,
    told,
    words,
)
from tests.audit.entries import ACTOR, BEGAN, KEY, OTHER_KEY, TEXT_KEYS, a_leaf, fill

# Nothing was done


def test_a_log_that_nobody_touched_is_good(made: Made) -> None:
    with attacked(made.path) as connection:
        verification = told(connection, {f"copy {n}": note for n, note in enumerate(made.notes)})
        leaves = [row[0] for row in connection.exec_driver_sql("SELECT leaf FROM audit_leaf ORDER BY position")]
    assert verification.good
    assert kinds(verification) == set()
    assert (verification.size, verification.covered, verification.checkpoints) == (SIZE, SIZE, 2 * len(made.notes))
    assert verification.root == reference.mth(leaves)
    assert verification.texts_checked


def test_an_independent_verifier_agrees(made: Made) -> None:
    assert reference.check_database(made.path, KEY.verifier.text) == len(made.notes)


def test_an_independent_verifier_finds_a_changed_leaf_too(made: Made, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(made.path.read_bytes())
    with closing(sqlite3.connect(copy)) as database:
        database.execute("DROP TRIGGER audit_leaf_refuses_update")
        database.execute("UPDATE audit_leaf SET leaf = CAST(leaf || ' ' AS BLOB) WHERE position = 2")
        database.commit()
    with pytest.raises(AssertionError):
        reference.check_database(copy, KEY.verifier.text)


def test_a_new_log_is_good(database: Database) -> None:
    verification = told(database.connection)
    assert verification.good
    assert (verification.size, verification.root) == (0, tree.EMPTY_ROOT)


def test_entries_after_the_last_checkpoint_are_told_as_not_covered(database: Database) -> None:
    fill(database, 5, checkpoints=(3,))
    verification = told(database.connection)
    assert verification.good
    assert (verification.size, verification.covered) == (5, 3)


def test_texts_are_not_checked_without_their_keys(made: Made) -> None:
    with attacked(made.path) as connection:
        connection.exec_driver_sql("UPDATE audit_text SET sealed = zeroblob(40)")
        verification = told(connection, text_keys=None)
        assert verification.good
        assert not verification.texts_checked
        assert kinds(told(connection)) == {MISMATCH}


def test_checkpoints_of_all_keys_that_ever_signed_are_good(database: Database) -> None:
    fill(database, 3, checkpoints=(3,))
    with database.transaction() as connection:
        AuditLog(connection).checkpoint(connection, OTHER_KEY)
    both = (KEY.verifier, OTHER_KEY.verifier)
    assert told(database.connection, keys=both).good
    verification = told(database.connection, keys=(OTHER_KEY.verifier,))
    assert kinds(verification) == {UNVERIFIABLE}
    assert "checkpoint 1 is not signed by any key" in words(verification)


def test_texts_that_were_erased_as_they_should_be_are_no_trouble(database: Database) -> None:
    fill(database, 4, texts=(1, 2))
    with database.transaction() as connection:
        log = AuditLog(connection)
        log.erase_text(connection, 1, BEGAN, ACTOR)
        log.checkpoint(connection, KEY)
    assert told(database.connection).good
    assert told(database.connection, text_keys=None).good


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("quarter", range(4))
def test_a_thousand_restarts_give_no_false_alarm(path: Path, quarter: int) -> None:
    outside: dict[str, bytes] = {}
    for start in range(250 * quarter, 250 * (quarter + 1)):
        with closing(Database(path, create=True)) as database:
            log = AuditLog(database.connection)
            with database.transaction() as connection:
                if start % 3:
                    log.append(connection, a_leaf(start))
                if start % 10 == 5:
                    log.append_with_text(connection, a_leaf(start), f"because of {start}", TEXT_KEYS)
                if start % 20 == 7:
                    log.erase_text(connection, log.size - 1, BEGAN, ACTOR)
                outside[f"copy {start % 20}"] = log.checkpoint(connection, KEY)
            verification = told(database.connection, outside)
            assert verification.good, words(verification)
            assert verification.covered == verification.size == log.size


def test_a_log_that_grows_while_it_is_verified_gives_no_false_alarm(path: Path) -> None:
    ended = threading.Event()

    def write() -> None:
        with closing(Database(path, create=True)) as database:
            while not ended.is_set():
                fill(database, 3, checkpoints=range(10_000), texts=range(0, 10_000, 2))

    Database(path, create=True).close()
    writer = threading.Thread(target=write)
    writer.start()
    try:
        with closing(Database(path, create=True)) as database:
            sizes = set()
            for _ in range(40):
                verification = told(database.connection)
                assert verification.good, words(verification)
                sizes.add(verification.size)
    finally:
        ended.set()
        writer.join()
    assert sizes


@pytest.mark.slow
def test_a_large_log_is_verified_in_little_memory(database: Database) -> None:
    log = AuditLog(database.connection)
    with database.transaction() as connection:
        log.extend(connection, map(a_leaf, range(12_000)))
        log.checkpoint(connection, KEY)
    tracemalloc.start()
    try:
        assert told(database.connection).good
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4_500_000  # the rows of all entries take 12 MB


# Single bytes


WHICH = {"note": {MISMATCH, UNVERIFIABLE}}  # a changed key name makes it that of somebody else


def _changes(value: bytes | str | int, masks: tuple[int, ...]) -> Iterator[bytes | int]:
    """The value with one byte changed, each byte by each mask; text as bytes, since it need not be text any more."""
    if isinstance(value, int):
        yield from (value ^ mask << 8 * byte for byte in range(7) for mask in masks)
        return
    data = value.encode() if isinstance(value, str) else value
    for index, byte in enumerate(data):
        for mask in masks:
            yield data[:index] + bytes([byte ^ mask]) + data[index + 1 :]


def _every_change_is_found(made: Made, table: str, key: str, column: str, masks: tuple[int, ...]) -> int:
    count = 0
    with attacked(made.path) as connection:
        for row, value in connection.exec_driver_sql(f"SELECT {key}, {column} FROM {table}").all():
            stored = f"UPDATE {table} SET {column} = CAST(? AS TEXT) WHERE {key} = ?"
            if column != "kind":
                stored = f"UPDATE {table} SET {column} = ? WHERE {key} = ?"
            for changed in _changes(value, masks):
                connection.exec_driver_sql(stored, (changed, row))
                verification = told(connection)
                assert kinds(verification), f"{column} of {row} changed to {changed!r}"
                assert kinds(verification) <= WHICH.get(column, {MISMATCH})
                if table == "audit_leaf":
                    assert verification.findings[0].position == row
                    assert f"ntry {row} " in verification.findings[0].said
                count += 1
            connection.exec_driver_sql(stored, (value, row))
        assert told(connection).good
    return count


@pytest.mark.parametrize(("table", "key", "column"), COLUMNS)
def test_every_changed_byte_is_found_and_told_where(made: Made, table: str, key: str, column: str) -> None:
    assert _every_change_is_found(made, table, key, column, (0x01,)) >= 14


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("table", "key", "column"), COLUMNS)
def test_every_byte_changed_otherwise_is_found_and_told_where(made: Made, table: str, key: str, column: str) -> None:
    assert _every_change_is_found(made, table, key, column, (0x20, 0x80)) >= 28


def test_every_changed_bit_of_a_checkpoint_kept_outside_is_found(made: Made) -> None:
    note = made.notes[2]
    with attacked(made.path) as connection:
        for bit in range(len(note) * 8):
            changed = bytearray(note)
            changed[bit // 8] ^= 1 << bit % 8
            verification = told(connection, {"the copy": bytes(changed)})
            assert kinds(verification)
            assert kinds(verification) <= {MISMATCH, UNVERIFIABLE}
            assert "The copy " in words(verification)


@pytest.mark.parametrize("column", ["leaf", "hash", "subtrees"])
def test_a_byte_too_many_or_too_few_is_found(made: Made, column: str) -> None:
    for position in range(SIZE):
        for change in ("substr({0}, 1, length({0}) - 1)", "CAST({0} || x'00' AS BLOB)", "zeroblob(5000)"):
            if column == "subtrees" and position % 2 == 0 and "substr" in change:
                continue  # there is nothing to take away
            with attacked(made.path) as connection:
                connection.exec_driver_sql(
                    f"UPDATE audit_leaf SET {column} = {change.format(column)} WHERE position = {position}"
                )
                assert kinds(told(connection)) == {MISMATCH}
