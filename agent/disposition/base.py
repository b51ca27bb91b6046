"""What acts are done with, and what they tell."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from agent.catalogue.disposal_rows import Disposal, Step
from agent.catalogue.disposals import DisposalRecords
from agent.model.disposal import Obstacle
from agent.vault.base import VaultError
from agent.vault.store import Vault
from connectors.base import Scope
from connectors.holding import Holding
from connectors.keeping import Keeping

# Told how many items have been dealt with since it was called last.
Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Source:
    """A share that can be acted on, of which items go into the vault."""

    holding: Holding
    scope: Scope


@dataclass(frozen=True, slots=True)
class Keeper:
    """A share that can be acted on, whose source keeps by itself what is taken."""

    keeping: Keeping
    scope: Scope


class NoVault(VaultError):
    """There is no vault here, and something was asked of it."""


@dataclass(frozen=True, slots=True)
class Means:
    """What an act is done with. `now` is in UTC, `today` the calendar day where the schedule applies.

    `strongroom` is the vault, or none where no share needs one. `digest` gives the keyed digest of what must not be
    kept as it is: a hash of content, a name. No share is both in `sources` and in `keepers`.
    """

    journal: DisposalRecords
    strongroom: Vault | None
    sources: Mapping[str, Source]
    digest: Callable[[bytes], bytes]
    now: Callable[[], datetime]
    today: Callable[[], date]
    by: str
    keepers: Mapping[str, Keeper] = field(default_factory=dict)

    @property
    def vault(self) -> Vault:
        """The vault. Raises `NoVault`, so that nobody takes a vault that is not there for one in which nothing lies."""
        if self.strongroom is None:
            raise NoVault("There is no vault here. Make one, or put it back from a backup:  retentiond vault init")
        return self.strongroom

    def record(self, *steps: Step) -> None:
        """Records these steps, together."""
        if steps:
            self.journal.move(steps, self.now(), self.by, self.today())


@dataclass(slots=True)
class Told:
    """What has become of the items of one go: disposals that were done, and what kept others, by item."""

    done: list[Disposal] = field(default_factory=list)
    kept: dict[int, Obstacle] = field(default_factory=dict)


def new_id() -> str:
    """An id for the hold and the vault, or for the quarantine of a source; never given before."""
    return secrets.token_hex(16)
