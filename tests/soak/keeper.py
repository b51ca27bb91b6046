"""Keeps the service alive, and ends it by force: starts, reloads, stops, kills; and reads what it says."""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from collections import Counter

from tests.daemon.served import Served
from tests.soak.findings import Findings
from tests.soak.place import Place
from tests.soak.processes import below, ended, kill

_ORPHANS_SECONDS = 30.0
_START_SECONDS = 300.0
_BUSY = "another process"  # somebody's command holds what the job needs; it is tried again


class Keeper:
    """One service over one place, process after process."""

    def __init__(self, place: Place, findings: Findings, chance: random.Random) -> None:
        self._place = place
        self._findings = findings
        self._chance = chance
        self._served: Served | None = None
        self._read = 0
        self._killing: threading.Timer | None = None
        self._killed = False
        self.levels: Counter[str] = Counter()
        self.events: Counter[str] = Counter()

    @property
    def pid(self) -> int | None:
        """The main process, if one is alive."""
        served = self._served
        return served.process.pid if served is not None and served.process.poll() is None else None

    def ensure(self) -> None:
        """It serves when this returns: a process that was killed has a successor."""
        self._listen()
        if self.pid is not None:
            return
        self._bury()
        self.start()

    def _bury(self) -> None:
        """The process that was there last is over; that it is must have a reason."""
        if self._served is None:
            return
        code = self._served.process.wait()
        if not self._killed:
            self._findings.add("service", f"it ended by itself with {code}: {self._last_words()}")
        self._close()

    def start(self) -> None:
        self._served = Served(self._place.state, self._place.settings)
        self._killed = False
        self._read = 0
        try:
            self._served.wait_for("service.ready", _START_SECONDS)
        except AssertionError as error:
            self._findings.add("service", f"it does not come to be ready: {str(error)[-800:]}")
        self._findings.did("start the service")

    def reload(self, event: str) -> None:
        """SIGHUP, and its answer; unless it is killed meanwhile."""
        served = self._served
        if served is None or self.pid is None:
            return
        since = len(served.told)
        served.send(signal.SIGHUP)
        end = time.monotonic() + 60
        while not any(one["event"] == event for one in served.told[since:]):
            if served.process.poll() is not None:
                return
            if time.monotonic() > end:
                self._findings.add("service", f"SIGHUP was not answered with {event}")
                return
            time.sleep(0.05)

    def stop(self) -> None:
        """SIGTERM, as systemd sends it."""
        self.spare()
        if self._served is None or self.pid is None:
            return
        children = below(self._served.process.pid)
        began = time.monotonic()
        try:
            code = self._served.stop(seconds=180)
        except Exception as error:  # noqa: BLE001 — whatever it is, it did not end
            self._findings.add("service", f"it does not end on SIGTERM: {error}")
            self._kill_all()
            code = 0
        if code != 0:
            self._findings.add("service", f"on SIGTERM it ended with {code}: {self._last_words()}")
        if time.monotonic() - began > 60:
            self._findings.add("service", f"on SIGTERM it took {time.monotonic() - began:.0f} s to end")
        self._await_end_of(children)
        self._listen()
        self._close()
        self._findings.did("stop by SIGTERM")

    def kill_after(self, seconds: float) -> None:
        """SIGKILL, in the middle of whatever it does by then; of it alone, or of all that it has started too."""
        if self._killing is None:
            self._killing = threading.Timer(seconds, self._kill)
            self._killing.daemon = True
            self._killing.start()

    def spare(self) -> None:
        """No kill is on its way any more."""
        if self._killing is not None:
            self._killing.cancel()
            self._killing.join()
            self._killing = None

    def close(self) -> None:
        self.spare()
        if self._served is not None:
            self._kill_all()
            self._close()

    def _kill(self) -> None:
        served = self._served
        if served is None or self.pid is None:
            return
        self._killed = True
        children = below(served.process.pid)
        served.process.kill()
        if self._chance.random() < 0.5:
            for child in children:
                kill(child)
            self._findings.did("kill it and its children")
        else:
            self._findings.did("kill it alone")
        self._await_end_of(children)
        self._killing = None

    def _await_end_of(self, children: list[tuple[int, str]]) -> None:
        end = time.monotonic() + _ORPHANS_SECONDS
        while not all(ended(child) for child in children):
            if time.monotonic() > end:
                left = [child for child in children if not ended(child)]
                self._findings.add(
                    "orphans", f"{len(left)} processes of it live on {_ORPHANS_SECONDS:.0f} s after its end"
                )
                for child in left:
                    kill(child)
                return
            time.sleep(0.1)

    def _kill_all(self) -> None:
        if self._served is not None:
            children = below(self._served.process.pid)
            self._served.process.kill()
            for child in children:
                kill(child)

    def _close(self) -> None:
        if self._served is not None:
            self._served.__exit__(None, None, None)
            self._listen()
            for line in self._served.other_lines:
                if self._killed:  # by what its children say in dying nobody should judge it
                    self._findings.did("lines printed by a killed service")
                else:
                    self._findings.add("service printed", line.rstrip())
            self._served = None

    def _listen(self) -> None:
        served = self._served
        if served is None:
            return
        told = served.told
        while self._read < len(told):
            one = told[self._read]
            self._read += 1
            self.levels[str(one.get("level", "?"))] += 1
            self.events[one["event"]] += 1
            if one["event"] in ("service.defect", "service.hangs", "vault.damaged", "service.trouble", "uncaught"):
                self._findings.add(one["event"], json.dumps(one)[:1500])
            elif one["event"] == "job.ended" and one.get("result") == "failed":
                self._judge_failure(one)

    def _judge_failure(self, one: dict[str, object]) -> None:
        """The log says that a job failed, the catalogue why."""
        said = self._place.why_failed(str(one["job"]))
        if _BUSY in said:
            self._findings.did("job put off, since somebody's command was at it")
        else:
            self._findings.add("job failed", f"{one['job']}: {said}")

    def _last_words(self) -> str:
        return "" if self._served is None else str(self._served)[-800:]
