"""The log of a service, as the journal and as standard error receive it."""

from __future__ import annotations

import fcntl
import io
import json
import logging
import os
import re
import socket
import struct
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from agent.observing import entries
from agent.observing.entries import entry_of
from agent.observing.journal import ServiceLog, start_service_log
from agent.observing.journal_socket import JournalSocket, encode, is_journal
from agent.observing.sentences import MESSAGE_IDS

PERSON = "Amy Carter"
NUMBER = "QQ 12 34 56 C"

pytestmark = pytest.mark.usefixtures("logging_as_before")


class Journal:
    """A journal that keeps what it is told."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(5)
        self._socket.bind(path)
        self.seals = -1

    def entry(self) -> dict[str, str]:
        """The next entry, decoded as journald does."""
        data, rights, _, _ = self._socket.recvmsg(1 << 20, socket.CMSG_SPACE(4))
        if rights:
            descriptor = struct.unpack("i", rights[0][2])[0]
            self.seals = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
            with open(descriptor, "rb") as file:
                file.seek(0)
                data = file.read()
        return decoded(data)

    def close(self) -> None:
        self._socket.close()


def decoded(data: bytes) -> dict[str, str]:
    fields = {}
    while data:
        line, _, data = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = struct.unpack("<Q", data[:8])[0]
            value, data = data[8 : 8 + size], data[9 + size :]
        fields[name.decode()] = value.decode("utf-8", "surrogateescape")
    return fields


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(str(tmp_path / "socket"))
    yield made
    made.close()


@pytest.fixture
def under_systemd(tmp_path: Path, journal: Journal) -> Iterator[Callable[..., ServiceLog]]:
    """Starts the log with a standard error that is said to be the journal's."""
    with open(tmp_path / "stderr", "w+", encoding="utf-8") as stream:
        there = os.fstat(stream.fileno())

        def start(**options: Any) -> ServiceLog:
            named = f"{there.st_dev}:{there.st_ino}"
            return start_service_log("scan", named, stream=stream, socket_path=journal.path, **options)

        yield start


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_reaches_the_journal_with_fields_and_a_sentence(
    journal: Journal, under_systemd: Callable[..., ServiceLog]
) -> None:
    under_systemd()
    structlog.get_logger("retentiond.scan").info("scan.ended", share="office", seen=1200, reconciles=True)
    assert journal.entry() == {
        "MESSAGE": "The scan of office ended: 1,200 files seen.",
        "PRIORITY": "6",
        "SYSLOG_IDENTIFIER": "retentiond",
        "RETENTIOND_EVENT": "scan.ended",
        "RETENTIOND_ROLE": "scan",
        "RETENTIOND_SHARE": "office",
        "RETENTIOND_SEEN": "1200",
        "RETENTIOND_RECONCILES": "yes",
    }


def test_what_an_administrator_waits_for_has_an_id_of_its_own(
    journal: Journal, under_systemd: Callable[..., ServiceLog]
) -> None:
    under_systemd()
    log = structlog.get_logger()
    log.warning("share.condition", share="office", state="unavailable", why="not mounted")
    told = journal.entry()
    assert (told["PRIORITY"], told["MESSAGE_ID"]) == ("4", MESSAGE_IDS["share.unavailable"])
    assert told["MESSAGE"] == "The share office cannot be reached: not mounted"
    log.error("job.ended", job="reconcile", share="office", result="failed", seconds=2.0)
    assert journal.entry()["MESSAGE_ID"] == MESSAGE_IDS["job.failed"]
    log.info("job.ended", job="reconcile", share="office", result="done", seconds=2.0)
    told = journal.entry()
    assert ("MESSAGE_ID" in told, told["MESSAGE"]) == (
        False,
        "The job reconcile of office ended: done, after 2.0 seconds.",
    )
    log.critical("service.defect", kind="KeyError", where="loop.py:70 < jobs.py:12")
    assert journal.entry()["MESSAGE"] == "A defect of the service: KeyError at loop.py:70 < jobs.py:12."
    assert len(set(MESSAGE_IDS.values())) == len(MESSAGE_IDS)


def test_an_entry_that_no_datagram_holds_goes_as_a_sealed_file(journal: Journal) -> None:
    long = "x" * 2_000_000
    sender = JournalSocket(journal.path)
    sender.send({"MESSAGE": "Long.", "RETENTIOND_ITEM": long})
    sender.close()
    assert journal.entry() == {"MESSAGE": "Long.", "RETENTIOND_ITEM": long}
    assert journal.seals == fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def test_a_line_break_in_a_value_makes_no_second_field() -> None:
    assert decoded(encode({"MESSAGE": "a\nPRIORITY=0\nb", "OTHER": "c"})) == {
        "MESSAGE": "a\nPRIORITY=0\nb",
        "OTHER": "c",
    }


def test_the_variable_is_believed_only_of_the_very_file_it_names(tmp_path: Path) -> None:
    for name in ("ours", "other"):
        (tmp_path / name).touch()
    ours, other = (os.stat(tmp_path / name) for name in ("ours", "other"))
    with open(tmp_path / "ours", "rb") as file:
        assert is_journal(file.fileno(), f"{ours.st_dev}:{ours.st_ino}")
        assert not is_journal(file.fileno(), f"{other.st_dev}:{other.st_ino}")
        assert not is_journal(file.fileno(), "")
    assert not is_journal(-1, f"{ours.st_dev}:{ours.st_ino}")


def test_without_a_journal_each_event_is_one_json_object_on_a_line() -> None:
    stream = io.StringIO()
    start_service_log("dispose", "", stream=stream)
    structlog.get_logger().warning("job.lost", job="vault-sample", reason="denied", share="a\nb")
    (line,) = lines(stream)
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "warning",
        "event": "job.lost",
        "message": "The job vault-sample was under way when the process ended. It begins again.",
        "role": "dispose",
        "job": "vault-sample",
        "reason": "denied",
    }


def test_when_the_journal_is_away_the_event_is_told_on_standard_error(
    journal: Journal, under_systemd: Callable[..., ServiceLog], tmp_path: Path
) -> None:
    under_systemd()
    journal.close()
    os.unlink(journal.path)
    structlog.get_logger().error("job.failed", job="backup", reason="no_room")
    assert json.loads((tmp_path / "stderr").read_text())["event"] == "job.failed"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("HR/Documents", "HR/Documents"),
        ("https://contoso.sharepoint.com/sites/hr", "https://contoso.sharepoint.com/sites/hr"),
        ("ann@contoso.example", "a mailbox"),
        ("ann@contoso.example (AAMk1234)", "a mailbox"),
        ("OneDrive/ann@contoso.example", "a OneDrive"),
        ("OneDrive/11111111-2222-3333-4444-555555555555", "a OneDrive"),
        ("https://contoso-my.sharepoint.com/personal/ann_contoso_example", "a OneDrive"),
        ("team@work/Documents", "team@work/Documents"),
    ],
)
def test_whose_drive_or_mailbox_it_is_is_only_told_where_names_of_files_are(name: str, told: str) -> None:
    event = {"event": "scan.began", "share": name}
    assert entry_of(event).fields["share"] == told
    assert entry_of(event, item_names=True).fields["share"] == name


def test_a_place_that_cannot_be_reached_is_told_with_the_reason() -> None:
    stream = io.StringIO()
    start_service_log("scan", "", stream=stream)
    log = structlog.get_logger()
    log.warning("place.unreachable", tenant="contoso", share="ann@contoso.example", why="it is locked (HTTP 423)")
    (line,) = lines(stream)
    assert line["message"] == "a mailbox of the tenant contoso cannot be reached: it is locked (HTTP 423)"
    assert line["tenant"] == "contoso"


def leak_everywhere() -> None:
    """Everything that might carry a person's data into a log."""
    log = structlog.get_logger("retentiond.scan")
    log.warning("item.failed", item=f"HR/{PERSON}.pdf", reason=PERSON, value=NUMBER, text=f"{PERSON} {NUMBER}")
    log.error(
        f"Cannot read {PERSON}",
        share=f"office\n{PERSON}",
        job=f"a\x00{PERSON}",
        error=PERSON,
        where=PERSON,
        kind=PERSON,
    )
    try:
        int(f"{PERSON}, {NUMBER}")
    except ValueError as error:
        log.exception("job.failed", job="evaluate", error=error)
        log.exception("job.failed", job="evaluate", reason=str(error), error=str(error), result=error)
    library = logging.getLogger("watchdog.observers")
    library.warning("event on /srv/%s.pdf", PERSON)
    try:
        os.stat(f"/there/is/no/{PERSON}")
    except OSError:
        library.exception("cannot watch %s", NUMBER)
    library.error("broken %d", PERSON)
    warnings.showwarning(f"odd {PERSON}", UserWarning, f"/lib/{PERSON}/reader.py", 7)
    sys.excepthook(ValueError, ValueError(PERSON), None)

    def fail() -> None:
        raise ValueError(PERSON)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()


def test_no_personal_value_passes_in_a_field_an_exception_or_a_library(capfd: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    start_service_log("scan", "", stream=stream, debug=True)
    leak_everywhere()
    printed = capfd.readouterr()
    told = stream.getvalue() + printed.out + printed.err
    assert [part for part in ("Amy", "Carter", "12 34", "HR/") if part in told] == []
    events = [line["event"] for line in lines(stream)]
    assert events.count("library.message") == 4
    assert events.count("error.unforeseen") == 2
    failed = [line for line in lines(stream) if line["event"] == "job.failed"]
    assert failed[0]["error"] == "ValueError"
    assert failed[0]["where"].startswith("tests.observing.test_journal:") or "test_journal:" in failed[0]["where"]


def test_the_test_above_sees_a_leak(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """With any one of the checks taken away the value comes through."""
    for name in ("text", "reason"):
        monkeypatch.setattr(entries, "FIELDS", {**entries.FIELDS, name: str})
        stream = io.StringIO()
        start_service_log("scan", "", stream=stream)
        leak_everywhere()
        capfd.readouterr()
        assert PERSON in stream.getvalue()


def test_item_names_are_told_only_where_that_is_set() -> None:
    event = {"event": "item.failed", "level": "warning", "item": "HR/letter.pdf", "reason": "denied"}
    assert entry_of(event).fields == {"reason": "denied"}
    assert entry_of(event, item_names=True).fields == {"reason": "denied", "item": "HR/letter.pdf"}


def test_an_exception_is_told_by_its_class_its_number_and_the_place_in_the_code() -> None:
    try:
        os.open("/there/is/no/such/place", os.O_RDONLY)
    except OSError as error:
        fields = entry_of({"event": "job.failed", "exc_info": error}).fields
    assert (fields["error"], fields["errno"]) == ("FileNotFoundError", 2)


def test_debug_is_told_only_when_asked_for() -> None:
    for debug, told in ((False, 0), (True, 1)):
        stream = io.StringIO()
        start_service_log("scan", "", stream=stream, debug=debug)
        structlog.get_logger().debug("share.dirty", share="office", folders=3)
        assert len(lines(stream)) == told


class Terminal(io.StringIO):
    """Standard error of a person who tries the service by hand."""

    def isatty(self) -> bool:
        return True


def test_a_person_at_a_terminal_reads_sentences(logging_as_before: None) -> None:
    terminal = Terminal()
    start_service_log("all", "", stream=terminal)

    structlog.get_logger().info("job.ended", job="reconcile", share="office", result="done", seconds=2.0)

    assert re.fullmatch(
        r"\d\d:\d\d:\d\d  The job reconcile of office ended: done, after 2\.0 seconds\.\n", terminal.getvalue()
    )
