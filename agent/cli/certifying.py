"""What `retentiond certificate issue` and its like do."""

from __future__ import annotations

import json as codec
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from agent import __version__, bootstrap, strongroom
from agent.catalogue.base import Share
from agent.catalogue.store import Catalogue
from agent.certificate.document import CopyKind
from agent.certificate.issue import PURPOSE, signing_key
from agent.cli.opened import opened
from agent.errors import UsageError
from agent.keys import derive, master_key
from agent.reports.words import say_count
from agent.settings import Settings
from agent.usecases.certify import Certifying, House, KeptElsewhere
from agent.vault.medium import overwriting_doubts


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that certificates are issued with."""

    catalogue: Catalogue
    certify: Certifying
    keys: tuple[str, ...]
    now: datetime
    by: str


@contextmanager
def certifying(state: Path | None, config: Path | None, schedule: str | None) -> Iterator[Desk]:
    """The desk at the catalogue that the options name."""
    settings = bootstrap.settings_from(config)
    directory = bootstrap.state_directory(state, settings, create=False)
    with opened(state, config, schedule) as (catalogue, terms):
        trail = bootstrap.trail(directory)
        seed = derive(master_key(directory / "master.key"), PURPOSE)
        key = signing_key(trail.signing_key.name, seed)
        desk = Certifying(catalogue, terms.schedule, trail, key, _house(settings, directory, catalogue.shares()))
        published = (trail.signing_key.verifier.text, key.verifier.text)
        yield Desk(catalogue, desk, published, bootstrap.now(), bootstrap.who())


def _house(settings: Settings, state: Path, scanned: Sequence[Share]) -> House:
    slots = strongroom.vault_places(settings, state).slots
    doubts = overwriting_doubts(str(slots)) if slots.exists() else ("the file of key slots is not there",)
    told = {share.name: share.copies for share in settings.shares}
    tenants = {tenant.name: tenant.copies for tenant in settings.tenants}
    told |= {share.name: tenants.get(share.tenant, ()) for share in scanned if share.tenant}
    copies = {
        name: tuple(KeptElsewhere(CopyKind(copy.kind), copy.what, copy.days) for copy in kept)
        for name, kept in told.items()
        if kept
    }
    return House(f"retentiond {__version__}", doubts, settings.vault.key_backup_days, copies)


def write(target: Path, data: bytes) -> None:
    """Writes a new file for its owner alone; never over one."""
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(data)
    except OSError as error:
        raise UsageError(
            f"{target}: the certificate cannot be written ({error.strerror}). It is kept; write it elsewhere with "
            "`retentiond certificate fetch`."
        ) from error


def told(facts: dict[str, Any], *, json: bool) -> None:
    """Says what was issued."""
    if json:
        typer.echo(codec.dumps(facts, indent=2))
        return
    typer.echo(f"Certificate {facts['certificate']} over {say_count(facts['items'], 'file')}: {facts['file']}")


def told_list(desk: Desk, *, json: bool) -> None:
    """Says what was issued so far."""
    issued, without = desk.catalogue.certificates.all(), len(desk.certify.pending())
    if json:
        certificates = [
            {"certificate": one.id, "issued_at": one.issued_at.isoformat(), "by": one.issued_by, "items": one.items}
            for one in issued
        ]
        typer.echo(codec.dumps({"certificates": certificates, "without": without}, indent=2))
        return
    for one in issued:
        typer.echo(f"{one.id}  {one.issued_at:%Y-%m-%d %H:%M} UTC  {say_count(one.items, 'file')}, by {one.issued_by}")
    typer.echo(f"Erased and on no certificate yet: {say_count(without, 'file')}.")
