"""Whenever a scan is killed, the next one ends with the catalogue of a scan that was left alone."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_KILLS = 20
_SECRET_KEY_BYTES = b"\1" * 32


def _scan(share: Path, state: Path) -> subprocess.Popen[bytes]:
    script = ROOT / "tests" / "acceptance" / "killable_scan.py"
    return subprocess.Popen([sys.executable, str(script), str(share), str(state)], cwd=ROOT, stdout=subprocess.PIPE)


def _content(state: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything in the catalogue but the clock: times of ours, and how many passes it took."""
    with sqlite3.connect(state / "catalogue.sqlite") as database:
        tables = [
            name
            for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            if not name.startswith("sqlite_") and name not in {"alembic_version", "evaluation", "state_mark", "mark"}
        ]
        content = {}
        for table in sorted(tables):
            columns = [
                name
                for _, name, *_ in database.execute(f"PRAGMA table_info({table})")
                if not name.endswith("_at") and name not in {"id", "changes"}
            ]
            rows = database.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()
            content[table] = sorted(rows, key=repr)
    database.close()
    return content


@pytest.fixture
def share(tmp_path: Path) -> Path:
    folder = tmp_path / "share"
    for team in range(30):
        (folder / f"team {team}").mkdir(parents=True)
        for number in range(60):
            (folder / f"team {team}" / f"{number}.txt").write_text(f"letter {number} of team {team}\n" * (number % 5))
    return folder


@pytest.mark.slow
def test_twenty_kills_at_random_moments_leave_the_catalogue_of_an_undisturbed_scan(tmp_path: Path, share: Path) -> None:
    began = time.monotonic()
    undisturbed = _scan(share, tmp_path / "undisturbed")
    assert undisturbed.communicate()[0].split()[:2] == [b"1800", b"True"]
    whole = time.monotonic() - began
    seed = random.randrange(1_000_000)
    chance = random.Random(seed)
    killed = 0
    for _ in range(_KILLS):
        scan = _scan(share, tmp_path / "killed")
        time.sleep(chance.uniform(0.25, 0.9) * whole)
        scan.send_signal(signal.SIGKILL)
        killed += scan.wait() == -signal.SIGKILL
        scan.communicate()

    last = _scan(share, tmp_path / "killed")

    assert last.communicate()[0].split()[:2] == [b"1800", b"True"], f"seed {seed}"
    assert killed >= 3, f"too few scans were caught at work (seed {seed})"
    assert _content(tmp_path / "killed") == _content(tmp_path / "undisturbed"), f"seed {seed}"
