"""What may be recorded as an event, and what is told of one that may not."""

from __future__ import annotations

from datetime import date

import pytest

from agent.model.event import Event
from agent.retention.loader import load_schedule
from agent.usecases.event_rules import EventRules, Fault, Statement, names_person, plain_text, read_day
from tests.usecases.event_office import FORM, JANE, RULES, SCHEDULE, TODAY, a_statement


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-02-29", date(2024, 2, 29)),
        (" 2024-3-1 ", date(2024, 3, 1)),
        ("29/02/2024", date(2024, 2, 29)),
        ("1/3/2024", date(2024, 3, 1)),
        ("01/01/1900", date(1900, 1, 1)),
        ("9999-12-31", date(9999, 12, 31)),
    ],
)
def test_a_day_is_read_as_the_british_and_machines_write_it(text: str, day: date) -> None:
    assert read_day(text) == day


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The day is missing. Write it as YYYY-MM-DD or DD/MM/YYYY."),
        ("31/02/2024", '"31/02/2024" is not a day: that month runs from the 1st to 29 February 2024.'),
        ("2023-02-29", '"2023-02-29" is not a day: that month runs from the 1st to 28 February 2023.'),
        ("2024-01-00", '"2024-01-00" is not a day: that month runs from the 1st to 31 January 2024.'),
        ("03/31/2024", '"03/31/2024" is not a day: there is no month 31. Write it as YYYY-MM-DD or DD/MM/YYYY.'),
        ("2024-00-01", '"2024-00-01" is not a day: there is no month 0. Write it as YYYY-MM-DD or DD/MM/YYYY.'),
        ("31/12/1899", '"31/12/1899" lies before 1900, which is surely a slip.'),
        ("0000-01-01", '"0000-01-01" lies before 1900, which is surely a slip.'),
        ("31/03/24", '"31/03/24" leaves the century open. Write the year with four digits.'),
        ("1.3.24", '"1.3.24" leaves the century open. Write the year with four digits.'),
        ("20240331", '"20240331" is not a day. Write it as YYYY-MM-DD or DD/MM/YYYY.'),
        ("2024-03-31 00:00", "What stands here is not a day. Write it as YYYY-MM-DD or DD/MM/YYYY."),
        ("Jane Doe", "What stands here is not a day. Write it as YYYY-MM-DD or DD/MM/YYYY."),
        ("٢٠٢٤-03-31", "What stands here is not a day. Write it as YYYY-MM-DD or DD/MM/YYYY."),
    ],
)
def test_a_day_that_is_none_is_told_why(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"day|1900|century") as told:
        read_day(text)
    assert str(told.value) == said


def _faults(said: Statement, **options: bool) -> list[tuple[str, str]]:
    read = EventRules(RULES, FORM, TODAY, **options).read(said)
    assert not isinstance(read, Event), read
    return [(fault.part, fault.sentence) for fault in read]


def test_a_sound_statement_becomes_an_event_with_its_value_as_it_is_kept() -> None:
    rules = EventRules(RULES, FORM, TODAY)
    assert rules.read(a_statement(value=" JANE\u00a0doe ")) == Event(
        "employment_ended", "person", JANE, date(2019, 3, 31)
    )
    assert rules.read(a_statement(value=JANE.upper())) == rules.read(a_statement()), (
        "a value may be given as it is kept"
    )
    case = Statement(" case_closed ", " case ", "  2026-17 A", "01/06/2026")
    assert rules.read(case) == Event("case_closed", "case", "2026-17 a", TODAY)


_NAME = "Write small letters, digits and underscores, beginning with a letter"


@pytest.mark.parametrize(
    ("parts", "faults"),
    [
        ({"type": ""}, [("event", f"The type of event is missing. {_NAME}: employment_ended.")]),
        ({"type": "Jane Doe"}, [("event", f"This is no name of a type of event. {_NAME}: employment_ended.")]),
        ({"type": "x" * 101}, [("event", f"This is no name of a type of event. {_NAME}: employment_ended.")]),
        ({"key": ""}, [("key", f"The key is missing. {_NAME}: person.")]),
        ({"key": "1st"}, [("key", f"This is no name of a key. {_NAME}: person.")]),
        ({"value": " "}, [("value", "The value of the key is missing: an event must say whom or what it is about.")]),
        ({"value": "x" * 201}, [("value", "This has 201 characters; 200 are the most.")]),
        (
            {"value": "Jane\u200bDoe"},
            [("value", "There are line ends or characters in it that cannot be printed. Take them out.")],
        ),
        (
            {"value": "Jane\nDoe"},
            [("value", "There are line ends or characters in it that cannot be printed. Take them out.")],
        ),
        (
            {"value": "# Jane Doe"},
            [("value", "A value that begins with # must be a whole hash, as --json shows it.")],
        ),
        ({"on": "2026-06-02"}, [("on", "2 June 2026 is still to come. Record what is only planned with --planned.")]),
        ({"note": "x" * 501}, [("note", "This has 501 characters; 500 are the most.")]),
        ({"note": "a\x1b[31m"}, [("note", "There are characters in it that cannot be printed. Take them out.")]),
        (
            {"note": "jane  doe's notice"},
            [("note", 'It repeats the value of "person", which is kept only as a hash. Leave it out.')],
        ),
        (
            {"type": "employment_end"},
            [
                (
                    "event",
                    'No class of the schedule waits for an event "employment_end". Did you mean "employment_ended"? '
                    "To record it all the same, give --unawaited.",
                )
            ],
        ),
        (
            {"type": "wedding"},
            [
                (
                    "event",
                    'No class of the schedule waits for an event "wedding". '
                    "Use one of: case_closed, case_reported, employment_ended. "
                    "To record it all the same, give --unawaited.",
                )
            ],
        ),
        (
            {"key": "case"},
            [
                (
                    "key",
                    'The schedule waits for the event "employment_ended" with the key "person", not with "case". '
                    "To record it all the same, give --unawaited.",
                )
            ],
        ),
    ],
)
def test_an_unsound_statement_is_told_part_by_part(parts: dict[str, str], faults: list[tuple[str, str]]) -> None:
    assert _faults(a_statement(**parts)) == faults


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = Statement("", "Person", "", "soon", "x" * 501)
    assert [part for part, _ in _faults(wrong)] == ["event", "key", "value", "on", "note"]


def test_a_note_without_the_name_is_kept_and_a_part_of_a_word_is_no_name() -> None:
    rules = EventRules(RULES, FORM, TODAY)
    assert isinstance(rules.read(a_statement(value="Ann", note="annual  leave\ntaken")), Event)
    assert isinstance(rules.read(a_statement(type="case_closed", key="case", value="17", note="17 closed")), Event)
    assert isinstance(rules.read(a_statement(value="!?", note="any")), Event), "a value without letters is in no text"


def test_what_is_planned_may_lie_in_the_future_if_that_isa_statement() -> None:
    read = EventRules(RULES, FORM, TODAY, planned=True).read(a_statement(on="2030-01-01"))
    assert isinstance(read, Event)
    assert read.on == date(2030, 1, 1)


def test_what_no_class_waits_for_may_be_recorded_if_that_isa_statement() -> None:
    rules = EventRules(RULES, FORM, TODAY, unawaited=True)
    for name in ("wedding", "case_closed"):
        assert isinstance(rules.read(a_statement(type=name)), Event)
    assert isinstance(rules.read(a_statement(type="wedding", key="horse", value="Bess")), Event)


def test_a_slip_in_a_key_that_names_persons_does_not_have_a_name_kept() -> None:
    said = 'No class has a key "persn", and its values would be kept as they are. Did you mean "person"?'
    assert _faults(a_statement(key="persn"), unawaited=True) == [("key", said)]


def test_a_schedule_that_waits_for_nothing_has_no_event_to_name() -> None:
    quiet = load_schedule(
        SCHEDULE.partition("  - id: personnel-file")[0] + SCHEDULE[SCHEDULE.index("  - id: other") :], ""
    )
    (fault,) = EventRules(quiet, FORM, TODAY).faults_of_name("wedding", "person")
    said = 'No class of the schedule waits for an event "wedding". To record it all the same, give --unawaited.'
    assert fault == Fault("event", said)


def test_a_name_in_free_words_is_found_by_its_hash() -> None:
    assert names_person(FORM, "person", JANE, "It was (Jane Doe’s) wish.")
    assert not names_person(FORM, "person", JANE, "It was Jane and John Doe")
    assert not names_person(FORM, "person", JANE, "")
    assert not names_person(FORM, "case", "2026-17", "2026-17")


def test_a_text_is_brought_on_one_line() -> None:
    assert plain_text(" a\n b\u00a0c ", 5) == "a b c"
