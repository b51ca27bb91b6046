"""QuickXorHash, the only hash that SharePoint and OneDrive for Business tell of a file."""

from __future__ import annotations

import base64

import numpy as np

_BITS, _SHIFT = 160, 11
# 160 shifts by 11 bits come round to where they began: bytes that lie 160 apart are xored at the same place, so that
# the content can be folded into 160 bytes first.
_FOLD = 160
_MASK = (1 << _BITS) - 1


class QuickXor:
    """The hash of what it has been given. It tells damage from its absence, and is no proof against forgery."""

    def __init__(self) -> None:
        self._folded = np.zeros(_FOLD, dtype=np.uint8)
        self._words = self._folded.view(np.uint64)
        self._length = 0

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Adds more of the content."""
        incoming = np.frombuffer(data, dtype=np.uint8)
        begun = self._length % _FOLD
        self._length += len(incoming)
        if begun:
            head = incoming[: _FOLD - begun]
            self._folded[begun : begun + len(head)] ^= head
            incoming = incoming[len(head) :]
        whole = len(incoming) // _FOLD * _FOLD
        if whole:
            self._words ^= np.bitwise_xor.reduce(incoming[:whole].view(np.uint64).reshape(-1, _FOLD // 8), axis=0)
        self._folded[: len(incoming) - whole] ^= incoming[whole:]

    def digest(self) -> bytes:
        """The hash of all content so far: 20 bytes."""
        value = 0
        for index, byte in enumerate(self._folded.tolist()):
            shifted = byte << (index * _SHIFT % _BITS)
            value ^= (shifted & _MASK) ^ (shifted >> _BITS)
        length = self._length & ((1 << 64) - 1)
        return (value ^ (length << (_BITS - 64))).to_bytes(_BITS // 8, "little")

    def base64(self) -> str:
        """The hash in the form in which Graph tells it."""
        return base64.b64encode(self.digest()).decode("ascii")
