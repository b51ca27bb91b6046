"""A document as the readers of formats see it, and what they may say about one they cannot read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from agent.extraction.budget import Budget
from agent.extraction.output import Output


class Unreadable(Exception):
    """The document cannot be read, or not to its end. `reason` is a word of the vocabulary, never text from it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Damaged(Unreadable):
    """The document breaks the rules of its own format."""


class Unsupported(Unreadable):
    """What the document holds cannot be read yet; what stands beside it may have been."""


class Unread(Unreadable):
    """Something in the document was not read, such as a picture; the rest was."""


class Encrypted(Unreadable):
    """The document is protected by a password."""

    def __init__(self) -> None:
        super().__init__("encrypted")


@dataclass(frozen=True, slots=True)
class Document:
    """Bytes to be read, seekable from their start, with what is needed to read them.

    `name` is the file's name; `depth` counts the documents around this one; `place` is its location in the outermost.
    """

    stream: BinaryIO
    size: int
    name: bytes
    output: Output
    budget: Budget
    depth: int = 0
    place: str = ""

    def read_all(self) -> bytes:
        """All its bytes. They are counted: only documents that must be held as a whole are read like this."""
        self.stream.seek(0)
        return self.budget.read_all(self.stream)
