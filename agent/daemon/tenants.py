"""Scans tenants of Microsoft 365 for the service, one drive or mailbox after the other."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from agent import bootstrap
from agent.daemon.base import Life
from agent.daemon.jobs import Outcome
from agent.errors import SourceUnavailable
from agent.model.service import JobResult
from agent.settings import Settings, TenantSettings
from connectors.errors import Throttled

if TYPE_CHECKING:
    from agent.catalogue.base import PassResult
    from agent.catalogue.store import Catalogue
    from agent.daemon.reading import Reader
    from agent.execution.base import Executor
    from agent.tenancy.crawl import Place
    from agent.usecases.intake import Progress
    from connectors.base import Scope

log = structlog.get_logger("retentiond.service")

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class TenantScans:
    """Scans whole tenants into one catalogue. What cannot be reached keeps nothing else from its turn."""

    def __init__(
        self, catalogue: Catalogue, state: Path, reader: Reader, life: Life, on_wait: Callable[[], None]
    ) -> None:
        """`on_wait` is called about every second while an answer is waited for, from the thread that scans."""
        self._catalogue = catalogue
        self._state = state
        self._reader = reader
        self._life = life
        self._on_wait = on_wait

    def scan(
        self,
        tenant: TenantSettings,
        settings: Settings,
        on_progress: Progress,
        stop: Callable[[], bool],
        say: Callable[[str], None],
    ) -> Outcome:
        """Goes through the tenant, or on with it. `stop` is asked between pages; `say` is told what is being done.

        Raises `SourceUnavailable` if nobody can sign in, `ConfigurationError`.
        """
        from agent.tenancy import crawling

        told = _Told()
        try:
            with (
                self._reader.working() as executor,
                crawling(
                    tenant, self._state, sleep=self._sleeping(), on_wait=self._on_wait, before=self._before(tenant)
                ) as crawl,
            ):
                told.away += len(crawl.unreachable)
                for name, why in crawl.unreachable:
                    log.warning("place.unreachable", tenant=tenant.name, share=name, why=why)
                try:
                    for number, place in enumerate(crawl.places, 1):
                        say(f"going through {tenant.name}: {number} of {len(crawl.places)}")
                        if not self._scan(tenant, place, settings, executor, on_progress, stop, told):
                            return Outcome(JobResult.STOPPED, f"{told.seen:,} items so far; goes on from there.")
                finally:
                    self._life.throttled[tenant.name] = crawl.waits()
        except SourceUnavailable:
            if self._life.stopping.is_set():
                return Outcome(JobResult.STOPPED, "Stopped while the tenant had us wait.")
            raise
        return told.outcome()

    def _scan(
        self,
        tenant: TenantSettings,
        place: Place,
        settings: Settings,
        executor: Executor,
        on_progress: Progress,
        stop: Callable[[], bool],
        told: _Told,
    ) -> bool:
        """Scans one drive or mailbox; false if it was stopped on the way."""
        from agent.usecases.scan import Scan

        scan = Scan(
            place.connector,
            place.scope,
            place.scope.location,
            self._catalogue,
            executor,
            bootstrap.analysis_version(settings),
            bootstrap.now,
            on_progress,
            bootstrap.finding_identity(self._state),
            kind=place.kind,
            tenant=tenant.name,
        )
        try:
            result, opened = scan.run(stop=stop)
        except SourceUnavailable as error:
            if self._life.stopping.is_set():
                raise
            told.away += 1
            log.warning("place.unreachable", tenant=tenant.name, share=place.scope.name, why=str(error))
            return True
        told.add(result, opened)
        return result.complete

    def _before(self, tenant: TenantSettings) -> Callable[[Scope], float]:
        ended = {}
        for share in self._catalogue.shares():
            last = self._catalogue.last_pass(share) if share.tenant == tenant.name else None
            if last is not None and last.ended_at is not None:
                ended[share.identity] = last.ended_at
        return lambda scope: ended.get(scope.identity, _LONG_AGO).timestamp()

    def _sleeping(self) -> Callable[[float], None]:
        """Waits as long as nobody wants us to stop. Downloads wait in threads of their own, which give no signs."""
        scans = threading.get_ident()

        def sleep(seconds: float) -> None:
            if threading.get_ident() == scans:
                self._on_wait()
            if self._life.stopping.wait(seconds):
                raise Throttled("we are to stop", seconds)

        return sleep


class _Told:
    """What came of the passes over one tenant."""

    def __init__(self) -> None:
        self.seen = 0
        self.opened = 0
        self.away = 0
        self.gone = 0
        self.skipped = Counter[str]()
        self.failed = Counter[str]()
        self.reconciles = True
        self.unreached = 0

    def add(self, result: PassResult, opened: int) -> None:
        self.seen += result.seen
        self.opened += opened
        self.gone += result.tombstoned
        self.unreached += result.unreached
        self.skipped.update(result.skipped)
        self.failed.update(result.failed)
        self.reconciles &= result.reconciles or not result.complete

    def outcome(self) -> Outcome:
        failed = sum(self.failed.values())
        said = (
            f"{self.seen:,} items known, {self.opened:,} read, {sum(self.skipped.values()):,} skipped, "
            f"{failed:,} failed, {self.gone:,} gone."
        )
        if self.away:
            said += f" {self.away:,} sites, drives or mailboxes could not be reached."
        if not self.reconciles:
            return Outcome(JobResult.FAILED, f"{said} The counts do not agree.")
        partly = failed or self.away or self.unreached
        return Outcome(JobResult.PARTIAL if partly else JobResult.DONE, said)
