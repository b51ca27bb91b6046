"""Routes that read drives and items: what is there, what changed, content and older versions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.emulator import drive_acts, permission_routes
from tests.emulator.addressing import drive_of, granted, item_of, one_at_a_time, page_size, paged, wish_of
from tests.emulator.contents import Content as Bytes
from tests.emulator.drive_answers import (
    check_expand,
    fields_json,
    item_json,
    list_item_json,
    told_json,
)
from tests.emulator.drive_delta import Cursor, cursor_of, fresh, has_expired, page
from tests.emulator.drive_items import Drive
from tests.emulator.drive_nodes import FILE, Node
from tests.emulator.http import Content, Problem, Reply, Request, Routes
from tests.emulator.moments import spelled
from tests.emulator.odata import Wish, wish
from tests.emulator.refusals import has_it_already, not_found
from tests.emulator.roles import READ_FILES
from tests.emulator.tenant import Tenant

_READ = {"roles": READ_FILES, "selected": "read"}


def routes(tenant: Tenant) -> Routes:
    """Everything under /drives."""
    table = Routes()
    table.granted = granted(tenant)
    _hang_items(table, tenant)
    _hang_delta(table, tenant)
    _hang_content(table, tenant)
    table.include(drive_acts.routes(tenant))
    table.include(permission_routes.routes(tenant))
    return table


def drive_json(drive: Drive, wanted: Wish) -> dict[str, Any]:
    """The drive; whether it is hidden is told only to those who ask for `system`."""
    owner = drive.owner
    told = {
        "id": drive.id,
        "name": drive.name,
        "driveType": drive.kind,
        "webUrl": drive.web_url,
        "createdDateTime": spelled(drive.created_at),
        "lastModifiedDateTime": spelled(drive.root.modified_at),
        "owner": {"user": {"id": owner.id, "displayName": owner.shown}} if owner else {},
        "quota": {"total": 27487790694400, "state": "normal"},
    }
    if wanted.names("sharePointIds"):
        told["sharePointIds"] = {"listId": drive.list_id, "siteId": drive.site.collection_id}
    if wanted.names("system") and drive.hidden:
        told["system"] = {}
    if "list" in wanted.expand or wanted.names("list"):
        told["list"] = {"id": drive.list_id, "list": {"template": drive.template, "hidden": drive.hidden}}
    return wanted.of(told)


def _hang_items(table: Routes, tenant: Tenant) -> None:
    @table.get("/drives/{drive}", cost=1, **_READ)
    @one_at_a_time(tenant)
    def drive(request: Request) -> Reply:
        return Reply(200, drive_json(drive_of(tenant, request), wish_of(request)))

    @table.get("/drives/{drive}/root", cost=1, **_READ)
    @table.get("/drives/{drive}/items/{item}", cost=1, **_READ)
    @one_at_a_time(tenant)
    def item(request: Request) -> Reply:
        drive, node = item_of(tenant, request)
        if has_it_already(node, request):
            return Reply(304)
        return Reply(200, item_json(drive, node, request, wish_of(request)))

    @table.get("/drives/{drive}/root/children", cost=2, **_READ)
    @table.get("/drives/{drive}/items/{item}/children", cost=2, **_READ)
    @one_at_a_time(tenant)
    def children(request: Request) -> Reply:
        drive, node = item_of(tenant, request)
        return _children(drive, node, request)

    @table.get("/drives/{drive}/root:/{path...}", cost=1, **_READ)
    @table.get("/drives/{drive}/items/{item}:/{path...}", cost=1, **_READ)
    @one_at_a_time(tenant)
    def by_path(request: Request) -> Reply:
        drive, top = item_of(tenant, request)
        path, _, rest = request.params["path"].partition(":")
        node = _below(top, path)
        if rest == "/children":
            return _children(drive, node, request)
        if rest == "/content":
            return _redirected(drive, node, request)
        if rest:
            raise Problem(400, "BadRequest", "Resource not found for the segment.")
        return Reply(200, item_json(drive, node, request, wish_of(request)))

    @table.get("/drives/{drive}/items/{item}/listItem", cost=1, **_READ)
    @one_at_a_time(tenant)
    def list_item(request: Request) -> Reply:
        drive, node = item_of(tenant, request)
        return Reply(200, list_item_json(drive, node, wish_of(request)))

    @table.get("/drives/{drive}/items/{item}/listItem/fields", cost=1, **_READ)
    @one_at_a_time(tenant)
    def fields(request: Request) -> Reply:
        drive, node = item_of(tenant, request)
        return Reply(200, fields_json(drive, node, wish_of(request)))


def _children(drive: Drive, node: Node, request: Request) -> Reply:
    wanted = wish_of(request)
    check_expand(wanted)
    nodes = sorted((node.children or {}).values(), key=lambda each: each.name)
    part, link = paged(request, page_size(request, drive.quirks.page_size), len(nodes))
    return Reply(200, {"value": [item_json(drive, each, request, wanted) for each in nodes[part]], **link})


def _below(node: Node, path: str) -> Node:
    for name in filter(None, path.split("/")):
        child = (node.children or {}).get(name.lower())
        if child is None:
            raise not_found()
        node = child
    return node


def _hang_delta(table: Routes, tenant: Tenant) -> None:
    def cost(request: Request) -> int:
        return 1 if "token" in request.query else 2

    @table.get("/drives/{drive}/root/delta", cost=cost, **_READ)
    @table.get("/drives/{drive}/items/{item}/delta", cost=cost, **_READ)
    @one_at_a_time(tenant)
    def delta(request: Request) -> Reply:
        drive, node = item_of(tenant, request)
        cursor = _asked(drive, request, "" if node is drive.root else node.id)
        wanted = wish(cursor.select, cursor.expand)
        check_expand(wanted)
        if wanted.expand and drive.quirks.delta_expands == "refused":
            raise Problem(400, "invalidRequest", "$expand is not supported here.")
        size = page_size(request, cursor.size or drive.quirks.page_size)
        with_parents = "deltaExcludeParent" not in request.prefer and "deltaExcludeParent" not in request.headers
        told = page(drive, cursor, size, with_parents=with_parents)
        name = "@odata.deltaLink" if told.is_last else "@odata.nextLink"
        link = request.link(request.path, {"token": told.next.token()})
        return Reply(200, {"value": [told_json(drive, each, request, wanted) for each in told.entries], name: link})


def _asked(drive: Drive, request: Request, under: str) -> Cursor:
    """The place the caller wants to read on from. Raises 410 with a link to begin anew."""
    select, expand = request.query.get("$select"), request.query.get("$expand")
    if not request.query.get("token"):
        return replace(fresh(drive, under), select=select, expand=expand)
    cursor = cursor_of(drive, request.query["token"], under)
    if has_expired(drive, cursor):
        begin = replace(fresh(drive, under), select=cursor.select, expand=cursor.expand, size=cursor.size)
        location = request.link(request.path, {"token": begin.token()})
        code, inner = drive.quirks.resync_code, None
        if drive.quirks.resync_nested:
            code, inner = "resyncRequired", {"code": code}
        raise Problem(410, code, "Resync required. Replace any local items.", inner, {"Location": location})
    return replace(cursor, select=select or cursor.select, expand=expand or cursor.expand)


def _hang_content(table: Routes, tenant: Tenant) -> None:
    @table.get("/drives/{drive}/items/{item}/content", cost=1, **_READ)
    @one_at_a_time(tenant)
    def content(request: Request) -> Reply:
        drive, node = item_of(tenant, request)
        if has_it_already(node, request):
            return Reply(304)
        return _redirected(drive, node, request)

    @table.get("/drives/{drive}/items/{item}/versions", cost=2, **_READ)
    @one_at_a_time(tenant)
    def versions(request: Request) -> Reply:
        drive, node = item_of(tenant, request)
        told = _versions(node)
        part, link = paged(request, page_size(request, drive.quirks.page_size), len(told))
        return Reply(200, {"value": told[part], **link})

    @table.get("/drives/{drive}/items/{item}/versions/{version}/content", cost=1, **_READ)
    @one_at_a_time(tenant)
    def version_content(request: Request) -> Reply:
        drive, node = item_of(tenant, request)
        _version(node, request.params["version"])
        location = request.sign(f"/content/{drive.id}/{node.id}/{request.params['version']}")
        return Reply(302, None, {"Location": location})

    @table.download("/content/{drive}/{item}")
    @one_at_a_time(tenant)
    def download(request: Request) -> Reply:
        _, node = item_of(tenant, request)
        _refuse_content(node)
        assert node.content is not None
        return _served(node.content, {"ETag": node.etag, "Content-Type": "application/octet-stream"})

    @table.download("/content/{drive}/{item}/{version}")
    @one_at_a_time(tenant)
    def download_version(request: Request) -> Reply:
        _, node = item_of(tenant, request)
        return _served(_version(node, request.params["version"]), {"Content-Type": "application/octet-stream"})


def _redirected(drive: Drive, node: Node, request: Request) -> Reply:
    _refuse_content(node)
    return Reply(302, None, {"Location": request.sign(f"/content/{drive.id}/{node.id}")})


def _refuse_content(node: Node) -> None:
    if node.kind != FILE:
        raise Problem(400, "invalidRequest", "You cannot get content for a folder")
    if node.traits is not None and node.traits.malware:
        raise Problem(403, "malwareDetected", "Malware was detected in the requested resource.")
    if node.traits is not None and node.traits.never_checked_in:
        raise not_found()


def _served(content: Bytes, headers: dict[str, str]) -> Reply:
    return Reply(200, Content(content.size, lambda start, stop: content.pieces(start, stop)), headers)


def _versions(node: Node) -> list[dict[str, Any]]:
    """The newest first; that is the file as it is now."""
    older = node.traits.versions if node.traits else []
    told = [
        {
            "id": f"{len(older) + 1}.0",
            "lastModifiedDateTime": spelled(node.modified_at),
            "lastModifiedBy": node.modified_by.as_identity_set(),
            "size": node.true_size,
        }
    ]
    for each in reversed(older):
        told.append(
            {
                "id": f"{each.number}.0",
                "lastModifiedDateTime": spelled(each.modified_at),
                "lastModifiedBy": each.modified_by.as_identity_set(),
                "size": each.content.size,
            }
        )
    return told if node.kind == FILE else []


def _version(node: Node, id: str) -> Bytes:
    older = node.traits.versions if node.traits else []
    if node.content is not None and id in ("current", f"{len(older) + 1}.0"):
        return node.content
    found = next((each.content for each in older if f"{each.number}.0" == id), None)
    if found is None:
        raise not_found()
    return found
