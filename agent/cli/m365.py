"""`retentiond m365`: how we stand with tenants of Microsoft 365, and letting our app registrations in at sites."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli import options

if TYPE_CHECKING:
    from agent import tenancy
    from agent.settings import Settings, TenantSettings
    from agent.usecases.tenant_access import Access

m365_app = typer.Typer(
    help="Find out how we stand with tenants of Microsoft 365: what works, which rights are missing or too much, which "
    "sites there are; and let our app registrations in at single sites.\n\n"
    "Example:  retentiond m365 check",
    no_args_is_help=True,
)

_Tenant = Annotated[
    str | None,
    typer.Option("--tenant", metavar="NAME", help="Only this one, by its name in the settings.", show_default=False),
]


@m365_app.command("check")
def check(
    tenant: _Tenant = None,
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Say of each tenant whether we can sign in, what of all that is wanted will work, and what it lacks.

    It asks Microsoft, and changes nothing there. Exit code 3: something that is wanted will not work.

    Example:  retentiond m365 check --tenant contoso
    """
    from agent import bootstrap, tenancy
    from agent.cli import m365_words
    from agent.errors import ExitCode

    settings = bootstrap.settings_from(config)
    reports = []
    for one in tenancy.tenants_named(settings, tenant):
        found = _access(one, state, settings)
        expires = {role: tenancy.expires_at(tenancy.app_of(one, role.value)) for role in found.answered}
        reports.append(m365_words.Report(one, expires, found, tenancy.budget_of(one), bootstrap.now()))
    if json:
        m365_words.print_reports(reports)
    else:
        m365_words.tell_reports(reports)
    if not all(report.access.works for report in reports):
        raise typer.Exit(ExitCode.ITEMS_FAILED)


@m365_app.command("sites")
def sites(
    tenant: _Tenant = None,
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """List the SharePoint sites that the reader may see, and which of them the settings want looked at.

    Where it may not list all sites (Sites.Selected), those that the settings name are asked one by one.

    Example:  retentiond m365 sites --json
    """
    from agent import bootstrap, tenancy
    from agent.cli import m365_words
    from agent.usecases.tenant_access import sites as sites_of

    settings = bootstrap.settings_from(config)
    found = []
    for one in tenancy.tenants_named(settings, tenant):
        with reaching(one, "reader", state, settings) as reach, m365_words.said_plainly(one.name):
            found.append((one.name, list(sites_of(one, reach.graph()))))
    (m365_words.print_sites if json else m365_words.tell_sites)(found)


@m365_app.command("sign-in")
def sign_in(
    tenant: _Tenant = None,
    grant: Annotated[
        str | None,
        typer.Option(
            "--grant",
            metavar="RIGHT",
            help="Let our app in at sites: read for the reader; write, owner or fullcontrol for the writer.",
            show_default=False,
        ),
    ] = None,
    site: Annotated[
        list[str] | None,
        typer.Option(
            "--site",
            metavar="URL",
            help="At this site. May be repeated. Left out: those that the settings name.",
            show_default=False,
        ),
    ] = None,
    client_id: Annotated[
        str | None,
        typer.Option(
            "--client-id",
            metavar="ID",
            help="Sign in by this app registration. Left out: Microsoft Graph Command Line Tools.",
            show_default=False,
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Grant without asking.")] = False,
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Sign in yourself, as an administrator of SharePoint, to list sites or to let our app registrations in at them.

    You are shown a code, which you type into Microsoft's page in any browser. What you may do there, this may do until
    it ends; nothing of it is kept. Without --grant it only lists sites.

    Example:  retentiond m365 sign-in --tenant contoso --grant read --site https://contoso.sharepoint.com/sites/hr
    """
    from agent.cli.m365_sign_in import Said, sign_in_and_do

    sign_in_and_do(Said(tenant, grant, tuple(site or ()), client_id, yes=yes, json=json), state, config)


def _access(tenant: TenantSettings, state: Path | None, settings: Settings) -> Access:
    from agent import tenancy
    from agent.usecases.tenant_access import Way, access
    from agent.usecases.tenant_rights import Role

    with ExitStack() as opened:
        ways = {}
        for role in Role:
            if role is Role.READER or tenant.writer is not None:
                reach = opened.enter_context(reaching(tenant, role.value, state, settings))
                ways[role] = Way(
                    reach.tokens.roles, functools.partial(reach.graph), functools.partial(reach.graph, "exchange")
                )
        return access(tenant, ways, tenancy.lacks_of(tenant))


@contextmanager
def reaching(
    tenant: TenantSettings, role: tenancy.Role, state: Path | None, settings: Settings
) -> Iterator[tenancy.Reach]:
    """The way to the tenant in that role, which is closed behind it; the gates are those of the service, if it runs."""
    from agent import bootstrap, tenancy

    directory = bootstrap.state_directory(state, settings, create=False)
    reach = tenancy.Reach(tenant, role, directory if directory.is_dir() else None)
    try:
        yield reach
    finally:
        reach.close()
