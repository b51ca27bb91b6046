"""Folders in which something has happened that nobody has looked at yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import insert

from agent.catalogue.base import Share
from agent.catalogue.database import Database
from agent.catalogue.reading import moment
from agent.catalogue.recording import microseconds
from agent.catalogue.service_tables import dirty_folder


class DirtyFolders:
    """The dirty folders of one catalogue. Every call may raise `CatalogueError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, of: Share, folders: Iterable[bytes], at: datetime) -> None:
        """Something happened in these folders then. One that is dirty already stays so since it was."""
        then = microseconds(at)
        rows = [{"share_id": of.id, "path": folder, "since": then, "last_at": then} for folder in folders]
        if not rows:
            return
        put = insert(dirty_folder)
        put = put.on_conflict_do_update(index_elements=["share_id", "path"], set_={"last_at": put.excluded.last_at})
        with self._database.transaction() as connection:
            connection.execute(put, rows)

    def settled(self, of: Share, quiet_since: datetime, dirty_since: datetime, at_most: int) -> tuple[bytes, ...]:
        """Folders in which nothing has happened after `quiet_since`, and those that never come to rest and have been
        dirty since `dirty_since` at the latest; those that have waited longest first."""
        quiet = dirty_folder.c.last_at <= microseconds(quiet_since)
        restless = dirty_folder.c.since <= microseconds(dirty_since)
        statement = select(dirty_folder.c.path).where(dirty_folder.c.share_id == of.id, quiet | restless)
        statement = statement.order_by(dirty_folder.c.since).limit(at_most)
        with self._database.faults():
            return tuple(self._database.connection.scalars(statement).all())

    def clean(self, of: Share, folders: Iterable[bytes], until: datetime) -> None:
        """These folders have been looked at, unless something has happened in one since `until`."""
        with self._database.transaction() as connection:
            connection.exec_driver_sql(
                "DELETE FROM dirty_folder WHERE share_id = ? AND path = ? AND last_at <= ?",
                [(of.id, folder, microseconds(until)) for folder in folders],
            )

    def clean_all(self, of: Share, until: datetime) -> None:
        """The whole share has been gone through by a pass that began at `until`."""
        which = (dirty_folder.c.share_id == of.id) & (dirty_folder.c.last_at <= microseconds(until))
        with self._database.transaction() as connection:
            connection.execute(dirty_folder.delete().where(which))

    def waiting(self, of: Share) -> tuple[int, datetime | None]:
        """How many folders are dirty, and since when the oldest is."""
        statement = select(func.count(), func.min(dirty_folder.c.since)).where(dirty_folder.c.share_id == of.id)
        with self._database.faults():
            count, oldest = self._database.connection.execute(statement).one()
        return count, None if oldest is None else moment(oldest)
