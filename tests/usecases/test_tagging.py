"""Items of a service are told what was decided about them, as its settings say, and nothing of anybody else's is
replaced or forced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from agent.disposition.base import Keeper
from agent.usecases.tagging import Said, Tagged, Tagging
from connectors.base import Scope
from connectors.errors import (
    CheckedOut,
    ConnectorError,
    HeldAtSource,
    LabelledByOthers,
    LockedAtSource,
    NotSignedIn,
    PermissionDenied,
    RecordAtSource,
    ScopeUnavailable,
    SourceFault,
    Throttled,
)
from connectors.keeping import Target
from connectors.memory import MARK, ref_of
from connectors.memory_keeping import MemoryKeeping
from tests.disposition.kept_house import SHARE, KeptHouse
from tests.usecases.review_office import quiet

LETTERS = "Letters/a.txt", "Letters/b.txt"
LABEL = "Letters, one year"
SAID = Said({"letter": LABEL}, {"class": "Class", "due": "Due"})
COLUMNS = {"Class": "letter", "Due": "2021-05-18"}


class Asked(MemoryKeeping):
    """A keeping that remembers what it was asked, in order."""

    calls: list[str]

    def label(self, scope: Scope, target: Target, label: str) -> bytes:
        self.calls.append("label")
        return super().label(scope, target, label)

    def mark(self, scope: Scope, target: Target, marks: Mapping[str, str]) -> bytes:
        self.calls.append("mark")
        return super().mark(scope, target, marks)


class Letters:
    """Two letters that are kept by their source."""

    def __init__(self, folder: Path) -> None:
        self.house = KeptHouse(folder)
        self.keeping = Asked(self.house.memory, labels=frozenset({LABEL}))
        self.keeping.calls = []
        self.ids = [self.house.put_item(path) for path in LETTERS]
        self.house.scan()

    def tag(self, said: Said = SAID, *, remove: bool = False, dry_run: bool = False, acted: bool = True) -> Tagged:
        self.house.office.standings(self.house.day).bring_up_to_date(quiet)
        keepers = {SHARE: Keeper(self.keeping, self.house.memory.scope)} if acted else {}
        tagging = Tagging(self.house.catalogue, {}, keepers, {SHARE: said}, dry_run=dry_run)
        return tagging.tag(None, remove=remove, advance=quiet)

    def borne(self, path: str = LETTERS[0]) -> dict[str, str]:
        return dict(self.house.memory.item(ref_of(path.encode())).marks)

    def at_its_version(self, path: str = LETTERS[0]) -> bool:
        """Whether the catalogue knows the item as it is."""
        item_id = self.house.number(path)
        recorded = self.house.catalogue.reviews.items([item_id])[item_id].version
        return recorded == self.house.memory.item(ref_of(path.encode())).version


@pytest.fixture
def letters(tmp_path: Path) -> Iterator[Letters]:
    letters = Letters(tmp_path)
    yield letters
    letters.house.close()


def test_columns_are_written_before_the_label_and_every_version_of_ours_is_recorded(letters: Letters) -> None:
    told = letters.tag()
    assert (told.marked, told.labelled, told.as_before, told.left) == (2, 2, 0, {})
    assert letters.keeping.calls == ["mark", "label"] * 2, "a label may make a record of it"
    assert letters.borne() == {**COLUMNS, MARK: LABEL}
    assert all(map(letters.at_its_version, LETTERS))
    told = letters.tag()
    assert (told.marked, told.labelled, told.as_before, told.left) == (0, 0, 2, {})


def test_a_dry_run_asks_nothing_of_the_source(letters: Letters) -> None:
    told = letters.tag(dry_run=True)
    assert (told.marked, told.labelled, told.as_before) == (2, 2, 0)
    assert letters.keeping.calls == []
    assert letters.borne() == {}


def test_only_what_the_settings_name_is_written(letters: Letters) -> None:
    letters.tag(Said({}, {"state": "State"}))
    assert letters.borne() == {"State": "due"}
    assert letters.keeping.calls == ["mark"] * 2
    assert letters.tag(Said({"case": LABEL})).left == {"not_named": 2}
    assert letters.tag(acted=False).left == {"no_writer": 2}


def test_removing_empties_our_columns_and_leaves_the_label(letters: Letters) -> None:
    letters.tag()
    letters.keeping.calls.clear()
    assert letters.tag(remove=True).marked == 2
    assert letters.borne() == {MARK: LABEL}
    assert "label" not in letters.keeping.calls
    assert letters.tag(Said({"letter": LABEL}), remove=True).left == {"not_named": 2}


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (CheckedOut("x"), "checked_out"),
        (LockedAtSource("x"), "open"),
        (HeldAtSource("x"), "held_at_source"),
        (RecordAtSource("x"), "record_at_source"),
        (PermissionDenied("x"), "denied"),
    ],
)
def test_what_its_source_protects_is_left_and_told_by_its_obstacle(
    letters: Letters, error: ConnectorError, word: str
) -> None:
    letters.keeping.protect(letters.ids[0], error)
    told = letters.tag()
    assert (told.marked, told.left) == (1, {word: 1})
    assert letters.borne() == {}
    assert letters.borne(LETTERS[1]) == {**COLUMNS, MARK: LABEL}


def test_what_was_changed_since_it_was_decided_on_is_left(letters: Letters) -> None:
    letters.house.put_item(LETTERS[0], b"somebody has written on")
    told = letters.tag()
    assert (told.marked, told.left) == (1, {"changed": 1})
    assert letters.borne() == {}


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (Throttled("x", 3600.0), "throttled"),
        (NotSignedIn("x"), "not_signed_in"),
        (ScopeUnavailable("x"), "share_away"),
    ],
)
def test_a_source_that_would_refuse_the_next_item_too_is_not_asked_again(
    letters: Letters, error: ConnectorError, word: str
) -> None:
    letters.keeping.fail("mark", error)
    told = letters.tag()
    assert (told.marked, told.left) == (0, {word: 2})
    assert letters.keeping.calls == ["mark"]


def test_after_a_fault_that_leaves_open_what_was_done_no_label_follows(letters: Letters) -> None:
    letters.keeping.fail("mark", SourceFault("x"))
    assert letters.tag().left == {"source_fault": 2}
    assert "label" not in letters.keeping.calls


def test_a_fault_at_the_label_leaves_the_columns_written_and_recorded(letters: Letters) -> None:
    letters.keeping.fail("label", SourceFault("x"))
    told = letters.tag()
    assert (told.marked, told.labelled, told.left) == (2, 0, {"source_fault": 2})
    assert letters.borne() == COLUMNS
    assert letters.at_its_version()


def test_a_label_that_there_is_not_is_told_and_the_columns_are_written(letters: Letters) -> None:
    told = letters.tag(Said({"letter": "Of another tenant"}, {"class": "Class"}))
    assert (told.marked, told.labelled, told.left) == (2, 0, {"no_label": 2})
    assert letters.borne() == {"Class": "letter"}


def test_what_others_have_labelled_keeps_their_label(letters: Letters) -> None:
    letters.keeping.fail("label", LabelledByOthers("x"))
    told = letters.tag()
    assert (told.marked, told.labelled, told.left) == (2, 0, {"labelled_by_people": 2})
    assert letters.borne() == COLUMNS
    assert letters.tag().as_before == 0


def test_what_is_under_review_stays_at_its_version(letters: Letters) -> None:
    case = "Cases/1/a.txt"
    letters.house.put_item(case)
    letters.house.scan()
    letters.house.office.act("ann", letters.house.number(case))
    told = letters.tag(Said({}, {"class": "Class"}))
    assert (told.marked, told.left) == (2, {"under_review": 1})
    assert letters.borne(case) == {}


def test_what_has_gone_meanwhile_is_told(letters: Letters) -> None:
    letters.house.memory.remove(LETTERS[0].encode())
    assert letters.tag().left == {"gone": 1}
