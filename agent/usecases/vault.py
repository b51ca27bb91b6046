"""Looking after the vault: making it, proving that it can be read, and that its recovery bundle opens it."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.age.keys import identity_key, new_identity
from agent.errors import ConfigurationError, UsageError
from agent.vault.base import AlreadyThere, Damaged, Entry, Fate, Strays, VaultError, WrongKey, id_bytes
from agent.vault.keys import RootKey, keep_root_key, new_root_key, root_key
from agent.vault.recovery import open_bundle
from agent.vault.store import Vault

Advance = Callable[[int, int], None]

_KEYRING, _OBJECTS = "keyring", "objects"


@dataclass(frozen=True, slots=True)
class Fault:
    """An object that cannot be read, with a sentence that says why and what to do."""

    id: str
    said: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What reading objects from end to end has shown.

    `sound` objects of `stored_bytes` in the vault were as they were sealed; `gone` ones were destroyed meanwhile.
    `strays` is what the key files and the objects say about each other, whichever objects were read.
    """

    sound: int
    stored_bytes: int
    gone: int
    faults: tuple[Fault, ...]
    strays: Strays

    @property
    def good(self) -> bool:
        """Whether everything that was looked at is as it should be. Unfinished copies and foreign names do no harm."""
        found = self.strays
        return not (
            self.faults or found.without_key or found.without_object or found.damaged_keys or found.damaged_slots
        )


@dataclass(frozen=True, slots=True)
class Made:
    """What making a vault had still to make."""

    vault: bool
    key: bool


def make_vault(directory: str, slots: str, key_file: str, root: RootKey | None) -> Made:
    """Makes a vault if there is none, and a root key in `key_file` unless there is a `root`. Never replaces anything.

    Paths are absolute. May be run again, and finishes what was cut off. Raises `AlreadyThere` if what is there belongs
    to a vault whose key is not, `Damaged` if it is what remains of one, `ConfigurationError` for a place that cannot be
    used, `VaultError`.
    """
    for parent in {os.path.dirname(path) for path in (directory, slots, key_file)} - {directory}:
        if not os.path.isdir(parent):
            raise ConfigurationError(
                f"{parent}: there is no such directory. Make it, or name another place in the settings, under vault."
            )
    missing = not os.path.lexists(os.path.join(directory, _KEYRING))
    if missing:
        if _holds_something(os.path.join(directory, _OBJECTS)):
            raise Damaged(
                f"{directory}: a vault was here. Its objects still are, but not its file {_KEYRING}, so that nothing "
                "opens them. Put that file back from a backup, or move the directory away to make a new vault."
            )
        Vault.create(directory, slots_path=slots)
    if root is not None:
        return Made(vault=missing, key=False)
    new = new_root_key()
    if not _is_blank(directory, slots, new):
        raise AlreadyThere(
            f"{directory}: there is a vault here already, but not its root key. Put {key_file} back, or restore it:  "
            "retentiond vault recovery restore BUNDLE --identity FILE"
        )
    keep_root_key(key_file, new)
    return Made(vault=missing, key=True)


def _holds_something(directory: str) -> bool:
    try:
        return bool(os.listdir(directory))
    except FileNotFoundError:
        return False


def _is_blank(directory: str, slots: str, any_root: RootKey) -> bool:
    """Whether nothing was ever sealed in the vault, so that it is under no root key yet."""
    try:
        with Vault(directory, any_root, slots_path=slots) as vault:
            return not vault.entries()
    except WrongKey:
        return False


def check_parts(directory: str, slots: str) -> None:
    """Raises `ConfigurationError` if there is no vault in `directory`, `Damaged` if a part of it is missing."""
    if not os.path.lexists(directory):
        raise ConfigurationError(f"{directory}: there is no vault here yet. Make one:  retentiond vault init")
    keyring = os.path.join(directory, _KEYRING)
    if not os.path.lexists(keyring):
        raise Damaged(
            f"{keyring}: this key file of the vault is not here. If it was lost, put it back from a backup; if the "
            "making of the vault was cut off, finish it:  retentiond vault init"
        )
    for part, what in ((slots, "file of key slots"), (os.path.join(directory, _OBJECTS), "directory of objects")):
        if not os.path.lexists(part):
            raise Damaged(
                f"{part}: the vault's {what} is not here. Mount the disk that it is on, or put it back from a backup."
            )


def sampled(entries: Iterable[Entry], percent: float, seed: int) -> tuple[str, ...]:
    """The ids of so many percent of the sealed objects, rounded up, that this seed draws; at least one if there is any.

    Those whose SHA-256 of `SEED:ID` come first: the same objects and seed give the same sample anywhere.
    """

    def lot(id: str) -> bytes:
        return hashlib.sha256(f"{seed}:{id}".encode()).digest()

    sealed = [entry.id for entry in entries if entry.fate is Fate.SEALED]
    size = max(1, math.ceil(len(sealed) * percent / 100))
    return tuple(sorted(sorted(sealed, key=lot)[:size]))


def named(entries: Iterable[Entry], ids: Iterable[str]) -> tuple[str, ...]:
    """These ids, each once. Raises `UsageError` for what is no id, and for one of which no object can be expected."""
    known = {entry.id: entry for entry in entries}
    for id in ids:
        try:
            id_bytes(id)
        except ValueError:
            raise UsageError(
                f"{id!r} is no vault id: those have 32 digits, 0 to 9 and a to f, as `vault list` shows them."
            ) from None
        entry = known.get(id, Entry(id, Fate.ABSENT, 0))
        if entry.fate is not Fate.SEALED and not entry.stored_bytes:
            what = "is not in the vault" if entry.fate is Fate.ABSENT else f"is {entry.fate.value}"
            raise UsageError(f"Vault object {id} {what}, so there is nothing to read.")
    return tuple(dict.fromkeys(ids))


def verify(vault: Vault, wanted: Sequence[Entry], advance: Advance) -> Verification:
    """Reads these objects whole and checks them, and holds the key files against the objects. Writes nothing.

    Calls `advance` with (1, stored bytes) after each object. Raises `VaultError` if the vault cannot be listed.
    """
    sound = stored_bytes = gone = 0
    faults = []
    for entry in wanted:
        try:
            vault.verify(entry.id)
        except VaultError as error:
            if entry.fate is Fate.SEALED and vault.fate(entry.id) is not Fate.SEALED:
                gone += 1  # destroyed or given back since the list was made
            else:
                faults.append(Fault(entry.id, str(error)))
        else:
            sound += 1
            stored_bytes += entry.stored_bytes
        advance(1, entry.stored_bytes)
    return Verification(sound, stored_bytes, gone, tuple(faults), vault.strays())


def reseal(directory: str, slots: str, former: RootKey, file: str) -> None:
    """Seals the vault with the root key in `file` instead of `former`. May be run again if it was cut off.

    Objects are not touched. Raises `UsageError` if there is no such file or it holds `former`, `ConfigurationError` if
    others may read it or it is no root key, `WrongKey`, `VaultError`.
    """
    if not os.path.exists(file):
        raise UsageError(f"{file}: there is no such file. Make a new root key in it:  head -c 32 /dev/urandom > FILE")
    new = root_key(file, credential="", environment={})
    if new == former:
        raise UsageError(f"{file}: this is the root key in force already. Make a new one.")
    Vault(directory, new, former=former, slots_path=slots).close()


def identities_in(file: bytes, where: str) -> tuple[str, ...]:
    """The identities in an identity file, as `age-keygen` writes it; `where` names it in errors.

    Raises `UsageError`, which never repeats what is in it.
    """
    text = file.decode("ascii", "replace")
    if text.startswith(("age-encryption.org/", "-----BEGIN AGE")):
        raise UsageError(
            f"{where}: this identity is itself encrypted. Open it with `age -d` and hand it over on standard input:  "
            "age -d FILE | retentiond vault recovery … --identity -"
        )
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    identities = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if not identities:
        raise UsageError(f"{where}: there is no age identity in it (AGE-SECRET-KEY-1…).")
    for number, identity in identities:
        try:
            identity_key(identity)
        except UsageError as error:
            raise UsageError(f"{where}, line {number}: {error}") from None
    return tuple(identity for _, identity in identities)


def identity_of(bundle: str, identities: Sequence[str]) -> str:
    """The first of the identities that opens the bundle. Raises as `open_bundle`."""
    *others, last = identities
    for identity in others:
        try:
            open_bundle(bundle, identity)
        except WrongKey:
            continue
        return identity
    open_bundle(bundle, last)
    return last


def check_bundle(bundle: str, identity: str, vault: Vault, root: RootKey) -> None:
    """Raises `WrongKey` if the bundle is not of this vault, or holds another root key than `root`; as `open_bundle`."""
    kept, vault_id = open_bundle(bundle, identity)
    if vault_id != vault.id:
        raise WrongKey(f"{bundle}: this is the bundle of another vault. Use one that was made from this vault.")
    if kept != root:
        raise WrongKey(
            f"{bundle}: the root key in it is not the one in force: it was changed since. "
            "Make a new bundle:  retentiond vault recovery make"
        )


def make_identity(path: str, now: datetime) -> str:
    """Writes a new age identity to a new file (mode 0600) as `age-keygen` does; gives its recipient.

    Raises `UsageError` if there is a file already or it cannot be written; then nothing is left of it.
    """
    identity, recipient = new_identity()
    text = f"# created: {now.isoformat(timespec='seconds')}\n# public key: {recipient}\n{identity}\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            os.unlink(path)
            raise
    except FileExistsError as error:
        raise UsageError(f"{path}: there is a file already, and an identity never replaces one.") from error
    except OSError as error:
        raise UsageError(f"{path}: the identity cannot be written ({error.strerror}).") from error
    return recipient
