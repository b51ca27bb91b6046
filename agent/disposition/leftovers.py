"""Copies that nobody needs: the vault's, of items that are whole elsewhere, and the hold's, of items in the vault."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress

from agent.catalogue.disposal_rows import Disposal
from agent.disposition.base import Means, Source
from agent.disposition.obstacles import of_source, of_vault
from agent.disposition.remainders import note_sha256
from agent.disposition.wrapping import unwrap
from agent.model.disposal import OVER, DisposalState, Obstacle
from agent.vault.base import VaultError
from connectors.errors import ConnectorError

# In these the item should lie in the vault alone.
_IN_THE_VAULT = frozenset({DisposalState.QUARANTINED, DisposalState.RESTORING, DisposalState.DESTROYING})
_NOT_PLACED_YET = frozenset({DisposalState.PLANNED, DisposalState.SEALED})
_GOING = ".going"  # what is left of one whose destruction in the hold was cut off


class Leftovers:
    """Clears them away, each only once the other copy is known to be whole."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def clear_holds(self, unsettled: dict[int, Obstacle]) -> int:
        """Destroys originals that lie in a hold though their items are in the vault, and notes on items that are being
        restored; tells how many.

        One that is not what the vault has, or of which the vault has no copy that can be read, stays: somebody must
        look. Holds that cannot be reached stay as they are. Why is added to `unsettled`, by item.
        """
        cleared = 0
        for source, disposal in self._held_twice():
            try:
                obstacle = self._cleared(source, disposal)
            except ConnectorError as error:
                obstacle = of_source(error)
            except VaultError as error:
                obstacle = of_vault(error)
            if obstacle is None:
                cleared += 1
            else:
                unsettled[disposal.item_id] = obstacle
        return cleared

    def _held_twice(self) -> Iterator[tuple[Source, Disposal]]:
        for share, source in self._means.sources.items():
            names: list[str] = []
            with suppress(ConnectorError):
                names += source.holding.in_hold(source.scope)
            for id in sorted({name.removesuffix(_GOING) for name in names}):
                disposal = self._means.journal.of_vault_id(id)
                if (
                    disposal is not None
                    and (disposal.vault_id, disposal.share) == (id, share)
                    and disposal.state in _IN_THE_VAULT
                ):
                    yield source, disposal

    def _cleared(self, source: Source, disposal: Disposal) -> Obstacle | None:
        content = source.holding.taken(source.scope, disposal.vault_id)
        held = None
        if content is not None:
            with content:
                held = sha256_of(content.fileno())
        kept = self._means.vault.verify(disposal.vault_id)
        if held not in (None, kept.sha256, note_sha256(unwrap(kept.metadata).note)):
            return Obstacle.CHANGED
        source.holding.let_go(source.scope, disposal.vault_id)
        return None

    def clear_vault(self) -> int:
        """Removes the vault's copies of what was put back or restored, and of remainders that are in their place;
        tells how many. Where there is no vault, nothing lies in it."""
        if self._means.strongroom is None:
            return 0
        vault, journal = self._means.vault, self._means.journal
        leftovers = []
        for entry in vault.entries():
            disposal = journal.of_vault_id(entry.id)
            if disposal is None or not entry.stored_bytes:
                continue
            placed = entry.id == disposal.derived_id and disposal.state not in _NOT_PLACED_YET
            whole = disposal.state in OVER - {DisposalState.ERASED}
            if placed or whole:
                leftovers.append(entry.id)
        if leftovers:
            vault.discard(*leftovers)
        return len(leftovers)


def sha256_of(descriptor: int) -> str:
    """In hexadecimal digits, from the descriptor's position to the end."""
    with open(descriptor, "rb", buffering=0, closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
