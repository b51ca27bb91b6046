"""What `retentiond status` prints: tables for people, one line for monitoring systems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agent.observing.base import Facts, Health, HealthState
from agent.reports.words import say, say_count, say_size

_STYLES = {"ok": "green", "warning": "yellow", "critical": "red", "unknown": "yellow"}


def tell(facts: Mapping[str, Any]) -> None:
    """Prints everything but how documents are confined."""
    console = Console(highlight=False)
    console.print(_shares(facts))
    if facts["jobs"]:
        console.print(_jobs(facts))
    for service in facts["services"]:
        alive = "alive" if service["alive"] else "NOT ALIVE"
        doing = f", {service['doing']}" if service["doing"] else ""
        beat, pid = _minute(service["beat_at"]), service["pid"]
        console.print(f"Service {service['role']}: {alive}, last heard of {beat} (process {pid}){doing}", markup=False)
    for line in _counts(facts):
        console.print(line, markup=False)
    for one in facts["mail_undelivered"]:
        since = _minute(one["since"])
        console.print(f"Mail: the last one did not get through to {one['address']} ({since}).", markup=False)
    state = facts["health"]["state"]
    console.print(f"Health: [{_STYLES[state]}]{state}[/]")
    for problem in facts["health"]["problems"]:
        console.print(f"  {problem['state']}: {problem['sentence']}", markup=False, soft_wrap=True)
    console.print(f"State: {facts['state']}", markup=False, soft_wrap=True)


def _shares(facts: Mapping[str, Any]) -> Table:
    table = Table("Share", "Last scan", "Seen", "Scanned", "Skipped", "Failed", "Accounted for")
    conditions = {one["share"]: one for one in facts["conditions"]}
    if conditions:
        table.add_column("Looked after")
    for share in facts["shares"]:
        condition = conditions.get(share["share"])
        after = [_condition(condition) if condition else "no"] if conditions else []
        last = share["last_scan"]
        if last is None:
            table.add_row(escape(share["location"]), "never", "", "", "", "", "", *after)
            continue
        if last["ended_at"]:
            when = _minute(last["ended_at"])
            accounted = "yes" if last["reconciles"] else "NO"
        else:
            when, accounted = "interrupted; the next scan goes on", "not yet"
        skipped, failed = sum(last["skipped"].values()), sum(last["failed"].values())
        counts = (f"{count:,}" for count in (last["seen"], last["scanned"], skipped, failed))
        table.add_row(escape(share["location"]), when, *counts, accounted, *after)
    for name in conditions.keys() - {share["share"] for share in facts["shares"]}:
        table.add_row(escape(name), "never", "", "", "", "", "", _condition(conditions[name]))
    return table


def _condition(condition: Mapping[str, Any]) -> str:
    why = f" ({condition['why']})" if condition["why"] else ""
    return escape(f"{condition['state']}{why}")


def _jobs(facts: Mapping[str, Any]) -> Table:
    table = Table("Job", "Next", "Last", "Result", "Said")
    for one in facts["jobs"]:
        title = f"{one['job']} of {one['share']}" if one["share"] else one["job"]
        coming = _minute(one["next_due"])
        if one["paused_by"]:
            coming = f"paused by {one['paused_by']}"
        elif one["asked_at"]:
            coming = "at once"
        last = one["last"]
        if last is None:
            table.add_row(escape(title), escape(coming), "never", "", "")
        else:
            result = last["result"] or "under way"
            table.add_row(escape(title), escape(coming), _minute(last["began_at"]), result, escape(last["said"]))
    return table


def _counts(facts: Mapping[str, Any]) -> Iterator[str]:
    counts, audit = facts["counts"], facts["audit"]
    classes = ", ".join(f"{count:,} {class_id or 'without a class'}" for class_id, count in counts["due"].items())
    yield f"Due, as last decided: {sum(counts['due'].values()):,}" + (f" ({classes})" if classes else "")
    if counts["reviews_waiting"] is not None:
        yield f"Reviews: {counts['reviews_waiting']:,} waiting, {counts['reviews_overdue']:,} of them overdue"
    size = say_size(counts["in_quarantine_bytes"])
    yield f"In quarantine: {counts['in_quarantine']:,} ({size}); destroyed in all: {counts['destroyed']:,}"
    yield f"Holds in force: {counts['holds']:,}" + ("; all disposals are PAUSED" if counts["paused"] else "")
    if audit["entries"]:
        published = f", last published {_minute(audit['anchored_at'])}" if audit["anchored_at"] else ""
        yield f"Audit log: {say_count(audit['entries'], 'entry', 'entries')}{published}"


def _minute(at: str | None) -> str:
    return at[:16].replace("T", " ") if at else ""


# For monitoring systems


def check_line(facts: Facts, health: Health) -> str:
    """State, the worst problem and how many more there are, and the counts as performance data."""
    if health.problems:
        said = health.problems[0].sentence
        if more := len(health.problems) - 1:
            said += f" And {say_count(more, 'more problem')}."
    else:
        seen = sum(share.seen for share in facts.shares)
        due = sum(facts.due.values())
        said = f"{say_count(len(facts.shares), 'share')}, {say_count(seen, 'file')}, {due:,} {say('due')}"
    return f"RETENTIOND {health.state.name} - {_one_line(said)} | {' '.join(_performance(facts))}"


def unknown_line(said: str) -> str:
    """What is told where nothing can be found out."""
    return f"RETENTIOND {HealthState.UNKNOWN.name} - {_one_line(said)}"


def _performance(facts: Facts) -> Iterator[str]:
    def counted(name: str, count: int, unit: str = "") -> str:
        return f"{name}={count}{unit};;;0"

    yield counted("seen", sum(share.seen for share in facts.shares))
    yield counted("failed", sum(sum(share.failed.values()) for share in facts.shares))
    yield counted("due", sum(facts.due.values()))
    if facts.reviews is not None:
        yield counted("reviews", facts.reviews.waiting)
        yield f"overdue={facts.reviews.overdue};0;;0"
    yield counted("quarantined", facts.vault.items)
    yield counted("quarantined_bytes", facts.vault.size_bytes, "B")
    yield counted("destroyed", facts.vault.destroyed, "c")
    yield counted("holds", facts.holds)
    yield counted("dirty_folders", sum(share.dirty_folders for share in facts.shares))
    yield counted("jobs_failed", sum(one.failed for one in facts.jobs))


def _one_line(said: str) -> str:
    """Without what ends the text for a monitoring system: a line break, or the bar before performance data."""
    first = said.partition("\n")[0]
    return "".join(letter if letter.isprintable() else " " for letter in first).replace("|", "/")
