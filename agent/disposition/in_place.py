"""Out of people's reach where the source keeps by itself what is taken: the crash-safe protocol without a vault.

For each item, in this order, each line durable before the next begins:

1. the intent is recorded (`planned`);
2. the source moves the item into its quarantine, at the version that was decided on;
3. what lies there is held against what was decided on;
4. `sealed` is recorded, with the version that it has there, if, in that very transaction, no hold covers the item and
   its approval still stands;
5. `quarantined` is recorded.

Whatever goes wrong up to 4, the item is given back, and so are all of a batch that is interrupted. Nothing is copied
and nothing is lost: until it is destroyed, the item is one move away from where it was. After a crash
`in_place_recovery.py` finishes or undoes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice

from agent.catalogue.disposal_rows import Disposal, Plan, Step
from agent.disposition.base import Advance, Keeper, Means, Told, new_id
from agent.disposition.obstacles import ENDS_THE_SHARE, of_source
from agent.model.disposal import Custody, DisposalState, Obstacle
from agent.model.schedule import Disposition
from connectors.base import ItemRef
from connectors.errors import ConnectorError, ItemChanged, ItemNotFound, PlaceTaken, SourceFault
from connectors.keeping import GivenBack, Kept, Target

# What can be done with an item that its source keeps. Of the others something would have to leave the source in the
# clear, or be made from the item and put in its place.
IN_PLACE = frozenset({Disposition.DESTROY, Disposition.THIN, Disposition.QUARANTINE})
CONTENT_NOT_READ = "content_not_read"  # so that its digest is one of what its source says of it
_AT_ONCE = 16  # items whose intent is recorded together: each takes a second or so, and a crash leaves all to recovery
_METHOD = "kept_at_source"
_ENDS_THE_SHARE = ENDS_THE_SHARE | {Obstacle.NO_ROOM}  # of the source: another share has its own
_MAY_HAVE_MOVED = (SourceFault, ItemChanged, PlaceTaken)


class InPlaceQuarantine:
    """Takes items out of people's reach, and gives them back if they may not stay there."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def take(self, run: int, plans: Iterable[Plan], advance: Advance) -> Told:
        """Takes these items, a few at a time, and tells what has become of each.

        Ends early, with the rest left where it is, when a pause begins. A share that cannot be acted on is left out
        from then on.
        """
        told = Told()
        away: dict[str, Obstacle] = {}
        coming = iter(plans)
        while block := list(islice(coming, _AT_ONCE)):
            told.kept.update({plan.item_id: bar for plan in block if (bar := self._bar(plan, away)) is not None})
            self._block(run, [plan for plan in block if plan.item_id not in told.kept], told, away)
            advance(len(block))
            if Obstacle.PAUSED in {told.kept.get(plan.item_id) for plan in block}:
                break
        return told

    def _bar(self, plan: Plan, away: dict[str, Obstacle]) -> Obstacle | None:
        if plan.action not in IN_PLACE:
            return Obstacle.NOT_IN_PLACE
        return away.get(plan.share, None if plan.share in self._means.keepers else Obstacle.SHARE_AWAY)

    def _block(self, run: int, plans: Sequence[Plan], told: Told, away: dict[str, Obstacle]) -> None:
        means = self._means
        named = [(new_id(), None, plan) for plan in plans]
        planned, refused = means.journal.plan(run, named, means.now(), means.by, means.today(), Custody.SOURCE)
        told.kept.update(refused)
        try:
            steps = self._seal_all(planned, told, away)
        except (Exception, KeyboardInterrupt, SystemExit):
            self._undo(planned, told)
            raise
        self.finish(self._record_sealed(steps, told), told)

    # Up to the point where it stays there

    def _seal_all(self, planned: Iterable[Disposal], told: Told, away: dict[str, Obstacle]) -> list[Step]:
        steps = []
        for disposal in planned:
            if disposal.share in away:
                self._abandon(disposal, away[disposal.share], told)
                continue
            step = self._seal(disposal, told)
            if step is not None:
                steps.append(step)
            elif told.kept[disposal.item_id] in _ENDS_THE_SHARE:
                away[disposal.share] = told.kept[disposal.item_id]
        return steps

    def _seal(self, disposal: Disposal, told: Told) -> Step | None:
        """Steps 2 and 3. None if the item is in its place, or as good as there."""
        keeper = self._means.keepers[disposal.share]
        target = Target(disposal.file_id, disposal.ref, disposal.folder_id, disposal.version)
        try:
            kept = keeper.keeping.keep(keeper.scope, target, disposal.vault_id)
        except _MAY_HAVE_MOVED as error:
            self.undo(disposal, of_source(error), told)
            return None
        except ConnectorError as error:
            self._abandon(disposal, of_source(error), told)
            return None
        decided_on = disposal.content_hash.hex() if disposal.content_hash is not None else ""
        if decided_on and kept.sha256 and kept.sha256 != decided_on:
            self.put_back(disposal, Obstacle.CHANGED, told)
            return None
        return self._sealed(disposal, kept, decided_on or kept.sha256)

    def _sealed(self, disposal: Disposal, kept: Kept, sha256: str) -> Step:
        content = bytes.fromhex(sha256) if sha256 else disposal.file_id + b"\0" + disposal.version
        return Step(
            disposal,
            DisposalState.SEALED,
            doubts=() if sha256 else (CONTENT_NOT_READ,),
            digest=self._means.digest(content),
            kept_version=kept.version,
        )

    def _record_sealed(self, steps: Sequence[Step], told: Told) -> Iterator[Disposal]:
        """Step 4, for all of them together; those that must not go after all are given back."""
        if not steps:
            return
        means = self._means
        refused = means.journal.seal(steps, means.now(), means.by, means.today())
        for step in steps:
            obstacle = refused.get(step.of.number)
            if obstacle is None:
                yield replace(step.of, state=DisposalState.SEALED, kept_version=step.kept_version)
            else:
                self.put_back(step.of, obstacle, told)

    def finish(self, sealed: Iterable[Disposal], told: Told) -> None:
        """Step 5, for items that lie in quarantine."""
        steps = [Step(disposal, DisposalState.QUARANTINED, method=_METHOD) for disposal in sealed]
        self._means.record(*steps)
        told.done.extend(replace(step.of, state=DisposalState.QUARANTINED) for step in steps)

    # Back

    def _undo(self, planned: Iterable[Disposal], told: Told) -> None:
        """Gives back at once what would lie in quarantine until the next recovery. That one does what fails here: the
        fault that came first is the one to be told."""
        with suppress(Exception):
            still = {one.number for one in self._means.journal.of_state(DisposalState.PLANNED)}
            for disposal in planned:
                if disposal.number in still:
                    with suppress(Exception):
                        self.undo(disposal, Obstacle.INTERRUPTED, told)

    def undo(self, disposal: Disposal, why: Obstacle, told: Told) -> None:
        """Gives the item back if it lies in quarantine, and leaves it where it lies if not. What cannot be asked or
        done now is by the next recovery."""
        try:
            there = kept_at(self._means.keepers[disposal.share], disposal)
        except ConnectorError as error:
            told.kept[disposal.item_id] = of_source(error)
            return
        if there is None:
            self._abandon(disposal, why, told)
        else:
            self.put_back(disposal, why, told)

    def put_back(self, disposal: Disposal, why: Obstacle, told: Told) -> None:
        """The item is in its place again; or, if something else lies there, it stays in quarantine until a person has
        looked. What others have carried off lies where they put it, and the next scan tells where."""
        told.kept[disposal.item_id] = why
        try:
            given_back(self._means.keepers[disposal.share], disposal, disposal.ref)
        except PlaceTaken:
            self._conflict(disposal, told)
        except ItemNotFound:
            self._abandon(disposal, Obstacle.GONE, told)
        except ConnectorError as error:
            told.kept[disposal.item_id] = of_source(error)  # the next recovery tries again
        else:
            told.kept[disposal.item_id] = why
            # It has another version since it was moved, and who may enter may have changed it: it is read again.
            self._means.record(Step(disposal, DisposalState.ABANDONED, why=why, target=disposal.ref))

    def _conflict(self, disposal: Disposal, told: Told) -> None:
        told.kept[disposal.item_id] = Obstacle.PLACE_TAKEN
        if disposal.state is not DisposalState.CONFLICT:
            self._means.record(Step(disposal, DisposalState.CONFLICT, why=Obstacle.PLACE_TAKEN))

    def _abandon(self, disposal: Disposal, why: Obstacle, told: Told) -> None:
        told.kept[disposal.item_id] = why
        self._means.record(Step(disposal, DisposalState.ABANDONED, why=why))


def kept_at(keeper: Keeper, disposal: Disposal) -> Kept | None:
    """What lies in the source's quarantine of that disposal, as it is now."""
    return keeper.keeping.kept(keeper.scope, disposal.file_id, disposal.vault_id)


def given_back(keeper: Keeper, disposal: Disposal, to: ItemRef) -> GivenBack:
    """Has the source give the item back: into the folder that it was taken from, if that is where it is to go."""
    folder_id = disposal.folder_id if to.folder == disposal.ref.folder else b""
    return keeper.keeping.give_back(keeper.scope, disposal.file_id, disposal.vault_id, to, folder_id)
