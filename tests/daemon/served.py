"""The service as a process of its own, as systemd would start it, and what it tells."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[2]


class Served:
    """`retentiond run`, started; its log as it comes, and what it tells the service manager."""

    def __init__(self, state: Path, config: Path | None, *arguments: str, watchdog_seconds: float = 30.0) -> None:
        self._manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._manager.bind(f"\0retentiond-served-{os.getpid()}-{time.monotonic_ns()}")
        address = "@" + self._manager.getsockname()[1:].decode()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(state.parent),
            "LANG": "C.UTF-8",
            "NOTIFY_SOCKET": address,
            "WATCHDOG_USEC": str(int(watchdog_seconds * 1_000_000)),
        }
        options = [f"--state={state}", *([f"--config={config}"] if config else []), *arguments]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agent", "run", *options],
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=ROOT,
        )
        self.told: list[dict[str, Any]] = []
        self.other_lines: list[str] = []
        self.notified: list[str] = []
        self._threads = [threading.Thread(target=self._read), threading.Thread(target=self._hear, daemon=True)]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                self.told.append(json.loads(line))
            except ValueError:
                self.other_lines.append(line)

    def _hear(self) -> None:
        while message := self._manager.recv(4096):
            self.notified.extend(message.decode().splitlines())

    def wait_for(self, event: str, seconds: float = 60, since: int = 0, **fields: object) -> dict[str, Any]:
        """The first entry of that kind with those fields, from the `since`th on."""

        def found() -> dict[str, Any] | None:
            for entry in self.told[since:]:
                if entry["event"] == event and fields.items() <= entry.items():
                    return entry
            return None

        wait_until(found, seconds, lambda: f"no {event} {fields}; instead:\n{self}")
        entry = found()
        assert entry is not None
        return entry

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM, seconds: float = 60) -> int:
        """Ends it, and gives its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(seconds)
        self._threads[0].join()
        return code

    def __str__(self) -> str:
        return "\n".join([*(entry["message"] for entry in self.told), *self.other_lines])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._threads[0].join()


def wait_until(true: Callable[[], Any], seconds: float, told: Callable[[], str] = lambda: "it has not come") -> None:
    """Waits until something holds; fails with what `told` says."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, told()
        time.sleep(0.05)
