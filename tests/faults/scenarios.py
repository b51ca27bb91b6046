"""What is done under fault: how each case is prepared, and what then happens."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.catalogue.disposal_rows import Disposal
from agent.model.disposal import DisposalState
from tests.disposition.house import House

MODE, MARK, MOMENT = 0o640, b"kept", 1_589_716_800_123_456_789
REMAINS, NEW = b"what remains\n", b"a new file in its place"
CASES: Mapping[str, bytes] = {
    "Cases/1/a.txt": b"the first case\n" * 7_000,
    "Cases/1/b.txt": b"the second case",
    "Cases/2/empty.txt": b"",
}
LETTER: Mapping[str, bytes] = {"Letters/stays.txt": b"a letter that nobody has approved"}
NAMES: Mapping[str, bytes] = {"Names/a.txt": b"Jane Doe wrote this\n" * 300, "Names/b.txt": b"John Roe too"}


@dataclass(frozen=True, slots=True)
class Scenario:
    """`files` are in the share and approved unless they are among `stay`. `before` is done without faults, `act` under
    them. `ends` is the state in which the disposals end if nothing goes wrong."""

    name: str
    files: Mapping[str, bytes]
    act: Callable[[House], None]
    ends: frozenset[str]
    before: Callable[[House], None] | None = None
    stay: frozenset[str] = frozenset(LETTER)
    remains: bool = False
    newcomers: frozenset[str] = field(default=frozenset())


def quarantine(house: House) -> None:
    house.take()


def anonymise(house: House) -> None:
    house.derive = _what_remains
    house.take()


def _what_remains(disposal: Disposal, source: int, target: int) -> str:
    """Stands for anonymising: of any file the same line remains."""
    os.write(target, REMAINS)
    return ""


def restore(house: House) -> None:
    for disposal in house.catalogue.disposals.of_state(DisposalState.QUARANTINED):
        house.restoring().give_back(disposal, disposal.ref, "needed for an appeal")


def destroy(house: House) -> None:
    house.destroy()


def erase(house: House) -> None:
    house.erase()


def destroy_one(house: House) -> None:
    house.destroy(house.ripe()[:1])


def newcomer(house: House) -> None:
    """While the files are in the hold they turn out to have changed, and somebody has put others in their places."""

    def comes(disposal: Disposal, source: int, target: int) -> str:
        place = house.share / os.fsdecode(disposal.ref.path)
        if not place.exists():
            with open(place, "wb") as file:
                file.write(NEW)
                file.flush()
                os.fsync(file.fileno())
            folder = os.open(place.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        raise InterruptedError  # as good as a crash while what remains is made

    house.derive = comes
    try:
        house.take()
    except InterruptedError:
        house.recover()


_S = DisposalState
SCENARIOS = (
    Scenario("quarantine", {**CASES, **LETTER}, quarantine, frozenset({_S.QUARANTINED})),
    Scenario("anonymise", {**NAMES, **LETTER}, anonymise, frozenset({_S.QUARANTINED}), remains=True),
    Scenario("restore", {**CASES, **LETTER}, restore, frozenset({_S.RESTORED}), before=quarantine),
    Scenario("destroy", {**CASES, **LETTER}, destroy, frozenset({_S.DESTROYED}), before=quarantine),
    Scenario(
        "erase",
        {**CASES, **LETTER},
        erase,
        frozenset({_S.ERASED, _S.QUARANTINED}),
        before=lambda house: _one_gone(house),
    ),
    Scenario(
        "newcomer",
        {"Names/a.txt": NAMES["Names/a.txt"], **LETTER},
        newcomer,
        frozenset({_S.CONFLICT}),
        newcomers=frozenset({"Names/a.txt"}),
    ),
)


def _one_gone(house: House) -> None:
    quarantine(house)
    destroy_one(house)


def prepare(folder: Path, scenario: Scenario) -> None:
    """The share with its files, scanned, and all but those that stay approved by two people."""
    house = House(folder)
    for path, content in scenario.files.items():
        file = house.put(path, content)
        file.chmod(MODE)
        os.setxattr(file, "user.test", MARK)
        os.utime(file, ns=(MOMENT, MOMENT))
    house.scan()
    house.approve(*(path for path in scenario.files if path not in scenario.stay))
    house.outlook()  # brings up to date how everything stands
    if scenario.before is not None:
        scenario.before(house)
    house.close()
