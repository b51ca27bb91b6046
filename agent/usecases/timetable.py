"""Which jobs the settings ask for, and which of them is to begin now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from agent.catalogue.jobs import Wanted
from agent.model.service import Job, JobName, JobResult, JobRun
from agent.settings import Settings, ShareSettings, TenantSettings
from agent.timetable.cron import next_time
from agent.timetable.window import ALWAYS, Window

_FIRST_RETRY = timedelta(minutes=5)
_LONGEST_RETRY = timedelta(hours=1)

# What each role does. Mail needs the network, which the role that changes shares does not have.
SCANNING = frozenset({JobName.RECONCILE, JobName.EVALUATE, JobName.CHECKPOINT, JobName.REMINDERS})
DISPOSING = frozenset({JobName.DISPOSITION, JobName.VAULT_SAMPLE, JobName.ERASURE, JobName.BACKUP})


@dataclass(frozen=True, slots=True)
class Timetable:
    """The jobs that the settings ask for, on the clock of `zone`."""

    settings: Settings
    zone: tzinfo

    def wanted(
        self, names: Collection[JobName], now: datetime, never_scanned: Collection[str] = ()
    ) -> Iterator[Wanted]:
        """Every job of these names that there is to be. A share that was never scanned is due now."""
        return (one for one in self._wanted(now, never_scanned) if one.name in names)

    def _wanted(self, now: datetime, never_scanned: Collection[str]) -> Iterator[Wanted]:
        jobs = self.settings.service.jobs
        for share in self._places:
            cron = share.reconcile or jobs.reconcile
            if cron is not None:
                first = now if share.name in never_scanned else self._next(JobName.RECONCILE, share.name, cron, now)
                yield Wanted(JobName.RECONCILE, share.name, cron, first)
        for name in JobName:
            cron = getattr(jobs, name.name.lower())
            if name is not JobName.RECONCILE and cron is not None and self._has_something_to_do(name):
                yield Wanted(name, "", cron, self._next(name, "", cron, now))

    def _has_something_to_do(self, name: JobName) -> bool:
        service = self.settings.service
        needed = {JobName.REMINDERS: service.mail, JobName.BACKUP: service.backup}
        return name not in needed or needed[name] is not None

    def next_due(self, job: Job, now: datetime) -> datetime:
        """When the job is due after now, however often it should have run before."""
        return self._next(job.name, job.share, job.cron, now)

    def _next(self, name: JobName, share: str, cron: str, now: datetime) -> datetime:
        jitter = timedelta(minutes=self.settings.service.jitter_minutes)
        return next_time(cron, self.zone, now, jitter, f"{name}\0{share}")

    def hours(self, share: str) -> Window:
        """When the share, or the tenant, may be scanned."""
        return next((one.hours for one in self._places if one.name == share), ALWAYS)

    @property
    def _places(self) -> tuple[ShareSettings | TenantSettings, ...]:
        """What is gone through by a job of its own: shares, and tenants as a whole."""
        return (*self.settings.shares, *self.settings.tenants)

    def may_run(self, job: Job, now: datetime) -> bool:
        """Whether the job may begin or go on now: somebody asked for it, or it is not paused and its hours are open."""
        if job.asked_at is not None:
            return True
        return job.paused_at is None and self.hours(job.share).is_open(now.astimezone(self.zone))

    def ripe(self, jobs: Iterable[Job], names: Collection[JobName], now: datetime) -> Job | None:
        """The job of these names to begin now: what people asked for first, then what has been due for longest."""
        due = [
            job for job in jobs if job.name in names and (job.asked_at or job.due_at <= now) and self.may_run(job, now)
        ]
        return min(due, key=lambda job: (job.asked_at is None, job.asked_at or job.due_at), default=None)


def retry_at(runs: Iterable[JobRun], now: datetime) -> datetime:
    """When a job that has failed is tried again, from its last runs, newest first: later each time in a row."""
    failures = 0
    for run in runs:
        if run.result is not JobResult.FAILED:
            break
        failures += 1
    doublings = min(max(failures - 1, 0), 10)
    return now + min(_FIRST_RETRY * int(2**doublings), _LONGEST_RETRY)
