"""What we tell systemd, by the protocol of sd_notify(3). Without systemd, nobody is told."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import MutableMapping

_PATIENCE_SECONDS = 1.0


class Notifier:
    """The way to the service manager that started us, if one did.

    `watchdog_seconds` is how long it waits for a ping before it takes us for hung; none if it does not.
    """

    def __init__(self, address: str, watchdog_seconds: float | None) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_seconds = watchdog_seconds

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str]) -> Notifier:
        """As the variables say, which are taken out so that no child takes itself for the service."""
        address = environment.pop("NOTIFY_SOCKET", "")
        microseconds = environment.pop("WATCHDOG_USEC", "")
        meant_for = environment.pop("WATCHDOG_PID", "")
        ours = microseconds.isdigit() and meant_for in ("", str(os.getpid()))
        return cls(address, int(microseconds) / 1_000_000 if ours else None)

    def ready(self, status: str) -> None:
        self._send(f"READY=1\nSTATUS={status}")

    def status(self, status: str) -> None:
        self._send(f"STATUS={status}")

    def reloading(self) -> None:
        """`ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, status: str) -> None:
        self._send(f"STOPPING=1\nSTATUS={status}")

    def ping(self) -> None:
        self._send("WATCHDOG=1")

    def extend(self, seconds: float) -> None:
        """Starting or stopping takes longer; we say so again before that time is over."""
        self._send(f"EXTEND_TIMEOUT_USEC={int(seconds * 1_000_000)}")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
        # A manager that does not listen is no reason to stop serving.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, kind) as way:
            way.settimeout(_PATIENCE_SECONDS)  # one that hangs must not make us hang
            way.sendto(message.encode(), self._address)
