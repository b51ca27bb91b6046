"""`retentiond init --m365`: which tenant is wanted, by options or answers; what is there; what is to be made."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import typer
from pydantic import ValidationError

from agent import bootstrap
from agent.cli import init_m365_words, init_questions
from agent.errors import ConfigurationError, UsageError
from agent.settings import Settings, TenantSettings, load_settings
from agent.usecases import set_up as plan
from agent.usecases import set_up_tenant as tenants
from agent.usecases.set_up_certificates import read_certificate
from agent.usecases.set_up_files import Rights
from agent.usecases.set_up_machine import Accounts, Machine
from agent.usecases.set_up_settings import for_the_service, settings_of, with_tenant

_EXAMPLE = (
    "retentiond init --m365 --tenant-id contoso.onmicrosoft.com "
    "--reader 11111111-2222-3333-4444-555555555555 --site https://contoso.sharepoint.com/sites/hr"
)
_ROLES = ("scan", "dispose")
_CLOUDS = "global, gcc, gcc_high, dod or china"


@dataclass(frozen=True, slots=True)
class Said:
    """What the options said; what is none was not said."""

    name: str | None
    tenant_id: str | None
    cloud: str | None
    reader: str | None
    writer: str | None
    sites: list[str] | None
    officers: list[str] | None
    new_certificate: bool
    yes: bool
    force: bool

    @property
    def nothing(self) -> bool:
        """Whether no tenant is described at all: then those of the settings are meant."""
        told = (self.tenant_id, self.cloud, self.reader, self.writer, self.sites, self.officers)
        return all(one is None for one in told)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the settings are, their text as it is (none: they are not there) and as it is to be, and what that sets."""

    machine: Machine
    system: bool
    file: PurePosixPath
    old: str | None
    new: str
    settings: Settings

    @property
    def here(self) -> Path:
        """Where the settings are for us."""
        return self.machine.at(self.file)


def init_m365(said: Said, config: Path | None, root: Path | None, *, system: bool, json: bool) -> None:
    """Prepares for a tenant, and tells what was done and what an administrator of the tenant has to do next."""
    if system and os.geteuid() != 0:
        raise UsageError(f"This changes the system, so it must be run as root:  sudo {_EXAMPLE} --system")
    machine = Machine((root or Path("/")).absolute() if system else Path("/"))
    asks = sys.stdin.isatty() and not said.yes and not json
    ground = _ground(machine, said, config, system=system, asks=asks)
    prepared = _prepared(ground, said)
    if asks and (pending := prepared.pending()):
        init_m365_words.tell_pending(pending)
        if not init_questions.go_ahead():
            raise typer.Exit
    did = tuple(prepared.run())
    settings = load_settings(ground.here)
    told = machine.run(("systemctl", "daemon-reload"), b"") if system and machine.runs_systemd else None
    outcome = init_m365_words.Outcome(
        ground.file,
        did,
        settings,
        tuple(_apps(ground, settings)),
        system,
        machine.at(settings.state or str(bootstrap.SYSTEM_STATE)).joinpath("master.key").exists(),
        told is None or told.code == 0,
    )
    (init_m365_words.print_facts if json else init_m365_words.tell)(outcome)


# What it rests on


def _ground(machine: Machine, said: Said, config: Path | None, *, system: bool, asks: bool) -> Ground:
    file = plan.SETTINGS if system else PurePosixPath((config or bootstrap.configuration_file()).absolute())
    here = machine.at(file)
    template = bootstrap.shipped("config/retentiond.yaml").read_text(encoding="utf-8")
    settings = load_settings(here) if here.exists() else Settings()
    old = here.read_text(encoding="utf-8") if here.exists() else None
    text = (for_the_service(template) if system else template) if old is None or old == template else old
    if said.nothing and settings.tenants:
        return Ground(machine, system, file, old, text, settings)
    if asks:
        said = _answered(said, settings)
    tenant = _tenant(said, settings, file, system=system)
    there = next((one for one in settings.tenants if one.name == tenant.name), None)
    if there == tenant:
        return Ground(machine, system, file, old, text, settings)
    if there is not None and not said.force and not (asks and _may_replace(tenant.name)):
        raise UsageError(
            f"{file} names a tenant {tenant.name!r} already, and says something else of it. Change it there and leave "
            "the options out, or use --force to replace its entry: the old settings are kept."
        )
    new = with_tenant(text, tenant.name, tenants.entry_of(tenant))
    return Ground(machine, system, file, old, new, settings_of(new))


def _may_replace(name: str) -> bool:
    typer.echo(f"\nThe settings say something else of the tenant {name!r} so far.", err=True)
    return typer.confirm("Replace its entry? The old settings are kept.", default=False, err=True)


def _answered(said: Said, settings: Settings) -> Said:
    """What was said, with answers to what was left open."""
    known = {one.name: one for one in settings.tenants}.get(said.name or "")
    tenant_id = said.tenant_id or (known and known.tenant_id) or init_questions.ask_tenant(_read_one)
    reader = said.reader or (known and known.reader.client_id) or init_questions.ask_reader(_read_one)
    cloud, writer, sites, officers = said.cloud, said.writer, said.sites, said.officers
    if known is None:
        cloud = cloud or init_questions.ask_cloud(_CLOUDS, _read_one)
        sites = sites or list(init_questions.ask_sites(init_questions.parted))
        writer = writer or init_questions.ask_writer(_read_one)
        if writer and officers is None:
            officers = list(init_questions.ask_officers(init_questions.parted))
    return Said(
        said.name, tenant_id, cloud, reader, writer, sites, officers, said.new_certificate, said.yes, said.force
    )


def _read_one(text: str) -> str:
    if not text.strip():
        raise UsageError("Something must be said here.")
    return text.strip()


def _tenant(said: Said, settings: Settings, file: PurePosixPath, *, system: bool) -> TenantSettings:
    """The tenant as it is to be: as the settings have it, with what was said. Raises `UsageError`."""
    name = said.name or _usual_name(said, settings)
    there = next((one for one in settings.tenants if one.name == name), None)
    if there is None and (said.tenant_id is None or said.reader is None):
        raise UsageError(f"Say which tenant, and by which app registration we sign in:  {_EXAMPLE}")
    wanted: dict[str, Any] = {"name": name} if there is None else there.model_dump(mode="json", exclude_defaults=True)
    plain = {"tenant_id": said.tenant_id, "cloud": said.cloud, "quarantine_officers": said.officers}
    wanted |= {key: value for key, value in plain.items() if value is not None}
    if said.sites is not None:
        wanted["sites"] = said.sites[0] if said.sites in (["all"], ["none"]) else said.sites
    for app, client_id in (("reader", said.reader), ("writer", said.writer)):
        if client_id is not None:
            place = tenants.app_places(name, app, system=system, folder=file.parent)
            wanted[app] = {"client_id": client_id, "certificate_file": place.named}
    try:
        return TenantSettings.model_validate(wanted)
    except ValidationError as error:
        raise UsageError(_problem(error)) from None


def _usual_name(said: Said, settings: Settings) -> str:
    """The only tenant of the settings, else the first part of the domain that was said."""
    if said.tenant_id is None and len(settings.tenants) == 1:
        return settings.tenants[0].name
    return next(
        (one.name for one in settings.tenants if one.tenant_id == said.tenant_id),
        said.tenant_id.partition(".")[0] if said.tenant_id and "." in said.tenant_id else "microsoft365",
    )


_OPTIONS = {
    "name": "--tenant",
    "tenant_id": "--tenant-id",
    "cloud": "--cloud",
    "reader": "--reader",
    "writer": "--writer",
    "sites": "--site",
    "quarantine_officers": "--officer",
}


def _problem(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    place = str(first["loc"][0]) if first["loc"] else ""
    context = first.get("ctx", {})
    said = str(context.get("error") or "") or (f"must be {context['expected']}" if "expected" in context else "")
    if not place:
        return f"--officer: {said or first['msg']}."
    return f"{_OPTIONS.get(place, place)}: {said or 'is not written as it must be'}."


# What is to be made


def _prepared(ground: Ground, said: Said) -> tenants.TenantSetUp:
    machine, now = ground.machine, bootstrap.now()
    site = tenants.Site(
        machine.at,
        ground.file.parent,
        now,
        _accounts(machine) if ground.system else None,
        (os.geteuid(), os.getegid()),
        {role: bootstrap.shipped(f"systemd/microsoft365/{role}.conf").read_text(encoding="utf-8") for role in _ROLES},
    )

    def renewed(tenant: TenantSettings) -> bool:
        return said.new_certificate and said.name in (None, tenant.name)

    steps = list(tenants.steps(site, ground.settings, renewed))
    if ground.new != ground.old:
        rights = _kept_rights(ground.here, site.of_settings)
        text = plan.Text(ground.here, rights, lambda: ground.new, now.date().isoformat())
        steps.append(plan.Named("settings", ground.file, text))
    locked = machine.root if ground.system else next(one for one in ground.here.parents if one.is_dir())
    return tenants.TenantSetUp(tuple(steps), locked)


def _accounts(machine: Machine) -> Accounts:
    if unknown := machine.unknown():
        command = " ".join(machine.sysusers(bootstrap.shipped("systemd/sysusers.d/retentiond.conf")))
        raise ConfigurationError(
            f"Users or a group of the service are not there: {', '.join(unknown)}. Make them, then run this again:  "
            f"{command}"
        )
    return machine.accounts()


def _kept_rights(path: Path, otherwise: Rights) -> Rights:
    """The rights that the settings have already: whoever could read them still can."""
    if not path.exists():
        return otherwise
    facts = path.stat()
    return Rights(facts.st_uid, facts.st_gid, facts.st_mode & 0o7777)


def _apps(ground: Ground, settings: Settings) -> Iterator[init_m365_words.App]:
    for tenant, place in tenants.apps_of(settings, system=ground.system, folder=ground.file.parent):
        pem = ground.machine.at(place.public).read_bytes()
        yield init_m365_words.App(tenant, place.app, place.public, read_certificate(pem))
