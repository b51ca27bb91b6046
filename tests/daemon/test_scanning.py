"""The role that reads, on a real folder with a real watch; only the reading of documents is made quick."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from agent import bootstrap
from agent.daemon.base import Life
from agent.daemon.beats import Beats
from agent.daemon.scanning import ScanWork, scanning
from agent.execution.inline import InlineExecutor
from agent.model.service import JobName, JobResult, JobRun, Role, ShareState
from agent.settings import Settings
from tests.acceptance.killable_scan import Counting
from tests.catalogue.empty import empty_at


class Office:
    """A share, and the role that looks after it, turned by hand."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        self.share = folder / "share"
        self.state = folder / "state"
        self.share.mkdir()
        self.state.mkdir()
        self.life = Life(Beats())
        self._opened = opened
        empty_at(self.state / "catalogue.sqlite")
        self.catalogue = bootstrap.open_catalogue(self.state)
        opened.callback(self.catalogue.close)

    def settings(self, *, share: dict[str, object] | None = None, **service: object) -> Settings:
        one = {"name": "office", "path": str(self.share), **(share or {})}
        return Settings.model_validate({"shares": [one], "service": {"settle_seconds": 0.0, **service}})

    def begin(self, settings: Settings | None = None) -> ScanWork:
        return self._opened.enter_context(scanning(settings or self.settings(), self.state, self.life))

    def known(self) -> set[str]:
        return {str(ref) for ref, _ in self.catalogue.records()}

    def runs(self, name: JobName = JobName.RECONCILE) -> tuple[JobRun, ...]:
        return self.catalogue.jobs.runs(99, name)

    def put(self, path: str, content: str = "some words") -> Path:
        file = self.share / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        return file


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setattr(bootstrap, "worker_pool", lambda *_: InlineExecutor(Counting()))
    with ExitStack() as opened:
        yield Office(tmp_path, opened)


def until(true: Callable[[], Any], work: ScanWork, seconds: float = 20) -> None:
    """Turns the work until something holds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it does not come to that"
        work.turn()
        time.sleep(0.02)


def test_a_share_never_scanned_is_gone_through_at_once(office: Office) -> None:
    office.put("HR/a.txt")
    work = office.begin()

    work.turn()

    (run,) = office.runs()
    assert (run.result, run.said) == (JobResult.DONE, "1 items seen, 1 read, 0 skipped, 0 failed, 0 gone.")
    assert office.known() == {"HR/a.txt"}


def test_a_new_file_a_new_folder_and_a_removed_file_are_looked_at_without_a_reconcile(office: Office) -> None:
    old = office.put("HR/old.txt")
    work = office.begin()
    work.turn()

    office.put("HR/new.txt")
    office.put("HR/2026/May/deep.txt")
    old.unlink()
    until(lambda: office.known() == {"HR/new.txt", "HR/2026/May/deep.txt"}, work)

    assert len(office.runs()) == 1
    share = office.catalogue.shares()[0]
    assert office.catalogue.dirty.waiting(share) == (0, None)


def test_how_items_stand_is_brought_up_to_date_after_a_look(office: Office) -> None:
    work = office.begin()
    work.turn()
    office.put("a.txt")
    until(lambda: office.known() == {"a.txt"}, work)

    assert sum(office.catalogue.standings.counts(bootstrap.today(work._schedule)).values()) == 1


def test_a_share_that_goes_and_comes_back_is_told_and_nothing_is_taken_for_deleted(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.daemon.watches._CHECK_SECONDS", 0.2)  # how soon it is seen that a watch has ended
    office.put("HR/a.txt")
    work = office.begin()
    work.turn()
    away = office.share.rename(office.share.with_name("away"))
    office.catalogue.jobs.ask(JobName.RECONCILE, "office", bootstrap.now(), "ann")
    work.turn()

    assert office.runs()[0].result is JobResult.FAILED
    assert office.catalogue.services.conditions()[0].state is ShareState.UNAVAILABLE
    assert office.known() == {"HR/a.txt"}

    away.rename(office.share)
    office.catalogue.jobs.ask(JobName.RECONCILE, "office", bootstrap.now(), "ann")
    until(lambda: office.runs()[0].result is JobResult.DONE, work)
    assert office.known() == {"HR/a.txt"}
    until(lambda: office.catalogue.services.conditions()[0].state is ShareState.WATCHED, work)


def test_another_folder_in_the_place_of_the_share_is_not_taken_for_it(office: Office) -> None:
    office.put("HR/a.txt")
    work = office.begin()
    work.turn()
    office.share.rename(office.share.with_name("away"))
    office.share.mkdir()

    office.catalogue.jobs.ask(JobName.RECONCILE, "office", bootstrap.now(), "ann")
    work.turn()

    assert office.runs()[0].result is JobResult.FAILED
    assert office.known() == {"HR/a.txt"}


def test_a_reconcile_stops_at_the_word_and_goes_on_from_there(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.filesystem.walk._CHANGES_PER_PAGE", 10)
    for number in range(100):
        office.put(f"{number:03}.txt")
    work = office.begin()
    stop_after = iter([False] * 4)
    monkeypatch.setattr(office.life.stopping, "is_set", lambda: next(stop_after, True))
    work.turn()
    assert office.runs()[0].result is JobResult.STOPPED
    seen = len(office.known())
    assert 0 < seen < 100

    monkeypatch.setattr(office.life.stopping, "is_set", lambda: False)
    work.turn()

    assert office.runs()[0].result is JobResult.DONE
    assert office.runs()[0].said.startswith(f"100 items seen, {100 - seen} read")


def test_a_pass_looks_aside_at_what_happens_meanwhile(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.filesystem.walk._CHANGES_PER_PAGE", 10)
    monkeypatch.setattr("agent.daemon.scanning._BETWEEN_SECONDS", 0.0)
    for number in range(50):
        office.put(f"b/{number:03}.txt")
    office.put("a/first.txt")
    work = office.begin()
    work.turn()
    for number in range(50):
        office.put(f"b/{number:03}.txt", "changed")
    office.catalogue.jobs.ask(JobName.RECONCILE, "office", bootstrap.now(), "ann")
    before = {id(run) for run in office.runs()}
    said: list[str] = []
    pages = iter(range(99))
    take_in = work._watches.take_in

    def happen() -> None:
        if next(pages) == 3:  # behind the place where the pass is by now
            office.put("a/meanwhile.txt")
            time.sleep(0.3)
        take_in()
        said.append(",".join(sorted(office.known())))

    monkeypatch.setattr(work._watches, "take_in", happen)
    until(lambda: office.runs()[0].result is JobResult.DONE and len(office.runs()) > len(before), work)

    assert "a/meanwhile.txt" in office.known()
    last = office.catalogue.last_pass(office.catalogue.shares()[0])
    assert last is not None
    assert last.reconciles


def test_outside_its_hours_a_share_is_left_alone_until_somebody_asks(office: Office) -> None:
    office.put("a.txt")
    tomorrow = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(bootstrap.now().weekday() + 3) % 7]
    work = office.begin(office.settings(share={"window": tomorrow}))

    work.turn()
    assert office.runs() == ()

    office.catalogue.jobs.ask(JobName.RECONCILE, "office", bootstrap.now(), "ann")
    work.turn()
    assert office.runs()[0].result is JobResult.DONE


def test_every_job_of_the_role_does_its_work(office: Office) -> None:
    office.put("a.txt")
    work = office.begin(office.settings(checkpoint_file=str(office.state / "anchored")))
    work.turn()
    for name in (JobName.EVALUATE, JobName.CHECKPOINT):
        office.catalogue.jobs.ask(name, "", bootstrap.now(), "ann")

    until(lambda: office.runs(JobName.EVALUATE) and office.runs(JobName.CHECKPOINT), work)

    assert office.runs(JobName.EVALUATE)[0].result is JobResult.DONE
    assert office.runs(JobName.CHECKPOINT)[0].result is JobResult.DONE
    assert (office.state / "report.html").stat().st_size > 1000
    assert (office.state / "anchored").stat().st_size > 100


def test_a_run_that_a_killed_process_left_open_is_lost_and_done_again(office: Office) -> None:
    office.put("a.txt")
    office.begin().turn()
    office.catalogue.jobs.ask(JobName.RECONCILE, "office", bootstrap.now(), "ann")
    job = office.catalogue.jobs.all()
    (reconcile,) = (one for one in job if one.name is JobName.RECONCILE)
    office.catalogue.jobs.begin(reconcile, bootstrap.now(), reconcile.due_at)

    office.begin().turn()

    assert [run.result for run in office.runs()] == [JobResult.DONE, JobResult.LOST, JobResult.DONE]


def test_the_role_says_that_it_lives_and_that_it_ends(office: Office) -> None:
    with scanning(office.settings(), office.state, office.life) as work:
        work.turn()
        assert [service.role for service in office.catalogue.services.all()] == [Role.SCAN]
        assert office.life.doing[Role.SCAN]

    assert office.catalogue.services.all() == ()


def test_when_it_comes_to_rest_it_gives_memory_back_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.put("a.txt")
    work = office.begin()
    rested: list[int] = []
    monkeypatch.setattr(work._catalogue, "rest", lambda: rested.append(1))

    for _ in range(5):
        work.turn()
    assert len(rested) == 2, "as it begins, and after the reconcile"
    office.put("b.txt")
    until(lambda: "b.txt" in office.known(), work)
    work.turn()
    assert len(rested) == 3


def test_new_settings_change_what_is_watched_and_when(office: Office, tmp_path: Path) -> None:
    office.put("a.txt")
    work = office.begin()
    work.turn()
    (tmp_path / "attic").mkdir()
    (tmp_path / "attic" / "b.txt").write_text("words")
    second = {"name": "attic", "path": str(tmp_path / "attic")}
    settings = Settings.model_validate({"shares": [second]})

    work.reload(settings)
    work.turn()

    assert [condition.share for condition in office.catalogue.services.conditions()] == ["attic"]
    assert {job.share for job in office.catalogue.jobs.all() if job.name is JobName.RECONCILE} == {"attic"}
    assert office.known() == {"a.txt", "b.txt"}


def test_what_lies_in_our_own_state_is_never_looked_at(office: Office) -> None:
    state = office.share / "state"
    state.mkdir()
    office.state = state
    office.catalogue.close()
    office.catalogue = bootstrap.open_catalogue(state, create=True)
    work = office.begin()
    work.turn()
    office.put("a.txt")

    until(lambda: office.known() == {"a.txt"}, work)

    assert not any(ref.folder.startswith(b"state") for ref, _ in office.catalogue.records())
