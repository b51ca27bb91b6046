from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.audit.log import AuditLog
from agent.catalogue.database import Database
from tests.audit.attacks import CHECKPOINTS, SIZE, TEXTS, Made
from tests.audit.entries import KEY, fill
from tests.catalogue.empty import empty_at


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.sqlite"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    opened = Database(empty_at(path), create=False)
    yield opened
    opened.close()


@pytest.fixture
def log(database: Database) -> AuditLog:
    return AuditLog(database.connection)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Seven entries, an empty checkpoint and three others, two texts."""
    path = tmp_path_factory.mktemp("log") / "catalogue.sqlite"
    with closing(Database(empty_at(path), create=False)) as database:
        with database.transaction() as connection:
            notes = [AuditLog(connection).checkpoint(connection, KEY)]
        notes += fill(database, SIZE, checkpoints=CHECKPOINTS, texts=TEXTS)
    return Made(path, notes)
