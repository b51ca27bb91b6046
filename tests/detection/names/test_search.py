"""Names of persons in office text, and what is told apart from them."""

from __future__ import annotations

import itertools

import pytest

from agent.detection.names.gazetteer import family_names, given_names, origins
from agent.detection.names.rules import names_by_rule
from agent.detection.names.search import NameSearch, whole_name
from agent.model.finding import Span


@pytest.fixture(scope="module")
def search() -> NameSearch:
    return NameSearch()


def names(search: NameSearch, text: str) -> list[str]:
    return [text[span.start : span.end] for span in search.find(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Dear Mrs Ackroyd,\nyour appointment is on Monday.", ["Ackroyd"]),
        ("Hi Priya,\nthe form is attached.\nThanks\nTom", ["Priya", "Tom"]),
        ("Yours sincerely\n\nGwilym Prosser\nPractice manager", ["Gwilym Prosser"]),
        ("Employee: Funmilayo Adebanjo   Payroll no 00412", ["Funmilayo Adebanjo"]),
        ("Present: Kwame Mensah, Siobhan O'Dowd and J. Whitworth", ["Kwame Mensah", "Siobhan O'Dowd", "J. Whitworth"]),
        ("Minutes taken by Agnieszka Nowak-Field.", ["Agnieszka Nowak-Field"]),
        ("From: Rajesh Patel <r.patel@example.org>", ["Rajesh Patel"]),
        ("I spoke to Dr Okafor's secretary.", ["Okafor"]),
        ("Liam Church, warehouse assistant, was late.", ["Liam Church"]),
        ("Handed to Cllr Bronagh Kelly at the door.", ["Bronagh Kelly"]),
        ("His father, Colonel Yusuf Khan, rang twice.", ["Yusuf Khan"]),
        ("Interviewee Tyrone Hollis, ex-volunteer, was calm.", ["Tyrone Hollis"]),
        ("40655\tHarpreet Gill\tCentral\tveg", ["Harpreet Gill"]),
        ("Subject: Radu Popescu - translation of the form", ["Radu Popescu"]),
        ("Issuer's name       Dr A. Siddiqui\nProfession          GP", ["A. Siddiqui"]),
        (
            "Account holder Miss A E Sarpong\n\nMiss Sarpong rang. A E Sarpong signed.",
            ["A E Sarpong", "Sarpong", "A E Sarpong"],
        ),
        ('uid=40117 name="BASSI, Harjit" finger=R-index', ["BASSI, Harjit"]),
        ('"40701","Garside, Bill","04/11/24"', ["Garside, Bill"]),
        ("From: Kwabena Asante\nTo: Lucy, Isidore\nSubject: rota", ["Kwabena Asante", "Lucy", "Isidore"]),
        ('Ref\n"Mbeki-Lawson, Thandeka",T-5512\n"Szabó, Ilka",T-5520', ["Mbeki-Lawson, Thandeka", "Szabó, Ilka"]),
        ("Dunmore, Mr A;HH/30018\nO'Hare, Concepta;HH/29555", ["Dunmore, Mr A", "O'Hare, Concepta"]),
        ("SU12215  Le Goff, Yann    form not returned", ["Le Goff, Yann"]),
        ("Re: Jonah WREN, dob 30/05/1999", ["Jonah WREN"]),
        ("On 11 June Mr Kowalski rang.", ["Kowalski"]),
        ("Mrs Wisniewski and Mr Celik were there.", ["Wisniewski", "Celik"]),
    ],
)
def test_names_are_found_without_titles_and_possessives(search: NameSearch, text: str, found: list[str]) -> None:
    assert names(search, text) == found


@pytest.mark.parametrize(
    "text",
    [
        'Preston, Lancashire\n"Lincoln, Lincolnshire"\n"Sales, Marketing";Paris, France',
        "The meeting is in Victoria Road, opposite the Albert Arms.",
        "Deliver to Florence Nightingale Ward, St Thomas' Hospital.",
        "Order from Marks & Spencer by Friday.",
        "The Equality Act 2010 and the Data Protection Act 2018 apply.",
        "Offices in Stroud, Otley and Wisbech close in June.",
        "for col in row:\n    print(col)",
        "Park Dr BD9 5QE",
        "Dear Principal,\n\nI write about the trip.",
        "Dear Sirs\n\nWe act for the tenant.",
        "Dear Data Protection Officer\n\nPlease send me a copy.",
        "Ty Heulog is closed, and so is 14 Llys Derwen.",
        "3/2  Glasgow - Ayr, 4/2 Dumfries, back by Kirkcaldy. E. Sussex was wet.",
        "Card | Name | Address | Wants | Post?",
        "SHARED LEAVE       14 WEEKS",
        "The judge:\nA. Yes.\nQ. No.\nA.O.B. none",
        "Gift Aid declaration",
        "",
    ],
)
def test_places_firms_laws_and_code_are_nobody(search: NameSearch, text: str) -> None:
    assert names(search, text) == []


def test_a_name_that_was_found_is_found_again_alone_and_in_capitals(search: NameSearch) -> None:
    text = "Ms Zainab Quillfeather rang.\n\nZAINAB QUILLFEATHER, file 3\n\nQuillfeather Accountants Ltd wrote."
    spans = search.find(text)
    assert [text[span.start : span.end] for span in spans] == ["Zainab Quillfeather", "ZAINAB QUILLFEATHER"]


def test_spans_are_in_order_apart_and_the_same_each_time(search: NameSearch) -> None:
    text = "Dear Mr Bevan,\nAnn Bevan, Tom Sharpe and Mrs Sharpe met.\nRegards\nAnn\n" * 40
    spans = search.find(text)
    assert all(one.end <= other.start for one, other in itertools.pairwise(spans))
    assert spans == search.find(text)
    assert {span.entity_type for span in spans} == {"PERSON"}


@pytest.mark.parametrize(
    "text", ["\0" * 50, "A" * 100_000, "Mr " * 20_000, "\u202e\u200b Dear \u200bTom", "Dear\n" * 20_000]
)
def test_any_text_gets_an_answer(search: NameSearch, text: str) -> None:
    assert all(0 <= span.start < span.end <= len(text) for span in search.find(text))


def test_a_cell_gives_the_name_in_it_or_none() -> None:
    text = "Miss Lettice Byam|Jan SSP|a.b@example.org|Rosemary Flint FCCA"
    cells = []
    position = 0
    for cell in text.split("|"):
        cells.append(whole_name(text, Span("PERSON", position, position + len(cell), 0.9, why="column")))
        position += len(cell) + 1
    assert [text[cell.start : cell.end] if cell else None for cell in cells] == [
        "Lettice Byam",
        None,
        None,
        "Rosemary Flint",
    ]


@pytest.mark.parametrize("word", ["Joy", "Young", "Bill", "Sunday"])
def test_a_cell_below_a_heading_for_names_is_one_though_the_word_means_something_else(word: str) -> None:
    assert whole_name(word, Span("PERSON", 0, len(word), 0.9, why="column")) is not None
    assert whole_name(word, Span("PERSON", 0, len(word), 0.9, why="list")) is None


def test_a_rule_says_which_one_it_is() -> None:
    text = "Dear Tom,\n\nSigned: Ada Example\n\nKind regards\nMrs Ruth Kessler"
    assert {(text[start:end], rule) for start, end, rule in names_by_rule(text)} == {
        ("Tom", "greeting"),
        ("Ada Example", "field"),
        ("Ruth Kessler", "signature"),
        ("Ruth Kessler", "title"),
    }


def test_the_lists_hold_names_of_many_origins() -> None:
    assert len({origin.name for origin in origins()}) >= 40
    assert len(given_names()) > 5_000
    assert len(family_names()) > 4_000
    assert all(origin.women and origin.men and origin.family for origin in origins())
