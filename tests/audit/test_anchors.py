"""A checkpoint reaches its anchor, or it is told that it did not."""

from __future__ import annotations

import base64
import os
import resource
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from agent.audit.anchors import Anchor, AnchorFailed, CommandAnchor, FileAnchor, SyslogAnchor, notes_in
from agent.audit.checkpoint import create
from tests.audit.entries import KEY

NOTES = [create(size, bytes([size]) * 32, KEY) for size in range(1, 5)]


# To a file


def test_checkpoints_gather_in_a_file_and_come_back(tmp_path: Path) -> None:
    file = tmp_path / "checkpoints"
    anchor: Anchor = FileAnchor(file)
    for note in NOTES:
        anchor.publish(note)
    assert notes_in(file.read_bytes()) == NOTES
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_with_one_checkpoint_is_read_too() -> None:
    assert notes_in(NOTES[0]) == [NOTES[0]]
    assert notes_in(b"") == []


@pytest.mark.parametrize("length", range(1, len(NOTES[1]) + 1))
def test_what_a_power_failure_cut_short_costs_only_itself(tmp_path: Path, length: int) -> None:
    file = tmp_path / "checkpoints"
    FileAnchor(file).publish(NOTES[0])
    with file.open("ab") as cut:
        cut.write(NOTES[1][:length])
    FileAnchor(file).publish(NOTES[2])
    assert notes_in(file.read_bytes()) == [NOTES[0], NOTES[2]]


def test_no_changed_bit_makes_a_checkpoint_vanish_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "checkpoints"
    for note in NOTES[:3]:
        FileAnchor(file).publish(note)
    data = file.read_bytes()
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        notes = notes_in(bytes(changed))
        assert notes != NOTES[:3]
        assert any(note not in NOTES for note in notes), f"bit {bit}"


def test_writers_at_once_do_not_mix(tmp_path: Path) -> None:
    anchor = FileAnchor(tmp_path / "checkpoints")
    writers = [threading.Thread(target=lambda note=note: [anchor.publish(note) for _ in range(20)]) for note in NOTES]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(notes_in(anchor.path.read_bytes())) == sorted(NOTES * 20)


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(AnchorFailed, match="No such file or directory"):
        FileAnchor(tmp_path / "nowhere" / "checkpoints").publish(NOTES[0])


def test_a_checkpoint_that_does_not_fit_is_told_and_the_next_one_that_fits_stands(tmp_path: Path) -> None:
    anchor = FileAnchor(tmp_path / "checkpoints")
    anchor.publish(NOTES[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (anchor.path.stat().st_size + 50, hard))
    try:
        with pytest.raises(AnchorFailed, match="no room for the whole checkpoint"):
            anchor.publish(NOTES[1])
        with pytest.raises(AnchorFailed, match="cannot be written"):
            anchor.publish(NOTES[1])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    anchor.publish(NOTES[2])
    assert notes_in(anchor.path.read_bytes()) == [NOTES[0], NOTES[2]]


# To the system's log


def test_the_log_service_gets_one_line_with_the_whole_checkpoint(tmp_path: Path) -> None:
    address = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service:
        service.bind(address)
        service.settimeout(5)
        SyslogAnchor(address=address).publish(NOTES[1])
        line = service.recv(10_000)
    assert line.startswith(b"<85>")
    assert b"\n" not in line
    assert b" retentiond[%d]: " % os.getpid() in line
    assert b"origin=records.example.org/audit size=2 " in line
    assert len(line) < 1024
    other = b"Jan  1 09:00:00 host sshd[1]: session opened\n"
    assert notes_in(other + line + b"\n" + other) == [NOTES[1]]


def test_a_spoilt_line_of_a_log_is_given_as_it_is() -> None:
    line = b"retentiond audit checkpoint origin=x size=2 note=" + base64.b64encode(NOTES[0])[:-3]
    (note,) = notes_in(line)
    assert note not in NOTES


def test_a_log_service_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(AnchorFailed, match="the log service did not take the checkpoint"):
        SyslogAnchor(address=str(tmp_path / "log")).publish(NOTES[0])


# To a command


def _python(code: str, **options: float) -> CommandAnchor:
    return CommandAnchor([sys.executable, "-c", code], **options)


def test_a_command_gets_the_checkpoint_on_its_standard_input(tmp_path: Path) -> None:
    out = tmp_path / "out"
    _python(f"import sys; open({str(out)!r}, 'wb').write(sys.stdin.buffer.read()); print('noise')").publish(NOTES[0])
    assert out.read_bytes() == NOTES[0]


def test_a_command_that_does_not_read_is_none_the_worse() -> None:
    CommandAnchor(["true"]).publish(b"x" * 1_000_000)


def test_no_shell_looks_at_the_command(tmp_path: Path) -> None:
    CommandAnchor(["echo", f"; touch {tmp_path}/made"]).publish(NOTES[0])
    assert list(tmp_path.iterdir()) == []


def test_the_exit_code_of_a_command_is_told() -> None:
    with pytest.raises(AnchorFailed, match="ended with exit code 7"):
        _python("raise SystemExit(7)").publish(NOTES[0])


def test_a_command_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(AnchorFailed, match="cannot be run"):
        CommandAnchor([str(tmp_path / "none")]).publish(NOTES[0])


def test_a_command_that_hangs_is_ended_with_what_it_has_started(tmp_path: Path) -> None:
    started = tmp_path / "started"
    command = ["sh", "-c", f"sleep 50 & echo $! > '{started}'; wait"]
    began = time.monotonic()
    with pytest.raises(AnchorFailed, match="after 2 seconds and was stopped"):
        CommandAnchor(command, timeout_seconds=2.0).publish(NOTES[0])
    assert time.monotonic() - began < 20
    stat = Path(f"/proc/{int(started.read_text())}/stat")
    for _ in range(50):
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            break
        time.sleep(0.1)
    else:
        pytest.fail("what the command had started still runs")
