"""Disposition on mailboxes, and on the OneDrive of one of their owners in the same runs, by the commands that people
use: scan, two people's review, quarantine in the mailbox, restore one, delete the rest, erase, certificate, verify.

Between approval and act their owners go on with their mail, and one mailbox comes under litigation hold."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent import bootstrap
from tests.acceptance.tenant_office import (
    LONG_AGO,
    READER_SECRET,
    REASON,
    TOKEN_STARTS,
    WORDS,
    WRITER_SECRET,
    TenantOffice,
)
from tests.emulator import Emulator
from tests.emulator.http import Problem

LEFT = 3  # the exit code if something was left as it is
DORA, CAROL = "dora@contoso.example", "carol@contoso.example"
FOLDER = "Inbox/Leavers"
QUARANTINE = ".retentiond quarantine"
SUBJECT, SENDER, RECIPIENT = "Quillfeather settlement", "zachary.thistlewood@far.example", "dora.private@far.example"
ON_HOLD = Problem(403, "ErrorAccessDenied", "The item is on hold and cannot be moved or deleted.")
SCHEDULE = """\
id: contoso-mail
title: Mail and files of Contoso
version: "1"
organisation: Contoso Ltd
time_zone: Europe/London
classes:
  - id: leaver-mail
    title: Mail about leavers
    mandate: Limitation Act 1980, s. 5
    scope_notes: What was written about people who have left.
    applies_when: {path: "Inbox/Leavers/**"}
    trigger: created
    period: P6Y
    outcome: destroy
    stages: [manager, data protection officer]
  - id: leaver-files
    title: Papers of leavers
    mandate: Limitation Act 1980, s. 5
    scope_notes: What is kept of people who have left.
    applies_when: {path: "Leavers/**"}
    trigger: modified
    period: P6Y
    outcome: destroy
    stages: [manager, data protection officer]
"""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.loopback,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("reads_here"),
]


def mail(name: str) -> bytes:
    """A message about somebody; no two are alike."""
    return (
        f"From: Zachary <{SENDER}>\r\nTo: <{RECIPIENT}>\r\nSubject: {SUBJECT} {name}\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\n"
        f"{name}: staff record of {WORDS[0]}, National Insurance number {WORDS[1]}.\r\n"
    ).encode()


class MailOffice(TenantOffice):
    """Two people's mailboxes, and the OneDrive of one of them."""

    def __init__(self, folder: Path, graph: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder, graph, monkeypatch, mailboxes=f"[{DORA}, {CAROL}]")
        self._monkeypatch = monkeypatch
        self.dora = graph.tenant.add_user(DORA)
        self.carol = graph.tenant.add_user(CAROL, drive=False)
        (folder / "schedule.yaml").write_text(SCHEDULE)
        text = self.settings.read_text()
        for was, will_be in (("onedrives: none", f"onedrives: [{DORA}]"), ("sites: all", "sites: none")):
            assert was in text
            text = text.replace(was, will_be)
        self.settings.write_text(text)

    def items(self) -> dict[str, int]:
        """The number of each item on record, by its id at the source."""
        with closing(sqlite3.connect(self.state / "catalogue.sqlite")) as database:
            return {id.decode(): number for number, id in database.execute("SELECT id, file_id FROM item")}

    def states(self) -> dict[int, str]:
        """How the last disposal of each item stands."""
        return {one["item"]: one["state"] for one in self.json("dispose", "list", "--all")["disposals"]}

    def disposal_of(self, item: int) -> int:
        return next(one["disposal"] for one in self.json("dispose", "list")["disposals"] if one["item"] == item)

    def later(self, days: int) -> None:
        """So many days go by, for us and for the tenant."""
        moment = bootstrap.now() + dt.timedelta(days=days)
        self._monkeypatch.setattr(bootstrap, "now", lambda: moment)
        self._monkeypatch.setattr(bootstrap, "today", lambda _: moment.date())
        self.graph.clock.advance(days * 86_400)


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailOffice]:
    with Emulator() as graph:
        yield MailOffice(tmp_path, graph, monkeypatch)


def test_the_story_of_two_mailboxes_and_a_onedrive(office: MailOffice, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    box, carols, drive = office.dora.mailbox, office.carol.mailbox, office.dora.drive
    names = "Plain", "Back", "Moved", "Flagged", "Read", "Edited", "Removed", "Protected"
    ids = {name: box.deliver(FOLDER, mail(name), received_at=LONG_AGO, is_draft=name == "Edited") for name in names}
    held = carols.deliver(FOLDER, mail("Held"), received_at=LONG_AGO)
    other = box.deliver("Inbox", mail("Other"), received_at=LONG_AGO)
    file = drive.put("Leavers/Paper.txt", mail("Paper"), modified_at=LONG_AGO, created_at=LONG_AGO)
    texts = {name: box.content(id) for name, id in ids.items()}

    seen = office.json("scan", "--jobs", 1)
    assert (seen["seen"], seen["scanned"], seen["reconciles"]) == (11, 11, True)
    assert seen["classes_due"] == {"leaver-mail": 9, "leaver-files": 1}
    items = office.items()
    office.approve(*(number for id, number in items.items() if id != other))

    # Between approval and act their owners go on with their mail, and one mailbox comes under litigation hold. Not in
    # the second in which it came: the service tells in whole seconds when a message was changed.
    office.graph.clock.advance(5)
    box.move(ids["Moved"], "Archive")
    box.categorise(ids["Flagged"], "Red category")
    box.read(ids["Read"])
    box.edit(ids["Edited"], mail("Edited") + b"and more\r\n")
    box.remove(ids["Removed"])
    box.protect(ids["Protected"], ON_HOLD)
    carols.hold()

    taken = office.json("dispose", "run", "--yes", code=LEFT)
    assert taken["quarantined"] == 4, taken
    assert taken["kept"] == {"changed": 4, "gone": 1, "held_at_source": 1}
    for name in ("Plain", "Back"):
        assert box.where(ids[name]) == QUARANTINE, name
        assert box.path_of(box.folder_of(box.message(ids[name]).folder_id).id) is None, "people see it"
    assert carols.where(held) == QUARANTINE
    assert (drive.path_of(file) or "").startswith(f"{QUARANTINE}/")
    for name in ("Flagged", "Read", "Edited", "Protected"):
        assert box.where(ids[name]) == "Leavers", name
    assert box.where(ids["Moved"]) == "archive"
    assert box.where(ids["Removed"]) == "recoverableitemsdeletions"

    # One comes back where it was, the same message, and is not read again; neither is what was only read or moved.
    office.run("restore", office.disposal_of(items[ids["Back"]]), *REASON, "--yes")
    assert (box.where(ids["Back"]), box.content(ids["Back"])) == ("Leavers", texts["Back"])
    again = office.json("scan", "--jobs", 1)
    assert (again["opened"], again["reconciles"]) == (2, True)  # flagged, and edited

    # The rest is deleted.
    told = office.json("dispose", "run", "--yes", code=LEFT)
    assert (told["quarantined"], told["destroyed"], told["kept"]) == (0, 3, {"held_at_source": 1})
    assert box.where(ids["Plain"]) == "recoverableitemspurges"
    assert carols.where(held) == "recoverableitemsdiscoveryholds"
    assert drive.path_of(file) is None
    assert {name for name, id in ids.items() if box.where(id) == "Leavers"} == {
        "Back", "Flagged", "Read", "Edited", "Protected",
    }  # fmt: skip

    # It is erased when nobody can take it out of the recoverable items any more: of what is held, nobody knows when.
    assert len(office.json("dispose", "erase")["erased"]) == 1  # the file
    office.later(20)
    assert len(office.json("dispose", "erase", "--clock-is-right", *REASON)["erased"]) == 1
    states = office.states()
    assert (states[items[ids["Plain"]]], states[items[held]], states[items[file]]) == ("erased", "destroyed", "erased")
    written = certificate_of(office)
    named = json.loads(written.partition("\n\n")[0])["items"]
    (message,) = (one for one in named if one["source"] == "a mailbox")
    assert DORA not in written
    (kept,) = (copy for copy in message["copies"] if copy["kind"] == "recoverable_items")
    destroyed_on = dt.datetime.fromisoformat(message["destroyed_at"]).date()
    assert kept["remains_until"] == str(destroyed_on + dt.timedelta(days=14))
    assert len(named) == 2, "what is held is on no certificate"

    assert "nothing was changed" in office.run("audit", "verify")
    office.run("fsck")
    last = office.json("scan", "--jobs", 1)
    assert (last["opened"], last["reconciles"]) == (0, True)
    office.run("report", "--output", office.folder / "report.html")

    # Nothing of what was handled is said or kept anywhere.
    assert office.graph.leaks == []
    assert office.graph.early_calls == []
    files = [path for path in (office.state, *office.state.rglob("*"), office.folder / "report.html") if path.is_file()]
    assert {"catalogue.sqlite", "report.html"} <= {path.name for path in files}
    for word in (
        SUBJECT,
        SENDER,
        RECIPIENT,
        "Quillfeather",
        "Thistlewood",
        *WORDS,
        READER_SECRET,
        WRITER_SECRET,
        *TOKEN_STARTS,
    ):
        assert word not in office.output + caplog.text + written, f"{word} was said"
        assert not [path.name for path in files if word.encode() in path.read_bytes()], f"{word} is kept"


def certificate_of(office: MailOffice) -> str:
    """What the certificate says of all that is erased, once it has been found genuine."""
    certificate, keys = office.folder / "gone.txt", office.folder / "keys.txt"
    office.run("certificate", "issue", "--output", certificate)
    keys.write_text(office.run("certificate", "keys"))
    assert "genuine" in office.run("certificate", "verify", certificate, "--key", keys, state=False)
    return certificate.read_text()
