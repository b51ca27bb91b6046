"""A report for people: one HTML file that needs nothing else, neither network nor script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined

from agent.reports import words
from agent.reports.base import Report
from agent.reports.totals import Totals, total

_YEARS_BACK = 15
_YEARS_AHEAD = 10
_BARS = 25
_FOLDERS_NAMED = 1_000
_BAR_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a chart: a label, one number per series, and each series' length on a scale of 100."""

    label: str
    numbers: tuple[int, ...]
    lengths: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar chart that is a table at the same time, so that no number is in the picture alone."""

    title: str
    note: str
    label: str
    series: tuple[str, ...]
    bars: tuple[Bar, ...]


def write_html(report: Report, stream: TextIO) -> None:
    """Writes the report as one self-contained page, in UTF-8. Walks the rows once; memory is bounded."""
    totals = total(report.rows())
    template = _environment().get_template("report.html.jinja")
    page = template.stream(
        report=report,
        totals=totals,
        charts=_charts(report, totals),
        seen=sum(coverage.seen for coverage in report.coverage),
        unread=sum(sum((*coverage.skipped.values(), *coverage.failed.values())) for coverage in report.coverage),
        failed=sum(sum(coverage.failed.values()) for coverage in report.coverage),
        folders_not_listed=sum(len(coverage.folders_not_listed) for coverage in report.coverage),
        reconciles=all(coverage.reconciles for coverage in report.coverage),
        complete=all(coverage.complete for coverage in report.coverage),
        shared_personal=sum(found.with_personal_data for found in totals.sharing.by.values()),
        folders_named=_FOLDERS_NAMED,
    )
    page.enable_buffering(200)
    stream.writelines(page)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("agent.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        say=words.say,
        outcome=words.say_outcome,
        number=words.say_number,
        count=words.say_count,
        day=words.say_day,
        moment=words.say_moment,
        size=words.say_size,
    )
    return environment


def _charts(report: Report, totals: Totals) -> tuple[Chart, ...]:
    def title_of(class_id: str) -> str:
        return report.class_titles.get(class_id, class_id)

    return (
        Chart(
            "Due by year",
            "The year from which a file may go. Files kept for good or waiting for an event are not in it.",
            "Year",
            ("Due now", "Still to come"),
            _by_year(totals, report.as_of),
        ),
        Chart(
            "Personal data by category",
            "Files in which at least one value of the category was found. One file may count in several.",
            "Category",
            ("Files",),
            _bars(words.say, totals.categories),
        ),
        Chart(
            "Retention classes",
            "One file may have several classes.",
            "Class",
            ("Files", "Due"),
            _bars(title_of, totals.classes, totals.classes_due),
        ),
        Chart("Where the files stand", "", "State", ("Files",), _bars(words.say, totals.states)),
        Chart("How reading ended", "", "Result", ("Files",), _bars(words.say_outcome, totals.outcomes)),
        Chart(
            "How much of the text could be read",
            "For each file that was opened.",
            "Text",
            ("Files",),
            _bars(words.say, {status: count for status, count in totals.extractions.items() if status}),
        ),
        Chart(
            "Formats",
            "Told by a file's content, not by its name.",
            "Format",
            ("Files",),
            _bars(_format_name, totals.formats),
        ),
    )


def _format_name(name: str) -> str:
    return "not known" if name in {"", "unknown"} else name


def _bars(name: Callable[[str], str], *series: Mapping[str, int]) -> tuple[Bar, ...]:
    """One bar for each key, most frequent first; those beyond the longest list that can be read are summed up."""
    ranked = sorted(series[0], key=lambda key: (-series[0][key], key))
    shown, others = ranked[:_BARS], ranked[_BARS:]
    lines = [(name(key), tuple(counts.get(key, 0) for counts in series)) for key in shown]
    if others:
        sums = tuple(sum(counts.get(key, 0) for key in others) for counts in series)
        lines.append((f"{len(others)} others", sums))
    return _scaled(lines)


def _by_year(totals: Totals, as_of: date) -> tuple[Bar, ...]:
    """One bar for each year, the years far back and far ahead drawn together."""
    first, last = as_of.year - _YEARS_BACK, as_of.year + _YEARS_AHEAD
    years: dict[int, list[int]] = {}
    for position, counts in enumerate((totals.years_due, totals.years_to_come)):
        for year, count in counts.items():
            years.setdefault(min(max(year, first), last), [0, 0])[position] += count
    names = {first: f"{first} and before", last: f"{last} and after"}
    return _scaled((names.get(year, str(year)), tuple(years[year])) for year in sorted(years))


def _scaled(lines: Iterable[tuple[str, tuple[int, ...]]]) -> tuple[Bar, ...]:
    kept = list(lines)
    longest = max((max(numbers) for _, numbers in kept), default=0) or 1
    return tuple(
        Bar(label, numbers, tuple(round(_BAR_LENGTH * number / longest, 2) for number in numbers))
        for label, numbers in kept
    )
