"""A part of `make faults`: a point of each act for each kind of fault, and two planted bugs. With RETENTIOND_TEST_LONG
in the environment it is some points."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.bugs import BUGS, Bug
from tests.faults.disk import missing
from tests.faults.harness import Harness, nothing_planted, points
from tests.faults.rig import KILL, Fault
from tests.faults.scenarios import SCENARIOS, Scenario

LONG = "RETENTIOND_TEST_LONG" in os.environ
# What is done, whether the power goes as well, and of which points: one in so many, or the one that lies so far on.
KINDS = [(KILL, False, 47, 0.5), ("EIO", False, 79, 0.35), (KILL, True, 89, 0.75)]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing() or "all is here")]


@contextmanager
def harness(folder: Path, scenario: Scenario, planted: object = nothing_planted) -> Iterator[Harness]:
    made = Harness(folder / "faults", "ext4", scenario, planted)  # type: ignore[arg-type]
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_nothing_is_lost_or_twice_there_at_some_points_of_every_act(scenario: Scenario, tmp_path: Path) -> None:
    with harness(tmp_path, scenario) as rig:
        calls = rig.calls()
        assert calls.keys() >= scenario.meets, "the rig does not see what is written"
        for how, power, every, place in KINDS:
            count = sum(calls.values())
            chosen = slice(None, None, every) if LONG else slice(int(count * place), int(count * place) + 1)
            result = rig.sweep(how, power=power, chosen=chosen, calls=calls)
            assert result.violations == []
            assert result.missed == 0
            assert sum(result.points.values()) >= (count // 89 if LONG else 1)


def bug(name: str) -> Bug:
    return next(one for one in BUGS if name in one.name)


@pytest.mark.parametrize(
    ("planted", "call", "order"),
    [
        ("recovery lets go of what was only planned", "fsync", 1),
        ("the original goes before", "unlinkat", -1),  # the last first: what goes too early goes late in the act
    ],
)
def test_a_planted_bug_is_found(planted: str, call: str, order: int, tmp_path: Path) -> None:
    one = bug(planted)
    scenario = next(scenario for scenario in SCENARIOS if scenario.name == one.scenario)
    with harness(tmp_path, scenario, one.plant) as rig:
        faults: list[Fault] = [fault for fault in points(rig.calls(), KILL) if fault.call == call]
        assert any(rig.trial(fault, power=False)[1] for fault in faults[::order])


def test_a_rig_that_cannot_reach_the_end_says_so(tmp_path: Path) -> None:
    scenario = SCENARIOS[0]
    broken = Scenario(scenario.name, scenario.files, lambda house: house.take([None]), scenario.ends)  # type: ignore[list-item]
    with harness(tmp_path, broken) as rig, pytest.raises(AssertionError, match="did not come to its end"):
        rig.calls()
