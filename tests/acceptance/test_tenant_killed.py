"""A scan of a tenant that is killed at any moment goes on where it was, and loses nothing."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from agent.settings import TenantSettings
from tests.acceptance.killable_tenant_scan import (
    BATCH_RESULTS,
    PAGE_ITEMS,
    assert_recorded,
    fetched,
    recorded,
    settings_of,
    start_scan,
)
from tests.emulator import Emulator
from tests.emulator.calls import Call
from tests.emulator.drive_delta import cursor_of
from tests.emulator.drive_items import Drive
from tests.emulator.http import Request

pytestmark = [pytest.mark.slow, pytest.mark.loopback, pytest.mark.timeout(600)]

_ITEMS = 400
_KILLS = 8
_REQUESTS_PER_ITEM = 2  # what it is, and its content
_PLENTY = 100_000  # units per minute
_LONGEST_SECONDS = 200.0

# What is fetched and not recorded when a scan is killed: a batch takes up pages as long as it is not full, so it has at
# most one result less than a full one, and a page. Nothing of a later page is opened before that is stored.
_UNDER_WAY = BATCH_RESULTS - 1 + PAGE_ITEMS


class Office:
    """A tenant with two drives, and a scan that is killed now and then."""

    def __init__(self, graph: Emulator, folder: Path) -> None:
        self.graph = graph
        site = graph.tenant.add_site("HR", path="/sites/hr")
        self.drives = [site.add_library("Documents"), site.add_library("Contracts")]
        for number, drive in enumerate(self.drives):
            drive.fill(_ITEMS // 2, seed=number)
        self.tenant: TenantSettings = settings_of(graph, folder)
        self.seed = random.randrange(1_000_000)
        self.chance = random.Random(self.seed)
        self._folder = folder

    def state(self, name: str) -> Path:
        return self._folder / name

    def scan_to_the_end(self, state: Path) -> None:
        process = start_scan(self.tenant, state, _PLENTY)
        process.join(_LONGEST_SECONDS)
        assert process.exitcode == 0, f"exit code {process.exitcode}, seed {self.seed}"

    def scan_and_kill(self, state: Path, after_requests: int) -> bool:
        """Kills a scan shortly after it has asked so often; false if it had come to its end before."""
        reached = threading.Event()
        left = iter(range(after_requests))

        def count(_: Request) -> None:
            if next(left, None) is None:
                reached.set()

        self.graph.on_request(None, r"^/(drives|content)/", count, times=after_requests + 1)
        process = start_scan(self.tenant, state, _PLENTY)
        _wait_for(reached, process)
        time.sleep(self.chance.uniform(0, 0.05))
        process.kill()
        process.join(_LONGEST_SECONDS)
        assert process.exitcode in (0, -signal.SIGKILL), f"exit code {process.exitcode}, seed {self.seed}"
        return process.exitcode != 0


def _wait_for(reached: threading.Event, process: BaseProcess) -> None:
    until = time.monotonic() + _LONGEST_SECONDS
    while not reached.wait(0.01) and process.is_alive():
        assert time.monotonic() < until, "the scan does not get on"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Emulator(check_every=20) as graph:
        yield Office(graph, tmp_path)
        assert graph.leaks == []
        assert graph.early_calls == []


def _places(calls: list[Call], drive: Drive) -> list[int]:
    """From which places of its change feed a drive was read, in the order in which that was asked for."""
    tokens = [call.query.get("token") for call in calls if call.path == f"/drives/{drive.id}/root/delta"]
    return [cursor_of(drive, token).place if token else 0 for token in tokens]


def _killed_to_the_end(office: Office, state: Path, between: Callable[[], None] = lambda: None) -> list[list[Call]]:
    """Scans and kills until it was killed often enough, then lets it come to its end; gives what each has asked."""
    log = office.graph.log
    ends = [len(log)]
    most = _ITEMS * _REQUESTS_PER_ITEM // 3  # so that it is killed a few times before it can end
    while len(ends) <= _KILLS and office.scan_and_kill(state, office.chance.randrange(1, most)):
        ends.append(len(log))
        between()
    office.scan_to_the_end(state)
    return [log[begin:end] for begin, end in pairwise([*ends, len(log)])]


def _most_again(scans: list[list[Call]]) -> int:
    """The most contents that one scan has fetched after an earlier one had."""
    most, before = 0, set[str]()
    for scan in scans:
        contents = set(fetched(scan))
        most = max(most, len(contents & before))
        before |= contents
    return most


def test_a_scan_that_is_killed_again_and_again_records_everything_once(office: Office) -> None:
    log = office.graph.log
    office.scan_to_the_end(office.state("undisturbed"))
    pages = [_places(log, drive) for drive in office.drives]
    assert all(len(places) == _ITEMS // 2 // PAGE_ITEMS + 1 for places in pages), "the pages are not as small as meant"
    undisturbed = recorded(office.state("undisturbed"))
    kills = 0
    midway = 0

    for number in range(_KILLS):
        state = office.state(f"killed {number}")
        scans = _killed_to_the_end(office, state)
        times, calls = len(scans) - 1, [call for scan in scans for call in scan]
        said = f"chain {number} of seed {office.seed}, killed {times} times"

        assert recorded(state) == undisturbed, said
        assert_recorded(state, *office.drives)
        assert len(fetched(calls)) == _ITEMS, said
        again = _most_again(scans)
        assert again <= _UNDER_WAY, f"{again} contents were fetched again by one scan; {said}"
        for drive, places in zip(office.drives, pages, strict=True):
            asked = _places(calls, drive)
            order = [*places, len(drive.log)]  # the last one is where later changes would be
            assert sorted(set(asked) | {order[-1]}) == order, f"a page of the change feed was skipped; {said}"
            ahead = [(at, later) for at, later in pairwise(asked) if order.index(later) > order.index(at) + 1]
            assert not ahead, f"a page of the change feed was left out at first; {said}"
        kills += times
        midway += times > 1
        if kills >= _KILLS:
            break

    assert kills >= _KILLS, f"too few scans were killed before they had ended (seed {office.seed})"
    assert midway, f"no scan went on behind a cursor (seed {office.seed})"


@pytest.mark.long
def test_what_people_do_between_the_kills_is_recorded_in_the_end(office: Office) -> None:
    chance, state = office.chance, office.state("killed")

    def work() -> None:
        drive = chance.choice(office.drives)
        ids = [entry.id for entry in drive.items() if not entry.is_folder]
        folders = [entry.id for entry in drive.items() if entry.is_folder]
        edited, moved, removed = chance.sample(ids, 3)
        number = chance.randrange(10**9)
        drive.put(drive.path_of(edited) or "", b"edited %d" % number)
        drive.move(moved, f"Moved {number}/document.txt")
        drive.remove(removed)
        drive.put(f"New {number}/document.txt", b"new %d" % number)
        drive.rename(chance.choice(folders), f"Renamed {number}")

    kills = len(_killed_to_the_end(office, state, work)) - 1
    assert kills >= 2, f"seed {office.seed}"
    assert_recorded(state, *office.drives)
    began = len(office.graph.log)
    office.scan_to_the_end(state)
    assert fetched(office.graph.log[began:]) == Counter(), f"seed {office.seed}"
    assert_recorded(state, *office.drives)
