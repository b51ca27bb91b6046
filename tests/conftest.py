"""What every test may rely on."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

ROOT = Path(__file__).parents[1]

pytest.register_assert_rewrite(
    "connectors.testing",
    "connectors.testing_continuing",
    "agent.testing",
    "agent.catalogue.testing",
    "agent.detection.testing",
)

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--golden-update", action="store_true", help="write what is expected anew from what the code says now"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes is left to `make test-long`."""
    if "RETENTIOND_TEST_LONG" in os.environ:
        return
    for item in items:
        if item.get_closest_marker("long") is not None:
            item.add_marker(pytest.mark.skip(reason="takes minutes; make test-long, or RETENTIOND_TEST_LONG"))


@pytest.fixture
def golden_update(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written instead of compared."""
    return bool(request.config.getoption("--golden-update"))


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Any attempt to leave the machine is a failure; sockets of the machine itself are not, nor, where a test is marked
    with `loopback`, its own addresses."""
    connect = socket.socket.connect
    loopback = request.node.get_closest_marker("loopback") is not None

    def refuse(self: socket.socket, address: object) -> None:
        here = isinstance(address, tuple) and address[0] in ("127.0.0.1", "::1")
        if self.family != socket.AF_UNIX and not (loopback and here):
            pytest.fail(f"the code under test tried to reach {address!r}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(autouse=True)
def _log_as_at_first() -> Iterator[None]:
    """A command that was run in this process has sent the log where nobody listens any more."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.fixture
def retentiond(tmp_path: Path) -> Command:
    """Runs the command as a user would, with a home of its own; gives what it printed and its exit code."""
    return command_in(tmp_path)


def command_in(folder: Path) -> Command:
    """The command of a user whose home and state directory lie in that folder."""

    def run(*arguments: str | os.PathLike[str], **options: object) -> subprocess.CompletedProcess[str]:
        home = folder / "home"
        home.mkdir(exist_ok=True)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "COLUMNS": "200",
            "RETENTIOND_STATE": str(folder / "state"),
            "RETENTIOND_CONFIG": str(options.pop("config", "")),
        }
        if not environment["RETENTIOND_CONFIG"]:
            del environment["RETENTIOND_CONFIG"]
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            [sys.executable, "-m", "agent", *map(os.fspath, arguments)],
            capture_output=True,
            text=True,
            errors="surrogateescape",
            env=environment,
            cwd=ROOT,
            timeout=100,
            **options,
        )

    return run
