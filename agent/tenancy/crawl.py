"""Everything of one tenant that is to be scanned: its drives and mailboxes, each with the connector to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import SourceUnavailable
from agent.settings import TenantSettings
from agent.tenancy.reach import Reach
from agent.tenancy.sources import DRIVES, MAILBOXES, drive_connector, mailbox_connector
from connectors.ahead import Ahead
from connectors.base import Connector, Scope
from connectors.errors import ConnectorError
from connectors.wrappers import ReadOnly

if TYPE_CHECKING:
    from agent.catalogue.store import Catalogue

_SORTS = (
    (DRIVES, "sites and drives", drive_connector),
    (MAILBOXES, "mailboxes", mailbox_connector),
)
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
    on_waits: Callable[[int, float], None] = lambda *_: None,
) -> Iterator[Crawl]:
    """The tenant's drives and mailboxes, by the reader's rights: those first that were scanned the longest ago, as
    `before` tells. They can only be read: changing calls are answered as a dry run.

    `sleep` is called where requests must wait, `on_wait` while content is waited for. `on_waits` is told, while we wait
    and at the end whatever that is, what `waits` of the crawl tells. If either drives or mailboxes cannot be listed,
    they are among what is unreachable. Raises `SourceUnavailable` if nobody can sign in or nothing can be listed,
    `ConfigurationError`.
    """
    with ExitStack() as opened:

        def sleep_and_tell(seconds: float) -> None:
            on_waits(*reach.waits())
            sleep(seconds)

        reach = Reach(tenant, "reader", state, sleep=sleep_and_tell)
        opened.callback(reach.close)
        opened.callback(lambda: on_waits(*reach.waits()))
        places: list[Place] = []
        unreachable: list[tuple[str, str]] = []
        unlisted: list[ConnectorError] = []
        for kind, what, make in _SORTS:
            connector = make(reach, spool_directory=state)
            if connector is None:
                continue
            ahead = Ahead(connector, _AT_ONCE, on_wait)
            opened.callback(ahead.close)
            try:
                scopes = connector.scopes()
            except ConnectorError as error:
                unlisted.append(error)
                unreachable.append((what, str(error)))
                continue
            unreachable += [(one.name, one.reason) for one in getattr(connector, "unreachable", ())]
            places += [Place(_stored(scope, tenant), ReadOnly(ahead), kind) for scope in scopes]
        if unlisted and not places:
            raise SourceUnavailable(
                f"{tenant.name}: {unlisted[0]}. To see what is wrong:  retentiond m365 check --tenant {tenant.name}"
            ) from unlisted[0]
        places.sort(key=lambda place: (before(place.scope), place.scope.name))
        yield Crawl(tuple(places), tuple(unreachable), reach.waits)


def ended_before(catalogue: Catalogue, tenant: TenantSettings) -> Callable[[Scope], float]:
    """When the newest pass over a drive or mailbox of the tenant came to its end, in seconds since 1970; 0 if there is
    none, or if it is to be gone on with."""
    ended: dict[str, float] = {}
    for share in catalogue.shares():
        last = catalogue.last_pass(share) if share.tenant == tenant.name else None
        if last is not None and last.ended_at is not None:
            ended[share.identity] = last.ended_at.timestamp()
    return lambda scope: ended.get(scope.identity, 0.0)


def _stored(scope: Scope, tenant: TenantSettings) -> Scope:
    """What the settings say of the sort of place counts more than what the source tells."""
    return replace(scope, stored_in=tuple(tenant.stored_in)) if tenant.stored_in else scope
