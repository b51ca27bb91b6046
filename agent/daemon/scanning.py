"""The role that reads: watches shares, looks where something happened, and goes through each from end to end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from agent import bootstrap
from agent.daemon.base import Life
from agent.daemon.jobs import Jobs, Outcome
from agent.daemon.letters import count_reviews, write_alarms, write_letters
from agent.daemon.loop import QUIET_SECONDS
from agent.daemon.reading import Reader
from agent.daemon.signs import AT_REST, Signs
from agent.daemon.tenants import TenantScans
from agent.daemon.watches import Watches
from agent.errors import SourceUnavailable
from agent.model.service import Job, JobName, JobResult, Role
from agent.settings import Settings, ShareSettings, TenantSettings
from agent.usecases.timetable import SCANNING, Timetable

if TYPE_CHECKING:
    from agent.catalogue.base import PassResult, Share
    from agent.catalogue.store import Catalogue
    from connectors.watching import Watch

log = structlog.get_logger("retentiond.service")

_LOOK_AT_ONCE = 200  # folders
_RESTLESS = timedelta(minutes=5)  # a folder that never comes to rest is looked into all the same
_LISTING_SECONDS = 3600.0
_ALARM_EVERY_SECONDS = 600.0
_PAUSE_SECONDS = 2.0
_BETWEEN_SECONDS = 2.0  # in a long pass: between looks aside


@contextmanager
def scanning(settings: Settings, state: Path, life: Life) -> Iterator[ScanWork]:
    """The role `scan`, open. Raises `AgentError`."""
    with ExitStack() as opened:
        catalogue = opened.enter_context(bootstrap.open_catalogue(state, create=True))
        work = ScanWork(catalogue, settings, state, life)
        opened.callback(work.close)
        work.begin()
        yield work
        catalogue.services.end(Role.SCAN)


class ScanWork:
    """Everything the role `scan` does. It changes nothing but its own state."""

    def __init__(self, catalogue: Catalogue, settings: Settings, state: Path, life: Life) -> None:
        self._catalogue = catalogue
        self._state = state
        self._life = life
        self._signs = Signs(catalogue, Role.SCAN, life, QUIET_SECONDS)
        self._aside_at = 0.0
        self._losses_before: dict[str, int] = {}  # by share: what its watch had lost when its last pass began
        self._alarm_at = time.monotonic() + _ALARM_EVERY_SECONDS
        self._reader = Reader(catalogue, state, settings, life, self._signs.beat)
        self._tenants = TenantScans(catalogue, state, self._reader, life, self._signs.beat)
        self._watches = Watches(catalogue, bootstrap.now, time.monotonic)
        runs = {
            JobName.RECONCILE: self._reconcile,
            JobName.EVALUATE: self._evaluate,
            JobName.CHECKPOINT: self._checkpoint,
            JobName.REMINDERS: self._remind,
        }
        self._jobs = Jobs(catalogue, runs, bootstrap.now)
        self._settings = settings

    def begin(self) -> None:
        """Settles what an earlier process left behind, and begins to watch."""
        self._jobs.reclaim()
        self._take_up(self._settings)

    def turn(self) -> float:
        self._signs.say(AT_REST)
        self._watches.take_in()
        looked = self._look()
        ran = self._jobs.run_one(self._timetable)
        self._alarm()
        if not looked and not ran:
            self._reader.rest()
        return 0.0 if looked or ran else _PAUSE_SECONDS

    def reload(self, settings: Settings) -> None:
        self._take_up(settings)

    def close(self) -> None:
        """Ends watches and workers. Safe to call twice."""
        self._watches.close()
        self._reader.close()

    def _take_up(self, settings: Settings) -> None:
        schedule = bootstrap.schedule_from(settings.schedule)
        self._settings = settings
        self._schedule = schedule
        self._terms = bootstrap.terms_of(schedule, settings, self._state)
        self._timetable = Timetable(settings, schedule.time_zone)
        self._reader.reload(bootstrap.searching(settings, schedule))
        scanned = {
            share.tenant or share.name
            for share in self._catalogue.shares()
            if self._catalogue.last_pass(share) is not None
        }
        named = {share.name for share in settings.shares} | {tenant.name for tenant in settings.tenants}
        never = named - scanned
        self._catalogue.jobs.want(SCANNING, self._timetable.wanted(SCANNING, bootstrap.now(), never))
        self._open_watch = bootstrap.watch_of(self._state, settings)
        self._watches.watch(settings.shares, self._watch, tuple(tenant.name for tenant in settings.tenants))

    def _watch(self, share: ShareSettings) -> Watch | None:
        """A watch over the share. Lists all of its folders first, which takes minutes where there are millions."""
        self._signs.expect(_LISTING_SECONDS)
        watch = self._open_watch(share)
        self._signs.expect(QUIET_SECONDS)
        return watch

    # Looks

    def _look(self) -> bool:
        """Looks into folders in which something happened and that have come to rest; tells whether there were any."""
        now = bootstrap.now()
        quiet = timedelta(seconds=self._settings.service.settle_seconds)
        looked = False
        for share in self._settings.shares:
            known = self._known(share)
            if known is None or not share.hours.is_open(now.astimezone(self._schedule.time_zone)):
                continue
            folders = self._catalogue.dirty.settled(known, now, quiet, _RESTLESS, _LOOK_AT_ONCE)
            if folders:
                looked = self._look_into(share, known, folders) or looked
        return looked

    def _look_into(self, share: ShareSettings, known: Share, folders: tuple[bytes, ...]) -> bool:
        began = bootstrap.now()
        self._signs.say(f"looking into {len(folders)} folders of {share.name}")
        try:
            with self._reader.reading(share, self._progress) as scan:
                opened = scan.look(folders, stop=self._life.stopping.is_set)
        except SourceUnavailable as error:
            self._watches.away(share.name, str(error))
            return False
        if self._life.stopping.is_set():
            return False
        self._catalogue.dirty.clean(known, folders, began, bootstrap.now())
        seconds = round((bootstrap.now() - began).total_seconds(), 3)
        log.info("look.ended", share=share.name, folders=len(folders), opened=opened, seconds=seconds)
        if opened:
            self._stand()
        return True

    # Jobs

    def _reconcile(self, job: Job) -> Outcome:
        tenant = next((one for one in self._settings.tenants if one.name == job.share), None)
        if tenant is not None:
            return self._reconcile_tenant(job, tenant)
        share = next((one for one in self._settings.shares if one.name == job.share), None)
        if share is None:
            return Outcome(JobResult.FAILED, "The settings no longer name this share.")
        began = bootstrap.now()
        goes_on = self._is_under_way(share)
        if not goes_on:
            self._losses_before[share.name] = self._watches.losses(share.name)
        try:
            with bootstrap.sole_writer(self._state), self._reader.reading(share, self._progress) as scan:
                self._signs.say(f"going through {share.name}")
                result, opened = scan.run(stop=lambda: self._stops(job))
        except SourceUnavailable as error:
            self._watches.away(share.name, str(error))
            raise
        self._watches.away(share.name, "")
        if not result.complete:
            return Outcome(JobResult.STOPPED, f"{result.seen:,} items so far; goes on from there.")
        known = self._known(share)
        if known is not None:
            until = min(began, result.started_at)  # what it had been through by then, it has not met again
            self._catalogue.dirty.clean_all(known, until, bootstrap.now())
        if goes_on and self._watches.losses(share.name) != self._losses_before.get(share.name, 0):
            self._catalogue.jobs.hasten(JobName.RECONCILE, share.name, bootstrap.now())
        self._stand()
        return _told(result, opened)

    def _reconcile_tenant(self, job: Job, tenant: TenantSettings) -> Outcome:
        searching = bootstrap.searching(self._settings, self._schedule)
        with bootstrap.sole_writer(self._state):
            outcome = self._tenants.scan(tenant, searching, self._progress, lambda: self._stops(job), self._signs.say)
        if outcome.result is not JobResult.STOPPED:
            self._stand()
        return outcome

    def _is_under_way(self, share: ShareSettings) -> bool:
        """Whether a pass over the share was broken off, and is to be gone on with."""
        known = self._known(share)
        last = None if known is None else self._catalogue.last_pass(known)
        return last is not None and not last.complete

    def _stops(self, job: Job) -> bool:
        """Asked between the pages of a pass. What happens meanwhile is looked at first."""
        if self._life.stopping.is_set():
            return True
        if time.monotonic() < self._aside_at:
            return False
        self._watches.take_in()
        if self._look():
            self._signs.say(f"going through {job.share}")
        self._aside_at = time.monotonic() + _BETWEEN_SECONDS
        now_paused = (one for one in self._catalogue.jobs.all() if one.paused_at is not None)
        paused = any((one.name, one.share) == (job.name, job.share) for one in now_paused)
        return paused or not self._timetable.may_run(job, bootstrap.now())

    def _evaluate(self, job: Job) -> Outcome:
        self._signs.say("deciding")
        count = self._stand()
        report = self._state / "report.html"
        as_of = bootstrap.today(self._schedule)
        self._life.reviews = count_reviews(self._catalogue, self._settings, self._terms, as_of)
        bootstrap.write_report(report, "html", self._catalogue, self._terms, as_of)
        return Outcome(JobResult.DONE, f"{count:,} items decided on anew; the report is written.")

    def _stand(self) -> int:
        """Brings up to date how items stand; gives about how many was decided."""
        from agent.usecases.standing import bring_up_to_date

        today = bootstrap.today(self._schedule)
        count = bring_up_to_date(self._catalogue, self._terms, today, lambda _: self._signs.beat())
        if count:
            due = self._catalogue.standings.counts(today).get("due", 0)
            log.info("items.decided", items=count, due=due)
        return count

    def _checkpoint(self, job: Job) -> Outcome:
        from agent.audit.anchors import AnchorFailed

        try:
            bootstrap.anchor(self._state, self._catalogue, self._settings.service.checkpoint_file)
        except AnchorFailed:
            log.error("audit.not_anchored")  # noqa: TRY400 — where it should have gone, the job says
            raise
        return Outcome(JobResult.DONE, "The audit log is signed.")

    def _alarm(self) -> None:
        """Writes to administrators about what has gone wrong; the ledger of letters keeps it from being said twice."""
        if self._settings.service.mail is not None and time.monotonic() >= self._alarm_at:
            self._alarm_at = time.monotonic() + _ALARM_EVERY_SECONDS
            write_alarms(self._catalogue, self._settings, self._state, bootstrap.today(self._schedule))

    def _remind(self, job: Job) -> Outcome:
        self._signs.say("writing to reviewers")
        self._stand()
        today = bootstrap.today(self._schedule)
        return write_letters(self._catalogue, self._settings, self._state, self._terms, today)

    def _progress(self, _items: int, _bytes: int) -> None:
        self._signs.beat()

    def _known(self, share: ShareSettings) -> Share | None:
        return next((one for one in self._catalogue.shares() if one.name == share.name), None)


def _told(result: PassResult, opened: int) -> Outcome:
    failed = sum(result.failed.values())
    said = (
        f"{result.seen:,} items seen, {opened:,} read, {sum(result.skipped.values()):,} skipped, {failed:,} failed, "
        f"{result.tombstoned:,} gone."
    )
    if not result.reconciles:
        return Outcome(JobResult.FAILED, f"{said} The counts do not agree.")
    return Outcome(JobResult.PARTIAL if failed or result.unreached else JobResult.DONE, said)
