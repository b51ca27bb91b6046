"""What `retentiond m365` says, for people and for programs."""

from __future__ import annotations

import json as codec
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from agent.errors import SourceUnavailable
from agent.settings import AppSettings, TenantSettings
from agent.usecases.tenant_access import Access, Answered, Silent, Site, why
from agent.usecases.tenant_rights import Ability, Excess, Role, Row, Standing, TooMuch, Why
from connectors.errors import ConnectorError

if TYPE_CHECKING:
    from agent.tenancy import Budget

_SOON_DAYS = 30

ABILITIES = {
    Ability.SCAN_SITES: "scan SharePoint",
    Ability.SCAN_ONEDRIVES: "scan OneDrive",
    Ability.SCAN_MAIL: "scan mail",
    Ability.READ_LABELS: "read labels",
    Ability.SET_LABELS: "set labels",
    Ability.QUARANTINE_FILES: "quarantine files",
    Ability.DELETE_FILES: "delete files for good",
    Ability.QUARANTINE_MAIL: "quarantine mail",
    Ability.DELETE_MAIL: "delete mail for good",
    Ability.UNLOCK_RECORDS: "unlock records",
}
STANDINGS = {
    Standing.WORKS: "works",
    Standing.PARTLY: "in part",
    Standing.FAILS: "does not work",
    Standing.NOT_WANTED: "not wanted",
    Standing.NEVER: "never",
}
REASONS = {
    Why.NOT_SIGNED_IN: "this app cannot sign in",
    Why.RIGHTS: "it lacks rights",
    Why.SILENT_SITES: "sites do not answer it",
    Why.SILENT_MAILBOXES: "mailboxes do not answer it",
    Why.CLOUD: "this cloud has not what it takes",
    Why.RECYCLED: "in this cloud only into the recycle bin",
    Why.RECOVERABLE: "in this cloud only into Recoverable Items",
}
TOO_MUCH = {
    TooMuch.NOT_NEEDED: "nothing that the settings want needs it",
    TooMuch.CHANGES: "it lets the reader change things: take it away",
    TooMuch.ALL_SITES: "it opens all sites, and only some are named: Sites.Selected would do",
}


@dataclass(frozen=True, slots=True)
class Report:
    """All there is to tell of a tenant. `expires` has the day on which the certificate of each app expires, if it has
    one; `at` is now."""

    tenant: TenantSettings
    expires: Mapping[Role, datetime | None]
    access: Access
    budget: Budget
    at: datetime

    def days_left(self, role: Role) -> int | None:
        """Whole days until the certificate expires; below zero if it has."""
        expires = self.expires.get(role)
        return None if expires is None else (expires - self.at).days


@contextmanager
def said_plainly(tenant: str) -> Iterator[None]:
    """Turns what Microsoft refuses into a sentence about the tenant, with the exit code of a source out of reach."""
    try:
        yield
    except ConnectorError as error:
        raise SourceUnavailable(f"{tenant}: {why(error)}. See: retentiond m365 check --tenant {tenant}") from error


def tell_reports(reports: Sequence[Report]) -> None:
    for number, report in enumerate(reports):
        if number:
            typer.echo()
        _tell(report)


def _tell(report: Report) -> None:
    tenant, budget = report.tenant, report.budget
    typer.echo(f"{tenant.name}: {tenant.tenant_id}, cloud {tenant.cloud}")
    for role, answered in report.access.answered.items():
        typer.echo(f"  {role}: {_sign_in(report, role, answered)}")
        for silent in answered.silent:
            typer.echo(f"    {silent.kind} {silent.place}: {silent.why}")
    if tenant.writer is None:
        typer.echo("  writer: none, so that the tenant is only observed")
    _tell_rows(report.access.rows)
    for one in report.access.excess:
        typer.echo(f"  TOO MUCH: the {one.app} holds {one.right}: {TOO_MUCH[one.why]}.")
    typer.echo(
        f"  At {tenant.licences:,} licences Microsoft allows an app {budget.allowed_per_minute:,} resource units a "
        f"minute and {budget.allowed_per_day:,} a day; we spend at most {budget.per_minute:,} and {budget.per_day:,}."
    )
    works = report.access.works
    typer.echo("  Everything that is wanted works." if works else "  Something that is wanted will not work.")


def _sign_in(report: Report, role: Role, answered: Answered) -> str:
    app = _app(report.tenant, role)
    if answered.roles is None:
        said = f"cannot sign in by {_proof(app)}: {answered.problem.rstrip('.')}"
    else:
        said = f"signs in by {_proof(app)}; rights: {', '.join(sorted(answered.roles)) or 'none'}"
    days, expires = report.days_left(role), report.expires.get(role)
    if days is None or expires is None:
        return said
    if days < 0:
        return f"{said}; THE CERTIFICATE EXPIRED on {expires:%Y-%m-%d}"
    soon = ": make a new one (retentiond init --m365 --new-certificate)" if days < _SOON_DAYS else ""
    return f"{said}; the certificate expires on {expires:%Y-%m-%d}, in {days} days{soon}"


def _app(tenant: TenantSettings, role: Role) -> AppSettings:
    app = tenant.reader if role is Role.READER else tenant.writer
    if app is None:
        raise RuntimeError("asked for the writer of a tenant that has none")
    return app


def _proof(app: AppSettings) -> str:
    if app.managed_identity is not None:
        return "managed identity"
    return "certificate" if app.certificate_file is not None else "secret"


def _tell_rows(rows: Sequence[Row]) -> None:
    width = max(map(len, ABILITIES.values()))
    for row in rows:
        typer.echo(f"  {ABILITIES[row.ability]:<{width}}  {STANDINGS[row.standing]:<13}  {_told(row)}".rstrip())


def _told(row: Row) -> str:
    if row.lacking:
        return f"the {row.app} lacks {', '.join(row.lacking)}"
    if row.why is not None:
        needs = f" (it needs {', '.join(row.needs)})" if row.why is Why.NOT_SIGNED_IN and row.needs else ""
        return f"{row.app}: {REASONS[row.why]}{needs}"
    return f"by {', '.join(row.by)}" if row.by else "by a grant in Exchange" if row.needs else ""


def print_reports(reports: Sequence[Report]) -> None:
    typer.echo(codec.dumps({"tenants": [_facts(report) for report in reports]}, indent=2, ensure_ascii=False))


def _facts(report: Report) -> dict[str, Any]:
    tenant, budget, found = report.tenant, report.budget, report.access
    return {
        "tenant": tenant.name,
        "tenant_id": tenant.tenant_id,
        "cloud": tenant.cloud,
        "works": found.works,
        "apps": [_app_facts(report, role, answered) for role, answered in found.answered.items()],
        "abilities": [_row_facts(row) for row in found.rows],
        "too_much": [_excess_facts(one) for one in found.excess],
        "budget": {
            "licences": tenant.licences,
            "allowed_per_minute": budget.allowed_per_minute,
            "allowed_per_day": budget.allowed_per_day,
            "per_minute": budget.per_minute,
            "per_day": budget.per_day,
        },
    }


def _app_facts(report: Report, role: Role, answered: Answered) -> dict[str, Any]:
    app, expires = _app(report.tenant, role), report.expires.get(role)
    return {
        "app": role.value,
        "client_id": app.client_id,
        "proof": _proof(app),
        "signs_in": answered.roles is not None,
        "problem": answered.problem or None,
        "rights": sorted(answered.roles or ()),
        "certificate_expires_on": None if expires is None else expires.date().isoformat(),
        "certificate_days_left": report.days_left(role),
        "silent": [{"kind": one.kind, "place": one.place, "why": one.why} for one in answered.silent],
    }


def _row_facts(row: Row) -> dict[str, Any]:
    return {
        "ability": row.ability.value,
        "app": row.app.value,
        "standing": row.standing.value,
        "needs": list(row.needs),
        "lacking": list(row.lacking),
        "by": list(row.by),
        "why": None if row.why is None else row.why.value,
    }


def _excess_facts(one: Excess) -> dict[str, Any]:
    return {"app": one.app.value, "right": one.right, "why": one.why.value}


def tell_sites(found: Sequence[tuple[str, Sequence[Site | Silent]]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    for tenant, sites in found:
        if not sites:
            typer.echo(f"{tenant}: no sites.")
            continue
        silent = [one for one in sites if isinstance(one, Silent)]
        table = Table("Address", "Name", "Stored in", "Looked at", title=escape(tenant), title_justify="left")
        for site in sites:
            if isinstance(site, Site):
                name, location = escape(site.name), escape(site.data_location)
                table.add_row(escape(site.url), name, location, "yes" if site.looked_at else "no")
        Console().print(table)
        for one in silent:
            typer.echo(f"{one.place}: {one.why}")


def print_sites(found: Sequence[tuple[str, Sequence[Site | Silent]]]) -> None:
    listed = [{"tenant": tenant, **site_facts(site)} for tenant, sites in found for site in sites]
    typer.echo(codec.dumps({"sites": listed}, indent=2, ensure_ascii=False))


def site_facts(site: Site | Silent) -> dict[str, Any]:
    """A site as `--json` shows it; `problem` says why one does not answer."""
    if isinstance(site, Silent):
        return {"url": site.place, "name": None, "data_location": None, "looked_at": True, "problem": site.why}
    return {
        "url": site.url,
        "name": site.name,
        "data_location": site.data_location or None,
        "looked_at": site.looked_at,
        "problem": None,
    }
