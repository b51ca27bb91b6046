"""What `retentiond status` prints: tables for people, one line for monitoring systems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agent.model.share_name import without_person
from agent.observing.base import Facts, Health, HealthState
from agent.reports.words import say, say_count, say_size

_STYLES = {"ok": "green", "warning": "yellow", "critical": "red", "unknown": "yellow"}
_LIBRARIES = 30  # of one tenant, by name; --json has all


def tell(facts: Mapping[str, Any]) -> None:
    """Prints everything but how documents are confined."""
    console = Console(highlight=False)
    console.print(_shares(facts))
    if facts["jobs"]:
        console.print(_jobs(facts))
    for line in _tenants(facts):
        console.print(line, markup=False)
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
    """Shares by their place, tenants with their libraries by name. People's drives and mailboxes are only counted: they
    are many, and are called as people are."""
    table = Table()
    table.add_column("Share", overflow="fold")
    table.add_column("Last scan", min_width=10, overflow="fold")
    for heading in ("Seen", "Scanned", "Skipped", "Failed"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Accounted for", overflow="fold")
    conditions = {one["share"]: one for one in facts["conditions"]}
    if conditions:
        table.add_column("Looked after", overflow="fold")
    rows = [
        *((one["share"], one["location"], [one]) for one in facts["shares"] if one["tenant"] is None),
        *(row for tenant, places in _by_tenant(facts).items() for row in _of_tenant(tenant, places)),
    ]
    for name, shown, places in rows:
        condition = conditions.get(name)
        after = [_condition(condition) if condition else "" if name is None else "no"] if conditions else []
        table.add_row(escape(shown), *_scanned([place["last_scan"] for place in places]), *after)
    for name in sorted(conditions.keys() - {name for name, _, _ in rows}):
        table.add_row(escape(name), *_scanned([None]), _condition(conditions[name]))
    return table


def _by_tenant(facts: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for share in facts["shares"]:
        if share["tenant"] is not None:
            found.setdefault(share["tenant"], []).append(share)
    return found


def _of_tenant(
    tenant: str, places: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str | None, str, Sequence[Mapping[str, Any]]]]:
    """The rows of a tenant: the name by which its condition is found, what is shown, and what was scanned."""
    sorts: dict[str, list[Mapping[str, Any]]] = {"": [], "a OneDrive": [], "a mailbox": []}
    for place in places:
        name = without_person(place["share"])
        sorts[name if name in sorts else ""].append(place)
    libraries, drives, mailboxes = sorts.values()
    yield tenant, f"{tenant} (tenant)", places
    for library in libraries[:_LIBRARIES]:
        yield None, f"  {library['share']}", [library]
    if more := libraries[_LIBRARIES:]:
        yield None, f"  {say_count(len(more), 'more library', 'more libraries')}", more
    if drives:
        yield None, f"  {say_count(len(drives), 'OneDrive')}", drives
    if mailboxes:
        yield None, f"  {say_count(len(mailboxes), 'mailbox', 'mailboxes')}", mailboxes


def _scanned(last: Sequence[Mapping[str, Any] | None]) -> tuple[str, str, str, str, str, str]:
    """When, what, and whether everything is accounted for. Of several, the one scanned the longest ago says when."""
    begun = [one for one in last if one is not None]
    ended = [one for one in begun if one["ended_at"]]
    if not begun:
        return "never", "", "", "", "", ""
    counts = (
        sum(one["seen"] for one in begun),
        sum(one["scanned"] for one in begun),
        sum(sum(one["skipped"].values()) for one in begun),
        sum(sum(one["failed"].values()) for one in begun),
    )
    accounted = "yes" if all(one["reconciles"] for one in ended) else "NO"
    if len(ended) < len(last):
        when = "interrupted; the next scan goes on" if len(last) == 1 else f"{len(ended):,} of {len(last):,}; goes on"
        accounted = accounted if accounted == "NO" else "not yet"
    else:
        when = _minute(min(one["ended_at"] for one in ended))
    seen, scanned, skipped, failed = (f"{count:,}" for count in counts)
    return when, seen, scanned, skipped, failed, accounted


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


def _tenants(facts: Mapping[str, Any]) -> Iterator[str]:
    for one in facts["tenants"]:
        gates, expiring = one["gates"], one["certificates_expire_at"]
        said = [f"{gate['units_used_today']:,.0f} units of {workload} used today" for workload, gate in gates.items()]
        closed = {workload: gate["closed_seconds"] for workload, gate in gates.items() if gate["closed_seconds"]}
        said += [f"{workload} has us wait for {seconds:,.0f} s" for workload, seconds in closed.items()]
        said += [f"the {app}'s certificate expires on {at[:10]}" for app, at in expiring.items()]
        if said:
            yield f"Tenant {one['tenant']}: {'; '.join(said)}"


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
