"""Runs jobs and writes down how they went."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from agent.catalogue.store import Catalogue
from agent.errors import AgentError, CatalogueError
from agent.model.service import Job, JobName, JobResult, JobRun
from agent.usecases.timetable import Timetable, retry_at

log = structlog.get_logger("retentiond.service")

_RUNS_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job went: a result, and a sentence without names of files or values."""

    result: JobResult
    said: str


Run = Callable[[Job], Outcome]


class Jobs:
    """The jobs of one role."""

    def __init__(self, catalogue: Catalogue, runs: Mapping[JobName, Run], now: Callable[[], datetime]) -> None:
        self._catalogue = catalogue
        self._runs = runs
        self._now = now
        self._left_open = False
        self.running: Job | None = None

    def reclaim(self) -> None:
        """Runs that a process left open when it was killed are lost, and due again at once."""
        for run in self._catalogue.jobs.reclaim(self._runs.keys(), self._now()):
            log.warning("job.lost", job=run.job.value, share=run.share)

    def run_one(self, timetable: Timetable) -> bool:
        """Runs the job that is to begin now, if one is, and tells whether one was."""
        if self._left_open:
            self.reclaim()
            self._left_open = False
        now = self._now()
        jobs = [job for job in self._catalogue.jobs.all() if job.name in self._runs]
        for one in jobs:
            if one.due_at > (regular := timetable.next_due(one, now)):  # the clock was set back since it was written
                self._catalogue.jobs.hasten(one.name, one.share, regular)
        job = timetable.ripe(jobs, self._runs.keys(), now)
        if job is None:
            return False
        run = self._catalogue.jobs.begin(job, now, timetable.next_due(job, now))
        self.running = job
        self._left_open = True
        log.info("job.began", job=job.name.value, share=job.share, asked_by=job.asked_by)
        try:
            outcome = self._outcome(job)
        finally:
            self.running = None
        self._end(run, outcome)
        return True

    def _outcome(self, job: Job) -> Outcome:
        try:
            return self._runs[job.name](job)
        except CatalogueError:
            raise  # then nothing can be written down either; the run is found open when the catalogue is back
        except AgentError as error:
            return Outcome(JobResult.FAILED, str(error).partition("\n")[0])

    def _end(self, run: JobRun, outcome: Outcome) -> None:
        now = self._now()
        again = None
        if outcome.result is JobResult.STOPPED:
            again = now
        elif outcome.result is JobResult.FAILED:
            before = self._catalogue.jobs.runs(_RUNS_LOOKED_AT, run.job, run.share)[1:]
            this = JobRun(run.number, run.job, run.share, run.began_at, now, outcome.result, outcome.said, run.asked_by)
            again = retry_at([this, *before], now)
        self._catalogue.jobs.end(run, now, outcome.result, outcome.said, again)
        self._left_open = False
        seconds = round((now - run.began_at).total_seconds(), 3)
        tell = log.error if outcome.result is JobResult.FAILED else log.info
        tell(
            "job.ended",
            job=run.job.value,
            share=run.share,
            result=outcome.result.value,
            what=outcome.said,
            seconds=seconds,
        )
