"""Age files of another implementation, and files put together by hand from the specification."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

# Made once with pyrage 1.4.0, another implementation of age: two identities, and a file for both.
FIRST = "AGE-SECRET-KEY-1GFDWGXPM6US0EMN3WQSUWPS2LL40YZ2TWPZ7GZN5G502MY5MKA8S2HL44G"
FIRST_RECIPIENT = "age17hahpnh0gmj08dg4rhc4erw3wekze07zltp7e5px4vlmq7jevd3q9h9ztj"
SECOND = "AGE-SECRET-KEY-1UQG5CV7UFAXD57ER8XR60VGGW0AJJGLYP63G0VYFDEFY49AE07SS9DZCWF"
SECOND_RECIPIENT = "age19dud0fmesgzkn8rqdyz46mgzckhu8kh3v9au3xymdsg0pzp09u2q50dxww"
FOREIGN = base64.b64decode(
    "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSA0SU5BM1lqVk9YN2puVEpScUx0Si9hZmNYTkFoSU9IMFdWWllzU2puRmhJ"
    "ClRlREF3RFZrdGY1Sm9HbXJaUVowNmZHT3N5RXVjSmZ0QjVzMFRHdmlabHcKLT4gWDI1NTE5IExJVWV6VFJLWmFWbmh0S2pyUlRs"
    "K21EOFNOS0hSZ0ZNWkl0aG9sSEF3RkEKQVFDUTBrOVJhckExT3F6dmY0RUZzaUpLMkpHUUxYZ0RvMGR3alhMeU1PUQotPiA5LSp4"
    "Ji1ncmVhc2UgX2tDcEhYagpSZjBSQkhVODR2S05JZC9Tbjg4RW41enNEVmVDODJuS3laYnVBcWR6TFB0Ni85NnBiK2pYbUlXbG1E"
    "bFQyZVUKLS0tIFJ1QmJrc2toUWhmRDc1dXhpalg0aXJ3ZDdJT2JjMW02N2lBdWtHZ09jamsKvqkwx/1QgxfwbHs1x8FymLLArv2M"
    "dh2CxgIVc/m+xo4r4QLe/E4HbXUeEuQKkNIV6OFNDO10cMbnUU2OiSxP0Sq1+gSK"
)
IN_FOREIGN = b"made by another implementation of age"

FILE_KEY = b"sixteen bytes !!"
NONCE = b"another sixteen!"
CHUNK = 64 * 1024


def stanza(recipient: X25519PublicKey, file_key: bytes = FILE_KEY) -> bytes:
    """The file key wrapped for one recipient."""
    ephemeral = X25519PrivateKey.generate()
    share = ephemeral.public_key().public_bytes_raw()
    salt = share + recipient.public_bytes_raw()
    key = hkdf(ephemeral.exchange(recipient), salt, b"age-encryption.org/v1/X25519")
    wrapped = ChaCha20Poly1305(key).encrypt(bytes(12), file_key, None)
    return b"-> X25519 %s\n%s\n" % (text64(share), text64(wrapped))


def head(*stanzas: bytes, file_key: bytes = FILE_KEY, version: bytes = b"age-encryption.org/v1") -> bytes:
    """A head of these stanzas, with the right code."""
    covered = version + b"\n" + b"".join(stanzas) + b"---"
    code = hmac.digest(hkdf(file_key, b"", b"header"), covered, "sha256")
    return covered + b" " + text64(code) + b"\n"


def body(*chunks: bytes, ends: bool = True) -> bytes:
    """The nonce and these plain chunks, sealed one by one; with `ends`, the last one is marked as that."""
    aead = ChaCha20Poly1305(hkdf(FILE_KEY, NONCE, b"payload"))
    sealed = [
        aead.encrypt(number.to_bytes(11, "big") + bytes([ends and number == len(chunks) - 1]), chunk, None)
        for number, chunk in enumerate(chunks)
    ]
    return NONCE + b"".join(sealed)


def hkdf(secret: bytes, salt: bytes, label: bytes) -> bytes:
    """HKDF-SHA-256 (RFC 5869) for 32 bytes, as its text says it."""
    return hmac.digest(hmac.digest(salt or bytes(32), secret, "sha256"), label + b"\x01", hashlib.sha256)


def text64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")
