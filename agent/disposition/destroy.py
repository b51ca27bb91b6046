"""Away for good: first the item's own key, and in the nightly ceremony the epoch key that could open an old copy of it.

*Destroyed* is said when the item's key is overwritten and its object gone, *erased* when no key exists any more under
which anything of it was ever kept (ADR 0011).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from agent.catalogue.disposal_rows import Disposal, Step
from agent.disposition.base import Advance, Means, Told
from agent.model.disposal import DisposalState, Obstacle
from agent.vault.base import Ceremony, Fate, KeyGone

_AT_ONCE = 256


class Destruction:
    """Destroys and erases what lies in the vault."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def destroy(self, disposals: Sequence[Disposal], advance: Advance) -> Told:
        """Destroys quarantined items that may go, as the transaction sees it that records the intent."""
        means, told = self._means, Told()
        for start in range(0, len(disposals), _AT_ONCE):
            block = disposals[start : start + _AT_ONCE]
            refused = means.journal.destroying(block, means.now(), means.by, means.today())
            told.kept.update({one.item_id: refused[one.number] for one in block if one.number in refused})
            going = [replace(one, state=DisposalState.DESTROYING) for one in block if one.number not in refused]
            self.go_on(going, told)
            advance(len(block))
        return told

    def go_on(self, destroying: Iterable[Disposal], told: Told) -> None:
        """The same from the recorded intent on. An item of which the vault knows nothing is not
        said to be destroyed: somebody must find out why."""
        steps = [Step(disposal, DisposalState.DESTROYED) for disposal in self._removed(list(destroying), told)]
        self._means.record(*steps)
        told.done.extend(replace(step.of, state=DisposalState.DESTROYED) for step in steps)

    def settle(self, destroying: Disposal, told: Told) -> None:
        """The same after a crash, unless something has come up since the intent and the item's key is still there: then
        it is in quarantine again, whole. Raises `VaultError` if it cannot be read there: then it stays as it is."""
        means = self._means
        obstacle = means.journal.bar_to_go_on(destroying, means.today())
        if obstacle is None or means.vault.fate(destroying.vault_id) is not Fate.SEALED:
            self.go_on([destroying], told)
            return
        means.vault.verify(destroying.vault_id)
        means.record(Step(destroying, DisposalState.QUARANTINED, why=obstacle))
        told.kept[destroying.item_id] = obstacle

    def _removed(self, disposals: list[Disposal], told: Told) -> Iterator[Disposal]:
        """Those whose keys are overwritten now: all at once, or one by one if the vault knows nothing of some."""
        remove = self._means.vault.remove
        try:
            remove(*(disposal.vault_id for disposal in disposals))
        except KeyGone:
            for disposal in disposals:
                try:
                    remove(disposal.vault_id)
                except KeyGone:
                    told.kept[disposal.item_id] = Obstacle.VAULT_FAULT
                else:
                    yield disposal
        else:
            yield from disposals

    def erase(self) -> tuple[Ceremony, tuple[Disposal, ...]]:
        """Holds the ceremony; tells what it did and which items are erased now. It may be cut off, and repeated."""
        means = self._means
        ceremony = means.vault.erase(means.today())
        erased = frozenset(ceremony.erased)
        gone = [one for one in means.journal.of_state(DisposalState.DESTROYED) if one.vault_id in erased]
        means.record(
            *(
                Step(one, DisposalState.ERASED, hidden_name=b"#" + means.digest(one.ref.path).hex().encode())
                for one in gone
            )
        )
        means.vault.forget(*filter(self._is_recorded, ceremony.erased))
        return ceremony, tuple(replace(one, state=DisposalState.ERASED) for one in gone)

    def _is_recorded(self, id: str) -> bool:
        """Whether the catalogue has it that the item is erased, so that the vault may forget it."""
        disposal = self._means.journal.of_vault_id(id)
        return disposal is not None and disposal.state is DisposalState.ERASED
