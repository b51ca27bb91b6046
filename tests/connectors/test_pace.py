"""A source is read no faster than it is allowed to be, and slower while others need the storage; never not at all."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Content, Item, ItemRef, KnowsNothing, Scope
from connectors.easing import Ease, Tolerance, eased
from connectors.errors import ItemNotFound
from connectors.memory import MemoryConnector
from connectors.pace import Budget, Pace
from connectors.pressure import Pressure, others, own_group, some_waited
from connectors.testing import found
from connectors.wrappers import Paced, ReadOnly

TOLERANCE = Tolerance()


class Time:
    """A clock that goes on when somebody sleeps, or does something that takes a while."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class SlowSource(MemoryConnector):
    """A source whose openings take as long as `seconds` says just now. Its content does not come from memory."""

    def __init__(self, time: Time) -> None:
        super().__init__()
        self.seconds = 0.001
        self._time = time

    def open(self, scope: Scope, item: Item) -> Content:  # type: ignore[override]
        self._time.now += self.seconds
        return super().open(scope, item)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def from_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if nothing that is read was in the page cache."""

    def preadv(descriptor: int, buffers: list[bytearray], offset: int, flags: int = 0) -> int:
        if flags & os.RWF_NOWAIT:
            raise BlockingIOError
        return 0

    monkeypatch.setattr("connectors.wrappers.os.preadv", preadv)


def opens(connector: Paced, count: int) -> Iterator[None]:
    """Opens the source's items in turn, `count` of them."""
    (scope,) = connector.scopes()
    items = found(connector.changes(scope, KnowsNothing()))
    for item in itertools.islice(itertools.cycle(items), count):
        connector.open(scope, item).close()
        yield


# Rates


def test_files_are_spread_evenly(time: Time) -> None:
    pace = Pace(files_per_second=4, clock=time, sleep=time.sleep)
    began = []
    for _ in range(5):
        pace.before_opening()
        began.append(time.now)
        pace.after_opening(10**12, None)

    assert [later - earlier for earlier, later in itertools.pairwise(began)] == [0.25] * 4


def test_a_file_larger_than_a_seconds_budget_passes_and_is_paid_back(time: Time) -> None:
    pace = Pace(bytes_per_second=1000, clock=time, sleep=time.sleep)
    pace.before_opening()
    pace.after_opening(11_000, None)  # a thousand were there, ten are missing
    assert time.slept == []

    pace.before_opening()

    assert time.slept == [1.0] * 10
    assert pace.waited_seconds == 10


def test_what_an_idle_source_did_not_use_is_at_most_a_seconds_budget(time: Time) -> None:
    pace = Pace(bytes_per_second=1000, clock=time, sleep=time.sleep)
    time.now += 3600
    pace.after_opening(1000, None)
    pace.before_opening()
    assert time.slept == []
    pace.after_opening(500, None)
    pace.before_opening()
    assert time.slept == [0.5]


@given(
    per_second=st.floats(0.01, 1e9),
    burst=st.sampled_from([0.0, 1.0]),
    steps=st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 100)), max_size=50),
)
def test_no_more_than_the_rate_is_ever_taken(per_second: float, burst: float, steps: list[tuple[float, float]]) -> None:
    now = 0.0
    budget = Budget(per_second, burst, now)
    taken = largest = 0.0
    for amount, idle in steps:
        now += budget.wait_seconds(now)
        assert budget.wait_seconds(now) <= 1e-6 + 1e-9 * now
        assert taken <= per_second * (now + burst) * (1 + 1e-6) + largest * 1e-6 + 1e-3 * per_second
        budget.take(amount, now)
        taken += amount
        largest = max(largest, amount)
        now += idle


@pytest.mark.parametrize("rate", [0, -1, math.inf, math.nan])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Pace(files_per_second=rate)
    with pytest.raises(ValueError, match="above 0"):
        Pace(bytes_per_second=rate)


def test_what_could_not_be_opened_costs_no_bytes(time: Time) -> None:
    memory = MemoryConnector()
    memory.put(b"file", b"content")
    connector = Paced(memory, Pace(bytes_per_second=1, clock=time, sleep=time.sleep))
    (scope,) = connector.scopes()
    (item,) = found(connector.changes(scope, KnowsNothing()))
    memory.remove(b"file")
    for _ in range(10):
        with pytest.raises(ItemNotFound):
            connector.open(scope, item)
    assert time.slept == []


def test_the_bytes_of_an_item_count_when_it_is_opened(time: Time) -> None:
    memory = MemoryConnector()
    memory.put(b"file", b"x" * 500)
    connector = Paced(memory, Pace(bytes_per_second=100, clock=time, sleep=time.sleep))
    for _ in opens(connector, 3):
        pass
    assert sum(time.slept) == pytest.approx(4 + 5)


def test_a_long_wait_can_be_ended_from_outside(time: Time) -> None:
    class Stopped(Exception):
        pass

    def sleep(seconds: float) -> None:
        assert seconds <= 1
        time.sleep(seconds)
        if time.now > 1003:
            raise Stopped

    pace = Pace(bytes_per_second=1, clock=time, sleep=sleep)
    pace.after_opening(10**9, None)
    with pytest.raises(Stopped):
        pace.before_opening()
    assert pace.waited_seconds == 4


# Easing


def judged(ease: Ease, latencies: list[float | None], pressure: float | None = None) -> Ease:
    for seconds in latencies:
        ease = eased(ease, TOLERANCE, seconds, pressure)
    return ease


SECONDS = st.none() | st.floats()
PRESSURE = st.none() | st.floats(0, 100)


@given(st.lists(st.tuples(SECONDS, PRESSURE), max_size=200))
def test_the_pause_never_exceeds_its_ceiling_and_moves_by_the_rule(
    answers: list[tuple[float | None, float | None]],
) -> None:
    ease = Ease()
    for seconds, pressure in answers:
        before = ease
        ease = eased(ease, TOLERANCE, seconds, pressure)
        assert 0 <= ease.pause_seconds <= TOLERANCE.ceiling_seconds
        if ease.slow:
            assert ease.pause_seconds == min(1.0, max(0.01, 2 * before.pause_seconds))
        elif before.slow_files < 32:
            assert ease.pause_seconds == 0 or 1 / ease.pause_seconds == pytest.approx(1 / before.pause_seconds + 1)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(SECONDS, PRESSURE), max_size=200), st.floats(1e-5, 10))
def test_whatever_has_been_it_recovers(answers: list[tuple[float | None, float | None]], usual: float) -> None:
    """Well again is what takes no longer than usual: no history makes us pause for good."""
    ease = Ease()
    for seconds, pressure in answers:
        ease = eased(ease, TOLERANCE, seconds, pressure)
    ease = judged(ease, [usual] * 12_000, 0.0)
    assert not ease.slow
    assert ease.pause_seconds == 0


@given(st.lists(st.tuples(SECONDS, PRESSURE), max_size=200))
def test_without_any_news_it_recovers(answers: list[tuple[float | None, float | None]]) -> None:
    ease = Ease()
    for seconds, pressure in answers:
        ease = eased(ease, TOLERANCE, seconds, pressure)
    ease = judged(ease, [None] * 300)
    assert not ease.slow
    assert ease.pause_seconds == 0


@given(st.floats(0.0005, 0.05), st.lists(st.floats(0.34, 2.9), min_size=20, max_size=300))
def test_files_that_differ_up_to_threefold_are_not_trouble(usual: float, times: list[float]) -> None:
    ease = Ease()
    for factor in times:
        ease = eased(ease, Tolerance(times_usual=9), usual * factor, None)
        assert not ease.slow


def test_one_file_that_takes_very_long_is_not_trouble() -> None:
    ease = judged(Ease(), [0.004] * 100)
    assert not judged(ease, [0.1]).slow
    assert judged(ease, [0.1] * 8).slow


def test_what_is_fast_enough_for_anybody_is_not_slow() -> None:
    ease = judged(Ease(), [0.0001] * 100)
    assert not judged(ease, [0.0019] * 100).slow


def test_trouble_does_not_teach_that_it_is_usual() -> None:
    ease = judged(Ease(), [0.004] * 300)
    assert judged(ease, [0.2] * 1000).slow
    assert not judged(ease, [0.2] * 10_000).slow, "what stays for hours is usual"


def test_a_beginning_in_trouble_is_soon_forgotten() -> None:
    ease = judged(Ease(), [0.3] * 20)
    ease = judged(ease, [0.004] * 200)
    assert ease.usual_seconds < 0.005
    assert judged(ease, [0.3] * 10).slow


def test_the_first_files_are_not_judged() -> None:
    assert not judged(Ease(), [0.0002, 0.0002, 0.0002, 0.5, 0.5, 0.5, 0.5, 0.5]).slow


def test_trouble_is_forgotten_when_nothing_more_is_heard_of_it() -> None:
    ease = judged(judged(Ease(), [0.0002] * 100), [0.03] * 20)
    assert ease.slow
    assert not judged(ease, [None] * 12).slow


def test_a_disk_that_is_slow_only_because_we_are_rare_is_looked_at_again() -> None:
    """It falls asleep within half a second: after a pause as long as that a file takes 30 ms, else 0.2."""
    ease = judged(Ease(), [0.0002] * 100)
    ease = judged(ease, [0.03] * 30)
    assert ease.slow
    elapsed = 0.0
    for _ in range(1000):
        ease = eased(ease, TOLERANCE, 0.03 if ease.pause_seconds > 0.5 else 0.0002, None)
        elapsed += ease.pause_seconds
    assert ease.pause_seconds == 0
    assert elapsed < 60


def test_looking_again_costs_little_while_trouble_lasts() -> None:
    ease = judged(Ease(), [0.0002] * 100)
    elapsed = 0.0
    for _ in range(1000):
        ease = eased(ease, TOLERANCE, 0.03, None)
        elapsed += ease.pause_seconds
    assert elapsed > 600, "at least 0.6 s from one file to the next"


def test_others_who_wait_are_not_looked_at_again() -> None:
    ease = judged(judged(Ease(), [0.0002] * 100, 0.0), [0.03] * 10, 90.0)
    for _ in range(200):
        ease = eased(ease, TOLERANCE, 0.03, 90.0)
        assert ease.pause_seconds == TOLERANCE.ceiling_seconds


def test_others_who_wait_are_reason_enough() -> None:
    assert judged(Ease(), [None], TOLERANCE.pressure_percent).slow
    assert not judged(Ease(), [None], TOLERANCE.pressure_percent - 1).slow


@pytest.mark.parametrize(
    "wrong",
    [
        {"step_seconds": 0.0},
        {"step_seconds": 2.0},
        {"ceiling_seconds": math.inf},
        {"ceiling_seconds": math.nan},
        {"times_usual": 1.0},
    ],
)
def test_a_tolerance_that_would_stop_us_or_make_no_room_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be above"):
        Tolerance(**wrong)


# Both around a source


def test_a_source_that_becomes_slow_is_spared_and_read_at_full_speed_again_when_it_is_well(
    time: Time, from_storage: None
) -> None:
    source = SlowSource(time)
    for number in range(10):
        source.put(b"file %d" % number, b"content")
    pace = Pace(tolerance=TOLERANCE, clock=time, sleep=time.sleep)
    connector = Paced(source, pace, clock=time)
    for _ in opens(connector, 100):
        assert not pace.slow
    assert pace.waited_seconds == 0

    source.seconds = 0.2
    *_, _ = opens(connector, 20)
    assert pace.slow
    assert pace.pause_seconds == 1.0
    waited = pace.waited_seconds
    assert waited > 5

    source.seconds = 0.001
    *_, _ = opens(connector, 120)
    assert not pace.slow
    assert pace.pause_seconds == 0
    assert time.now - 1000 < 120 * 1.2, "two minutes of files were read in little more than that"


def test_what_comes_from_memory_says_nothing_about_storage(time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.wrappers.os.preadv", lambda *arguments: 1)
    source = SlowSource(time)
    source.put(b"file", b"content")
    pace = Pace(tolerance=TOLERANCE, clock=time, sleep=time.sleep)
    connector = Paced(source, pace, clock=time)
    source.seconds = 0.0001
    *_, _ = opens(connector, 20)
    source.seconds = 3.0
    *_, _ = opens(connector, 20)
    assert not pace.slow


def test_pressure_is_asked_once_a_second_and_heeded(time: Time) -> None:
    asked: list[float] = []

    def pressure() -> float:
        asked.append(time.now)
        return 90.0 if time.now < 1010 else 0.0

    memory = MemoryConnector()
    memory.put(b"file", b"content")
    pace = Pace(tolerance=TOLERANCE, pressure=pressure, clock=time, sleep=time.sleep)
    connector = Paced(memory, pace)
    for _ in opens(connector, 1000):
        time.now += 0.01
        if time.now < 1010:
            assert pace.slow
    assert not pace.slow
    assert pace.pause_seconds == 0
    assert all(later - earlier >= 1 for earlier, later in itertools.pairwise(asked))
    assert sum(moment < 1010 for moment in asked) >= 5


def test_a_listing_is_slowed_by_a_tenth_and_no_page_is_lost(time: Time) -> None:
    memory = MemoryConnector(page_size=1)
    for number in range(50):
        memory.put(b"file %02d" % number, b"content")
    plain = Paced(memory, Pace(clock=time, sleep=time.sleep))
    (scope,) = plain.scopes()
    pages = list(plain.changes(scope, KnowsNothing()))
    assert time.slept == []

    spared = Paced(memory, Pace(tolerance=TOLERANCE, pressure=lambda: 99.0, clock=time, sleep=time.sleep))
    assert list(spared.changes(scope, KnowsNothing())) == pages
    assert 0 < max(time.slept) <= TOLERANCE.ceiling_seconds / 10

    time.slept.clear()
    assert list(spared.look(scope, KnowsNothing(), [b""])) == list(memory.look(scope, KnowsNothing(), [b""]))
    assert 0 < max(time.slept) <= TOLERANCE.ceiling_seconds / 10


def test_what_was_opened_is_closed_when_the_pace_is_interrupted() -> None:
    opened: list[Content] = []

    class Watched(MemoryConnector):
        def open(self, scope: Scope, item: Item) -> Content:  # type: ignore[override]
            opened.append(super().open(scope, item))
            return opened[-1]

    def interrupt() -> float:
        raise KeyboardInterrupt

    memory = Watched()
    memory.put(b"file", b"content")
    connector = Paced(memory, Pace(tolerance=TOLERANCE, pressure=interrupt))
    (scope,) = memory.scopes()
    (item,) = found(memory.changes(scope, KnowsNothing()))
    with pytest.raises(KeyboardInterrupt):
        connector.open(scope, item)
    with pytest.raises(ValueError, match="closed"):
        opened[0].fileno()


def test_without_a_tolerance_nothing_is_read_at_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = MemoryConnector()
    memory.put(b"file", b"content")
    monkeypatch.setattr("connectors.wrappers._read_beginning", lambda descriptor: pytest.fail("it was read"))
    *_, _ = opens(Paced(memory, Pace()), 1)


def test_a_fault_in_reading_is_left_to_who_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    def preadv(*arguments: object) -> int:
        raise OSError(5, "Input/output error")

    memory = MemoryConnector()
    memory.put(b"file", b"content")
    connector = Paced(memory, Pace(tolerance=TOLERANCE))
    (scope,) = connector.scopes()
    (item,) = found(connector.changes(scope, KnowsNothing()))
    monkeypatch.setattr("connectors.wrappers.os.preadv", preadv)
    with connector.open(scope, item) as content:
        monkeypatch.undo()
        assert os.pread(content.fileno(), 10, 0) == b"content"
        assert os.lseek(content.fileno(), 0, os.SEEK_CUR) == 0


def test_a_source_that_only_reads_passes_a_look_on() -> None:
    memory = MemoryConnector()
    memory.put(b"HR/file", b"content")
    connector = ReadOnly(Paced(memory, Pace()))
    (scope,) = connector.scopes()
    (item,) = found(connector.look(scope, KnowsNothing(), [b"HR"]))
    assert item.ref == ItemRef(b"HR", b"file")


# Pressure


def pressure_file(folder: Path, name: str, some: str) -> Path:
    file = folder / name
    file.write_text(
        f"some avg10={some} avg60=0.32 avg300=0.14 total=1582179\nfull avg10=0.69 avg60=0 avg300=0 total=1\n"
    )
    return file


def test_the_kernels_figure_is_read(tmp_path: Path) -> None:
    system = pressure_file(tmp_path, "io", "42.50")
    assert Pressure(system)() == 21.25, "half of it may be our own"
    assert Pressure(system, tmp_path / "missing")() == 21.25
    assert Pressure(tmp_path / "missing")() is None
    assert Pressure(system, pressure_file(tmp_path, "own", "0.00"))() == 42.5
    assert Pressure(system, pressure_file(tmp_path, "own", "42.50"))() == 0


@pytest.mark.parametrize("text", ["", "some", "some avg10", "some avg10=x", "full avg10=1", "some avg10=nan", "\xff"])
def test_a_kernel_that_does_not_count_is_no_pressure(tmp_path: Path, text: str) -> None:
    file = tmp_path / "io"
    assert some_waited(file) is None
    file.write_text(text, encoding="latin-1")
    assert some_waited(file) is None


@given(st.floats(0, 100), st.floats(0, 89))
def test_what_we_wait_for_ourselves_is_taken_out(theirs: float, ours: float) -> None:
    together = 100 * (1 - (1 - theirs / 100) * (1 - ours / 100))
    assert others(together, ours) == pytest.approx(theirs, abs=1e-6)


@given(st.floats(0, 100), st.floats(0, 100))
def test_pressure_of_others_is_a_percentage(together: float, ours: float) -> None:
    assert 0 <= others(together, ours) <= 100


@pytest.mark.parametrize(
    ("told", "file"),
    [
        ("0::/system.slice/retentiond.service\n", "system.slice/retentiond.service/io.pressure"),
        ("1:cpu:/a\n0::/a\n", "a/io.pressure"),
        ("0::/\n", None),
        ("1:cpu:/a\n", None),
        ("0::/../a\n", None),
        ("", None),
    ],
)
def test_our_own_control_group_is_found(told: str, file: str | None, tmp_path: Path) -> None:
    (tmp_path / "membership").write_text(told)
    groups = tmp_path / "groups"
    for known in ("system.slice/retentiond.service", "a", ""):
        (groups / known).mkdir(parents=True, exist_ok=True)
        pressure_file(groups / known, "io.pressure", "1.00")
    pressure_file(tmp_path, "a", "1.00")
    assert own_group(tmp_path / "membership", groups) == (file and groups / file)
    assert own_group(tmp_path / "missing", groups) is None
