"""An outcome is taken where the document says it clearly and in one way, in our words only; else a person must look."""

from __future__ import annotations

import time

import pytest

from tests.minimisation.cases import record, rows, told, value

MISSING, UNCLEAR = "<missing>", "<unclear>"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Outcome: upheld", "upheld"),
        ("OUTCOME : Not Upheld.", "not upheld"),
        ("  4.2 Outcome = partially\u2010upheld", "partly upheld"),
        ("Outcome (panel) – dismissed without notice", "summary dismissal"),
        ("Outcome ......... no case to answer", "no case to answer"),
        ("Outcome    final warning", "final written warning"),
        ("Decision: first and final written warning", "final written warning"),
        ("b) Finding: Unfounded", "not well founded"),
        ("• Sanction: recorded verbal warning, 6 months", "verbal warning"),
        ("Notes of 3 May. Outcome: no further action. Signed, the chair.", "no action"),
        ("Outcome: The grievance was not upheld against the team.", "not upheld"),
        ("Outcome: first written warning. If it happens again, dismissal may follow.", "first written warning"),
    ],
)
def test_an_outcome_stands_behind_a_label(text: str, kept: str) -> None:
    assert value(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "Outcome\nThe complaint is upheld in part.",
        "4. Outcome:\n\nUpheld in part",
        "OUTCOME OF THE HEARING\nThe panel sat for an hour.\nIt found the complaint partly upheld.",
        "Outcome: the panel considered all that was said, and found the complaint upheld\nin part.",
        "outcome: upheld in\npart",
    ],
)
def test_an_outcome_stands_below_a_heading_or_goes_on_in_the_next_line(text: str) -> None:
    assert value(text) == "partly upheld"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("FIRST WRITTEN WARNING", "first written warning"),
        ("He accepts this. First written warning, to expire on 1 March 2019.", "first written warning"),
        ("Timekeeping: first written warning", "first written warning"),
        ("The complaint was not upheld.", "not upheld"),
        ("My decision is a final written warning for what was said.", "final written warning"),
        ("I have decided on a first written warning. It stays live for six months.", "first written warning"),
        ("I'm giving you a first written warning, live for six months.", "first written warning"),
        ("Outcome upheld", "upheld"),
    ],
)
def test_an_outcome_may_stand_in_a_sentence_of_its_own_or_be_announced(text: str, kept: str) -> None:
    assert value(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Nothing is said here.",
        "Outcome: n/a",
        "Outcome: ____",
        "Outcome ........ 5",
        "Outcome:",
        "Outcome\nOutcome",
        "If the allegation is upheld the outcome may be anything up to dismissal.",
        "The outcome is not dismissal.",
        "Another offence may lead to a final written warning.",
        "We discussed whether a final written warning was right.",
        "Is this a final written warning?",
        "Final written warning to Jane Doe",
        "☐ final written warning",
        "Upheld",
        "Decision making upheld standards",
        "Outcome dismissal procedures",
        "Outcome letters are kept",
        "The outcomes: upheld",
        "An appeal was dismissed by the panel in 2012",
    ],
)
def test_what_does_not_say_the_outcome_is_not_taken_for_one(text: str) -> None:
    assert value(text) == MISSING


@pytest.mark.parametrize(
    "text",
    [
        "Outcome: upheld and not upheld",
        "Outcome: upheld\nOutcome: not upheld",
        "Outcome: upheld\nFinding: dismissed",
        "Outcome: upheld. Sanction: dismissal",
        "Outcome: was not fully upheld",
        "Outcome: cannot be upheld",
        "Outcome: wasn't upheld",
        "Outcome: upheld?",
        "Outcome: neither upheld nor dismissed",
        "Outcome: recommended dismissal",
        "Outcome: pending, possibly dismissal",
        "Outcome: [ ] upheld [x] not upheld",
        "Outcome: ☑ upheld",
        "Outcome: moved to another team",
        "Outcome\nMoved to another team.\nSame hours, same pay.",
        "Outcome\nUpheld.\nAllegation two was not upheld.",
        "Outcome: upheld\n\nThe decision is a final written warning.",
        "First written warning\n\nFinal written warning",
        "Outcome: first written warning\n\nOn appeal the warning was taken back.",
        "Final written warning\n\nThe warning was later rescinded.",
        "Outcome: first written warning\nAppeal outcome: withdrawn",
    ],
)
def test_what_is_said_in_two_ways_or_left_open_is_unclear(text: str) -> None:
    assert value(text) == UNCLEAR


def test_places_to_look_at_are_told() -> None:
    made = record("Outcome: upheld\n\nsomething else\n\nOutcome: not upheld", "outcome")
    assert not made.complete
    assert made.missing == ("outcome",)
    assert made.lacking[0].locations == ("line=1", "line=5")
    assert record("one\ntwo\n\nOutcome: upheld", "outcome").fields[0].location == "line=4"


def test_the_same_outcome_twice_is_one() -> None:
    assert value("Outcome: upheld\n\nFinding: upheld in full") == "upheld"


CERTIFICATE = """Enhanced Certificate
Police Records of Convictions, Cautions, Reprimands and Warnings
NONE RECORDED
Information from the list held under Section 142 of the Education Act 2002
NONE RECORDED
DBS Children’s Barred List information
NOT REQUESTED
Other relevant information disclosed at the Chief Police Officer’s discretion
{}
"""


@pytest.mark.parametrize(
    ("last", "kept"),
    [
        ("NONE RECORDED", "satisfactory"),
        ("In 2021 a neighbour alleged an assault. No action was taken.", UNCLEAR),
        ("NONE RECORDED\nResult: unsatisfactory", UNCLEAR),
    ],
)
def test_a_certificate_is_satisfactory_if_nothing_stands_in_any_of_its_boxes(last: str, kept: str) -> None:
    assert value(CERTIFICATE.format(last), "result") == kept


@pytest.mark.parametrize(
    "text",
    ["Nothing recorded.", "Clear", "A list of people\n1) Clear.\n2) One conviction.", "The check was clear"],
)
def test_a_result_needs_its_label(text: str) -> None:
    assert value(text, "result") == MISSING


def test_results_and_outcomes_are_not_confused() -> None:
    text = "Decision: summary dismissal. The papers were passed to the police."
    assert value(text) == "summary dismissal"
    assert value("Outcome: clear") == UNCLEAR


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Allegation type: lateness", "lateness"),
        ("Nature of the complaint: sexual harassment and bullying", "bullying, harassment"),
        ("Allegation: theft\n\nAllegation: fraud", "fraud, theft"),
        ("Allegation: that he left early", UNCLEAR),
        ("Allegation: no theft", UNCLEAR),
        ("It is alleged that there was theft.", MISSING),
    ],
)
def test_several_allegations_may_stand(text: str, kept: str) -> None:
    assert value(text, "allegation_type") == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Case type: grievance", "grievance"),
        ("NOTES OF A DISCIPLINARY HEARING", "disciplinary matter"),
        ("Private\n\nCapability – stage 1\n\nwith a word on grievances", "capability matter"),
        ("A grievance against a disciplinary warning", UNCLEAR),
        ("Dear Jane,", MISSING),
        ("A grievance" + " is heard" * 9, "grievance"),
        ("A grievance" + " is heard" * 10, MISSING),
        ("\n\n".join([*"abcdefgh", "Grievance"]), MISSING),
    ],
)  # fmt: skip
def test_the_title_says_what_the_matter_was(text: str, kept: str) -> None:
    assert value(text, "matter") == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("DISCIPLINARY HEARING\nOutcome: first written warning", "disciplinary matter: first written warning"),
        ("HEARING\nAllegation: lateness\nOutcome: no action", "lateness: no action"),
        ("GRIEVANCE\nI wish to complain about my rota.", MISSING),
        ("Outcome: upheld", MISSING),
        ("GRIEVANCE\nOutcome: upheld\nOutcome: not upheld", UNCLEAR),
        ("A grievance against a disciplinary warning\nOutcome: upheld", UNCLEAR),
    ],
)
def test_a_summary_says_what_it_was_about_and_how_it_ended(text: str, kept: str) -> None:
    assert value(text, "summary") == kept


# Tables


def test_a_table_of_two_columns_has_labels_and_values() -> None:
    table = "Name\tJane Doe\t\nOutcome \tNot upheld \t\n\t\t\nChecked on\t1 March 2019\t"
    assert told(record(table, "outcome", "checked_on")) == {"outcome": "not upheld", "checked_on": "2019-03-01"}


def test_a_table_of_four_columns_may_have_two_of_each() -> None:
    table = "Result\tclear\tDate checked\t01/03/19"
    assert told(record(table, "result", "checked_on")) == {"result": "satisfactory", "checked_on": "2019-03-01"}


def test_a_table_may_have_its_labels_in_the_first_row() -> None:
    table = "Allegation one\tFinding\tRemarks\nleft early\tUpheld\tnone\n"
    assert value(table) == "upheld"
    assert value(table + "came late\tNot upheld\tnone\n") == UNCLEAR
    assert value(table + "came late\t\tnone\n") == "upheld"
    assert value("Name\tOutcome\nJane Doe\tDismissed") == "dismissed"


def test_rows_of_another_width_or_behind_a_paragraph_are_another_table() -> None:
    table = "No.\tFinding\tRemarks\n1\tUpheld\tnone\n"
    assert value(table + "a\tNot upheld\tb\tc") == "upheld"
    assert value(table + "a\tb\nc\tNot upheld\td") == "upheld"
    assert value(table + "Then:\na\tNot upheld\tb") == "upheld"


def test_cells_are_no_sentences_of_their_own() -> None:
    assert value("Final written warning\t12 months\nVerbal warning\t3 months") == MISSING
    assert value("no.\tOutcome: upheld") == "upheld"


def test_a_table_ends_what_stands_below_a_heading() -> None:
    assert value("Outcome\na\tb\nUpheld") == MISSING
    assert value("Outcome\nUpheld\na\tb\nNot upheld") == "upheld"


def test_a_sheet_has_its_headings_before_each_value() -> None:
    sheet = [
        ("sheet=1&cell=A1", "Name\tOutcome\tDate checked\t"),
        ("sheet=1&cell=A2", "Name: J. Doe\tOutcome: Upheld\t"),
    ]
    assert rows(sheet, "outcome") == {"outcome": "upheld"}
    more = [*sheet, ("sheet=1&cell=A3", "Name: R. Roe\tOutcome: Not upheld\t")]
    assert rows(more, "outcome") == {"outcome": UNCLEAR}


def test_a_sheet_of_labels_and_values_is_read_though_its_first_row_was_taken_for_headings() -> None:
    sheet = [
        ("sheet=1&cell=A1", "Result\tsatisfactory\t"),
        ("sheet=1&cell=A2", "Result: Checked on\tsatisfactory: 2019-03-01\t"),
        ("sheet=2&cell=A1", "Date of issue\t1 May 2019\t"),
    ]
    found = {"result": "satisfactory", "checked_on": "2019-03-01", "issued_on": "2019-05-01"}
    assert rows(sheet, *found) == found
    delimited = [
        ("row=1", "Result"),
        ("row=1", "clear"),
        ("row=2", "Result: Checked on"),
        ("row=2", "clear: 1 May 2019"),
    ]
    assert rows(delimited, "result", "checked_on") == {"result": "satisfactory", "checked_on": "2019-05-01"}
    titled = [("sheet=1&cell=A1", "Record\t"), ("sheet=1&cell=A2", "Result\tclear\t"), ("sheet=1", "Result\tclear\t")]
    assert rows(titled, "result") == {"result": "satisfactory"}


def test_rows_of_values_that_are_parted_by_commas_are_rows() -> None:
    delimited = [("row=1", "Name"), ("row=1", "Outcome"), ("row=2", "Name: J. Doe"), ("row=2", "Outcome: Upheld")]
    assert rows(delimited, "outcome") == {"outcome": "upheld"}


# Lines and paragraphs


@pytest.mark.parametrize(
    "text",
    [
        "Outcome: upheld\nSigned: not upheld was the wish of the other side",
        "Outcome: upheld\n- not upheld would have been possible",
        "Outcome: upheld\n2. not upheld",
        "Outcome: upheld\n\nnot upheld, some had hoped",
        "Outcome: upheld.\nnot upheld, some had hoped",
        "Outcome: upheld\nNot upheld, some had hoped",
    ],
)
def test_what_begins_anew_is_not_the_rest_of_a_paragraph(text: str) -> None:
    assert value(text) == "upheld"


def test_a_long_line_goes_on_in_the_next() -> None:
    text = (
        "Outcome: after two hours of talking the complaint is upheld against\nMs Roe. It is not upheld against Mr Doe."
    )
    assert value(text) == UNCLEAR


def test_what_is_joined_has_an_end() -> None:
    long = "Outcome: upheld, which all of us had expected from the beginning of the hearing"
    assert value("\n".join([long, *(["and so it went on and on"] * 200), "not upheld"])) == "upheld"


def test_what_stands_below_a_heading_has_an_end() -> None:
    paragraphs = ["It was a long day."] * 5
    assert value("\n\n".join(["Outcome", *paragraphs, "It is upheld.", "It is not upheld."])) == "upheld"
    assert value("\n\n".join(["Outcome", *paragraphs[1:], "It is upheld.", "It is not upheld."])) == UNCLEAR


@pytest.mark.parametrize(
    "text",
    [
        "Outcome" + " " * 50_000 + "x",
        "Outcome (" * 6_000,
        "a\n" * 25_000,
        "Outcome: upheld\n" * 3_000,
        "Warned on 1/1/2019 " * 2_500,
        "." * 50_000,
    ],
    ids=["blanks", "brackets", "short lines", "labels", "dates", "dots"],
)
def test_a_strange_document_takes_no_longer_than_others(text: str) -> None:
    began = time.process_time()
    record(text, "outcome", "warned_on", "summary")
    assert time.process_time() - began < 5
