"""What lies in the files of the emulated drives: bytes that are kept, made by a rule, or only claimed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from tests.emulator.quickxor import quick_xor, quick_xor_of_zeros

_PIECE = 1 << 16
_WORDS = (
    "annual appraisal archive budget building contract customer delivery department draft employee estimate invoice "
    "letter maintenance manager meeting minutes office order payment pension plan project purchase receipt report "
    "review salary schedule supplier travel visit warranty"
).split()
_TEXT = " ".join(random.Random(1).choices(_WORDS, k=20_000))


class Content(Protocol):
    """The bytes of one version of a file."""

    @property
    def size(self) -> int: ...

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`, in pieces of at most 64 KiB."""

    def quick_xor(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes kept in memory."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        stop = len(self.data) if stop is None else min(stop, len(self.data))
        for at in range(start, stop, _PIECE):
            yield self.data[at : min(at + _PIECE, stop)]

    def quick_xor(self) -> str:
        return quick_xor([self.data])


@dataclass(frozen=True, slots=True)
class Ruled:
    """A short text that follows from a seed and a number, made anew each time it is asked for."""

    seed: int
    number: int

    @property
    def _spread(self) -> int:
        return (self.number * 2_654_435_761 + self.seed * 40_503) % (1 << 32)

    @property
    def _length(self) -> int:
        return 60 + self._spread % 240

    @property
    def size(self) -> int:
        return len(f"Document {self.number}\n") + self._length + 1

    @property
    def data(self) -> bytes:
        at = self._spread % (len(_TEXT) - 300)
        return f"Document {self.number}\n{_TEXT[at : at + self._length]}\n".encode()

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        return Stored(self.data).pieces(start, stop)

    def quick_xor(self) -> str:
        return quick_xor([self.data])


@dataclass(frozen=True, slots=True)
class Sparse:
    """A file of any size in which there is nothing but zeros."""

    size: int

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        stop = self.size if stop is None else min(stop, self.size)
        zeros = bytes(_PIECE)
        for at in range(start, stop, _PIECE):
            yield zeros[: min(_PIECE, stop - at)]

    def quick_xor(self) -> str:
        return quick_xor_of_zeros(self.size)
