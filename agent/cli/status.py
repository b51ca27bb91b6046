"""`retentiond status`: what is known, how fresh it is, what is to come, and what is wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli import options

if TYPE_CHECKING:
    from datetime import date, datetime

    from agent.catalogue.store import Catalogue
    from agent.observing.base import Facts, Health, JobFacts, ReviewCounts
    from agent.settings import Settings
    from agent.usecases.evaluate import Terms


def status(
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Print one line for a monitoring system, and exit with 0 (ok), 1, 2 or 3 (unknown)."
        ),
    ] = False,
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Show the shares, their last scans, and whether everything is accounted for; and how the service is.

    With --check the exit codes are those of monitoring plug-ins, not our usual ones: 0 ok, 1 warning, 2 critical,
    3 unknown. Nothing is decided anew here: what is due is told as it was last decided.

    Example:  retentiond status --json
    """
    from agent import bootstrap
    from agent.cli.status_words import tell
    from agent.reports.words import say_confinement
    from connectors.base import show_name

    if check:
        raise typer.Exit(_check(state, config))
    settings = bootstrap.settings_from(config)
    directory = bootstrap.state_directory(state, settings, create=False)
    with bootstrap.open_catalogue(directory) as catalogue:
        facts: dict[str, Any] = {"state": show_name(os.fsencode(directory)), "shares": _shares(catalogue)}
        facts |= _service(catalogue, settings, directory)
    confinement = bootstrap.confinement(settings)
    facts["confinement"] = {"landlock": confinement.landlock, "unrefused": list(confinement.unrefused)}
    if json:
        import json as codec

        typer.echo(codec.dumps(facts, indent=2, ensure_ascii=False))
        return
    tell(facts)
    typer.echo(say_confinement(confinement))


def _check(state: Path | None, config: Path | None) -> int:
    from agent import bootstrap
    from agent.cli.status_words import check_line, unknown_line
    from agent.errors import AgentError
    from agent.observing.base import HealthState

    try:
        settings = bootstrap.settings_from(config)
        directory = bootstrap.state_directory(state, settings, create=False)
        with bootstrap.open_catalogue(directory) as catalogue:
            facts, health = _observed(catalogue, settings, directory)
    except AgentError as error:
        typer.echo(unknown_line(str(error)))
        return HealthState.UNKNOWN
    except Exception as defect:  # noqa: BLE001 — a check that cannot be made is unknown, never a mere warning
        typer.echo(unknown_line(f"This is a defect of ours ({type(defect).__name__})."))
        return HealthState.UNKNOWN
    typer.echo(check_line(facts, health))
    return health.state


def _observed(catalogue: Catalogue, settings: Settings, state: Path) -> tuple[Facts, Health]:
    """What there is to see, and how well it is."""
    from agent import bootstrap
    from agent.errors import ConfigurationError
    from agent.tenancy.observed import tenants_observed
    from agent.usecases.health import health
    from agent.usecases.observed import observed

    now, today, reviews = bootstrap.now(), bootstrap.now().date(), None
    try:
        schedule = bootstrap.schedule_from(settings.schedule)
        today = bootstrap.today(schedule)
        if (state / "master.key").exists():  # else it would be made anew, which is not for one who only looks
            reviews = _reviews(catalogue, settings, bootstrap.terms_of(schedule, settings, state), today)
    except ConfigurationError:
        pass  # how the service is can be told all the same; what is wrong with the schedule, `retentiond check` says
    facts = observed(
        catalogue,
        now,
        today,
        reviews=reviews,
        anchoring=settings.service.checkpoint_file is not None,
        recipients=_recipients(settings),
        tenants=tenants_observed(settings, state),
    )
    return facts, health(facts, now)


def _reviews(catalogue: Catalogue, settings: Settings, terms: Terms, today: date) -> ReviewCounts:
    from agent.model.review import Reviewer
    from agent.usecases.observed import review_counts
    from agent.usecases.review_standing import ReviewStandings

    reviewers = [Reviewer(one.name, one.roles, one.email or "") for one in settings.reviewers]
    mode_of = settings.disposition.mode_of
    standings = ReviewStandings(catalogue, terms, today, reviewers, lambda class_id: mode_of(class_id) == "observe")
    return review_counts(standings, settings.reviews.overdue_after_days)


def _recipients(settings: Settings) -> tuple[str, ...]:
    mail = settings.service.mail
    if mail is None:
        return ()
    return (*mail.administrators, *(one.email for one in settings.reviewers if one.email))


def _service(catalogue: Catalogue, settings: Settings, state: Path) -> dict[str, Any]:
    from agent.usecases.health import PATIENCE
    from agent.usecases.notices import undelivered

    facts, health = _observed(catalogue, settings, state)
    reviews, vault, audit = facts.reviews, facts.vault, facts.audit
    return {
        "health": {
            "state": health.state.name.lower(),
            "problems": [
                {"state": one.state.name.lower(), "code": one.code, "subject": one.subject, "sentence": one.sentence}
                for one in health.problems
            ],
        },
        "services": [
            {
                "role": one.role.value,
                "pid": one.pid,
                "began_at": _iso(one.began_at),
                "beat_at": _iso(one.beat_at),
                "alive": facts.at - one.beat_at <= PATIENCE.silent,
                "doing": one.doing,
            }
            for one in facts.services
        ],
        "jobs": [_job(one) for one in facts.jobs],
        "conditions": [
            {"share": one.share, "state": one.state.value, "why": one.why, "since": _iso(one.since)}
            for one in catalogue.services.conditions()
        ],
        "counts": {
            "due": dict(facts.due),
            "reviews_waiting": reviews.waiting if reviews else None,
            "reviews_overdue": reviews.overdue if reviews else None,
            "holds": facts.holds,
            "paused": facts.paused,
            "in_quarantine": vault.items,
            "in_quarantine_bytes": vault.size_bytes,
            "destroyed": vault.destroyed,
            "dirty_folders": {one.name: one.dirty_folders for one in facts.shares},
        },
        "tenants": [
            {
                "tenant": one.name,
                "gates": {
                    workload: {"units_used_today": gate.used_today, "closed_seconds": round(gate.closed_seconds, 1)}
                    for workload, gate in one.gates.items()
                },
                "certificates_expire_at": {app: _iso(at) for app, at in one.certificates.items()},
            }
            for one in facts.tenants
        ],
        "audit": {
            "entries": audit.entries,
            "checkpointed": audit.checkpointed,
            "checkpoint_at": _iso(audit.checkpoint_at),
            "anchored_at": _iso(audit.anchored_at),
        },
        "mail_undelivered": [
            {"address": address, "since": _iso(at)}
            for address, at in undelivered(catalogue.notices, _recipients(settings)).items()
        ],
    }


def _job(one: JobFacts) -> dict[str, Any]:
    job, last = one.job, None
    if (run := job.last) is not None:
        last = {
            "began_at": _iso(run.began_at),
            "ended_at": _iso(run.ended_at),
            "result": run.result.value if run.result else None,
            "said": run.said,
        }
    return {
        "job": job.name.value,
        "share": job.share,
        "cron": job.cron,
        "next_due": _iso(job.due_at),
        "asked_at": _iso(job.asked_at),
        "paused_by": job.paused_by,
        "succeeded_at": _iso(one.succeeded_at),
        "failures": one.failures,
        "last": last,
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _shares(catalogue: Catalogue) -> list[dict[str, Any]]:
    shares = []
    for share in catalogue.shares():
        last = catalogue.last_pass(share)
        facts: dict[str, Any] = {"share": share.name, "location": share.location, "last_scan": None}
        facts |= {"kind": share.kind, "tenant": share.tenant or None}
        if last is not None:
            facts["last_scan"] = {
                "started_at": last.started_at.isoformat(),
                "ended_at": last.ended_at.isoformat() if last.ended_at else None,
                "complete": last.complete,
                "reconciles": last.reconciles,
                "seen": last.seen,
                "scanned": last.scanned,
                "skipped": dict(last.skipped),
                "failed": dict(last.failed),
                "unreached": last.unreached,
                "missing": last.missing,
                "extraction": dict(last.extraction),
                "folders_not_listed": len(last.folders_not_listed),
            }
            facts["findings"] = {
                entity: {"items": items, "values": values}
                for entity, (items, values) in catalogue.findings_summary(share).items()
            }
        shares.append(facts)
    return shares
