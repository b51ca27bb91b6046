"""`retentiond m365 sign-in`: an administrator signs in, sees sites, and lets our app registrations in at some."""

from __future__ import annotations

import json as codec
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from agent import bootstrap, tenancy
from agent.cli.m365_words import said_plainly, site_facts, tell_sites
from agent.errors import ExitCode, UsageError
from agent.settings import TenantSettings
from agent.tenancy.person import COMMAND_LINE_TOOLS, signed_in
from agent.usecases.tenant_access import GRANTS, Granted, Right, Silent, Site, grant, named_sites, searched_sites, why
from connectors.errors import ConnectorError

if TYPE_CHECKING:
    from connectors.microsoft365.device_code import DeviceCode
    from connectors.microsoft365.graph import Graph

_TO_LIST, _TO_GRANT = "Sites.Read.All", "Sites.FullControl.All"
_SAY_SITE = "with --site https://…, or in the settings"


@dataclass(frozen=True, slots=True)
class Said:
    """What the options said; what is none was not said."""

    tenant: str | None
    grant: str | None
    sites: tuple[str, ...]
    client_id: str | None
    yes: bool
    json: bool


@dataclass(frozen=True, slots=True)
class _Wish:
    """Which right which of our apps is to have, at which addresses."""

    right: Right
    app: tenancy.Role
    client_id: str
    sites: tuple[str, ...]


def sign_in_and_do(said: Said, state: Path | None, config: Path | None) -> None:
    """Signs a person in, then lists sites or makes the grants. Nothing is granted that was not agreed to."""
    settings = bootstrap.settings_from(config)
    tenant, *more = tenancy.tenants_named(settings, said.tenant)
    if more:
        raise UsageError("The settings name several tenants. Say which one:  --tenant NAME")
    wish = _wish(said, tenant)
    if wish is not None and not said.yes and not sys.stdin.isatty():
        raise UsageError("A grant has to be agreed to, and there is nobody to ask. Use --yes if it is agreed.")
    directory = bootstrap.state_directory(state, settings, create=False)
    client_id, right = said.client_id or COMMAND_LINE_TOOLS, _TO_LIST if wish is None else _TO_GRANT
    shared = directory if directory.is_dir() else None
    with said_plainly(tenant.name), signed_in(tenant, client_id, right, _show, shared) as graph:
        if wish is None:
            _list(tenant, graph, said.json)
        else:
            _grant(tenant, wish, graph, said)


def _wish(said: Said, tenant: TenantSettings) -> _Wish | None:
    if said.grant is None:
        if said.sites:
            raise UsageError("--site says where to grant something. Say what:  --grant read")
        return None
    right = next((one for one in GRANTS if one == said.grant), None)
    if right is None:
        raise UsageError(f"--grant {said.grant!r}: there is no such right. Known are {', '.join(GRANTS)}.")
    named = tenant.sites if isinstance(tenant.sites, tuple) else ()
    if not (said.sites or named):
        raise UsageError(f"Say at which sites, {_SAY_SITE}: a grant is for single sites.")
    role: tenancy.Role = "reader" if right == "read" else "writer"
    client_id = tenancy.app_of(tenant, role).client_id
    if client_id is None:
        raise UsageError(f"The {role} of {tenant.name} is a managed identity: what it may do is granted by hand.")
    return _Wish(right, role, client_id, said.sites or named)


def _show(code: DeviceCode) -> None:
    typer.echo(f"Open {code.url} in any browser, and type in this code:  {code.user_code}", err=True)
    typer.echo(f"Waiting for at most {code.lives_seconds / 60:.0f} minutes …", err=True)


def _list(tenant: TenantSettings, graph: Graph, json: bool) -> None:
    found = list(searched_sites(tenant, graph))
    if json:
        _print({"sites": [site_facts(site) for site in found]})
    else:
        tell_sites([(tenant.name, found)])


def _grant(tenant: TenantSettings, wish: _Wish, graph: Graph, said: Said) -> None:
    found = list(named_sites(tenant, wish.sites, graph))
    there = [site for site in found if isinstance(site, Site)]
    silent = [site for site in found if isinstance(site, Silent)]
    if there and not _is_agreed(wish, there, said):
        raise typer.Exit
    made: list[Granted] = []
    for site in there:
        try:
            made.append(grant(site, wish.client_id, f"retentiond {wish.app}", wish.right, graph))
        except ConnectorError as error:
            silent.append(Silent("site", site.url, why(error)))
    if said.json:
        _print(_facts(wish, made, silent))
    else:
        _tell(wish, made, silent)
    if silent:
        raise typer.Exit(ExitCode.ITEMS_FAILED)


def _is_agreed(wish: _Wish, sites: Sequence[Site], said: Said) -> bool:
    if said.yes:
        return True
    typer.echo(f"\nThe {wish.app} ({wish.client_id}) is to have the right {wish.right!r} at:", err=True)
    for site in sites:
        typer.echo(f"  {site.url}  ({site.name})", err=True)
    return typer.confirm("Grant this?", default=False, err=True)


def _tell(wish: _Wish, made: Sequence[Granted], silent: Sequence[Silent]) -> None:
    for one in made:
        done = f"granted {wish.right}" if one.done else f"it has {one.before} already"
        typer.echo(f"{one.site.url}: {done}")
    for lost in silent:
        typer.echo(f"{lost.place}: NOT granted: {lost.why}")
    if made:
        typer.echo("It may take Microsoft some minutes. Then:  retentiond m365 check")


def _facts(wish: _Wish, made: Sequence[Granted], silent: Sequence[Silent]) -> dict[str, Any]:
    return {
        "app": wish.app,
        "client_id": wish.client_id,
        "right": wish.right,
        "sites": [{"url": one.site.url, "granted": one.done, "before": one.before} for one in made],
        "failed": [{"url": one.place, "why": one.why} for one in silent],
    }


def _print(facts: dict[str, Any]) -> None:
    typer.echo(codec.dumps(facts, indent=2, ensure_ascii=False))
