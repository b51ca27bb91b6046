"""Whatever befalls one request of an act, nothing is lost, nothing goes twice, and nothing goes that was not meant to.

Every request of a quarantine, a restoring and a destruction is disturbed in every way, one at a time; then recovery is
run, and what the tenant has is held against what is on record."""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.acting_tenant import (
    AFTER,
    APPROVED,
    BEFORE,
    KILLED,
    STUMBLING,
    ActingOffice,
    Kind,
    Mishap,
    Trial,
    apart,
    prepare,
    scratch,
)
from tests.acceptance.tenant_office import REASON
from tests.emulator import Emulator

pytestmark = [pytest.mark.slow, pytest.mark.loopback, pytest.mark.long, pytest.mark.timeout(3600)]

_COMMANDS = 6
_ONE_IN = 15
RUN = "dispose", "run", "--yes"
WHERE = {
    "none": "in its place",
    "abandoned": "in its place",
    "restored": "in its place",
    "quarantined": "in quarantine",
    "destroyed": "gone",
}


@dataclass(frozen=True)
class Act:
    """What is disturbed: a command, behind what leads up to it."""

    name: str
    before: tuple[tuple[str, ...], ...]
    command: tuple[str, ...]
    ends: frozenset[str]  # how the disposals of what is approved may stand once recovery has settled everything


ACTS = (
    Act("quarantine", (), RUN, frozenset({"none", "abandoned", "quarantined"})),
    Act("restore", (RUN,), ("restore", "1", *REASON, "--yes"), frozenset({"quarantined", "restored"})),
    Act("destroy", (RUN,), RUN, frozenset({"quarantined", "destroyed"})),
)


@pytest.fixture(scope="module", params=["drive", "mail"])
def office(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActingOffice]:
    kind: Kind = request.param
    made = ActingOffice(tmp_path_factory.mktemp(kind), Emulator(check=False), kind)
    prepare(made)
    yield made
    with made.graph:  # what was never begun cannot be ended
        return


def tried(office: ActingOffice, act: Act, kind: str, at: int) -> dict[str, object]:
    """One trial: what was asked, whether the mishap came about, and what is wrong afterwards."""
    mishap = Mishap(kind, at)
    wrong = []
    with scratch(office.folder, office.state) as state, Trial(office, state, _COMMANDS) as trial:
        for command in act.before:
            code, said = trial.run(*command)
            assert code == 0, said
        code, said = trial.run(*act.command, mishap=mishap)
        if (code == KILLED) != (mishap.struck and kind.startswith("killed")):
            wrong.append(f"the command ended with {code}: {said}")
        code, said = trial.run("dispose", "recover")
        if code:
            wrong.append(f"recovery ended with {code}: {said}")
        wrong += out_of_order(office, state, act.ends)
        code, said = trial.run(*RUN)
        if code not in (0, 3):
            wrong.append(f"the next run ended with {code}: {said}")
        wrong += out_of_order(office, state, frozenset(WHERE))
        for command in (("fsck",), ("audit", "verify")):
            code, said = trial.run(*command)
            if code:
                wrong.append(f"{command[0]} ended with {code}: {said}")
        wrong += office.graph._books.breakdowns
    return {"made": mishap.made, "struck": mishap.struck, "wrong": wrong}


def out_of_order(office: ActingOffice, state: Path, ends: frozenset[str]) -> list[str]:
    """What is not in the tenant as it is on record, or must not be so at all."""
    wrong = []
    for name, record in office.records(state).items():
        try:
            where = office.where(name)
        except AssertionError as error:
            wrong.append(str(error))
            continue
        if where != WHERE.get(record):
            wrong.append(f"{name} is {where}, and on record as {record}")
        if record not in (ends if name in APPROVED else {"none"}):
            wrong.append(f"{name} is on record as {record}")
    return wrong


def mishaps(made: list[str]) -> Iterator[tuple[int, str]]:
    """What can befall which of these requests. What only asks is asked again by itself, and nothing comes of its answer
    being lost: there one mishap stands for all from which it recovers."""
    for at, request in enumerate(made):
        kinds = (STUMBLING, "away before", "killed before") if request.startswith("GET ") else BEFORE + AFTER
        for kind in kinds:
            yield at, kind


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_every_request_can_go_wrong_and_nothing_is_lost(
    office: ActingOffice, act: Act, record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """All of them with EVERY_FAULT in the environment; else one in fifteen, others each time."""
    began = time.monotonic()
    clean = apart(lambda: tried(office, act, "", -1))
    assert clean["wrong"] == []
    told = Counter[str]()
    wrong = []
    every = 1 if os.environ.get("EVERY_FAULT") else _ONE_IN
    first = random.randrange(every)
    for at, kind in list(mishaps(clean["made"]))[first::every]:
        found = apart(lambda at=at, kind=kind: tried(office, act, kind, at))
        request = f"{act.name}, request {at} ({clean['made'][at]}) {kind}"
        assert found["struck"], f"{request}: nothing went wrong"
        told[kind] += 1
        wrong += [f"{request}: {one}" for one in found["wrong"]]
    seconds = time.monotonic() - began
    tally = f"{office.kind}, {act.name}: {told.total()} mishaps, {len(clean['made'])} requests, {seconds:.0f} s"
    record_property("tally", tally)
    with capsys.disabled():
        sys.stdout.write(f"\n{tally}: {dict(told)}\n")
    assert not wrong, f"{len(wrong)} things went wrong:\n" + "\n".join(wrong[:40])
