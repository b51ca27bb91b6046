"""`retentiond schedule`: is it sound, does it do what its authors think, and what would change under another one?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli import options

if TYPE_CHECKING:
    from agent.model.schedule import RetentionSchedule
    from agent.usecases.examples import Tried

schedule_app = typer.Typer(
    help="Check, try, show and compare retention schedules.\n\nExample:  retentiond schedule test my-schedule.yaml",
    no_args_is_help=True,
)

Named = Annotated[
    str | None,
    typer.Argument(
        metavar="[SCHEDULE]",
        help="A shipped schedule's name or a YAML file's path. Left out: the one in the settings.",
        show_default=False,
    ),
]


@schedule_app.command("check")
def check(named: Named = None, config: options.Config = None, json: options.Json = False) -> None:
    """Say what is wrong with a schedule, by file, line and field, and what in it can hardly be meant.

    A schedule that cannot be followed ends in exit code 4; doubts alone do not.

    Example:  retentiond schedule check my-schedule.yaml
    """
    from agent.retention.doubts import doubts

    schedule = _read(named, config)
    found = doubts(schedule)
    if json:
        _print({"schedule": schedule.id, "version": schedule.version, "doubts": [_doubt(one) for one in found]})
        return
    typer.echo(f"{schedule.title}, version {schedule.version}: sound ({len(schedule.classes)} classes).")
    for one in found:
        typer.echo(f"Look again: {one.about + ': ' if one.about else ''}{one.sentence}")


@schedule_app.command("test")
def test(named: Named = None, config: options.Config = None, json: options.Json = False) -> None:
    """Try the examples that stand beside the classes; exit code 3 if one does not come out as it says there.

    Example:  retentiond schedule test hr-investigations
    """
    from agent.errors import ExitCode
    from agent.usecases.examples import try_examples

    schedule = _read(named, config)
    tried = list(try_examples(schedule))
    wrong = [one for one in tried if not one.right]
    if json:
        _print({"schedule": schedule.id, "tried": len(tried), "wrong": [_tried(one) for one in wrong]})
    else:
        for one in wrong:
            _tell_wrong(one)
        typer.echo(f"{schedule.title}: {len(tried)} examples tried, {len(wrong)} came out otherwise.")
        without = [one.id for one in schedule.classes if not one.examples]
        if without:
            typer.echo(f"Without an example: {', '.join(without)}.")
    if wrong:
        raise typer.Exit(ExitCode.ITEMS_FAILED)


@schedule_app.command("show")
def show(named: Named = None, config: options.Config = None, json: options.Json = False) -> None:
    """Show a schedule as a table: which records, how long, and what then.

    Example:  retentiond schedule show training-provider
    """
    schedule = _read(named, config)
    if json:
        _print({**_head(schedule), "classes": [_class(one) for one in schedule.classes]})
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("Class", "Rows", "Records", "Goes", "Then", title=f"{schedule.title}, version {schedule.version}")
    for facts in map(_class, schedule.classes):
        table.add_row(facts["id"], ", ".join(facts["rows"]), facts["title"], facts["goes"], facts["then"])
    for rule in schedule.placement:
        then = "quarantine and alert" if rule.quarantine else "report"
        table.add_row(rule.id, ", ".join(rule.rows), rule.title, "as soon as it is found here", then)
    Console(highlight=False, markup=False).print(table)


@schedule_app.command("diff")
def diff(
    new: Annotated[str, typer.Argument(metavar="NEW", help="The schedule to come: a shipped name or a file's path.")],
    old: Annotated[
        str | None, typer.Option("--old", help="The one to compare with. Left out: the one in the settings.")
    ] = None,
    show: options.Show = 20,
    at: options.At = None,
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Say what a new schedule would change on the items that are there: how many, and which. Nothing is changed.

    Example:  retentiond schedule diff next-year.yaml --show 50
    """
    from agent.cli.comparing import compare

    compare(state, config, old, new, at_before=at, at_after=at, show=show, json=json)


def _read(named: str | None, config: Path | None) -> RetentionSchedule:
    from agent import bootstrap

    return bootstrap.schedule_from(named or bootstrap.settings_from(config).schedule)


def _print(facts: dict[str, Any]) -> None:
    import json

    typer.echo(json.dumps(facts, indent=2, ensure_ascii=False))


def _head(schedule: RetentionSchedule) -> dict[str, Any]:
    return {
        "schedule": schedule.id,
        "title": schedule.title,
        "version": schedule.version,
        "organisation": schedule.organisation,
        "special_categories": sorted(schedule.special_categories),
        "placement": [
            {"id": rule.id, "rows": list(rule.rows), "title": rule.title, "quarantine": rule.quarantine}
            for rule in schedule.placement
        ],
        "recipients": [{"name": one.name, "receives": list(one.receives)} for one in schedule.recipients],
    }


def _class(one: Any) -> dict[str, Any]:
    from agent.reports.words import say
    from agent.retention.periods import say_period
    from agent.retention.wording import say_clock

    return {
        "id": one.id,
        "rows": list(one.rows),
        "title": one.title,
        "mandate": one.mandate,
        "goes": say_clock(one),
        "then": say(one.outcome),
        "outcome": one.outcome,
        "keeps": list(one.keeps),
        "may_be_extended_by": say_period(one.extension) if one.extension else None,
        "stages": list(one.stages),
    }


def _doubt(one: Any) -> dict[str, str]:
    return {"about": one.about, "sentence": one.sentence}


def _tried(one: Tried) -> dict[str, Any]:
    return {
        "class": one.class_id,
        "line": one.example.line,
        "path": one.example.path,
        "day": one.day.isoformat(),
        "expected": one.expected,
        "came_out": one.decision.state.value,
        "ruled": one.decision.class_id,
        "reasons": [reason.sentence for reason in one.decision.reasons],
    }


def _tell_wrong(one: Tried) -> None:
    facts = _tried(one)
    ruled = f' under class "{facts["ruled"]}"' if facts["ruled"] and facts["ruled"] != one.class_id else ""
    typer.echo(
        f'Line {facts["line"]}, class "{one.class_id}", {facts["path"]}: on {facts["day"]} it should be '
        f"{facts['expected']}, but it is {facts['came_out']}{ruled}."
    )
    for sentence in facts["reasons"]:
        typer.echo(f"  - {sentence}")
