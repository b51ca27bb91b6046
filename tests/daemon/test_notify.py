"""What the service manager is told."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.daemon.notify import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(1)
        yield listening


def told(manager: socket.socket) -> str:
    return manager.recv(4096).decode()


def test_the_manager_hears_of_every_turn_in_its_own_words(manager: socket.socket) -> None:
    notifier = Notifier(manager.getsockname(), None)

    notifier.ready("scan: at rest")
    assert told(manager) == "READY=1\nSTATUS=scan: at rest"
    notifier.ping()
    assert told(manager) == "WATCHDOG=1"
    notifier.stopping("finishing")
    assert told(manager) == "STOPPING=1\nSTATUS=finishing"
    notifier.extend(1.5)
    assert told(manager) == "EXTEND_TIMEOUT_USEC=1500000"
    notifier.reloading()
    assert told(manager).startswith("RELOADING=1\nMONOTONIC_USEC=")


def test_an_abstract_address_is_found() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0retentiond-test-{os.getpid()}")
        listening.settimeout(1)
        Notifier(f"@retentiond-test-{os.getpid()}", None).ping()
        assert told(listening) == "WATCHDOG=1"


def test_without_a_manager_nobody_is_told(tmp_path: Path) -> None:
    Notifier("", None).ready("")
    Notifier(str(tmp_path / "gone"), None).ready("")


def test_the_variables_are_taken_out_so_that_no_child_speaks_for_us() -> None:
    environment = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid()), "A": "b"}

    notifier = Notifier.from_environment(environment)

    assert notifier.watchdog_seconds == 60
    assert environment == {"A": "b"}


def test_a_manager_that_hangs_does_not_make_us_hang(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.daemon.notify._PATIENCE_SECONDS", 0.001)
    notifier = Notifier(manager.getsockname(), None)

    for _ in range(1_000):  # more than a socket holds
        notifier.ping()


def test_a_watchdog_meant_for_another_process_is_not_ours() -> None:
    assert Notifier.from_environment({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}).watchdog_seconds is None
