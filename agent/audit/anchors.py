"""Where checkpoints go so that whoever rules this machine cannot take them back."""

from __future__ import annotations

import base64
import binascii
import fcntl
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agent.audit.checkpoint import LARGEST_NOTE_BYTES, parse
from agent.errors import AgentError, ExitCode

_CUT_SHORT = b"(cut short)"
_SIGNATURES = "— ".encode()
_IN_A_LOG_LINE = re.compile(rb"retentiond audit checkpoint .* note=([A-Za-z0-9+/]+=*)")
_AUTHPRIV_NOTICE = 10 * 8 + 5


class AnchorFailed(AgentError):
    """A checkpoint did not reach its anchor. It is stored all the same; publish the newest one again later."""

    exit_code = ExitCode.SOURCE_UNAVAILABLE


class Anchor(Protocol):
    """One place outside. Publishing a checkpoint that is there already does no harm."""

    def publish(self, note: bytes) -> None:
        """Returns once the checkpoint has been taken. Raises `AnchorFailed`."""
        ...


@dataclass(frozen=True, slots=True)
class FileAnchor:
    """Appends to a file, best on another machine's disk or on one that can only be appended to.

    Between two checkpoints stands an empty line. What a power failure has cut short is marked as such by the next one.
    """

    path: Path

    def publish(self, note: bytes) -> None:
        """Returns once the checkpoint is on the disk."""
        try:
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            with open(os.open(self.path, flags, 0o600), "r+b", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                end = file.seek(0, os.SEEK_END)
                file.seek(max(0, end - LARGEST_NOTE_BYTES))
                data = (b"" if _whole(file.read()) else b"\n\n" + _CUT_SHORT + b"\n\n") + note + b"\n"
                if file.write(data) != len(data):
                    raise AnchorFailed(f"{self.path}: there was no room for the whole checkpoint.")
                os.fsync(file.fileno())
                if end == 0:
                    _sync_folder(self.path.parent)
        except OSError as error:
            raise AnchorFailed(f"{self.path}: the checkpoint cannot be written ({error.strerror}).") from None


@dataclass(frozen=True, slots=True)
class SyslogAnchor:
    """Sends one line to the system's log service, which passes it on to wherever it is set up to."""

    tag: str = "retentiond"
    address: str = "/dev/log"

    def publish(self, note: bytes) -> None:
        """Returns once the log service has taken the line."""
        said = parse(note)
        words = f"retentiond audit checkpoint origin={said.origin} size={said.size}"
        words += f" note={base64.b64encode(note).decode()}"
        moment = time.strftime("%b %e %H:%M:%S")
        line = f"<{_AUTHPRIV_NOTICE}>{moment} {self.tag}[{os.getpid()}]: {words}"
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.settimeout(5.0)
                sender.connect(self.address)
                sender.send(line.encode())
        except OSError as error:
            raise AnchorFailed(f"{self.address}: the log service did not take the checkpoint ({error}).") from None


@dataclass(frozen=True, slots=True)
class CommandAnchor:
    """Runs a command that gets the checkpoint on its standard input and says by exit code 0 that it has it.

    No shell is involved. What the command prints is thrown away.
    """

    argv: Sequence[str]
    timeout_seconds: float = 60.0

    def publish(self, note: bytes) -> None:
        """Returns once the command has ended well. It and what it has started are ended when the time is over."""
        quiet = subprocess.DEVNULL
        try:
            command = subprocess.Popen(  # noqa: S603 - the administrator's own command, from the configuration
                self.argv, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True
            )
        except OSError as error:
            raise AnchorFailed(f"{self.argv[0]}: the command cannot be run ({error.strerror}).") from None
        try:
            command.communicate(note, self.timeout_seconds)
        except subprocess.TimeoutExpired:
            raise AnchorFailed(
                f"{self.argv[0]}: the command had not ended after {self.timeout_seconds:g} seconds and was stopped."
            ) from None
        finally:
            if command.poll() is None:
                os.killpg(command.pid, signal.SIGKILL)
                command.wait()
        if command.returncode != 0:
            raise AnchorFailed(f"{self.argv[0]}: the command ended with exit code {command.returncode}.")


def notes_in(data: bytes) -> list[bytes]:
    """The checkpoints in a file: one, those of a `FileAnchor`, or lines of a system log among others.

    What is none of these is given too, as it is, so that whoever parses it says so.
    """
    logged = _IN_A_LOG_LINE.findall(data)
    if logged:
        return [_decoded(encoded) for encoded in logged]
    notes: list[bytes] = []
    for paragraph in data.split(b"\n\n"):
        if paragraph.strip(b"\n") == _CUT_SHORT and notes:
            if _SIGNATURES.startswith(notes.pop()):
                del notes[-1:]
        elif paragraph.startswith(_SIGNATURES) and notes:
            notes[-1] += b"\n\n" + paragraph.removesuffix(b"\n") + b"\n"
        elif paragraph:
            notes.append(paragraph)
    return notes


def _whole(end: bytes) -> bool:
    """Whether a file that ends so ends with a whole checkpoint, or with nothing."""
    last = end.removesuffix(b"\n\n")
    return not end or (last != end and last.rpartition(b"\n\n")[2].startswith(_SIGNATURES))


def _decoded(encoded: bytes) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return encoded


def _sync_folder(path: Path) -> None:
    """A new file is only found again after a power failure if its folder is on the disk too."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
