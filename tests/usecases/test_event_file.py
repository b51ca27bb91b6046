"""A table of events is read as offices save it, and everything wrong with it is told with line and column."""

from __future__ import annotations

import pytest

from agent.usecases import event_file
from agent.usecases.event_file import EventFileError, Problem, Problems, Row, read_rows
from agent.usecases.event_rules import Statement

ROW = Statement("employment_ended", "person", "Jane Doe", "2024-03-31", "notice given")
TABLE = "event,key,value,on,note\nemployment_ended,person,Jane Doe,2024-03-31,notice given\n"
HEADER = "The first line must name the columns: event,key,value,on,note (note may be left out)."


def _read(data: bytes | str) -> tuple[list[Row], list[Problem]]:
    problems = Problems()
    rows = list(read_rows(data.encode() if isinstance(data, str) else data, problems))
    assert problems.count == len(problems.shown)
    return rows, problems.shown


def _rows(data: bytes | str) -> list[tuple[int, Statement]]:
    rows, problems = _read(data)
    assert problems == []
    return [(row.line, row.said) for row in rows]


def _problem(data: bytes | str) -> Problem:
    _, (problem,) = _read(data)
    return problem


@pytest.mark.parametrize(
    "data",
    [
        TABLE.encode(),
        TABLE.encode("utf-8-sig"),
        TABLE.encode("utf-16"),
        b"\xfe\xff" + TABLE.encode("utf-16-be"),
        TABLE.replace("\n", "\r\n").encode(),
        TABLE.replace("\n", "\r").encode(),
        TABLE.rstrip("\n").encode(),
        TABLE.replace(",", ";").encode(),
        TABLE.replace(",", "\t").encode(),
        TABLE.replace(",", ";").encode("utf-8-sig"),
        TABLE.replace("event,", "TYPE,").replace(",on,", ", Date ,").encode(),
        TABLE.replace(",on,", ",Day,").encode(),
        b'"event","key","value","on","note"\n"employment_ended","person","Jane Doe","2024-03-31","notice given"\n',
        TABLE.replace("note\n", "note,,\n").replace("given\n", "given,,\n").encode(),
        TABLE.replace("given\n", "given,, \n").encode(),
    ],
)
def test_a_table_is_read_as_offices_save_it(data: bytes) -> None:
    assert _rows(data) == [(2, ROW)]


def test_columns_stand_in_any_order() -> None:
    assert _rows("note;on;value;key;event\nnotice given;2024-03-31;Jane Doe;person;employment_ended\n") == [(2, ROW)]


def test_a_note_may_be_left_out() -> None:
    (row,) = _rows("event,key,value,on\na,b,c,d\n")
    assert row == (2, Statement("a", "b", "c", "d", ""))


def test_what_is_missing_at_the_end_of_a_line_is_empty() -> None:
    assert _rows("event,key,value,on,note\na,b\n") == [(2, Statement("a", "b", "", "", ""))]


def test_text_that_is_not_utf_8_is_read_as_windows_does() -> None:
    ((_, said),) = _rows("event,key,value,on\na,person,Zoë O’Neill,2024-01-01\n".encode("cp1252"))
    assert said.value == "Zoë O’Neill"


def test_fields_in_quotes_hold_what_they_like_and_lines_are_counted_as_an_editor_does() -> None:
    table = '\n\nevent,key,value,on,note\n\n a ,b,"c, ""d""",e,"two\nlines"\n , ,,,\nf,g,h,i,\n'
    assert _rows(table) == [
        (5, Statement(" a ", "b", 'c, "d"', "e", "two\nlines")),
        (8, Statement("f", "g", "h", "i", "")),
    ]


def test_columns_are_called_in_problems_as_the_file_calls_them() -> None:
    (row,), _ = _read("Type;KEY;value;date\na;b;c;d\n")
    assert row.columns == {"event": "Type", "key": "KEY", "value": "value", "on": "date"}


@pytest.mark.parametrize("data", ["", "\n \n", "\ufeff", ";;;\n,,\n"])
def test_an_empty_file_is_told_how_to_begin(data: str) -> None:
    assert _read(data) == ([], [Problem(1, "", f"The file is empty. {HEADER}")])


def test_a_file_without_a_header_is_told_so_without_repeating_what_it_says() -> None:
    assert _problem("\nemployment_ended,person,Jane Doe,2024-03-31\n") == Problem(2, "", HEADER)


def test_a_column_that_is_missing_is_named() -> None:
    assert _problem("event,value,note\na,b,c\n") == Problem(1, "", f"No column is called key or on. {HEADER}")


def test_a_column_that_is_not_known_is_told_by_its_place() -> None:
    problem = _problem("event,key,value,on,Jane Doe\na,b,c,d,e\n")
    assert problem == Problem(1, "", f"Column 5 is called something we do not know. {HEADER}")


def test_two_columns_of_one_meaning_are_too_many() -> None:
    assert _problem("event,key,value,on,date\n") == Problem(
        1, "on", "There are two columns of this meaning. Leave one."
    )


@pytest.mark.parametrize("more", ["on", "on,"])
def test_a_line_with_too_many_fields_is_told(more: str) -> None:
    rows, problems = _read(f"event,key,value,{more}\na,b,Doe, Jane,2024-01-01\na,b,c,d\n")
    assert [row.line for row in rows] == [3]
    assert problems == [
        Problem(
            2,
            "",
            "This line has more fields than the first line has names. "
            "A field that holds the character between fields must stand in quotes.",
        )
    ]


@pytest.mark.parametrize("field", ['"Jane', '"Jane" Doe', '"' + "x" * 200_000])
def test_wrong_quotes_end_the_reading_where_they_begin(field: str) -> None:
    rows, problems = _read(f"event,key,value,on\na,b,c,d\na,b,{field},d\na,b,c,d\n")
    assert [row.line for row in rows] == [2]
    assert problems == [
        Problem(3, "", 'The quotes are wrong from here on. Close every ", and write "" for one within a field.')
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04\x00\x00",
        TABLE.encode("utf-16-le"),
        TABLE.encode("utf-32"),
        TABLE.encode("utf-16")[:-1],
        b"event,key,value,on\na,b,\x81,d\n",
    ],
    ids=["a workbook", "utf-16 without its mark", "utf-32", "half a character", "no encoding at all"],
)
def test_what_is_no_text_is_told_so(data: bytes) -> None:
    said = "This is not a text file in UTF-8, UTF-16 or Windows-1252. Save it as CSV (UTF-8)."
    assert _read(data) == ([], [Problem(1, "", said)])


def test_a_file_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_file, "MOST_BYTES", 1024 * 1024)
    filler = TABLE + "\n" * (1024 * 1024 - len(TABLE))
    assert _rows(filler) == [(2, ROW)], "the limit itself is allowed"
    assert _read(filler + "\n") == ([], [Problem(1, "", "The file has more than 1 MiB. Split it.")])


def test_problems_are_told_in_the_order_of_the_file_and_counted_beyond_fifty() -> None:
    problems = Problems()
    problems.note(7, "", "Late.")
    for line in range(60, 0, -1):
        problems.note(line, "on", "Wrong.")
    told = str(EventFileError("leavers.csv", problems)).splitlines()
    assert told[0] == "leavers.csv: 61 problems; nothing was imported."
    assert told[1] == "leavers.csv:7: Late."
    assert told[2] == "leavers.csv:12: on: Wrong."
    assert told[50] == "leavers.csv:60: on: Wrong."
    assert told[51:] == ["… and 11 more."]


def test_one_problem_is_one_problem() -> None:
    problems = Problems()
    problems.note(2, "on", "Wrong.")
    assert str(EventFileError("l.csv", problems)) == "l.csv: 1 problem; nothing was imported.\nl.csv:2: on: Wrong."
