"""The file of keys beside a backup: encrypted for persons, since whoever has backup and keys together has everything.

With key slots in it, it brings back what was erased after it was made. So slots are only written where the settings
say for how many days such copies are kept (`vault.key_backup_days`), which stands on every certificate.
"""

from __future__ import annotations

import base64
import json
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from agent.age.base import Damaged as AgeFileDamaged
from agent.age.base import WrongKey as NotARecipient
from agent.age.message import decrypt, encrypt
from agent.errors import ConfigurationError, UsageError
from agent.keys import MASTER_BYTES
from agent.usecases.backup_draft import sync_folder, writing
from agent.usecases.backup_manifest import BackupDamaged
from agent.vault.base import WrongKey
from agent.vault.keys import KEY_BYTES

_WHAT = "retentiond keys of a backup"
_LARGEST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class KeysOrder:
    """That a file of keys is wanted: where, for whom, and whether with the vault's key slots.

    `root` is the vault's root key, none if there is no vault; `key_backup_days` is what the settings say.
    Raises `UsageError` without recipients, `ConfigurationError` if slots may not be backed up.
    """

    path: Path
    recipients: tuple[str, ...]
    root: bytes | None = field(repr=False)
    slots: bool
    key_backup_days: int

    def __post_init__(self) -> None:
        if not self.recipients:
            raise UsageError("Keys are written for somebody. Give at least one --recipient (age1…).")
        encrypt(b"", self.recipients)  # a mistyped recipient is told before anything is written
        if self.slots and self.root is None:
            raise UsageError("There is no vault here, so there are no key slots to write.")
        if self.slots and not self.key_backup_days:
            raise ConfigurationError(
                "Key slots may not be backed up here: vault.key_backup_days is 0, and certificates say so. A copy of "
                "the slots brings back the keys of what is erased after it was made. To allow it, set "
                "vault.key_backup_days to the days after which every such copy is deleted; or leave out --with-slots."
            )

    def delete_by(self, made_on: date) -> date | None:
        """The day on which the file must be gone; none without slots."""
        return made_on + timedelta(days=self.key_backup_days) if self.slots else None


@dataclass(frozen=True, slots=True)
class Keys:
    """What a file of keys holds. `backup` is the id of the backup that it was written with."""

    backup: str
    master: bytes = field(repr=False)
    root: bytes | None = field(repr=False)
    slots: bytes | None = field(repr=False)
    delete_by: date | None


def write_keys(path: Path, keys: Keys, recipients: Sequence[str]) -> None:
    """Writes a new file (mode 0600) that each of the recipients can open alone; whole and durable or not at all.

    Raises `UsageError` if there is a file already or it cannot be written.
    """
    slots = None if keys.slots is None else base64.b64encode(zlib.compress(keys.slots)).decode()
    root = None if keys.root is None else keys.root.hex()
    facts = {"backup": keys.backup, "master_key": keys.master.hex(), "root_key": root, "slots": slots}
    by = None if keys.delete_by is None else keys.delete_by.isoformat()
    sealed = encrypt(json.dumps({"what": _WHAT, **facts, "delete_by": by}).encode(), recipients)
    with writing(str(path)):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileExistsError as error:
            raise UsageError(f"{path}: there is a file already, and keys never replace one. Name another.") from error
        try:
            with open(descriptor, "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(descriptor)
            sync_folder(path.parent)
        except BaseException:
            path.unlink()
            raise


@dataclass(frozen=True, slots=True)
class _Written:
    what: str
    backup: str
    master_key: str
    root_key: str | None
    slots: str | None
    delete_by: date | None


_READER = TypeAdapter(_Written)


def open_keys(path: Path, identities: Sequence[str]) -> Keys:
    """The keys in such a file, with the first of these age identities that opens it.

    Raises `UsageError` if it cannot be read, `WrongKey` if it was made for others, `BackupDamaged`.
    """
    try:
        with open(path, "rb") as file:
            sealed = file.read(_LARGEST_BYTES)
    except OSError as error:
        raise UsageError(f"{path}: the file of keys cannot be read ({error.strerror}).") from error
    plain = _opened(path, sealed, identities)
    try:
        written = _READER.validate_json(plain, strict=True)
        master, root = bytes.fromhex(written.master_key), written.root_key and bytes.fromhex(written.root_key)
        slots = None if written.slots is None else _expanded(base64.b64decode(written.slots, validate=True))
    except (ValidationError, ValueError, zlib.error):
        raise _none_of_ours(path) from None
    if written.what != _WHAT or len(master) != MASTER_BYTES or (root and len(root) != KEY_BYTES):
        raise _none_of_ours(path)
    return Keys(written.backup, master, root or None, slots, written.delete_by)


def _opened(path: Path, sealed: bytes, identities: Sequence[str]) -> bytes:
    for identity in identities:
        try:
            return decrypt(sealed, identity)
        except NotARecipient:
            continue
        except AgeFileDamaged as error:
            raise BackupDamaged(f"{path}: {error}") from None
    raise WrongKey(f"{path}: this file of keys was made for others. Use the identity of one of its recipients.")


def _expanded(data: bytes) -> bytes:
    expanding: Any = zlib.decompressobj()
    expanded: bytes = expanding.decompress(data, _LARGEST_BYTES)
    if not expanding.eof:
        raise ValueError("more than any file of key slots")
    return expanded


def _none_of_ours(path: Path) -> BackupDamaged:
    return BackupDamaged(f"{path}: this age file holds no keys of a backup. Use the one that was written with it.")
