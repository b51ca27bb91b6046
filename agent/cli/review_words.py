"""Reviews as facts for machines and as text for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import typer

from agent.reports.words import say, say_count, say_size

if TYPE_CHECKING:
    from agent.model.review import Group, ReviewAct, Sample
    from agent.usecases.review import Proposed
    from agent.usecases.review_list import ReviewList, Shown
    from agent.usecases.review_standing import ReviewStandings, UnderReview


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


# As facts


def item_facts(one: UnderReview, standings: ReviewStandings, overdue_after_days: int) -> dict[str, Any]:
    """One item under review. `seen` is what an act names to be refused if anything changes before it is recorded."""
    item, review = one.item, one.review
    return {
        "item": item.item_id,
        "share": item.share,
        "path": str(item.ref),
        "class": item.class_id,
        "outcome": item.outcome,
        "due_on": _day(item.due_on),
        "bytes": item.size_bytes,
        "state": review.state,
        "stage": review.stage.name if review.stage else None,
        "stages": [stage.name for stage in one.stages],
        "may_approve": list(one.may_approve),
        "may_stop": list(one.may_stop),
        "delegated_to": review.delegated_to or None,
        "approvals": [
            {"by": act.by, "stage": act.stage, "at": act.at.isoformat(), "reason": act.reason}
            for act in review.approvals
        ],
        "approved_since": review.approved_since.isoformat() if review.approved_since else None,
        "changed": list(review.changed),
        "waiting_since": _day(one.waiting_since) if one.open else None,
        "overdue": standings.overdue(one, overdue_after_days),
        "seen": one.grounds.mark,
    }


def list_facts(listed: ReviewList, standings: ReviewStandings, overdue_after_days: int) -> dict[str, Any]:
    """What is due, by the state of its review, with those who must be reminded."""
    return {
        "as_of": standings.today.isoformat(),
        "states": {state.value: count for state, count in sorted(listed.states.items())},
        "overdue": listed.overdue,
        "observed": listed.observed,
        "overdue_after_days": overdue_after_days,
        "chosen": listed.chosen,
        "items": [item_facts(one, standings, overdue_after_days) for one in listed.named],
        "reminders": [
            {
                "reviewer": name,
                "email": reminder.reviewer.email or None,
                "waiting": reminder.waiting,
                "overdue": reminder.overdue,
                "since": reminder.since.isoformat(),
            }
            for name, reminder in sorted(listed.reminders.items())
        ],
        "nobody": [{"class": class_id, "stages": list(stages)} for class_id, stages in sorted(listed.nobody.items())],
    }


def act_facts(act: ReviewAct) -> dict[str, Any]:
    """One act as it was recorded."""
    return {
        "number": act.number,
        "item": act.item_id,
        "kind": act.kind,
        "stage": act.stage,
        "by": act.by,
        "at": act.at.isoformat(),
        "reason": act.reason,
        "until": _day(act.until),
        "class": act.class_id,
        "to": act.to or None,
        "decided_on": {
            "class": act.grounds.class_id,
            "outcome": act.grounds.outcome,
            "due_on": _day(act.grounds.due_on),
            "seen": act.grounds.mark,
        },
    }


def proposed_facts(proposed: Proposed) -> dict[str, Any]:
    """What would be recorded and what would become of it, and why the rest cannot be."""
    return {
        "proposed": [
            {
                "item": act.item_id,
                "kind": act.kind,
                "stage": act.stage,
                "then": _decision(proposed, act.item_id),
            }
            for act in proposed.acts
        ],
        "refused": [{"item": refusal.item_id, "why": refusal.why} for refusal in proposed.refused],
    }


def _decision(proposed: Proposed, item_id: int) -> dict[str, Any] | None:
    then = proposed.then.get(item_id)
    if then is None:
        return None
    return {"state": then.state, "class": then.class_id, "outcome": then.outcome, "due_on": _day(then.due_on)}


def shown_facts(shown: Shown, standings: ReviewStandings, overdue_after_days: int) -> dict[str, Any]:
    """Everything that whoever decides must know."""
    decision = shown.explanation.evaluated.decision
    return {
        "as_of": standings.today.isoformat(),
        **item_facts(shown.under, standings, overdue_after_days),
        "decision": {
            "state": decision.state,
            "reasons": [reason.sentence for reason in decision.reasons],
            "competing": [{"class": claim.class_id, "due_on": _day(claim.due_on)} for claim in decision.competing],
        },
        "extend_up_to": _day(shown.extend_up_to),
        "findings": sorted({finding.entity_type for finding in shown.explanation.findings}),
        "acts": [act_facts(act) for act in shown.under.acts],
        "copies": [
            {
                "item": copy.item_id,
                "share": copy.share,
                "path": str(copy.ref),
                "class": copy.class_id,
                "due": copy.due(standings.today),
            }
            for copy in shown.copies
        ],
        "group": group_facts(shown.group) if shown.group else None,
        "one_by_one": shown.one_by_one,
    }


def group_facts(group: Group) -> dict[str, Any]:
    """One group of like items."""
    return {
        "key": group.key,
        "class": group.class_id,
        "outcome": group.outcome,
        "pattern": group.pattern,
        "format": group.format,
    }


def sample_facts(sample: Sample, items: Mapping[int, UnderReview]) -> dict[str, Any]:
    """One sample with the items that it has drawn, as far as they are there."""
    verdicts = {verdict.item_id: verdict for verdict in sample.verdicts}
    return {
        "sample": sample.number,
        "group": group_facts(sample.group),
        "population": sample.population,
        "at_most_bad": sample.at_most,
        "confidence": 0.95,
        "seed": sample.seed,
        "drawn_by": sample.by,
        "drawn_at": sample.at.isoformat(),
        "clean": sample.clean,
        "left": len(sample.left),
        "items": [
            {
                "item": item_id,
                "path": str(items[item_id].item.ref) if item_id in items else None,
                "good": verdicts[item_id].good if item_id in verdicts else None,
                "reason": verdicts[item_id].reason if item_id in verdicts else "",
            }
            for item_id in sample.drawn
        ],
    }


# In words


def tell_list(facts: Mapping[str, Any]) -> None:
    """Prints the items, how many stand how, who must be reminded, and what nobody can take."""
    for one in facts["items"]:
        turn = f"; next: {one['stage']}, for {' or '.join(one['may_approve']) or 'nobody'}" if one["stage"] else ""
        late = f", OVERDUE, waiting since {one['waiting_since']}" if one["overdue"] else ""
        typer.echo(f"{one['item']:>6}  {one['path']}  ({one['share']})")
        typer.echo(
            f"        due since {one['due_on']} under {one['class'] or 'no class'}, then {say(one['outcome'])}; "
            f"{say(one['state'])}{late}{turn}"
        )
    told = ", ".join(f"{count:,} {say(state)}" for state, count in facts["states"].items())
    typer.echo(f"Due on {facts['as_of']}: {told or 'nothing'}.")
    if facts["observed"]:
        typer.echo(
            f"{facts['observed']:,} of classes that are only observed: nothing of them can be approved until the "
            "settings say propose or act (disposition.classes)."
        )
    if facts["overdue"]:
        typer.echo(f"{facts['overdue']:,} waiting for more than {say_count(facts['overdue_after_days'], 'day')}.")
    if facts["chosen"] > len(facts["items"]):
        typer.echo(f"{facts['chosen'] - len(facts['items']):,} more are not shown; see --show.")
    for one in facts["reminders"]:
        email = f" <{one['email']}>" if one["email"] else ""
        late = f", {one['overdue']:,} overdue" if one["overdue"] else ""
        typer.echo(f"Remind {one['reviewer']}{email}: {one['waiting']:,} waiting since {one['since']}{late}.")
    for one in facts["nobody"]:
        what = f'class "{one["class"]}"' if one["class"] else "items without a class"
        stages = " and ".join(f'"{stage}"' for stage in one["stages"])
        typer.echo(f"Nobody can take {stages} of {what}: name somebody (else) in the settings under reviewers.")


def tell_shown(facts: Mapping[str, Any]) -> None:
    """Prints one item with its decision, its review and what would go with it."""
    typer.echo(f"{facts['item']}  {facts['path']}  ({facts['share']}), {say_size(facts['bytes'])}")
    typer.echo(f"On {facts['as_of']}: {say(facts['state'])}{_say_due(facts)}")
    for sentence in facts["decision"]["reasons"]:
        typer.echo(f"  - {sentence}")
    if facts["findings"]:
        typer.echo(f"Holds personal data: {', '.join(facts['findings'])}")
    typer.echo(f"Stages: {', '.join(facts['stages'])}")
    if facts["stage"]:
        typer.echo(f"Next: {facts['stage']}, for {' or '.join(facts['may_approve']) or 'nobody'}")
    if facts["changed"]:
        typer.echo(f"Changed since the last act: {', '.join(facts['changed'])}")
    up_to = facts["extend_up_to"]
    typer.echo(f"Can be extended to {up_to} at the most." if up_to else "Cannot be extended.")
    if facts["one_by_one"]:
        typer.echo("A sample of items like it has found something bad: they are reviewed one by one.")
    for act in facts["acts"]:
        more = "".join(f", {act[name]}" for name in ("until", "class", "to") if act[name])
        typer.echo(f"{act['at'][:16]}  {act['by']}  {act['kind']}{more}  ({act['stage']}): {act['reason']}")
    if facts["copies"]:
        typer.echo(
            f"{say_count(len(facts['copies']), 'copy', 'copies')} with the same bytes, each under its own class:"
        )
        for copy in facts["copies"]:
            stands = "due" if copy["due"] else "not due"
            typer.echo(f"  {copy['item']}  {copy['share']}: {copy['path']} ({copy['class'] or 'no class'}, {stands})")


def _say_due(facts: Mapping[str, Any]) -> str:
    if not facts["due_on"]:
        return ""
    when = "since" if facts["due_on"] <= facts["as_of"] else "on"
    return f", due {when} {facts['due_on']}, then {say(facts['outcome'])}"


def tell_proposed(proposed: Proposed, shown: int) -> None:
    """Prints what would be done, and how the items would stand then."""
    for act in proposed.acts[:shown]:
        item = proposed.items[act.item_id].item
        typer.echo(f"{act.kind}  {act.item_id}  {item.share}: {item.ref}  ({act.stage})")
        then = proposed.then.get(act.item_id)
        if then is not None:
            day = f", due on {then.due_on}" if then.due_on else ""
            typer.echo(f"  then: {say(then.state)} under {then.class_id}{day}")
    if len(proposed.acts) > shown:
        typer.echo(f"… and {len(proposed.acts) - shown:,} more.")


def tell_refused(refused: Iterable[tuple[str, int]]) -> None:
    """Prints why an act is not possible on how many items, the most frequent reason first."""
    for why, count in refused:
        typer.echo(f"  not on {say_count(count, 'item')}: {why}")


def tell_sample(facts: Mapping[str, Any]) -> None:
    """Prints the sample, what it says, and what is left to judge."""
    group = facts["group"]
    typer.echo(
        f"Sample {facts['sample']}: {len(facts['items']):,} drawn at random out of {facts['population']:,} items of "
        f'class "{group["class"]}" (then {say(group["outcome"])}; {group["pattern"] or "any path"}; {group["format"]}).'
    )
    typer.echo(
        f"If none of them is bad, at most {facts['at_most_bad']:,} of all are, with 95 % confidence. "
        f"Seed: {facts['seed']}"
    )
    for one in facts["items"]:
        verdict = {None: "to be judged", True: "good", False: f"BAD: {one['reason']}"}[one["good"]]
        typer.echo(f"  {one['item']}  {one['path'] or 'gone'}  {verdict}")
    if any(one["good"] is False for one in facts["items"]):
        typer.echo("Something bad was found: the items of this group must be reviewed one by one.")
    elif facts["clean"]:
        typer.echo(f"Clean. To approve all it speaks for: retentiond review approve --sample {facts['sample']}")
    else:
        typer.echo(f"{facts['left']:,} left to judge: retentiond review sample {facts['sample']} --good N --bad N")
