"""Keys, each for one purpose, derived from one sealed master key."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from agent.errors import ConfigurationError
from agent.rights import is_shared

MASTER_BYTES = 32


def master_key(path: Path) -> bytes:
    """The master key kept in `path`, made with the system's random source (mode 0600) if there is none yet.

    Where the directory belongs to a group that works in it together (set-group-ID and writable for the group), that
    group may read it. Raises `ConfigurationError` if anybody else may, or if it is not 32 bytes long.
    """
    if not path.exists():
        _make(path)
    return _read(path)


def _make(path: Path) -> None:
    """A key appears whole or not at all: it is written beside its place and linked there, which never replaces one."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(secrets.token_bytes(MASTER_BYTES))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot create the key file ({error.strerror}).") from error


def _read(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        shared = is_shared(path.parent)
        key = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot read the key file ({error.strerror}).") from error
    if mode & (0o037 if shared else 0o077):
        raise ConfigurationError(f"{path}: others may read this key file. Run: chmod 600 {path}")
    if len(key) != MASTER_BYTES:
        raise ConfigurationError(
            f"{path}: a key file holds {MASTER_BYTES} bytes, this one {len(key)}. "
            "Put the right file back; without it, findings of earlier scans cannot be matched with new ones."
        )
    return key


def derive(master: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose (HKDF-SHA-256, RFC 5869); knowing it tells nothing of the others."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), 32, salt=None, info=b"retentiond/" + purpose.encode()).derive(master)
