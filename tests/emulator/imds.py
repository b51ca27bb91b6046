"""Managed identity: the instance metadata service of a virtual machine, and App Service's endpoint for the same."""

from __future__ import annotations

from tests.emulator.apps import App, Apps
from tests.emulator.clock import Clock
from tests.emulator.http import Reply, Request, Routes
from tests.emulator.tokens import GRAPH_AUDIENCE, Tokens

_LIFETIME_SECONDS = 86399
APP_SERVICE_HEADER = "emulated-identity-header"


class ManagedIdentity:
    """Gives tokens to whoever asks from this machine, for an app that is marked as a managed identity."""

    def __init__(self, apps: Apps, tokens: Tokens, clock: Clock) -> None:
        self._apps = apps
        self._tokens = tokens
        self._clock = clock

    def routes(self) -> Routes:
        """`/metadata/identity/oauth2/token` (IMDS) and `/msi/token` (App Service)."""
        table = Routes()
        table.get("/metadata/identity/oauth2/token")(self._metadata)
        table.get("/msi/token")(self._app_service)
        return table

    def _metadata(self, request: Request) -> Reply:
        if request.headers.get("Metadata", "").lower() != "true":
            return _refused("invalid_request", "Required metadata header not specified")
        return self._token(request)

    def _app_service(self, request: Request) -> Reply:
        if request.headers.get("X-IDENTITY-HEADER") != APP_SERVICE_HEADER:
            return _refused("invalid_request", "The identity header is missing or wrong", 401)
        return self._token(request)

    def _token(self, request: Request) -> Reply:
        if request.query.get("resource", "").removesuffix("/") != GRAPH_AUDIENCE:
            return _refused("invalid_resource", "The resource principal was not found in the tenant")
        app = self._identity(request.query.get("client_id"))
        if app is None:
            return _refused("invalid_request", "Identity not found")
        token = self._tokens.issue(app, lifetime_seconds=_LIFETIME_SECONDS)
        expires = str(int(self._clock.time()) + _LIFETIME_SECONDS)
        return Reply(
            200,
            {
                "access_token": token["access_token"],
                "client_id": app.client_id,
                "expires_in": str(_LIFETIME_SECONDS),
                "expires_on": expires,
                "resource": GRAPH_AUDIENCE,
                "token_type": "Bearer",
            },
        )

    def _identity(self, client_id: str | None) -> App | None:
        for app in self._apps:
            if app.is_managed_identity and client_id in (None, app.client_id):
                return app
        return None


def _refused(error: str, description: str, status: int = 400) -> Reply:
    return Reply(status, {"error": error, "error_description": description})
