"""An item as it must be named to the source that keeps it."""

from __future__ import annotations

from sqlalchemy import Connection

from connectors.base import ItemRef
from connectors.keeping import Target

_ITEM = (
    "SELECT i.file_id, f.path, i.name, f.source_id, i.version FROM item i JOIN folder f ON f.id = i.folder_id "
    "WHERE i.id = ? AND i.state = 0"
)


def target_of(connection: Connection, item_id: int) -> Target | None:
    """The live item of that number: by its lasting id, where and at which version it is recorded."""
    row = connection.exec_driver_sql(_ITEM, (item_id,)).first()
    if row is None:
        return None
    file_id, folder, name, folder_id, version = row
    return Target(file_id, ItemRef(folder, name), folder_id, version)
