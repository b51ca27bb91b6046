"""The figures of accuracy are counted as they are said to be."""

from __future__ import annotations

import pytest

from agent.model.finding import Span
from benchmarks.accuracy import Answer, Scores, Tally, wilson
from training.documents import Document, Mention


def _document(hard_negative: bool = False) -> Document:
    mentions = (Mention(0, 5, "PERSON"), Mention(10, 20, "UK_NINO"))
    return Document("A1", "payroll", frozenset({"health"}), False, hard_negative, "x" * 40, mentions)


def _said(*spans: tuple[str, int, int]) -> list[Span]:
    return [Span(kind, start, end, 0.9) for kind, start, end in spans]


def test_a_span_counts_exactly_only_if_both_ends_are_right() -> None:
    scores = Scores()
    scores.take(_document(), Answer(_said(("PERSON", 0, 5), ("UK_NINO", 10, 19), ("UK_NHS", 30, 35))), lambda value: "")
    assert scores.exact["PERSON"] == Tally(1, 0, 0)
    assert scores.exact["UK_NINO"] == Tally(0, 1, 1)
    assert scores.overlap["UK_NINO"] == Tally(1, 0, 0)
    assert scores.overlap["UK_NHS"] == Tally(0, 1, 0)
    assert scores.identifiers(scores.exact) == Tally(0, 2, 1)


def test_two_spans_on_one_mention_count_once_and_ends_that_touch_do_not() -> None:
    scores = Scores()
    scores.take(_document(), Answer(_said(("PERSON", 0, 2), ("PERSON", 3, 5), ("PERSON", 5, 8))), lambda value: "")
    assert scores.overlap["PERSON"] == Tally(1, 1, 0)


def test_categories_hard_negatives_and_kinds_count_by_document() -> None:
    scores = Scores()
    scores.take(_document(), Answer([], frozenset({"health", "criminal"}), "payroll"), lambda value: "")
    assert scores.categories["health"] == Tally(1, 0, 0)
    assert scores.categories["criminal"] == Tally(0, 1, 0)
    assert scores.categories["genetic"] == Tally(0, 0, 0)
    scores.take(_document(hard_negative=True), Answer([], frozenset({"criminal"}), None), lambda value: "")
    assert (scores.hard_negatives, scores.flagged) == (1, 1)
    assert (scores.kinds.true, scores.kinds.missed) == (1, 1)
    assert scores.kinds_right == 0.5


def test_mistakes_show_values_only_if_asked() -> None:
    scores = Scores()
    scores.take(_document(), Answer([]), lambda value: "")
    assert "A1 missed UK_NINO 10-20" in scores.mistakes
    assert not any("xx" in mistake for mistake in scores.mistakes)


@pytest.mark.parametrize(("hits", "of", "interval"), [(0, 0, ""), (10, 10, "(0.72–1.00)"), (50, 100, "(0.40–0.60)")])
def test_the_interval_is_wilsons(hits: int, of: int, interval: str) -> None:
    assert wilson(hits, of) == interval
