"""What there is to see of the tenants of the settings without asking them anything."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from agent.observing.base import GateFacts, TenantFacts
from agent.tenancy.credentials import Role, expires_at
from agent.tenancy.reach import Workload, gate_file

if TYPE_CHECKING:
    from agent.settings import Settings, TenantSettings


def tenants_observed(settings: Settings, state: Path) -> tuple[TenantFacts, ...]:
    """The gates of each tenant that were ever passed, and when the certificates expire that this process may read.

    Changes nothing and makes nothing.
    """
    return tuple(TenantFacts(tenant.name, _gates(tenant, state), _expiring(tenant)) for tenant in settings.tenants)


def _gates(tenant: TenantSettings, state: Path) -> dict[str, GateFacts]:
    found = {workload: _gate(gate_file(tenant, workload, state)) for workload in get_args(Workload)}
    return {workload: gate for workload, gate in found.items() if gate is not None}


def _gate(file: Path) -> GateFacts | None:
    from connectors.microsoft365.gate_file import FileStanding

    if not file.exists():
        return None
    standings = FileStanding(str(file))
    try:
        standing = standings.change(lambda found: (found, found))
    finally:
        standings.close()
    if not standings.shared:
        return None
    today = datetime.now(UTC).date().isoformat()
    used = standing.used if standing.day == today else 0.0
    return GateFacts(used, max(0.0, standing.closed_until - time.monotonic()))


def _expiring(tenant: TenantSettings) -> dict[str, datetime]:
    apps: dict[Role, datetime | None] = {"reader": expires_at(tenant.reader)}
    if tenant.writer is not None:
        apps["writer"] = expires_at(tenant.writer)
    return {app: at for app, at in apps.items() if at is not None}
