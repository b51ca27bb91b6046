"""What tests of the command line share: the command runs in their process, and nothing is made that can be copied."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.here import command_here, make_once
from tests.conftest import Command, command_in


@pytest.fixture
def retentiond(tmp_path: Path) -> Command:
    """Runs the command as the fixture of this name does elsewhere, but in this process."""
    return command_here(tmp_path)


@pytest.fixture
def retentiond_apart(tmp_path: Path) -> Command:
    """Runs the command in a process of its own, in the same place as `retentiond`: for what is about the process."""
    return command_in(tmp_path)


@pytest.fixture(autouse=True)
def _made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    make_once(monkeypatch)
