"""Acts are recorded under the name of the user who logged in, or else of the one who runs the command."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from agent import bootstrap


def test_the_environment_cannot_make_us_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    before = bootstrap.who()
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "somebody-else")
    assert bootstrap.who() == before


def test_who_logged_in_counts_before_the_user_that_we_run_as(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "logged_in", lambda: 0)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert bootstrap.who() == pwd.getpwuid(0).pw_name


def test_without_a_login_the_user_that_we_run_as_counts_with_or_without_a_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bootstrap, "logged_in", lambda: None)
    assert bootstrap.who() == pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert bootstrap.who() == "uid 4000000000"


@pytest.mark.parametrize(("kept", "number"), [("1000\n", 1000), ("0", 0), ("4294967295\n", None), ("", None)])
def test_the_kernel_says_who_logged_in(tmp_path: Path, kept: str, number: int | None) -> None:
    (tmp_path / "loginuid").write_text(kept)
    assert bootstrap.logged_in(tmp_path / "loginuid") == number
    assert bootstrap.logged_in(tmp_path / "not there") is None
