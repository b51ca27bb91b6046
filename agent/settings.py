"""Our own settings: one YAML file, every key checked, errors with file, line and field.

`config/retentiond.yaml` shows every key with its default.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from agent.errors import ConfigurationError
from agent.timetable.cron import check_cron
from agent.timetable.window import Window, read_window


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class CopySettings(_Section):
    """What else keeps copies of a share's files, and for how many days at most after they are gone from it."""

    kind: Literal["snapshot", "backup", "replica"]
    what: str = Field(min_length=1)
    days: int | None = Field(default=None, ge=0, le=36_500)


def _hours(value: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    spans = (value,) if isinstance(value, str) else tuple(value)
    read_window(spans)
    return spans


Cron = Annotated[str, AfterValidator(check_cron)]
Hours = Annotated[tuple[str, ...], BeforeValidator(_hours), Field(strict=False)]


class ShareSettings(_Section):
    """One folder to crawl. `window` are the hours in which it is scanned, `not_during` those in which it never is;
    `reconcile` is when it is gone through from end to end, if not as the service's job of that name says."""

    name: str = Field(min_length=1)
    path: str = Field(min_length=1)
    stored_in: tuple[
        Literal["server", "cloud", "local_drive", "personal_device", "removable", "outside_uk", "outside_eea"], ...
    ] = Field(default=(), strict=False)
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


class ExtractionSettings(_Section):
    """How much one document may cost."""

    wall_seconds: int = Field(default=30, ge=1, le=3600)
    memory_mib: int = Field(default=1024, ge=128, le=65536)
    output_characters: int = Field(default=64_000_000, ge=1000)
    expanded_mib: int = Field(default=512, ge=1)
    confinement: Literal["required", "if_possible"] = "required"
    ocr: str | None = Field(default=None, pattern=r"^[a-z_]{3,20}(\+[a-z_]{3,20})*$")
    ocr_pages: int = Field(default=50, ge=1, le=10_000)


class ReferenceSettings(_Section):
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


class DetectionSettings(_Section):
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


class ReviewerSettings(_Section):
    """A person who takes part in reviews: the login by which the acts are recorded, and the roles of stages."""

    name: str = Field(min_length=1)
    roles: tuple[Annotated[str, Field(min_length=1)], ...] = Field(min_length=1, strict=False)
    email: str | None = Field(default=None, pattern=r"^\S+@\S+$")


class ReviewSettings(_Section):
    """When a review is overdue."""

    overdue_after_days: int = Field(default=30, ge=1, le=3650)


class CapSettings(_Section):
    """How much may leave a share in one day before an administrator must agree."""

    items: int = Field(default=1_000, ge=1)
    gib: float = Field(default=50.0, gt=0.0)
    percent: float = Field(default=5.0, gt=0.0, le=100.0)


Mode = Literal["observe", "propose", "act"]


class DispositionSettings(_Section):
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


class VaultSettings(_Section):
    """Where the vault lies and which key opens it. Paths left out lie in the state directory."""

    directory: str | None = None
    slots: str | None = None
    credential: str = Field(default="retentiond-vault", pattern=r"^[A-Za-z0-9._@-]{1,255}$")
    key_file: str | None = None
    sample_percent: float = Field(default=1.0, gt=0.0, le=100.0)
    key_backup_days: int = Field(default=0, ge=0, le=36_500)


class JobSettings(_Section):
    """When the service does what, by cron expressions on the clock of the schedule's time zone; null: never."""

    reconcile: Cron | None = "15 1 * * *"
    evaluate: Cron | None = "5 0 * * *"
    disposition: Cron | None = "30 * * * *"
    checkpoint: Cron | None = "10 * * * *"
    vault_sample: Cron | None = "0 4 * * *"
    erasure: Cron | None = "30 3 * * *"
    reminders: Cron | None = "0 8 * * mon-fri"
    backup: Cron | None = "0 3 * * *"


class MailSettings(_Section):
    """The server by which reviewers and administrators are told; `password_file` is a path, or the name of a systemd
    credential."""

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password_file: str | None = None
    sender: str = Field(pattern=r"^\S+@\S+$")
    administrators: tuple[Annotated[str, Field(pattern=r"^\S+@\S+$")], ...] = Field(default=(), strict=False)


class BackupSettings(_Section):
    """Where the nightly backup goes, and how many of them are kept."""

    directory: str = Field(min_length=1)
    keep: int = Field(default=14, ge=1, le=3650)
    with_vault: bool = False


class ServiceSettings(_Section):
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


class Settings(_Section):
    """Everything that can be set. Sizes are named by their unit."""

    shares: tuple[ShareSettings, ...] = Field(default=(), strict=False)
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


def load_settings(path: Path) -> Settings:
    """The settings in `path`. Raises `ConfigurationError` that names every problem with its line and field."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot read the configuration ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: the configuration is not UTF-8 text (byte {error.start}).") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ConfigurationError(f"{place}: this is not valid YAML: {error.problem or error.context}.") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: this is not valid YAML.") from error
    if data is None:
        return Settings()
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path}:1: the configuration must be a list of `key: value` lines.")
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        problems = [_problem(path, node, detail) for detail in error.errors()]
        raise ConfigurationError("\n".join(problems)) from None
    _refuse_twins(path, node, "shares", [share.name for share in settings.shares])
    _refuse_twins(path, node, "reviewers", [reviewer.name for reviewer in settings.reviewers])
    return settings


def _refuse_twins(path: Path, node: yaml.Node | None, section: str, names: list[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            line = _line(node, (section, index, "name"))
            raise ConfigurationError(
                f"{path}:{line}: {section}.{index}.name: two {section} are named {name!r}. Rename one."
            )


_EXPECTED = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "tuple_type": "must be a list",
    "model_type": "must hold `key: value` lines of its own",
    "missing": "is missing",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}


def _problem(path: Path, node: yaml.Node | None, detail: ErrorDetails) -> str:
    place = detail["loc"]
    field = ".".join(str(part) for part in place)
    line = _line(node, place)
    kind = detail["type"]
    if kind == "extra_forbidden":
        known = _keys_at(place[:-1])
        near = difflib.get_close_matches(str(place[-1]), known, n=1)
        hint = f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(known)}."
        return f"{path}:{line}: {field}: there is no such key. {hint}"
    said = _EXPECTED.get(kind) or _bounds(detail)
    return f"{path}:{line}: {field}: {said}."


def _bounds(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    if "ge" in context:
        return f"must be at least {context['ge']}"
    if "gt" in context:
        return f"must be above {context['gt']:g}"
    if "le" in context:
        return f"must be at most {context['le']}"
    if "error" in context:
        return str(context["error"])
    if "pattern" in context:
        return f"must be written like {context['pattern']}"
    if "expected" in context:
        return f"must be one of {context['expected']}"
    return detail["msg"][0].lower() + detail["msg"][1:]


def _keys_at(place: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Settings
    for part in place:
        if part == "shares":
            model = ShareSettings
        elif part == "extraction":
            model = ExtractionSettings
        elif part == "detection":
            model = DetectionSettings
        elif part == "references":
            model = ReferenceSettings
        elif part == "reviewers":
            model = ReviewerSettings
        elif part == "reviews":
            model = ReviewSettings
        elif part == "disposition":
            model = DispositionSettings
        elif part == "vault":
            model = VaultSettings
        elif part == "copies":
            model = CopySettings
        elif part == "caps":
            model = CapSettings
        elif part == "service":
            model = ServiceSettings
        elif part == "jobs":
            model = JobSettings
        elif part == "mail":
            model = MailSettings
        elif part == "backup":
            model = BackupSettings
    return list(model.model_fields)


def _line(node: Any, place: tuple[int | str, ...]) -> int:
    """The line (from 1) of the node that `place` leads to, or of the deepest one on the way."""
    line: int = node.start_mark.line + 1 if node is not None else 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, node = key.start_mark.line + 1, value
                    break
            else:
                return line
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line
    return line
