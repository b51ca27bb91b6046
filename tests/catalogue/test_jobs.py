"""Jobs, dirty folders, signs of life and notices, as the catalogue keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.catalogue.base import Share
from agent.catalogue.jobs import Wanted
from agent.catalogue.store import Catalogue
from agent.errors import UsageError
from agent.model.service import Job, JobName, JobResult, Role, ShareState
from tests.catalogue.empty import empty_at

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NIGHTLY = Wanted(JobName.RECONCILE, "office", "15 1 * * *", NOW + HOUR)
HOURLY = Wanted(JobName.CHECKPOINT, "", "10 * * * *", NOW + HOUR)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(empty_at(tmp_path / "catalogue.sqlite")) as opened:
        opened.jobs.want(JobName, [NIGHTLY, HOURLY])
        yield opened


def job(catalogue: Catalogue, name: JobName = JobName.RECONCILE) -> Job:
    (found,) = (one for one in catalogue.jobs.all() if one.name is name)
    return found


def test_a_job_keeps_its_due_date_while_its_cron_expression_stays(catalogue: Catalogue) -> None:
    catalogue.jobs.want(JobName, [Wanted(JobName.RECONCILE, "office", "15 1 * * *", NOW), HOURLY])
    assert job(catalogue).due_at == NOW + HOUR

    catalogue.jobs.want(JobName, [Wanted(JobName.RECONCILE, "office", "15 2 * * *", NOW), HOURLY])
    assert job(catalogue).due_at == NOW


def test_a_job_no_longer_wanted_goes_with_its_runs(catalogue: Catalogue) -> None:
    catalogue.jobs.begin(job(catalogue), NOW, NOW + HOUR)

    catalogue.jobs.want(JobName, [HOURLY])

    assert [one.name for one in catalogue.jobs.all()] == [JobName.CHECKPOINT]
    assert catalogue.jobs.runs(9) == ()


def test_each_role_wants_its_own_jobs_and_leaves_the_others(catalogue: Catalogue) -> None:
    catalogue.jobs.want([JobName.RECONCILE], [])

    assert [one.name for one in catalogue.jobs.all()] == [JobName.CHECKPOINT]


def test_a_run_is_remembered_with_how_it_ended(catalogue: Catalogue) -> None:
    catalogue.jobs.ask(JobName.RECONCILE, "office", NOW, "ann")
    run = catalogue.jobs.begin(job(catalogue), NOW, NOW + 2 * HOUR)
    assert job(catalogue).running

    catalogue.jobs.end(run, NOW + HOUR, JobResult.DONE, "3 items seen.")

    after = job(catalogue)
    assert (after.due_at, after.asked_at, after.running) == (NOW + 2 * HOUR, None, False)
    assert after.last is not None
    assert (after.last.result, after.last.said, after.last.asked_by) == (JobResult.DONE, "3 items seen.", "ann")
    assert catalogue.jobs.runs(9, JobName.RECONCILE, "office") == (after.last,)


def test_a_run_that_failed_makes_its_job_due_sooner_and_never_later(catalogue: Catalogue) -> None:
    run = catalogue.jobs.begin(job(catalogue), NOW, NOW + 9 * HOUR)
    catalogue.jobs.end(run, NOW, JobResult.FAILED, "away", NOW + HOUR)
    assert job(catalogue).due_at == NOW + HOUR

    run = catalogue.jobs.begin(job(catalogue), NOW, NOW + HOUR)
    catalogue.jobs.end(run, NOW, JobResult.FAILED, "away", NOW + 2 * HOUR)
    assert job(catalogue).due_at == NOW + HOUR


def test_runs_left_open_by_a_process_that_is_gone_are_lost_and_due_at_once(catalogue: Catalogue) -> None:
    catalogue.jobs.begin(job(catalogue), NOW, NOW + 9 * HOUR)
    catalogue.jobs.begin(job(catalogue, JobName.CHECKPOINT), NOW, NOW + 9 * HOUR)

    (lost,) = catalogue.jobs.reclaim([JobName.RECONCILE], NOW + HOUR)

    assert (lost.job, lost.result) == (JobName.RECONCILE, JobResult.LOST)
    assert job(catalogue).due_at == NOW + HOUR
    assert job(catalogue, JobName.CHECKPOINT).running, "the other role's job is its own business"
    assert catalogue.jobs.reclaim([JobName.RECONCILE], NOW + HOUR) == ()


def test_a_paused_job_cannot_be_asked_for_until_it_is_resumed(catalogue: Catalogue) -> None:
    catalogue.jobs.pause(JobName.RECONCILE, "office", NOW, "ann")
    with pytest.raises(UsageError, match="paused by ann"):
        catalogue.jobs.ask(JobName.RECONCILE, "office", NOW, "bob")

    catalogue.jobs.resume(JobName.RECONCILE, "office")
    catalogue.jobs.ask(JobName.RECONCILE, "office", NOW, "bob")

    assert job(catalogue).asked_by == "bob"


def test_a_job_that_there_is_not_is_told(catalogue: Catalogue) -> None:
    with pytest.raises(UsageError, match="no job reconcile for a share 'attic'"):
        catalogue.jobs.ask(JobName.RECONCILE, "attic", NOW, "ann")


def test_old_runs_are_forgotten(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.catalogue.jobs._KEPT_RUNS", 3)
    for hour in range(6):
        run = catalogue.jobs.begin(job(catalogue), NOW + hour * HOUR, NOW)
        catalogue.jobs.end(run, NOW + hour * HOUR, JobResult.DONE, str(hour))

    assert [run.said for run in catalogue.jobs.runs(9)] == ["5", "4", "3"]


# Dirty folders


def ripe(catalogue: Catalogue, share: Share, at: datetime) -> set[bytes]:
    """After half an hour of quiet, or two hours of unrest."""
    return set(catalogue.dirty.settled(share, at, HOUR / 2, 2 * HOUR, 9))


@pytest.fixture
def share(catalogue: Catalogue) -> Share:
    return catalogue.ensure_share("office", "/srv/office", "id")


def test_a_folder_is_ripe_when_it_has_come_to_rest_or_has_waited_for_long(catalogue: Catalogue, share: Share) -> None:
    catalogue.dirty.add(share, [b"restless", b"quiet"], NOW)
    catalogue.dirty.add(share, [b"restless"], NOW + HOUR)

    assert ripe(catalogue, share, NOW + HOUR / 3 + HOUR) == {b"quiet"}
    assert catalogue.dirty.waiting(share) == (2, NOW)
    catalogue.dirty.add(share, [b"restless"], NOW + 2 * HOUR)
    assert ripe(catalogue, share, NOW + 2 * HOUR) == {b"quiet", b"restless"}


def test_a_folder_stays_dirty_if_something_happened_while_it_was_looked_at(catalogue: Catalogue, share: Share) -> None:
    catalogue.dirty.add(share, [b"a", b"b"], NOW)
    catalogue.dirty.add(share, [b"b"], NOW + HOUR)

    catalogue.dirty.clean(share, [b"a", b"b"], NOW, NOW + HOUR)
    assert ripe(catalogue, share, NOW + 2 * HOUR) == {b"b"}

    catalogue.dirty.clean_all(share, NOW + HOUR, NOW + HOUR)
    assert catalogue.dirty.waiting(share) == (0, None)


def test_a_folder_from_before_the_clock_was_set_back_is_not_forgotten(catalogue: Catalogue, share: Share) -> None:
    catalogue.dirty.add(share, [b"a", b"b"], NOW + 9000 * HOUR)

    assert ripe(catalogue, share, NOW) == {b"a", b"b"}
    catalogue.dirty.clean(share, [b"a"], NOW, NOW)
    assert ripe(catalogue, share, NOW) == {b"b"}
    catalogue.dirty.clean_all(share, NOW, NOW)
    assert catalogue.dirty.waiting(share) == (0, None)


# Who lives, and how shares stand


def test_a_process_lives_until_it_says_that_it_ends(catalogue: Catalogue) -> None:
    catalogue.services.beat(Role.SCAN, NOW, NOW, "starting")
    catalogue.services.beat(Role.SCAN, NOW, NOW + HOUR, "at rest")

    (service,) = catalogue.services.all()
    assert (service.role, service.began_at, service.beat_at, service.doing) == (Role.SCAN, NOW, NOW + HOUR, "at rest")

    catalogue.services.end(Role.SCAN)
    assert catalogue.services.all() == ()


def test_a_share_stands_so_since_its_state_changed(catalogue: Catalogue) -> None:
    keep = catalogue.services.keep_condition
    assert keep("office", ShareState.UNAVAILABLE, "no such folder", NOW)
    assert not keep("office", ShareState.UNAVAILABLE, "no such folder", NOW + HOUR)
    assert keep("office", ShareState.UNAVAILABLE, "not mounted", NOW + HOUR)
    (condition,) = catalogue.services.conditions()
    assert (condition.why, condition.since) == ("not mounted", NOW)

    assert keep("office", ShareState.WATCHED, "", NOW + HOUR)
    (condition,) = catalogue.services.conditions()
    assert (condition.state, condition.since) == (ShareState.WATCHED, NOW + HOUR)

    catalogue.services.forget_shares(("attic",))
    assert catalogue.services.conditions() == ()


def test_what_was_told_to_whom_is_remembered(catalogue: Catalogue) -> None:
    assert catalogue.notices.last("alarm", "it@example.org", "job_failed") is None

    catalogue.notices.record("alarm", "it@example.org", "job_failed", NOW)
    catalogue.notices.record("alarm", "it@example.org", "job_failed", NOW + HOUR)

    assert catalogue.notices.last("alarm", "it@example.org", "job_failed") == NOW + HOUR
    assert catalogue.notices.last("alarm", "other@example.org", "job_failed") is None
