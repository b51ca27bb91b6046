"""What `retentiond dispose` prints: facts as JSON has them, and the same in words."""

from __future__ import annotations

from typing import Any

import typer

from agent.catalogue.disposal_rows import Disposal, Plan
from agent.catalogue.outgoing import Bundle
from agent.disposition.recovery import Recovered
from agent.model.disposal import DisposalState, DisposalStep, Obstacle
from agent.reports.words import say, say_count, say_outcome, say_size

_STATES = {
    DisposalState.PLANNED: "planned",
    DisposalState.SEALED: "sealed in the vault",
    DisposalState.QUARANTINED: "in quarantine",
    DisposalState.RESTORING: "being restored",
    DisposalState.RESTORED: "restored",
    DisposalState.DESTROYING: "being destroyed",
    DisposalState.DESTROYED: "destroyed",
    DisposalState.ERASED: "erased",
    DisposalState.ABANDONED: "left where it was",
    DisposalState.CONFLICT: "in the hold, with something else in its place",
    DisposalState.RELOCATED: "moved to another place",
}
_WHY = {
    Obstacle.NOT_APPROVED: "not approved as it stands now",
    Obstacle.NOT_DUE: "not due as it stands now",
    Obstacle.HELD: "under a hold",
    Obstacle.PAUSED: "disposals are paused",
    Obstacle.CHANGED: "changed since it was decided on",
    Obstacle.GONE: "gone from its share",
    Obstacle.OPEN: "open, or used a moment ago",
    Obstacle.IMMUTABLE: "marked immutable",
    Obstacle.SEVERAL_NAMES: "has further names (hard links)",
    Obstacle.DENIED: "the file system does not let us",
    Obstacle.READ_ONLY: "the file system is mounted for reading only",
    Obstacle.NO_ROOM: "the disk is full",
    Obstacle.NO_HOLD: "no hold on its file system",
    Obstacle.SOURCE_FAULT: "the file system reports a fault",
    Obstacle.SHARE_AWAY: "the share cannot be reached",
    Obstacle.VAULT_FAULT: "the vault reports a fault",
    Obstacle.PLACE_TAKEN: "something else lies in its place",
    Obstacle.NO_PLACE: "nothing can lie where it should go",
    Obstacle.NOT_DERIVED: "what should remain of it could not be made",
    Obstacle.INTERRUPTED: "interrupted",
    Obstacle.NOT_HANDED_OVER: "the export is not confirmed yet",
    Obstacle.TOO_SOON: "waits for the cool-off or the stay in quarantine to end",
    Obstacle.NOT_IN_PLACE: "cannot be done with what its source keeps: nothing is copied out of there, or put there",
    Obstacle.CHECKED_OUT: "checked out at its source",
    Obstacle.HELD_AT_SOURCE: "a hold, a retention policy or a label at its source forbids it",
    Obstacle.RECORD_AT_SOURCE: "declared a record at its source",
    Obstacle.NOT_SIGNED_IN: "its source does not accept our credentials",
    Obstacle.THROTTLED: "its source asks us to wait",
}
_MODES = {
    "observe": "of a class that is only observed (disposition.mode, disposition.classes)",
    "propose": "of a class on which nothing acts yet (disposition.classes)",
    "retain_permanently": "retained permanently",
}


def say_state(state: DisposalState) -> str:
    """Where a disposal stands, in words."""
    return _STATES[state]


def say_why(word: str) -> str:
    """Why something waits or was kept, in words."""
    if word in _MODES:
        return _MODES[word]
    return _WHY[Obstacle(word)] if word in set(Obstacle) else f"review: {say(word)}"


def plan_facts(plan: Plan) -> dict[str, Any]:
    return {
        "item": plan.item_id,
        "share": plan.share,
        "path": str(plan.ref),
        "action": plan.action.value,
        "class": plan.account.class_id,
        "due_on": plan.account.due_on.isoformat(),
        "bytes": plan.size_bytes,
        "approved_by": [one.by for one in plan.account.approvals],
    }


def disposal_facts(one: Disposal) -> dict[str, Any]:
    return {
        "disposal": one.number,
        "item": one.item_id,
        "share": one.share,
        "path": str(one.ref),
        "action": one.action.value,
        "state": one.state.value,
        "since": one.since.isoformat(),
        "class": one.account.class_id,
        "bytes": one.size_bytes,
        "vault_id": one.vault_id,
        "export": one.bundle,
        "certificate": one.certificate,
    }


def account_facts(one: Disposal) -> dict[str, Any]:
    account = one.account
    return {
        "title": account.class_title,
        "mandate": account.mandate,
        "rule": account.rule,
        "clock": account.clock,
        "due_on": account.due_on.isoformat(),
        "placement": account.placement,
        "approvals": [{"by": two.by, "stage": two.stage, "at": two.at.isoformat()} for two in account.approvals],
    }


def step_facts(step: DisposalStep) -> dict[str, Any]:
    return {
        "state": step.after.value,
        "at": step.at.isoformat(),
        "by": step.by,
        "why": step.why,
        "method": step.method,
        "doubts": list(step.doubts),
        "reason": step.reason,
    }


def recovered_facts(recovered: Recovered) -> dict[str, Any]:
    return {
        "finished": recovered.finished,
        "put_back": recovered.put_back,
        "unsettled": {str(item): why.value for item, why in recovered.unsettled.items()},
        "leftovers_discarded": recovered.discarded,
        "foreign_in_quarantine": recovered.foreign,
    }


def export_facts(one: Bundle) -> dict[str, Any]:
    return {
        "export": one.number,
        "to": one.recipient,
        "file_name": one.file_name,
        "sha256": one.sha256.hex(),
        "bytes": one.size_bytes,
        "items": one.items,
        "made_at": one.made_at.isoformat(),
        "made_by": one.made_by,
        "confirmed_at": one.confirmed_at.isoformat() if one.confirmed_at else None,
        "confirmed_by": one.confirmed_by,
    }


# In words


def tell_plan(facts: dict[str, Any]) -> None:
    for one in facts["items"]:
        typer.echo(f"{one['share']}/{one['path']}  {one['class']}, {say_outcome(one['action'])}, due {one['due_on']}")
    if facts["to_quarantine"] > len(facts["items"]):
        typer.echo(f"… and {facts['to_quarantine'] - len(facts['items']):,} more (--show)")
    typer.echo(f"To be taken into quarantine: {say_count(facts['to_quarantine'], 'file')}, {say_size(facts['bytes'])}.")
    typer.echo(f"To be destroyed: {say_count(facts['to_destroy'], 'file')}.")
    _tell_waiting(facts)


def _tell_waiting(facts: dict[str, Any]) -> None:
    for word, count in sorted(facts["waiting"].items()):
        typer.echo(f"  waits: {say_count(count, 'file')}, {say_why(word)}")
    for word, count in sorted(facts["in_quarantine_waiting"].items()):
        typer.echo(f"  waits in quarantine: {say_count(count, 'file')}, {say_why(word)}")
    for share, count in sorted(facts["beyond_caps"].items()):
        typer.echo(f"  beyond the daily caps of share {share}: {say_count(count, 'file')} (--over-caps)")


def tell_run(facts: dict[str, Any]) -> None:
    tell_recovered(facts["recovered"], quiet=True)
    typer.echo(f"Taken into quarantine: {say_count(facts['quarantined'], 'file')}, {say_size(facts['bytes'])}.")
    typer.echo(f"Destroyed: {say_count(facts['destroyed'], 'file')}.")
    for word, count in facts["kept"].items():
        typer.echo(f"  kept: {say_count(count, 'file')}, {say_why(word)}")
    _tell_waiting(facts)


def tell_erased(facts: dict[str, Any]) -> None:
    tell_recovered(facts["recovered"], quiet=True)
    count = say_count(len(facts["erased"]), "file")
    typer.echo(f"Erased: {count}. No key exists any more that could open them, and no recycle bin has them.")


def tell_recovered(facts: dict[str, Any], *, quiet: bool = False) -> None:
    done = facts["finished"] + facts["put_back"] + facts["leftovers_discarded"] + len(facts["unsettled"])
    done += facts["foreign_in_quarantine"]
    if quiet and not done:
        return
    typer.echo(
        f"Left behind by an earlier run: {facts['finished']:,} finished, {facts['put_back']:,} put back, "
        f"{len(facts['unsettled']):,} not settled."
    )
    for item, why in facts["unsettled"].items():
        typer.echo(f"  item {item}: {say_why(why)}")
    if facts["foreign_in_quarantine"]:
        typer.echo(
            f"  {say_count(facts['foreign_in_quarantine'], 'item')} in the quarantine of a source of which no disposal "
            "knows. Was the catalogue set back to an older state? Leave them there until you know."
        )


def tell_restored(facts: dict[str, Any]) -> None:
    for one in facts["restored"]:
        if one["restored"]:
            typer.echo(f"Disposal {one['disposal']}: restored to {one['to']}.")
        else:
            typer.echo(f"Disposal {one['disposal']}: not restored, {say_why(one['why'])}. It stays in quarantine.")


def tell_list(facts: dict[str, Any]) -> None:
    if facts["paused"]:
        typer.echo(f"PAUSED since {facts['paused']['since']} by {facts['paused']['by']}: {facts['paused']['why']}")
    for one in facts["disposals"]:
        state = say_state(DisposalState(one["state"]))
        typer.echo(f"{one['disposal']:>6}  {state}  {one['share']}/{one['path']}  {one['class']}")
    typer.echo(f"{say_count(len(facts['disposals']), 'disposal')}.")


def tell_one(facts: dict[str, Any]) -> None:
    typer.echo(f"{facts['share']}/{facts['path']}: {say_state(DisposalState(facts['state']))}")
    for name in ("class", "title", "mandate", "rule", "clock", "due_on", "placement"):
        if facts[name]:
            typer.echo(f"  {name.replace('_', ' ')}: {facts[name]}")
    for approval in facts["approvals"]:
        typer.echo(f"  approved by {approval['by']} as {approval['stage']} at {approval['at']}")
    for step in facts["steps"]:
        more = [say_why(step["why"]) if step["why"] else "", step["method"], *step["doubts"], step["reason"]]
        typer.echo(f"  {step['at']}  {step['state']} by {step['by']}  {'; '.join(word for word in more if word)}")


def tell_export(facts: dict[str, Any]) -> None:
    arrived = f"arrived, said {facts['confirmed_by']}" if facts["confirmed_at"] else "not confirmed yet"
    where = facts.get("file", facts["file_name"])
    typer.echo(f"Export {facts['export']} to {facts['to']}: {say_count(facts['items'], 'file')}, {where}, {arrived}.")
    typer.echo(f"  SHA-256 {facts['sha256']}")


def tell_exports(facts: dict[str, Any]) -> None:
    for one in facts["exports"]:
        tell_export(one)
    if not facts["exports"]:
        typer.echo("Nothing was exported yet.")
