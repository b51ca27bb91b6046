"""An installation in which everything that can be told is there to be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from agent.model.service import Job, JobName, JobResult, JobRun, Role, Service, ShareCondition, ShareState
from agent.observing.base import (
    AuditFacts,
    Facts,
    GateFacts,
    JobFacts,
    ReviewCounts,
    ShareFacts,
    TenantFacts,
    VaultFacts,
)

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_run(result: JobResult | None = JobResult.DONE, *, began_at: datetime = NOW - HOUR, said: str = "") -> JobRun:
    ended_at = None if result is None else began_at + timedelta(minutes=5)
    return JobRun(1, JobName.RECONCILE, "office", began_at, ended_at, result, said, "")


def a_job(
    name: JobName = JobName.RECONCILE,
    share: str = "",
    *,
    last: JobRun | None = None,
    due_at: datetime = NOW + HOUR,
    succeeded_at: datetime | None = NOW - HOUR,
    failures: int = 0,
    paused_at: datetime | None = None,
) -> JobFacts:
    job = Job(name, share, "0 2 * * *", due_at, paused_at=paused_at, last=last)
    return JobFacts(job, succeeded_at, failures)


def a_share(name: str = "office", state: ShareState = ShareState.WATCHED, since: datetime = NOW - HOUR) -> ShareFacts:
    return ShareFacts(
        name,
        seen=1_200,
        scanned=1_150,
        skipped={"symbolic_link": 30},
        failed={"permission_denied": 15, "io_error": 5},
        scanned_at=NOW - HOUR,
        complete=True,
        reconciles=True,
        condition=ShareCondition(name, state, "", since),
    )


def a_tenant(expires_at: datetime = NOW + 365 * 24 * HOUR) -> TenantFacts:
    gates = {"sharepoint": GateFacts(1_500, 0.0), "exchange": GateFacts(20, 42.5)}
    return TenantFacts("contoso", gates, {"reader": expires_at})


def sound() -> Facts:
    """Nothing is wrong here."""
    return Facts(
        NOW,
        shares=(a_share(),),
        jobs=(a_job(share="office", last=a_run()), a_job(JobName.CHECKPOINT, last=a_run())),
        services=(Service(Role.SCAN, 17, NOW - 9 * HOUR, NOW - timedelta(seconds=20), "idle"),),
        due={"case-file": 40, "": 2},
        holds=3,
        reviews=ReviewCounts(42, 0),
        vault=VaultFacts(10, 123_456, 7, NOW - HOUR, True),
        audit=AuditFacts(100, 100, NOW - HOUR, anchoring=True, anchored_at=NOW - HOUR),
    )


def full() -> Facts:
    """As `sound`, with every metric there is."""
    facts = sound()
    share = replace(facts.shares[0], dirty_folders=4, dirty_since=NOW - 2 * HOUR, throttled=3, throttled_seconds=1.5)
    return replace(facts, shares=(share,), errors={"CatalogueError": 2}, undelivered=1, tenants=(a_tenant(),))
