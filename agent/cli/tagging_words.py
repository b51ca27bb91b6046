"""What `retentiond tag` prints for people."""

from __future__ import annotations

from typing import Any

import typer

from agent.cli.disposing_words import say_why
from agent.reports.words import say_count
from agent.usecases import tagging

_LEFT = {
    tagging.NO_MARKS: "their file system carries no marks",
    tagging.UNDER_REVIEW: "somebody has begun to review them",
    tagging.NO_WRITER: "of a tenant that nobody may change: its settings have no `writer`",
    tagging.NOT_NAMED: "of a tenant whose settings name neither a label nor columns for them",
    tagging.NO_COLUMNS: "their library has no such columns or will not have them set so (or they are no plain files)",
    tagging.NO_LABEL: "their tenant has no such label, or lets nobody set it (or they are no plain files)",
    tagging.LABELLED_BY_PEOPLE: "somebody else has put another label on them, which stays",
}


def tell_tagged(facts: dict[str, Any]) -> None:
    marked = f"{say_count(facts['marked'], 'file')}"
    labelled = f", {facts['labelled']:,} of them with a retention label" if facts["labelled"] else ""
    if facts["dry_run"]:
        typer.echo(f"Would be marked, unless they are already: {marked}{labelled}. Nothing was changed.")
    else:
        typer.echo(f"Marked: {marked}{labelled}; as before: {facts['as_before']:,}.")
    for word, count in sorted(facts["left"].items()):
        typer.echo(f"  left: {say_count(count, 'file')}, {_LEFT.get(word) or say_why(word)}")
    if facts["labels_stay"]:
        typer.echo("Retention labels stay: they may have made records of files, which is for people to undo.")
