"""The process that parses documents. It has no right it does not need and may die at any moment without harm.

It is started by `agent.extraction.process` with one end of a socket, takes open documents through it, and answers
with frames. It never opens anything by name.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import socket
import sys
from typing import Any

from agent.extraction.base import Limits
from agent.extraction.frames import CHUNK, END, LAST_END, READY, chunk_body, extraction_body, frame, receive_exactly
from agent.extraction.router import load_readers, read_document
from agent.model.outcome import Extraction, ExtractionStatus

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_OPEN_FILES = 32
# A process that has read a large document keeps the memory; beyond this it makes room for a fresh one.
_RESIDENT_BYTES = 300 * 1024 * 1024
_ROOM_BYTES = 48 * 1024 * 1024


def confine(limits: Limits) -> None:
    """Gives up what parsing does not need: new privileges, writing files, core dumps, memory beyond the limit.

    Ends the process if the limit leaves no memory to work with.
    """
    if Memory().address_space + _ROOM_BYTES > limits.memory_bytes:
        sys.exit("the memory limit is too small")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))


class Memory:
    """What memory this process uses now, in bytes. `ru_maxrss` would not do: it begins with the parent's."""

    def __init__(self) -> None:
        self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)

    @property
    def address_space(self) -> int:
        return self._pages(0)

    @property
    def resident(self) -> int:
        return self._pages(1)

    def _pages(self, column: int) -> int:
        return int(os.pread(self._statm, 200, 0).split()[column]) * resource.getpagesize()


def serve(connection: socket.socket, limits: Limits) -> None:
    """Answers one document after the other until the other end closes or the process has grown large."""
    memory = Memory()
    connection.sendall(frame(READY, {}))
    while True:
        head, descriptors, _, _ = socket.recv_fds(connection, 4, 1)
        if not head or not descriptors:
            return
        name = receive_exactly(connection, int.from_bytes(head, "big"))
        _allow_cpu(limits.cpu_seconds)
        result = _read(connection, descriptors[0], name, limits)
        killed = result.status is ExtractionStatus.KILLED
        last = killed or memory.resident > _RESIDENT_BYTES
        connection.sendall(frame(LAST_END if last else END, extraction_body(result)))
        if last:
            return


def _allow_cpu(seconds: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _read(connection: socket.socket, descriptor: int, name: bytes, limits: Limits) -> Extraction:
    def hand_on(chunk: Any) -> None:
        connection.sendall(frame(CHUNK, chunk_body(chunk)))

    with open(descriptor, "rb") as document:
        document.seek(0)
        try:
            return read_document(document, os.fstat(descriptor).st_size, name, limits, hand_on)
        except MemoryError:
            return Extraction(ExtractionStatus.KILLED, "unknown", ("memory",))


def main() -> None:
    """Started by `agent.extraction.process`. Its arguments are our descriptor of the socket, and the limits."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    limits = Limits(**json.loads(sys.argv[2]))
    load_readers()
    confine(limits)
    with contextlib.suppress(EOFError, ConnectionError):
        serve(connection, limits)
