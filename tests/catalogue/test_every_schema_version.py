"""A catalogue of any version there ever was is brought up to date with all that is in it, however often it is killed.

The versions are those of the migrations that exist, and the rows are made from what the tables of a version say of
themselves. A new migration is tried without a line here, unless its tables refuse rows that are made so: `SPECIAL` says
then what they want.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine

from agent.catalogue import database
from agent.catalogue.database import HEAD
from agent.catalogue.store import Catalogue
from agent.errors import CatalogueError

ROWS = 5
SPECIAL: dict[tuple[str, str], Callable[[int], object]] = {
    ("item", "state"): lambda number: number % 3,  # live, missing, tombstone
    ("review_act", "kind"): lambda number: "approve",
    ("review_act", "round"): lambda number: 0,
    ("review_act", "stage"): lambda number: f"stage {number}",
    ("disposal", "state"): lambda number: "planned",
    ("disposal", "custody"): lambda number: ("vault", "source")[number % 2],
    ("standing", "state"): lambda number: "due",
    ("standing_basis", "basis"): lambda number: f'{{"of": "basis-{number}"}}',
}
ALONE = {"change_count", "standing_basis"}  # tables of one row
MOMENTS = 12  # at which an upgrade is killed
EVERY = 1 if "RETENTIOND_TEST_LONG" in os.environ else 3  # of them is tried at one version, others at the next

Rows = dict[str, list[dict[str, Any]]]


def config(connection: object) -> Config:
    made = Config(attributes={"connection": connection})
    made.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    return made


VERSIONS = sorted(script.revision for script in ScriptDirectory.from_config(config(None)).walk_revisions())
OLDER = [version for version in VERSIONS if version != HEAD]


def upgrade_to(path: Path, version: str) -> None:
    """What is there is as that version made it."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        command.upgrade(config(connection), version)
        connection.commit()
    engine.dispose()


def tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return sorted({row[0] for row in found} - {"alembic_version"})


def fill(path: Path) -> None:
    """Rows in every table, made from what its columns say of themselves."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        left = tables(connection)
        while left:
            ready = [name for name in left if not points_at(connection, name) & set(left) - {name}]
            assert ready, f"these tables point at each other in a circle: {left}"
            for name in ready:
                for number in range(1, 2 if name in ALONE else ROWS + 1):
                    add(connection, name, number)
            left = [name for name in left if name not in ready]
        connection.commit()


def points_at(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row[2] for row in connection.execute(f"PRAGMA foreign_key_list({table})")}


def add(connection: sqlite3.Connection, table: str, number: int) -> None:
    foreign = {row[3]: row[2] for row in connection.execute(f"PRAGMA foreign_key_list({table})")}
    row = {}
    for _, column, type, required, _, _ in connection.execute(f"PRAGMA table_info({table})").fetchall():
        if (table, column) in SPECIAL:
            row[column] = SPECIAL[table, column](number)
        elif foreign.get(column) == table:
            row[column] = number - 1 or None  # the one before it
        elif column in foreign:
            row[column] = key_of(connection, foreign[column], number)
        elif required or number % 2:
            row[column] = value(type, column, number)
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    try:
        connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", [*row.values()])  # noqa: S608
    except sqlite3.IntegrityError as refusal:
        pytest.fail(f"{table} refuses the row that was made for it ({refusal}): say in SPECIAL what it wants")


def key_of(connection: sqlite3.Connection, table: str, number: int) -> object:
    (key,) = (row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[5])
    return connection.execute(f"SELECT {key} FROM {table} ORDER BY 1 LIMIT 1 OFFSET ?", (number - 1,)).fetchone()[0]  # noqa: S608


def value(type: str, column: str, number: int) -> object:
    match type.split("(")[0].upper():
        case "INTEGER" | "BIGINT" | "SMALLINT":
            return number
        case "BOOLEAN":
            return number % 2
        case "FLOAT" | "REAL":
            return number / 4
        case "BLOB":
            return f"{column} {number}".encode() + b"\0\xff"
        case "TEXT" | "VARCHAR":
            return f"{column} {number} é"
        case _:
            pytest.fail(f"{column} is of a type that no row can be made for: {type}")


def rows(path: Path) -> Rows:
    """All rows of all tables, each in the order of what is in them."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return {
            name: sorted((dict(row) for row in connection.execute(f"SELECT * FROM {name}")), key=repr)  # noqa: S608
            for name in tables(connection)
        }


def assert_nothing_is_lost(before: Rows, path: Path) -> None:
    after = rows(path)
    for table, were in before.items():
        assert table in after, f"{table} is gone"
        columns = were[0].keys()
        assert sorted(({name: row.get(name, "gone") for name in columns} for row in after[table]), key=repr) == were, (
            table
        )


def schema(path: Path) -> set[tuple[str, str, str]]:
    """Tables with their columns, and everything else by its text."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
        ).fetchall()
        told = set()
        for type, name, sql in found:
            columns = [row[1:] for row in connection.execute(f"PRAGMA table_xinfo({name})")] if type == "table" else sql
            told.add((type, name, str(sorted(columns) if type == "table" else columns)))
        return told


def sound(path: Path) -> str:
    """The version of a database whose pages and rows are as they should be."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A filled catalogue of every version."""
    folder = tmp_path_factory.mktemp("versions")
    for version in VERSIONS:
        upgrade_to(folder / "empty", version)
        shutil.copyfile(folder / "empty", folder / version)
        fill(folder / version)
    return {version: folder / version for version in VERSIONS}


@pytest.fixture(scope="module")
def newest(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str, str]]:
    """The schema of a catalogue that is made now."""
    path = tmp_path_factory.mktemp("newest") / "new.sqlite"
    Catalogue.open(path).close()
    return schema(path)


def test_the_newest_migration_is_the_version_that_the_code_asks_for() -> None:
    assert VERSIONS[-1] == HEAD
    assert len(VERSIONS) >= 7


@pytest.mark.parametrize("version", VERSIONS)
def test_every_table_of_a_version_has_rows_to_lose(version: str, templates: dict[str, Path]) -> None:
    assert all(len(found) == (1 if name in ALONE else ROWS) for name, found in rows(templates[version]).items())
    assert sound(templates[version]) == version


@pytest.mark.parametrize("version", OLDER)
def test_everything_in_it_is_there_after_the_upgrade(
    version: str, templates: dict[str, Path], newest: set[tuple[str, str, str]], tmp_path: Path
) -> None:
    path = tmp_path / "catalogue.sqlite"
    shutil.copyfile(templates[version], path)
    before = rows(path)

    Catalogue.open(path, create=False).close()

    assert sound(path) == HEAD
    assert_nothing_is_lost(before, path)
    assert schema(path) == newest
    copy = path.with_name(f"{path.name}.before-{version}")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sound(copy) == version
    assert rows(copy) == before


def test_the_newest_version_is_opened_as_it_is(templates: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    shutil.copyfile(templates[HEAD], path)
    before = rows(path)

    Catalogue.open(path, create=False).close()

    assert rows(path) == before
    assert not list(tmp_path.glob("*.before-*"))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_lost_row_or_value_would_be_seen(version: str, templates: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    shutil.copyfile(templates[version], path)
    before = rows(path)
    for statement in ("DELETE FROM finding WHERE rowid = 3", "UPDATE item SET name = x'00' WHERE id = 2"):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(statement)
            connection.commit()
        with pytest.raises(AssertionError):
            assert_nothing_is_lost(before, path)
        shutil.copyfile(templates[version], path)


def test_a_version_that_nobody_knows_yet_is_refused_and_left_as_it_is(
    templates: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "catalogue.sqlite"
    shutil.copyfile(templates[HEAD], path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (f"{int(HEAD) + 1:04}",))
        connection.commit()
    before = rows(path)

    with pytest.raises(CatalogueError, match="newer version"):
        Catalogue.open(path, create=False)

    assert rows(path) == before


# Killed


def child(work: Callable[[], None]) -> int:
    """Does it in a process of its own; gives how that ended."""
    number = os.fork()
    if number == 0:
        try:
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001 — whatever it is, this process must end here
            os._exit(1)
    return os.waitpid(number, 0)[1]


def upgrade(path: Path, kill_at: int | None, said: Path | None = None) -> None:
    """Brings the catalogue up to date, and is killed at the so many-th step that SQLite makes in it."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        if steps == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0

    def connected(connection: sqlite3.Connection, _: object) -> None:
        connection.set_progress_handler(step, 50)
        connection.set_trace_callback(lambda _: step() and None)

    event.listen(Engine, "connect", connected)
    Catalogue.open(path, create=False).close()
    if said is not None:
        said.write_text(str(steps))


def moments(steps: int, version: str) -> Iterator[int]:
    """Some of them; over the versions, from the first to the last."""
    begin = OLDER.index(version) % EVERY
    yield from sorted({1 + at * (steps - 1) // (MOMENTS - 1) for at in range(begin, MOMENTS, EVERY)})


def begin(path: Path, template: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    shutil.copyfile(template, path)


@pytest.mark.slow
@pytest.mark.parametrize("version", OLDER)
def test_an_upgrade_that_is_killed_leaves_what_the_next_start_can_upgrade(
    version: str, templates: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "catalogue.sqlite"
    before = rows(templates[version])
    begin(path, templates[version])
    assert child(lambda: upgrade(path, None, tmp_path / "steps")) == 0
    steps = int((tmp_path / "steps").read_text())
    assert steps > 100
    for at in moments(steps, version):
        begin(path, templates[version])
        assert os.WTERMSIG(child(lambda: upgrade(path, at))) == signal.SIGKILL, at  # noqa: B023 — called at once
        assert sound(path) in (version, HEAD), at
        assert_nothing_is_lost(before, path)
        Catalogue.open(path, create=False).close()
        assert sound(path) == HEAD
        assert_nothing_is_lost(before, path)


@pytest.mark.slow
def test_a_copy_that_was_cut_off_is_never_taken_for_one(templates: dict[str, Path], tmp_path: Path) -> None:
    version = OLDER[-1]
    path, copy = tmp_path / "catalogue.sqlite", tmp_path / f"catalogue.sqlite.before-{version}"
    before = rows(templates[version])
    for at in range(1, 60, 4):
        begin(path, templates[version])
        assert os.WTERMSIG(child(lambda: upgrade(path, at))) == signal.SIGKILL  # noqa: B023 — called at once
        Catalogue.open(path, create=False).close()
        assert sound(copy) == version, f"killed at step {at}"
        assert rows(copy) == before, at
