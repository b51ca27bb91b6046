"""The acting half of the connector to SharePoint and OneDrive: into quarantine, back, away, labelled, marked.

Before every act the item is looked at; every act carries the eTag that was seen, wherever the service takes a
condition; after every act it is looked at again. Nothing is forced: there is no call here by which a record would be
unlocked, a label removed, a lock bypassed or a check-out discarded.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.base import ItemRef, Scope
from connectors.errors import (
    ConnectorError,
    HeldAtSource,
    HoldUnavailable,
    ItemChanged,
    ItemNotFound,
    NoPlace,
    PermissionDenied,
    PlaceTaken,
    SourceFault,
    Unsupported,
)
from connectors.keeping import Deleted, GivenBack, Kept, Remains, Target
from connectors.microsoft365.acts import Drive, Status, as_text
from connectors.microsoft365.checks import (
    check_gone,
    check_may_change,
    check_same,
    check_target,
    check_version,
    look_after,
    looked_and_done,
    same_bytes,
)
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.marking import set_columns, set_label
from connectors.microsoft365.restricted import Quarantine, id_in, name_there, was_shared
from connectors.microsoft365.retention_labels import check_may_go
from connectors.microsoft365.returning import folder_for, path_of, steps_to

_ID_OF_AN_ACT = re.compile(r"[0-9a-f]{32}")
_BACKUP_DAYS = 14  # how long the provider keeps what it could restore a site from


@dataclass(frozen=True, slots=True)
class _Place:
    """A drive, and the quarantine in it."""

    drive: Drive
    quarantine: Quarantine


class DriveKeeping:
    """Acts on the items of drives, as `connectors.keeping.Keeping` says. One thread at a time.

    `graph` acts with the rights it has, and is closed by whoever made it. `officers` are addresses or object ids of
    those who may look into the quarantine; `client_id` is our own application's. `permanently` is false where the cloud
    cannot delete past the recycle bin, which keeps items `recycle_days`. `now` counts seconds and never goes back.

    Sharing links and grants of its own go with an item wherever it is moved, so that they are taken away in quarantine:
    they are lacking when it is given back. In a person's OneDrive that person administers the site, and reaches the
    quarantine.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        officers: Sequence[str],
        client_id: str = "",
        permanently: bool = True,
        recycle_days: int = 93,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._graph = graph
        self._officers = tuple(officers)
        self._client_id = client_id
        self._permanently = permanently
        self._recycle_days = recycle_days
        self._now = now
        self._places: dict[str, _Place] = {}

    # Into quarantine

    def keep(self, scope: Scope, target: Target, id: str) -> Kept:
        place, item_id = self._place(scope), as_text(target.file_id)
        quarantine_id = place.quarantine.ready()
        ids = place.quarantine.ids()
        if _checked(id) in ids:
            raise PlaceTaken("something lies in quarantine under that id")

        def look() -> Status:
            status = place.drive.status(item_id)
            check_target(place.drive, status, target)
            check_may_change(status)
            check_may_go(status.label)
            return status

        def move(status: Status) -> str:
            return place.drive.move(status, quarantine_id, name_there(id, status.name, status.shared))

        try:
            before, etag = looked_and_done(look, move)
        except ItemNotFound:
            place.quarantine.forget()
            place.drive.status(item_id)
            raise HoldUnavailable("the quarantine folder went away; run again") from None
        ids.add(id)
        return _kept(self._settled(place, before, etag, id), id)

    def _settled(self, place: _Place, before: Status, etag: str, id: str) -> Status:
        """The item once it lies in quarantine unchanged and out of reach; else it is moved back, if it still can be."""
        after = look_after(place.drive, before)
        try:
            _check_lies_in(place, after, id)
            check_same(before, after, etag)
            if place.quarantine.close_off(before.version.item_id):
                closed = look_after(place.drive, before)
                check_same(after, closed, "")
                after = closed
        except (ItemChanged, HeldAtSource, HoldUnavailable, PermissionDenied):
            if _moved_back(place, before, id):
                raise
            raise ItemChanged("it may not stay in quarantine, and could not be moved back") from None
        except SourceFault:
            raise
        except ConnectorError:
            raise SourceFault("it lies in quarantine, but it could not be seen to the end who reaches it") from None
        return after

    def kept(self, scope: Scope, file_id: bytes, id: str) -> Kept | None:
        place = self._place(scope)
        try:
            status = place.drive.status(as_text(file_id))
        except ItemNotFound:
            return None
        return _kept(status, id) if _lies_in(place, status, _checked(id)) else None

    def in_quarantine(self, scope: Scope) -> Iterator[tuple[str, bytes]]:
        for id, item_id in self._place(scope).quarantine.items():
            yield id, item_id.encode()

    # Back

    def give_back(self, scope: Scope, file_id: bytes, id: str, to: ItemRef, folder_id: bytes) -> GivenBack:
        place, parent_id = self._place(scope), as_text(folder_id)
        _, name = steps_to(to)
        _checked(id)
        here = place.drive.status(as_text(file_id))
        if not _lies_in(place, here, id):
            return _given_already(place.drive, here, to, parent_id)
        parent_id, folder = folder_for(place.drive, to, parent_id)
        unshared = was_shared(here.name) and place.quarantine.is_closed_off(as_text(file_id))

        def look() -> Status:
            status = place.drive.status(as_text(file_id))
            if not _lies_in(place, status, id):
                raise SourceFault("somebody has taken it out of quarantine meanwhile; try again")
            return status

        try:
            here, etag = looked_and_done(look, lambda status: place.drive.move(status, parent_id, name))
        except Unsupported:
            raise NoPlace("it cannot lie there under that name") from None
        except ItemNotFound:
            place.drive.status(as_text(file_id))
            raise SourceFault("the folder for it has gone meanwhile; try again") from None
        place.quarantine.let_go(id)
        after = look_after(place.drive, here)
        if after.parent_id != parent_id:
            raise SourceFault("it was given back, but does not lie there")
        ref = ItemRef(folder, after.name.encode("utf-8", "surrogatepass"))
        lost = {"label": here.label is not None and after.label is None, "sharing": unshared}
        lacking = tuple(what for what, is_lost in lost.items() if is_lost)
        version = after.version.encode() if same_bytes(here, after, etag) else b""  # an edit is not ours to record
        return GivenBack(ref, version, given=True, lacking=lacking, before=here.version.encode())

    # Away

    def delete(self, scope: Scope, file_id: bytes, id: str, version: bytes) -> Deleted:
        """As the contract says: past the recycle bin where the cloud and our rights allow it, else into it.

        Deleting into the recycle bin first, with its documented condition, would be no safer: from there nothing we
        could ask would take it any further, and people could take it out again.
        """
        place = self._place(scope)
        _checked(id)

        def look() -> Status:
            status = place.drive.status(as_text(file_id))
            _check_lies_in(place, status, id, as_it_is_now=True)
            check_version(status, version)
            check_may_change(status)
            check_may_go(status.label)
            return status

        try:
            method = self._deleted(place.drive, look)
        except ItemNotFound:
            method = "nothing_there"
        check_gone(place.drive, as_text(file_id))
        place.quarantine.let_go(id)
        return Deleted(method, self._remains(past_the_bin=method == "deleted_permanently"))

    def _deleted(self, drive: Drive, look: Callable[[], Status]) -> str:
        """Deletes what `look` lets through; how. Raises `ItemNotFound` if there is nothing."""
        if self._permanently:
            try:
                looked_and_done(look, drive.delete_permanently)
            except (Unsupported, PermissionDenied):
                pass  # not in this cloud, or not with our rights
            except ItemChanged:
                look()  # it has changed, unless it is the condition that the service does not understand here
            else:
                return "deleted_permanently"
        looked_and_done(look, drive.recycle)
        return "recycled"

    def _remains(self, *, past_the_bin: bool) -> Mapping[Remains, int | None]:
        """What the service may keep. Nobody but its compliance officers can say whether a retention policy applies."""
        if past_the_bin:
            return {Remains.PRESERVATION_HOLD: None, Remains.SERVICE_BACKUP: _BACKUP_DAYS}
        return {
            Remains.RECYCLE_BIN: self._recycle_days,
            Remains.SECOND_STAGE: self._recycle_days,  # counted from the same day
            Remains.PRESERVATION_HOLD: None,
            Remains.SERVICE_BACKUP: self._recycle_days + _BACKUP_DAYS,
        }

    # Labels and columns

    def label(self, scope: Scope, target: Target, label: str) -> bytes:
        return set_label(self._place(scope).drive, target, label, self._client_id)

    def mark(self, scope: Scope, target: Target, marks: Mapping[str, str]) -> bytes:
        """As the contract says; `marks` are columns of the library by their internal names."""
        return set_columns(self._place(scope).drive, target, marks)

    def close(self) -> None:
        """Forgets what was seen. The connections are those of `graph`."""
        self._places.clear()

    def _place(self, scope: Scope) -> _Place:
        if scope.identity not in self._places:
            drive = Drive(self._graph, scope.identity)
            quarantine = Quarantine(drive, self._officers, client_id=self._client_id, now=self._now)
            self._places[scope.identity] = _Place(drive, quarantine)
        return self._places[scope.identity]


def _lies_in(place: _Place, status: Status, id: str, *, as_it_is_now: bool = False) -> bool:
    """Whether it lies in quarantine under that id."""
    return id_in(status.name) == id and place.quarantine.contains(status.parent_id, as_it_is_now=as_it_is_now)


def _check_lies_in(place: _Place, status: Status, id: str, *, as_it_is_now: bool = False) -> None:
    if not _lies_in(place, status, id, as_it_is_now=as_it_is_now):
        raise ItemChanged("somebody has taken it out of quarantine")


def _given_already(drive: Drive, status: Status, to: ItemRef, folder_id: str) -> GivenBack:
    """What is told of an item that lies in its place. Raises `ItemNotFound` if it lies anywhere else."""
    if status.name.encode("utf-8", "surrogatepass") == to.name:
        folder = path_of(drive, status.parent_id)
        if folder is not None and (folder == to.folder or status.parent_id == folder_id):
            return GivenBack(ItemRef(folder, to.name), status.version.encode(), given=False)
    raise ItemNotFound("it lies neither in quarantine nor in its place")


def _moved_back(place: _Place, before: Status, id: str) -> bool:
    """Whether it lies again where it did, with whatever was done to it meanwhile."""
    try:
        now = place.drive.status(before.version.item_id)
        if _lies_in(place, now, id):
            place.drive.move(now, before.parent_id, before.name)
            place.quarantine.let_go(id)
            return True
    except ConnectorError:
        return False
    return False


def _kept(status: Status, id: str) -> Kept:
    return Kept(id, status.version.item_id.encode(), status.version.encode(), status.size_bytes)


def _checked(id: str) -> str:
    if not _ID_OF_AN_ACT.fullmatch(id):
        raise ValueError("the id of an act has 32 lower-case hexadecimal digits")
    return id
