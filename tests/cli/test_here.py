"""Commands that tests run in their own process answer as those in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agent.errors import ExitCode
from tests.cli.here import command_here
from tests.conftest import Command, command_in

_NO_NAME = os.fsdecode(b"n\xff \xe2\x82\xac")  # of bytes that are no text, and one letter that is


def _answer(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("command", "options", "code"),
    [
        (["scan"], {}, ExitCode.USAGE),
        (["scan", _NO_NAME], {}, ExitCode.SOURCE_UNAVAILABLE),
        (["status"], {}, ExitCode.CATALOGUE),
        (["check"], {"config": "none.yaml"}, ExitCode.CONFIGURATION),
        (["detect", "--jsonl"], {"input": '\n{"id": "Büro"}\n'}, ExitCode.USAGE),
        pytest.param(
            ["detect", "--jsonl"],
            {"input": '{"id": "\\ud83d", "text": "jane@example.org, Büro"}\n[1]\n'},
            ExitCode.USAGE,
            marks=pytest.mark.long,
        ),
        (["no-command"], {}, ExitCode.USAGE),
        (["hold", "--help"], {}, ExitCode.OK),
    ],
)
def test_a_command_here_answers_as_one_apart(
    retentiond: Command, retentiond_apart: Command, command: list[str], options: dict[str, str], code: ExitCode
) -> None:
    here, apart = retentiond(*command, **options), retentiond_apart(*command, **options)

    assert _answer(here) == _answer(apart)
    assert here.returncode == code


@pytest.mark.slow
def test_a_scan_here_finds_what_one_with_processes_of_its_own_finds(tmp_path: Path) -> None:
    """The share and its file have names that are no text."""
    share = tmp_path / os.fsdecode(b"caf\xe9 a\nb back\\slash [bold]markup " + "Büro".encode())
    share.mkdir()
    (share / _NO_NAME).write_text("NI number AB 12 34 56 C, jane.doe@example.org\n")
    (share / "empty.txt").touch()

    told = []
    for name, made in (("here", command_here), ("apart", command_in)):
        (tmp_path / name).mkdir()
        told.append(_facts(made(tmp_path / name), share, tmp_path / name))

    assert told[0] == told[1]
    assert told[0][0]["reconciles"]
    assert {finding["type"] for finding in told[0][1]["findings"]} == {"UK_NINO", "EMAIL_ADDRESS"}


def _facts(retentiond: Command, share: Path, place: Path) -> list[dict[str, Any]]:
    facts = []
    for command in (("scan", share, "--jobs", "1"), ("explain", share / _NO_NAME)):
        done = retentiond(*command, "--json")
        assert done.returncode == 0, done.stderr
        facts.append(json.loads(done.stdout.replace(str(place), "")))
    facts[0].pop("seconds")
    facts[1].pop("first_seen_at")
    return facts
