"""Scanning a tenant that throttles, drops connections and runs out of budget: it takes longer, and nothing else.

Where the clock is the emulator's, nobody really waits, and one request is under way at a time: so that every request
which comes too early is seen by the emulator.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from agent.catalogue.base import PassResult
from agent.errors import SourceUnavailable
from agent.settings import TenantSettings
from agent.tenancy import Reach, reach
from connectors.microsoft365 import gate
from tests.acceptance.killable_tenant_scan import (
    SIGNED_IN_BY,
    Changed,
    Waits,
    assert_recorded,
    budget,
    fetched,
    recorded,
    scan_tenant,
    settings_of,
    small_pages,
    start_scan,
)
from tests.emulator import Emulator, Fault
from tests.emulator.calls import Call
from tests.emulator.drive_items import Drive
from tests.emulator.throttle import Limits

pytestmark = [pytest.mark.slow, pytest.mark.loopback, pytest.mark.timeout(300)]

_PLENTY = 1_000_000  # units per minute
REFUSED_AFTER = (10, 50, 90) if "RETENTIOND_TEST_LONG" in os.environ else (10, 50)  # requests for items
_REFUSED: dict[str, Any] = {"status": 429, "code": "activityLimitReached", "message": "The request has been throttled"}
_AWAY: dict[str, Any] = {"status": 503, "code": "serviceNotAvailable", "message": "The service is not available"}


class Storm:
    """A tenant with one drive, in some weather, and scans of it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, graph: Emulator, items: int) -> None:
        self.graph = graph
        self.drive: Drive = graph.tenant.add_site("HR", path="/sites/hr").add_library("Documents")
        self.drive.fill(items)
        self.tenant: TenantSettings = settings_of(graph, folder)
        self.state = folder / "state"
        self.state.mkdir()
        self._monkeypatch = monkeypatch
        self._sleep: Callable[[float], None] = time.sleep
        self.change(small_pages())

    def change(self, changed: Changed) -> None:
        """Puts these in their places until the end of the test."""
        for place, name, value in changed:
            self._monkeypatch.setattr(place, name, value)

    def by_its_clock(self) -> None:
        """From now on gate and waits go by the emulator's clock, and one request is under way at a time."""
        clock = self.graph.clock
        self._sleep = clock.advance
        timed = partial(gate.TenantGate, now=clock.time, wall_clock=clock.now)
        self.change(((gate, "TenantGate", timed), (reach, "_SHAREPOINT_AT_ONCE", 1)))

    def rages(self, *faults: Fault, probability: float) -> None:
        """From now on these go wrong, each of them now and then, wherever content and descriptions come from."""
        for fault in faults:
            for host in ("graph", "downloads"):
                self.graph.faults.add(replace(fault, host=host, times=None, probability=probability))

    def scan(self) -> tuple[PassResult, Waits]:
        """A pass, which has to be whole."""
        (result,), waits = scan_tenant(self.tenant, self.state, sleep=self._sleep)
        assert (result.complete, result.reconciles, dict(result.failed)) == (True, True, {})
        return result, waits

    @property
    def calls(self) -> list[Call]:
        """What was asked of Graph and of where contents lie."""
        return [call for call in self.graph.log if call.host in ("graph", "downloads")]

    def most_units(self, seconds: float) -> int:
        """The most units in any period of so many seconds, by the emulator's clock."""
        calls = self.calls
        return max(
            sum(call.cost for call in calls[first:] if call.at < begins.at + seconds)
            for first, begins in enumerate(calls)
        )

    def refusals(self) -> list[Call]:
        """What was answered with a request to wait."""
        return [call for call in self.calls if call.status in (429, 503)]


@pytest.fixture
def storm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Storm]]:
    """Makes the tenant, with so many items and the emulator's limits."""
    made: list[Storm] = []

    def make(items: int = 40, **limits: Any) -> Storm:
        graph = running.enter_context(Emulator(check_every=5, seed=5, limits=Limits(**limits)))
        made.append(Storm(tmp_path, monkeypatch, graph, items))
        return made[-1]

    with ExitStack() as running:
        yield make
    for one in made:
        assert one.graph.leaks == []
        assert one.graph.early_calls == []


_STORMS = {
    "seconds": [Fault(**_REFUSED, retry_after="20")],
    "a date": [Fault(**_REFUSED, retry_after_date=20.0)],
    "nothing": [Fault(**_REFUSED)],
    "503 and seconds": [Fault(**_AWAY, retry_after="20")],
    "503 and nothing": [Fault(**_AWAY)],
    "all sorts": [
        Fault(**_REFUSED, retry_after="20"),
        Fault(**_REFUSED, retry_after_date=20.0),
        Fault(**_REFUSED),
        Fault(**_AWAY, retry_after="20"),
        Fault(reset="before"),
        Fault(reset="after"),
        Fault(cut_at=30),
    ],
}


@pytest.mark.long
@pytest.mark.parametrize(
    ("weather", "ahead_hours"),
    [*((weather, 0) for weather in _STORMS), ("a date", 1), ("a date", -1), ("all sorts", 1), ("all sorts", -1)],
)
def test_a_storm_makes_a_scan_wait_and_nothing_else(
    storm: Callable[..., Storm], weather: str, ahead_hours: int
) -> None:
    tenant = storm()
    tenant.graph.clock.advance(ahead_hours * 3600.0)
    tenant.by_its_clock()
    tenant.change(budget(_PLENTY))
    faults = _STORMS[weather]
    tenant.rages(*faults, probability=0.1 if len(faults) == 1 else 0.03)
    began = tenant.graph.clock.time()
    _, (times, seconds) = tenant.scan()

    refusals = tenant.refusals()
    assert len(refusals) > 3, "there was no storm"
    assert times == len(refusals)
    assert seconds >= 2 * len(refusals), "the waits were not counted"
    took = tenant.graph.clock.time() - began
    assert took < 60 + 130 * len(refusals), "it waited for longer than anybody has asked"
    assert_recorded(tenant.state, tenant.drive)
    contents = fetched(call for call in tenant.calls if call.status == 200)
    assert len(contents) == 40
    if len(faults) == 1:
        assert contents.total() == 40, "what had been fetched was fetched again"


@pytest.mark.long
@pytest.mark.parametrize("weather", [Fault(**_REFUSED), Fault(**_AWAY)], ids=["429", "503"])
def test_where_nobody_says_how_long_each_refusal_in_a_row_makes_it_wait_longer(
    storm: Callable[..., Storm], weather: Fault
) -> None:
    tenant = storm()
    tenant.by_its_clock()
    tenant.change(budget(_PLENTY))
    tenant.graph.faults.add(replace(weather, path="/delta", times=3))
    tenant.scan()
    asked = [call.at for call in tenant.calls if call.path.endswith("/delta")][:4]
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert gaps[0] >= 2
    assert all(later >= 1.5 * earlier for earlier, later in pairwise(gaps)), gaps


def test_many_requests_at_once_all_wait_when_one_of_them_is_told_to(storm: Callable[..., Storm]) -> None:
    # What was on its way when the gate closed may take so long to arrive here.
    tenant = storm(max(REFUSED_AFTER) + 30, grace_seconds=2.5)
    tenant.change(budget(_PLENTY))
    for skip in REFUSED_AFTER:
        tenant.graph.faults.add(Fault(**_REFUSED, path="/items/", skip=skip, retry_after="4"))
    _, (times, seconds) = tenant.scan()
    assert times == len(tenant.refusals()) >= len(REFUSED_AFTER)
    assert seconds >= 4 * len(REFUSED_AFTER)
    assert_recorded(tenant.state, tenant.drive)
    assert set(fetched(tenant.calls).values()) == {1}


@pytest.mark.long
def test_our_share_is_never_exceeded_and_so_nobody_refuses_us(storm: Callable[..., Storm]) -> None:
    tenant = storm(60, units_per_minute=120)
    tenant.by_its_clock()
    tenant.change(budget(120))
    began = tenant.graph.clock.time()
    _, (times, seconds) = tenant.scan()
    assert (times, tenant.refusals()) == (0, [])
    assert tenant.most_units(60.0) <= 120
    assert seconds > 0
    assert tenant.graph.clock.time() - began > 60
    assert_recorded(tenant.state, tenant.drive)


@pytest.mark.long
def test_a_tenant_that_gives_less_than_we_thought_is_asked_for_less(storm: Callable[..., Storm]) -> None:
    tenant = storm(60, units_per_minute=50)
    tenant.by_its_clock()
    tenant.change(budget(2_000))
    began = tenant.graph.clock.time()
    _, (times, seconds) = tenant.scan()
    minutes = (tenant.graph.clock.time() - began) / 60
    assert minutes > 2, "two units for each item do not fit into less"
    assert times == len(tenant.refusals()) == 0, "its headers tell that the end is near"
    assert seconds > 60
    assert_recorded(tenant.state, tenant.drive)


def test_a_day_s_budget_that_is_used_up_ends_the_day_and_the_next_one_goes_on(storm: Callable[..., Storm]) -> None:
    items = 120
    tenant = storm(items, units_per_day=100)
    page_items, batch_results, per_day = 5, 10, 100
    clock = tenant.graph.clock
    clock.advance((12 - clock.now().hour) % 24 * 3600.0)  # so that no midnight comes while we scan
    tenant.by_its_clock()
    tenant.change((*small_pages(page_items, batch_results), *budget(_PLENTY, per_day)))
    days = 0
    while True:
        began, known = len(tenant.graph.log), _count(tenant)
        try:
            tenant.scan()
            ended = True
        except SourceUnavailable:
            ended = False
        days += 1
        spent = sum(call.cost for call in tenant.graph.log[began:])
        assert spent <= 0.95 * per_day, "the rest is for those who act"
        if ended:
            break
        assert spent > 0.9 * per_day, "it gave up before the day's budget was used up"
        assert _count(tenant) > known, "a day has brought nothing"
        with pytest.raises(SourceUnavailable):  # as long as it is the same day
            tenant.scan()
        assert sum(call.cost for call in tenant.graph.log[began:]) <= 0.95 * per_day
        clock.advance(24 * 3600.0)

    assert days >= 2
    assert tenant.refusals() == []
    assert_recorded(tenant.state, tenant.drive)
    again = fetched(tenant.calls).total() - items
    assert again <= (days - 1) * (batch_results - 1 + page_items), "more was fetched again than was under way"


def _count(tenant: Storm) -> int:
    return sum(map(len, recorded(tenant.state).values())) if (tenant.state / "catalogue.sqlite").exists() else 0


def test_those_who_act_hardly_wait_for_a_scan_in_another_process(storm: Callable[..., Storm], tmp_path: Path) -> None:
    per_minute = 600
    tenant = storm(400, grace_seconds=2.5)
    tenant.change(budget(per_minute))
    app = tenant.graph.tenant.add_app(roles={"Sites.ReadWrite.All"}, secret=SIGNED_IN_BY)
    writer = {"client_id": app.client_id, "secret_file": str(tmp_path / "secret")}
    both = TenantSettings.model_validate(
        tenant.tenant.model_dump(exclude_unset=True) | {"writer": writer, "quarantine_officers": ("o@contoso.example",)}
    )
    item = next(entry for entry in tenant.drive.items() if not entry.is_folder)
    scan = start_scan(tenant.tenant, tenant.state, per_minute)
    acting = Reach(both, "writer", tenant.state)
    try:
        until = time.monotonic() + 60
        while len(tenant.calls) < 100 and time.monotonic() < until:
            time.sleep(0.1)
        assert scan.is_alive()
        began, before = time.monotonic(), len(tenant.calls)
        for number in range(5):
            acting.graph().send(
                "PATCH", f"/drives/{tenant.drive.id}/items/{item.id}", {"name": f"{number}.txt"}, patience_seconds=20.0
            )
        seconds = time.monotonic() - began
        assert scan.is_alive(), "there was nobody to wait for"
        assert len(tenant.calls) > before, "the scan has come to a stop"
        assert seconds < 15, "those who act have waited for those who read"
    finally:
        scan.kill()
        scan.join(30)
        acting.close()
    assert acting.waits()[1] < 15
    assert tenant.most_units(60.0) <= per_minute
