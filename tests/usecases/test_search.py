"""What stands across two chunks is found, and nothing is found twice."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.extraction.base import Chunk
from agent.model.finding import Span, Verdict
from agent.usecases import search as search_module
from agent.usecases.search import TextSearch


class Numbers:
    """Finds numbers of six digits, surer with a word before."""

    def search(self, text: str, own_from: int = 0, own_to: int | None = None) -> Sequence[Span]:
        own_to = len(text) if own_to is None else own_to
        return [
            Span("EMPLOYEE_ID", found.start(2), found.end(2), 0.9 if found.group(1) else 0.5)
            for found in re.finditer(r"(no\. )?\b(\d{6})\b", text)
            if own_from <= found.start(2) < own_to
        ]

    def verdict(self) -> Verdict:
        return Verdict()


def _found(pieces: Sequence[str]) -> list[tuple[str, float, str]]:
    found: list[tuple[str, float, str]] = []
    search = TextSearch(Numbers(), lambda span, value, location: found.append((value, span.score, location)))
    for number, piece in enumerate(pieces, 1):
        search.take(Chunk(piece, ((0, f"line={number}"),)))
    search.finish()
    return found


def test_a_value_across_two_chunks_is_found_where_it_begins() -> None:
    assert _found(["it is no. 123", "456 and no more"]) == [("123456", 0.9, "line=1")]


def test_a_word_in_the_chunk_before_counts() -> None:
    assert _found(["it is no. ", "123456"]) == [("123456", 0.9, "line=2")]


def test_what_only_seemed_to_end_with_the_chunk_is_not_found() -> None:
    assert _found(["ends in 123456", "789"]) == []


def test_nothing_is_found_in_nothing() -> None:
    assert _found([]) == []


texts = st.lists(st.sampled_from(["no. ", "123456", "12", " ", "and more words ", "7"]), max_size=40).map("".join)


@given(texts, st.lists(st.integers(1, 25), max_size=30))
def test_however_a_text_is_cut_the_same_is_found(text: str, sizes: list[int]) -> None:
    pieces, rest = [], text
    for size in sizes:
        if rest[:size]:
            pieces.append(rest[:size])
        rest = rest[size:]
    if rest:
        pieces.append(rest)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_module, "_OVERLAP", 12)
        whole = [(value, score) for value, score, _ in _found([text])] if text else []
        cut = [(value, score) for value, score, _ in _found(pieces)]
    if min(map(len, pieces), default=0) >= 12 or len(pieces) < 2:
        assert cut == whole
