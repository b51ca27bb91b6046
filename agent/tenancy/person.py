"""A person at a tenant: an administrator who signs in elsewhere by a code, and acts for a while with his own rights."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent.settings import TenantSettings
from agent.tenancy.credentials import check_installed
from agent.tenancy.reach import cloud_of, gate_of, graph_of

if TYPE_CHECKING:
    from connectors.microsoft365.device_code import DeviceCode
    from connectors.microsoft365.graph import Graph

# Microsoft's own, which is in every tenant: none of ours has to let people sign in by it.
COMMAND_LINE_TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"


@contextmanager
def signed_in(
    tenant: TenantSettings,
    client_id: str,
    right: str,
    show: Callable[[DeviceCode], None],
    state: Path | None,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Graph]:
    """What asks Graph with the rights of the person who has signed in, at most with that one `right`.

    `show` is given the code for the person, for whom it then waits. Nothing of it is kept. Raises `NotSignedIn`.
    """
    check_installed()
    from connectors.microsoft365.device_code import DeviceTokens
    from connectors.microsoft365.session import Http

    cloud = cloud_of(tenant)
    with ExitStack() as opened:
        tokens = DeviceTokens(
            tenant.tenant_id,
            client_id,
            tenant.login_url or cloud.login,
            [f"{cloud.graph}/{right}"],
            Http(tenant.ca_file, tenant.proxy),
            known_login=tenant.login_url is None,
            sleep=sleep,
        )
        opened.callback(tokens.close)
        show(tokens.begin())
        tokens.finish()
        gate = gate_of(tenant, "sharepoint", state, sleep=sleep, opened=opened)
        graph = graph_of(tenant, tokens, gate, acting=True, sleep=sleep)
        opened.callback(graph.close)
        yield graph
