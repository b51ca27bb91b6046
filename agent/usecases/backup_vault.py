"""The vault in a backup: its objects' index, and how that stands against the vault that is there now."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.usecases.backup_archive import ArchiveWriter, index_line, object_member
from agent.usecases.backup_manifest import Member, VaultFacts
from agent.vault.base import Fate, StorageFailed
from agent.vault.disk import Disk, plainly
from agent.vault.keyring import Keyring
from agent.vault.shelves import Shelves
from agent.vault.store import Vault

Advance = Callable[[int, int], None]
_COPY_BYTES = 1 << 20
_TOLD = 20


@dataclass(frozen=True, slots=True)
class VaultFiles:
    """Where the vault's parts lie."""

    directory: Path
    slots: Path

    @property
    def keyring(self) -> Path:
        return self.directory / "keyring"

    @property
    def objects(self) -> Path:
        return self.directory / "objects"


@contextmanager
def unchanging(vault: VaultFiles | None) -> Iterator[None]:
    """No key of the vault changes meanwhile, and no object comes or is destroyed: whoever wants to, waits."""
    if vault is None:
        yield
        return
    with plainly(f"{vault.keyring}: cannot be locked"):
        held = os.open(vault.keyring, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        with plainly(f"{vault.keyring}: cannot be locked"):
            fcntl.flock(held, fcntl.LOCK_SH)
        yield
    finally:
        os.close(held)


def sizes_of(vault: VaultFiles) -> dict[str, int]:
    """The objects that lie in the vault, by their ids, and the bytes they take. Raises `VaultError`."""
    with plainly(f"{vault.objects}: cannot be listed"):
        return dict(Shelves(str(vault.objects), Disk()).objects())


def vault_id(keyring: Path) -> str:
    """Whose keys a copy of a key file holds. Raises `VaultError` if it is none."""
    with plainly(f"{keyring}: cannot be read"):
        opened = Keyring(str(keyring), Disk())
        opened.close()
    return opened.vault_id.hex()


def add_vault(
    archive: ArchiveWriter,
    vault: VaultFiles,
    sizes: Mapping[str, int],
    drafts: Path,
    with_objects: bool,
    advance: Advance,
) -> tuple[VaultFacts, dict[str, Member]]:
    """Adds the key file from its copy in `drafts`, the objects if they are wanted, and the index of the objects.

    Objects that were destroyed or given back since they were listed are left out: they must not outlive that here.
    Raises `StorageFailed` if an object that is wanted cannot be read.
    """
    members = {"vault/keyring": archive.add_file("vault/keyring", drafts / "keyring")}
    shelves = Shelves(str(vault.objects), Disk())
    gone, unreadable = [], []
    stored_bytes = 0
    with open(drafts / "index", "xb") as index:
        for id in sorted(sizes):
            try:
                member = _object(archive if with_objects else None, shelves, id)
            except FileNotFoundError:
                gone.append(id)
                continue
            if member is None:
                unreadable.append(id)
            else:
                stored_bytes += member.size_bytes
            index.write(index_line(id, member))
            advance(1, member.size_bytes if member is not None else 0)
    members["vault/index"] = archive.add_file("vault/index", drafts / "index")
    id, objects = vault_id(drafts / "keyring"), len(sizes) - len(gone)
    return VaultFacts(id, with_objects, objects, stored_bytes, tuple(gone), tuple(unreadable)), members


def _object(archive: ArchiveWriter | None, shelves: Shelves, id: str) -> Member | None:
    """The object's size and hash, after it was added if there is an archive; none if the disk does not give it."""
    descriptor = shelves.open(id)
    with open(descriptor, "rb", buffering=0) as file:
        size_bytes = os.fstat(descriptor).st_size
        try:
            member = _hashed(descriptor)
        except OSError as error:
            if archive is None:
                return None
            raise StorageFailed(
                f"Vault object {id} cannot be read ({error.strerror}), so that no backup with the vault can be made. "
                "Make one without the objects, and look after the vault:  retentiond vault verify"
            ) from error
        if archive is not None:
            file.seek(0)
            added = archive.add(object_member(id), file, size_bytes)
            if added != member:
                raise StorageFailed(f"Vault object {id} was read twice, and not the same. The device needs a look.")
        Disk().forget_cache(descriptor)
        return member


def _hashed(descriptor: int) -> Member:
    sha256, size_bytes = hashlib.sha256(), 0
    while piece := os.pread(descriptor, _COPY_BYTES, size_bytes):
        sha256.update(piece)
        size_bytes += len(piece)
    return Member(size_bytes, sha256.hexdigest())


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the vault stands against the index of a backup.

    `same` objects are as they were; `gone` ones were destroyed or given back since, or, if the vault could not be
    opened to ask, are just not there; `new` ones came since. `faults` are sentences.
    """

    same: int
    gone: int
    new: int
    asked: bool
    faults: tuple[str, ...]


def compare(index: Mapping[str, Member | None], files: VaultFiles, vault: Vault | None, advance: Advance) -> Comparison:
    """Reads every object of the index in the vault and holds it against its hash. Writes nothing.

    `vault` is the same vault, open, if its root key is at hand: only then can it be told whether an object that is not
    there was destroyed or is lost. Raises `VaultError` if the vault cannot be listed.
    """
    sizes = sizes_of(files)
    shelves = Shelves(str(files.objects), Disk())
    same = gone = 0
    faults = []
    for id, member in index.items():
        advance(1, member.size_bytes if member is not None else 0)
        if member is None:
            continue
        try:
            descriptor = shelves.open(id)
        except FileNotFoundError:
            if vault is not None and vault.fate(id) is Fate.SEALED:
                faults.append(f"vault object {id} is missing in the vault. Put it back from a backup with the vault.")
            else:
                gone += 1
            continue
        try:
            now = _hashed(descriptor)
        except OSError:
            now = None
        finally:
            os.close(descriptor)
        if now == member:
            same += 1
        else:
            faults.append(
                f"vault object {id} is not what it was when the backup was made. Run: retentiond vault verify"
            )
    untold = len(faults) - _TOLD
    told = faults[:_TOLD] + ([f"{untold:,} more objects of the vault are missing or changed."] if untold > 0 else [])
    return Comparison(same, gone, len(sizes.keys() - index.keys()), vault is not None, tuple(told))
