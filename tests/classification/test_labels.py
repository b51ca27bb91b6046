"""Labels at the source: those in extended attributes, and those of Microsoft 365."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from agent.classification.classify import condition_test
from agent.model.condition import LabelIs
from agent.model.decision import labelled_on, labels_of
from agent.model.outcome import Outcome, OutcomeKind
from agent.model.record import Record

MOMENT = datetime(2020, 1, 1, tzinfo=UTC)


def bearing(**marks: str) -> Record:
    named = {name.replace("__", "."): value for name, value in marks.items()}
    return Record("s", "a", "txt", 1, MOMENT, MOMENT, Outcome(OutcomeKind.SCANNED), marks=named)


@pytest.mark.parametrize(
    "marks",
    [
        {"user__retentiond__labels": "draft, Keep 7 Years"},
        {"retention_label": "Keep 7 years"},
        {"sensitivity_label": "keep 7 years", "retention_label": "another"},
    ],
)
def test_a_label_counts_wherever_it_stands(marks: dict[str, str]) -> None:
    assert condition_test(LabelIs(("Keep 7 years",)))(bearing(**marks))


def test_what_is_no_label_is_none() -> None:
    assert not condition_test(LabelIs(("Keep 7 years",)))(bearing(editor="Keep 7 years", retention_label=""))
    assert labels_of({"user.retentiond.labels": " , "}) == ()


@pytest.mark.parametrize(
    ("marks", "day"),
    [
        ({"user.retentiond.labelled": "2024-05-06"}, date(2024, 5, 6)),
        ({"retention_label_applied": "2024-05-06"}, date(2024, 5, 6)),
        ({"user.retentiond.labelled": "2023-01-01", "retention_label_applied": "2024-05-06"}, date(2023, 1, 1)),
        ({"user.retentiond.labelled": "soon"}, None),
        ({}, None),
    ],
)
def test_the_day_of_labelling_is_what_the_source_says(marks: dict[str, str], day: date | None) -> None:
    assert labelled_on(marks) == day
