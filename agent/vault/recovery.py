"""The recovery bundle: the root key for the day on which the machine that had it is gone."""

from __future__ import annotations

import json
import os
from datetime import date

from agent.age.base import Damaged as AgeFileDamaged
from agent.age.base import WrongKey as NotARecipient
from agent.age.message import armour, decrypt, encrypt, unarmour
from agent.errors import ConfigurationError, UsageError
from agent.vault.base import Damaged, WrongKey
from agent.vault.disk import Disk, sync_directory
from agent.vault.keys import RootKey, keep_root_key

_WHAT = "retentiond vault root key"


def write_bundle(
    path: str, root: RootKey, vault_id: str, recipients: list[str], today: date, disk: Disk | None = None
) -> None:
    """Writes the root key to a new file that each of two or more officers can open alone, with `age` or with us.

    `recipients` are their public keys (`age1…`). After the root key is changed the bundle opens nothing any more and
    a new one is due. The file is text, so that it can be printed; it is of no use to anyone but the officers.
    Raises `UsageError` for fewer than two different recipients or a mistyped one, `ConfigurationError` if there is a
    file already or it cannot be written.
    """
    if len({one.strip().lower() for one in recipients}) < 2:
        raise UsageError("A recovery bundle is made for two officers at least. Give two different age recipients.")
    told = {"what": _WHAT, "vault": vault_id, "made_on": today.isoformat(), "root_key": root.secret.hex()}
    text = armour(encrypt(json.dumps(told, indent=1).encode(), recipients)).encode()
    disk = disk or Disk()
    try:
        descriptor = disk.create(path)
        try:
            disk.write(descriptor, text, 0)
            disk.sync(descriptor)
        finally:
            os.close(descriptor)
        sync_directory(disk, os.path.dirname(os.path.abspath(path)))
    except FileExistsError as error:
        raise ConfigurationError(f"{path}: there is a file already, and a bundle never replaces one.") from error
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot write the recovery bundle ({error.strerror}).") from error


def open_bundle(path: str, identity: str) -> tuple[RootKey, str]:
    """The root key in the bundle and the id of its vault, with one officer's identity (`AGE-SECRET-KEY-1…`).

    Raises `WrongKey` if the bundle was not made for it, `Damaged`, `UsageError`, `ConfigurationError`.
    """
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            text = file.read()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot read the recovery bundle ({error.strerror}).") from error
    try:
        plain = decrypt(unarmour(text), identity)
    except NotARecipient as error:
        raise WrongKey(f"{path}: {error}") from None
    except AgeFileDamaged as error:
        raise Damaged(f"{path}: {error}") from None
    try:
        told = json.loads(plain)
        what, root, vault_id = told["what"], RootKey(bytes.fromhex(told["root_key"])), str(told["vault"])
    except (ValueError, KeyError, TypeError):
        what = None
    if what != _WHAT:
        raise Damaged(f"{path}: this age file is not a recovery bundle of the vault.")
    return root, vault_id


def restore_root_key(bundle: str, identity: str, path: str, disk: Disk | None = None) -> RootKey:
    """Puts the root key from the bundle into a new key file (mode 0600). Raises as `open_bundle`, `keep_root_key`."""
    root, _ = open_bundle(bundle, identity)
    keep_root_key(path, root, disk)
    return root
