"""`retentiond review`: what is due goes through people's hands before anything is done with it."""

from __future__ import annotations

from typing import Annotated

import typer

from agent.cli import options

review_app = typer.Typer(
    name="review",
    help="Look at what is due, and approve, extend, reclassify or reject it, stage by stage. Nothing is destroyed that "
    "two different people have not approved as it is; what changes afterwards must be approved again.\n\n"
    "Reviewers are named in the settings. Every act is kept for good with its reason: leave names out of reasons.\n\n"
    'Example:  retentiond review list --mine; retentiond review approve 17 18 --reason "Checked"',
    no_args_is_help=True,
)

_Items = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PATH|NUMBER]...", help="Items, by path or by number.", show_default=False),
]
_Reason = Annotated[str, typer.Option("--reason", help="Why. Kept for good, so leave names out.", show_default=False)]
_OfClass = Annotated[
    str | None, typer.Option("--class", metavar="ID", help="With --all-due: of this class.", show_default=False)
]
_AllDue = Annotated[bool, typer.Option("--all-due", help="Every due item of a class on which you may act.")]
_From = Annotated[
    str | None,
    typer.Option("--from", metavar="FILE|-", help="A list of acts as JSON, all recorded or none.", show_default=False),
]
_Yes = Annotated[bool, typer.Option("--yes", "-y", help="Record without asking.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be recorded, and record nothing.")]


@review_app.command("list")
def list_(
    class_id: Annotated[
        str | None, typer.Option("--class", metavar="ID", help="Only of this class.", show_default=False)
    ] = None,
    review_state: Annotated[
        str | None, typer.Option("--in", metavar="STATE", help="Name only those in this state.", show_default=False)
    ] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Name only what waits for you.")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="Name only what has been waiting for too long.")] = False,
    show: options.Show = 50,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """List what is due with how its review stands, whose turn it is, and who must be reminded.

    States: proposed, in_review, approved, rejected, asked, expired. After a reclassification or an extension an item is
    listed again as soon as it is due again.

    Example:  retentiond review list --mine --overdue
    """
    from agent.cli.reviewing import Where, reviewing
    from agent.errors import UsageError
    from agent.model.review import ReviewState
    from agent.usecases.review_list import Wanted

    try:
        wanted = Wanted(class_id, ReviewState(review_state) if review_state else None, None, overdue)
    except ValueError:
        raise UsageError(f"--in: {review_state!r} is no state. Use one of: {', '.join(ReviewState)}.") from None
    with reviewing(Where(state, config, schedule), json=json) as run:
        run.list(wanted, mine=mine, shown=show)


@review_app.command("show")
def show(
    item: Annotated[str, typer.Argument(metavar="PATH|NUMBER", help="The item, by path or by number.")],
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Show one item: why it is due, what was done about it, how far it can be extended, and which copies there are.

    Example:  retentiond review show 17
    """
    from agent.cli.reviewing import Where, reviewing

    with reviewing(Where(state, config, schedule), json=json) as run:
        run.show(item)


@review_app.command("approve")
def approve(
    items: _Items = None,
    reason: _Reason = "",
    class_id: _OfClass = None,
    all_due: _AllDue = False,
    sample: Annotated[
        int | None,
        typer.Option("--sample", metavar="NUMBER", help="All that this clean sample speaks for.", show_default=False),
    ] = None,
    source: _From = None,
    yes: _Yes = False,
    dry_run: _DryRun = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Approve the next stage of items that may go as proposed. One word is reason enough.

    An approval counts as long as file, class, outcome, date and schedule are what they were.

    Example:  retentiond review approve 17 18 --reason "Checked"
    """
    from agent.cli.reviewing import How, Targets, Where, reviewing
    from agent.model.review import ActKind
    from agent.usecases.review_rules import Wish

    targets = Targets(tuple(items or ()), class_id, all_due, sample, source)
    with reviewing(Where(state, config, schedule), json=json) as run:
        run.act(Wish(0, ActKind.APPROVE, reason), targets, How(yes, dry_run, json))


@review_app.command("extend")
def extend(
    items: _Items = None,
    until: Annotated[
        str, typer.Option("--until", metavar="DATE", help="The day on which they are due again.", show_default=False)
    ] = "",
    reason: _Reason = "",
    class_id: _OfClass = None,
    all_due: _AllDue = False,
    source: _From = None,
    yes: _Yes = False,
    dry_run: _DryRun = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Let items stay until a later day, as far as their class allows it (extend_up_to).

    Example:  retentiond review extend 17 --until 2027-06-30 --reason "An appeal is still possible"
    """
    from agent.cli.days import day
    from agent.cli.reviewing import How, Targets, Where, reviewing
    from agent.model.review import ActKind
    from agent.usecases.review_rules import Wish

    wish = Wish(0, ActKind.EXTEND, reason, until=day(until, "--until") if until else None)
    targets = Targets(tuple(items or ()), class_id, all_due, None, source)
    with reviewing(Where(state, config, schedule), json=json) as run:
        run.act(wish, targets, How(yes, dry_run, json))


@review_app.command("reclassify")
def reclassify(
    items: _Items = None,
    into: Annotated[
        str | None, typer.Option("--class", metavar="ID", help="The class they belong to.", show_default=False)
    ] = None,
    reason: _Reason = "",
    from_class: Annotated[
        str | None,
        typer.Option("--from-class", metavar="ID", help="With --all-due: of this class.", show_default=False),
    ] = None,
    all_due: _AllDue = False,
    source: _From = None,
    yes: _Yes = False,
    dry_run: _DryRun = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Put items into another class, in the place of those that the schedule's conditions have found.

    What a mark at the source says, and classes that retain permanently, stay beside it. It lasts until the content
    changes.

    Example:  retentiond review reclassify 17 --class case-file --reason "It belongs to a case"
    """
    from agent.cli.reviewing import How, Targets, Where, reviewing
    from agent.model.review import ActKind
    from agent.usecases.review_rules import Wish

    targets = Targets(tuple(items or ()), from_class, all_due, None, source)
    with reviewing(Where(state, config, schedule), json=json) as run:
        run.act(Wish(0, ActKind.RECLASSIFY, reason, class_id=into), targets, How(yes, dry_run, json))


@review_app.command("reject")
def reject(
    items: _Items = None,
    reason: _Reason = "",
    class_id: _OfClass = None,
    all_due: _AllDue = False,
    source: _From = None,
    yes: _Yes = False,
    dry_run: _DryRun = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Say that items must not go as proposed. What was approved before no longer counts.

    Example:  retentiond review reject 17 --reason "The contract is still in dispute"
    """
    from agent.cli.reviewing import How, Targets, Where, reviewing
    from agent.model.review import ActKind
    from agent.usecases.review_rules import Wish

    targets = Targets(tuple(items or ()), class_id, all_due, None, source)
    with reviewing(Where(state, config, schedule), json=json) as run:
        run.act(Wish(0, ActKind.REJECT, reason), targets, How(yes, dry_run, json))


@review_app.command("ask")
def ask(
    items: _Items = None,
    reason: Annotated[
        str, typer.Option("--reason", help="The question. Kept for good, so leave names out.", show_default=False)
    ] = "",
    class_id: _OfClass = None,
    all_due: _AllDue = False,
    source: _From = None,
    yes: _Yes = False,
    dry_run: _DryRun = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Ask something about items before they go. What was approved before no longer counts; the next act answers.

    Example:  retentiond review ask 17 --reason "Does the insurer still need this?"
    """
    from agent.cli.reviewing import How, Targets, Where, reviewing
    from agent.model.review import ActKind
    from agent.usecases.review_rules import Wish

    targets = Targets(tuple(items or ()), class_id, all_due, None, source)
    with reviewing(Where(state, config, schedule), json=json) as run:
        run.act(Wish(0, ActKind.ASK, reason), targets, How(yes, dry_run, json))


@review_app.command("delegate")
def delegate(
    items: _Items = None,
    to: Annotated[
        str, typer.Option("--to", metavar="NAME", help="A reviewer whom the settings name.", show_default=False)
    ] = "",
    reason: _Reason = "",
    class_id: _OfClass = None,
    all_due: _AllDue = False,
    source: _From = None,
    yes: _Yes = False,
    dry_run: _DryRun = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Move the next stage of items to another reviewer, who alone takes it from then on.

    Example:  retentiond review delegate 17 --to ben --reason "Away until October"
    """
    from agent.cli.reviewing import How, Targets, Where, reviewing
    from agent.model.review import ActKind
    from agent.usecases.review_rules import Wish

    targets = Targets(tuple(items or ()), class_id, all_due, None, source)
    with reviewing(Where(state, config, schedule), json=json) as run:
        run.act(Wish(0, ActKind.DELEGATE, reason, to=to), targets, How(yes, dry_run, json))


@review_app.command("record")
def record(
    source: Annotated[str, typer.Option("--from", metavar="FILE|-", help="A list of acts of any kind, as JSON.")],
    yes: _Yes = False,
    dry_run: _DryRun = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Record acts of several kinds out of a file, all or none: [{"item": 17, "kind": "approve", "reason": "…"}].

    An act may have path in the place of item, and until, class, to. With seen, as list and show tell it, an act is
    refused if anything has changed since then.

    Example:  retentiond review record --from acts.json --json --yes
    """
    from agent.cli.reviewing import How, Targets, Where, reviewing

    with reviewing(Where(state, config, schedule), json=json) as run:
        run.act(None, Targets(source=source), How(yes, dry_run, json))


@review_app.command("sample")
def sample(
    number: Annotated[
        int | None, typer.Argument(metavar="[NUMBER]", min=1, help="A sample that was drawn.", show_default=False)
    ] = None,
    class_id: Annotated[
        str | None, typer.Option("--class", metavar="ID", help="Draw one from this class.", show_default=False)
    ] = None,
    group: Annotated[
        str, typer.Option("--group", metavar="KEY", help="From which group of like items.", show_default=False)
    ] = "",
    at_most: Annotated[
        float, typer.Option("--at-most", metavar="PERCENT", min=0, max=50, help="So many percent bad at the most.")
    ] = 2.0,
    good: Annotated[
        list[int] | None, typer.Option("--good", metavar="ITEM", help="It may go as proposed.", show_default=False)
    ] = None,
    bad: Annotated[
        list[int] | None, typer.Option("--bad", metavar="ITEM", help="It must not; say why.", show_default=False)
    ] = None,
    reason: _Reason = "",
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Draw a random sample of like items, look at each, and let it speak for all: or for none, at the first bad one.

    It is so large that, if nothing is bad in it, at most --at-most percent of the group are, with 95 % confidence.

    Example:  retentiond review sample --class cv-rejected; retentiond review sample 3 --good 17 --good 21
    """
    from agent.cli.reviewing import Where, reviewing
    from agent.errors import UsageError

    if (number is None) == (class_id is None):
        raise UsageError("Name either the class to draw from, with --class, or the number of a sample.")
    with reviewing(Where(state, config, schedule), json=json) as run:
        if class_id is not None:
            run.draw(class_id, group, at_most)
        else:
            run.judge(number or 0, good or (), bad or (), reason)
