"""What is done to whole entries, checkpoints and texts is found, told apart and told in words."""

# ruff: noqa: S608 - the statements are an attack
from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import Connection

from agent.audit import tree
from agent.audit.checkpoint import SigningKey, create
from agent.audit.leaf import AuditKind, Digest, Reference, encode
from agent.audit.log import AuditLog
from agent.audit.verify import TOLD
from agent.catalogue.database import Database
from tests.audit.attacks import (
    CHECKPOINTS,
    COLUMNS,
    MISMATCH,
    ROLLBACK,
    SIZE,
    TEXTS,
    TRUNCATION,
    UNVERIFIABLE,
    Made,
    attacked,
    kinds,
    told,
    words,
)
from tests.audit.entries import ACTOR, BEGAN, KEY, a_leaf, fill
from tests.catalogue.empty import empty_at

# Forgery, by one who knows how the log is made, but has not its keys


class Row(NamedTuple):
    position: int
    kind: str
    at: int
    leaf: bytes


def _rewrite(connection: Connection, change: Callable[[list[Row]], list[Row]]) -> None:
    """Replaces the entries by others, with all hashes as they would be if they had always been so."""
    columns = "position, kind, at, leaf"
    rows = [Row(*row) for row in connection.exec_driver_sql(f"SELECT {columns} FROM audit_leaf ORDER BY position")]
    connection.exec_driver_sql("DELETE FROM audit_leaf")
    growing = tree.CompactRange()
    for position, row in enumerate(change(rows)):
        leaf_hash = tree.leaf_hash(row.leaf)
        values = (position, row.kind, row.at, leaf_hash, b"".join(growing.append(leaf_hash)), row.leaf)
        connection.exec_driver_sql("INSERT INTO audit_leaf VALUES (?, ?, ?, ?, ?, ?)", values)


def _row(leaf: bytes) -> Row:
    return Row(0, "item_quarantined", int((BEGAN).timestamp()) * 10**6, leaf)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: [*rows[:2], rows[3], rows[2], *rows[4:]],
        lambda rows: [*rows[5:], *rows[:5]],
        lambda rows: [*rows[:2], rows[2], *rows[2:6]],
        lambda rows: [*rows[:3], _row(encode(a_leaf(0))), *rows[4:]],
        lambda rows: [_row(encode(a_leaf(0, before="kept"))), *rows[1:]],
        lambda rows: [*rows[:2], *rows[3:], rows[2]],
        lambda rows: [*rows[:6], _row(encode(a_leaf(0)))],
    ],
    ids=["exchanged", "turned round", "doubled", "replaced", "first changed", "moved to the end", "last replaced"],
)
def test_entries_that_were_forged_with_all_their_hashes_are_found_by_the_checkpoints(
    made: Made, change: Callable[[list[Row]], list[Row]]
) -> None:
    with attacked(made.path) as connection:
        _rewrite(connection, change)
        connection.exec_driver_sql("DELETE FROM audit_text")
        for verification in (told(connection), told(connection, {"the copy": made.notes[-1]})):
            assert kinds(verification) == {MISMATCH}
            assert "was made over other entries" in words(verification)


def test_it_is_told_up_to_where_the_log_is_as_it_was(made: Made) -> None:
    with attacked(made.path) as connection:
        connection.exec_driver_sql("DELETE FROM audit_text")
        _rewrite(connection, lambda rows: [*rows[:4], _row(encode(a_leaf(0))), *rows[5:]])
        verification = told(connection, {"the copy": made.notes[-1]})
    assert verification.covered == 3
    forged = [finding for finding in verification.findings if "other entries" in finding.said]
    assert [finding.position for finding in forged] == [3, 3]
    assert forged[0].said == (
        "The log's own checkpoint 3 was made over other entries than the 6 that are here now; "
        "the first 3 are as they were."
    )
    assert forged[1].said.startswith("The copy was made over")


def test_checkpoints_made_anew_with_another_key_are_not_taken(made: Made) -> None:
    forger = SigningKey(KEY.name, b"f" * 32)
    with attacked(made.path) as connection:
        _rewrite(connection, lambda rows: rows[:-1])
        connection.exec_driver_sql("DELETE FROM audit_checkpoint")
        root = AuditLog(connection).root()
        values = (1, 6, create(6, root, forger))
        connection.exec_driver_sql("INSERT INTO audit_checkpoint VALUES (?, ?, ?)", values)
        verification = told(connection)
    assert kinds(verification) == {UNVERIFIABLE}
    assert "No checkpoint covers any of the 6 entries" in words(verification)


# Rows taken out


@pytest.mark.parametrize("position", range(SIZE - 1))
def test_an_entry_that_was_deleted_is_told_as_missing(made: Made, position: int) -> None:
    with attacked(made.path) as connection:
        connection.exec_driver_sql(f"DELETE FROM audit_leaf WHERE position = {position}")
        connection.exec_driver_sql(f"DELETE FROM audit_text WHERE position = {position}")
        verification = told(connection)
    assert kinds(verification) == {MISMATCH}
    assert [(finding.position, finding.said) for finding in verification.findings] == [
        (position, f"Entry {position} is missing.")
    ]
    assert verification.covered <= position


def test_several_entries_that_were_deleted_are_told_together(made: Made) -> None:
    with attacked(made.path) as connection:
        connection.exec_driver_sql("DELETE FROM audit_leaf WHERE position BETWEEN 2 AND 4")
        connection.exec_driver_sql("DELETE FROM audit_text WHERE position = 4")
        verification = told(connection)
    assert words(verification) == "Entries 2 to 4 are missing."


@pytest.mark.parametrize("position", [-1, -5, 100])
def test_an_entry_where_none_can_be_is_found(made: Made, position: int) -> None:
    with attacked(made.path) as connection:
        connection.exec_driver_sql(
            f"INSERT INTO audit_leaf SELECT {position}, kind, at, hash, subtrees, leaf FROM audit_leaf LIMIT 1"
        )
        assert MISMATCH in kinds(told(connection))


@pytest.mark.parametrize("left", range(SIZE))
def test_a_log_that_was_cut_short_is_told_as_truncated(made: Made, left: int) -> None:
    with attacked(made.path) as connection:
        connection.exec_driver_sql(f"DELETE FROM audit_leaf WHERE position >= {left}")
        connection.exec_driver_sql(f"DELETE FROM audit_text WHERE position >= {left}")
        for outside in ({}, {"the copy": made.notes[-1]}):
            verification = told(connection, outside)
            assert kinds(verification) == {TRUNCATION}
            assert verification.findings[0].position == left
            assert words(verification) == (
                f"The log ends after {left} entries, but the log's own checkpoint 4 says that it had 7."
            )


@pytest.mark.parametrize("size", CHECKPOINTS[:-1])
def test_a_log_that_was_set_back_with_its_checkpoints_is_told_by_one_kept_outside(made: Made, size: int) -> None:
    with attacked(made.path) as connection:
        connection.exec_driver_sql(f"DELETE FROM audit_leaf WHERE position >= {size}")
        connection.exec_driver_sql(f"DELETE FROM audit_text WHERE position >= {size}")
        connection.exec_driver_sql(f"DELETE FROM audit_checkpoint WHERE size > {size}")
        assert told(connection).good  # alone, it cannot know
        verification = told(connection, {"the copy": made.notes[-1], "the older copy": made.notes[0]})
    assert kinds(verification) == {ROLLBACK}
    assert verification.findings[0].position == size
    assert words(verification) == f"The log has been set back to {size} entries: the copy shows that it had 7."


def test_a_database_of_yesterday_is_told_as_set_back(path: Path, tmp_path: Path) -> None:
    with closing(Database(empty_at(path), create=False)) as database:
        fill(database, 5, checkpoints=(5,))
        yesterday = tmp_path / "yesterday.sqlite"
        database.connection.exec_driver_sql("VACUUM INTO ?", (str(yesterday),))
        fill(database, 5, checkpoints=(8, 10))
        notes = list(AuditLog(database.connection).checkpoints())
    with closing(Database(yesterday, create=False)) as database:
        assert kinds(told(database.connection, {"the copy": notes[1]})) == {ROLLBACK}
        assert told(database.connection, {"the copy": notes[0]}).good
        fill(database, 5, checkpoints=(8,))  # and went on, as if nothing had happened
        assert told(database.connection, {"the copy": notes[1]}).good  # the same entries again are the same log
        assert kinds(told(database.connection, {"the copy": notes[2]})) == set()


def test_a_log_that_went_on_otherwise_after_it_was_set_back_is_found(path: Path, tmp_path: Path) -> None:
    with closing(Database(empty_at(path), create=False)) as database:
        fill(database, 5, checkpoints=(5,))
        yesterday = tmp_path / "yesterday.sqlite"
        database.connection.exec_driver_sql("VACUUM INTO ?", (str(yesterday),))
        fill(database, 3, checkpoints=(8,))
        newest = list(AuditLog(database.connection).checkpoints())[-1]
    with closing(Database(yesterday, create=False)) as database:
        with database.transaction() as connection:
            AuditLog(connection).extend(connection, (a_leaf(number, before="kept") for number in range(4)))
            AuditLog(connection).checkpoint(connection, KEY)
        verification = told(database.connection, {"the copy": newest})
        assert kinds(verification) == {MISMATCH}
        assert verification.findings[0].position == 5


def test_a_log_both_cut_short_and_older_than_a_copy_is_told_as_both(made: Made) -> None:
    with attacked(made.path) as connection:
        connection.exec_driver_sql("DELETE FROM audit_leaf WHERE position >= 5")
        connection.exec_driver_sql("DELETE FROM audit_checkpoint WHERE size > 6")
        assert kinds(told(connection, {"the copy": made.notes[-1]})) == {TRUNCATION, ROLLBACK}


def test_two_checkpoints_of_different_logs_beyond_the_end_are_found(made: Made) -> None:
    outside = {"one": create(9, b"1" * 32, KEY), "two": create(9, b"2" * 32, KEY), "three": create(9, b"2" * 32, KEY)}
    with attacked(made.path) as connection:
        verification = told(connection, outside)
    assert kinds(verification) == {MISMATCH, ROLLBACK}
    assert "One and two speak of different logs of 9 entries." in words(verification)
    assert verification.counts[MISMATCH] == 1


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_checkpoint_that_was_deleted_is_missed(made: Made, number: int) -> None:
    with attacked(made.path) as connection:
        connection.exec_driver_sql(f"DELETE FROM audit_checkpoint WHERE id = {number}")
        verification = told(connection)
    assert words(verification) == f"The log's own checkpoint {number} is missing."
    assert kinds(verification) == {MISMATCH}


def test_checkpoints_in_another_order_are_found(made: Made) -> None:
    with attacked(made.path) as connection:
        connection.exec_driver_sql("UPDATE audit_checkpoint SET id = 100 WHERE id = 2")
        connection.exec_driver_sql("UPDATE audit_checkpoint SET id = 2 WHERE id = 3")
        connection.exec_driver_sql("UPDATE audit_checkpoint SET id = 3 WHERE id = 100")
        verification = told(connection)
    assert words(verification) == "The log's own checkpoint 3 stands where it does not belong."


def test_a_log_without_any_checkpoint_cannot_be_verified(database: Database) -> None:
    fill(database, 2)
    verification = told(database.connection)
    assert kinds(verification) == {UNVERIFIABLE}
    assert (verification.covered, verification.checkpoints) == (0, 0)


# Texts


def test_words_that_went_without_an_entry_that_says_so_are_missed(made: Made) -> None:
    with attacked(made.path) as connection:
        connection.exec_driver_sql("DELETE FROM audit_text")
        verification = told(connection, text_keys=None)
    assert kinds(verification) == {MISMATCH}
    assert [finding.position for finding in verification.findings] == list(TEXTS)
    assert "words that belong to entry 1 are gone" in words(verification)


@pytest.mark.parametrize("position", [-1, 0, 6, 7, 100])
def test_words_that_no_entry_knows_are_found(made: Made, position: int) -> None:
    with attacked(made.path) as connection:
        connection.exec_driver_sql(
            f"INSERT INTO audit_text SELECT {position}, wrapped_key, sealed FROM audit_text WHERE position = 1"
        )
        verification = told(connection, text_keys=None)
    assert words(verification) == f"Words are kept for entry {position}, which knows of none."


def test_words_that_come_back_after_they_were_erased_are_found(database: Database) -> None:
    fill(database, 3, texts=(1,))
    (kept,) = database.connection.exec_driver_sql("SELECT * FROM audit_text").all()
    with database.transaction() as connection:
        log = AuditLog(connection)
        log.erase_text(connection, 1, BEGAN, ACTOR)
        log.checkpoint(connection, KEY)
        connection.exec_driver_sql("INSERT INTO audit_text VALUES (?, ?, ?)", tuple(kept))
    verification = told(database.connection)
    assert kinds(verification) == {MISMATCH}
    assert verification.findings[0].position == 3
    assert "are there all the same" in words(verification)


@pytest.mark.parametrize("references", [{}, {Reference.ENTRY: "x"}, {Reference.ENTRY: "0"}, {Reference.ENTRY: "9"}])
def test_an_erasure_of_words_that_never_were_is_found(database: Database, references: dict[Reference, str]) -> None:
    fill(database, 2)
    with database.transaction() as connection:
        log = AuditLog(connection)
        log.append(connection, a_leaf(kind=AuditKind.TEXT_ERASED, references=references))
        log.checkpoint(connection, KEY)
    assert "never were" in words(told(database.connection))


# What cannot be read


def test_an_entry_of_a_newer_version_cannot_be_verified(made: Made) -> None:
    with attacked(made.path) as connection:
        connection.exec_driver_sql("DELETE FROM audit_text")
        connection.exec_driver_sql("DELETE FROM audit_checkpoint")
        newer = encode(a_leaf(0)).replace(b'"version":1', b'"version":2')
        _rewrite(connection, lambda rows: [rows[0], _row(newer)])
        note = create(2, AuditLog(connection).root(), KEY)
        verification = told(connection, {"the copy": note})
    assert kinds(verification) == {UNVERIFIABLE}
    assert verification.findings[0].position == 1
    assert verification.covered == 2


def test_an_entry_that_we_do_not_write_is_found_even_if_it_was_signed(made: Made) -> None:
    with attacked(made.path) as connection:
        connection.exec_driver_sql("DELETE FROM audit_text")
        connection.exec_driver_sql("DELETE FROM audit_checkpoint")
        _rewrite(connection, lambda _: [_row(b'{"name":"Jane Doe","version":1}')])
        verification = told(connection, {"the copy": create(1, AuditLog(connection).root(), KEY)})
    assert words(verification) == "Entry 0 cannot be read, since it has a field that entries do not have."


def test_a_file_that_is_no_checkpoint_is_told_as_that(made: Made) -> None:
    with attacked(made.path) as connection:
        verification = told(connection, {"the copy": b"Jane Doe\xff", "another": made.notes[-1][:-1]})
    assert kinds(verification) == {UNVERIFIABLE}
    assert "The copy is no checkpoint: it is not text." in words(verification)
    assert "Another is no checkpoint: it has no signature, or was cut short." in words(verification)
    assert verification.covered == SIZE


def test_a_checkpoint_of_another_log_is_not_taken(made: Made) -> None:
    elsewhere = SigningKey("other.example/audit", KEY.seed)
    note = create(3, b"x" * 32, elsewhere)
    with attacked(made.path) as connection:
        assert kinds(told(connection, {"the copy": note})) == {UNVERIFIABLE}


@pytest.mark.parametrize("value", ["5", "'text'", "x'ff'", "2.5", "'5'", "-1", "zeroblob(100000)"])
@pytest.mark.parametrize(("table", "key", "column"), COLUMNS)
def test_nothing_that_a_column_can_hold_makes_the_verifier_stumble(
    made: Made, table: str, key: str, column: str, value: str
) -> None:
    with attacked(made.path) as connection:
        connection.exec_driver_sql(f"UPDATE {table} SET {column} = {value} WHERE {key} = 4")
        assert MISMATCH in kinds(told(connection))


def test_a_long_list_of_troubles_is_counted_and_not_kept(database: Database) -> None:
    with database.transaction() as connection:
        log = AuditLog(connection)
        log.extend(connection, (a_leaf(number, digests={Digest.TEXT: b"t" * 32}) for number in range(TOLD + 50)))
        log.checkpoint(connection, KEY)
    verification = told(database.connection)
    assert verification.counts == {MISMATCH: TOLD + 50}
    assert len(verification.findings) == TOLD
