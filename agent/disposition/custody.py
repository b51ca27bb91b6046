"""Whoever keeps an item, the vault or its source: each act goes to the class that knows how."""

from __future__ import annotations

from collections.abc import Sequence

from agent.catalogue.disposal_rows import Disposal
from agent.disposition.base import Advance, Means, Told
from agent.disposition.destroy import Destruction
from agent.disposition.in_place_destroy import InPlaceDestruction
from agent.disposition.in_place_recovery import InPlaceRecovery
from agent.disposition.in_place_restore import InPlaceRestoring
from agent.disposition.quarantine import Quarantine
from agent.disposition.recovery import Recovered, Recovery
from agent.disposition.restore import Restoring
from agent.model.disposal import Custody, Obstacle
from agent.vault.base import Ceremony
from connectors.base import ItemRef


class Returning:
    """Gives items back."""

    def __init__(self, means: Means) -> None:
        self._from_vault = Restoring(means)
        self._in_place = InPlaceRestoring(means)

    def give_back(self, disposal: Disposal, to: ItemRef, reason: str) -> Obstacle | None:
        """Has a quarantined item lie at `to`, in its share. Whatever keeps it from there leaves it in quarantine."""
        way = self._in_place if disposal.custody is Custody.SOURCE else self._from_vault
        return way.give_back(disposal, to, reason)


class Ending:
    """Destroys and erases items."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._in_vault = Destruction(means)
        self._in_place = InPlaceDestruction(means)

    def destroy(self, disposals: Sequence[Disposal], advance: Advance) -> Told:
        """Destroys quarantined items that may go."""
        kept_by = {custody: [one for one in disposals if one.custody is custody] for custody in Custody}
        ours = self._in_vault.destroy(kept_by[Custody.VAULT], advance)
        theirs = self._in_place.destroy(kept_by[Custody.SOURCE], advance)
        return Told([*ours.done, *theirs.done], {**ours.kept, **theirs.kept})

    def erase(self) -> tuple[Ceremony, tuple[Disposal, ...]]:
        """Holds the vault's ceremony, if there is a vault; tells what it did, and which items are erased now, there and
        at their sources. It may be cut off, and repeated."""
        ceremony, erased = (Ceremony((), 0, ()), ()) if self._means.strongroom is None else self._in_vault.erase()
        return ceremony, (*erased, *self._in_place.erase())


def recover(means: Means, quarantine: Quarantine) -> Recovered:
    """Settles what an earlier go has left behind, in the vault and at every source."""
    return Recovery(means, quarantine).run() + InPlaceRecovery(means).run()
