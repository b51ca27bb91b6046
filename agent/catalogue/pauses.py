"""Pauses as the catalogue keeps them: while one is in force, nothing is disposed of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from agent.catalogue.database import Database
from agent.catalogue.disposal_tables import pause
from agent.catalogue.reading import moment
from agent.catalogue.recording import microseconds
from agent.errors import UsageError
from agent.model.disposal import Pause


class PauseRecords:
    """The pauses of one catalogue. Every call may raise `CatalogueError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def in_force(self) -> Pause | None:
        """The pause that holds now."""
        return next((one for one in self.all() if one.ended_at is None), None)

    def all(self) -> tuple[Pause, ...]:
        """Every pause there ever was, in the order of their beginning."""
        with self._database.faults():
            return tuple(map(_read, self._database.connection.execute(select(pause).order_by(pause.c.id))))

    def begin(self, at: datetime, by: str, why: str) -> Pause:
        """From now on nothing is disposed of. Raises `UsageError` if that is so already."""
        with self._database.transaction() as connection:
            if (held := self.in_force()) is not None:
                raise UsageError(f"Disposals are paused already, since {held.at:%Y-%m-%d %H:%M} UTC by {held.by}.")
            connection.execute(pause.insert().values(paused_at=microseconds(at), paused_by=by, why=why))
            begun = self.all()[-1]
            self._database.testify([begun])
        return begun

    def end(self, at: datetime, by: str, why: str) -> Pause:
        """Ends the pause in force. Raises `UsageError` if there is none."""
        with self._database.transaction() as connection:
            held = self.in_force()
            if held is None:
                raise UsageError("Disposals are not paused.")
            ended = {"ended_at": microseconds(at), "ended_by": by, "ended_why": why}
            connection.execute(pause.update().where(pause.c.id == held.number).values(ended))
            over = self.all()[-1]
            self._database.testify([over])
        return over


def _read(row: Any) -> Pause:
    ended_at = None if row.ended_at is None else moment(row.ended_at)
    return Pause(row.id, moment(row.paused_at), row.paused_by, row.why, ended_at, row.ended_by, row.ended_why)
