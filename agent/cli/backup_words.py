"""What `retentiond backup` says: facts about backups as sentences, and as JSON."""

from __future__ import annotations

import json as codec
from pathlib import Path
from typing import Any

import typer

from agent.audit.verify import Trouble
from agent.errors import AgentError, ExitCode
from agent.reports.words import say_count, say_day, say_moment, say_size
from agent.settings import load_settings
from agent.usecases.backup import Made
from agent.usecases.backup_manifest import Manifest
from agent.usecases.backup_restore import Restored
from agent.usecases.backup_verify import Verdict

_LOG_CODES = {
    Trouble.ROLLBACK: ExitCode.LOG_ROLLED_BACK,
    Trouble.TRUNCATION: ExitCode.LOG_TRUNCATED,
    Trouble.MISMATCH: ExitCode.LOG_MISMATCH,
    Trouble.UNVERIFIABLE: ExitCode.LOG_UNVERIFIABLE,
}


def print_json(facts: dict[str, Any]) -> None:
    typer.echo(codec.dumps(facts, indent=2, ensure_ascii=False))


def exit_code(verdict: Verdict) -> ExitCode:
    """What the verdict tells a script: what is wrong with the backup itself comes first."""
    if verdict.faults:
        return ExitCode.NOT_WHOLE
    troubles = {trouble for trouble, _ in verdict.log_faults}
    return next((code for trouble, code in _LOG_CODES.items() if trouble in troubles), ExitCode.OK)


def made_facts(made: Made, keys: Path | None) -> dict[str, Any]:
    rotated = made.rotated
    return {
        "backup": str(made.path),
        "size_bytes": made.size_bytes,
        **_manifest_facts(made.manifest),
        "keys": None if keys is None else str(keys),
        "deleted": [str(path) for path in rotated.deleted] if rotated else [],
        "left_alone": [str(path) for path in rotated.left] if rotated else [],
    }


def tell_made(made: Made, keys: Path | None) -> None:
    """What was written and where, what is not in it, and what the keys mean for erasure."""
    manifest = made.manifest
    typer.echo(f"{made.path}: {say_size(made.size_bytes)}, readable by its owner alone.")
    for line in _contents(manifest):
        typer.echo(f"  {line}")
    if keys is None:
        typer.echo(
            "No key is in it. Without master.key it cannot be verified or used: write the keys once, with --keys and "
            "--recipient, and keep that file elsewhere."
        )
    else:
        _tell_keys(manifest, keys)
    if made.rotated is not None:
        for path in made.rotated.deleted:
            typer.echo(f"Deleted, since there are newer ones: {path}")
        for path in made.rotated.left:
            typer.echo(f"Left alone, since nothing proves that it is ours: {path}")


def _tell_keys(manifest: Manifest, keys: Path) -> None:
    typer.echo(f"{keys}: the keys, for the recipients alone. Keep it away from the backup and from this machine.")
    told = manifest.keys
    if told is not None and told.delete_by is not None:
        typer.echo(
            "ATTENTION: the vault's key slots are in it. As long as that file exists, what is erased from now on is "
            f"not beyond recovery. Delete it by {say_day(told.delete_by)}: certificates promise that."
        )
    elif manifest.vault is not None:
        typer.echo(
            "The vault's key slots are not in it: what lies in the vault can be opened again only as long as the slots "
            "themselves are there (--with-slots)."
        )


def verdict_facts(file: Path, verdict: Verdict) -> dict[str, Any]:
    log, vault = verdict.log, verdict.vault
    return {
        "backup": str(file),
        "good": verdict.good,
        "size_bytes": verdict.size_bytes,
        **_manifest_facts(verdict.manifest),
        "faults": list(verdict.faults),
        "log": None
        if log is None
        else {
            "entries": log.size,
            "covered_by_checkpoints": log.covered,
            "checkpoints": log.checkpoints,
            "root": log.root.hex(),
            "findings": [{"trouble": trouble.value, "said": said} for trouble, said in verdict.log_faults],
        },
        "vault_now": None
        if vault is None
        else {"same": vault.same, "gone": vault.gone, "new": vault.new, "fates_asked": vault.asked},
        "not_checked": list(verdict.unchecked),
        "notes": list(verdict.notes),
    }


def tell_verdict(file: Path, verdict: Verdict) -> None:
    """What is wrong, what could not be checked, and what a person should do."""
    for fault in verdict.faults:
        typer.echo(f"DAMAGED: {fault}")
    for trouble, said in verdict.log_faults:
        typer.echo(f"{trouble.value.upper()}: {said}")
    for line in _contents(verdict.manifest):
        typer.echo(line)
    if verdict.log is not None:
        log = verdict.log
        typer.echo(
            f"Audit log: {say_count(log.size, 'entry', 'entries')} recomputed, {log.covered:,} of them under "
            f"{say_count(log.checkpoints, 'checkpoint')}."
        )
    if verdict.vault is not None:
        vault = verdict.vault
        typer.echo(
            f"Vault, as it is now: {say_count(vault.same, 'object')} as in the backup, {vault.gone:,} gone since, "
            f"{vault.new:,} new."
        )
    for said in verdict.unchecked:
        typer.echo(f"NOT CHECKED: {said}")
    for said in verdict.notes:
        typer.echo(f"Note: {said}")
    typer.echo(f"{file}: {'good' if verdict.good else 'NOT good'}.")


def restored_facts(restored: Restored) -> dict[str, Any]:
    return {
        "state": str(restored.state),
        **_manifest_facts(restored.manifest),
        "settings": None if restored.settings is None else str(restored.settings),
        "schedule": None if restored.schedule is None else str(restored.schedule),
        "master_key": restored.master,
        "root_key": restored.root,
        "key_slots": restored.slots,
        "objects": restored.objects,
        "vault_opens": restored.opens,
    }


def tell_restored(restored: Restored) -> None:
    """What lies where, and what a person still has to do."""
    manifest, state = restored.manifest, restored.state
    typer.echo(f"{state}: restored as of {say_moment(manifest.made_at)}.")
    for line in _contents(manifest):
        typer.echo(f"  {line}")
    typer.echo("Now:")
    for line in _still_to_do(restored):
        typer.echo(f"  - {line}")


def _still_to_do(restored: Restored) -> list[str]:
    manifest, state = restored.manifest, restored.state
    lines = []
    if not restored.master:
        lines.append(f"Put master.key into {state} (mode 0600) before any other command runs there.")
    if restored.settings is not None:
        lines.append(f"Put {restored.settings} back where it lay: {manifest.settings}")
        lines += [
            f"It says where {field} is ({place}); what was restored lies in {state}. Move it, or take that line out."
            for field, place in _elsewhere(restored.settings)
        ]
    if "/" in manifest.schedule or manifest.schedule.endswith((".yaml", ".yml")):
        lines.append(f"Put {restored.schedule} back where it lay: {manifest.schedule}")
    if manifest.vault is not None:
        lines += _vault_to_do(restored)
    lines += [
        f"Verify:  retentiond audit verify --state {state} --checkpoints FILE, with the checkpoints kept outside: they "
        "show what was recorded after this backup.",
        f"What was done after {say_moment(manifest.made_at)} is not known here: events, holds, reviews, and what was "
        "destroyed, which counts as there again. Record it again, then scan, before anything is disposed of.",
    ]
    return lines


def _vault_to_do(restored: Restored) -> list[str]:
    vault, state = restored.manifest.vault, restored.state
    lines = []
    if vault is not None and not vault.with_objects and vault.objects:
        lines.append(
            f"The vault's {say_count(vault.objects, 'object')} were not in the backup: put them from their own copy "
            f"into {state}/vault/objects, or point vault.directory to the vault that still exists."
        )
    if not restored.slots:
        lines.append(
            f"The vault's key slots were not restored: nothing in {state}/vault opens before the file of slots that is "
            "in use is back (vault.slots)."
        )
    else:
        lines.append(
            "The key slots are back, and with them the keys of what was erased after this backup: destroy that again, "
            "then:  retentiond dispose erase"
        )
    if restored.root:
        lines.append(
            f"The vault's root key lies in {state}/vault.key. Where systemd is to have it, encrypt it with "
            "systemd-creds and remove the file:  shred --remove"
        )
    return lines


def _elsewhere(settings: Path) -> list[tuple[str, str]]:
    """Which places the restored settings name."""
    try:
        said = load_settings(settings)
    except AgentError:
        return []
    named = {
        "state": said.state,
        "vault.directory": said.vault.directory,
        "vault.slots": said.vault.slots,
        "vault.key_file": said.vault.key_file,
    }
    return [(field, place) for field, place in named.items() if place]


def _contents(manifest: Manifest) -> list[str]:
    lines = [
        f"Backup of {say_moment(manifest.made_at)}, by version {manifest.version}, schema {manifest.schema}; "
        f"audit log with {say_count(manifest.log.entries, 'entry', 'entries')}."
    ]
    vault = manifest.vault
    if vault is None:
        lines.append("There was no vault.")
    elif vault.with_objects:
        lines.append(f"With the vault: {say_count(vault.objects, 'object')}, {say_size(vault.stored_bytes)}.")
    else:
        lines.append(
            f"With the list of {say_count(vault.objects, 'object')} in the vault ({say_size(vault.stored_bytes)}), "
            "not with the objects themselves."
        )
    if vault is not None and vault.unreadable:
        lines.append(f"UNREADABLE: {say_count(len(vault.unreadable), 'object')}. Run: retentiond vault verify")
    return lines


def _manifest_facts(manifest: Manifest) -> dict[str, Any]:
    vault, keys = manifest.vault, manifest.keys
    return {
        "id": manifest.id,
        "made_at": manifest.made_at.isoformat(),
        "version": manifest.version,
        "schema": manifest.schema,
        "log_entries": manifest.log.entries,
        "log_root": manifest.log.root,
        "vault": None
        if vault is None
        else {
            "id": vault.id,
            "with_objects": vault.with_objects,
            "objects": vault.objects,
            "stored_bytes": vault.stored_bytes,
            "gone_meanwhile": list(vault.gone_meanwhile),
            "unreadable": list(vault.unreadable),
        },
        "key_slots_delete_by": keys.delete_by.isoformat() if keys is not None and keys.delete_by is not None else None,
    }
