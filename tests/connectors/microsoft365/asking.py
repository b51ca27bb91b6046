"""Signed-in requests to the emulator, as the connectors make them, but without waiting for real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from connectors.microsoft365.auth import Credential, Secret, SignIn, Tokens
from connectors.microsoft365.gate import TenantGate
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.session import Http
from tests.emulator import App, Call, Emulator

SCOPE = "https://graph.microsoft.com/.default"
PASSWORD = "kept-to-ourselves"  # noqa: S105 - of an application of the emulator
READER = frozenset({"Sites.Read.All", "User.Read.All"})
WRITER = frozenset({"Sites.ReadWrite.All", "User.Read.All"})


def sign_in(emulator: Emulator, app: App, credential: Credential | Callable[[], Credential] | None = None) -> SignIn:
    return SignIn(
        emulator.tenant.id, app.client_id, credential or Secret(PASSWORD), emulator.login_url, SCOPE, known_login=False
    )


def tokens_of(emulator: Emulator, app: App, **settings: Any) -> Tokens:
    return Tokens(sign_in(emulator, app, settings.pop("credential", None)), Http(emulator.ca_file), **settings)


def gate_of(emulator: Emulator, per_minute: float | None = None, **settings: Any) -> TenantGate:
    """A gate by the emulator's clock, which goes on whenever somebody waits."""
    clock = emulator.clock
    defaults: dict[str, Any] = {"now": clock.time, "sleep": clock.advance, "chance": lambda: 0.0}
    return TenantGate(per_minute, **(defaults | settings))


@contextmanager
def asking(emulator: Emulator, roles: frozenset[str] = WRITER, **settings: Any) -> Iterator[Graph]:
    """A way to ask as an application of its own with these roles."""
    app = emulator.tenant.add_app(roles=set(roles), secret=PASSWORD)
    tokens = tokens_of(emulator, app)
    defaults: dict[str, Any] = {"sleep": emulator.clock.advance, "chance": lambda: 0.5}
    gate = settings.pop("gate", None) or gate_of(emulator)
    graph = Graph(tokens, gate, root=emulator.graph_url, ca_file=emulator.ca_file, **(defaults | settings))
    try:
        yield graph
    finally:
        graph.close()
        tokens.close()


def calls(emulator: Emulator, host: str = "graph", path: str = "") -> list[Call]:
    """What came to that host with that in its path."""
    return [call for call in emulator.log if call.host == host and path in call.path]
