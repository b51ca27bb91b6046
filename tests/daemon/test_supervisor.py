"""The supervisor: signals, readiness, and a watchdog that is only told of life where there is some."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog

from agent.daemon import loop, supervisor
from agent.daemon.base import Life
from agent.daemon.beats import Beats
from agent.daemon.notify import Notifier
from agent.daemon.supervisor import Supervisor
from agent.errors import CatalogueError, ConfigurationError, ExitCode
from agent.settings import Settings


class Manager:
    """What systemd would hear."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._lines: list[str] = []
        self._thread = threading.Thread(target=self._hear)
        self._thread.start()
        self.notifier = Notifier(str(path), watchdog_seconds=0.06)

    def _hear(self) -> None:
        while message := self._socket.recv(4096):
            self._lines += message.decode().splitlines()

    def heard(self) -> list[str]:
        """All lines since this was asked last."""
        time.sleep(0.05)  # what was sent a moment ago is still on its way
        lines, self._lines = self._lines, []
        return lines

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as way:
            way.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()


class Working:
    """Work whose turns are what the test says; afterwards it is at rest."""

    def __init__(self, *turns: Callable[[], float]) -> None:
        self._turns = list(turns)
        self.settings: list[Settings] = []

    @contextmanager
    def opened(self, settings: Settings) -> Iterator[Working]:
        self.settings.append(settings)
        yield self

    def turn(self) -> float:
        return self._turns.pop(0)() if self._turns else 0.02

    def reload(self, settings: Settings) -> None:
        self.settings.append(settings)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path / "notify")
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _quick_and_tidy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(supervisor, "_TURN_SECONDS", 0.02)
    monkeypatch.setattr(supervisor, "_STATUS_SECONDS", 0.0)
    monkeypatch.setattr(supervisor.faulthandler, "enable", lambda: None)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def supervise(
    working: Working, manager: Manager, load: Callable[[], Settings] = Settings
) -> tuple[ExitCode, list[str]]:
    """Serves until something stops it; gives the exit code and the events that were logged."""
    life = Life(Beats())
    with structlog.testing.capture_logs() as told:
        code = Supervisor(Settings(), {"scan": working.opened}, life, manager.notifier, load).run()
    return code, [entry["event"] for entry in told]


def after(seconds: float, number: int) -> Callable[[], float]:
    """A turn after which this process gets a signal."""

    def turn() -> float:
        threading.Timer(seconds, os.kill, (os.getpid(), number)).start()
        return 0.02

    return turn


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_is_ready_once_its_loops_are_and_ends_at_the_word(manager: Manager, number: int) -> None:
    code, events = supervise(Working(after(0.3, number)), manager)

    heard = manager.heard()
    assert code is ExitCode.OK
    assert events == ["service.began", "service.ready", "service.stopping", "service.ended"]
    assert heard.index("READY=1") < heard.index("STOPPING=1")
    assert heard.count("WATCHDOG=1") > 2
    assert "STATUS=scan: starting" in heard


def test_what_is_at_hand_is_finished_first(manager: Manager) -> None:
    finished: list[bool] = []

    def long() -> float:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.5)
        finished.append(True)
        return 0.0

    assert supervise(Working(long), manager)[0] is ExitCode.OK
    assert finished == [True]


def test_until_it_is_ready_it_asks_for_patience(manager: Manager) -> None:
    tries: list[int] = []

    class Late(Working):
        @contextmanager
        def opened(self, settings: Settings) -> Iterator[Working]:
            tries.append(1)
            if len(tries) == 1:
                time.sleep(0.3)
                raise CatalogueError("the disk is full")
            yield self

    code, events = supervise(Late(after(0.2, signal.SIGTERM)), manager)

    heard = manager.heard()
    assert code is ExitCode.OK
    assert events[:3] == ["service.began", "service.trouble", "service.ready"]
    assert "EXTEND_TIMEOUT_USEC=60000000" in heard[: heard.index("READY=1")]


def test_a_loop_that_hangs_gets_no_ping_and_is_named(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "QUIET_SECONDS", 0.3)
    pings: list[int] = []

    def hang() -> float:
        time.sleep(0.6)
        manager.heard()
        time.sleep(0.5)
        pings.append(manager.heard().count("WATCHDOG=1"))
        return 0.0

    _, events = supervise(Working(hang, after(0.2, signal.SIGTERM)), manager)

    assert pings == [0]
    assert "service.hangs" in events
    assert "WATCHDOG=1" in manager.heard(), "and when it lives again, so does the service"


def test_good_settings_are_taken_up_and_bad_ones_are_refused_loudly(manager: Manager) -> None:
    new = Settings(jobs=3)
    answers: list[Settings | ConfigurationError] = [ConfigurationError("line 3: no such key"), new]

    def load() -> Settings:
        answer = answers.pop(0)
        if isinstance(answer, ConfigurationError):
            raise answer
        return answer

    def pause() -> float:
        time.sleep(0.3)
        return 0.0

    working = Working(after(0.0, signal.SIGHUP), pause, after(0.0, signal.SIGHUP), pause, after(0.2, signal.SIGTERM))
    _, events = supervise(working, manager, load)

    assert [event for event in events if event.startswith("settings")] == ["settings.refused", "settings.taken_up"]
    assert working.settings == [Settings(), new]
    heard = manager.heard()
    assert heard.count("RELOADING=1") == 2
    assert heard.count("READY=1") == 3
    assert "STATUS=the new settings are refused; the old ones stay in force. See the journal" in heard


def test_a_loop_that_gives_up_ends_the_service_with_a_defect(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_SHORTEST_PAUSE", 0.001)

    def broken() -> float:
        raise ValueError

    code, events = supervise(Working(*[broken] * 9), manager)

    assert code is ExitCode.DEFECT
    assert events.count("service.defect") == 5
