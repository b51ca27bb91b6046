"""`retentiond fsck`: where is every file that was ever seen?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli import options

if TYPE_CHECKING:
    from agent.fsck.base import Note, Problem, Report, VaultFiles
    from agent.settings import Settings


def fsck(
    sample: Annotated[
        float | None,
        typer.Option(
            "--sample",
            metavar="PERCENT",
            help="Read only so many of the vault's objects, chosen at random; the keys of all are tried.",
            show_default=False,
        ),
    ] = None,
    no_vault: Annotated[bool, typer.Option("--no-vault", help="Leave the vault and its root key out of it.")] = False,
    paths: Annotated[bool, typer.Option("--paths", help="Name the places too, not only the numbers of items.")] = False,
    key: Annotated[
        str | None,
        typer.Option("--key", help="The log's key, as `audit key` printed it; or that of here.", show_default=False),
    ] = None,
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Prove that every file ever seen is there, held, in the vault and readable, or gone as recorded.

    Looks at the disks with code of its own, not with that which acts. Changes nothing.
    Exit code 13: something is lost, unreadable, in two places, foreign, or recorded as it is not.

    Example:  retentiond fsck --sample 10
    """
    import os

    from rich.console import Console

    from agent import bootstrap
    from agent.cli.progress import scan_progress
    from agent.errors import ExitCode, UsageError
    from agent.fsck.check import check
    from agent.fsck.rows import count_items, share_locations
    from connectors.base import read_name

    if sample is not None and not 0 < sample <= 100:
        raise UsageError("--sample: give a percentage above 0, up to 100.")
    settings = bootstrap.settings_from(config)
    directory = bootstrap.state_directory(state, settings, create=False)
    catalogue = directory / "catalogue.sqlite"
    if key is None and (directory / "master.key").exists():
        key = bootstrap.trail(directory).signing_key.verifier.text
    with _nobody_acting(directory):
        shares = {name: Path(os.fsdecode(read_name(location))) for name, location in share_locations(catalogue).items()}
        vault = None if no_vault else _vault_files(settings, directory)
        with scan_progress(Console(stderr=True), "Checking", lambda _: count_items(catalogue)) as advance:
            report = check(
                catalogue,
                shares,
                vault,
                log_key=key,
                read_objects=1.0 if sample is None else sample / 100,
                advance=advance,
            )
    if json:
        import json as codec

        typer.echo(codec.dumps(_facts(report, signatures=key is not None, paths=paths), indent=2, ensure_ascii=False))
    else:
        _tell(report, signatures=key is not None, paths=paths)
    if not report.whole:
        raise typer.Exit(ExitCode.NOT_WHOLE)


@contextmanager
def _nobody_acting(state: Path) -> Iterator[None]:
    """Holds off whoever wants to carry out disposals meanwhile. Raises `UsageError` if somebody is at it."""
    import fcntl

    from agent.errors import UsageError

    lock = state / "dispose.lock"
    if not lock.exists():  # nobody has ever acted here
        yield
        return
    with open(lock, "rb") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"{state}: another process is carrying out disposals here. Wait for it.") from None
        yield


def _vault_files(settings: Settings, state: Path) -> VaultFiles:
    """Where the vault is; one that was never made has no key either."""
    from agent import strongroom
    from agent.fsck.base import VaultFiles

    places = strongroom.vault_places(settings, state)
    secret = strongroom.vault_root(settings, state).secret if places.directory.exists() else b""
    return VaultFiles(places.directory, places.slots, secret)


def _facts(report: Report, *, signatures: bool, paths: bool) -> dict[str, Any]:
    def one(of: Problem | Note) -> dict[str, Any]:
        return {"item": of.item, "said": of.said, **({"place": of.place} if paths else {})}

    return {
        "whole": report.whole,
        "items": report.items,
        "standings": {standing.value: count for standing, count in report.standings.items()},
        "problems": [{"kind": problem.kind.value, **one(problem)} for problem in report.problems],
        "problem_counts": {kind.value: count for kind, count in report.problem_counts.items()},
        "notes": [one(note) for note in report.notes],
        "note_count": report.note_count,
        "objects_read": report.objects_read,
        "log": {"entries": report.log_entries, "checkpoints": report.log_checkpoints, "signatures_checked": signatures},
    }


def _tell(report: Report, *, signatures: bool, paths: bool) -> None:
    from agent.reports.words import say_count

    for problem in report.problems:
        typer.echo(f"{problem.kind.upper().replace('_', ' ')}: {problem.said}" + _where(problem.place, paths=paths))
    for note in report.notes:
        typer.echo(f"Note: {note.said}" + _where(note.place, paths=paths))
    untold = sum(report.problem_counts.values()) - len(report.problems) + report.note_count - len(report.notes)
    if untold:
        typer.echo(f"{untold:,} more problems and notes of these kinds were counted and are not shown.")
    how = ", ".join(f"{count:,} {standing}" for standing, count in report.standings.items() if count)
    typer.echo(f"{say_count(report.items, 'item')} ever seen: {how or 'nothing to account for'}.")
    entries = say_count(report.log_entries, "entry", "entries")
    checkpoints = say_count(report.log_checkpoints, "checkpoint")
    checked = "signatures checked" if signatures else "signatures not checked"
    typer.echo(
        f"{say_count(report.objects_read, 'object')} read from end to end; {entries} of the audit log recomputed, "
        f"{checkpoints} compared, {checked}."
    )
    counts = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in report.problem_counts.items())
    typer.echo(f"Not whole: {counts}." if counts else "Nothing is lost.")


def _where(place: str, *, paths: bool) -> str:
    return f"\n  {place}" if paths and place else ""
