"""What the vault tells its callers: facts about what lies in it, and the ways in which it can fail."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from agent.errors import AgentError, ExitCode

ID_BYTES = 16
_ID = re.compile(r"[0-9a-f]{32}")


class VaultError(AgentError):
    """The vault cannot do what it was asked; what lies in it is as it was."""

    exit_code = ExitCode.VAULT


class Damaged(VaultError):
    """Something in the vault is not what was written there: cut short, altered, mixed up or worn out."""


class KeyGone(VaultError):
    """The item's key is not in the vault: it was destroyed, or never put there. Nobody can read the item."""


class WrongKey(VaultError):
    """The root key that was given is not the one this vault is sealed with."""


class NoSpace(VaultError):
    """The disk, a quota or the file of key slots is full. Nothing was kept of what was begun."""


class SourceChanged(VaultError):
    """The file was written to while it was being sealed, so that the copy is of no one state."""


class AlreadyThere(VaultError):
    """The vault knows this id already; it never replaces what it holds."""


class StorageFailed(VaultError):
    """The system refused to read, write or make durable. The device or the file system needs a look."""


class Fate(StrEnum):
    """How an item stands with the vault."""

    ABSENT = "absent"  # the vault knows nothing of it
    SEALED = "sealed"  # its object is here and its key is
    DESTROYED = "destroyed"  # its key was overwritten; the epoch key that could open an old copy of it still exists
    ERASED = "erased"  # the epoch keys it ever hung from are gone as well: no copy can be opened by anyone


@dataclass(frozen=True, slots=True)
class Sealed:
    """A copy that was written, made durable, read back and found equal.

    `size_bytes` and `sha256` are those of the plain content, holes included; `stored_bytes` is what it takes here.
    """

    id: str
    sha256: str
    size_bytes: int
    stored_bytes: int
    epoch: str


@dataclass(frozen=True, slots=True)
class Opened:
    """What came out of an object that was read from end to end. `metadata` is what the caller gave when sealing it."""

    metadata: bytes
    sha256: str
    size_bytes: int
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One item in the vault's list. `stored_bytes` is 0 where no object lies here (any more)."""

    id: str
    fate: Fate
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class Strays:
    """What lies in the vault and belongs to no item: reported, never deleted by itself.

    `parts` are copies that were never finished; `without_key` are objects that no key opens; `without_object` are
    ids whose key is here but not the object; `foreign` are names that the vault never gives;
    `damaged_keys` and `damaged_slots` are places in the two key files: worn out, or their overwriting was cut off. The
    next ceremony empties them.
    """

    parts: tuple[str, ...] = ()
    without_key: tuple[str, ...] = ()
    without_object: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    damaged_keys: tuple[int, ...] = ()
    damaged_slots: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Epoch:
    """A key that items share for a time, usually a day; an item is erased with the epoch it was destroyed in."""

    id: bytes
    opened_on: date

    @property
    def name(self) -> str:
        """The epoch's id in hexadecimal digits, for people and records."""
        return self.id.hex()


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What an erasure ceremony did. `erased` names all items that are erased and not yet forgotten."""

    epochs: tuple[str, ...]
    survivors: int
    erased: tuple[str, ...]


def id_bytes(id: str) -> bytes:
    """The 16 bytes of an item's id. Raises `ValueError` unless it is 32 lower-case hexadecimal digits."""
    if not _ID.fullmatch(id):
        raise ValueError("a vault id is 32 lower-case hexadecimal digits")
    return bytes.fromhex(id)
