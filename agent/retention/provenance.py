"""Where each date of an item comes from, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from agent.model.decision import LABELLED_MARK
from agent.model.record import Record
from agent.model.schedule import RecordDate
from agent.retention.countdowns import label_date, why_impossible, why_weak
from agent.retention.periods import date_in

_FROM = {
    RecordDate.CREATED: "the file system says when the file was made there",
    RecordDate.MODIFIED: "the file system says when its content was last written",
    RecordDate.ACCESSED: "the file system says when it was last opened",
    RecordDate.LABELLED: f'the mark "{LABELLED_MARK}" at the source',
    RecordDate.FOUND: "the first scan that saw it",
}


@dataclass(frozen=True, slots=True)
class DateEvidence:
    """One date of an item, where it comes from, and what is doubtful about it; an empty `doubt` says nothing is."""

    which: RecordDate
    on: date
    source: str
    doubt: str


def evidence(record: Record, time_zone: tzinfo, today: date) -> tuple[DateEvidence, ...]:
    """Every date that the item brings along."""
    return tuple(_evidence(record, time_zone, today))


def _evidence(record: Record, time_zone: tzinfo, today: date) -> Iterator[DateEvidence]:
    moments: tuple[tuple[RecordDate, datetime | None], ...] = (
        (RecordDate.CREATED, record.created_at),
        (RecordDate.MODIFIED, record.modified_at),
        (RecordDate.ACCESSED, record.accessed_at),
        (RecordDate.FOUND, record.first_seen_at),
    )
    for which, moment in moments:
        if moment is None:
            continue
        day = date_in(moment, time_zone)
        doubt = why_impossible(day, today)
        if not doubt and which is not RecordDate.FOUND:
            weak = why_weak(record, time_zone, created=which is RecordDate.CREATED)
            doubt = weak.sentence if weak else ""
        yield DateEvidence(which, day, _FROM[which], doubt)
    labelled = label_date(record)
    if labelled is not None:
        yield DateEvidence(RecordDate.LABELLED, labelled, _FROM[RecordDate.LABELLED], why_impossible(labelled, today))
