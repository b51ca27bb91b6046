"""What lies in the vault, found out from its files."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.fsck.base import VaultFiles, VaultNotOpened
from agent.fsck.files import open_directory, open_file
from agent.fsck.key_files import KeyFiles, Places
from agent.fsck.sealed import NotReadable, read_object

_SHELF = re.compile(r"[0-9a-f]{2}")
_OURS = re.compile(r"([0-9a-f]{32})\.(enc|part)")


@dataclass(frozen=True, slots=True)
class Copy:
    """What lies in the vault under one id: a finished object, an unfinished one, key records, tombs (their epochs)."""

    id: bytes
    object: bool = False
    part: bool = False
    keys: tuple[int, ...] = ()
    tombs: tuple[bytes, ...] = ()

    @property
    def words(self) -> str:
        """What there is beside tombs, in words; empty if nothing is."""
        there = (("an object", self.object), ("an unfinished object", self.part), ("a key", bool(self.keys)))
        return " and ".join(word for word, is_there in there if is_there)


class Vault:
    """The vault's files, open for reading; a vault that was never made is an empty one.

    Raises `VaultNotOpened` if its files are not what they should be, or may not be read here.
    """

    def __init__(self, files: VaultFiles) -> None:
        self._objects: set[bytes] = set()
        self._parts: set[bytes] = set()
        self.foreign: list[str] = []
        self._keys: KeyFiles | None = None
        self._shelves = os.path.join(files.directory, "objects")
        with contextlib.ExitStack() as opened:
            if os.path.lexists(files.directory):
                try:
                    self._look(files, opened)
                except OSError as error:
                    raise VaultNotOpened(
                        f"{error.filename or files.directory}: this part of the vault cannot be read "
                        f"({error.strerror}). Check that it is mounted, and run this as the vault's owner or as root."
                    ) from error
            self._opened = opened.pop_all()

    def _look(self, files: VaultFiles, opened: contextlib.ExitStack) -> None:
        keyring = Places(os.path.join(files.directory, "keyring"), b"RTDKEYS\0", 128)
        opened.callback(os.close, keyring.descriptor)
        slots = Places(os.fspath(files.slots), b"RTDSLOTS", 4096)
        opened.callback(os.close, slots.descriptor)
        fcntl.flock(keyring.descriptor, fcntl.LOCK_SH)  # as long as nobody changes keys
        try:
            self._keys = KeyFiles(keyring, slots, files.root_secret)
            self._list_shelves()
        finally:
            fcntl.flock(keyring.descriptor, fcntl.LOCK_UN)

    def _list_shelves(self) -> None:
        shelves = open_directory(self._shelves)
        try:
            for entry in _entries(shelves):
                if _SHELF.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                    self._list_shelf(shelves, entry.name)
                else:
                    self.foreign.append(entry.name)
        finally:
            os.close(shelves)

    def _list_shelf(self, shelves: int, name: str) -> None:
        shelf = open_directory(name, shelves)
        try:
            for entry in _entries(shelf):
                ours = _OURS.fullmatch(entry.name)
                if ours and entry.name.startswith(name) and entry.is_file(follow_symlinks=False):
                    (self._objects if ours[2] == "enc" else self._parts).add(bytes.fromhex(ours[1]))
                else:
                    self.foreign.append(os.path.join(name, entry.name))
        finally:
            os.close(shelf)

    def close(self) -> None:
        self._opened.close()

    @property
    def damaged_places(self) -> int:
        """How many places in the key files hold nothing sound."""
        return self._keys.damaged if self._keys else 0

    def alive(self, epoch: str) -> bool:
        """Whether the key of that epoch, by its hexadecimal digits, is there."""
        return self._keys is not None and self._keys.alive(epoch)

    def take(self, id: bytes) -> Copy:
        """What lies there under this id; what has been asked for is not among `rest` any more."""
        found = Copy(
            id,
            id in self._objects,
            id in self._parts,
            self._keys.keys.pop(id, ()) if self._keys else (),
            self._keys.tombs.pop(id, ()) if self._keys else (),
        )
        self._objects.discard(id)
        self._parts.discard(id)
        return found

    def rest(self) -> Iterator[Copy]:
        """What nobody has asked for."""
        known = self._keys.keys.keys() | self._keys.tombs.keys() if self._keys else set()
        for id in sorted(self._objects | self._parts | known):
            yield self.take(id)

    def key(self, copy: Copy) -> bytes:
        """The key of the copy. Raises `NotReadable`."""
        if self._keys is None or not copy.object:
            raise NotReadable("it is not there")
        if copy.tombs:
            raise NotReadable("its key was destroyed")
        return self._keys.key(copy.id, copy.keys)

    def read(self, copy: Copy, key: bytes) -> tuple[bytes, int]:
        """The SHA-256 of the plain content, and the bytes read. Raises `NotReadable`."""
        name = copy.id.hex()
        try:
            descriptor = open_file(os.path.join(self._shelves, name[:2], f"{name}.enc"))
            try:
                return read_object(descriptor, key, copy.id)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise NotReadable(f"the system does not let it be read ({error.strerror})") from error


def _entries(directory: int) -> list[os.DirEntry[str]]:
    with os.scandir(directory) as entries:
        return sorted(entries, key=lambda entry: entry.name)
