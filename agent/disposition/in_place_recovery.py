"""After a crash, for what its source keeps: every disposal that was cut off is finished or undone. Idempotent.

The quarantine of each share is also held against what is recorded, since it lies in a service that others administer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.catalogue.disposal_rows import Disposal
from agent.disposition.base import Keeper, Means, Told
from agent.disposition.in_place import InPlaceQuarantine, given_back, kept_at
from agent.disposition.in_place_destroy import InPlaceDestruction
from agent.disposition.in_place_restore import InPlaceRestoring
from agent.disposition.obstacles import ENDS_THE_SHARE, of_source
from agent.disposition.recovery import CUT_OFF, Recovered
from agent.model.disposal import Custody, DisposalState, Obstacle
from connectors.errors import ConnectorError, ItemNotFound, PlaceTaken

_BACK = frozenset({DisposalState.ABANDONED, DisposalState.RESTORED})
_AWAY = frozenset({DisposalState.DESTROYED, DisposalState.ERASED})


@dataclass(slots=True)
class _Sum:
    """What a recovery has come to so far. Shares in `away` are not asked any more."""

    finished: int = 0
    put_back: int = 0
    unsettled: dict[int, Obstacle] = field(default_factory=dict)
    foreign: int = 0
    away: dict[str, Obstacle] = field(default_factory=dict)

    def note(self, disposal: Disposal, obstacle: Obstacle) -> None:
        self.unsettled[disposal.item_id] = obstacle
        if obstacle in ENDS_THE_SHARE:
            self.away[disposal.share] = obstacle


class InPlaceRecovery:
    """Settles what was cut off, and tells what is not in quarantine though it should be, or is though it should not."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._quarantine = InPlaceQuarantine(means)
        self._restoring = InPlaceRestoring(means)
        self._destruction = InPlaceDestruction(means)

    def run(self) -> Recovered:
        """Settles every disposal whose share can be reached."""
        sum_ = _Sum()
        for disposal in self._means.journal.of_state(*CUT_OFF):
            if disposal.custody is Custody.SOURCE:
                self._settle_or_tell(disposal, sum_)
        shares = self._means.journal.shares_of(Custody.SOURCE)
        expected: dict[str, list[Disposal]] = {share: [] for share in shares}
        for disposal in self._means.journal.of_state(DisposalState.QUARANTINED) if shares else ():
            if disposal.custody is Custody.SOURCE:
                expected[disposal.share].append(disposal)
        for share, there in expected.items():
            if share in self._means.keepers and share not in sum_.away:
                self._compare(self._means.keepers[share], share, there, sum_)
        return Recovered(sum_.finished, sum_.put_back, sum_.unsettled, foreign=sum_.foreign)

    def _settle_or_tell(self, disposal: Disposal, sum_: _Sum) -> None:
        away: Mapping[str, Obstacle] = sum_.away
        if disposal.share not in self._means.keepers or disposal.share in away:
            sum_.unsettled[disposal.item_id] = away.get(disposal.share, Obstacle.SHARE_AWAY)
            return
        try:
            obstacle = self._settle(disposal)
        except ConnectorError as error:
            sum_.note(disposal, of_source(error))
            return
        after = self._means.journal.get(disposal.number)
        if obstacle is not None:
            sum_.note(disposal, obstacle)
        elif after is not None and after.state is DisposalState.ABANDONED:
            sum_.put_back += 1
        else:
            sum_.finished += 1

    def _settle(self, disposal: Disposal) -> Obstacle | None:
        told = Told()
        match disposal.state:
            case DisposalState.PLANNED:
                self._quarantine.undo(disposal, Obstacle.INTERRUPTED, told)
            case DisposalState.SEALED:
                self._finish(disposal, told)
            case DisposalState.RESTORING:
                return self._restoring.go_on(disposal)
            case DisposalState.CONFLICT:
                self._quarantine.put_back(disposal, Obstacle.INTERRUPTED, told)
            case _:
                self._destruction.settle(disposal, told)
        kept = told.kept.get(disposal.item_id)
        return None if kept is Obstacle.INTERRUPTED else kept

    def _finish(self, disposal: Disposal, told: Told) -> None:
        """What is recorded to lie in quarantine lies there, or else in its place, or where others have put it."""
        if kept_at(self._means.keepers[disposal.share], disposal) is not None:
            self._quarantine.finish([disposal], told)
        else:
            self._quarantine.put_back(disposal, Obstacle.INTERRUPTED, told)

    # What is there, against what is recorded

    def _compare(self, keeper: Keeper, share: str, expected: Sequence[Disposal], sum_: _Sum) -> None:
        try:
            there = dict(keeper.keeping.in_quarantine(keeper.scope))
        except ConnectorError:
            return  # nothing is said to be missing because nobody answers
        for id, file_id in sorted(there.items()):
            disposal = self._means.journal.of_vault_id(id)
            if disposal is None or (disposal.share, disposal.file_id) != (share, file_id):
                sum_.foreign += 1
            else:
                self._too_much(keeper, disposal, sum_)
        for disposal in expected:
            if there.get(disposal.vault_id) != disposal.file_id:
                sum_.unsettled[disposal.item_id] = Obstacle.GONE  # it stays in quarantine: a person must look

    def _too_much(self, keeper: Keeper, disposal: Disposal, sum_: _Sum) -> None:
        """A move that its source carried out only after we had given up asking leaves an item there that is not in
        quarantine by the catalogue: it is given back. What was deleted, and has been brought back there, is told."""
        if disposal.state in _AWAY:
            sum_.unsettled[disposal.item_id] = Obstacle.CHANGED
        if disposal.state not in _BACK:
            return
        try:
            given_back(keeper, disposal, disposal.target or disposal.ref)
        except PlaceTaken:
            sum_.unsettled[disposal.item_id] = Obstacle.PLACE_TAKEN
        except ItemNotFound:
            return  # somebody has carried it off meanwhile
        except ConnectorError as error:
            sum_.note(disposal, of_source(error))
        else:
            sum_.put_back += 1
