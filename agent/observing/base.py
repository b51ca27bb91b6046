"""The facts that are shown of a running installation, and the words for how well it is.

Nothing here names an item or holds a value of one: counts, classes, names of shares and jobs, moments.
All moments are aware and in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from agent.model.service import Job, JobResult, Service, ShareCondition

SUCCEEDED = frozenset({JobResult.DONE, JobResult.PARTIAL})
NOT_DONE = frozenset({JobResult.FAILED, JobResult.LOST})  # one that was stopped goes on later, so it is neither


@dataclass(frozen=True, slots=True)
class ShareFacts:
    """One share, or all drives and mailboxes of one tenant together: these have names of people, and there are many.

    Counts are items of its last pass, unless they say otherwise; `places` counts the drives and mailboxes of a tenant,
    of which `complete` is told if it holds for all, `reconciles` if it holds for all whose pass is complete, and
    `scanned_at` of the one that was scanned the longest ago.

    `scanned_at` is when the newest pass ended, none while that is under way, `complete` whether it came to its end, and
    `reconciles` whether everything is accounted for then. `condition` is none where no service looks after the share.
    `dirty_folders` wait to be looked at again, the oldest of them since `dirty_since`. `throttled` counts how often its
    source asked us to wait, `throttled_seconds` for how long in all, since the process began.
    """

    name: str
    seen: int = 0
    scanned: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)
    scanned_at: datetime | None = None
    complete: bool = False
    reconciles: bool = False
    condition: ShareCondition | None = None
    dirty_folders: int = 0
    dirty_since: datetime | None = None
    throttled: int = 0
    throttled_seconds: float = 0.0
    places: int = 0

    @property
    def accounted(self) -> bool | None:
        """Whether everything is accounted for that was scanned; none while that cannot be told."""
        return self.reconciles if self.complete or (self.places and not self.reconciles) else None


@dataclass(frozen=True, slots=True)
class GateFacts:
    """How we stand with one workload of a tenant: the resource units that were used on this day (UTC) by all processes
    of this machine, and for how many seconds nothing may be asked."""

    used_today: float = 0.0
    closed_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """One tenant of Microsoft 365: its gates by workload, and when its apps' certificates expire, by app (`reader`,
    `writer`), as far as this process may read them."""

    name: str
    gates: Mapping[str, GateFacts] = field(default_factory=dict)
    certificates: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobFacts:
    """A job of the service, when it last succeeded as far as is remembered, and how often it has failed since."""

    job: Job
    succeeded_at: datetime | None = None
    failures: int = 0

    @property
    def failed(self) -> bool:
        """Whether its last run is over and has not done what it was to do."""
        return self.job.last is not None and self.job.last.result in NOT_DONE


@dataclass(frozen=True, slots=True)
class VaultFacts:
    """What lies in quarantine, what was destroyed in all, and how the last sample read from the vault came out."""

    items: int = 0
    size_bytes: int = 0
    destroyed: int = 0
    sampled_at: datetime | None = None
    sample_good: bool | None = None


@dataclass(frozen=True, slots=True)
class AuditFacts:
    """The audit log: its entries, and how many of them the newest checkpoint covers, the last of them of
    `checkpoint_at`. `anchoring` says whether the service is to publish checkpoints, `anchored_at` when it last has."""

    entries: int = 0
    checkpointed: int = 0
    checkpoint_at: datetime | None = None
    anchoring: bool = False
    anchored_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReviewCounts:
    """Items whose review waits for a person, and those of them that have waited for too long."""

    waiting: int = 0
    overdue: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that metrics, health and status are made of, as it was `at` one moment.

    `due` counts items by retention class (empty for none). `reviews` is none where nobody has counted them. `errors`
    counts unforeseen errors by kind since the process began. `undelivered` counts the addresses to which the last mail
    did not get through.
    """

    at: datetime
    shares: tuple[ShareFacts, ...] = ()
    jobs: tuple[JobFacts, ...] = ()
    services: tuple[Service, ...] = ()
    due: Mapping[str, int] = field(default_factory=dict)
    holds: int = 0
    paused: bool = False
    reviews: ReviewCounts | None = None
    vault: VaultFacts = VaultFacts()
    audit: AuditFacts = AuditFacts()
    errors: Mapping[str, int] = field(default_factory=dict)
    undelivered: int = 0
    tenants: tuple[TenantFacts, ...] = ()


class HealthState(IntEnum):
    """How well an installation is. The numbers are those that monitoring systems expect of a check."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """Something an administrator should look at: a word for it, what it is about, and a sentence."""

    state: HealthState
    code: str
    subject: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Health:
    """The worst of all problems, and the problems, worst first."""

    state: HealthState
    problems: tuple[Problem, ...] = ()
