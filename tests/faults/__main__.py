"""`make faults`: every changing system call of every act, with every sort of fault, on real file systems.

python -m tests.faults                      everything: takes many hours on one core
python -m tests.faults --every 5            every fifth point
python -m tests.faults --only bugs          only that planted bugs are found
python -m tests.faults --scenario restore --how kill --power --kind xfs
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.bugs import BUGS
from tests.faults.disk import missing
from tests.faults.harness import Harness, Result, nothing_planted, points
from tests.faults.scenarios import SCENARIOS, Scenario

_HOWS = ("kill", "EIO", "ENOSPC")
_PARTS = ("sweep", "power", "recovery", "bugs")


@contextmanager
def _harness(
    kind: str, scenario: Scenario, planted: object = nothing_planted, *, apart: bool = False
) -> Iterator[Harness]:
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        made = Harness(Path(folder) / kind, kind, scenario, planted, apart=apart)  # type: ignore[arg-type]
        try:
            yield made
        finally:
            made.close()


def _told(result: Result, blind: list[str], seconds: float, kind: str) -> bool:
    print(f"{kind:<5}{result}  {seconds:.0f} s", flush=True)
    for where, wrong in result.violations:
        print(f"      {where}: {'; '.join(wrong)}", flush=True)
    if blind:
        print(f"      BLIND: never met {', '.join(blind)}")
    return not result.violations and not blind and not result.missed


def _sweeps(kind: str, scenario: Scenario, hows: list[str], *, every: int, power: bool) -> bool:
    good = True
    with _harness(kind, scenario, apart=power) as harness:
        calls = harness.calls()
        blind = sorted(scenario.meets - calls.keys())
        for how in hows:
            began = time.monotonic()
            result = harness.sweep(how, power=power, every=every, calls=calls)
            good &= _told(result, blind, time.monotonic() - began, kind)
    return good


def _recovery(kind: str, scenario: Scenario, *, every: int) -> bool:
    good = True
    with _harness(kind, scenario) as harness:
        for deep in (False, True):
            began = time.monotonic()
            result = harness.sweep_recovery(every=20 * every, inner_every=every, deep=deep)
            print(f"{kind:<5}{result}  {time.monotonic() - began:.0f} s", flush=True)
            for where, wrong in result.violations:
                print(f"      {where}: {'; '.join(wrong)}", flush=True)
            good &= not result.violations and bool(result.points)
    return good


def bugs_found(kind: str, chosen: str = "") -> bool:
    """Whether each planted bug shows at some point; says after how many."""
    good = True
    for bug in BUGS:
        if chosen not in bug.name:
            continue
        scenario = next(one for one in SCENARIOS if one.name == bug.scenario)
        with _harness(kind, scenario, bug.plant, apart=bug.apart) as harness:
            tried, seen = 0, ""
            try:
                calls = harness.calls()
            except AssertionError as error:
                seen = str(error)
            else:
                for fault in _spread(list(points(calls, bug.how))):
                    tried += 1
                    _, wrong = harness.trial(fault, power=bug.power)
                    if wrong:
                        seen = f"{fault}: {wrong[0]}"
                        break
        print(
            f"{kind:<5}planted: {bug.name}: {f'found after {tried} points, {seen}' if seen else 'NOT FOUND'}",
            flush=True,
        )
        good &= bool(seen)
    return good


def _spread(faults: list[object]) -> list:  # type: ignore[type-arg]
    """The same faults, far ones first, so that one that shows is met soon."""
    return [fault for step in range(7) for fault in faults[step::7]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", default="", help="one of: " + ", ".join(one.name for one in SCENARIOS))
    parser.add_argument("--how", choices=_HOWS, help="one sort of fault; left out: all")
    parser.add_argument("--kind", choices=("ext4", "xfs"), help="one file system; left out: both")
    parser.add_argument("--every", type=int, default=1, help="try one point in so many")
    parser.add_argument("--bug", default="", help="only planted bugs with these words in their name")
    parser.add_argument("--only", choices=_PARTS, help="one part; left out: all")
    chosen = parser.parse_args()
    if lacking := missing():
        print(f"Faults cannot be made here: {lacking}.")
        return 2
    good = True
    hows = [chosen.how] if chosen.how else list(_HOWS)
    parts = [chosen.only] if chosen.only else list(_PARTS)
    scenarios = [one for one in SCENARIOS if chosen.scenario in ("", one.name)]
    for kind in [chosen.kind] if chosen.kind else ["ext4", "xfs"]:
        for scenario in scenarios:
            if "sweep" in parts:
                good &= _sweeps(kind, scenario, hows, every=chosen.every, power=False)
            if "power" in parts:
                good &= _sweeps(kind, scenario, ["kill"], every=chosen.every, power=True)
            if "recovery" in parts:
                good &= _recovery(kind, scenario, every=chosen.every if kind == "ext4" else 3 * chosen.every)
        if "bugs" in parts and kind == "ext4":
            good &= bugs_found(kind, chosen.bug)
    print("All is well." if good else "SOMETHING IS WRONG.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
