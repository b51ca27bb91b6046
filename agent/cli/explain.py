"""`retentiond explain`: why is this still here, or why will it go?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli import options

if TYPE_CHECKING:
    from agent.usecases.explain import Explanation


def explain(
    path: Annotated[
        Path, typer.Argument(metavar="PATH|NUMBER", help="A file that a scan has seen, or its number in the catalogue.")
    ],
    at: options.At = None,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Say what is known of a file, which classes it has, and why it must stay or go, on any day.

    Example:  retentiond explain "/srv/shares/office/HR/Recruitment/2018/cv.docx" --at 2026-03-31
    """
    from agent import bootstrap
    from agent.cli.days import day
    from agent.usecases.explain import explain_item, explain_number

    settings = bootstrap.settings_from(config)
    rules = bootstrap.schedule_from(schedule or settings.schedule)
    as_of = day(at) if at else bootstrap.today(rules)
    directory = bootstrap.state_directory(state, settings, create=False)
    with bootstrap.open_catalogue(directory) as catalogue:
        terms = bootstrap.terms_of(rules, settings, directory)
        if str(path).isdecimal() and not path.exists():
            explanation = explain_number(catalogue, terms, int(str(path)), as_of)
        else:
            explanation = explain_item(catalogue, terms, os.path.abspath(os.fsencode(path)), as_of)
    facts = {"as_of": as_of.isoformat(), **_facts(explanation)}
    if json:
        import json as codec

        typer.echo(codec.dumps(facts, indent=2, ensure_ascii=False))
    else:
        _tell(facts)


def _facts(explanation: Explanation) -> dict[str, Any]:
    from agent.model.key import show_key

    record, decision = explanation.evaluated.record, explanation.evaluated.decision
    return {
        "number": record.item_id,
        "share": record.share,
        "path": record.path,
        "format": record.format,
        "bytes": record.size_bytes,
        "modified_at": record.modified_at.isoformat(),
        "created_at": record.created_at.isoformat() if record.created_at else None,
        "first_seen_at": record.first_seen_at.isoformat(),
        "outcome": str(record.outcome),
        "extraction": record.extraction,
        "reveals": [
            {
                "category": judged.category.value,
                "score": round(judged.score, 2),
                "attributes": sorted(judged.attributes),
            }
            for judged in record.verdict.categories
        ],
        "looks_like": [{"kind": kind, "confidence": round(confidence, 2)} for kind, confidence in record.verdict.kinds],
        "findings": [
            {
                "type": finding.entity_type,
                "score": round(finding.score, 2),
                "count": finding.count,
                "location": finding.location,
                "attributes": sorted(finding.attributes),
                "because": finding.why,
            }
            for finding in explanation.findings
        ],
        "classes": [
            {
                "id": assignment.class_id,
                "keys": sorted(assignment.keys),
                "confidence": assignment.confidence,
                "because": assignment.provenance,
            }
            for assignment in explanation.evaluated.assignments
        ],
        "dates": [
            {"which": one.which, "on": one.on.isoformat(), "source": one.source, "doubt": one.doubt or None}
            for one in explanation.dates
        ],
        "events": [
            {"type": event.type, "key": event.key, "value": show_key(event.value), "on": event.on.isoformat()}
            for event in explanation.evaluated.events
        ],
        "holds": [
            {"number": hold.number, "name": hold.name, "kind": hold.kind, "in_force": hold.number in decision.holds}
            for hold in explanation.evaluated.holds
        ],
        "copies": list(record.copies),
        "decision": {
            "state": decision.state.value,
            "class": decision.class_id,
            "outcome": decision.outcome,
            "due_on": decision.due_on.isoformat() if decision.due_on else None,
            "placement": decision.placement,
            "reasons": [reason.sentence for reason in decision.reasons],
            "competing": [
                {
                    "class": claim.class_id,
                    "state": claim.state.value,
                    "due_on": claim.due_on.isoformat() if claim.due_on else None,
                }
                for claim in decision.competing
            ],
        },
    }


def _tell(facts: dict[str, Any]) -> None:
    from rich.console import Console

    from agent.model.location import describe
    from agent.reports.words import say

    console = Console(highlight=False, soft_wrap=True, markup=False)
    decision = facts["decision"]
    console.print(f"{facts['path']}  ({facts['share']})")
    console.print(f"  {facts['format']}, {facts['bytes']:,} bytes, last modified {facts['modified_at'][:10]}")
    console.print(f"  {facts['outcome']}, text: {say(facts['extraction']) if facts['extraction'] else 'none read'}")
    verdict = f"On {facts['as_of']}: {decision['state']}"
    if decision["class"]:
        verdict += f" under {decision['class']}"
    if decision["due_on"]:
        verdict += f", due on {decision['due_on']}, then {decision['outcome']}"
    console.print(verdict)
    for sentence in decision["reasons"]:
        console.print(f"  - {sentence}")
    for event in facts["events"]:
        console.print(f"Event: {event['type']} of {event['key']} {event['value']} on {event['on']}.")
    for hold in facts["holds"]:
        stands = "in force" if hold["in_force"] else "not in force that day"
        console.print(f"Hold: {hold['name']} ({hold['kind'].replace('_', ' ')}), {stands}.")
    for one in facts["dates"]:
        sure = "doubtful" if one["doubt"] else "sure"
        console.print(f"Date: {one['which']} {one['on']}, {sure}: {one['source']}.")
    if facts["copies"]:
        console.print(f"Copies with the same content: {len(facts['copies'])}, the first at {facts['copies'][0]}.")
    for judged in facts["reveals"]:
        console.print(f"Reveals {say(judged['category'])} ({_sure(judged)}).")
    for likeliest in facts["looks_like"][:1]:
        console.print(f"Its text looks like: {likeliest['kind']} ({likeliest['confidence']:.2f}).")
    if facts["findings"]:
        console.print("Findings (values are not kept):")
    for finding in facts["findings"]:
        times = "once" if finding["count"] == 1 else f"{finding['count']:,} times, first"
        console.print(f"  {finding['type']:<26} {_sure(finding)}  {times} in {describe(finding['location'])}")


def _sure(told: dict[str, Any]) -> str:
    return ", ".join([f"{told['score']:.2f}", *told["attributes"]])
