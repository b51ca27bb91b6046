"""Tables are found by their header, and their cells by what it promises."""

from __future__ import annotations

import time

import pytest

from agent.detection.columns import find_tables, table_spans


def found(text: str) -> list[tuple[str, str]]:
    return [(span.entity_type, text[span.start : span.end]) for span in table_spans(text)]


ROW = [("PERSON", "Okafor"), ("DATE_OF_BIRTH", "03/04/1985"), ("UK_NINO", "AB123456C"), ("SC_RELIGION", "Sikh")]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Surname,DOB,NI No,Religion\nOkafor,03/04/1985,AB123456C,Sikh\n", id="commas"),
        pytest.param("Surname;DOB;NI No;Religion\nOkafor;03/04/1985;AB123456C;Sikh", id="semicolons"),
        pytest.param("Surname\tDOB\tNI No\tReligion\nOkafor\t03/04/1985\tAB123456C\tSikh", id="tabs"),
        pytest.param(
            "| Surname | DOB | NI No | Religion |\n|---|---|---|---|\n| Okafor | 03/04/1985 | AB123456C | Sikh |",
            id="bars",
        ),
        pytest.param("Surname   DOB         NI No      Religion\nOkafor    03/04/1985  AB123456C  Sikh", id="spaces"),
        pytest.param('"Surname","DOB","NI No","Religion"\n"Okafor","03/04/1985","AB123456C","Sikh"', id="quoted"),
        pytest.param(
            "Staff list\n\nSurname,DOB,NI No,Religion\r\nOkafor,03/04/1985,AB123456C,Sikh\r\nThat is all.",
            id="in prose",
        ),
    ],
)
def test_columns_are_typed_by_their_header_however_they_are_parted(text: str) -> None:
    assert found(text) == ROW


def test_lines_of_a_delimited_file_are_read_as_its_columns() -> None:
    text = "Surname: Okafor\nDOB: 03/04/1985\nUnion: GMB\nSurname: Lee\nDOB: 1/2/1990\nUnion: none\n"
    assert found(text) == [
        ("PERSON", "Okafor"),
        ("DATE_OF_BIRTH", "03/04/1985"),
        ("SC_UNION", "GMB"),
        ("PERSON", "Lee"),
        ("DATE_OF_BIRTH", "1/2/1990"),
    ]


@pytest.mark.parametrize("value", ["", "-", "n/a", "None", "no", "Prefer not to say", "____", "Not stated"])
def test_an_unanswered_cell_reveals_nothing(value: str) -> None:
    assert [kind for kind, _ in found(f"Surname,Disability,Ethnicity\nOkafor,{value},{value}\n")] == ["PERSON"]


@pytest.mark.parametrize(
    "text",
    [
        "Surname,DOB,NI No\n",
        "We met, talked, and left.\nThen, later, we came, again.",
        "Item,Price,Quantity\nLamp,3.50,2\n",
        "Name: to be agreed\nWhat we do: everything",
        "Ref,Total,VAT\nabc,12,3\n",
        "Date  Item  Price\n1 May  Lamp  3.50",
        "Surname,DOB,NI No\nwrong,row,here\n",
        "name, address, and date of birth are what we hold.\nThese, too, are held.",
        "",
        "\n\n\n",
    ],
)
def test_what_is_no_table_of_people_gives_nothing(text: str) -> None:
    assert found(text) == []


def test_a_header_is_not_believed_when_the_cells_speak_against_it() -> None:
    assert found("Name,Reg,Total\nLamp 3,12,4\nChair 4,13,5\nTable 5,14,6\n") == []


def test_a_table_knows_where_it_stands_and_what_its_columns_are() -> None:
    text = "List\nSurname,DOB\nOkafor,1/2/1990\n\nend"
    (table,) = find_tables("List\nSurname,DOB,x\nOkafor,1/2/1990,y\n\nend")
    assert [column.entity for column in table.columns] == ["PERSON", "DATE_OF_BIRTH", None]
    assert table.start == text.index("Surname")


@pytest.mark.parametrize(
    "text", ["a,b,c;d|e\t" * 100_000, "word, word, word.\n" * 60_000, "x" * 1_000_000, ": \n" * 300_000]
)
def test_a_text_without_tables_costs_little(text: str) -> None:
    begun = time.process_time()
    table_spans(text)
    assert time.process_time() - begun < 3.0
