"""A value that was found once goes from everywhere; rounds go on until nothing is found; labels are never touched."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import BinaryIO

import pytest

from agent.anonymisation.anonymise import anonymise
from agent.anonymisation.base import CannotAnonymise
from agent.anonymisation.known import folding
from agent.anonymisation.labels import bare, label_ranges, without_labels
from agent.model.finding import Span
from tests.anonymisation.desk import JANE, RECOGNITION, Words, body, clean, literals, paragraph, run, word


class Once:
    """Finds a value only where a text has a word beside it."""

    def __init__(self, value: str, entity_type: str, beside: str) -> None:
        self._value, self._type, self._beside = value, entity_type, beside

    def __call__(self, text: str) -> Sequence[Span]:
        start = text.find(f"{self._beside}{self._value}")
        start += len(self._beside) if start >= 0 else 0
        return [] if start < 0 else [Span(self._type, start, start + len(self._value), 0.8)]


@pytest.mark.parametrize(
    "repeat", ["JANE DOE", "jane doe", "Jane_Doe", "Jane\tDoe", "Jane\nDoe", "Jane\xa0Doe", "(Jane Doe)", "Jane Doe's"]
)
def test_a_repeat_goes_however_it_is_spelled(repeat: str) -> None:
    result, done = run(f"Name: Jane Doe.\nSeen: {repeat}!".encode(), "txt", Once("Jane Doe", "PERSON", "Name: "))

    expected = {"(Jane Doe)": "(<PERSON>)", "Jane Doe's": "<PERSON>'s", "Jane\nDoe": "<PERSON>"}.get(repeat, "<PERSON>")
    assert result.decode() == f"Name: <PERSON>.\nSeen: {expected}!"
    assert done.replaced["PERSON"] == 2


@pytest.mark.parametrize("longer", ["Jane Doeson", "Maryjane Doe", "Jane Doe1", "7Jane Doe"])
def test_a_word_that_only_holds_the_value_stays(longer: str) -> None:
    result, _ = run(f"Name: Jane Doe. {longer}!".encode(), "txt", Once("Jane Doe", "PERSON", "Name: "))

    assert result.decode() == f"Name: <PERSON>. {longer}!"


@pytest.mark.parametrize(
    ("value", "spreads"), [("Al", False), ("Ann", True), ("1234", False), ("12345", True), ("A1 23", True)]
)
def test_a_value_too_short_to_stand_for_itself_goes_only_where_it_was_found(value: str, spreads: bool) -> None:
    result, _ = run(f"No: {value}, {value}".encode(), "txt", Once(value, "EMPLOYEE_ID", "No: "))

    assert result.decode() == f"No: <EMPLOYEE_ID>, {'<EMPLOYEE_ID>' if spreads else value}"


def test_a_value_found_in_the_last_part_goes_from_the_first() -> None:
    document = word(
        paragraph("Jane Doe came"),
        word__footnotes_xml=f"<w:footnotes xmlns:w='w'>{paragraph('Name: Jane Doe')}</w:footnotes>",
    )

    result, done = run(document, "docx", Once("Jane Doe", "PERSON", "Name: "))

    assert body(result) == paragraph("&lt;PERSON&gt; came")
    assert (done.replaced, done.rounds) == ({"PERSON": 2}, 1)


def test_one_letter_of_turkish_does_not_shift_what_is_found() -> None:
    assert len(folding("İİ Jane_Doe\xa0")) == len("İİ Jane_Doe\xa0")
    result, _ = run("Name: Jane Doe. İİİ JANE DOE".encode(), "txt", Once("Jane Doe", "PERSON", "Name: "))

    assert result.decode() == "Name: <PERSON>. İİİ <PERSON>"


class Slow:
    """Finds one more of its words each time that it sees a text that begins so."""

    def __init__(self, *words: str) -> None:
        self._words = words
        self._times = 0

    def __call__(self, text: str) -> Sequence[Span]:
        self._times += 1
        return [
            Span("PERSON", start, start + len(word), 0.5)
            for word in self._words[: self._times]
            if (start := text.find(word)) >= 0
        ]


def test_rounds_go_on_until_nothing_is_found() -> None:
    names = ["Ann Ash", "Bob Beech", "Cat Cedar"]

    result, done = run(
        b"Ann Ash, Bob Beech, Cat Cedar", "csv", Slow(*names), rescan=literals(dict.fromkeys(names, "PERSON"))
    )

    assert result == b"<PERSON>, <PERSON>, <PERSON>"
    assert (done.rounds, done.replaced) == (3, {"PERSON": 3})


def test_what_does_not_become_clean_in_five_rounds_is_refused_and_the_target_stays_empty() -> None:
    rounds: list[int] = []

    def never(_stream: BinaryIO, _format: str) -> Mapping[str, int]:
        rounds.append(1)
        return {"UK_NINO": 2, "PERSON": 1}

    with pytest.raises(CannotAnonymise, match=r"1 × PERSON, 2 × UK_NINO") as refused:
        run(b"Jane Doe", "txt", rescan=never)
    assert len(rounds) == 5
    assert JANE not in str(refused.value)


def test_a_label_is_never_replaced_by_another_one() -> None:
    find = Words({"Mr <PERSON> Smith": "PERSON", "<PERSON>": "PERSON", "PERSON>": "PERSON"})

    assert run(b"to Mr <PERSON> Smith and <PERSON>.", "txt", find)[0] == b"to <PERSON> <PERSON> <PERSON> and <PERSON>."


def test_what_is_found_around_a_label_loses_only_what_is_no_label() -> None:
    find = Words({"x <PERSON>, Roe <UK_NINO> - ": "PERSON"})

    result, done = run(b"see x <PERSON>, Roe <UK_NINO> - now", "txt", find)

    assert result == b"see <PERSON> <PERSON>, <PERSON> <UK_NINO> - now"
    assert done.replaced == {"PERSON": 2}


def test_what_overlaps_becomes_one_of_the_type_of_the_longest() -> None:
    find = Words({"1 High Street, LS1": "STREET_ADDRESS", "LS1 4AB": "UK_POSTCODE", "Street": "PERSON"})

    assert run(b"at 1 High Street, LS1 4AB.", "txt", find)[0] == b"at <STREET_ADDRESS>."


def test_what_overlaps_from_the_left_takes_the_type_of_a_longer_one() -> None:
    find = Words({"Al x": "PERSON", "x@firm.example": "EMAIL_ADDRESS"})

    assert run(b"to Al x@firm.example", "txt", find)[0] == b"to <EMAIL_ADDRESS>"


def test_of_what_is_sensitive_the_label_says_nothing_more() -> None:
    find = Words({"asthma": "SC_HEALTH", "Unite": "SC_UNION"})

    result, done = run(b"has asthma, is in Unite", "txt", find)

    assert result == b"has <SENSITIVE>, is in <SENSITIVE>"
    assert done.replaced == {"SC_HEALTH": 1, "SC_UNION": 1}


def test_labels_are_known_with_brackets_and_bare() -> None:
    text = "a <PERSON> b <PERSONS> c PERSON d PERSONAL e EMAIL_ADDRESS"

    assert [text[start:end] for start, end in label_ranges(text)] == ["<PERSON>", "PERSON", "EMAIL_ADDRESS"]
    assert without_labels("<PERSON> Roe") == "  Roe"
    assert bare("<EMAIL_ADDRESS>") == "EMAIL_ADDRESS"


def test_the_same_document_gives_the_same_bytes() -> None:
    document = word(paragraph("Jane", " Doe"), word__media__image1_png=b"\x89PNG\r\n\x1a\n123")

    assert run(document, "docx") == run(document, "docx")


def test_a_format_that_nobody_knows_is_refused() -> None:
    with pytest.raises(CannotAnonymise, match=r"\(pdf\).*Convert"):
        run(b"%PDF-1.7", "pdf")


def test_a_document_too_large_is_refused() -> None:
    assert run(b"x" * 100, "txt", largest_bytes=100)[0] == b"x" * 100
    with pytest.raises(CannotAnonymise, match="larger than 99 bytes"):
        run(b"x" * 100, "txt", largest_bytes=99)


def test_a_target_that_cannot_be_written_is_left_empty() -> None:
    class Full(io.BytesIO):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    target = Full()
    with pytest.raises(OSError, match="No space"):
        anonymise(io.BytesIO(b"Jane Doe"), target, "txt", Words(), rescan=clean, recognition=RECOGNITION)
    assert target.getvalue() == b""
