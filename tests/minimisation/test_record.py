"""A record holds what its class keeps and nothing else: what is known, else what the document says, if it is clean."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.minimisation.base import Kept, Lacking, OutcomeRecord, Why
from agent.minimisation.note import removal_note
from agent.minimisation.vocabulary import FieldKind, shipped
from agent.model.schedule import Officer, ReferenceForm
from agent.retention.loader import load_schedule
from tests.minimisation.cases import ACCOUNT, CASES, facts, record, told, value

MISSING, UNCLEAR, NOT_CLEAN = "<missing>", "<unclear>", "<not_clean>"
POLICIES = Path(__file__).parents[2] / "config" / "policies"


# Dates


@pytest.mark.parametrize(
    "written",
    [
        "2019-03-01",
        "1 March 2019",
        "1st March, 2019",
        "01 Mar 2019",
        "Friday 1 March 2019",
        "Fri, 1 March 2019",
        "the 1st day of March 2019",
        "March 1, 2019",
        "Mar. 1st 2019",
        "1/3/2019",
        "01.03.19",
        "01-03-2019",
        "1-Mar-19",
    ],
)
@pytest.mark.parametrize(
    "label", ["Warning given", "Warned on:", "date of warning -", "Warning issued on", "Warning was"]
)
def test_a_date_stands_next_to_its_label(label: str, written: str) -> None:
    kept = "2019-03-01" if "was" not in label else MISSING
    assert value(f"A warning. {label} {written}, and so on.", "warned_on") == kept


@given(st.dates(date(1980, 1, 1), date(2030, 1, 1)))
def test_any_day_is_read_in_any_form(day: date) -> None:
    for form in ("%Y-%m-%d", "%d %B %Y", "%d/%m/%Y", "%d.%m.%Y", "%B %d, %Y", "%A %d %b %Y"):
        assert value(f"Closed on {day.strftime(form)}", "closed_on") == day.isoformat()


@given(st.dates(date(1930, 1, 1), date(2029, 12, 31)))
def test_a_year_of_two_digits_is_not_much_later_than_the_removal(day: date) -> None:
    assert value(f"Closed on {day:%d/%m/%y}", "closed_on") == day.isoformat()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", MISSING),
        ("Warned on Tuesday", MISSING),
        ("Born on 1 March 1980", MISSING),
        ("Warned, after a talk on 1 March 2019", MISSING),
        ("Warned on 31 February 2019", UNCLEAR),
        ("Warned on 1 March 2019\nWarning given 2 March 2019", UNCLEAR),
        ("Warned on 1 March 2019\nWarning given 01.03.2019", "2019-03-01"),
        ("Previously warned on 1 March 2018", MISSING),
        ("not warned on 1 March 2018, but warned on 2 March 2019", "2019-03-02"),
        ("forewarned on 1 March 2018", MISSING),
        ("Warned on 1 March 20199", MISSING),
        ("Warned on 2019-03-01-17", MISSING),
        ("Date of warning\n1 March 2019", "2019-03-01"),
        ("Date of warning\tFriday 1 March 2019\t", "2019-03-01"),
        ("Date of warning\tunknown\t", MISSING),
    ],
)
def test_no_other_date_is_taken(text: str, kept: str) -> None:
    assert value(text, "warned_on") == kept


def test_a_field_of_any_name_may_be_a_date() -> None:
    assert value("Date interviewed: 1 March 2019", "interviewed_on") == "2019-03-01"
    assert value("Handed over on 1 March 2019", "handed_over_on") == "2019-03-01"


def test_all_dates_may_be_kept_at_once() -> None:
    assert (
        value("Expires on 1 March 2020.\nWarned on 1 March 2019", "dates")
        == "warned_on 2019-03-01, expired_on 2020-03-01"
    )
    assert value("Expires on 1 March 2020.\nWarned on 31 February 2019", "dates") == UNCLEAR
    assert value("1 March 2020", "dates") == MISSING


# Numbers


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Case number: AB/2019/001", "AB/2019/001"),
        ("Our ref AB/2019/001", "AB/2019/001"),
        ("It was all about AB/2019/001.", "AB/2019/001"),
        ("AB/2019/001 and\nAB/2019/001", "AB/2019/001"),
        ("AB/2019/001 and AB/2019/002", UNCLEAR),
        ("Case number: AB/2019/001, like AB/2018/009", UNCLEAR),
        ("As in AB/2018/009.\n\nCase number: AB/2019/001", "AB/2019/001"),
        ("Case number: 4711", MISSING),
        ("XAB/2019/0012", MISSING),
        ("ab/2019/001", MISSING),
    ],
)
def test_a_number_is_kept_only_in_the_form_of_the_schedule(text: str, kept: str) -> None:
    assert value(text, "case_number") == kept


def test_without_a_form_no_number_is_kept() -> None:
    bare = facts(references=(ReferenceForm("EMPLOYEE_ID", r"[A-Z]{2}/\d{4}/\d{3}"),))
    assert value("Case number: AB/2019/001", "case_number", bare) == MISSING


def test_a_form_may_ask_for_words_before_the_number() -> None:
    asked = facts(references=(ReferenceForm("CASE_REFERENCE", r"\d{5}", "matter"),))
    assert value("In Matter no. 12345 it was said", "case_number", asked) == "12345"
    assert value("In room 12345 it was said", "case_number", asked) == MISSING
    assert value("Our ref: 12345", "case_number", asked) == "12345"


@pytest.mark.parametrize(("pattern", "kept"), [(r"[^:]*", MISSING), (r"\d{5}|", "12345"), (r"12\s345", "12 345")])
def test_a_form_that_fits_anything_lets_nothing_long_through(pattern: str, kept: str) -> None:
    loose = facts(references=(ReferenceForm("CASE_REFERENCE", pattern),))
    text = "Our ref: Jane Doe of 12 Long Street was dismissed on 1 May 2019"
    assert value(text.replace("12 Long", f"{kept} Long"), "case_number", loose) == kept


def test_a_form_that_takes_for_ever_is_given_up() -> None:
    slow = facts(references=(ReferenceForm("CASE_REFERENCE", r"(?:a|a|aa)+\1?(?<=(x))b"),))
    assert value("a" * 5_000, "case_number", slow) == UNCLEAR


# What is known


def test_an_event_says_better_when_something_happened() -> None:
    known = facts({"warning_expired": date(2019, 3, 2), "employment_ended": date(2019, 4, 1)})
    made = record("Expires on 1 March 2019. Warned on 1 March 2018", "expired_on", "warned_on", of=known)
    assert told(made) == {"expired_on": "2019-03-02", "warned_on": "2018-03-01"}
    assert [one.location for one in made.fields] == [None, "line=1"]


@pytest.mark.parametrize(
    ("events", "kept"),
    [
        ({"checked": date(2017, 4, 20)}, "2017-04-20"),
        ({"criminal_record_checked": date(2017, 4, 20)}, "2017-04-20"),
        ({"unchecked": date(2017, 4, 20)}, MISSING),
        ({"checked_again": date(2017, 4, 20)}, MISSING),
        ({"one_checked": date(2017, 4, 20), "two_checked": date(2017, 4, 20)}, "2017-04-20"),
        ({"one_checked": date(2017, 4, 20), "two_checked": date(2017, 4, 21)}, UNCLEAR),
    ],
)
def test_an_event_belongs_to_the_date_that_it_is_named_like(events: dict[str, date], kept: str) -> None:
    assert value("", "checked_on", facts(events)) == kept


def test_what_the_caller_knows_goes_before_all() -> None:
    known = facts({"checked": date(2017, 4, 20)}, {"checked_on": "2017-04-21", "outcome": "settled", "mark": "x"})
    made = record("Outcome: upheld", "checked_on", "outcome", "mark", "other", of=known)
    assert told(made) == {"checked_on": "2017-04-21", "outcome": "settled", "mark": "x", "other": MISSING}


# What is let through


def test_what_is_not_clean_is_left_out_and_told() -> None:
    made = record(
        "Outcome: upheld\n\nCase number: AB/2019/001", "outcome", "case_number", clean=lambda one: "/" not in one
    )
    assert made.fields == (Kept("outcome", "upheld", "line=1"),)
    assert made.lacking == (Lacking("case_number", Why.NOT_CLEAN, ("line=3",)),)
    assert not made.complete
    known = facts(known={"who": "Jane Doe"})
    assert record("", "who", of=known, clean=lambda one: False).lacking == (Lacking("who", Why.NOT_CLEAN),)


_PIECES = st.sampled_from(
    [
        "Outcome", ":", "\n", "\t", " ", "upheld", "not", "Jane Doe", "jane@example.org", "1 March 2019", "Warned on",
        "Case number", "AB/2019/001", "first written warning", "Allegation", "theft", "by Richard Roe", "Result",
        "clear", "12 High Street", ".", "Grievance", "☐", "(", "?", "AB 12 34 56 C", "\u2019", "-", "0", "decision is",
    ]
)  # fmt: skip
_KEEPS = ("outcome", "result", "warned_on", "case_number", "allegation_type", "summary", "dates", "matter")


@given(st.lists(_PIECES | st.text(max_size=8), max_size=40).map("".join))
def test_whatever_a_document_says_no_word_of_it_comes_through_but_ours(text: str) -> None:
    made = record(text, *_KEEPS)
    assert {one.field for one in (*made.fields, *made.lacking)} == set(_KEEPS)
    vocabulary = shipped()
    forms = [vocabulary.form(name).words for name in ("outcome", "result", "allegation_type", "matter")]
    words = {word for form in forms if form for word in form.kept.values()}
    for one in made.fields:
        rest = re.sub(r"\d{4}-\d{2}-\d{2}", "", one.value)
        rest = re.sub(CASES.pattern, "", rest) if one.field == "case_number" else rest
        parts = (
            [part for part in re.split(r", |: | ", rest) if part] if one.field == "dates" else re.split(r", |: ", rest)
        )
        assert set(filter(None, parts)) <= words | set(vocabulary.dates)


# The document itself


def test_a_record_says_what_is_kept_and_why_the_document_is_not() -> None:
    made = record("Result: clear", "result", "checked_on", of=facts({"checked": date(2017, 4, 20)}))
    assert made.complete
    assert made.missing == ()
    assert made.as_bytes().decode() == (
        "What is kept of a document that was removed\n"
        "\n"
        "result: satisfactory\n"
        "checked_on: 2017-04-20\n"
        "\n"
        "class: criminal-record-certificate\n"
        "due on: 2017-04-20\n"
        "removed on: 2019-04-21\n"
        'rule: at once on the event "criminal_record_checked" of the check\n'
        "\n"
        'The document itself was removed under the class "Criminal-record certificates" '
        "(Code of practice under the Police Act 1997 s.122).\n"
    )


def test_a_record_that_lacks_something_says_so() -> None:
    made = record("Outcome: upheld\nChecked on 31 February 2019", "outcome", "checked_on", "warned_on")
    assert "\noutcome: upheld\nchecked_on: not known\nwarned_on: not known\n" in made.as_bytes().decode()
    assert made.missing == ("checked_on", "warned_on")
    assert OutcomeRecord(made.facts, made.fields).as_bytes() != made.as_bytes()


def test_known_values_are_not_shown_by_accident() -> None:
    assert "Jane" not in repr(facts(known={"who": "Jane Doe"}))


OFFICERS = (
    Officer("Data protection officer", "A. N. Officer", "dpo@example.org"),
    Officer("HR manager", "Another Officer", "extension 12"),
)


def test_a_note_says_what_went_and_whom_to_ask() -> None:
    text = removal_note(ACCOUNT, date(2019, 4, 21), OFFICERS).decode()
    assert text == (
        "A file was removed from here at the end of its retention period\n"
        "\n"
        "class: criminal-record-certificate\n"
        "removed on: 2019-04-21\n"
        'rule: at once on the event "criminal_record_checked" of the check\n'
        "\n"
        'It was removed under the class "Criminal-record certificates" '
        "(Code of practice under the Police Act 1997 s.122).\n"
        "Ask: Data protection officer, dpo@example.org; HR manager, extension 12.\n"
    )
    assert "A. N. Officer" not in text


def test_a_note_sends_nobody_to_officers_that_there_are_none_of() -> None:
    assert "Ask" not in removal_note(ACCOUNT, date(2019, 4, 21), ()).decode()


# The vocabulary


@pytest.mark.parametrize("path", sorted(POLICIES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_field_that_a_shipped_schedule_keeps_can_be_had(path: Path) -> None:
    for retention_class in load_schedule(path.read_text(encoding="utf-8"), path.name).classes:
        for name in retention_class.keeps:
            assert name == "suppression_hash" or shipped().form(name).kind is not FieldKind.GIVEN


def test_fields_are_made_of_fields_that_there_are() -> None:
    vocabulary = shipped()
    for name in ("summary", "dates"):
        for part in vocabulary.form(name).of or vocabulary.dates:
            assert vocabulary.form(part).labels
    assert vocabulary.labels(["summary"]) >= set(vocabulary.form("outcome").labels)
    assert vocabulary.labels(["dates"]) >= set(vocabulary.form("warned_on").labels)


def test_a_day_is_kept_as_a_day() -> None:
    day = date(2019, 3, 1) + timedelta(days=365)
    assert value("", "checked_on", facts({"checked": day})) == "2020-02-29"
