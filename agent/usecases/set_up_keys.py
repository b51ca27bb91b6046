"""Keys and the vault of a service: made once, given to the user who needs them, and never replaced."""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from agent.errors import ConfigurationError
from agent.keys import MASTER_BYTES
from agent.usecases.set_up_files import Rights, content_of, grant, told, write_file
from agent.usecases.set_up_machine import Accounts, Machine
from agent.usecases.set_up_seal import seal, sealed_with, why_it_does_not_open
from agent.usecases.vault import check_parts, make_vault
from agent.vault.base import AlreadyThere, WrongKey
from agent.vault.keys import KEY_BYTES, RootKey, new_root_key
from agent.vault.store import Vault

_DRAFT = r"\.[0-9a-f]{16}"
_OBJECTS, _KEYRING = "objects", "keyring"


@dataclass(frozen=True, slots=True)
class KeyPlaces:
    """Where the vault and its root key lie for us: `sealed` is the credential's file, `clear` the key file's."""

    directory: Path
    slots: Path
    credential: str
    sealed: Path
    clear: Path


class MasterKey:
    """The key that both roles derive theirs from, so that the group may read it."""

    def __init__(self, path: Path, accounts: Accounts) -> None:
        self._path = path
        self._rights = Rights(0, accounts.group, 0o640)

    def lacking(self) -> str:
        return self._rights.lacking(self._path)

    def make(self) -> None:
        """Makes it, or mends its rights. Raises `ConfigurationError` if what is there is no master key."""
        if not os.path.lexists(self._path):
            write_file(self._path, secrets.token_bytes(MASTER_BYTES), self._rights, replace=False)
        content = content_of(self._path)
        if content is None or len(content) != MASTER_BYTES:
            raise ConfigurationError(
                f"{self._path}: this is no master key of {MASTER_BYTES} bytes. Put the right file back from a backup."
            )
        grant(self._path, self._rights)


class VaultKept:
    """The vault, which belongs to the user who disposes, down to the files that are made with it."""

    def __init__(self, places: KeyPlaces, accounts: Accounts) -> None:
        self._places = places
        self._folder = Rights(accounts.dispose, accounts.dispose_group, 0o700)
        self._file = Rights(accounts.dispose, accounts.dispose_group, 0o600)

    def lacking(self) -> str:
        for path, rights in self._parts():
            if lack := rights.lacking(path):
                return lack if path == self._places.directory else f"{path}: {lack}"
        return ""

    def make(self) -> None:
        """Makes it, or finishes what was cut off. Raises `ConfigurationError` and `VaultError`."""
        directory, slots = self._places.directory, self._places.slots
        if not os.path.lexists(directory / _KEYRING):
            if os.path.lexists(directory):
                grant(directory, Rights(os.geteuid(), os.getegid(), 0o700))  # only its owner may make a vault in it
            # The root key is made apart; which one it will be makes no difference to a vault in which nothing lies.
            make_vault(str(directory), str(slots), str(self._places.clear), new_root_key())
        check_parts(str(directory), str(slots))
        for file in (slots, directory / _KEYRING):
            _drop_drafts(file)
        for path, rights in reversed(self._parts()):
            grant(path, rights)

    def _parts(self) -> list[tuple[Path, Rights]]:
        directory = self._places.directory
        return [
            (directory, self._folder),
            (directory / _OBJECTS, self._folder),
            (self._places.slots, self._file),
            (directory / _KEYRING, self._file),
        ]


def _drop_drafts(file: Path) -> None:
    """Takes away what a making that was cut off has left beside the file: empty drafts, or a second name of it."""
    with told(file):
        for left in file.parent.iterdir():
            if re.fullmatch(re.escape(file.name) + _DRAFT, left.name):
                left.unlink(missing_ok=True)


class VaultRoot:
    """The root key of the vault: sealed for systemd where that works, or else a file that only its user reads."""

    def __init__(self, places: KeyPlaces, accounts: Accounts, machine: Machine) -> None:
        self._places = places
        self._machine = machine
        self._file = Rights(accounts.dispose, accounts.dispose_group, 0o400)
        self._sealed = Rights(0, 0, 0o600)
        self.why_clear = (
            "it is made for the image of another machine, whose keys are not here" if machine.is_image else ""
        )

    @property
    def is_sealed(self) -> bool:
        """Whether it is a credential. Settled once there is a key."""
        return os.path.lexists(self._places.sealed)

    @property
    def is_clear(self) -> bool:
        """Whether it is a key file."""
        return not self.is_sealed and os.path.lexists(self._places.clear)

    @property
    def sealed_with(self) -> str:
        """What a sealed key is sealed with, in words."""
        return sealed_with(content_of(self._places.sealed) or b"")

    def lacking(self) -> str:
        if self.is_sealed:
            return self._sealed.lacking(self._places.sealed)
        return self._file.lacking(self._places.clear)

    def make(self) -> None:
        """Makes a key, unless there is one. Raises `ConfigurationError`, `AlreadyThere` if the vault has another."""
        if self.is_sealed:
            grant(self._places.sealed, self._sealed)
            return
        if not self.is_clear:
            self._make()
            return
        content = content_of(self._places.clear)
        if content is None or len(content) != KEY_BYTES:
            raise ConfigurationError(f"{self._places.clear}: this is no root key of {KEY_BYTES} bytes. Move it away.")
        grant(self._places.clear, self._file)

    def _make(self) -> None:
        new = new_root_key()
        self._refuse_used(new)
        if not self._machine.is_image:
            sealing = seal(self._machine.run, self._places.credential, new.secret)
            if sealing.sealed is not None:
                write_file(self._places.sealed, sealing.sealed, self._sealed, replace=False)
                return
            self.why_clear = sealing.why_not
        write_file(self._places.clear, new.secret, self._file, replace=False)

    def _refuse_used(self, new: RootKey) -> None:
        """Raises `AlreadyThere` if something was sealed in the vault under a key that is not here."""
        directory = self._places.directory
        if not os.path.lexists(directory / _KEYRING):
            return
        with told(directory):
            owner = directory.lstat()
            os.chown(directory, os.geteuid(), -1, follow_symlinks=False)  # it opens for its owner only
        try:
            with Vault(str(directory), new, slots_path=str(self._places.slots)) as vault:
                used = bool(vault.entries())
        except WrongKey:
            used = True
        finally:
            os.chown(directory, owner.st_uid, owner.st_gid, follow_symlinks=False)
        if used:
            raise AlreadyThere(
                f"{directory}: there is a vault here already, but not its root key. Put {self._places.clear} or "
                f"{self._places.sealed} back, or restore it:  retentiond vault recovery restore BUNDLE --identity FILE"
            )

    def check_opens(self) -> None:
        """Raises `ConfigurationError` if this machine does not open the sealed key."""
        if not self.is_sealed or self._machine.is_image:
            return
        if why := why_it_does_not_open(self._machine.run, self._places.credential, self._places.sealed):
            raise ConfigurationError(
                f"{self._places.sealed}: this machine does not open the vault's root key ({why}). If the disk came "
                "from another machine, or the TPM2 was changed, restore the key from the bundle and seal it anew."
            )
