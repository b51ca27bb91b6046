"""Folders in which something has happened that nobody has looked at yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import insert

from agent.catalogue.base import Share
from agent.catalogue.database import Database
from agent.catalogue.reading import moment
from agent.catalogue.recording import microseconds
from agent.catalogue.service_tables import dirty_folder


class DirtyFolders:
    """The dirty folders of one catalogue. Every call may raise `CatalogueError`.

    `now` is this moment by the clock as it is: what is said to have happened later was written down before the clock
    was set back, and has waited for long enough.
    """

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

    def settled(
        self, of: Share, now: datetime, quiet: timedelta, restless: timedelta, at_most: int
    ) -> tuple[bytes, ...]:
        """Folders in which nothing has happened for as long as `quiet`, and those that never come to rest and have been
        dirty for as long as `restless`; those that have waited longest first."""
        rested = dirty_folder.c.last_at <= microseconds(now - quiet)
        waited = dirty_folder.c.since <= microseconds(now - restless)
        ripe = rested | waited | (dirty_folder.c.last_at > microseconds(now))
        statement = select(dirty_folder.c.path).where(dirty_folder.c.share_id == of.id, ripe)
        statement = statement.order_by(dirty_folder.c.since).limit(at_most)
        with self._database.faults():
            return tuple(self._database.connection.scalars(statement).all())

    def clean(self, of: Share, folders: Iterable[bytes], began: datetime, now: datetime) -> None:
        """These folders have been looked at, beginning then, unless something has happened in one since."""
        bounds = (microseconds(began), microseconds(now))
        with self._database.transaction() as connection:
            connection.exec_driver_sql(
                "DELETE FROM dirty_folder WHERE share_id = ? AND path = ? AND (last_at <= ? OR last_at > ?)",
                [(of.id, folder, *bounds) for folder in folders],
            )

    def clean_all(self, of: Share, began: datetime, now: datetime) -> None:
        """The whole share has been gone through by a pass that began then."""
        before = (dirty_folder.c.last_at <= microseconds(began)) | (dirty_folder.c.last_at > microseconds(now))
        with self._database.transaction() as connection:
            connection.execute(dirty_folder.delete().where(dirty_folder.c.share_id == of.id, before))

    def waiting(self, of: Share) -> tuple[int, datetime | None]:
        """How many folders are dirty, and since when the oldest is."""
        statement = select(func.count(), func.min(dirty_folder.c.since)).where(dirty_folder.c.share_id == of.id)
        with self._database.faults():
            count, oldest = self._database.connection.execute(statement).one()
        return count, None if oldest is None else moment(oldest)
