"""A loop that goes on, and the signs of life by which a hang is seen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import structlog

from agent.daemon import loop as module
from agent.daemon.base import Life
from agent.daemon.beats import Beats
from agent.daemon.loop import Loop
from agent.errors import CatalogueError, ConfigurationError
from agent.settings import Settings


@dataclass
class Working:
    """Work that does what the test says at each turn, and remembers what was asked of it."""

    turns: list[Callable[[], float]]
    seen: list[str] = field(default_factory=list)
    settings: list[Settings] = field(default_factory=list)
    openings: int = 0
    refuse_to_open: int = 0

    @contextmanager
    def opened(self, settings: Settings) -> Iterator[Working]:
        self.openings += 1
        self.settings.append(settings)
        if self.openings <= self.refuse_to_open:
            raise CatalogueError("the disk is full")
        yield self
        self.seen.append("closed")

    def turn(self) -> float:
        self.seen.append("turn")
        return self.turns.pop(0)()

    def reload(self, settings: Settings) -> None:
        self.settings.append(settings)


@pytest.fixture
def life(monkeypatch: pytest.MonkeyPatch) -> Life:
    monkeypatch.setattr(module, "_SHORTEST_PAUSE", 0.001)
    monkeypatch.setattr(module, "_LONGEST_PAUSE", 0.01)
    return Life(Beats())


def run(working: Working, life: Life) -> Loop:
    loop = Loop("scan", working.opened, Settings(), life)
    loop.start()
    assert loop.join(20), "the loop has not ended"
    return loop


def stop(life: Life) -> Callable[[], float]:
    def turn() -> float:
        life.stop()
        return 0.0

    return turn


def fail(error: Exception) -> Callable[[], float]:
    def turn() -> float:
        raise error

    return turn


def test_a_loop_turns_until_the_word_to_stop_and_closes(life: Life) -> None:
    working = Working([lambda: 0.0, lambda: 0.001, stop(life)])

    loop = run(working, life)

    assert working.seen == ["turn", "turn", "turn", "closed"]
    assert not loop.given_up
    assert life.beats.silent() == ()


def test_the_word_to_stop_ends_a_long_pause(life: Life) -> None:
    def pause() -> float:
        threading.Timer(0.05, life.stop).start()
        return 3600.0

    assert run(Working([pause]), life).join(0)


def test_a_fault_that_a_person_can_mend_is_told_and_tried_again(life: Life) -> None:
    working = Working([fail(CatalogueError("the disk is full"))] * 20 + [stop(life)], refuse_to_open=2)

    with structlog.testing.capture_logs() as told:
        loop = run(working, life)

    assert working.openings == 3, "once it is open it stays so"
    assert [entry["event"] for entry in told] == ["service.trouble"] * 22
    assert told[0]["what"] == "the disk is full"
    assert not loop.given_up


def test_a_defect_is_told_without_its_words_and_after_some_in_a_row_the_loop_gives_up(life: Life) -> None:
    working = Working([fail(ValueError("John Smith's file"))] * 9)

    with structlog.testing.capture_logs() as told:
        loop = run(working, life)

    assert [(entry["event"], type(entry["error"])) for entry in told] == [("service.defect", ValueError)] * 5
    assert "Smith" not in told[0]["where"]
    assert "test_loop.py" in told[0]["where"]
    assert loop.given_up
    assert life.stopping.is_set()


def test_defects_with_good_turns_between_them_are_outlived(life: Life) -> None:
    turns: list[Callable[[], float]] = []
    for _ in range(6):
        turns += [fail(ValueError()), lambda: 0.0]
    with structlog.testing.capture_logs():
        assert not run(Working([*turns, stop(life)]), life).given_up


def test_new_settings_come_into_force_between_two_turns(life: Life) -> None:
    new = Settings(jobs=3)
    working = Working([])
    loop = Loop("scan", working.opened, Settings(), life)

    def hear() -> float:
        loop.reload(new)
        return 0.0

    working.turns += [hear, stop(life)]
    loop.start()
    assert loop.join(20)

    assert working.settings == [Settings(), new]


def test_settings_that_the_work_refuses_leave_the_old_ones_in_force(life: Life) -> None:
    class Picky(Working):
        def reload(self, settings: Settings) -> None:
            raise ConfigurationError("no such schedule")

    working = Picky([])
    loop = Loop("scan", working.opened, Settings(), life)

    def hear() -> float:
        loop.reload(Settings(jobs=3))
        return 0.0

    working.turns += [hear, stop(life)]
    with structlog.testing.capture_logs() as told:
        loop.start()
        assert loop.join(20)

    assert [entry["event"] for entry in told] == ["service.trouble"]


def test_a_loop_that_does_not_keep_its_word_is_seen() -> None:
    clock = [0.0]
    beats = Beats(lambda: clock[0])
    beats.beat("scan", 10)
    beats.beat("dispose", 20)

    clock[0] = 15.0
    assert beats.silent() == ("scan",)

    beats.beat("scan", 10)
    assert beats.silent() == ()
    beats.end("dispose")
    clock[0] = 24.0
    assert beats.silent() == ()
