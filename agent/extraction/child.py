"""The process that parses documents. It has no right it does not need and may die at any moment without harm.

It is forked by `agent.extraction.zygote` with one end of a socket, takes open documents through it, and answers with
frames. It never opens a document by name.
"""

from __future__ import annotations

import contextlib
import math
import os
import resource
import socket
from collections.abc import Callable
from itertools import count
from typing import Any

from agent.extraction.base import Limits
from agent.extraction.confinement import Memory, confine, unrefused
from agent.extraction.frames import (
    CHUNK,
    END,
    LAST_END,
    PICTURE,
    READY,
    STRINGS_ONLY,
    chunk_body,
    extraction_body,
    frame,
    receive_exactly,
)
from agent.extraction.router import read_document, read_strings
from agent.model.outcome import Extraction, ExtractionStatus

# A process that has read a large document keeps the memory, and what one document has done to a library may show in
# the next: beyond these a process makes room for a fresh one.
_RESIDENT_BYTES = 200 * 1024 * 1024
_DOCUMENTS = 200


def serve(connection: socket.socket, limits: Limits, memory: Memory) -> None:
    """Answers one document after the other until the other end closes or the process has done enough."""
    for number in count(1):
        head, descriptors, _, _ = socket.recv_fds(connection, 4, 1)
        if not head or not descriptors:
            return
        asked = int.from_bytes(head, "big")
        name = receive_exactly(connection, asked & ~STRINGS_ONLY)
        _allow_cpu(limits.cpu_seconds)
        reader = read_strings if asked & STRINGS_ONLY else read_document
        result = _read(connection, descriptors[0], name, limits, reader)
        killed = result.status is ExtractionStatus.KILLED
        last = killed or number == _DOCUMENTS or memory.resident > _RESIDENT_BYTES
        connection.sendall(frame(LAST_END if last else END, extraction_body(result)))
        if last:
            return


def _allow_cpu(seconds: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _allow_more_cpu(seconds: float) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (soft + math.ceil(seconds), hard))


def _read(
    connection: socket.socket, descriptor: int, name: bytes, limits: Limits, reader: Callable[..., Extraction]
) -> Extraction:
    def hand_on(chunk: Any) -> None:
        connection.sendall(frame(CHUNK, chunk_body(chunk)))

    def on_picture() -> None:
        connection.sendall(frame(PICTURE, {}))
        _allow_more_cpu(limits.picture_seconds)

    with open(descriptor, "rb") as document:
        document.seek(0)
        try:
            return reader(document, os.fstat(descriptor).st_size, name, limits, hand_on, on_picture)
        except MemoryError:
            return Extraction(ExtractionStatus.KILLED, "unknown", ("memory",))


def serve_confined(connection: socket.socket, limits: Limits) -> None:
    """Gives up every right, says so, and answers. Ends when the other end of the socket does."""
    memory = Memory()  # opened now: nothing can be afterwards
    landlock = confine(limits)
    with contextlib.suppress(EOFError, ConnectionError):
        connection.sendall(frame(READY, {"landlock": landlock, "unrefused": unrefused(limits)}))
        serve(connection, limits, memory)
