"""`retentiond audit`, as a user runs it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.cli.here import command_here
from tests.conftest import Command


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that was scanned once for all, and one hold."""
    folder = tmp_path_factory.mktemp("office")
    (folder / "share").mkdir()
    (folder / "share" / "minutes.txt").write_text("Minutes of the meeting.")
    assert command_here(folder)("scan", folder / "share").returncode == 0
    hold(command_here(folder), "First")
    return folder


@pytest.fixture
def state(tmp_path: Path, office: Path) -> Path:
    """A state directory after a scan and one hold."""
    return Path(shutil.copytree(office / "state", tmp_path / "state"))


def hold(retentiond: Command, name: str) -> None:
    placed = retentiond("hold", "place", name, "--kind", "legal-hold", "--reason", "A claim", "--path", "**", "--yes")
    assert placed.returncode == 0, placed.stderr


def verified(retentiond: Command, *options: str | Path) -> tuple[int, list[str]]:
    done = retentiond("audit", "verify", "--json", *options)
    return done.returncode, [one["trouble"] for one in json.loads(done.stdout)["findings"]]


def test_a_log_that_is_as_it_was_is_good(state: Path, retentiond: Command, tmp_path: Path) -> None:
    assert retentiond("audit", "checkpoint", "--to", tmp_path / "outside").returncode == 0
    hold(retentiond, "Second")
    assert verified(retentiond, "--checkpoints", tmp_path / "outside") == (0, [])
    shown = json.loads(retentiond("audit", "show", "--json").stdout)["entries"]
    assert [one["kind"] for one in shown] == ["hold_placed", "hold_placed"]
    assert retentiond("audit", "key").stdout.startswith("retentiond/")


def test_a_changed_catalogue_is_told_with_its_exit_code(state: Path, retentiond: Command) -> None:
    with sqlite3.connect(state / "catalogue.sqlite") as connection:
        connection.execute("UPDATE hold SET reason = 'another'")
    assert verified(retentiond) == (8, ["mismatch"])


def test_a_catalogue_set_back_to_an_older_copy_is_told_by_a_checkpoint_outside(
    state: Path, retentiond: Command, tmp_path: Path
) -> None:
    older = tmp_path / "older"
    shutil.copytree(state, older)
    hold(retentiond, "Second")
    assert retentiond("audit", "checkpoint", "--to", tmp_path / "outside").returncode == 0
    shutil.rmtree(state)
    shutil.copytree(older, state)
    assert verified(retentiond) == (0, [])
    assert verified(retentiond, "--checkpoints", tmp_path / "outside") == (10, ["rollback"])


def test_what_is_no_checkpoint_cannot_verify_anything(state: Path, retentiond: Command, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("nothing of the kind\n")
    assert verified(retentiond, "--checkpoints", tmp_path / "outside") == (11, ["unverifiable"])
    missing = retentiond("audit", "verify", "--checkpoints", tmp_path / "not there")
    assert (missing.returncode, "cannot be read" in missing.stderr) == (2, True)


def test_an_anchor_that_cannot_be_reached_is_no_defect_of_ours(state: Path, retentiond: Command) -> None:
    failed = retentiond("audit", "checkpoint", "--to", state / "none" / "file")
    assert (failed.returncode, "cannot be written" in failed.stderr) == (5, True)
    endless = retentiond("audit", "verify", "--checkpoints", "/dev/zero", "--json")
    assert endless.returncode == 11
