"""What people did in reviews, as the catalogue keeps it: added, and never taken out or changed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from agent.catalogue.database import Database
from agent.catalogue.reading import RecordReader, moment
from agent.catalogue.recording import microseconds
from agent.catalogue.tables import QUARANTINED, change_count, review_act
from agent.errors import UsageError
from agent.model.decision import DecisionState
from agent.model.record import Record
from agent.model.review import ActKind, Grounds, ReviewAct, ReviewFacts
from agent.model.schedule import Disposition
from connectors.base import ItemRef

_AT_ONCE = 500
_MOVING = (ActKind.EXTEND, ActKind.RECLASSIFY)

_ITEMS = (
    "SELECT s.name, f.path, i.name, i.id, g.state, g.class_id, g.outcome, g.due_on, i.size_bytes, i.version, "
    "i.content_hash, i.format, i.first_seen_at, "
    "(SELECT COALESCE(MAX(a.id), 0) FROM review_act a WHERE a.item_id = i.id), "
    "(SELECT MAX(a.acted_at) FROM review_act a WHERE a.item_id = i.id), i.state "
    "FROM standing g CROSS JOIN item i ON i.id = g.item_id CROSS JOIN folder f ON f.id = i.folder_id "
    "CROSS JOIN share s ON s.id = f.share_id WHERE i.state IN (0, 3)"
)
_SAME = (
    "SELECT 1 FROM item i JOIN standing g ON g.item_id = i.id JOIN standing_basis b "
    "WHERE i.id = ? AND i.state IN (0, 3) AND i.version = ? AND i.content_hash IS ? "
    "AND g.class_id IS ? AND g.outcome IS ? AND g.due_on IS ? AND json_extract(b.basis, '$.of') = ? "
    "AND (SELECT COALESCE(MAX(a.id), 0) FROM review_act a WHERE a.item_id = i.id) = ?"
)
_SO_FAR = (
    "SELECT COALESCE(MAX(CASE WHEN kind IN ('extend', 'reclassify', 'reject', 'ask') THEN id END), 0), MAX(acted_at) "
    "FROM review_act WHERE item_id = ?"
)
_APPROVED = (
    "SELECT stage FROM review_act WHERE item_id = ? AND round = ? AND mark = ? AND acted_by = ? AND kind = 'approve'"
)
_INSERT = (
    f"INSERT INTO review_act ({', '.join(column.name for column in review_act.columns)}) "  # noqa: S608
    f"VALUES ({', '.join(f':{column.name}' for column in review_act.columns)})"
)
_FACTS = (
    "SELECT a.item_id, a.kind, a.until_day, a.to_class, a.acted_at, "
    "CASE WHEN a.content_hash IS NULL THEN i.version = a.version ELSE i.content_hash IS a.content_hash END "
    "FROM review_act a JOIN item i ON i.id = a.item_id "
    "WHERE a.kind IN ('extend', 'reclassify') AND i.state IN (0, 3) AND a.acted_at >= i.first_seen_at ORDER BY a.id"
)
_COPIES = (
    "SELECT o.id FROM item i JOIN item o ON o.content_hash = i.content_hash AND o.id <> i.id AND o.state = 0 "
    "WHERE i.id = ? AND i.size_bytes > 0 ORDER BY o.id LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class ItemToReview:
    """One item as reviews see it, with the short form of its last decision.

    `newest_act` is the number of the last thing that anybody did about it, 0 if nobody did, and `acted_at` when.
    `in_vault` says that it lies in quarantine.
    """

    share: str
    ref: ItemRef
    item_id: int
    state: DecisionState
    class_id: str | None
    outcome: Disposition | None
    due_on: date | None
    size_bytes: int
    version: bytes
    content_hash: bytes | None
    format: str
    first_seen_at: datetime
    newest_act: int
    acted_at: datetime | None
    in_vault: bool

    def grounds(self, basis: str) -> Grounds:
        """What an act about it rests on now."""
        return Grounds(self.version, self.content_hash, self.class_id, self.outcome, self.due_on, basis)

    def due(self, day: date) -> bool:
        """Whether something is proposed about it on that day."""
        waits = self.state in (DecisionState.DUE, DecisionState.KEEP)
        return waits and self.due_on is not None and self.due_on <= day


@dataclass(frozen=True, slots=True)
class NewAct:
    """An act to be recorded, decided on in the knowledge of all acts up to the number `known`.

    The other parts are as in `ReviewAct`.
    """

    item_id: int
    kind: ActKind
    stage: str
    reason: str
    grounds: Grounds
    known: int
    until: date | None = None
    class_id: str | None = None
    to: str = ""


class ItemsChanged(Exception):
    """Some items, or what was done about them, have changed since the acts were decided on; nothing was recorded."""

    def __init__(self, item_ids: frozenset[int]) -> None:
        super().__init__()
        self.item_ids = item_ids


class ReviewRecords:
    """The acts of one catalogue's reviews. Every call may raise `CatalogueError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Writing

    def add(self, acts: Sequence[NewAct], at: datetime, by: str) -> tuple[ReviewAct, ...]:
        """Records all of them, in their order, or none.

        Raises `ItemsChanged` if any of these items is no longer as the act says, or somebody has acted on it since, and
        `UsageError` if the clock is wrong or the same person would approve twice. What an extension or a
        reclassification is about is decided on anew.
        """
        with self._database.transaction() as connection:
            changed = frozenset(one.item_id for one in acts if not _still_so(connection, one))
            if changed:
                raise ItemsChanged(changed)
            first = (connection.scalar(select(func.max(review_act.c.id))) or 0) + 1
            recorded = []
            for number, new in enumerate(acts, start=first):
                round_, newest = _so_far(connection, new.item_id)
                _in_order(newest, at)
                _refuse_second(connection, new, round_, by)
                act = _act(number, new, at, by)
                connection.exec_driver_sql(_INSERT, _row(act, round_))
                recorded.append(act)
            if recorded:
                moved = [(one.item_id,) for one in recorded if one.kind in _MOVING]
                if moved:
                    connection.exec_driver_sql("DELETE FROM standing WHERE item_id = ?", moved)
                connection.execute(change_count.update().values(changes=change_count.c.changes + 1))
                self._database.testify(recorded)
        return tuple(recorded)

    # Reading

    def all(self) -> Iterator[ReviewAct]:
        """Everything that was ever done, in the order of recording, in bounded memory."""
        with self._database.faults(), self._database.connect() as reader:
            for block in reader.execute(select(review_act).order_by(review_act.c.id)).partitions(1000):
                yield from map(_read_act, block)

    def acts_of(self, item_id: int) -> tuple[ReviewAct, ...]:
        """Everything that was done about one item, in the order of recording."""
        return self.acts_of_all([item_id]).get(item_id, ())

    def acts_of_all(self, item_ids: Iterable[int]) -> Mapping[int, tuple[ReviewAct, ...]]:
        """The same of many items; those about which nothing was done are left out."""
        found: dict[int, list[ReviewAct]] = defaultdict(list)
        query = select(review_act).where(review_act.c.item_id.in_(bindparam("items", expanding=True)))
        with self._database.faults():
            for block in _blocks(item_ids):
                for row in self._database.connection.execute(query.order_by(review_act.c.id), {"items": block}):
                    found[row.item_id].append(_read_act(row))
        return {item_id: tuple(acts) for item_id, acts in found.items()}

    def facts(self, time_zone: tzinfo) -> Mapping[int, ReviewFacts]:
        """What reviews have decided about class and date, by item; those without any such decision are left out.

        The newest act counts. Putting an item into a class ends what it was extended to in another one, and lasts as
        long as the content that somebody has looked at. An item that was gone for good in between is another item.
        """
        found: dict[int, ReviewFacts] = {}
        with self._database.faults():
            rows = self._database.connection.exec_driver_sql(_FACTS).all()
        for item_id, kind, until, class_id, acted_at, same in rows:
            if kind == ActKind.EXTEND:
                found[item_id] = replace(found.get(item_id, ReviewFacts()), extended_until=date.fromordinal(until))
            elif same:
                found[item_id] = ReviewFacts(assigned=(class_id, moment(acted_at).astimezone(time_zone).date()))
            else:
                found.pop(item_id, None)
        return found

    def approvers(self, item_id: int) -> int:
        """How many different people have approved the item as it stands; 0 too while it must be decided on anew.

        Whether all stages are through is told by `agent.retention.reviews.standing_of`.
        """
        statement = "SELECT people FROM review_approved WHERE item_id = ?"
        with self._database.faults():
            return self._database.connection.exec_driver_sql(statement, (item_id,)).scalar() or 0

    def due(self, day: date, class_id: str | None = None) -> Iterator[ItemToReview]:
        """What is due on that day, longest due first, of one class or of all; as `Standings.due`."""
        where, values = "g.state IN ('due', 'keep') AND g.due_on <= ?", [day.toordinal()]
        if class_id is not None:
            return self._read(f"{where} AND g.class_id = ?", "g.due_on, g.item_id", (*values, class_id))
        return self._read(where, "g.due_on, g.item_id", tuple(values))

    def items(self, item_ids: Iterable[int]) -> Mapping[int, ItemToReview]:
        """These items, as far as they are there and have been decided on."""
        found: dict[int, ItemToReview] = {}
        for block in _blocks(item_ids):
            where = "i.id IN (SELECT value FROM json_each(?))"
            found.update((one.item_id, one) for one in self._read(where, "i.id", (json.dumps(block),)))
        return found

    def records(self, item_ids: Iterable[int], identified: frozenset[str] = frozenset()) -> Mapping[int, Record]:
        """The facts about these items, there or in the vault; `identified` as in `Catalogue.records`."""
        reader = RecordReader(self._database, identified)
        found: dict[int, Record] = {}
        for block in _blocks(item_ids):
            where = "i.state IN (0, 3) AND i.id IN (SELECT value FROM json_each(?))"
            found.update((record.item_id, record) for _, record in reader.read(where, (json.dumps(block),), "i.id"))
        return found

    def item_at(self, share_id: int, ref: ItemRef) -> int | None:
        """The number of the live item at that place."""
        statement = (
            "SELECT i.id FROM item i JOIN folder f ON f.id = i.folder_id "
            "WHERE f.share_id = ? AND f.path = ? AND i.name = ? AND i.state = 0"
        )
        with self._database.faults():
            found = self._database.connection.exec_driver_sql(statement, (share_id, ref.folder, ref.name)).scalar()
        return None if found is None else int(found)

    def copies(self, item_id: int, at_most: int) -> tuple[int, ...]:
        """The numbers of other live items with the same bytes, some of them if there are more."""
        with self._database.faults():
            rows = self._database.connection.exec_driver_sql(_COPIES, (item_id, at_most)).all()
        return tuple(number for (number,) in rows)

    def _read(self, where: str, order: str, values: tuple[Any, ...]) -> Iterator[ItemToReview]:
        statement = f"{_ITEMS} AND {where} ORDER BY {order}"
        with self._database.faults(), self._database.connect() as reader:
            rows = reader.exec_driver_sql(statement, values).cursor
            while block := rows.fetchmany(1000):
                yield from map(_read_item, block)


def _blocks(numbers: Iterable[int]) -> Iterator[list[int]]:
    wanted = list(dict.fromkeys(numbers))
    return (wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE))


def _still_so(connection: Connection, new: NewAct) -> bool:
    on = new.grounds
    outcome = on.outcome.value if on.outcome else None
    values = (new.item_id, on.version, on.content_hash, on.class_id, outcome, _ordinal(on.due_on), on.basis, new.known)
    return connection.exec_driver_sql(_SAME, values).first() is not None


def _so_far(connection: Connection, item_id: int) -> tuple[int, datetime | None]:
    """Which act began the item's review anew, 0 if none did, and when anybody acted last."""
    round_, newest = connection.exec_driver_sql(_SO_FAR, (item_id,)).one()
    return round_, None if newest is None else moment(newest)


def _in_order(newest: datetime | None, at: datetime) -> None:
    if newest is not None and at < newest:
        raise UsageError(
            f"The last act of this review was recorded on {newest:%Y-%m-%d at %H:%M} UTC, which lies ahead of the "
            "clock of this machine. Set the clock right. Nothing was recorded."
        )


def _refuse_second(connection: Connection, new: NewAct, round_: int, by: str) -> None:
    if new.kind is not ActKind.APPROVE:
        return
    values = (new.item_id, round_, new.grounds.mark, by)
    approved = [stage for (stage,) in connection.exec_driver_sql(_APPROVED, values)]
    if new.stage in approved or (approved and new.grounds.needs_two_people):
        raise UsageError(f"{by} has approved item {new.item_id} already. Another person must. Nothing was recorded.")


def _act(number: int, new: NewAct, at: datetime, by: str) -> ReviewAct:
    return ReviewAct(
        number, new.item_id, new.kind, new.stage, by, at, new.reason, new.grounds, new.until, new.class_id, new.to
    )


def _row(act: ReviewAct, round_: int) -> dict[str, Any]:
    on = act.grounds
    return {
        "id": act.number,
        "item_id": act.item_id,
        "kind": act.kind.value,
        "stage": act.stage,
        "acted_by": act.by,
        "acted_at": microseconds(act.at),
        "reason": act.reason,
        "until_day": _ordinal(act.until),
        "to_class": act.class_id,
        "delegated_to": act.to,
        "round": round_,
        "mark": on.mark,
        "version": on.version,
        "content_hash": on.content_hash,
        "class_id": on.class_id,
        "outcome": on.outcome.value if on.outcome else None,
        "due_on": _ordinal(on.due_on),
        "basis": on.basis,
    }


def _read_act(row: Any) -> ReviewAct:
    outcome = Disposition(row.outcome) if row.outcome else None
    return ReviewAct(
        number=row.id,
        item_id=row.item_id,
        kind=ActKind(row.kind),
        stage=row.stage,
        by=row.acted_by,
        at=moment(row.acted_at),
        reason=row.reason,
        grounds=Grounds(row.version, row.content_hash, row.class_id, outcome, _day(row.due_on), row.basis),
        until=_day(row.until_day),
        class_id=row.to_class,
        to=row.delegated_to,
    )


def _read_item(row: tuple[Any, ...]) -> ItemToReview:
    share, folder, name, item_id, state, class_id, outcome, due_on, size = row[:9]
    version, content_hash, format_, seen, newest, acted_at, stands = row[9:]
    return ItemToReview(
        share,
        ItemRef(folder, name),
        item_id,
        DecisionState(state),
        class_id,
        Disposition(outcome) if outcome else None,
        _day(due_on),
        size,
        version,
        content_hash,
        format_,
        moment(seen),
        newest,
        None if acted_at is None else moment(acted_at),
        stands == QUARANTINED,
    )


def _ordinal(day: date | None) -> int | None:
    return day.toordinal() if day else None


def _day(ordinal: int | None) -> date | None:
    return date.fromordinal(ordinal) if ordinal else None
