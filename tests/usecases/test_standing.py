"""Only what has changed is decided anew, and what is kept says the same as deciding on everything."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.catalogue.store import Catalogue
from agent.errors import CatalogueError
from agent.model.condition import StorageKind
from agent.model.decision import DecisionState
from agent.model.hold import HoldScope
from agent.usecases import standing
from agent.usecases.standing import basis, bring_up_to_date
from tests.usecases.standing_office import OTHER_SCHEDULE, SCHEDULE, TODAY, Office, an_office, found, terms

ROOT = Path(__file__).parents[2]
FILES = (
    "Staff/Jane Doe/contract.docx",
    "Staff/JANE  DOE/appraisal.docx",
    "Staff/Bob Ray/contract.docx",
    "Cases/14/Letters/a.docx",
    "Cases/14/Letters/b.docx",
    "Cases/14/Report/final.docx",
    "Cases/15/Report/final.docx",
    "Other/note.txt",
    "Elsewhere/photo.jpg",
)
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An office of nine files of which it is known how they stand."""
    with an_office(tmp_path / "catalogue.sqlite") as office:
        office.file(*FILES)
        assert office.decide() == len(FILES)
        yield office
        office.decide()
        assert office.kept() == office.computed()


def state_of(office: Office, path: str) -> object:
    return office.kept()["office", path][0]


# Only what has changed


def test_nothing_is_decided_anew_while_nothing_has_changed(office: Office) -> None:
    assert office.decide() == 0
    office.today += timedelta(days=30)
    assert office.decide() == 0


def test_an_event_touches_the_items_behind_its_key_only(office: Office) -> None:
    office.happen("left", "person", "jane doe", date(2024, 1, 1))
    assert office.decide() == 2
    assert state_of(office, "Staff/Jane Doe/contract.docx") == "due"
    office.happen("closed", "case", "14", date(2026, 1, 1))
    assert office.decide() == 3
    office.happen("closed", "case", "99", date(2026, 1, 1))
    assert office.decide() == 0


def test_a_corrected_event_touches_what_it_was_and_what_it_is_about(office: Office) -> None:
    number = office.happen("closed", "case", "14", date(2026, 1, 1))
    office.decide()
    old = office.catalogue.events.standing(number).event
    office.catalogue.events.correct(number, replace(old, value="15"), office._now(), "me", "why")
    assert office.decide() == 4
    assert state_of(office, "Cases/14/Report/final.docx") == "waiting"
    assert state_of(office, "Cases/15/Report/final.docx") == "keep"


def test_withdrawing_an_event_restores_exactly_what_was(office: Office) -> None:
    before, whole = office.kept(), list(office.catalogue.standings.of_state(DecisionState.WAITING))
    number = office.happen("left", "person", "jane doe", date(2024, 1, 1))
    assert office.decide() == 2
    assert office.kept() != before
    office.withdraw(number)
    assert office.decide() == 2
    assert office.kept() == before
    assert list(office.catalogue.standings.of_state(DecisionState.WAITING)) == whole


def test_a_planned_event_touches_its_items_again_when_its_day_has_come(office: Office) -> None:
    office.happen("closed", "case", "14", TODAY + timedelta(days=10))
    assert office.decide() == 3
    office.today += timedelta(days=9)
    assert office.decide() == 0
    office.today += timedelta(days=1)
    assert office.decide() == 3
    assert state_of(office, "Cases/14/Letters/a.docx") == "due"


def test_a_changed_file_touches_itself_and_its_copies_of_before_and_after(office: Office) -> None:
    office.file("Cases/14/Letters/c.docx", "Cases/15/Letters/c.docx", content="one")
    assert office.decide() == 2
    office.file("Cases/14/Report/appendix.docx", content="one")
    assert office.decide() == 3
    assert office.kept()["office", "Cases/15/Letters/c.docx"][1] == "report"
    office.file("Cases/14/Report/appendix.docx", content="two")
    assert office.decide() == 3
    assert office.kept()["office", "Cases/15/Letters/c.docx"][1] == "letter"
    office.file("Cases/14/Report/appendix.docx", content="two")
    assert office.decide() == 1


def test_a_copy_that_has_gone_touches_those_that_are_left(office: Office) -> None:
    office.file("Cases/15/Letters/c.docx", "Cases/15/Report/appendix.docx", content="one")
    office.decide()
    assert office.kept()["office", "Cases/15/Letters/c.docx"][1] == "report"
    office.remove("Cases/15/Report/appendix.docx")
    assert office.decide() == 1
    assert office.kept()["office", "Cases/15/Letters/c.docx"][1] == "letter"
    office.file("Cases/15/Report/appendix.docx", content="one")
    assert office.decide() == 2
    office.remove_folder("Cases/15/Report")
    assert office.decide() == 1
    assert ("office", "Cases/15/Report/appendix.docx") not in office.kept()


def test_a_copy_at_the_same_path_of_another_share_is_a_copy(office: Office) -> None:
    office.file("Cases/15/Report/c.docx", content="one")
    office.file("Cases/15/Report/c.docx", content="one", share="laptop")
    office.decide()
    assert [len(record.copies) for _, record in office.catalogue.records() if record.path.endswith("/c.docx")] == [1, 1]
    assert office.kept()["laptop", "Cases/15/Report/c.docx"][2] == "quarantine"


def test_an_item_that_has_gone_without_any_copy_touches_nothing(office: Office) -> None:
    office.remove("Other/note.txt")
    assert office.decide() == 0
    assert ("office", "Other/note.txt") not in office.kept()
    assert sum(office.catalogue.standings.counts(office.today).values()) == len(FILES) - 1


def test_a_schedule_that_changes_touches_everything_and_so_does_a_sort_of_place(office: Office) -> None:
    office.terms = terms(OTHER_SCHEDULE)
    assert office.decide() == len(FILES)
    assert office.decide() == 0
    office.terms = replace(office.terms, storage={"office": frozenset({StorageKind.LOCAL_DRIVE})})
    assert office.decide() == len(FILES)
    assert office.kept()["office", "Cases/14/Report/final.docx"][2] == "quarantine"


def test_a_hold_touches_what_it_covers_when_it_is_placed_begins_ends_and_is_lifted(office: Office) -> None:
    office.happen("closed", "case", "14", date(2025, 1, 1))
    office.decide()
    scope = HoldScope('path: "Cases/14/**"\n')
    number = office.hold(scope, from_day=TODAY + timedelta(days=5), until_day=TODAY + timedelta(days=7))
    assert office.decide() == 3
    assert state_of(office, "Cases/14/Letters/a.docx") == "due"
    office.today += timedelta(days=5)
    assert office.decide() == 3
    assert state_of(office, "Cases/14/Letters/a.docx") == "blocked"
    office.today += timedelta(days=3)
    assert office.decide() == 3
    assert state_of(office, "Cases/14/Letters/a.docx") == "due"
    office.lift(number)
    assert office.decide() == 3


def test_a_file_that_comes_under_a_hold_is_kept_under_it_though_it_changes(office: Office) -> None:
    office.hold(HoldScope("finding: UK_NINO\n"))
    assert office.decide() == 0
    office.file(
        "Other/list.txt", modified=date(2010, 1, 1), findings=(replace(found("x").findings[0], entity_type="UK_NINO"),)
    )
    assert office.decide() == 1
    assert state_of(office, "Other/list.txt") == "blocked"
    office.file("Other/list.txt", modified=date(2010, 1, 1))
    assert office.decide() == 1
    assert state_of(office, "Other/list.txt") == "blocked"


def test_an_event_recorded_before_its_key_came_to_be_hidden_reaches_its_items_and_leaves_them(office: Office) -> None:
    number = office.happen("closed", "case", "14", date(2025, 1, 1))
    office.terms = terms(OTHER_SCHEDULE)
    assert office.decide() == len(FILES)
    assert state_of(office, "Cases/14/Letters/a.docx") == "due"
    office.withdraw(number)
    office.decide()
    assert state_of(office, "Cases/14/Letters/a.docx") == "waiting"


def test_an_event_recorded_while_its_key_was_hidden_reaches_its_items_and_leaves_them(office: Office) -> None:
    office.terms = terms(OTHER_SCHEDULE)
    number = office.happen("closed", "case", "14", date(2025, 1, 1))
    office.terms = terms()
    assert office.decide() == 4
    assert state_of(office, "Cases/14/Letters/a.docx") == "due"
    office.happen("closed", "case", "15", date(2025, 1, 1))
    office.decide()
    assert state_of(office, "Cases/15/Report/final.docx") == "due"
    office.withdraw(number)
    office.decide()
    assert state_of(office, "Cases/14/Letters/a.docx") == "waiting"


def test_files_that_come_to_be_many_in_one_minute_become_weak_together_and_strong_again(office: Office) -> None:
    names = [f"New/{number}.txt" for number in range(100)]
    office.file(*names[:99], created=date(2021, 1, 1), modified=date(2021, 1, 1))
    assert office.decide() == 99
    assert office.kept()["office", names[0]][2] == "destroy"
    office.file(names[99], created=date(2021, 1, 1), modified=date(2021, 1, 1))
    assert office.decide() == 100
    assert office.kept()["office", names[0]][2] == "review"
    office.remove(names[50])
    assert office.decide() == 99
    assert office.kept()["office", names[0]][2] == "destroy"


# What is kept


def test_the_due_list_is_longest_due_first_and_right_for_days_to_come(office: Office) -> None:
    office.file("Other/old.txt", modified=date(2010, 1, 1))
    office.file("Other/soon.txt", modified=date(2021, 6, 10))
    office.decide()
    standings = office.catalogue.standings
    assert [str(one.ref) for one in standings.due(TODAY)] == ["Other/old.txt", "Other/note.txt"]
    early, on_the_day = date(2026, 6, 10), date(2026, 6, 11)
    assert [str(one.ref) for one in standings.due(early)] == ["Other/old.txt", "Other/note.txt"]
    assert [str(one.ref) for one in standings.due(on_the_day)] == ["Other/old.txt", "Other/note.txt", "Other/soon.txt"]
    assert (standings.counts(early)["due"], standings.counts(on_the_day)["due"]) == (2, 3)
    assert standings.counts(TODAY)["unclassified"] == 1
    (unclassified,) = standings.of_state(DecisionState.UNCLASSIFIED)
    assert (unclassified.class_id, unclassified.outcome, unclassified.due_on) == (None, None, None)


def test_a_run_that_was_interrupted_goes_on_where_it_was(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "_BLOCK", 4)
    office.terms = terms(OTHER_SCHEDULE)

    class Interrupted(Exception):
        pass

    told: list[int] = []

    def advance(items: int) -> None:
        told.append(items)
        if len(told) == 1:
            raise Interrupted

    with pytest.raises(Interrupted):
        bring_up_to_date(office.catalogue, office.terms, office.today, advance)
    assert bring_up_to_date(office.catalogue, office.terms, office.today, advance) == len(FILES) - 4
    assert told == [4, 4, 1]


def disturbing(office: Office, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Has somebody else act once, right before the first block is kept."""
    monkeypatch.setattr(standing, "_BLOCK", 4)
    keep, acts = office.catalogue.standings.keep, iter([act])

    def keep_later(*arguments: object) -> bool:
        for one in acts:
            one()
        return keep(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(office.catalogue.standings, "keep", keep_later)


def test_a_fact_recorded_while_items_are_decided_on_is_not_missed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.terms = terms(OTHER_SCHEDULE)
    disturbing(office, monkeypatch, lambda: office.happen("left", "person", "jane doe", date(2024, 1, 1)))
    assert office.decide() == len(FILES)
    assert state_of(office, "Staff/Jane Doe/contract.docx") == "due"


def test_somebody_who_begins_under_another_schedule_meanwhile_is_not_undone(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    office.terms = terms(OTHER_SCHEDULE)
    with Catalogue.open(tmp_path / "catalogue.sqlite") as other:
        disturbing(office, monkeypatch, lambda: bring_up_to_date(other, terms(), office.today))
        with pytest.raises(CatalogueError, match="another process is working out how the items stand"):
            office.decide()
        assert bring_up_to_date(other, terms(), office.today) == 0
    assert office.decide() == len(FILES)


def test_the_basis_is_the_same_in_every_process_and_another_for_other_terms() -> None:
    code = (
        "from tests.usecases.standing_office import terms\n"
        "from agent.usecases.standing import basis\n"
        "print(basis(terms()))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True, text=True, check=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout.strip()
        for seed in ("1", "2")
    }  # fmt: skip
    assert printed == {basis(terms())}
    others = [
        SCHEDULE.replace(old, new) for old, new in (("P5Y", "P6Y"), ("label: used", "label: use"), ("A law.", "B"))
    ]
    assert len({basis(terms()), *(basis(terms(text)) for text in others)}) == 4
    assert basis(replace(terms(), storage={})) != basis(terms())


# Whatever happens

EXAMPLES = 40 if "RETENTIOND_TEST_LONG" in os.environ else 4
PATHS = (*FILES, "Cases/15/Letters/b.docx", "New/x.txt", "Other/list.txt")
DAYS = (-800, -400, -31, -1, 0, 1, 20, 90)


class Walk:
    """One thing after another happens to an office, by chance."""

    def __init__(self, office: Office, chance: random.Random) -> None:
        self.office = office
        self.chance = chance
        self.events: list[int] = []
        self.holds: list[int] = []

    def step(self) -> str:
        """What happened, in a word."""
        acts = [self.scan, self.scan, self.remove, self.happen, self.happen, self.correct, self.withdraw,
                self.place, self.lift, self.sleep, self.sleep, self.switch]  # fmt: skip
        act = self.chance.choice(acts)
        act()
        return act.__name__

    def day(self) -> date:
        return self.office.today + timedelta(days=self.chance.choice(DAYS))

    def share(self) -> str:
        return self.chance.choice(["office", "office", "laptop"])

    def scan(self) -> None:
        modified = min(self.day(), TODAY)
        labels = self.chance.choice([{}, {}, {"user.retentiond.labels": "used"}])
        self.office.file(
            *self.chance.sample(PATHS, self.chance.randint(1, 3)),
            share=self.share(),
            content=self.chance.choice(["", "one", "one", "two"]),
            modified=modified,
            created=self.chance.choice([modified, self.day()]),
            marks=labels,
        )

    def remove(self) -> None:
        path = self.chance.choice(PATHS)
        if self.chance.random() < 0.3:
            self.office.remove_folder(path.rpartition("/")[0], share=self.share())
        else:
            self.office.remove(path, share=self.share())

    def happen(self) -> None:
        about = self.chance.choice(
            [
                ("left", "person", "jane doe"),
                ("closed", "case", "14"),
                ("closed", "case", "15"),
                ("used", "document", "b"),
            ]
        )
        day = self.day()
        known = self.office.catalogue.events.in_force()
        value = self.office.terms.form.of(*about[1:])
        if (about[0], value, day) not in {(one.type, one.value, one.on) for one in known}:
            self.events.append(self.office.happen(*about, day))

    def correct(self) -> None:
        if self.events:
            number = self.events.pop(self.chance.randrange(len(self.events)))
            old = self.office.catalogue.events.standing(number).event
            new = replace(old, on=old.on + timedelta(days=3))
            if new not in self.office.catalogue.events.in_force():
                self.office.correct(number, new.on)

    def withdraw(self) -> None:
        if self.events:
            self.office.withdraw(self.events.pop(self.chance.randrange(len(self.events))))

    def place(self) -> None:
        scope = self.chance.choice(
            [
                HoldScope('path: "Cases/14/**"\n'),
                HoldScope(classes=("report",)),
                HoldScope(keys=(("case", self.office.terms.form.of("case", "15")),)),
                HoldScope("same_content_as: Cases/*/Report/**\n"),
                HoldScope(dated_until=TODAY - timedelta(days=300)),
                HoldScope(),
            ]
        )
        days = {"until_day": self.office.today + timedelta(days=self.chance.choice([0, 10]))}
        days |= {"from_day": self.office.today} if self.chance.random() < 0.5 else {}
        self.holds.append(self.office.hold(scope, **self.chance.choice([{}, days])))

    def lift(self) -> None:
        if self.holds:
            self.office.lift(self.holds.pop())

    def sleep(self) -> None:
        self.office.today += timedelta(days=self.chance.choice([1, 10, 100]))

    def switch(self) -> None:
        self.office.terms = terms(self.chance.choice([SCHEDULE, OTHER_SCHEDULE]))


@given(st.integers(0, 2**32))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_what_is_kept_says_the_same_as_deciding_on_everything(tmp_path: Path, seed: int) -> None:
    path = tmp_path / f"{seed}.sqlite"
    with an_office(path) as office:
        office.file(*FILES, content="one")
        walk = Walk(office, random.Random(seed))
        happened = []
        for _ in range(25):
            happened.append(walk.step())
            if walk.chance.random() < 0.7:
                decided = office.decide()
                kept, computed = office.kept(), office.computed()
                assert kept == computed, happened
                assert decided <= len(computed)
                states = [state for state, *_ in computed.values()]
                assert office.catalogue.standings.counts(office.today) == {one: states.count(one) for one in states}
    path.unlink()
