"""The nouns of an event: what happened, who recorded it, and what became of the record."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a day: `type` to whatever `key` and `value` name, as in
    `employment_ended` to the `person` of that number.

    Where the key names persons, `value` is a keyed hash in the catalogue (`agent.model.key`); as people type it, it may
    be a name. It is kept out of `repr`.
    """

    type: str
    key: str
    value: str = field(repr=False)
    on: date


class EventState(StrEnum):
    """What became of a recorded event."""

    IN_FORCE = "in_force"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as the catalogue keeps it; nothing is ever taken out, so that one can ask later why something went.

    `number` names it for people. `origin` says where it came from (`command`, or a file's name and line). An event that
    was corrected or withdrawn has `ended_at` (UTC), `ended_by` and `ended_why`; the one that takes the place of another
    has its number in `corrects`.
    """

    number: int
    event: Event
    recorded_at: datetime
    recorded_by: str
    origin: str
    note: str
    state: EventState = EventState.IN_FORCE
    corrects: int | None = None
    ended_at: datetime | None = None
    ended_by: str = ""
    ended_why: str = ""
