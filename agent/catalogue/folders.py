"""The rows of folders."""

from __future__ import annotations

from sqlalchemy import Connection


def ensure_folder(connection: Connection, share_id: int, path: bytes) -> int:
    """The number of the folder, which is there (again) together with its ancestors."""
    found = connection.exec_driver_sql(
        "SELECT id, gone FROM folder WHERE share_id = ? AND path = ?", (share_id, path)
    ).first()
    if found is not None and not found[1]:
        return int(found[0])
    parent = ensure_folder(connection, share_id, path.rpartition(b"/")[0]) if path else None
    if found is not None:
        connection.exec_driver_sql("UPDATE folder SET gone = 0 WHERE id = ?", (found[0],))
        return int(found[0])
    made = connection.exec_driver_sql(
        "INSERT INTO folder (share_id, parent_id, path, gone) VALUES (?, ?, ?, 0)", (share_id, parent, path)
    )
    return int(made.lastrowid)
