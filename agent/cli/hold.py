"""`retentiond hold`: what suspends every disposition, whatever the schedule says."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli import options

if TYPE_CHECKING:
    from datetime import date

hold_app = typer.Typer(
    name="hold",
    help="Place and lift holds: a legal hold, a moratorium, the freeze for a person's request, a restriction of "
    "processing. While a hold stands, nothing may be done with what it covers.\n\n"
    'Example:  retentiond hold place "Smith v Acme" --kind legal-hold --path "HR/**" --reason "Claim 2026-17"',
    no_args_is_help=True,
)


class Kind(StrEnum):
    """The kinds of hold, as they are typed."""

    LEGAL_HOLD = "legal-hold"
    MORATORIUM = "moratorium"
    SUBJECT_REQUEST = "subject-request"
    RESTRICTION = "restriction"


_Named = Annotated[str, typer.Argument(metavar="NAME|NUMBER", help="The hold, by its name or number.")]
_Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]


def _text(option: str, help: str) -> Any:
    return typer.Option(option, help=help, show_default=False)


def _several(option: str, metavar: str, help: str) -> Any:
    return typer.Option(option, metavar=metavar, help=f"{help} May be given several times.", show_default=False)


def _day(option: str, help: str) -> Any:
    return typer.Option(option, metavar="DATE", help=help, show_default=False)


@hold_app.command("place")
def place(
    name: Annotated[str, typer.Argument(help="A name for people. It stays with this hold for good.")],
    kind: Annotated[Kind, typer.Option("--kind", help="What sort of hold this is.")],
    reason: Annotated[str, _text("--reason", "Why these items must stay.")] = "",
    citation: Annotated[str, _text("--citation", "The statute, order or request that it rests on.")] = "",
    path: Annotated[list[str] | None, _several("--path", "PATTERN", "Items at this path, as in a schedule.")] = None,
    share: Annotated[list[str] | None, _several("--share", "NAME", "Items of this share.")] = None,
    class_id: Annotated[list[str] | None, _several("--class", "ID", "Items of this retention class.")] = None,
    key: Annotated[list[str] | None, _several("--key", "KEY=VALUE", "Items with this key, as in case=2026-17.")] = None,
    person: Annotated[
        list[str] | None, _several("--person", "TEXT", "Items that name this person; kept as a keyed hash.")
    ] = None,
    person_id: Annotated[
        list[str] | None,
        _several(
            "--person-id",
            "TYPE=VALUE",
            "Items with this value of an entity type, as in EMAIL_ADDRESS=name@example.org; kept as a keyed hash.",
        ),
    ] = None,
    query: Annotated[str, _text("--query", "A condition in YAML, as under applies_when in a schedule.")] = "",
    dated_from: Annotated[str, _day("--dated-from", "Items last modified on this day or later.")] = "",
    dated_until: Annotated[str, _day("--dated-until", "Items last modified on this day or earlier.")] = "",
    from_day: Annotated[str, _day("--from", "The hold stands from this day on. Left out: at once.")] = "",
    until_day: Annotated[str, _day("--until", "It stands to the end of this day. Left out: until it is lifted.")] = "",
    review: Annotated[str, _day("--review", "By this day somebody must ask whether it is still needed.")] = "",
    everything: Annotated[bool, typer.Option("--everything", help="Cover every item there is.")] = False,
    yes: _Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would cover, and place nothing.")] = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Place a hold, after saying what it would cover.

    An item is covered if every sort of limit that is given holds for it; of several limits of one sort, one is
    enough. Whoever a hold is about is kept as a keyed hash only: leave names out of its own name and its reason.

    Example:  retentiond hold place "DSAR 2026-17" --kind subject-request --person "Jane Doe" --reason "Request 17"
    """
    from agent import bootstrap
    from agent.cli.holding import Holding
    from agent.cli.opened import opened
    from agent.model.hold import Hold, HoldKind
    from agent.usecases.hold_scope import ScopeWords, read_scope

    words = ScopeWords(
        paths=tuple(path or ()),
        shares=tuple(share or ()),
        classes=tuple(class_id or ()),
        keys=tuple(key or ()),
        persons=tuple(person or ()),
        identified=tuple(person_id or ()),
        query=query,
        dated_from=_given(dated_from, "--dated-from"),
        dated_until=_given(dated_until, "--dated-until"),
    )
    with opened(state, config, schedule) as (catalogue, terms):
        new = Hold(
            number=0,
            name=name,
            kind=HoldKind[kind.name],
            scope=read_scope(words, terms.schedule, terms.form, [known.name for known in catalogue.shares()]),
            reason=reason,
            citation=citation,
            placed_by=bootstrap.who(),
            placed_at=bootstrap.now(),
            review_on=_given(review, "--review"),
            from_day=_given(from_day, "--from"),
            until_day=_given(until_day, "--until"),
        )
        Holding(catalogue, terms, json=json).place(new, everything=everything, ask=not yes, dry_run=dry_run)


@hold_app.command("list")
def list_(
    all_: Annotated[bool, typer.Option("--all", help="Also those that were lifted.")] = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """List the holds, how many items each covers, and whose review is overdue.

    Example:  retentiond hold list --all
    """
    from agent.cli.holding import Holding
    from agent.cli.opened import opened

    with opened(state, config, schedule) as desk:
        Holding(*desk, json=json).list(lifted=all_)


@hold_app.command("show")
def show(
    named: _Named,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Show one hold: its scope, who placed it, when and why, and every item that it covers.

    Example:  retentiond hold show "Smith v Acme"
    """
    from agent.cli.holding import Holding
    from agent.cli.opened import opened

    with opened(state, config, schedule) as desk:
        Holding(*desk, json=json).show(named)


@hold_app.command("lift")
def lift(
    named: _Named,
    why: Annotated[str, _text("--why", "Why it is no longer needed.")] = "",
    told: Annotated[
        str, _day("--told", "Of a restriction: when the person was told that it would be lifted (UK GDPR Art. 18(3)).")
    ] = "",
    yes: _Yes = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Lift a hold, after saying how many items it releases. It stays on record with who lifted it, when and why.

    Example:  retentiond hold lift "Smith v Acme" --why "Settled on 3 March 2026"
    """
    from agent.cli.holding import Holding
    from agent.cli.opened import opened

    told_on = _given(told, "--told")
    with opened(state, config, schedule) as desk:
        Holding(*desk, json=json).lift(named, why, told_on, ask=not yes)


def _given(text: str, option: str) -> date | None:
    from agent.cli.days import day

    return day(text, option) if text else None
