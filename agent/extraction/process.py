"""The extractor that parses in a process of its own: a document can end that process, not ours (ADR 0004)."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import agent
from agent.errors import AgentError, ExitCode
from agent.extraction.base import Chunk, Limits
from agent.extraction.confinement import Memory
from agent.extraction.frames import (
    CHUNK,
    END,
    FORK,
    HEADER,
    LAST_END,
    MAX_BODY_BYTES,
    NUMBER,
    PICTURE,
    READY,
    STRINGS_ONLY,
    WAIT,
    BadFrame,
    chunk_of,
    confinement_of,
    extraction_of,
    receive_exactly,
)
from agent.model.analysis_version import ANY_FORMAT
from agent.model.confinement import Confinement
from agent.model.outcome import Extraction, ExtractionStatus

_START_SECONDS = 60.0
# Isolated from the user's own Python settings, but with the very code that runs here, wherever that lies.
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from agent.extraction.zygote import main; main()"
_CODE = str(Path(agent.__file__).parents[1])
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "LIBARCHIVE": "libarchive.so.13",  # by name: no program is run to find it
    "OMP_THREAD_LIMIT": "1",
}
_LOOK_SECONDS = 0.05


class ExtractionUnavailable(AgentError):
    """The process that parses documents cannot be used as it is set up here."""

    exit_code = ExitCode.CONFIGURATION


class _Late(Exception):
    """The answer did not come in time."""


class _Large(Exception):
    """The process holds more memory than it may."""


class _Zygote:
    """The process from which those that parse are forked, and our end of the socket to it."""

    def __init__(self, limits: Limits) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 — our own module, by our own interpreter
                [
                    *(sys.executable, "-I", "-c", _START, _CODE),
                    *(str(theirs.fileno()), json.dumps(dataclasses.asdict(limits))),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # a library's complaint may quote the document
                env=_ENVIRONMENT,
            )
        self._control = ours

    def fork(self, connection: socket.socket) -> int:
        """The number of a new process that answers on `connection`. Raises `EOFError` if the zygote is gone."""
        with contextlib.suppress(ConnectionError):
            socket.send_fds(self._control, [FORK], [connection.fileno()])
        return self._number()

    def wait(self, process: int) -> int:
        """How a process ended: its exit code, or the negative number of the signal. It must be about to end."""
        with contextlib.suppress(ConnectionError):
            self._control.sendall(WAIT + NUMBER.pack(process))
        return self._number()

    def _number(self) -> int:
        try:
            number: int = NUMBER.unpack(receive_exactly(self._control, NUMBER.size))[0]
        except ConnectionError:
            raise EOFError from None
        return number

    def close(self) -> None:
        """Ends it, and with it every process it has forked."""
        self._control.close()
        self._process.kill()
        self._process.wait()


class _Child:
    """One parsing process and our end of the socket to it."""

    def __init__(self, zygote: _Zygote, memory_bytes: int) -> None:
        """Raises `EOFError` if the zygote is gone."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self.pid = zygote.fork(theirs)
            except EOFError:
                ours.close()
                raise
        self._zygote = zygote
        self._ended = os.pidfd_open(self.pid)  # the number stays taken until the zygote is asked how it ended
        self._memory = Memory(self.pid)
        self._memory_bytes = memory_bytes
        self.connection = ours
        self.confinement = Confinement(0, ())

    def receive(self, deadline: float) -> tuple[bytes, object]:
        """The next message. Raises `_Late`, `_Large`, `BadFrame`, or `EOFError` when the process is gone."""
        tag, length = HEADER.unpack(self._exactly(HEADER.size, deadline))
        if tag not in (READY, CHUNK, PICTURE, END, LAST_END) or length > MAX_BODY_BYTES:
            raise BadFrame("header")
        try:
            return tag, json.loads(self._exactly(length, deadline))
        except (ValueError, RecursionError):
            raise BadFrame("body") from None

    def _exactly(self, count: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            left = deadline - time.monotonic()
            if left <= 0:
                raise _Late
            if not select.select([self.connection], [], [], min(left, _LOOK_SECONDS))[0]:
                if self._memory.resident > self._memory_bytes:
                    raise _Large
                continue
            try:
                part = self.connection.recv(min(count - len(parts), 1 << 20))
            except ConnectionError:
                raise EOFError from None
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)

    @property
    def gone(self) -> bool:
        """Whether the process has ended, or closed its end of the socket."""
        return bool(select.select([self.connection.fileno(), self._ended], [], [], 0)[0])

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._ended, signal.SIGKILL)

    def end(self) -> int:
        """Ends the process; gives the number of the signal that had ended it before, or 0. Raises `EOFError`."""
        self.connection.close()
        self._memory.close()
        # Gone by itself, it is about to be so: wait for what really ended it.
        by_itself = bool(select.select([self._ended], [], [], 0.2)[0])
        self.kill()
        os.close(self._ended)
        ended = self._zygote.wait(self.pid)
        return max(0, -ended) if by_itself else 0


class ProcessExtractor:
    """Reads documents in one other process, which is replaced whenever it dies, hangs or grows.

    To be used from one thread only: the other processes end with the thread that started them.
    """

    def __init__(self, limits: Limits, *, unconfined: bool = False) -> None:
        """With `unconfined`, a process is used although the kernel does not refuse it all that it must not do."""
        self._limits = limits
        self._unconfined = unconfined
        self._zygote: _Zygote | None = None
        self._child: _Child | None = None

    def extract(self, descriptor: int, name: bytes, on_chunk: Callable[[Chunk], None]) -> Extraction:
        """Raises `ExtractionUnavailable` if no process can be started; never for what a document contains.

        A document that ends its process is tried once more in a fresh one, without the readers: what looks like text
        in it is handed on, and the answer is still `killed`.
        """
        first = self._attempt(descriptor, name, on_chunk, 0)
        if first.status is not ExtractionStatus.KILLED:
            return first
        second = self._attempt(descriptor, name, on_chunk, STRINGS_ONLY)
        reasons = (*first.reasons, *second.reasons) if second.characters else first.reasons
        return dataclasses.replace(first, reasons=reasons, characters=second.characters)

    def _attempt(self, descriptor: int, name: bytes, on_chunk: Callable[[Chunk], None], how: int) -> Extraction:
        child = self._ready()
        try:
            socket.send_fds(child.connection, [(len(name) | how).to_bytes(4, "big")], [descriptor])
            child.connection.sendall(name)
            return self._answer(child, on_chunk)
        except _Late:
            self._end_child(by_force=True)
            return _killed("timeout")
        except _Large:
            self._end_child(by_force=True)
            return _killed("memory")
        except BadFrame:
            self._end_child(by_force=True)
            return _killed("bad_answer")
        except (EOFError, ConnectionError):
            ended_by = self._end_child()
            return _killed("cpu" if ended_by == signal.SIGXCPU else "crashed")
        except BaseException:
            self._end_child(by_force=True)
            raise

    def confinement(self) -> Confinement:
        """What the process has shown when it started. Raises `ExtractionUnavailable`."""
        return self._ready().confinement

    def close(self) -> None:
        self._end_child(by_force=True)
        zygote, self._zygote = self._zygote, None
        if zygote is not None:
            zygote.close()

    def _answer(self, child: _Child, on_chunk: Callable[[Chunk], None]) -> Extraction:
        deadline = time.monotonic() + self._limits.wall_seconds
        pictures = self._limits.pictures
        while True:
            tag, body = child.receive(deadline)
            if tag in (END, LAST_END):
                extraction = extraction_of(body)
                if tag == LAST_END:
                    self._end_child(by_force=True)
                return extraction
            if tag == PICTURE and pictures:
                pictures -= 1
                deadline += self._limits.picture_seconds
                continue
            if tag != CHUNK:
                raise BadFrame("out of turn")
            chunk = chunk_of(body)
            before = time.monotonic()
            on_chunk(chunk)
            deadline += time.monotonic() - before  # the time others take with the text is not the document's

    def _ready(self) -> _Child:
        """A process that waits for a document. One that has been killed meanwhile is replaced."""
        if self._child is not None and self._child.gone:
            self._end_child()
        if self._child is None:
            child = self._child = self._fork()
            try:
                tag, body = child.receive(time.monotonic() + _START_SECONDS)
                child.confinement = confinement_of(body)
            except (_Late, _Large, BadFrame, EOFError):
                self.close()
                raise _not_started(self._limits) from None
            if tag != READY or (child.confinement.unrefused and not self._unconfined):
                self.close()
                raise ExtractionUnavailable(
                    "This machine does not keep the process that reads documents from what it must not do "
                    f"({', '.join(child.confinement.unrefused)}): its kernel lacks seccomp or Landlock, or a container "
                    "withholds them. Use another kernel, or accept that with extraction.confinement: if_possible."
                )
        return self._child

    def _fork(self) -> _Child:
        if self._zygote is not None:
            with contextlib.suppress(EOFError):
                return _Child(self._zygote, self._limits.memory_bytes)
            self.close()  # something has killed it: it is started anew
        self._zygote = _Zygote(self._limits)
        try:
            return _Child(self._zygote, self._limits.memory_bytes)
        except EOFError:
            self.close()
            raise _not_started(self._limits) from None

    def _end_child(self, *, by_force: bool = False) -> int:
        """Ends the process, if there is one; gives the number of the signal that had ended it before, or 0."""
        child, self._child = self._child, None
        if child is None:
            return 0
        if by_force:
            child.kill()
        try:
            return child.end()
        except EOFError:  # the zygote is gone, and its children with it
            return signal.SIGKILL


def _not_started(limits: Limits) -> ExtractionUnavailable:
    return ExtractionUnavailable(
        "The process that reads documents cannot be started. Is extraction.memory_mib too small? "
        f"It is {limits.memory_bytes // (1024 * 1024)}."
    )


def _killed(reason: str) -> Extraction:
    return Extraction(ExtractionStatus.KILLED, "unknown", (reason,), met=frozenset({ANY_FORMAT}))
