"""Chunks are cut where nothing is lost, and every character keeps its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.extraction import output as output_module
from agent.extraction.base import Chunk, Limits
from agent.extraction.budget import Budget
from agent.extraction.output import Output
from agent.model.location import at, describe, inside, read

pieces = st.lists(st.tuples(st.text("ab \n\t", max_size=40), st.integers(1, 5)), max_size=30)


@given(pieces)
def test_whatever_is_written_comes_out_in_order_with_its_places(written: list[tuple[str, int]]) -> None:
    chunks: list[Chunk] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output_module, "MAX_CHUNK_CHARACTERS", 16)
        output = Output(Budget(Limits()), chunks.append)
        for text, number in written:
            output.write(text, at(line=number))
        output.flush()
    told = [(char, chunk.location_at(offset)) for chunk in chunks for offset, char in enumerate(chunk.text)]
    expected = [(char, at(line=number)) for text, number in written for char in text]
    assert all(len(chunk.text) <= 16 for chunk in chunks)
    assert [pair for pair in told if not pair[0].isspace()] == [pair for pair in expected if not pair[0].isspace()]
    blank = [chunk for chunk in chunks if not chunk.text.strip()]
    assert blank == []


@given(
    st.lists(
        st.one_of(st.tuples(st.text("ab \n", max_size=40), st.none()), st.tuples(st.just("x\n"), st.integers(1, 9)))
    )
)
def test_lines_are_counted_on_across_chunks_and_what_stands_between(written: list[tuple[str, int | None]]) -> None:
    chunks: list[Chunk] = []
    expected: list[tuple[str, str]] = []
    number = 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output_module, "MAX_CHUNK_CHARACTERS", 16)
        output = Output(Budget(Limits()), chunks.append)
        for text, page in written:
            if page is not None:
                output.write(text, at(page=page))
                expected += [(char, at(page=page)) for char in text]
                continue
            lines = text + "\n"
            output.write_lines(lines, "part=2!line=", number)
            for char in lines:
                expected.append((char, f"part=2!line={number}"))
                number += char == "\n"
        output.flush()
    told = [(char, chunk.location_at(offset)) for chunk in chunks for offset, char in enumerate(chunk.text)]
    assert [pair for pair in told if not pair[0].isspace()] == [pair for pair in expected if not pair[0].isspace()]
    for chunk in chunks:
        every = Chunk(chunk.text, tuple(chunk.every_place()))
        assert all(every.location_at(offset) == chunk.location_at(offset) for offset in range(len(chunk.text)))


keys = st.text("abcdefghij", min_size=1, max_size=8)
cells = st.tuples(st.sampled_from(["A", "XFD"]), st.integers(1, 10**6)).map(lambda cell: f"{cell[0]}{cell[1]}")
values = st.one_of(st.integers(0, 10**9).map(str), cells)


@given(st.lists(st.dictionaries(keys, values, min_size=1, max_size=3), max_size=4))
def test_a_location_is_read_back_as_it_was_written(steps: list[dict[str, str]]) -> None:
    location = ""
    for step in steps:
        location = inside(location, at(**step))
    assert [dict(step.parts) for step in read(location)] == steps


@pytest.mark.parametrize("text", ["page", "page=", "=3", "page=3!", "Page=3", "page=../..", "page=3&", "x" * 301])
def test_what_is_no_location_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="location"):
        read(text)


def test_a_location_is_put_into_words() -> None:
    assert describe("part=2!sheet=1&cell=C17") == "part 2, sheet 1, cell C17"
    assert describe("") == "the document"
