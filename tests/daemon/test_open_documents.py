"""A process may have about a thousand files open. One document that takes long must not bring it there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from agent import bootstrap
from agent.execution.base import Ticket
from agent.execution.inline import InlineExecutor
from agent.model.service import JobResult
from tests.acceptance.killable_scan import Counting
from tests.daemon.test_scanning import Office


class SlowFirst(InlineExecutor):
    """Answers every document at once, but for the first one, which it answers when it is waited for."""

    def __init__(self) -> None:
        self._slow_work = Counting()
        super().__init__(self._slow_work)
        self.first: Ticket | None = None
        self.most_open = 0

    def submit(self, descriptor: int, name: bytes) -> Ticket:
        self.most_open = max(self.most_open, len(os.listdir("/proc/self/fd")))
        if self.first is None:
            self.first = Ticket(descriptor, name)
            return self.first
        return super().submit(descriptor, name)

    def wait(self, ticket: Ticket) -> object:
        if not ticket.done:
            ticket.settle(self._slow_work(ticket.descriptor, ticket.name))
        return ticket.answer


@pytest.fixture
def executor() -> SlowFirst:
    return SlowFirst()


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: SlowFirst) -> Iterator[Office]:
    monkeypatch.setattr(bootstrap, "worker_pool", lambda *_: executor)
    with ExitStack() as opened:
        yield Office(tmp_path, opened)


def test_documents_that_are_answered_are_closed_while_a_slow_one_is_waited_for(
    office: Office, executor: SlowFirst
) -> None:
    for number in range(700):
        office.put(f"{number:04}.txt")
    before = len(os.listdir("/proc/self/fd"))
    office.begin().turn()

    assert executor.first is not None
    assert office.runs()[0].result is JobResult.DONE
    assert len(office.known()) == 700
    assert executor.most_open < before + 60
