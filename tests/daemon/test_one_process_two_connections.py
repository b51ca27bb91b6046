"""Both roles in one process, each with a connection of its own to the catalogue, beside commands that come and go."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from agent.catalogue.store import Catalogue

_COME_AND_GO = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
print(sorted(name for name, in connection.execute("SELECT name FROM share")))
connection.close()
"""


def seen_by_another_process(path: Path) -> str:
    """The names of shares that a process sees which opens the catalogue and closes it again."""
    command = [sys.executable, "-c", _COME_AND_GO, str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("there_before", [False, True])
def test_opening_it_a_second_time_leaves_the_first_connection_its_locks(tmp_path: Path, there_before: bool) -> None:
    path = tmp_path / "catalogue.sqlite"
    if there_before:
        Catalogue.open(path).close()

    with Catalogue.open(path, create=True) as scanning, Catalogue.open(path, create=True) as disposing:
        scanning.ensure_share("one", "/srv/one", "1")
        assert seen_by_another_process(path) == "['one']"
        # Had the locks been given up, the other process would have taken itself for the last one and the log with it.
        scanning.ensure_share("two", "/srv/two", "2")
        disposing.ensure_share("three", "/srv/three", "3")
        assert seen_by_another_process(path) == "['one', 'three', 'two']"

    assert seen_by_another_process(path) == "['one', 'three', 'two']"


def test_two_roles_that_make_it_at_once_get_one_catalogue_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    ready = threading.Barrier(4)
    faults: list[Exception] = []

    def role(name: str) -> None:
        ready.wait()
        try:
            with Catalogue.open(path, create=True) as catalogue:
                catalogue.ensure_share(name, f"/srv/{name}", name)
        except Exception as error:  # noqa: BLE001 — a thread cannot fail the test by itself
            faults.append(error)

    threads = [threading.Thread(target=role, args=(name,)) for name in "abcd"]
    with ExitStack() as ended:
        for thread in threads:
            thread.start()
            ended.callback(thread.join)

    assert faults == []
    assert seen_by_another_process(path) == "['a', 'b', 'c', 'd']"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["catalogue.sqlite"]
