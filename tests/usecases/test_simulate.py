"""Another day or another schedule is compared with now, item by item, and nothing is changed by it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from agent.usecases import simulate
from agent.usecases.simulate import Changes, Comparison
from tests.usecases.standing_office import OTHER_SCHEDULE, SCHEDULE, TODAY, Office, an_office, terms

FILES = (
    "Staff/Jane Doe/contract.docx",
    "Cases/14/Letters/a.docx",
    "Cases/14/Report/final.docx",
    "Other/note.txt",
    "Elsewhere/photo.jpg",
)
LATER = date(2026, 9, 30)
HIDING = OTHER_SCHEDULE.replace("P4Y", "P5Y")  # the key "case" is hidden, and nothing else is different


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with an_office(tmp_path / "catalogue.sqlite") as office:
        office.file(*FILES, modified=date(2021, 9, 1))
        office.happen("closed", "case", "14", date(2026, 5, 1))
        yield office


def compared(office: Office, *, text: str = SCHEDULE, day: date = TODAY) -> Comparison:
    return Comparison(office.catalogue, office.terms, TODAY, terms(text), day)


def counted(comparison: Comparison, shown: int = 10) -> tuple[Changes, list[str]]:
    changes, first = comparison.changes(shown, lambda items: None)
    return changes, [one.record.path for one in first]


def test_without_any_difference_nothing_changes(office: Office) -> None:
    changes, first = counted(compared(office))
    assert (changes.items, changes.changed, first) == (5, 0, [])
    assert changes.before == changes.after == {"waiting": 1, "due": 1, "keep": 2, "unclassified": 1}


def test_another_day_makes_what_is_kept_due_and_does_not_touch_its_date(office: Office) -> None:
    changes, first = counted(compared(office, day=LATER))
    assert first == ["Other/note.txt"]
    assert (changes.changed, changes.becomes_due, changes.no_longer_due) == (1, 1, 0)
    assert (changes.changes_date, changes.changes_class) == (0, 0)
    assert (changes.before["due"], changes.after["due"]) == (1, 2)
    assert changes.due_by_class == {"letter": 1, "other": 1}
    assert changes.due_by_outcome == {"destroy": 2}
    assert changes.due_bytes == 200


def test_a_shorter_period_changes_dates_and_a_longer_one_takes_back_what_was_due(office: Office) -> None:
    shorter, first = counted(compared(office, text=SCHEDULE.replace("P5Y", "P4Y")))
    assert first == ["Other/note.txt"]
    assert (shorter.becomes_due, shorter.changes_date, shorter.changes_class) == (1, 1, 0)
    longer, first = counted(compared(office, text=SCHEDULE.replace("period: none", "period: P9Y")))
    assert first == ["Cases/14/Letters/a.docx"]
    assert (longer.no_longer_due, longer.changes_date, longer.due_bytes) == (1, 1, 0)


def test_another_class_and_another_outcome_are_changes_too(office: Office) -> None:
    renamed, first = counted(compared(office, text=SCHEDULE.replace("id: other", "id: rest")))
    assert (first, renamed.changed, renamed.changes_class, renamed.changes_date) == (["Other/note.txt"], 1, 1, 0)
    reviewed, first = counted(compared(office, text=SCHEDULE.replace("outcome: destroy", "outcome: anonymise")))
    assert len(first) == reviewed.changed == 3
    assert reviewed.due_by_outcome == {"anonymise": 1}


def test_what_a_placement_rule_has_moved_counts_under_the_rule(office: Office) -> None:
    office.file("Cases/15/Letters/x.docx", share="laptop")
    changes, _ = counted(compared(office))
    assert changes.due_by_class == {"letter": 1, "no-drives": 1}
    assert changes.due_by_outcome == {"destroy": 1, "quarantine": 1}


def test_events_reach_the_same_items_under_a_schedule_that_hides_their_key_or_no_longer_does(office: Office) -> None:
    assert counted(compared(office, text=HIDING))[0].changed == 0
    office.terms = terms(HIDING)
    office.happen("closed", "case", "15", date(2026, 5, 1))
    office.file("Cases/15/Letters/a.docx")
    changes, first = counted(compared(office))
    assert (changes.before["due"], changes.changed, first) == (2, 0, [])


def test_only_the_first_are_shown_and_all_are_counted(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "_EVERY", 2)
    told: list[int] = []
    changes, first = compared(office, day=date(2040, 1, 1)).changes(1, told.append)
    assert (changes.changed, [one.record.path for one in first]) == (2, ["Cases/14/Report/final.docx"])
    assert told == [2, 2, 1]
    assert counted(compared(office, day=date(2040, 1, 1)), shown=0)[1] == []


def test_comparing_changes_nothing_and_may_be_done_again(office: Office) -> None:
    office.decide()
    mark, kept = office.catalogue.state_mark(), office.kept()
    comparison = compared(office, text=OTHER_SCHEDULE, day=LATER)
    assert [one.after for one in comparison] == [one.after for one in comparison]
    assert (office.catalogue.state_mark(), office.kept()) == (mark, kept)
