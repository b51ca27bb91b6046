"""One soak, from an empty share to the last check."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.errors import ExitCode
from connectors.base import ItemRef
from tests.soak.book import Book
from tests.soak.census import Census
from tests.soak.colleagues import Colleagues
from tests.soak.command import Command
from tests.soak.findings import Findings
from tests.soak.keeper import Keeper
from tests.soak.officers import Officers
from tests.soak.place import ADMINISTRATOR, READER, SHARE, Place
from tests.soak.samples import Growth, Sample, Sampler, growth

_GOOD = frozenset({ExitCode.OK})
_CENSUS_EVERY_SECONDS = 180.0
_PAUSE_SECONDS = (0.0, 0.0, 0.1, 0.3, 1.0)
_SPOILT = ("shares: no list", "schedule: [", "disposition: {mode: perhaps}", "schedule: nowhere.yaml")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a soak. Without `kill_every_seconds` nothing is killed. Kills end after `kills_until` of the
    time, so that one process lives long enough to tell whether it grows."""

    seconds: float
    seed: int
    folder: Path
    kill_every_seconds: float = 0.0
    kills_until: float = 0.5
    files: int = 150
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it."""

    wanted: Wanted
    findings: Findings
    keeper: Keeper
    samples: list[Sample]
    growth: Growth | None
    steps: dict[str, int]


class Soak:
    """Everything that acts on one place, and what watches over it."""

    def __init__(self, wanted: Wanted, tell: Callable[[str], None] = lambda line: None) -> None:
        self._wanted = wanted
        self._tell = tell
        self._chance = random.Random(wanted.seed)
        self._findings = findings = Findings(tell)
        self._place = place = Place(wanted.folder, wanted.workers)
        self._book = book = Book(place, findings)
        self._command = Command(place, findings)
        self._keeper = Keeper(place, findings, random.Random(wanted.seed + 1))
        self._census = Census(place, book, self._keeper, findings)
        self._colleagues = Colleagues(place, book, findings, self._chance)
        self._officers = Officers(place, book, self._command, findings, self._chance)
        self._sampler = Sampler(place, lambda: self._keeper.pid)

    def run(self) -> Result:
        """Plays for as long as is wanted, and then as long as the last checks take."""
        try:
            self._colleagues.fill(self._wanted.files)
            self._keeper.ensure()
            self._command.run(ADMINISTRATOR, "vault", "init", expected=_GOOD)
            self._census.at_rest()
            self._tell(f"{len(self._book.files):,} files are known; people begin to act")
            self._sampler.start()
            self._play()
            self._tell("people are at rest; the last checks begin")
            self._count("at the end")  # measured too: what is still open at rest has been left open
            self._sampler.stop()
            self._end()
        except sqlite3.DatabaseError as error:
            self._findings.add("catalogue", f"it cannot be read any more: {error}")
        finally:
            self._sampler.stop()
            self._keeper.close()
        grown = growth(self._sampler.samples)
        if grown is not None and grown.of_memory:
            self._findings.add("memory grows", f"{grown.rss_before / 1e6:.1f} to {grown.rss_after / 1e6:.1f} MB")
        if grown is not None and grown.of_descriptors:
            self._findings.add(
                "descriptors grow",
                f"{grown.descriptors_before:.0f} to {grown.descriptors_after:.0f} in the main process",
            )
        return Result(self._wanted, self._findings, self._keeper, self._sampler.samples, grown, self._steps())

    # On the way

    def _play(self) -> None:
        began = time.monotonic()
        end = began + self._wanted.seconds
        kills_until = began + self._wanted.seconds * self._wanted.kills_until
        census_at, kill_at = began + _CENSUS_EVERY_SECONDS, self._next_kill()
        acts = {**self._colleagues.acts, **self._officers.acts, self._switch: 3, self._spoil: 1, self._restart: 1}
        while (now := time.monotonic()) < end:
            self._keeper.ensure()
            if kill_at <= now < kills_until:
                kill_at = self._next_kill()
                if self._chance.random() < 0.5:
                    self._officers.ask_for_disposition()  # so that it is met while it acts
                self._keeper.kill_after(self._chance.uniform(0.0, 5.0))
            if now >= census_at:
                self._count(f"after {now - began:.0f} s")
                census_at = time.monotonic() + _CENSUS_EVERY_SECONDS
                continue
            (act,) = self._chance.choices([*acts], [*acts.values()])
            if act != self._restart or now < kills_until:
                act()
            self._book.check()
            time.sleep(self._chance.choice(_PAUSE_SECONDS))

    def _next_kill(self) -> float:
        every = self._wanted.kill_every_seconds
        return time.monotonic() + (every * self._chance.uniform(0.5, 1.5) if every else float("inf"))

    def _count(self, when: str) -> None:
        """Nobody does anything until the service has come to rest; then everything must agree."""
        self._keeper.spare()
        if self._census.at_rest():
            self._book.check(at_rest=True)
            self._book.check_share()
            self._census.take(when)
        self._tell(f"{when}: {len(self._book.files):,} files, {sum(self._findings.kinds.values())} findings")

    def _switch(self) -> None:
        self._place.quarantine_days = 0 if self._place.quarantine_days else 30
        self._place.settle()
        self._keeper.reload("settings.taken_up")
        self._findings.did(f"let quarantine last {self._place.quarantine_days} days")

    def _spoil(self) -> None:
        self._keeper.spare()  # it could not start under these settings
        self._keeper.ensure()
        self._place.spoil(self._chance.choice(_SPOILT))
        self._keeper.reload("settings.refused")
        self._place.settle(self._chance.choice((0.3, 0.5, 1.0)))
        self._keeper.reload("settings.taken_up")
        self._findings.did("spoil the settings")

    def _restart(self) -> None:
        self._keeper.stop()
        self._keeper.ensure()

    # At the end

    def _end(self) -> None:
        self._keeper.stop()
        self._make_way()
        self._keeper.ensure()
        asked = self._command.run(ADMINISTRATOR, "jobs", "run", "reconcile", "--share", SHARE, expected=_GOOD)
        if not asked.good or not self._census.at_rest():
            return
        self._keeper.stop()
        recovered = self._command.run(ADMINISTRATOR, "dispose", "recover", "--json", expected=_GOOD)
        self._tell(f"recovered: {' '.join(recovered.said.split())}")
        if self._census.unsettled():
            self._findings.add("unsettled", f"{self._census.unsettled()} disposals are still under way")
        self._book.check(at_rest=True)
        self._book.check_share()
        self._census.take("after the last reconcile", gone_through=True)
        if left := self._place.in_hold():
            self._findings.add("left in the hold", f"{len(left)}: {left[:5]!r}")
        whole = self._command.run(READER, "fsck", "--paths", "--json", expected=_GOOD)
        if whole.good:
            self._findings.did("fsck: items accounted for", whole.facts()["items"])
        self._command.run(READER, "audit", "verify", expected=_GOOD)

    def _make_way(self) -> None:
        """What lies in the hold with something else in its place: a person puts that aside, and it can come back."""
        listed = self._command.run(READER, "dispose", "list", "--json", expected=_GOOD)
        for one in listed.facts().get("disposals", ()):
            path = ItemRef.parse(one["path"]).path
            if one["state"] == "conflict" and os.path.lexists(self._place.at(path)):
                to = path + b" (new)"
                os.rename(self._place.at(path), self._place.at(to))
                if path in self._book.files:
                    self._book.moved(path, to)
                self._findings.did("make way for what lay in the hold")

    def _steps(self) -> dict[str, int]:
        """How often disposals came to each state, by the catalogue."""
        with suppress(sqlite3.DatabaseError), self._place.catalogue() as connection:
            found = connection.execute("SELECT after, COUNT(*) FROM disposal_step GROUP BY after ORDER BY after")
            return dict(found.fetchall())
        return {}
