"""The role that reads, on an emulated tenant; only the reading of documents is made quick."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from agent import bootstrap
from agent.daemon.base import Life
from agent.daemon.beats import Beats
from agent.daemon.scanning import ScanWork, scanning
from agent.execution.inline import InlineExecutor
from agent.model.service import JobName, JobResult, JobRun, ShareState
from agent.settings import Settings
from agent.tenancy import crawl
from connectors.ahead import Ahead
from connectors.microsoft365.graph import Graph
from tests.acceptance.killable_scan import Counting
from tests.catalogue.empty import empty_at
from tests.emulator import Emulator, Fault

pytestmark = pytest.mark.loopback
SECRET = "reader-secret-8f2c1d"  # noqa: S105 — the emulator's
ROLES = {"Sites.Read.All", "Files.Read.All", "User.Read.All", "Mail.Read"}


class Office:
    """An emulated tenant, and the role that looks after it, turned by hand."""

    def __init__(self, folder: Path, graph: Emulator, opened: ExitStack) -> None:
        self.folder = folder
        self.graph = graph
        self.state = folder / "state"
        self.state.mkdir()
        self.life = Life(Beats())
        self.reader = graph.tenant.add_app(roles=ROLES, secret=SECRET)
        (folder / "reader").write_text(SECRET)
        (folder / "reader").chmod(0o600)
        self._opened = opened
        empty_at(self.state / "catalogue.sqlite")
        self.catalogue = bootstrap.open_catalogue(self.state)
        opened.callback(self.catalogue.close)

    def library(self, site: str, *paths: str) -> Any:
        """A library of a site of that name, with these files in it."""
        library = self.graph.tenant.add_site(site, path=f"/sites/{site.lower()}").add_library("Documents")
        for path in paths:
            library.put(path, b"some words about " + path.encode())
        return library

    def begin(self, **more: object) -> ScanWork:
        tenant = {
            "name": "contoso",
            "tenant_id": self.graph.tenant.id,
            "reader": {"client_id": self.reader.client_id, "secret_file": str(self.folder / "reader")},
            "ca_file": self.graph.ca_file,
            "login_url": self.graph.login_url,
            "graph_url": self.graph.graph_url,
            "sites": "all",
            "share_of_limit": 1.0,
            "licences": 100_000,
            **more,
        }
        settings = Settings.model_validate({"tenants": [tenant]})
        return self._opened.enter_context(scanning(settings, self.state, self.life))

    def ask(self, work: ScanWork) -> JobRun:
        """Has somebody ask for a scan, and gives how it went."""
        self.catalogue.jobs.ask(JobName.RECONCILE, "contoso", bootstrap.now(), "ann")
        work.turn()
        return self.run

    @property
    def run(self) -> JobRun:
        return self.catalogue.jobs.runs(1, JobName.RECONCILE)[0]

    def known(self) -> set[str]:
        return {str(ref) for ref, _ in self.catalogue.records()}

    def passes(self) -> dict[str, tuple[int, bool]]:
        """How many passes each place has seen, and whether the last is at its end."""
        found = {share.name: self.catalogue.last_pass(share) for share in self.catalogue.shares()}
        return {name: (last.number, last.complete) for name, last in found.items() if last is not None}

    def condition(self) -> tuple[ShareState, str]:
        (one,) = self.catalogue.services.conditions()
        assert one.share == "contoso"
        return one.state, one.why

    def asked_for(self) -> list[str]:
        """The drives whose changes were asked for, in that order."""
        names = {share.identity: share.name for share in self.catalogue.shares()}
        paths = [call.path for call in self.graph.log if "/delta" in call.path]
        return list(dict.fromkeys(name for path in paths for drive, name in names.items() if drive in path))


@pytest.fixture
def graph() -> Iterator[Emulator]:
    with Emulator() as graph:
        yield graph


@pytest.fixture
def office(tmp_path: Path, graph: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setattr(bootstrap, "worker_pool", lambda *_: InlineExecutor(Counting()))
    with ExitStack() as opened:
        yield Office(tmp_path, graph, opened)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is logged."""
    entries: list[dict[str, Any]] = []

    def keep(_logger: object, _method: str, event: Any) -> Any:
        entries.append(dict(event))
        raise structlog.DropEvent

    structlog.configure(processors=[keep])
    return entries


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[Graph]:
    """Every Graph that was closed."""
    found: list[Graph] = []
    close = Graph.close
    monkeypatch.setattr(Graph, "close", lambda self: (found.append(self), close(self))[1])
    return found


def test_a_tenant_never_scanned_is_gone_through_at_once(office: Office) -> None:
    office.library("HR", "a.txt", "Old/b.txt")
    office.library("Sales", "c.txt")
    office.begin().turn()

    assert (office.run.result, office.run.said) == (
        JobResult.DONE,
        "3 items known, 3 read, 0 skipped, 0 failed, 0 gone.",
    )
    assert office.passes() == {"HR/Documents": (1, True), "Sales/Documents": (1, True)}
    assert office.condition() == (ShareState.RECONCILE_ONLY, "it is asked at each scan what has changed")


def test_the_next_scan_reads_what_changed_and_says_so(office: Office) -> None:
    library = office.library("HR", "a.txt", "b.txt", "c.txt")
    work = office.begin()
    work.turn()
    library.put("a.txt", b"something else")
    library.remove(library.id_of("b.txt"))

    assert office.ask(work).said == "2 items known, 1 read, 0 skipped, 0 failed, 1 gone."


def test_a_site_that_cannot_be_reached_keeps_no_other_from_its_turn(office: Office, told: list[dict[str, Any]]) -> None:
    office.library("Alpha", "a.txt").site.become("locked")
    office.library("Beta", "b.txt")
    gone = office.library("Gamma", "c.txt")
    office.graph.faults.add(Fault(path=f"/drives/{gone.id}/root/delta", status=403, code="accessDenied", times=None))
    office.begin().turn()

    assert office.known() == {"b.txt"}
    assert office.run.result is JobResult.PARTIAL
    assert office.run.said.endswith(" 2 sites, drives or mailboxes could not be reached.")
    away = {entry["share"]: entry["why"] for entry in told if entry["event"] == "place.unreachable"}
    assert set(away) == {"Alpha", "Gamma/Documents"}
    assert all("we are not allowed" in why or "locked" in why for why in away.values())


def test_where_nothing_answers_the_job_has_failed(office: Office) -> None:
    office.library("Alpha", "a.txt")
    office.graph.faults.add(Fault(path="/root/delta", status=403, code="accessDenied", times=None))
    office.begin().turn()

    assert (office.run.result, office.run.said) == (
        JobResult.FAILED,
        "None of 1 sites, drives or mailboxes could be reached.",
    )


def test_drives_that_cannot_be_listed_keep_no_mailbox_from_its_turn(office: Office) -> None:
    office.graph.tenant.add_user("ann@contoso.example").mailbox.deliver("Inbox", b"Subject: a\r\n\r\nb")
    office.graph.faults.add(Fault(path="/sites/getAllSites", status=403, code="accessDenied", times=None))
    office.begin(mailboxes=["ann@contoso.example"]).turn()

    assert office.run.result is JobResult.PARTIAL
    assert office.run.said.startswith("1 items known, 1 read")
    assert office.run.said.endswith("1 sites, drives or mailboxes could not be reached.")


def test_where_nobody_can_sign_in_the_tenant_is_told_as_unavailable_until_somebody_can(office: Office) -> None:
    office.library("HR", "a.txt")
    (office.folder / "reader").write_text("wrong")
    work = office.begin()
    work.turn()

    assert office.run.result is JobResult.FAILED
    assert office.run.said.startswith("contoso: the tenant does not accept our credentials (")
    assert office.run.said.endswith("To see what is wrong:  retentiond m365 check --tenant contoso")
    state, why = office.condition()
    assert (state, "AADSTS" in why) == (ShareState.UNAVAILABLE, True)
    (reconcile,) = (job for job in office.catalogue.jobs.all() if job.name is JobName.RECONCILE)
    assert timedelta() < reconcile.due_at - bootstrap.now() <= timedelta(minutes=5)

    (office.folder / "reader").write_text(SECRET)
    assert office.ask(work).result is JobResult.DONE
    assert office.condition()[0] is ShareState.RECONCILE_ONLY


def test_what_was_scanned_the_longest_ago_comes_first(office: Office) -> None:
    for name in ("Alpha", "Beta", "Gamma"):
        office.library(name, "a.txt")
    work = office.begin()
    beta = next(drive for drive in office.graph.tenant.sites() if drive.name == "Beta")
    office.graph.faults.add(Fault(path="/root/delta", skip=1, status=403, code="accessDenied"))  # the second is Beta
    work.turn()
    assert office.passes()["Beta/Documents"] == (1, False), beta
    office.graph.log.clear()
    office.ask(work)

    assert office.asked_for() == ["Beta/Documents", "Alpha/Documents", "Gamma/Documents"]
    office.graph.log.clear()
    office.ask(work)
    assert office.asked_for() == ["Beta/Documents", "Alpha/Documents", "Gamma/Documents"], "as the scan before went"


def test_a_scan_that_is_stopped_goes_on_with_what_it_had_not_come_to(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Alpha", "Beta", "Gamma"):
        office.library(name, "a.txt")
    work = office.begin()
    asked = iter((False, True))
    monkeypatch.setattr(work, "_stops", lambda job: next(asked, True))
    work.turn()

    assert (office.run.result, office.run.said) == (JobResult.STOPPED, "2 items so far; goes on from there.")
    assert office.passes() == {"Alpha/Documents": (1, True), "Beta/Documents": (1, False)}

    monkeypatch.setattr(work, "_stops", lambda job: False)
    office.graph.log.clear()
    work.turn()  # nobody has to ask
    assert office.run.result is JobResult.DONE
    assert office.passes() == {
        "Alpha/Documents": (2, True),
        "Beta/Documents": (1, True),
        "Gamma/Documents": (1, True),
    }
    assert office.asked_for() == ["Beta/Documents", "Gamma/Documents", "Alpha/Documents"]
    assert not [call for call in office.graph.log if call.host == "downloads" and call.status == 200][1:]


def test_a_scan_yields_when_its_hours_are_over_and_goes_on_when_they_come_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Alpha", "Beta"):
        office.library(name, "a.txt")
    work = office.begin()
    open_now = [True]
    monkeypatch.setattr(work._timetable.__class__, "may_run", lambda *_: open_now[0])
    monkeypatch.setattr("agent.daemon.scanning._BETWEEN_SECONDS", 0.0)
    office.graph.on_request("GET", "/root/delta", lambda _: open_now.__setitem__(0, False))
    work.turn()
    assert office.run.result is JobResult.STOPPED
    assert set(office.passes()) == {"Alpha/Documents"}

    work.turn()
    assert len(office.catalogue.jobs.runs(9, JobName.RECONCILE)) == 1, "it began outside its hours"
    open_now[0] = True
    work.turn()
    assert office.run.result is JobResult.DONE
    assert office.known() == {"a.txt"}
    assert all(complete for _, complete in office.passes().values())


@pytest.fixture
def stopped_while_waiting(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits because a fault has struck is told to stop a moment later."""
    wait = office.life.stopping.wait

    def waiting(seconds: float | None = None) -> bool:
        if any(call.status == 429 for call in office.graph.log):
            threading.Timer(0.1, office.life.stop).start()
        return wait(seconds)

    monkeypatch.setattr(office.life.stopping, "wait", waiting)


@pytest.mark.usefixtures("stopped_while_waiting")
def test_one_who_is_to_stop_does_not_wait_for_the_tenant(office: Office) -> None:
    office.library("Alpha", "a.txt")
    office.graph.faults.add(Fault(path="/root/delta", status=429, retry_after="600"))
    work = office.begin()
    began = time.monotonic()
    work.turn()

    assert time.monotonic() - began < 60
    assert (office.run.result, office.run.said) == (
        JobResult.STOPPED,
        "Stopped while the tenant had us wait; goes on from there.",
    )
    assert office.condition()[0] is ShareState.RECONCILE_ONLY


@pytest.mark.usefixtures("stopped_while_waiting")
def test_one_who_is_to_stop_while_nothing_is_listed_yet_has_not_failed(office: Office) -> None:
    office.library("Alpha", "a.txt")
    office.graph.faults.add(Fault(path="/sites/getAllSites", status=429, retry_after="600"))
    work = office.begin(mailboxes=[])
    work.turn()

    assert office.run.result is JobResult.STOPPED
    assert office.catalogue.services.conditions() == ()


def test_waits_are_told_while_they_last_and_add_up_over_scans(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.library("Alpha", "a.txt")
    work = office.begin()
    seen: list[tuple[int, float]] = []
    wait = office.life.stopping.wait

    def waiting(seconds: float | None = None) -> bool:
        seen.append(office.life.throttled.get("contoso", (0, 0.0)))
        return wait(seconds)

    monkeypatch.setattr(office.life.stopping, "wait", waiting)
    office.graph.faults.add(Fault(path="/root/delta", status=429, retry_after="1"))
    work.turn()
    assert (1, 0.0) in [(times, 0.0) for times, _ in seen], "nothing was told before the end"
    times, seconds = office.life.throttled["contoso"]
    assert (times, seconds >= 1) == (1, True)

    office.graph.faults.add(Fault(path="/sites/getAllSites", status=429, retry_after="1"))
    office.graph.faults.add(Fault(path="/sites/getAllSites", status=403, code="accessDenied"))
    assert office.ask(work).result is JobResult.FAILED
    again, longer = office.life.throttled["contoso"]
    assert (again, longer >= seconds + 1) == (2, True)


def test_one_who_waits_behind_a_download_at_the_gate_is_known_to_live(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a download waits at the gate, the thread that scans may stand behind it and say nothing by itself."""
    for number in range(3):
        office.library(f"Site{number}", "a.txt")
    beats: list[str] = []
    work = office.begin()
    monkeypatch.setattr(work._tenants, "_on_wait", lambda: beats.append(threading.current_thread().name))
    office.graph.faults.add(Fault(host="downloads", status=429, retry_after="1"))
    work.turn()

    assert office.run.result is JobResult.DONE
    assert any(name.startswith("opening") for name in beats)


@pytest.mark.parametrize("fault", ["none", "listing", "changes", "defect"])
def test_connections_are_closed_whatever_happens(
    office: Office, closed: list[Graph], monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    office.library("Alpha", "a.txt")
    made: list[crawl.Reach] = []
    reach = crawl.Reach

    def making(*arguments: Any, **named: Any) -> crawl.Reach:
        made.append(reach(*arguments, **named))
        return made[-1]

    monkeypatch.setattr(crawl, "Reach", making)
    ended: list[Ahead] = []
    close = Ahead.close
    monkeypatch.setattr(Ahead, "close", lambda self: (ended.append(self), close(self))[1])
    if fault == "listing":
        office.graph.faults.add(Fault(path="/sites/getAllSites", status=403, code="accessDenied"))
    if fault == "changes":
        office.graph.faults.add(Fault(path="/root/delta", status=403, code="accessDenied"))
    work = office.begin()
    if fault == "defect":
        monkeypatch.setattr("agent.usecases.scan.Scan.run", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            work.turn()
    else:
        work.turn()

    (one,) = made
    assert set(closed) == set(one._graphs.values())
    assert closed
    assert one.tokens._token == ""
    assert len(ended) == 1, "what downloads ahead was left running"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("opening")]
