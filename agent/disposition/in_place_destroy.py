"""Away for good where the source keeps what is taken: the source deletes it, and says what it may still have.

*Destroyed* is said when the source has deleted the item for good or moved it to its recycle bin, *erased* when the
longest time is over for which people of the source could take it out of there again. What the source may keep for
other reasons (a retention policy, its own backups) stands on record with the destruction, and on the certificate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from agent.catalogue.disposal_rows import Disposal, Step
from agent.disposition.base import Advance, Means, Told
from agent.disposition.in_place import kept_at
from agent.disposition.obstacles import ENDS_THE_SHARE, of_source
from agent.model.disposal import Custody, DisposalState, Obstacle
from connectors.errors import ConnectorError, ScopeUnavailable, SourceFault
from connectors.keeping import Remains

_AT_ONCE = 16  # as in `in_place`
# From these people take things out again. No bin that we know of keeps anything for longer than that; nobody knows any
# more how an item went whose deletion was cut off, or that somebody else has deleted.
_BINS = frozenset({Remains.RECYCLE_BIN, Remains.SECOND_STAGE, Remains.RECOVERABLE_ITEMS})
_AT_MOST_DAYS = 93
_NOTHING_THERE = "nothing_there"
_REMAINS = re.compile(r"([a-z_]+?)(?:_([0-9]+))?")


class InPlaceDestruction:
    """Destroys and erases what its source keeps."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def destroy(self, disposals: Sequence[Disposal], advance: Advance) -> Told:
        """Has those of them deleted that may go, as the transaction sees it that records the intent."""
        means, told = self._means, Told()
        away: dict[str, Obstacle] = {}
        for start in range(0, len(disposals), _AT_ONCE):
            block = disposals[start : start + _AT_ONCE]
            told.kept.update({one.item_id: bar for one in block if (bar := self._bar(one, away)) is not None})
            there = [one for one in block if one.item_id not in told.kept]
            refused = means.journal.destroying(there, means.now(), means.by, means.today())
            told.kept.update({one.item_id: refused[one.number] for one in there if one.number in refused})
            for one in there:
                if one.number not in refused:
                    self._go_on(replace(one, state=DisposalState.DESTROYING), told, away)
            advance(len(block))
        return told

    def _bar(self, one: Disposal, away: Mapping[str, Obstacle]) -> Obstacle | None:
        return away.get(one.share, None if one.share in self._means.keepers else Obstacle.SHARE_AWAY)

    def _go_on(self, destroying: Disposal, told: Told, away: dict[str, Obstacle]) -> None:
        if destroying.share in away:
            self._stays(destroying, away[destroying.share], told)
            return
        self.go_on(destroying, told)
        obstacle = told.kept.get(destroying.item_id)
        if obstacle in ENDS_THE_SHARE:
            away[destroying.share] = obstacle

    def go_on(self, destroying: Disposal, told: Told) -> None:
        """The same from the recorded intent on. What the source does not let go is in quarantine again."""
        keeper = self._means.keepers[destroying.share]
        try:
            deleted = keeper.keeping.delete(
                keeper.scope, destroying.file_id, destroying.vault_id, destroying.kept_version
            )
        except (SourceFault, ScopeUnavailable) as error:
            told.kept[destroying.item_id] = of_source(error)  # it may be gone: the next recovery finds out
            return
        except ConnectorError as error:
            self._stays(destroying, of_source(error), told)
            return
        step = Step(
            destroying,
            DisposalState.DESTROYED,
            method=deleted.method,
            doubts=tuple(sorted(_word(what, days) for what, days in deleted.remains.items())),
        )
        self._means.record(step)
        told.done.append(replace(destroying, state=DisposalState.DESTROYED))

    def settle(self, destroying: Disposal, told: Told) -> None:
        """The same after a crash, unless something has come up since the intent and the item is still there: then it is
        in quarantine again. Raises `ConnectorError` if its source cannot be asked: then it stays as it is."""
        means = self._means
        obstacle = means.journal.bar_to_go_on(destroying, means.today())
        if obstacle is not None and kept_at(means.keepers[destroying.share], destroying) is not None:
            self._stays(destroying, obstacle, told)
        else:
            self.go_on(destroying, told)

    def _stays(self, destroying: Disposal, why: Obstacle, told: Told) -> None:
        self._means.record(Step(destroying, DisposalState.QUARANTINED, why=why))
        told.kept[destroying.item_id] = why

    def erase(self) -> tuple[Disposal, ...]:
        """Records for what was destroyed that nobody can take it out of a recycle bin any more, where that is so; tells
        which these are. What an administrator has brought back into quarantine, or of which nobody says that it is not
        there, stays as it is."""
        means = self._means
        destroyed = means.journal.of_state(DisposalState.DESTROYED)
        theirs = (one for one in destroyed if one.custody is Custody.SOURCE)
        gone = [one for one in theirs if self._is_out_of_bins(one) and not self._may_be_back(one)]
        means.record(
            *(
                Step(one, DisposalState.ERASED, hidden_name=b"#" + means.digest(one.ref.path).hex().encode())
                for one in gone
            )
        )
        return tuple(replace(one, state=DisposalState.ERASED) for one in gone)

    def _may_be_back(self, one: Disposal) -> bool:
        keeper = self._means.keepers.get(one.share)
        try:
            return keeper is None or kept_at(keeper, one) is not None
        except ConnectorError:
            return True

    def _is_out_of_bins(self, one: Disposal) -> bool:
        *_, last = self._means.journal.steps(one.number)
        remains = tuple(read_remains(last.doubts))
        if (Remains.RECOVERABLE_ITEMS, None) in remains:  # a hold keeps it there, and nobody can say how long
            return False
        days = [_AT_MOST_DAYS if days is None else days for what, days in remains if what in _BINS]
        if last.method == _NOTHING_THERE and not last.doubts:
            days.append(_AT_MOST_DAYS)
        return not days or self._means.today() > (one.since + timedelta(days=max(days))).date()


def _word(what: Remains, days: int | None) -> str:
    """How what remains is recorded: with for how many days at most, where that is known."""
    return what.value if days is None else f"{what.value}_{days}"


def read_remains(words: Iterable[str]) -> Iterator[tuple[Remains, int | None]]:
    """What remains, and for how many days at most, from the words of a recorded step."""
    for word in words:
        found = _REMAINS.fullmatch(word)
        if found is not None and found[1] in set(Remains):
            yield Remains(found[1]), None if found[2] is None else int(found[2])
