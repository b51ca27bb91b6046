"""The book of access tokens: what was issued to whom, and whether it is still good.

Tokens look like JSON web tokens, so that a client can read the roles in them; what they allow is in the book alone.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from tests.emulator.apps import App
from tests.emulator.clock import Clock
from tests.emulator.http import Problem

GRAPH_AUDIENCE = "https://graph.microsoft.com"


@dataclass(frozen=True)
class Token:
    """What was issued to whom."""

    app: App = field(repr=False)
    permissions: frozenset[str]
    delegated: bool
    expires: float
    generation: int


class Tokens:
    """The book of issued access tokens."""

    def __init__(self, tenant_id: str, clock: Clock) -> None:
        self._tenant_id = tenant_id
        self._clock = clock
        self._issued: dict[str, Token] = {}
        self._generation = 0
        self.lifetime_seconds = 3599

    def issue(self, app: App, delegated: bool = False, lifetime_seconds: int | None = None) -> dict[str, Any]:
        """A token as the token endpoint gives it out."""
        lifetime = self.lifetime_seconds if lifetime_seconds is None else lifetime_seconds
        now = self._clock.time()
        permissions = frozenset(app.scopes if delegated else app.roles)
        claims: dict[str, Any] = {
            "aud": GRAPH_AUDIENCE,
            "iss": f"https://sts.windows.net/{self._tenant_id}/",
            "iat": int(now),
            "nbf": int(now),
            "exp": int(now + lifetime),
            "appid": app.client_id,
            "tid": self._tenant_id,
            "idtyp": "user" if delegated else "app",
            "uti": secrets.token_urlsafe(12),
        }
        claims |= {"scp": " ".join(sorted(permissions))} if delegated else {"roles": sorted(permissions)}
        parts = [
            base64url(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "RS256", "kid": "emulator"}, claims)
        ]
        token = ".".join([*parts, base64url(secrets.token_bytes(64))])
        self._issued[token] = Token(app, permissions, delegated, now + lifetime, self._generation)
        return {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": token,
        }

    def check(self, authorization: str | None) -> Token:
        """The token in an Authorization header. Raises Problem 401 when it is none of ours, expired or revoked."""
        scheme, _, value = (authorization or "").partition(" ")
        if not value:
            raise self._refused("Access token is empty.")
        token = self._issued.get(value)
        if token is None or scheme.lower() != "bearer":
            raise self._refused("CompactToken parsing failed with error code: 80049217")
        if token.expires <= self._clock.time():
            raise self._refused("Lifetime validation failed, the token is expired.")
        if token.generation != self._generation:
            raise self._refused("Continuous access evaluation resulted in challenge: TokenIssuedBeforeRevocation.")
        return token

    def peek(self, authorization: str | None) -> Token | None:
        """Whose token this is, whether or not it is still good."""
        return self._issued.get((authorization or "").partition(" ")[2])

    def revoke(self) -> None:
        """Let every token that was issued so far be refused."""
        self._generation += 1

    def _refused(self, message: str) -> Problem:
        realm = (
            f'Bearer realm="", authorization_uri="https://login.microsoftonline.com/{self._tenant_id}/oauth2/authorize"'
        )
        return Problem(401, "InvalidAuthenticationToken", message, headers={"WWW-Authenticate": realm})


def base64url(data: bytes) -> str:
    """Base64 as web tokens have it: URL-safe, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
