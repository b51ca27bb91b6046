"""An emulated mailbox: folders and messages, what happened to them in which order, and what is left of the deleted.

A message is known by its immutable id, which is the one that `deliver` gives and every call here takes. Over HTTP it
goes by another id unless the caller prefers immutable ones, and that other id changes with every move, as the real one
does. Paths are the names that people see, `Inbox/Projects`; the empty path is the top of the mailbox.
"""

from __future__ import annotations

import base64
import itertools
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Protocol

from tests.emulator.clock import Clock
from tests.emulator.http import Problem
from tests.emulator.mail_model import (
    ARRIVED,
    CHANGED,
    CREATED,
    DISCOVERY_HOLDS,
    DUMPSTER,
    LEFT,
    READ,
    ROOT,
    Event,
    Folder,
    MailQuirks,
    Message,
)
from tests.emulator.mail_parts import Attachment

_AT_THE_TOP = {
    "inbox": "Inbox",
    "drafts": "Drafts",
    "sentitems": "Sent Items",
    "deleteditems": "Deleted Items",
    "junkemail": "Junk Email",
    "archive": "Archive",
    "outbox": "Outbox",
}
_mailboxes = itertools.count(1)


class Owner(Protocol):
    """Whose mailbox it is."""

    address: str


class Mailbox:
    """One person's mailbox. May be asked and changed from any thread."""

    def __init__(self, owner: Owner, clock: Clock) -> None:
        self.owner = owner
        self.quirks = MailQuirks()
        self.lock = threading.RLock()
        self.rounds: dict[str, Any] = {}  # of changes that are being told, by link; see mail_changes
        self._clock = clock
        self._numbers = itertools.count(1)
        self._own = base64.urlsafe_b64encode(b"%06d" % next(_mailboxes)).decode()  # no two have an id in common
        self._folders: dict[str, Folder] = {}
        self._messages: dict[str, Message] = {}
        self._default_ids: dict[str, str] = {}
        self._in_folder: dict[str, dict[str, Message]] = {}
        self._deleted: dict[str, Message] = {}
        self._events: list[Event] = []
        self._folder_events: list[str] = []
        self._held = False
        root = self._add_folder("Top of Information Store", "", ROOT)
        for known_as, name in _AT_THE_TOP.items():
            self._add_folder(name, root.id, known_as)
        top_of_dumpster = self._add_folder("Recoverable Items", "", "recoverableitemsroot")
        for known_as in DUMPSTER:
            self._add_folder(known_as, top_of_dumpster.id, known_as)

    # What people and the service do to it

    def folder(self, path: str, *, hidden: bool = False) -> str:
        """The id of the folder at that path; what is missing on the way is made."""
        with self.lock:
            at = self.root
            for name in path.split("/") if path else ():
                below = next((one for one in self.children(at.id) if one.name == name), None)
                at = below or self._add_folder(name, at.id, hidden=hidden)
            return at.id

    def deliver(
        self,
        path: str,
        raw: bytes,
        *,
        received_at: datetime | None = None,
        sent_at: datetime | None = None,
        is_draft: bool = False,
    ) -> str:
        """A message comes into the folder; gives its immutable id."""
        with self.lock:
            now = self._clock.now()
            received = received_at or now
            id, folder_id = self._new_id("AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A"), self.folder(path)
            message = Message(id, "", folder_id, raw, received, received, sent_at or received, now, is_draft=is_draft)
            self._messages[id] = message
            self._put(message, folder_id)
            self._touch(message, CREATED)
            return id

    def edit(self, id: str, raw: bytes) -> None:
        """Somebody gives the message other content."""
        with self.lock:
            message = self._messages[id]
            message.raw = raw
            message.parse_anew()
            self._touch(message, CHANGED)

    def read(self, id: str, is_read: bool = True) -> None:
        """Somebody reads it. That is no modification, but its change key is another one."""
        with self.lock:
            self._messages[id].is_read = is_read
            self._touch(self._messages[id], READ, modifies=False)

    def categorise(self, id: str, *categories: str) -> None:
        """Somebody gives it these categories."""
        with self.lock:
            self._messages[id].categories = list(categories)
            self._touch(self._messages[id], CHANGED)

    def refer(self, id: str, name: str, url: str) -> None:
        """Somebody attaches a link to a file that lies elsewhere."""
        with self.lock:
            message = self._messages[id]
            number = len(message.references)
            message.references.append(Attachment(f"{id}REF{number}", "referenceAttachment", name, "", url.encode()))
            message.parse_anew()
            self._touch(message, CHANGED)

    def move(self, id: str, path: str) -> None:
        """Somebody moves the message into the folder at that path."""
        self.move_into(self._messages[id], self.folder(path))

    def remove(self, id: str) -> None:
        """Somebody deletes it such that only recovering brings it back."""
        self.delete(self._messages[id])

    def rename_folder(self, path: str, name: str) -> None:
        self.rename(self._folders[self.folder(path)], name)

    def move_folder(self, path: str, to: str) -> None:
        """The folder, with all that is in it, is at the path `to` now."""
        with self.lock:
            folder = self._folders[self.folder(path)]
            parent, _, name = to.rpartition("/")
            folder.parent_id, folder.name = self.folder(parent), name
            self._folder_events.append(folder.id)

    def remove_folder(self, path: str) -> None:
        """The folder is deleted for good; its messages can be recovered."""
        self.destroy(self._folders[self.folder(path)])

    def protect(self, id: str, problem: Problem | None) -> None:
        """From now on every act on the message is refused in these words; none lets them be done again."""
        self._messages[id].protection = problem

    def hold(self, held: bool = True) -> None:
        """The mailbox is put on hold: nothing that is deleted leaves it."""
        with self.lock:
            self._held = held
            if held and self.well_known(DISCOVERY_HOLDS) is None:
                top = self.well_known("recoverableitemsroot")
                assert top is not None
                self._add_folder("DiscoveryHolds", top.id, DISCOVERY_HOLDS)

    # How things are

    @property
    def root(self) -> Folder:
        return next(one for one in self._folders.values() if one.known_as == ROOT)

    def well_known(self, name: str) -> Folder | None:
        return next((one for one in self._folders.values() if one.known_as == name.lower()), None)

    def folder_of(self, id: str) -> Folder | None:
        """The folder of that id or well-known name."""
        return self._folders.get(id) or self.well_known(id)

    def children(self, folder_id: str) -> list[Folder]:
        return [one for one in self._folders.values() if one.parent_id == folder_id]

    def messages_in(self, folder_id: str) -> list[Message]:
        self._expire()
        return list(self._in_folder.get(folder_id, {}).values())

    def message(self, id: str) -> Message | None:
        """The message of that id, immutable or not."""
        self._expire()
        found = self._messages.get(id) or self._messages.get(self._default_ids.get(id, ""))
        if found and found.default_id != id and found.id != id:
            return None  # an id that it had before it was moved
        hidden = found and not self.quirks.dumpster_is_visible and self._in_dumpster(found.folder_id)
        return None if hidden else found

    def messages(self) -> Iterator[tuple[str, str]]:
        """What people see: the path of every message's folder, and its immutable id."""
        for message in list(self._messages.values()):
            path = self.path_of(message.folder_id)
            if path is not None:
                yield path, message.id

    def path_of(self, folder_id: str) -> str | None:
        """The path of a folder as people see it; none if it lies out of their sight or is not there."""
        names: list[str] = []
        at = self._folders.get(folder_id)
        while at is not None and at.known_as != ROOT:
            if at.hidden:
                return None
            names.append(at.name)
            at = self._folders.get(at.parent_id)
        return "/".join(reversed(names)) if at is not None else None

    def size_of(self, message: Message) -> int:
        return len(message.raw) + self.quirks.extra_bytes

    def content(self, id: str) -> bytes:
        return self._messages[id].raw

    def where(self, id: str) -> str:
        """The well-known name of the folder that the message lies in, or the name that people gave it."""
        folder = self._folders[self._messages[id].folder_id]
        return folder.known_as or folder.name

    def told(self) -> int:
        return len(self._events)

    def folders_told(self) -> int:
        return len(self._folder_events)

    def events_since(self, folder_id: str, place: int) -> dict[str, list[str]]:
        """What happened in the folder behind that place, by message, in order of the last event of each."""
        happened: dict[str, list[str]] = {}
        for event in self._events[place:]:
            if event.folder_id == folder_id:
                kinds = happened.pop(event.message_id, [])
                happened[event.message_id] = [*kinds, event.what]
        return happened

    def folders_since(self, place: int) -> list[str]:
        return list(dict.fromkeys(reversed(self._folder_events[place:])))[::-1]

    def visible_folders(self) -> list[Folder]:
        """The folders below the top."""
        return [one for one in self._below(self.root.id) if one.known_as != ROOT]

    # What calls do to it

    def move_into(self, message: Message, folder_id: str) -> None:
        with self.lock:
            if message.folder_id == folder_id:
                return
            self._take_out(message)
            self._put(message, folder_id)
            self._touch(message, ARRIVED, modifies=self.quirks.moves_modify)

    def delete(self, message: Message) -> None:
        with self.lock:
            into = self.well_known(self.quirks.deletes_into)
            if into is None or message.folder_id == into.id:
                into = self.well_known(DUMPSTER[0])
            assert into is not None
            self.move_into(message, into.id)

    def purge(self, message: Message) -> None:
        """What permanentDelete does: gone for good only where neither a hold nor single item recovery keeps it."""
        with self.lock:
            if self._held or self.quirks.single_item_recovery:
                kept_in = self.well_known(DISCOVERY_HOLDS if self._held else DUMPSTER[2])
                assert kept_in is not None
                self.move_into(message, kept_in.id)
            else:
                self._forget(message)

    def rename(self, folder: Folder, name: str) -> None:
        with self.lock:
            folder.name = name
            self._folder_events.append(folder.id)

    def destroy(self, folder: Folder) -> None:
        with self.lock:
            for each in reversed(list(self._below(folder.id))):
                for message in self.messages_in(each.id):
                    self.delete(message)
                del self._folders[each.id]
                self._folder_events.append(each.id)

    def make_folder(self, parent_id: str, name: str, hidden: bool) -> Folder:
        with self.lock:
            if any(one.name.lower() == name.lower() for one in self.children(parent_id)):
                raise Problem(409, "ErrorFolderExists", "A folder with the specified name already exists.")
            return self._add_folder(name, parent_id, hidden=hidden)

    def update(self, message: Message, properties: dict[str, str], categories: list[str] | None) -> None:
        with self.lock:
            message.properties.update(properties)
            if categories is not None:
                message.categories = categories
            self._touch(message, CHANGED)

    # Parts of the above

    def _add_folder(self, name: str, parent_id: str, known_as: str = "", hidden: bool = False) -> Folder:
        folder = Folder(self._new_id("AAMkAGVmMDEzMTM4LTZmYWUtNDdkNC1hMDZiADUu"), name, parent_id, known_as, hidden)
        self._folders[folder.id] = folder
        self._folder_events.append(folder.id)
        return folder

    def _new_id(self, beginning: str) -> str:
        return beginning + self._own + base64.urlsafe_b64encode(b"%012x" % next(self._numbers)).decode()

    def _touch(self, message: Message, what: str, *, modifies: bool = True) -> None:
        message.change_key = "CQAAABYAAAC4" + base64.b64encode(b"%09d" % next(self._numbers)).decode()
        if modifies:
            message.modified_at = self._clock.now()
        self._events.append(Event(what, message.id, message.folder_id))

    def _below(self, folder_id: str) -> Iterator[Folder]:
        """The folder and all below it, from above."""
        yield self._folders[folder_id]
        for child in self.children(folder_id):
            yield from self._below(child.id)

    def _in_dumpster(self, folder_id: str) -> bool:
        return self._folders[folder_id].known_as in (*DUMPSTER, DISCOVERY_HOLDS)

    def _expire(self) -> None:
        """What was deleted long enough ago is gone, unless the mailbox is held."""
        with self.lock:
            before = self._clock.now() - timedelta(days=self.quirks.recoverable_days)
            for message in list(self._deleted.values()):
                if message.deleted_at and message.deleted_at < before and not self._held:
                    self._forget(message)

    def _forget(self, message: Message) -> None:
        self._take_out(message)
        del self._messages[message.id]

    def _take_out(self, message: Message) -> None:
        self._events.append(Event(LEFT, message.id, message.folder_id))
        self._in_folder[message.folder_id].pop(message.id)
        self._deleted.pop(message.id, None)

    def _put(self, message: Message, folder_id: str) -> None:
        message.folder_id = folder_id
        message.deleted_at = self._clock.now() if self._in_dumpster(folder_id) else None
        if message.deleted_at:
            self._deleted[message.id] = message
        self._in_folder.setdefault(folder_id, {})[message.id] = message
        message.default_id = self._new_id("AAMkAGVmMDEzMTM4LTZmYWUtNDdkNC1hMDZiADUu")
        self._default_ids[message.default_id] = message.id
