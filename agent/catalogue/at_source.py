"""An item as it must be named to the source that keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from connectors.base import ItemRef
from connectors.keeping import Target

_ITEM = (
    "SELECT i.file_id, f.path, i.name, f.source_id, i.version, i.marks FROM item i JOIN folder f ON f.id = i.folder_id "
    "WHERE i.id = ? AND i.state = 0"
)


@dataclass(frozen=True, slots=True)
class AtSource:
    """A live item by its lasting id, where and at which version it is recorded, and the marks that it bore then."""

    target: Target
    marks: Mapping[str, str]


def at_source(connection: Connection, item_id: int) -> AtSource | None:
    """The live item of that number."""
    row = connection.exec_driver_sql(_ITEM, (item_id,)).first()
    if row is None:
        return None
    file_id, folder, name, folder_id, version, marks = row
    return AtSource(Target(file_id, ItemRef(folder, name), folder_id, version), json.loads(marks) if marks else {})
