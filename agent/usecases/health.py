"""How well an installation is: a pure rule over what is observed of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.model.service import JobName, ShareState
from agent.observing.base import Facts, Health, HealthState, JobFacts, Problem, ShareFacts, TenantFacts

_OK, _WARNING, _CRITICAL, _UNKNOWN = HealthState


@dataclass(frozen=True, slots=True)
class Patience:
    """How long something may be so before it is a problem, and then before it is a grave one."""

    silent: timedelta = timedelta(minutes=3)
    away: timedelta = timedelta(hours=1)
    late: timedelta = timedelta(hours=1)
    very_late: timedelta = timedelta(hours=24)
    unseen: timedelta = timedelta(hours=24)
    unanchored: timedelta = timedelta(days=2)
    long_unanchored: timedelta = timedelta(days=7)
    expiring: timedelta = timedelta(days=30)
    nearly_expired: timedelta = timedelta(days=7)
    failures: int = 3


PATIENCE = Patience()


def health(facts: Facts, now: datetime, patience: Patience = PATIENCE) -> Health:
    """The state, and what is wrong, worst first. UNKNOWN is for an installation that has seen no share yet."""
    found = [
        *_services(facts, now, patience),
        *(problem for share in facts.shares for problem in _share(share, facts, now, patience)),
        *(problem for tenant in facts.tenants for problem in _tenant(tenant, now, patience)),
        *(problem for job in facts.jobs for problem in _job(job, facts, now, patience)),
        *_vault(facts),
        *_audit(facts, now, patience),
        *_people(facts),
    ]
    if not facts.shares and not found:
        said = "No share was scanned yet. Begin with:  retentiond scan"
        return Health(_UNKNOWN, (Problem(_UNKNOWN, "nothing_scanned", "", said),))
    found.sort(key=lambda problem: (-problem.state, problem.code, problem.subject))
    return Health(max((problem.state for problem in found), default=_OK), tuple(found))


def _services(facts: Facts, now: datetime, patience: Patience) -> Iterator[Problem]:
    for service in facts.services:
        silent = now - service.beat_at
        if silent > patience.silent:
            said = f"The service in the role {service.role} has not said for {say_span(silent)} that it lives."
            yield Problem(_CRITICAL, "service_silent", service.role.value, said)
    if facts.jobs and not facts.services:
        yield Problem(_CRITICAL, "service_stopped", "", "There are jobs to do, but no service runs.")


def _share(share: ShareFacts, facts: Facts, now: datetime, patience: Patience) -> Iterator[Problem]:
    is_tenant = share.places or share.name in (tenant.name for tenant in facts.tenants)
    condition = share.condition
    if condition is not None and condition.state is ShareState.UNAVAILABLE:
        away = now - condition.since
        state = _CRITICAL if away > patience.away else _WARNING
        word = "tenant" if is_tenant else "share"
        said = f"The {word} {share.name} has not been reachable for {say_span(away)}."
        yield Problem(state, "share_unavailable", share.name, said)
    if share.accounted is False:
        said = f"The last scan of {share.name} does not account for everything that it saw."
        yield Problem(_CRITICAL, "not_reconciled", share.name, said)
    if share.dirty_since is not None and now - share.dirty_since > patience.unseen:
        waited = say_span(now - share.dirty_since)
        said = f"What has changed in {share.name} has been waiting for {waited} to be looked at."
        yield Problem(_WARNING, "scan_late", share.name, said)


def _tenant(tenant: TenantFacts, now: datetime, patience: Patience) -> Iterator[Problem]:
    for app, expires_at in tenant.certificates.items():
        left = expires_at - now
        if left <= patience.expiring:
            state = _CRITICAL if left <= patience.nearly_expired else _WARNING
            when = f"expires in {say_span(left)}" if left > timedelta() else "has expired"
            said = f"The certificate with which the {app} of {tenant.name} signs in {when}."
            yield Problem(state, "certificate_expires", f"{app} of {tenant.name}", said)


def _job(one: JobFacts, facts: Facts, now: datetime, patience: Patience) -> Iterator[Problem]:
    if one.failed:
        state = _CRITICAL if one.failures >= patience.failures else _WARNING
        times = "once" if one.failures <= 1 else f"{one.failures} times in a row"
        yield Problem(state, "job_failed", one.job.title, f"The job {one.job.title} has failed {times}.")
    late = now - one.job.due_at
    waits = one.job.paused_at is None and not one.job.running and bool(facts.services)
    if waits and late > patience.late:
        state = _CRITICAL if late > patience.very_late else _WARNING
        said = f"The job {one.job.title} should have begun {say_span(late)} ago."
        yield Problem(state, "job_late", one.job.title, said)


def _vault(facts: Facts) -> Iterator[Problem]:
    if facts.vault.sample_good is False:
        said = "Not all objects of the last sample from the vault could be read. See:  retentiond vault verify"
        yield Problem(_CRITICAL, "vault_sample_failed", "", said)


def _audit(facts: Facts, now: datetime, patience: Patience) -> Iterator[Problem]:
    publishing = [one for one in facts.jobs if one.job.name is JobName.CHECKPOINT and one.job.last is not None]
    if not publishing or not facts.audit.anchoring or not facts.audit.entries:
        return
    since = facts.audit.anchored_at
    if since is None:
        said = (
            "No checkpoint of the audit log was ever published, so that nobody outside could tell if it is rewritten."
        )
        yield Problem(_WARNING, "audit_not_anchored", "", said)
    elif now - since > patience.unanchored:
        state = _CRITICAL if now - since > patience.long_unanchored else _WARNING
        said = f"No checkpoint of the audit log was published for {say_span(now - since)}."
        yield Problem(state, "audit_not_anchored", "", said)


def _people(facts: Facts) -> Iterator[Problem]:
    if facts.reviews is not None and facts.reviews.overdue:
        said = f"{facts.reviews.overdue:,} of {facts.reviews.waiting:,} reviews have been waiting for too long."
        yield Problem(_WARNING, "reviews_overdue", "", f"{said} See:  retentiond review list --overdue")
    if facts.undelivered:
        said = f"The last mail did not get through to {facts.undelivered:,} of the addresses in the settings."
        yield Problem(_WARNING, "mail_undelivered", "", said)


def say_span(span: timedelta) -> str:
    """`3 minutes`, `5 hours`, `12 days`: rounded down, in the unit that people would use."""
    seconds = max(0, int(span.total_seconds()))
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * size or (seconds >= size and unit != "day"):
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
