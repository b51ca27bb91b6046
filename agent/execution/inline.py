"""The executor that does the work at once, in the caller's own process."""

from __future__ import annotations

from typing import Any

from agent.execution.base import Ticket, Work


class InlineExecutor:
    """Answers every ticket as it is submitted. For tests and for tracing a single document."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def submit(self, descriptor: int, name: bytes) -> Ticket:
        ticket = Ticket(descriptor, name)
        ticket.settle(self._work(descriptor, name))
        return ticket

    def forget(self, ticket: Ticket) -> None:
        """Every ticket is done by the time anybody has it."""

    def wait(self, ticket: Ticket) -> Any:
        return ticket.answer

    def poll(self) -> None:
        """Nothing is ever under way here."""

    def close(self) -> None:
        self._work.close()
