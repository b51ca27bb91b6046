"""What is done under fault: how each case is prepared, and what then happens."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.age.keys import new_identity
from agent.age.message import decrypt
from agent.catalogue.disposal_rows import Disposal
from agent.minimisation.base import OUTCOME_SUFFIX
from agent.model.disposal import DisposalState
from agent.usecases.hand_back import Addressee, HandingBack
from tests.disposition.house import RULES, House
from tests.faults.older import an_older_catalogue, not_as_it_was

MODE, MARK, MOMENT = 0o640, b"kept", 1_589_716_800_123_456_789
REMAINS, NEW = b"what remains\n", b"a new file in its place"
CASES: Mapping[str, bytes] = {
    "Cases/1/a.txt": b"the first case\n" * 7_000,
    "Cases/1/b.txt": b"the second case",
    "Cases/2/empty.txt": b"",
}
LETTER: Mapping[str, bytes] = {"Letters/stays.txt": b"a letter that nobody has approved"}
NAMES: Mapping[str, bytes] = {"Names/a.txt": b"Jane Doe wrote this\n" * 300, "Names/b.txt": b"John Roe too"}
OUTCOMES: Mapping[str, bytes] = {"Outcomes/a.txt": b"It was granted.\n" * 300, "Outcomes/b.txt": b"It was refused."}
RETURNS: Mapping[str, bytes] = {"Returns/a.txt": b"what is theirs\n" * 300, "Returns/deep/b.txt": b"theirs too"}
WRITES = frozenset({"pwrite64", "fdatasync"})  # what a database does
_IDENTITY, _RECIPIENT = new_identity()


@dataclass(frozen=True, slots=True)
class Scenario:
    """`files` are in the share and approved unless they are among `stay`. `before` is done without faults, `act` under
    them. `ends` is the state in which the disposals end if nothing goes wrong. `remains` is what the name of a file
    has behind it where something remains of it; none if nothing does. `further` tells what else is wrong afterwards.
    `old` lays down a catalogue of its own, which opening brings up to date. `meets` are calls that are made by it in
    any case: were one of these never met, the rig would be blind."""

    name: str
    files: Mapping[str, bytes]
    act: Callable[[House], None]
    ends: frozenset[str]
    before: Callable[[House], None] | None = None
    stay: frozenset[str] = frozenset(LETTER)
    remains: str | None = None
    newcomers: frozenset[str] = field(default=frozenset())
    further: Callable[[House], list[str]] = lambda house: []
    old: Callable[[Path], None] | None = None
    meets: frozenset[str] = frozenset({*WRITES, "fsync"})


def quarantine(house: House) -> None:
    house.take()


def _quarantine_with_notes(house: House) -> None:
    house.note = lambda disposal: b"It was removed.\n"
    quarantine(house)


def anonymise(house: House) -> None:
    house.derive = _what_remains
    house.take()


def minimise(house: House) -> None:
    def outcome(disposal: Disposal, source: int, target: int) -> str:
        return _what_remains(disposal, source, target) + OUTCOME_SUFFIX

    house.derive = outcome
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


def hand_back(house: House) -> None:
    """Exported, confirmed, destroyed."""
    desk = _desk(house)
    bundle, _ = desk.export(desk.pending(), Addressee("Acme", (_RECIPIENT,)), house.office.now(), "ann")
    house.catalogue.bundles.confirm(bundle.number, house.office.now(), "ann", "signed for")
    house.destroy()


def _desk(house: House) -> HandingBack:
    return HandingBack(house.catalogue, RULES, house.vault, house.folder / "outbox")


def not_handed_over(house: House) -> list[str]:
    """Exports that are recorded and not whole, and what was destroyed without one that has arrived."""
    found, confirmed = [], set()
    for bundle in house.catalogue.bundles.all():
        file = house.folder / "outbox" / bundle.file_name
        data = file.read_bytes() if file.is_file() else b""
        if hashlib.sha256(data).digest() != bundle.sha256 or _exported(data) != {*RETURNS.values()}:
            found.append(f"export {bundle.number} is recorded, and LOST or not whole")
        elif bundle.confirmed_at is not None:
            confirmed.add(bundle.number)
    gone = house.catalogue.disposals.of_state(DisposalState.DESTROYING, DisposalState.DESTROYED)
    found += [f"disposal {one.number} went before it was handed over" for one in gone if one.bundle not in confirmed]
    return found


def _exported(data: bytes) -> set[bytes]:
    with tarfile.open(fileobj=io.BytesIO(decrypt(data, _IDENTITY))) as tar:
        items = [tar.extractfile(name) for name in tar.getnames() if name.startswith("items/")]
        return {item.read() for item in items if item is not None}


def withdraw(house: House) -> None:
    """A recovery finds that something came up after a destruction was cut off."""
    house.recover()


def _cut_off_and_paused(house: House) -> None:
    quarantine(house)
    house.catalogue.disposals.destroying(house.ripe(), house.office.now(), "operator", house.day)
    house.catalogue.pauses.begin(house.office.now(), "ann", "an inquiry")


def _kept_in_vault(house: House) -> list[str]:
    gone = house.catalogue.disposals.of_state(DisposalState.DESTROYED)
    return [f"disposal {one.number} was destroyed during a pause" for one in gone]


def migrate(house: House) -> None:
    """Opening the house has brought its catalogue up to date."""


def destroy_one(house: House) -> None:
    house.destroy(house.ripe()[:1])


def newcomer(house: House) -> None:
    """While the files are in the hold they turn out to have changed, and somebody has put others in their places."""

    def comes(disposal: Disposal, source: int, target: int) -> str:
        place = house.share / os.fsdecode(disposal.ref.path)
        if not place.exists():
            written = place.with_name("being written")  # what is cut off here is theirs, and was not in its place yet
            with open(written, "wb") as file:
                file.write(NEW)
                file.flush()
                os.fsync(file.fileno())
            os.rename(written, place)
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
    Scenario("anonymise", {**NAMES, **LETTER}, anonymise, frozenset({_S.QUARANTINED}), remains=""),
    Scenario("minimise", {**OUTCOMES, **LETTER}, minimise, frozenset({_S.QUARANTINED}), remains=OUTCOME_SUFFIX),
    Scenario("restore", {**CASES, **LETTER}, restore, frozenset({_S.RESTORED}), before=_quarantine_with_notes),
    Scenario(
        "hand back",
        {**RETURNS, **LETTER},
        hand_back,
        frozenset({_S.DESTROYED}),
        before=quarantine,
        further=not_handed_over,
    ),
    Scenario(
        "withdraw",
        {**CASES, **LETTER},
        withdraw,
        frozenset({_S.QUARANTINED}),
        before=_cut_off_and_paused,
        further=_kept_in_vault,
        meets=WRITES,
    ),
    Scenario(
        "migrate",
        LETTER,
        migrate,
        frozenset(),
        further=lambda house: not_as_it_was(house.folder / "catalogue.sqlite"),
        old=an_older_catalogue,
        meets=WRITES,
    ),
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
    _lay_out(house, scenario)
    if scenario.old is not None:
        house.close()
        for file in folder.glob("catalogue.sqlite*"):
            file.unlink()
        scenario.old(folder / "catalogue.sqlite")
        return
    house.scan()
    house.approve(*(path for path in scenario.files if path not in scenario.stay))
    house.outlook()  # brings up to date how everything stands
    if scenario.before is not None:
        scenario.before(house)
    house.close()


def _lay_out(house: House, scenario: Scenario) -> None:
    for path, content in scenario.files.items():
        file = house.put(path, content)
        file.chmod(MODE)
        os.setxattr(file, "user.test", MARK)
        os.utime(file, ns=(MOMENT, MOMENT))
