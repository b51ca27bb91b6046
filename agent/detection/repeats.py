"""What was found in texts seen before: quoted mail, disclaimers and forms come again and again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Generic, TypeVar

_ENTRY = 200  # bytes that an entry takes beside what it holds, about

T = TypeVar("T")


class Repeats(Generic[T]):
    """Remembers something by a text, for as many texts as fit into `bytes_kept`; the longest unseen goes first.

    A text is known by 16 bytes of BLAKE2b, and is not kept. Not safe to share between threads.
    """

    def __init__(self, bytes_kept: int = 4_000_000) -> None:
        self._room = bytes_kept
        self._kept: OrderedDict[bytes, tuple[T, int]] = OrderedDict()

    def recall(self, text: str) -> T | None:
        """What was remembered by exactly this text, None if nothing is."""
        key = _key(text)
        entry = self._kept.get(key)
        if entry is None:
            return None
        self._kept.move_to_end(key)
        return entry[0]

    def remember(self, text: str, value: T, weight: int = 0) -> None:
        """Remembers a value, which takes about `weight` bytes."""
        key = _key(text)
        old = self._kept.pop(key, None)
        if old is not None:
            self._room += old[1]
        self._kept[key] = (value, weight + _ENTRY)
        self._room -= weight + _ENTRY
        while self._room < 0 and self._kept:
            self._room += self._kept.popitem(last=False)[1][1]


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
