"""What acts on the drives and mailboxes of tenants, by each writer's rights."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from agent.settings import Settings
from agent.tenancy.reach import Reach
from agent.tenancy.sources import DRIVES, MAILBOXES, drive_keeping, mail_keeping

if TYPE_CHECKING:
    from agent.catalogue.base import Share
    from connectors.keeping import Keeping


class Keepings:
    """Gives, for a drive or mailbox that was scanned, what acts there. `close` closes the connections of all.

    `sleep` is called where requests must wait, with at most a second at a time; it may raise `Throttled` to end that.
    """

    def __init__(self, settings: Settings, state: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._tenants = {tenant.name: tenant for tenant in settings.tenants}
        self._state = state
        self._sleep = sleep
        self._opened = ExitStack()
        self._reaches: dict[str, Reach] = {}
        self._made: dict[tuple[str, str], Keeping] = {}

    def of(self, share: Share) -> Keeping | None:
        """What acts there; none if the settings no longer name its tenant, or let nobody change it.

        One for all drives of a tenant, and one for all its mailboxes. Asks nothing yet. Raises `ConfigurationError`.
        """
        tenant = self._tenants.get(share.tenant)
        make = {DRIVES: drive_keeping, MAILBOXES: mail_keeping}.get(share.kind)
        if tenant is None or tenant.writer is None or make is None:
            return None
        key = (tenant.name, share.kind)
        if key not in self._made:
            if tenant.name not in self._reaches:
                self._reaches[tenant.name] = Reach(tenant, "writer", self._state, sleep=self._sleep)
                self._opened.callback(self._reaches[tenant.name].close)
            self._made[key] = make(self._reaches[tenant.name])
        return self._made[key]

    def close(self) -> None:
        """Safe to call twice."""
        self._opened.close()
