"""Microsoft 365 on the loopback address: `with Emulator() as graph:` starts it, leaving the block ends it.

Leaving also raises AssertionError when a request or an answer broke the published description of Graph
(`graph.violations`), or when the emulator itself failed; `check=False` switches the first off.
"""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from tests.emulator import batch, drive_routes, label_routes, mail_routes, site_routes
from tests.emulator.apps import App
from tests.emulator.calls import Call
from tests.emulator.certificates import Authority
from tests.emulator.clock import Clock
from tests.emulator.contract import Contract
from tests.emulator.downloads import Downloads
from tests.emulator.entra import Entra
from tests.emulator.faults import Faults, Hooks
from tests.emulator.front import Books, Desk, Front
from tests.emulator.graph_desk import GraphDesk
from tests.emulator.http import Problem, Reply, Request, Routes
from tests.emulator.imds import ManagedIdentity
from tests.emulator.server import Host
from tests.emulator.tenant import Tenant
from tests.emulator.throttle import Limits, Throttle
from tests.emulator.tokens import Tokens

SERVICE_ROOT = "/v1.0"
OFFICIAL_GRAPH = "graph.microsoft.com"
OFFICIAL_DOWNLOADS = "contoso.sharepoint.com"
OFFICIAL_LOGIN = "login.microsoftonline.com"


class Emulator:
    """A tenant with its hosts: Graph, login, downloads, managed identity, and two foreign ones that only take notes.

    With `check_every=n` only every n-th call is held against Graph's description. `seed` is for faults by chance.
    """

    def __init__(
        self, *, check: bool = True, check_every: int = 1, seed: int = 0, limits: Limits | None = None
    ) -> None:
        self.clock = Clock()
        self.tenant = Tenant(None, self.clock)
        self.limits = limits or Limits()
        self.faults = Faults(seed)
        self.throttle = Throttle(self.limits, self.clock)
        self.contract = Contract(check_every) if check else None
        self.tokens = Tokens(self.tenant.id, self.clock)
        self.entra = Entra(self.tenant.id, self.tenant.apps, self.tokens, self.clock, lambda: self.login_url)
        self._hooks = Hooks()
        self._books = Books(self.clock, self.faults, self._hooks)
        self._authority = Authority()
        self._directory = tempfile.TemporaryDirectory(prefix="emulator-")
        self._routes = _tenant_routes(self.tenant)
        self._hosts = self._make_hosts()

    # What tests read and do

    @property
    def graph_url(self) -> str:
        """The service root: `https://localhost:PORT/v1.0`."""
        return self._hosts["graph"].url + SERVICE_ROOT

    @property
    def login_url(self) -> str:
        """Entra: the authority is this, a slash and the tenant's id."""
        return self._hosts["login"].url

    @property
    def downloads_url(self) -> str:
        """Where pre-authenticated links point to."""
        return self._hosts["downloads"].url

    @property
    def imds_url(self) -> str:
        """For AZURE_POD_IDENTITY_AUTHORITY_HOST; App Service's IDENTITY_ENDPOINT is this and `/msi/token`."""
        return self._hosts["imds"].url

    @property
    def evil_url(self) -> str:
        """A foreign host with a certificate that is trusted; it says 200 to everything."""
        return self._hosts["evil"].url

    @property
    def plain_url(self) -> str:
        """A foreign host without TLS."""
        return self._hosts["plain"].url

    @property
    def ca_file(self) -> str:
        """The authority that signed the certificates of all hosts, as PEM."""
        return str(Path(self._directory.name) / "ca.pem")

    @property
    def log(self) -> list[Call]:
        """Every call to every host, in the order in which they came."""
        return self._books.log

    @property
    def leaks(self) -> list[Call]:
        """Calls that carried a bearer to a host that must not see it."""
        return [call for call in self.log if call.host in ("downloads", "evil", "plain") and call.has_bearer]

    @property
    def early_calls(self) -> list[Call]:
        """Calls that came although their app had been told to wait."""
        return [call for call in self.log if call.gate_closed]

    @property
    def violations(self) -> list[str]:
        """What was not as Graph's description says, one line each."""
        return [] if self.contract is None else self.contract.violations

    @property
    def connections(self) -> int:
        """How many connections the graph host has seen."""
        return self._hosts["graph"].opened

    def port_of(self, name: str) -> int:
        """The port of one of the hosts: graph, login, downloads, imds, evil, plain."""
        return self._hosts[name].port

    def on_request(
        self,
        method: str | None,
        path: str,
        act: Callable[[Request], Any],
        times: int | None = 1,
        moment: Literal["before", "after"] = "before",
    ) -> None:
        """Run `act` when a call fits (as for faults): before it is answered, or after the act and before the answer."""
        self._hooks.add(method, path, act, times, moment)

    def approve_device(self, user_code: str) -> None:
        """The person with this device code signs in and agrees."""
        self.entra.answer_device(user_code, approved=True)

    def decline_device(self, user_code: str) -> None:
        """The person with this device code says no."""
        self.entra.answer_device(user_code, approved=False)

    def revoke_tokens(self) -> None:
        """Every token that was issued so far is refused from now on."""
        self.tokens.revoke()

    def token_for(self, app: App, delegated: bool = False) -> str:
        """A token without asking the login host for it."""
        return str(self.tokens.issue(app, delegated)["access_token"])

    def __enter__(self) -> Emulator:
        for host in self._hosts.values():
            host.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for host in self._hosts.values():
            host.close()
        self._directory.cleanup()
        wrong = [*self._books.breakdowns, *self.violations]
        if wrong and kind is None:
            raise AssertionError(f"{len(wrong)} things went wrong at the emulator:\n" + "\n".join(wrong[:20]))

    # What requests ask for (http.Service)

    def root(self, request: Request) -> str:
        """The service root as the caller knows it."""
        return f"https://{OFFICIAL_GRAPH}{SERVICE_ROOT}" if _is_official(request) else self.graph_url

    def sign(self, request: Request, path: str, lifetime_seconds: float) -> str:
        """A pre-authenticated link."""
        host = f"https://{OFFICIAL_DOWNLOADS}" if _is_official(request) else self.downloads_url
        return host + self._downloads.sign(path, request.app, lifetime_seconds)

    def dispatch(self, request: Request, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """A call inside a batch."""
        return self._graph.inside(request, method, url, headers, body)

    def _make_hosts(self) -> dict[str, Host]:
        self._downloads = Downloads(self._routes, self.tenant.apps, self.throttle, self.clock)
        identity = ManagedIdentity(self.tenant.apps, self.tokens, self.clock)
        desks = {
            "graph": GraphDesk(self._routes, self.tokens, self.throttle, self._books, self.contract),
            "downloads": self._downloads,
            "login": _RoutedDesk(self.entra.routes()),
            "imds": _RoutedDesk(identity.routes()),
            "evil": Desk(),
            "plain": Desk(),
        }
        tls = self._tls()
        hosts = {}
        for name, desk in desks.items():
            front = Front(name, self._books, self, desk, root=SERVICE_ROOT if name == "graph" else "")
            hosts[name] = Host(name, front, self.clock, None if name in ("imds", "plain") else tls)
            if name == "graph":
                self._graph = front
        return hosts

    def _tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        names = ("localhost", "127.0.0.1", OFFICIAL_GRAPH, OFFICIAL_DOWNLOADS, OFFICIAL_LOGIN)
        pem = Path(self._directory.name) / "server.pem"
        pem.write_bytes(self._authority.issue(names))
        context.load_cert_chain(pem)
        pem.unlink()
        Path(self.ca_file).write_bytes(self._authority.pem)
        return context


class _RoutedDesk(Desk):
    """A host with a table of routes and nothing else."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    def answer(self, request: Request, call: Call) -> Reply:
        found = self._routes.find(request.method, request.path)
        if found is None:
            raise Problem(404, "NotFound", "There is nothing here.")
        request.route, request.params = found
        return request.route.handler(request)


def _is_official(request: Request) -> bool:
    return str(request.headers.get("Host", "")).startswith(OFFICIAL_GRAPH)


def _tenant_routes(tenant: Tenant) -> Routes:
    table = Routes()
    for module in (drive_routes, label_routes, site_routes, mail_routes, batch):
        table.include(module.routes(tenant))
    return table
