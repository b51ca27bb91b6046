"""The pool gives one answer for each document, whatever becomes of the worker that held it."""

from __future__ import annotations

import functools
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import ConfigurationError
from agent.execution.base import Executor, Lost
from agent.execution.inline import InlineExecutor
from agent.execution.pool import ProcessPool, WorkersCannotStart


class Reader:
    """Work that answers with what it read, and does as it is told by the name."""

    def __call__(self, descriptor: int, name: bytes) -> tuple[bytes, bytes]:
        if name == b"die":
            os.kill(os.getpid(), signal.SIGKILL)
        if name == b"hang":
            time.sleep(60)
        if name == b"fail":
            raise ValueError(f"cannot read {os.pread(descriptor, 100, 0)!r}")
        if name == b"unset":
            raise ConfigurationError("the memory limit is too small")
        return name, os.pread(descriptor, 100, 0)

    def close(self) -> None:
        """Nothing to let go of."""


def _refuse() -> Reader:
    raise ConfigurationError("no such model")


def _fall_over() -> Reader:
    os._exit(3)


@pytest.fixture(params=["inline", "pool"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    made: Executor = InlineExecutor(Reader()) if request.param == "inline" else ProcessPool(Reader, jobs=2, seconds=2)
    yield made
    made.close()


@pytest.fixture
def pool() -> Iterator[ProcessPool]:
    made = ProcessPool(Reader, jobs=2, seconds=1.5)
    yield made
    made.close()


@pytest.fixture
def document(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "document"
    path.write_bytes(b"content")
    descriptor = os.open(path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def test_every_document_gets_its_own_answer(executor: Executor, document: int) -> None:
    tickets = [executor.submit(document, b"%d" % number) for number in range(100)]

    answers = [executor.wait(ticket) for ticket in tickets]

    assert answers == [(b"%d" % number, b"content") for number in range(100)]


def test_an_empty_name_and_one_of_255_bytes_arrive_as_they_are(executor: Executor, document: int) -> None:
    names = [b"", b"\xff" * 255]

    answers = [executor.wait(executor.submit(document, name)) for name in names]

    assert [name for name, _ in answers] == names


def test_a_worker_that_dies_costs_only_the_document_it_held(pool: ProcessPool, document: int) -> None:
    tickets = [pool.submit(document, name) for name in (b"a", b"die", b"b", b"die", b"c")]

    answers = [pool.wait(ticket) for ticket in tickets]

    lost = Lost("worker_died")
    assert answers == [(b"a", b"content"), lost, (b"b", b"content"), lost, (b"c", b"content")]


def test_a_worker_that_hangs_is_ended_and_the_rest_goes_on(pool: ProcessPool, document: int) -> None:
    tickets = [pool.submit(document, name) for name in (b"hang", b"a", b"b")]

    answers = [pool.wait(ticket) for ticket in tickets]

    assert answers == [Lost("timeout"), (b"a", b"content"), (b"b", b"content")]


def test_a_failure_costs_one_document_and_its_traceback_is_not_shown(
    pool: ProcessPool, document: int, capfd: pytest.CaptureFixture[str]
) -> None:
    assert pool.wait(pool.submit(document, b"fail")) == Lost("worker_died")
    assert pool.wait(pool.submit(document, b"next")) == (b"next", b"content")
    assert "content" not in "".join(capfd.readouterr())


def test_a_mistake_in_the_settings_found_at_work_reaches_the_caller(pool: ProcessPool, document: int) -> None:
    with pytest.raises(ConfigurationError, match="too small"):
        pool.wait(pool.submit(document, b"unset"))


def test_a_mistake_in_the_settings_found_by_a_worker_reaches_the_caller(document: int) -> None:
    pool = ProcessPool(_refuse, jobs=1)
    ticket = pool.submit(document, b"a")

    with pytest.raises(ConfigurationError, match="no such model"):
        pool.wait(ticket)
    pool.close()


def test_workers_that_cannot_start_are_an_error_and_not_an_endless_loop(document: int) -> None:
    pool = ProcessPool(_fall_over, jobs=1)
    ticket = pool.submit(document, b"a")

    with pytest.raises(WorkersCannotStart):
        pool.wait(ticket)
    pool.close()


def test_no_process_is_left_after_close(document: int) -> None:
    pool = ProcessPool(functools.partial(Reader), jobs=2)
    pool.wait(pool.submit(document, b"a"))
    pids = [worker.process.pid for worker in pool._workers]

    pool.close()
    pool.close()

    assert pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid or 0, 0)


def test_a_ticket_that_is_forgotten_is_not_worked_on_and_the_next_one_is(pool: ProcessPool, document: int) -> None:
    tickets = []
    for _ in range(5):
        copy = os.dup(document)
        tickets.append(pool.submit(copy, b"some"))
    for ticket in tickets:
        pool.forget(ticket)
        os.close(ticket.descriptor)

    assert pool.wait(pool.submit(document, b"the last")) is not None
    assert not any(ticket.done for ticket in tickets[3:])
