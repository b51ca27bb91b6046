"""The vault: a directory of sealed objects, each under a key that can be made to vanish."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
import threading
from collections.abc import Callable, Iterator
from datetime import date

from agent.errors import ConfigurationError
from agent.vault.base import (
    AlreadyThere,
    Ceremony,
    Damaged,
    Entry,
    Fate,
    KeyGone,
    Opened,
    Sealed,
    StorageFailed,
    Strays,
    VaultError,
    id_bytes,
)
from agent.vault.ceremony import epoch_of, hold_ceremony
from agent.vault.disk import Disk, plainly, sync_directory
from agent.vault.keyring import Keyring
from agent.vault.keys import KEY_BYTES, RootKey, new_root_key
from agent.vault.places import VAULT_ID_BYTES
from agent.vault.shelves import ENC, PART, Shelves
from agent.vault.slots import SLOTS, KeySlots
from agent.vault.stream import CHUNK_BYTES, Content, seal, unseal, unseal_metadata

_UNKNOWN = -1  # no generation of the key files: they must be read before they are used


class Vault:
    """An open vault. Several threads and processes may have it open; what changes keys is done one after the other.

    Directory, all for its owner alone:

        objects/ab/ab….enc   sealed objects (`stream.py`); ….part while one is being written
        keyring              the items' wrapped keys (`keyring.py`); locked while keys change
        slots                the epoch keys (`slots.py`); better on another device, see `slots_path`

    Ids are 32 lower-case hexadecimal digits, else `ValueError`. Every method raises `StorageFailed` or `NoSpace` where
    the system refuses, and may be called again then.
    """

    def __init__(
        self,
        directory: str,
        root: RootKey,
        *,
        former: RootKey | None = None,
        slots_path: str | None = None,
        disk: Disk | None = None,
        chunk_bytes: int = CHUNK_BYTES,
    ):
        """Opens the vault in `directory`.

        With `former`, seals it with `root` instead of that key first; to be repeated if it was interrupted.
        Raises `ConfigurationError` if there is no vault or others can look into it, `WrongKey` if it is sealed with
        another root key, `Damaged` if a key file is not what it should be.
        """
        self._disk = disk or Disk()
        self._chunk_bytes = chunk_bytes
        self._thread = threading.Lock()
        self._known = _UNKNOWN
        self._root_settled = former is None
        _check_private(directory)
        keyring = os.path.join(directory, "keyring")
        with contextlib.ExitStack() as opened, plainly(f"{directory}: cannot open the vault"):
            self._lock = os.open(keyring, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            opened.callback(os.close, self._lock)
            self._keyring = Keyring(keyring, self._disk)
            opened.callback(self._keyring.close)
            self._slots = KeySlots(slots_path or os.path.join(directory, "slots"), former or root, self._disk)
            opened.callback(self._slots.close)
            if self._slots.vault_id != self._keyring.vault_id:
                raise Damaged(f"{directory}: the slot file is that of another vault. Put the right one back.")
            self._shelves = Shelves(os.path.join(directory, "objects"), self._disk)
            if former is not None:
                with self._changing():
                    self._slots.change_root(root)
                self._root_settled = True
            with self._locked():
                self._open = opened.pop_all()

    @staticmethod
    def create(directory: str, *, slots_path: str | None = None, disk: Disk | None = None, slots: int = SLOTS) -> None:
        """Makes an empty vault; finishes one whose making was cut off.

        Raises `AlreadyThere` if there is a vault, or a slot file in use where the new one should be.
        """
        disk = disk or Disk()
        slots_path = slots_path or os.path.join(directory, "slots")
        keyring = os.path.join(directory, "keyring")
        with plainly(f"{directory}: cannot make the vault"):
            if os.path.lexists(keyring):
                raise AlreadyThere(f"{directory}: there is a vault here already.")
            for path in (directory, os.path.join(directory, "objects")):
                with contextlib.suppress(FileExistsError):
                    disk.make_directory(path)
            _check_private(directory)
            if not os.path.lexists(slots_path):
                KeySlots.create(slots_path, secrets.token_bytes(VAULT_ID_BYTES), disk, slots)
            vault_id = _unused(slots_path, disk)
            sync_directory(disk, os.path.dirname(os.path.abspath(directory)))
            Keyring.create(keyring, vault_id, disk)  # the last step: from here on there is a vault

    def __enter__(self) -> Vault:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the files. May be called twice."""
        self._open.close()

    @property
    def id(self) -> str:
        """What tells this vault from others."""
        return self._keyring.vault_id.hex()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody else changes keys meanwhile, and what we know of them is what is on the device."""
        with self._thread:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            try:
                if self._keyring.generation() != self._known:
                    self._known = _UNKNOWN
                    self._slots.load()
                    if self._root_settled:
                        self._slots.check_root()
                    self._keyring.load()
                    self._known = self._keyring.generation()
                yield
            finally:
                fcntl.flock(self._lock, fcntl.LOCK_UN)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """The same, for changes. After one that failed nothing we remember is trusted: the files are read again."""
        with self._locked():
            number, self._known = self._keyring.new_generation(), _UNKNOWN
            yield
            self._known = number

    def put(self, descriptor: int, id: str, metadata: bytes, on: date) -> Sealed:
        """Seals the file open in `descriptor`, under that day's epoch; durable and proven readable when it returns.

        `metadata` is sealed with it and comes back with it. A copy that could not be made durable, or was read back
        different, is written once more, to a new file. If this raises, the vault holds nothing of the item; only
        after a crash may there be something, which `discard` removes.
        Raises `AlreadyThere`, `SourceChanged`, `Damaged` if the copy is not read back as it was written.
        """
        raw = id_bytes(id)
        with plainly(f"Cannot seal vault object {id}"), self._shelves.shelf(id, make=True) as shelf:
            with self._locked():
                self._must_be_new(id)
            try:
                key, content = self._copied(descriptor, shelf, id, metadata)
            except (StorageFailed, Damaged):
                key, content = self._copied(descriptor, shelf, id, metadata)
            with _undone_on_failure(lambda: self._disk.unlink(id + PART, shelf)), self._changing():
                self._must_be_new(id)
                with _undone_on_failure(lambda: self._take_back(id)):
                    epoch = epoch_of(self._slots, on) or self._slots.open_epoch(on)
                    self._keyring.add(raw, key, epoch.id, self._slots)
                    self._keyring.sync()
                    self._disk.rename_new(shelf, id + PART, id + ENC)
                    self._disk.sync(shelf)
            return Sealed(id, content.sha256, content.size_bytes, content.stored_bytes, epoch.name)

    def _must_be_new(self, id: str) -> None:
        if self._keyring.fate(id_bytes(id), self._slots) is not Fate.ABSENT or self._shelves.size(id):
            raise AlreadyThere(f"The vault knows object {id} already.")

    def _copied(self, descriptor: int, shelf: int, id: str, metadata: bytes) -> tuple[bytes, Content]:
        """A new .part, durable and read back, and its key. None is left if this raises."""
        key = secrets.token_bytes(KEY_BYTES)
        try:
            part = self._disk.create(id + PART, shelf)
        except FileExistsError:
            raise AlreadyThere(
                f"There is an unfinished copy of vault object {id}; it must be discarded first."
            ) from None
        try:
            with _undone_on_failure(lambda: self._disk.unlink(id + PART, shelf)):
                content = seal(descriptor, part, key, id, metadata, self._disk, self._chunk_bytes)
                with plainly(f"Vault object {id} could not be made durable"):
                    self._disk.sync(part)
                self._disk.forget_cache(part)
                read = unseal(part, key, id, None, self._disk)
                if (read.metadata, read.sha256, read.size_bytes) != (metadata, content.sha256, content.size_bytes):
                    raise Damaged(f"Vault object {id} was not read back as it was written.")
                return key, content
        finally:
            os.close(part)

    def _take_back(self, id: str) -> None:
        self._shelves.remove([id])
        self._keyring.drop([id_bytes(id)])

    @contextlib.contextmanager
    def _object(self, id: str, to: str) -> Iterator[tuple[int, bytes]]:
        """The object, open for reading, and its key."""
        raw = id_bytes(id)
        with plainly(f"Cannot {to} vault object {id}"):
            with self._locked():
                key = self._keyring.key(raw, self._slots)
                try:
                    descriptor = self._shelves.open(id)
                except FileNotFoundError:
                    raise Damaged(f"Vault object {id} is missing. Put it back from a backup of the vault.") from None
            try:
                yield descriptor, key
            finally:
                os.close(descriptor)

    def restore_to(self, id: str, descriptor: int) -> Opened:
        """Writes the content into the empty file open in `descriptor`, with its holes; the caller syncs it.

        The object stays. Raises `KeyGone`, and `Damaged`: then what is in the file must be thrown away.
        """
        if os.fstat(descriptor).st_size:
            raise ValueError("an item is restored into an empty file only")
        with self._object(id, "restore") as (source, key):
            return unseal(source, key, id, descriptor, self._disk)

    def verify(self, id: str) -> Opened:
        """Reads the whole object from the device and checks it, writing nothing. Raises `KeyGone`, `Damaged`."""
        with self._object(id, "read") as (source, key):
            self._disk.forget_cache(source)
            return unseal(source, key, id, None, self._disk)

    def metadata(self, id: str) -> bytes:
        """What was given with the content. Reads only the beginning. Raises `KeyGone`, `Damaged`."""
        with self._object(id, "read") as (source, key):
            return unseal_metadata(source, key, id)

    def fate(self, id: str) -> Fate:
        """How the item stands: absent, sealed, destroyed or erased."""
        with plainly("Cannot read the vault's keys"), self._locked():
            return self._keyring.fate(id_bytes(id), self._slots)

    def remove(self, *ids: str) -> None:
        """Destroys items: their keys are overwritten, then the objects unlinked; `fate` is `DESTROYED`. Durable.

        They are `ERASED` after the next ceremony. Removing again does nothing, and finishes what was cut off.
        Raises `KeyGone` before anything is changed if the vault knows nothing of one of them.
        """
        with plainly("Cannot destroy the vault's objects"), self._changing():
            unreadable = set()
            for id in ids:
                raw = id_bytes(id)
                if raw not in self._keyring.destroyed() and not self._keyring.held_alive(raw, self._slots):
                    if raw not in self._keyring.ids() and not self._shelves.size(id):
                        raise KeyGone(f"The vault knows nothing of object {id}.")
                    unreadable.add(raw)
            self._keyring.destroy({id_bytes(id) for id in ids} - unreadable)
            self._keyring.destroy(unreadable, also_under=self._slots.alive)  # whose key they had cannot be known
            self._shelves.remove(ids)

    def discard(self, *ids: str) -> None:
        """Removes the vault's copies of items that are whole elsewhere: put back, restored, or never finished.

        Their keys are overwritten, nothing is said to be erased, and no ceremony waits for them. Durable, idempotent.
        """
        with plainly("Cannot discard the vault's objects"), self._changing():
            raws = [id_bytes(id) for id in ids]
            self._shelves.remove(ids)  # first: a key without its object is harmless, an object without its key is not
            self._keyring.drop(raws)

    def erase(self, today: date) -> Ceremony:
        """The nightly ceremony: destroyed items become erased, the others keep their contents under another epoch.

        Safe to cut off anywhere and to run again; says again what is erased until `forget`.
        Raises `Damaged`, with nothing erased, while an object has no key that opens it.
        """
        with plainly("The erasure ceremony cannot go on"), self._changing():
            ceremony = hold_ceremony(self._slots, self._keyring, self._without_key(), today)
            self._shelves.remove([id for id, _ in self._shelves.objects() if self._is_destroyed(id)])
            return ceremony

    def forget(self, *ids: str) -> None:
        """Lets go of the last trace of erased items, once it is recorded elsewhere that they are. Idempotent.

        Raises `VaultError` before anything is changed if one is not erased.
        """
        with plainly("Cannot change the vault's keys"), self._changing():
            for id in ids:
                if self._keyring.fate(id_bytes(id), self._slots) not in (Fate.ERASED, Fate.ABSENT):
                    raise VaultError(f"Vault object {id} is not erased, so it cannot be forgotten.")
            self._keyring.forget([id_bytes(id) for id in ids])

    def entries(self) -> list[Entry]:
        """All that the vault knows of, by id; an object without any record of a key counts as absent."""
        with plainly("Cannot list the vault"), self._locked():
            sizes = dict(self._shelves.objects())
            ids = sorted(sizes.keys() | {raw.hex() for raw in self._keyring.ids()})
            return [Entry(id, self._keyring.fate(id_bytes(id), self._slots), sizes.get(id, 0)) for id in ids]

    def strays(self) -> Strays:
        """What lies here and belongs to no item, for a person to look at."""
        with plainly("Cannot list the vault"), self._locked():
            objects = {id for id, _ in self._shelves.objects()}
            keyed = {raw.hex() for raw in self._keyring.ids() - set(self._keyring.destroyed())}
            return Strays(
                parts=tuple(self._shelves.parts()),
                without_key=self._without_key(),
                without_object=tuple(sorted(keyed - objects)),
                foreign=tuple(self._shelves.foreign()),
                damaged_keys=self._keyring.damaged(),
                damaged_slots=self._slots.damaged(),
            )

    def _is_destroyed(self, id: str) -> bool:
        return id_bytes(id) in self._keyring.destroyed()

    def _without_key(self) -> tuple[str, ...]:
        return tuple(
            id
            for id, _ in self._shelves.objects()
            if not self._is_destroyed(id) and not self._keyring.held_alive(id_bytes(id), self._slots)
        )


def _check_private(directory: str) -> None:
    try:
        found = os.lstat(directory)
    except FileNotFoundError:
        raise ConfigurationError(f"{directory}: there is no vault here.") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o077 or found.st_uid != os.geteuid():
        raise ConfigurationError(
            f"{directory}: the vault must be a directory of its own user that nobody else can enter. "
            f"Run as that user: chmod 700 {directory}"
        )


def _unused(slots_path: str, disk: Disk) -> bytes:
    """The vault id in a slot file that holds no key. Raises `AlreadyThere` if it holds some."""
    slots = KeySlots(slots_path, new_root_key(), disk)
    try:
        slots.load()
        if slots.alive or slots.damaged():
            raise AlreadyThere(f"{slots_path}: these key slots are in use by a vault, and they are never replaced.")
        return slots.vault_id
    finally:
        slots.close()


@contextlib.contextmanager
def _undone_on_failure(undo: Callable[[], None]) -> Iterator[None]:
    """If the block raises, tries to undo what it began; what cannot be undone is left for `discard`."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError, VaultError):
            undo()
        raise
