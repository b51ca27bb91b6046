"""The composition root of what changes shares: kept apart, so that what only reads never comes near it."""

from __future__ import annotations

import ctypes
import datetime as dt
import functools
import hmac
import os
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from agent import bootstrap, strongroom, tenancy
from agent.catalogue.store import Catalogue
from agent.disposition.base import Keeper, Means, Source
from agent.disposition.custody import Ending, Returning
from agent.disposition.guards import Caps
from agent.disposition.quarantine import Quarantine
from agent.keys import derive, master_key
from agent.model.disposal import Custody
from agent.usecases.dispose import Rules
from agent.usecases.dispose_rules import Clock
from connectors.base import Scope, read_name
from connectors.keeping import Keeping
from connectors.registry import holding_class

if TYPE_CHECKING:
    from agent.catalogue.base import Share
    from agent.model.key import Identify
    from agent.model.schedule import RetentionSchedule
    from agent.settings import Settings
    from agent.usecases.anonymise import Anonymiser
    from agent.usecases.evaluate import Terms
    from agent.usecases.minimise import Minimiser

FILESYSTEM = "filesystem"
_TIMEX_BYTES = 256  # struct timex has 208 on 64-bit machines; its first field, `modes`, 0: only look
_NOT_SYNCHRONISED = 5  # TIME_ERROR


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything that acts on one catalogue, ready."""

    means: Means
    quarantine: Quarantine
    restoring: Returning
    destruction: Ending
    schedule: RetentionSchedule
    outbox: Path


# Gives, for a share of a service, what acts there; none if nothing may. It is closed by who asked for it.
KeepingOf = Callable[["Share"], Keeping | None]


@contextmanager
def bench(
    settings: Settings, state: Path, catalogue: Catalogue, terms: Terms, keeping_of: KeepingOf | None = None
) -> Iterator[Bench]:
    """What acts, with the vault open and every share that has been scanned. Nobody else acts meanwhile.

    Without `keeping_of`, drives and mailboxes are acted on as the settings of their tenants let us.

    Raises `UsageError` if somebody else does, `ConfigurationError` and `VaultError` if the vault cannot be opened.
    """
    from agent.usecases.derive import Deriving

    schedule = terms.schedule
    with ExitStack() as opened:
        opened.enter_context(sole_actor(state))
        vault = (
            opened.enter_context(strongroom.open_vault(settings, state))
            if vault_is_needed(settings, state, catalogue)
            else None
        )
        if keeping_of is None:
            keepings = tenancy.Keepings(settings, state)
            opened.callback(keepings.close)
            keeping_of = keepings.of
        sources, keepers = {}, {}
        for share in catalogue.shares():
            scope = Scope(share.name, share.identity)
            if share.kind == FILESYSTEM:
                holding = holding_class(FILESYSTEM)(
                    read_name(share.location), share.name, quiet_seconds=settings.disposition.quiet_minutes * 60
                )
                opened.callback(holding.close)
                sources[share.name] = Source(holding, scope)
            elif (keeping := keeping_of(share)) is not None:
                opened.callback(keeping.close)
                keepers[share.name] = Keeper(keeping, scope)
        secret = derive(master_key(state / "master.key"), "disposal digests")
        means = Means(
            catalogue.disposals,
            vault,
            sources,
            functools.partial(_keyed, secret),
            bootstrap.now,
            functools.partial(bootstrap.today, schedule),
            bootstrap.who(),
            keepers,
        )
        outbox = Path(settings.disposition.outbox) if settings.disposition.outbox else state / "outbox"
        deriving = Deriving(
            catalogue,
            terms,
            means.today,
            functools.partial(_anonymiser, settings, schedule, opened),
            functools.partial(_minimiser, settings, schedule, terms.form.identify, opened),
        )
        note = deriving.note if settings.disposition.notes else None
        yield Bench(means, Quarantine(means, deriving, note), Returning(means), Ending(means), schedule, outbox)


def vault_is_needed(settings: Settings, state: Path, catalogue: Catalogue) -> bool:
    """Whether acting takes the vault: unless there is none, every share is of a service that keeps by itself what is
    taken, and nothing has ever gone into a vault."""
    if strongroom.vault_places(settings, state).directory.exists():
        return True
    kinds = {share.kind for share in catalogue.shares()}
    return not kinds or FILESYSTEM in kinds or bool(catalogue.disposals.shares_of(Custody.VAULT))


def _anonymiser(settings: Settings, schedule: RetentionSchedule, opened: ExitStack) -> Anonymiser:
    from agent.usecases.anonymise import Anonymiser

    searched = bootstrap.searching(settings, schedule)
    extractor = bootstrap.extractor_from(searched)
    opened.callback(extractor.close)
    return Anonymiser(extractor, bootstrap.detector_from(searched))


def _minimiser(settings: Settings, schedule: RetentionSchedule, identify: Identify, opened: ExitStack) -> Minimiser:
    from agent.usecases.minimise import Minimiser

    searched = bootstrap.searching(settings, schedule)
    extractor = bootstrap.extractor_from(searched)
    opened.callback(extractor.close)
    return Minimiser(extractor, bootstrap.detector_from(searched), identify)


def _keyed(secret: bytes, data: bytes) -> bytes:
    return hmac.digest(secret, data, "sha256")


def sole_actor(state: Path) -> AbstractContextManager[None]:
    """Holds the state directory for one that acts at a time. Raises `UsageError` if another does."""
    return bootstrap.alone(
        state / "dispose.lock", f"{state}: another process is carrying out disposals here. Wait for it."
    )


def rules(settings: Settings, shares: Sequence[Share]) -> Rules:
    """How far items may go and how fast. `shares` are all that were ever scanned."""
    how = settings.disposition
    return Rules(
        how.mode_of,
        dt.timedelta(hours=how.cool_off_hours),
        dt.timedelta(days=how.quarantine_days),
        Caps(how.caps.items, int(how.caps.gib * 2**30), how.caps.percent),
        how.relocate,
        twins(shares, frozenset(share.name for share in settings.shares)),
        frozenset(share.name for share in shares if share.kind != FILESYSTEM),
    )


def twins(shares: Sequence[Share], configured: Set[str]) -> frozenset[str]:
    """The shares of which files are known by another one as well, as after a share was given another name.

    A hold, a change or a rejection of a file in one says nothing of the same file in the other. Of two such shares one
    that stands in the settings is none if the other does not.
    """
    found = set[str]()
    for one, other in combinations(shares, 2):
        on_disk = one.kind == other.kind == FILESYSTEM
        if one.identity == other.identity or (on_disk and _overlap(one.location, other.location)):
            left_over = {one.name, other.name} - configured
            found |= left_over if len(left_over) == 1 else {one.name, other.name}
    return frozenset(found)


def _overlap(*locations: str) -> bool:
    one, other = (os.path.realpath(read_name(location)).rstrip(b"/") + b"/" for location in locations)
    return one.startswith(other) or other.startswith(one)


def clock(settings: Settings) -> Clock:
    """What the clock of this machine says, and whether the kernel knows it to be synchronised."""
    return Clock(bootstrap.now(), dt.timedelta(hours=settings.disposition.clock_ahead_hours), _synchronised())


def _synchronised() -> bool:
    answer = ctypes.create_string_buffer(_TIMEX_BYTES)
    found: int = ctypes.CDLL(None, use_errno=True).adjtimex(answer)
    return 0 <= found < _NOT_SYNCHRONISED
