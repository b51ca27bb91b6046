"""From the entries of a drive's change feed to changes: where each item lies, and whether it has to be read.

An entry tells the state of one item or folder, not what happened to it; it names its folder by id. Folders above it
that are not known yet are asked for. A folder that was deleted is told to be gone only at the end of the run: until
then, what lay in it may be told to have been moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.base import (
    Change,
    Failed,
    FailReason,
    FolderFound,
    FolderGone,
    FolderSkipped,
    Found,
    Gone,
    ItemRef,
    Known,
    Met,
    Skipped,
    SkipReason,
)
from connectors.errors import SourceFault
from connectors.microsoft365 import facts
from connectors.microsoft365.details import Details
from connectors.microsoft365.facts import Beside, Described
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.recall import Recall
from connectors.microsoft365.tree import FolderCircle, Kind, Place, Tree, UnknownFolder
from connectors.microsoft365.version import Version

_MOST_LOOKS = 3  # at folders that seem to lie in one another


@dataclass(frozen=True, slots=True)
class Terms:
    """How drives are read: which columns are taken as marks, how many entries a page has, and after what time a drive
    is enumerated anew although its source would still tell what changed."""

    columns: tuple[str, ...] = ()
    page_items: int = 200
    full_every: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Told:
    """What a page's entries come to. `seen` counts items, `folders` folders."""

    changes: tuple[Change, ...]
    seen: int
    folders: int


class Entries:
    """The entries of one run over one drive."""

    def __init__(
        self,
        graph: Graph,
        drive_id: str,
        known: Known,
        terms: Terms,
        now: Callable[[], datetime],
        *,
        root_id: str = "",
        data_location: str = "",
    ) -> None:
        """`root_id` is `""` as long as it is not known; `data_location` is put on every item as a mark."""
        self.tree = Tree(known, root_id)
        self.gone: dict[str, None] = {}  # folders, in the order in which they were told to be deleted
        self._details = Details(graph, drive_id, terms.columns)
        self._known = known
        self._recall = Recall(known)
        self._terms = terms
        self._now = now
        self._data_location = data_location
        self._lost: set[str] = set()  # folders that were asked for and are not there
        self._to_tell: dict[str, None] = {}  # folders

    def told(self, entries: Iterable[Described], generation: int, *, enumerates: bool) -> Told:
        """What the entries of one page come to; the last one about an id holds."""
        latest = _latest(entries)
        self._lost.clear()
        self._to_tell.clear()
        deleted = [item_id for item_id, entry in latest.items() if facts.is_deleted(entry)]
        alive = {item_id: entry for item_id, entry in latest.items() if not facts.is_deleted(entry)}
        for item_id, entry in alive.items():
            self._take_in(item_id, entry, tell=enumerates)
        folders = [item_id for item_id, entry in alive.items() if facts.is_folder(entry)]
        met, others = self._weighed([entry for entry in alive.values() if not facts.is_folder(entry)], generation)
        found = self._found(self._details.completed(others), generation)
        gone = [change for item_id in deleted if (change := self._gone(item_id))]
        in_place = self._placed_folders(folders, generation)
        return Told((*in_place, *gone, *met, *found), len(met) + len(found), len(folders))

    def folders_gone(self) -> tuple[Change, ...]:
        """What is to be told at the end of a run of the folders that were deleted in it."""
        return tuple(
            FolderGone(self.tree.path_or(folder_id, b"\0" + folder_id.encode()), folder_id.encode())
            for folder_id in self.gone
        )

    def outdated(self, generation: int) -> Iterator[Told]:
        """What the caller wants to read again, although nothing changed, as it is now."""
        waiting: list[tuple[ItemRef, str]] = []
        for ref, file_id in self._known.outdated():
            item_id = file_id.decode("utf-8", "replace")
            if not self._recall.is_under_way(item_id):
                waiting.append((ref, item_id))
            if len(waiting) >= self._terms.page_items:
                yield self._looked_up(waiting, generation)
                waiting = []
        if waiting:
            yield self._looked_up(waiting, generation)

    # Folders

    def _take_in(self, item_id: str, entry: Described, *, tell: bool) -> None:
        """Notes where a folder lies, if the entry is of one, or of a package."""
        self.gone.pop(item_id, None)
        if facts.is_root(entry):
            self.tree.set_root(item_id)
            news = self._known.folder_of(item_id.encode()) is None
        elif facts.is_folder(entry):
            news = self.tree.put(item_id, facts.parent_of(entry), facts.name_of(entry))
        elif facts.is_package(entry):
            self.tree.put(item_id, facts.parent_of(entry), facts.name_of(entry), Kind.PARTS)
            return
        else:
            return
        if news or tell:
            self._to_tell[item_id] = None

    def _place(self, folder_id: str) -> Place | None:
        """Where the folder lies; the source is asked for what is not known. None if it, or one above it, is gone."""
        looks = 0
        while folder_id:
            try:
                return self.tree.place(folder_id)
            except UnknownFolder as unknown:
                if not self._ask_for(unknown.folder_id):
                    return None
            except FolderCircle as circle:
                looks += 1
                if looks > _MOST_LOOKS:
                    raise SourceFault("the folders of the drive are moved faster than we can follow") from None
                there = [self._ask_for(inner) for inner in circle.folder_ids]
                if not all(there):
                    return None
        return None

    def _ask_for(self, folder_id: str) -> bool:
        """Fetches the folder of that id; false if it is not there."""
        entry = None if folder_id in self._lost else self._details.folder(folder_id)
        if entry is None:
            self._lost.add(folder_id)
            return False
        self._take_in(folder_id, entry, tell=False)
        return True

    def _placed_folders(self, folders: Sequence[str], generation: int) -> list[Change]:
        """The folders in their places, those that lie in others behind them."""
        for folder_id in folders:
            self._place(folder_id)
        placed = [(place, folder_id) for folder_id in list(self._to_tell) if (place := self._place(folder_id))]
        changes: list[Change] = []
        for place, folder_id in sorted(placed, key=lambda each: each[0].depth):
            if place.parts:
                continue
            changes.append(FolderFound(place.path, folder_id.encode(), generation))
            if place.ours and place.depth == 1:
                changes.append(FolderSkipped(place.path, SkipReason.OWN_QUARANTINE))
        return changes

    # Items

    def _weighed(self, items: Sequence[Described], generation: int) -> tuple[list[Change], list[Described]]:
        """Those that are as the caller knows them, and those to be told."""
        met: list[Change] = []
        others = []
        for entry in items:
            place = self._place(facts.parent_of(entry))
            if place is None or place.parts:
                continue
            ref = ItemRef(place.path, facts.name_of(entry))
            if self._is_met(entry, ref, unread=_reason(entry, place) is not None):
                met.append(Met(ref, facts.id_of(entry).encode(), generation))
            else:
                others.append(entry)
        return met, others

    def _is_met(self, entry: Described, ref: ItemRef, *, unread: bool) -> bool:
        version = facts.version_seen(entry, unread=unread)
        recorded = self._recall.item(version.item_id)
        before = Version.decode(recorded.version) if recorded and recorded.settled and recorded.ref == ref else None
        if before is None or not version.etag or (before.item_id, before.etag) != (version.item_id, version.etag):
            return False
        # The feed may leave hashes out; what has been read at that eTag is what is there.
        return before.content == version.content or (not unread and not version.content)

    def _found(self, entries: Sequence[Described], generation: int, *, read_again: bool = False) -> list[Change]:
        """How items are told that are new or changed, or that are to be read again whether they are or not."""
        placed = [(entry, place) for entry in entries if (place := self._place(facts.parent_of(entry)))]
        readable = [entry for entry, place in placed if not place.parts and _reason(entry, place) is None]
        sharing = self._details.sharing(readable)
        return [
            self._change(entry, place, generation, sharing.get(facts.id_of(entry), ""), read_again)
            for entry, place in placed
            if not place.parts
        ]

    def _change(self, entry: Described, place: Place, generation: int, sharing: str, read_again: bool) -> Change:
        ref = ItemRef(place.path, facts.name_of(entry))
        reason = _reason(entry, place)
        version = facts.version_seen(entry, unread=reason is not None)
        beside = Beside(self._terms.columns, sharing, self._data_location)
        item = facts.item_of(entry, ref, version, generation, beside)
        recorded = self._recall.item(version.item_id)
        before = Version.decode(recorded.version) if recorded and recorded.settled and not read_again else None
        same = reason is None and version.etag and before is not None and before.same_content(version)
        if same and not facts.hash_may_be_late(entry, self._now()):
            return Found(item, same_content=True)
        self._recall.tell(version.item_id, ref, item.version)
        if reason is not None:
            return Skipped(item, reason)
        return Found(item) if version.etag else Failed(ref, FailReason.IO_ERROR)

    def _gone(self, item_id: str) -> Change | None:
        """How a deletion is told. Of a folder it is noted, and told at the end of the run."""
        recorded = self._recall.item(item_id)
        if recorded is not None:
            self._recall.tell(item_id, recorded.ref, None)
            return Gone(recorded.ref, item_id.encode())
        if self.tree.has(item_id):
            self.gone[item_id] = None
        return None

    def _looked_up(self, waiting: Sequence[tuple[ItemRef, str]], generation: int) -> Told:
        self._lost.clear()
        self._to_tell.clear()
        answers = self._details.items([item_id for _, item_id in waiting])
        if None in answers:
            self._details.still_answers()  # a drive that has gone takes nothing with it
        found = self._found([answer for answer in answers if answer is not None], generation, read_again=True)
        gone = []
        for (ref, item_id), answer in zip(waiting, answers, strict=True):
            if answer is None:
                self._recall.tell(item_id, ref, None)
                gone.append(Gone(ref, item_id.encode()))
        return Told((*self._placed_folders((), generation), *gone, *found), len(found), 0)


def _latest(entries: Iterable[Described]) -> dict[str, Described]:
    """The last entry about each id, in the order of those. Raises `SourceFault` for one about nothing."""
    latest: dict[str, Described] = {}
    for entry in entries:
        item_id = facts.id_of(entry)
        if not item_id:
            raise SourceFault("the source told a change without saying of what")
        latest.pop(item_id, None)
        latest[item_id] = entry
    return latest


def _reason(entry: Described, place: Place) -> SkipReason | None:
    """Why the item is left unread, by where it lies or by what it is."""
    return SkipReason.OWN_QUARANTINE if place.ours else facts.skip_reason(entry)
