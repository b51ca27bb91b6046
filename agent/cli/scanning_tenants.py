"""What `retentiond scan` does with the tenants of Microsoft 365."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from agent import bootstrap, tenancy
from agent.cli.progress import scan_progress
from agent.errors import SourceUnavailable
from agent.tenancy.crawl import ended_before
from agent.usecases.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from agent.catalogue.base import PassResult
    from agent.catalogue.store import Catalogue
    from agent.execution.pool import ProcessPool
    from agent.settings import Settings, TenantSettings


@dataclass(slots=True)
class TenantsScanned:
    """The passes over their drives and mailboxes, each with how many items were opened; and what was not reached, where
    and why."""

    results: list[tuple[PassResult, int]] = field(default_factory=list)
    unavailable: list[tuple[str, str]] = field(default_factory=list)


class ScanningTenants:
    """Scans tenants, one drive or mailbox after the other. One that cannot be reached keeps no other from its turn."""

    def __init__(self, console: Console, state: Path, settings: Settings, jobs: int) -> None:
        self._console = console
        self._state = state
        self._settings = settings
        self._jobs = jobs

    def run(self, catalogue: Catalogue, tenants: Iterable[TenantSettings]) -> TenantsScanned:
        """Scans all of them. Raises `ConfigurationError`."""
        told = TenantsScanned()
        executor = bootstrap.worker_pool(self._settings, self._state, self._jobs)
        try:
            for tenant in tenants:
                try:
                    self._scan(catalogue, tenant, executor, told)
                except SourceUnavailable as error:
                    told.unavailable.append((tenant.name, str(error)))
        finally:
            executor.close()
        return told

    def _scan(self, catalogue: Catalogue, tenant: TenantSettings, executor: ProcessPool, told: TenantsScanned) -> None:
        before = ended_before(catalogue, tenant)
        with tenancy.crawling(tenant, self._state, before=before) as crawl:
            told.unavailable += crawl.unreachable
            for place in crawl.places:
                with scan_progress(self._console, place.scope.name, lambda _: None) as advance:
                    scan = Scan(
                        place.connector,
                        place.scope,
                        place.scope.location,
                        catalogue,
                        executor,
                        bootstrap.analysis_version(self._settings),
                        bootstrap.now,
                        advance,
                        bootstrap.finding_identity(self._state),
                        kind=place.kind,
                        tenant=tenant.name,
                    )
                    try:
                        told.results.append(scan.run())
                    except SourceUnavailable as error:
                        told.unavailable.append((place.scope.name, str(error)))
