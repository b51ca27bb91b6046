"""Everything of one tenant that is to be scanned: its drives and mailboxes, each with the connector to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from agent.errors import SourceUnavailable
from agent.settings import TenantSettings
from agent.tenancy.reach import Reach
from agent.tenancy.sources import DRIVES, MAILBOXES, drive_connector, mailbox_connector
from connectors.ahead import Ahead
from connectors.base import Connector, Scope
from connectors.errors import ConnectorError
from connectors.wrappers import ReadOnly

_AT_ONCE = 8  # downloads that are under way; the gate lets through no more requests than the tenant bears


@dataclass(frozen=True, slots=True)
class Place:
    """A drive or a mailbox, and the connector to it. `kind` is the connector's."""

    scope: Scope
    connector: Connector
    kind: str


@dataclass(frozen=True, slots=True)
class Crawl:
    """What there is to scan, and what was wanted and did not answer: where, and why. `waits` tells how often we were
    made to wait so far, and for how many seconds in all."""

    places: tuple[Place, ...]
    unreachable: tuple[tuple[str, str], ...]
    waits: Callable[[], tuple[int, float]]


@contextmanager
def crawling(
    tenant: TenantSettings,
    state: Path,
    *,
    sleep: Callable[[float], None] = time.sleep,
    on_wait: Callable[[], None] = lambda: None,
    before: Callable[[Scope], float] = lambda _: 0.0,
) -> Iterator[Crawl]:
    """The tenant's drives and mailboxes, by the reader's rights: those first that were scanned the longest ago, as
    `before` tells. They can only be read: changing calls are answered as a dry run.

    `sleep` is called where requests must wait, `on_wait` while content is waited for. Raises `SourceUnavailable` if
    nobody can sign in or nothing can be listed, `ConfigurationError`.
    """
    with ExitStack() as opened:
        reach = Reach(tenant, "reader", state, sleep=sleep)
        opened.callback(reach.close)
        places: list[Place] = []
        unreachable: list[tuple[str, str]] = []
        for kind, make in ((DRIVES, drive_connector), (MAILBOXES, mailbox_connector)):
            connector = make(reach, spool_directory=state)
            if connector is None:
                continue
            ahead = Ahead(connector, _AT_ONCE, on_wait)
            opened.callback(ahead.close)
            scopes = _scopes(tenant, connector)
            unreachable += [(one.name, one.reason) for one in getattr(connector, "unreachable", ())]
            places += [Place(_stored(scope, tenant), ReadOnly(ahead), kind) for scope in scopes]
        places.sort(key=lambda place: (before(place.scope), place.scope.name))
        yield Crawl(tuple(places), tuple(unreachable), reach.waits)


def _scopes(tenant: TenantSettings, connector: Connector) -> Sequence[Scope]:
    try:
        return connector.scopes()
    except ConnectorError as error:
        raise SourceUnavailable(
            f"{tenant.name}: {error}. To see what is wrong:  retentiond m365 check --tenant {tenant.name}"
        ) from error


def _stored(scope: Scope, tenant: TenantSettings) -> Scope:
    """What the settings say of the sort of place counts more than what the source tells."""
    return replace(scope, stored_in=tuple(tenant.stored_in)) if tenant.stored_in else scope
