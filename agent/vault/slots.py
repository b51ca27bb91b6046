"""Epoch keys in key slots: where a key ends, and with it everything that ever hung from it."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from agent.vault.base import Damaged, Epoch, KeyGone, NoSpace, WrongKey
from agent.vault.disk import Disk
from agent.vault.keys import KEY_BYTES, ROOT_ID_BYTES, WRAPPED_BYTES, RootKey, unwrap, wrap
from agent.vault.places import Places

SLOT_BYTES = 4096  # a sector of its own on every disk, so that overwriting one slot touches no other
SLOTS = 512
COPIES = 2  # of each epoch key, so that one worn-out sector does not cost a day's items

_MAGIC = b"RTDSLOTS"
_SLOT = struct.Struct(f">8sI{ROOT_ID_BYTES}s{WRAPPED_BYTES}s")  # epoch, day, root key's id, wrapped key


@dataclass(frozen=True, slots=True)
class _Slot:
    place: int
    epoch: Epoch
    root_id: bytes
    wrapped: bytes


class KeySlots:
    """The slot file under one root key. Methods raise `OSError`; the caller holds the vault's lock."""

    def __init__(self, path: str, root: RootKey, disk: Disk):
        self._places = Places(path, _MAGIC, SLOT_BYTES, disk)
        self._root = root
        self._slots: list[_Slot] = []
        self._opened: dict[bytes, bytes] = {}
        self.alive: frozenset[bytes] = frozenset()  # the ids of the epochs whose key is there

    @staticmethod
    def create(path: str, vault_id: bytes, disk: Disk, slots: int = SLOTS) -> None:
        Places.create(path, _MAGIC, SLOT_BYTES, slots, vault_id, disk)

    def close(self) -> None:
        self._opened.clear()
        self._places.close()

    @property
    def vault_id(self) -> bytes:
        return self._places.vault_id

    def load(self) -> None:
        """Reads the slots anew. Raises `WrongKey` if there are some and not all are under this root key."""
        self._opened.clear()
        self._slots = []
        for place, held in self._places.load():
            epoch, day, root_id, wrapped = _SLOT.unpack_from(held)
            self._slots.append(_Slot(place, Epoch(epoch, date.fromordinal(day)), root_id, wrapped))
        self._index()

    def _index(self) -> None:
        self.alive = frozenset(slot.epoch.id for slot in self._slots)

    def check_root(self) -> None:
        """Raises `WrongKey` if there are slots that only another root key opens."""
        ours = {slot.epoch for slot in self._slots if slot.root_id == self._root.id}
        if any(slot.epoch not in ours for slot in self._slots):
            raise WrongKey(
                f"{self._places.path}: the vault, or part of it, is sealed with another root key. "
                "Give that one; if a change of the root key was interrupted, run it again."
            )

    def damaged(self) -> tuple[int, ...]:
        return tuple(sorted(self._places.damaged))

    def epochs(self) -> list[Epoch]:
        """The epochs whose key is there, the oldest first."""
        return sorted({slot.epoch for slot in self._slots}, key=lambda epoch: (epoch.opened_on, epoch.id))

    def crowded(self) -> int:
        """How many epochs must go before there is comfortable room again; 0 while three quarters are not in use."""
        capacity, used = self._places.total() // COPIES, len(self.epochs())
        return used - capacity // 2 if used * 4 > capacity * 3 else 0

    def key(self, epoch: bytes) -> bytes:
        """The epoch's key. Raises `KeyGone` if there is no such epoch (any more), `Damaged` if no copy opens."""
        if epoch not in self._opened:
            copies = [slot for slot in self._slots if slot.epoch.id == epoch]
            if not copies:
                raise KeyGone(f"The key of epoch {epoch.hex()} is not in the vault: it was erased.")
            keys = [key for slot in copies if (key := self._open(slot, self._root)) is not None]
            if not keys:
                raise Damaged(f"{self._places.path}: the slot of epoch {epoch.hex()} was altered. Put the file back.")
            self._opened[epoch] = keys[0]
        return self._opened[epoch]

    def open_epoch(self, on: date, from_reserve: bool = False) -> Epoch:
        """A new epoch with a new key, durable and read back when this returns.

        Raises `NoSpace` if there is no slot for it: an erasure ceremony makes room. One epoch's worth of slots is kept
        back, for the ceremony itself and to change the root key with.
        """
        if self._places.free() < (COPIES if from_reserve else 2 * COPIES):
            raise NoSpace(f"{self._places.path}: all key slots are in use. Run an erasure ceremony, which makes room.")
        epoch = Epoch(secrets.token_bytes(8), on)
        self._add(epoch, secrets.token_bytes(KEY_BYTES), self._root, COPIES)
        return epoch

    def _purpose(self, epoch: Epoch) -> bytes:
        return self._places.vault_id + epoch.id + epoch.opened_on.toordinal().to_bytes(4, "big")

    def _open(self, slot: _Slot, root: RootKey) -> bytes | None:
        return unwrap(root.slot_key(), slot.wrapped, self._purpose(slot.epoch))

    def _add(self, epoch: Epoch, key: bytes, root: RootKey, copies: int) -> None:
        added = []
        for number in range(copies):
            wrapped = wrap(root.slot_key(), key, self._purpose(epoch))
            held = _SLOT.pack(epoch.id, epoch.opened_on.toordinal(), root.id, wrapped)
            place = self._places.fill(held, far=number > 0)
            added.append((_Slot(place, epoch, root.id, wrapped), held))
        self._places.sync(again_from_device=True)
        for slot, held in added:
            if not (self._places.read(slot.place) or b"").startswith(held):
                raise Damaged(f"{self._places.path}: slot {slot.place} does not hold what was written to it.")
            self._slots.append(slot)
        self._index()

    def erase(self, epochs: Collection[bytes]) -> None:
        """Overwrites all slots of these epochs and all damaged slots, durably, and looks whether they are empty."""
        gone = {slot.place for slot in self._slots if slot.epoch.id in epochs}
        self._empty(gone | self._places.damaged)
        for epoch in epochs:
            self._opened.pop(epoch, None)

    def _empty(self, places: Collection[int]) -> None:
        self._places.empty(places)
        self._slots = [slot for slot in self._slots if slot.place not in places]
        self._index()

    def mend(self) -> None:
        """Writes the copies of epoch keys that are missing. Raises `Damaged` if an epoch has none that opens."""
        for epoch in self.epochs():
            copies = sum(slot.epoch == epoch for slot in self._slots)
            if copies < COPIES <= self._places.free():
                self._add(epoch, self.key(epoch.id), self._root, COPIES - copies)

    def change_root(self, new: RootKey) -> None:
        """Seals all epoch keys under another root key; for each, the new slots are durable before the old ones go.

        May be run again after it was interrupted, by an object made with the old root key or, once nothing is left
        under that one, with any. Raises `WrongKey` before anything is changed if a slot opens under neither key.
        """
        keys: dict[Epoch, bytes] = {}
        for slot in self._slots:
            for root in (self._root, new):
                if root.id == slot.root_id and (key := self._open(slot, root)) is not None:
                    keys[slot.epoch] = key
        if keys.keys() != set(self.epochs()):
            raise WrongKey(f"{self._places.path}: some slots open neither with the old root key nor with the new one.")
        for epoch, key in keys.items():
            sound = {slot.place for slot in self._slots if slot.epoch == epoch and self._open(slot, new) == key}
            old = {slot.place for slot in self._slots if slot.epoch == epoch} - sound
            if len(sound) < COPIES:
                self._add(epoch, key, new, COPIES - len(sound))
            self._empty(old)
        self._root = new
