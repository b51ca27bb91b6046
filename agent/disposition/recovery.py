"""After a crash: every disposal that was cut off is finished or undone. Runs before anything else; idempotent.

What its source keeps is settled by `in_place_recovery.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from agent.catalogue.disposal_rows import Disposal, Step
from agent.disposition.base import Means, Told
from agent.disposition.destroy import Destruction
from agent.disposition.leftovers import Leftovers, sha256_of
from agent.disposition.obstacles import of_source, of_vault
from agent.disposition.quarantine import Quarantine
from agent.disposition.restore import Restoring
from agent.disposition.wrapping import unwrap
from agent.model.disposal import Custody, DisposalState, Obstacle
from agent.vault.base import Fate, VaultError
from connectors.errors import ConnectorError, PlaceTaken

CUT_OFF = (
    DisposalState.PLANNED,
    DisposalState.SEALED,
    DisposalState.RESTORING,
    DisposalState.DESTROYING,
    DisposalState.CONFLICT,
)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovery did: how many disposals it finished, how many items it put back, what it could not settle or has
    left in quarantine (by item), and how many leftover copies it took out of the vault and out of holds.

    `foreign` is how many things lie in the quarantine of a source of which no disposal knows.
    """

    finished: int = 0
    put_back: int = 0
    unsettled: dict[int, Obstacle] = field(default_factory=dict)
    discarded: int = 0
    foreign: int = 0

    def __add__(self, other: Recovered) -> Recovered:
        return Recovered(
            self.finished + other.finished,
            self.put_back + other.put_back,
            {**self.unsettled, **other.unsettled},
            self.discarded + other.discarded,
            self.foreign + other.foreign,
        )


class Recovery:
    """Settles what was cut off."""

    def __init__(self, means: Means, quarantine: Quarantine) -> None:
        self._means = means
        self._quarantine = quarantine
        self._restoring = Restoring(means)
        self._destruction = Destruction(means)
        self._leftovers = Leftovers(means)

    def run(self) -> Recovered:
        """Settles every disposal whose share can be reached."""
        finished, put_back, unsettled = 0, 0, dict[int, Obstacle]()
        cleared = self._leftovers.clear_holds(unsettled)  # first, so that no key goes while an original lies there
        for disposal in self._means.journal.of_state(*CUT_OFF):
            if disposal.custody is Custody.SOURCE:
                continue
            if disposal.state is not DisposalState.DESTROYING and disposal.share not in self._means.sources:
                unsettled[disposal.item_id] = Obstacle.SHARE_AWAY
                continue
            try:
                obstacle = self._settle(disposal)
            except ConnectorError as error:
                unsettled[disposal.item_id] = of_source(error)
                continue
            except VaultError as error:
                unsettled[disposal.item_id] = of_vault(error)
                continue
            after = self._means.journal.get(disposal.number)
            if obstacle is not None:
                unsettled[disposal.item_id] = obstacle
            elif after is not None and after.state is DisposalState.ABANDONED:
                put_back += 1
            else:
                finished += 1
        return Recovered(finished, put_back, unsettled, cleared + self._leftovers.clear_vault())

    def _settle(self, disposal: Disposal) -> Obstacle | None:
        told = Told()
        match disposal.state:
            case DisposalState.PLANNED:
                self._make_if_nowhere_else(disposal)
                self._quarantine.put_back(disposal, Obstacle.INTERRUPTED, told)
            case DisposalState.SEALED:
                self._finish(disposal, told)
            case DisposalState.RESTORING:
                return self._restoring.go_on(disposal)
            case DisposalState.CONFLICT:
                return self._make_up(disposal)
            case _:
                self._destruction.settle(disposal, told)
        kept = told.kept.get(disposal.item_id)
        return None if kept is Obstacle.INTERRUPTED else kept

    def _make_if_nowhere_else(self, disposal: Disposal) -> None:
        """A catalogue from a backup may not know yet that an item was sealed and its original let go. What is whole in
        the vault and not in the hold is made anew, unless it is in its place, before the vault's copy may go."""
        vault, source = self._means.vault, self._means.sources[disposal.share]
        id = disposal.vault_id
        if vault.fate(id) is not Fate.SEALED or id in source.holding.in_hold(source.scope):
            return

        def write(descriptor: int) -> None:
            vault.restore_to(id, descriptor)

        try:
            properties, sha256 = unwrap(vault.metadata(id)).properties, vault.verify(id).sha256
        except VaultError:
            there = any(entry.id == id and entry.stored_bytes for entry in vault.entries())
            if there or not self._is_in_place(disposal):
                raise
            return  # a recovery that was cut off has put it back, and begun to forget its copy
        source.holding.make(source.scope, disposal.ref, properties, write, sha256)

    def _is_in_place(self, disposal: Disposal) -> bool:
        source, content = self._means.sources[disposal.share], disposal.content_hash
        return content is not None and source.holding.version_at(source.scope, disposal.ref, content.hex()) is not None

    def _finish(self, disposal: Disposal, told: Told) -> None:
        """An original that is still in the hold goes only if the vault's copy can be read and is the same: the vault
        may have come from a backup since it was sealed, its disk may have failed, or somebody who had the file open may
        have written to it. Else it is put back."""
        source = self._means.sources[disposal.share]
        content = source.holding.taken(source.scope, disposal.vault_id)
        if content is None:
            self._means.vault.verify(disposal.vault_id)  # it is all there is: what cannot be read is not quarantined
            self._quarantine.finish([disposal], told)
            return
        with content:
            held = sha256_of(content.fileno())
        try:
            same = self._means.vault.verify(disposal.vault_id).sha256 == held
        except VaultError:
            same = False
        if same:
            self._quarantine.finish([disposal], told)
            return
        # Recorded before it is done, so that a crash in between does not leave it for whole in the vault.
        self._means.record(Step(disposal, DisposalState.CONFLICT, why=Obstacle.VAULT_FAULT))
        obstacle = self._make_up(replace(disposal, state=DisposalState.CONFLICT))
        if obstacle is not None:
            told.kept[disposal.item_id] = obstacle

    def _make_up(self, disposal: Disposal) -> Obstacle | None:
        """Puts back what lies in the hold, if what lay in its place is gone by now."""
        source = self._means.sources[disposal.share]
        try:
            source.holding.put_back(source.scope, disposal.vault_id, disposal.ref)
        except PlaceTaken:
            return Obstacle.PLACE_TAKEN
        self._means.record(Step(disposal, DisposalState.ABANDONED))
        return None
