"""Keys by which we sign in to Microsoft 365, each with a certificate of its own that is uploaded there.

A key is replaced only if that was asked for, and then the old one is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from agent.errors import ConfigurationError
from agent.usecases.set_up_files import Rights, content_of, grant, set_aside, write_file

CERTIFICATE_DAYS = 730
_KEY_BITS = 3072


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as an administrator compares it: its fingerprints (hexadecimal, upper case) and its last day."""

    sha256: str
    sha1: str
    expires_at: datetime


def new_key(subject: str, now: datetime) -> bytes:
    """A new private key and a certificate for it that it has signed itself, both PEM in one. Takes about a second."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=_KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # clocks differ
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def public_part(pem: bytes) -> bytes:
    """The certificate alone. Raises `ValueError` if there is none."""
    return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.PEM)


def read_certificate(pem: bytes) -> Certificate:
    """What stands in the first certificate of the file. Raises `ValueError` if there is none."""
    found = x509.load_pem_x509_certificate(pem)
    # SHA-1 only to compare: it is what Entra shows.
    return Certificate(
        found.fingerprint(hashes.SHA256()).hex().upper(),
        found.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303
        found.not_valid_after_utc,
    )


@dataclass(slots=True)
class KeyFile:
    """The file with a private key and its certificate. With `renew` a new one takes the place of the one that is there,
    once: the old one is kept as `….before-DAY`."""

    path: Path
    rights: Rights
    subject: str
    now: datetime
    renew: bool = False
    kept: Path | None = field(default=None, init=False)

    def lacking(self) -> str:
        if self.renew:
            return "a new one is wanted"
        return self.rights.lacking(self.path) or self._damage()

    def _damage(self) -> str:
        try:
            read_certificate(content_of(self.path) or b"")
        except ValueError:
            raise ConfigurationError(
                f"{self.path}: there is no certificate in it. Move it away, or put the right file back."
            ) from None
        return ""

    def make(self) -> None:
        there = content_of(self.path)
        if there is not None and not self.renew:
            grant(self.path, self.rights)
            return
        pem = new_key(self.subject, self.now)
        if there is not None:
            self.kept = set_aside(self.path, self.now.date().isoformat())
        write_file(self.path, pem, self.rights, replace=self.renew)
        self.renew = False


@dataclass(frozen=True, slots=True)
class PublicFile:
    """The certificate alone, beside its key: the file that is uploaded."""

    path: Path
    rights: Rights
    key_file: Path

    def lacking(self) -> str:
        lack = self.rights.lacking(self.path)
        if lack == "it is missing":
            return lack
        return "it is another one's" if content_of(self.path) != self._content() else lack

    def make(self) -> None:
        write_file(self.path, self._content(), self.rights)

    def _content(self) -> bytes:
        key = content_of(self.key_file)
        return b"" if key is None else public_part(key)
