"""Events are recorded, corrected and withdrawn, and what that changes is shown beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from agent.catalogue.store import Catalogue
from agent.errors import UsageError
from agent.model.decision import DecisionState
from agent.model.event import Event, EventState
from agent.model.key import KeyForm
from agent.usecases import event_preview
from agent.usecases.evaluate import Evaluation, Terms
from agent.usecases.event_preview import behind
from agent.usecases.event_rules import Statement
from agent.usecases.events import EventRegister
from tests.usecases.event_office import FORM, JANE, NOW, RULES, TERMS, TODAY, a_register, a_statement, an_office

LEFT = Statement("employment_ended", "person", "Jane Doe", "2019-03-31", "resigned")
FILES = (
    "Personnel/Jane Doe/contract.docx",
    "Personnel/JANE  DOE/appraisal.docx",
    "Personnel/Bob Ray/contract.docx",
    "Cases/2026-17/statement.docx",
    "Other/letter.docx",
)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with an_office(tmp_path / "catalogue.sqlite", FILES) as office:
        yield office


@pytest.fixture
def register(catalogue: Catalogue) -> EventRegister:
    return a_register(catalogue)


def _record(register: EventRegister, said: Statement = LEFT) -> int:
    (recorded,) = register.accept(register.propose(said))
    return recorded.number


# Recording


def test_an_event_is_recorded_with_who_and_when_and_its_note(register: EventRegister, catalogue: Catalogue) -> None:
    assert _record(register) == 1
    (recorded,) = catalogue.events.all()
    assert recorded.event == Event("employment_ended", "person", JANE, date(2019, 3, 31))
    assert (recorded.recorded_by, recorded.recorded_at) == ("ann", NOW)
    assert (recorded.origin, recorded.note, recorded.state) == ("command", "resigned", EventState.IN_FORCE)


def test_what_is_wrong_with_an_event_is_told_by_what_was_typed(register: EventRegister, catalogue: Catalogue) -> None:
    with pytest.raises(UsageError) as told:
        register.propose(Statement("employment_ended", "person", "", "2019-02-31"))
    assert str(told.value).splitlines() == [
        "VALUE: The value of the key is missing: an event must say whom or what it is about.",
        '--on: "2019-02-31" is not a day: that month runs from the 1st to 28 February 2019.',
    ]


def test_an_event_in_force_is_not_recorded_twice(register: EventRegister, catalogue: Catalogue) -> None:
    _record(register)
    with pytest.raises(UsageError) as told:
        register.propose(Statement("employment_ended", "person", "JANE DOE", "31/03/2019"))
    assert str(told.value) == (
        f'The event "employment_ended" of person {JANE[:9]}… on 31 March 2019 is recorded already, as number 1.'
    )


def test_of_two_who_record_the_same_at_once_one_is_refused(register: EventRegister, catalogue: Catalogue) -> None:
    proposal = register.propose(LEFT)
    a_register(catalogue, by="bob").accept(a_register(catalogue).propose(LEFT))
    with pytest.raises(UsageError, match="recorded already, as event number 1"):
        register.accept(proposal)
    assert len(catalogue.events.in_force()) == 1


def test_nothing_is_recorded_before_it_is_accepted(register: EventRegister, catalogue: Catalogue) -> None:
    register.preview(register.propose(LEFT))
    assert catalogue.events.in_force() == ()


def test_no_name_is_in_the_database(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    with an_office(path, ["Other/letter.docx"]) as catalogue:
        register = a_register(catalogue)
        table = "event,key,value,on,note\nemployment_ended,person,Zebedee Quux,2020-01-01,gone\n"
        register.accept(register.propose(Statement("employment_ended", "person", "Zebedee Quux", "2019-03-31", "n")))
        register.accept(register.propose_file("l.csv", table.encode()))
        register.accept(register.propose_correction(1, "why", key=("person", "ZEBEDEE QUUX jr")))
        for file in tmp_path.iterdir():
            assert b"quux" not in file.read_bytes().lower(), file
            assert b"zebedee" not in file.read_bytes().lower(), file
        assert len(catalogue.events.in_force()) == 2


# Correcting and withdrawing


def test_a_day_is_corrected(register: EventRegister, catalogue: Catalogue) -> None:
    number = _record(register)
    (corrected,) = register.accept(register.propose_correction(number, " a\nslip ", on="30/04/2019"))
    assert corrected.event == Event("employment_ended", "person", JANE, date(2019, 4, 30))
    assert (corrected.corrects, corrected.note, corrected.origin) == (number, "resigned", "command")
    old = catalogue.events.get(number)
    assert old is not None
    assert (old.state, old.ended_by, old.ended_why) == (EventState.CORRECTED, "ann", "a slip")


def test_whom_it_is_about_and_what_happened_are_corrected(register: EventRegister, catalogue: Catalogue) -> None:
    number = _record(register)
    (first,) = register.accept(register.propose_correction(number, "why", key=("person", "Bob Ray")))
    assert first.event.value == FORM.of("person", "Bob Ray")
    case = register.propose_correction(first.number, "why", type="case_closed", key=("case", "2026-17"))
    (second,) = register.accept(case)
    assert second.event == Event("case_closed", "case", "2026-17", date(2019, 3, 31))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "Say what is to be corrected: --on, --type or --key."),
        ({"on": "2019-03-31"}, "This correction changes nothing: event number 1 says the same already."),
        ({"key": ("person", "jane doe")}, "This correction changes nothing: event number 1 says the same already."),
        ({"on": "2027-01-01"}, "--on: 1 January 2027 is still to come. Record what is only planned with --planned."),
        (
            {"type": "case_closed"},
            '--key: The schedule waits for the event "case_closed" with the key "case", not with "person". '
            "To record it all the same, give --unawaited.",
        ),
        (
            {"key": ("person", "resigned")},
            '--key: the note of event number 1 repeats the new value of "person", which is kept only as a hash. '
            "Withdraw the event and add another one.",
        ),
    ],
)
def test_a_correction_that_is_none_is_refused(register: EventRegister, change: dict[str, str], said: str) -> None:
    _record(register)
    with pytest.raises(UsageError) as told:
        register.propose_correction(1, "why", **change)  # type: ignore[arg-type]
    assert str(told.value) == said


def test_a_correction_to_what_another_event_says_is_refused(register: EventRegister) -> None:
    _record(register)
    _record(register, a_statement(on="2020-01-01"))
    with pytest.raises(UsageError, match="is recorded already, as number 2"):
        register.propose_correction(1, "why", on="2020-01-01")


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("  ", "--why: say why. It is kept with the event for whoever asks later."),
        ("x" * 501, "--why: This has 501 characters; 500 are the most."),
        ("Jane Doe stays", '--why: it repeats the value of "person", which is kept only as a hash. Leave it out.'),
    ],
)
def test_an_act_needs_a_reason_that_names_nobody(register: EventRegister, why: str, said: str) -> None:
    _record(register)
    for propose in (
        lambda: register.propose_withdrawal(1, why),
        lambda: register.propose_correction(1, why, on="2019-04-30"),
        lambda: register.propose_correction(1, why, key=("person", "Bob Ray")),
    ):
        with pytest.raises(UsageError) as told:
            propose()
        assert str(told.value) == said


def test_the_new_person_is_not_named_in_the_reason_either(register: EventRegister) -> None:
    _record(register)
    with pytest.raises(UsageError, match="--why: it repeats"):
        register.propose_correction(1, "it was Bob Ray", key=("person", "Bob Ray"))


def test_only_what_is_in_force_is_corrected_or_withdrawn(register: EventRegister) -> None:
    register.accept(register.propose_withdrawal(_record(register), "stayed on"))
    for number, said in ((1, "Event number 1 was withdrawn on 2026-06-01 by ann."), (2, "There is no event number 2.")):
        with pytest.raises(UsageError, match=said):
            register.propose_correction(number, "why", on="2019-04-30")
        with pytest.raises(UsageError, match=said):
            register.propose_withdrawal(number, "why")


def test_what_was_accepted_once_may_be_corrected_under_another_schedule(catalogue: Catalogue) -> None:
    """An old planned or unawaited event needs no new permission as long as that part stays as it is."""
    register = a_register(catalogue)
    planned = register.propose(a_statement(type="wedding", on="2030-01-01"), planned=True, unawaited=True)
    register.accept(planned)
    (moved,) = register.accept(register.propose_correction(1, "why", on="2026-01-01"))
    assert (moved.event.type, moved.event.on) == ("wedding", date(2026, 1, 1))
    (again,) = register.accept(register.propose_correction(2, "why", on="2030-01-01", planned=True))
    (other,) = register.accept(
        register.propose_correction(again.number, "why", key=("person", "Bob Ray"), unawaited=True)
    )
    assert other.event.on == date(2030, 1, 1)


# What changes


def _states(catalogue: Catalogue) -> dict[str, tuple[DecisionState, date | None]]:
    evaluation = Evaluation(catalogue, TERMS, TODAY)
    return {one.record.path: (one.decision.state, one.decision.due_on) for one in evaluation}


def test_what_an_event_changes_is_shown_before_and_true_afterwards(
    register: EventRegister, catalogue: Catalogue
) -> None:
    before = _states(catalogue)
    proposal = register.propose(LEFT)
    preview = register.preview(proposal)
    register.accept(proposal)
    after = _states(catalogue)

    assert (preview.as_of, preview.behind, preview.changed) == (TODAY, 2, 2)
    assert preview.turns == {(DecisionState.WAITING, DecisionState.DUE): 2}
    assert {change.path for change in preview.changes} == {path for path in FILES if before[path] != after[path]}
    for change in preview.changes:
        assert change.share == "office"
        assert (change.before.state, change.before.due_on) == before[change.path] == (DecisionState.WAITING, None)
        assert (change.after.state, change.after.due_on) == after[change.path]
        assert after[change.path] == (DecisionState.DUE, date(2025, 4, 1))


def test_a_correction_moves_every_date_and_a_withdrawal_restores_what_was(
    register: EventRegister, catalogue: Catalogue
) -> None:
    before = _states(catalogue)
    _record(register)
    correction = register.propose_correction(1, "why", on="2021-03-31")
    preview = register.preview(correction)
    assert preview.turns == {(DecisionState.DUE, DecisionState.KEEP): 2}
    assert {change.after.due_on for change in preview.changes} == {date(2027, 4, 1)}
    register.accept(correction)
    assert register.preview(register.propose_correction(2, "why", on="2021-04-30")).turns == {
        (DecisionState.KEEP, DecisionState.KEEP): 2
    }
    withdrawal = register.propose_withdrawal(2, "why")
    assert register.preview(withdrawal).turns == {(DecisionState.KEEP, DecisionState.WAITING): 2}
    register.accept(withdrawal)
    assert _states(catalogue) == before


def test_a_correction_of_the_person_shows_both_sides(register: EventRegister) -> None:
    _record(register)
    preview = register.preview(register.propose_correction(1, "why", key=("person", "Bob Ray")))
    assert preview.turns == {
        (DecisionState.DUE, DecisionState.WAITING): 2,
        (DecisionState.WAITING, DecisionState.DUE): 1,
    }


def test_an_event_that_changes_nothing_yet_is_shown_to_change_nothing(register: EventRegister) -> None:
    planned = register.preview(register.propose(a_statement(on="2030-01-01"), planned=True))
    assert (planned.behind, planned.changed, planned.changes) == (2, 0, [])
    nobody = register.preview(register.propose(a_statement(value="Nobody")))
    assert (nobody.behind, nobody.changed) == (0, 0)
    _record(register)
    earlier = register.preview(register.propose(a_statement(on="2018-01-01")))
    assert (earlier.behind, earlier.changed) == (2, 0), "of several, the last one counts"


def test_many_changes_are_counted_and_only_the_first_are_kept(
    catalogue: Catalogue, register: EventRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert event_preview.MOST_CHANGES == 1000
    monkeypatch.setattr(event_preview, "MOST_CHANGES", 1)
    preview = register.preview(register.propose(LEFT))
    assert (preview.changed, len(preview.changes)) == (2, 1)


def test_the_items_behind_keys_are_found_in_one_walk(catalogue: Catalogue) -> None:
    keys = {("person", JANE), ("case", "2026-17"), ("person", "2026-17"), ("case", JANE)}
    assert [record.path for record in behind(catalogue, TERMS, keys)] == [
        "Cases/2026-17/statement.docx",
        "Personnel/JANE  DOE/appraisal.docx",
        "Personnel/Jane Doe/contract.docx",
    ]


def test_keys_are_kept_as_the_schedule_says(tmp_path: Path) -> None:
    """A schedule may have other keys that name persons."""
    form = KeyForm({"case": "PERSON"}, FORM.identify)
    with an_office(tmp_path / "catalogue.sqlite", FILES) as catalogue:
        register = EventRegister(catalogue, Terms(RULES, form), TODAY, "ann", lambda: NOW)
        (recorded,) = register.accept(register.propose(a_statement(type="case_closed", key="case", value="2026-17")))
        assert recorded.event.value.startswith("#")
        (open_case,) = (one for one in Evaluation(catalogue, Terms(RULES, form), TODAY) if "Cases" in one.record.path)
        assert open_case.decision.state is DecisionState.DUE
