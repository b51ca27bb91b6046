"""Events as the catalogue keeps them: recorded, corrected, withdrawn, and never taken out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from agent.catalogue.database import Database
from agent.catalogue.reading import moment
from agent.catalogue.recording import microseconds
from agent.catalogue.standing import forget_behind
from agent.catalogue.tables import change_count, event
from agent.errors import UsageError
from agent.model.event import Event, EventState, RecordedEvent
from agent.model.key import show_key

_AT_ONCE = 300  # keys asked for in one statement


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to be recorded, its value in kept form, with where it came from and a note without personal data."""

    event: Event
    origin: str
    note: str = ""


def import_origin(name: str, content_hash: str, line: int) -> str:
    """What an event out of a file has as its origin: `import NAME sha256:… line N`."""
    return f"import {name} sha256:{content_hash} line {line}"


class EventRecords:
    """The recorded events of one catalogue. Values come and go in the form in which they are kept (`agent.model.key`).

    What is written by one call stands together or not at all. It makes items behind every key touched be decided anew.
    Changes that the records cannot take raise `UsageError`, whoever asked for them and whatever was checked before.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # Reading

    def get(self, number: int) -> RecordedEvent | None:
        """The event of that number, whatever became of it."""
        with self._database.faults():
            return _get(self._database.connection, number)

    def standing(self, number: int) -> RecordedEvent:
        """The event of that number, in force. Raises `UsageError` that says what became of it if it is not."""
        with self._database.faults():
            return _standing(self._database.connection, number)

    def of(self, key: str, value: str) -> tuple[RecordedEvent, ...]:
        """Every event of what this key names, those no longer in force included, in the order of recording."""
        return tuple(self.all(key=(key, value)))

    def all(
        self, *, type: str | None = None, key: tuple[str, str] | None = None, only_in_force: bool = False
    ) -> Iterator[RecordedEvent]:
        """Every event, or those of this type and key (its name and value), in the order of recording.

        Memory stays bounded however many there are.
        """
        query = select(event).order_by(event.c.id)
        if type is not None:
            query = query.where(event.c.type == type)
        if key is not None:
            query = query.where(event.c.key == key[0], event.c.value == key[1])
        if only_in_force:
            query = query.where(event.c.state == EventState.IN_FORCE.value)
        with self._database.faults(), self._database.connect() as reader:
            for block in reader.execute(query).partitions(1000):
                yield from map(_recorded, block)

    def in_force(self) -> tuple[Event, ...]:
        """What is held to have happened, in the order of recording."""
        return tuple(recorded.event for recorded in self.all(only_in_force=True))

    def already(self, events: Iterable[Event]) -> Mapping[Event, int]:
        """Which of these are in force already, with the numbers they have."""
        with self._database.faults():
            return _already(self._database.connection, events)

    def imported(self, content_hash: str) -> tuple[int, int]:
        """How many events a file of these contents has brought, and how many of them are still in force."""
        out_of_it = func.rtrim(event.c.origin, "0123456789").endswith(f" sha256:{content_hash} line ", autoescape=True)
        in_force = func.count().filter(event.c.state == EventState.IN_FORCE.value)
        with self._database.faults():
            count, standing = self._database.connection.execute(select(func.count(), in_force).where(out_of_it)).one()
        return count, standing

    # Writing

    def add(self, events: Sequence[NewEvent], at: datetime, by: str) -> tuple[RecordedEvent, ...]:
        """Records all of them, in their order, or none. Raises `UsageError` if one is in force already."""
        with self._database.transaction() as connection:
            recorded = _add(connection, events, at, by)
            self._database.testify(recorded)
        return recorded

    def correct(self, number: int, new: Event, at: datetime, by: str, why: str) -> RecordedEvent:
        """Puts `new` in the place of the event of that number, and tells it as it is recorded.

        Raises `UsageError` if that one is not in force, or if `new` already is (as it itself, for one).
        """
        with self._database.transaction() as connection:
            old = _standing(connection, number)
            (recorded,) = _add(connection, [NewEvent(new, old.origin, old.note)], at, by, corrects=number)
            _end(connection, old, EventState.CORRECTED, at, by, why)
            self._database.testify([recorded, self._ended(connection, number)])
        return recorded

    def withdraw(self, number: int, at: datetime, by: str, why: str) -> RecordedEvent:
        """Says that the event of that number has not happened. Raises `UsageError` if it is not in force."""
        with self._database.transaction() as connection:
            _end(connection, _standing(connection, number), EventState.WITHDRAWN, at, by, why)
            withdrawn = self._ended(connection, number)
            self._database.testify([withdrawn])
        return withdrawn

    @staticmethod
    def _ended(connection: Connection, number: int) -> RecordedEvent:
        found = _get(connection, number)
        assert found is not None  # noqa: S101 — it was written a moment ago
        return found


def _add(
    connection: Connection, events: Sequence[NewEvent], at: datetime, by: str, corrects: int | None = None
) -> tuple[RecordedEvent, ...]:
    for one, number in _already(connection, (new.event for new in events)).items():
        raise UsageError(f"{_say(one)} is recorded already, as event number {number}. Nothing was changed.")
    for one, times in Counter(new.event for new in events).items():
        if times > 1:
            raise UsageError(f"{_say(one)} is to be recorded {times} times. Nothing was changed.")
    first = (connection.scalar(select(func.max(event.c.id))) or 0) + 1
    recorded = tuple(
        RecordedEvent(first + position, new.event, at, by, new.origin, new.note, corrects=corrects)
        for position, new in enumerate(events)
    )
    if recorded:
        connection.execute(event.insert(), [_row(one) for one in recorded])
        _facts_changed(connection, {(new.event.key, new.event.value) for new in events})
    return recorded


def _say(one: Event) -> str:
    return f'The event "{one.type}" of {one.key} {show_key(one.value)} on {one.on}'


def _end(connection: Connection, old: RecordedEvent, state: EventState, at: datetime, by: str, why: str) -> None:
    connection.execute(
        event.update()
        .where(event.c.id == old.number)
        .values(state=state.value, ended_at=microseconds(at), ended_by=by, ended_why=why)
    )
    _facts_changed(connection, {(old.event.key, old.event.value)})


def _facts_changed(connection: Connection, keys: Iterable[tuple[str, str]]) -> None:
    for key, value in keys:
        forget_behind(connection, key, value)
    connection.execute(change_count.update().values(changes=change_count.c.changes + 1))


def _get(connection: Connection, number: int) -> RecordedEvent | None:
    row = connection.execute(select(event).where(event.c.id == number)).first()
    return _recorded(row) if row else None


def _standing(connection: Connection, number: int) -> RecordedEvent:
    found = _get(connection, number)
    if found is None:
        raise UsageError(f"There is no event number {number}. To see those there are: retentiond event list --all")
    if found.state is EventState.IN_FORCE:
        return found
    said = f"Event number {number} was {found.state.value} on {str(found.ended_at)[:10]} by {found.ended_by}"
    successor = connection.scalar(select(event.c.id).where(event.c.corrects == number))
    said += f"; number {successor} stands in its place." if successor else "."
    raise UsageError(f"{said} Only an event in force can be corrected or withdrawn.")


def _already(connection: Connection, events: Iterable[Event]) -> dict[Event, int]:
    """Asked for by key, many at once: a file may bring a hundred thousand events."""
    sought = list(events)
    found: dict[Event, int] = {}
    for start in range(0, len(sought), _AT_ONCE):
        block = set(sought[start : start + _AT_ONCE])
        keys = list({(one.key, one.value) for one in block})
        pairs = ", ".join(["(?, ?)"] * len(keys))
        # CROSS keeps the order, so that each key is looked up in the index; by itself SQLite would read all events.
        rows = connection.exec_driver_sql(
            f"WITH sought (key, value) AS (VALUES {pairs}) "  # noqa: S608 — no value is in the text
            "SELECT e.type, e.key, e.value, e.on_day, e.id FROM sought CROSS JOIN event e "
            "ON e.key = sought.key AND e.value = sought.value WHERE e.state = ?",
            (*(part for pair in keys for part in pair), EventState.IN_FORCE.value),
        )
        for type_, key, value, on_day, number in rows:
            one = Event(type_, key, value, date.fromordinal(on_day))
            if one in block:
                found[one] = number
    return found


def _row(recorded: RecordedEvent) -> dict[str, Any]:
    return {
        "id": recorded.number,
        "type": recorded.event.type,
        "key": recorded.event.key,
        "value": recorded.event.value,
        "on_day": recorded.event.on.toordinal(),
        "recorded_at": microseconds(recorded.recorded_at),
        "recorded_by": recorded.recorded_by,
        "origin": recorded.origin,
        "note": recorded.note,
        "state": recorded.state.value,
        "corrects": recorded.corrects,
    }


def _recorded(row: Any) -> RecordedEvent:
    return RecordedEvent(
        number=row.id,
        event=Event(row.type, row.key, row.value, date.fromordinal(row.on_day)),
        recorded_at=moment(row.recorded_at),
        recorded_by=row.recorded_by,
        origin=row.origin,
        note=row.note,
        state=EventState(row.state),
        corrects=row.corrects,
        ended_at=None if row.ended_at is None else moment(row.ended_at),
        ended_by=row.ended_by,
        ended_why=row.ended_why,
    )
