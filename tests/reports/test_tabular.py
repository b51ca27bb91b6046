from __future__ import annotations

import csv
import io
import json

import pytest

from agent.reports.base import Report
from agent.reports.tabular import write_csv, write_json
from tests.reports.factories import HOSTILE, a_report, a_row


def _csv(report: Report) -> str:
    stream = io.StringIO(newline="")
    write_csv(report, stream)
    return stream.getvalue()


def _unguarded(cell: str) -> str:
    return cell.removeprefix("'")


def test_csv_reads_back_equal(report: Report) -> None:
    text = _csv(report).encode("utf-8").decode("utf-8-sig")

    read = list(csv.DictReader(io.StringIO(text, newline="")))

    expected = list(report.rows())
    assert [_unguarded(line["path"]) for line in read] == [row.path for row in expected]
    for line, row in zip(read, expected, strict=True):
        assert int(line["size_bytes"]) == row.size_bytes
        assert line["modified_on"] == row.modified_on.isoformat()
        assert line["due_on"] == (row.due_on.isoformat() if row.due_on else "")
        assert dict(pair.split("=") for pair in line["findings"].split("; ") if pair) == {
            name: str(count) for name, count in row.findings.items()
        }
        assert tuple(filter(None, line["categories"].split("; "))) == row.categories
        assert (line["state"], line["outcome"], line["disposition"]) == (row.state, row.outcome, row.disposition)


def test_csv_begins_with_the_mark_by_which_excel_knows_utf_8(report: Report) -> None:
    assert _csv(report).encode("utf-8").startswith(b"\xef\xbb\xbfshare,path,")


@pytest.mark.parametrize("path", [path for path in HOSTILE if path[0] in "=+-@'＝"] + ["\tx", "\rx"])
def test_no_csv_cell_is_a_formula(path: str) -> None:
    report = a_report([a_row(path, share=path, reasons=(path,))])

    *_, line = csv.DictReader(io.StringIO(_csv(report), newline=""))

    assert line["path"] == line["reasons"] == "'" + path
    assert all(cell[:1] not in set("=+-@\t\r＝") for cell in line.values())


def test_json_reads_back_equal(report: Report) -> None:
    stream = io.StringIO()
    write_json(report, stream)

    read = json.loads(stream.getvalue())

    assert (read["as_of"], read["generated_at"]) == ("2026-11-24", "2026-11-24T09:05:00+00:00")
    assert read["schedule"]["classes"] == report.class_titles
    for line, row in zip(read["rows"], report.rows(), strict=True):
        assert (line["path"], line["findings"], tuple(line["reasons"])) == (row.path, row.findings, row.reasons)
        assert line["due_on"] == (row.due_on.isoformat() if row.due_on else None)
    for line, share in zip(read["coverage"], report.coverage, strict=True):
        assert (line["name"], line["skipped"], line["failed"]) == (share.name, share.skipped, share.failed)
        assert (line["reconciles"], line["complete"]) == (share.reconciles, share.complete)


def test_json_without_rows_is_still_one_object() -> None:
    stream = io.StringIO()
    write_json(a_report([]), stream)

    assert json.loads(stream.getvalue())["rows"] == []


def test_sharing_stands_in_each_row_and_is_summed_up_at_the_end_of_the_json(report: Report) -> None:
    stream = io.StringIO()
    write_json(report, stream)
    read = json.loads(stream.getvalue())
    lines = list(csv.DictReader(io.StringIO(_csv(report), newline="")))

    assert [line["sharing"] for line in lines[:3]] == ["anonymous", "", "external"]
    assert [row["sharing"] for row in read["rows"][:3]] == ["anonymous", "", "external"]
    found = {"contact": 1, "health": 1, "identity": 1}
    assert read["shared"] == {
        "anonymous": {"items": 1, "with_personal_data": 1, "categories": found},
        "external": {"items": 1, "with_personal_data": 0, "categories": {}},
    }
