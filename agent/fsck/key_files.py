"""The two key files of the vault, read by the format that ADR 0011 documents; nothing in them is changed.

Both are files of equal places. The first is a header: magic, bytes in a place, the vault's id, a generation. The others
are zeros, or a record that ends in its CRC-32. A place that is neither holds nothing.

    slots     places of 4,096 bytes: epoch, day, id of the root key, the epoch's key wrapped with it
    keyring   places of 128 bytes: K or T (a tomb), the item's id, epoch, the item's key wrapped with the epoch's

A wrapped key is a nonce of 12 bytes and AES-256-GCM; what the key is for is associated data.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agent.fsck.base import VaultNotOpened
from agent.fsck.files import open_file, read_at
from agent.fsck.sealed import NotReadable

_HEADER = struct.Struct(">8sI16sQ")
_SLOT = struct.Struct(">8sI8s60s")
_RECORD = struct.Struct(">c16s8s60s")
_NONCE = 12
_SUM = 4
_AT_ONCE = 1 << 20


class Places:
    """One of the files, open. Raises `VaultNotOpened` unless it is that file, `OSError`."""

    def __init__(self, path: str, magic: bytes, place_bytes: int) -> None:
        self.descriptor = open_file(path)
        self._place_bytes = place_bytes
        self.damaged = 0
        header = read_at(self.descriptor, _HEADER.size, 0)
        if len(header) < _HEADER.size or _HEADER.unpack(header)[:2] != (magic, place_bytes):
            os.close(self.descriptor)
            raise VaultNotOpened(f"{path}: this is not the file that the vault keeps there. Put it back from a backup.")
        self.vault_id = bytes(_HEADER.unpack(header)[2])

    def records(self) -> Iterator[tuple[int, bytes]]:
        """The number of each place that holds something, and what; `damaged` counts those that hold nothing sound."""
        self.damaged = 0
        count = os.fstat(self.descriptor).st_size // self._place_bytes
        at_once = _AT_ONCE // self._place_bytes
        empty = bytes(self._place_bytes)
        for first in range(1, count, at_once):
            block = read_at(self.descriptor, at_once * self._place_bytes, first * self._place_bytes)
            for start in range(0, len(block) - self._place_bytes + 1, self._place_bytes):
                place = block[start : start + self._place_bytes]
                if place == empty:
                    continue
                if zlib.crc32(place[:-_SUM]) == int.from_bytes(place[-_SUM:], "big"):
                    yield first + start // self._place_bytes, place
                else:
                    self.damaged += 1

    def read(self, number: int) -> bytes:
        """What the place holds."""
        return read_at(self.descriptor, self._place_bytes, number * self._place_bytes)


@dataclass(frozen=True, slots=True)
class _Slot:
    epoch: bytes
    day: bytes
    root_id: bytes
    wrapped: bytes


class KeyFiles:
    """Both files under one root key: which items have a key or a tomb, and what the keys are.

    `keys` has the places of an item's key records, `tombs` the epochs of its tombs, both by the item's id. Raises
    `VaultNotOpened` if a file is another one, or sealed with another root key; `OSError`.
    """

    def __init__(self, keyring: Places, slots: Places, root_secret: bytes) -> None:
        if keyring.vault_id != slots.vault_id:
            raise VaultNotOpened("The file of key slots is that of another vault. Put the right one back.")
        self._keyring = keyring
        self._root = _derived(root_secret, b"slots")
        self._slots: dict[bytes, list[_Slot]] = {}
        self.keys: dict[bytes, tuple[int, ...]] = {}
        self.tombs: dict[bytes, tuple[bytes, ...]] = {}
        self._load_slots(slots, _derived(root_secret, b"id")[:8])
        self._alive = frozenset(epoch.hex() for epoch in self._slots)
        for place, held in keyring.records():
            kind, id, epoch, _ = _RECORD.unpack_from(held)
            if kind == b"K":
                self.keys[id] = (*self.keys.get(id, ()), place)
            else:
                self.tombs[id] = (*self.tombs.get(id, ()), epoch)
        self.damaged = keyring.damaged + slots.damaged

    def _load_slots(self, slots: Places, root_id: bytes) -> None:
        for _, held in slots.records():
            epoch, day, sealed_with, wrapped = _SLOT.unpack_from(held)
            self._slots.setdefault(epoch, []).append(_Slot(epoch, day.to_bytes(4, "big"), sealed_with, wrapped))
        if any(all(slot.root_id != root_id for slot in same) for same in self._slots.values()):
            raise VaultNotOpened(
                "The vault, or part of it, is sealed with another root key. Give that one; if a change of the root key "
                "was interrupted, run it again."
            )

    def alive(self, epoch: str) -> bool:
        """Whether the key of that epoch, by its hexadecimal digits, is there."""
        return epoch in self._alive

    def key(self, id: bytes, places: tuple[int, ...]) -> bytes:
        """The item's key, from the key records at these places. Raises `NotReadable`."""
        if not places:
            raise NotReadable("its key is not in the vault")
        for place in places:
            _, _, epoch, wrapped = _RECORD.unpack_from(self._keyring.read(place))
            for slot in self._slots.get(epoch, ()):
                opened = _unwrapped(self._root, slot.wrapped, self._keyring.vault_id + epoch + slot.day)
                key = opened and _unwrapped(opened, wrapped, self._keyring.vault_id + id + epoch)
                if key:
                    return key
        raise NotReadable("its key does not open with any epoch key that is there")


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"retentiond/vault/" + purpose).derive(secret)


def _unwrapped(key: bytes, wrapped: bytes, purpose: bytes) -> bytes | None:
    try:
        return AESGCM(key).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], purpose)
    except InvalidTag:
        return None
