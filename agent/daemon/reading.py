"""Reads shares for the service: connects to one, and keeps the worker processes as long as there is work for them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent import bootstrap
from agent.daemon.base import Life
from agent.settings import Settings, ShareSettings
from connectors.base import show_name

if TYPE_CHECKING:
    from agent.catalogue.store import Catalogue
    from agent.execution.pool import ProcessPool
    from agent.usecases.intake import Progress
    from agent.usecases.scan import Scan
    from connectors.pace import Pace

_IDLE_SECONDS = 60.0  # workers hold some hundred megabytes each, and start in a few seconds


class Reader:
    """Reads shares into one catalogue."""

    def __init__(
        self, catalogue: Catalogue, state: Path, settings: Settings, life: Life, on_wait: Callable[[], None]
    ) -> None:
        """`on_wait` is called now and then while documents or their storage are waited for."""
        self._catalogue = catalogue
        self._life = life
        self._on_wait = on_wait
        self._state = state
        self._settings = settings
        self._paces: dict[str, Pace | None] = {}
        self._pool: ProcessPool | None = None
        self._used_at = 0.0

    def reload(self, settings: Settings) -> None:
        """From now on these settings are in force."""
        self.close()
        self._paces.clear()
        self._settings = settings

    @contextmanager
    def reading(self, share: ShareSettings, on_progress: Progress) -> Iterator[Scan]:
        """A scan of the share, ready to run. Raises `SourceUnavailable`."""
        from agent.usecases.scan import Scan

        path = Path(share.path)
        pace = self._pace(share.name)
        connector = bootstrap.share_connector(path, share.name, self._state, self._settings, pace)
        try:
            yield Scan(
                connector,
                bootstrap.scope_of(connector, path),
                show_name(os.fsencode(os.path.abspath(path))),
                self._catalogue,
                self._workers(),
                bootstrap.analysis_version(self._settings),
                bootstrap.now,
                on_progress,
                bootstrap.finding_identity(self._state),
            )
        finally:
            self._used_at = time.monotonic()
            if pace is not None:
                self._life.throttled[share.name] = (0, pace.waited_seconds)
            connector.close()

    @contextmanager
    def working(self) -> Iterator[ProcessPool]:
        """The worker processes, for whoever scans something else than a share."""
        try:
            yield self._workers()
        finally:
            self._used_at = time.monotonic()

    def rest(self) -> None:
        """Ends the workers if they have had nothing to do for a while."""
        if self._pool is not None and time.monotonic() - self._used_at >= _IDLE_SECONDS:
            self.close()

    def close(self) -> None:
        """Ends the workers. Safe to call twice; they come back when they are needed."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def _pace(self, share: str) -> Pace | None:
        """The share's pace, kept over its scans: what is usual for its storage is learned once."""
        if share not in self._paces:
            back_off = self._settings.service.back_off
            self._paces[share] = bootstrap.pace_of(share, self._settings, back_off=back_off, sleep=self._sleep)
        return self._paces[share]

    def _sleep(self, seconds: float) -> None:
        self._on_wait()
        self._life.stopping.wait(seconds)

    def _workers(self) -> ProcessPool:
        if self._pool is None:
            self._pool = bootstrap.worker_pool(self._settings, self._state, self._settings.jobs, self._on_wait)
        return self._pool
