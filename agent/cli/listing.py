"""`retentiond due`, `misplaced` and `duplicates`: what a records manager asks for first."""

from __future__ import annotations

import json as codec
from typing import TYPE_CHECKING, Any

import typer

from agent.cli import options

if TYPE_CHECKING:
    from agent.catalogue.standing import Standing
    from agent.usecases.duplicates import Duplicates
    from agent.usecases.evaluate import Evaluated


def due(
    at: options.At = None,
    show: options.Show = 50,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """List what is due, longest due first, and how many files stand how. Only what has changed is decided on anew.

    Example:  retentiond due --at 2027-01-01 --show 200
    """
    from itertools import islice

    from rich.console import Console

    from agent import bootstrap
    from agent.cli.days import day
    from agent.cli.opened import opened
    from agent.cli.progress import counting
    from agent.errors import UsageError
    from agent.usecases.due import due_list

    with opened(state, config, schedule) as (catalogue, terms):
        today = bootstrap.today(terms.schedule)
        as_of = day(at) if at else today
        if as_of < today:
            raise UsageError("--at: this day is past. How things stood then is told by: retentiond simulate --at DATE")
        with counting(Console(stderr=True), "Deciding") as advance:
            told = due_list(catalogue, terms, today, as_of, advance)
        listed = list(islice(told.due, show))
    facts = {"as_of": as_of.isoformat(), "states": dict(told.counts), "items": [_standing(one) for one in listed]}
    if json:
        typer.echo(codec.dumps(facts, indent=2, ensure_ascii=False))
        return
    _tell_due(facts)


def misplaced(
    show: options.Show = 50,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """List files that lie where a placement rule of the schedule says they must not.

    Example:  retentiond misplaced --schedule ig-consultancy
    """
    from rich.console import Console

    from agent import bootstrap
    from agent.cli.opened import opened
    from agent.cli.progress import counting
    from agent.model.decision import ReasonCode
    from agent.usecases.evaluate import Evaluation

    found: list[dict[str, Any]] = []
    total = 0
    with opened(state, config, schedule) as (catalogue, terms), counting(Console(stderr=True), "Deciding") as advance:
        for one in Evaluation(catalogue, terms, bootstrap.today(terms.schedule)):
            advance(1)
            if any(reason.code is ReasonCode.PLACEMENT for reason in one.decision.reasons):
                total += 1
                if len(found) < show:
                    found.append(_misplaced(one))
    if json:
        typer.echo(codec.dumps({"misplaced": total, "items": found}, indent=2, ensure_ascii=False))
        return
    for facts in found:
        typer.echo(f"{facts['path']}  ({facts['share']})")
        for sentence in facts["because"]:
            typer.echo(f"  {sentence}")
    typer.echo(f"{total:,} misplaced." + (f" {total - len(found):,} not shown; see --show." if total > show else ""))


def duplicates(
    show: options.Show = 50,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """List documents with personal data of which there are several copies, and say which one to keep.

    Example:  retentiond duplicates --show 20
    """
    from agent import bootstrap
    from agent.cli.opened import opened
    from agent.usecases.duplicates import duplicates as find
    from agent.usecases.evaluate import Evaluation

    shown: list[dict[str, Any]] = []
    groups = spare = spare_bytes = 0
    with opened(state, config, schedule) as (catalogue, terms):
        for group in find(catalogue, Evaluation(catalogue, terms, bootstrap.today(terms.schedule))):
            groups += 1
            spare += len(group.items) - 1
            spare_bytes += (len(group.items) - 1) * group.size_bytes
            if len(shown) < show:
                shown.append(_duplicates(group))
    facts = {"groups": groups, "spare": spare, "spare_bytes": spare_bytes, "duplicates": shown}
    if json:
        typer.echo(codec.dumps(facts, indent=2, ensure_ascii=False))
        return
    _tell_duplicates(facts)


def _standing(one: Standing) -> dict[str, Any]:
    return {
        "due_on": one.due_on.isoformat() if one.due_on else None,
        "class": one.class_id,
        "outcome": one.outcome,
        "share": one.share,
        "path": str(one.ref),
        "bytes": one.size_bytes,
    }


def _misplaced(one: Evaluated) -> dict[str, Any]:
    from agent.model.decision import ReasonCode

    return {
        "share": one.record.share,
        "path": one.record.path,
        "rule": one.decision.placement,
        "because": [reason.sentence for reason in one.decision.reasons if reason.code is ReasonCode.PLACEMENT],
    }


def _duplicates(group: Duplicates) -> dict[str, Any]:
    keep, *others = ({"share": one.record.share, "path": one.record.path} for one in group.items)
    return {
        "bytes": group.size_bytes,
        "categories": sorted(group.categories),
        "keep": keep,
        "because": group.why,
        "others": others,
    }


def _tell_due(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from agent.reports.words import say

    console = Console(highlight=False)
    table = Table("Due since", "Class", "Then", "File", "Share")
    for one in facts["items"]:
        table.add_row(one["due_on"], one["class"] or "", say(one["outcome"]), escape(one["path"]), escape(one["share"]))
    if facts["items"]:
        console.print(table)
    told = ", ".join(f"{count:,} {say(state)}" for state, count in facts["states"].items())
    console.print(f"On {facts['as_of']}: {told or 'no files'}.")
    more = facts["states"].get("due", 0) - len(facts["items"])
    if more > 0:
        console.print(f"{more:,} more are due; see --show.")


def _tell_duplicates(facts: dict[str, Any]) -> None:
    from agent.reports.words import say, say_count, say_size

    for group in facts["duplicates"]:
        what = ", ".join(say(category) for category in group["categories"])
        typer.echo(f"{say_count(len(group['others']) + 1, 'copy', 'copies')} of {say_size(group['bytes'])} ({what})")
        typer.echo(f"  keep  {group['keep']['path']}  ({group['keep']['share']}): {group['because']}")
        for other in group["others"]:
            typer.echo(f"        {other['path']}  ({other['share']})")
    typer.echo(
        f"{say_count(facts['groups'], 'document')} with personal data in several copies, "
        f"{facts['spare']:,} of them to spare ({say_size(facts['spare_bytes'])})."
    )
