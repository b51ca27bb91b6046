"""Checkpoints, read by the formats of C2SP: tlog-checkpoint in a signed note."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.errors import UsageError

_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
_SIGNATURE = re.compile(r"— ([^\s+]+) (\S+)")
_ED25519 = b"\1"
_KEY_ID_BYTES = 4
_HASH_BYTES = 32


class NotANote(ValueError):
    """These bytes are no checkpoint."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says, and who signed it: pairs of a name and what stands behind it."""

    origin: str
    size: int
    root: bytes
    text: bytes
    signatures: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class LogKey:
    """The public key of a log, by its line `NAME+ID+KEY`."""

    name: str
    id: bytes
    key: Ed25519PublicKey

    @classmethod
    def read(cls, line: str) -> LogKey:
        """Raises `UsageError` if the line is not whole."""
        name, _, rest = line.strip().partition("+")
        id, _, encoded = rest.partition("+")
        data = _decoded(encoded)
        right = data[:1] == _ED25519 and len(data) == 1 + _HASH_BYTES
        computed = hashlib.sha256(name.encode() + b"\n" + data).digest()[:_KEY_ID_BYTES]
        if not name or not right or id != computed.hex():
            raise UsageError("This is not the key of a log. Give the line that  retentiond audit key  printed, whole.")
        return cls(name, computed, Ed25519PublicKey.from_public_bytes(data[1:]))

    def signed(self, checkpoint: Checkpoint) -> bool:
        """Whether the checkpoint is one of this log and signed with this key, and nothing claims so falsely."""
        ours = [said for name, said in checkpoint.signatures if (name, said[:_KEY_ID_BYTES]) == (self.name, self.id)]
        return checkpoint.origin == self.name and bool(ours) and all(self._verifies(checkpoint, one) for one in ours)

    def _verifies(self, checkpoint: Checkpoint, said: bytes) -> bool:
        try:
            self.key.verify(said[_KEY_ID_BYTES:], checkpoint.text)
        except InvalidSignature:
            return False
        return True


def read_checkpoint(note: bytes) -> Checkpoint:
    """What the note says. Raises `NotANote`."""
    text, parting, below = note.rpartition(b"\n\n")
    try:
        origin, size, root = text.decode().split("\n")[:3]
        lines = below.decode().split("\n")
    except ValueError:  # which it is too if it is no text
        raise NotANote from None
    signatures = [_SIGNATURE.fullmatch(line) for line in lines[:-1]]
    hashed = _decoded(root)
    if not parting or lines[-1] or not origin or not _SIZE.fullmatch(size) or len(hashed) != _HASH_BYTES:
        raise NotANote
    if not signatures or None in signatures:
        raise NotANote
    signed = tuple((found[1], _decoded(found[2])) for found in signatures if found)
    return Checkpoint(origin, int(size), hashed, text + b"\n", signed)


def _decoded(encoded: str) -> bytes:
    """The bytes, or none if that is not Base64."""
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
