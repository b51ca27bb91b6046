"""The age v1 file format (c2sp.org/age) with X25519 recipients, over `cryptography`.

Any `age` command opens what this writes, in twenty years too: `age -d -i officer.key bundle.age`.
"""

from __future__ import annotations

import base64
import hmac
import os
import re

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agent.errors import UsageError
from agent.vault.base import Damaged, WrongKey

_VERSION = b"age-encryption.org/v1"
_LABEL = b"age-encryption.org/v1/X25519"
_CHUNK = 1 << 16
_COLUMNS = 64
_CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_HEADER = re.compile(rb"age-encryption\.org/v1\n((?:-> [!-~ ]+\n(?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63}\n)+)--- ")
_STANZA = re.compile(rb"-> ([!-~ ]+)\n((?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63})\n")


def encrypt(plain: bytes, recipients: list[str]) -> bytes:
    """An age file that each of the recipients (`age1…`) can open alone.

    Raises `UsageError` for a recipient that is not one.
    """
    file_key = os.urandom(16)
    header = _VERSION + b"\n" + b"".join(_stanza(file_key, _key_in(one, "age")) for one in recipients) + b"---"
    nonce = os.urandom(16)
    payload = ChaCha20Poly1305(_hkdf(file_key, nonce, b"payload"))
    pieces = [plain[at : at + _CHUNK] for at in range(0, len(plain), _CHUNK)] or [b""]
    sealed = [
        payload.encrypt(_nonce(number, number == len(pieces) - 1), piece, None) for number, piece in enumerate(pieces)
    ]
    return header + b" " + _base64(_mac(file_key, header)) + b"\n" + nonce + b"".join(sealed)


def decrypt(sealed: bytes, identity: str) -> bytes:
    """What is in an age file, opened with one identity (`AGE-SECRET-KEY-1…`).

    Raises `UsageError` for an identity that is not one, `WrongKey` if the file was not made for it, `Damaged`.
    """
    secret = X25519PrivateKey.from_private_bytes(_key_in(identity, "age-secret-key-"))
    match = _HEADER.match(sealed)
    if not match:
        raise _damaged()
    file_key = _file_key(match[1], secret)
    header = sealed[: match.end() - 1]
    mac, newline, body = sealed[match.end() :].partition(b"\n")
    if not newline or not hmac.compare_digest(mac, _base64(_mac(file_key, header))):
        raise _damaged()
    nonce, body = body[:16], body[16:]
    payload = ChaCha20Poly1305(_hkdf(file_key, nonce, b"payload"))
    step = _CHUNK + 16
    pieces = [body[at : at + step] for at in range(0, len(body), step)]
    try:
        plain = [
            payload.decrypt(_nonce(number, number == len(pieces) - 1), piece, None)
            for number, piece in enumerate(pieces)
        ]
    except InvalidTag:
        raise _damaged() from None
    if not plain or (len(plain) > 1 and not plain[-1]):
        raise _damaged()
    return b"".join(plain)


def _damaged() -> Damaged:
    return Damaged("This age file is damaged, or is none. Use another copy of it.")


def _stanza(file_key: bytes, recipient: bytes) -> bytes:
    ephemeral = X25519PrivateKey.generate()
    share = ephemeral.public_key().public_bytes_raw()
    try:
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    except ValueError:  # a point of low order, which gives everybody the same secret
        raise UsageError("This age recipient is not a key that anyone can have. Ask its owner for it again.") from None
    wrapped = ChaCha20Poly1305(_hkdf(shared, share + recipient, _LABEL)).encrypt(bytes(12), file_key, None)
    return b"-> X25519 " + _base64(share) + b"\n" + _base64(wrapped) + b"\n"


def _file_key(stanzas: bytes, secret: X25519PrivateKey) -> bytes:
    own = secret.public_key().public_bytes_raw()
    for arguments, body in _STANZA.findall(stanzas):
        kind, *rest = arguments.split(b" ")
        if kind != b"X25519":
            continue
        try:
            (encoded,) = rest
            share, wrapped = _unbase64(encoded), _unbase64(body)
            shared = secret.exchange(X25519PublicKey.from_public_bytes(share))
        except ValueError:  # not one argument, not base64, not 32 bytes, a point of low order
            raise _damaged() from None
        try:
            return ChaCha20Poly1305(_hkdf(shared, share + own, _LABEL)).decrypt(bytes(12), wrapped, None)
        except InvalidTag:
            continue
    raise WrongKey("This age file was not made for this identity. Use that of a recipient.")


def _hkdf(secret: bytes, salt: bytes, label: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=salt, info=label).derive(secret)


def _mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(_hkdf(file_key, b"", b"header"), header, "sha256")


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _base64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _unbase64(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> bit & 1 else 0
    return check


def _spread(prefix: str) -> list[int]:
    return [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]


def _key_in(text: str, prefix: str) -> bytes:
    """The 32 bytes in a Bech32 text (BIP 173, without its limit of length)."""
    text = text.strip()
    lower = text.lower()
    digits = [_CHARSET.find(letter) for letter in lower[len(prefix) + 1 :]]
    sound = (
        text in (lower, text.upper())
        and lower.startswith(prefix + "1")
        and len(digits) == 52 + 6
        and min(digits) >= 0
        and _polymod(_spread(prefix) + digits) == 1
    )
    bits = 0
    for digit in digits[:52] if sound else ():
        bits = bits << 5 | digit
    if not sound or bits & 0xF:
        what = "an age recipient (age1…)" if prefix == "age" else "an age identity (AGE-SECRET-KEY-1…)"
        raise UsageError(f"This is not {what}, or it was mistyped.")
    return (bits >> 4).to_bytes(32, "big")


def _bech32(key: bytes, prefix: str) -> str:
    bits = int.from_bytes(key, "big") << 4
    digits = [bits >> shift & 31 for shift in range(255, -1, -5)]
    check = _polymod(_spread(prefix) + digits + [0] * 6) ^ 1
    digits += [check >> shift & 31 for shift in range(25, -1, -5)]
    return prefix + "1" + "".join(_CHARSET[digit] for digit in digits)


def new_identity() -> tuple[str, str]:
    """A new identity and its recipient, as `age-keygen` makes them: the secret one, then the public one."""
    secret = X25519PrivateKey.generate()
    identity = _bech32(secret.private_bytes_raw(), "age-secret-key-").upper()
    return identity, _bech32(secret.public_key().public_bytes_raw(), "age")


def armour(sealed: bytes) -> str:
    """The age file as text that can be printed and typed in again."""
    text = base64.b64encode(sealed).decode()
    lines = [text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS)]
    return "\n".join((_BEGIN, *lines, _END, ""))


def unarmour(text: str) -> bytes:
    """The age file in such a text. Raises `Damaged`."""
    begin, *lines = text.strip().splitlines() or [""]
    body = "".join(line.strip() for line in lines[:-1])
    try:
        sealed = base64.b64decode(body, validate=True)
    except ValueError:
        raise _damaged() from None
    if (begin, lines[-1:]) != (_BEGIN, [_END]) or base64.b64encode(sealed).decode() != body:
        raise _damaged()
    return sealed


_BEGIN = "-----BEGIN AGE ENCRYPTED FILE-----"
_END = "-----END AGE ENCRYPTED FILE-----"
