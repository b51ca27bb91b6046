"""Nothing is found where nothing was done, and no single byte is changed without being found."""

# ruff: noqa: S608 - the statements are an attack
from __future__ import annotations

import os
import sqlite3
import threading
import tracemalloc
from collections.abc import Callable, Iterator
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

LONG = "RETENTIOND_TEST_LONG" in os.environ
LOGS, RESTARTS = (4, 250) if LONG else (1, 100)

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
@pytest.mark.parametrize("number", range(LOGS))
def test_restarts_give_no_false_alarm(path: Path, number: int) -> None:
    """A hundred of them; a thousand, in four logs, where there is the time."""
    outside: dict[str, bytes] = {}
    for start in range(RESTARTS * number, RESTARTS * (number + 1)):
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
MASKS = (0x01, 0x20, 0x80)
EVERY = {"leaf": 3}  # of these columns every third byte of a row is changed, in each row others

Change = tuple[int, bytes | int]


def _places(value: bytes | str | int) -> range:
    return range(7 if isinstance(value, int) else len(value.encode() if isinstance(value, str) else value))


def _changed(value: bytes | str | int, place: int, mask: int) -> bytes | int:
    """The value with that byte changed; text as bytes, since it need not be text any more."""
    if isinstance(value, int):
        return value ^ mask << 8 * place
    data = value.encode() if isinstance(value, str) else value
    return data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :]


def _each_byte_once(row: int, value: bytes | str | int, column: str) -> Iterator[Change]:
    """The masks take turns, from byte to byte and from row to row."""
    every = EVERY.get(column, 1)
    for place in _places(value):
        if (place + row) % every == 0:
            yield place, _changed(value, place, MASKS[(place // every + row) % len(MASKS)])


def _each_byte_by_all_masks(row: int, value: bytes | str | int, column: str) -> Iterator[Change]:
    yield from ((place, _changed(value, place, mask)) for place in _places(value) for mask in MASKS)


def _every_change_is_found(
    made: Made, table: str, key: str, column: str, changes: Callable[[int, bytes | str | int, str], Iterator[Change]]
) -> int:
    """How many there were; the bytes that all rows have were changed in some row."""
    count, tried, lengths = 0, set(), []
    with attacked(made.path) as connection:
        for row, value in connection.exec_driver_sql(f"SELECT {key}, {column} FROM {table}").all():
            stored = f"UPDATE {table} SET {column} = CAST(? AS TEXT) WHERE {key} = ?"
            if column != "kind":
                stored = f"UPDATE {table} SET {column} = ? WHERE {key} = ?"
            lengths.append(len(_places(value)))
            for place, changed in changes(row, value, column):
                tried.add(place)
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
    assert tried >= set(range(min(lengths)))
    return count


@pytest.mark.parametrize(("table", "key", "column"), COLUMNS)
def test_every_changed_byte_is_found_and_told_where(made: Made, table: str, key: str, column: str) -> None:
    assert _every_change_is_found(made, table, key, column, _each_byte_once) >= 14


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("table", "key", "column"), COLUMNS)
def test_every_byte_changed_otherwise_is_found_and_told_where(made: Made, table: str, key: str, column: str) -> None:
    assert _every_change_is_found(made, table, key, column, _each_byte_by_all_masks) >= 42


def test_every_changed_byte_of_a_checkpoint_kept_outside_is_found(made: Made) -> None:
    """In one bit, which is another from byte to byte; in every bit where there is the time."""
    note = made.notes[2]
    with attacked(made.path) as connection:
        for bit in range(len(note) * 8) if LONG else (8 * place + place % 8 for place in range(len(note))):
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
