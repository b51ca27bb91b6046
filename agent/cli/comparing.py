"""What `schedule diff` and `simulate` share: the estate twice, and what is different."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from agent import bootstrap
from agent.cli.days import day
from agent.cli.progress import counting
from agent.model.decision import Decision
from agent.reports.words import say, say_count, say_size
from agent.usecases.simulate import Changes, Compared, Comparison


def compare(
    state: Path | None,
    config: Path | None,
    old: str | None,
    new: str | None,
    *,
    at_before: str | None,
    at_after: str | None,
    show: int,
    json: bool,
) -> None:
    """Compares how items stand under the schedule `old` with how they would under `new`, and prints it."""
    settings = bootstrap.settings_from(config)
    directory = bootstrap.state_directory(state, settings, create=False)
    before = bootstrap.schedule_from(old or settings.schedule)
    after = bootstrap.schedule_from(new) if new else before
    day_before = day(at_before) if at_before else bootstrap.today(before)
    day_after = day(at_after) if at_after else bootstrap.today(after)
    console = Console(stderr=True)
    with bootstrap.open_catalogue(directory) as catalogue, counting(console, "Comparing") as advance:
        now = bootstrap.terms_of(before, settings, directory)
        then = bootstrap.terms_of(after, settings, directory)
        comparison = Comparison(catalogue, now, day_before, then, day_after)
        changes, first = comparison.changes(show, advance)
    facts = {
        "before": {"schedule": before.id, "version": before.version, "as_of": day_before.isoformat()},
        "after": {"schedule": after.id, "version": after.version, "as_of": day_after.isoformat()},
        **_counts(changes),
        "items": [_item(compared) for compared in first],
    }
    if json:
        import json as codec

        typer.echo(codec.dumps(facts, indent=2, ensure_ascii=False))
        return
    _tell(facts, changes)


def _counts(changes: Changes) -> dict[str, Any]:
    return {
        "compared": changes.items,
        "changed": changes.changed,
        "becomes_due": changes.becomes_due,
        "no_longer_due": changes.no_longer_due,
        "changes_date": changes.changes_date,
        "changes_class": changes.changes_class,
        "states_before": dict(sorted(changes.before.items())),
        "states_after": dict(sorted(changes.after.items())),
        "due_bytes": changes.due_bytes,
        "due_by_class": dict(sorted(changes.due_by_class.items())),
        "due_by_outcome": dict(sorted(changes.due_by_outcome.items())),
    }


def _item(compared: Compared) -> dict[str, Any]:
    return {
        "share": compared.record.share,
        "path": compared.record.path,
        "before": _stands(compared.before),
        "after": _stands(compared.after),
    }


def _stands(decision: Decision) -> dict[str, Any]:
    return {
        "state": decision.state.value,
        "class": decision.class_id,
        "placement": decision.placement,
        "outcome": decision.outcome,
        "due_on": decision.due_on.isoformat() if decision.due_on else None,
    }


def _tell(facts: dict[str, Any], changes: Changes) -> None:
    console = Console(highlight=False, soft_wrap=True, markup=False)
    before, after = facts["before"], facts["after"]
    console.print(
        f"{before['schedule']} {before['version']} on {before['as_of']}, and "
        f"{after['schedule']} {after['version']} on {after['as_of']}: {say_count(changes.items, 'file')}."
    )
    states = Table("", "Before", "After")
    for state in sorted({*changes.before, *changes.after}):
        states.add_row(say(state), f"{changes.before[state]:,}", f"{changes.after[state]:,}")
    console.print(states)
    console.print(
        f"{changes.changed:,} would stand otherwise: {changes.becomes_due:,} become due, {changes.no_longer_due:,} no "
        f"longer are, {changes.changes_date:,} change their date, {changes.changes_class:,} their class. "
        f"Due would be {say_size(changes.due_bytes)}."
    )
    for entry in facts["items"]:
        console.print(f"  {entry['path']}  ({entry['share']})")
        console.print(f"    {_words(entry['before'])}  ->  {_words(entry['after'])}")
    if changes.changed > len(facts["items"]):
        console.print(f"  ... and {changes.changed - len(facts['items']):,} more; see --show and --json.")


def _words(stands: dict[str, Any]) -> str:
    parts = [say(stands["state"])]
    parts += [f"from {stands['due_on']}"] if stands["due_on"] else []
    under = stands["placement"] or stands["class"]
    parts += [f"under {under}"] if under else []
    return " ".join(parts)
