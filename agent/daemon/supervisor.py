"""Watches over the loops of this process, answers signals, and tells systemd how it goes."""

from __future__ import annotations

import faulthandler
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from types import FrameType

import structlog

from agent.daemon.base import Life, OpenWork
from agent.daemon.loop import Loop
from agent.daemon.notify import Notifier
from agent.errors import AgentError, ExitCode
from agent.settings import Settings

log = structlog.get_logger("retentiond.service")

_TURN_SECONDS = 1.0
_STATUS_SECONDS = 10.0
_STOP_SECONDS = 170.0  # TimeoutStopSec of the unit is 180
_EXTEND_SECONDS = 60.0


class Supervisor:
    """One process of the service: from its start to its end, in the main thread."""

    def __init__(
        self,
        settings: Settings,
        works: Mapping[str, OpenWork],
        life: Life,
        notifier: Notifier,
        load: Callable[[], Settings],
    ) -> None:
        """`works` opens what each loop does, by its name. `load` reads the settings again, and raises `AgentError`."""
        self._life = life
        self._notifier = notifier
        self._load = load
        self._loops = {name: Loop(name, open_work, settings, life) for name, open_work in works.items()}
        self._reload_wanted = threading.Event()
        self._was_silent: tuple[str, ...] = ()
        self._pinged_at = self._told_at = 0.0

    def run(self) -> ExitCode:
        """Serves until the word to stop. `DEFECT` if a loop has given up."""
        self._listen()
        log.info("service.began", pid=os.getpid(), loops=", ".join(self._loops))
        for loop in self._loops.values():
            loop.start()
        ready = False
        while not self._life.stopping.wait(_TURN_SECONDS):
            if not ready:
                ready = self._get_ready()
            if self._reload_wanted.is_set():
                self._reload_wanted.clear()
                self._reload()
            self._ping()
            self._tell()
        return self._end()

    def _listen(self) -> None:
        faulthandler.enable()  # the watchdog's SIGABRT shows where each thread stands: places, no values
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_reload)

    def _on_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._life.stop()

    def _on_reload(self, _signal: int, _frame: FrameType | None) -> None:
        self._reload_wanted.set()

    def _get_ready(self) -> bool:
        """Once every loop has settled what was left behind. Until then we ask for patience."""
        if not all(loop.ready.is_set() for loop in self._loops.values()):
            self._notifier.extend(_EXTEND_SECONDS)
            return False
        log.info("service.ready")
        self._notifier.ready(self._status())
        return True

    def _reload(self) -> None:
        self._notifier.reloading()
        try:
            settings = self._load()
        except AgentError as error:
            log.error("settings.refused", what=str(error))  # noqa: TRY400 — a user's mistake needs no traceback
            self._notifier.ready("the new settings are refused; the old ones stay in force. See the journal")
            self._told_at = time.monotonic() + 5 * _STATUS_SECONDS  # so that it can be read
            return
        for loop in self._loops.values():
            loop.reload(settings)
        log.info("settings.taken_up")
        self._notifier.ready(self._status())

    def _ping(self) -> None:
        """Tells the watchdog that we live, as long as every loop does."""
        silent = self._life.beats.silent()
        if silent != self._was_silent:
            self._was_silent = silent
            if silent:
                log.critical("service.hangs", loops=", ".join(silent))
        seconds = self._notifier.watchdog_seconds
        now = time.monotonic()
        if seconds is not None and not silent and now >= self._pinged_at + seconds / 3:
            self._pinged_at = now
            self._notifier.ping()

    def _tell(self) -> None:
        now = time.monotonic()
        if now >= self._told_at + _STATUS_SECONDS:
            self._told_at = now
            self._notifier.status(self._status())

    def _status(self) -> str:
        doing = self._life.doing
        return "; ".join(f"{name}: {doing.get(name, 'starting')}" for name in self._loops)

    def _end(self) -> ExitCode:
        self._notifier.stopping("finishing what is at hand")
        log.info("service.stopping")
        began = time.monotonic()
        waiting = list(self._loops.values())
        while waiting and time.monotonic() < began + _STOP_SECONDS:
            waiting = [loop for loop in waiting if not loop.join(_TURN_SECONDS)]
            self._ping()
        given_up = any(loop.given_up for loop in self._loops.values())
        log.info("service.ended", whole=not waiting)
        if waiting:
            # What is at hand takes too long. Every step is safe to be cut off at; the next start goes on from here.
            os._exit(ExitCode.OK)
        return ExitCode.DEFECT if given_up else ExitCode.OK
