"""Signing in: tokens for an application, by certificate, by secret or by the identity of the machine we run on.

Tokens live in memory only. What the sign-in service says in words may name people and tenants, so that of its refusals
only the codes are passed on.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msal  # type: ignore[import-untyped]
import requests
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from connectors.errors import NotSignedIn
from connectors.microsoft365.session import Http

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 5.0, 300.0
_UNREACHABLE = "the sign-in service cannot be reached"
_UNREADABLE = "the certificate file does not hold a private key that we can read, and its certificate"
_ENTRA_CODE = re.compile(r"AADSTS[0-9]{1,9}")
_ERROR_WORD = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A private key and its certificate, both in one PEM, with the key's passphrase where it has one."""

    pem: bytes = field(repr=False)
    passphrase: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Secret:
    """A client secret."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """The identity that Azure gives the machine, or the one of that client id among several."""

    client_id: str | None = None


Credential = Certificate | Secret | ManagedIdentity


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who signs in, where and for what.

    `credential` may be something that reads it: it is asked again when the sign-in service has refused what it gave
    before, so that a rotated key or secret is picked up. `login` is an `https` origin, `scope` as in `Cloud.scope`.
    `known_login` is false where `login` is not one of Microsoft's own hosts.
    """

    tenant_id: str
    client_id: str
    credential: Credential | Callable[[], Credential] = field(repr=False)
    login: str
    scope: str
    known_login: bool = True


class Tokens:
    """Gives out the application's token and renews it in time. For several threads.

    Nothing is asked before the first token is wanted, so that this can be made while the sign-in service is down. After
    a refusal it is asked again no sooner than after a pause that grows from 5 to 300 seconds, unless the credential has
    changed since.
    """

    def __init__(self, sign_in: SignIn, http: Http, *, now: Callable[[], float] = time.monotonic) -> None:
        self._sign_in = sign_in
        self._http = http
        self._now = now
        self._lock = threading.Lock()
        self._app: Any = None
        self._used: Credential | None = None
        self._refused: str = ""
        self._refusals = 0
        self._ask_again_at = 0.0
        self._issued = 0
        self._token = ""

    @property
    def issued(self) -> int:
        """How many tokens were given out so far; tells `renew` which one was refused."""
        return self._issued

    def callback(self) -> dict[str, str]:
        """The token in the form that the Graph library wants. Raises `NotSignedIn`."""
        with self._lock:
            return {"access_token": self._current(), "token_type": "Bearer"}

    def renew(self, issued: int | None = None) -> None:
        """Fetches a new token because the last one was refused; does nothing if there is a newer one than `issued`.

        Raises `NotSignedIn`.
        """
        with self._lock:
            if issued is not None and issued != self._issued:
                return
            self._forget()
            self._current()

    def roles(self) -> frozenset[str]:
        """The application roles that the token carries (delegated: its scopes). Raises `NotSignedIn`."""
        with self._lock:
            claims = claims_of(self._current())
        return granted(claims)

    def close(self) -> None:
        """Forgets the token and closes connections. Safe to call twice."""
        with self._lock:
            self._forget()
            self._http.close()

    def _forget(self) -> None:
        self._app = None
        self._token = ""

    def _current(self) -> str:
        if self._app is None and self._refused and self._now() < self._ask_again_at and not self._changed():
            raise NotSignedIn(self._refused)
        token, refused = self._ask()
        if token is None and self._changed():
            self._forget()
            token, refused = self._ask()
        if token is None:
            self._forget()  # the library would replay a refusal for a minute
            pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0 ** min(self._refusals, 10))
            self._refusals, self._refused, self._ask_again_at = self._refusals + 1, refused, self._now() + pause
            raise NotSignedIn(refused)
        self._refusals, self._refused = 0, ""
        if token != self._token:
            self._token, self._issued = token, self._issued + 1
        return token

    def _credential(self) -> tuple[Credential | None, str]:
        """What to sign in with, or why there is nothing."""
        credential = self._sign_in.credential
        if not callable(credential):
            return credential, ""
        try:
            return credential(), ""
        except NotSignedIn as error:
            return None, str(error)
        except (OSError, ValueError):
            return None, "our credential cannot be read"

    def _changed(self) -> bool:
        if not callable(self._sign_in.credential):
            return False
        credential, _ = self._credential()
        return credential is not None and credential != self._used

    def _ask(self) -> tuple[str | None, str]:
        """The token, or why there is none."""
        used, lacking = (self._used, "") if self._app else self._credential()
        self._used = used
        if used is None:
            return None, lacking
        scope = self._sign_in.scope
        try:
            self._app = self._app or _app(self._sign_in, used, self._http)
            if isinstance(used, ManagedIdentity):
                answer = self._app.acquire_token_for_client(resource=scope.removesuffix("/.default"))
            else:
                answer = self._app.acquire_token_for_client(scopes=[scope])
        except NotSignedIn as error:
            return None, str(error)
        except (requests.RequestException, OSError):
            return None, _UNREACHABLE
        except Exception:  # noqa: BLE001 - the library raises bare ones whose text tells tenant and answer
            return None, "the sign-in service has not answered as it should"
        token = answer.get("access_token")
        if isinstance(token, str) and token:
            return token, ""
        return None, f"the sign-in service refuses us ({codes_of(answer)})"


def _app(sign_in: SignIn, credential: Credential, http: Http) -> Any:
    if isinstance(credential, ManagedIdentity):
        identity = (
            msal.UserAssignedManagedIdentity(client_id=credential.client_id)
            if credential.client_id
            else msal.SystemAssignedManagedIdentity()
        )
        return msal.ManagedIdentityClient(identity, http_client=http)
    return msal.ConfidentialClientApplication(
        sign_in.client_id,
        client_credential=_credential_for_msal(credential),
        authority=f"{sign_in.login}/{sign_in.tenant_id}",
        instance_discovery=None if sign_in.known_login else False,
        http_client=http,
    )


def _credential_for_msal(credential: Certificate | Secret) -> str | dict[str, str]:
    if isinstance(credential, Secret):
        return credential.value
    passphrase = credential.passphrase
    try:
        serialization.load_pem_private_key(credential.pem, None if passphrase is None else passphrase.encode())
        x509.load_pem_x509_certificate(credential.pem)
        pem = credential.pem.decode("ascii")
    except (ValueError, TypeError, UnsupportedAlgorithm):
        readable = False
    else:
        readable = True
    if not readable:
        raise NotSignedIn(_UNREADABLE)
    # Key and certificate make msal sign with PS256 and name the certificate by SHA-256; a thumbprint would mean SHA-1.
    found = {"private_key": pem, "public_certificate": pem}
    if passphrase is not None:
        found["passphrase"] = passphrase
    return found


def codes_of(answer: Mapping[str, object]) -> str:
    """What a refusal of the sign-in service may be told by: its code, never its words."""
    word = answer.get("error")
    code = _ENTRA_CODE.search(str(answer.get("error_description") or ""))
    shown = [word] if isinstance(word, str) and _ERROR_WORD.fullmatch(word) else ["no reason given"]
    return ", ".join(shown + ([code.group()] if code else []))


def claims_of(token: str) -> Mapping[str, object]:
    """What a token says of itself, unverified; nothing for one that is not of the usual form."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def granted(claims: Mapping[str, object]) -> frozenset[str]:
    """What a token allows: an application's roles, or what a person has agreed to."""
    roles, scopes = claims.get("roles"), claims.get("scp")
    found = [role for role in roles if isinstance(role, str)] if isinstance(roles, list) else []
    return frozenset(found + (scopes.split() if isinstance(scopes, str) else []))
