"""Plain text: what must go is replaced, and every other byte stays."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.anonymisation.base import CannotAnonymise
from tests.anonymisation.desk import JANE, PHONE, Words, run


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (b"", "cp1252"),
        (b"", "utf-16-le"),
    ],
)
def test_encoding_mark_and_line_ends_stay(mark: bytes, encoding: str, line_end: str) -> None:
    text = line_end.join(["Café notes of the meeting", f"with {JANE}, {PHONE}.", "", "All agreed — naïve, but fine."])

    result, done = run(mark + text.encode(encoding), "txt")

    expected = text.replace(JANE, "<PERSON>").replace(PHONE, "<PHONE_NUMBER>")
    assert result == mark + expected.encode(encoding)
    assert done.replaced == {"PERSON": 1, "PHONE_NUMBER": 1}
    assert (done.format, done.rounds, done.left) == ("txt", 1, ())


def test_a_value_across_two_lines_goes_and_the_lines_stay() -> None:
    find = Words({"1 High Street\nLeeds": "STREET_ADDRESS"})

    result, done = run(b"at 1 High Street\r\nLeeds, England\r\n", "txt", find)

    assert result == b"at <STREET_ADDRESS>\r\n, England\r\n"
    assert done.replaced == {"STREET_ADDRESS": 1}


def test_stray_bytes_are_shown_as_windows_would_and_kept() -> None:
    find = Words({"René": "PERSON"})

    result, _ = run("naïve: ".encode() + b"Ren\xe9 said \x81 and caf\xe9\n", "txt", find)

    assert result == "naïve: ".encode() + b"<PERSON> said \x81 and caf\xe9\n"


def test_a_text_never_begins_like_markup() -> None:
    result, done = run(f"  {JANE}: {PHONE}\n<b>{JANE}</b>".encode(), "txt")

    assert result == b"  [PERSON]: <PHONE_NUMBER>\n<b><PERSON></b>"
    assert done.replaced == {"PERSON": 2, "PHONE_NUMBER": 1}


def test_a_text_that_began_like_markup_still_does() -> None:
    assert run(f"<> {JANE}".encode(), "txt")[0] == b"<> <PERSON>"


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(CannotAnonymise, match="encoding"):
        run(bytes(range(256)) * 3, "txt")


def test_half_a_character_is_refused() -> None:
    with pytest.raises(CannotAnonymise, match="encoding"):
        run(codecs.BOM_UTF16_LE + "Jane".encode("utf-16-le") + b"x", "txt")


def test_nothing_tells_whether_two_values_are_the_same() -> None:
    find = Words({"Jane Doe": "PERSON", "JANE DOE": "PERSON", "Al Roe": "PERSON", PHONE: "PHONE_NUMBER"})

    result, done = run(f"So Al Roe met Jane Doe; JANE DOE rang {PHONE}, Al Roe.".encode(), "txt", find)

    assert result == b"So <PERSON> met <PERSON>; <PERSON> rang <PHONE_NUMBER>, <PERSON>."
    assert done.replaced == {"PERSON": 4, "PHONE_NUMBER": 1}


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="<>"), max_size=8),
            st.booleans(),
        )
    ),
    st.sampled_from(["\n", "\r\n"]),
)
def test_whatever_stands_around_a_value_stays(pieces: list[tuple[str, bool]], line_end: str) -> None:
    text = "notes: " + "".join(before + (f" {JANE} " if named else line_end) for before, named in pieces)

    result, done = run(text.encode(), "txt")

    assert result.decode() == text.replace(JANE, "<PERSON>")
    assert done.replaced.get("PERSON", 0) == text.count(JANE)
