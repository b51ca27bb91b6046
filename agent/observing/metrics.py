"""The facts as metrics in Prometheus' words. Nothing is kept: every scrape asks for fresh facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from agent.errors import AgentError
from agent.model.service import ShareState
from agent.observing.base import Facts, JobFacts, ShareFacts, TenantFacts

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SHARE = ("share",)
_GATE, _APP = ("tenant", "workload"), ("tenant", "app")
_JOB = ("job_name", "share")  # a label "job" is that of the scrape, by which ours would be renamed

# Every metric of ours: what it says, and by what it is told apart. Counters end in `_total`.
METRICS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "retentiond_catalogue_readable": ("Whether the facts could be read (1) or not (0)", ()),
    "retentiond_items_seen": ("Items that the last pass over the share saw", _SHARE),
    "retentiond_items_scanned": ("Items that were read and searched", _SHARE),
    "retentiond_items_skipped": ("Items left out on purpose", ("share", "reason")),
    "retentiond_items_failed": ("Items that could not be read", ("share", "reason")),
    "retentiond_scan_complete": ("Whether the last pass came to its end", _SHARE),
    "retentiond_scan_reconciles": ("Whether the last pass has accounted for everything it saw", _SHARE),
    "retentiond_scan_ended_timestamp_seconds": ("When the last pass ended", _SHARE),
    "retentiond_dirty_folders": ("Folders in which something has happened that was not looked at yet", _SHARE),
    "retentiond_scan_lag_seconds": ("For how long the oldest dirty folder has been waiting; 0 without one", _SHARE),
    "retentiond_share_state": ("1 for the state that the share is in, 0 for the others", ("share", "state")),
    "retentiond_throttle_waits_total": ("How often the share's source asked to wait", _SHARE),
    "retentiond_throttle_wait_seconds_total": ("For how long the share's source asked to wait", _SHARE),
    "retentiond_tenant_units_used_today": ("Resource units that were used on this day (UTC)", _GATE),
    "retentiond_tenant_gate_closed_seconds": ("For how long nothing may be asked of the tenant; 0 if it may", _GATE),
    "retentiond_tenant_certificate_expires_timestamp_seconds": ("When the app's certificate expires", _APP),
    "retentiond_items_due": ("Items that are due", ("class",)),
    "retentiond_reviews_waiting": ("Items whose review waits for a person", ()),
    "retentiond_reviews_overdue": ("Items whose review has been waiting for too long", ()),
    "retentiond_holds": ("Holds in force", ()),
    "retentiond_disposals_paused": ("Whether all disposals are paused", ()),
    "retentiond_vault_items": ("Items in quarantine", ()),
    "retentiond_vault_bytes": ("Size of the items in quarantine, as they were on their shares", ()),
    "retentiond_items_destroyed_total": ("Items destroyed in all", ()),
    "retentiond_vault_sample_timestamp_seconds": ("When a sample was last read from the vault", ()),
    "retentiond_vault_sample_good": ("Whether all of the last sample could be read", ()),
    "retentiond_job_succeeded_timestamp_seconds": ("When the job last succeeded", _JOB),
    "retentiond_job_due_timestamp_seconds": ("When the job is due next", _JOB),
    "retentiond_job_duration_seconds": ("How long the job's last run took", _JOB),
    "retentiond_job_failures": ("Failed runs of the job since its last success", _JOB),
    "retentiond_job_paused": ("Whether somebody has paused the job", _JOB),
    "retentiond_service_beat_timestamp_seconds": ("When the service last said that it lives", ("role",)),
    "retentiond_errors_total": ("Unforeseen errors since the process began", ("kind",)),
    "retentiond_audit_entries": ("Entries of the audit log", ()),
    "retentiond_audit_entries_checkpointed": ("Entries that the newest checkpoint covers", ()),
    "retentiond_audit_checkpoint_timestamp_seconds": ("When the newest entry under a checkpoint was written", ()),
    "retentiond_audit_anchored_timestamp_seconds": ("When a checkpoint was last published", ()),
    "retentiond_mail_undelivered": ("Addresses to which the last mail did not get through", ()),
}


def registry_of(facts: Callable[[], Facts]) -> CollectorRegistry:
    """A registry of our metrics and those of this process. `facts` is called at every scrape, in the scraping thread.

    Where it raises an `AgentError`, only `retentiond_catalogue_readable` 0 and the process are told.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_FactsCollector(facts))
    return registry


class _FactsCollector:
    def __init__(self, facts: Callable[[], Facts]) -> None:
        self._facts = facts

    def describe(self) -> list[Metric]:
        """Called at registration, which must not ask for facts."""
        return [family for _, family in sorted(_families().items())]

    def collect(self) -> Iterator[Metric]:
        families = _families()

        def tell(name: str, value: float | datetime | None, *labels: str) -> None:
            if value is not None:
                families[name].add_metric(labels, value.timestamp() if isinstance(value, datetime) else float(value))

        try:
            facts = self._facts()
        except AgentError:
            tell("retentiond_catalogue_readable", 0)
        else:
            tell("retentiond_catalogue_readable", 1)
            _tell(facts, tell)
        return (family for family in families.values() if family.samples)


def _families() -> dict[str, Any]:
    return {
        name: (CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily)(name, said, labels=labels)
        for name, (said, labels) in METRICS.items()
    }


_Tell = Callable[..., None]


def _tell(facts: Facts, tell: _Tell) -> None:
    for share in facts.shares:
        _tell_share(share, facts.at, tell)
    for tenant in facts.tenants:
        _tell_tenant(tenant, tell)
    for job in facts.jobs:
        _tell_job(job, tell)
    for service in facts.services:
        tell("retentiond_service_beat_timestamp_seconds", service.beat_at, service.role.value)
    for class_id, count in facts.due.items():
        tell("retentiond_items_due", count, class_id)
    for kind, count in facts.errors.items():
        tell("retentiond_errors_total", count, kind)
    if facts.reviews is not None:
        tell("retentiond_reviews_waiting", facts.reviews.waiting)
        tell("retentiond_reviews_overdue", facts.reviews.overdue)
    tell("retentiond_holds", facts.holds)
    tell("retentiond_disposals_paused", facts.paused)
    vault, audit = facts.vault, facts.audit
    tell("retentiond_vault_items", vault.items)
    tell("retentiond_vault_bytes", vault.size_bytes)
    tell("retentiond_items_destroyed_total", vault.destroyed)
    tell("retentiond_vault_sample_timestamp_seconds", vault.sampled_at)
    tell("retentiond_vault_sample_good", vault.sample_good)
    tell("retentiond_audit_entries", audit.entries)
    tell("retentiond_audit_entries_checkpointed", audit.checkpointed)
    tell("retentiond_audit_checkpoint_timestamp_seconds", audit.checkpoint_at)
    tell("retentiond_audit_anchored_timestamp_seconds", audit.anchored_at)
    tell("retentiond_mail_undelivered", facts.undelivered)


def _tell_share(share: ShareFacts, at: datetime, tell: _Tell) -> None:
    tell("retentiond_items_seen", share.seen, share.name)
    tell("retentiond_items_scanned", share.scanned, share.name)
    for reason, count in share.skipped.items():
        tell("retentiond_items_skipped", count, share.name, reason)
    for reason, count in share.failed.items():
        tell("retentiond_items_failed", count, share.name, reason)
    tell("retentiond_scan_complete", share.complete, share.name)
    tell("retentiond_scan_reconciles", share.accounted, share.name)
    tell("retentiond_scan_ended_timestamp_seconds", share.scanned_at, share.name)
    tell("retentiond_dirty_folders", share.dirty_folders, share.name)
    lag = (at - share.dirty_since).total_seconds() if share.dirty_since else 0.0
    tell("retentiond_scan_lag_seconds", max(0.0, lag), share.name)
    if share.condition is not None:
        for state in ShareState:
            tell("retentiond_share_state", share.condition.state is state, share.name, state.value)
    tell("retentiond_throttle_waits_total", share.throttled, share.name)
    tell("retentiond_throttle_wait_seconds_total", share.throttled_seconds, share.name)


def _tell_tenant(tenant: TenantFacts, tell: _Tell) -> None:
    for workload, gate in tenant.gates.items():
        tell("retentiond_tenant_units_used_today", gate.used_today, tenant.name, workload)
        tell("retentiond_tenant_gate_closed_seconds", gate.closed_seconds, tenant.name, workload)
    for app, expires_at in tenant.certificates.items():
        tell("retentiond_tenant_certificate_expires_timestamp_seconds", expires_at, tenant.name, app)


def _tell_job(one: JobFacts, tell: _Tell) -> None:
    labels = (one.job.name.value, one.job.share)
    tell("retentiond_job_succeeded_timestamp_seconds", one.succeeded_at, *labels)
    tell("retentiond_job_due_timestamp_seconds", one.job.due_at, *labels)
    last = one.job.last
    if last is not None and last.ended_at is not None:
        tell("retentiond_job_duration_seconds", (last.ended_at - last.began_at).total_seconds(), *labels)
    tell("retentiond_job_failures", one.failures, *labels)
    tell("retentiond_job_paused", one.job.paused_at is not None, *labels)
