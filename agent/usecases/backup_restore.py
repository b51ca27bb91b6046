"""Restoring a backup into a state directory that does not exist yet, or is empty."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from agent.errors import UsageError
from agent.rights import is_shared
from agent.usecases.backup_archive import CATALOGUE, CHECKPOINTS, KEYRING, SCHEDULE, SETTINGS, Read, read_archive
from agent.usecases.backup_catalogue import faults_in, known_schema
from agent.usecases.backup_draft import sync_folder, writing
from agent.usecases.backup_keys import Keys
from agent.usecases.backup_manifest import BackupDamaged, Manifest
from agent.vault.keys import RootKey
from agent.vault.store import Vault

FILES = "restored"  # where settings, schedule and checkpoints are put, for a person to put them where they belong
_UNFINISHED = "restore-is-not-finished"
_OBJECTS = "vault/objects/"


@dataclass(frozen=True, slots=True)
class Restored:
    """What now lies in the state directory.

    `slots` says whether the vault's key slots do: without them nothing in it can be opened. `objects` is how many of
    its objects do, `opens` whether the root key that was given opens it; none if that could not be tried.
    """

    manifest: Manifest
    state: Path
    settings: Path | None
    schedule: Path | None
    master: bool
    root: bool
    slots: bool
    objects: int
    opens: bool | None


def restore_backup(path: Path, state: Path, keys: Keys | None) -> Restored:
    """Puts everything that the backup holds into a new or empty directory, each file for its owner alone; in one that
    belongs to a group that works in it together, catalogue and master key for that group as well.

    It is read from end to end and checked first, and checked again while it is written. The catalogue gets its name
    last: a directory in which this was cut off has none, and no command takes it for a state.
    Raises `UsageError` if the directory holds something, or the keys are of another installation; `BackupDamaged`,
    `CatalogueError` for a backup of a newer version, `VaultError` if the keys do not fit the vault. Then nothing is
    left of it.
    """
    state = state.absolute()
    _must_be_free(state)
    checked = read_archive(path, lambda name: None)
    _must_be_good(path, checked)
    known_schema(checked.manifest.schema, str(path))
    if keys is not None and not checked.manifest.sealed_by(keys.master):
        raise UsageError(
            f"{path}: the keys that were given are of another installation, or the manifest was changed since. Use the "
            "keys that belong to this backup, or another copy of it."
        )
    made: list[Path] = []
    with writing(str(state)):
        try:
            return _Restoring(path, state, keys, made).run()
        except BaseException:
            _undo(state, made)
            raise


class _Restoring:
    """`made` gets every file and directory as it is made, so that all can be taken back."""

    def __init__(self, path: Path, state: Path, keys: Keys | None, made: list[Path]) -> None:
        self._path, self._state, self._keys, self._made = path, state, keys, made
        self._shared = False

    def run(self) -> Restored:
        state, keys = self._state, self._keys
        if not state.is_dir():
            state.mkdir(mode=0o700, parents=True)
            self._made.append(state)
        self._shared = is_shared(state)
        if not self._shared:
            state.chmod(0o700)
        self._file(state / _UNFINISHED).close()
        read = read_archive(self._path, self._sink)
        _must_be_good(self._path, read)
        if faults := faults_in(state / f"{CATALOGUE}.{FILES}", read.manifest.schema):
            raise BackupDamaged(f"{self._path}: {faults[0]} Use another backup.")
        vault = read.manifest.vault
        slots = keys.slots if keys is not None and keys.backup == read.manifest.id else None
        if keys is not None:
            self._write(state / "master.key", keys.master)
            if self._shared:
                (state / "master.key").chmod(0o640)
        root = keys.root if keys is not None and vault is not None else None
        if root is not None:
            self._write(state / "vault.key", root)
        if vault is not None:
            self._folder(state / "vault" / "objects")
            if slots is not None:
                self._write(state / "vault" / "slots", slots)
        opens = self._try(root) if root is not None and slots is not None else None
        for folder in {file.parent for file in self._made}:
            sync_folder(folder)
        if self._shared:
            (state / f"{CATALOGUE}.{FILES}").chmod(0o660)
        (state / f"{CATALOGUE}.{FILES}").rename(state / CATALOGUE)
        (state / _UNFINISHED).unlink()
        sync_folder(state)
        return Restored(
            read.manifest,
            state,
            self._there(state / FILES / SETTINGS),
            self._there(state / FILES / SCHEDULE),
            keys is not None,
            root is not None,
            slots is not None,
            sum(name.startswith(_OBJECTS) for name in read.members),
            opens,
        )

    def _sink(self, name: str) -> BinaryIO | None:
        """Where a member goes. Names are ours: `read_archive` gives no others."""
        if name == CATALOGUE:
            return self._file(self._state / f"{CATALOGUE}.{FILES}")
        if name == KEYRING or name.startswith(_OBJECTS):
            return self._file(self._state / name)
        if name in (SETTINGS, SCHEDULE) or name.startswith(CHECKPOINTS):
            return self._file(self._state / FILES / name)
        return None

    def _try(self, root: bytes) -> bool:
        directory = str(self._state / "vault")
        with Vault(directory, RootKey(root)) as vault:
            vault.entries()
        return True

    def _folder(self, folder: Path) -> None:
        if not folder.is_dir():
            self._folder(folder.parent)
            folder.mkdir(mode=0o700)
            self._made.append(folder)

    def _file(self, path: Path) -> BinaryIO:
        self._folder(path.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._made.append(path)
        return open(path, "wb", opener=lambda *_: descriptor)

    def _write(self, path: Path, data: bytes) -> None:
        with self._file(path) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def _there(self, path: Path) -> Path | None:
        return path if path.exists() else None


def _must_be_free(state: Path) -> None:
    try:
        found = sorted(os.listdir(state))
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"{state}: nothing can be restored there ({error.strerror}). Name another --state.") from error
    if _UNFINISHED in found:
        raise UsageError(
            f"{state}: a restore was cut off here, and what lies there is not whole. Remove the directory, then run "
            "the command again."
        )
    if found:
        raise UsageError(
            f"{state}: there is something in this directory already, and a restore never replaces anything. Name a "
            "new one as --state, or move away what is there."
        )


def _must_be_good(path: Path, read: Read) -> None:
    if fault := next(read.faults(), None):
        raise BackupDamaged(f"{path}: {fault} Nothing was restored. Use another copy of this backup, or another one.")


def _undo(state: Path, made: list[Path]) -> None:
    for path in [state / CATALOGUE, *reversed(made)]:
        with contextlib.suppress(OSError):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
