"""With what an app registration signs in: files that only their owner may read, or what systemd has given to us."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cryptography import x509

from agent.errors import ConfigurationError
from agent.settings import AppSettings, TenantSettings

if TYPE_CHECKING:
    from connectors.microsoft365.auth import Credential

Role = Literal["reader", "writer"]

CREDSTORE = Path("/etc/retentiond/credstore")
_LARGEST_CREDENTIAL_BYTES = 64 << 10
_LIBRARIES = ("msal", "office365", "requests")


def check_installed() -> None:
    """Raises `ConfigurationError` if the libraries that speak to Microsoft are not installed: they are an extra."""
    if any(find_spec(library) is None for library in _LIBRARIES):
        raise ConfigurationError(
            "Microsoft 365 needs the extra retentiond[microsoft365], and it is not installed here."
        )


def app_of(tenant: TenantSettings, role: Role) -> AppSettings:
    """The app registration of that role. Raises `ConfigurationError` if the tenant is only observed."""
    app = tenant.reader if role == "reader" else tenant.writer
    if app is None:
        raise ConfigurationError(f"tenants: {tenant.name} has no writer: nothing can be changed there.")
    return app


def credential_file(named: str) -> Path:
    """Where a credential lies: at an absolute path; else where systemd has put what it has given to this process; else,
    for commands of root, where `retentiond init --m365 --system` keeps it. Raises `ConfigurationError`."""
    if named.startswith("/"):
        return Path(named)
    given = os.environ.get("CREDENTIALS_DIRECTORY")
    places = [Path(given) / named] if given else []
    for place in [*places, CREDSTORE / named]:
        with suppress(OSError):
            if "/" not in named and place.is_file():
                return place
    raise ConfigurationError(
        f"{named!r} is neither an absolute path nor a credential that systemd has given to this process "
        f"(LoadCredential=), and {CREDSTORE} has none of that name that we may read. Run as root:  "
        "retentiond init --m365 --system"
    )


def read_credential_file(named: str) -> bytes:
    """What is in it. Raises `ConfigurationError` if it is not there, or if others may read it."""
    path = credential_file(named)
    given = os.environ.get("CREDENTIALS_DIRECTORY")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
        with open(descriptor, "rb") as file:
            # systemd lets nobody else into its directory, whatever the modes in it are
            is_given = given is not None and path.parent == Path(given)
            if not is_given and stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
                raise ConfigurationError(f"{path}: others may read this secret. Run: chmod 600 {path}")
            content = file.read(_LARGEST_CREDENTIAL_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot read the credential ({error.strerror}).") from error
    if not content.strip() or len(content) > _LARGEST_CREDENTIAL_BYTES:
        raise ConfigurationError(f"{path}: this is no credential: it is empty, or far too large.")
    return content


def credential_of(app: AppSettings) -> Credential:
    """What the app signs in with, as it is now. Raises `ConfigurationError`."""
    check_installed()
    from connectors.microsoft365.auth import Certificate, ManagedIdentity, Secret

    if app.managed_identity is not None:
        return ManagedIdentity(None if app.managed_identity is True else str(app.managed_identity))
    if app.secret_file is not None:
        return Secret(_line_of(app.secret_file))
    passphrase = None if app.passphrase_file is None else _line_of(app.passphrase_file)
    return Certificate(read_credential_file(app.certificate_file or ""), passphrase)


def expires_at(app: AppSettings) -> datetime | None:
    """When its certificate expires (UTC); none where there is no certificate, or none that can be read."""
    if app.certificate_file is None:
        return None
    try:
        return x509.load_pem_x509_certificate(read_credential_file(app.certificate_file)).not_valid_after_utc
    except (ConfigurationError, ValueError):
        return None  # whoever signs in with it is told why


def _line_of(named: str) -> str:
    content = read_credential_file(named)
    try:
        return content.decode("utf-8").strip("\r\n")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{credential_file(named)}: this secret is not UTF-8 text.") from None
