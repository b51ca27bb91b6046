"""Scans tenants of Microsoft 365 for the service, one drive or mailbox after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from agent import bootstrap
from agent.daemon.base import Life
from agent.daemon.jobs import Outcome
from agent.errors import SourceUnavailable
from agent.model.service import JobResult, ShareState
from agent.settings import Settings, TenantSettings
from connectors.errors import Throttled

if TYPE_CHECKING:
    from agent.catalogue.base import PassResult
    from agent.catalogue.store import Catalogue
    from agent.daemon.reading import Reader
    from agent.execution.base import Executor
    from agent.tenancy.crawl import Place
    from agent.usecases.intake import Progress

log = structlog.get_logger("retentiond.service")

_ASKED = "it is asked at each scan what has changed"
_STOPPED = Outcome(JobResult.STOPPED, "Stopped while the tenant had us wait; goes on from there.")


class TenantScans:
    """Scans whole tenants into one catalogue. What cannot be reached keeps nothing else from its turn."""

    def __init__(
        self, catalogue: Catalogue, state: Path, reader: Reader, life: Life, on_wait: Callable[[], None]
    ) -> None:
        """`on_wait` is called about every second while an answer is waited for, from whichever thread waits."""
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
        from agent.tenancy.crawl import crawling, ended_before

        told = _Told()
        try:
            with (
                self._reader.working() as executor,
                crawling(
                    tenant,
                    self._state,
                    sleep=self._sleep,
                    on_wait=self._on_wait,
                    before=ended_before(self._catalogue, tenant),
                    on_waits=self._on_waits(tenant),
                ) as crawl,
            ):
                self._stands(tenant, ShareState.RECONCILE_ONLY, _ASKED)
                told.away += len(crawl.unreachable)
                for name, why in crawl.unreachable:
                    log.warning("place.unreachable", tenant=tenant.name, share=name, why=why)
                for number, place in enumerate(crawl.places, 1):
                    say(f"going through {tenant.name}: {number} of {len(crawl.places)}")
                    if not self._scan(tenant, place, settings, executor, on_progress, stop, told):
                        return Outcome(JobResult.STOPPED, f"{told.seen:,} items so far; goes on from there.")
        except SourceUnavailable as error:
            if self._life.stopping.is_set():
                return _STOPPED
            self._stands(tenant, ShareState.UNAVAILABLE, str(error.__cause__ or error))
            raise
        if told.away and self._life.stopping.is_set():  # what could not be reached may well be there
            return _STOPPED
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
            why = str(error.__cause__ or error)  # the error itself begins with the location, which may name a person
            log.warning("place.unreachable", tenant=tenant.name, share=place.scope.name, why=why)
            return True
        told.add(result, opened)
        return result.complete

    def _on_waits(self, tenant: TenantSettings) -> Callable[[int, float], None]:
        """Adds what this scan tells of its waits to those before it."""
        times, seconds = self._life.throttled.get(tenant.name, (0, 0.0))

        def told(more: int, longer: float) -> None:
            self._life.throttled[tenant.name] = (times + more, seconds + longer)

        return told

    def _sleep(self, seconds: float) -> None:
        """Waits as long as nobody wants us to stop. In a download's thread it is a sign of life all the same: the one
        that scans may wait behind it at the gate, which nobody wakes before it opens."""
        self._on_wait()
        if self._life.stopping.wait(seconds):
            raise Throttled("we are to stop", seconds)

    def _stands(self, tenant: TenantSettings, state: ShareState, why: str) -> None:
        if self._catalogue.services.keep_condition(tenant.name, state, why, bootstrap.now()):
            tell = log.warning if state is ShareState.UNAVAILABLE else log.info
            tell("share.condition", share=tenant.name, state=state.value, why=why)


class _Told:
    """What came of the passes over one tenant."""

    def __init__(self) -> None:
        self.reached = 0
        self.seen = 0
        self.opened = 0
        self.away = 0
        self.gone = 0
        self.skipped = Counter[str]()
        self.failed = Counter[str]()
        self.reconciles = True
        self.unreached = 0

    def add(self, result: PassResult, opened: int) -> None:
        self.reached += 1
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
        if self.away and not self.reached:
            return Outcome(JobResult.FAILED, f"None of {self.away:,} sites, drives or mailboxes could be reached.")
        if self.away:
            said += f" {self.away:,} sites, drives or mailboxes could not be reached."
        if not self.reconciles:
            return Outcome(JobResult.FAILED, f"{said} The counts do not agree.")
        partly = failed or self.away or self.unreached
        return Outcome(JobResult.PARTIAL if partly else JobResult.DONE, said)
