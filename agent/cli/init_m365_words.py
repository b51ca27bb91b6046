"""What `retentiond init --m365` says: what was done, what is to be uploaded and granted, and what comes next."""

from __future__ import annotations

import json as codec
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import typer

from agent.settings import Settings, TenantSettings
from agent.usecases import set_up as plan
from agent.usecases.set_up_certificates import Certificate
from agent.usecases.tenant_rights import Extent, Role, to_consent, wanted_of

HOW_TO = "docs/how-to/connect-microsoft-365.md"


@dataclass(frozen=True, slots=True)
class App:
    """An app registration whose key lies here, and the certificate that it must know."""

    tenant: TenantSettings
    app: str
    public: PurePosixPath
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class Outcome:
    """All there is to tell. `is_set_up`: the service has been set up; `told_systemd`: systemd knows of this."""

    file: PurePosixPath
    did: tuple[plan.Did, ...]
    settings: Settings
    apps: tuple[App, ...]
    system: bool
    is_set_up: bool
    told_systemd: bool


def tell_pending(pending: Sequence[plan.Named]) -> None:
    typer.echo("\nTo be set up:", err=True)
    for named in pending:
        typer.echo(f"  {named.what}: {named.path}", err=True)


def tell(outcome: Outcome) -> None:
    """All of it, for people."""
    done = [did for did in outcome.did if did.lacked]
    typer.echo("Set up:" if done else "Everything is there already: nothing was changed.")
    for did in done:
        typer.echo(f"  {did.what}: {did.path} ({did.lacked})")
        if did.kept is not None:
            typer.echo(f"    the old one is kept: {did.kept}")
    for app in outcome.apps:
        typer.echo(f"\n{app.tenant.name}, {app.app}: for the app registration {_client_id(app)}")
        typer.echo(f"  Upload:    {app.public}")
        typer.echo(f"  SHA-256:   {app.certificate.sha256}")
        typer.echo(f"  SHA-1:     {app.certificate.sha1}  (what Entra shows as thumbprint)")
        typer.echo(f"  Valid to:  {app.certificate.expires_at:%Y-%m-%d}")
        typer.echo(f"  Grant:     {', '.join(rights_of(app)) or 'nothing yet'}  (application permissions of Graph)")
    typer.echo("\nNext:")
    for command, why in next_steps(outcome):
        typer.echo(f"  {command}\n      {why}")


def rights_of(app: App) -> tuple[str, ...]:
    """The least rights for what the settings want of the tenant."""
    return to_consent(wanted_of(app.tenant), Role(app.app))


def next_steps(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Commands, or what is done elsewhere, each with what it is for."""
    if outcome.apps:
        yield (
            "https://entra.microsoft.com > App registrations > Certificates & secrets, API permissions",
            f"upload each certificate, add the permissions, grant admin consent: {HOW_TO}",
        )
    config = "" if outcome.system else f" --config {outcome.file}"
    for tenant in outcome.settings.tenants:
        if wanted_of(tenant).sites is Extent.LISTED:
            for app, right in (("reader", "read"), ("writer", "write")):
                if app == "reader" or tenant.writer is not None:
                    yield (
                        f"retentiond m365 sign-in --tenant {tenant.name} --grant {right}{config}",
                        f"as an administrator of SharePoint: lets the {app} at the listed sites, and only these",
                    )
    if outcome.system and not outcome.is_set_up:
        yield "retentiond init --system", "sets up the rest of the service: state directory, keys, vault"
    yield f"retentiond m365 check{config}", "says what works and which rights are missing or too much"
    if outcome.system:
        if not outcome.told_systemd:
            yield "systemctl daemon-reload", "systemd could not be told of the new drop-ins"
        yield "systemctl restart retentiond-scan", "lets the service have its credentials and the network"


def print_facts(outcome: Outcome) -> None:
    """All of it, for programs."""
    facts: dict[str, Any] = {
        "settings": str(outcome.file),
        "tenants": [tenant.name for tenant in outcome.settings.tenants],
        "changed": any(did.lacked for did in outcome.did),
        "steps": [
            {
                "what": did.what,
                "path": str(did.path),
                "lacked": did.lacked,
                "kept": None if did.kept is None else str(did.kept),
            }
            for did in outcome.did
        ],
        "apps": [
            {
                "tenant": app.tenant.name,
                "app": app.app,
                "client_id": _client_id(app),
                "certificate": str(app.public),
                "sha256": app.certificate.sha256,
                "sha1": app.certificate.sha1,
                "expires_on": app.certificate.expires_at.date().isoformat(),
                "grant": list(rights_of(app)),
            }
            for app in outcome.apps
        ],
        "next": [{"command": command, "why": why} for command, why in next_steps(outcome)],
    }
    typer.echo(codec.dumps(facts, indent=2, ensure_ascii=False))


def _client_id(app: App) -> str | None:
    chosen = app.tenant.reader if app.app == "reader" else app.tenant.writer
    return None if chosen is None else chosen.client_id
