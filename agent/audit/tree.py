"""The Merkle tree of RFC 9162, section 2: its root, its proofs and their verification. Nothing here knows of storage.

A perfect subtree is named by its level and index: it spans the leaves from `index << level` up to, but without,
`(index + 1) << level`. Every other part of a tree is put together from those, so whoever can give the hashes of
perfect subtrees gets any root and any proof in O(log n).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import reduce

HASH_BYTES = 32

Subtree = Callable[[int, int], bytes]  # (level, index) -> the hash of that perfect subtree


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf. Its prefix keeps a leaf from being passed off as a node."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of what stands above two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


EMPTY_ROOT = hashlib.sha256(b"").digest()


class CompactRange:
    """A tree that grows at its end and remembers only its perfect subtrees: O(log n) memory and work per leaf."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, leaf: bytes) -> list[bytes]:
        """Adds the hash of a leaf. Gives the hashes of the subtrees that it completes, from level 1 upwards."""
        completed = complete(self.size, leaf, lambda _level, _index: self._peaks.pop())
        self._peaks.append(completed[-1] if completed else leaf)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """The root of the tree as it is now."""
        return _fold(self._peaks)


def complete(position: int, leaf: bytes, subtree: Subtree) -> list[bytes]:
    """The hashes of the subtrees that a new leaf at `position` completes, from level 1 upwards.

    `subtree` is asked once for each of them, for its left half, from the lowest level upwards.
    """
    completed = []
    level, above = 0, leaf
    while position >> level & 1:
        above = node_hash(subtree(level, (position >> level) - 1), above)
        completed.append(above)
        level += 1
    return completed


def completed_by(level: int, index: int) -> int:
    """The position of the leaf that completes a perfect subtree."""
    return ((index + 1) << level) - 1


def root(size: int, subtree: Subtree) -> bytes:
    """The root of the tree over the first `size` leaves."""
    return _span_hash(0, size, subtree)


def inclusion_proof(position: int, size: int, subtree: Subtree) -> list[bytes]:
    """The audit path of a leaf in the tree of `size` leaves, lowest first (RFC 9162, 2.1.3.1).

    Raises `ValueError` if there is no such leaf in that tree.
    """
    if not 0 <= position < size:
        raise ValueError(f"there is no leaf {position} in a tree of {size}")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if position < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return [_span_hash(*span, subtree) for span in reversed(path)]


def consistency_proof(first: int, second: int, subtree: Subtree) -> list[bytes]:
    """What proves that the tree of `second` leaves begins with the tree of `first` leaves (RFC 9162, 2.1.4.1).

    Empty where there is nothing to prove: for the empty tree and for a tree with itself.
    Raises `ValueError` unless 0 <= first <= second.
    """
    if not 0 <= first <= second:
        raise ValueError(f"a tree of {second} leaves does not begin with one of {first}")
    if first == 0:
        return []
    start, end, path = 0, second, []
    while end != first:
        middle = start + _split(end - start)
        if first <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    if start:  # otherwise it is the first tree itself, whose root the verifier knows
        path.append((start, end))
    return [_span_hash(*span, subtree) for span in reversed(path)]


def verify_inclusion(leaf: bytes, position: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the hash of a leaf stands at `position` in the tree of `size` leaves with this root (2.1.3.2)."""
    if not 0 <= position < size:
        return False
    here, last, computed = position, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            computed = node_hash(sibling, computed)
            here, last = _leave_right_edge(here, last)
        else:
            computed = node_hash(computed, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and computed == root


def verify_consistency(first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes) -> bool:
    """Whether the tree of `second` leaves begins with the tree of `first` leaves, by their roots (2.1.4.2)."""
    if not 0 <= first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    if first == 0:
        return not proof and first_root == EMPTY_ROOT
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    if not path:
        return False
    here, last = first - 1, second - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            here, last = _leave_right_edge(here, last)
        else:
            after = node_hash(after, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and before == first_root and after == second_root


def _leave_right_edge(here: int, last: int) -> tuple[int, int]:
    """Up along the right edge, past levels on which a subtree has no sibling."""
    while here and not here & 1:
        here, last = here >> 1, last >> 1
    return here, last


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _span_hash(start: int, end: int, subtree: Subtree) -> bytes:
    """The hash over leaves `start` to `end`, where `start` is a multiple of the largest power of two that fits in."""
    peaks = []
    while start < end:
        level = (end - start).bit_length() - 1
        peaks.append(subtree(level, start >> level))
        start += 1 << level
    return _fold(peaks)


def _fold(peaks: Sequence[bytes]) -> bytes:
    return reduce(lambda right, left: node_hash(left, right), reversed(peaks)) if peaks else EMPTY_ROOT
