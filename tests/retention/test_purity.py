"""Deciding asks nothing but its arguments: no clock, no file, no network, no other process, no chance."""

from __future__ import annotations

import gc
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import agent.classification
import agent.retention
from agent.classification.classify import Classifier
from agent.model.decision import CLASS_MARK, Circumstances
from agent.model.event import Event
from agent.model.hold import Hold, HoldKind, HoldScope
from agent.model.schedule import RetentionSchedule, events_of
from agent.retention.decide import decide
from agent.retention.loader import load_schedule
from tests.retention.factories import a_record, at

PACKS = sorted((Path(__file__).parents[2] / "config" / "policies").glob("*.yaml"))
# What Python's own code tells of itself when it goes outside, and which of its calls read a clock or throw dice.
OUTSIDE = ("open", "os.", "socket.", "subprocess.", "import", "shutil.", "sqlite3.", "urllib.", "tempfile.", "exec")
CLOCKS = re.compile(r"time|date|random", re.IGNORECASE)
READING = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter", "localtime", "gmtime", "random"}

_seen: list[str] | None = None


def _hear(event: str, _: tuple[Any, ...]) -> None:
    if _seen is not None and event.startswith(OUTSIDE):
        _seen.append(event)


sys.addaudithook(_hear)  # there is no way to take it back, so it is silent while nobody asks


def _watch(_: object, event: str, called: Any) -> None:
    if event == "c_call" and _seen is not None and called.__name__ in READING:
        of = getattr(called, "__self__", None)
        owner = of.__name__ if isinstance(of, type | ModuleType) else type(of).__name__
        if CLOCKS.search(owner):
            _seen.append(f"{owner}.{called.__name__}")


@contextmanager
def watched() -> Iterator[list[str]]:
    """Everything that the block asks of the world outside."""
    global _seen
    _seen = []
    gc.disable()  # what others do while rubbish is collected is not ours
    before = sys.getprofile()
    sys.setprofile(_watch)
    try:
        yield _seen
    finally:
        sys.setprofile(before)
        gc.enable()
        _seen = None


def decide_everything(schedule: RetentionSchedule) -> int:
    """Every example, and one item marked for each class, under every event and a hold; gives how many days."""
    classifier = Classifier(schedule)
    hold = Hold(
        1, "hold", HoldKind.RESTRICTION, HoldScope(), "why", "claim", "me", at(2020), until_day=date(2030, 1, 1)
    )
    decided = 0
    for one in schedule.classes:
        paths = [example.path for example in one.examples] or ["HR/somebody/letter.docx"]
        for path in paths:
            record = a_record(path, marks={CLASS_MARK: one.id}, created_at=None, copies=(path,))
            assignments = classifier.classify(record)
            keys = {pair for assignment in assignments for pair in assignment.keys.items()}
            events = [
                Event(awaited.type, key, value, date(2019, 4, 6))
                for awaited in events_of(one)
                for key, value in keys
                if key == awaited.key
            ]
            for circumstances in (
                Circumstances(),
                Circumstances((hold,), classifier.misplaced(record), date(2031, 1, 1)),
            ):
                for day in (date(2012, 2, 29), date(2026, 11, 24), date(2040, 1, 1)):
                    assert decide(record, assignments, schedule, events, day, circumstances).reasons
                    decided += 1
    return decided


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_deciding_under_a_shipped_schedule_asks_nothing_of_the_world_outside(path: Path) -> None:
    schedule = load_schedule(path.read_text(), path.name)
    with watched() as seen:
        decided = decide_everything(schedule)
    assert decided >= 6 * len(schedule.classes)
    assert seen == []


@pytest.mark.parametrize(
    ("act", "name"),
    [
        (lambda: date.today(), "date.today"),  # noqa: DTZ011 — what is forbidden
        (lambda: datetime.now(UTC), "datetime.now"),
        (time.time, "time.time"),
        (time.monotonic, "time.monotonic"),
        (random.random, "Random.random"),
        (lambda: open("/dev/null").close(), "open"),
        (lambda: __import__("chunk_that_is_not_there"), "import"),
    ],
)
def test_what_would_be_impure_is_noticed(act: Callable[[], object], name: str) -> None:
    with watched() as seen, suppress(ImportError):
        act()
    assert name in seen


@pytest.mark.parametrize("package", [agent.retention, agent.classification])
def test_no_clock_and_no_input_or_output_is_even_named_in_the_package(package: ModuleType) -> None:
    files = sorted(Path(package.__path__[0]).glob("*.py"))
    assert len(files) > 3
    for file in files:
        reads = re.findall(r"\b(?:now|today|utcnow|time|open|input|print|getenv)\(", file.read_text())
        assert not reads, f"{file.name}: {reads}"
