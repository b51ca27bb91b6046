"""Which jobs there are to be, and which of them begins now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from agent.model.service import Job, JobName, JobResult, JobRun
from agent.settings import Settings
from agent.usecases.timetable import DISPOSING, SCANNING, Timetable, retry_at

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
OFFICE = {"name": "office", "path": "/srv/office"}
ATTIC = {"name": "attic", "path": "/srv/attic", "reconcile": "0 22 * * fri", "window": "20:00-06:00"}


def timetable(**service: object) -> Timetable:
    settings = Settings.model_validate({"shares": [OFFICE, ATTIC], "service": {"jitter_minutes": 0, **service}})
    return Timetable(settings, ZoneInfo("Europe/London"))


def job(name: JobName = JobName.RECONCILE, share: str = "office", due_at: datetime = NOW, **facts: object) -> Job:
    return replace(Job(name, share, "15 1 * * *", due_at), **facts)  # type: ignore[arg-type]


def run(result: JobResult) -> JobRun:
    return JobRun(1, JobName.RECONCILE, "office", NOW, NOW, result, "", "")


def test_every_share_has_a_reconcile_of_its_own_and_one_never_scanned_is_due_at_once() -> None:
    found = {one.share: one for one in timetable().wanted(JobName, NOW, {"office"}) if one.name is JobName.RECONCILE}

    assert found["office"].due_at == NOW
    assert (found["attic"].cron, found["attic"].due_at) == ("0 22 * * fri", datetime(2026, 11, 27, 22, 0, tzinfo=UTC))


def test_a_job_without_a_time_or_without_anything_to_do_is_not_wanted() -> None:
    names = {one.name for one in timetable(jobs={"erasure": None}).wanted(JobName, NOW)}

    assert names == set(JobName) - {JobName.ERASURE, JobName.REMINDERS, JobName.BACKUP}


def test_reminders_and_backups_are_wanted_where_the_settings_say_how() -> None:
    mail = {"host": "localhost", "sender": "r@example.org"}

    names = {one.name for one in timetable(mail=mail, backup={"directory": "/srv/b"}).wanted(JobName, NOW)}

    assert names == set(JobName)


def test_each_job_is_the_business_of_one_role() -> None:
    assert set(JobName) == SCANNING | DISPOSING
    assert not SCANNING & DISPOSING


def test_what_people_asked_for_begins_first_then_what_has_been_due_for_longest() -> None:
    jobs = [
        job(due_at=NOW - HOUR),
        job(JobName.EVALUATE, "", NOW - 2 * HOUR),
        job(JobName.CHECKPOINT, "", NOW + HOUR, asked_at=NOW),
    ]
    names = set(JobName)

    found = [timetable().ripe(jobs[:count], names, NOW) for count in (1, 2, 3)]

    assert found == jobs


@pytest.mark.parametrize(
    "waits", [job(due_at=NOW + HOUR), job(paused_at=NOW), job(share="attic"), job(JobName.DISPOSITION, "")]
)
def test_a_job_waits_while_it_is_not_due_is_paused_outside_its_hours_or_anothers_business(waits: Job) -> None:
    assert timetable().ripe([waits], SCANNING, NOW) is None


def test_a_job_that_was_asked_for_begins_outside_its_hours() -> None:
    asked = job(share="attic", asked_at=NOW)

    assert timetable().ripe([asked], SCANNING, NOW) == asked


def test_a_failure_is_tried_again_later_each_time_in_a_row_but_within_an_hour() -> None:
    failed, done = run(JobResult.FAILED), run(JobResult.DONE)

    waits = [retry_at([failed] * times + [done, failed], NOW) - NOW for times in (1, 2, 3, 4, 9, 99)]

    assert [wait / timedelta(minutes=1) for wait in waits] == [5, 10, 20, 40, 60, 60]
