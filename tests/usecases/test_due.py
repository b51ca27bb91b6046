"""The due list of a day to come is what deciding on everything as of that day says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from agent.model.decision import DecisionState
from agent.model.hold import HoldScope
from agent.usecases.due import due_list
from agent.usecases.evaluate import Evaluation
from tests.usecases.standing_office import TODAY, Office, an_office

SOON, LATER = TODAY + timedelta(days=30), TODAY + timedelta(days=400)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Files that wait, are kept and are due, and what is known to happen to them later."""
    with an_office(tmp_path / "catalogue.sqlite") as office:
        office.file("Staff/Jane Doe/contract.docx", "Staff/Bob Ray/contract.docx", "Cases/14/Report/final.docx")
        office.file("Other/note.txt", modified=TODAY - timedelta(days=5 * 365 - 20))
        office.file("Other/held.txt", "Other/old.txt", modified=date(2015, 1, 1))
        office.happen("left", "person", "Jane Doe", TODAY - timedelta(days=300))
        office.happen("closed", "case", "14", TODAY + timedelta(days=10))
        office.hold(HoldScope(condition="path: Other/held.txt"), until_day=TODAY + timedelta(days=5))
        office.hold(HoldScope(condition="path: Other/old.txt"), from_day=TODAY + timedelta(days=5))
        yield office


@pytest.mark.parametrize("day", [TODAY, TODAY + timedelta(days=5), TODAY + timedelta(days=6), SOON, LATER])
def test_it_says_what_deciding_on_everything_as_of_that_day_says(office: Office, day: date) -> None:
    told = due_list(office.catalogue, office.terms, TODAY, day)
    decided = list(Evaluation(office.catalogue, office.terms, day))
    wanted = {entry.record.path: entry.decision for entry in decided if entry.decision.state is DecisionState.DUE}
    due = list(told.due)
    assert told.counts == dict(sorted(Counter(str(entry.decision.state) for entry in decided).items()))
    assert {str(one.ref): (one.class_id, one.outcome, one.due_on) for one in due} == {
        path: (decision.class_id, decision.outcome, decision.due_on) for path, decision in wanted.items()
    }
    assert [one.due_on for one in due] == sorted(one.due_on for one in due if one.due_on)


def test_looking_ahead_leaves_how_things_stand_today_as_it_is(office: Office) -> None:
    today = list(due_list(office.catalogue, office.terms, TODAY, TODAY).due)
    assert len(list(due_list(office.catalogue, office.terms, TODAY, LATER).due)) > len(today)
    assert list(due_list(office.catalogue, office.terms, TODAY, TODAY).due) == today
    assert office.kept() == office.computed()
