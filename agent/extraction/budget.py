"""What one document may cost, counted while it is read and never believed from what the document says."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import BinaryIO

from agent.extraction.base import Limits

_BLOCK_BYTES = 256 * 1024
_CALLS_PER_LOOK = 64  # the clock is asked only now and then: lines are many and short


class LimitReached(Exception):
    """The document asks for more than it may have. `reason` is a word of the vocabulary."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Budget:
    """One for a document and everything inside it. Methods raise `LimitReached` when a limit is exceeded."""

    def __init__(self, limits: Limits, on_picture: Callable[[], None] = lambda: None) -> None:
        """`on_picture` is told before a picture takes time of its own."""
        self._limits = limits
        self._on_picture = on_picture
        self._pictures = 0
        self._characters = 0
        self._expanded = 0
        self._members = 0
        self._calls = 0
        self._until = time.process_time() + limits.reading_seconds

    @property
    def characters_left(self) -> int:
        """How much text may still be given out."""
        return max(0, self._limits.output_characters - self._characters)

    def write(self, characters: int) -> None:
        """So many characters of text have been given out."""
        self._characters += characters
        if self._characters > self._limits.output_characters:
            raise LimitReached("output_limit")
        self._spend()

    def expand(self, size: int) -> None:
        """So many bytes have come out of a compressed or encoded part."""
        self._expanded += size
        if self._expanded > self._limits.expanded_bytes:
            raise LimitReached("expansion_limit")
        self._spend()

    def _spend(self) -> None:
        self._calls += 1
        if self._calls % _CALLS_PER_LOOK == 0 and time.process_time() > self._until:
            raise LimitReached("time_limit")

    @property
    def picture_seconds(self) -> float:
        """The time in which the text in one picture must be recognised."""
        return self._limits.picture_seconds

    def picture(self) -> bool:
        """Whether the text in one more picture may be recognised; that takes time beyond the document's."""
        if self._pictures == self._limits.pictures:
            return False
        self._pictures += 1
        self._until += self._limits.picture_seconds
        self._on_picture()
        return True

    def enter(self, depth: int) -> None:
        """A document inside another one is opened, at that depth below the outermost."""
        self._members += 1
        if self._members > self._limits.members:
            raise LimitReached("member_limit")
        if depth > self._limits.depth:
            raise LimitReached("depth_limit")

    def read_all(self, stream: BinaryIO) -> bytes:
        """Everything in a compressed part, counted as it comes."""
        whole = bytearray()
        while block := stream.read(_BLOCK_BYTES):
            self.expand(len(block))
            whole += block
        return bytes(whole)
