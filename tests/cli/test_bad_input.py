"""A user's mistake gets one plain message that says what, where and what to do, and a documented exit code."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import ExitCode
from tests.cli import here
from tests.conftest import ROOT

Command = Callable[..., "subprocess.CompletedProcess[str]"]

_SCHEDULE = """\
id: mine
title: Ours
version: "1"
organisation: Example Ltd
time_zone: Europe/London
classes:
  - id: letters
    title: Letters
    mandate: Our own decision
    scope_notes: All letters.
    applies_when:
      path: "letters/**"
    trigger: modified
    period: P2Y
    outcome: review
"""


def _refused(done: subprocess.CompletedProcess[str], code: ExitCode, *words: str) -> None:
    assert done.returncode == code, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("retentiond: ")
    for word in words:
        assert word in done.stderr


@pytest.fixture
def share(tmp_path: Path) -> Path:
    folder = tmp_path / "share"
    folder.mkdir()
    (folder / "note.txt").write_text("nothing to see\n")
    return folder


def test_a_missing_folder_is_named(retentiond: Command, tmp_path: Path) -> None:
    _refused(retentiond("scan", tmp_path / "nowhere"), ExitCode.SOURCE_UNAVAILABLE, "nowhere")


def test_a_file_in_place_of_a_folder_is_named(retentiond: Command, share: Path) -> None:
    _refused(retentiond("scan", share / "note.txt"), ExitCode.SOURCE_UNAVAILABLE, "note.txt")


def test_no_folder_at_all_is_told_with_an_example(retentiond: Command) -> None:
    _refused(retentiond("scan"), ExitCode.USAGE, "retentiond scan ~/Documents")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("job: 3\n", ("settings.yaml:1: job:", "Did you mean `jobs`?")),
        ("shares: []\njobs: many\n", ("settings.yaml:2: jobs: must be a whole number",)),
        ("jobs: -1\n", ("settings.yaml:1: jobs: must be at least 0",)),
        ("shares:\n  - name: a\n", ("settings.yaml:2: shares.0.path: is missing",)),
        (
            "shares:\n  - {name: a, path: /x}\n  - {name: a, path: /y}\n",
            ("settings.yaml:3", "two shares are named 'a'"),
        ),
        ("access_times: sometimes\n", ("settings.yaml:1: access_times: must be one of", "keep")),
        ("extraction:\n  wall_second: 3\n", ("settings.yaml:2: extraction.wall_second:", "`wall_seconds`")),
        ("jobs: [1\n", ("settings.yaml:", "not valid YAML")),
        ("- a\n", ("settings.yaml:1", "key: value")),
        ("detection:\n  model: /no/such/model\nshares: []\n", ("/no/such/model",)),
    ],
)
def test_a_mistake_in_the_settings_is_told_with_line_and_field(
    retentiond: Command, tmp_path: Path, share: Path, settings: str, words: tuple[str, ...]
) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(settings)

    _refused(retentiond("scan", share, "--config", file), ExitCode.CONFIGURATION, *words)


def test_settings_that_are_missing_are_named(retentiond: Command, tmp_path: Path) -> None:
    _refused(retentiond("check", "--config", tmp_path / "none.yaml"), ExitCode.CONFIGURATION, "none.yaml")


def test_settings_that_are_not_text_are_told_so(retentiond: Command, tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_bytes(b"jobs: \xff\n")

    _refused(retentiond("check", "--config", file), ExitCode.CONFIGURATION, "settings.yaml", "UTF-8")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("title: Letters", "titel: Letters", (":8", "titel", "title")),
        ("scope_notes: All letters.", "scope_notes: [1]", (":10", "scope_notes")),
        ("period: P2Y", "period: P2X", (":14", "period", "P2X")),
        ("trigger: modified", "trigger: full_moon", (":13", "trigger", "full_moon")),
        ("outcome: review", "outcome: shred", (":15", "outcome", "shred")),
    ],
)
def test_a_mistake_in_the_schedule_is_told_with_line_and_field(
    retentiond: Command, tmp_path: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
    file = tmp_path / "schedule.yaml"
    assert old in _SCHEDULE
    file.write_text(_SCHEDULE.replace(old, new))

    _refused(retentiond("check", "--schedule", file), ExitCode.CONFIGURATION, "schedule.yaml", *words)


def test_a_class_named_twice_is_told_with_both_places(retentiond: Command, tmp_path: Path) -> None:
    file = tmp_path / "schedule.yaml"
    file.write_text(_SCHEDULE + _SCHEDULE.partition("classes:\n")[2])

    _refused(retentiond("check", "--schedule", file), ExitCode.CONFIGURATION, "letters", ":16")


def test_an_unknown_shipped_schedule_is_told_with_those_there_are(retentiond: Command) -> None:
    _refused(retentiond("check", "--schedule", "uk-defualt"), ExitCode.CONFIGURATION, "uk-default")


def test_the_sound_schedule_passes(retentiond: Command, tmp_path: Path) -> None:
    """The control: without the planted mistakes the same file is accepted."""
    file = tmp_path / "schedule.yaml"
    file.write_text(_SCHEDULE)

    done = retentiond("check", "--schedule", file)

    assert done.returncode == 0, done.stderr
    assert "1 classes" in done.stdout or "1 class" in done.stdout


def test_a_corrupt_catalogue_is_told_so(retentiond: Command, tmp_path: Path, share: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "catalogue.sqlite").write_bytes(b"this is no database" * 1000)

    _refused(retentiond("scan", share), ExitCode.CATALOGUE, "catalogue.sqlite")
    assert (state / "catalogue.sqlite").read_bytes().startswith(b"this is no database")


def test_a_catalogue_of_a_newer_version_is_left_alone(retentiond: Command, tmp_path: Path, share: Path) -> None:
    assert retentiond("scan", share).returncode == 0
    with sqlite3.connect(tmp_path / "state" / "catalogue.sqlite") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()

    _refused(retentiond("status"), ExitCode.CATALOGUE, "newer")


def test_no_catalogue_yet_is_told_with_what_to_do(retentiond: Command) -> None:
    for command in ("status", "report"):
        _refused(retentiond(command), ExitCode.CATALOGUE, "catalogue.sqlite")


def test_a_day_that_is_none_is_told_how_to_write_it(retentiond: Command, share: Path) -> None:
    _refused(retentiond("explain", share / "note.txt", "--at", "31/03/2026"), ExitCode.USAGE, "YYYY-MM-DD")


def test_a_file_no_scan_has_seen_is_told_so(retentiond: Command, tmp_path: Path, share: Path) -> None:
    retentiond("scan", share)

    _refused(retentiond("explain", share / "other.txt"), ExitCode.USAGE, "other.txt", "no scan has seen")
    _refused(retentiond("explain", tmp_path / "elsewhere.txt"), ExitCode.USAGE, "elsewhere.txt", "retentiond scan")


@pytest.mark.parametrize("line", ["no json", "[1]", '{"id": 1}', '{"id": 1, "text": 5}', "[" * 100_000])
def test_a_line_that_is_no_request_is_told_with_its_number(retentiond: Command, line: str) -> None:
    done = retentiond("detect", "--jsonl", input='{"id": "a", "text": "x"}\n' + line + "\n")

    _refused(done, ExitCode.USAGE, "line 2")
    assert done.stdout.count("\n") == 1


def test_a_line_that_is_no_utf_8_is_told_with_its_number() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agent", "detect", "--jsonl"],
        input=b'\n{"id": 1, "text": "\xe9"}\n',
        capture_output=True,
        cwd=ROOT,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, b"")
    assert b"line 2" in done.stderr
    assert b"defect" not in done.stderr


def test_detect_without_files_says_what_it_needs(retentiond: Command) -> None:
    _refused(retentiond("detect"), ExitCode.USAGE, "--jsonl")


def test_detect_names_a_file_it_cannot_read(retentiond: Command, tmp_path: Path) -> None:
    _refused(retentiond("detect", tmp_path / "none.txt"), ExitCode.USAGE, "none.txt")


def test_nobody_waits_for_the_detector_to_be_told_that_there_is_no_document(
    retentiond: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(here, "kept_detector", lambda _: pytest.fail("the detector was loaded"))

    _refused(retentiond("detect", tmp_path / "none.txt"), ExitCode.USAGE, "none.txt")
    _refused(retentiond("detect", "--jsonl", input="[1]\n"), ExitCode.USAGE, "line 1")
    assert retentiond("detect", "--jsonl", input="").returncode == 0


def test_init_does_not_replace_what_is_there(retentiond: Command, tmp_path: Path) -> None:
    target = tmp_path / "etc" / "retentiond.yaml"

    assert retentiond("init", "--config", target).returncode == 0
    _refused(retentiond("init", "--config", target), ExitCode.USAGE, "--force")
    assert retentiond("init", "--config", target, "--force").returncode == 0


def test_what_init_writes_passes_check_and_scans(retentiond: Command, tmp_path: Path, share: Path) -> None:
    target = tmp_path / "etc" / "retentiond.yaml"
    retentiond("init", share, "--config", target)

    assert retentiond("check", "--config", target).returncode == 0
    done = retentiond("scan", "--config", target)

    assert done.returncode == 0, done.stderr
    assert "1 files seen" in done.stdout


def test_two_scans_of_one_state_directory_do_not_meet(retentiond: Command, tmp_path: Path, share: Path) -> None:
    import fcntl

    (tmp_path / "state").mkdir()
    with open(tmp_path / "state" / "scan.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _refused(retentiond("scan", share), ExitCode.USAGE, "another scan")


def test_a_key_that_others_may_read_is_refused(retentiond: Command, tmp_path: Path, share: Path) -> None:
    retentiond("scan", share)
    (tmp_path / "state" / "master.key").chmod(0o644)
    (share / "new.txt").write_text("new\n")

    _refused(retentiond("scan", share), ExitCode.CONFIGURATION, "master.key", "chmod 600")
