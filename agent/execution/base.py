"""What the execution engine promises: work on open documents, side by side, one answer for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


class Work(Protocol):
    """What is done to each document, in the process where it is done."""

    def __call__(self, descriptor: int, name: bytes) -> Any: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Lost:
    """The process that held the document ended without an answer. `reason` is `timeout` or `worker_died`."""

    reason: str


class Ticket:
    """A place in the queue. `answer` is set once `done` is true: what the work returned, or `Lost`.

    `on_done` is called at that moment, in the caller's process.
    """

    __slots__ = ("answer", "descriptor", "done", "name", "on_done")

    def __init__(self, descriptor: int, name: bytes) -> None:
        self.descriptor = descriptor
        self.name = name
        self.done = False
        self.answer: Any = None
        self.on_done: Callable[[], None] | None = None

    def settle(self, answer: object) -> None:
        self.answer = answer
        self.done = True
        if self.on_done is not None:
            self.on_done()


class Executor(Protocol):
    """Runs the work over documents."""

    def submit(self, descriptor: int, name: bytes) -> Ticket:
        """Queues a document; may wait while the queue is full.

        The descriptor must stay open until the ticket is done, or forgotten.
        """

    def forget(self, ticket: Ticket) -> None:
        """Nobody wants the answer any more. A document that a worker has already is still gone through."""

    def wait(self, ticket: Ticket) -> Any:
        """The ticket's answer, waiting for it if need be."""

    def poll(self) -> None:
        """Takes in the answers that have come, without waiting."""

    def close(self) -> None:
        """Ends the workers; queued documents get no answer. Safe to call twice."""
