"""The role that changes shares: carries out what is approved, erases keys, tries the vault, and backs up.

It talks to the role that reads through the catalogue alone, and to no network but that of tenants it may change.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from agent import acting, bootstrap, strongroom, tenancy
from agent.daemon.base import Life
from agent.daemon.jobs import Jobs, Outcome
from agent.daemon.signs import AT_REST, Signs
from agent.errors import UsageError
from agent.model.disposal import Custody, DisposalState
from agent.model.review import Reviewer
from agent.model.service import Job, JobName, JobResult, Role
from agent.reports.words import say_count, say_size
from agent.settings import Settings
from agent.usecases.dispose import Disposing
from agent.usecases.dispose_rules import ActRules
from agent.usecases.review_standing import ReviewStandings
from agent.usecases.timetable import DISPOSING, Timetable
from connectors.errors import Throttled

if TYPE_CHECKING:
    from agent.acting import Bench
    from agent.catalogue.store import Catalogue
    from agent.disposition.base import Told
    from agent.disposition.recovery import Recovered

log = structlog.get_logger("retentiond.service")

_PAUSE_SECONDS = 2.0
_BUSY_SECONDS = 900.0  # one file of many gigabytes is copied, read back and destroyed without a word in between


@contextmanager
def disposing(settings: Settings, state: Path, life: Life, config: Path | None) -> Iterator[DisposeWork]:
    """The role `dispose`, open; what an earlier process left unfinished is settled. Raises `AgentError`."""
    with ExitStack() as opened:
        catalogue = opened.enter_context(bootstrap.open_catalogue(state, create=True))
        work = DisposeWork(catalogue, settings, state, life, config)
        work.begin()
        yield work
        catalogue.services.end(Role.DISPOSE)


class DisposeWork:
    """Everything the role `dispose` does."""

    def __init__(self, catalogue: Catalogue, settings: Settings, state: Path, life: Life, config: Path | None) -> None:
        """`config` is the file of settings that was named, for the backup."""
        self._catalogue = catalogue
        self._state = state
        self._config = config
        self._life = life
        self._signs = Signs(catalogue, Role.DISPOSE, life, _BUSY_SECONDS)
        runs = {
            JobName.DISPOSITION: self._dispose,
            JobName.VAULT_SAMPLE: self._sample,
            JobName.ERASURE: self._erase,
            JobName.BACKUP: self._back_up,
        }
        self._jobs = Jobs(catalogue, runs, bootstrap.now)
        self._take_up(settings)

    def begin(self) -> None:
        """Settles what an earlier process left behind, as far as there is anything to act with."""
        self._jobs.reclaim()
        if not self._can_act():
            log.info("vault.none")
            return
        self._signs.say("settling what was left unfinished")
        with self._bench() as bench:
            self._tell_recovered(self._recover(bench))

    def turn(self) -> float:
        self._signs.say(AT_REST)
        return 0.0 if self._jobs.run_one(self._timetable) else _PAUSE_SECONDS

    def reload(self, settings: Settings) -> None:
        self._take_up(settings)

    def _take_up(self, settings: Settings) -> None:
        schedule = bootstrap.schedule_from(settings.schedule)
        self._settings = settings
        self._schedule = schedule
        self._terms = bootstrap.terms_of(schedule, settings, self._state)
        self._timetable = Timetable(settings, schedule.time_zone)
        self._catalogue.jobs.want(DISPOSING, self._timetable.wanted(DISPOSING, bootstrap.now()))
        self._reviewers = [Reviewer(one.name, one.roles, one.email or "") for one in settings.reviewers]

    # Jobs

    def _dispose(self, job: Job) -> Outcome:
        if not self._can_act():
            return _NO_VAULT
        self._check_clock()
        self._signs.say("carrying out what is approved")
        with self._bench() as bench:
            recovered = self._recover(bench)
            self._tell_recovered(recovered)
            standings = self._standings()
            desk = Disposing(
                self._catalogue,
                self._terms,
                standings,
                acting.rules(self._settings, self._catalogue.shares()),
                bootstrap.now,
            )
            standings.bring_up_to_date(self._advance)
            outlook = desk.outlook()
            taken = desk.take(outlook, bench.means, bench.quarantine, "", self._advance)
            waiting = Counter[str]()
            destroyed = desk.destroy(list(desk.ripe(waiting)), bench.means, self._advance)
        for what, told in (("quarantined", taken), ("destroyed", destroyed)):
            if told.done or told.kept:
                log.info(f"items.{what}", items=len(told.done), kept=len(told.kept), why=_why(told))
        if outlook.beyond_caps:
            log.warning("caps.reached", items=sum(outlook.beyond_caps.values()))
        said = f"{len(taken.done):,} quarantined, {len(destroyed.done):,} destroyed, "
        said += f"{len(taken.kept) + len(destroyed.kept):,} left as they are"
        if beyond := sum(outlook.beyond_caps.values()):
            said += f", {beyond:,} beyond the caps: an administrator must agree"
        if (taken.kept or destroyed.kept) and self._life.stopping.is_set():  # what was left may have waited only
            return Outcome(JobResult.STOPPED, said + "; goes on from there.")
        kept = recovered.unsettled or taken.kept or destroyed.kept or outlook.beyond_caps
        return Outcome(JobResult.PARTIAL if kept else JobResult.DONE, said + ".")

    def _erase(self, job: Job) -> Outcome:
        if not self._can_act():
            return _NO_VAULT
        self._check_clock()
        self._signs.say("erasing keys")
        with self._bench() as bench:
            self._tell_recovered(self._recover(bench))
            ceremony, erased = bench.destruction.erase()
        keys = sum(one.custody is Custody.VAULT for one in erased)
        if keys:
            log.info("keys.erased", items=keys, survivors=ceremony.survivors)
        if len(erased) > keys:
            log.info("bins.left", items=len(erased) - keys)
        return Outcome(JobResult.DONE, f"{say_count(len(erased), 'item is', 'items are')} erased.")

    def _sample(self, job: Job) -> Outcome:
        from agent.usecases.vault import sampled, verify

        if not self._vault_is_there():
            return _NO_VAULT
        self._signs.say("trying the vault")
        with strongroom.open_vault(self._settings, self._state) as vault:
            entries = {entry.id: entry for entry in vault.entries()}
            wanted = sampled(entries.values(), self._settings.vault.sample_percent, secrets.randbits(32))
            told = verify(vault, [entries[id] for id in wanted], lambda _items, _bytes: self._advance(1))
        if told.good:
            return Outcome(JobResult.DONE, f"{told.sound:,} of {len(entries):,} objects were read, and are sound.")
        log.critical("vault.damaged", faults=len(told.faults))
        return Outcome(JobResult.FAILED, "Something in the vault is damaged. See: retentiond vault verify")

    def _back_up(self, job: Job) -> Outcome:
        from agent.backing_up import backup_sources
        from agent.usecases.backup import make_backup

        backup = self._settings.service.backup
        if backup is None:
            return Outcome(JobResult.DONE, "The settings name no directory for backups.")
        self._signs.say("backing up")
        directory = Path(backup.directory)
        kept = self._settings.service.checkpoint_file
        checkpoints = (Path(kept),) if kept and Path(kept).exists() else ()
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            return Outcome(JobResult.FAILED, f"{directory}: cannot be made ({error.strerror}).")
        made = make_backup(
            backup_sources(self._settings, self._state, self._config, checkpoints=checkpoints),
            directory,
            bootstrap.now(),
            with_objects=backup.with_vault,
            keep=backup.keep,
            advance=lambda _items, _bytes: self._advance(1),
        )
        return Outcome(JobResult.DONE, f"{say_size(made.size_bytes)} written.")

    # Parts of the above

    def _vault_is_there(self) -> bool:
        return strongroom.vault_places(self._settings, self._state).directory.exists()

    def _can_act(self) -> bool:
        """Whether there is a vault, or none is needed."""
        return self._vault_is_there() or not acting.vault_is_needed(self._settings, self._state, self._catalogue)

    def _check_clock(self) -> None:
        clock = acting.clock(self._settings)
        rules = ActRules(self._catalogue, self._reviewers, bootstrap.who(), clock)
        try:
            rules.override("", over_caps=False, clock_is_right=False)
        except UsageError:
            log.error("clock.doubtful")  # noqa: TRY400 — what is doubtful, the job says
            raise

    @contextmanager
    def _bench(self) -> Iterator[Bench]:
        """What acts, and ends its waiting at tenants' gates when we are to stop. Raises as `acting.bench`."""
        with ExitStack() as opened:
            keepings = tenancy.Keepings(self._settings, self._state, sleep=self._sleep)
            opened.callback(keepings.close)
            yield opened.enter_context(
                acting.bench(self._settings, self._state, self._catalogue, self._terms, keepings.of)
            )

    def _sleep(self, seconds: float) -> None:
        self._signs.beat()
        if self._life.stopping.wait(seconds):
            raise Throttled("we are to stop", seconds)

    def _recover(self, bench: Bench) -> Recovered:
        if self._catalogue.disposals.of_state(DisposalState.DESTROYING):  # these go on only if they still may
            self._standings().bring_up_to_date(self._advance)
        return Disposing.recover(bench.means, bench.quarantine)

    @staticmethod
    def _tell_recovered(recovered: Recovered) -> None:
        if recovered.finished or recovered.put_back or recovered.unsettled:
            log.warning(
                "disposals.recovered",
                finished=recovered.finished,
                put_back=recovered.put_back,
                unsettled=len(recovered.unsettled),
            )
        if recovered.foreign:
            log.error("quarantine.foreign", items=recovered.foreign)

    def _standings(self) -> ReviewStandings:
        today = bootstrap.today(self._schedule)
        return ReviewStandings(self._catalogue, self._terms, today, self._reviewers)

    def _advance(self, _items: int) -> None:
        self._signs.beat()


_NO_VAULT = Outcome(JobResult.DONE, "There is no vault yet, so nothing can be done.")


def _why(told: Told) -> str:
    counts = Counter(obstacle.value for obstacle in told.kept.values())
    return ", ".join(f"{reason}: {count}" for reason, count in sorted(counts.items()))
