"""The role that changes shares, turned by hand. That it carries out what is approved, the service's story shows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog

from agent import acting, bootstrap, strongroom
from agent.daemon.base import Life
from agent.daemon.beats import Beats
from agent.daemon.disposing import DisposeWork, disposing
from agent.disposition.custody import Ending
from agent.disposition.recovery import Recovered
from agent.errors import ConfigurationError
from agent.model.disposal import Custody
from agent.model.service import JobName, JobResult, JobRun, Role
from agent.settings import Settings
from agent.usecases.dispose import Disposing
from agent.usecases.dispose_rules import Clock
from agent.vault.base import Ceremony
from tests.catalogue.empty import empty_at


class Office:
    """A state directory, and the role that disposes in it."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        self.state = folder / "state"
        self.state.mkdir()
        self.life = Life(Beats())
        self._opened = opened
        empty_at(self.state / "catalogue.sqlite")
        self.catalogue = bootstrap.open_catalogue(self.state)
        opened.callback(self.catalogue.close)
        self.catalogue.ensure_share("office", str(folder), "id")
        bootstrap.trail(self.state)  # makes the master key

    def begin(self, **settings: object) -> DisposeWork:
        return self._opened.enter_context(disposing(Settings.model_validate(settings), self.state, self.life, None))

    def run(self, work: DisposeWork, name: JobName) -> JobRun:
        self.catalogue.jobs.ask(name, "", bootstrap.now(), "ann")
        with structlog.testing.capture_logs() as self.told:
            work.turn()
        return self.catalogue.jobs.runs(1, name)[0]

    def make_vault(self) -> None:
        strongroom.create_vault(Settings(), self.state)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as opened:
        yield Office(tmp_path, opened)


@pytest.mark.parametrize("name", [JobName.DISPOSITION, JobName.ERASURE, JobName.VAULT_SAMPLE])
def test_without_a_vault_there_is_nothing_to_do_and_that_is_told(office: Office, name: JobName) -> None:
    run = office.run(office.begin(), name)

    assert (run.result, run.said) == (JobResult.DONE, "There is no vault yet, so nothing can be done.")


@pytest.mark.parametrize("name", [JobName.DISPOSITION, JobName.ERASURE, JobName.VAULT_SAMPLE])
def test_a_vault_that_is_made_later_is_found(office: Office, name: JobName) -> None:
    work = office.begin()
    office.make_vault()

    run = office.run(work, name)

    assert run.result is JobResult.DONE
    assert "no vault" not in run.said


def test_a_machine_that_acts_on_services_alone_needs_no_vault(office: Office) -> None:
    office.catalogue.ensure_share("office", "https://example.test/hr", "id", kind="memory")
    work = office.begin()

    disposed = office.run(work, JobName.DISPOSITION)
    erased = office.run(work, JobName.ERASURE)

    assert (disposed.result, disposed.said) == (
        JobResult.DONE,
        "0 quarantined, 0 destroyed, 0 left as they are.",
    )
    assert (erased.result, erased.said) == (JobResult.DONE, "0 items are erased.")
    assert office.run(work, JobName.VAULT_SAMPLE).said == "There is no vault yet, so nothing can be done."


def test_what_a_service_has_let_go_and_what_lies_there_unknown_is_told(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.catalogue.ensure_share("office", "https://example.test/hr", "id", kind="memory")
    work = office.begin()
    monkeypatch.setattr(Disposing, "recover", lambda *_: Recovered(foreign=2))
    gone = SimpleNamespace(custody=Custody.SOURCE)
    monkeypatch.setattr(Ending, "erase", lambda _: (Ceremony((), 0, ()), (gone,)))

    run = office.run(work, JobName.ERASURE)

    assert run.said == "1 item is erased."
    told = {entry["event"]: entry.get("items") for entry in office.told}
    assert (told["quarantine.foreign"], told["bins.left"]) == (2, 1)
    assert "keys.erased" not in told


def test_a_vault_of_which_a_part_is_missing_is_a_failure_and_nothing_else_ends(office: Office) -> None:
    office.make_vault()
    work = office.begin()
    (office.state / "vault/slots").unlink()

    assert office.run(work, JobName.DISPOSITION).result is JobResult.FAILED
    assert office.run(work, JobName.VAULT_SAMPLE).result is JobResult.FAILED


def test_a_role_whose_vault_does_not_open_does_not_begin(office: Office) -> None:
    office.make_vault()
    (office.state / "vault.key").write_bytes(bytes(31))

    with pytest.raises(ConfigurationError):
        office.begin()


def test_with_a_doubtful_clock_nothing_is_carried_out(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.make_vault()
    work = office.begin()
    office.catalogue.pauses.begin(bootstrap.now(), "ann", "so that the log has an entry")
    office.catalogue.pauses.end(bootstrap.now(), "ann", "it has one")
    ahead = bootstrap.now() + timedelta(days=400)
    monkeypatch.setattr(acting, "clock", lambda settings: Clock(ahead, timedelta(days=2), synchronised=False))

    for name in (JobName.DISPOSITION, JobName.ERASURE):
        run = office.run(work, name)
        assert run.result is JobResult.FAILED
        assert "clock" in run.said
        assert "clock.doubtful" in [entry["event"] for entry in office.told]


def test_a_backup_is_made_where_the_settings_say_and_old_ones_go(office: Office, tmp_path: Path) -> None:
    office.make_vault()
    place = tmp_path / "backups"
    work = office.begin(service={"backup": {"directory": str(place), "keep": 1}})

    assert office.run(work, JobName.BACKUP).result is JobResult.DONE
    time.sleep(1.1)  # a backup is called after the second
    assert office.run(work, JobName.BACKUP).result is JobResult.DONE

    assert len(list(place.glob("*.tar"))) == 1
    assert place.stat().st_mode & 0o777 == 0o700


def test_a_backup_that_cannot_be_written_is_a_failure(office: Office, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    work = office.begin(service={"backup": {"directory": str(tmp_path / "file/backups")}})

    run = office.run(work, JobName.BACKUP)

    assert run.result is JobResult.FAILED
    assert "cannot be made" in run.said


def test_the_role_says_that_it_lives_and_that_it_ends(office: Office) -> None:
    with disposing(Settings(), office.state, office.life, None) as work:
        work.turn()
        assert [service.role for service in office.catalogue.services.all()] == [Role.DISPOSE]
        assert office.life.doing[Role.DISPOSE] == "at rest"

    assert office.catalogue.services.all() == ()


def test_new_settings_change_when_jobs_are_due(office: Office) -> None:
    work = office.begin()
    work.reload(Settings.model_validate({"service": {"jobs": {"erasure": None, "disposition": "0 6 * * *"}}}))

    jobs = {job.name: job.cron for job in office.catalogue.jobs.all()}
    assert jobs == {JobName.DISPOSITION: "0 6 * * *", JobName.VAULT_SAMPLE: "0 4 * * *"}


def test_nobody_else_disposes_while_it_does(office: Office) -> None:
    office.make_vault()
    work = office.begin()
    with acting.sole_actor(office.state):
        run = office.run(work, JobName.DISPOSITION)

    assert run.result is JobResult.FAILED
    assert "another process is carrying out disposals" in run.said
