"""The acting half of the connector to mailboxes: into quarantine, back, and away.

Quarantine is a hidden folder of the same mailbox: a message keeps its id there, and no mail program shows it. The
mailbox's owner is not kept out by force: whoever writes programs against the mailbox can list hidden folders. A message
bears the caller's id as a property of its own, which travels with it and which no mail program shows either.

Before every act the message is looked at, and after it again. Every act carries the change key that was seen. That the
service minds it is documented for changing a message and for deleting one, but not for moving it, nor for deleting it
for good: what somebody changes between the look and the act is found by the look afterwards, and the message is moved
back. One thing would not be found: an edit that leaves the message as long as it was, in the moment between two of our
requests, where the service takes no notice of the key.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from connectors.base import ItemRef, Scope
from connectors.errors import (
    ConnectorError,
    HoldUnavailable,
    ItemChanged,
    ItemNotFound,
    NoPlace,
    PlaceTaken,
    SourceFault,
    Unsupported,
)
from connectors.keeping import Deleted, GivenBack, Kept, Remains, Target
from connectors.microsoft365 import mail_facts as facts
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.links import quoted
from connectors.microsoft365.mail_facts import MailVersion
from connectors.microsoft365.mail_folders import HEADERS, RECOVERABLE, Folder, Mailbox, is_quarantine, read_folder
from connectors.microsoft365.restricted import QUARANTINE_NAME
from connectors.places import check_place

_ID = re.compile(r"[0-9a-f]{32}")
_PROPERTY = "String {5b6f0a64-0c0e-4c57-9c1a-6a5d3f7f8e21} Name RetentiondDisposal"
_EXPAND = facts.expand(*facts.SIZE_AND_SENSITIVITY, _PROPERTY)
_DISCOVERY_HOLDS = "recoverableitemsdiscoveryholds"
_VERIFIED_SECONDS = 60.0
_PAGE = 200

_NOTHING_THERE = Deleted("nothing_there", {})


@dataclass
class _Place:
    """A mailbox that was found to be the scope's, and the quarantine in it, once there is one."""

    mailbox: Mailbox
    root_id: str
    verified_at: float
    quarantine: Folder | None = None
    recoverable_id: str = ""
    ids: dict[str, str] | None = field(default=None, repr=False)  # caller's id to message id, of what lies in it


class MailKeeping:
    """Acts on messages of mailboxes, as `connectors.keeping.Keeping` says. One thread at a time.

    `graph` acts with the rights it has, and is closed by whoever made it. `permanently` is false where the cloud cannot
    delete past what the owner can recover. The mailbox keeps what is deleted for `recoverable_days` after that, for
    administrators and searches: 14 unless somebody set otherwise, up to 30; none where the mailbox is known to be on
    hold, or nobody knows. `now` counts seconds and never goes back.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        permanently: bool = True,
        recoverable_days: int | None = 14,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._graph = graph
        self._permanently = permanently
        self._recoverable_days = recoverable_days
        self._now = now
        self._places: dict[Scope, _Place] = {}

    def keep(self, scope: Scope, target: Target, id: str) -> Kept:
        place = self._place(scope, id)
        message_id = target.file_id.decode("utf-8", "replace")
        described = self._look(place, message_id)
        self._check_target(place, described, target)
        quarantine = self._quarantine(place, make=True)
        if self._ids(place).get(id, message_id) != message_id:
            raise PlaceTaken("something lies in quarantine under that id")
        if facts.property_of(described, _PROPERTY) != id:
            described = self._signed(place, described, id)
        there, is_as_moved = self._moved(place, described, quarantine.id)
        if facts.folder_of(there) != quarantine.id or facts.property_of(there, _PROPERTY) != id:
            raise SourceFault("the message was moved, and does not lie where it should")
        if not is_as_moved or not facts.version_of(there).same_content(facts.version_of(described)):
            with suppress(ConnectorError):
                self._moved(place, there, facts.folder_of(described))
            raise ItemChanged("the message was changed while it was taken")
        self._ids(place)[id] = message_id
        return _kept(there, id)

    def kept(self, scope: Scope, file_id: bytes, id: str) -> Kept | None:
        place = self._place(scope, id)
        try:
            described = self._look(place, file_id.decode("utf-8", "replace"))
        except ItemNotFound:
            return None
        return _kept(described, id) if self._lies_there(place, described, id) else None

    def give_back(self, scope: Scope, file_id: bytes, id: str, to: ItemRef, folder_id: bytes) -> GivenBack:
        check_place(to)
        place = self._place(scope, id)
        described = self._look(place, file_id.decode("utf-8", "replace"))
        if not self._lies_there(place, described, id):
            top, folder = place.mailbox.climb(facts.folder_of(described), place.root_id)
            if top != place.root_id or not _is_same_name(folder, to.folder):
                raise ItemNotFound("the message lies neither in quarantine nor in its place")
            return GivenBack(ItemRef(folder, facts.name_of(described)), facts.version_of(described).encode(), False)
        into, folder = self._folder_for(place, to.folder, folder_id.decode("utf-8", "replace"))
        before = facts.version_of(described).encode()
        described, is_as_moved = self._moved(place, described, into)
        if place.ids is not None:
            place.ids.pop(id, None)
        if facts.folder_of(described) != into:
            raise SourceFault("the message was moved, and does not lie where it should")
        version = facts.version_of(described).encode() if is_as_moved else b""  # an edit is not ours to record
        return GivenBack(ItemRef(folder, facts.name_of(described)), version, True, before=before)

    def delete(self, scope: Scope, file_id: bytes, id: str, version: bytes) -> Deleted:
        place = self._place(scope, id)
        message_id = file_id.decode("utf-8", "replace")
        described = self._look_if_any(place, message_id)
        if described is None:
            return _NOTHING_THERE
        if not self._lies_there(place, described, id) or not self._is_quarantine_still(place):
            if self._is_recoverable(place, facts.folder_of(described)):
                return _NOTHING_THERE
            raise ItemChanged("the message has been taken out of quarantine")
        decided = MailVersion.decode(version)
        if decided is None or not decided.is_at(facts.version_of(described)):
            raise ItemChanged("the message is not as it was when it was taken")
        self._delete(place, described)
        if place.ids is not None:
            place.ids.pop(id, None)
        with _afterwards():
            left = self._left(place, message_id)
            days = self._remains_days(place, left)
        if left is not None and not facts.version_of(left).same_content(facts.version_of(described)):
            self._bring_back(place, left)
        method = "deleted_permanently" if self._permanently else "recycled"
        return Deleted(method, {Remains.RECOVERABLE_ITEMS: days})

    def in_quarantine(self, scope: Scope) -> Iterator[tuple[str, bytes]]:
        place = self._place(scope)
        place.ids = None
        for id, message_id in sorted(self._ids(place).items()):
            yield id, message_id.encode()

    def label(self, scope: Scope, target: Target, label: str) -> bytes:
        self._place(scope)
        raise Unsupported("messages bear no retention labels that programs may set")

    def mark(self, scope: Scope, target: Target, marks: Mapping[str, str]) -> bytes:
        self._place(scope)
        raise Unsupported("messages bear no marks")

    def close(self) -> None:
        self._places.clear()

    # Where we are

    def _place(self, scope: Scope, id: str = "0" * 32) -> _Place:
        """The scope's mailbox. Raises `ScopeUnavailable` unless it is the one that `scope` was made of."""
        if not _ID.fullmatch(id):
            raise ValueError("the id of an act has 32 lower-case hexadecimal digits")
        place = self._places.get(scope)
        if place is None or self._now() - place.verified_at > _VERIFIED_SECONDS:
            mailbox = Mailbox(self._graph, scope.name)
            mailbox.check_root(scope.identity)
            found = _Place(mailbox, scope.identity, self._now(), mailbox.quarantine())
            top = mailbox.well_known(RECOVERABLE)
            found.recoverable_id = top.id if top is not None else ""
            if place is not None and place.quarantine == found.quarantine:
                found.ids = place.ids
            place = self._places[scope] = found
        return place

    def _quarantine(self, place: _Place, *, make: bool = False) -> Folder:
        """The folder. Raises `HoldUnavailable` if there is none and none can be made."""
        if place.quarantine is None and make:
            body = {"displayName": QUARANTINE_NAME, "isHidden": True}
            try:
                made = self._graph.send("POST", f"{place.mailbox.path}/mailFolders", body, cost=1, headers=HEADERS)
                place.quarantine = read_folder(made.json or {})
            except PlaceTaken:
                place.quarantine = place.mailbox.quarantine()  # somebody else made it just now, or it is not hidden
        if place.quarantine is None or not is_quarantine(place.quarantine):
            place.quarantine = None
            raise HoldUnavailable(
                f"there is a folder '{QUARANTINE_NAME}' in the mailbox that is not hidden, so that it is not ours; "
                "rename it, and run again"
            )
        return place.quarantine

    def _ids(self, place: _Place) -> dict[str, str]:
        """What lies in quarantine, by the callers' ids. What bears none is not ours."""
        if place.ids is None:
            found: dict[str, str] = {}
            if place.quarantine is not None:
                headers = {"Prefer": f"{HEADERS['Prefer']}, odata.maxpagesize={_PAGE}"}
                path = f"{place.mailbox.path}/mailFolders/{quoted(place.quarantine.id)}/messages/delta?$select=id"
                for entry in self._graph.all(path, cost=1, headers=headers):
                    described = self._look_if_any(place, facts.id_of(entry))
                    id = facts.property_of(described, _PROPERTY) if described is not None else ""
                    if described is not None and _ID.fullmatch(id) and self._lies_there(place, described, id):
                        found[id] = facts.id_of(described)
            place.ids = found
        return place.ids

    # One message

    def _check_target(self, place: _Place, described: facts.Described, target: Target) -> None:
        """Raises `ItemChanged` unless the message is at the version that was decided on and lies where it did then, and
        `ItemNotFound` if it has been deleted since."""
        decided = MailVersion.decode(target.version)
        folder_id = facts.folder_of(described)
        elsewhere = target.folder_id not in (b"", folder_id.encode()) or target.ref.name != facts.name_of(described)
        if decided is not None and decided.is_at(facts.version_of(described)) and not elsewhere:
            return
        if self._is_recoverable(place, folder_id):
            raise ItemNotFound("the message has been deleted")
        raise ItemChanged("the message is not at the version and in the place that were decided on")

    def _look(self, place: _Place, message_id: str) -> dict[str, Any]:
        """The message as it is now. Raises `ItemNotFound` only if the mailbox itself still answers: one that is gone or
        closed to us says nothing of its messages."""
        try:
            return place.mailbox.message(message_id, _EXPAND)
        except ItemNotFound:
            place.mailbox.check_root(place.root_id)
            raise

    def _look_if_any(self, place: _Place, message_id: str) -> dict[str, Any] | None:
        try:
            return self._look(place, message_id)
        except ItemNotFound:
            return None

    def _lies_there(self, place: _Place, described: facts.Described, id: str) -> bool:
        quarantine = place.quarantine
        there = quarantine is not None and facts.folder_of(described) == quarantine.id
        return there and facts.property_of(described, _PROPERTY) == id

    def _act(
        self, place: _Place, method: str, described: facts.Described, act: str = "", body: Any = None
    ) -> dict[str, Any]:
        path = f"{place.mailbox.path}/messages/{quoted(facts.id_of(described))}{act}"
        headers = {**HEADERS, "If-Match": facts.etag_of(described)}
        return self._graph.send(method, path, body, cost=1, headers=headers).json or {}

    def _signed(self, place: _Place, described: facts.Described, id: str) -> dict[str, Any]:
        """The message with the caller's id on it, as it is then, if nobody else has changed it meanwhile."""
        answer = self._act(
            place, "PATCH", described, body={"singleValueExtendedProperties": [{"id": _PROPERTY, "value": id}]}
        )
        now = self._look(place, facts.id_of(described))
        if facts.etag_of(answer) != facts.etag_of(now) or facts.folder_of(now) != facts.folder_of(described):
            raise ItemChanged("the message was changed while it was taken")
        return now

    def _moved(self, place: _Place, described: facts.Described, folder_id: str) -> tuple[dict[str, Any], bool]:
        """The message as it is after it was moved into that folder, and whether nobody has changed it since then."""
        try:
            answer = self._act(place, "POST", described, "/move", {"DestinationId": folder_id})
        except ItemNotFound:
            self._look(place, facts.id_of(described))  # if that is there, it is the folder that is not
            self._places.clear()
            raise SourceFault("the folder vanished into which the message was to be moved") from None
        with _afterwards():
            now = self._look(place, facts.id_of(described))
        return now, facts.etag_of(answer) == facts.etag_of(now)

    def _delete(self, place: _Place, described: facts.Described) -> None:
        try:
            if self._permanently:
                self._act(place, "POST", described, "/permanentDelete")
            else:
                self._act(place, "DELETE", described)
        except ItemNotFound:
            return  # somebody else did; what is left is looked at afterwards

    def _left(self, place: _Place, message_id: str) -> dict[str, Any] | None:
        """What is left of a message after it was deleted. Raises `SourceFault` if people could still come upon it."""
        left = self._look_if_any(place, message_id)
        if left is not None and not self._permanently and not self._is_recoverable(place, facts.folder_of(left)):
            self._delete(place, left)  # the first time it went to where people keep what they have deleted
            left = self._look_if_any(place, message_id)
        if left is not None and not self._is_recoverable(place, facts.folder_of(left)):
            raise SourceFault("the message was deleted, and is still there")
        return left

    def _bring_back(self, place: _Place, left: facts.Described) -> None:
        """Undoes the deletion of what somebody has changed in that very moment. Raises `ItemChanged`, always."""
        try:
            self._moved(place, left, self._quarantine(place).id)
        except ConnectorError:
            raise ItemChanged(
                "the message was changed in the moment in which it was deleted; an administrator can take it out of the"
                " mailbox's recoverable items"
            ) from None
        raise ItemChanged("the message was changed in the moment in which it was deleted, and is in quarantine again")

    # Its folder

    def _is_quarantine_still(self, place: _Place) -> bool:
        """Whether the folder is what it was when it was found."""
        try:
            folder = place.mailbox.folder(place.quarantine.id) if place.quarantine is not None else None
        except ItemNotFound:
            folder = None
        if folder is not None and is_quarantine(folder) and folder.parent_id == place.root_id:
            return True
        place.quarantine = place.ids = None
        return False

    def _is_recoverable(self, place: _Place, folder_id: str) -> bool:
        """Whether a folder is of those in which a mailbox keeps what was deleted, out of its owner's sight."""
        top, _ = place.mailbox.climb(folder_id, place.root_id, place.recoverable_id)
        return top == place.recoverable_id != ""

    def _remains_days(self, place: _Place, left: facts.Described | None) -> int | None:
        holds = place.mailbox.well_known(_DISCOVERY_HOLDS) if left is not None else None
        if left is not None and holds is not None and facts.folder_of(left) == holds.id:
            return None
        return self._recoverable_days

    def _folder_for(self, place: _Place, path: bytes, folder_id: str) -> tuple[str, bytes]:
        """Where something is given back to, and its path: that folder if it has that path, else the one that has, or a
        new one."""
        if folder_id and place.mailbox.climb(folder_id, place.root_id) == (place.root_id, path):
            return folder_id, path
        at, found = place.root_id, []
        for name in path.split(b"/") if path else ():
            below = [one for one in place.mailbox.below(None if at == place.root_id else at) if not one.is_hidden]
            folder = next((one for one in below if _is_same_name(one.component, name)), None)
            if folder is None:
                folder = self._made(place, at, name)
            at = folder.id
            found.append(folder.component)
        return at, b"/".join(found)

    def _made(self, place: _Place, parent_id: str, name: bytes) -> Folder:
        inside = "" if parent_id == place.root_id else f"/{quoted(parent_id)}/childFolders"
        path = f"{place.mailbox.path}/mailFolders{inside}"
        try:
            body = {"displayName": name.decode("utf-8")}
            return read_folder(self._graph.send("POST", path, body, cost=1, headers=HEADERS).json or {})
        except (UnicodeDecodeError, Unsupported, PlaceTaken):
            raise NoPlace("there cannot be a folder of that name") from None


@contextmanager
def _afterwards() -> Iterator[None]:
    """What goes wrong once an act was done says nothing of the act: whoever wanted it has to ask what has become of it.

    Raises `SourceFault` for whatever it was.
    """
    try:
        yield
    except SourceFault:
        raise
    except ConnectorError as error:
        raise SourceFault(f"it was done, and could not be looked at afterwards ({error})") from None


def _is_same_name(one: bytes, other: bytes) -> bool:
    """Whether the service takes both for one name, or path: it takes no notice of case."""
    return one.decode("utf-8", "replace").lower() == other.decode("utf-8", "replace").lower()


def _kept(described: facts.Described, id: str) -> Kept:
    version = facts.version_of(described)
    return Kept(id, version.message_id.encode(), version.encode(), facts.size_of(described))
