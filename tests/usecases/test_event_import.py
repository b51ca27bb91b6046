"""A file of events is recorded whole or not at all, and every problem in it is told."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from agent.catalogue.store import Catalogue
from agent.errors import UsageError
from agent.model.event import Event
from agent.usecases.event_file import EventFileError
from agent.usecases.event_rules import Statement
from agent.usecases.events import EventRegister
from tests.usecases.event_office import JANE, a_register, an_office

LINES, SECONDS = (100_000, 15) if "RETENTIOND_TEST_LONG" in os.environ else (20_000, 3)
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


_NAME = "Write small letters, digits and underscores, beginning with a letter"


TABLE = "event,key,value,on,note\n"


def _import(register: EventRegister, table: str, name: str = "leavers.csv") -> list[str]:
    """The message's lines."""
    with pytest.raises(UsageError) as told:
        register.propose_file(name, table.encode())
    return str(told.value).splitlines()


def test_a_file_is_recorded_whole_with_where_each_event_came_from(
    register: EventRegister, catalogue: Catalogue
) -> None:
    data = (
        "\ufeffDate;Type;Value;Key;Note\r\n"
        "31/03/2019;employment_ended;Jane Doe;person;two  words\r\n"
        "\r\n"
        '2026-05-01;case_closed;"2026-17";case;\r\n'
    ).encode()
    proposal = register.propose_file("leavers.csv", data)
    assert register.preview(proposal).changed == 3
    first, second = register.accept(proposal)
    assert first.event == Event("employment_ended", "person", JANE, date(2019, 3, 31))
    assert second.event == Event("case_closed", "case", "2026-17", date(2026, 5, 1))
    digest = hashlib.sha256(data).hexdigest()
    assert first.origin == f"import leavers.csv sha256:{digest} line 2"
    assert second.origin == f"import leavers.csv sha256:{digest} line 4"
    assert (first.note, second.note) == ("two words", "")
    assert catalogue.events.in_force() == (first.event, second.event)


def test_every_problem_of_a_file_is_told_and_nothing_imported(register: EventRegister, catalogue: Catalogue) -> None:
    _record(register)
    told = _import(
        register,
        "type;key;value;date\n"
        "case_closed;case;1;31/02/2024\n"
        "case_closed;case;;2024-02-01\n"
        "case_closed;case;2;2024-02-01\n"
        "case_closed;case; 2 ;01/02/2024\n"
        "employment_ended;person;JANE DOE;2019-03-31\n"
        "Case Closed;case;3;2024-02-01\n"
        "case_closed;case;4;2027-01-01\n"
        "case_closed;case;5;6;2024-01-01\n",
    )
    assert told == [
        "leavers.csv: 7 problems; nothing was imported.",
        'leavers.csv:2: date: "31/02/2024" is not a day: that month runs from the 1st to 29 February 2024.',
        "leavers.csv:3: value: The value of the key is missing: an event must say whom or what it is about.",
        "leavers.csv:5: This line repeats line 4.",
        "leavers.csv:6: This event is recorded already, as number 1.",
        f"leavers.csv:7: type: This is no name of a type of event. {_NAME}: employment_ended.",
        "leavers.csv:8: date: 1 January 2027 is still to come. Record what is only planned with --planned.",
        "leavers.csv:9: This line has more fields than the first line has names. "
        "A field that holds the character between fields must stand in quotes.",
    ]
    assert len(catalogue.events.in_force()) == 1


def test_no_problem_repeats_a_name_wherever_it_stands(register: EventRegister) -> None:
    name = "Zebedee Quux"
    columns = ("event", "key", "value", "on", "note")
    sound = ("employment_ended", "person", "Bob Ray", "2019-03-31", "")
    for place in range(5):
        line = [name if at == place else field for at, field in enumerate(sound)]
        if columns[place] == "value":
            line[3] = name
        told = "\n".join(_import(register, TABLE + ",".join(line if place < 4 else [*line[:2], name, line[3], name])))
        assert "problem" in told
        assert "quux" not in told.casefold()
    assert "quux" not in "\n".join(_import(register, f"event,key,{name},on\n")).casefold()
    assert "quux" not in "\n".join(_import(register, f"{name},person,2019-03-31\n")).casefold()


def test_a_file_without_events_is_refused(register: EventRegister) -> None:
    assert _import(register, TABLE) == [
        "leavers.csv: 1 problem; nothing was imported.",
        "leavers.csv:1: There is no event in this file.",
    ]
    assert _import(register, "")[1].startswith("leavers.csv:1: The file is empty.")


def test_a_file_may_hold_what_is_planned_or_unawaited_if_that_is_said(register: EventRegister) -> None:
    table = f"{TABLE}wedding,person,Jane Doe,2030-01-01,\n".encode()
    with pytest.raises(EventFileError):
        register.propose_file("l.csv", table)
    assert len(register.propose_file("l.csv", table, planned=True, unawaited=True).added) == 1


def test_the_same_file_is_not_imported_twice_under_any_name(register: EventRegister, catalogue: Catalogue) -> None:
    table = f"{TABLE}case_closed,case,1,2024-01-01,\ncase_closed,case,2,2024-01-01,\n"
    assert not register.imported_before(table.encode())
    register.accept(register.propose_file("a.csv", table.encode()))
    register.accept(register.propose_withdrawal(1, "no"))
    assert register.imported_before(table.encode())
    assert _import(register, table, "b.csv") == [
        "b.csv: this very file was imported before, and 1 of its 2 events are in force. Nothing was imported."
    ]
    register.accept(register.propose_withdrawal(2, "no"))
    assert register.imported_before(table.encode())
    assert len(register.accept(register.propose_file("b.csv", table.encode()))) == 2, "all of it had been withdrawn"


@pytest.mark.slow
def test_many_thousand_lines_with_one_bad_are_refused_whole_in_seconds(
    register: EventRegister, catalogue: Catalogue
) -> None:
    """Twenty thousand; a hundred thousand where there is the time."""
    bad = LINES * 3 // 5
    lines = [f"employment_ended,person,Person Number {number},2019-03-31,left\n" for number in range(LINES)]
    lines[bad] = f"employment_ended,person,Person Number {bad},31/02/2019,left\n"
    began = time.process_time()
    told = _import(register, TABLE + "".join(lines))
    assert time.process_time() - began < SECONDS
    assert told == [
        "leavers.csv: 1 problem; nothing was imported.",
        f'leavers.csv:{bad + 2}: on: "31/02/2019" is not a day: that month runs from the 1st to 28 February 2019.',
    ]
    assert catalogue.events.in_force() == ()
    lines[bad] = f"employment_ended,person,Person Number {bad},28/02/2019,left\n"
    began = time.process_time()
    proposal = register.propose_file("leavers.csv", (TABLE + "".join(lines)).encode())
    assert register.preview(proposal).behind == 0
    assert len(register.accept(proposal)) == LINES
    assert time.process_time() - began < 2 * SECONDS
    assert len(catalogue.events.in_force()) == LINES


def test_a_hundred_thousand_bad_lines_are_counted_and_fifty_told(register: EventRegister) -> None:
    told = _import(register, TABLE + "employment_ended,person,Jane Doe,soon,\n" * 100_000)
    assert told[0] == "leavers.csv: 100,000 problems; nothing was imported."
    assert len(told) == 52
    assert told[-1] == "… and 99,950 more."
