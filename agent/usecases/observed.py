"""What there is to see of an installation at one moment, gathered from its catalogue without changing anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import Connection

from agent.catalogue.base import Share
from agent.catalogue.store import Catalogue
from agent.catalogue.tallies import audit_log, destroyed, due_by_class, in_vault
from agent.model.service import Job, JobName, JobResult, JobRun
from agent.observing.base import (
    NOT_DONE,
    SUCCEEDED,
    AuditFacts,
    Facts,
    JobFacts,
    ReviewCounts,
    ShareFacts,
    TenantFacts,
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
    tenants: Iterable[TenantFacts] = (),
) -> Facts:
    """The facts at this moment (UTC) and day. How items stand is told as it was last decided.

    The drives and mailboxes of a tenant are told as one share by its name: their own names may be those of people, and
    there may be thousands.

    What only the process itself knows is handed in: how often and for how many seconds each share's (or tenant's)
    source asked to wait, its unforeseen errors by kind, and how it stands with the tenants. So are reviews, which cost
    more to count than the rest, and all addresses to which mail is sent. `anchoring` says whether checkpoints of the
    audit log are published. Raises `CatalogueError`.
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
    told: dict[str, list[ShareFacts]] = {}
    for share in catalogue.shares():
        told.setdefault(share.tenant or share.name, []).append(_share(catalogue, share))
    shares = [
        replace(
            facts[0] if facts[0].places == 0 else _together(name, facts),
            condition=conditions.get(name),
            throttled=(throttled or {}).get(name, (0, 0.0))[0],
            throttled_seconds=(throttled or {}).get(name, (0, 0.0))[1],
        )
        for name, facts in told.items()
    ]
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
        tuple(tenants),
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


def _share(catalogue: Catalogue, share: Share) -> ShareFacts:
    """What its last pass tells. A drive or mailbox has no dirty folders: its source is asked what changed."""
    places = 1 if share.tenant else 0
    folders, since = (0, None) if places else catalogue.dirty.waiting(share)
    last = catalogue.last_pass(share)
    if last is None:
        return ShareFacts(share.name, dirty_folders=folders, dirty_since=since, places=places)
    return ShareFacts(
        share.name,
        last.seen,
        last.scanned,
        last.skipped,
        last.failed,
        last.ended_at,
        last.complete,
        last.reconciles,
        dirty_folders=folders,
        dirty_since=since,
        places=places,
    )


def _together(tenant: str, places: Sequence[ShareFacts]) -> ShareFacts:
    """All drives and mailboxes of a tenant as one share."""
    skipped, failed = Counter[str](), Counter[str]()
    for place in places:
        skipped.update(place.skipped)
        failed.update(place.failed)
    ended = [place.scanned_at for place in places if place.scanned_at is not None]
    return ShareFacts(
        tenant,
        sum(place.seen for place in places),
        sum(place.scanned for place in places),
        skipped,
        failed,
        min(ended) if len(ended) == len(places) else None,
        complete=all(place.complete for place in places),
        reconciles=all(place.reconciles for place in places if place.complete),
        places=len(places),
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
