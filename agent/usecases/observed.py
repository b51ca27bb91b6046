"""What there is to see of an installation at one moment, gathered from its catalogue without changing anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from sqlalchemy import Connection

from agent.catalogue.base import Share
from agent.catalogue.store import Catalogue
from agent.catalogue.tallies import audit_log, destroyed, due_by_class, in_vault
from agent.model.service import Job, JobName, JobResult, JobRun, ShareCondition
from agent.observing.base import (
    NOT_DONE,
    SUCCEEDED,
    AuditFacts,
    Facts,
    JobFacts,
    ReviewCounts,
    ShareFacts,
    VaultFacts,
)
from agent.usecases.notices import undelivered
from agent.usecases.review_standing import ReviewStandings

_RUNS = 200
_ASSAYED = frozenset({JobResult.DONE, JobResult.PARTIAL, JobResult.FAILED})  # the sample was read, or was to be


def observed(
    catalogue: Catalogue,
    at: datetime,
    today: date,
    *,
    reviews: ReviewCounts | None = None,
    anchoring: bool = False,
    recipients: Iterable[str] = (),
    throttled: Mapping[str, tuple[int, float]] | None = None,
    errors: Mapping[str, int] | None = None,
) -> Facts:
    """The facts at this moment (UTC) and day. How items stand is told as it was last decided.

    What only the process itself knows is handed in: how often and for how many seconds each share's source asked to
    wait, and its unforeseen errors by kind. So are reviews, which cost more to count than the rest, and all addresses
    to which mail is sent. `anchoring` says whether checkpoints of the audit log are published. Raises `CatalogueError`.
    """
    conditions = {one.share: one for one in catalogue.services.conditions()}
    jobs = tuple(_job(catalogue, job) for job in catalogue.jobs.all())
    with catalogue.connected() as connection:
        due = due_by_class(connection, today)
        count, size = in_vault(connection)
        gone = destroyed(connection)
        audit = _audit(connection, jobs, anchoring=anchoring)
    sample = _sample(catalogue, jobs)
    sampled_at, good = (None, None) if sample is None else (sample.ended_at, sample.result is JobResult.DONE)
    shares = [_share(catalogue, share, conditions, throttled or {}) for share in catalogue.shares()]
    known = {share.name for share in shares}
    shares += [ShareFacts(name, condition=one) for name, one in conditions.items() if name not in known]
    return Facts(
        at,
        tuple(shares),
        jobs,
        catalogue.services.all(),
        due,
        len(catalogue.holds.in_force(today)),
        catalogue.pauses.in_force() is not None,
        reviews,
        VaultFacts(count, size, gone, sampled_at, good),
        audit,
        errors or {},
        len(undelivered(catalogue.notices, recipients)),
    )


def review_counts(standings: ReviewStandings, overdue_after_days: int) -> ReviewCounts:
    """What waits for people, walked through in bounded memory. Classes that are only observed are left out, since
    nobody can approve anything of them yet."""
    waiting = overdue = 0
    for one in standings.due():
        if one.open and not standings.observed(one.item.class_id or ""):
            waiting += 1
            overdue += standings.overdue(one, overdue_after_days)
    return ReviewCounts(waiting, overdue)


def _share(
    catalogue: Catalogue,
    share: Share,
    conditions: Mapping[str, ShareCondition],
    throttled: Mapping[str, tuple[int, float]],
) -> ShareFacts:
    folders, since = catalogue.dirty.waiting(share)
    waits, seconds = throttled.get(share.name, (0, 0.0))
    condition = conditions.get(share.name)
    last = catalogue.last_pass(share)
    if last is None:
        return ShareFacts(
            share.name,
            condition=condition,
            dirty_folders=folders,
            dirty_since=since,
            throttled=waits,
            throttled_seconds=seconds,
        )
    return ShareFacts(
        share.name,
        last.seen,
        last.scanned,
        last.skipped,
        last.failed,
        last.ended_at,
        last.complete,
        last.reconciles,
        condition,
        folders,
        since,
        waits,
        seconds,
    )


def _job(catalogue: Catalogue, job: Job) -> JobFacts:
    if job.last is not None and job.last.result in SUCCEEDED:
        return JobFacts(job, job.last.ended_at)
    failures = 0
    for run in catalogue.jobs.runs(_RUNS, job.name, job.share):
        if run.result in SUCCEEDED:
            return JobFacts(job, run.ended_at, failures)
        failures += run.result in NOT_DONE
    return JobFacts(job, None, failures)


def _sample(catalogue: Catalogue, jobs: Iterable[JobFacts]) -> JobRun | None:
    if not any(one.job.name is JobName.VAULT_SAMPLE for one in jobs):
        return None
    runs = catalogue.jobs.runs(_RUNS, JobName.VAULT_SAMPLE)
    return next((run for run in runs if run.result in _ASSAYED), None)


def _audit(connection: Connection, jobs: Iterable[JobFacts], *, anchoring: bool) -> AuditFacts:
    published = (one.succeeded_at for one in jobs if one.job.name is JobName.CHECKPOINT and one.succeeded_at)
    return AuditFacts(*audit_log(connection), anchoring, max(published, default=None) if anchoring else None)
