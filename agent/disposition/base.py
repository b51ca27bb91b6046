"""What acts are done with, and what they tell."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from agent.catalogue.disposal_rows import Disposal, Step
from agent.catalogue.disposals import DisposalRecords
from agent.model.disposal import Obstacle
from agent.vault.store import Vault
from connectors.base import Scope
from connectors.holding import Holding

# Told how many items have been dealt with since it was called last.
Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Source:
    """A share that can be acted on."""

    holding: Holding
    scope: Scope


@dataclass(frozen=True, slots=True)
class Means:
    """What an act is done with. `now` is in UTC, `today` the calendar day where the schedule applies.

    `digest` gives the keyed digest of what must not be kept as it is: a hash of content, a name.
    """

    journal: DisposalRecords
    vault: Vault
    sources: Mapping[str, Source]
    digest: Callable[[bytes], bytes]
    now: Callable[[], datetime]
    today: Callable[[], date]
    by: str

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
    """An id for the hold and the vault; never given before."""
    return secrets.token_hex(16)
