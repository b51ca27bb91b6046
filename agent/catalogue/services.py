"""Who lives and how shares stand: by these rows the processes of the service know of each other, and others of them."""

from __future__ import annotations

import os
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from agent.catalogue.database import Database
from agent.catalogue.reading import moment
from agent.catalogue.recording import microseconds
from agent.catalogue.service_tables import service, share_condition
from agent.model.service import Role, Service, ShareCondition, ShareState


class ServiceRecords:
    """The processes of the service, and the condition of shares. Every call may raise `CatalogueError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[Service, ...]:
        """Every process that has ever served and did not say that it ends."""
        with self._database.faults():
            rows = self._database.connection.execute(select(service).order_by(service.c.role)).all()
        return tuple(Service(Role(row[0]), row[1], moment(row[2]), moment(row[3]), row[4]) for row in rows)

    def beat(self, role: Role, began_at: datetime, at: datetime, doing: str) -> None:
        """This process lives, in that role."""
        row = {
            "role": role.value,
            "pid": os.getpid(),
            "began_at": microseconds(began_at),
            "beat_at": microseconds(at),
            "doing": doing,
        }
        with self._database.transaction() as connection:
            connection.execute(insert(service).values(row).on_conflict_do_update(index_elements=["role"], set_=row))

    def end(self, role: Role) -> None:
        """The process in that role ends."""
        with self._database.transaction() as connection:
            connection.execute(service.delete().where(service.c.role == role.value))

    def conditions(self) -> tuple[ShareCondition, ...]:
        """How every share of the service stands, by name."""
        with self._database.faults():
            rows = self._database.connection.execute(select(share_condition).order_by(share_condition.c.share)).all()
        return tuple(ShareCondition(row.share, ShareState(row.state), row.why, moment(row.since)) for row in rows)

    def keep_condition(self, share: str, state: ShareState, why: str, at: datetime) -> bool:
        """The share stands so; tells whether that is news. `since` stays while it does."""
        with self._database.transaction() as connection:
            there = connection.execute(select(share_condition).where(share_condition.c.share == share)).first()
            if there is not None and (there.state, there.why) == (state.value, why):
                return False
            row = {"share": share, "state": state.value, "why": why, "since": microseconds(at)}
            if there is not None and there.state == state.value:
                row["since"] = there.since
            put = insert(share_condition).values(row)
            connection.execute(put.on_conflict_do_update(index_elements=["share"], set_=row))
        return True

    def forget_shares(self, others_than: tuple[str, ...]) -> None:
        """Shares that the settings no longer name have no condition."""
        with self._database.transaction() as connection:
            connection.execute(share_condition.delete().where(share_condition.c.share.not_in(others_than)))
