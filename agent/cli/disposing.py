"""What `retentiond dispose` does, from what was asked to what it prints."""

from __future__ import annotations

import json as codec
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from agent import acting as root
from agent import bootstrap
from agent.catalogue.disposal_rows import Disposal
from agent.cli import disposing_words as words
from agent.cli.opened import opened
from agent.cli.progress import counting
from agent.cli.tagging_words import tell_tagged
from agent.errors import ExitCode, UsageError
from agent.model.disposal import OVER, DisposalState, Obstacle
from agent.model.review import Reviewer
from agent.reports.words import say_count, say_size
from agent.usecases.dispose import Disposing, Outlook
from agent.usecases.dispose_rules import ActRules
from agent.usecases.hand_back import Addressee, HandingBack
from agent.usecases.review_standing import ReviewStandings
from agent.usecases.tagging import Said, Tagging

if TYPE_CHECKING:
    from agent.acting import Bench
    from agent.catalogue.store import Catalogue
    from agent.disposition.base import Told
    from agent.disposition.recovery import Recovered
    from agent.settings import TenantSettings

_STEPS = ("", "quarantine", "destroy")


@dataclass(frozen=True, slots=True)
class Where:
    """The catalogue, the settings and the schedule that the options name."""

    state: Path | None
    config: Path | None
    schedule: str | None


@dataclass(frozen=True, slots=True)
class How:
    """Whether to ask, and what an administrator has said."""

    yes: bool
    over_caps: bool = False
    clock_is_right: bool = False
    reason: str = ""


@contextmanager
def disposing(where: Where, *, json: bool, acting: bool = True) -> Iterator[Desk]:
    """One run over the catalogue. With `acting`, nobody else acts meanwhile, and vault and shares are open."""
    settings = bootstrap.settings_from(where.config)
    state = bootstrap.state_directory(where.state, settings, create=False)
    reviewers = [Reviewer(one.name, one.roles, one.email or "") for one in settings.reviewers]
    with opened(where.state, where.config, where.schedule) as (catalogue, terms):
        standings = ReviewStandings(catalogue, terms, bootstrap.today(terms.schedule), reviewers)
        limits = root.rules(settings, catalogue.shares())
        if acting and limits.barred:
            typer.echo(
                f"Nothing is taken from {', '.join(sorted(limits.barred))}: another share leads to the same files, and "
                "a hold on one would not keep the other's. Leave one of them under `shares` in the settings.",
                err=True,
            )
        desk = Disposing(catalogue, terms, standings, limits, bootstrap.now)
        rules = ActRules(catalogue, reviewers, bootstrap.who(), root.clock(settings))
        if not acting:
            yield Desk(catalogue, standings, desk, rules, None, json=json)
            return
        with root.bench(settings, state, catalogue, terms) as bench:
            yield Desk(catalogue, standings, desk, rules, bench, json=json)


class Desk:
    """One run of one of the commands."""

    def __init__(
        self,
        catalogue: Catalogue,
        standings: ReviewStandings,
        disposing: Disposing,
        rules: ActRules,
        bench: Bench | None,
        *,
        json: bool,
    ) -> None:
        self._catalogue = catalogue
        self._standings = standings
        self._disposing = disposing
        self._rules = rules
        self._opened = bench
        self._json = json

    # Looking

    def plan(self, class_id: str | None, *, shown: int) -> None:
        outlook, ripe, waiting = self._outlook(class_id, over_caps=False)
        facts = {
            "to_quarantine": len(outlook.plans),
            "bytes": sum(plan.size_bytes for plan in outlook.plans),
            "beyond_caps": outlook.beyond_caps,
            "waiting": dict(outlook.waiting),
            "to_destroy": len(ripe),
            "in_quarantine_waiting": dict(waiting),
            "items": [words.plan_facts(plan) for plan in outlook.plans[:shown]],
        }
        self._tell(facts, words.tell_plan)

    def list(self, *, everything: bool) -> None:
        states = [state for state in DisposalState if everything or state not in OVER]
        found = self._catalogue.disposals.of_state(*states)
        facts = {"disposals": [words.disposal_facts(one) for one in found], "paused": self._paused()}
        self._tell(facts, words.tell_list)

    def show(self, number: int) -> None:
        one = self._get(number)
        steps = [words.step_facts(step) for step in self._catalogue.disposals.steps(one.number)]
        self._tell({**words.disposal_facts(one), **words.account_facts(one), "steps": steps}, words.tell_one)

    # Acting

    def run(self, class_id: str | None, only: str, how: How) -> None:
        if only not in _STEPS:
            raise UsageError(f'--only: "{only}" is no step. Write quarantine or destroy, or leave it out for both.')
        override = self._rules.override(how.reason, over_caps=how.over_caps, clock_is_right=how.clock_is_right)
        recovered = self._recovered()
        outlook, ripe, waiting = self._outlook(class_id, over_caps=how.over_caps)
        plans = outlook.plans if only != "destroy" else []
        ripe = ripe if only != "quarantine" else []
        if (plans or ripe) and not how.yes:
            self._ask(plans, ripe)
        outlook.plans = plans
        with self._counting("Quarantine") as advance:
            taken = self._disposing.take(outlook, self._bench.means, self._bench.quarantine, override, advance)
        with self._counting("Destroy") as advance:
            destroyed = self._disposing.destroy(ripe, self._bench.means, advance)
        facts = {
            "recovered": words.recovered_facts(recovered),
            "quarantined": len(taken.done),
            "bytes": sum(one.size_bytes for one in taken.done),
            "destroyed": len(destroyed.done),
            "kept": _kept(taken, destroyed),
            "waiting": dict(outlook.waiting),
            "beyond_caps": outlook.beyond_caps,
            "in_quarantine_waiting": dict(waiting),
        }
        self._tell(facts, words.tell_run)
        self._end(recovered, taken, destroyed)

    def erase(self, how: How) -> None:
        self._rules.override(how.reason, over_caps=False, clock_is_right=how.clock_is_right)
        recovered = self._recovered()
        ceremony, erased = self._bench.destruction.erase()
        facts = {
            "recovered": words.recovered_facts(recovered),
            "erased": [one.number for one in erased],
            "epochs": list(ceremony.epochs),
            "survivors": ceremony.survivors,
        }
        self._tell(facts, words.tell_erased)
        self._end(recovered)

    def recover(self) -> None:
        recovered = self._recovered()
        self._tell(words.recovered_facts(recovered), words.tell_recovered)
        self._end(recovered)

    def restore(self, numbers: Sequence[int], to: str | None, reason: str, *, yes: bool) -> None:
        reason = self._rules.reason(reason)
        place = None if to is None else self._rules.place(to)
        numbers = [*dict.fromkeys(numbers)]
        if place is not None and len(numbers) > 1:
            raise UsageError("--to: several items cannot go to one place. Restore them one by one.")
        recovered = self._recovered()
        disposals = [self._get(number) for number in numbers]
        for one in disposals:
            if one.state is not DisposalState.QUARANTINED:
                raise UsageError(f"Disposal {one.number} is {words.say_state(one.state)}, so nothing can be restored.")
        if not yes:
            self._confirm(f"Restore {say_count(len(disposals), 'file')}?")
        told = []
        for one in disposals:
            target = place or one.ref
            obstacle = self._bench.restoring.give_back(one, target, reason)
            told.append({"disposal": one.number, "restored": obstacle is None, "to": str(target), "why": obstacle})
        self._tell({"restored": told}, words.tell_restored)
        if recovered.unsettled or any(one["why"] for one in told):
            raise typer.Exit(ExitCode.ITEMS_FAILED)

    def export(self, class_id: str | None, to: str, recipients: Sequence[str]) -> None:
        self._standings.check_class(class_id)
        self._recovered()
        desk = HandingBack(self._catalogue, self._bench.schedule, self._bench.means.vault, self._bench.outbox)
        addressee = Addressee(self._rules.name(to), tuple(recipients))
        with self._counting("Deciding") as advance:
            self._standings.bring_up_to_date(advance)
        pending = desk.pending(class_id)
        free = desk.free(pending, self._bench.means.today())
        if len(free) < len(pending):
            left = say_count(len(pending) - len(free), "file")
            typer.echo(f"Left out: {left} under a hold, or not approved as it stands now.", err=True)
        made, file = desk.export(free, addressee, bootstrap.now(), self._rules.by)
        self._tell({**words.export_facts(made), "file": str(file)}, words.tell_export)

    def confirm(self, number: int, reason: str) -> None:
        confirmed = self._catalogue.bundles.confirm(number, bootstrap.now(), self._rules.by, self._rules.reason(reason))
        self._tell(words.export_facts(confirmed), words.tell_export)

    def exports(self) -> None:
        facts = {"exports": [words.export_facts(one) for one in self._catalogue.bundles.all()]}
        self._tell(facts, words.tell_exports)

    def tag(self, class_id: str | None, tenants: Sequence[TenantSettings], *, remove: bool, dry_run: bool) -> None:
        self._standings.check_class(class_id)
        with self._counting("Deciding") as advance:
            self._standings.bring_up_to_date(advance)
        of_tenant = {
            tenant.name: Said(tenant.labels, {str(what): name for what, name in tenant.decided_columns.items()})
            for tenant in tenants
        }
        said = {one.name: of_tenant[one.tenant] for one in self._catalogue.shares() if one.tenant in of_tenant}
        means = self._bench.means
        tagging = Tagging(self._catalogue, means.sources, means.keepers, said, dry_run=dry_run)
        with self._counting("Tag") as advance:
            tagged = tagging.tag(class_id, remove=remove, advance=advance)
        facts = {
            "marked": tagged.marked,
            "labelled": tagged.labelled,
            "as_before": tagged.as_before,
            "left": dict(sorted(tagged.left.items())),
            "labels_stay": remove and any(one.labels for one in said.values()),
            "dry_run": dry_run,
        }
        self._tell(facts, tell_tagged)

    def pause(self, reason: str) -> None:
        begun = self._catalogue.pauses.begin(bootstrap.now(), self._rules.by, self._rules.reason(reason))
        self._tell({"paused": True, "by": begun.by}, lambda _: typer.echo("Every disposal is suspended."))

    def resume(self, reason: str) -> None:
        reason = self._rules.reason(reason)
        self._rules.check_administrator("A pause can only be ended by an administrator")
        self._catalogue.pauses.end(bootstrap.now(), self._rules.by, reason)
        self._tell({"paused": False, "by": self._rules.by}, lambda _: typer.echo("Disposals go on."))

    # Parts of the above

    @property
    def _bench(self) -> Bench:
        assert self._opened is not None  # noqa: S101 — commands that act open it
        return self._opened

    def _outlook(self, class_id: str | None, *, over_caps: bool) -> tuple[Outlook, Sequence[Disposal], Counter[str]]:
        with self._counting("Deciding") as advance:
            self._standings.bring_up_to_date(advance)
        waiting = Counter[str]()
        outlook = self._disposing.outlook(class_id=class_id, over_caps=over_caps)
        ripe = [one for one in self._disposing.ripe(waiting) if class_id in (None, one.account.class_id)]
        return outlook, ripe, waiting

    def _recovered(self) -> Recovered:
        if self._catalogue.disposals.of_state(DisposalState.DESTROYING):  # these go on only if they still may
            with self._counting("Deciding") as advance:
                self._standings.bring_up_to_date(advance)
        return self._disposing.recover(self._bench.means, self._bench.quarantine)

    def _get(self, number: int) -> Disposal:
        found = self._catalogue.disposals.get(number)
        if found is None:
            raise UsageError(f"There is no disposal {number}. See them:  retentiond dispose list --all")
        return found

    def _paused(self) -> dict[str, Any] | None:
        pause = self._catalogue.pauses.in_force()
        return None if pause is None else {"since": pause.at.isoformat(), "by": pause.by, "why": pause.why}

    def _ask(self, plans: Sequence[Any], ripe: Sequence[Disposal]) -> None:
        size = say_size(sum(plan.size_bytes for plan in plans))
        self._confirm(
            f"Take {say_count(len(plans), 'file')} ({size}) into quarantine and destroy "
            f"{say_count(len(ripe), 'file')} there?"
        )

    def _confirm(self, question: str) -> None:
        if self._json:
            raise UsageError("With --json nobody is asked. Add --yes to do it, or see `retentiond dispose plan`.")
        try:
            sure = typer.confirm(question, err=True)
        except typer.Abort:
            raise UsageError("Nobody answered, so nothing was done. Add --yes to do it without asking.") from None
        if not sure:
            typer.echo("Nothing was done.")
            raise typer.Exit(ExitCode.OK)

    def _end(self, recovered: Recovered, *told: Told) -> None:
        if recovered.unsettled or any(one.kept for one in told):
            raise typer.Exit(ExitCode.ITEMS_FAILED)

    def _counting(self, title: str) -> Any:
        return counting(Console(stderr=True), title)

    def _tell(self, facts: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> None:
        if self._json:
            typer.echo(codec.dumps(facts, indent=2, ensure_ascii=False))
        else:
            tell(facts)


def _kept(*told: Told) -> dict[str, int]:
    counts = Counter[Obstacle]()
    for one in told:
        counts.update(one.kept.values())
    return {obstacle.value: count for obstacle, count in sorted(counts.items())}
