"""`retentiond audit`: can anybody have changed what was recorded?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from agent.cli import options

_MOST_BYTES = 64 * 1024 * 1024  # of checkpoints kept outside: some hundred thousand of them

audit_app = typer.Typer(
    help="Prove that the record of events, holds and reviews is what it was.\n\n"
    "Example:  retentiond audit verify --checkpoints /mnt/other/checkpoints",
    no_args_is_help=True,
)


@audit_app.command("verify")
def verify(
    checkpoints: Annotated[
        list[Path] | None,
        typer.Option("--checkpoints", help="A file with checkpoints kept outside; may be given several times."),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", help="A verifier key by which this log has also signed, as `audit key` printed it."),
    ] = None,
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Recompute the log, hold it against its checkpoints, and the catalogue against it.

    Exit code 8: something was changed; 9: the log was cut; 10: it was set back; 11: it cannot be verified.

    Example:  retentiond audit verify --checkpoints /mnt/other/checkpoints --json
    """
    from agent.audit.anchors import notes_in
    from agent.audit.checkpoint import VerifierKey
    from agent.audit.log import AuditLog
    from agent.audit.verify import Trouble
    from agent.audit.verify import verify as recompute
    from agent.errors import ExitCode, UsageError
    from agent.reports.words import say_count

    outside = {}
    for path in checkpoints or []:
        try:
            with open(path, "rb") as file:
                notes = notes_in(file.read(_MOST_BYTES))
        except OSError as error:
            raise UsageError(f"{path}: the checkpoints cannot be read ({error.strerror}).") from error
        outside.update({f"checkpoint {number} of {path}": note for number, note in enumerate(notes, start=1)})
    with _opened(state, config) as (catalogue, trail):
        keys = [trail.signing_key.verifier, *map(VerifierKey.parse, key or [])]
        with catalogue.connected() as connection:
            told = recompute(connection, keys, outside)
            disagreements = list(trail.disagreements(catalogue, AuditLog(connection))) if told.good else []
    found = [{"trouble": one.trouble.value, "entry": one.position, "said": one.said} for one in told.findings]
    found += [{"trouble": Trouble.MISMATCH.value, "entry": None, "said": said} for said in disagreements]
    facts = {
        "entries": told.size,
        "covered_by_checkpoints": told.covered,
        "checkpoints": told.checkpoints,
        "root": told.root.hex(),
        "good": not found,
        "findings": found,
    }
    if json:
        _print(facts)
    else:
        for one in found:
            typer.echo(f"{str(one['trouble']).upper()}: {one['said']}")
        good = "nothing was changed" if not found else say_count(len(found), "finding")
        typer.echo(f"{told.size:,} entries, {told.covered:,} of them under {told.checkpoints:,} checkpoints: {good}.")
    codes = {
        Trouble.ROLLBACK: ExitCode.LOG_ROLLED_BACK,
        Trouble.TRUNCATION: ExitCode.LOG_TRUNCATED,
        Trouble.MISMATCH: ExitCode.LOG_MISMATCH,
        Trouble.UNVERIFIABLE: ExitCode.LOG_UNVERIFIABLE,
    }
    troubles = {one["trouble"] for one in found}
    for trouble, code in codes.items():
        if trouble.value in troubles:
            raise typer.Exit(code)


@audit_app.command("checkpoint")
def checkpoint(
    to: Annotated[Path | None, typer.Option("--to", help="Append it to this file, best on another machine.")] = None,
    syslog: Annotated[bool, typer.Option("--syslog", help="Send it to the system's log service.")] = False,
    command: Annotated[
        str | None, typer.Option("--command", help="Run this command, which gets it on its standard input.")
    ] = None,
    state: options.State = None,
    config: options.Config = None,
) -> None:
    """Print the newest checkpoint, and bring it to where whoever rules this machine cannot take it back.

    Example:  retentiond audit checkpoint --to /mnt/other/checkpoints
    """
    import shlex

    from agent.audit.anchors import Anchor, CommandAnchor, FileAnchor, SyslogAnchor
    from agent.audit.log import AuditLog

    with _opened(state, config) as (catalogue, trail), catalogue.recording() as connection:
        note = AuditLog(connection).checkpoint(connection, trail.signing_key)
    anchors: list[Anchor] = []
    anchors += [FileAnchor(to)] if to else []
    anchors += [SyslogAnchor()] if syslog else []
    anchors += [CommandAnchor(shlex.split(command))] if command else []
    for anchor in anchors:
        anchor.publish(note)
    typer.echo(note.decode(), nl=False)


@audit_app.command("show")
def show(
    last: Annotated[int, typer.Option("--last", min=1, help="How many entries, from the end.")] = 20,
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Print the last entries. Persons and files appear as keyed hashes.

    Example:  retentiond audit show --last 100
    """
    from agent.audit.log import AuditLog

    with _opened(state, config) as (catalogue, _), catalogue.connected() as connection:
        log = AuditLog(connection)
        entries = [_entry(position, leaf) for position, leaf in log.entries(max(0, log.size - last))]
    if json:
        _print({"entries": entries})
        return
    for one in entries:
        about = ", ".join(f"{name} {value}" for name, value in one["references"].items())
        actor = f" by {one['actor'][:8]}…" if one["actor"] else ""
        typer.echo(f"{one['entry']:>8}  {one['at'][:19]}  {one['kind'].replace('_', ' ')}{actor}: {about}")


@audit_app.command("key")
def key(state: options.State = None, config: options.Config = None) -> None:
    """Print the key by which anybody can check a checkpoint. Keep it where the checkpoints are.

    Example:  retentiond audit key > /mnt/other/retentiond.key
    """
    with _opened(state, config) as (_, trail):
        typer.echo(trail.signing_key.verifier.text)


def _opened(state: Path | None, config: Path | None) -> Any:
    from contextlib import contextmanager

    from agent import bootstrap

    @contextmanager
    def opened() -> Any:
        directory = bootstrap.state_directory(state, bootstrap.settings_from(config), create=False)
        with bootstrap.open_catalogue(directory) as catalogue:
            yield catalogue, bootstrap.trail(directory)

    return opened()


def _entry(position: int, leaf: Any) -> dict[str, Any]:
    return {
        "entry": position,
        "at": leaf.at.isoformat(),
        "kind": leaf.kind.value,
        "actor": leaf.actor.hex() if leaf.actor else None,
        "item": leaf.item.hex() if leaf.item else None,
        "before": leaf.before or None,
        "after": leaf.after or None,
        "references": {name.value: value for name, value in leaf.references.items()},
    }


def _print(facts: dict[str, Any]) -> None:
    import json

    typer.echo(json.dumps(facts, indent=2, ensure_ascii=False))
