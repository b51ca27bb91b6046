"""Every date of an item is told with where it comes from and what is doubtful about it."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from agent.model.decision import LABELLED_MARK
from agent.model.schedule import RecordDate
from agent.retention.provenance import evidence
from tests.retention.factories import a_record, at

LONDON, TODAY = ZoneInfo("Europe/London"), date(2026, 11, 24)


def doubts_of(**facts: object) -> dict[RecordDate, str]:
    return {one.which: one.doubt for one in evidence(a_record(**facts), LONDON, TODAY)}


def test_every_date_that_an_item_brings_along_is_told() -> None:
    record = a_record(
        modified_at=at(2019, 5, 6), accessed_at=at(2020, 1, 1), marks={LABELLED_MARK: "2021-02-03"},
        first_seen_at=at(2026, 6, 30, hour=23),
    )  # fmt: skip
    told = evidence(record, LONDON, TODAY)
    assert [(one.which, one.on) for one in told] == [
        (RecordDate.CREATED, date(2019, 5, 6)),
        (RecordDate.MODIFIED, date(2019, 5, 6)),
        (RecordDate.ACCESSED, date(2020, 1, 1)),
        (RecordDate.FOUND, date(2026, 7, 1)),
        (RecordDate.LABELLED, date(2021, 2, 3)),
    ]
    assert {one.doubt for one in told} == {""}
    assert len({one.source for one in told}) == 5


def test_dates_that_the_source_does_not_give_are_left_out() -> None:
    assert set(doubts_of(created_at=None, marks={LABELLED_MARK: "soon"})) == {RecordDate.MODIFIED, RecordDate.FOUND}


def test_a_copy_makes_the_dates_of_the_file_doubtful_and_not_those_that_we_know() -> None:
    doubts = doubts_of(modified_at=at(2019), created_at=at(2022), marks={LABELLED_MARK: "2021-02-03"})
    assert "by a copy or a restore" in doubts[RecordDate.MODIFIED]
    assert doubts[RecordDate.MODIFIED] == doubts[RecordDate.CREATED]
    assert doubts[RecordDate.FOUND] == doubts[RecordDate.LABELLED] == ""


def test_a_later_change_mends_the_date_of_the_change_in_a_wave_but_not_that_of_the_creation() -> None:
    doubts = doubts_of(created_at=at(2019), modified_at=at(2021), arrived_with=500)
    assert "in the same minute as 499 others" in doubts[RecordDate.CREATED]
    assert doubts[RecordDate.MODIFIED] == ""


def test_a_date_that_cannot_be_true_says_so_before_all() -> None:
    doubts = doubts_of(modified_at=at(1970), created_at=at(2030), marks={LABELLED_MARK: "2031-01-01"})
    assert doubts[RecordDate.MODIFIED].startswith("is what a file without a date gets")
    assert doubts[RecordDate.CREATED] == doubts[RecordDate.LABELLED] == (
        "lies after 24 November 2026, the day of this decision"
    )  # fmt: skip
