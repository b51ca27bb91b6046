"""Preparing for tenants of Microsoft 365: keys with certificates, the entry in the settings, what systemd must know.

Every step can be asked whether it is done, as in `set_up`, so that a second run changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from agent.errors import UsageError
from agent.settings import Settings, TenantSettings
from agent.usecases import set_up as plan
from agent.usecases.set_up_certificates import KeyFile, PublicFile
from agent.usecases.set_up_files import Rights, alone
from agent.usecases.set_up_machine import Accounts

SCAN_DROP_IN = plan.UNITS / "retentiond-scan.service.d/microsoft365.conf"
DISPOSE_DROP_IN = plan.UNITS / "retentiond-dispose.service.d/microsoft365.conf"
_HEADER = (
    "# Written by `retentiond init --m365 --system`, and written anew when it is run again.\n"
    "# Lines of your own belong in another file beside this one.\n"
)
_ANY_ADDRESS = "IPAddressAllow=any"


@dataclass(frozen=True, slots=True)
class AppPlace:
    """Where the key of an app lies (`key_file`), where its certificate (`public`), and what the settings say of it."""

    app: str
    key_file: PurePosixPath
    public: PurePosixPath
    named: str


def app_places(tenant: str, app: str, *, system: bool, folder: PurePosixPath) -> AppPlace:
    """Where they are to lie: for the service as a credential of systemd, else in `folder`, beside the settings."""
    name = f"m365-{tenant}-{app}"
    if system:
        return AppPlace(app, plan.CREDSTORE / name, plan.ETC / f"{name}.crt", name)
    return AppPlace(app, folder / f"{name}.pem", folder / f"{name}.crt", str(folder / f"{name}.pem"))


def entry_of(tenant: TenantSettings) -> list[str]:
    """The lines by which a tenant stands in the settings: what differs from the defaults, and what it must have."""
    said = tenant.model_dump(mode="json", exclude_defaults=True)
    return list(_lines(said))


def _lines(said: dict[str, object]) -> Iterator[str]:
    for key, value in said.items():
        if isinstance(value, dict):
            yield f"{key}:"
            yield from (f"  {line}" for line in _lines(value))
        else:
            # A JSON value is a YAML value, so any text is written safely.
            yield f"{key}: {json.dumps(value, ensure_ascii=False)}"


@dataclass(frozen=True, slots=True)
class TenantSetUp:
    """All steps in their order; the folder is locked while they are made."""

    steps: tuple[plan.Named, ...]
    folder: Path

    def pending(self) -> tuple[plan.Named, ...]:
        """What would be made. Changes nothing."""
        return tuple(named for named in self.steps if named.step.lacking())

    def run(self) -> Iterator[plan.Did]:
        """Makes what is lacking, and tells of every step. Raises `AgentError`; what was made until then is whole."""
        with alone(self.folder):
            for named in self.steps:
                if lacked := named.step.lacking():
                    named.step.make()
                yield plan.Did(named.what, named.path, lacked, getattr(named.step, "kept", None))


def drop_in(shipped: str, credentials: Sequence[AppPlace], reach: str) -> str:
    """What systemd is told for one role: the shipped text, whom it may `reach`, and which credentials it is given."""
    if shipped.count(_ANY_ADDRESS) != 1:
        raise RuntimeError(f"the shipped drop-in holds {_ANY_ADDRESS!r} not once")
    loaded = "".join(f"LoadCredential={one.named}:{one.key_file}\n" for one in credentials)
    return f"{_HEADER}{shipped.replace(_ANY_ADDRESS, f'IPAddressAllow={reach}')}{loaded}"


def closed_drop_in() -> str:
    """What stands there instead where no tenant needs it any more."""
    return f"{_HEADER}# No tenant in the settings needs this.\n"


def reach_of(tenants: Sequence[TenantSettings]) -> str:
    """Whom a role must reach for these tenants: their proxies, where all have one at a fixed address; else anybody."""
    found = ["localhost"]
    for tenant in tenants:
        host = urlsplit(tenant.proxy).hostname if tenant.proxy else None
        if host is None:
            return "any"
        if host == "localhost":
            continue
        try:
            found.append(str(ip_address(host)))
        except ValueError:
            return "any"
    return " ".join(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class OwnFolder:
    """A folder of one's own, whose rights are nobody else's business."""

    path: Path

    def lacking(self) -> str:
        return "" if self.path.is_dir() else "it is missing"

    def make(self) -> None:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{self.path}: cannot be made ({error.strerror}).") from error


@dataclass(frozen=True, slots=True)
class Site:
    """Where it is done: how paths of the machine are reached, who owns what is made, and when it is done.

    With `accounts` it is for the service, by the `shipped` drop-ins of the roles; else for whoever asks (`own`).
    """

    at: Callable[[PurePosixPath], Path]
    folder: PurePosixPath
    now: datetime
    accounts: Accounts | None
    own: tuple[int, int]
    shipped: Mapping[str, str]

    @property
    def private(self) -> Rights:
        return Rights(*self.own, 0o600) if self.accounts is None else Rights(0, 0, 0o600)

    @property
    def public(self) -> Rights:
        return Rights(*self.own, 0o644) if self.accounts is None else Rights(0, self.accounts.group, 0o644)

    @property
    def of_settings(self) -> Rights:
        """Of a settings file that is new."""
        return self.private if self.accounts is None else Rights(0, self.accounts.group, 0o640)


def apps_of(settings: Settings, *, system: bool, folder: PurePosixPath) -> Iterator[tuple[TenantSettings, AppPlace]]:
    """The apps whose keys are where we put them; others are looked after by somebody else."""
    for tenant in settings.tenants:
        for app, chosen in (("reader", tenant.reader), ("writer", tenant.writer)):
            place = app_places(tenant.name, app, system=system, folder=folder)
            if chosen is not None and chosen.certificate_file == place.named:
                yield tenant, place


def steps(site: Site, settings: Settings, renewed: Callable[[TenantSettings], bool]) -> Iterator[plan.Named]:
    """All but the settings: for every tenant in them. `renewed` says of which tenants the keys are to be new ones."""
    at, folder, accounts = site.at, site.folder, site.accounts
    if accounts is None:
        yield plan.Named("folder of the settings", folder, OwnFolder(at(folder)))
    else:
        rights = Rights(0, accounts.group, 0o750), Rights(0, accounts.dispose_group, 0o710)
        yield plan.Named("folder of the settings", folder, plan.Folder(at(folder), rights[0]))
        yield plan.Named("folder of the keys", plan.CREDSTORE, plan.Folder(at(plan.CREDSTORE), rights[1]))
    apps = list(apps_of(settings, system=accounts is not None, folder=folder))
    for tenant, place in apps:
        key, whose = at(place.key_file), f"of the {place.app} of {tenant.name}"
        subject = f"retentiond {place.app} {tenant.name}"
        made = KeyFile(key, site.private, subject, site.now, renewed(tenant))
        yield plan.Named(f"key {whose}", place.key_file, made)
        yield plan.Named(f"certificate {whose}", place.public, PublicFile(at(place.public), site.public, key))
    if accounts is not None:
        yield from _drop_ins(site, settings, [place for _, place in apps])


def _drop_ins(site: Site, settings: Settings, places: Sequence[AppPlace]) -> Iterator[plan.Named]:
    for app, role, path in (("reader", "scan", SCAN_DROP_IN), ("writer", "dispose", DISPOSE_DROP_IN)):
        users = [one for one in settings.tenants if app == "reader" or one.writer is not None]
        file = site.at(path)
        if not users and not file.exists():
            continue
        credentials = [place for place in places if place.app == app]
        text = drop_in(site.shipped[role], credentials, reach_of(users)) if users else closed_drop_in()
        what = f"what the unit that {role}s needs"
        yield plan.Named(f"folder of {what}", path.parent, plan.Folder(file.parent, Rights(0, 0, 0o755)))
        yield plan.Named(what, path, _ours(file, text, site.now))


def _ours(file: Path, text: str, now: datetime) -> plan.Text:
    day = now.date().isoformat()
    return plan.Text(file, Rights(0, 0, 0o644), lambda: text, day, lambda there: there.startswith(_HEADER.encode()))
