"""What `retentiond hold` does, from what was asked to what it prints."""

from __future__ import annotations

import json as codec
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from agent import bootstrap
from agent.errors import UsageError
from agent.model.hold import Hold, HoldKind, HoldScope
from agent.model.key import HIDDEN, show_key
from agent.usecases.holds import Holds, HoldState, Listed, Progress
from connectors.base import ItemRef

if TYPE_CHECKING:
    from datetime import date

    from agent.catalogue.store import Catalogue
    from agent.usecases.evaluate import Terms

_KINDS = {
    HoldKind.LEGAL_HOLD: "legal hold",
    HoldKind.MORATORIUM: "moratorium",
    HoldKind.SUBJECT_REQUEST: "subject request",
    HoldKind.RESTRICTION: "restriction of processing",
}


class Holding:
    """One run of one of the commands."""

    def __init__(self, catalogue: Catalogue, terms: Terms, *, json: bool) -> None:
        self._holds = Holds(catalogue, terms)
        self._today = bootstrap.today(terms.schedule)
        self._json = json

    def place(self, new: Hold, *, everything: bool, ask: bool, dry_run: bool) -> None:
        self._can_ask(ask and not dry_run, "--yes to place it, or --dry-run to see what it would cover")
        with _progress() as progress:
            coverage = self._holds.work_out(new, everything=everything, progress=progress)
        covered, first = len(coverage.items), [_item(*found) for found in coverage.first]
        if not self._json:
            _tell_coverage(coverage.hold, covered, first)
        if dry_run:
            facts = {"placed": False, "hold": _facts(coverage.hold), "covered": covered, "first": first}
            self._end(facts, "This was a dry run: nothing was placed.")
            return
        if ask and not _confirmed("Place this hold?", "placed"):
            return
        with _progress() as progress:
            placed = self._holds.place(coverage, progress)
        now = self._holds.show(str(placed.number), self._today)
        facts = {"placed": True, "hold": _facts(placed), "covered": now.covered.there, "first": first}
        self._end(facts, f"Placed: {_name(placed)}. It covers {_items(now.covered.there)}.")

    def lift(self, named: str, why: str, told_on: date | None, *, ask: bool) -> None:
        self._can_ask(ask, "--yes to lift it")
        lifting = self._holds.lifting(named, why, told_on, bootstrap.now())
        others = lifting.held_by_others
        stay = f"{others:,} of them {'stays' if others == 1 else 'stay'} held by another hold" if others else ""
        told = f"{_items(lifting.covered)}{'; ' + stay if stay else ''}"
        if not self._json:
            typer.echo(f"Lifting {_name(lifting.hold)}, releases {told}.")
        if ask and not _confirmed("Lift this hold?", "lifted"):
            return
        lifted = self._holds.lift(lifting, bootstrap.who())
        facts = {"lifted": True, "hold": _facts(lifted), "released": lifting.covered, "still_held": others}
        self._end(facts, f"Lifted: {_name(lifted)}.")

    def list(self, *, lifted: bool) -> None:
        listed = self._holds.listed(self._today, lifted=lifted)
        if self._json:
            _echo_json({"as_of": self._today.isoformat(), "holds": [_listed_facts(one) for one in listed]})
        elif listed:
            _tell_list(listed)
        else:
            typer.echo("No hold stands." if not lifted else "No hold has been placed yet.")

    def show(self, named: str) -> None:
        shown = self._holds.show(named, self._today)
        items = self._holds.covered(shown.hold)
        if self._json:
            _stream_json({"as_of": self._today.isoformat(), **_listed_facts(shown)}, items)
            return
        _tell_hold(shown)
        for share, ref in items:
            typer.echo(f"  {share}: {ref}")

    def _can_ask(self, ask: bool, instead: str) -> None:
        if ask and self._json:
            raise UsageError(f"With --json nobody is asked. Add {instead}.")

    def _end(self, facts: dict[str, Any], sentence: str) -> None:
        if self._json:
            _echo_json(facts)
        else:
            typer.echo(sentence)


def _confirmed(question: str, done: str) -> bool:
    try:
        confirmed = typer.confirm(question, err=True)
    except typer.Abort:
        raise UsageError(f"Nobody answered, so nothing was {done}. Add --yes to do it without asking.") from None
    if not confirmed:
        typer.echo(f"Nothing was {done}.")
    return confirmed


@contextmanager
def _progress() -> Iterator[Progress]:
    """Counts the items looked at, where somebody can see it."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda items: None
        return
    looked_at = 0
    with console.status("Looking through the catalogue") as status:

        def advance(items: int) -> None:
            nonlocal looked_at
            looked_at += items
            status.update(f"Looking through the catalogue: {looked_at:,} items")

        yield advance


# In words


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count:,} items" if count else "no item"


def _name(hold: Hold) -> str:
    number = f"{hold.number}, " if hold.number else ""
    return f'hold {number}"{hold.name}" ({_KINDS[hold.kind]})'


def _tell_coverage(hold: Hold, covered: int, first: list[dict[str, str]]) -> None:
    _tell_scope(hold.scope)
    if not covered:
        typer.echo("It would cover no item seen so far. Items seen later are covered if its scope fits them.")
        return
    typer.echo(f"It would cover {_items(covered)}:")
    for item in first:
        typer.echo(f"  {item['share']}: {item['path']}")
    if covered > len(first):
        typer.echo(f"  and {covered - len(first):,} more")


def _tell_scope(scope: HoldScope) -> None:
    typer.echo("Scope:")
    for line in _scope(scope):
        typer.echo(f"  {line}")


def _scope(scope: HoldScope) -> Iterator[str]:
    if scope == HoldScope():
        yield "everything"
    if scope.condition:
        yield "items for which this holds:"
        yield from (f"    {line}" for line in scope.condition.rstrip().splitlines())
    if scope.classes:
        yield f"of the class {' or '.join(scope.classes)}"
    if scope.keys:
        yield f"with the key {' or '.join(f'{key} = {show_key(value)}' for key, value in scope.keys)}"
    if scope.persons:
        yield f"about {' or '.join(_hidden(identity) for identity in scope.persons)} (keyed hash of a person)"
    if scope.dated_from:
        yield f"last modified on {scope.dated_from} or later"
    if scope.dated_until:
        yield f"last modified on {scope.dated_until} or earlier"


def _stands(listed: Listed) -> str:
    hold = listed.hold
    return {
        HoldState.LIFTED: f"lifted on {hold.lifted_at:%Y-%m-%d}" if hold.lifted_at else "",
        HoldState.NOT_YET: f"from {hold.from_day} on",
        HoldState.ENDED: f"ended with {hold.until_day}",
        HoldState.IN_FORCE: f"in force until {hold.until_day}" if hold.until_day else "in force",
    }[listed.state]


def _tell_list(listed: Iterable[Listed]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table("No.", "Name", "Kind", "Stands", "Items", "Gone", "Review by", "Placed", "By")
    for one in listed:
        hold = one.hold
        review = str(hold.review_on) if hold.review_on else ""
        table.add_row(
            str(hold.number),
            escape(hold.name),
            _KINDS[hold.kind],
            _stands(one),
            f"{one.covered.there:,}",
            f"{one.covered.gone:,}" if one.covered.gone else "",
            f"{review} OVERDUE REVIEW" if one.overdue else review,
            f"{hold.placed_at:%Y-%m-%d}",
            escape(hold.placed_by),
        )
    Console(highlight=False).print(table)


def _tell_hold(shown: Listed) -> None:
    hold = shown.hold
    typer.echo(f"{_name(hold)}: {_stands(shown)}")
    typer.echo(f"Reason: {hold.reason}")
    if hold.citation:
        typer.echo(f"Citation: {hold.citation}")
    _tell_scope(hold.scope)
    typer.echo(f"Placed by {hold.placed_by} on {hold.placed_at:%Y-%m-%d at %H:%M} UTC")
    if hold.review_on:
        typer.echo(f"Review by {hold.review_on}{': OVERDUE REVIEW' if shown.overdue else ''}")
    if hold.lifted_at:
        typer.echo(f"Lifted by {hold.lifted_by} on {hold.lifted_at:%Y-%m-%d at %H:%M} UTC: {hold.lifted_why}")
    if hold.told_on:
        typer.echo(f"The person was told on {hold.told_on}")
    if shown.covered.gone:
        typer.echo(f"GONE although held: {_items(shown.covered.gone)}")
    typer.echo(f"Covers {_items(shown.covered.there)}")


# As facts


def _hidden(identity: bytes) -> str:
    return show_key(HIDDEN + identity.hex())


def _item(share: str, ref: ItemRef) -> dict[str, str]:
    return {"share": share, "path": str(ref)}


def _facts(hold: Hold) -> dict[str, Any]:
    scope = hold.scope
    days = {name: getattr(hold, name) for name in ("review_on", "from_day", "until_day", "told_on")}
    return {
        "number": hold.number or None,
        "name": hold.name,
        "kind": hold.kind.value,
        "reason": hold.reason,
        "citation": hold.citation,
        "scope": {
            "everything": scope == HoldScope(),
            "condition": scope.condition,
            "classes": list(scope.classes),
            "keys": [{"key": key, "value": show_key(value)} for key, value in scope.keys],
            "persons": [_hidden(identity) for identity in scope.persons],
            "dated_from": str(scope.dated_from) if scope.dated_from else None,
            "dated_until": str(scope.dated_until) if scope.dated_until else None,
        },
        "placed_by": hold.placed_by,
        "placed_at": hold.placed_at.isoformat(),
        **{name: str(day) if day else None for name, day in days.items()},
        "lifted_at": hold.lifted_at.isoformat() if hold.lifted_at else None,
        "lifted_by": hold.lifted_by,
        "lifted_why": hold.lifted_why,
    }


def _listed_facts(listed: Listed) -> dict[str, Any]:
    return {
        **_facts(listed.hold),
        "state": listed.state.value,
        "covered": listed.covered.there,
        "gone": listed.covered.gone,
        "review_overdue": listed.overdue,
    }


def _echo_json(facts: dict[str, Any]) -> None:
    typer.echo(codec.dumps(facts, indent=2, ensure_ascii=False))


def _stream_json(facts: dict[str, Any], items: Iterable[tuple[str, ItemRef]]) -> None:
    """One object with the items as its last field, written as they come: a hold may cover a million."""
    write = sys.stdout.write
    write(codec.dumps(facts, indent=2, ensure_ascii=False).removesuffix("\n}") + ',\n  "items": [')
    separator = ""
    for found in items:
        write(f"{separator}\n    {codec.dumps(_item(*found), ensure_ascii=False)}")
        separator = ","
    write("\n  ]\n}\n")
