"""The estate as a report: rows and coverage out of the catalogue, under a schedule, as of a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from agent.catalogue.base import PassResult, Share
from agent.catalogue.store import Catalogue
from agent.model.sharing import sharing_in
from agent.reports.base import Report, ReportRow, ShareCoverage
from agent.usecases.evaluate import Evaluated, Evaluation, Terms


def estate_report(catalogue: Catalogue, terms: Terms, as_of: date, at: datetime) -> Report:
    """Everything the catalogue knows, as rows that are computed each time they are asked for."""
    evaluation = Evaluation(catalogue, terms, as_of)
    schedule = terms.schedule

    def rows() -> Iterator[ReportRow]:
        return map(_row, evaluation)

    passes = ((share, catalogue.last_pass(share)) for share in catalogue.shares())
    return Report(
        title="Personal data and retention",
        generated_at=at,
        as_of=as_of,
        schedule_id=schedule.id,
        schedule_title=schedule.title,
        schedule_version=schedule.version,
        class_titles={retention_class.id: retention_class.title for retention_class in schedule.classes},
        coverage=tuple(_coverage(share, last) for share, last in passes if last is not None),
        rows=rows,
    )


def _row(entry: Evaluated) -> ReportRow:
    record, decision = entry.record, entry.decision
    return ReportRow(
        share=record.share,
        path=record.path,
        format=record.format,
        size_bytes=record.size_bytes,
        modified_on=record.modified_at.date(),
        outcome=str(record.outcome),
        extraction=record.extraction or "",
        categories=tuple(sorted(category.value for category in record.categories)),
        findings=record.findings,
        classes=tuple(assignment.class_id for assignment in entry.assignments),
        state=decision.state,
        due_on=decision.due_on,
        disposition=decision.outcome or "",
        reasons=tuple(reason.sentence for reason in decision.reasons),
        sharing=sharing_in(record.marks) or "",
    )


def _coverage(share: Share, last: PassResult) -> ShareCoverage:
    return ShareCoverage(
        name=share.name,
        location=share.location,
        seen=last.seen,
        scanned=last.scanned,
        skipped=last.skipped,
        failed=last.failed,
        unreached=last.unreached,
        folders=last.folders,
        folders_not_listed=tuple((folder.location, folder.reason) for folder in last.folders_not_listed),
        extraction=last.extraction,
        missing=last.missing,
        tombstoned=last.tombstoned,
        complete=last.complete,
        reconciles=last.reconciles,
        started_at=last.started_at,
        ended_at=last.ended_at,
        size_bytes=last.size_bytes,
    )
