"""Every changing system call of an act, each with a fault; then recovery, twice; then judgement."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.disposition.house import House
from tests.faults import rig
from tests.faults.disk import Image
from tests.faults.judge import judge, state_of
from tests.faults.rig import FINISHED, KILL, Fault
from tests.faults.scenarios import Scenario, prepare


@dataclass(slots=True)
class Result:
    """What came of one scenario under one sort of fault: points tried by call, and the points at which something was
    wrong after recovery."""

    scenario: str
    how: str
    points: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    violations: list[tuple[str, list[str]]] = field(default_factory=list)

    def __str__(self) -> str:
        calls = ", ".join(f"{call} {count}" for call, count in sorted(self.points.items()))
        return (
            f"{self.scenario:<11} {self.how:<20} {sum(self.points.values()):>4} points, {self.missed} not met, "
            f"{len(self.violations)} violations  ({calls})"
        )


@contextmanager
def nothing_planted() -> Iterator[None]:
    yield


class Harness:
    """One scenario on one image. `planted` is entered in the process that acts and in those that recover."""

    def __init__(
        self,
        folder: Path,
        kind: str,
        scenario: Scenario,
        planted: Callable[[], object] = nothing_planted,
        *,
        apart: bool = False,
    ) -> None:
        """With `apart` the share lies on a file system of its own, so that making the catalogue durable does not make
        changes of the share durable too, as it does in one journal."""
        self._images = [_image(folder / name, kind) for name in (("state", "share") if apart else ("state",))]
        self._folder = self._images[0].mount_point / "house"
        self._folder.mkdir()
        if apart:
            share = self._images[1].mount_point / "share"
            share.mkdir()
            (self._folder / "share").symlink_to(share)
        self._trace = folder / "trace"
        self._scenario = scenario
        self._planted = planted
        prepare(self._folder, scenario)
        for image in self._images:
            image.keep_as_template()

    def close(self) -> None:
        for image in self._images:
            image.unmount()

    def _begin_anew(self) -> None:
        for image in self._images:
            image.begin_anew()

    def _lose_power(self) -> None:
        for image in self._images:
            image.lose_power()

    # One run

    def _act(self) -> None:
        with self._planted():  # type: ignore[attr-defined]
            house = House(self._folder)
            self._scenario.act(house)
            house.close()

    def _recover(self) -> None:
        with self._planted():  # type: ignore[attr-defined]
            house = House(self._folder)
            house.derive = _never
            house.recover()
            house.close()

    def calls(self) -> Counter[str]:
        """The changing calls of a run without fault, which must come to its end and be in order."""
        self._begin_anew()
        ran = rig.run(self._act, self._trace)
        if ran.status != FINISHED:
            raise AssertionError(f"without any fault it did not come to its end: {ran.said}")
        wrong = self._judged(finished=True)
        if wrong:
            raise AssertionError(f"without any fault: {wrong}")
        return ran.calls

    def trial(self, fault: Fault, *, power: bool, then: tuple[Fault, ...] = ()) -> tuple[bool, list[str]]:
        """Whether the fault was met, and what is wrong after it and a recovery. `then` are faults in recoveries."""
        self._begin_anew()
        ran = rig.run(self._act, self._trace, fault)
        if power:
            self._lose_power()
        met = ran.met
        for further in then:
            again = rig.run(self._recover, self._trace, further)
            met = met and again.met
            if power:
                self._lose_power()
        wrong = self._settled()
        wrong += self._judged(finished=ran.status == FINISHED and not ran.met)
        return met, wrong

    def _judged(self, *, finished: bool) -> list[str]:
        """The judgement, in a process of its own, so that whatever it meets nothing stays open."""
        verdict = self._trace.with_suffix(".verdict")

        def write() -> None:
            verdict.write_text(json.dumps(judge(self._folder, self._scenario, finished=finished)))

        ran = rig.run(write, self._trace, traced=False)
        if ran.status != FINISHED:
            return [f"it cannot be judged: {ran.said.strip().splitlines()[-1:]}"]
        return [str(one) for one in json.loads(verdict.read_text())]

    def _settled(self) -> list[str]:
        wrong = []
        for time in ("first", "second"):
            before = state_of(self._folder) if time == "second" else None
            ran = rig.run(self._recover, self._trace, traced=False)
            if ran.status != FINISHED:
                wrong.append(f"the {time} recovery failed: {ran.said.strip().splitlines()[-1:]}")
            if time == "second" and state_of(self._folder) != before:
                wrong.append("the second recovery changed something")
        return wrong

    def calls_of_recovery(self, fault: Fault) -> Counter[str]:
        """The changing calls of the recovery after that fault."""
        self._begin_anew()
        rig.run(self._act, self._trace, fault)
        return rig.run(self._recover, self._trace).calls

    # Many

    def sweep(
        self,
        how: str,
        *,
        power: bool = False,
        every: int = 1,
        chosen: slice | None = None,
        calls: Counter[str] | None = None,
    ) -> Result:
        """One trial at each point, or at every so many, or at those chosen."""
        result = Result(self._scenario.name, how + (" + power loss" if power else ""))
        for fault in list(points(calls or self.calls(), how))[chosen or slice(None, None, every)]:
            met, wrong = self.trial(fault, power=power)
            result.points[fault.call] += 1
            result.missed += not met
            if wrong:
                result.violations.append((str(fault), wrong))
        return result

    def sweep_recovery(self, *, every: int, deep: bool, inner_every: int = 1, power: bool = False) -> Result:
        """Kills at points of the act, then at points of the recovery; with `deep`, in the second recovery too."""
        result = Result(self._scenario.name, "kill in recovery" + (", two deep" if deep else ""))
        for first in list(points(self.calls(), KILL))[::every]:
            inner = list(points(self.calls_of_recovery(first), KILL))[::inner_every]
            for number, second in enumerate(inner):
                then = (second, inner[number // 2]) if deep else (second,)
                met, wrong = self.trial(first, power=power, then=then)
                result.points[second.call] += 1
                result.missed += not met
                if wrong:
                    result.violations.append((f"{first}, then {' and '.join(map(str, then))}", wrong))
        return result


def _image(folder: Path, kind: str) -> Image:
    folder.mkdir(parents=True)
    return Image(folder, kind)


def points(calls: Counter[str], how: str) -> Iterator[Fault]:
    """A fault at each call that was made."""
    for call, count in sorted(calls.items()):
        for number in range(1, count + 1):
            yield Fault(call, number, how)


def _never(*_: object) -> str:
    raise AssertionError("a recovery makes nothing anew of what remains")
