"""The extractor that parses in a process of its own: a document can end that process, not ours (ADR 0004)."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import agent
from agent.errors import AgentError, ExitCode
from agent.extraction.base import Chunk, Limits
from agent.extraction.frames import (
    CHUNK,
    END,
    HEADER,
    LAST_END,
    MAX_BODY_BYTES,
    READY,
    STRINGS_ONLY,
    BadFrame,
    chunk_of,
    confinement_of,
    extraction_of,
)
from agent.model.confinement import Confinement
from agent.model.outcome import Extraction, ExtractionStatus

_READERS_REVISION = 2  # raise it whenever a reader of ours may give other text
_PACKAGES = ("libarchive-c", "olefile", "pypdfium2", "python-calamine", "selectolax")
_START_SECONDS = 60.0
# Isolated from the user's own Python settings, but with the very code that runs here, wherever that lies.
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from agent.extraction.child import main; main()"
_CODE = str(Path(agent.__file__).parents[1])


def extractor_version() -> str:
    """What the extractor is called in the catalogue; it loads nothing."""
    libraries = [f"{name} {version(name)}" for name in _PACKAGES]
    python = f"python {sys.version_info.major}.{sys.version_info.minor}"
    return "; ".join([*libraries, python, f"readers {_READERS_REVISION}"])


class ExtractionUnavailable(AgentError):
    """The process that parses documents cannot be used as it is set up here."""

    exit_code = ExitCode.CONFIGURATION


class _Late(Exception):
    """The answer did not come in time."""


class _Child:
    """One parsing process and our end of the socket to it."""

    def __init__(self, limits: Limits) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 — our own module, by our own interpreter
                [
                    *(sys.executable, "-I", "-c", _START, _CODE),
                    *(str(theirs.fileno()), json.dumps(dataclasses.asdict(limits))),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # a library's complaint may quote the document
                env={"LANG": "C.UTF-8", "LIBARCHIVE": "libarchive.so.13"},  # by name: no program is run to find it
            )
        self.connection = ours
        self.confinement = Confinement(0, ())

    def receive(self, deadline: float) -> tuple[bytes, object]:
        """The next message. Raises `_Late`, `BadFrame`, or `EOFError` when the process is gone."""
        tag, length = HEADER.unpack(self._exactly(HEADER.size, deadline))
        if tag not in (READY, CHUNK, END, LAST_END) or length > MAX_BODY_BYTES:
            raise BadFrame("header")
        try:
            return tag, json.loads(self._exactly(length, deadline))
        except (ValueError, RecursionError):
            raise BadFrame("body") from None

    def _exactly(self, count: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.connection], [], [], left)[0]:
                raise _Late
            try:
                part = self.connection.recv(min(count - len(parts), 1 << 20))
            except ConnectionError:
                raise EOFError from None
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)

    def end(self) -> int:
        """Ends the process; gives the number of the signal that had ended it before, or 0."""
        self.connection.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            # Gone by itself, it is about to be so: wait for what really ended it.
            return max(0, -self.process.wait(0.2))
        self.process.kill()
        self.process.wait()
        return 0


class ProcessExtractor:
    """Reads documents in one other process, which is replaced whenever it dies, hangs or grows.

    To be used from one thread only: the other process ends with the thread that started it.
    """

    def __init__(self, limits: Limits, *, unconfined: bool = False) -> None:
        """With `unconfined`, a process is used although the kernel does not refuse it all that it must not do."""
        self._limits = limits
        self._unconfined = unconfined
        self._child: _Child | None = None
        self.version = extractor_version()

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
        deadline = time.monotonic() + self._limits.wall_seconds
        try:
            socket.send_fds(child.connection, [(len(name) | how).to_bytes(4, "big")], [descriptor])
            child.connection.sendall(name)
            return self._answer(child, deadline, on_chunk)
        except _Late:
            child.process.kill()
            self._end()
            return _killed("timeout")
        except BadFrame:
            child.process.kill()
            self._end()
            return _killed("bad_answer")
        except (EOFError, ConnectionError):
            ended_by = self._end()
            return _killed("cpu" if ended_by == signal.SIGXCPU else "crashed")
        except BaseException:
            child.process.kill()
            self._end()
            raise

    def confinement(self) -> Confinement:
        """What the process has shown when it started. Raises `ExtractionUnavailable`."""
        return self._ready().confinement

    def close(self) -> None:
        if self._child is not None:
            self._child.process.kill()
            self._end()

    def _answer(self, child: _Child, deadline: float, on_chunk: Callable[[Chunk], None]) -> Extraction:
        while True:
            tag, body = child.receive(deadline)
            if tag in (END, LAST_END):
                extraction = extraction_of(body)
                if tag == LAST_END:
                    self.close()
                return extraction
            if tag != CHUNK:
                raise BadFrame("out of turn")
            chunk = chunk_of(body)
            before = time.monotonic()
            on_chunk(chunk)
            deadline += time.monotonic() - before  # the time others take with the text is not the document's

    def _ready(self) -> _Child:
        """A process that waits for a document. One that has been killed meanwhile is replaced."""
        if self._child is not None and self._gone(self._child):
            self._end()
        if self._child is None:
            child = self._child = _Child(self._limits)
            try:
                tag, body = child.receive(time.monotonic() + _START_SECONDS)
                child.confinement = confinement_of(body)
            except (_Late, BadFrame, EOFError):
                child.process.kill()
                self._end()
                raise ExtractionUnavailable(
                    "The process that reads documents cannot be started. Is extraction.memory_mib too small? "
                    f"It is {self._limits.memory_bytes // (1024 * 1024)}."
                ) from None
            if tag != READY or (child.confinement.unrefused and not self._unconfined):
                self.close()
                raise ExtractionUnavailable(
                    "This machine does not keep the process that reads documents from what it must not do "
                    f"({', '.join(child.confinement.unrefused)}): its kernel lacks seccomp or Landlock, or a container "
                    "withholds them. Use another kernel, or accept that with extraction.confinement: if_possible."
                )
        return self._child

    @staticmethod
    def _gone(child: _Child) -> bool:
        """Whether the process has closed its end."""
        readable, _, _ = select.select([child.connection], [], [], 0)
        return bool(readable) or child.process.poll() is not None

    def _end(self) -> int:
        child, self._child = self._child, None
        return child.end() if child is not None else 0


def _killed(reason: str) -> Extraction:
    return Extraction(ExtractionStatus.KILLED, "unknown", (reason,))
