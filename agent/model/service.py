"""What the system service does and how it stands, as facts that both of its roles, and those who look, share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """A process of the service: the one that reads shares, the one that changes them, or both in one."""

    SCAN = "scan"
    DISPOSE = "dispose"
    ALL = "all"


class JobName(StrEnum):
    """What is done again and again. Each is the business of one role."""

    RECONCILE = "reconcile"
    EVALUATE = "evaluate"
    DISPOSITION = "disposition"
    CHECKPOINT = "checkpoint"
    VAULT_SAMPLE = "vault-sample"
    ERASURE = "erasure"
    REMINDERS = "reminders"
    BACKUP = "backup"


class JobResult(StrEnum):
    """How a run of a job ended: done; done but for some items; not done; broken off to go on later; or unknown, since
    the process ended."""

    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"
    STOPPED = "stopped"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job. `result` is none while it goes on; `said` is a sentence without file names or values."""

    number: int
    job: JobName
    share: str
    began_at: datetime
    ended_at: datetime | None
    result: JobResult | None
    said: str
    asked_by: str


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the catalogue keeps it; `share` is empty for those that are about everything.

    `due_at` is when it begins next by its cron expression, `asked_at` when somebody asked for it to begin at once.
    """

    name: JobName
    share: str
    cron: str
    due_at: datetime
    asked_at: datetime | None = None
    asked_by: str = ""
    paused_at: datetime | None = None
    paused_by: str = ""
    last: JobRun | None = None

    @property
    def title(self) -> str:
        return f"{self.name} of {self.share}" if self.share else self.name.value

    @property
    def running(self) -> bool:
        return self.last is not None and self.last.result is None


@dataclass(frozen=True, slots=True)
class Service:
    """A process of the service, and when it last said that it lives."""

    role: Role
    pid: int
    began_at: datetime
    beat_at: datetime
    doing: str


class ShareState(StrEnum):
    """How a share is looked after: changes are told, or only the reconcile finds them, or it cannot be reached."""

    WATCHED = "watched"
    RECONCILE_ONLY = "reconcile-only"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class ShareCondition:
    """How a share stands with the service, since when, and why if there is something to say."""

    share: str
    state: ShareState
    why: str
    since: datetime
