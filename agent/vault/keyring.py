"""The items' keys, each wrapped under its epoch's key, and what remains of those that were destroyed."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from typing import NamedTuple

from agent.vault.base import ID_BYTES, Damaged, Fate, KeyGone, VaultError
from agent.vault.disk import Disk
from agent.vault.keys import WRAPPED_BYTES, unwrap, wrap
from agent.vault.places import Places
from agent.vault.slots import KeySlots

PLACE_BYTES = 128  # divides a sector, so that no record lies across two
GROWTH = 1024

_MAGIC = b"RTDKEYS\0"
_RECORD = struct.Struct(f">c{ID_BYTES}s8s{WRAPPED_BYTES}s")
_KEY, _TOMB = b"K", b"T"


class Held(NamedTuple):
    """A record of one item: where it is, and the epoch it belongs to."""

    place: int
    epoch: bytes


class Keyring:
    """The key file. Of an item it holds

    - one *key* record while it is sealed; two for a moment while a ceremony moves it to another epoch;
    - after it was destroyed, a *tomb* record for each epoch its key ever hung from and that was still there.

    So what has to be erased, and what is, follows from the two key files alone, whenever power fails.
    Methods raise `OSError`; the caller holds the vault's lock.
    """

    def __init__(self, path: str, disk: Disk):
        self._places = Places(path, _MAGIC, PLACE_BYTES, disk)
        self._keys: dict[bytes, tuple[Held, ...]] = {}
        self._tombs: dict[bytes, tuple[Held, ...]] = {}

    @staticmethod
    def create(path: str, vault_id: bytes, disk: Disk) -> None:
        Places.create(path, _MAGIC, PLACE_BYTES, GROWTH - 1, vault_id, disk)

    def close(self) -> None:
        self._places.close()

    @property
    def vault_id(self) -> bytes:
        return self._places.vault_id

    def generation(self) -> int:
        return self._places.generation()

    def new_generation(self) -> int:
        return self._places.new_generation()

    def load(self) -> None:
        """Reads the file anew, from the device."""
        self._keys.clear()
        self._tombs.clear()
        epochs: dict[bytes, bytes] = {}  # one object for each epoch, however many items it has
        for place, record in self._places.load():
            kind, id, epoch, _ = _RECORD.unpack_from(record)
            self._note(kind, id, Held(place, epochs.setdefault(epoch, epoch)))

    def _note(self, kind: bytes, id: bytes, held: Held) -> None:
        index = self._keys if kind == _KEY else self._tombs
        index[id] = (*index.get(id, ()), held)

    def damaged(self) -> tuple[int, ...]:
        return tuple(sorted(self._places.damaged))

    def ids(self) -> set[bytes]:
        """All items it knows of."""
        return self._keys.keys() | self._tombs.keys()

    def destroyed(self) -> Collection[bytes]:
        """The items that have a tomb."""
        return self._tombs.keys()

    def fate(self, id: bytes, slots: KeySlots) -> Fate:
        """How the item stands. A slot that cannot be read may be the one that matters: then nothing is erased yet."""
        if tombs := self._tombs.get(id):
            waits = slots.damaged() or id in self._keys or any(tomb.epoch in slots.alive for tomb in tombs)
            return Fate.DESTROYED if waits else Fate.ERASED
        return Fate.SEALED if id in self._keys else Fate.ABSENT

    def add(self, id: bytes, key: bytes, epoch: bytes, slots: KeySlots) -> None:
        """Wraps and writes the item's key. Durable after `sync`."""
        wrapped = wrap(slots.key(epoch), key, self._purpose(id, epoch))
        self._fill(_KEY, id, epoch, wrapped)

    def _fill(self, kind: bytes, id: bytes, epoch: bytes, wrapped: bytes) -> None:
        if not self._places.free():
            self._places.grow(GROWTH)
        self._note(kind, id, Held(self._places.fill(_RECORD.pack(kind, id, epoch, wrapped)), epoch))

    def sync(self) -> None:
        """What was written is durable, and what is read next comes from the device."""
        self._places.sync(again_from_device=True)

    def _purpose(self, id: bytes, epoch: bytes) -> bytes:
        return self.vault_id + id + epoch

    def key(self, id: bytes, slots: KeySlots, without: Collection[bytes] = ()) -> bytes:
        """The item's key, from a record under an epoch that is not among `without`.

        Raises `KeyGone` if it has none, was destroyed, or its epoch is gone; `Damaged` if it does not open.
        """
        if id in self._tombs or not self._keys.get(id):
            raise KeyGone(f"The key of vault object {id.hex()} is not in the vault: destroyed, or never put there.")
        under = [held for held in self._keys[id] if held.epoch in slots.alive and held.epoch not in without]
        if not under and not slots.damaged():
            raise KeyGone(f"The epoch key that vault object {id.hex()} hangs from is not in the vault any more.")
        for held in reversed(under):
            record = self._places.read(held.place)
            if record is None:
                continue
            _, whose, epoch, wrapped = _RECORD.unpack_from(record)
            key = unwrap(slots.key(held.epoch), wrapped, self._purpose(id, held.epoch))
            if (whose, epoch) == (id, held.epoch) and key is not None:
                return key
        raise Damaged(
            f"The key of vault object {id.hex()} does not open. Put the vault's key files back from a backup."
        )

    def held(self, id: bytes) -> tuple[Held, ...]:
        """The key records of an item."""
        return self._keys.get(id, ())

    def held_alive(self, id: bytes, slots: KeySlots) -> bool:
        """Whether there is a key record of the item under an epoch that is still there."""
        return any(held.epoch in slots.alive for held in self.held(id))

    def opens(self, id: bytes, slots: KeySlots, without: Collection[bytes] = ()) -> bool:
        """Whether `key` gives the item's key."""
        try:
            self.key(id, slots, without)
        except VaultError:
            return False
        return True

    def held_in(self, epochs: Collection[bytes]) -> Iterator[tuple[bytes, Held]]:
        """The key records under these epochs."""
        for id, all_held in self._keys.items():
            for held in all_held:
                if held.epoch in epochs:
                    yield id, held

    def epochs_in_use(self) -> set[bytes]:
        """The epochs that some item's key is wrapped under."""
        return {held.epoch for all_held in self._keys.values() for held in all_held}

    def epochs_to_erase(self) -> set[bytes]:
        """The epochs that destroyed items hung from, erased ones included."""
        return {tomb.epoch for tombs in self._tombs.values() for tomb in tombs}

    def destroy(self, ids: Collection[bytes], also_under: Collection[bytes] = ()) -> None:
        """A tomb for each epoch an item's key is under, and for `also_under`; then the keys are overwritten. Durable.

        May be run again after it was interrupted.
        """
        for id in ids:
            wanted = {held.epoch for held in self.held(id)}.union(also_under)
            for epoch in sorted(wanted - {tomb.epoch for tomb in self._tombs.get(id, ())}):
                self._fill(_TOMB, id, epoch, bytes(WRAPPED_BYTES))
        self.sync()
        self.drop(ids)

    def half_destroyed(self) -> set[bytes]:
        """The items that have a tomb and a key still: their destruction was cut off."""
        return self._keys.keys() & self._tombs.keys()

    def drop(self, ids: Collection[bytes]) -> None:
        """Overwrites the items' keys, and keeps no tomb of them."""
        self._places.empty(held.place for id in ids for held in self.held(id))
        for id in ids:
            self._keys.pop(id, None)

    def drop_all_in(self, epochs: Collection[bytes]) -> None:
        """Overwrites all key records under these epochs, of items that have another one each."""
        gone = list(self.held_in(epochs))
        self._places.empty(held.place for _, held in gone)
        for id in {id for id, _ in gone}:
            self._keys[id] = tuple(held for held in self._keys[id] if held.epoch not in epochs)

    def forget(self, ids: Collection[bytes]) -> None:
        """Empties the items' tombs: it is as if they had never been here."""
        self._places.empty(tomb.place for id in ids for tomb in self._tombs.get(id, ()))
        for id in ids:
            self._tombs.pop(id, None)

    def empty_damaged(self) -> None:
        """Overwrites the places that hold nothing sound."""
        self._places.empty(self._places.damaged)
