"""The file survives what happens to files, and says in plain words what a person has to mend."""

from __future__ import annotations

import resource
import shutil
import signal
import sqlite3
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from agent.catalogue import database as database_module
from agent.catalogue.database import Database
from agent.catalogue.store import Catalogue
from agent.catalogue.tables import metadata
from agent.errors import CatalogueError
from tests.catalogue.conftest import BEGAN, a_pass, a_result, begin
from tests.catalogue.empty import empty_at


def _filled(path: Path) -> None:
    with Catalogue.open(path) as catalogue:
        a_pass(catalogue, *(a_result(b"folder/%d" % number) for number in range(500)))


def test_a_commit_survives_a_power_cut_by_its_settings(path: Path) -> None:
    database = Database(path, create=True)
    values = {
        name: database.connection.exec_driver_sql(f"PRAGMA {name}").scalar()
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    database.close()
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_only_its_owner_can_read_it(path: Path) -> None:
    _filled(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_migrations_lead_to_the_tables_of_the_code(path: Path) -> None:
    database = Database(path, create=True)
    differences = compare_metadata(MigrationContext.configure(database.connection), metadata)
    database.close()
    assert differences == []


def test_the_comparison_with_the_code_can_fail(path: Path) -> None:
    database = Database(path, create=True)
    database.connection.exec_driver_sql("ALTER TABLE item ADD COLUMN stray TEXT")
    differences = compare_metadata(MigrationContext.configure(database.connection), metadata)
    database.close()
    assert differences


def _garbage(path: Path) -> None:
    path.write_bytes(b"this is no database" * 1000)


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE photo (id INTEGER)")
    database.close()


def _newer(path: Path) -> None:
    _filled(path)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()


def _directory(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_garbage, "not a catalogue, or it is damaged"),
        (_foreign, "not a catalogue of retentiond"),
        (_newer, "newer version"),
        (_directory, "cannot"),
    ],
)
@pytest.mark.parametrize("create", [True, False])
def test_what_is_no_catalogue_of_ours_is_left_as_it_is(path: Path, spoil: object, said: str, create: bool) -> None:
    spoil(path)  # type: ignore[operator]
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(CatalogueError, match=said) as told:
        Catalogue.open(path, create=create)
    assert str(path) in str(told.value)
    assert (path.read_bytes() if path.is_file() else None) == before


def test_no_catalogue_is_made_unless_asked(path: Path) -> None:
    with pytest.raises(CatalogueError, match="Run a scan first"):
        Catalogue.open(path, create=False)
    assert not path.exists()


def test_a_catalogue_with_damaged_pages_is_told_as_damaged(path: Path) -> None:
    _filled(path)
    with path.open("r+b") as file:
        for page in range(3, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xde\xad" * 2048)
    with pytest.raises(CatalogueError, match="damaged"), Catalogue.open(path) as catalogue:
        list(catalogue.records())


def test_a_catalogue_held_by_another_process_is_told_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _filled(path)
    monkeypatch.setattr(database_module, "_BUSY_SECONDS", 0.1)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(CatalogueError, match="another process"), Catalogue.open(path) as catalogue:
        begin(catalogue)
    holder.execute("ROLLBACK")
    holder.close()


def test_a_full_disk_loses_nothing_that_was_stored(path: Path) -> None:
    with Catalogue.open(path) as catalogue:
        current = begin(catalogue)
        catalogue.commit(current, [a_result(b"a")], b"behind a", 1, 0, BEGAN)
        pages = catalogue._connection.exec_driver_sql("PRAGMA page_count").scalar()
        catalogue._connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(CatalogueError, match="disk is full"):
            catalogue.commit(current, [a_result(b"%d" % n) for n in range(5000)], b"behind all", 5000, 0, BEGAN)
        catalogue._connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        assert begin(catalogue).cursor == b"behind a"
        assert [ref.path for ref, _ in catalogue.records()] == [b"a"]


def test_an_older_catalogue_is_copied_before_it_is_brought_up_to_date(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _filled(path)
    with sqlite3.connect(path) as database:
        before = database.execute("SELECT count(*) FROM item").fetchone()
    database.close()
    newest = database_module.HEAD
    monkeypatch.setattr(database_module, "HEAD", "9999")
    Catalogue.open(path).close()
    copy = path.with_name(f"catalogue.sqlite.before-{newest}")
    assert copy.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(copy) as database:
        assert database.execute("SELECT count(*) FROM item").fetchone() == before
    database.close()


def test_no_message_repeats_what_stood_in_a_statement(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Catalogue.open(path) as catalogue:
        current = begin(catalogue)
        catalogue._connection.exec_driver_sql("DROP TABLE finding")
        with pytest.raises(CatalogueError) as told:
            catalogue.commit(current, [a_result(b"secret-name.pdf")], b"", 1, 0, BEGAN)
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__
    assert "secret-name" not in repr(told.value)


@pytest.mark.slow
def test_a_writer_killed_at_any_moment_leaves_whole_batches(path: Path, tmp_path: Path) -> None:
    import os

    for number in range(10):
        here = tmp_path / f"{number}.sqlite"
        writer = os.fork()
        if writer == 0:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            with Catalogue.open(here if number == 0 else empty_at(here)) as catalogue:
                current = begin(catalogue)
                for batch in range(10_000):
                    results = [a_result(b"%d/%d" % (batch, name)) for name in range(7)]
                    catalogue.commit(current, results, b"%d" % batch, 7, 1, BEGAN)
            os._exit(0)
        time.sleep(0.1 + number * 0.03)
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
        shutil.copy(here, tmp_path / "copy") if here.exists() else None
        with Catalogue.open(here) as catalogue:
            assert catalogue._connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            current = begin(catalogue)
            count = sum(1 for _ in catalogue.records())
            batches = 0 if current.cursor is None else int(current.cursor) + 1
            assert count == current.seen == 7 * batches
