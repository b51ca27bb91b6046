"""`retentiond status`: what is known, how fresh it is, and what is wrong."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import typer

from agent.cli import options

if TYPE_CHECKING:
    from agent.catalogue.store import Catalogue


def status(state: options.State = None, config: options.Config = None, json: options.Json = False) -> None:
    """Show the shares, their last scans, and whether everything is accounted for.

    Example:  retentiond status --json
    """
    from agent import bootstrap
    from agent.reports.words import say_confinement
    from connectors.base import show_name

    settings = bootstrap.settings_from(config)
    directory = bootstrap.state_directory(state, settings, create=False)
    with bootstrap.open_catalogue(directory) as catalogue:
        facts: dict[str, Any] = {"state": show_name(os.fsencode(directory)), "shares": _shares(catalogue)}
    confinement = bootstrap.confinement(settings)
    facts["confinement"] = {"landlock": confinement.landlock, "unrefused": list(confinement.unrefused)}
    if json:
        import json as codec

        typer.echo(codec.dumps(facts, indent=2, ensure_ascii=False))
        return
    _tell(facts)
    typer.echo(say_confinement(confinement))


def _shares(catalogue: Catalogue) -> list[dict[str, Any]]:
    shares = []
    for share in catalogue.shares():
        last = catalogue.last_pass(share)
        facts: dict[str, Any] = {"share": share.name, "location": share.location, "last_scan": None}
        if last is not None:
            facts["last_scan"] = {
                "started_at": last.started_at.isoformat(),
                "ended_at": last.ended_at.isoformat() if last.ended_at else None,
                "complete": last.complete,
                "reconciles": last.reconciles,
                "seen": last.seen,
                "scanned": last.scanned,
                "skipped": dict(last.skipped),
                "failed": dict(last.failed),
                "unreached": last.unreached,
                "missing": last.missing,
                "extraction": dict(last.extraction),
                "folders_not_listed": len(last.folders_not_listed),
            }
            facts["findings"] = {
                entity: {"items": items, "values": values}
                for entity, (items, values) in catalogue.findings_summary(share).items()
            }
        shares.append(facts)
    return shares


def _tell(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("Share", "Last scan", "Seen", "Scanned", "Skipped", "Failed", "Accounted for")
    for share in facts["shares"]:
        last = share["last_scan"]
        if last is None:
            table.add_row(escape(share["location"]), "never")
            continue
        if last["ended_at"]:
            when = last["ended_at"][:16].replace("T", " ")
            accounted = "yes" if last["reconciles"] else "NO"
        else:
            when, accounted = "interrupted; the next scan goes on", "not yet"
        skipped, failed = sum(last["skipped"].values()), sum(last["failed"].values())
        counts = (f"{count:,}" for count in (last["seen"], last["scanned"], skipped, failed))
        table.add_row(escape(share["location"]), when, *counts, accounted)
    console = Console()
    console.print(table)
    console.print(f"State: {facts['state']}", highlight=False, markup=False, soft_wrap=True)
