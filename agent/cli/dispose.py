"""`retentiond dispose`: carrying out what reviews have approved."""

from __future__ import annotations

from typing import Annotated

import typer

from agent.cli import options

dispose_app = typer.Typer(
    name="dispose",
    help="Carry out what reviews have approved: into quarantine, back, or away for good. Nothing is touched that has "
    "changed, is held, or is not approved as it stands now.\n\n"
    "Example:  retentiond dispose plan",
    no_args_is_help=True,
)

_Class = Annotated[str | None, typer.Option("--class", metavar="ID", help="Only this class.", show_default=False)]
_Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
_Reason = Annotated[str, typer.Option("--reason", help="Why; it stays on record. Leave names out.", show_default=False)]
_Clock = Annotated[
    bool,
    typer.Option("--clock-is-right", help="As an administrator: the clock is right although nothing confirms it."),
]


@dispose_app.command("plan")
def plan(
    class_id: _Class = None,
    show: options.Show = 20,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Say what would be taken into quarantine now, what would be destroyed, and what waits for what. Changes nothing.

    Example:  retentiond dispose plan --class case-file
    """
    from agent.cli.disposing import Where, disposing

    with disposing(Where(state, config, schedule), json=json) as run:
        run.plan(class_id, shown=show)


@dispose_app.command("run")
def run(
    class_id: _Class = None,
    only: Annotated[
        str, typer.Option("--only", metavar="STEP", help="`quarantine` or `destroy`; left out: both.")
    ] = "",
    over_caps: Annotated[
        bool, typer.Option("--over-caps", help="As an administrator, with a reason: go beyond the daily caps.")
    ] = False,
    reason: _Reason = "",
    clock_is_right: _Clock = False,
    yes: _Yes = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Settle what an earlier run has left behind, take what is approved into quarantine, and destroy what has been
    there long enough and is still approved.

    Exit code 3: something that should have gone is still where it was.

    Example:  retentiond dispose run --class case-file
    """
    from agent.cli.disposing import How, Where, disposing

    how = How(yes=yes, over_caps=over_caps, clock_is_right=clock_is_right, reason=reason)
    with disposing(Where(state, config, schedule), json=json) as desk:
        desk.run(class_id, only, how)


@dispose_app.command("erase")
def erase(
    clock_is_right: _Clock = False,
    reason: _Reason = "",
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Hold the erasure ceremony: after it no key exists any more that could open what was destroyed. Belongs into
    every night.

    Example:  retentiond dispose erase
    """
    from agent.cli.disposing import How, Where, disposing

    how = How(yes=True, over_caps=False, clock_is_right=clock_is_right, reason=reason)
    with disposing(Where(state, config, schedule), json=json) as desk:
        desk.erase(how)


@dispose_app.command("recover")
def recover(
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Finish or undo what was cut off by a crash. `run`, `restore` and `erase` begin with the same.

    Example:  retentiond dispose recover
    """
    from agent.cli.disposing import Where, disposing

    with disposing(Where(state, config, schedule), json=json) as desk:
        desk.recover()


@dispose_app.command("list")
def list_(
    all_: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """List what lies in quarantine, and what is on its way there, back, or away.

    Example:  retentiond dispose list --all --json
    """
    from agent.cli.disposing import Where, disposing

    with disposing(Where(state, config, schedule), json=json, acting=False) as desk:
        desk.list(everything=all_)


@dispose_app.command("show")
def show_(
    number: Annotated[int, typer.Argument(metavar="DISPOSAL", help="The number of the disposal.")],
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Show one disposal: the decision it rests on, and every step with who, when and why.

    Example:  retentiond dispose show 3
    """
    from agent.cli.disposing import Where, disposing

    with disposing(Where(state, config, schedule), json=json, acting=False) as desk:
        desk.show(number)


@dispose_app.command("export")
def export(
    to: Annotated[str, typer.Option("--to", metavar="NAME", help="To whom it goes: a name for the record.")],
    recipient: Annotated[
        list[str],
        typer.Option("--recipient", metavar="AGE1…", help="The public age key of who may open it; may be repeated."),
    ],
    class_id: _Class = None,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Export what is in quarantine to be handed back, as one encrypted file with a manifest and checksums.

    The recipient opens it with `age -d -i KEY FILE | tar x` and checks it with `sha256sum -c SHA256SUMS`. It is
    destroyed here only after `confirm`.

    Example:  retentiond dispose export --to "Acme Ltd" --recipient age1…
    """
    from agent.cli.disposing import Where, disposing

    with disposing(Where(state, config, schedule), json=json) as desk:
        desk.export(class_id, to, recipient)


@dispose_app.command("confirm")
def confirm(
    number: Annotated[int, typer.Argument(metavar="EXPORT", help="The number of the export.")],
    reason: _Reason = "",
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Say that an export has arrived, so that what is in it may be destroyed here. `dispose exports` lists them.

    Example:  retentiond dispose confirm 2 --reason "Signed for on 3 March 2026"
    """
    from agent.cli.disposing import Where, disposing

    with disposing(Where(state, config, schedule), json=json, acting=False) as desk:
        desk.confirm(number, reason)


@dispose_app.command("exports")
def exports(
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """List the exports, to whom they went, and whether they have arrived.

    Example:  retentiond dispose exports --json
    """
    from agent.cli.disposing import Where, disposing

    with disposing(Where(state, config, schedule), json=json, acting=False) as desk:
        desk.exports()


def tag(
    class_id: _Class = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the marks away again; retention labels stay.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing: say how many would be marked.")] = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Write class, due date and state of each file onto it (`user.retentiond.decided.*`), where its file system
    carries such marks. Files that somebody has begun to review are left alone.

    In tenants of Microsoft 365, files get the retention labels and columns that the settings name (`labels`,
    `decided_columns`). A label that others have set is never replaced, and records, held, locked and checked-out files
    stay as they are.

    Example:  retentiond tag --class payroll
    """
    from agent import bootstrap
    from agent.cli.disposing import Where, disposing

    tenants = bootstrap.settings_from(config).tenants
    with disposing(Where(state, config, schedule), json=json) as desk:
        desk.tag(class_id, tenants, remove=remove, dry_run=dry_run)


def restore(
    numbers: Annotated[list[int], typer.Argument(metavar="DISPOSAL...", help="Numbers as `dispose list` tells them.")],
    reason: _Reason = "",
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="PATH", help="Another place in the same share, from its root.", show_default=False
        ),
    ] = None,
    yes: _Yes = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Give items in quarantine back, with everything they had: content, owner, rights, attributes, times.

    What lies in their place by now is never replaced. A restored item must be reviewed again before it can go.

    Example:  retentiond restore 3 --reason "Needed for the appeal"
    """
    from agent.cli.disposing import Where, disposing

    with disposing(Where(state, config, schedule), json=json) as desk:
        desk.restore(numbers, to, reason, yes=yes)


@dispose_app.command("pause")
def pause(
    reason: _Reason = "",
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Suspend every disposal, at once and until `resume`. What is being taken at this moment is put back.

    Example:  retentiond dispose pause --reason "An inquiry has been announced"
    """
    from agent.cli.disposing import Where, disposing

    with disposing(Where(state, config, schedule), json=json, acting=False) as desk:
        desk.pause(reason)


@dispose_app.command("resume")
def resume(
    reason: _Reason = "",
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """End the pause. Only an administrator may (`reviewers` in the settings, role `administrator`).

    Example:  retentiond dispose resume --reason "The inquiry concerns other records"
    """
    from agent.cli.disposing import Where, disposing

    with disposing(Where(state, config, schedule), json=json, acting=False) as desk:
        desk.resume(reason)
