"""Back from the vault into the share: everything that the item had, in its place or in another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agent.catalogue.disposal_rows import Disposal, Step
from agent.disposition.base import Means, Source
from agent.disposition.obstacles import of_source, of_vault
from agent.disposition.remainders import note_ref, note_sha256
from agent.disposition.wrapping import Wrapping, unwrap
from agent.model.disposal import DisposalState, Obstacle
from agent.vault.base import VaultError
from connectors.base import ItemRef
from connectors.errors import ConnectorError, ScopeUnavailable, SourceFault


class Restoring:
    """Gives items back. The vault's copy goes only when the item is durable in the share and recorded as there."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def give_back(self, disposal: Disposal, to: ItemRef, reason: str) -> Obstacle | None:
        """Makes a quarantined item anew at `to`, in its share. Whatever keeps it from there leaves it here."""
        if disposal.share not in self._means.sources:
            return Obstacle.SHARE_AWAY
        self._means.record(Step(disposal, DisposalState.RESTORING, target=to, reason=reason))
        return self.go_on(replace(disposal, state=DisposalState.RESTORING, target=to))

    def go_on(self, disposal: Disposal) -> Obstacle | None:
        """The same from the recorded intent on; after a crash too, however far it had come."""
        means, source = self._means, self._means.sources[disposal.share]
        try:
            wrapping = unwrap(means.vault.metadata(disposal.vault_id))
            sha256 = means.vault.verify(disposal.vault_id).sha256
            made = source.holding.make(
                source.scope, disposal.target or disposal.ref, wrapping.properties, self._writer(disposal), sha256
            )
        except (SourceFault, ScopeUnavailable) as error:
            return of_source(error)  # it may lie there already: only the next recovery can tell
        except ConnectorError as error:
            return self._stays(disposal, of_source(error))
        except VaultError as error:
            return self._stays(disposal, of_vault(error))
        try:
            self._take_note_away(disposal, wrapping, source)
        except ConnectorError as error:
            return of_source(error)  # the item is back; the next recovery clears the hold and says so
        means.record(
            Step(
                disposal,
                DisposalState.RESTORED,
                doubts=tuple(f"lacking_{word}" for word in made.lacking),
                target=made.ref,
                version=made.version,
            )
        )
        means.vault.discard(disposal.vault_id)
        return None

    def _take_note_away(self, disposal: Disposal, wrapping: Wrapping, source: Source) -> None:
        """The note that was left where the item lay goes, if it is still what we wrote, byte for byte. Where that
        cannot be, it stays; raises `ConnectorError` only if it is in the hold by then."""
        if not wrapping.note:
            return
        holding, scope, ref = source.holding, source.scope, note_ref(disposal.ref)
        try:
            version = holding.version_at(scope, ref, note_sha256(wrapping.note))
            if version is None:
                return
            holding.take(scope, ref, version, disposal.vault_id).close()
        except ConnectorError:
            return
        holding.let_go(scope, disposal.vault_id)

    def _writer(self, disposal: Disposal) -> Callable[[int], None]:
        def write(descriptor: int) -> None:
            self._means.vault.restore_to(disposal.vault_id, descriptor)

        return write

    def _stays(self, disposal: Disposal, why: Obstacle) -> Obstacle:
        self._means.record(Step(disposal, DisposalState.QUARANTINED, why=why))
        return why
