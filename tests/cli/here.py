"""The command in the process of the tests, where its libraries, its options and the detector are loaded once for all.

It answers as a process of its own does (`test_here.py` compares them), but waits for nothing to be loaded.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog
import typer
from typer.main import get_command

from agent import bootstrap, cli
from agent.cli.app import app
from agent.execution.base import Work
from agent.execution.inline import InlineExecutor
from agent.settings import Settings
from tests.catalogue.empty import empty_at
from tests.conftest import ROOT, Command

if TYPE_CHECKING:
    from agent.catalogue.store import Catalogue
    from agent.detection.detector import LayeredDetector

_OF_THE_PROCESS = ("PATH", "OPENBLAS_NUM_THREADS")  # whatever else stands in the environment is the user's
_detector_from = bootstrap.detector_from
_open_catalogue = bootstrap.open_catalogue
_detectors: dict[str, LayeredDetector] = {}


def command_here(folder: Path) -> Command:
    """The command of a user whose home and state directory lie in that folder, as `tests.conftest.command_in`."""

    def run(
        *arguments: str | os.PathLike[str], input: str = "", config: str | os.PathLike[str] = ""
    ) -> subprocess.CompletedProcess[str]:
        (folder / "home").mkdir(exist_ok=True)
        words = ["retentiond", *(os.fspath(argument) for argument in arguments)]
        variables = {
            "HOME": str(folder / "home"),
            "LANG": "C.UTF-8",
            "COLUMNS": "200",
            "RETENTIOND_STATE": str(folder / "state"),
        }
        if config:
            variables["RETENTIOND_CONFIG"] = os.fspath(config)
        streams = [_stream(input.encode()), _stream(), _stream(errors="backslashreplace")]
        with _a_process_of_its_own(words, variables, streams), pytest.raises(SystemExit) as ended:
            cli.main()
        code = ended.value.code or 0
        assert isinstance(code, int)
        return subprocess.CompletedProcess(words, int(code), *map(_printed, streams[1:]))

    return run


@functools.cache
def built(commands: typer.Typer) -> Any:
    """Commands with all of their options. To build them takes longer than most commands do."""
    return get_command(commands)


def make_once(patch: pytest.MonkeyPatch) -> None:
    """What commands in this process make again and again, is made once for all: the options of a group of commands, an
    empty catalogue, the detector."""
    patch.setattr("typer.testing._get_command", built)
    patch.setattr(bootstrap, "open_catalogue", _catalogue_from_a_copy)
    patch.setattr(bootstrap, "detector_from", kept_detector)
    patch.setattr("agent.execution.pool.ProcessPool", _no_processes)


@contextlib.contextmanager
def _a_process_of_its_own(
    words: list[str], variables: dict[str, str], streams: list[io.TextIOWrapper]
) -> Iterator[None]:
    """What a process begins with is as given. It is put back, with all that a command changes in its process."""
    with pytest.MonkeyPatch.context() as patch, contextlib.chdir(ROOT):
        for name in os.environ.keys() - set(_OF_THE_PROCESS):
            patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", words)
        for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
            patch.setattr(sys, name, stream)
        patch.setattr("agent.cli.app.app", built(app))
        make_once(patch)
        structlog.reset_defaults()
        try:
            yield
        finally:
            structlog.reset_defaults()


def _catalogue_from_a_copy(state: Path, *, create: bool = False) -> Catalogue:
    """As `bootstrap.open_catalogue`, but one that is not there yet is not made by all migrations."""
    if create:
        empty_at(state / "catalogue.sqlite")
    return _open_catalogue(state, create=create)


def _stream(given: bytes = b"", errors: str = "surrogateescape") -> io.TextIOWrapper:
    """A standard stream as Python opens it where the locale is C.UTF-8."""
    return io.TextIOWrapper(io.BytesIO(given), encoding="utf-8", errors=errors)


def _printed(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode("utf-8", "surrogateescape")


def kept_detector(settings: Settings) -> LayeredDetector:
    """As `bootstrap.detector_from`. What a detector says of a document depends on nothing that it was asked before."""
    asked = settings.detection.model_dump_json()
    if asked not in _detectors:
        _detectors[asked] = _detector_from(settings)
    return _detectors[asked]


def _no_processes(build: Callable[[], Work], jobs: int, **_: object) -> InlineExecutor:
    """As `ProcessPool`, but the documents are analysed in this process."""
    return InlineExecutor(_BegunLater(build))


class _BegunLater:
    """Work that is built when the first document comes, as the processes of a pool are."""

    def __init__(self, build: Callable[[], Work]) -> None:
        self._build = build
        self._begun: Work | None = None

    def __call__(self, descriptor: int, name: bytes) -> Any:
        if self._begun is None:
            self._begun = self._build()
        return self._begun(descriptor, name)

    def close(self) -> None:
        if self._begun is not None:
            self._begun.close()
