"""Holds as the catalogue keeps them, and which items each of them covers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, func, select

from agent.catalogue.database import Database
from agent.catalogue.reading import moment
from agent.catalogue.recording import microseconds
from agent.catalogue.tables import LIVE, QUARANTINED, change_count, held, hold, item
from agent.errors import UsageError
from agent.model.hold import Hold, HoldKind, HoldScope
from agent.model.key import normalise_key
from connectors.base import ItemRef

_BLOCK = 10_000


class FactsChanged(Exception):
    """Facts of items have changed since the items under a hold were worked out; nothing was placed."""


@dataclass(frozen=True, slots=True)
class Covered:
    """How many items a hold covers: those that are there, and those that have gone from their share in spite of it."""

    there: int = 0
    gone: int = 0


def taken(other: Hold) -> UsageError:
    """What to say when a hold is to be placed under the name of another one."""
    how = "" if other.lifted_at is None else f", lifted on {other.lifted_at:%Y-%m-%d}"
    return UsageError(
        f'"{other.name}" is the name of hold {other.number}{how}. A name stays with its hold for good, also when that '
        "is lifted, so that one can ask later which hold was meant. Choose another name."
    )


def lifted_already(lifted: Hold) -> UsageError:
    """What to say when a hold is to be lifted that no longer stands."""
    return UsageError(
        f'Hold {lifted.number}, "{lifted.name}", was lifted already, on {lifted.lifted_at:%Y-%m-%d} by '
        f"{lifted.lifted_by}: {lifted.lifted_why}"
    )


class HoldRecords:
    """The holds of one catalogue. Every call may raise `CatalogueError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Placing and lifting

    def place(self, new: Hold, covered: Iterable[int], *, unless_changed_since: str | None = None) -> Hold:
        """The hold with its number, stored together with the numbers of all items it covers.

        `unless_changed_since` is the catalogue's `state_mark` under which `covered` was worked out.
        Raises `UsageError` if the name is taken, `FactsChanged` if the mark is another one now; then nothing is stored.
        """
        with self._database.transaction() as connection:
            other = self.get(new.name)
            if other is not None:
                raise taken(other)
            if unless_changed_since not in (None, str(connection.scalar(select(change_count.c.changes)))):
                raise FactsChanged
            made = connection.execute(hold.insert().values(_row(new)))
            number = int(made.inserted_primary_key[0])  # type: ignore[index]
            self._cover(connection, number, covered)
            placed = _hold(connection.execute(select(hold).where(hold.c.id == number)).one())
            self._database.testify([placed])
        return placed

    def also_cover(self, number: int, covered: Iterable[int]) -> None:
        """From now on the hold covers these items too. Those it covers already stay as they are."""
        with self._database.transaction() as connection:
            self._cover(connection, number, covered)

    def lift(self, number: int, by: str, why: str, at: datetime, told_on: date | None) -> Hold:
        """The hold, lifted: it covers nothing any more. Raises `UsageError` if it was lifted before."""
        with self._database.transaction() as connection:
            before = _hold(connection.execute(select(hold).where(hold.c.id == number)).one())
            if before.lifted_at is not None:
                raise lifted_already(before)
            self._facts_changed(connection, number)
            connection.exec_driver_sql("DELETE FROM held WHERE hold_id = ?", (number,))
            ended = {
                "lifted_at": microseconds(at),
                "lifted_by": by,
                "lifted_why": why,
                "told_on": told_on.toordinal() if told_on else None,
            }
            connection.execute(hold.update().where(hold.c.id == number).values(ended))
            lifted = _hold(connection.execute(select(hold).where(hold.c.id == number)).one())
            self._database.testify([lifted])
        return lifted

    # Reading

    def all(self) -> tuple[Hold, ...]:
        """Every hold ever placed, in the order of placing."""
        with self._database.faults():
            rows = self._database.connection.execute(select(hold).order_by(hold.c.id)).all()
        return tuple(map(_hold, rows))

    def in_force(self, day: date) -> tuple[Hold, ...]:
        """The holds that stand on that day, in the order of placing."""
        return tuple(one for one in self.all() if one.in_force(day))

    def get(self, named: str | int) -> Hold | None:
        """The hold of that number, or of that name whatever its capitals and spaces; digits alone are a number."""
        holds = self.all()
        if isinstance(named, int) or named.isdecimal():
            return next((one for one in holds if one.number == int(named)), None)
        wanted = normalise_key(named)
        return next((one for one in holds if normalise_key(one.name) == wanted), None)

    def covering(self, item_id: int) -> tuple[Hold, ...]:
        """The holds that cover the item, in force or not, in the order of placing."""
        with self._database.faults():
            rows = self._database.connection.exec_driver_sql(
                "SELECT hold_id FROM held WHERE item_id = ?", (item_id,)
            ).all()
        numbers = {number for (number,) in rows}
        return tuple(one for one in self.all() if one.number in numbers) if numbers else ()

    def covered(self, number: int) -> Iterator[tuple[str, ItemRef]]:
        """The items that are there and covered, with their share's name: by share, folder and name, in memory bounded
        whatever their number."""
        statement = (
            "SELECT s.name, f.path, i.name FROM held h JOIN item i ON i.id = h.item_id "
            "JOIN folder f ON f.id = i.folder_id JOIN share s ON s.id = f.share_id "
            "WHERE h.hold_id = ? AND i.state IN (0, 3) ORDER BY s.name, f.path, i.name"
        )
        with self._database.faults(), self._database.connect() as reader:
            rows = reader.exec_driver_sql(statement, (number,)).cursor
            while block := rows.fetchmany(1000):
                for share, folder, name in block:
                    yield share, ItemRef(folder, name)

    def counts(self) -> Mapping[int, Covered]:
        """How many items each hold covers, by its number; holds that cover none are left out."""
        statement = (
            "SELECT h.hold_id, SUM(i.state IN (0, 3)), SUM(i.state NOT IN (0, 3)) FROM held h "
            "JOIN item i ON i.id = h.item_id GROUP BY h.hold_id"
        )
        with self._database.faults():
            rows = self._database.connection.exec_driver_sql(statement).all()
        return {number: Covered(there, gone) for number, there, gone in rows}

    def held_twice(self, number: int, day: date) -> int:
        """How many of the items that are there and covered by this hold another one, in force on that day, covers."""
        other = held.alias()
        others = [one.number for one in self.in_force(day) if one.number != number]
        statement = (
            select(func.count())
            .select_from(held.join(item, item.c.id == held.c.item_id))
            .where(held.c.hold_id == number, item.c.state.in_((LIVE, QUARANTINED)))
            .where(held.c.item_id.in_(select(other.c.item_id).where(other.c.hold_id.in_(others))))
        )
        with self._database.faults():
            return self._database.connection.scalar(statement) or 0

    def items_with(self, identities: Iterable[bytes]) -> set[int]:
        """The numbers of the items in which one of these values was found."""
        found: set[int] = set()
        with self._database.faults():
            for identity in identities:
                rows = self._database.connection.exec_driver_sql(
                    "SELECT item_id FROM finding WHERE identity = ?", (identity,)
                )
                found.update(item_id for (item_id,) in rows)
        return found

    # Statements used above

    def _cover(self, connection: Connection, number: int, covered: Iterable[int]) -> None:
        numbers = iter(covered)
        while block := [(item_id, number) for item_id in islice(numbers, _BLOCK)]:
            connection.exec_driver_sql("INSERT OR IGNORE INTO held (item_id, hold_id) VALUES (?, ?)", block)
        self._facts_changed(connection, number)

    @staticmethod
    def _facts_changed(connection: Connection, number: int) -> None:
        """The items under the hold stand otherwise from now on, and no summary of before is true any more."""
        connection.exec_driver_sql(
            "DELETE FROM standing WHERE item_id IN (SELECT item_id FROM held WHERE hold_id = ?)", (number,)
        )
        connection.execute(change_count.update().values(changes=change_count.c.changes + 1))


def _row(new: Hold) -> dict[str, Any]:
    return {
        "name": new.name,
        "kind": new.kind.value,
        "scope": _written(new.scope),
        "reason": new.reason,
        "citation": new.citation,
        "placed_by": new.placed_by,
        "placed_at": microseconds(new.placed_at),
        "review_on": _ordinal(new.review_on),
        "from_day": _ordinal(new.from_day),
        "until_day": _ordinal(new.until_day),
    }


def _hold(row: Any) -> Hold:
    return Hold(
        number=row.id,
        name=row.name,
        kind=HoldKind(row.kind),
        scope=_read(row.scope),
        reason=row.reason,
        citation=row.citation,
        placed_by=row.placed_by,
        placed_at=moment(row.placed_at),
        review_on=_day(row.review_on),
        from_day=_day(row.from_day),
        until_day=_day(row.until_day),
        lifted_at=None if row.lifted_at is None else moment(row.lifted_at),
        lifted_by=row.lifted_by,
        lifted_why=row.lifted_why,
        told_on=_day(row.told_on),
    )


def _written(scope: HoldScope) -> str:
    """The scope as text; days are numbered as in the other columns, identities are hexadecimal digits."""
    parts = {
        "condition": scope.condition,
        "classes": scope.classes,
        "keys": scope.keys,
        "persons": [identity.hex() for identity in scope.persons],
        "dated_from": _ordinal(scope.dated_from),
        "dated_until": _ordinal(scope.dated_until),
    }
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def _read(text: str) -> HoldScope:
    parts = json.loads(text)
    return HoldScope(
        condition=parts["condition"],
        classes=tuple(parts["classes"]),
        keys=tuple((key, value) for key, value in parts["keys"]),
        persons=tuple(map(bytes.fromhex, parts["persons"])),
        dated_from=_day(parts["dated_from"]),
        dated_until=_day(parts["dated_until"]),
    )


def _ordinal(day: date | None) -> int | None:
    return day.toordinal() if day else None


def _day(ordinal: int | None) -> date | None:
    return date.fromordinal(ordinal) if ordinal else None
