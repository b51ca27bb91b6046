"""Events as the catalogue keeps them."""

from __future__ import annotations

from agent.catalogue.database import Database


class EventRecords:
    """The recorded events of one catalogue."""

    def __init__(self, database: Database) -> None:
        self._database = database
