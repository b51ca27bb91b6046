"""Where in a text a name may begin."""

from __future__ import annotations

import pytest

from agent.detection.names.places import may_begin, parts, places


def words_at(text: str) -> list[str]:
    return [text[start:].split()[0].strip(".,:") for start in places(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The records manager reviews the schedule. Every item is kept.", []),
        ("Reviewed in April, before May 2025 and by 3 June.", []),
        ("April said so to June Whitfield.", ["April", "June", "Whitfield"]),
        ("To whom it may concern. He left.", []),
        ("To Thi Mai. He Ling", ["To", "Thi", "Mai", "He", "Ling"]),
        ("STATUS ok level INFO of 7 and SN12 9AB", []),
        ("SMITH JOHN and OKAFOR", ["SMITH", "JOHN", "OKAFOR"]),
        ("Thanks for that. Yes. No. Please do. Thanks. OK.\n\nlucinda\n", ["lucinda"]),
        ("can you tell priya that i am late", ["priya"]),
        ("Élodie met Łukasz and 李雷.", ["Élodie", "Łukasz", "李雷"]),
    ],
)
def test_places(text: str, found: list[str]) -> None:
    assert words_at(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "Anna rang. Annabel and Anna-Lou did not; ANNA did, Anna2 is a file, 2Anna too, anna.",
        "Élodie met Éloise. Élodie",
        "McAnna, O'Anna and Anna",
    ],
)
def test_a_few_words_looked_for_one_by_one_are_found_where_all_at_once_are(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for few in (0, 100):
        monkeypatch.setattr("agent.detection.names.places._FEW", few)
        found.append(places(text))
    assert found[0] == found[1] != []


def test_words_that_a_name_may_begin_with() -> None:
    assert [word for word in "Priya priya thomas the car VAN 12 A4 a@b.c ( , 李".split() if may_begin(word)] == (
        ["Priya", "priya", "thomas", "VAN", ",", "李"]
    )


def test_parts_hold_the_words_around_the_places_and_do_not_touch() -> None:
    text = "word " * 100 + "Priya Shah " + "word " * 100 + "Tom " + "word " * 5
    found = parts(text, places(text))
    assert [text[start:end].count("word") > 10 for start, end in found] == [True, True]
    assert found[0][1] < found[1][0]
    assert all(start == 0 or text[start - 1] == " " for start, _ in found)
    assert found[1][1] == len(text)
    assert parts(text, []) == []
