"""Whatever happens in a drive and whenever, within runs and between them, the caller ends with what is true."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.connectors.microsoft365.callers import Caller
from tests.connectors.microsoft365.drives import Library, paths_of
from tests.emulator import Emulator
from tests.emulator.drive_items import Drive

EXAMPLES = 200 if "RETENTIOND_TEST_LONG" in os.environ else 20

NAMES = ("a", "b", "c")


def true_contents(drive: Drive) -> dict[str, bytes]:
    return {entry.id: drive.content(entry.id) for entry in drive.items() if not entry.is_folder}


class Person:
    """Somebody who works in a drive, by chance."""

    def __init__(self, drive: Drive, chance: random.Random) -> None:
        self.drive = drive
        self.chance = chance
        self.removed: list[str] = []
        self.changed: set[str] = set()  # ids of what is new or has other content
        self.number = 0

    def does(self, deeds: tuple[str, ...]) -> None:
        """One deed, if it can be done."""
        getattr(self, self.chance.choice(deeds))()

    def write(self) -> None:
        self.number += 1
        folder = self.chance.choice(["", *self._folders()])
        name = f"{self.chance.choice(NAMES)}.txt"
        path = f"{folder}/{name}" if folder else name
        if self._is_folder(path):
            return
        content = b"content %d" % self.chance.choice([self.number, 0])
        before = self._at(path)
        if before is None or self.drive.content(before) != content:
            self.changed.add(self.drive.put(path, content))
        else:
            self.drive.put(path, content)

    def make_folder(self) -> None:
        above = self.chance.choice(["", *self._folders()])
        path = f"{above}/{self.chance.choice(NAMES)}" if above else self.chance.choice(NAMES)
        if path.count("/") < 4 and self._at(path) is None:
            self.drive.folder(path)

    def move(self) -> None:
        entries = list(self.drive.items())
        if not entries:
            return
        entry = self.chance.choice(entries)
        above = self.chance.choice(["", *self._folders()])
        name = self.chance.choice(NAMES) + ("" if entry.is_folder else ".txt")
        path = f"{above}/{name}" if above else name
        if self._at(path) is None and not f"{path}/".startswith(f"{entry.path}/") and path.count("/") < 6:
            self.drive.move(entry.id, path)

    def remove(self) -> None:
        entries = list(self.drive.items())
        if entries:
            entry = self.chance.choice(entries)
            self.drive.remove(entry.id)
            self.removed.append(entry.id)

    def restore(self) -> None:
        if self.removed:
            removed = self.removed.pop(self.chance.randrange(len(self.removed)))
            recycled = self.drive.site.recycle_bin.of(removed)
            if recycled is None or self.drive.path_of(removed) is not None:
                return
            try:
                parent = self.drive.at(recycled.folder)
            except KeyError:
                return
            if recycled.node.name.lower() not in (parent.children or {}):
                self.drive.restore(removed)

    def touch(self) -> None:
        files = [entry for entry in self.drive.items() if not entry.is_folder]
        if files:
            self.drive.touch(self.chance.choice(files).id)

    def _folders(self) -> list[str]:
        return [entry.path for entry in self.drive.items() if entry.is_folder]

    def _at(self, path: str) -> str | None:
        try:
            return self.drive.id_of(path)
        except KeyError:
            return None

    def _is_folder(self, path: str) -> bool:
        return path in self._folders()


EVERYTHING = ("write", "write", "make_folder", "move", "move", "remove", "restore", "touch")
NOTHING_GOES = ("write", "make_folder", "move", "move", "touch")


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@dataclass(frozen=True)
class World:
    """How the feed behaves, and how the caller does."""

    seed: int
    page_items: int
    lag: int
    tells_children_of_deleted: bool
    tells_parents: bool
    tells_twice: int
    delta_hashes: bool
    empty_last_page: bool


WORLDS = st.builds(
    World,
    seed=st.integers(0, 2**32),
    page_items=st.sampled_from([1, 2, 3, 7]),
    lag=st.sampled_from([0, 1, 3, 100]),
    tells_children_of_deleted=st.booleans(),
    tells_parents=st.booleans(),
    tells_twice=st.sampled_from([0, 2]),
    delta_hashes=st.booleans(),
    empty_last_page=st.booleans(),
)
OFTEN = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def made(emulator: Emulator, world: World) -> tuple[Library, Person, random.Random]:
    chance = random.Random(world.seed)
    app = emulator.tenant.add_app(roles={"Sites.Read.All"})
    drive = emulator.tenant.add_site(f"S{emulator.tenant.unique()}").add_library("Documents")
    for quirk in ("tells_children_of_deleted", "tells_parents", "tells_twice", "delta_hashes", "empty_last_page"):
        setattr(drive.quirks, quirk, getattr(world, quirk))
    return Library(emulator, app, drive, page_items=world.page_items), Person(drive, chance), chance


@given(WORLDS)
@OFTEN
def test_whatever_happens_between_and_within_runs_the_caller_ends_with_what_is_true(
    emulator: Emulator, world: World
) -> None:
    there, person, chance = made(emulator, world)
    caller = Caller(there.drive, world.lag)
    for _ in range(chance.randrange(1, 6)):
        for _ in range(chance.randrange(12)):
            person.does(EVERYTHING)
        if chance.random() < 0.2:
            there.drive.expire_tokens()
        if chance.random() < 0.2:
            there.emulator.clock.advance(8 * 86_400)
        dies_after = chance.choice([None, None, 1, 2, 4])
        for number, page in enumerate(there.another_connector().changes(there.scope, caller, caller.cursor), 1):
            caller.take(page)
            if number == dies_after:
                caller.lose()
                break
            if chance.random() < 0.3:
                person.does(EVERYTHING)
            if number < 3 and chance.random() < 0.1:
                there.drive.expire_tokens()
        else:
            caller.finish()

    there.run(caller)
    there.run(caller)

    assert caller.paths == paths_of(there.drive)
    assert caller.contents() == true_contents(there.drive)


@given(WORLDS)
@OFTEN
def test_only_what_is_new_or_has_other_content_is_read(emulator: Emulator, world: World) -> None:
    there, person, chance = made(emulator, world)
    caller = Caller(there.drive, world.lag)
    for _ in range(20):
        person.does(EVERYTHING)
    there.run(caller)
    person.changed.clear()
    caller.read.clear()
    before = true_contents(there.drive)
    for _ in range(chance.randrange(20)):
        person.does(NOTHING_GOES)

    there.run(caller)

    now = true_contents(there.drive)
    assert caller.paths == paths_of(there.drive)
    assert caller.contents() == now
    assert set(caller.read) == {item_id for item_id, content in now.items() if before.get(item_id) != content}
