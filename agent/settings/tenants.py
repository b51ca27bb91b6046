"""The settings of Microsoft 365: one section for each tenant, with who signs in, what is looked at, and how fast."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, model_validator

from agent.settings.base import CopySettings, Cron, Hours, Section, StoredIn
from agent.timetable.window import Window, read_window

_GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_PLACE = re.compile(r"\S+")
_USER = re.compile(r"\S+@\S+")


def _tenant(value: str) -> str:
    if not (_GUID.fullmatch(value) or _DOMAIN.fullmatch(value)):
        raise ValueError("must be the tenant's id, or one of its domains such as contoso.onmicrosoft.com")
    return value


def _client(value: str) -> str:
    if not _GUID.fullmatch(value):
        raise ValueError("must be the application (client) id, such as 11111111-2222-3333-4444-555555555555")
    return value


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("must be a short name of letters, digits, - and _, since files are named by it")
    return value


def _column(value: str) -> str:
    if not _COLUMN.fullmatch(value):
        raise ValueError("must be the internal name of a column: letters, digits and underscores")
    return value


def _https(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" or not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must be an address that begins with https://, without a password or anything after the path")
    return value.rstrip("/")


def _proxy(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be the address of a proxy, such as http://proxy.example.org:3128")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or a password: this file is no place for secrets")
    return value.rstrip("/")


def _places(value: object) -> Literal["all", "none"] | tuple[str, ...]:
    """`all`, `none`, or a list of texts: said here in one sentence, where a union would say three."""
    if value == "all":
        return "all"
    if value in ("none", []):
        return "none"
    if isinstance(value, (list, tuple)) and all(isinstance(one, str) and _PLACE.fullmatch(one) for one in value):
        return tuple(value)
    raise ValueError("must be all, none, or a list")


def _sites(value: object) -> Literal["all", "none"] | tuple[str, ...]:
    places = _places(value)
    return tuple(map(_https, places)) if isinstance(places, tuple) else places


def _users(value: object) -> Literal["all", "none"] | tuple[str, ...]:
    places = _places(value)
    if isinstance(places, tuple) and not all(_USER.fullmatch(one) or _GUID.fullmatch(one) for one in places):
        raise ValueError("must be users, each by user principal name (ann@example.org) or id")
    return places


def _as_written(value: str | tuple[str, ...]) -> str | list[str]:
    return value if isinstance(value, str) else list(value)


def _identity(value: object) -> object:
    if value is True or (isinstance(value, str) and _GUID.fullmatch(value)):
        return value
    raise ValueError("must be true, or the client id of a user-assigned identity")


Https = Annotated[str, AfterValidator(_https)]
Sites = Annotated[Literal["all", "none"] | tuple[str, ...], PlainValidator(_sites), PlainSerializer(_as_written)]
Users = Annotated[Literal["all", "none"] | tuple[str, ...], PlainValidator(_users), PlainSerializer(_as_written)]
User = Annotated[str, Field(pattern=r"^\S+@\S+$")]
Text = Annotated[str, Field(min_length=1)]
Column = Annotated[str, AfterValidator(_column)]
Decided = Literal["class", "due", "state"]
CloudName = Literal["global", "gcc", "gcc_high", "dod", "china"]


class AppSettings(Section):
    """By which app registration we sign in, and with what.

    Each `…_file` is an absolute path, or the name of a systemd credential; no secret stands in the settings themselves.
    """

    client_id: Annotated[str, AfterValidator(_client)] | None = None
    certificate_file: Text | None = None
    passphrase_file: Text | None = None
    secret_file: Text | None = None
    managed_identity: Annotated[bool | str, PlainValidator(_identity)] | None = None

    @model_validator(mode="after")
    def _has_one_proof(self) -> AppSettings:
        ways = [self.certificate_file, self.secret_file, self.managed_identity]
        if sum(way is not None for way in ways) != 1:
            raise ValueError("must name exactly one of certificate_file, secret_file and managed_identity")
        if self.managed_identity is None and self.client_id is None:
            raise ValueError("must name the client_id of the app registration")
        if self.managed_identity is not None and self.client_id is not None:
            raise ValueError("must not name a client_id beside managed_identity: `managed_identity` takes it")
        if self.passphrase_file is not None and self.certificate_file is None:
            raise ValueError("must not name a passphrase_file without a certificate_file")
        return self


class TenantSettings(Section):
    """One tenant of Microsoft 365. `name` is what people call it; without a `writer` it can only be observed.

    `reader` scans; `writer` labels, quarantines and deletes. Sizes and times are named by their unit. `labels` are
    retention labels of the tenant by the ids of retention classes, `decided_columns` those in which what was decided is
    told by `retentiond tag`.
    """

    name: Annotated[str, AfterValidator(_name)]
    tenant_id: Annotated[str, AfterValidator(_tenant)]
    cloud: CloudName = "global"
    reader: AppSettings
    writer: AppSettings | None = None
    company: str = Field(default="", pattern=r"^[A-Za-z0-9 ._-]{0,64}$")
    ca_file: Text | None = None
    proxy: Annotated[str, AfterValidator(_proxy)] | None = None
    login_url: Https | None = None
    graph_url: Https | None = None
    sites: Sites = "none"
    exclude: tuple[Text, ...] = Field(default=(), strict=False)
    libraries: tuple[Text, ...] = Field(default=(), strict=False)
    exclude_libraries: tuple[Text, ...] = Field(default=(), strict=False)
    onedrives: Users = "none"
    mailboxes: Users = "none"
    columns: tuple[Column, ...] = Field(default=(), strict=False)
    labels: dict[str, Text] = Field(default={})
    decided_columns: dict[Decided, Column] = Field(default={})
    stored_in: StoredIn = Field(default=(), strict=False)
    copies: tuple[CopySettings, ...] = Field(default=(), strict=False)
    licences: int = Field(default=1_000, ge=1)
    share_of_limit: float = Field(default=0.6, gt=0.0, le=1.0)
    units_per_day: int | None = Field(default=None, ge=5_000)
    mib_per_second: float | None = Field(default=None, gt=0.0)
    reconcile: Cron | None = None
    window: Hours = ()
    not_during: Hours = ()
    full_every_days: int = Field(default=7, ge=1, le=365)
    largest_file_mib: int = Field(default=4_096, ge=1)
    quarantine_officers: tuple[User, ...] = Field(default=(), strict=False)
    recycle_bin_days: int = Field(default=93, ge=0, le=36_500)
    recoverable_items_days: int = Field(default=14, ge=0, le=36_500)

    @model_validator(mode="after")
    def _may_act_only_with_officers(self) -> TenantSettings:
        drives = self.sites != "none" or self.onedrives != "none"
        if self.writer is not None and drives and not self.quarantine_officers:
            raise ValueError(
                "must name quarantine_officers beside a writer: who may see the folder in which files are quarantined"
            )
        return self

    @model_validator(mode="after")
    def _writes_only_what_nobody_reads(self) -> TenantSettings:
        written = list(self.decided_columns.values())
        if len(set(written)) < len(written):
            raise ValueError("must name another column for each word under decided_columns")
        if set(written) & set(self.columns):
            raise ValueError(
                "must not name a column both under columns and under decided_columns: what we write there would count "
                "as people's word"
            )
        return self

    @property
    def hours(self) -> Window:
        """When the tenant may be scanned."""
        return read_window(self.window, self.not_during)
