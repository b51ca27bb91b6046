"""Reports for other programs: CSV for spreadsheets, JSON for everything else. Both stream."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import TextIO

from agent.reports.base import Report, ReportRow, ShareCoverage
from agent.reports.totals import Shared, SharedOutside

# A spreadsheet takes a cell that begins like this for a formula. The apostrophe is here so that taking one off
# gives back the cell as it was.
_TAKEN_FOR_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")
_COLUMNS = tuple(field.name for field in fields(ReportRow))
_COVERAGE = tuple(field.name for field in fields(ShareCoverage))
_SHARED = tuple(field.name for field in fields(Shared))


def write_csv(report: Report, stream: TextIO) -> None:
    """One line per item, in UTF-8 with the mark by which Excel knows it (`stream` encodes, without newline changes).

    Lists stand in one cell, separated by `; `, findings as `UK_NINO=2; PERSON=1`. A cell that a spreadsheet would
    take for a formula begins with an apostrophe.
    """
    stream.write("\ufeff")
    writer = csv.writer(stream)
    writer.writerow(_COLUMNS)
    for row in report.rows():
        writer.writerow([_cell(getattr(row, column)) for column in _COLUMNS])


def _cell(value: object) -> str | int:
    match value:
        case None:
            return ""
        case int():
            return value
        case date():
            return value.isoformat()
        case tuple():
            text = "; ".join(value)
        case Mapping():
            text = "; ".join(f"{name}={count}" for name, count in sorted(value.items()))
        case _:
            text = str(value)
    return "'" + text if text.startswith(_TAKEN_FOR_FORMULA) else text


def write_json(report: Report, stream: TextIO) -> None:
    """One object: what the report is about, `coverage` per share, `rows`, one on each line, and what of them is
    `shared` beyond the organisation."""
    head = {
        "title": report.title,
        "generated_at": report.generated_at,
        "as_of": report.as_of,
        "schedule": {
            "id": report.schedule_id,
            "title": report.schedule_title,
            "version": report.schedule_version,
            "classes": dict(report.class_titles),
        },
        "coverage": [{name: getattr(share, name) for name in _COVERAGE} for share in report.coverage],
    }
    stream.write(_json(head).removesuffix("}") + ', "rows": [')
    separator = "\n"
    sharing = SharedOutside()
    for row in report.rows():
        sharing.add(row)
        stream.write(separator + _json({column: getattr(row, column) for column in _COLUMNS}))
        separator = ",\n"
    shared = {how: {name: getattr(found, name) for name in _SHARED} for how, found in sharing.by.items()}
    stream.write(f'\n], "shared": {_json(shared)}}}\n')


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> object:
    match value:
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return dict(value)
        case _:
            raise TypeError(f"a report holds no {type(value).__name__}")
