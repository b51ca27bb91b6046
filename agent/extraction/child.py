"""The process that parses documents. It has no right it does not need and may die at any moment without harm.

It is started by `agent.extraction.process` with one end of a socket, takes open documents through it, and answers
with frames. It never opens anything by name.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import sys
from collections.abc import Callable
from typing import Any

from agent.extraction.base import Limits
from agent.extraction.confinement import Memory, confine, unrefused
from agent.extraction.frames import (
    CHUNK,
    END,
    LAST_END,
    READY,
    STRINGS_ONLY,
    chunk_body,
    extraction_body,
    frame,
    receive_exactly,
)
from agent.extraction.router import load_readers, read_document, read_strings
from agent.model.outcome import Extraction, ExtractionStatus

# A process that has read a large document keeps the memory; beyond this it makes room for a fresh one.
_RESIDENT_BYTES = 300 * 1024 * 1024


def serve(connection: socket.socket, limits: Limits, memory: Memory) -> None:
    """Answers one document after the other until the other end closes or the process has grown large."""
    while True:
        head, descriptors, _, _ = socket.recv_fds(connection, 4, 1)
        if not head or not descriptors:
            return
        asked = int.from_bytes(head, "big")
        name = receive_exactly(connection, asked & ~STRINGS_ONLY)
        _allow_cpu(limits.cpu_seconds)
        reader = read_strings if asked & STRINGS_ONLY else read_document
        result = _read(connection, descriptors[0], name, limits, reader)
        killed = result.status is ExtractionStatus.KILLED
        last = killed or memory.resident > _RESIDENT_BYTES
        connection.sendall(frame(LAST_END if last else END, extraction_body(result)))
        if last:
            return


def _allow_cpu(seconds: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _read(
    connection: socket.socket, descriptor: int, name: bytes, limits: Limits, reader: Callable[..., Extraction]
) -> Extraction:
    def hand_on(chunk: Any) -> None:
        connection.sendall(frame(CHUNK, chunk_body(chunk)))

    with open(descriptor, "rb") as document:
        document.seek(0)
        try:
            return reader(document, os.fstat(descriptor).st_size, name, limits, hand_on)
        except MemoryError:
            return Extraction(ExtractionStatus.KILLED, "unknown", ("memory",))


def main() -> None:
    """Started by `agent.extraction.process`. Its arguments are our descriptor of the socket, and the limits."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    limits = Limits(**json.loads(sys.argv[2]))
    load_readers()
    memory = Memory()  # opened now: nothing can be afterwards
    landlock = confine(limits)
    with contextlib.suppress(EOFError, ConnectionError):
        connection.sendall(frame(READY, {"landlock": landlock, "unrefused": unrefused(limits)}))
        serve(connection, limits, memory)
