"""Items of services, which cannot be looked at from here: whether what is recorded of them is in order.

Nothing is said to be lost of what was not looked at, and nothing to be safe: how many they are is told.
"""

from __future__ import annotations

from collections import Counter

from agent.fsck.base import Kind, Standing
from agent.fsck.eyes import Eyes
from agent.fsck.findings import Findings, counted, shown
from agent.fsck.rows import DESTROYED, MISSING, QUARANTINED, SUPERSEDED, TOMBSTONE, Disposal, Item
from agent.model.disposal import DisposalState

_GONE = frozenset({MISSING, TOMBSTONE, SUPERSEDED})
_S = DisposalState
_UNFINISHED = frozenset(map(str, (_S.PLANNED, _S.CONFLICT, _S.SEALED, _S.RESTORING, _S.DESTROYING)))
_RECOVER = "Run:  retentiond dispose recover"


class AtSource:
    """Says how they stand, and counts them by share: in all, and in the quarantine of their sources."""

    def __init__(self, findings: Findings, eyes: Eyes) -> None:
        self._findings = findings
        self._eyes = eyes
        self._seen: Counter[str] = Counter()
        self._kept: Counter[str] = Counter()

    def standing(self, item: Item, disposal: Disposal | None) -> Standing:
        """How an item stands by what is recorded, and by the disposal that says where it is, if one does."""
        if disposal is not None:
            self.in_order(item, disposal)
        if item.state == DESTROYED:
            return self._away(item, disposal)
        if item.state in _GONE:
            return Standing.GONE
        self._seen[item.share] += 1
        self._kept[item.share] += item.state == QUARANTINED
        return Standing.AT_SOURCE

    def in_order(self, item: Item, disposal: Disposal) -> None:
        """What must be on record of a disposal, whatever came after it."""
        if not disposal.named:
            said = f"has a disposal ({disposal.number}, {disposal.state}) without its id or version at its source"
            self._wrong(item, f"{said}. Restore the catalogue from a backup.")
        copy = self._eyes.copy(disposal.vault_id)
        if copy.words or copy.tombs:
            said = f"is kept by its source, but the vault has {copy.words or 'a tomb'} under {disposal.vault_id}"
            self._wrong(item, f"{said}. Find out how it came there.")
        if disposal.state in _UNFINISHED:
            said = f"Item {item.number} has a disposal that is not finished ({disposal.state}). {_RECOVER}"
            self._findings.note(said, item.number, shown(item.folder, item.name))

    def _away(self, item: Item, disposal: Disposal | None) -> Standing:
        if disposal is None or disposal.state != DisposalState.ERASED:
            return Standing.DESTROYED
        if disposal.certificate and not disposal.certified:
            said = f"should be on certificate {disposal.certificate}, but the catalogue has no such document"
            self._wrong(item, f"{said}. Restore the catalogue from a backup.")
        return Standing.CERTIFIED if disposal.certificate else Standing.ERASED

    def _wrong(self, item: Item, said: str) -> None:
        where = shown(item.folder, item.name)
        self._findings.problem(Kind.WRONG_STATE, f"Item {item.number} {said}", item.number, where)

    def tell(self) -> None:
        """Says how many were not looked at."""
        for share, count in sorted(self._seen.items()):
            items, kept = counted(count, "item"), self._kept[share]
            self._findings.note(
                f"{items} of share {share!r}, of which {kept:,} in quarantine there, could not be looked at from here, "
                "since the share lies in a service: they stand as the catalogue has them. What the service says, "
                "`retentiond scan` and `retentiond dispose recover` find out."
            )
