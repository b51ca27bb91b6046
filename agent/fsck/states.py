"""What must be there, and what must not, for each state of a disposal."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from agent.fsck.absent import Missing
from agent.fsck.base import Kind, Standing
from agent.fsck.eyes import Eyes, Seen, Unknown
from agent.fsck.findings import Findings, shown
from agent.fsck.rows import MISSING, SUPERSEDED, TOMBSTONE, Disposal, Item, Step
from agent.fsck.sealed import NotReadable
from agent.fsck.share import is_version, mark_of, same_file, version_of
from agent.model.disposal import DisposalState, Obstacle

GONE = frozenset({MISSING, TOMBSTONE, SUPERSEDED})

_RECOVER = "Run:  retentiond dispose recover"
_LOOK = "Look for it in backups of the share."
_PUT_BACK = "Put the vault's files back from a backup."
_S = DisposalState
_Rule = Callable[[Item, Disposal, Seen, Sequence[Step]], Standing | Missing]


class States:
    """The rules. `scanned_since` says when the last whole scan of each share began, in microseconds since 1970.

    `blind` counts the items that could not be looked at, by share and reason.
    """

    def __init__(self, findings: Findings, eyes: Eyes, scanned_since: Mapping[str, int]) -> None:
        self.blind: Counter[tuple[str, str]] = Counter()
        self._findings = findings
        self._eyes = eyes
        self._scanned_since = scanned_since
        self._rules: Mapping[DisposalState, _Rule] = {
            _S.PLANNED: self._out_of_the_vault,
            _S.CONFLICT: self._out_of_the_vault,
            _S.SEALED: self._sealed,
            _S.QUARANTINED: self._quarantined,
            _S.RESTORING: self._quarantined,
            _S.DESTROYING: self._destroying,
            _S.DESTROYED: self._destroyed,
            _S.ERASED: self._erased,
            _S.RESTORED: self._over,
            _S.RELOCATED: self._over,
            _S.ABANDONED: self._over,
        }

    def problem(self, kind: Kind, item: Item, said: str) -> None:
        """A problem with an item; `said` goes on from its number."""
        self._findings.problem(kind, f"Item {item.number} {said}", item.number, shown(item.folder, item.name))

    def without_disposal(self, item: Item) -> Standing | Missing:
        """How an item stands that nothing was ever done with."""
        if item.state in GONE:
            return Standing.GONE
        place = self._eyes.place(item)
        return Missing(item.version) if place is None else self._as_it_lies(item, place)

    def governed(self, item: Item, disposal: Disposal, steps: Sequence[Step]) -> Standing | Missing:
        """How an item stands by the disposal that says where it is."""
        return self._rules[DisposalState(disposal.state)](item, disposal, self._eyes.seen(item, disposal), steps)

    def former(self, item: Item, disposal: Disposal) -> None:
        """What may be left of a disposal that another one came after."""
        self._nothing_left(item, disposal, self._eyes.seen(item, disposal))

    # Planned, conflict: in its place or in the hold

    def _out_of_the_vault(self, item: Item, disposal: Disposal, seen: Seen, _: Sequence[Step]) -> Standing | Missing:
        self._unfinished(item, disposal)
        place = self._eyes.place(item)
        there = isinstance(place, Unknown) or (place is not None and self._is_it(item, disposal, place))
        if seen.held is None and not there and disposal.state == _S.PLANNED and seen.copy.object:
            return self._in_the_vault_alone(item, disposal, seen)
        self._leftovers(item, disposal, seen)
        if seen.held is not None:
            if isinstance(place, os.stat_result):
                self._both(item, seen.held, place)
            return Standing.HELD
        if place is not None and there:
            return self._as_it_lies(item, place)
        what = "another file" if place else "nothing"
        said = f"is LOST: its disposal {disposal.number} is {disposal.state}, but in its place lies {what}, and "
        return Missing(disposal.version, f"Item {item.number} {said}nothing in the hold. {_LOOK}")

    def _is_it(self, item: Item, disposal: Disposal, place: os.stat_result) -> bool:
        """Whether what lies in the item's place is the item: the same file, or one with its content made anew."""
        if not is_version(disposal.version) or same_file(place, disposal.version):
            return True
        return disposal.content_hash is not None and self._eyes.content(item) == disposal.content_hash

    def _in_the_vault_alone(self, item: Item, disposal: Disposal, seen: Seen) -> Standing:
        """As if it had been sealed: the catalogue may have come from a backup. Recovery makes the item anew."""
        standing = self._readable(item, disposal, seen)
        if standing is not Standing.WRONG:
            self._note(item, f"lies in the vault alone, which its disposal {disposal.number} does not know. {_RECOVER}")
        return standing

    def _both(self, item: Item, held: os.stat_result, place: os.stat_result) -> None:
        if (place.st_dev, place.st_ino) == (held.st_dev, held.st_ino):
            self.problem(Kind.TWICE, item, f"lies in its place and in the hold, under two names. {_RECOVER}")
        else:
            said = "lies in the hold, and in its place lies what somebody else put there. Move that away; then run:  "
            self._note(item, f"{said}retentiond dispose recover")

    # In the vault

    def _sealed(self, item: Item, disposal: Disposal, seen: Seen, _: Sequence[Step]) -> Standing | Missing:
        self._unfinished(item, disposal)
        if disposal.derived_id is not None:
            try:
                self._eyes.read(seen.remains, None)
            except NotReadable as fault:
                remains = f"what is to remain of it (vault object {disposal.derived_id})"
                said = f"cannot be finished, for {remains} cannot be read: {fault}. {_PUT_BACK}"
                self.problem(Kind.UNREADABLE, item, said)
        self._not_in_place(item, disposal)
        return self._readable(item, disposal, seen)

    def _quarantined(self, item: Item, disposal: Disposal, seen: Seen, _: Sequence[Step]) -> Standing | Missing:
        self._still_held(item, disposal, seen)
        if disposal.state == _S.RESTORING:  # what is made in its place may well have the inode that it once had
            self._unfinished(item, disposal)
        else:
            self._not_in_place(item, disposal)
        return self._readable(item, disposal, seen)

    def _destroying(self, item: Item, disposal: Disposal, seen: Seen, _: Sequence[Step]) -> Standing | Missing:
        self._unfinished(item, disposal)
        self._still_held(item, disposal, seen)
        if seen.copy.tombs:
            return Standing.DESTROYED
        return self._readable(item, disposal, seen)  # no key was touched, and what has come up since may keep it

    def _readable(self, item: Item, disposal: Disposal, seen: Seen) -> Standing:
        try:
            return self._eyes.read(seen.copy, disposal.content_hash)
        except NotReadable as fault:
            if not seen.copy.object and seen.held is None:
                said = f"is LOST: its disposal {disposal.number} is {disposal.state}, but there is no object "
                self.problem(Kind.LOST, item, f"{said}{disposal.vault_id} in the vault. {_PUT_BACK}")
            else:
                also = " Its original still lies in the hold." if seen.held else ""
                said = f"cannot be read from the vault (object {disposal.vault_id}): {fault}. {_PUT_BACK}{also}"
                self.problem(Kind.UNREADABLE, item, said)
            return Standing.WRONG

    def _still_held(self, item: Item, disposal: Disposal, seen: Seen) -> None:
        self._leftovers(item, disposal, seen, but_for_the_item=True)
        if seen.held is not None or seen.going:
            said = f"should lie in the vault alone ({disposal.state}), but something lies in the hold under its id "
            self.problem(Kind.TWICE, item, f"{said}{disposal.vault_id}. {_RECOVER}")

    def _not_in_place(self, item: Item, disposal: Disposal) -> None:
        place = self._eyes.place(item)
        if isinstance(place, os.stat_result) and mark_of(version_of(place)) == mark_of(disposal.version):
            said = f"lies in its place, though its disposal {disposal.number} is {disposal.state}. Find out who put it"
            self.problem(Kind.TWICE, item, f"{said} back, and take it away if that was a mistake.")

    # Away for good

    def _destroyed(self, item: Item, disposal: Disposal, seen: Seen, _: Sequence[Step]) -> Standing | Missing:
        self._not_in_place(item, disposal)
        self._away(item, disposal, seen)
        return Standing.DESTROYED

    def _erased(self, item: Item, disposal: Disposal, seen: Seen, steps: Sequence[Step]) -> Standing | Missing:
        self._away(item, disposal, seen)
        epochs = {step.epoch for step in steps if step.epoch} | {epoch.hex() for epoch in seen.copy.tombs}
        if alive := sorted(epoch for epoch in epochs if self._eyes.alive(epoch)):
            said = f"is recorded as erased, but the key of epoch {alive[0]}, from which its own hung, is there"
            self.problem(Kind.WRONG_STATE, item, f"{said}. Run an erasure ceremony:  retentiond dispose erase")
        if disposal.certificate and not disposal.certified:
            said = f"should be on certificate {disposal.certificate}, but the catalogue has no such document"
            self.problem(Kind.WRONG_STATE, item, f"{said}. Restore the catalogue from a backup.")
        return Standing.CERTIFIED if disposal.certificate else Standing.ERASED

    def _away(self, item: Item, disposal: Disposal, seen: Seen) -> None:
        self._leftovers(item, disposal, seen, but_for_the_item=True)
        if seen.copy.words:
            said = f"is recorded as {disposal.state}, but the vault has {seen.copy.words} under {disposal.vault_id}"
            self.problem(Kind.WRONG_STATE, item, f"{said}. Were files of the vault put back from a backup?")
        if seen.held is not None or seen.going:
            said = f"is recorded as {disposal.state}, but something lies in the hold under {disposal.vault_id}"
            self.problem(Kind.WRONG_STATE, item, f"{said}. Find out where it comes from; then take it away.")

    # Over

    def _over(self, item: Item, disposal: Disposal, seen: Seen, steps: Sequence[Step]) -> Standing | Missing:
        self._nothing_left(item, disposal, seen)
        if item.state in GONE:
            return Standing.GONE
        place = self._eyes.place(item)
        if place is not None:
            return self._as_it_lies(item, place)
        version = item.version if is_version(item.version) else disposal.version  # put back, and not read since
        taken_by_others = self._scanned_since.get(item.share, 0) > disposal.since  # for a scan has met it since
        if taken_by_others or seen.held is not None or (steps and steps[-1].why == Obstacle.GONE):
            return Missing(version)
        said = f"is LOST: its disposal {disposal.number} is {disposal.state}, but nothing lies in its place"
        return Missing(version, f"Item {item.number} {said}. {_LOOK}")

    def _nothing_left(self, item: Item, disposal: Disposal, seen: Seen) -> None:
        self._leftovers(item, disposal, seen)
        if seen.held is not None:
            said = f"has a disposal that is over ({disposal.state}), but something lies in the hold under its id "
            self.problem(Kind.WRONG_STATE, item, f"{said}{disposal.vault_id}. Is that the item? Then move it back.")

    # Said by several of them

    def _unfinished(self, item: Item, disposal: Disposal) -> None:
        self._note(item, f"has a disposal that is not finished ({disposal.state}). {_RECOVER}")

    def _leftovers(self, item: Item, disposal: Disposal, seen: Seen, *, but_for_the_item: bool = False) -> None:
        left = {} if but_for_the_item else {disposal.vault_id: seen.copy.words}
        if disposal.derived_id is not None and disposal.state != _S.SEALED:
            left[disposal.derived_id] = seen.remains.words
        for id, words in left.items():
            if words:
                self._note(item, f"has left {words} in the vault, under {id}, that nobody needs. {_RECOVER}")
        if seen.going and not but_for_the_item:
            self._note(item, f"is being destroyed in the hold, under {disposal.vault_id}. {_RECOVER}")

    def _as_it_lies(self, item: Item, place: os.stat_result | Unknown) -> Standing:
        if isinstance(place, Unknown):
            self.blind[item.share, place.why] += 1
            return Standing.UNPROVEN
        unchanged = not is_version(item.version) or version_of(place) == item.version
        return Standing.LIVE if unchanged else Standing.CHANGED

    def _note(self, item: Item, said: str) -> None:
        self._findings.note(f"Item {item.number} {said}", item.number, shown(item.folder, item.name))
