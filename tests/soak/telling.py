"""What a soak tells at its end: a table for people, or the same as facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from tests.soak.samples import Sample
from tests.soak.soak import Result


def facts(result: Result) -> dict[str, Any]:
    """Sizes are bytes, times seconds."""
    grown = result.growth
    return {
        "good": not result.findings.kinds,
        "seed": result.wanted.seed,
        "seconds": result.wanted.seconds,
        "done": dict(sorted(result.findings.done.items())),
        "disposal_steps": result.steps,
        "refused": dict(result.findings.refused.most_common()),
        "log_levels": dict(result.keeper.levels),
        "log_events": dict(result.keeper.events.most_common()),
        "service": _measured(result.samples),
        "growth": None if grown is None else asdict(grown),
        "finding_counts": dict(result.findings.kinds),
        "findings": result.findings.told,
    }


def lines(result: Result) -> Iterator[str]:
    """The table, line by line."""
    told = facts(result)
    for title, part in (
        ("Done", told["done"]),
        ("Disposals came to be", told["disposal_steps"]),
        ("Commands refused", told["refused"]),
        ("Log entries", told["log_levels"]),
        ("Log events", told["log_events"]),
        ("Service", told["service"]),
    ):
        yield from _part(title, part)
    if told["growth"] is None:
        yield "Growth: no process has lived long enough to tell."
    else:
        yield from _part("Growth, second third of the longest life to the last", told["growth"])
    yield from told["findings"]
    yield (
        f"{sum(told['finding_counts'].values())} findings: {told['finding_counts']}"
        if told["findings"]
        else "All is well."
    )


def _part(title: str, part: Mapping[str, Any]) -> Iterator[str]:
    yield f"{title}:"
    for name, value in part.items():
        shown = f"{value / 2**20:,.1f} MiB" if "rss" in name or "pss" in name else f"{value:,.1f}".removesuffix(".0")
        yield f"  {name:<60} {shown:>14}"


def _measured(samples: list[Sample]) -> dict[str, float]:
    if not samples:
        return {}
    last = {sample.pid: sample for sample in samples}
    return {
        "samples": len(samples),
        "processes": len(last),
        "highest_rss": max(one.rss for one in samples),
        "highest_pss": max(one.pss for one in samples),
        "highest_children_rss": max(one.children_rss for one in samples),
        "highest_children_pss": max(one.children_pss for one in samples),
        "cpu_seconds": sum(one.cpu_seconds for one in last.values()),
        "most_descriptors": max(one.descriptors for one in samples),
        "most_children_descriptors": max(one.children_descriptors for one in samples),
        "most_threads": max(one.threads for one in samples),
        "most_children": max(one.children for one in samples),
        "most_dirty_folders": max(one.dirty for one in samples),
    }
