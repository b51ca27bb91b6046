"""The gate keeps the tenant's budget, whoever asks, and nobody asks while all have been told to wait."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import Throttled
from connectors.microsoft365.gate import TenantGate, allowed_units
from connectors.microsoft365.gate_file import FileStanding
from connectors.microsoft365.standing import Budget, OwnStanding, Standing

MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
EXAMPLES = 60 if "RETENTIOND_TEST_LONG" in os.environ else 25


class Clock:
    """Goes on when somebody sleeps; tells the time of day as well."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.longest_sleep = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.longest_sleep = max(self.longest_sleep, seconds)
            self.now += seconds
        time.sleep(0)

    def wall(self) -> datetime:
        return MORNING + timedelta(seconds=self.now - 1000.0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def gate_of(
    clock: Clock, per_minute: float | None = None, per_day: float | None = None, **settings: object
) -> TenantGate:
    chance = settings.pop("chance", lambda: 0.0)
    return TenantGate(
        per_minute,
        per_day,
        now=clock,
        sleep=clock.sleep,
        wall_clock=clock.wall,
        chance=chance,
        **settings,  # type: ignore[arg-type]
    )


def passes(gate: TenantGate, clock: Clock, cost: float = 1, **settings: object) -> float:
    """When it was let through."""
    with gate.passing(cost, **settings):  # type: ignore[arg-type]
        return clock.now


def most_in_a_minute(passed: list[tuple[float, float]]) -> float:
    return max(sum(cost for at, cost in passed if begin <= at < begin + 60) for begin, _ in passed)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    per_minute=st.integers(10, 120),
    wishes=st.lists(st.tuples(st.sampled_from([1, 2, 5]), st.floats(0, 90)), min_size=30, max_size=150),
    refusals=st.sets(st.integers(0, 119), max_size=3),
    told=st.sets(st.integers(0, 119), max_size=5),
)
def test_no_60_seconds_see_more_units_than_allowed_and_nobody_passes_a_closed_gate(
    per_minute: int, wishes: list[tuple[int, float]], refusals: set[int], told: set[int]
) -> None:
    clock = Clock()
    gate = gate_of(clock, per_minute, patience_seconds=1e9)
    passed: list[tuple[float, float]] = []
    closed_until = 0.0
    for number, (cost, idle) in enumerate(wishes):
        clock.now += idle if number % 20 == 0 else 0.0
        with gate.passing(cost):
            assert clock.now >= closed_until, "passed while the gate was closed"
            passed.append((clock.now, cost))
            if number in refusals:
                gate.throttled(17.0)
                closed_until = clock.now + 17.0
            if number in told:
                gate.told(per_minute, per_minute * 0.05, 30.0)
    assert most_in_a_minute(passed) <= per_minute + 1e-6


def test_the_budget_is_used_and_not_only_kept(clock: Clock) -> None:
    gate = gate_of(clock, 600, patience_seconds=1e9)
    began = clock.now
    for _ in range(1200):
        passes(gate, clock)
    assert 110 <= clock.now - began <= 140, "1200 units at 600 per minute take about two minutes"


def test_who_starts_again_and_again_has_saved_up_nothing(clock: Clock) -> None:
    passed = []
    for _ in range(200):
        gate = gate_of(clock, 60, patience_seconds=1e9)
        passed.append((passes(gate, clock, 5), 5.0))
    assert most_in_a_minute(passed) <= 60


def test_all_wait_as_long_as_one_was_told_to(clock: Clock) -> None:
    gate = gate_of(clock)
    gate.throttled(30.0)
    assert gate.closed_for_seconds == 30.0
    assert passes(gate, clock) >= 1030.0
    assert passes(gate, clock, acting=True) >= 1030.0


def test_a_shorter_wait_does_not_open_the_gate_earlier(clock: Clock) -> None:
    gate = gate_of(clock)
    gate.throttled(300.0)
    gate.throttled(5.0)
    assert passes(gate, clock) >= 1300.0


def test_a_little_chance_is_added_so_that_hosts_do_not_come_back_together(clock: Clock) -> None:
    gate = gate_of(clock, chance=lambda: 1.0)
    gate.throttled(20.0)
    assert gate.closed_for_seconds == pytest.approx(22.0)
    gate = gate_of(clock, chance=lambda: 1.0)
    gate.throttled(600.0)
    assert gate.closed_for_seconds == pytest.approx(605.0)


def test_without_a_word_the_wait_doubles_from_2_to_120_seconds(clock: Clock) -> None:
    gate = gate_of(clock)
    waits = []
    for _ in range(9):
        gate.throttled(None)
        waits.append(gate.closed_for_seconds)
        passes(gate, clock)
    assert waits == [2, 4, 8, 16, 32, 64, 120, 120, 120]


def test_after_two_quiet_minutes_the_wait_is_short_again(clock: Clock) -> None:
    gate = gate_of(clock)
    for _ in range(5):
        gate.throttled(None)
        passes(gate, clock)
    clock.now += 121
    gate.throttled(None)
    assert gate.closed_for_seconds == 2.0


def test_a_source_that_says_0_seconds_again_and_again_does_not_get_us_into_a_tight_loop(clock: Clock) -> None:
    gate = gate_of(clock)
    began = clock.now
    for _ in range(10):
        gate.throttled(0.0)
        passes(gate, clock)
    assert clock.now - began > 300


def test_refusals_of_requests_that_were_under_way_together_count_as_one(clock: Clock) -> None:
    gate = gate_of(clock)
    for _ in range(4):
        gate.throttled(None)
    assert gate.closed_for_seconds == 2.0
    assert gate.at_once == 2
    assert gate.throttled_count == 4


def test_the_number_at_once_starts_at_4_halves_on_a_refusal_and_grows_by_one_in_30_clean_seconds(clock: Clock) -> None:
    gate = gate_of(clock, most_at_once=6)
    seen = [gate.at_once]
    for _ in range(4):
        clock.now += 30
        passes(gate, clock)
        seen.append(gate.at_once)
    gate.throttled(10.0)
    seen.append(gate.at_once)
    passes(gate, clock)  # the time for which the gate was closed is not clean
    seen.append(gate.at_once)
    clock.now += 29
    passes(gate, clock)
    seen.append(gate.at_once)
    clock.now += 2
    passes(gate, clock)
    seen.append(gate.at_once)
    for _ in range(3):
        gate.throttled(1.0)
        passes(gate, clock)
    seen.append(gate.at_once)
    assert seen == [4, 5, 6, 6, 6, 3, 3, 3, 4, 1]


def test_never_more_are_under_way_than_allowed() -> None:
    gate = TenantGate(None, most_at_once=4)
    under_way, most = 0, 0
    lock = threading.Lock()

    def ask() -> None:
        nonlocal under_way, most
        for _ in range(20):
            with gate.passing():
                with lock:
                    under_way += 1
                    most = max(most, under_way)
                time.sleep(0.0005)
                with lock:
                    under_way -= 1

    in_threads(ask, 16)
    assert most == 4


def in_threads(act: Callable[[], None], count: int, timeout: float = 30.0, names: Sequence[str] = ("",)) -> None:
    faults: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            faults.append(error)

    threads = [threading.Thread(target=run, name=names[n % len(names)], daemon=True) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout)
        assert not thread.is_alive(), "deadlock"
    assert not faults, faults


def test_many_threads_keep_the_budget_together_and_all_come_through(clock: Clock) -> None:
    gate = gate_of(clock, 120, patience_seconds=1e9)
    passed: list[tuple[float, float]] = []
    lock = threading.Lock()
    chance = random.Random(4)

    def ask() -> None:
        for _ in range(15):
            cost = chance.choice([1, 2, 5])
            with gate.passing(cost, acting=chance.random() < 0.2):
                with lock:
                    passed.append((clock.now, float(cost)))
                if chance.random() < 0.05:
                    gate.throttled(3.0)

    in_threads(ask, 12)
    assert len(passed) == 180
    assert most_in_a_minute(passed) <= 120 + 1e-6


def test_a_thread_that_is_under_way_passes_again_without_waiting_for_itself() -> None:
    gate = TenantGate(None, most_at_once=1)

    def ask() -> None:
        for _ in range(5):
            with gate.passing():
                time.sleep(0.002)  # so that others wait for the place that this thread has
                with gate.passing():
                    pass

    in_threads(ask, 6)


@pytest.mark.parametrize(("per_minute", "most_at_once"), [(None, 1), (120, 4)])
def test_no_scan_passes_while_an_act_waits(clock: Clock, per_minute: float | None, most_at_once: int) -> None:
    gate = gate_of(clock, per_minute, most_at_once=most_at_once, patience_seconds=1e9)
    enter = gate._enter
    passed: list[str] = []

    def watched() -> None:  # called with the gate's own lock held
        name = threading.current_thread().name
        assert name == "act" or not gate._acting, "a scan went before an act that was waiting"
        passed.append(name)
        enter()

    gate._enter = watched  # type: ignore[method-assign]

    def ask() -> None:
        acting = threading.current_thread().name == "act"
        for _ in range(12):
            with gate.passing(5 if acting else 1, acting=acting):
                time.sleep(0.001)

    in_threads(ask, 8, names=["act", "scan", "scan", "scan"])
    assert passed.count("act") == 24
    assert passed.count("scan") == 72


def test_who_came_first_goes_first(clock: Clock) -> None:
    gate = TenantGate(None, most_at_once=1)
    order: list[str] = []
    with gate.passing():
        threads = []
        for name in ("1", "2", "3", "4"):
            threads.append(threading.Thread(target=lambda: order.append(named(gate)), name=name, daemon=True))
            threads[-1].start()
            until(lambda: len(gate._scanning) == len(threads))
    for thread in threads:
        thread.join(10)
    assert order == ["1", "2", "3", "4"]


def named(gate: TenantGate) -> str:
    with gate.passing():
        time.sleep(0.005)
        return threading.current_thread().name


def until(happened: Callable[[], bool]) -> None:
    for _ in range(2000):
        if happened():
            return
        time.sleep(0.002)
    raise AssertionError("it never happened")


def test_an_act_that_comes_while_a_scan_waits_for_units_takes_them_first(clock: Clock) -> None:
    gate = gate_of(clock, 60, patience_seconds=1e9)
    order: list[str] = []
    sleep, acted = clock.sleep, False

    def sleep_and_act(seconds: float) -> None:
        nonlocal acted
        sleep(seconds)
        if not acted:
            acted = True
            in_threads(lambda: order.append("act") if passes(gate, clock, 5, acting=True) else None, 1)

    gate._sleep = sleep_and_act
    with gate.passing(5):
        order.append("scan")
    assert order == ["act", "scan"]


def test_a_wait_that_would_be_too_long_is_refused_at_once(clock: Clock) -> None:
    gate = gate_of(clock, patience_seconds=900.0)
    gate.throttled(901.0)
    with pytest.raises(Throttled) as refused:
        passes(gate, clock)
    assert refused.value.retry_after_seconds == pytest.approx(901.0)
    assert clock.now == 1000.0
    with pytest.raises(Throttled):
        passes(gate, clock, patience_seconds=10.0)
    assert passes(gate, clock, patience_seconds=1000.0) >= 1901.0


def test_waits_add_up_against_ones_patience(clock: Clock) -> None:
    gate = gate_of(clock)
    sleep = clock.sleep

    def sleep_and_be_refused(seconds: float) -> None:
        sleep(seconds)
        gate.throttled(60.0)

    gate._sleep = sleep_and_be_refused
    gate.throttled(60.0)
    with pytest.raises(Throttled):
        passes(gate, clock, patience_seconds=300.0)
    assert clock.now <= 1300.0


def test_who_gives_up_does_not_stand_in_the_way_of_others(clock: Clock) -> None:
    gate = gate_of(clock)
    gate.throttled(100.0)
    with pytest.raises(Throttled):
        passes(gate, clock, patience_seconds=1.0)

    class Stop(Exception):
        pass

    def stop(seconds: float) -> None:
        raise Stop

    gate._sleep = stop
    with pytest.raises(Stop):
        passes(gate, clock)
    gate._sleep = clock.sleep
    assert passes(gate, clock) >= 1100.0


def test_nobody_sleeps_for_more_than_a_second_in_one_piece(clock: Clock) -> None:
    gate = gate_of(clock)
    gate.throttled(500.0)
    passes(gate, clock)
    assert clock.longest_sleep <= 1.0
    assert gate.waited_seconds == pytest.approx(500.0)


def test_near_the_end_of_the_sources_own_budget_we_slow_down_in_proportion(clock: Clock) -> None:
    def seconds_for_60_units(remaining: float) -> float:
        gate = gate_of(clock, 600, patience_seconds=1e9)
        gate.told(1000, remaining, 3600)
        began = clock.now
        for _ in range(60):
            passes(gate, clock)
        return clock.now - began

    usual = seconds_for_60_units(900)
    assert seconds_for_60_units(200) == pytest.approx(usual, rel=0.05)
    assert seconds_for_60_units(100) == pytest.approx(2 * usual, rel=0.05)
    assert seconds_for_60_units(50) == pytest.approx(4 * usual, rel=0.05)
    assert seconds_for_60_units(1) == pytest.approx(20 * usual, rel=0.05)


def test_slowing_down_ends_when_the_source_counts_anew(clock: Clock) -> None:
    gate = gate_of(clock, 600, patience_seconds=1e9)
    gate.told(1000, 20, 30)
    clock.now += 30
    began = clock.now
    for _ in range(60):
        passes(gate, clock)
    assert clock.now - began <= 7


def test_a_budget_that_is_used_up_at_the_source_closes_the_gate_until_it_counts_anew(clock: Clock) -> None:
    gate = gate_of(clock)
    gate.told(1000, 0, 45)
    assert passes(gate, clock) >= 1045.0


@pytest.mark.parametrize("told", [(0, 5, 5), (-1, 5, 5), (100, 5, -3)])
def test_nonsense_about_the_sources_budget_is_no_news(clock: Clock, told: tuple[float, float, float]) -> None:
    gate = gate_of(clock)
    gate.told(*told)
    assert passes(gate, clock) == 1000.0


def test_the_days_budget_holds_and_begins_anew_at_midnight(clock: Clock) -> None:
    gate = gate_of(clock, per_day=100, used_today=90)
    assert gate.used_today == 90
    for _ in range(5):
        passes(gate, clock)
    with pytest.raises(Throttled) as refused:
        passes(gate, clock)
    assert refused.value.retry_after_seconds == pytest.approx(16 * 3600)
    clock.now += 16 * 3600
    passes(gate, clock)
    assert gate.used_today == 1


def test_what_is_used_without_a_limit_is_no_debt_when_there_is_one(clock: Clock, file: Path) -> None:
    unlimited = on_file(clock, file)
    for _ in range(500):
        passes(unlimited, clock)
    assert passes(on_file(clock, file, 60), clock) < 1010.0


def test_a_batch_that_costs_more_than_may_be_used_at_once_is_paid_back(clock: Clock) -> None:
    gate = gate_of(clock, 100, patience_seconds=1e9)
    passed = [(passes(gate, clock, cost), cost) for cost in (40.0, 40.0, 40.0, 1.0, 1.0)]
    assert passed[-1][0] - passed[0][0] >= 60 * (40 + 40 + 40 - 10) / 90


def test_scans_leave_a_twentieth_of_the_day_to_those_that_act(clock: Clock) -> None:
    gate = gate_of(clock, per_day=100, used_today=95)
    with pytest.raises(Throttled):
        passes(gate, clock)
    for _ in range(5):
        passes(gate, clock, acting=True)
    with pytest.raises(Throttled):
        passes(gate, clock, acting=True)


@pytest.mark.parametrize("budget", [{"per_minute": 9.0}, {"per_minute": float("nan")}, {"per_day": 0.0}])
def test_a_budget_with_which_nothing_could_be_asked_is_refused(budget: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="budget"):
        Budget(**budget)
    with pytest.raises(ValueError, match="most_at_once"):
        TenantGate(None, most_at_once=0)


@pytest.mark.parametrize(
    ("licences", "allowed"),
    [(1, (1_250, 1_200_000)), (1_000, (1_250, 1_200_000)), (1_001, (2_500, 2_400_000)), (50_001, (6_250, 6_000_000))],
)
def test_what_microsoft_allows_goes_by_licences(licences: int, allowed: tuple[int, int]) -> None:
    assert allowed_units(licences) == allowed


# One file for several processes


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "contoso.gate"


def on_file(clock: Clock, file: Path, per_minute: float | None = None, **settings: object) -> TenantGate:
    return gate_of(clock, per_minute, standings=FileStanding(str(file)), **settings)


def test_who_is_told_to_wait_in_one_process_closes_the_gate_of_the_other(clock: Clock, file: Path) -> None:
    scanning, acting = on_file(clock, file), on_file(clock, file)
    scanning.throttled(60.0)
    assert passes(acting, clock, acting=True) >= 1060.0


def test_two_processes_share_one_budget(clock: Clock, file: Path) -> None:
    gates = [on_file(clock, file, 60, patience_seconds=1e9) for _ in range(2)]
    passed = [(passes(gates[number % 2], clock, 2), 2.0) for number in range(100)]
    assert most_in_a_minute(passed) <= 60 + 1e-6
    assert gates[0].used_today == gates[1].used_today == 200


def test_a_gate_stays_closed_over_a_restart_and_the_day_is_remembered(clock: Clock, file: Path) -> None:
    gate = on_file(clock, file)
    passes(gate, clock)
    gate.throttled(60.0)
    gate = on_file(clock, file)
    assert gate.used_today == 1
    assert passes(gate, clock) >= 1060.0


def test_after_a_new_start_of_the_machine_what_was_asked_of_us_still_holds(clock: Clock, file: Path) -> None:
    gate = on_file(clock, file, 600)
    passes(gate, clock)
    gate.throttled(60.0)
    clock.now = 5.0
    assert passes(on_file(clock, file, 600, patience_seconds=100.0), clock) == pytest.approx(65.0, abs=1.0)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\0" * 512,
        b"g1 00000000 {}\n",
        b"g1 a3 not json",
        b'g1 2c8c4d5e {"counted_at": NaN}',
        b"g2 " + b"x" * 600,
        bytes(range(256)),
    ],
)
def test_a_damaged_file_counts_as_nothing_saved_up(clock: Clock, file: Path, damage: bytes) -> None:
    file.write_bytes(damage)
    gate = on_file(clock, file, 60, patience_seconds=1e9)
    assert passes(gate, clock, 5) > 1001.0
    assert on_file(clock, file).used_today == 5, "it was written anew"


def test_a_record_that_was_cut_short_or_changed_is_not_believed(clock: Clock, file: Path) -> None:
    gate = on_file(clock, file)
    gate.throttled(60.0)
    whole = file.read_bytes()
    for damaged in (whole[:100], whole.replace(b'"closed_until":1060.0', b'"closed_until":9060.0')):
        file.write_bytes(damaged)
        assert on_file(clock, file).closed_for_seconds == 0.0


def test_where_the_file_cannot_be_used_each_process_keeps_the_budget_for_itself(clock: Clock, tmp_path: Path) -> None:
    standing = FileStanding(str(tmp_path / "not there" / "gate"))
    gate = gate_of(clock, 60, standings=standing, patience_seconds=1e9)
    passed = [(passes(gate, clock, 2), 2.0) for _ in range(60)]
    assert most_in_a_minute(passed) <= 60 + 1e-6
    assert not standing.shared
    (tmp_path / "not there").mkdir()
    passes(gate, clock)
    assert standing.shared


def test_a_link_in_the_place_of_the_file_is_not_followed(clock: Clock, file: Path) -> None:
    target = file.with_name("target")
    target.write_text("mine")
    file.symlink_to(target)
    passes(on_file(clock, file), clock)
    assert target.read_text() == "mine"


def test_a_process_that_was_stopped_with_the_lock_does_not_stop_the_others(clock: Clock, file: Path) -> None:
    gate = on_file(clock, file)
    passes(gate, clock)
    holder = FileStanding(str(file))
    with holder._locked():
        passes(gate, clock)
    holder.close()
    holder.close()
    passes(gate, clock)
    assert gate.used_today == 2, "what was counted alone meanwhile is lost, the rest is not"


_OTHER_PROCESS = """
import sys, time
from connectors.microsoft365.gate import TenantGate
from connectors.microsoft365.gate_file import FileStanding
gate = TenantGate(1200, standings=FileStanding(sys.argv[1]))
until, passed = time.monotonic() + 1.5, 0
while time.monotonic() < until:
    with gate.passing(2):
        passed += 2
print(passed)
"""


def test_real_processes_at_once_use_no_more_than_one_budget(file: Path) -> None:
    others = [
        subprocess.Popen(
            [sys.executable, "-c", _OTHER_PROCESS, str(file)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
        )
        for _ in range(3)
    ]
    began = time.monotonic()
    passed = sum(int(other.communicate(timeout=60)[0]) for other in others)
    assert 0 < passed <= 120 + (time.monotonic() - began) * 18 + 1
    assert FileStanding(str(file)).change(lambda standing: (standing, standing.used)) == passed


def test_the_own_standing_is_one_like_any_other() -> None:
    assert OwnStanding().change(lambda standing: (standing, standing)) == Standing()


def test_the_file_is_for_owner_and_group_whatever_the_umask(clock: Clock, file: Path) -> None:
    before = os.umask(0o077)
    try:
        passes(on_file(clock, file), clock)
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o660


@pytest.mark.parametrize("said", [b"[]", b"{}", b'{"counted_at":1}', None])
def test_a_whole_record_of_another_make_is_not_believed_either(clock: Clock, file: Path, said: bytes | None) -> None:
    if said is None:
        passes(on_file(clock, file), clock)
        said = file.read_bytes().split(b" ", 2)[2].strip().replace(b'"slow_to":1.0', b'"slow_to":Infinity')
        assert b"Infinity" in said
    file.write_bytes(b"g1 %08x %s" % (zlib.crc32(said), said))
    assert on_file(clock, file).closed_for_seconds == 0.0
    passes(on_file(clock, file, 60, patience_seconds=1e9), clock)
