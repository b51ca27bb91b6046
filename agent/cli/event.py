"""`retentiond event`: what happened, to whom or what, and when; many retention periods run from there."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from agent.cli import options

event_app = typer.Typer(
    name="event",
    help="Record what happened (someone left, a case was closed), so that the periods that wait for it begin to run. "
    "What would change is shown before anything is recorded, and nothing recorded is ever lost.\n\n"
    'Example:  retentiond event add employment_ended person="Jane Doe" --on 2024-03-31',
    no_args_is_help=True,
)

_Number = Annotated[int, typer.Argument(metavar="NUMBER", min=1, max=2**63 - 1, help="The event, by its number.")]
_Why = Annotated[str, typer.Option("--why", help="The reason, kept with the event. Leave names out.")]
_Planned = Annotated[bool, typer.Option("--planned", help="Let days lie in the future: known, but not happened yet.")]
_Unawaited = Annotated[bool, typer.Option("--unawaited", help="Let events be ones that no class waits for.")]
_Yes = Annotated[bool, typer.Option("--yes", "-y", help="Record without asking.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change, and record nothing.")]


@event_app.command("add")
def add(
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="What happened, as the schedule calls it.")],
    pair: Annotated[str, typer.Argument(metavar="KEY=VALUE", help="To whom or what: case=2026-17.")],
    on: Annotated[str, typer.Option("--on", metavar="DATE", help="On which day, as YYYY-MM-DD or DD/MM/YYYY.")],
    note: Annotated[str, typer.Option("--note", help="Anything worth knowing. Leave names out.")] = "",
    planned: _Planned = False,
    unawaited: _Unawaited = False,
    yes: _Yes = False,
    dry_run: _DryRun = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Record one event, after saying which files it makes due, or keeps.

    A value that names a person is kept as a keyed hash only.

    Example:  retentiond event add employment_ended person="Jane Doe" --on 2024-03-31
    """
    from agent.cli.event_acts import EventDesk, opened, read_pair
    from agent.usecases.event_rules import Statement

    said = Statement(type_, *read_pair(pair, "KEY=VALUE"), on, note)
    with opened(state, config, schedule) as (register, _, _):
        desk = EventDesk(register, yes=yes, dry_run=dry_run, json=json)
        desk.act(register.propose(said, planned=planned, unawaited=unawaited))


@event_app.command("list")
def list_(
    type_: Annotated[str | None, typer.Option("--type", help="Only events of this type.", show_default=False)] = None,
    pair: Annotated[
        str | None,
        typer.Option("--key", metavar="KEY=VALUE", help="Only events of whom or what this names.", show_default=False),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Also those that were corrected or withdrawn.")] = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """List the events that were recorded, with who recorded them and when.

    Example:  retentiond event list --key person="Jane Doe" --all
    """
    from agent.cli.event_acts import opened, read_pair, tell_list

    key = read_pair(pair, "--key") if pair is not None else None
    with opened(state, config, schedule) as (_, catalogue, form):
        kept = (key[0], form.of(*key)) if key else None
        tell_list(catalogue.events.all(type=type_, key=kept, only_in_force=not all_), json=json)


@event_app.command("correct")
def correct(
    number: _Number,
    why: _Why,
    on: Annotated[
        str | None, typer.Option("--on", metavar="DATE", help="The day on which it did happen.", show_default=False)
    ] = None,
    type_: Annotated[str | None, typer.Option("--type", help="What did happen.", show_default=False)] = None,
    pair: Annotated[
        str | None, typer.Option("--key", metavar="KEY=VALUE", help="To whom or what.", show_default=False)
    ] = None,
    planned: _Planned = False,
    unawaited: _Unawaited = False,
    yes: _Yes = False,
    dry_run: _DryRun = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Put a right event in the place of a wrong one, which stays on record. Every date that hangs on it moves.

    Example:  retentiond event correct 7 --on 2024-04-30 --why "The notice was extended"
    """
    from agent.cli.event_acts import EventDesk, opened, read_pair

    key = read_pair(pair, "--key") if pair is not None else None
    with opened(state, config, schedule) as (register, _, _):
        desk = EventDesk(register, yes=yes, dry_run=dry_run, json=json)
        desk.act(
            register.propose_correction(number, why, type=type_, key=key, on=on, planned=planned, unawaited=unawaited)
        )


@event_app.command("withdraw")
def withdraw(
    number: _Number,
    why: _Why,
    yes: _Yes = False,
    dry_run: _DryRun = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Say that an event has not happened after all. It stays on record, and files stand as they did without it.

    Example:  retentiond event withdraw 7 --why "She stayed on"
    """
    from agent.cli.event_acts import EventDesk, opened

    with opened(state, config, schedule) as (register, _, _):
        desk = EventDesk(register, yes=yes, dry_run=dry_run, json=json)
        desk.act(register.propose_withdrawal(number, why))


@event_app.command("import")
def import_(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A CSV file with the columns event, key, value, on and, if wanted, note."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="Import every CSV file of this folder and move it to done/ or refused/ there."),
    ] = None,
    settled_after: Annotated[
        float,
        typer.Option("--settled-after", metavar="SECONDS", min=0, help="Leave files of the folder written to since."),
    ] = 5.0,
    watch: Annotated[
        bool, typer.Option("--watch", help="Stay, and take each file of the folder as it comes. Ends with Ctrl-C.")
    ] = False,
    planned: _Planned = False,
    unawaited: _Unawaited = False,
    yes: _Yes = False,
    dry_run: _DryRun = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Record all events of a file, or none: if one line is wrong, every problem is told and nothing is imported.

    With --folder, files that people drop there are taken, safely at every run, for instance by a timer. Exit code 2:
    a file was refused, and lies in refused/ with its problems beside it; 3: one could not be read or moved.

    Example:  retentiond event import leavers.csv --dry-run
    """
    from agent.cli.event_acts import EventDesk, opened
    from agent.errors import UsageError

    if watch:
        from agent.cli.watching import changes

        if folder is None or file is not None or not yes or dry_run:
            raise UsageError("--watch goes with --folder and --yes: nobody is asked while it waits.")
        with contextlib.suppress(KeyboardInterrupt):
            for _ in changes(folder, settled_after):
                # Opened anew each time: the day may be another one, and nothing is held while it waits.
                with opened(state, config, schedule) as (register, _, _), contextlib.suppress(typer.Exit):
                    desk = EventDesk(register, yes=True, dry_run=False, json=json)
                    desk.act_on_folder(folder, settled_after, planned=planned, unawaited=unawaited, told_empty=False)
        return
    with opened(state, config, schedule) as (register, _, _):
        desk = EventDesk(register, yes=yes, dry_run=dry_run, json=json)
        if folder is not None and file is None:
            desk.act_on_folder(folder, settled_after, planned=planned, unawaited=unawaited)
        elif file is not None and folder is None:
            desk.act_on_file(file, planned=planned, unawaited=unawaited)
        else:
            raise UsageError("Name either one file to import or, with --folder, one folder.")
