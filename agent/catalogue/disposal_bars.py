"""Whether a disposal may take its next step: asked in the very transaction that records it.

The triggers of the database ask the same and refuse; here the answer has a name that can be told.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection

from agent.catalogue.disposal_rows import Disposal, Plan
from agent.catalogue.tables import LIVE
from agent.model.disposal import Custody, Obstacle
from agent.model.schedule import Disposition

# The rules of the triggers as questions, asked in the same transaction, so that a refusal can be told by its reason.
_PAUSED = "SELECT 1 FROM pause WHERE ended_at IS NULL"
_HELD = (
    "SELECT 1 FROM held h JOIN hold o ON o.id = h.hold_id WHERE h.item_id = ? AND o.lifted_at IS NULL "
    "AND (o.from_day IS NULL OR o.from_day <= ?) AND (o.until_day IS NULL OR o.until_day >= ?)"
)
_STANDING = "SELECT outcome, due_on FROM standing WHERE item_id = ?"
_PRESENT = "SELECT state, version, content_hash, file_id FROM item WHERE id = ?"
_ON_ITS_WAY = (
    "SELECT 1 FROM disposal WHERE item_id = ? AND state NOT IN ('restored', 'erased', 'abandoned', 'relocated')"
)
_APPROVED = (
    "SELECT 1 FROM review_approved WHERE item_id = ? AND due_on <= ? AND stages >= ? "
    "AND people >= CASE WHEN outcome IN ('quarantine', 'retain_permanently') THEN 1 ELSE 2 END "
    "AND mark = ? AND outcome IN (?, 'review')"
)
_RECEIPT = "SELECT 1 FROM disposal d JOIN bundle b ON b.id = d.bundle_id WHERE d.id = ? AND b.confirmed_at IS NOT NULL"
_APPROVED_ANEW = (
    "SELECT 1 FROM review_approved WHERE item_id = ? AND due_on <= ? AND stages >= ? AND people >= 2 "
    "AND outcome <> 'quarantine' AND outcome IN (?, 'destroy', 'thin', 'review')"
)


def bar_to_plan(connection: Connection, one: Plan, day: date, custody: Custody) -> Obstacle | None:
    """What keeps an item from being taken, if anything does."""
    found = connection.exec_driver_sql(_PRESENT, (one.item_id,)).first()
    if found is None or found[0] != LIVE:
        return Obstacle.GONE
    if (found[1], found[2]) != (one.version, one.content_hash):
        return Obstacle.CHANGED
    if custody is Custody.SOURCE and not found[3]:
        return Obstacle.NOT_IN_PLACE  # its source has never told an id by which it could be asked for
    if connection.exec_driver_sql(_ON_ITS_WAY, (one.item_id,)).first():
        return Obstacle.INTERRUPTED  # an earlier go could not settle it, and nothing else may begin until that is done
    approved = _approved_for(one.action, one.stages, one.mark)
    return _bars(connection, one.item_id, one.action, day, approved)


def bar_to_seal(connection: Connection, of: Disposal, day: date) -> Obstacle | None:
    """What keeps the original from going now that its copy is proven."""
    if _moved_on(connection, of):
        return Obstacle.CHANGED
    return _bars(connection, of.item_id, of.action, day, _approved_for(of.action, of.stages, of.mark))


def bar_to_destroy(connection: Connection, of: Disposal, day: date) -> Obstacle | None:
    """What keeps an item in the vault from being destroyed. What lets it go there may have been approved anew; but
    what is to be handed back by now, or to leave something in its place, has not been and is not destroyed."""
    if _moved_on(connection, of):
        return Obstacle.CHANGED
    bar = _bars(connection, of.item_id, of.action, day, (_APPROVED_ANEW, (max(of.stages, 1), of.action.value)))
    if (
        bar is None
        and of.action is Disposition.HAND_BACK
        and not connection.exec_driver_sql(_RECEIPT, (of.number,)).first()
    ):
        return Obstacle.NOT_HANDED_OVER
    return bar


_Approved = tuple[str, tuple[Any, ...]]


def _moved_on(connection: Connection, of: Disposal) -> bool:
    """Whether a scan has met another item in its place, which came there while this one was in the hold."""
    found = connection.exec_driver_sql(_PRESENT, (of.item_id,)).one()
    return (found[1], found[2]) != (of.version, of.content_hash)


def _approved_for(action: Disposition, stages: int, mark: str) -> _Approved | None:
    if stages == 0 and action is Disposition.QUARANTINE:
        return None
    return _APPROVED, (max(stages, 1), mark, action.value)


def _bars(
    connection: Connection, item_id: int, action: Disposition, day: date, approved: _Approved | None
) -> Obstacle | None:
    if connection.exec_driver_sql(_PAUSED).first():
        return Obstacle.PAUSED
    if connection.exec_driver_sql(_HELD, (item_id, day.toordinal(), day.toordinal())).first():
        return Obstacle.HELD
    stands = connection.exec_driver_sql(_STANDING, (item_id,)).first()
    if stands is None or stands[1] is None or stands[1] > day.toordinal():
        return Obstacle.NOT_DUE  # or something about it has changed, so that it must be decided on anew
    if approved is None:
        return None if stands[0] == action.value else Obstacle.NOT_DUE
    statement, values = approved
    return (
        None
        if connection.exec_driver_sql(statement, (item_id, day.toordinal(), *values)).first()
        else Obstacle.NOT_APPROVED
    )
