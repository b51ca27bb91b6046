"""The shipped reader: what it makes of short texts, long ones and hostile ones."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.detection.reader import reader as module
from agent.detection.reader.reader import SOMEBODY, Reader, Reading, in_full, nameless, shipped_reader
from agent.detection.special.agreement import in_doubt, together
from agent.detection.special.lexicon import CATEGORIES
from agent.errors import ConfigurationError

NAMES = [str(category) for category in CATEGORIES]


@pytest.fixture(scope="module")
def reader() -> Reader:
    return shipped_reader()


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Somebody is back from dialysis on Tuesdays, so please move her one-to-one.", "health"),
        ("Payslip, Somebody. Subs deducted for UNISON 14.20.", "trade_union"),
        ("Somebody asked if his husband can be put down as next of kin.", "sex_life_orientation"),
        ("Somebody was arrested on Friday for theft from the till and is on bail.", "criminal"),
        (
            "She is a Sikh and wears the kirpan; Ms Somebody has asked us for a quiet room to pray in.",
            "religion_belief",
        ),
    ],
)
def test_what_is_said_of_somebody_is_likelier_than_any_other_category(reader: Reader, text: str, category: str) -> None:
    said = dict(zip(NAMES, reader.read(text).categories, strict=True))
    assert max(said, key=lambda name: said[name]) == category
    assert said[category] > 0 > sorted(said.values())[-2]


@pytest.mark.parametrize(
    "text",
    [
        "Quarterly report. Revenue rose by four per cent, costs by two. The lease of unit 4 ends in June.",
        "Diabetes: what everybody should know. Type 2 diabetes is common. Ask your pharmacist for a leaflet.",
    ],
)
def test_what_is_said_of_nobody_is_unlikely(reader: Reader, text: str) -> None:
    assert max(reader.read(text).categories) < 0


def test_what_stands_far_down_in_a_long_text_is_read(reader: Reader) -> None:
    filler = "The minutes of the last meeting were agreed. The lease of unit 4 was renewed for a year. " * 60
    told = "Somebody told us that she has multiple sclerosis and cannot work full time any more. "
    health = NAMES.index("health")
    without, with_it = reader.read(filler), reader.read(filler + told)
    assert with_it.categories[health] > 0 > without.categories[health]
    assert with_it.evidence[health] > 0 > without.evidence[health]


@pytest.mark.parametrize(
    "text",
    ["", " \n", "\0" * 500, "\ud800" * 500, "x" * 100_000, "9" * 20_000, "\u202e\u200f\u200b" * 900, "木" * 3_000],
)
def test_hostile_texts_are_read_in_time(reader: Reader, text: str) -> None:
    began = time.process_time()
    reading = reader.read(text)
    assert len(reading.categories) == len(reading.evidence) == len(CATEGORIES)
    assert all(-100 < value < 100 for value in (*reading.categories, *reading.evidence))
    assert time.process_time() - began < 10


def test_a_reader_that_is_damaged_is_told_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "reader.npz"
    damaged.write_bytes(module.FILE.read_bytes()[:1000])
    monkeypatch.setattr(module, "FILE", damaged)
    with pytest.raises(ConfigurationError, match=r"reader\.npz"):
        shipped_reader.__wrapped__()


def test_names_are_left_out() -> None:
    text = "Fatima Khan prays. Dear Tom,"
    assert nameless(text, [(0, 11), (24, 27)]) == "Somebody prays. Dear Somebody,"
    assert nameless(text, []) == text


@given(st.lists(st.tuples(st.text("ab ", max_size=12), st.text("XY", min_size=1, max_size=12)), max_size=5), st.data())
def test_a_place_without_names_is_found_again_with_them(parts: list[tuple[str, str]], data: st.DataObject) -> None:
    text, names = "", []
    for before, name in parts:
        text += before
        names.append((len(text), len(text) + len(name)))
        text += name
    text += " end"
    bare = nameless(text, names)
    first = data.draw(st.integers(0, len(bare) - 1))
    last = data.draw(st.integers(first + 1, len(bare)))
    start, end = in_full((first, last), names)
    inside = nameless(text[start:end], [(a - start, b - start) for a, b in names if start <= a and b <= end])
    assert bare[first:last] in inside
    assert not any(a < start < b or a < end < b for a, b in names), "names are whole"
    assert len(inside) - (last - first) <= 2 * (len(SOMEBODY) - 1)


def test_the_words_that_reveal_a_category_are_placed_by_characters(reader: Reader) -> None:
    text = "Café rota. Somebody is back from dialysis on Tuesdays, so please move her one-to-one to Friday."
    reading = reader.read(text)
    start, end = reader.place(text, reading.pieces[NAMES.index("health")])
    assert "dialysis" in text[start:end]
    assert end - start < 40


def test_one_is_in_doubt_between_the_bounds_of_any_category() -> None:
    assert in_doubt([0.0, 0.5, 1.0])
    assert not in_doubt([0.0, 0.04, 0.99])
    assert not in_doubt([])


def test_what_both_say_lies_between_and_grows_with_each() -> None:
    def both(chance: float, words: float, whole: float) -> float:
        return together([chance], Reading((words,), (whole,)))[0]

    assert both(0.5, 0.0, 0.0) == pytest.approx(0.5)
    assert both(0.2, 3.0, 3.0) > both(0.2, 1.0, 3.0) > both(0.2, 1.0, 1.0) > both(0.1, 1.0, 1.0) > 0.1
    assert 0 < both(0.0, -1e9, -1e9) < both(1.0, 1e9, 1e9) < 1
