"""The tree of RFC 9162 (section 2.1) over entries that come one after the other."""

from __future__ import annotations

import hashlib


def leaf_hash(data: bytes) -> bytes:
    """The hash of an entry."""
    return hashlib.sha256(b"\0" + data).digest()


class Tree:
    """Keeps only the roots of the perfect subtrees that the entries make up, the largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._perfect: list[bytes] = []

    def add(self, leaf: bytes) -> bytes:
        """Adds the hash of an entry; gives the hashes of the subtrees that it completes, the smallest first."""
        completed, above, level = b"", leaf, 0
        while self.size >> level & 1:
            above = _above(self._perfect.pop(), above)
            completed += above
            level += 1
        self._perfect.append(above)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """The root over all entries so far."""
        if not self._perfect:
            return hashlib.sha256(b"").digest()
        root = self._perfect[-1]
        for left in reversed(self._perfect[:-1]):
            root = _above(left, root)
        return root


def _above(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()
