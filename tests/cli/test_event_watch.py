"""The drop folder, watched: what people put there is recorded as it comes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, Command

TABLE = "event,key,value,on\nemployment_ended,person,Example A,2026-03-31\n"


@pytest.fixture
def folder(tmp_path: Path, retentiond: Command) -> Path:
    """A drop folder beside a catalogue of an empty share."""
    (tmp_path / "share").mkdir()
    assert retentiond("scan", tmp_path / "share").returncode == 0
    (tmp_path / "drop").mkdir()
    return tmp_path / "drop"


@pytest.fixture
def watching(folder: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "agent", "event", "import", "--folder", str(folder), "--watch", "--yes"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "RETENTIOND_STATE": str(tmp_path / "state")}
    with subprocess.Popen(
        [*command, "--settled-after", "0.1"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=_hears_ctrl_c,
    ) as process:
        yield process
        process.kill()


def _hears_ctrl_c() -> None:
    """Also where these tests run in the background, whose processes are started deaf to it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def appears_ended(process: subprocess.Popen[str]) -> bool:
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        return False
    return True


def appears(path: Path) -> bool:
    for _ in range(300):
        if path.exists():
            return True
        time.sleep(0.1)
    return False


def test_files_are_taken_as_they_come_and_a_bad_one_does_not_end_it(
    folder: Path, watching: subprocess.Popen[str], retentiond: Command
) -> None:
    assert appears(folder / "done")  # it has looked once, and waits
    (folder / "leavers.csv").write_text(TABLE)
    assert appears(folder / "done" / "leavers.csv")
    (folder / "bad.csv").write_text(TABLE.replace("2026-03-31", "2026-02-31"))
    assert appears(folder / "refused" / "bad.csv.txt") or appears(folder / "refused" / "bad.csv")
    (folder / "more.csv").write_text(TABLE.replace("Example A", "Example B"))
    assert appears(folder / "done" / "more.csv")
    for _ in range(4):  # a signal may come while a file is being taken; a second one kills who is already ending
        watching.send_signal(signal.SIGINT)
        if appears_ended(watching):
            break
    assert watching.returncode in (0, 130)
    events = json.loads(retentiond("event", "list", "--json").stdout)["events"]
    assert [one["on"] for one in events] == ["2026-03-31", "2026-03-31"]


@pytest.mark.parametrize("options", [["--watch"], ["--watch", "--yes"], ["--folder", ".", "--watch"]])
def test_it_is_said_what_watching_needs(retentiond: Command, tmp_path: Path, options: list[str]) -> None:
    refused = retentiond("event", "import", *options)
    assert (refused.returncode, "--watch goes with --folder and --yes" in refused.stderr) == (2, True)


def test_a_folder_that_is_not_there_is_told(folder: Path, retentiond: Command) -> None:
    refused = retentiond("event", "import", "--folder", folder / "none", "--watch", "--yes")
    assert (refused.returncode, "cannot be watched" in refused.stderr) == (2, True)
