"""Folders and files of any name can be scanned, explained and reported, and a defect of ours shows no value."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from agent.errors import ExitCode

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def test_a_share_of_any_name_is_scanned_and_its_files_are_explained(retentiond: Command, tmp_path: Path) -> None:
    share = os.path.join(os.fsencode(tmp_path), b"caf\xe9 a\nb back\\slash [bold]markup " + "Büro".encode())
    os.mkdir(share)
    file = os.path.join(share, b"n\xff [red].txt")
    with open(file, "wb") as document:
        document.write(b"NI number AB 12 34 56 C\n")

    told = json.loads(retentiond("scan", "--json", os.fsdecode(share)).stdout)
    explained = json.loads(retentiond("explain", "--json", os.fsdecode(file)).stdout)

    assert (told["seen"], told["scanned"], told["reconciles"]) == (1, 1, True)
    assert [finding["type"] for finding in explained["findings"]] == ["UK_NINO"]
    for command in (["scan", share], ["explain", file], ["detect", file], ["status"], ["report", "--format", "csv"]):
        done = retentiond(*map(os.fsdecode, command))
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr


def test_one_folder_is_one_share_however_it_is_named(retentiond: Command, tmp_path: Path) -> None:
    (tmp_path / "share" / "below").mkdir(parents=True)
    (tmp_path / "share" / "a.txt").write_text("x")
    for path in (tmp_path / "share", f"{tmp_path}/share/", f"{tmp_path}/share/below/..", f"{tmp_path}/./share"):
        assert retentiond("scan", path).returncode == 0

    assert len(json.loads(retentiond("status", "--json").stdout)["shares"]) == 1


def test_a_share_of_the_settings_keeps_its_name_when_it_is_scanned_by_path(retentiond: Command, tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    settings = tmp_path / "settings.yaml"
    settings.write_text(f"shares:\n  - name: office\n    path: {tmp_path}/share\n")
    assert retentiond("scan", tmp_path / "share", "--config", settings).returncode == 0
    assert retentiond("scan", "--config", settings).returncode == 0

    (share,) = json.loads(retentiond("status", "--json").stdout)["shares"]
    assert share["share"] == "office"


def test_an_empty_share_is_accounted_for(retentiond: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    done = retentiond("scan", tmp_path / "empty")

    assert done.returncode == 0
    assert "0 files seen" in done.stdout


_DEFECT = """
import sys
from agent import cli
from agent.cli import app
def fail(**_):
    secret = "AB 12 34 56 C"
    raise KeyError(secret)
app.app = fail
sys.argv = ["retentiond", "status"]
import agent.cli.app as module
module.app = lambda **_: fail()
cli.main()
"""


def test_a_defect_of_ours_is_told_by_its_place_and_without_any_value() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _DEFECT], capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False
    )

    assert done.returncode == ExitCode.DEFECT
    assert "KeyError" in done.stderr
    assert "agent/cli/__init__.py:" in done.stderr
    assert "AB 12" not in done.stdout + done.stderr
