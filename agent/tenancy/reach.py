"""The way to a tenant: who signs in and where, what we may spend there, and what asks its Graph."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agent.errors import ConfigurationError
from agent.settings import Settings, TenantSettings
from agent.tenancy.credentials import Role, app_of, check_installed, credential_of
from connectors.errors import NotSignedIn

if TYPE_CHECKING:
    from connectors.microsoft365.auth import Credential, SignIn, Tokens
    from connectors.microsoft365.clouds import Cloud
    from connectors.microsoft365.gate import TenantGate
    from connectors.microsoft365.graph import Graph, TokenSource

Workload = Literal["sharepoint", "exchange"]

_SMALLEST_BUDGET = 10  # units for a minute: less would not let the dearest request through
_SHAREPOINT_AT_ONCE, _EXCHANGE_AT_ONCE = 16, 4  # Exchange allows no more


@dataclass(frozen=True, slots=True)
class Budget:
    """Resource units of SharePoint and OneDrive: what Microsoft allows one app by the licences, and what we spend."""

    allowed_per_minute: int
    allowed_per_day: int
    per_minute: int
    per_day: int


def tenants_named(settings: Settings, name: str | None) -> tuple[TenantSettings, ...]:
    """The tenant of that name, or all of them. Raises `ConfigurationError` if there is none."""
    found = tuple(one for one in settings.tenants if name in (None, one.name))
    if found:
        return found
    if name is None:
        raise ConfigurationError("The settings name no tenant of Microsoft 365. To add one:  retentiond init --m365")
    known = ", ".join(one.name for one in settings.tenants) or "none"
    raise ConfigurationError(f"The settings name no tenant {name!r}. Known are: {known}.")


def budget_of(tenant: TenantSettings) -> Budget:
    """What may be spent, by its settings."""
    from connectors.microsoft365.gate import allowed_units

    minute, day = allowed_units(tenant.licences)
    ours = max(_SMALLEST_BUDGET, int(minute * tenant.share_of_limit))
    return Budget(minute, day, ours, tenant.units_per_day or max(1, int(day * tenant.share_of_limit)))


def cloud_of(tenant: TenantSettings) -> Cloud:
    """Where its cloud signs in and where its Graph is."""
    from connectors.microsoft365.clouds import CLOUDS

    return CLOUDS[tenant.cloud]


def lacks_of(tenant: TenantSettings) -> frozenset[str]:
    """What its cloud does not have, of what we use."""
    from connectors.microsoft365.clouds import lacks

    return lacks(tenant.cloud)


def sign_in_of(tenant: TenantSettings, role: Role) -> SignIn:
    """Who signs in and where. The credential is read when it is used, so that one that was changed is picked up."""
    from connectors.microsoft365.auth import SignIn

    app, cloud = app_of(tenant, role), cloud_of(tenant)

    def credential() -> Credential:
        try:
            return credential_of(app)
        except ConfigurationError as error:
            raise NotSignedIn(str(error)) from error

    return SignIn(
        tenant.tenant_id,
        app.client_id or "",
        credential,
        tenant.login_url or cloud.login,
        cloud.scope,
        tenant.login_url is None,
    )


class Reach:
    """The way to one tenant in one role: its tokens, and for each workload a Graph behind the gate.

    With a `state` directory the gates are shared with the other processes of this machine. `sleep` is called with at
    most a second at a time. Nothing is asked before it is used. Its Graphs are for several threads.
    """

    def __init__(
        self,
        tenant: TenantSettings,
        role: Role,
        state: Path | None,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        check_installed()
        from connectors.microsoft365.auth import Tokens
        from connectors.microsoft365.session import Http

        self.tenant = tenant
        self.role: Role = role
        self.sleep = sleep
        self._state = state
        self._opened = ExitStack()
        http = Http(tenant.ca_file, tenant.proxy)
        self.tokens: Tokens = Tokens(sign_in_of(tenant, role), http)
        self._opened.callback(self.tokens.close)
        self._graphs: dict[Workload, Graph] = {}

    def graph(self, workload: Workload = "sharepoint") -> Graph:
        """Asks Graph, for SharePoint with OneDrive or for Exchange; the same one each time."""
        if workload not in self._graphs:
            gate = gate_of(self.tenant, workload, self._state, sleep=self.sleep, opened=self._opened)
            acting = self.role == "writer"
            self._graphs[workload] = graph_of(self.tenant, self.tokens, gate, acting=acting, sleep=self.sleep)
            self._opened.callback(self._graphs[workload].close)
        return self._graphs[workload]

    def waits(self) -> tuple[int, float]:
        """How often the tenant has asked us to wait, and how many seconds requests have waited at its gates in all."""
        gates = [graph.gate for graph in self._graphs.values()]
        return sum(gate.throttled_count for gate in gates), sum(gate.waited_seconds for gate in gates)

    def close(self) -> None:
        """Closes connections and forgets the token. Safe to call twice."""
        self._opened.close()


def gate_file(tenant: TenantSettings, workload: Workload, state: Path) -> Path:
    """Where the standing of a gate lies, by which all processes of this machine go."""
    return state / f"m365-{tenant.name}-{workload}.gate"


def gate_of(
    tenant: TenantSettings,
    workload: Workload,
    state: Path | None,
    *,
    sleep: Callable[[float], None],
    opened: ExitStack,
) -> TenantGate:
    """The gate of a workload. Its standing lies in the state directory, if there is one; `opened` closes it."""
    from connectors.microsoft365.gate import TenantGate
    from connectors.microsoft365.gate_file import FileStanding

    standings = None
    if state is not None:
        standings = FileStanding(str(gate_file(tenant, workload, state)))
        opened.callback(standings.close)
    if workload == "exchange":
        return TenantGate(None, None, _EXCHANGE_AT_ONCE, sleep=sleep, standings=standings)
    budget = budget_of(tenant)
    return TenantGate(budget.per_minute, budget.per_day, _SHAREPOINT_AT_ONCE, sleep=sleep, standings=standings)


def graph_of(
    tenant: TenantSettings,
    tokens: TokenSource,
    gate: TenantGate,
    *,
    acting: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> Graph:
    """What asks Graph with these tokens. The caller closes it."""
    from connectors.microsoft365.graph import Graph

    return Graph(
        tokens,
        gate,
        root=tenant.graph_url or cloud_of(tenant).root,
        ca_file=tenant.ca_file,
        proxy=tenant.proxy,
        acting=acting,
        company=tenant.company,
        sleep=sleep,
    )
