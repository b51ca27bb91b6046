"""A pass that is gone on with later does not meet again what it had been through: what changed there is found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from agent import bootstrap
from agent.daemon.scanning import ScanWork
from agent.execution.inline import InlineExecutor
from agent.model.service import JobName, JobResult
from tests.acceptance.killable_scan import Counting
from tests.daemon.test_scanning import Office, until


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setattr(bootstrap, "worker_pool", lambda *_: InlineExecutor(Counting()))
    monkeypatch.setattr("connectors.filesystem.walk._CHANGES_PER_PAGE", 10)
    with ExitStack() as opened:
        yield Office(tmp_path, opened)


def broken_off(office: Office, monkeypatch: pytest.MonkeyPatch, work: ScanWork) -> None:
    """The first pass over `a`, `b` and `c` has come as far as `b`."""
    with monkeypatch.context() as stopping:
        stop_after = iter([False] * 4)
        stopping.setattr(office.life.stopping, "is_set", lambda: next(stop_after, True))
        work.turn()
    assert office.runs()[0].result is JobResult.STOPPED
    assert "a/00.txt" in office.known()
    assert "c/00.txt" not in office.known()


def fill(office: Office) -> None:
    for folder in "abc":
        for number in range(20):
            office.put(f"{folder}/{number:02}.txt")


def test_what_changed_while_nobody_served_is_found_behind_the_place_where_the_pass_was(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(office)
    work = office.begin()
    broken_off(office, monkeypatch, work)
    work.close()
    office.put("a/meanwhile.txt")
    (office.share / "c/19.txt").rename(office.share / "a/moved.txt")

    again = office.begin()
    until(lambda: {"a/meanwhile.txt", "a/moved.txt"} <= office.known(), again)
    for _ in range(3):
        again.turn()

    assert len(office.known()) == 61
    assert [run.result for run in office.runs()] == [JobResult.DONE, JobResult.DONE, JobResult.STOPPED]


def test_a_pass_gone_on_with_by_the_process_that_began_it_needs_no_other(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(office)
    work = office.begin()
    broken_off(office, monkeypatch, work)

    for _ in range(4):
        work.turn()

    assert [run.result for run in office.runs()] == [JobResult.DONE, JobResult.STOPPED]


def test_a_folder_that_became_dirty_between_two_parts_of_a_pass_stays_so(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(office)
    work = office.begin(office.settings(settle_seconds=3600.0))
    broken_off(office, monkeypatch, work)
    share = office.catalogue.shares()[0]
    office.put("a/meanwhile.txt")
    office.catalogue.jobs.pause(JobName.RECONCILE, "office", bootstrap.now(), "ann")
    until(lambda: office.catalogue.dirty.waiting(share)[0] == 1, work)

    office.catalogue.jobs.resume(JobName.RECONCILE, "office")
    office.catalogue.jobs.ask(JobName.RECONCILE, "office", bootstrap.now(), "ann")
    work.turn()

    assert office.runs()[0].result is JobResult.DONE
    assert office.catalogue.dirty.waiting(share)[0] == 1
