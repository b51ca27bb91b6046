"""Where one item is, by everything that is recorded of it and everything that is there."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from agent.fsck.absent import Absent, Missing
from agent.fsck.at_source import AtSource
from agent.fsck.base import Kind, Standing
from agent.fsck.findings import Findings
from agent.fsck.rows import (
    DESTROYED,
    LIVE,
    MISSING,
    QUARANTINED,
    SOURCE,
    SUPERSEDED,
    TOMBSTONE,
    VAULT,
    Disposal,
    Item,
    Step,
)
from agent.fsck.states import States
from agent.fsck.steps import chain_faults
from agent.model.disposal import OVER, DisposalState

_S = DisposalState
_ID = re.compile(r"[0-9a-f]{32}")
_STATES = frozenset(map(str, DisposalState))
_OVER = frozenset(map(str, OVER - {_S.ERASED}))
_AWAY = frozenset({str(_S.DESTROYED), str(_S.ERASED)})
_IN_HAND = frozenset(map(str, (_S.SEALED, _S.QUARANTINED, _S.RESTORING, _S.DESTROYING, _S.CONFLICT)))
_BEFORE = frozenset({str(_S.PLANNED), str(_S.CONFLICT)})
# In which state the disposal of an item can be that says where it is; any that is over says that none does.
_FITTING = {QUARANTINED: _IN_HAND, DESTROYED: _AWAY}
_FITTING |= dict.fromkeys((LIVE, MISSING, TOMBSTONE, SUPERSEDED), _BEFORE | _OVER)
_WORDS = {QUARANTINED: "in quarantine", DESTROYED: "destroyed", LIVE: "there"}


class Judge:
    """Says of one item after the other how it stands; what is wrong with it goes to `findings`."""

    def __init__(
        self,
        findings: Findings,
        states: States,
        at_source: AtSource,
        absent: Absent,
        steps: Callable[[int], Sequence[Step]],
    ) -> None:
        self._findings = findings
        self._states = states
        self._at_source = at_source
        self._absent = absent
        self._steps = steps

    def judge(self, item: Item) -> None:
        """Gives the item its one standing: now, or once it has been looked for."""
        before = self._findings.problem_counts.total()
        told = self._standing(item)
        wrong = self._findings.problem_counts.total() > before
        if isinstance(told, Missing):
            self._absent.add(item, told, wrong=wrong)
        else:
            self._findings.stand(Standing.WRONG if wrong else told)

    def _standing(self, item: Item) -> Standing | Missing:
        if not item.share:
            return self._wrong(item, "has a folder that the catalogue does not have")
        if item.state not in _FITTING:
            return self._wrong(item, "is recorded in a state that there is none of")
        if any(not _is_sound(item, disposal) for disposal in item.disposals):
            return self._wrong(item, "has a disposal whose ids, state or custody can never have been recorded")
        steps = {disposal.number: self._steps(disposal.number) for disposal in item.disposals}
        for disposal in item.disposals:
            for fault in chain_faults(disposal, item.number, steps[disposal.number]):
                self._wrong(item, f"has steps out of order: {fault}")
            if disposal.certificate and disposal.state != _S.ERASED:
                self._wrong(item, f"is on certificate {disposal.certificate}, but it is not erased")
        governing = self._governing(item)
        for disposal in item.disposals:
            if disposal is not governing and not item.in_service:
                self._states.former(item, disposal)
            elif disposal is not governing:
                self._at_source.in_order(item, disposal)
        if item.in_service:
            return self._at_source.standing(item, governing)
        if governing is None:
            return self._states.without_disposal(item)
        return self._states.governed(item, governing, steps[governing.number])

    def _governing(self, item: Item) -> Disposal | None:
        """The disposal that says where the item is: the one that is not over, or else the last one."""
        going_on = [one for one in item.disposals if one.state not in _OVER]
        if len(going_on) > 1:
            numbers = " and ".join(str(one.number) for one in going_on)
            self._wrong(item, f"has several disposals that are not over ({numbers})")
        governing = (going_on or item.disposals or (None,))[-1]
        fitting = _FITTING[item.state]
        if (governing is None and fitting & _OVER == set()) or (governing and governing.state not in fitting):
            said = f"is recorded as {_WORDS.get(item.state, 'gone by the hands of others')}, but "
            self._wrong(item, said + (f"its disposal is {governing.state}" if governing else "it has no disposal"))
        return governing

    def _wrong(self, item: Item, said: str) -> Standing:
        self._states.problem(Kind.WRONG_STATE, item, f"{said}. Restore the catalogue from a backup.")
        return Standing.WRONG


def _is_sound(item: Item, disposal: Disposal) -> bool:
    ids = [disposal.vault_id, *([] if disposal.derived_id is None else [disposal.derived_id])]
    known = disposal.state in _STATES and disposal.custody == (SOURCE if item.in_service else VAULT)
    return known and all(_ID.fullmatch(id) for id in ids)
