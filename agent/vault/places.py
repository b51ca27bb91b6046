"""A file of equal places that are filled once, emptied by overwriting, and never rewritten while they are in use.

Keys lie in such files and not in a database, because a database writes a changed page somewhere else and leaves the
old one on the device: of a hundred keys deleted from SQLite, a hundred were still there. Here a place is emptied
where it is: with random bytes, made durable, then with zeros, made durable. And since a place only ever goes from
empty to filled and from filled to empty, a power cut in the middle of a write can spoil nothing that mattered.
"""

from __future__ import annotations

import os
import secrets
import struct
import zlib
from collections.abc import Iterable, Iterator

from agent.vault.base import Damaged, NoSpace
from agent.vault.disk import Disk, read_exactly, sync_directory

_HEADER = struct.Struct(">8sI16sQ")  # magic, bytes in a place, vault id, generation
_GENERATION = struct.Struct(">Q")
_GENERATION_AT = _HEADER.size - _GENERATION.size
_SUM = struct.Struct(">I")
_READ_BYTES = 1 << 20

VAULT_ID_BYTES = 16


class Places:
    """The file, open for as long as the vault is. The first place is its header; the others are numbered from 1.

    What a place holds ends in a checksum; a place that is neither empty nor sound is *damaged*: it is reported and
    not used again before someone empties it. All methods raise `OSError`.
    """

    def __init__(self, path: str, magic: bytes, place_bytes: int, disk: Disk):
        self.path = path
        self.place_bytes = place_bytes
        self.damaged: set[int] = set()
        self._free: list[int] = []
        self._count = 0
        self._disk = disk
        self._descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        header = read_exactly(self._descriptor, _HEADER.size, 0)
        if len(header) < _HEADER.size or header[:8] != magic or _HEADER.unpack(header)[1] != place_bytes:
            os.close(self._descriptor)
            raise Damaged(f"{path}: this is not the file that the vault keeps there. Put it back from a backup.")
        self.vault_id = bytes(_HEADER.unpack(header)[2])

    @staticmethod
    def create(path: str, magic: bytes, place_bytes: int, count: int, vault_id: bytes, disk: Disk) -> None:
        """Makes the file with `count` empty places: written with zeros, so that its blocks are there. Whole or not."""
        draft = f"{path}.{secrets.token_hex(8)}"
        descriptor = disk.create(draft)
        try:
            header = _HEADER.pack(magic, place_bytes, vault_id, 0)
            disk.write(descriptor, header.ljust(place_bytes * (count + 1), b"\0"), 0)
            disk.sync(descriptor)
            disk.link(draft, path)
        finally:
            os.close(descriptor)
            disk.unlink(draft)
        sync_directory(disk, os.path.dirname(path))

    def close(self) -> None:
        os.close(self._descriptor)

    def generation(self) -> int:
        """A number that changes with every change, so that another process can tell that its index is old."""
        return int.from_bytes(read_exactly(self._descriptor, _GENERATION.size, _GENERATION_AT), "big")

    def new_generation(self) -> int:
        number = self.generation() + 1
        self._disk.write(self._descriptor, _GENERATION.pack(number), _GENERATION_AT)
        return number

    def load(self) -> Iterator[tuple[int, bytes]]:
        """Every place that is filled, with what it holds, as it is on the device."""
        self._disk.forget_cache(self._descriptor)
        self.damaged.clear()
        self._free.clear()
        self._count = os.fstat(self._descriptor).st_size // self.place_bytes
        empty = bytes(self.place_bytes)
        per_read = max(1, _READ_BYTES // self.place_bytes)
        for first in range(1, self._count, per_read):
            count = min(per_read, self._count - first)
            block = read_exactly(self._descriptor, count * self.place_bytes, first * self.place_bytes)
            for number in range(first, first + count):
                begin = (number - first) * self.place_bytes
                place = block[begin : begin + self.place_bytes]
                if place == empty:
                    self._free.append(number)
                elif (held := self._sound(place)) is None:
                    self.damaged.add(number)
                else:
                    yield number, held
        self._free.reverse()

    def _sound(self, place: bytes) -> bytes | None:
        held, total = place[: -_SUM.size], place[-_SUM.size :]
        return held if zlib.crc32(held).to_bytes(_SUM.size, "big") == total else None

    def free(self) -> int:
        """How many places are empty."""
        return len(self._free)

    def total(self) -> int:
        """How many places there are."""
        return max(0, self._count - 1)

    def grow(self, count: int) -> None:
        """Adds empty places, durable before any is used."""
        self._disk.write(self._descriptor, bytes(count * self.place_bytes), self._count * self.place_bytes)
        self._disk.sync(self._descriptor)
        self._free[:0] = range(self._count + count - 1, self._count - 1, -1)
        self._count += count

    def fill(self, held: bytes, far: bool = False) -> int:
        """Puts it into the first empty place, or the last one; not durable before `sync`.

        Raises `NoSpace` if there is none.
        """
        if not self._free:
            raise NoSpace(f"{self.path}: no place is free.")
        number = self._free.pop(0 if far else -1)
        body = held.ljust(self.place_bytes - _SUM.size, b"\0")
        place = body + zlib.crc32(body).to_bytes(_SUM.size, "big")
        self._disk.write(self._descriptor, place, number * self.place_bytes)
        return number

    def read(self, number: int) -> bytes | None:
        """What the place holds now, or nothing if it is empty or damaged."""
        return self._sound(read_exactly(self._descriptor, self.place_bytes, number * self.place_bytes))

    def sync(self, again_from_device: bool = False) -> None:
        """What was filled is durable. `again_from_device`: the next reads do not come from memory."""
        self._disk.sync(self._descriptor)
        if again_from_device:
            self._disk.forget_cache(self._descriptor)

    def empty(self, numbers: Iterable[int]) -> None:
        """Overwrites the places where they are, twice, durably, and looks whether they are empty.

        Raises `Damaged` if one is not: then nothing may be called destroyed.
        """
        numbers = sorted(numbers)
        if not numbers:
            return
        for content in (secrets.token_bytes, bytes):
            for number in numbers:
                self._disk.write(self._descriptor, content(self.place_bytes), number * self.place_bytes)
            self.sync(again_from_device=True)
        for number in numbers:
            if any(read_exactly(self._descriptor, self.place_bytes, number * self.place_bytes)):
                raise Damaged(f"{self.path}: place {number} could not be overwritten. The device needs a look.")
        self.damaged.difference_update(numbers)
        self._free.extend(reversed(numbers))
