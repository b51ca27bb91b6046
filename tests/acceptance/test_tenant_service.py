"""The service over a tenant of Microsoft 365, as real processes: by its log, its metrics, and what it does there."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.tenant_office import READER_SECRET, REASON, TOKEN_STARTS, WORDS, WRITER_SECRET, TenantOffice
from tests.acceptance.test_service_story import metrics_of
from tests.daemon.served import Served, wait_until
from tests.emulator import Emulator, Fault

pytestmark = [pytest.mark.slow, pytest.mark.loopback]
SECONDS = 240  # for what takes two: the machines that test are busy
ANN = "ann.example@contoso.example"


class ServedOffice(TenantOffice):
    """The office, with the service over it."""

    def __init__(
        self, folder: Path, graph: Emulator, monkeypatch: pytest.MonkeyPatch, opened: ExitStack, mailboxes: str = "none"
    ) -> None:
        super().__init__(folder, graph, monkeypatch, mailboxes)
        self._opened = opened
        self.edit("service:\n", f"jobs: 1\nservice:\n  metrics: {folder}\n  nice: 0\n  idle_io: false\n")

    def edit(self, old: str, new: str) -> None:
        """Changes the settings."""
        settings = self.settings.read_text()
        assert old in settings
        self.settings.write_text(settings.replace(old, new))

    def serve(self, *arguments: str) -> Served:
        return self._opened.enter_context(Served(self.state, self.settings, *arguments))

    def ask(self, served: Served, job: str, *options: object, **result: object) -> dict[str, Any]:
        """Has a job begin, and waits for its end."""
        since = len(served.told)
        self.run("jobs", "run", job, *options)
        return served.wait_for("job.ended", SECONDS, since, job=job, **result)

    def scan(self, served: Served, **result: object) -> dict[str, Any]:
        return self.ask(served, "reconcile", "--share", "contoso", **result)

    def job(self, name: str = "reconcile") -> dict[str, Any]:
        return next(one for one in self.json("jobs", "list")["jobs"] if one["job"] == name)

    def known(self) -> dict[str, int]:
        """How many items were seen, by drive and mailbox."""
        return {one["share"]: one["last_scan"]["seen"] for one in self.json("status")["shares"] if one["last_scan"]}

    def metrics(self, role: str = "scan") -> dict[tuple[str, ...], float]:
        """Every figure, by its name and its labels' values."""
        text = metrics_of(self.folder / f"{role}.sock").partition("\r\n\r\n")[2]
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def said(self, *processes: Served) -> str:
        """Everything that is told to people who may not read files: logs, metrics, jobs, health."""
        runs = self.run("jobs", "log", "--json", "--last", 100)
        logs = (json.dumps([one.told, one.other_lines, one.notified]) for one in processes)
        sockets = (metrics_of(socket) for socket in self.folder.glob("*.sock"))
        return "\n".join([runs, *logs, *sockets, json.dumps(self.json("status")["health"])])


@pytest.fixture
def graph() -> Iterator[Emulator]:
    with Emulator() as graph:
        yield graph


@pytest.fixture
def office(tmp_path: Path, graph: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedOffice]:
    with ExitStack() as opened:
        yield ServedOffice(tmp_path, graph, monkeypatch, opened)


def leaks(said: str, *names: str) -> list[str]:
    """What stands there and must not."""
    return [one for one in (READER_SECRET, WRITER_SECRET, *WORDS, *TOKEN_STARTS, "tempauth", *names) if one in said]


@pytest.mark.timeout(600)
def test_the_service_scans_disposes_gives_back_and_erases_in_a_tenant(office: ServedOffice) -> None:
    library = office.library
    ids = {name: office.file(f"Leavers/{name}.txt") for name in ("Plain letter", "Back letter")}
    office.file("Young/Other letter.txt")
    office.edit("quarantine_days: 0", "quarantine_days: 30")

    # A tenant that was never scanned is gone through at once, and what changes is found by the next run.
    served = office.serve()
    served.wait_for("job.ended", SECONDS, job="reconcile", share="contoso", result="done")
    assert office.known() == {"HR/Documents": 3}
    downloads = len([call for call in office.graph.log if call.host == "downloads"])
    library.put("Young/Other letter.txt", b"something else")
    assert office.scan(served)["result"] == "done"
    assert office.job()["last_run"]["said"] == "3 items known, 1 read, 0 skipped, 0 failed, 0 gone."
    assert len([call for call in office.graph.log if call.host == "downloads"]) == downloads + 1

    # Two people approve; the service quarantines in the library, and gives one back that somebody restores.
    office.approve(*office.due().values())
    ended = office.ask(served, "disposition")
    assert ended["result"] == "done", served
    assert served.wait_for("items.quarantined")["items"] == 2
    for item_id in ids.values():
        assert (library.path_of(item_id) or "").startswith(".retentiond quarantine/")
    office.run("restore", office.disposals()["Leavers/Back letter.txt"]["disposal"], *REASON, "--yes")
    assert library.path_of(ids["Back letter"]) == "Leavers/Back letter.txt"

    # New settings, without a restart: now nothing has to lie in quarantine, and the rest is destroyed and erased.
    office.edit("quarantine_days: 30", "quarantine_days: 0")
    served.send(signal.SIGHUP)
    served.wait_for("settings.taken_up", SECONDS)
    assert office.ask(served, "disposition")["result"] == "done"
    assert library.path_of(ids["Plain letter"]) is None
    assert office.ask(served, "erasure")["result"] == "done"
    assert served.wait_for("bins.left")["items"] == 1
    assert office.scan(served)["result"] == "done"
    assert office.known() == {"HR/Documents": 2}
    office.run("fsck")
    office.run("audit", "verify")

    # A tenant that the settings no longer name is left alone; what is known of it stays.
    settings = office.settings.read_text()
    head, _, rest = settings.partition("tenants:\n")
    share = office.folder / "share"
    share.mkdir()
    shares = f"shares: [{{name: files, path: {share}}}]\n"
    office.settings.write_text(head + shares + rest[rest.index("reviewers:") :])
    since, asked = len(served.told), len(office.graph.log)
    served.send(signal.SIGHUP)
    served.wait_for("job.ended", SECONDS, since, job="reconcile", share="files")
    assert {one["share"] for one in office.json("jobs", "list")["jobs"] if one["share"]} == {"files"}
    assert {one["share"] for one in office.json("status")["conditions"]} == {"files"}
    assert len(office.graph.log) == asked
    assert office.known()["HR/Documents"] == 2

    assert leaks(office.said(served), "letter") == []
    assert served.stop() == 0
    assert served.other_lines == []
    assert not [entry for entry in served.told if entry["event"] in ("service.defect", "error.unforeseen")]
    assert (office.graph.leaks, office.graph.early_calls) == ([], [])


@pytest.mark.long
@pytest.mark.timeout(600)
def test_two_processes_wait_at_one_gate_end_at_the_word_and_go_on_where_they_were(office: ServedOffice) -> None:
    graph = office.graph
    for number in range(5):
        office.file(f"Leavers/Letter {number:02}.txt")
    office.site.add_library("Archive").put("Young.txt", b"new")
    office.edit("quarantine_days: 0", "quarantine_days: 30")
    scan = office.serve("--role=scan")
    scan.wait_for("job.ended", SECONDS, job="reconcile", result="done")
    office.approve(*list(office.due().values())[:2])
    dispose = office.serve("--role=dispose")
    wait_until(lambda: "READY=1" in dispose.notified, SECONDS)

    # The tenant asks the one that scans to wait for ten minutes: the one that acts waits as well, and asks nothing.
    office.library.put("Leavers/Letter 03.txt", b"one more thing")
    graph.faults.add(Fault(path="/delta", skip=1, status=429, retry_after="600"))
    office.run("jobs", "run", "reconcile", "--share", "contoso")
    wait_until(lambda: any(call.status == 429 for call in graph.log), SECONDS)
    asked = len(graph.log)
    office.run("jobs", "run", "disposition")
    dispose.wait_for("job.began", SECONDS, job="disposition")
    for role in ("scan", "dispose"):
        metrics = office.metrics(role)
        assert 500 < metrics["retentiond_tenant_gate_closed_seconds", "contoso", "sharepoint"] < 700
        assert metrics["retentiond_tenant_units_used_today", "contoso", "sharepoint"] > 30
    wait_until(lambda: office.metrics()["retentiond_throttle_waits_total", "contoso"] == 1, 30)
    graph_calls = [call for call in graph.log[asked:] if call.host == "graph"]
    assert graph_calls == []

    # Both end at the word, and neither has done half of anything.
    began = time.monotonic()
    for process in (scan, dispose):
        process.send(signal.SIGTERM)
    for process in (scan, dispose):
        assert process.stop(seconds=10) == 0, process
    assert time.monotonic() - began < 10
    assert (office.job()["last_run"]["result"], office.job("disposition")["last_run"]["result"]) == (
        "stopped",
        "stopped",
    )
    assert [call for call in graph.log[asked:] if call.host == "graph"] == []
    office.run("fsck")

    # When the tenant answers again, both go on by themselves.
    graph.faults.clear()
    for gate in office.state.glob("*.gate"):
        gate.unlink()  # ten minutes have passed
    graph.clock.advance(700)
    scan, dispose = office.serve("--role=scan"), office.serve("--role=dispose")
    scan.wait_for("job.ended", SECONDS, job="reconcile", result="done")
    dispose.wait_for("job.ended", SECONDS, job="disposition", result="done")
    assert dispose.wait_for("items.quarantined")["items"] == 2
    assert office.scan(scan)["result"] == "done"
    assert office.known() == {"HR/Archive": 1, "HR/Documents": 3}
    assert all(one["last_scan"]["reconciles"] for one in office.json("status")["shares"])
    assert leaks(office.said(scan, dispose), "Letter", "Young") == []
    assert (scan.stop(), dispose.stop()) == (0, 0)
    assert graph.early_calls == []


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_tenant_where_nobody_can_sign_in_is_told_and_tried_again(office: ServedOffice) -> None:
    office.file("Leavers/Plain letter.txt")
    office.graph.faults.add(Fault(host="login", status=503, times=None))
    served = office.serve("--role=scan")
    served.wait_for("job.ended", SECONDS, job="reconcile", share="contoso", result="failed")
    told = served.wait_for("share.condition", 10, share="contoso", state="unavailable")
    assert "sign-in service" in told["why"]
    job = office.job()
    assert job["last_run"]["said"].startswith(
        "contoso: the tenant does not accept our credentials (the sign-in service"
    )
    assert job["last_run"]["said"].endswith("To see what is wrong:  retentiond m365 check --tenant contoso")
    again = datetime.fromisoformat(job["due_at"]) - datetime.fromisoformat(job["last_run"]["ended_at"])
    assert again == timedelta(minutes=5)
    problems = {one["code"]: one for one in office.json("status")["health"]["problems"]}
    assert problems["share_unavailable"]["sentence"].startswith("The tenant contoso has not been reachable for ")
    assert office.metrics()["retentiond_share_state", "contoso", "unavailable"] == 1

    office.graph.faults.clear()
    assert office.scan(served)["result"] == "done"
    assert office.known() == {"HR/Documents": 1}
    assert office.json("status")["health"]["problems"] == []
    assert office.metrics()["retentiond_share_state", "contoso", "unavailable"] == 0

    # A secret that was changed is taken up as soon as it lies there.
    office.reader.rotate_secret("another-secret-77aa")
    assert office.scan(served)["result"] == "failed"
    assert "AADSTS" in office.job()["last_run"]["said"]
    (office.folder / "reader").write_text("another-secret-77aa")
    assert office.scan(served)["result"] == "done"
    assert leaks(office.said(served), "Plain letter", "another-secret-77aa") == []
    assert served.stop() == 0


@pytest.mark.long
@pytest.mark.timeout(600)
def test_nobody_is_named_whose_drive_or_mailbox_is_scanned(
    tmp_path: Path, graph: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as opened:
        office = ServedOffice(tmp_path, graph, monkeypatch, opened, mailboxes="all")
        office.edit("onedrives: none", "onedrives: all")
        person = graph.tenant.add_user(ANN)
        person.drive.put("Private/Diary.txt", f"about {WORDS[0]}".encode())
        person.mailbox.deliver("Inbox", f"Subject: Grievance\r\n\r\nabout {WORDS[0]}".encode())
        graph.faults.add(Fault(path="/users/.*/messages/delta", status=403, code="ErrorAccessDenied", times=1))
        served = office.serve("--role=scan")
        served.wait_for("job.ended", SECONDS, job="reconcile")
        office.scan(served, result="done")
        assert set(office.known()) == {"HR/Documents", ANN, f"OneDrive/{ANN}"}

        told = office.said(served)
        assert leaks(told, "ann.example", "ann_example", "Diary", "Grievance", "Private") == []
        scanned = {entry["share"] for entry in served.told if entry["event"] == "scan.ended"}
        assert scanned == {"HR/Documents", "a mailbox", "a OneDrive"}
        assert office.metrics()["retentiond_items_seen", "contoso"] == 2
        assert served.stop() == 0

        office.edit("service:\n", "service:\n  log_item_names: true\n")
        named = office.serve("--role=scan")
        wait_until(lambda: "READY=1" in named.notified, SECONDS)
        office.scan(named, result="done")
        assert ANN in json.dumps(named.told)
        assert named.stop() == 0
