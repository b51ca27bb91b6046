"""Out of the share and into the vault: the crash-safe protocol.

For each item, in this order, each line durable before the next begins:

1. the intent is recorded (`planned`);
2. the item is moved into the hold of its share, where nobody but us reaches it;
3. a copy is sealed in the vault, read back, and held against what was decided on; what is to remain of the item
   (anonymised, minimised) is made from it and sealed too;
4. `sealed` is recorded if, in that very transaction, no hold covers the item and its approval still stands;
5. what remains is put in its place;
6. the original in the hold is destroyed;
7. `quarantined` is recorded.

Whatever goes wrong up to 4, the item is put back, and so are all of a batch that is interrupted. From 4 on it is only
finished. After a crash `recovery.py` does either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice

from agent.catalogue.disposal_rows import Disposal, Plan, Step
from agent.disposition.base import Advance, Means, Told, new_id
from agent.disposition.obstacles import ENDS_THE_RUN, ENDS_THE_SHARE, of_source, of_vault
from agent.disposition.remainders import Derive, NotDerived, Remainders, derives
from agent.disposition.wrapping import wrap
from agent.model.disposal import DisposalState, Obstacle
from agent.vault.base import VaultError
from connectors.errors import ConnectorError, PlaceTaken
from connectors.holding import TakenContent

_AT_ONCE = 64  # items whose intent is recorded together, and whose sealing is


class Quarantine:
    """Takes items out of their shares.

    `derive` makes what remains of those that are anonymised or minimised; `note` what is left in the place of the
    others, if anything is.
    """

    def __init__(self, means: Means, derive: Derive, note: Callable[[Disposal], bytes] | None = None) -> None:
        self._means = means
        self._remainders = Remainders(means, derive)
        self._note = note

    def take(self, run: int, plans: Iterable[Plan], advance: Advance) -> Told:
        """Takes these items, a few at a time, and tells what has become of each.

        Ends early, with the rest left where it is, when the vault or the disk is full or a pause begins. A share that
        cannot be acted on is left out from then on.
        """
        told = Told()
        away: set[str] = set()
        coming = iter(plans)
        while block := list(islice(coming, _AT_ONCE)):
            for plan in block:
                if plan.share in away or plan.share not in self._means.sources:
                    told.kept[plan.item_id] = Obstacle.SHARE_AWAY
            self._block(run, [plan for plan in block if plan.item_id not in told.kept], told, away)
            advance(len(block))
            if ENDS_THE_RUN & {told.kept.get(plan.item_id) for plan in block}:
                break
        return told

    def _block(self, run: int, plans: Sequence[Plan], told: Told, away: set[str]) -> None:
        means = self._means
        named = [(new_id(), new_id() if derives(plan.action) else None, plan) for plan in plans]
        planned, refused = means.journal.plan(run, named, means.now(), means.by, means.today())
        told.kept.update(refused)
        try:
            steps = self._seal_all(planned, told, away)
        except (Exception, KeyboardInterrupt, SystemExit):
            self._undo(planned, told)
            raise
        self.finish(self._record_sealed(steps, told), told)

    # Up to the point of no loss

    def _seal_all(self, planned: Iterable[Disposal], told: Told, away: set[str]) -> list[Step]:
        steps = []
        for disposal in planned:
            if disposal.share in away:
                self._abandon(disposal, Obstacle.SHARE_AWAY, told)
                continue
            step = self._seal(disposal, told)
            if step is not None:
                steps.append(step)
            elif told.kept[disposal.item_id] in ENDS_THE_SHARE:
                away.add(disposal.share)
        return steps

    def _seal(self, disposal: Disposal, told: Told) -> Step | None:
        """Steps 2 and 3. None if the item is back in its place, or could not be taken."""
        source = self._means.sources[disposal.share]
        try:
            content = source.holding.take(source.scope, disposal.ref, disposal.version, disposal.vault_id)
        except PlaceTaken:
            self._conflict(disposal, told)
            return None
        except ConnectorError as error:
            self._abandon(disposal, of_source(error), told)
            return None
        with content:
            sealed = self._copied(disposal, content)
        if isinstance(sealed, Obstacle):
            self.put_back(disposal, sealed, told)
            return None
        return sealed

    def _copied(self, disposal: Disposal, content: TakenContent) -> Step | Obstacle:
        means, taken = self._means, content.taken
        note = self._note(disposal) if self._note is not None and disposal.derived_id is None else b""
        try:
            sealed = means.vault.put(
                content.fileno(), disposal.vault_id, wrap(disposal, taken.properties, note), means.today()
            )
            if disposal.content_hash is not None and sealed.sha256 != disposal.content_hash.hex():
                return Obstacle.CHANGED
            if disposal.derived_id is not None:
                self._remainders.seal(disposal, disposal.derived_id, content.fileno(), taken.properties)
            if not content.still_current():
                return Obstacle.CHANGED
        except VaultError as error:
            return of_vault(error)
        except NotDerived:
            return Obstacle.NOT_DERIVED
        except ConnectorError as error:
            return of_source(error)
        return Step(
            disposal,
            DisposalState.SEALED,
            doubts=tuple(sorted(taken.doubts)),
            epoch=sealed.epoch,
            digest=means.digest(bytes.fromhex(sealed.sha256)),
        )

    def _record_sealed(self, steps: Sequence[Step], told: Told) -> Iterator[Disposal]:
        """Step 4, for all of them together; those that must not go after all are put back."""
        if not steps:
            return
        means = self._means
        refused = means.journal.seal(steps, means.now(), means.by, means.today())
        for step in steps:
            obstacle = refused.get(step.of.number)
            if obstacle is None:
                yield replace(step.of, state=DisposalState.SEALED)
            else:
                self.put_back(step.of, obstacle, told)

    # Behind it

    def finish(self, sealed: Iterable[Disposal], told: Told) -> None:
        """Steps 5 to 7, for items that are whole in the vault. What cannot be finished now is by the next recovery."""
        steps = []
        for disposal in sealed:
            source = self._means.sources[disposal.share]
            try:
                if disposal.derived_id is not None:
                    self._remainders.place(disposal, disposal.derived_id, source)
                elif self._note is not None:
                    self._remainders.leave_note(disposal, source)
                gone = source.holding.let_go(source.scope, disposal.vault_id)
            except ConnectorError as error:
                told.kept[disposal.item_id] = of_source(error)
                continue
            except VaultError as error:
                told.kept[disposal.item_id] = of_vault(error)
                continue
            doubts = tuple(sorted(gone.doubts))
            steps.append(Step(disposal, DisposalState.QUARANTINED, method=gone.method, doubts=doubts))
        self._means.record(*steps)
        for step in steps:
            if step.of.derived_id is not None:
                self._means.vault.discard(step.of.derived_id)
            told.done.append(replace(step.of, state=DisposalState.QUARANTINED))

    # Back

    def _undo(self, planned: Iterable[Disposal], told: Told) -> None:
        """Puts back at once what would lie in the hold until the next recovery. That one does what fails here: the
        fault that came first is the one to be told."""
        with suppress(Exception):
            still = {one.number for one in self._means.journal.of_state(DisposalState.PLANNED)}
            for disposal in planned:
                if disposal.number in still:
                    with suppress(Exception):
                        self.put_back(disposal, Obstacle.INTERRUPTED, told)

    def put_back(self, disposal: Disposal, why: Obstacle, told: Told) -> None:
        """The item is in its place again and the vault knows nothing of it; or, if something else lies there, it stays
        in the hold until a person has looked."""
        told.kept[disposal.item_id] = why
        source = self._means.sources[disposal.share]
        try:
            source.holding.put_back(source.scope, disposal.vault_id, disposal.ref)
        except PlaceTaken:
            self._conflict(disposal, told)
            return
        except ConnectorError as error:
            told.kept[disposal.item_id] = of_source(error)
            return  # it stays in the hold, and the next recovery tries again
        self._abandon(disposal, why, told)

    def _conflict(self, disposal: Disposal, told: Told) -> None:
        told.kept[disposal.item_id] = Obstacle.PLACE_TAKEN
        self._forget_copies(disposal)
        self._means.record(Step(disposal, DisposalState.CONFLICT, why=Obstacle.PLACE_TAKEN))

    def _abandon(self, disposal: Disposal, why: Obstacle, told: Told) -> None:
        told.kept[disposal.item_id] = why
        self._forget_copies(disposal)
        self._means.record(Step(disposal, DisposalState.ABANDONED, why=why))

    def _forget_copies(self, disposal: Disposal) -> None:
        ids = [disposal.vault_id, *([disposal.derived_id] if disposal.derived_id else [])]
        self._means.vault.discard(*ids)
