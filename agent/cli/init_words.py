"""What `retentiond init --system` says: what was found, what was done, and what comes next."""

from __future__ import annotations

import json as codec
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from agent.model.schedule import RetentionSchedule
from agent.reports.words import say_count
from agent.settings import Settings
from agent.usecases import set_up as plan
from agent.usecases.set_up_keys import VaultRoot
from agent.usecases.set_up_machine import Machine
from agent.usecases.set_up_places import Place, most_watches
from agent.usecases.set_up_seal import HOST_KEY
from agent.usecases.set_up_settings import may_act
from agent.usecases.set_up_tenant import SCAN_DROP_IN
from agent.vault.medium import overwriting_doubts

_UNIT_FOLDERS = ("/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system")
SWITCH_ON = "docs/how-to/switch-on-disposition.md"


@dataclass(frozen=True, slots=True)
class Outcome:
    """All there is to tell. `reloaded` is empty if systemd was told, else why not; none if it does not run here."""

    machine: Machine
    places: tuple[Place, ...]
    did: tuple[plan.Did, ...]
    root_key: VaultRoot
    settings: Settings
    schedule: RetentionSchedule
    reloaded: str | None
    shipped_units: Path


def tell_places(places: Sequence[Place]) -> None:
    typer.echo("Shares:")
    for place in places:
        typer.echo(f"  {place.share.name}: {place.share.path}")
        for said in abilities(place):
            typer.echo(f"    {said}")


def abilities(place: Place) -> Iterator[str]:
    """What can be done in a share, in sentences."""
    mount, trial = place.mount, place.trial
    yield f"File system {mount.kind}, mounted at {mount.at}{', read-only' if mount.read_only else ''}."
    yield (
        f"Changes are told at once in {say_count(place.folders, 'folder')}."
        if place.is_watched
        else "It lies on another machine, which tells of no changes: they are found when it is gone through each night."
    )
    yield (
        "Reading keeps access times."
        if place.keeps_access_times
        else "Reading would change access times here; the service sees shares read-only, by which they are kept."
    )
    if trial is None:
        yield "Nothing can be written here: no tags, no quarantine."
        return
    yield "Files can carry tags." if trial.tags else "Files cannot carry tags here."
    if not trial.never_replaces:
        yield "No safe quarantine: nothing can be moved here without the danger of replacing something else."
    elif trial.tells_open:
        yield "Safe quarantine: nothing is ever replaced, and a file that somebody has open is left alone."
    else:
        yield "Safe quarantine: nothing is ever replaced. Whether a file is open is not told: it must have been quiet."


def tell_pending(pending: Sequence[plan.Named] | None, unknown: Sequence[str]) -> None:
    typer.echo("\nTo be set up:", err=True)
    if unknown:
        typer.echo(f"  users and group of the service: {', '.join(unknown)} (systemd-sysusers)", err=True)
    for named in pending or ():
        typer.echo(f"  {named.what}: {named.path}", err=True)
    if pending is None:
        typer.echo("  settings, schedule, state directory, keys, vault, and what systemd must know", err=True)


def tell(outcome: Outcome) -> None:
    """All of it, for people."""
    done = [did for did in outcome.did if did.lacked]
    typer.echo("\nSet up:" if done else "\nEverything is there already: nothing was changed.")
    for did in done:
        typer.echo(f"  {did.what}: {did.path} ({did.lacked})")
        if did.kept is not None:
            typer.echo(f"    the old one is kept: {did.kept}")
    typer.echo(f"\n{_say_key(outcome)}")
    for said in _mode(outcome.settings):
        typer.echo(said)
    for said in notes(outcome):
        typer.echo(f"NOTE: {said}")
    typer.echo("\nNext:")
    for command, why in next_steps(outcome):
        typer.echo(f"  {command}\n      {why}")


def _say_key(outcome: Outcome) -> str:
    kept = outcome.root_key
    if kept.is_sealed:
        sealed_with = kept.sealed_with
        return (
            f"The vault's root key is a systemd credential, sealed with {sealed_with}; it is on no disk in the clear."
        )
    why = f": {kept.why_clear}" if kept.why_clear else ""
    return f"The vault's root key is a file that only its user can read{why}."


def _mode(settings: Settings) -> Iterator[str]:
    if may_act(settings):
        yield "A class may act: what reviews have approved is carried out, and the service can write to the shares."
    else:
        mode = settings.disposition.mode
        yield f"Mode: {mode}. Nothing is disposed of, and the service cannot write to any share. To switch it on later:"
        yield f"  {SWITCH_ON}"


def notes(outcome: Outcome) -> Iterator[str]:
    """What somebody should look after."""
    yield from _watches(outcome.places)
    for place in outcome.places:
        if str(place.mount.at) == "/" and place.is_empty:
            yield f"{place.share.path} is empty. If it is to be mounted, mount it before the first scan."
    yield from _roles(outcome.settings, outcome.schedule)
    if outcome.settings.tenants and not outcome.machine.at(SCAN_DROP_IN).exists():
        yield "The services do not reach Microsoft 365 yet. To let them:  retentiond init --m365 --system"
    if outcome.root_key.is_sealed and outcome.root_key.sealed_with == HOST_KEY:
        yield "The host key lies on this machine's disk: whoever has the disk has the root key. A TPM2 would guard it."
    vault = next(did.path for did in outcome.did if did.what == "vault")
    for doubt in overwriting_doubts(str(outcome.machine.at(vault))):
        yield f"What is erased from the vault may outlast it: {doubt}. Put vault.directory and vault.slots elsewhere."
    if not any(outcome.machine.at(f"{folder}/retentiond-scan.service").exists() for folder in _UNIT_FOLDERS):
        yield f"The units are not installed. Install the package, or copy them: {outcome.shipped_units}"
    if outcome.reloaded:
        yield f"systemd could not be told of the shares ({outcome.reloaded}):  systemctl daemon-reload"


def _watches(places: Sequence[Place]) -> Iterator[str]:
    needed, most = sum(place.folders for place in places if place.is_watched), most_watches()
    if most is not None and needed > most:
        enough = 1 << (2 * needed).bit_length()
        yield (
            f"The kernel lets a user watch {most:,} folders, and the shares have {needed:,}. Until that is changed, "
            "changes in them are found when they are gone through each night:  "
            f"echo fs.inotify.max_user_watches={enough} > /etc/sysctl.d/90-retentiond.conf && sysctl --system"
        )


def _roles(settings: Settings, schedule: RetentionSchedule) -> Iterator[str]:
    held = {role.casefold() for one in settings.reviewers for role in one.roles}
    needed = {stage for one in schedule.classes for stage in one.stages if stage.casefold() not in held}
    if not settings.reviewers:
        yield "Nobody is named who takes part in reviews yet: `reviewers` in the settings."
    elif needed:
        yield f"No reviewer has these roles, which the schedule asks for: {', '.join(sorted(needed))}."
    if len(settings.reviewers) == 1:
        yield "One reviewer is named, and nothing is destroyed that two different people have not approved."


def next_steps(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Commands, each with what it is for."""
    units = "retentiond-scan" + (" retentiond-dispose" if may_act(outcome.settings) else "")
    yield f"systemctl enable --now {units}", "starts the service, now and with the machine"
    made = "retentiond vault recovery make --recipient age1… --recipient age1… --output FILE"
    settings = f"--config {plan.SETTINGS}"
    if outcome.root_key.is_sealed:
        credential = f"{outcome.settings.vault.credential}:{plan.SEALED}"
        run = (
            "systemd-run --pipe --wait --collect -p User=retentiond-dispose -p Group=retentiond "
            f"-p {shlex.quote('LoadCredentialEncrypted=' + credential)}"
        )
    else:
        run = "runuser -u retentiond-dispose --"
    yield (
        f"{run} {made} {settings}",
        "gives the root key to two officers: without it nothing comes back out of the vault",
    )
    yield "retentiond status", "shows what was found so far"


def print_facts(outcome: Outcome) -> None:
    """All of it, for programs."""
    key = outcome.root_key
    facts = {
        "settings": str(plan.SETTINGS),
        "schedule": outcome.schedule.id,
        "mode": outcome.settings.disposition.mode,
        "may_act": may_act(outcome.settings),
        "changed": any(did.lacked for did in outcome.did),
        "shares": [_place(place) for place in outcome.places],
        "steps": [
            {
                "what": did.what,
                "path": str(did.path),
                "lacked": did.lacked,
                "kept": None if did.kept is None else str(did.kept),
            }
            for did in outcome.did
        ],
        "root_key": {
            "sealed": key.is_sealed,
            "with": key.sealed_with if key.is_sealed else None,
            "why_clear": key.why_clear or None,
        },
        "systemd_told": None if outcome.reloaded is None else not outcome.reloaded,
        "notes": list(notes(outcome)),
        "next": [{"command": command, "why": why} for command, why in next_steps(outcome)],
    }
    typer.echo(codec.dumps(facts, indent=2, ensure_ascii=False))


def _place(place: Place) -> dict[str, Any]:
    trial = place.trial
    return {
        "name": place.share.name,
        "path": str(place.share.path),
        "file_system": place.mount.kind,
        "mounted_at": str(place.mount.at),
        "read_only": place.mount.read_only,
        "keeps_access_times": place.keeps_access_times,
        "tags": trial is not None and trial.tags,
        "safe_quarantine": trial is not None and trial.never_replaces,
        "tells_open_files": trial is not None and trial.tells_open,
        "watched": place.is_watched,
        "folders": place.folders,
    }
