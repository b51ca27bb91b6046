"""Routes that change items: rename, move, delete, new folders, columns, check-out."""

from __future__ import annotations

import posixpath
import uuid
from typing import Any

from tests.emulator.addressing import granted, item_of, one_at_a_time, wish_of
from tests.emulator.contents import Stored
from tests.emulator.drive_answers import fields_json, item_json
from tests.emulator.drive_items import Drive
from tests.emulator.drive_nodes import FILE, FOLDER, OFFICE, Node
from tests.emulator.http import Problem, Reply, Request, Routes
from tests.emulator.people import application
from tests.emulator.refusals import Act, not_found, refuse_by_condition, refuse_by_item
from tests.emulator.roles import WRITE_FILES
from tests.emulator.tenant import Tenant

_WRITE = {"roles": WRITE_FILES, "selected": "write"}
_FORBIDDEN = set('"*:<>?/\\|')
_LONGEST_NAME = 255
_LONGEST_PATH = 400
_CONFLICT = "@microsoft.graph.conflictBehavior"


def routes(tenant: Tenant) -> Routes:
    """Everything under /drives that changes an item."""
    table = Routes()
    table.granted = granted(tenant)
    _hang_places(table, tenant)
    _hang_deleting(table, tenant)
    _hang_fields(table, tenant)
    _hang_check_out(table, tenant)
    return table


def _hang_places(table: Routes, tenant: Tenant) -> None:
    @table.patch("/drives/{drive}/items/{item}", cost=2, **_WRITE)
    @one_at_a_time(tenant)
    def change(request: Request) -> Reply:
        drive, node = item_of(tenant, request, writing=True)
        if node is drive.root:
            raise Problem(400, "invalidRequest", "The root folder cannot be changed.")
        refuse_by_condition(drive, node, request)
        reference = request.json.get("parentReference") or {}
        other = reference.get("driveId", drive.id)
        if other != drive.id:
            return _to_other_drive(tenant, drive, node, other, request)
        _place(drive, node, reference, request)
        if drive.quirks.async_moves and reference and "respond-async" in request.prefer:
            return _accepted(request, node.id)
        return Reply(200, item_json(drive, node, request, wish_of(request)))

    @table.post("/drives/{drive}/items/{item}/children", cost=2, **_WRITE)
    @table.post("/drives/{drive}/root/children", cost=2, **_WRITE)
    @one_at_a_time(tenant)
    def new_folder(request: Request) -> Reply:
        drive, parent = item_of(tenant, request, writing=True)
        if "folder" not in request.json or parent.kind != FOLDER:
            raise Problem(400, "invalidRequest", "Only folders can be made here, and only in folders.")
        name = _checked_name(request.json.get("name"), parent)
        behaviour = request.json.get(_CONFLICT, "fail")
        there = (parent.children or {}).get(name.lower())
        if there is not None and behaviour == "replace" and there.is_folder:
            return Reply(201, item_json(drive, there, request, wish_of(request)))
        name = _free_name(parent, name, behaviour)
        node = drive.make(parent, name, FOLDER, None, _caller(request))
        return Reply(201, item_json(drive, node, request, wish_of(request)))

    @table.download("/monitor/{operation}/{item}")
    def monitor(request: Request) -> Reply:
        return Reply(200, {"status": "completed", "percentageComplete": 100, "resourceId": request.params["item"]})


def _place(drive: Drive, node: Node, reference: dict[str, Any], request: Request) -> None:
    parent = node.parent if "id" not in reference else drive.node(reference["id"])
    if parent is None:
        raise not_found()
    if parent.kind != FOLDER or parent is node or node in parent.above():
        raise Problem(400, "invalidRequest", "The item cannot be moved there.")
    name = _checked_name(request.json.get("name", node.name), parent)
    if parent is not node.parent:
        refuse_by_item(drive, node, request, Act.MOVE)
    if name != node.name:
        refuse_by_item(drive, node, request, Act.RENAME)
    if parent is node.parent and name == node.name:
        return
    there = (parent.children or {}).get(name.lower())
    if there not in (None, node):
        behaviour = request.query.get(_CONFLICT) or request.json.get(_CONFLICT, "fail")
        if behaviour == "replace":
            refuse_by_item(drive, there, request, Act.DELETE)
            drive.take_out(there, _caller(request))
        else:
            name = _free_name(parent, name, behaviour)
    drive.place(node, parent, name, _caller(request))


def _to_other_drive(tenant: Tenant, drive: Drive, node: Node, other: str, request: Request) -> Reply:
    """A copy over there, with another id, and the deletion of the item here: only for callers who do not wait."""
    target = tenant.drive(other)
    if target is None:
        raise not_found()
    if "respond-async" not in request.prefer:
        words = "Requested move requires an async response, add 'Prefer: respond-async' to the request headers"
        raise Problem(400, "invalidRequest", words)
    parent = target.node(request.json["parentReference"].get("id", "root"))
    if parent is None or parent.kind != FOLDER or node.kind != FILE:
        raise Problem(400, "notSupported", "The item cannot be moved there.")
    refuse_by_item(drive, node, request, Act.MOVE)
    name = _free_name(parent, _checked_name(request.json.get("name", node.name), parent), "fail")
    copy = target.make(parent, name, FILE, node.content, node.created_by, node.created_at, node.modified_at)
    drive.take_out(node, _caller(request), permanently=True)
    return _accepted(request, copy.id)


def _accepted(request: Request, item: str) -> Reply:
    return Reply(202, None, {"Location": request.sign(f"/monitor/{uuid.uuid4()}/{item}")})


def _hang_deleting(table: Routes, tenant: Tenant) -> None:
    @table.delete("/drives/{drive}/items/{item}", cost=2, **_WRITE)
    @one_at_a_time(tenant)
    def delete(request: Request) -> Reply:
        drive, node = item_of(tenant, request, writing=True)
        if not drive.quirks.delete_ignores_condition:
            refuse_by_condition(drive, node, request)
        return _deleted(drive, node, request, permanently=False)

    @table.post("/drives/{drive}/items/{item}/permanentDelete", cost=2, **_WRITE)
    @one_at_a_time(tenant)
    def permanent_delete(request: Request) -> Reply:
        drive, node = item_of(tenant, request, writing=True)
        return _deleted(drive, node, request, permanently=True)

    @table.post("/drives/{drive}/items/{item}/restore", cost=2, **_WRITE)
    def restore(request: Request) -> Reply:
        raise Problem(501, "notSupported", "Only the OneDrive of a private person restores items.")


def _deleted(drive: Drive, node: Node, request: Request, *, permanently: bool) -> Reply:
    if node is drive.root:
        raise Problem(400, "invalidRequest", "The root folder cannot be deleted.")
    refuse_by_item(drive, node, request, Act.DELETE)
    drive.take_out(node, _caller(request), permanently=permanently)
    return Reply(204)


def _hang_fields(table: Routes, tenant: Tenant) -> None:
    @table.patch("/drives/{drive}/items/{item}/listItem/fields", cost=2, **_WRITE)
    @one_at_a_time(tenant)
    def fields(request: Request) -> Reply:
        drive, node = item_of(tenant, request, writing=True)
        refuse_by_condition(drive, node, request)
        refuse_by_item(drive, node, request, Act.WRITE_FIELDS)
        drive.columns.check(request.json)
        values = {**drive.fields_of(node.id), **request.json}
        if missing := drive.columns.missing(values):
            raise Problem(400, "invalidRequest", f"Field '{missing[0]}' is required")
        node.special.fields = values
        node.modified_at, node.modified_by = drive.tenant.clock.now(), _caller(request)
        if drive.quirks.office_rewrites and node.name.lower().endswith(OFFICE):
            _promote(node, request.json)
        drive.bump(node)
        return Reply(200, fields_json(drive, node, wish_of(request)))


def _promote(node: Node, values: dict[str, Any]) -> None:
    """The service writes the columns into the Office file itself: the file becomes another one."""
    assert node.content is not None
    before = b"".join(node.content.pieces())
    node.content = Stored(before + f"<promoted {len(values)} of revision {node.revision}>".encode())
    node.content_revision += 1


def _hang_check_out(table: Routes, tenant: Tenant) -> None:
    @table.post("/drives/{drive}/items/{item}/checkout", cost=2, **_WRITE)
    @one_at_a_time(tenant)
    def check_out(request: Request) -> Reply:
        drive, node = _checkable(tenant, request)
        node.special.checked_out_by = _caller(request)
        drive.bump(node)
        return Reply(204)

    @table.post("/drives/{drive}/items/{item}/checkin", cost=2, **_WRITE)
    @table.post("/drives/{drive}/items/{item}/discardCheckout", cost=2, **_WRITE)
    @one_at_a_time(tenant)
    def check_in(request: Request) -> Reply:
        drive, node = _checkable(tenant, request)
        if node.special.checked_out_by is None:
            raise Problem(400, "invalidRequest", "The file is not checked out.")
        drive.check_in(node.id)
        return Reply(204)


def _checkable(tenant: Tenant, request: Request) -> tuple[Drive, Node]:
    drive, node = item_of(tenant, request, writing=True)
    if node.kind != FILE:
        raise Problem(400, "invalidRequest", "Only files can be checked out.")
    refuse_by_item(drive, node, request, Act.WRITE_FIELDS)
    return drive, node


def _checked_name(name: Any, parent: Node) -> str:
    if not isinstance(name, str) or not name or name != name.strip() or set(name) & _FORBIDDEN or "\0" in name:
        raise Problem(400, "invalidRequest", "The provided name cannot contain those characters.")
    if len(name) > _LONGEST_NAME or len(parent.path) + 1 + len(name) > _LONGEST_PATH:
        raise Problem(400, "pathIsTooLong", "The path to the item is too long.")
    return name


def _free_name(parent: Node, name: str, behaviour: str) -> str:
    """The name to take; another one where this is taken and the caller lets us choose."""
    taken = parent.children or {}
    if name.lower() not in taken:
        return name
    if behaviour != "rename":
        raise Problem(409, "nameAlreadyExists", "An item with the same name already exists under the parent")
    stem, suffix = posixpath.splitext(name)
    number = 1
    while f"{stem} {number}{suffix}".lower() in taken:
        number += 1
    return f"{stem} {number}{suffix}"


def _caller(request: Request) -> Any:
    return application(request.app.client_id if request.app else "unknown")
