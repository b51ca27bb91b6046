"""Entra ID: discovery, the token endpoint and device code, as far as a daemon and its administrator need them.

Client assertions are really verified: signature against a certificate that the app has registered, audience, lifetime,
issuer, and that none is used twice.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.emulator.apps import App, Apps
from tests.emulator.clock import Clock
from tests.emulator.http import Reply, Request, Routes
from tests.emulator.tokens import Tokens, base64url

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_DEVICE_GRANTS = ("urn:ietf:params:oauth:grant-type:device_code", "device_code")
_DEVICE_CODE_SECONDS = 900
_CLOCK_SKEW_SECONDS = 300


class Refusal(Exception):
    """What the token endpoint says instead of a token."""

    def __init__(self, error: str, code: int, text: str) -> None:
        super().__init__(f"AADSTS{code}")
        self.error, self.code, self.text = error, code, text


@dataclass
class _DeviceCode:
    app: App
    user_code: str
    expires: float
    approved: bool | None = None  # None: nobody has answered yet


class Entra:
    """The login host of one tenant.

    `invalid_client_status`: Entra has been seen to refuse bad credentials with 400 and with 401. MSAL answers a
    repeated 400 from its memory for a minute, which makes it the harder one on a client that rotates its credentials.
    """

    def __init__(self, tenant_id: str, apps: Apps, tokens: Tokens, clock: Clock, url: Callable[[], str]) -> None:
        self._tenant_id = tenant_id
        self._apps = apps
        self._tokens = tokens
        self._clock = clock
        self._url = url
        self.invalid_client_status = 400
        self._lock = threading.Lock()
        self._used_assertions: set[str] = set()
        self._devices: dict[str, _DeviceCode] = {}

    def answer_device(self, user_code: str, approved: bool) -> None:
        """What the person with the device code decides. Raises KeyError when no such code was given out."""
        with self._lock:
            for device in self._devices.values():
                if device.user_code == user_code:
                    device.approved = approved
                    return
        raise KeyError(user_code)

    def routes(self) -> Routes:
        """The routes of the login host."""
        table = Routes()
        table.get("/{tenant}/v2.0/.well-known/openid-configuration")(self._discovery)
        table.get("/{tenant}/.well-known/openid-configuration")(self._discovery)
        table.post("/{tenant}/oauth2/v2.0/token")(self._token)
        table.post("/{tenant}/oauth2/v2.0/devicecode")(self._device_code)
        return table

    def _discovery(self, request: Request) -> Reply:
        try:
            self._check_tenant(request)
        except Refusal as refusal:
            return self._as_reply(refusal, request)
        base = f"{self._url()}/{request.params['tenant']}"
        return Reply(
            200,
            {
                "issuer": f"{self._url()}/{self._tenant_id}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "response_types_supported": ["code", "id_token"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
            },
        )

    def _token(self, request: Request) -> Reply:
        form = dict(urllib.parse.parse_qsl(request.body.decode()))
        try:
            self._check_tenant(request)
            return Reply(200, self._granted(form))
        except Refusal as refusal:
            return self._as_reply(refusal, request)

    def _granted(self, form: dict[str, str]) -> dict[str, Any]:
        grant = form.get("grant_type", "")
        if grant == "client_credentials":
            return self._tokens.issue(self._signed_in(form))
        if grant in _DEVICE_GRANTS:
            return self._device_token(form)
        raise Refusal("unsupported_grant_type", 70003, "The app requested an unsupported grant type.")

    def _device_code(self, request: Request) -> Reply:
        form = dict(urllib.parse.parse_qsl(request.body.decode()))
        try:
            self._check_tenant(request)
            app = self._app(form)
        except Refusal as refusal:
            return self._as_reply(refusal, request)
        code, user_code = secrets.token_urlsafe(32), secrets.token_hex(4).upper()
        with self._lock:
            self._devices[code] = _DeviceCode(app, user_code, self._clock.time() + _DEVICE_CODE_SECONDS)
        page = f"{self._url()}/devicelogin"
        return Reply(
            200,
            {
                "user_code": user_code,
                "device_code": code,
                "verification_uri": page,
                "expires_in": _DEVICE_CODE_SECONDS,
                "interval": 1,
                "message": f"To sign in, open the page {page} and enter the code {user_code} to authenticate.",
            },
        )

    def _device_token(self, form: dict[str, str]) -> dict[str, Any]:
        with self._lock:
            device = self._devices.get(form.get("device_code", ""))
            if device is None or device.app is not self._app(form):
                raise Refusal("bad_verification_code", 70000, "The device code is malformed or not known.")
            if device.expires <= self._clock.time():
                raise Refusal("expired_token", 70020, "The device code has expired.")
            if device.approved is None:
                raise Refusal("authorization_pending", 70016, "OAuth 2.0 device flow error. Authorization is pending.")
            del self._devices[form["device_code"]]
        if not device.approved:
            raise Refusal("authorization_declined", 70012, "The end user denied the authorization request.")
        return self._tokens.issue(device.app, delegated=True) | {"scope": " ".join(sorted(device.app.scopes))}

    def _signed_in(self, form: dict[str, str]) -> App:
        app = self._app(form)
        scope = form.get("scope", "").split()
        if not scope or not all(name.endswith("/.default") for name in scope if name.startswith("https://")):
            raise Refusal("invalid_scope", 1002012, "The provided value for scope is not valid.")
        if "client_secret" in form:
            if not any(hmac.compare_digest(form["client_secret"], secret) for secret in app.secrets):
                raise Refusal("invalid_client", 7000215, "Invalid client secret provided.")
        elif "client_assertion" in form:
            if form.get("client_assertion_type") != _ASSERTION_TYPE:
                raise Refusal("invalid_request", 900144, "The body must contain 'client_assertion_type'.")
            self._check_assertion(app, form["client_assertion"])
        else:
            raise Refusal("invalid_client", 7000218, "The body must contain 'client_assertion' or 'client_secret'.")
        return app

    def _check_assertion(self, app: App, assertion: str) -> None:
        try:
            header, claims = (json.loads(_unb64(part)) for part in assertion.split(".")[:2])
            signature = _unb64(assertion.split(".")[2])
        except (ValueError, IndexError):
            raise Refusal("invalid_client", 50027, "JWT token is invalid or malformed.") from None
        certificate = _named(app, header)
        if certificate is None:
            raise Refusal("invalid_client", 700027, "The certificate with this identifier is not registered.")
        if not _is_signed(certificate, header.get("alg"), assertion.rpartition(".")[0].encode(), signature):
            raise Refusal("invalid_client", 700027, "Client assertion failed signature validation.")
        if certificate.not_valid_after_utc <= self._clock.now():
            raise Refusal("invalid_client", 700027, "The certificate has expired.")
        self._check_claims(app, claims)

    def _check_claims(self, app: App, claims: dict[str, Any]) -> None:
        now = self._clock.time()
        base = f"{self._url()}/{self._tenant_id}"
        if claims.get("aud") not in (f"{base}/oauth2/v2.0/token", f"{base}/v2.0", base):
            raise Refusal("invalid_client", 700023, "Client assertion audience claim does not match.")
        if claims.get("iss") != app.client_id or claims.get("sub") != app.client_id:
            raise Refusal("invalid_client", 700021, "Client assertion application identifier does not match.")
        if claims.get("exp", 0) <= now - _CLOCK_SKEW_SECONDS or claims.get("nbf", 0) > now + _CLOCK_SKEW_SECONDS:
            raise Refusal("invalid_client", 700024, "Client assertion is not within its valid time range.")
        with self._lock:
            if not claims.get("jti") or claims["jti"] in self._used_assertions:
                raise Refusal("invalid_client", 700026, "Client assertion has been used before.")
            self._used_assertions.add(claims["jti"])

    def _check_tenant(self, request: Request) -> None:
        if request.params["tenant"] not in (self._tenant_id, "contoso.onmicrosoft.com", "organizations"):
            raise Refusal("invalid_tenant", 90002, "Tenant not found.")

    def _app(self, form: dict[str, str]) -> App:
        app = self._apps.of(form.get("client_id", ""))
        if app is None:
            raise Refusal("unauthorized_client", 700016, "Application was not found in the directory.")
        return app

    def _as_reply(self, refusal: Refusal, request: Request) -> Reply:
        return Reply(
            self.invalid_client_status if refusal.error == "invalid_client" else 400,
            {
                "error": refusal.error,
                "error_description": f"AADSTS{refusal.code}: {refusal.text}",
                "error_codes": [refusal.code],
                "timestamp": request.now.strftime("%Y-%m-%d %H:%M:%SZ"),
                "trace_id": secrets.token_hex(16),
                "correlation_id": request.headers.get("client-request-id", ""),
            },
        )


def _named(app: App, header: dict[str, Any]) -> x509.Certificate | None:
    """The registered certificate that the assertion's header names by its thumbprint."""
    sha256, sha1 = (str(header.get(name, "")).rstrip("=") for name in ("x5t#S256", "x5t"))
    for certificate in app.certificates:
        if sha256 == base64url(certificate.fingerprint(hashes.SHA256())):
            return certificate
        if sha1 == base64url(certificate.fingerprint(hashes.SHA1())):  # noqa: S303 - how Entra names certificates
            return certificate
    return None


def _is_signed(certificate: x509.Certificate, algorithm: Any, signed: bytes, signature: bytes) -> bool:
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or algorithm not in ("RS256", "PS256"):
        return False
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
    try:
        key.verify(signature, signed, pss if algorithm == "PS256" else padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
