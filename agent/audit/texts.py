"""What people write as their reasons: kept aside, encrypted, so that it can be erased while the log stays as it is.

Each text has a key of its own. The leaf holds a digest keyed by it: with the key, it proves that the text is the one
that was written; once the key is gone, it tells nothing, not even to somebody who can guess the text.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import Protocol

_KEY_BYTES = 32
_NONCE = bytes(12)  # each key encrypts one text only


class TextDamaged(ValueError):
    """A kept text that does not open, or is not the one that its entry vouches for."""


class TextKeys(Protocol):
    """Keeps the keys of texts under a key that lies elsewhere and can be destroyed."""

    def wrap(self, key: bytes) -> bytes:
        """The key in a form in which it may be stored."""
        ...

    def unwrap(self, wrapped: bytes) -> bytes:
        """The key again. Raises `ValueError` for bytes that `wrap` did not give."""
        ...


@dataclass(frozen=True, slots=True)
class WrappedUnder:
    """Text keys wrapped under one key of 32 bytes (RFC 3394)."""

    key: bytes = field(repr=False)

    def wrap(self, key: bytes) -> bytes:
        """The key in a form in which it may be stored."""
        from cryptography.hazmat.primitives.keywrap import aes_key_wrap

        return aes_key_wrap(self.key, key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """The key again. Raises `ValueError` for bytes that `wrap` did not give."""
        from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

        try:
            return aes_key_unwrap(self.key, wrapped)
        except InvalidUnwrap:
            raise ValueError("this is no key that was wrapped under ours") from None


@dataclass(frozen=True, slots=True)
class SealedText:
    """A text as it is kept, and the digest for its leaf."""

    digest: bytes
    wrapped_key: bytes
    sealed: bytes


def seal(text: str, keys: TextKeys) -> SealedText:
    """The text under a new key."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key, plain = secrets.token_bytes(_KEY_BYTES), text.encode("utf-8", "surrogateescape")
    sealed = AESGCM(_derived(key, b"encrypt")).encrypt(_NONCE, plain, None)
    return SealedText(hmac.digest(_derived(key, b"vouch"), plain, "sha256"), keys.wrap(key), sealed)


def unseal(wrapped_key: bytes, sealed: bytes, digest: bytes, keys: TextKeys) -> str:
    """The text again. Raises `TextDamaged` unless it is the one that `digest`, from its leaf, was made of."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        key = keys.unwrap(wrapped_key)
    except ValueError:
        raise TextDamaged("its key does not open") from None
    try:
        plain = AESGCM(_derived(key, b"encrypt")).decrypt(_NONCE, sealed, None)
    except InvalidTag:
        raise TextDamaged("it does not open") from None
    if not hmac.compare_digest(hmac.digest(_derived(key, b"vouch"), plain, "sha256"), digest):
        raise TextDamaged("it is not the text that was written")
    return plain.decode("utf-8", "surrogateescape")


def _derived(key: bytes, purpose: bytes) -> bytes:
    return hmac.digest(key, b"retentiond/audit/text/" + purpose, "sha256")
