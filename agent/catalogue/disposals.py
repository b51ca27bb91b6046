"""Disposals as the catalogue keeps them: each step with its reason, together with what it does to the item."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from agent.catalogue.database import Database
from agent.catalogue.disposal_bars import bar_to_destroy, bar_to_plan, bar_to_seal
from agent.catalogue.disposal_rows import ALL, Disposal, Plan, Step, read_disposal, read_step, row_of
from agent.catalogue.disposal_tables import disposal, disposal_run, disposal_step
from agent.catalogue.folders import ensure_folder
from agent.catalogue.recording import microseconds
from agent.catalogue.standing import forget_places
from agent.catalogue.tables import (
    DESTROYED,
    LIVE,
    MISSING,
    QUARANTINED,
    SUPERSEDED,
    change_count,
    finding,
    item,
    standing,
)
from agent.errors import CatalogueError
from agent.model.disposal import Custody, DisposalState, DisposalStep, Obstacle
from agent.model.schedule import Disposition
from connectors.base import ItemRef

_STATE = DisposalState
_STEPS = select(disposal_step).order_by(disposal_step.c.id)


class DisposalRecords:
    """The disposals of one catalogue. Every call may raise `CatalogueError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Beginning

    def begin_run(self, kind: str, at: datetime, by: str, override: str = "") -> int:
        """A new go of acting; gives its number."""
        with self._database.transaction() as connection:
            row = {"kind": kind, "begun_at": microseconds(at), "begun_by": by, "override": override}
            made = connection.execute(disposal_run.insert().values(row))
            return int(made.inserted_primary_key[0])  # type: ignore[index]

    def plan(
        self,
        run: int,
        plans: Iterable[tuple[str, str | None, Plan]],
        at: datetime,
        by: str,
        day: date,
        custody: Custody = Custody.VAULT,
    ) -> tuple[tuple[Disposal, ...], Mapping[int, Obstacle]]:
        """Records the intent for each item that may still go; durable when this returns.

        `plans` come with new vault ids: the item's, and that of what remains of it if anything does. `custody` is who
        will keep the items. What may not go is told by the item's number, and nothing is recorded of it.
        """
        refused: dict[int, Obstacle] = {}
        with self._database.transaction() as connection:
            numbers = []
            for vault_id, derived_id, one in plans:
                obstacle = bar_to_plan(connection, one, day, custody)
                if obstacle is not None:
                    refused[one.item_id] = obstacle
                    continue
                row = row_of(vault_id, derived_id, one, run, at, day, custody)
                made = connection.execute(disposal.insert().values(row))
                numbers.append(int(made.inserted_primary_key[0]))  # type: ignore[index]
            planned = tuple(self._of_numbers(connection, numbers))
            self._told(connection, [Step(one, _STATE.PLANNED) for one in planned], at, by, first=True)
        return planned, refused

    # Going on

    def seal(self, steps: Sequence[Step], at: datetime, by: str, day: date) -> Mapping[int, Obstacle]:
        """Records that these are whole in the vault, so that the originals may go, or out of reach at their source.
        Tells, by disposal, for which it did not, since they must not: these have to be put back."""
        refused: dict[int, Obstacle] = {}
        with self._database.transaction() as connection:
            sealed = []
            for step in steps:
                obstacle = bar_to_seal(connection, step.of, day)
                if obstacle is not None:
                    refused[step.of.number] = obstacle
                else:
                    sealed.append(step)
            _move(connection, sealed, at, day)
            self._told(connection, sealed, at, by)
            _into_the_vault(connection, [step.of.item_id for step in sealed])
        return refused

    def destroying(self, disposals: Sequence[Disposal], at: datetime, by: str, day: date) -> Mapping[int, Obstacle]:
        """Records for each that its key is to be overwritten, or that its source is to delete it. Tells, by disposal,
        for which it did not, since they must not go."""
        refused: dict[int, Obstacle] = {}
        with self._database.transaction() as connection:
            going = []
            for one in disposals:
                obstacle = bar_to_destroy(connection, one, day)
                if obstacle is not None:
                    refused[one.number] = obstacle
                else:
                    going.append(Step(one, _STATE.DESTROYING))
            _move(connection, going, at, day)
            self._told(connection, going, at, by)
        return refused

    def bar_to_go_on(self, of: Disposal, day: date) -> Obstacle | None:
        """What keeps an item in the vault from being destroyed, as it stands now, if anything does."""
        with self._database.faults():
            return bar_to_destroy(self._database.connection, of, day)

    def relocate(self, step: Step, at: datetime, by: str, day: date, act: Callable[[], None]) -> Obstacle | None:
        """Has the item moved by `act` and records it, while nobody can place a hold or take back an approval. What is
        in the way already is told, and nothing is moved; what `act` raises comes through, and nothing is recorded."""
        with self._database.transaction() as connection:
            obstacle = bar_to_seal(connection, step.of, day)
            if obstacle is None:
                _move(connection, [step], at, day)
                self._told(connection, [step], at, by)
                act()
                self._settle(connection, step, at)
        return obstacle

    def move(self, steps: Sequence[Step], at: datetime, by: str, day: date) -> None:
        """Records these steps, together, and what they do to the items.

        `restored` and `abandoned` make an item live again where it lies, or missing if others have carried it off;
        `destroyed` forgets what was found in it; `erased` forgets its name.
        """
        with self._database.transaction() as connection:
            _move(connection, steps, at, day)
            self._told(connection, steps, at, by)
            for step in steps:
                self._settle(connection, step, at)

    def _settle(self, connection: Connection, step: Step, at: datetime) -> None:
        of = step.of
        match step.to:
            case _STATE.RESTORED | _STATE.RELOCATED:
                _place(connection, of, step.target or of.ref, step.version)
            case _STATE.ABANDONED if of.state is not _STATE.PLANNED and step.why == Obstacle.GONE:
                _gone(connection, of, at)
            case _STATE.ABANDONED if of.state is not _STATE.PLANNED or step.target is not None:
                _place(connection, of, of.ref, b"")  # whatever version it has now, the next scan reads it again
            case _STATE.DESTROYED:
                connection.execute(finding.delete().where(finding.c.item_id == of.item_id))
                connection.execute(standing.delete().where(standing.c.item_id == of.item_id))
                connection.exec_driver_sql("DELETE FROM item_key WHERE item_id = ?", (of.item_id,))
                gone = {"state": DESTROYED, "findings": "", "finding_total": 0, "content_hash": None, "verdict": ""}
                gone |= {"marks": "", "owner": "", "version": b"", "gone_at": None}
                connection.execute(item.update().where(item.c.id == of.item_id).values(gone))
                connection.execute(disposal.update().where(disposal.c.id == of.number).values(content_hash=None))
                _facts_changed(connection)
            case _STATE.ERASED:
                # Its name may name a person. Whoever knows it can still ask by the keyed digest.
                connection.execute(item.update().where(item.c.id == of.item_id).values(name=step.hidden_name))
                places = {"target_folder": None, "target_name": None}
                connection.execute(disposal.update().where(disposal.c.item_id == of.item_id).values(places))
            case _:
                return

    # Reading

    def of_state(self, *states: DisposalState) -> tuple[Disposal, ...]:
        """The disposals that stand so, in the order of their beginning."""
        named = ", ".join(f"'{state.value}'" for state in states)
        with self._database.faults():
            return tuple(
                map(
                    read_disposal,
                    self._database.connection.exec_driver_sql(f"{ALL} WHERE d.state IN ({named}) ORDER BY d.id"),
                )
            )

    def get(self, number: int) -> Disposal | None:
        """The disposal of that number."""
        with self._database.faults():
            return next(iter(self._of_numbers(self._database.connection, [number])), None)

    def of_item(self, item_id: int) -> tuple[Disposal, ...]:
        """All disposals of one item, in the order of their beginning."""
        with self._database.faults():
            rows = self._database.connection.exec_driver_sql(f"{ALL} WHERE d.item_id = ? ORDER BY d.id", (item_id,))
            return tuple(map(read_disposal, rows))

    def of_vault_id(self, vault_id: str) -> Disposal | None:
        """The disposal that gave this id, as its item's or as that of what remains of it."""
        statement = f"{ALL} WHERE d.vault_id = ? OR d.derived_id = ?"
        with self._database.faults():
            found = self._database.connection.exec_driver_sql(statement, (vault_id, vault_id)).first()
        return read_disposal(found) if found else None

    def steps(self, number: int | None = None) -> Iterator[DisposalStep]:
        """All steps ever recorded, or those of one disposal, in the order of recording."""
        query = _STEPS if number is None else _STEPS.where(disposal_step.c.disposal_id == number)
        with self._database.faults(), self._database.connect() as reader:
            for block in reader.execute(query).partitions(1000):
                yield from map(read_step, block)

    def shares_of(self, custody: Custody) -> tuple[str, ...]:
        """The shares of which items are, or ever were, kept so."""
        statement = (
            "SELECT DISTINCT s.name FROM disposal d JOIN item i ON i.id = d.item_id "
            "JOIN folder f ON f.id = i.folder_id JOIN share s ON s.id = f.share_id WHERE d.custody = ? ORDER BY s.name"
        )
        with self._database.faults():
            return tuple(self._database.connection.exec_driver_sql(statement, (custody.value,)).scalars())

    def done_since(self, share: str, since: datetime) -> tuple[int, int]:
        """How many items of a share have been taken out of it since, and their bytes; for the caps."""
        statement = (
            "SELECT COUNT(*), COALESCE(SUM(d.size_bytes), 0) FROM disposal d JOIN item i ON i.id = d.item_id "
            "JOIN folder f ON f.id = i.folder_id JOIN share s ON s.id = f.share_id WHERE s.name = ? "
            "AND EXISTS (SELECT 1 FROM disposal_step t WHERE t.disposal_id = d.id "
            "AND t.after IN ('sealed', 'relocated') AND t.at >= ?)"
        )
        with self._database.faults():
            count, size = self._database.connection.exec_driver_sql(statement, (share, microseconds(since))).one()
        return int(count), int(size)

    def live_in(self, share: str) -> int:
        """How many items of a share are there."""
        statement = (
            "SELECT COUNT(*) FROM item i JOIN folder f ON f.id = i.folder_id JOIN share s ON s.id = f.share_id "
            "WHERE s.name = ? AND i.state = 0"
        )
        with self._database.faults():
            return int(self._database.connection.exec_driver_sql(statement, (share,)).scalar() or 0)

    # Statements used above

    def _of_numbers(self, connection: Connection, numbers: Iterable[int]) -> Iterator[Disposal]:
        wanted = json.dumps(list(numbers))
        rows = connection.exec_driver_sql(
            f"{ALL} WHERE d.id IN (SELECT value FROM json_each(?)) ORDER BY d.id",  # noqa: S608 — no value is in it
            (wanted,),
        )
        return map(read_disposal, rows.all())

    def _told(
        self, connection: Connection, steps: Sequence[Step], at: datetime, by: str, *, first: bool = False
    ) -> None:
        told = []
        for step in steps:
            before = "" if first else step.of.state.value
            row = {
                "disposal_id": step.of.number,
                "item_id": step.of.item_id,
                "before": before,
                "after": step.to.value,
                "at": microseconds(at),
                "by": by,
                "why": step.why,
                "method": step.method,
                "doubts": " ".join(step.doubts),
                "epoch": step.epoch,
                "reason": step.reason,
                "digest": step.digest,
            }
            made = connection.execute(disposal_step.insert().values(row))
            number = int(made.inserted_primary_key[0])  # type: ignore[index]
            told.append(
                DisposalStep(
                    number,
                    step.of.number,
                    step.of.item_id,
                    before,
                    step.to,
                    at,
                    by,
                    step.why,
                    step.method,
                    step.doubts,
                    step.epoch,
                    step.reason,
                    step.digest,
                )
            )
        if told:
            self._database.testify(told)


# What a step does


def _move(connection: Connection, steps: Sequence[Step], at: datetime, day: date) -> None:
    for step in steps:
        values: dict[str, Any] = {"state": step.to.value, "since": microseconds(at), "on_day": day.toordinal()}
        if step.digest is not None:
            values["digest"] = step.digest
        if step.kept_version:
            values["kept_version"] = step.kept_version
        if step.target is not None:
            values |= {"target_folder": step.target.folder, "target_name": step.target.name}
        as_it_was = (disposal.c.id == step.of.number) & (disposal.c.state == step.of.state.value)
        if connection.execute(disposal.update().where(as_it_was).values(values)).rowcount != 1:
            raise CatalogueError(
                f"Disposal {step.of.number} has been taken further by another process. Wait for it to end, then run "
                "the command again. Nothing was recorded."
            )


def _into_the_vault(connection: Connection, item_ids: Sequence[int]) -> None:
    for item_id in item_ids:
        connection.execute(item.update().where(item.c.id == item_id).values(state=QUARANTINED, gone_at=None))
        # No placement rule applies to it any more, so that it is its class's turn.
        moved = (standing.c.item_id == item_id) & (standing.c.outcome == Disposition.QUARANTINE.value)
        connection.execute(standing.delete().where(moved))
    if item_ids:
        _facts_changed(connection)


def _place(connection: Connection, of: Disposal, ref: ItemRef, version: bytes) -> None:
    """The item is live at that place, at that version; whatever else had the name there is gone by now."""
    share = connection.exec_driver_sql(
        "SELECT f.share_id FROM item i JOIN folder f ON f.id = i.folder_id WHERE i.id = ?", (of.item_id,)
    ).scalar_one()
    folder_id = ensure_folder(connection, int(share), ref.folder)
    connection.exec_driver_sql(
        "DELETE FROM finding WHERE item_id IN "
        "(SELECT id FROM item WHERE folder_id = ? AND name = ? AND state < 3 AND id <> ?)",
        (folder_id, ref.name, of.item_id),
    )
    connection.exec_driver_sql(
        "UPDATE item SET state = ?, findings = '', finding_total = 0, content_hash = NULL, verdict = '' "
        "WHERE folder_id = ? AND name = ? AND state < 3 AND id <> ?",
        (SUPERSEDED, folder_id, ref.name, of.item_id),
    )
    there = {"state": LIVE, "gone_at": None, "folder_id": folder_id, "name": ref.name, "version": version}
    connection.execute(item.update().where(item.c.id == of.item_id).values(there))
    forget_places(connection, [(folder_id, ref.name)])
    _facts_changed(connection)


def _gone(connection: Connection, of: Disposal, at: datetime) -> None:
    """The item lies neither in its place nor with us. Its source tells where, should it come to light again."""
    folder_id, name = connection.exec_driver_sql("SELECT folder_id, name FROM item WHERE id = ?", (of.item_id,)).one()
    others = connection.exec_driver_sql(
        "SELECT 1 FROM item WHERE folder_id = ? AND name = ? AND state < 3 AND id <> ?", (folder_id, name, of.item_id)
    ).first()
    gone = {"state": MISSING if others is None else SUPERSEDED, "gone_at": microseconds(at)}
    connection.execute(item.update().where(item.c.id == of.item_id).values(gone))
    forget_places(connection, [(folder_id, name)])
    _facts_changed(connection)


def _facts_changed(connection: Connection) -> None:
    connection.execute(change_count.update().values(changes=change_count.c.changes + 1))
