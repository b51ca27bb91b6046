"""What is found on annotated documents that nothing was trained on does not get worse. Figures: docs/reference."""

from __future__ import annotations

import pytest

from benchmarks.accuracy import Scores, measure, ours
from training.documents import FOLDER, read_set


@pytest.fixture(scope="module")
def scores() -> Scores:
    return measure(read_set(FOLDER / "goldset" / "B.jsonl"), ours(), lambda value: "")


def test_persons_are_found_and_few_others_taken_for_them(scores: Scores) -> None:
    assert scores.overlap["PERSON"].precision >= 0.93
    assert scores.overlap["PERSON"].recall >= 0.94


def test_identifiers_are_found_and_few_look_alikes_taken_for_them(scores: Scores) -> None:
    assert scores.identifiers(scores.exact).precision >= 0.95
    assert scores.identifiers(scores.exact).recall >= 0.94
    for type_ in ("UK_NINO", "UK_NHS", "IBAN_CODE", "CREDIT_CARD", "EMAIL_ADDRESS", "UK_DRIVING_LICENCE"):
        assert scores.exact[type_].f1 == 1.0, type_


def test_categories_are_told_by_document_and_texts_about_them_are_not(scores: Scores) -> None:
    assert scores.mean_f1 >= 0.90
    assert scores.flagged <= 0.05 * scores.hard_negatives
    assert scores.kinds_right >= 0.85
