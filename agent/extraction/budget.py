"""What one document may cost, counted while it is read and never believed from what the document says."""

from __future__ import annotations

import time
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
    """One for a document and everything inside it. Every method raises `LimitReached` when the limit is exceeded."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._characters = 0
        self._expanded = 0
        self._members = 0
        self._calls = 0
        self._until = time.process_time() + limits.reading_seconds

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
