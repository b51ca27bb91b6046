"""App registrations: who may ask Entra for a token, with what, and which roles the token then carries.

A tenant keeps one `Apps`; Entra and the managed-identity endpoint read it. Secrets and certificates are lists, because
a real rotation has an hour in which the old and the new one both work.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator

from cryptography import x509


class App:
    """One registered application.

    Taking a role away works at once, also for tokens that were issued with it; a role that is added is in the tokens
    issued from then on. `scopes` are delegated permissions: what a person who signs in by device code gets.
    """

    def __init__(self, client_id: str, roles: Iterable[str], scopes: Iterable[str]) -> None:
        self.client_id = client_id
        self.roles = set(roles)
        self.scopes = set(scopes)
        self.secrets: list[str] = []
        self.certificates: list[x509.Certificate] = []
        self.is_managed_identity = False

    def __repr__(self) -> str:
        return f"App({self.client_id[:8]}…, {sorted(self.roles)})"

    def add_certificate(self, pem: bytes) -> None:
        """Register the (first) certificate in `pem`; a private key in there is ignored."""
        self.certificates.append(x509.load_pem_x509_certificates(pem)[0])

    def rotate_secret(self, secret: str) -> None:
        """From now on only this secret works."""
        self.secrets[:] = [secret]

    def rotate_certificate(self, pem: bytes) -> None:
        """From now on only this certificate works."""
        self.certificates.clear()
        self.add_certificate(pem)


class Apps:
    """All applications of one tenant."""

    def __init__(self) -> None:
        self._apps: dict[str, App] = {}

    def __iter__(self) -> Iterator[App]:
        return iter(list(self._apps.values()))

    def add(
        self,
        roles: Iterable[str] = (),
        *,
        scopes: Iterable[str] = (),
        secret: str | None = None,
        certificate: bytes | None = None,
        managed_identity: bool = False,
        client_id: str | None = None,
    ) -> App:
        """Register an application; it can sign in with whatever it is given here or later."""
        app = App(client_id or str(uuid.uuid4()), roles, scopes)
        if secret is not None:
            app.secrets.append(secret)
        if certificate is not None:
            app.add_certificate(certificate)
        app.is_managed_identity = managed_identity
        self._apps[app.client_id] = app
        return app

    def of(self, client_id: str) -> App | None:
        """The application with this client id, if there is one."""
        return self._apps.get(client_id)
