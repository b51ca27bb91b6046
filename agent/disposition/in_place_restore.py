"""Back from the quarantine of its source: the same item, under its own id, in its place or in another."""

from __future__ import annotations

from dataclasses import replace

from agent.catalogue.disposal_rows import Disposal, Step
from agent.disposition.base import Means
from agent.disposition.in_place import given_back
from agent.disposition.obstacles import of_source
from agent.model.disposal import DisposalState, Obstacle
from connectors.base import ItemRef
from connectors.errors import ConnectorError, ScopeUnavailable, SourceFault


class InPlaceRestoring:
    """Gives back what its source keeps."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def give_back(self, disposal: Disposal, to: ItemRef, reason: str) -> Obstacle | None:
        """Has a quarantined item moved to `to`, in its share. Whatever keeps it from there leaves it where it is."""
        if disposal.share not in self._means.keepers:
            return Obstacle.SHARE_AWAY
        self._means.record(Step(disposal, DisposalState.RESTORING, target=to, reason=reason))
        return self.go_on(replace(disposal, state=DisposalState.RESTORING, target=to))

    def go_on(self, disposal: Disposal) -> Obstacle | None:
        """The same from the recorded intent on; after a crash too, however far it had come.

        The catalogue takes the item for what it was, and the next scan does not read it again, only if it was moved
        from quarantine as it had been put there: somebody who may enter may have changed it.
        """
        keeper = self._means.keepers[disposal.share]
        try:
            given = given_back(keeper, disposal, disposal.target or disposal.ref)
        except (SourceFault, ScopeUnavailable) as error:
            return of_source(error)  # it may lie there already: only the next recovery can tell
        except ConnectorError as error:
            why = of_source(error)
            self._means.record(Step(disposal, DisposalState.QUARANTINED, why=why))
            return why
        as_it_was = given.given and given.before == disposal.kept_version
        self._means.record(
            Step(
                disposal,
                DisposalState.RESTORED,
                doubts=tuple(f"lacking_{word}" for word in given.lacking),
                target=given.ref,
                version=given.version if as_it_was else b"",
            )
        )
        return None
