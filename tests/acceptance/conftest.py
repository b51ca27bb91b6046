"""What tests of the command as a user runs it share: reading documents in this process, and the command itself here."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import Result
from typer.testing import CliRunner

from agent import bootstrap
from agent.cli.app import app
from agent.execution.inline import InlineExecutor
from agent.keys import derive, master_key
from agent.settings import Settings
from tests.acceptance.killable_scan import Counting

if TYPE_CHECKING:
    from agent.detection.detector import LayeredDetector

Here = Callable[..., Result]


@pytest.fixture(scope="session")
def loaded() -> dict[str, LayeredDetector]:
    """The detectors that were loaded in this process, by what they are called."""
    return {}


@pytest.fixture
def reads_here(monkeypatch: pytest.MonkeyPatch, loaded: dict[str, LayeredDetector]) -> None:
    """Documents are analysed as ever, but in this process, whose detector is loaded once for all tests: every worker
    of a pool loads one of its own, for seconds. Scans in processes of their own show that those work."""
    load = bootstrap.detector_from

    def once(settings: Settings) -> LayeredDetector:
        name = bootstrap.detection_version(settings)
        if name not in loaded:
            loaded[name] = load(settings)
        return loaded[name]

    def pool(settings: Settings, state: Path, *_: object, **__: object) -> InlineExecutor:
        key = derive(master_key(state / "master.key"), "subject index")
        return InlineExecutor(bootstrap.build_analyst(settings, key))

    monkeypatch.setattr(bootstrap, "detector_from", once)
    monkeypatch.setattr(bootstrap, "worker_pool", pool)


@pytest.fixture
def counts_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of documents only the bytes are looked at, in this process: for tests of what goes on around that."""
    monkeypatch.setattr(bootstrap, "worker_pool", lambda *_, **__: InlineExecutor(Counting()))


@pytest.fixture
def here(tmp_path: Path) -> Here:
    """Runs the command in this process, as `retentiond` does in one of its own; raises what it does not handle."""

    def run(*arguments: str | os.PathLike[str]) -> Result:
        environment = {
            "HOME": str(tmp_path),
            "COLUMNS": "200",
            "RETENTIOND_STATE": str(tmp_path / "state"),
            "RETENTIOND_CONFIG": None,
        }
        done = CliRunner().invoke(app, [*map(os.fspath, arguments)], env=environment)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    return run
