"""A short soak finds nothing in the service; and what it is there to find, it finds."""

from __future__ import annotations

import hashlib
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from agent.catalogue.store import Catalogue
from agent.errors import ExitCode
from tests.soak.book import Book
from tests.soak.census import Census
from tests.soak.colleagues import Colleagues
from tests.soak.command import Command
from tests.soak.findings import Findings
from tests.soak.keeper import Keeper
from tests.soak.officers import Officers
from tests.soak.place import ADMINISTRATOR, Place
from tests.soak.processes import below, ended, kill, memory_bytes
from tests.soak.samples import Sample, growth
from tests.soak.soak import Soak, Wanted
from tests.soak.telling import facts, lines


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(
    "RETENTIOND_TEST_SOAK" not in os.environ, reason="takes minutes; make soak, or RETENTIOND_TEST_SOAK"
)
def test_a_short_soak_with_kills_finds_nothing(tmp_path: Path) -> None:
    result = Soak(Wanted(60, seed=11, folder=tmp_path / "soak", kill_every_seconds=15, files=40)).run()

    told = facts(result)
    assert result.findings.told == [], "\n".join(lines(result))
    assert told["good"]
    assert told["done"]["fsck: items accounted for"] > 40
    assert told["service"]["samples"] > 5


class Played:
    """A place without any service, in which the test does by hand what a service must not do."""

    def __init__(self, folder: Path) -> None:
        self.findings = Findings()
        self.place = Place(folder)
        self.book = Book(self.place, self.findings)
        self.place.state.mkdir()
        Catalogue.open(self.place.state / "catalogue.sqlite").close()
        chance = random.Random(1)
        self.keeper = Keeper(self.place, self.findings, chance)
        self.census = Census(self.place, self.book, self.keeper, self.findings)
        self.colleagues = Colleagues(self.place, self.book, self.findings, chance)
        self.colleagues.fill(5)

    @property
    def kinds(self) -> dict[str, int]:
        return dict(self.findings.kinds)

    @property
    def one(self) -> bytes:
        return next(iter(self.book.files))

    def at(self, path: bytes) -> bytes:
        return self.place.at(path)


@pytest.fixture
def played(tmp_path: Path) -> Played:
    return Played(tmp_path / "soak")


def test_what_people_do_themselves_is_no_finding(played: Played) -> None:
    for seed_of_acts in range(3):
        for act in played.colleagues.acts:
            act()
        assert played.kinds == {}, seed_of_acts
    played.book.check(at_rest=True)
    played.book.check_share()

    assert played.findings.told == []


def test_a_file_that_goes_without_approval_is_found(played: Played) -> None:
    os.unlink(played.at(played.one))

    played.book.check()
    assert played.kinds == {}, "it may be on its way back"
    played.book.check(at_rest=True)

    assert played.kinds == {"file gone that nobody approved": 1}


def test_an_approved_file_may_go_and_come_back_only_as_it_was(played: Played) -> None:
    path = played.one
    content = Path(os.fsdecode(played.at(path))).read_bytes()
    played.book.approved(path)
    os.unlink(played.at(path))
    played.book.check(at_rest=True)
    assert played.kinds == {}

    Path(os.fsdecode(played.at(path))).write_bytes(content)
    played.book.restored(path)
    assert played.kinds == {}

    played.book.approved(path)
    os.unlink(played.at(path))
    played.book.check(at_rest=True)
    Path(os.fsdecode(played.at(path))).write_bytes(content[:-1])
    played.book.restored(path)
    assert played.kinds == {"restore": 1}


def test_an_approval_does_not_outlive_a_change(played: Played) -> None:
    played.book.approved(played.one)
    played.book.touched(played.one, hashlib.sha256(b"other").hexdigest())
    os.unlink(played.at(played.one))
    played.book.check(at_rest=True)

    assert played.kinds == {"file gone that nobody approved": 1}


def test_a_held_file_that_changes_or_goes_is_found(played: Played) -> None:
    changed, gone = list(played.book.files)[:2]
    for number, path in enumerate((changed, gone)):
        played.book.held(f"Claim {number}", path.rpartition(b"/")[0])
    with open(played.at(changed), "ab") as file:
        file.write(b"x")
    os.unlink(played.at(gone))
    played.book.check(at_rest=True)

    assert played.kinds == {"held file changed": 1, "held file gone": 1}


def test_a_file_that_nobody_wrote_is_found(played: Played) -> None:
    Path(os.fsdecode(played.at(b"Old/A0/draft-1"))).write_text("left over")
    played.book.check_share()

    assert played.kinds == {"foreign file": 1}


def test_a_census_without_any_service_finds_every_file_uncounted(played: Played) -> None:
    played.census.take("now")

    assert played.kinds == {"not in the catalogue": 5}


def test_a_command_that_ends_with_a_defect_is_found_and_a_refusal_is_counted(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = Command(played.place, played.findings)
    command.run(ADMINISTRATOR, "jobs", "run", "disposition")  # there is no service yet, and so no job
    assert played.kinds == {}
    assert sum(played.findings.refused.values()) == 1
    command.run(ADMINISTRATOR, "jobs", "run", "disposition", expected=frozenset({ExitCode.OK}))
    assert played.kinds == {"command": 1}

    def fail(_: object) -> None:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr("agent.catalogue.jobs.JobRecords.all", fail)
    answer = command.run(ADMINISTRATOR, "jobs", "list")
    assert answer.code == ExitCode.DEFECT
    assert "a bug of ours" in played.findings.told[-1]


def test_officers_leave_an_empty_estate_alone(played: Played) -> None:
    officers = Officers(
        played.place, played.book, Command(played.place, played.findings), played.findings, random.Random(2)
    )
    officers.approve()
    officers.reject()
    officers.restore()

    assert played.kinds == {}


def _samples(*sizes_mb: int, descriptors: int = 20) -> list[Sample]:
    one = Sample(0.0, 1, 0, 0, 0.0, descriptors, 5, 0, 0, 0, 0.0, 0, 0)
    return [replace(one, at=20.0 * number, rss=size * 2**20) for number, size in enumerate(sizes_mb)]


def test_growth_is_told_from_a_plateau() -> None:
    loading = [10, 60, 90]
    plateau = growth(_samples(*loading, *[100, 103] * 15))
    leak = growth(_samples(*loading, *(100 + 3 * number for number in range(30))))

    assert plateau is not None
    assert leak is not None
    assert not plateau.of_memory
    assert leak.of_memory
    assert growth(_samples(*loading, 100)) is None, "too short to tell"


def test_descriptors_that_are_left_open_are_told() -> None:
    samples = [replace(one, descriptors=20 + number // 3) for number, one in enumerate(_samples(*[100] * 40))]
    grown = growth(samples)

    assert grown is not None
    assert grown.of_descriptors
    assert not grown.of_memory


def test_processes_are_found_below_and_ended() -> None:
    import subprocess
    import sys

    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        (found,) = (one for one in below(os.getpid()) if one[0] == child.pid)
        assert not ended(found)
        assert memory_bytes(child.pid) > (0, 0)
        kill(found)
        child.wait()
        assert ended(found)
