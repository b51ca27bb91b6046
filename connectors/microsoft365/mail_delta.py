"""One run over what changed in a mailbox: first among its folders, then in each of them, then what is outdated.

The service tells changes by folder, and a message that is moved as removed where it was and as new where it is; with
ids that last it has been seen to tell the one and not the other. So of a message that has left its folder the service
is asked where it is now, and nothing is gone that is not gone from the mailbox, or among what people have deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.base import (
    Change,
    FailReason,
    FolderFailed,
    FolderFound,
    FolderGone,
    FolderSkipped,
    Found,
    Gone,
    ItemRef,
    Known,
    Met,
    Page,
    Skipped,
    SkipReason,
    Swept,
)
from connectors.errors import ConnectorError, ItemNotFound, PermissionDenied, SourceFault, Unsupported
from connectors.microsoft365 import mail_facts as facts
from connectors.microsoft365.graph import Listed
from connectors.microsoft365.links import quoted
from connectors.microsoft365.mail_cursor import MailCursor
from connectors.microsoft365.mail_folders import HEADERS, Folder, Layout, Mailbox, MailTree, Place, read_folder
from connectors.microsoft365.recall import Recall

_FOLDERS = "$select=id,displayName,parentFolderId,isHidden"
_SEARCH_FOLDER = "#microsoft.graph.mailsearchfolder"  # a list of what lies elsewhere
_OUTDATED_PER_PAGE = 100


class Run:
    """From `cursor` to the end. `owner` is whose mailbox it is; `per_page` messages are asked for at once."""

    def __init__(
        self, mailbox: Mailbox, layout: Layout, known: Known, cursor: MailCursor, owner: str, per_page: int
    ) -> None:
        self.cursor = cursor
        self._mailbox = mailbox
        self._known = known
        self._recall = Recall(known)
        self._placed: dict[bytes, Found | Skipped] = {}  # what was told to be the same in another place
        self._owner = owner
        self._tree = MailTree(mailbox, layout, known)
        if layout.quarantine is not None:
            self._tree.put(layout.quarantine)
        self._headers = {"Prefer": f"{HEADERS['Prefer']}, odata.maxpagesize={per_page}"}

    def pages(self) -> Iterator[Page]:
        """The pages of this run, each with the cursor behind it. Raises what `Graph` does, with `cursor` as it was."""
        while self.cursor.stage != "end":
            if self.cursor.stage == "folders":
                yield self._folders()
            elif self.cursor.stage == "messages":
                yield self._messages()
            else:
                yield from self._outdated()

    # The folders

    def _folders(self) -> Page:
        cursor = self.cursor
        first = not cursor.folders
        link = cursor.folders or f"{self._mailbox.path}/mailFolders/delta?{_FOLDERS}"
        listed = self._listed(link)
        feeds = dict(cursor.feeds)
        told = list(self._at_the_beginning(feeds)) if first else []
        gone = list(cursor.gone)
        entries = [entry for entry in listed.items if not _is_search_folder(entry)]
        for entry in entries:
            if "@removed" not in entry:
                self._tree.put(read_folder(entry))
        for entry in sorted(entries, key=self._depth):
            told.extend(self._folder(entry, feeds, gone))
        following = self._behind(listed)
        cursor = replace(cursor, folders=following, feeds=feeds, gone=tuple(gone))
        if listed.next is None:
            cursor = replace(cursor, stage="messages", waiting=tuple(sorted(feeds)), page="")
        self.cursor = cursor
        return Page(tuple(told), 0, 0, cursor.encode())

    def _at_the_beginning(self, feeds: dict[str, str]) -> Iterator[Change]:
        """What an enumeration begins with: folders that the feed of folders does not tell, and those left out."""
        layout = self._tree.layout
        feeds.setdefault(layout.root_id, "")
        yield FolderFound(b"", layout.root_id.encode(), self.cursor.generation)
        if layout.quarantine is not None:
            yield FolderSkipped(layout.quarantine.component, SkipReason.OWN_QUARANTINE)
            feeds.setdefault(layout.quarantine.id, "")  # hidden folders may be in no feed of folders
        for folder in layout.left_out.values():
            if folder.parent_id == layout.root_id:
                yield FolderSkipped(folder.component, SkipReason.LEFT_OUT)

    def _folder(self, entry: dict[str, Any], feeds: dict[str, str], gone: list[str]) -> Iterator[Change]:
        id = read_folder(entry).id
        place = None if "@removed" in entry else self._place(id)
        if place is None or place.left_out:
            lost = [one for one in feeds if self._tree.is_in(one, id)]
            for one in lost:
                del feeds[one]
            if lost and id not in gone:
                gone.append(id)
            return
        if id in gone:
            gone.remove(id)
        is_new = id not in feeds
        feeds.setdefault(id, "")
        yield FolderFound(place.path, id.encode(), self.cursor.generation)
        every_folder_is_told = self.cursor.enumerates and self.cursor.rounds > 1
        if is_new and not every_folder_is_told:
            yield from self._below(id, feeds)

    def _depth(self, entry: dict[str, Any]) -> int:
        """By this a folder comes before those in it."""
        place = None if "@removed" in entry else self._place(read_folder(entry).id)
        return 0 if place is None or not place.path else 1 + place.path.count(b"/")

    def _below(self, folder_id: str, feeds: dict[str, str]) -> Iterator[Change]:
        """A folder that comes with others in it is told alone."""
        found: list[Folder] = []
        try:
            found.extend(self._mailbox.below(folder_id))
        except ItemNotFound:
            return  # it has gone again, which will be told
        for folder in found:
            self._tree.put(folder)
            place = self._place(folder.id)
            if place is not None and not place.left_out and folder.id not in feeds:
                feeds[folder.id] = ""
                yield FolderFound(place.path, folder.id.encode(), self.cursor.generation)
                yield from self._below(folder.id, feeds)

    # The messages

    def _messages(self) -> Page:
        cursor = self.cursor
        folder_id = cursor.waiting[0]
        link = cursor.page or cursor.feeds.get(folder_id)
        try:
            listed = self._listed(link) if link else self._first_listed(folder_id)
        except ItemNotFound:
            return self._turned(folder_id, cursor.feeds, (), 0)  # deleted meanwhile, which the next run is told
        except (PermissionDenied, Unsupported) as error:
            return self._refused(folder_id, error)
        told = tuple(change for entry in listed.items for change in self._message(entry, folder_id))
        following = self._behind(listed)
        if listed.next is not None:
            self.cursor = replace(self.cursor, page=following)
            return Page(told, len(listed.items), 0, self.cursor.encode())
        return self._turned(folder_id, {**cursor.feeds, folder_id: following}, told, len(listed.items))

    def _turned(self, folder_id: str, feeds: dict[str, str], told: tuple[Change, ...], seen: int) -> Page:
        """The page with which a folder ends, and perhaps the round."""
        waiting = tuple(one for one in self.cursor.waiting if one != folder_id)
        cursor = replace(self.cursor, feeds=feeds, waiting=waiting, page="")
        if not waiting:
            rounds = cursor.rounds - 1
            cursor = replace(cursor, rounds=rounds, stage="folders" if rounds > 0 else "outdated")
        self.cursor = cursor
        return Page(told, seen, 1, cursor.encode())

    def _refused(self, folder_id: str, error: ConnectorError) -> Page:
        """A folder whose messages the service will not list; nothing is taken for gone in this enumeration."""
        reason = FailReason.PERMISSION_DENIED if isinstance(error, PermissionDenied) else FailReason.IO_ERROR
        place = self._place(folder_id)
        told = (FolderFailed(place.path, reason),) if place is not None else ()
        self.cursor = replace(self.cursor, complete=False)
        return self._turned(folder_id, self.cursor.feeds, told, 0)

    def _first_listed(self, folder_id: str) -> Listed:
        """The first page of all messages in a folder; without their sizes where those are refused here."""
        path = f"{self._mailbox.path}/mailFolders/{quoted(folder_id)}/messages/delta?{facts.SELECT}"
        if self.cursor.sized:
            with suppress(Unsupported):
                return self._listed(f"{path}&{facts.EXPAND}")
        listed = self._listed(path)
        self.cursor = replace(self.cursor, sized=False)
        return listed

    def _listed(self, link: str) -> Listed:
        return self._mailbox.graph.listed(self._mailbox.graph.root + link, cost=1, headers=self._headers)

    def _message(self, entry: dict[str, Any], folder_id: str) -> Iterator[Change]:
        id = facts.id_of(entry)
        if facts.is_removed(entry) or not facts.is_whole(entry):
            yield from self._asked(id, self._known_place(id, folder_id))
        else:
            yield from self._told(entry)

    def _asked(self, id: str, otherwise: ItemRef) -> Iterator[Change]:
        """What the service says of a message when it is asked for that one."""
        try:
            described = self._mailbox.message(id)
        except ItemNotFound:
            yield self._gone(id, otherwise)
            return
        yield from self._told(described)

    def _told(self, described: dict[str, Any]) -> Iterator[Change]:
        """What is told of a message that is there."""
        id = facts.id_of(described)
        place = self._place(facts.folder_of(described))
        if place is None or place.left_out:
            yield self._gone(id, self._known_place(id, facts.folder_of(described)))
            return
        item = facts.item_of(described, place.path, place.kind, self._owner, self.cursor.generation)
        if place.ours:
            yield from self._once(Skipped(item, SkipReason.OWN_QUARANTINE))
            return
        recorded = self._recall.item(id)
        before = facts.MailVersion.decode(recorded.version) if recorded is not None and recorded.settled else None
        if recorded is None or before is None:
            self._recall.tell(id, item.ref, item.version)
            yield Found(item)
        elif recorded.version == item.version and recorded.ref == item.ref:
            yield Met(item.ref, item.file_id, self.cursor.generation)
        elif before.same_content(facts.version_of(described)):
            yield from self._once(Found(item, same_content=True))
        else:
            self._recall.tell(id, item.ref, item.version)
            yield Found(item)

    def _once(self, change: Found | Skipped) -> Iterator[Change]:
        """What both the folder that a message has left and the one that it has come into tell."""
        id = change.item.file_id
        if self._placed.get(id) != change:
            self._placed[id] = change
            yield change

    def _gone(self, id: str, ref: ItemRef) -> Gone:
        self._recall.tell(id, ref, None)
        return Gone(ref, id.encode())

    def _known_place(self, id: str, folder_id: str) -> ItemRef:
        known = self._known.item_of(id.encode())
        if known is not None:
            return known.ref
        place = self._place(folder_id)
        return ItemRef(place.path if place is not None else b"", facts.name_of_gone(id))

    # The end

    def _outdated(self) -> Iterator[Page]:
        told: list[Change] = []
        for ref, file_id in self._known.outdated():
            id = file_id.decode("utf-8", "replace")
            if self._recall.is_under_way(id):
                continue
            told.extend(self._asked(id, ref))
            if len(told) >= _OUTDATED_PER_PAGE:
                yield Page(tuple(told), 0, 0, self.cursor.encode())
                told = []
        told.extend(FolderGone(self._tree.recorded_path(id), id.encode()) for id in self.cursor.gone)
        if self.cursor.enumerates and self.cursor.complete:
            told.append(Swept(self.cursor.generation))
        self.cursor = replace(self.cursor, stage="end", enumerates=False, gone=())
        yield Page(tuple(told), 0, 0, self.cursor.encode())

    # Where things are

    def _place(self, folder_id: str) -> Place | None:
        """Where a folder lies; none if it is nowhere in the mailbox."""
        try:
            return self._tree.place(folder_id) if folder_id else None
        except ItemNotFound:
            return None

    def _behind(self, listed: Listed) -> str:
        """The link behind a page, from Graph's root on. Raises `SourceFault` where there is none, or one elsewhere."""
        link = listed.next or listed.delta
        root = self._mailbox.graph.root
        if link is None or not link.startswith(f"{root}/users"):
            raise SourceFault("the source told changes without a link to what comes later")
        return link[len(root) :]


def begin(root_id: str, generation: int, now: datetime) -> MailCursor:
    """Where an enumeration of everything begins."""
    return MailCursor(root_id, generation, now, enumerates=True, rounds=2)


def again(cursor: MailCursor) -> MailCursor:
    """Where the run behind one that has come to its end begins."""
    return replace(cursor, stage="folders", rounds=1, enumerates=False, complete=True)


def _is_search_folder(entry: dict[str, Any]) -> bool:
    return str(entry.get("@odata.type", "")).lower() == _SEARCH_FOLDER
