"""The service at an investigations office (policy S1), as an administrator sees it: by its log, on real files."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from tests.acceptance.test_disposal_story import SETTINGS, Desk
from tests.daemon import served as serving
from tests.daemon.served import Served, wait_until
from tests.observing.conftest import _no_network, free_port  # noqa: F401 — servers of this machine are reached
from tests.policies.scenario import content_of

pytestmark = pytest.mark.slow
SERVICE = """\
jobs: 1
service:
  jitter_minutes: 0
  settle_seconds: 0.3
  metrics: {folder}
  backup: {{directory: {folder}/backups}}
  mail: {{host: 127.0.0.1, port: {port}, security: none, sender: r@example.org, administrators: [it@example.org]}}
"""


class Letters:
    """Takes what it is sent."""

    def __init__(self) -> None:
        self.to: list[str] = []

    async def handle_DATA(self, server: object, session: object, envelope: Envelope) -> str:
        self.to += envelope.rcpt_tos
        return "250 OK"


def metrics_of(path: Path) -> str:
    """What `GET /metrics` answers on that socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        return b"".join(iter(lambda: client.recv(65536), b"")).decode()


class QuicklyServed(Served):
    """The same of `tests.acceptance.quick_agent`: where no document is classified, no detector needs to be loaded."""

    def __init__(self, state: Path, config: Path | None) -> None:
        start = subprocess.Popen

        def quick(command: list[str], **options: Any) -> subprocess.Popen[str]:
            module = command.index("agent")
            return start([*command[:module], "tests.acceptance.quick_agent", *command[module + 1 :]], **options)

        with pytest.MonkeyPatch.context() as for_now:
            for_now.setattr(serving.subprocess, "Popen", quick)
            super().__init__(state, config)


class Office(Desk):
    """The office, with the service over it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, opened: ExitStack, port: int) -> None:
        super().__init__(folder, monkeypatch)
        self._opened = opened
        self.port = port
        self.settings = folder / "settings.yaml"
        self.settings.write_text(SETTINGS.format(share=self.share) + SERVICE.format(folder=folder, port=port))

    def serve(self, how: type[Served] = Served) -> Served:
        return self._opened.enter_context(how(self.folder / "state", self.settings))

    def asked(self, served: Served, job: str, *options: object) -> dict[str, object]:
        since = len(served.told)
        self.run("jobs", "run", job, *options)
        return served.wait_for("job.ended", 110, since, job=job)


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    with ExitStack() as opened:
        yield Office(tmp_path, monkeypatch, opened, free_port())


@pytest.mark.timeout(400)
def test_the_service_watches_classifies_and_carries_out_what_two_people_approve(office: Office) -> None:
    office.fill()
    served = office.serve()
    served.wait_for("job.ended", 110, job="reconcile", result="done")
    wait_until(lambda: "READY=1" in served.notified, 10)
    assert "WATCHDOG=1" in served.notified
    office.tell_what_happened()
    office.run("vault", "init")

    # A new file is classified within seconds.
    new = office.share / "Complaints/TP-31/Material/A second letter.docx"
    since = len(served.told)
    began = time.monotonic()
    new.write_bytes(content_of("A second letter.docx", "Dear Mrs Akintola, thank you for your letter of May."))
    served.wait_for("look.ended", 60, since)
    wait_until(lambda: office.json("explain", new)["classes"], 30)
    assert time.monotonic() - began < 60

    # What is due is approved by two people; the service quarantines it, and destroys it, since no stay is asked for.
    report = "Cases/2019-014/Report/Final report.docx"
    item = office.due()[report]
    office.approve(item)
    ended = office.asked(served, "disposition")
    assert ended["result"] == "done", served
    assert served.wait_for("items.quarantined")["items"] == 1
    assert not (office.share / report).exists()
    assert served.wait_for("items.destroyed")["items"] == 1

    # The ceremony erases its key, a sample of the vault is sound, and nothing is lost.
    assert office.asked(served, "erasure")["result"] == "done"
    assert office.asked(served, "vault-sample")["result"] == "done"
    assert office.asked(served, "checkpoint")["result"] == "done"
    assert office.asked(served, "backup")["result"] == "done"
    (backup,) = (office.folder / "backups").glob("*.tar")
    office.run("backup", "verify", backup)
    office.run("fsck")
    office.run("audit", "verify")

    # Administrators are written to, and monitoring sees what there is.
    letters = Letters()
    controller = Controller(letters, hostname="127.0.0.1", port=office.port)
    controller.start()
    try:
        assert office.asked(served, "reminders")["result"] == "done", served
    finally:
        controller.stop()
    assert letters.to == ["it@example.org"]
    told = metrics_of(office.folder / "scan.sock")
    assert 'retentiond_items_seen{share="office"}' in told, told
    check = office.run("status", "--check", code=0)
    assert check.startswith("RETENTIOND OK"), check

    # No name of a file stands in the log, and the process ends at the word.
    assert "Final report" not in json.dumps(served.told)
    assert served.other_lines == []
    assert served.stop() == 0
    assert served.told[-1]["event"] == "service.ended"


@pytest.mark.timeout(400)
def test_the_service_survives_what_servers_go_through(office: Office) -> None:
    (office.share / "a").mkdir(parents=True)
    (office.share / "a/one.txt").write_text("one")
    served = office.serve(QuicklyServed)
    served.wait_for("job.ended", 110, job="reconcile")

    # A broken file of settings is refused, loudly, and the old ones stay.
    good = office.settings.read_text()
    office.settings.write_text(good + "shares: no list\n")
    served.send(signal.SIGHUP)
    served.wait_for("settings.refused", 20)
    wait_until(lambda: any("refused" in line for line in served.notified), 10)
    (office.share / "a/two.txt").write_text("two")
    served.wait_for("look.ended", 90)
    office.settings.write_text(good.replace("settle_seconds: 0.3", "settle_seconds: 0.2"))
    served.send(signal.SIGHUP)
    served.wait_for("settings.taken_up", 20)

    # A second process in the same role is refused.
    second = office.serve(QuicklyServed)
    assert second.process.wait(60) == 2
    assert "another process serves" in "".join(second.other_lines)

    # The share goes and comes back; nothing is taken for deleted.
    away = office.share.rename(office.folder / "away")
    served.wait_for("share.condition", 60, state="unavailable")
    away.rename(office.share)
    served.wait_for("share.condition", 60, since=len(served.told), state="watched")

    # Killed in the middle of whatever it does, it goes on where it was.
    (office.share / "a/three.txt").write_text("three")
    served.send(signal.SIGKILL)
    served.process.wait()
    again = office.serve(QuicklyServed)
    again.wait_for("job.ended", 110, job="reconcile", result="done")
    assert {one["share"] for one in office.json("status")["shares"]} == {"office"}
    assert office.json("status")["shares"][0]["last_scan"]["seen"] == 3
    assert again.stop() == 0


@pytest.mark.root
@pytest.mark.timeout(300)
def test_a_full_disk_and_one_that_cannot_be_written_to_are_told_and_outlived(office: Office) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root mounts")
    state = office.folder / "state"
    state.mkdir()
    (office.share / "a").mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "none", state], check=False).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        served = office.serve(QuicklyServed)
        served.wait_for("job.ended", 110, job="reconcile")
        with open(state / "filling", "wb") as filling:
            try:
                while True:
                    filling.write(bytes(65536))
                    filling.flush()
            except OSError:
                pass
        (office.share / "a/one.txt").write_text("one")
        served.wait_for("service.trouble", 60)
        (state / "filling").unlink()
        since = len(served.told)
        served.wait_for("look.ended", 110, since)
        assert served.stop() == 0

        subprocess.run(["mount", "-o", "remount,ro", state], check=True)
        refused = office.serve(QuicklyServed)
        assert refused.process.wait(60) == 2
        assert "cannot be opened for writing (Read-only file system)" in "".join(refused.other_lines)
    finally:
        subprocess.run(["umount", "-l", state], check=True)
