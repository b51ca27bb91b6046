"""What is asked of a drive to act on its items: looked at and changed by id, never by path.

Each call here is one request, or one list. What may follow on what is decided in `keeping.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from connectors.errors import ItemChanged, ItemNotFound, ScopeUnavailable, SourceFault, Unsupported
from connectors.microsoft365.graph import Answer, Graph
from connectors.microsoft365.retention_labels import AppliedLabel, read_label
from connectors.microsoft365.version import Version, version_of

Described = Mapping[str, Any]  # an item as the service describes it

# Ids go into paths. Whatever else is taken for one (`..`, a path, nothing) would address something else.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9!_-]{0,511}")
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_KIND = "id,name,file,folder,package,remoteItem,deleted,parentReference,createdBy"
_STATUS = f"{_KIND},eTag,cTag,size,publication,shared"
_READING, _LISTING, _WRITING, _PERMISSIONS = 1, 2, 2, 5  # in resource units, as the service counts them
_FRESH_SECONDS = 10.0  # what was seen longer ago is no ground to act on


@dataclass(frozen=True, slots=True)
class Status:
    """What the service says of an item right now. `ctag` changes with its bytes; `columns_etag` is the eTag of its
    columns, `""` where it is not told. `shared` says that it has sharing links or grants of its own."""

    version: Version
    ctag: str = field(repr=False)
    name: str = field(repr=False)
    parent_id: str
    size_bytes: int
    is_file: bool
    checked_out: bool
    shared: bool
    label: AppliedLabel | None = None
    columns_etag: str = field(default="", repr=False)
    columns: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """An item or folder by name, and the folder that it lies in (`""` for the drive's top). `by_an_app` says that no
    person made it."""

    item_id: str
    name: str = field(repr=False)
    parent_id: str
    is_folder: bool
    by_an_app: bool


class Drive:
    """One drive, acted on with the rights that `graph` has. Raises as `connectors.keeping.Keeping` says."""

    def __init__(self, graph: Graph, drive_id: str) -> None:
        if not _ID.fullmatch(drive_id):
            raise ScopeUnavailable("that is no id of a drive")
        self._graph = graph
        self._at = f"/drives/{drive_id}"

    # Looking

    def root(self) -> str:
        """The id of the drive's top folder. Raises `ScopeUnavailable` where no such drive answers any more."""
        try:
            answer = self._graph.get(f"{self._at}/root?$select=id", cost=_READING)
        except (ItemNotFound, Unsupported):
            raise ScopeUnavailable("no such drive answers; was its site deleted, or are we kept out?") from None
        root_id = answer.get("id")
        if not (isinstance(root_id, str) and _ID.fullmatch(root_id)):
            raise SourceFault("the service described the top of a drive without its id")
        return root_id

    def status(self, item_id: str, columns: Sequence[str] = ()) -> Status:
        """The item as it is now, with its retention label, and with these columns of its library.

        Raises `ItemNotFound` only if the drive itself still answers: a site that is gone or closed to us says nothing
        about its items.
        """
        expanded = "retentionLabel"
        if columns:
            expanded += f",listItem($expand=fields($select={','.join(quote(name, safe='') for name in columns)}))"
        try:
            at = self._item(item_id)
            answer = self._graph.get(f"{at}?$select={_STATUS}&$expand={expanded}", cost=_READING)
        except (ItemNotFound, Unsupported):
            self.root()
            raise
        status = _status_of(answer, item_id)
        if "retentionLabel" in answer and (status.label is None or status.label.settled):
            return status
        return replace(status, label=self._label(at))  # nothing is concluded from silence

    def _label(self, at: str) -> AppliedLabel | None:
        try:
            return read_label(self._graph.get(f"{at}/retentionLabel", cost=_READING))
        except ItemNotFound:
            return None

    def folder(self, folder_id: str) -> Entry | None:
        """The folder of that id, if there still is one."""
        try:
            answer = self._graph.get(f"{self._item(folder_id)}?$select={_KIND}", cost=_READING)
        except ItemNotFound:
            return None
        entry = _entry_of(answer)
        return entry if entry.item_id == folder_id and entry.is_folder and not _has(answer, "deleted") else None

    def children(self, folder_id: str) -> Iterator[Entry]:
        """What lies directly in the folder."""
        for answer in self._graph.all(f"{self._item(folder_id)}/children?$select={_KIND}&$top=500", cost=_LISTING):
            yield _entry_of(answer)

    def permissions(self, item_id: str) -> list[dict[str, Any]]:
        """Everything by which somebody reaches the item, inherited or not: here the service does not tell which."""
        return list(self._graph.all(f"{self._item(item_id)}/permissions", cost=_PERMISSIONS))

    # Changing

    def move(self, status: Status, parent_id: str, name: str) -> str:
        """Moves the item, if it is still in that state, never over anything. The eTag that it had right after.

        Raises `ItemChanged`, `PlaceTaken`. Its id, versions and label stay; so do grants and links of its own.
        """
        at = f"{self._item(status.version.item_id)}?@microsoft.graph.conflictBehavior=fail"
        body = {"parentReference": {"id": parent_id}, "name": name}
        moved = _told(self._send("PATCH", at, body, if_match=status.version.etag), 200)
        return _text(moved.get("eTag")) if moved.get("id") == status.version.item_id else ""

    def delete_permanently(self, status: Status) -> None:
        """Deletes the item past the recycle bin. Raises `ItemChanged` if it is no longer in that state.

        The service documents no condition for this call. So the eTag is asked for once more right before, which leaves
        the moment between two requests, and it is sent as a condition all the same: where that is honoured it closes
        this moment, too, and where it is not nothing is lost by it.
        """
        at = self._item(status.version.item_id)
        if version_of(self._graph.get(f"{at}?$select=id,eTag", cost=_READING)).etag != status.version.etag:
            raise ItemChanged("somebody has changed it meanwhile")
        _told(self._send("POST", f"{at}/permanentDelete", if_match=status.version.etag), 204)

    def recycle(self, status: Status) -> None:
        """Deletes the item into the recycle bin of its site, if it is still in that state."""
        _told(self._send("DELETE", self._item(status.version.item_id), if_match=status.version.etag), 204)

    def make_folder(self, parent_id: str, name: str) -> None:
        """Makes a folder. Raises `PlaceTaken`."""
        body = {"name": name, "folder": {}, "@microsoft.graph.conflictBehavior": "fail"}
        _told(self._send("POST", f"{self._item(parent_id)}/children", body), 201)

    def restrict(self, folder_id: str, officers: Sequence[str]) -> None:
        """Takes everybody's access to the folder away and lets these read it, named by address or object id."""
        body = {
            "recipients": [_recipient(officer) for officer in officers],
            "roles": ["read"],
            "requireSignIn": True,
            "sendInvitation": False,
            "retainInheritedPermissions": False,
        }
        _told(self._send("POST", f"{self._item(folder_id)}/invite", body, cost=_PERMISSIONS), 200)

    def revoke(self, item_id: str, permission_id: str) -> None:
        """Takes one grant or link away. One that is not there any more is fine."""
        if not permission_id.strip("."):
            raise Unsupported("that is no id of a permission")
        at = f"{self._item(item_id)}/permissions/{quote(permission_id, safe='')}"
        try:
            _told(self._send("DELETE", at, cost=_PERMISSIONS), 204)
        except ItemNotFound:
            return

    def set_label(self, item_id: str, label: str) -> None:
        """Sets the retention label. The service documents no condition for this."""
        at = f"{self._item(item_id)}/retentionLabel"
        _told(self._send("PATCH", at, {"name": label}), 200, 201)

    def set_columns(self, status: Status, columns: Mapping[str, str]) -> str:
        """Sets columns of the item, if it is still in that state; `""` empties one. Its eTag right after."""
        at = f"{self._item(status.version.item_id)}/listItem/fields"
        body = {name: value or None for name, value in columns.items()}
        etag = _told(self._send("PATCH", at, body, if_match=status.columns_etag or status.version.etag), 200)
        return _text(etag.get("@odata.etag"))

    def _send(
        self, method: str, at: str, body: Mapping[str, Any] | None = None, *, if_match: str = "", cost: int = _WRITING
    ) -> Answer:
        """One act, soon or not at all."""
        headers = {"If-Match": if_match} if if_match else None
        return self._graph.send(method, at, body, cost=cost, headers=headers, patience_seconds=_FRESH_SECONDS)

    def _item(self, item_id: str) -> str:
        if not _ID.fullmatch(item_id):
            raise ItemNotFound("that is no id of an item")
        return f"{self._at}/items/{item_id}"


def as_text(file_id: bytes) -> str:
    """The id as the service writes it; what can be none becomes one that nothing has."""
    return file_id.decode("ascii", "replace")


def _told(answer: Answer, *expected: int) -> Mapping[str, Any]:
    """The body of an answer that says that the act was done. Raises `SourceFault` for one that it may be done later."""
    if answer.status not in expected:
        raise SourceFault(f"the service did not say that it was done (HTTP {answer.status})")
    return answer.json or {}


def _status_of(answer: Described, item_id: str) -> Status:
    version = version_of(answer)
    if version.item_id != item_id:  # an alias such as "root"
        raise SourceFault("the service described another item")
    if _has(answer, "deleted"):
        raise ItemNotFound("it is not at the source any more")
    entry, listed, size = _entry_of(answer), _part(answer, "listItem"), answer.get("size")
    publication = _part(answer, "publication")
    return Status(
        version,
        ctag=_text(answer.get("cTag")),
        name=entry.name,
        parent_id=entry.parent_id,
        size_bytes=size if isinstance(size, int) else 0,
        is_file=_has(answer, "file") and not any(_has(answer, facet) for facet in ("folder", "package", "remoteItem")),
        checked_out=bool(publication.get("checkedOutBy")) or publication.get("level") == "checkout",
        shared=_has(answer, "shared"),
        label=read_label(answer.get("retentionLabel")),
        columns_etag=_text(listed.get("eTag")),
        columns=_part(listed, "fields"),
    )


def _entry_of(answer: Described) -> Entry:
    is_folder = _has(answer, "folder") and not _has(answer, "package") and not _has(answer, "remoteItem")
    parent_id = _text(_part(answer, "parentReference").get("id"))
    by_an_app = _has(_part(answer, "createdBy"), "application")
    return Entry(_text(answer.get("id")), _text(answer.get("name")), parent_id, is_folder, by_an_app)


def _recipient(officer: str) -> dict[str, str]:
    return {"objectId" if _OBJECT_ID.fullmatch(officer) else "email": officer}


def _has(answer: Described, facet: str) -> bool:
    """Facets say by being there what an item is; some of them are empty."""
    return answer.get(facet) is not None


def _part(answer: Described, name: str) -> Described:
    value = answer.get(name)
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
