"""How items stand, kept until a fact changes: the statements behind it."""

from __future__ import annotations

from sqlalchemy import Connection


def forget_behind(connection: Connection, key: str, value: str) -> int:
    """Inside the caller's transaction: items with that key must be decided on anew. Tells how many."""
    behind = "SELECT item_id FROM item_key WHERE key = ? AND value = ?"
    return connection.exec_driver_sql(
        f"DELETE FROM standing WHERE item_id IN ({behind})",  # noqa: S608 — no value is in the text
        (key, value),
    ).rowcount


def forget_item(connection: Connection, item_id: int) -> None:
    """Inside the caller's transaction: the item must be decided on anew, since something about it changed."""
    for table in ("standing", "held", "item_key"):
        connection.exec_driver_sql(f"DELETE FROM {table} WHERE item_id = ?", (item_id,))  # noqa: S608
