"""A scan that is killed at any moment goes on where it was, and ends with the catalogue of one that was not.

With RETENTIOND_TEST_LONG in the environment it is killed twenty times and has more to do.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from tests.acceptance.killable_scan import run_scan

_KILLS, _FILES = (20, 1_200) if "RETENTIOND_TEST_LONG" in os.environ else (7, 600)
_MIDWAY = 3  # so many have to be killed between two batches


def _start(share: Path, state: Path) -> int:
    """A scan in a process of its own, which ends with exit code 0 if the scan was whole."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            seen, reconciles = run_scan(share, state)
            code = 0 if (seen, reconciles) == (_FILES, True) else 2
        finally:
            os._exit(code)
    return process


def _ended(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _content(state: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every fact in the catalogue; left out are clocks, row numbers, and how many passes it took."""
    with sqlite3.connect(state / "catalogue.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        content = {}
        for (table,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            if table.startswith("sqlite_") or table in {"alembic_version", "evaluation", "change_count", "scan_pass"}:
                continue
            columns = [
                name
                for _, name, *_ in database.execute(f"PRAGMA table_info({table})")
                if not name.endswith("_at") and name != "id"
            ]
            rows = database.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()  # noqa: S608 — our own names
            content[table] = sorted(rows, key=repr)
    database.close()
    return content


@pytest.fixture
def share(tmp_path: Path) -> Path:
    folder = tmp_path / "share"
    for team in range(20):
        (folder / f"team {team}").mkdir(parents=True)
        for number in range(_FILES // 20):
            (folder / f"team {team}" / f"{number}.txt").write_text(f"letter {number} of team {team}\n" * (number % 5))
    return folder


@pytest.mark.slow
def test_kills_at_random_moments_leave_the_catalogue_of_an_undisturbed_scan(tmp_path: Path, share: Path) -> None:
    began = time.monotonic()
    assert _ended(_start(share, tmp_path / "undisturbed")) == 0
    whole = time.monotonic() - began
    undisturbed = _content(tmp_path / "undisturbed")
    seed = random.randrange(1_000_000)
    chance = random.Random(seed)
    midway = 0

    for number in range(3 * _KILLS):
        state = tmp_path / f"killed {number}"
        scan = _start(share, state)
        time.sleep(chance.uniform(0.02, 0.98) * whole)
        os.kill(scan, signal.SIGKILL)
        if _ended(scan) == -signal.SIGKILL and (state / "catalogue.sqlite").exists():
            midway += 0 < _items(state) < _FILES
        assert _ended(_start(share, state)) == 0, f"kill {number}, seed {seed}"
        assert _content(state) == undisturbed, f"kill {number}, seed {seed}"
        if number + 1 >= _KILLS and midway >= _MIDWAY:
            break

    assert midway >= _MIDWAY, f"too few scans were caught between two batches (seed {seed})"


def _items(state: Path) -> int:
    try:
        with sqlite3.connect(state / "catalogue.sqlite") as database:
            count: int = database.execute("SELECT count(*) FROM item").fetchone()[0]
    except sqlite3.OperationalError:
        return 0  # killed before the tables were made
    finally:
        database.close()
    return count
