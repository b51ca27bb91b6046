"""A catalogue of an older schema with a few rows, and what must be true of it once it is up to date."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from agent.catalogue import database

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
    """Makes it there, for its owner alone."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
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


def not_as_it_was(path: Path) -> list[str]:
    """What is wrong with such a catalogue that should be at the newest schema by now; nothing if all is well."""
    with closing(sqlite3.connect(path)) as connection:
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        items = connection.execute("SELECT id, hex(name), state FROM item ORDER BY id").fetchall()
        others = connection.execute("SELECT (SELECT COUNT(*) FROM finding), (SELECT COUNT(*) FROM folder)").fetchall()
        (sound,) = connection.execute("PRAGMA integrity_check").fetchone()
    found = [] if revision == database.HEAD else [f"the catalogue is at schema {revision}"]
    found += [] if sound == "ok" else [f"the catalogue is damaged: {sound}"]
    if (items, others) != ([(1, "61", 0), (2, "62", 2)], [(1, 1)]):
        found.append("the catalogue has lost something, or has something twice")
    return found
