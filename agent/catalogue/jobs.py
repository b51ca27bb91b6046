"""Jobs as the catalogue keeps them: what is to be done when, and how it went. The only truth about both."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from agent.catalogue.database import Database
from agent.catalogue.reading import moment
from agent.catalogue.recording import microseconds
from agent.catalogue.service_tables import job, job_run
from agent.errors import UsageError
from agent.model.service import Job, JobName, JobResult, JobRun

_KEPT_RUNS = 200  # of each job; older ones are forgotten


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job that the settings ask for, and when it is due if it is new or has another cron expression than before."""

    name: JobName
    share: str
    cron: str
    due_at: datetime


class JobRecords:
    """The jobs of one catalogue. Every call may raise `CatalogueError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Looking

    def all(self) -> tuple[Job, ...]:
        """Every job with its last run, by name and share."""
        newest = select(func.max(job_run.c.id)).where(job_run.c.job_id == job.c.id).correlate(job).scalar_subquery()
        statement = (
            select(job, *(column.label(f"run_{column.name}") for column in job_run.c))
            .outerjoin(job_run, job_run.c.id == newest)
            .order_by(job.c.name, job.c.share)
        )
        with self._database.faults():
            return tuple(_job(row) for row in self._database.connection.execute(statement))

    def runs(self, at_most: int, name: JobName | None = None, share: str | None = None) -> tuple[JobRun, ...]:
        """The last runs, newest first, of all jobs or of one."""
        statement = select(job_run, job.c.name, job.c.share).join(job, job.c.id == job_run.c.job_id)
        if name is not None:
            statement = statement.where(job.c.name == name.value)
        if share is not None:
            statement = statement.where(job.c.share == share)
        with self._database.faults():
            rows = self._database.connection.execute(statement.order_by(job_run.c.id.desc()).limit(at_most)).all()
        return tuple(
            _run(row.id, JobName(row.name), row.share, row.began_at, row.ended_at, row.result, row.said, row.asked_by)
            for row in rows
        )

    # What the settings say

    def want(self, names: Collection[JobName], wanted: Iterable[Wanted]) -> None:
        """Makes the jobs of these names these. One that is there keeps when it is due, unless its cron expression is
        another one now; one that is no longer wanted goes, with its runs."""
        of_these = job.c.name.in_([name.value for name in names])
        with self._database.transaction() as connection:
            there = {(row.name, row.share): row for row in connection.execute(select(job).where(of_these))}
            for one in wanted:
                row = there.pop((one.name.value, one.share), None)
                if row is None:
                    values = {"name": one.name.value, "share": one.share, "cron": one.cron}
                    connection.execute(job.insert().values(due_at=microseconds(one.due_at), **values))
                elif row.cron != one.cron:
                    changed = {"cron": one.cron, "due_at": microseconds(one.due_at)}
                    connection.execute(job.update().where(job.c.id == row.id).values(changed))
            for row in there.values():
                connection.execute(job_run.delete().where(job_run.c.job_id == row.id))
                connection.execute(job.delete().where(job.c.id == row.id))

    # What people say

    def ask(self, name: JobName, share: str, at: datetime, by: str) -> None:
        """The job is to begin at once. Raises `UsageError` if there is none, or somebody has paused it."""
        with self._database.transaction() as connection:
            row = self._row(connection, name, share)
            if row.paused_at is not None:
                raise UsageError(f"{_job(row).title} is paused by {row.paused_by}. Resume it first.")
            values = {"asked_at": microseconds(at), "asked_by": by}
            connection.execute(job.update().where(job.c.id == row.id).values(values))

    def pause(self, name: JobName, share: str, at: datetime, by: str) -> None:
        """The job does not begin until it is resumed. One that runs comes to its end."""
        with self._database.transaction() as connection:
            values = {"paused_at": microseconds(at), "paused_by": by, "asked_at": None, "asked_by": ""}
            connection.execute(job.update().where(job.c.id == self._row(connection, name, share).id).values(values))

    def resume(self, name: JobName, share: str) -> None:
        """The job begins again when it is due."""
        with self._database.transaction() as connection:
            values = {"paused_at": None, "paused_by": ""}
            connection.execute(job.update().where(job.c.id == self._row(connection, name, share).id).values(values))

    # What the service does

    def hasten(self, name: JobName, share: str, at: datetime) -> None:
        """The job is due at that moment at the latest. Nothing happens if there is no such job."""
        which = (job.c.name == name.value) & (job.c.share == share) & (job.c.due_at > microseconds(at))
        with self._database.transaction() as connection:
            connection.execute(job.update().where(which).values(due_at=microseconds(at)))

    def begin(self, one: Job, at: datetime, next_due: datetime) -> JobRun:
        """A run of the job begins; it is due again at `next_due`, however often it should have run before."""
        with self._database.transaction() as connection:
            row = self._row(connection, one.name, one.share)
            values = {"job_id": row.id, "began_at": microseconds(at), "asked_by": one.asked_by}
            made = connection.execute(job_run.insert().values(values))
            again = {"due_at": microseconds(next_due), "asked_at": None, "asked_by": ""}
            connection.execute(job.update().where(job.c.id == row.id).values(again))
            number = int(made.inserted_primary_key[0])  # type: ignore[index]
            old = select(job_run.c.id).where(job_run.c.job_id == row.id).order_by(job_run.c.id.desc())
            connection.execute(
                job_run.delete().where((job_run.c.job_id == row.id) & job_run.c.id.not_in(old.limit(_KEPT_RUNS)))
            )
        return JobRun(number, one.name, one.share, at, None, None, "", one.asked_by)

    def end(self, run: JobRun, at: datetime, result: JobResult, said: str, due_at: datetime | None = None) -> None:
        """The run has ended so. With `due_at`, the job is due again then at the latest."""
        with self._database.transaction() as connection:
            ended = {"ended_at": microseconds(at), "result": result.value, "said": said}
            connection.execute(job_run.update().where(job_run.c.id == run.number).values(ended))
        if due_at is not None:
            self.hasten(run.job, run.share, due_at)

    def reclaim(self, names: Collection[JobName], at: datetime) -> tuple[JobRun, ...]:
        """Runs of these jobs that a process now gone has left open: they are lost, and their jobs due at once."""
        statement = (
            select(job_run, job.c.name, job.c.share)
            .join(job, job.c.id == job_run.c.job_id)
            .where(job_run.c.result == "", job.c.name.in_([name.value for name in names]))
        )
        with self._database.transaction() as connection:
            rows = connection.execute(statement).all()
            lost = {"ended_at": microseconds(at), "result": JobResult.LOST.value}
            for row in rows:
                connection.execute(job_run.update().where(job_run.c.id == row.id).values(lost))
                connection.execute(job.update().where(job.c.id == row.job_id).values(due_at=microseconds(at)))
        return tuple(
            _run(row.id, JobName(row.name), row.share, row.began_at, row.ended_at, "lost", row.said, row.asked_by)
            for row in rows
        )

    def _row(self, connection: Connection, name: JobName, share: str) -> Any:
        row = connection.execute(select(job).where(job.c.name == name.value, job.c.share == share)).first()
        if row is None:
            about = f" for a share {share!r}" if share else ""
            raise UsageError(f"There is no job {name.value}{about}. See them:  retentiond jobs list")
        return row


def _run(
    number: int, name: JobName, share: str, began: int, ended: int | None, result: str, said: str, asked_by: str
) -> JobRun:
    over = None if ended is None else moment(ended)
    return JobRun(number, name, share, moment(began), over, JobResult(result) if result else None, said, asked_by)


def _job(row: Any) -> Job:
    facts = row._mapping
    last = None
    if facts.get("run_id") is not None:
        run = (facts[f"run_{name}"] for name in ("began_at", "ended_at", "result", "said", "asked_by"))
        last = _run(facts["run_id"], JobName(row.name), row.share, *run)
    return Job(
        JobName(row.name),
        row.share,
        row.cron,
        moment(row.due_at),
        None if row.asked_at is None else moment(row.asked_at),
        row.asked_by,
        None if row.paused_at is None else moment(row.paused_at),
        row.paused_by,
        last,
    )
