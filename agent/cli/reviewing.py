"""What `retentiond review` does, from what was asked to what it prints."""

from __future__ import annotations

import json as codec
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from agent import bootstrap
from agent.catalogue.base import LARGEST_NUMBER
from agent.cli import review_words as words
from agent.cli.opened import opened
from agent.cli.progress import counting
from agent.errors import ExitCode, UsageError
from agent.model.review import Reviewer, SampleVerdict
from agent.reports.words import say, say_count, say_size
from agent.usecases.explain import places_of, unseen
from agent.usecases.review import ReviewDesk
from agent.usecases.review_file import read_wishes
from agent.usecases.review_list import Wanted, list_reviews, show_review
from agent.usecases.review_rules import Wish
from agent.usecases.review_sampling import Groups
from agent.usecases.review_standing import ReviewStandings
from connectors.base import show_name

if TYPE_CHECKING:
    from agent.catalogue.store import Catalogue
    from agent.usecases.evaluate import Terms

_SHOWN = 20
_MOST_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class Where:
    """The catalogue, the settings and the schedule that the options name."""

    state: Path | None
    config: Path | None
    schedule: str | None


@dataclass(frozen=True, slots=True)
class How:
    """Whether to ask, to do it at all, and how to tell of it."""

    yes: bool
    dry_run: bool
    json: bool


@dataclass(frozen=True, slots=True)
class Targets:
    """On what to act: items by number or path, all due ones of a class, what a sample speaks for, or a file of acts."""

    items: tuple[str, ...] = ()
    class_id: str | None = None
    all_due: bool = False
    sample: int | None = None
    source: str | None = None


@contextmanager
def reviewing(where: Where, *, json: bool) -> Iterator[Reviewing]:
    """One run over the catalogue, with every item decided on anew about which something has changed."""
    settings = bootstrap.settings_from(where.config)
    reviewers = [Reviewer(one.name, one.roles, one.email or "") for one in settings.reviewers]
    with opened(where.state, where.config, where.schedule) as (catalogue, terms):
        today, modes = bootstrap.today(terms.schedule), settings.disposition
        standings = ReviewStandings(
            catalogue, terms, today, reviewers, lambda class_id: modes.mode_of(class_id) == "observe"
        )
        run = Reviewing(catalogue, terms, standings, settings.reviews.overdue_after_days, json=json)
        run.bring_up_to_date()
        yield run


class Reviewing:
    """One run of one of the commands."""

    def __init__(
        self,
        catalogue: Catalogue,
        terms: Terms,
        standings: ReviewStandings,
        overdue_after_days: int,
        *,
        json: bool,
    ) -> None:
        self._catalogue = catalogue
        self._terms = terms
        self._standings = standings
        self._overdue_after_days = overdue_after_days
        self._json = json
        self._by = bootstrap.who()
        self._desk = ReviewDesk(catalogue, terms, standings, self._by, bootstrap.now)

    def bring_up_to_date(self) -> None:
        with _counting("Deciding") as advance:
            self._standings.bring_up_to_date(advance)

    # Looking

    def list(self, wanted: Wanted, *, mine: bool, shown: int) -> None:
        wanted = replace(wanted, by=self._by if mine else None)
        listed = list_reviews(self._standings, wanted, shown, self._overdue_after_days)
        self._tell(words.list_facts(listed, self._standings, self._overdue_after_days), words.tell_list)

    def show(self, named: str) -> None:
        shown = show_review(self._catalogue, self._terms, self._standings, self._number(named))
        self._tell(words.shown_facts(shown, self._standings, self._overdue_after_days), words.tell_shown)

    # Acting

    def act(self, wish: Wish | None, targets: Targets, how: How) -> None:
        """Carries out the wish on all targets; without one, what the file says."""
        self._can_ask(how)
        if wish is not None and (targets.all_due or targets.sample is not None):
            self._act_on_many(wish, targets, how)
        elif targets.class_id is not None:
            raise UsageError("To act on every due item of a class that you may act on, add --all-due.")
        elif targets.source is not None and targets.items:
            raise UsageError("Name either items or, with --from, one file of acts.")
        elif targets.source is not None:
            self._act_on_some(self._read(targets.source, wish), how)
        elif wish is not None and targets.items:
            numbers = [self._number(named) for named in targets.items]
            self._act_on_some([replace(wish, item_id=number) for number in numbers], how)
        else:
            raise UsageError("Say on what: name items by number or path, or a file with --from.")

    def _act_on_some(self, wishes: Sequence[Wish], how: How) -> None:
        """All of them or none."""
        proposed = self._desk.propose(wishes)
        if proposed.refused:
            if self._json:
                _echo({"recorded": False, "dry_run": how.dry_run, **words.proposed_facts(proposed), "acts": []})
                raise typer.Exit(ExitCode.USAGE)
            refusals = [f"item {refusal.item_id}: {refusal.why}" for refusal in proposed.refused]
            more = [f"… and {len(refusals) - _SHOWN:,} more."] if len(refusals) > _SHOWN else []
            raise UsageError("\n".join([*refusals[:_SHOWN], *more, "Nothing was recorded."]))
        if not self._json:
            words.tell_proposed(proposed, _SHOWN)
        if how.dry_run or not self._confirmed(how, f"Record {len(proposed.acts):,}?"):
            self._end({"recorded": False, "dry_run": how.dry_run, **words.proposed_facts(proposed), "acts": []})
            return
        acts = self._desk.record(proposed)
        self._standings.bring_up_to_date()
        now = self._standings.of_numbers(act.item_id for act in acts)
        states = {str(number): one.review.state for number, one in now.items()}
        facts = {"acts": [words.act_facts(act) for act in acts], "states": states}
        if self._json:
            _echo({"recorded": True, "dry_run": False, **words.proposed_facts(proposed), **facts})
            return
        for act in acts:
            one = now[act.item_id]
            nxt = f"; next: {one.stage}, for {' or '.join(one.may_approve) or 'nobody'}" if one.review.stage else ""
            typer.echo(f"Act {act.number} on item {act.item_id}: recorded. It is {say(one.review.state)} now{nxt}.")

    def _act_on_many(self, wish: Wish, targets: Targets, how: How) -> None:
        if targets.items or targets.source is not None or (targets.all_due and targets.sample is not None):
            raise UsageError("Say on what in one way only: items, --class with --all-due, --sample, or --from.")
        with _counting("Looking") as advance:
            if targets.sample is not None:
                bulk = self._desk.propose_sampled(targets.sample, wish, advance)
            elif targets.class_id is not None:
                bulk = self._desk.propose_all(targets.class_id, wish, advance)
            else:
                raise UsageError("--all-due: say of which class, with --class.")
        count = len(bulk.items)
        refused = bulk.refused
        if not self._json:
            typer.echo(f"{wish.kind}: possible on {say_count(count, 'item')}.")
            words.tell_refused(refused.most_common())
        recorded = 0
        if count and not how.dry_run and self._confirmed(how, f"Record {count:,}?"):
            with _counting("Recording") as advance:
                recorded, left_out = self._desk.record_all(bulk, advance)
            refused = refused + left_out
            if not self._json:
                typer.echo(f"Recorded on {say_count(recorded, 'item')}.")
                words.tell_refused(left_out.most_common())
                return
        facts = {"possible": count, "recorded": recorded, "dry_run": how.dry_run}
        self._end({**facts, "refused": [{"why": why, "items": times} for why, times in refused.most_common()]})

    # Samples

    def draw(self, class_id: str, group: str, percent: float) -> None:
        groups = Groups(self._catalogue, self._terms, self._standings)
        possible = groups.possible(class_id, self._by)
        if len(possible) > 1 and not group:
            self._tell_groups(possible.most_common())
            return
        sample = groups.draw(class_id, percent, self._by, bootstrap.now, secrets.token_hex(8), group)
        self._tell_sample(sample.number)

    def judge(self, number: int, good: Sequence[int], bad: Sequence[int], reason: str) -> None:
        if good or bad:
            verdicts = [SampleVerdict(one, True, "") for one in good]
            verdicts += [SampleVerdict(one, False, " ".join(reason.split())) for one in bad]
            Groups(self._catalogue, self._terms, self._standings).judge(number, verdicts, self._by, bootstrap.now())
        self._tell_sample(number)

    def _tell_sample(self, number: int) -> None:
        sample = Groups(self._catalogue, self._terms, self._standings).get(number)
        self._tell(words.sample_facts(sample, self._standings.of_numbers(sample.drawn)), words.tell_sample)

    def _tell_groups(self, groups: Sequence[tuple[Any, int]]) -> None:
        facts = {"groups": [{**words.group_facts(group), "items": count} for group, count in groups]}
        if self._json:
            _echo(facts)
            return
        typer.echo("There are several groups of like items. Draw from one of them with --group KEY:")
        for one in facts["groups"]:
            where = one["pattern"] or "any path"
            typer.echo(f"  {one['key']}  {one['items']:,} items: {where}, {one['format']}, {say(one['outcome'])}")

    # What was asked

    def _number(self, named: str) -> int:
        """The number of the item that is named by number or path."""
        if named.isdecimal() and named.isascii() and not Path(named).exists():
            return min(int(named), LARGEST_NUMBER)  # there is none so large, and the answer is the same
        path = os.path.abspath(os.fsencode(named))
        places = places_of(self._catalogue, path)
        for share, ref in places:
            number = self._catalogue.reviews.item_at(share.id, ref)
            if number is not None:
                return number
        raise unseen(path, anywhere=bool(places))

    def _read(self, source: str, default: Wish | None) -> tuple[Wish, ...]:
        name = "standard input" if source == "-" else show_name(os.fsencode(source))
        try:
            if source == "-":
                data = sys.stdin.buffer.read(_MOST_BYTES + 1)
            else:
                with open(source, "rb") as file:
                    data = file.read(_MOST_BYTES + 1)
        except OSError as error:
            raise UsageError(f"{name}: cannot be read ({error.strerror}).") from error
        if len(data) > _MOST_BYTES:
            raise UsageError(f"{name}: this is larger than {say_size(_MOST_BYTES)}.")
        return read_wishes(name, data, default, self._number)

    def _can_ask(self, how: How) -> None:
        if self._json and not (how.yes or how.dry_run):
            raise UsageError("With --json nobody is asked. Add --yes to record it, or --dry-run to see what would be.")

    @staticmethod
    def _confirmed(how: How, question: str) -> bool:
        if how.yes:
            return True
        try:
            return typer.confirm(question, err=True)
        except typer.Abort:
            raise UsageError("Nobody answered, so nothing was recorded. Add --yes to do it without asking.") from None

    def _end(self, facts: dict[str, Any]) -> None:
        self._tell(facts, lambda _: typer.echo("Nothing was recorded."))

    def _tell(self, facts: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> None:
        if self._json:
            _echo(facts)
        else:
            tell(facts)


def _counting(title: str) -> AbstractContextManager[Callable[[int], None]]:
    return counting(Console(stderr=True), title)


def _echo(facts: dict[str, Any]) -> None:
    typer.echo(codec.dumps(facts, indent=2, ensure_ascii=False))
