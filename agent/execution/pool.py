"""The executor that spreads documents over processes of this machine.

A worker that dies or hangs costs the one document it held; it is replaced and the rest goes on.
Documents travel as open descriptors, never as paths, so a worker needs no right to the share.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import select
import signal
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

from agent.errors import AgentError
from agent.execution.base import Lost, Ticket, Work

_LENGTH = struct.Struct("!I")
_READY_SECONDS = 120.0
_QUEUED_PER_WORKER = 16
_SLICE_SECONDS = 10.0
_DOCUMENTS_PER_WORKER = 5_000  # then another takes its place, so that memory a library does not give back is freed


def _send(connection: socket.socket, message: object) -> None:
    body = pickle.dumps(message)
    connection.sendall(_LENGTH.pack(len(body)) + body)


def _receive(connection: socket.socket) -> Any:
    # The other end is our own code: documents are parsed in yet another process, which gives it plain text only.
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    return pickle.loads(_exactly(connection, length))  # noqa: S301


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(count - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def serve(connection: socket.socket, build: Callable[[], Work]) -> None:
    """The life of a worker process: builds the work, then answers one document after the other until told to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; ending us is the parent's business
    try:
        work = build()
    except AgentError as error:
        with contextlib.suppress(ConnectionError):
            _send(connection, error)
        return
    with contextlib.suppress(EOFError, ConnectionError):
        _send(connection, None)
        while True:
            header, descriptors, _, _ = socket.recv_fds(connection, _LENGTH.size, 1)
            if not header:
                break
            (length,) = _LENGTH.unpack(header)
            name = _exactly(connection, length) if length else b""
            with open(descriptors[0], "rb", buffering=0) as document:
                try:
                    answer = work(document.fileno(), name)
                except AgentError as error:
                    answer = error
                except Exception:  # noqa: BLE001 — a traceback could show what the document says; the parent tells the end
                    os._exit(1)
            _send(connection, answer)
    work.close()


class _Worker:
    """One process and the document it holds."""

    def __init__(self, build: Callable[[], Work]) -> None:
        ours, theirs = socket.socketpair()
        self.connection = ours
        context = multiprocessing.get_context("spawn")
        self.process: BaseProcess = context.Process(target=serve, args=(theirs, build), daemon=True)
        self.process.start()
        theirs.close()
        self.ready = False
        self.ticket: Ticket | None = None
        self.given = 0
        self.deadline = time.monotonic() + _READY_SECONDS

    def give(self, ticket: Ticket, seconds: float) -> None:
        socket.send_fds(self.connection, [_LENGTH.pack(len(ticket.name))], [ticket.descriptor])
        self.connection.sendall(ticket.name)
        self.ticket = ticket
        self.given += 1
        self.deadline = time.monotonic() + seconds

    def retire(self) -> None:
        """Lets it end by itself: it finds that nothing more comes."""
        self.connection.close()
        self.process.join(_SLICE_SECONDS)
        self.end()

    def end(self) -> None:
        self.connection.close()
        self.process.kill()
        self.process.join()
        self.process.close()


class ProcessPool:
    """Runs the work in `jobs` processes, started when the first document comes.

    `build` makes the work inside each process and must be picklable. A document that takes longer than `seconds`
    is answered with `Lost("timeout")`. Raises the `AgentError` that `build` or the work raised, and
    `WorkersCannotStart` when workers end before they are ready. `on_wait` is called every ten seconds at least while
    answers are waited for. A worker that has had `documents_per_worker` is replaced by a new one.
    """

    def __init__(
        self,
        build: Callable[[], Work],
        jobs: int,
        seconds: float = 900.0,
        *,
        on_wait: Callable[[], None] = lambda: None,
        documents_per_worker: int = _DOCUMENTS_PER_WORKER,
    ) -> None:
        self._build = build
        self._jobs = jobs
        self._seconds = seconds
        self._on_wait = on_wait
        self._documents_per_worker = documents_per_worker
        self._workers: list[_Worker] = []
        self._queue: deque[Ticket] = deque()

    def submit(self, descriptor: int, name: bytes) -> Ticket:
        ticket = Ticket(descriptor, name)
        self._queue.append(ticket)
        if len(self._workers) < min(self._jobs, len(self._queue) + self._busy()):
            self._workers.append(_Worker(self._build))
        self._turn(0)
        while len(self._queue) > self._jobs * _QUEUED_PER_WORKER:
            self._turn(None)
        return ticket

    def forget(self, ticket: Ticket) -> None:
        ticket.on_done = None
        if ticket in self._queue:
            self._queue.remove(ticket)

    def wait(self, ticket: Ticket) -> Any:
        while not ticket.done:
            self._turn(None)
        return ticket.answer

    def poll(self) -> None:
        self._turn(0)

    def close(self) -> None:
        for worker in self._workers:
            worker.end()
        self._workers.clear()
        self._queue.clear()

    def _busy(self) -> int:
        return sum(worker.ticket is not None for worker in self._workers)

    def _turn(self, wait_seconds: float | None) -> None:
        """Hands out documents, then takes in answers, waiting for one at most until the next deadline."""
        self._hand_out()
        waiting = [worker for worker in self._workers if worker.ticket is not None or not worker.ready]
        if not waiting:
            return
        if wait_seconds is None:
            longest = max(0.0, min(worker.deadline for worker in waiting) - time.monotonic())
            wait_seconds = min(longest, _SLICE_SECONDS)
            self._on_wait()
        poller = select.poll()
        by_descriptor = {worker.connection.fileno(): worker for worker in waiting}
        for descriptor in by_descriptor:
            poller.register(descriptor, select.POLLIN)
        for descriptor, _ in poller.poll(wait_seconds * 1000):
            self._take_in(by_descriptor[descriptor])
        now = time.monotonic()
        for worker in waiting:
            if worker in self._workers and now >= worker.deadline and (worker.ticket or not worker.ready):
                self._replace(worker, "timeout")
        self._hand_out()

    def _hand_out(self) -> None:
        for worker in list(self._workers):
            if not self._queue:
                return
            if worker.ready and worker.ticket is None:
                ticket = self._queue.popleft()
                try:
                    worker.give(ticket, self._seconds)
                except ConnectionError:
                    worker.ticket = ticket
                    self._replace(worker, "worker_died")

    def _take_in(self, worker: _Worker) -> None:
        try:
            message = _receive(worker.connection)
        except (EOFError, ConnectionError):
            self._replace(worker, "worker_died")
            return
        if isinstance(message, AgentError):
            raise message
        if not worker.ready:
            worker.ready = True
        elif worker.ticket is not None:
            ticket, worker.ticket = worker.ticket, None
            if worker.given >= self._documents_per_worker:
                self._workers.remove(worker)
                worker.retire()
                self._workers.append(_Worker(self._build))
            ticket.settle(message)

    def _replace(self, worker: _Worker, reason: str) -> None:
        if not worker.ready:
            raise WorkersCannotStart(
                "A worker process ended before it was ready. Run the command again with --jobs 1; "
                "if it happens again, the machine may be short of memory (about 400 MB are needed for each job)."
            )
        self._workers.remove(worker)
        worker.end()
        if worker.ticket is not None:
            worker.ticket.settle(Lost(reason))
        self._workers.append(_Worker(self._build))


class WorkersCannotStart(AgentError):
    """The worker processes end as soon as they are started."""
