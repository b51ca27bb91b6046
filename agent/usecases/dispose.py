"""Carrying out what reviews have approved: which items may go now, which may not and why, and the acts themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from agent.catalogue.disposal_rows import Disposal, Plan
from agent.catalogue.store import Catalogue
from agent.disposition.base import Means, Told
from agent.disposition.custody import Ending, recover
from agent.disposition.guards import Caps, CapsReached, Share
from agent.disposition.in_place import IN_PLACE, InPlaceQuarantine
from agent.disposition.quarantine import Quarantine
from agent.disposition.recovery import Recovered
from agent.disposition.relocate import Relocation
from agent.model.decision import Decision, DecisionState, ReasonCode
from agent.model.disposal import Account, Approval, DisposalState, Obstacle
from agent.model.review import ReviewState
from agent.model.schedule import Disposition
from agent.retention.wording import say_clock
from agent.usecases.evaluate import Evaluation, Terms
from agent.usecases.review_standing import AT_ONCE, ReviewStandings, UnderReview
from agent.usecases.standing import Advance
from connectors.base import ItemRef

OBSERVE, PROPOSE, ACT = "observe", "propose", "act"
_NEVER_TAKEN = frozenset({Disposition.RETAIN_PERMANENTLY})
_AWAY = (Disposition.DESTROY, Disposition.THIN)  # these leave nothing behind and nobody gets anything


@dataclass(frozen=True, slots=True)
class Rules:
    """How far items may go and how fast. `mode_of` tells for a class or a placement rule: observe, propose or act.

    `relocate` names, for a placement rule, the folder of the same share into which what breaks it is moved. From the
    shares in `barred` nothing is taken. What is taken from those `in_place` stays at its source, out of reach.
    """

    mode_of: Callable[[str], str]
    cool_off: timedelta
    least_stay: timedelta
    caps: Caps
    relocate: Mapping[str, str] = field(default_factory=dict)
    barred: Set[str] = frozenset()
    in_place: Set[str] = frozenset()


@dataclass(slots=True)
class Outlook:
    """What could go now, and how many items wait, by the reason."""

    plans: list[Plan] = field(default_factory=list)
    waiting: Counter[str] = field(default_factory=Counter)
    beyond_caps: dict[str, int] = field(default_factory=dict)


class Disposing:
    """Carries out what is approved in one catalogue, on one day."""

    def __init__(
        self, catalogue: Catalogue, terms: Terms, standings: ReviewStandings, rules: Rules, now: Callable[[], datetime]
    ) -> None:
        self._catalogue = catalogue
        self._terms = terms
        self._standings = standings
        self._rules = rules
        self._now = now

    # Looking ahead

    def outlook(self, *, class_id: str | None = None, over_caps: bool = False) -> Outlook:
        """What could be taken now, longest due first, within the caps unless an administrator goes beyond them.

        Standings must be up to date (`ReviewStandings.bring_up_to_date`). Memory grows with what may go, not with what
        is due.
        """
        outlook = Outlook()
        plans = self._plans(outlook.waiting, class_id)
        if over_caps:
            outlook.plans.extend(plans)
            return outlook
        caps = CapsReached(
            self._rules.caps, {share.name: self._share(share.name) for share in self._catalogue.shares()}
        )
        outlook.plans.extend(caps.allowed(plans))
        outlook.beyond_caps.update(caps.beyond)
        return outlook

    def _share(self, name: str) -> Share:
        since = self._now() - timedelta(days=1)
        return Share(self._catalogue.disposals.live_in(name), *self._catalogue.disposals.done_since(name, since))

    def _plans(self, waiting: Counter[str], class_id: str | None) -> Iterator[Plan]:
        evaluation = Evaluation(self._catalogue, self._terms, self._standings.today)
        for one in self._standings.due(class_id):
            if one.item.in_vault:
                continue
            obstacle = Obstacle.SHARE_AWAY.value if one.item.share in self._rules.barred else self._waits_for(one)
            if obstacle:
                waiting[obstacle] += 1
                continue
            item_id = one.item.item_id
            record = self._catalogue.reviews.records([item_id], self._terms.schedule.captured_types).get(item_id)
            decision = None if record is None else evaluation.of(record).decision
            if decision is None or decision.state is not DecisionState.DUE or decision.outcome != one.item.outcome:
                waiting[Obstacle.NOT_DUE.value] += 1
                continue
            if decision.placement is None and (obstacle := self._waits_for_people(one)):
                waiting[obstacle] += 1
                continue
            plan = self._plan(one, decision)
            if plan is None:
                waiting[ReviewState.PROPOSED.value] += 1
            elif plan.share in self._rules.in_place and not self._can_be_kept(plan):
                waiting[Obstacle.NOT_IN_PLACE.value] += 1
            else:
                yield plan

    def _can_be_kept(self, plan: Plan) -> bool:
        """Whether a source that keeps by itself what is taken is enough for the item to go the way it should."""
        return plan.action in IN_PLACE and self._target(plan) is None

    def _waits_for(self, one: UnderReview) -> str:
        """Why the item stays for now; empty if nothing but a look at itself is missing."""
        if one.item.outcome in _NEVER_TAKEN:
            return "retain_permanently"
        if one.item.outcome is Disposition.QUARANTINE:
            return ""  # what demands it, a placement rule or the item's class, is told by a look at the item
        return self._waits_for_people(one)

    def _waits_for_people(self, one: UnderReview) -> str:
        mode = self._rules.mode_of(one.item.class_id or "")
        if mode != ACT:
            return mode
        if one.review.state is not ReviewState.APPROVED:
            return one.review.state.value
        return self._cooling(one)

    def _cooling(self, one: UnderReview) -> str:
        since = one.review.approved_since
        cooled = since is not None and self._now() - since >= self._rules.cool_off
        return "" if cooled else Obstacle.TOO_SOON.value

    def _plan(self, one: UnderReview, decision: Decision) -> Plan | None:
        """The plan; none if a placement rule asks for it that does not act by itself and nobody has approved it."""
        approved = one.review.state is ReviewState.APPROVED and not self._cooling(one)
        if decision.placement is not None and not approved and self._rules.mode_of(decision.placement) != ACT:
            return None
        item = one.item
        return Plan(
            item.item_id,
            item.share,
            item.ref,
            self._action(item.outcome, decision.class_id),
            item.version,
            item.content_hash,
            item.size_bytes,
            one.grounds.mark,
            len(one.stages) if approved else 0,
            self._account(one, decision, approved=approved),
        )

    def _action(self, outcome: Disposition | None, class_id: str | None) -> Disposition:
        """What is done. Where the word of people takes the place of sure dates, it is what the class says; where the
        class itself leaves it to people, what they approve goes for good."""
        if outcome is not None and outcome is not Disposition.REVIEW:
            return outcome
        retention_class = self._terms.schedule.by_id.get(class_id or "")
        theirs = retention_class.outcome if retention_class else Disposition.REVIEW
        return Disposition.DESTROY if theirs is Disposition.REVIEW else theirs

    def _account(self, one: UnderReview, decision: Decision, *, approved: bool) -> Account:
        schedule = self._terms.schedule
        retention_class = schedule.by_id.get(decision.class_id or "")
        rule = next((rule for rule in schedule.placement if rule.id == decision.placement), None)
        codes = {ReasonCode.CLOCK, ReasonCode.COMBINED, ReasonCode.PLACEMENT}
        approvals = one.review.approvals if approved else ()
        return Account(
            schedule_id=schedule.id,
            schedule_version=schedule.version,
            class_id=retention_class.id if retention_class else "",
            class_title=retention_class.title if retention_class else "",
            mandate=rule.mandate if rule else retention_class.mandate if retention_class else "",
            rule=rule.title if rule else say_clock(retention_class) if retention_class else "",
            clock=" ".join(reason.sentence for reason in decision.reasons if reason.code in codes),
            due_on=decision.due_on or self._standings.today,
            approvals=tuple(Approval(act.number, act.by, act.stage, act.at) for act in approvals),
            placement=decision.placement or "",
        )

    # Acting

    def take(self, outlook: Outlook, means: Means, quarantine: Quarantine, override: str, advance: Advance) -> Told:
        """Takes what the outlook holds into quarantine, or moves it where its placement rule says."""
        if not outlook.plans:
            return Told()
        run = self._catalogue.disposals.begin_run("quarantine", means.now(), means.by, override)
        in_place = [plan for plan in outlook.plans if plan.share in means.keepers]
        ours = [plan for plan in outlook.plans if plan.share not in means.keepers]
        moving = [(plan, target) for plan in ours if (target := self._target(plan)) is not None]
        moved = Relocation(means, quarantine).move(run, moving, advance)
        staying = {plan.item_id for plan, _ in moving}
        told = quarantine.take(run, (plan for plan in ours if plan.item_id not in staying), advance)
        kept = InPlaceQuarantine(means).take(run, filter(self._can_be_kept, in_place), advance)
        refused = {plan.item_id: Obstacle.NOT_IN_PLACE for plan in in_place if not self._can_be_kept(plan)}
        return Told([*moved.done, *told.done, *kept.done], {**moved.kept, **told.kept, **kept.kept, **refused})

    def _target(self, plan: Plan) -> ItemRef | None:
        """Where what breaks a placement rule is moved to, if it is not taken into quarantine."""
        folder = self._rules.relocate.get(plan.account.placement)
        if folder is None:
            return None
        return ItemRef(b"/".join(part for part in (folder.strip("/").encode(), plan.ref.folder) if part), plan.ref.name)

    def ripe(self, waiting: Counter[str]) -> Iterator[Disposal]:
        """What is in quarantine and may be destroyed now: approved as it stands today, and long enough there."""
        quarantined = iter(self._catalogue.disposals.of_state(DisposalState.QUARANTINED))
        received = {bundle.number for bundle in self._catalogue.bundles.all() if bundle.confirmed_at is not None}
        while block := list(islice(quarantined, AT_ONCE)):
            standing = self._standings.of_numbers(one.item_id for one in block)
            for disposal in block:
                obstacle = self._keeps(disposal, standing.get(disposal.item_id), received)
                if obstacle:
                    waiting[obstacle] += 1
                else:
                    yield disposal

    def _keeps(self, disposal: Disposal, under: UnderReview | None, received: Set[int]) -> str:
        """Why it stays in quarantine; empty if it does not."""
        if under is None or under.item.outcome in (*_NEVER_TAKEN, Disposition.QUARANTINE) or not under.due:
            return Obstacle.NOT_DUE
        mode = self._rules.mode_of(under.item.class_id or "")
        if mode != ACT:
            return mode
        if under.review.state is not ReviewState.APPROVED:
            return Obstacle.NOT_APPROVED
        if self._cooling(under) or self._now() - disposal.since < self._rules.least_stay:
            return Obstacle.TOO_SOON
        if disposal.action is Disposition.HAND_BACK and disposal.bundle not in received:
            return Obstacle.NOT_HANDED_OVER
        # What is to be handed back by now, or to leave something, has not been and has not: it must be restored first.
        action = self._action(under.item.outcome, under.item.class_id)
        as_taken = action is disposal.action and action is not Disposition.QUARANTINE
        return "" if as_taken or action in _AWAY else Obstacle.NOT_APPROVED

    def destroy(self, ripe: Sequence[Disposal], means: Means, advance: Advance) -> Told:
        """Destroys these."""
        return Ending(means).destroy(ripe, advance)

    @staticmethod
    def recover(means: Means, quarantine: Quarantine) -> Recovered:
        """Settles what an earlier go has left behind; to be called before anything else is done."""
        return recover(means, quarantine)
