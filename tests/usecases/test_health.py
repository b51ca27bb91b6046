"""How well an installation is said to be, for everything that can be wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.model.service import JobName, JobResult, ShareState
from agent.observing.base import AuditFacts, Facts, HealthState, JobFacts, ReviewCounts
from agent.usecases.health import health, say_span
from tests.observing.facts import HOUR, NOW, a_job, a_run, a_share, a_tenant, sound

DAY = 24 * HOUR
OK, WARNING, CRITICAL, UNKNOWN = HealthState


def told(facts: Facts) -> list[tuple[str, str, HealthState]]:
    found = health(facts, NOW)
    assert found.state == max((problem.state for problem in found.problems), default=OK)
    return [(problem.code, problem.subject, problem.state) for problem in found.problems]


def test_nothing_wrong_is_ok() -> None:
    assert (health(sound(), NOW).state, told(sound())) == (OK, [])


def test_an_installation_that_has_seen_no_share_is_neither_well_nor_ill() -> None:
    assert told(Facts(NOW)) == [("nothing_scanned", "", UNKNOWN)]


def test_without_a_service_nothing_is_late_that_nobody_promised() -> None:
    assert told(replace(sound(), services=(), jobs=())) == []


def silent(for_: timedelta) -> Facts:
    facts = sound()
    return replace(facts, services=(replace(facts.services[0], beat_at=NOW - for_),))


def away(for_: timedelta) -> Facts:
    return replace(sound(), shares=(a_share(state=ShareState.UNAVAILABLE, since=NOW - for_),))


def failing(times: int, result: JobResult = JobResult.FAILED) -> Facts:
    return replace(sound(), jobs=(a_job(share="office", last=a_run(result), failures=times),))


def due(ago: timedelta) -> Facts:
    return replace(sound(), jobs=(a_job(share="office", last=a_run(), due_at=NOW - ago),))


def anchored(ago: timedelta) -> Facts:
    return replace(sound(), audit=AuditFacts(100, 100, NOW - HOUR, anchoring=True, anchored_at=NOW - ago))


@pytest.mark.parametrize(
    ("facts", "state"),
    [(lambda: silent(timedelta(minutes=2)), None), (lambda: silent(timedelta(minutes=4)), CRITICAL)],
)
def test_a_service_that_does_not_say_that_it_lives_is_critical(
    facts: Callable[[], Facts], state: HealthState | None
) -> None:
    assert told(facts()) == ([("service_silent", "scan", state)] if state else [])


def test_jobs_without_a_service_are_critical_once_and_not_each_late() -> None:
    assert told(replace(due(2 * DAY), services=())) == [("service_stopped", "", CRITICAL)]


@pytest.mark.parametrize(("ago", "state"), [(HOUR / 2, WARNING), (2 * HOUR, CRITICAL)])
def test_a_share_that_cannot_be_reached_is_a_warning_then_critical(ago: timedelta, state: HealthState) -> None:
    assert told(away(ago)) == [("share_unavailable", "office", state)]


@pytest.mark.parametrize("result", [JobResult.FAILED, JobResult.LOST])
@pytest.mark.parametrize(("times", "state"), [(1, WARNING), (2, WARNING), (3, CRITICAL)])
def test_a_failed_job_is_a_warning_and_one_that_keeps_failing_critical(
    result: JobResult, times: int, state: HealthState
) -> None:
    assert told(failing(times, result)) == [("job_failed", "reconcile of office", state)]


@pytest.mark.parametrize("result", [JobResult.DONE, JobResult.PARTIAL, JobResult.STOPPED, None])
def test_a_job_that_was_done_or_goes_on_has_not_failed(result: JobResult | None) -> None:
    assert told(failing(1, result) if result else replace(sound(), jobs=(a_job(last=a_run(None)),))) == []


@pytest.mark.parametrize(("ago", "state"), [(HOUR / 2, None), (2 * HOUR, WARNING), (25 * HOUR, CRITICAL)])
def test_a_job_that_does_not_begin_is_late(ago: timedelta, state: HealthState | None) -> None:
    assert told(due(ago)) == ([("job_late", "reconcile of office", state)] if state else [])


def test_a_job_that_is_paused_or_runs_is_not_late() -> None:
    late = {"share": "office", "due_at": NOW - 2 * DAY}
    for job in (a_job(paused_at=NOW - 3 * DAY, **late), a_job(last=a_run(None), **late)):  # type: ignore[arg-type]
        assert told(replace(sound(), jobs=(job,))) == []


def test_a_scan_that_does_not_account_for_everything_is_critical_but_not_while_it_goes_on() -> None:
    share = replace(a_share(), reconciles=False)
    assert told(replace(sound(), shares=(share,))) == [("not_reconciled", "office", CRITICAL)]
    assert told(replace(sound(), shares=(replace(share, complete=False),))) == []


def test_of_a_tenant_a_place_that_does_not_add_up_is_critical_also_while_others_are_under_way() -> None:
    share = replace(a_share("contoso"), places=3, complete=False, reconciles=False)
    assert told(replace(sound(), shares=(share,))) == [("not_reconciled", "contoso", CRITICAL)]
    assert told(replace(sound(), shares=(replace(share, reconciles=True),))) == []


@pytest.mark.parametrize("known", [True, False])
def test_a_tenant_that_cannot_be_reached_is_called_one_also_if_it_never_was(known: bool) -> None:
    share = replace(a_share("contoso", ShareState.UNAVAILABLE, NOW - 2 * HOUR), places=4 if known else 0)
    facts = replace(sound(), shares=(share,), tenants=() if known else (a_tenant(),))
    (problem,) = health(facts, NOW).problems
    assert problem.sentence == "The tenant contoso has not been reachable for 2 hours."


@pytest.mark.parametrize(
    ("left", "state", "words"),
    [
        (31 * DAY, None, ""),
        (30 * DAY, WARNING, "expires in 30 days"),
        (8 * DAY, WARNING, "expires in 8 days"),
        (7 * DAY, CRITICAL, "expires in 7 days"),
        (HOUR, CRITICAL, "expires in 1 hour"),
        (-DAY, CRITICAL, "has expired"),
    ],
)
def test_a_certificate_that_expires_soon_is_a_warning_then_critical(
    left: timedelta, state: HealthState | None, words: str
) -> None:
    found = health(replace(sound(), tenants=(a_tenant(NOW + left),)), NOW)
    expected = [("certificate_expires", "reader of contoso", state)] if state else []
    assert [(one.code, one.subject, one.state) for one in found.problems] == expected
    for one in found.problems:
        assert one.sentence == f"The certificate with which the reader of contoso signs in {words}."


@pytest.mark.parametrize(("ago", "state"), [(23 * HOUR, None), (25 * HOUR, WARNING)])
def test_changes_that_nobody_looks_at_are_a_warning(ago: timedelta, state: HealthState | None) -> None:
    share = replace(a_share(), dirty_folders=1, dirty_since=NOW - ago)
    assert told(replace(sound(), shares=(share,))) == ([("scan_late", "office", state)] if state else [])


def test_a_vault_that_cannot_be_read_is_critical_and_one_that_was_not_tried_is_not() -> None:
    vault = sound().vault
    assert told(replace(sound(), vault=replace(vault, sample_good=False))) == [("vault_sample_failed", "", CRITICAL)]
    assert told(replace(sound(), vault=replace(vault, sample_good=None))) == []


@pytest.mark.parametrize(("ago", "state"), [(DAY, None), (3 * DAY, WARNING), (8 * DAY, CRITICAL)])
def test_a_log_whose_checkpoints_stay_at_home_is_told(ago: timedelta, state: HealthState | None) -> None:
    assert told(anchored(ago)) == ([("audit_not_anchored", "", state)] if state else [])


def test_a_log_that_was_never_published_is_told_only_where_that_is_a_job() -> None:
    never = replace(sound(), audit=AuditFacts(100, 100, NOW, anchoring=True))
    assert told(never) == [("audit_not_anchored", "", WARNING)]
    assert told(replace(never, jobs=())) == []
    assert told(replace(never, audit=replace(never.audit, anchoring=False))) == []
    assert told(replace(never, jobs=(JobFacts(a_job(JobName.CHECKPOINT).job),))) == []  # it has not had its turn yet


def test_overdue_reviews_and_mail_that_comes_back_are_warnings() -> None:
    facts = replace(sound(), reviews=ReviewCounts(42, 7), undelivered=2)
    assert told(facts) == [("mail_undelivered", "", WARNING), ("reviews_overdue", "", WARNING)]


def test_the_worst_comes_first() -> None:
    facts = replace(away(2 * HOUR), reviews=ReviewCounts(42, 7), jobs=failing(1).jobs)
    assert [state for _, _, state in told(facts)] == [CRITICAL, WARNING, WARNING]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 seconds"), (1, "1 second"), (60, "1 minute"), (3_700, "1 hour"), (90_000, "25 hours"), (200_000, "2 days")],
)
def test_a_span_is_told_as_people_would(seconds: int, said: str) -> None:
    assert say_span(timedelta(seconds=seconds)) == said
