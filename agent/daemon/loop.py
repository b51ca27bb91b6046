"""A loop that works, waits, and works again; what goes wrong is told, and it goes on."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import structlog

from agent.daemon.base import Life, OpenWork, Work
from agent.errors import AgentError
from agent.settings import Settings

log = structlog.get_logger("retentiond.service")

QUIET_SECONDS = 120.0  # a loop that says nothing for so long hangs; work that takes longer says so in between
_SHORTEST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_MOST_DEFECTS = 5


class Loop:
    """Does one role's work in a thread of its own, until the word to stop."""

    def __init__(self, name: str, open_work: OpenWork, settings: Settings, life: Life) -> None:
        self._name = name
        self._open = open_work
        self._settings = settings
        self._life = life
        self._wake = threading.Event()
        life.wakes.append(self._wake)
        self._thread = threading.Thread(target=self._run, name=name)
        self._new: Settings | None = None
        self.ready = threading.Event()
        self.given_up = False

    def start(self) -> None:
        self._life.beats.beat(self._name, QUIET_SECONDS)
        self._thread.start()

    def reload(self, settings: Settings) -> None:
        """The settings come into force after what is being done."""
        self._new = settings
        self._wake.set()

    def join(self, seconds: float) -> bool:
        """Waits until the loop has ended, for so long at most, and tells whether it has."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        life, trouble, defects = self._life, 0, 0
        work: Work | None = None
        with ExitStack() as opened:
            while not life.stopping.is_set():
                life.beats.beat(self._name, QUIET_SECONDS)
                try:
                    self._take_up_settings(work)
                    if work is None:
                        work = opened.enter_context(self._open(self._settings))
                        self.ready.set()
                    pause = work.turn()
                    trouble = defects = 0
                except AgentError as error:
                    trouble += 1
                    pause = self._pause(trouble)
                    what = str(error)
                    log.error("service.trouble", what=what, again_in_seconds=pause)  # noqa: TRY400 — needs no traceback
                except Exception as defect:  # noqa: BLE001 — a service outlives what it did not foresee, and says so
                    defects += 1
                    life.errors[type(defect).__name__] += 1
                    pause = self._pause(defects)
                    log.critical("service.defect", role=self._name, error=defect, where=_where(defect))
                    if defects >= _MOST_DEFECTS:
                        self.given_up = True
                        life.stop()
                        break
                if pause > 0:
                    life.beats.beat(self._name, pause + QUIET_SECONDS)
                    self._wake.wait(pause)
                    self._wake.clear()
            life.beats.beat(self._name, QUIET_SECONDS)
        life.beats.end(self._name)

    def _take_up_settings(self, work: Work | None) -> None:
        new, self._new = self._new, None
        if new is not None:
            self._settings = new
            if work is not None:
                work.reload(new)

    @staticmethod
    def _pause(times: int) -> float:
        return min(_SHORTEST_PAUSE * 2.0 ** min(times, 10), _LONGEST_PAUSE)


def _where(defect: BaseException) -> str:
    """The places an error went through, innermost first, without its own words: they may quote a document."""
    import traceback

    frames = traceback.extract_tb(defect.__traceback__)
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
