"""What was told to whom, and when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from agent.catalogue.database import Database
from agent.catalogue.reading import moment
from agent.catalogue.recording import microseconds
from agent.catalogue.service_tables import notice


class NoticeRecords:
    """The notices sent from one catalogue. Every call may raise `CatalogueError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self, kind: str, recipient: str, subject: str) -> datetime | None:
        """When this was told to that recipient last, in UTC."""
        which = (notice.c.kind == kind) & (notice.c.recipient == recipient) & (notice.c.subject == subject)
        with self._database.faults():
            sent_at = self._database.connection.scalar(select(notice.c.sent_at).where(which))
        return None if sent_at is None else moment(sent_at)

    def record(self, kind: str, recipient: str, subject: str, at: datetime) -> None:
        """It has been told."""
        row = {"kind": kind, "recipient": recipient, "subject": subject, "sent_at": microseconds(at)}
        put = insert(notice).values(row)
        put = put.on_conflict_do_update(index_elements=["kind", "recipient", "subject"], set_=row)
        with self._database.transaction() as connection:
            connection.execute(put)
