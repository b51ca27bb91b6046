"""Jobs as a role runs them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import structlog

from agent.catalogue.jobs import Wanted
from agent.catalogue.store import Catalogue
from agent.daemon.jobs import Jobs, Outcome
from agent.errors import CatalogueError, ConfigurationError
from agent.model.service import Job, JobName, JobResult
from agent.settings import Settings
from agent.usecases.timetable import Timetable
from tests.catalogue.empty import empty_at

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Desk:
    """One job, due every hour, whose next outcome the test says; and a clock that it turns."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.now = NOW
        self.timetable = Timetable(Settings.model_validate({"service": {"jitter_minutes": 0}}), ZoneInfo("UTC"))
        self.outcome: Outcome | Exception = Outcome(JobResult.DONE, "done")
        catalogue.jobs.want(JobName, [Wanted(JobName.CHECKPOINT, "", "0 * * * *", NOW)])
        self.jobs = Jobs(catalogue, {JobName.CHECKPOINT: self._run}, lambda: self.now)

    def _run(self, job: Job) -> Outcome:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def turn(self) -> bool:
        with structlog.testing.capture_logs():
            return self.jobs.run_one(self.timetable)

    @property
    def job(self) -> Job:
        return self.catalogue.jobs.all()[0]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Catalogue.open(empty_at(tmp_path / "catalogue.sqlite")) as catalogue:
        yield Desk(catalogue)


def test_a_job_runs_when_it_is_due_and_once_however_long_it_was_missed(desk: Desk) -> None:
    desk.now = NOW + 5 * HOUR

    assert (desk.turn(), desk.turn()) == (True, False)
    assert desk.job.due_at == NOW + 6 * HOUR


def test_a_job_that_cannot_do_its_work_fails_and_is_tried_again_sooner(desk: Desk) -> None:
    desk.outcome = ConfigurationError("no such folder\nsecond line")
    desk.turn()

    assert desk.job.last is not None
    assert (desk.job.last.result, desk.job.last.said) == (JobResult.FAILED, "no such folder")
    assert desk.job.due_at == NOW + timedelta(minutes=5)
    desk.now = desk.job.due_at
    desk.turn()
    assert desk.job.due_at == desk.now + timedelta(minutes=10)


def test_a_job_that_was_stopped_goes_on_at_once(desk: Desk) -> None:
    desk.outcome = Outcome(JobResult.STOPPED, "so far")
    desk.turn()

    assert desk.job.due_at == NOW


def test_a_run_that_could_not_be_written_down_is_found_when_the_catalogue_is_back(desk: Desk) -> None:
    desk.outcome = CatalogueError("the disk is full")
    with pytest.raises(CatalogueError):
        desk.turn()
    assert desk.job.running

    desk.outcome = Outcome(JobResult.DONE, "done")
    desk.turn()

    assert [run.result for run in desk.catalogue.jobs.runs(9)] == [JobResult.DONE, JobResult.LOST]


def test_a_job_does_not_wait_for_a_year_that_only_a_wrong_clock_knew(desk: Desk) -> None:
    desk.now = datetime(2099, 1, 1, tzinfo=UTC)
    desk.turn()
    assert desk.job.due_at.year == 2099

    desk.now = NOW + HOUR / 2
    assert not desk.turn()

    assert desk.job.due_at == NOW + HOUR


def test_jobs_of_the_other_role_are_left_alone(desk: Desk) -> None:
    others = Jobs(desk.catalogue, {JobName.ERASURE: desk._run}, lambda: NOW)

    assert not others.run_one(desk.timetable)
