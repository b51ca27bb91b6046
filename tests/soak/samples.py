"""Measures the service every few seconds, and says whether it grows."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean

from tests.soak.place import Place
from tests.soak.processes import below, cpu_seconds, descriptors, memory_bytes, threads

_SETTLED_SECONDS = 45.0  # of a process's life: until then it loads what it needs
_LEAST_SAMPLES = 18
_MORE_BYTES = 5 * 2**20
_MORE_DESCRIPTORS = 2


@dataclass(frozen=True, slots=True)
class Sample:
    """The service at one moment. Seconds are monotonic; sizes are bytes."""

    at: float
    pid: int
    rss: int
    pss: int
    cpu_seconds: float
    descriptors: int
    threads: int
    children: int
    children_rss: int
    children_pss: int
    children_cpu_seconds: float
    children_descriptors: int
    dirty: int


class Sampler:
    """Takes samples in a thread of its own."""

    def __init__(self, place: Place, pid: Callable[[], int | None], every_seconds: float = 3.0) -> None:
        self._place = place
        self._pid = pid
        self._every = every_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self.samples: list[Sample] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Safe to call twice, and before it was started."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._every):
            pid = self._pid()
            if pid is not None and (sample := self._sample(pid)).rss:
                self.samples.append(sample)

    def _sample(self, pid: int) -> Sample:
        children = [child for child, _ in below(pid)]
        sizes = [memory_bytes(child) for child in children]
        return Sample(
            time.monotonic(),
            pid,
            *memory_bytes(pid),
            cpu_seconds(pid),
            descriptors(pid),
            threads(pid),
            len(children),
            sum(rss for rss, _ in sizes),
            sum(pss for _, pss in sizes),
            sum(map(cpu_seconds, children)),
            sum(map(descriptors, children)),
            self._dirty(),
        )

    def _dirty(self) -> int:
        try:
            with self._place.catalogue() as connection:
                return int(connection.execute("SELECT COUNT(*) FROM dirty_folder").fetchone()[0])
        except sqlite3.Error:
            return 0


@dataclass(frozen=True, slots=True)
class Growth:
    """The second and the last third of the longest life of one main process, without its first seconds."""

    seconds: float
    rss_before: float
    rss_after: float
    descriptors_before: int
    descriptors_after: int

    @property
    def of_memory(self) -> bool:
        return self.rss_after > self.rss_before * 1.1 + _MORE_BYTES

    @property
    def of_descriptors(self) -> bool:
        return self.descriptors_after > self.descriptors_before + _MORE_DESCRIPTORS


def growth(samples: Sequence[Sample]) -> Growth | None:
    """None if no process has lived long enough to tell. Of descriptors the fewest count: documents that are being read
    are no leak."""
    lives = [list(of_one) for _, of_one in groupby(samples, key=lambda one: one.pid)]
    settled = [[one for one in life if one.at >= life[0].at + _SETTLED_SECONDS] for life in lives]
    life = max(settled, key=len, default=[])
    if len(life) < _LEAST_SAMPLES:
        return None
    third = len(life) // 3
    second, last = life[third : 2 * third], life[2 * third :]
    return Growth(
        life[-1].at - life[0].at,
        fmean(one.rss for one in second),
        fmean(one.rss for one in last),
        min(one.descriptors for one in second),
        min(one.descriptors for one in last),
    )
