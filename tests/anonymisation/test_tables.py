"""Delimited tables: cell by cell, in the dialect they have."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from tests.anonymisation.desk import JANE, PHONE, Words, run


def test_cells_are_read_behind_their_headings_and_the_dialect_stays() -> None:
    table = 'Name;"Phone; home";Note\r\nJane Doe;07700900123;"said ""Jane Doe"" is in"\r\n\r\n;"x"y;\r\n'
    find = Words()

    result, done = run(table.encode("cp1252"), "csv", find)

    assert result.decode() == (
        'Name;"Phone; home";Note\r\n<PERSON>;<PHONE_NUMBER>;"said ""<PERSON>"" is in"\r\n\r\n;"x"y;\r\n'
    )
    assert find.seen[0] == (
        f'Name\nPhone; home\nNote\nName: {JANE}\nPhone; home: {PHONE}\nNote: said "{JANE}" is '
        "in\nPhone; home: x\nNote: y\n"
    )
    assert done.replaced == {"PERSON": 2, "PHONE_NUMBER": 1}


def test_a_span_never_takes_a_heading() -> None:
    find = Words({"Name: Jane Doe\nTown: ": "PERSON", "Town: ": "STREET_ADDRESS"})

    assert run(b"Name,Town\nJane Doe,Ash", "csv", find)[0] == b"Name,Town\n<PERSON>,Ash"


def test_a_value_found_together_with_its_heading_goes_from_elsewhere_too() -> None:
    find = Words({"Town: Ash Green": "STREET_ADDRESS"})

    assert run(b"Name,Town\nof Ash Green,Ash Green\n", "csv", find)[0] == (
        b"Name,Town\nof <STREET_ADDRESS>,<STREET_ADDRESS>\n"
    )


def test_a_table_without_headings_is_read_without() -> None:
    find = Words()

    run(b"Jane Doe,1\nAl Roe,2\n", "csv", find)

    assert find.seen[0] == "Jane Doe\n1\nAl Roe\n2\n"


def test_more_cells_than_headings_and_stray_bytes_do_no_harm() -> None:
    find = Words({"René": "PERSON"})

    assert run("naïve,b\n1,2,".encode() + b"Ren\xe9,Ren\xe9\n", "csv", find)[0] == "naïve,b\n1,2,".encode() + (
        b"<PERSON>,<PERSON>\n"
    )


def test_a_quotation_mark_that_is_never_closed_makes_a_text_of_the_table() -> None:
    table = 'a,b\n"x,' + "y\n" * 140_000 + "Jane Doe,c\n"

    assert run(table.encode(), "csv")[0].decode() == table.replace(JANE, "<PERSON>")


def test_a_table_may_end_behind_a_separator() -> None:
    assert run(b"a,b\nJane Doe,", "csv")[0] == b"a,b\n<PERSON>,"


def test_an_empty_table_stays_empty() -> None:
    assert run(b"\n", "csv")[0] == b"\n"


@given(
    st.lists(st.lists(st.one_of(st.just(JANE), st.text('ab ,;"\n\r', max_size=5)), min_size=2, max_size=4), min_size=1),
    st.sampled_from(",;\t|"),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_every_other_cell_reads_as_before(table: list[list[str]], delimiter: str, quoting: int) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter, quoting=quoting).writerows(table)  # type: ignore[arg-type]

    result, _ = run(written.getvalue().encode(), "csv")

    assert result.decode() == written.getvalue().replace(JANE, "<PERSON>")
