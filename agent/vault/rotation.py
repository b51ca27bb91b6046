"""Changing the root key that lies in a key file."""

from __future__ import annotations

import os
import secrets

from agent.vault.disk import Disk, plainly, sync_directory
from agent.vault.keys import KEY_BYTES, RootKey, keep_root_key, new_root_key, root_key
from agent.vault.store import Vault


def change_key_file(directory: str, path: str, *, slots_path: str | None = None, disk: Disk | None = None) -> RootKey:
    """Seals the vault with a new root key, puts that into the key file, and overwrites the old one. Returns the new.

    The new key is durable before the vault depends on it, and the old one is overwritten only after it does not.
    If this is cut off, running it again finishes it; until then the vault may open with neither file's key alone.
    Objects are not touched: only the key slots are written anew. Make a new recovery bundle afterwards.
    A root key that is a systemd credential is changed by `Vault(directory, new, former=old)` instead.
    """
    disk = disk or Disk()
    upcoming, former = f"{path}.next", f"{path}.former"
    with plainly(f"{path}: cannot change the root key"):
        if os.path.lexists(former) and not os.path.lexists(upcoming):  # cut off when all but the last step was done
            _overwrite(former, disk)
            return _read(path)
        old = _read(path)
        if not os.path.lexists(upcoming):
            keep_root_key(upcoming, new_root_key(), disk)
        new = _read(upcoming)
        Vault(directory, new, former=old, slots_path=slots_path, disk=disk).close()
        if not os.path.lexists(former):
            disk.link(path, former)
        disk.rename_over(upcoming, path)
        sync_directory(disk, os.path.dirname(os.path.abspath(path)))
        _overwrite(former, disk)
    return new


def _read(path: str) -> RootKey:
    return root_key(path, credential="", environment={})


def _overwrite(path: str, disk: Disk) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        for content in (secrets.token_bytes(KEY_BYTES), bytes(KEY_BYTES)):
            disk.write(descriptor, content, 0)
            disk.sync(descriptor)
    finally:
        os.close(descriptor)
    disk.unlink(path)
    sync_directory(disk, os.path.dirname(os.path.abspath(path)))
