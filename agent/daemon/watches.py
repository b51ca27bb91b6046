"""Keeps a watch over each share, and writes down what it tells: dirty folders, or a reconcile that is due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from agent.catalogue.base import Share
from agent.catalogue.store import Catalogue
from agent.model.service import JobName, ShareState
from agent.settings import ShareSettings
from connectors.watching import Watch, WatchState

log = structlog.get_logger("retentiond.watch")

# Opens a watch over a share; none if its settings ask for none.
OpenWatch = Callable[[ShareSettings], Watch | None]

_STATES = {
    WatchState.WATCHED: ShareState.WATCHED,
    WatchState.RECONCILE_ONLY: ShareState.RECONCILE_ONLY,
    WatchState.LOST: ShareState.UNAVAILABLE,
}
_NOT_ASKED_FOR = "its settings say that it is not to be watched"
_CHECK_SECONDS = 10.0
_RETRY_SECONDS = 3600.0  # a share that cannot be watched may be some day: limits are raised, folders removed


@dataclass(slots=True)
class _Watched:
    """A share, its watch if there is one, and why the share could not be reached when somebody tried.

    What was told is kept until it is written down: the catalogue may be on a full disk.
    """

    settings: ShareSettings
    watch: Watch | None
    away: str = ""
    retry_at: float = 0.0
    folders: set[bytes] = field(default_factory=set)
    everything: bool = False


class Watches:
    """The watches over all shares of the settings."""

    def __init__(self, catalogue: Catalogue, now: Callable[[], datetime], clock: Callable[[], float]) -> None:
        self._catalogue = catalogue
        self._now = now
        self._clock = clock
        self._watched: dict[str, _Watched] = {}
        self._losses = Counter[str]()
        self._check_at = 0.0

    def watch(self, shares: tuple[ShareSettings, ...], open_watch: OpenWatch, others: tuple[str, ...] = ()) -> None:
        """From now on these shares are watched. A share whose settings are as before keeps its watch.

        What is known of the condition of any other place is forgotten, but for `others`, which nobody watches.
        """
        self._open: OpenWatch = open_watch
        wanted = {share.name: share for share in shares}
        for name, watched in list(self._watched.items()):
            if wanted.get(name) != watched.settings:
                self._close(watched)
                del self._watched[name]
        for name, share in wanted.items():
            if name not in self._watched:
                self._watched[name] = _Watched(share, self._open(share), retry_at=self._clock() + _RETRY_SECONDS)
        self._catalogue.services.forget_shares((*wanted, *others))
        self._check_at = 0.0

    def take_in(self) -> None:
        """Writes down what has been told since the last time, and now and then how each share stands."""
        check = self._clock() >= self._check_at
        if check:
            self._check_at = self._clock() + _CHECK_SECONDS
        for watched in self._watched.values():
            if check:
                self._check(watched)
            self._drain(watched)
            self._write_down(watched)

    def losses(self, share: str) -> int:
        """How often anything in the share may have changed unseen, since this process watches it."""
        return self._losses[share]

    def away(self, share: str, why: str) -> None:
        """Somebody has tried to reach the share, and could not; empty if he could."""
        watched = self._watched.get(share)
        if watched is not None and watched.away != why:
            watched.away = why
            watched.retry_at = 0.0  # what is back, as after a late mount, can be watched again
            self._tell(watched)

    def close(self) -> None:
        for watched in self._watched.values():
            self._close(watched)
        self._watched.clear()

    def _check(self, watched: _Watched) -> None:
        if watched.watch is not None and not watched.watch.alive():
            lost = watched.watch.condition.state is WatchState.LOST
            if lost or self._clock() >= watched.retry_at:
                self._drain(watched)
                watched.watch.close()
                watched.watch = self._open(watched.settings)
                watched.retry_at = self._clock() + _RETRY_SECONDS
        self._tell(watched)

    def _tell(self, watched: _Watched) -> None:
        share = watched.settings.name
        if watched.away:
            state, why = ShareState.UNAVAILABLE, watched.away
        elif watched.watch is None:
            state, why = ShareState.RECONCILE_ONLY, _NOT_ASKED_FOR
        else:
            condition = watched.watch.condition
            state, why = _STATES[condition.state], condition.why
        if self._catalogue.services.keep_condition(share, state, why, self._now()):
            tell = log.warning if state is ShareState.UNAVAILABLE else log.info
            tell("share.condition", share=share, state=state.value, why=why)

    @staticmethod
    def _drain(watched: _Watched) -> None:
        if watched.watch is not None:
            dirty = watched.watch.drain()
            watched.folders |= dirty.folders
            watched.everything |= dirty.everything

    def _write_down(self, watched: _Watched) -> None:
        share = watched.settings.name
        if watched.everything:
            log.info("share.everything_may_have_changed", share=share)
            self._catalogue.jobs.hasten(JobName.RECONCILE, share, self._now())
            self._losses[share] += 1
        elif watched.folders and (known := self._known(share)) is not None:
            self._catalogue.dirty.add(known, watched.folders, self._now())
        watched.everything = False
        watched.folders.clear()

    def _known(self, name: str) -> Share | None:
        return next((share for share in self._catalogue.shares() if share.name == name), None)

    @staticmethod
    def _close(watched: _Watched) -> None:
        if watched.watch is not None:
            watched.watch.close()
