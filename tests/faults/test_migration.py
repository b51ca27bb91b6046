"""A catalogue of an older schema is brought up to date or stays as it was, at whatever system call that is cut off."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from agent.catalogue import database
from agent.catalogue.database import HEAD
from agent.catalogue.store import Catalogue
from tests.faults import rig
from tests.faults.harness import points

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace must be installed (Debian: strace)"),
]
_OLD = "0006"
_ROWS = """
INSERT INTO share VALUES (1, 'office', '/srv', 'x');
INSERT INTO fingerprint (id, text) VALUES (1, 'f');
INSERT INTO folder VALUES (1, 1, NULL, x'', 0);
INSERT INTO change_count VALUES (7);
INSERT INTO item (id, folder_id, name, state, version, retry, fingerprint_id, outcome, reason,
  extraction_reasons, characters, format, finding_total, findings, size_bytes, modified_at, first_seen_at, owner,
  file_id, link_count, marks)
  VALUES (1, 1, x'61', 0, x'01', 0, 1, 'scanned', '', '', 1, 'txt', 0, '', 1, 1, 1, '', x'', 1, ''),
         (2, 1, x'62', 2, x'02', 0, 1, 'scanned', '', '', 1, 'txt', 0, '', 1, 1, 1, '', x'', 1, '');
INSERT INTO finding (item_id, entity_type, identity, score, count, location) VALUES (1, 'PERSON', x'00', 1, 1, '');
"""


def an_older_catalogue(path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
        command.upgrade(config, _OLD)
        connection.commit()
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(_ROWS)
        connection.commit()


def facts(path: Path) -> object:
    with closing(sqlite3.connect(path)) as connection:
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        items = connection.execute("SELECT id, hex(name), state FROM item ORDER BY id").fetchall()
        others = connection.execute("SELECT (SELECT COUNT(*) FROM finding), (SELECT COUNT(*) FROM folder)").fetchall()
        return revision, items, others, connection.execute("PRAGMA integrity_check").fetchone()


def test_a_migration_that_is_killed_anywhere_is_done_by_the_next_start(tmp_path: Path) -> None:
    template, path = tmp_path / "template.sqlite", tmp_path / "catalogue.sqlite"
    an_older_catalogue(template)

    def begin() -> None:
        for file in tmp_path.glob("catalogue.sqlite*"):
            file.unlink()
        shutil.copyfile(template, path)

    def upgrade() -> None:
        Catalogue.open(path, create=False).close()

    begin()
    ran = rig.run(upgrade, tmp_path / "trace")
    assert ran.status == rig.FINISHED, ran.said
    whole = facts(path)
    assert whole[0] == (HEAD,)  # type: ignore[index]
    tried = 0
    for fault in list(points(ran.calls, rig.KILL))[::9]:
        begin()
        assert rig.run(upgrade, tmp_path / "trace", fault).met, str(fault)
        again = rig.run(upgrade, tmp_path / "trace", traced=False)
        assert again.status == rig.FINISHED, f"{fault}: {again.said}"
        assert facts(path) == whole, str(fault)
        tried += 1
    assert tried >= 10
