"""Records and classes with everything filled in that a test does not care about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from agent.model.condition import PathMatches, PathPattern
from agent.model.decision import Assignment
from agent.model.outcome import Outcome, OutcomeKind
from agent.model.record import Record
from agent.model.schedule import Disposition, Period, RecordDate, RetentionClass, RetentionSchedule


def at(year: int, month: int = 1, day: int = 1, hour: int = 12) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


def a_record(path: str = "HR/file.docx", **facts: Any) -> Record:
    modified_at = facts.pop("modified_at", at(2015, 4, 3))
    return Record(
        **{
            "share": "office",
            "path": path,
            "format": "docx",
            "size_bytes": 1000,
            "modified_at": modified_at,
            "created_at": modified_at,
            "first_seen_at": at(2026),
            "outcome": Outcome(OutcomeKind.SCANNED),
            **facts,
        }
    )


def a_class(class_id: str, **parts: Any) -> RetentionClass:
    return RetentionClass(
        **{
            "id": class_id,
            "title": class_id.capitalize(),
            "mandate": "A law.",
            "scope_notes": "All of it.",
            "applies_when": PathMatches((PathPattern("**"),)),
            "keys": (),
            "trigger": RecordDate.MODIFIED,
            "period": Period(years=6),
            "outcome": Disposition.DESTROY,
            **parts,
        }
    )


def a_schedule(*classes: RetentionClass) -> RetentionSchedule:
    return RetentionSchedule("test", "Test", "1", "Example Ltd", ZoneInfo("Europe/London"), classes)


def an_assignment(class_id: str, *, explicit: bool = False, **keys: str) -> Assignment:
    return Assignment(class_id, keys, 0.9, 'path pattern "**"', explicit)
