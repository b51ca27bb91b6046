"""Recipients (`age1…`) and identities (`AGE-SECRET-KEY-1…`): 32 bytes each, written in Bech32 (BIP 173)."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from agent.errors import UsageError

_RECIPIENT = "age"
_IDENTITY = "age-secret-key-"
_CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_DIGITS, _CHECK_DIGITS = 52, 6


def recipient_key(text: str) -> X25519PublicKey:
    """The public key of a recipient. Raises `UsageError`, which never repeats the text: it may be a secret."""
    key = _key_in(text, _RECIPIENT)
    if key is None:
        raise UsageError(_what_it_is_instead(text.strip().lower()))
    return X25519PublicKey.from_public_bytes(key)


def identity_key(text: str) -> X25519PrivateKey:
    """The secret key of an identity. Raises `UsageError`, which never repeats the text."""
    key = _key_in(text, _IDENTITY)
    if key is None:
        raise UsageError("This is not an age identity (AGE-SECRET-KEY-1…), or it was mistyped.")
    return X25519PrivateKey.from_private_bytes(key)


def new_identity() -> tuple[str, str]:
    """A new identity and its recipient, as `age-keygen` makes them: the secret one, then the public one."""
    secret = X25519PrivateKey.generate()
    identity = _bech32(secret.private_bytes_raw(), _IDENTITY).upper()
    return identity, _bech32(secret.public_key().public_bytes_raw(), _RECIPIENT)


def _what_it_is_instead(lower: str) -> str:
    """Why a text is no recipient of the kind that we can encrypt to, and what to do."""
    ask = "Ask for an age recipient (age1…) that was made with age-keygen."
    if lower.startswith(("ssh-", "ecdsa-", "sk-")):
        return f"This is an SSH key. {ask}"
    if lower.startswith((_IDENTITY, "age-plugin-")):
        return "This is a secret identity. Give the age recipient (age1…) that belongs to it, and show it to nobody."
    if lower.startswith("age1") and "1" in lower.removeprefix("age1"):  # no digit of a Bech32 text is a 1
        return f"This recipient needs a plugin of age, which cannot be used here. {ask}"
    return "This is not an age recipient (age1…), or it was mistyped."


def _key_in(text: str, prefix: str) -> bytes | None:
    """The 32 bytes in a Bech32 text of any length; none if there are none."""
    text = text.strip()
    lower = text.lower()
    digits = [_CHARSET.find(letter) for letter in lower[len(prefix) + 1 :]]
    sound = (
        text in (lower, text.upper())
        and lower.startswith(prefix + "1")
        and len(digits) == _DIGITS + _CHECK_DIGITS
        and min(digits) >= 0
        and _polymod(_spread(prefix) + digits) == 1
    )
    bits = 0
    for digit in digits[:_DIGITS]:
        bits = bits << 5 | digit
    return (bits >> 4).to_bytes(32, "big") if sound and not bits & 0xF else None


def _bech32(key: bytes, prefix: str) -> str:
    bits = int.from_bytes(key, "big") << 4
    digits = [bits >> shift & 31 for shift in range(255, -1, -5)]
    check = _polymod(_spread(prefix) + digits + [0] * _CHECK_DIGITS) ^ 1
    digits += [check >> shift & 31 for shift in range(25, -1, -5)]
    return prefix + "1" + "".join(_CHARSET[digit] for digit in digits)


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
