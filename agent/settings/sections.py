"""The sections of the settings, each with its keys, their defaults and what is allowed."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from agent.settings.base import CopySettings, Cron, Hours, Section, StoredIn
from agent.settings.tenants import TenantSettings
from agent.timetable.window import Window, read_window


class ShareSettings(Section):
    """One folder to crawl. `window` are the hours in which it is scanned, `not_during` those in which it never is;
    `reconcile` is when it is gone through from end to end, if not as the service's job of that name says."""

    name: str = Field(min_length=1)
    path: str = Field(min_length=1)
    stored_in: StoredIn = Field(default=(), strict=False)
    copies: tuple[CopySettings, ...] = Field(default=(), strict=False)
    watch: bool = True
    reconcile: Cron | None = None
    window: Hours = ()
    not_during: Hours = ()
    files_per_second: float | None = Field(default=None, gt=0.0)
    mib_per_second: float | None = Field(default=None, gt=0.0)

    @property
    def hours(self) -> Window:
        """When the share may be scanned."""
        return read_window(self.window, self.not_during)


class ExtractionSettings(Section):
    """How much one document may cost."""

    wall_seconds: int = Field(default=30, ge=1, le=3600)
    memory_mib: int = Field(default=1024, ge=128, le=65536)
    output_characters: int = Field(default=64_000_000, ge=1000)
    expanded_mib: int = Field(default=512, ge=1)
    confinement: Literal["required", "if_possible"] = "required"
    ocr: str | None = Field(default=None, pattern=r"^[a-z_]{3,20}(\+[a-z_]{3,20})*$")
    ocr_pages: int = Field(default=50, ge=1, le=10_000)


class ReferenceSettings(Section):
    """How an organisation writes references of its own; `context` is what must stand before one, if anything."""

    type: Literal["EMPLOYEE_ID", "CASE_REFERENCE"]
    pattern: str = Field(min_length=1)
    context: str = ""

    @field_validator("pattern", "context")
    @classmethod
    def _is_an_expression(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"must be a regular expression ({error})") from None
        return value


class DetectionSettings(Section):
    """What is searched for, and how sure a finding must be."""

    model: str | None = None
    phone_regions: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] = Field(default=(), strict=False)
    references: tuple[ReferenceSettings, ...] = Field(default=(), strict=False)

    @field_validator("phone_regions")
    @classmethod
    def _are_regions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value:
            from phonenumbers import SUPPORTED_REGIONS

            if unknown := sorted(set(value) - SUPPORTED_REGIONS):
                raise ValueError(f"must be countries with telephone numbers of their own; {unknown[0]} is none")
        return value

    minimum_score: float = Field(default=0.4, ge=0.0, le=1.0)


class ReviewerSettings(Section):
    """A person who takes part in reviews: the login by which the acts are recorded, and the roles of stages."""

    name: str = Field(min_length=1)
    roles: tuple[Annotated[str, Field(min_length=1)], ...] = Field(min_length=1, strict=False)
    email: str | None = Field(default=None, pattern=r"^\S+@\S+$")


class ReviewSettings(Section):
    """When a review is overdue."""

    overdue_after_days: int = Field(default=30, ge=1, le=3650)


class CapSettings(Section):
    """How much may leave a share in one day before an administrator must agree."""

    items: int = Field(default=1_000, ge=1)
    gib: float = Field(default=50.0, gt=0.0)
    percent: float = Field(default=5.0, gt=0.0, le=100.0)


Mode = Literal["observe", "propose", "act"]


class DispositionSettings(Section):
    """How far items of each class may go, and how fast.

    `mode` is for classes and placement rules that `classes` does not name. `relocate` names, for a placement rule,
    the folder of the same share into which what breaks it is moved. `outbox` is a path.
    """

    mode: Mode = "observe"
    classes: dict[str, Mode] = Field(default_factory=dict)
    cool_off_hours: int = Field(default=24, ge=0, le=8760)
    quarantine_days: int = Field(default=30, ge=0, le=3650)
    quiet_minutes: int = Field(default=5, ge=0, le=1440)
    clock_ahead_hours: int = Field(default=48, ge=1, le=8760)
    caps: CapSettings = CapSettings()
    relocate: dict[str, str] = Field(default_factory=dict)
    notes: bool = False
    outbox: str | None = None

    def mode_of(self, named: str) -> Mode:
        """How far items of this class, or under this placement rule, may go."""
        return self.classes.get(named, self.mode)


class VaultSettings(Section):
    """Where the vault lies and which key opens it. Paths left out lie in the state directory."""

    directory: str | None = None
    slots: str | None = None
    credential: str = Field(default="retentiond-vault", pattern=r"^[A-Za-z0-9._@-]{1,255}$")
    key_file: str | None = None
    sample_percent: float = Field(default=1.0, gt=0.0, le=100.0)
    key_backup_days: int = Field(default=0, ge=0, le=36_500)


class JobSettings(Section):
    """When the service does what, by cron expressions on the clock of the schedule's time zone; null: never."""

    reconcile: Cron | None = "15 1 * * *"
    evaluate: Cron | None = "5 0 * * *"
    disposition: Cron | None = "30 * * * *"
    checkpoint: Cron | None = "10 * * * *"
    vault_sample: Cron | None = "0 4 * * *"
    erasure: Cron | None = "30 3 * * *"
    reminders: Cron | None = "0 8 * * mon-fri"
    backup: Cron | None = "0 3 * * *"


class MailSettings(Section):
    """The server by which reviewers and administrators are told; `password_file` is a path, or the name of a systemd
    credential."""

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password_file: str | None = None
    sender: str = Field(pattern=r"^\S+@\S+$")
    administrators: tuple[Annotated[str, Field(pattern=r"^\S+@\S+$")], ...] = Field(default=(), strict=False)


class BackupSettings(Section):
    """Where the nightly backup goes, and how many of them are kept."""

    directory: str = Field(min_length=1)
    keep: int = Field(default=14, ge=1, le=3650)
    with_vault: bool = False


class ServiceSettings(Section):
    """How `retentiond run` goes about its work."""

    jobs: JobSettings = JobSettings()
    jitter_minutes: int = Field(default=5, ge=0, le=720)
    settle_seconds: float = Field(default=2.0, ge=0.0, le=3600.0)
    most_watches: int = Field(default=500_000, ge=0)
    nice: int = Field(default=10, ge=0, le=19)
    idle_io: bool = True
    back_off: bool = True
    metrics: str | None = None
    log_item_names: bool = False
    checkpoint_file: str | None = None
    mail: MailSettings | None = None
    backup: BackupSettings | None = None


class Settings(Section):
    """Everything that can be set. Sizes are named by their unit."""

    shares: tuple[ShareSettings, ...] = Field(default=(), strict=False)
    tenants: tuple[TenantSettings, ...] = Field(default=(), strict=False)
    schedule: str = "uk-default"
    state: str | None = None
    jobs: int = Field(default=0, ge=0, le=256)
    access_times: Literal["keep", "may_change"] = "keep"
    files_per_second: float | None = Field(default=None, gt=0.0)
    extraction: ExtractionSettings = ExtractionSettings()
    detection: DetectionSettings = DetectionSettings()
    reviewers: tuple[ReviewerSettings, ...] = Field(default=(), strict=False)
    reviews: ReviewSettings = ReviewSettings()
    disposition: DispositionSettings = DispositionSettings()
    vault: VaultSettings = VaultSettings()
    service: ServiceSettings = ServiceSettings()
