"""What `retentiond event` does, from what was asked to what it prints."""

from __future__ import annotations

import json as codec
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from agent import bootstrap
from agent.cli.opened import opened as opened_catalogue
from agent.errors import ExitCode, UsageError
from agent.model.decision import Decision, DecisionState
from agent.model.event import Event, EventState, RecordedEvent
from agent.model.key import show_key
from agent.retention.periods import say_date
from agent.usecases.event_file import MOST_BYTES
from agent.usecases.event_folder import DropFolder, Dropped, Fate
from agent.usecases.event_preview import Change, Preview
from agent.usecases.events import EventRegister, Proposal
from connectors.base import show_name

if TYPE_CHECKING:
    from agent.catalogue.store import Catalogue
    from agent.model.key import KeyForm

_SHOWN = 50  # changes on a terminal; --json lists more


@contextmanager
def opened(
    state: Path | None, config: Path | None, schedule: str | None
) -> Iterator[tuple[EventRegister, Catalogue, KeyForm]]:
    """The register of events in the catalogue that the options name, the catalogue, and how it keeps keys."""
    with opened_catalogue(state, config, schedule) as (catalogue, terms):
        register = EventRegister(catalogue, terms, bootstrap.today(terms.schedule), bootstrap.who(), bootstrap.now)
        yield register, catalogue, terms.form


def read_pair(text: str, option: str) -> tuple[str, str]:
    """Name and value out of `KEY=VALUE`. Raises `UsageError`, which repeats neither."""
    name, equals, value = text.partition("=")
    if not (name.strip() and equals and value.strip()):
        raise UsageError(f'{option}: write the name of a key, "=" and its value, as in case=2026-17.')
    return name.strip(), value


class EventDesk:
    """One run of one of the commands that change something: shows what changes, asks, and tells what was done."""

    def __init__(self, register: EventRegister, *, yes: bool, dry_run: bool, json: bool) -> None:
        self._register = register
        self._ask = not (yes or dry_run)
        self._dry_run = dry_run
        self._json = json

    def act(self, proposal: Proposal) -> None:
        """Records one event, or corrects or withdraws one."""
        told = [_say(new.event) for new in proposal.added]
        if proposal.ends:
            told.insert(0, f"{_say(proposal.ends.event)}, event number {proposal.ends.number}")
        first = (
            "To be recorded" if proposal.ends is None else "To be corrected" if proposal.added else "To be withdrawn"
        )
        recorded, preview = self._act(proposal, f"{first}: {'; it becomes: '.join(told)}.")
        if self._json:
            events = [_facts(one) for one in recorded or ()]
            _echo({"recorded": recorded is not None, "dry_run": self._dry_run, "events": events, **_changes(preview)})
        elif recorded:
            done = "withdrawn" if recorded[0].state is EventState.WITHDRAWN else "recorded"
            typer.echo(f"Event number {recorded[0].number} is {done}.")

    def act_on_file(self, path: Path, *, planned: bool, unawaited: bool) -> None:
        """Records all events of one file."""
        name = show_name(os.fsencode(path.name))
        try:
            with open(path, "rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise UsageError(f"{show_name(os.fsencode(path))}: cannot be read ({error.strerror}).") from error
        proposal = self._register.propose_file(name, data, planned=planned, unawaited=unawaited)
        recorded, preview = self._act(proposal, f"To be recorded: {_events(len(proposal.added))} from {name}.")
        if self._json:
            _echo({"file": name, "dry_run": self._dry_run, **_imported(proposal, recorded), **_changes(preview)})
        elif recorded:
            typer.echo(f"Recorded: {_events(len(recorded))}, numbers {recorded[0].number} to {recorded[-1].number}.")

    def act_on_folder(
        self, path: Path, settled_after: float, *, planned: bool, unawaited: bool, told_empty: bool = True
    ) -> None:
        """Takes every file of a drop folder; with `told_empty` also says so if there is none."""
        self._can_ask()
        facts: dict[str, Mapping[str, Any]] = {}

        def accept(name: str, proposal: Proposal) -> int | None:
            recorded, preview = self._act(proposal, f"To be recorded: {_events(len(proposal.added))} from {name}.")
            facts[name] = {**_imported(proposal, recorded), **_changes(preview)}
            return len(proposal.added) if self._dry_run else len(recorded) if recorded else None

        folder = DropFolder(
            os.fsencode(path),
            self._register,
            accept,
            lambda: bootstrap.now().timestamp(),
            planned=planned,
            unawaited=unawaited,
            dry_run=self._dry_run,
            settled_after_seconds=settled_after,
        )
        dropped = []
        for one in folder.run():
            dropped.append(one)
            if not self._json:
                typer.echo(self._say_fate(one))
        if self._json and (dropped or told_empty):
            files = [{"file": one.name, "fate": one.fate, "why": one.why, **facts.get(one.name, {})} for one in dropped]
            _echo({"folder": show_name(os.fsencode(path)), "dry_run": self._dry_run, "files": files})
        elif not dropped and told_empty:
            typer.echo("There is no CSV file in this folder.")
        if any(one.fate is Fate.REFUSED for one in dropped):
            raise typer.Exit(ExitCode.USAGE)
        if any(one.why and one.fate is not Fate.LEFT for one in dropped):
            raise typer.Exit(ExitCode.ITEMS_FAILED)

    def _act(self, proposal: Proposal, title: str) -> tuple[tuple[RecordedEvent, ...] | None, Preview]:
        """What was recorded, or none if it was not wanted, and what it changes."""
        self._can_ask()
        with Console(stderr=True).status("Looking through the catalogue") if sys.stderr.isatty() else nullcontext():
            preview = self._register.preview(proposal)
        if not self._json:
            typer.echo(title)
            _tell_changes(preview)
        if self._dry_run or (self._ask and not _confirmed()):
            if not self._json:
                typer.echo("Nothing was recorded.")
            return None, preview
        return self._register.accept(proposal), preview

    def _can_ask(self) -> None:
        if self._ask and (self._json or not sys.stdin.isatty()):
            raise UsageError(
                "There is nobody to ask here, so nothing was recorded. "
                "See what would change with --dry-run, then record it with --yes."
            )

    def _say_fate(self, one: Dropped) -> str:
        match one.fate:
            case Fate.IMPORTED:
                said = f"{one.name}: {_events(one.events)} {'would be ' if self._dry_run else ''}recorded."
            case Fate.IMPORTED_BEFORE:
                said = f"{one.name}: it was imported before, so it was not imported again."
            case _:
                return one.why
        return f"{said}\n{one.why}" if one.why else said


def tell_list(events: Iterable[RecordedEvent], *, json: bool) -> None:
    """Prints the events, one a line."""
    if json:
        _echo({"events": [_facts(one) for one in events]})
        return
    nothing = True
    for one in events:
        nothing = False
        line = f"{one.number:>6}  {_say(one.event)}; recorded {one.recorded_at:%Y-%m-%d} by {one.recorded_by}"
        if one.corrects:
            line += f" in place of {one.corrects}"
        if one.note:
            line += f"; {one.note}"
        if one.ended_at:
            line += f"; {one.state.value.upper()} {one.ended_at:%Y-%m-%d} by {one.ended_by}: {one.ended_why}"
        typer.echo(line)
    if nothing:
        typer.echo("There are no such events.")


def _confirmed() -> bool:
    try:
        return typer.confirm("Record this?", err=True)
    except typer.Abort:  # the end of the input, or Ctrl-C
        return False


def _tell_changes(preview: Preview) -> None:
    typer.echo(
        f"Of {preview.behind:,} {'item' if preview.behind == 1 else 'items'} behind it, "
        f"{preview.changed:,} would stand differently on {say_date(preview.as_of)}."
    )
    for (before, after), count in sorted(preview.turns.items()):
        typer.echo(f"  {before} -> {after}: {count:,}")
    for change in preview.changes[:_SHOWN]:
        typer.echo(f"  {change.share}: {change.path}: {_stands(change.before)} -> {_stands(change.after)}")
    if preview.changed > _SHOWN:
        typer.echo(f"  … and {preview.changed - _SHOWN:,} more.")


def _stands(decision: Decision) -> str:
    said: str = decision.state
    if decision.class_id and decision.outcome:
        said += f" ({decision.class_id}, {decision.outcome.replace('_', ' ')})"
    if decision.due_on:
        said += f"{' since' if decision.state is DecisionState.DUE else ', due on'} {decision.due_on}"
    return said


def _changes(preview: Preview) -> dict[str, Any]:
    return {
        "as_of": preview.as_of.isoformat(),
        "behind": preview.behind,
        "changed": preview.changed,
        "turns": {f"{before} -> {after}": count for (before, after), count in sorted(preview.turns.items())},
        "changes": [_change(change) for change in preview.changes],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "share": change.share,
        "path": change.path,
        "before": _decision(change.before),
        "after": _decision(change.after),
    }


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "state": decision.state,
        "class": decision.class_id,
        "outcome": decision.outcome,
        "due_on": decision.due_on.isoformat() if decision.due_on else None,
    }


def _imported(proposal: Proposal, recorded: tuple[RecordedEvent, ...] | None) -> dict[str, Any]:
    return {
        "recorded": recorded is not None,
        "events": len(proposal.added),
        "numbers": [recorded[0].number, recorded[-1].number] if recorded else None,
    }


def _facts(one: RecordedEvent) -> dict[str, Any]:
    return {
        "number": one.number,
        "type": one.event.type,
        "key": one.event.key,
        "value": one.event.value,
        "on": one.event.on.isoformat(),
        "state": one.state,
        "note": one.note,
        "origin": one.origin,
        "recorded_at": one.recorded_at.isoformat(),
        "recorded_by": one.recorded_by,
        "corrects": one.corrects,
        "ended_at": one.ended_at.isoformat() if one.ended_at else None,
        "ended_by": one.ended_by,
        "ended_why": one.ended_why,
    }


def _say(event: Event) -> str:
    return f"{event.type} of {event.key} {show_key(event.value)} on {say_date(event.on)}"


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count:,} events"


def _echo(facts: Mapping[str, Any]) -> None:
    typer.echo(codec.dumps(facts, indent=2, ensure_ascii=False))
