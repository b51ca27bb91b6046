"""Files dropped into a folder are imported once, whenever the machine stops, and none is lost or replaced."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.catalogue.store import Catalogue
from agent.errors import CatalogueError, UsageError
from agent.usecases.event_folder import DropFolder, Dropped, Fate
from agent.usecases.events import EventRegister, Proposal
from tests.usecases.event_office import a_register, an_office

GOOD = "event,key,value,on\ncase_closed,case,1,2024-01-01\ncase_closed,case,2,2024-01-01\n"
BAD = "event,key,value,on\ncase_closed,case,3,2024-02-31\n"


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with an_office(tmp_path / "catalogue.sqlite", ["Other/letter.docx"]) as office:
        yield office


@pytest.fixture
def register(catalogue: Catalogue) -> EventRegister:
    return a_register(catalogue)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "drop"
    path.mkdir()
    return path


def _drop(folder: Path, name: str, text: str, age_seconds: float = 60) -> Path:
    file = folder / name
    file.write_text(text)
    then = time.time() - age_seconds
    os.utime(file, (then, then))
    return file


def _run(
    folder: Path,
    register: EventRegister,
    accept: Callable[[str, Proposal], int | None] | None = None,
    **options: bool | float,
) -> list[Dropped]:
    take = accept or (lambda name, proposal: len(register.accept(proposal)))
    return list(DropFolder(os.fsencode(folder), register, take, time.time, **options).run())  # type: ignore[arg-type]


def _tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_files_are_imported_and_moved_and_refused_ones_lie_with_their_problems(
    folder: Path, register: EventRegister, catalogue: Catalogue
) -> None:
    _drop(folder, "b.csv", GOOD)
    _drop(folder, "a.CSV", BAD)
    _drop(folder, "c.csv", GOOD.replace("1,2024", "4,2024"))
    _drop(folder, "notes.txt", "no table")
    refused = (
        "a.CSV: 1 problem; nothing was imported.\n"
        'a.CSV:2: on: "2024-02-31" is not a day: that month runs from the 1st to 29 February 2024.'
    )
    overlap = "c.csv: 1 problem; nothing was imported.\nc.csv:3: This event is recorded already, as number 2."
    assert _run(folder, register) == [
        Dropped("a.CSV", Fate.REFUSED, why=refused),
        Dropped("b.csv", Fate.IMPORTED, 2),
        Dropped("c.csv", Fate.REFUSED, why=overlap),
    ]
    assert _tree(folder) == [
        "done/b.csv", "notes.txt", "refused/a.CSV", "refused/a.CSV.txt", "refused/c.csv", "refused/c.csv.txt",
    ]  # fmt: skip
    assert (folder / "refused" / "a.CSV.txt").read_text() == refused + "\n"
    assert len(catalogue.events.in_force()) == 2
    assert _run(folder, register) == []


def test_a_file_that_was_imported_but_not_moved_is_moved_and_not_imported_again(
    folder: Path, register: EventRegister, catalogue: Catalogue
) -> None:
    """The machine stopped between the two."""
    _drop(folder, "a.csv", GOOD)

    def stop(name: str, proposal: Proposal) -> int:
        register.accept(proposal)
        raise CatalogueError("the machine stops here")

    with pytest.raises(CatalogueError):
        _run(folder, register, stop)
    assert _tree(folder) == ["a.csv"]
    assert len(catalogue.events.in_force()) == 2

    assert _run(folder, register) == [Dropped("a.csv", Fate.IMPORTED_BEFORE)]
    assert _tree(folder) == ["done/a.csv"]
    assert len(tuple(catalogue.events.all())) == 2


def test_a_file_whose_events_were_withdrawn_since_is_not_imported_again_either(
    folder: Path, register: EventRegister, catalogue: Catalogue
) -> None:
    _drop(folder, "a.csv", GOOD)
    _run(folder, register)
    for number in (1, 2):
        register.accept(register.propose_withdrawal(number, "no"))
    _drop(folder, "again.csv", GOOD)
    assert _run(folder, register) == [Dropped("again.csv", Fate.IMPORTED_BEFORE)]
    assert catalogue.events.in_force() == ()


def test_a_file_that_another_run_imports_at_the_same_time_is_imported_once(
    folder: Path, register: EventRegister, catalogue: Catalogue
) -> None:
    _drop(folder, "a.csv", GOOD)

    def overtaken(name: str, proposal: Proposal) -> int:
        a_register(catalogue, by="another run").accept(proposal)
        return len(register.accept(proposal))

    assert _run(folder, register, overtaken) == [Dropped("a.csv", Fate.IMPORTED_BEFORE)]
    assert len(catalogue.events.in_force()) == 2


@pytest.mark.parametrize("age", [0, 4, -4])
def test_a_file_still_being_written_is_left_for_the_next_run(
    folder: Path, register: EventRegister, catalogue: Catalogue, age: float
) -> None:
    _drop(folder, "a.csv", BAD, age)
    left = Dropped("a.csv", Fate.LEFT, why="a.csv: it is still being written, and is left for the next run.")
    assert _run(folder, register) == [left]
    assert _tree(folder) == ["a.csv"]
    assert _run(folder, register, settled_after_seconds=0.0)[0].fate is Fate.REFUSED


def test_a_file_that_is_not_wanted_stays(folder: Path, register: EventRegister) -> None:
    _drop(folder, "a.csv", GOOD)
    left = Dropped("a.csv", Fate.LEFT, why="a.csv: it was not accepted, and is left where it is.")
    assert _run(folder, register, lambda name, proposal: None) == [left]
    assert _tree(folder) == ["a.csv"]


def test_a_dry_run_moves_nothing(folder: Path, register: EventRegister, catalogue: Catalogue) -> None:
    _drop(folder, "a.csv", GOOD)
    _drop(folder, "b.csv", BAD)
    fates = [one.fate for one in _run(folder, register, lambda name, proposal: len(proposal.added), dry_run=True)]
    assert fates == [Fate.IMPORTED, Fate.REFUSED]
    assert sorted(os.listdir(folder)) == ["a.csv", "b.csv"]
    assert catalogue.events.in_force() == ()


def test_what_may_be_planned_or_unawaited_is_passed_on(folder: Path, register: EventRegister) -> None:
    _drop(folder, "a.csv", "event,key,value,on\nwedding,case,1,2030-01-01\n")
    assert _run(folder, register, planned=True, unawaited=True) == [Dropped("a.csv", Fate.IMPORTED, 1)]


def test_nothing_in_done_or_refused_is_ever_replaced(folder: Path, register: EventRegister) -> None:
    for number in range(3):
        _drop(folder, "a.csv", GOOD.replace("case,", f"case,{number}"))
        _drop(folder, "b.csv", BAD)
        _run(folder, register)
    assert sorted(os.listdir(folder / "done")) == ["a (2).csv", "a (3).csv", "a.csv"]
    assert sorted(os.listdir(folder / "refused")) == [
        "b (2).csv", "b (2).csv.txt", "b (3).csv", "b (3).csv.txt", "b.csv", "b.csv.txt",
    ]  # fmt: skip


def test_problems_left_over_without_their_file_are_not_replaced_either(folder: Path, register: EventRegister) -> None:
    """The machine stopped between writing the problems and moving the file; or someone put a link there."""
    (folder / "refused").mkdir()
    (folder / "refused" / "b.csv.txt").symlink_to(folder / "victim")
    _drop(folder, "b.csv", BAD)
    _run(folder, register)
    assert not (folder / "victim").exists()
    assert (folder / "refused" / "b (2).csv.txt").exists()


def test_only_plain_files_are_read(folder: Path, register: EventRegister, tmp_path: Path) -> None:
    secret = _drop(tmp_path, "secret.csv", GOOD)
    (folder / "link.csv").symlink_to(secret)
    os.mkfifo(folder / "pipe.csv")
    (folder / "sub.csv").mkdir()
    assert _run(folder, register, settled_after_seconds=0.0) == [
        Dropped("link.csv", Fate.UNREADABLE, why="link.csv: it cannot be read (Too many levels of symbolic links)."),
        Dropped("pipe.csv", Fate.UNREADABLE, why="pipe.csv: it cannot be read (it is not a plain file)."),
        Dropped("sub.csv", Fate.UNREADABLE, why="sub.csv: it cannot be read (it is not a plain file)."),
    ]


@pytest.mark.parametrize("how", ["written to", "replaced"])
def test_a_file_that_changes_while_it_is_imported_stays_for_the_next_run(
    folder: Path, register: EventRegister, catalogue: Catalogue, how: str
) -> None:
    file = _drop(folder, "a.csv", GOOD)

    def meanwhile(name: str, proposal: Proposal) -> int:
        if how == "replaced":
            file.unlink()
        _drop(folder, "a.csv", GOOD.replace("case,", "case,later "))
        return len(register.accept(proposal))

    assert _run(folder, register, meanwhile) == [Dropped("a.csv", Fate.IMPORTED, 2)]
    assert _tree(folder) == ["a.csv"]
    assert _run(folder, register) == [Dropped("a.csv", Fate.IMPORTED, 2)]
    assert len(catalogue.events.in_force()) == 4


@pytest.mark.parametrize("fate", [Fate.IMPORTED, Fate.REFUSED])
def test_a_file_that_cannot_be_moved_is_told(folder: Path, register: EventRegister, fate: Fate) -> None:
    file = _drop(folder, "a.csv", GOOD)

    def taken_away(name: str, proposal: Proposal) -> int:
        file.unlink()
        if fate is Fate.REFUSED:
            raise UsageError("This cannot be.")
        return len(register.accept(proposal))

    (one,) = _run(folder, register, taken_away)
    assert one.fate is fate
    refused = ["This cannot be."] if fate is Fate.REFUSED else []
    assert one.why.splitlines() == [*refused, "a.csv: it cannot be moved away (No such file or directory)."]


def test_a_folder_that_cannot_serve_is_told_before_anything_is_recorded(
    folder: Path, register: EventRegister, catalogue: Catalogue, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"nowhere: events cannot be taken from this folder \(No such file"):
        _run(folder / "nowhere", register)
    _drop(folder, "a.csv", GOOD)
    (folder / "done").write_text("")
    with pytest.raises(UsageError, match=r"drop/done: events cannot be taken from this folder \(File exists\)"):
        _run(folder, register)
    (folder / "done").unlink()
    (folder / "done").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="drop/done: this must be a folder of its own, not a link"):
        _run(folder, register)
    assert catalogue.events.in_force() == ()


def test_names_of_any_bytes_are_taken(folder: Path, register: EventRegister, catalogue: Catalogue) -> None:
    name = os.fsencode(folder) + b"/caf\xe9\n.csv"
    os.rename(_drop(folder, "a.csv", GOOD), name)
    os.rename(_drop(folder, "a.csv", BAD), name.replace(b"caf", b"bad"))
    assert [(one.name, one.fate) for one in _run(folder, register)] == [
        ("bad\\xe9\\x0a.csv", Fate.REFUSED),
        ("caf\\xe9\\x0a.csv", Fate.IMPORTED),
    ]
    assert os.listdir(os.fsencode(folder / "done")) == [b"caf\xe9\n.csv"]
    (first, _) = catalogue.events.all()
    assert first.origin.startswith("import caf\\xe9\\x0a.csv sha256:")
