"""To another place of the same share, for what lies where a placement rule says it must not.

The item goes through the hold, so that it is moved only in the state that was decided on and never over anything. It is
not copied. A crash leaves it in the hold, from where recovery puts it back, or in its new place, where the next scan
finds it.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.catalogue.disposal_rows import Disposal, Plan, Step
from agent.disposition.base import Advance, Means, Told, new_id
from agent.disposition.obstacles import of_source
from agent.disposition.quarantine import Quarantine
from agent.model.disposal import DisposalState, Obstacle
from connectors.base import ItemRef
from connectors.errors import ConnectorError, PlaceTaken


class Relocation:
    """Moves items. `quarantine` puts back what cannot be moved."""

    def __init__(self, means: Means, quarantine: Quarantine) -> None:
        self._means = means
        self._quarantine = quarantine

    def move(self, run: int, plans: Sequence[tuple[Plan, ItemRef]], advance: Advance) -> Told:
        """Moves each item to the place that comes with its plan."""
        told = Told()
        for plan, target in plans:
            if plan.share not in self._means.sources:
                told.kept[plan.item_id] = Obstacle.SHARE_AWAY
            else:
                self._move(run, plan, target, told)
            advance(1)
        return told

    def _move(self, run: int, plan: Plan, target: ItemRef, told: Told) -> None:
        means = self._means
        named = [(new_id(), None, plan)]
        planned, refused = means.journal.plan(run, named, means.now(), means.by, means.today())
        told.kept.update(refused)
        for disposal in planned:
            obstacle = self._moved(disposal, target)
            if obstacle is None:
                told.done.append(disposal)
            else:
                self._quarantine.put_back(disposal, obstacle, told)

    def _moved(self, disposal: Disposal, target: ItemRef) -> Obstacle | None:
        means, source = self._means, self._means.sources[disposal.share]

        def moved() -> None:
            source.holding.put_back(source.scope, disposal.vault_id, target)

        step = Step(disposal, DisposalState.RELOCATED, target=target)
        try:
            with source.holding.take(source.scope, disposal.ref, disposal.version, disposal.vault_id):
                return means.journal.relocate(step, means.now(), means.by, means.today(), moved)
        except PlaceTaken:
            return Obstacle.PLACE_TAKEN
        except ConnectorError as error:
            return of_source(error)
