"""Texts in the pieces of words that the reader knows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.detection.reader.wordpieces import WordPieces

VOCABULARY = (
    "[PAD] [UNK] [CLS] [SEP] dial ##ysis ##y she has on tuesday ##s . , ' e cafe # ## £ $ 2 ##2 ##02 ##4 木".split()
)


@pytest.fixture(scope="module")
def pieces() -> WordPieces:
    return WordPieces(VOCABULARY)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("She has dialysis on Tuesdays.", "she has dial ##ysis on tuesday ##s ."),
        ("DIALY", "dial ##y"),
        ("Café", "cafe"),
        ("cafe\u0301", "cafe"),
        ("she\u200b\u0000has", "[UNK]"),  # what cannot be seen joins what it stands between
        ("she\u00a0has\r\n\ton", "she has on"),
        ("has,she", "has , she"),
        ("$2024", "$ 2 ##02 ##4"),
        ("£2024", "£ ##2 ##02 ##4"),  # a sign of money beyond ASCII begins a word
        ("木木", "木 木"),
        ("##s", "# # [UNK]"),  # a sign is no mark of a piece that goes on
        ("zebra", "[UNK]"),
        ("she" * 40, "[UNK]"),
        ("\ud800 she", "she"),
        ("", ""),
    ],
)
def test_a_text_is_cut_into_the_longest_pieces_there_are(pieces: WordPieces, text: str, expected: str) -> None:
    assert [VOCABULARY[number] for number in pieces.of(text)] == expected.split()


@given(st.text())
def test_any_text_has_pieces(text: str) -> None:
    numbers = WordPieces(VOCABULARY).of(text)
    assert all(0 <= number < len(VOCABULARY) for number in numbers)
    assert len(numbers) <= 20 * len(text)  # one letter may become several


@given(st.text())
def test_each_piece_has_its_place(text: str) -> None:
    pieces = WordPieces(VOCABULARY)
    places = pieces.places(text)
    assert len(places) == len(pieces.of(text))
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert places == sorted(places)


def test_pieces_stand_where_their_letters_do(pieces: WordPieces) -> None:
    text = "She\u200b has\u00a0Dialysis, cafe\u0301 木木 zebra"
    assert [text[start:end] for start, end in pieces.places(text)] == (
        ["She", "has", "Dial", "ysis", ",", "cafe", "木", "木", "zebra"]
    )
