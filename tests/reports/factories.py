"""Reports small enough to read, and rows as many as asked for. All of it is invented."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from agent.reports.base import Report, ReportRow, ShareCoverage

TODAY = date(2026, 11, 24)


def a_row(path: str, **facts: Any) -> ReportRow:
    row = ReportRow(
        share="office",
        path=path,
        format="docx",
        size_bytes=48_213,
        modified_on=date(2019, 4, 3),
        outcome="scanned",
        extraction="ok",
        categories=(),
        findings={},
        classes=(),
        state="unclassified",
        due_on=None,
        disposition="",
        reasons=("No class of the schedule applies to this item.",),
    )
    return replace(row, **facts)


def a_coverage(**facts: Any) -> ShareCoverage:
    coverage = ShareCoverage(
        name="office",
        location="/srv/shares/office",
        seen=1_234,
        scanned=1_200,
        skipped={"symbolic_link": 3, "unsupported": 27},
        failed={"corrupt": 4},
        unreached=0,
        folders=87,
        folders_not_listed=(),
        extraction={"ok": 1_180, "empty": 20, "corrupt": 4},
        missing=0,
        tombstoned=0,
        complete=True,
        reconciles=True,
        started_at=datetime(2026, 11, 24, 9, 1, tzinfo=UTC),
        ended_at=datetime(2026, 11, 24, 9, 2, tzinfo=UTC),
        size_bytes=123_456_789,
    )
    return replace(coverage, **facts)


def a_report(rows: Iterable[ReportRow], *coverage: ShareCoverage) -> Report:
    kept = tuple(rows)
    return Report(
        title="Personal data and retention",
        generated_at=datetime(2026, 11, 24, 9, 5, tzinfo=UTC),
        as_of=TODAY,
        schedule_id="uk-default",
        schedule_title="Retention schedule for a UK office",
        schedule_version="1",
        class_titles={"recruitment": "Recruitment records", "sickness": "Sickness & occupational health"},
        coverage=coverage or (a_coverage(),),
        rows=lambda: kept,
    )


HOSTILE = (
    "HR/<script>alert(1)</script>.docx",
    "HR/\" onmouseover='alert(2)'.docx",
    "=HYPERLINK(\"http://192.0.2.1\",'x').csv",
    "+44.txt",
    "-1.txt",
    "@SUM(A1).txt",
    "'=quoted.txt",
    "＝wide.txt",
    "{{ 7 * 7 }}.txt",
    "Archive/caf\\xe9, £5; 🎉.txt",
)


def small_report() -> Report:
    """Two shares, one of them in trouble; every state, and names that want to break out."""
    rows = [
        a_row(
            "HR/Recruitment/2018/application form.docx",
            categories=("contact", "health", "identity"),
            findings={"PERSON": 3, "EMAIL_ADDRESS": 1, "SC_HEALTH": 1},
            classes=("recruitment", "sickness"),
            state="due",
            due_on=date(2019, 10, 3),
            disposition="review",
            reasons=("The path matches the pattern **/recruit*/**.", "It has been due since 3 October 2019."),
            sharing="anonymous",
        ),
        a_row(
            "HR/Sick notes/2024.pdf",
            format="pdf",
            modified_on=date(2024, 1, 31),
            categories=("identity",),
            findings={"PERSON": 1},
            classes=("sickness",),
            state="keep",
            due_on=date(2027, 1, 31),
            disposition="review",
        ),
        a_row(
            "HR/Personnel/Quill/contract.docx",
            state="waiting",
            classes=("personnel",),
            disposition="review",
            sharing="external",
        ),
        a_row("Archive/old.zip", format="zip", outcome="skipped(unsupported)", extraction="unsupported"),
        a_row("Archive/broken.pdf", format="pdf", outcome="failed(corrupt)", extraction="corrupt", state="blocked"),
        *(a_row(path) for path in HOSTILE),
    ]
    troubled = a_coverage(
        name="clients",
        location="/srv/shares/clients",
        seen=10,
        scanned=8,
        skipped={},
        failed={"permission_denied": 1},
        unreached=2,
        folders_not_listed=(("Locked <away>", "permission_denied"), ("", "io_error")),
        missing=1,
        tombstoned=2,
        complete=False,
        reconciles=False,
        ended_at=None,
        size_bytes=0,
    )
    return a_report(rows, a_coverage(), troubled)


def many_rows(count: int) -> Iterator[ReportRow]:
    """Rows one after the other, none of them kept: a third due, a third with personal data, all different."""
    for number in range(count):
        due, personal = number % 3 == 0, number % 3 == 1
        yield ReportRow(
            share="office",
            path=f"Folder {number % 97}/document {number}.docx",
            format=("docx", "pdf", "xlsx")[number % 3],
            size_bytes=number,
            modified_on=TODAY,
            outcome="scanned",
            extraction="ok",
            categories=("identity",) if personal else (),
            findings={"PERSON": 1 + number % 5} if personal else {},
            classes=("recruitment",) if due else (),
            state="due" if due else "unclassified",
            due_on=TODAY - timedelta(days=number % 9_000) if due else None,
            disposition="review" if due else "",
            reasons=(f"Reason for item {number}.",),
        )
