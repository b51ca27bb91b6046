"""The root key and what is done with keys: read, make, wrap, unwrap.

    root key  →  epoch keys (key slots, `slots.py`)  →  an item's key (`keyring.py`)  →  its object (`stream.py`)

A key is wrapped with AES-256-GCM under a random nonce; what it is for is associated data, so that a wrapped key
moved to another place does not open.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agent.errors import ConfigurationError
from agent.vault.disk import Disk, sync_directory

KEY_BYTES = 32
WRAPPED_BYTES = 12 + KEY_BYTES + 16  # nonce, key, tag
ROOT_ID_BYTES = 8
_CREDENTIALS = "CREDENTIALS_DIRECTORY"


@dataclass(frozen=True, slots=True)
class RootKey:
    """The key that all others hang from. `id` tells two of them apart and tells nothing about the key."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"a root key has {KEY_BYTES} bytes")

    @property
    def id(self) -> bytes:
        return derived(self.secret, "id")[:ROOT_ID_BYTES]

    def slot_key(self) -> bytes:
        """What epoch keys are wrapped with."""
        return derived(self.secret, "slots")


def derived(secret: bytes, purpose: str) -> bytes:
    """A key for one purpose (HKDF-SHA-256, RFC 5869)."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"retentiond/vault/" + purpose.encode()).derive(secret)


def wrap(wrapping: bytes, key: bytes, purpose: bytes) -> bytes:
    """The key encrypted under another one, for one purpose: 60 bytes, different each time."""
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(wrapping).encrypt(nonce, key, purpose)


def unwrap(wrapping: bytes, wrapped: bytes, purpose: bytes) -> bytes | None:
    """The key again, or nothing if it was wrapped under another key, for another purpose, or altered."""
    try:
        return AESGCM(wrapping).decrypt(wrapped[:12], wrapped[12:], purpose)
    except InvalidTag:
        return None


def root_key(path: str, credential: str, environment: Mapping[str, str] | None = None) -> RootKey:
    """The root key from the systemd credential of that name, or else from the key file.

    systemd gives a service its credentials in memory, in a directory that only the service can read
    (`LoadCredentialEncrypted=`), so that the key lies on no disk in the clear. The key file is for where there is no
    systemd. Raises `ConfigurationError` if neither is there, if others may read the file, or if it is not 32 bytes.
    """
    directory = (os.environ if environment is None else environment).get(_CREDENTIALS)
    if directory and os.path.exists(sealed := os.path.join(directory, credential)):
        return RootKey(_read(sealed))
    if not os.path.exists(path):
        raise ConfigurationError(
            f"{path}: there is no root key of the vault here, and no systemd credential {credential!r}. "
            "Put the key file back, or restore it from the recovery bundle."
        )
    if os.stat(path).st_mode & 0o077:
        raise ConfigurationError(f"{path}: others may read the vault's root key. Run: chmod 600 {path}")
    return RootKey(_read(path))


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            secret = file.read(KEY_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot read the vault's root key ({error.strerror}).") from error
    if len(secret) != KEY_BYTES:
        raise ConfigurationError(
            f"{path}: a root key has {KEY_BYTES} bytes, this file has not. "
            "Put the right file back, or restore it from the recovery bundle."
        )
    return secret


def new_root_key() -> RootKey:
    """A root key from the system's random source."""
    return RootKey(secrets.token_bytes(KEY_BYTES))


def keep_root_key(path: str, key: RootKey, disk: Disk | None = None) -> None:
    """Writes the key to a new file (mode 0600), whole and durable or not at all; never replaces one.

    Raises `ConfigurationError` if there is a file already or it cannot be written.
    """
    disk = disk or Disk()
    draft = f"{path}.{secrets.token_hex(8)}"
    try:
        descriptor = disk.create(draft)
        try:
            disk.write(descriptor, key.secret, 0)
            disk.sync(descriptor)
            disk.link(draft, path)
        finally:
            os.close(descriptor)
            disk.unlink(draft)
        sync_directory(disk, os.path.dirname(path) or ".")
    except FileExistsError as error:
        raise ConfigurationError(f"{path}: there is a key already, and it is never replaced. Move it away.") from error
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot write the vault's root key ({error.strerror}).") from error
