"""How items stand, kept until a fact changes: computed by others, thrown away here as soon as it may be out of date.

What is kept is one row an item, with the day from which time alone changes it; so a due list is a look into an index.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from agent.catalogue.reading import read_waves
from agent.catalogue.tables import change_count
from agent.errors import CatalogueError
from agent.model.decision import Decision, DecisionState
from agent.model.key import HIDDEN
from agent.model.schedule import Disposition
from connectors.base import ItemRef

if TYPE_CHECKING:
    from agent.catalogue.database import Database

_BLOCK = 1000
_FORGET_MINUTES = (
    "DELETE FROM standing WHERE item_id IN (SELECT i.id FROM item i JOIN folder f ON f.id = i.folder_id "
    "WHERE i.created_at IS NOT NULL AND (f.share_id, i.created_at / 60000000) IN "
    "(SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)))"
)
_STANDING = (
    "SELECT s.name, f.path, i.name, g.item_id, g.state, g.class_id, g.outcome, g.due_on, i.size_bytes "
    "FROM standing g {index} CROSS JOIN item i ON i.id = g.item_id CROSS JOIN folder f ON f.id = i.folder_id "
    "CROSS JOIN share s ON s.id = f.share_id WHERE i.state = 0"
)  # CROSS: in this order, so that the index of standings gives theirs


def forget_behind(connection: Connection, key: str, value: str) -> int:
    """Inside the caller's transaction: items with that key must be decided on anew. Tells how many.

    Where schedules differ in which keys they keep hidden, a plain value may stand for any that is hidden, and a hidden
    one for any that is plain.
    """
    after = chr(ord(HIDDEN) + 1)
    other_form = [("", HIDDEN), (after, "\U0010ffff")] if value.startswith(HIDDEN) else [(HIDDEN, after)]
    forget = "DELETE FROM standing WHERE item_id IN (SELECT item_id FROM item_key WHERE key = ? AND {})"
    forgotten = connection.exec_driver_sql(forget.format("value = ?"), (key, value)).rowcount
    for bounds in other_form:
        statement = forget.format("value >= ? AND value < ?")
        forgotten += connection.exec_driver_sql(statement, (key, *bounds)).rowcount
    return forgotten


def forget_places(connection: Connection, places: Sequence[tuple[int, bytes]]) -> None:
    """Inside the caller's transaction: items at these places (folder, name) must be decided on anew, and so must those
    with the same content, since what lies elsewhere may bear on them.

    The holds that cover an item stay: nothing but lifting takes one away.
    """
    at = "SELECT id FROM item WHERE folder_id = ? AND name = ? AND state < 3"
    for statement in (
        f"DELETE FROM standing WHERE item_id = ({at})",  # noqa: S608 — no value is in the text
        "DELETE FROM standing WHERE item_id IN (SELECT o.id FROM item i JOIN item o ON o.content_hash = i.content_hash "
        "WHERE i.folder_id = ? AND i.name = ? AND i.state < 3)",
    ):
        connection.exec_driver_sql(statement, list(places))


@dataclass(frozen=True, slots=True)
class Stood:
    """How one item stands, for the catalogue: its decision, its keys as they are kept, the holds found to cover it."""

    item_id: int
    decision: Decision
    keys: frozenset[tuple[str, str]]
    holds: frozenset[int]


@dataclass(frozen=True, slots=True)
class Standing:
    """How one item stands: the short form of its last decision. `due_on` is as in `Decision`."""

    share: str
    ref: ItemRef
    item_id: int
    state: DecisionState
    class_id: str | None
    outcome: Disposition | None
    due_on: date | None
    size_bytes: int


class Standings:
    """How the items of one catalogue stand. Every call may raise `CatalogueError`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._basis = ""

    def begin(self, basis: str) -> bool:
        """Throws everything away if it was computed on another basis (schedule, storage …), and tells whether it was.

        Else only how those items stand whose dates have become weak, or cease to be, since so many others have come
        beside them or gone: nothing was recorded about these themselves.
        """
        self._basis = basis
        with self._database.transaction() as connection:
            mark = str(connection.scalar(select(change_count.c.changes)))
            written = connection.exec_driver_sql("SELECT basis FROM standing_basis").scalar()
            before = json.loads(written) if written else {"of": None, "mark": None, "waves": []}
            same = before["of"] == basis
            if same and before["mark"] == mark:
                return False
            waves = sorted(read_waves(connection))
            if same:
                changed = {(share, minute) for share, minute in before["waves"]} ^ set(waves)
                connection.exec_driver_sql(_FORGET_MINUTES, (json.dumps(list(changed)),))
            else:
                for table in ("standing", "item_key"):
                    connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608
            connection.exec_driver_sql("DELETE FROM standing_basis")
            now = json.dumps({"of": basis, "mark": mark, "waves": waves})
            connection.exec_driver_sql("INSERT INTO standing_basis (basis) VALUES (?)", (now,))
        return not same

    def undecided(self, today: date, after: int, at_most: int) -> tuple[str, tuple[Any, ...], str]:
        """The next items, there or in the vault, that must be decided on, since something about them has changed or the
        day has come for them: condition, values and order for `RecordReader`."""
        return (
            "i.state IN (0, 3) AND i.id > ? AND (NOT EXISTS (SELECT 1 FROM standing g WHERE g.item_id = i.id) "
            "OR i.id IN (SELECT g.item_id FROM standing g WHERE g.again_on <= ?))",
            (after, today.toordinal(), at_most),
            "i.id LIMIT ?",
        )

    def keep(self, stood: Iterable[Stood], unless_changed_since: str) -> bool:
        """Keeps how these items stand, together, and tells that it did; not if any fact has changed since the catalogue
        had that `state_mark`, since they may stand otherwise now.

        Raises `CatalogueError` if somebody else has begun on another basis since: the two would undo each other's work.
        """
        rows = list(stood)
        with self._database.transaction() as connection:
            basis = connection.exec_driver_sql("SELECT json_extract(basis, '$.of') FROM standing_basis").scalar()
            if basis != self._basis:
                raise CatalogueError(
                    f"{self._database.path}: another process is working out how the items stand under another "
                    "schedule. Wait for it to end, then run the command again."
                )
            if str(connection.scalar(select(change_count.c.changes))) != unless_changed_since:
                return False
            connection.exec_driver_sql(
                "INSERT OR REPLACE INTO standing (item_id, state, class_id, outcome, due_on, again_on) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                [_row(one) for one in rows],
            )
            connection.exec_driver_sql("DELETE FROM item_key WHERE item_id = ?", [(one.item_id,) for one in rows])
            keys = [(one.item_id, key, value) for one in rows for key, value in one.keys]
            if keys:
                connection.exec_driver_sql("INSERT INTO item_key (item_id, key, value) VALUES (?, ?, ?)", keys)
            held = [(one.item_id, number) for one in rows for number in one.holds]
            if held:
                connection.exec_driver_sql("INSERT OR IGNORE INTO held (item_id, hold_id) VALUES (?, ?)", held)
        return True

    def due(self, day: date) -> Iterator[Standing]:
        """What is due on that day, longest due first, in bounded memory. Right for today and for days to come on which
        nothing else happens (`again_on`)."""
        where, order = "g.state IN ('due', 'keep') AND g.due_on <= ?", "g.due_on, g.item_id"
        return self._read(where, order, (day.toordinal(),), "INDEXED BY ix_standing_due_on")

    def all(self) -> Iterator[Standing]:
        """How every live item stands that has been decided on."""
        return self._read("i.id > 0", "g.item_id", ())

    def turning(self, day: date) -> Iterator[Standing]:
        """The items about which more than a due date changes until that day, in the order of their numbers."""
        return self._read("g.again_on <= ?", "g.item_id", (day.toordinal(),))

    def of_state(self, state: DecisionState) -> Iterator[Standing]:
        """What stood so when it was last decided on, in the order of the catalogue."""
        return self._read("g.state = ?", "g.item_id", (state.value,))

    def counts(self, day: date) -> Mapping[str, int]:
        """How many items stand how on that day."""
        statement = (
            "SELECT CASE WHEN g.state IN ('due', 'keep') AND g.due_on IS NOT NULL "
            "THEN CASE WHEN g.due_on <= ? THEN 'due' ELSE 'keep' END ELSE g.state END, COUNT(*) "
            "FROM standing g JOIN item i ON i.id = g.item_id WHERE i.state = 0 GROUP BY 1 ORDER BY 1"
        )
        with self._database.faults():
            rows = self._database.connection.exec_driver_sql(statement, (day.toordinal(),)).all()
        return {state: int(count) for state, count in rows}

    def _read(self, where: str, order: str, values: tuple[Any, ...], index: str = "") -> Iterator[Standing]:
        statement = f"{_STANDING.format(index=index)} AND {where} ORDER BY {order}"
        with self._database.faults(), self._database.connect() as reader:
            rows = reader.exec_driver_sql(statement, values).cursor
            while block := rows.fetchmany(_BLOCK):
                for share, folder, name, item_id, state, class_id, outcome, due_on, size in block:
                    yield Standing(
                        share,
                        ItemRef(folder, name),
                        item_id,
                        DecisionState(state),
                        class_id,
                        Disposition(outcome) if outcome else None,
                        date.fromordinal(due_on) if due_on else None,
                        size,
                    )


def _row(one: Stood) -> tuple[Any, ...]:
    decision = one.decision
    return (
        one.item_id,
        decision.state.value,
        decision.class_id,
        decision.outcome.value if decision.outcome else None,
        decision.due_on.toordinal() if decision.due_on else None,
        decision.again_on.toordinal() if decision.again_on else None,
    )
