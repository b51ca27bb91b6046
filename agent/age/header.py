"""The head of an age file: the file's key, wrapped once for each recipient, and a code over all of it."""

from __future__ import annotations

import base64
import hmac
import os
import re
from collections.abc import Sequence
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agent.age.base import Damaged, WrongKey
from agent.age.keys import recipient_key
from agent.errors import UsageError

FILE_KEY_BYTES = 16

_VERSION = b"age-encryption.org/v1"
_LABEL = b"age-encryption.org/v1/X25519"
_END = b"--- "
_LARGEST_BYTES = 1 << 20  # some ten thousand recipients
_STANZAS = re.compile(
    rb"age-encryption\.org/v1\n((?:-> [!-~]+(?: [!-~]+)*\n(?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63}\n)+)"
)
_STANZA = re.compile(rb"-> ([!-~ ]+)\n((?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63})\n")


def write_header(recipients: Sequence[str], file_key: bytes) -> bytes:
    """The head of a file with this key, which each of the recipients can open alone. Raises `UsageError`."""
    if not recipients:
        raise UsageError("An age file is made for somebody. Give at least one age recipient (age1…).")
    stanzas = b"".join(_stanza(file_key, recipient_key(recipient)) for recipient in recipients)
    header = _VERSION + b"\n" + stanzas + b"---"
    return header + b" " + _base64(_code(file_key, header)) + b"\n"


def read_header(source: BinaryIO, secret: X25519PrivateKey) -> bytes:
    """The file's key from the head that begins here; what comes next is its body. Raises `WrongKey`, `Damaged`."""
    lines: list[bytes] = []
    left = _LARGEST_BYTES
    while not lines or not lines[-1].startswith(_END):
        line = source.readline(left)
        if not line.endswith(b"\n"):
            raise Damaged
        lines.append(line)
        left -= len(line)
    *head, last = lines
    stanzas = _STANZAS.fullmatch(b"".join(head))
    if not stanzas:
        raise Damaged
    file_key = _file_key(stanzas[1], secret)
    code = _base64(_code(file_key, stanzas[0] + _END.rstrip()))
    if not hmac.compare_digest(last, _END + code + b"\n"):
        raise Damaged
    return file_key


def derived(secret: bytes, salt: bytes, label: bytes) -> bytes:
    """A key of 32 bytes (HKDF-SHA-256)."""
    return HKDF(SHA256(), 32, salt=salt, info=label).derive(secret)


def _stanza(file_key: bytes, recipient: X25519PublicKey) -> bytes:
    ephemeral = X25519PrivateKey.generate()
    share = ephemeral.public_key().public_bytes_raw()
    try:
        shared = ephemeral.exchange(recipient)
    except ValueError:  # a point of low order, which gives everybody the same secret
        raise UsageError("This age recipient is not a key that anyone can have. Ask its owner for it again.") from None
    wrapped = _wrapping(shared, share, recipient).encrypt(bytes(12), file_key, None)
    return b"-> X25519 " + _base64(share) + b"\n" + _base64(wrapped) + b"\n"


def _file_key(stanzas: bytes, secret: X25519PrivateKey) -> bytes:
    for arguments, body in _STANZA.findall(stanzas):
        kind, *rest = arguments.split(b" ")
        if kind != b"X25519":
            continue
        try:
            (encoded,) = rest
            share, wrapped = _unbase64(encoded), _unbase64(body)
            shared = secret.exchange(X25519PublicKey.from_public_bytes(share))
        except ValueError:  # not one argument, not base64, not 32 bytes, a point of low order
            raise Damaged from None
        if len(wrapped) != FILE_KEY_BYTES + 16:
            raise Damaged
        try:
            return _wrapping(shared, share, secret.public_key()).decrypt(bytes(12), wrapped, None)
        except InvalidTag:
            continue
    raise WrongKey


def _wrapping(shared: bytes, share: bytes, recipient: X25519PublicKey) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(derived(shared, share + recipient.public_bytes_raw(), _LABEL))


def _code(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(derived(file_key, b"", b"header"), header, "sha256")


def new_file_key() -> bytes:
    return os.urandom(FILE_KEY_BYTES)


def _base64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _unbase64(text: bytes) -> bytes:
    """Raises `ValueError` for anything but the one form that an encoder gives."""
    data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    if _base64(data) != text:
        raise ValueError("not canonical base64")
    return data
