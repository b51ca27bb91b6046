"""Checkpoints: a few signed lines that commit to everything the log has said so far.

The format is C2SP tlog-checkpoint, in a C2SP signed note with an Ed25519 signature, so that others' tools can check
one and witnesses can add their signatures. Whoever keeps a checkpoint elsewhere can show later that the log was
changed, cut short or set back.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from agent.audit.tree import HASH_BYTES
from agent.errors import ConfigurationError

LARGEST_NOTE_BYTES = 65_536
_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_SIGNATURE_LINE = "— "
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


class NotACheckpoint(ValueError):
    """Bytes that are no checkpoint; says why, in words."""


class Signed(StrEnum):
    """What the signatures of a checkpoint are worth to somebody with given keys."""

    BY_US = "by_us"
    FALSELY = "falsely"  # one of our keys is named, but it did not sign this
    BY_OTHERS = "by_others"  # no signature is by a key that we know


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a key, with its name; all that is needed to check a checkpoint.

    Raises `ConfigurationError` if the name cannot be one.
    """

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not _can_be_a_name(self.name):
            raise ConfigurationError(
                f'"{self.name}" cannot be the name of a log. Use one like records.example.org/audit: '
                "no spaces, no plus sign, on one line."
            )

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature line tells whose it is."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_KEY_ID_BYTES]

    @property
    def text(self) -> str:
        """The key as it is written down and given to others: name, key id and key."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """The key from what `text` gives. Raises `ConfigurationError` if it is not whole."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        data = _decoded(encoded)
        if data is None or len(data) != 1 + HASH_BYTES or data[:1] != _ED25519:
            raise ConfigurationError("This is not an Ed25519 verifier key. It has the form NAME+KEY-ID+KEY.")
        key = cls(name, data[1:])
        if key.key_id.hex() != key_id:
            raise ConfigurationError(f"The verifier key of {name} is mistyped: its parts do not belong together.")
        return key


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key by which a log signs, made from 32 secret bytes. Raises `ConfigurationError` for an impossible name."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        self.verifier  # noqa: B018 - an impossible name is told at once, not at the first checkpoint

    @property
    def verifier(self) -> VerifierKey:
        """The half that may be known to all."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return VerifierKey(self.name, Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """A signature line for a note's text."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        return f"{_SIGNATURE_LINE}{self.name} {base64.b64encode(self.verifier.key_id + signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line, by whomever."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says: the log `origin` has `size` entries, whose tree has this root.

    `text` is what was signed, to the byte; `signatures` are all that stand below it, also those of unknown witnesses.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...]
    text: str
    signatures: tuple[Signature, ...]


def create(size: int, root: bytes, key: SigningKey) -> bytes:
    """A checkpoint, signed. The log's origin is the name of its key."""
    text = f"{key.name}\n{size}\n{base64.b64encode(root).decode()}\n"
    return f"{text}\n{key.sign(text)}".encode()


def parse(note: bytes) -> Checkpoint:
    """What the note says. Nothing of it may be believed before `signed` has been asked.

    Raises `NotACheckpoint` for everything that deviates from the format.
    """
    if len(note) > LARGEST_NOTE_BYTES:
        raise NotACheckpoint("it is larger than any checkpoint")
    try:
        said = note.decode("utf-8")
    except UnicodeDecodeError:
        raise NotACheckpoint("it is not text") from None
    if any(character < " " and character != "\n" for character in said):
        raise NotACheckpoint("it has control characters")
    body, parting, below = said.rpartition("\n\n")
    if not parting or not below.endswith("\n"):
        raise NotACheckpoint("it has no signature, or was cut short")
    lines = body.split("\n")
    if len(lines) < 3:
        raise NotACheckpoint("its lines are not an origin, a size and a root")
    origin, size, root, *extensions = lines
    root_hash = _decoded(root)
    if not origin or not _SIZE.fullmatch(size) or root_hash is None or len(root_hash) != HASH_BYTES:
        raise NotACheckpoint("its lines are not an origin, a size and a root")
    if not all(extensions):
        raise NotACheckpoint("it has an empty line where none can be")
    signatures = tuple(_signature(line) for line in below.removesuffix("\n").split("\n"))
    return Checkpoint(origin, int(size), root_hash, tuple(extensions), body + "\n", signatures)


def signed(checkpoint: Checkpoint, keys: Iterable[VerifierKey]) -> Signed:
    """Whether the log whose checkpoint this claims to be has signed it with one of these keys.

    Signatures by other keys, or in other logs' names, count for nothing; a wrong one by a key of ours spoils the note.
    """
    known = {(key.name, key.key_id): key for key in keys if key.name == checkpoint.origin}
    answer = Signed.BY_OTHERS
    for signature in checkpoint.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is not None:
            if not _verifies(key, checkpoint.text, signature.signature):
                return Signed.FALSELY
            answer = Signed.BY_US
    return answer


def _verifies(key: VerifierKey, text: str, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, text.encode())
    except InvalidSignature:
        return False
    return True


def _signature(line: str) -> Signature:
    name, parting, encoded = line.removeprefix(_SIGNATURE_LINE).partition(" ")
    data = _decoded(encoded)
    if not line.startswith(_SIGNATURE_LINE) or not parting or data is None or len(data) <= _KEY_ID_BYTES:
        raise NotACheckpoint("a line below it is not a signature")
    if not _can_be_a_name(name):
        raise NotACheckpoint("a signature has a name that no key can have")
    return Signature(name, data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:])


def _can_be_a_name(name: str) -> bool:
    return bool(name) and not any(
        character == "+" or character.isspace() or unicodedata.category(character) == "Cc" for character in name
    )


def _decoded(encoded: str) -> bytes | None:
    """The bytes, if this is the one way of writing them in Base64."""
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == encoded else None
