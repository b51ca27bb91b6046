"""Items of the emulated drives as Microsoft Graph tells them."""

from __future__ import annotations

import mimetypes
import urllib.parse
from functools import lru_cache
from typing import Any

from tests.emulator.drive_delta import Told
from tests.emulator.drive_items import Drive
from tests.emulator.drive_nodes import FILE, PACKAGE, SHORTCUT, Node
from tests.emulator.http import Problem, Request
from tests.emulator.moments import spelled
from tests.emulator.odata import Wish

DOWNLOAD_URL = "@microsoft.graph.downloadUrl"
_EXPANDABLE = {"retentionLabel", "listItem", "children", "versions", "permissions", "thumbnails"}
_SCOPE_OF_SHARED = {"anonymous": "anonymous", "organization": "organization", "users": "users", "": "users"}


def item_json(drive: Drive, node: Node, request: Request, wanted: Wish) -> dict[str, Any]:
    """The item as a GET tells it; a signed link to its content comes along unless $select leaves it out."""
    check_expand(wanted)
    told = _facts(drive, node)
    if _has_link(node) and (wanted.select is None or wanted.select & {DOWNLOAD_URL, "content.downloadUrl"}):
        told[DOWNLOAD_URL] = request.sign(f"/content/{drive.id}/{node.id}")
    _add_on_request(told, drive, node, wanted)
    _expand(told, drive, node, request, wanted)
    return wanted.of(told, always=(DOWNLOAD_URL,) if wanted.names("content.downloadUrl") else ())


def told_json(drive: Drive, told: Told, request: Request, wanted: Wish) -> dict[str, Any]:
    """An entry of the change feed."""
    node = told.node
    if told.is_deleted:
        return _deleted(drive, node)
    facts = _facts(drive, node)
    if not drive.quirks.delta_ctags:
        del facts["cTag"]
    facts["parentReference"].pop("path", None)
    facts["parentReference"].pop("name", None)
    if not drive.quirks.delta_hashes and "file" in facts:
        del facts["file"]["hashes"]
    _add_on_request(facts, drive, node, wanted)
    if wanted.names(DOWNLOAD_URL) and _has_link(node):
        facts[DOWNLOAD_URL] = request.sign(f"/content/{drive.id}/{node.id}")
    if drive.quirks.delta_expands != "ignored":
        _expand(facts, drive, node, request, wanted)
    if told.stale:
        facts["name"], facts["size"], facts["eTag"] = f"earlier {node.name}", 0, facts["eTag"].replace(",", ",0")
    return wanted.of(facts, always=("id",))


def parent_reference(drive: Drive, node: Node) -> dict[str, Any]:
    told: dict[str, Any] = {"driveType": drive.kind, "driveId": drive.id, "siteId": drive.site.id}
    parent = node.parent
    if parent is not None:
        told["id"] = parent.id
        told["name"] = parent.name if parent.parent else drive.name
        path = _quoted(parent.path)
        told["path"] = f"/drives/{drive.id}/root:" + (f"/{path}" if path else "")
    return told


def list_item_json(drive: Drive, node: Node, wanted: Wish) -> dict[str, Any]:
    """The item as an entry of the library's list; its columns only where they are expanded."""
    told = {
        "id": str(node.number),
        "eTag": node.etag,
        "createdDateTime": spelled(node.created_at),
        "lastModifiedDateTime": spelled(node.modified_at),
        "createdBy": node.created_by.as_identity_set(),
        "lastModifiedBy": node.modified_by.as_identity_set(),
        "webUrl": _web_url(drive, node),
        "contentType": {"id": "0x0101" if node.kind == FILE else "0x0120", "name": "Document"},
        "parentReference": {"siteId": drive.site.id, "id": drive.list_id},
    }
    if "fields" in wanted.expand:
        told["fields"] = fields_json(drive, node, wanted.expand["fields"])
    return wanted.of(told)


def fields_json(drive: Drive, node: Node, wanted: Wish) -> dict[str, Any]:
    """The values of the item's columns; those that have none are not told."""
    told: dict[str, Any] = {
        "@odata.etag": node.etag,
        "id": str(node.number),
        "FileLeafRef": node.name,
        "Created": spelled(node.created_at),
        "Modified": spelled(node.modified_at),
        "_UIVersionString": f"{node.content_revision}.0",
    }
    if node.label is not None:
        told["_ComplianceTag"] = node.label.name
    known = {each.name for each in drive.columns}
    fields = node.traits.fields if node.traits else {}
    told |= {name: value for name, value in fields.items() if name in known and value is not None}
    return wanted.of(told)


def check_expand(wanted: Wish) -> None:
    """Raises Problem 400 for what an item has no relation to."""
    for name in wanted.expand:
        if name not in _EXPANDABLE:
            raise Problem(400, "BadRequest", "Parsing OData Select and Expand failed.")


def _has_link(node: Node) -> bool:
    """Whether there is content that the service gives out."""
    withheld = node.traits is not None and (node.traits.malware or node.traits.never_checked_in)
    return node.kind == FILE and not withheld


def _facts(drive: Drive, node: Node) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": node.id,
        "name": node.name,
        "eTag": node.etag,
        "cTag": node.ctag,
        "createdDateTime": spelled(node.created_at),
        "lastModifiedDateTime": spelled(node.modified_at),
        "createdBy": node.created_by.as_identity_set(),
        "lastModifiedBy": node.modified_by.as_identity_set(),
        "fileSystemInfo": {
            "createdDateTime": spelled(node.created_at),
            "lastModifiedDateTime": spelled(node.modified_at),
        },
        "size": node.size,
        "webUrl": _web_url(drive, node),
        "parentReference": parent_reference(drive, node),
    }
    told |= _facets(drive, node)
    return told


def _facets(drive: Drive, node: Node) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if node.kind == FILE:
        file: dict[str, Any] = {"mimeType": _mime_type(node.name)}
        if drive.quirks.hashes:
            file["hashes"] = {"quickXorHash": node.hash}
        told["file"] = file
    elif node.kind == PACKAGE:
        told["package"] = {"type": "oneNote"}
    elif node.kind == SHORTCUT:
        told["remoteItem"] = _remote(node)
    else:
        told["folder"] = {"childCount": len(node.children or ())}
    if node.parent is None:
        told["root"] = {}
    traits = node.traits
    if traits is not None:
        if traits.malware:
            told["malware"] = {"description": "Virus:DOS/EICAR_Test_File"}
        if traits.permissions is not None and node.parent is not None:
            told["shared"] = {"scope": _shared_scope(node)}
    return told


def _shared_scope(node: Node) -> str:
    scopes = {_SCOPE_OF_SHARED[each.scope] for each in node.special.permissions or []}
    return next((scope for scope in ("anonymous", "organization") if scope in scopes), "users")


def _remote(node: Node) -> dict[str, Any]:
    remote = node.special.remote
    assert remote is not None
    told: dict[str, Any] = {
        "id": remote.id,
        "name": remote.name,
        "size": remote.size,
        "parentReference": {"driveId": node.special.remote_drive, "driveType": "documentLibrary"},
    }
    if remote.is_folder:
        told["folder"] = {"childCount": len(remote.children or ())}
    else:
        told["file"] = {"mimeType": _mime_type(remote.name)}
    return told


def _deleted(drive: Drive, node: Node) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": node.id,
        "size": 0,
        "deleted": {"state": "deleted"},
        "parentReference": {"driveType": drive.kind, "driveId": drive.id, "siteId": drive.site.id},
    }
    if node.parent is not None:
        told["parentReference"]["id"] = node.parent.id
    told["file" if node.kind == FILE else "folder"] = {}
    return told


def _add_on_request(told: dict[str, Any], drive: Drive, node: Node, wanted: Wish) -> None:
    """What is told only to those who name it."""
    if wanted.names("publication"):
        told["publication"] = _publication(node)
    if wanted.names("webDavUrl"):
        told["webDavUrl"] = _web_url(drive, node)
    if wanted.names("sharepointIds"):
        told["sharepointIds"] = {
            "listId": drive.list_id,
            "listItemId": str(node.number),
            "listItemUniqueId": node.unique_id.lower(),
            "siteId": drive.site.collection_id,
            "siteUrl": drive.site.web_url,
            "tenantId": drive.tenant.id,
            "webId": drive.site.web_id,
        }


def _publication(node: Node) -> dict[str, Any]:
    traits = node.traits
    if traits is None or traits.checked_out_by is None:
        return {"level": "published", "versionId": f"{node.content_revision}.0"}
    version = "0.1" if traits.never_checked_in else f"{node.content_revision}.0"
    return {"level": "checkout", "versionId": version, "checkedOutBy": traits.checked_out_by.as_identity_set()}


def _expand(told: dict[str, Any], drive: Drive, node: Node, request: Request, wanted: Wish) -> None:
    if "retentionLabel" in wanted.expand and node.label is not None:
        label = node.label.as_json(drive.quirks.kept_may_be_deleted)
        told["retentionLabel"] = wanted.expand["retentionLabel"].of(label)
    if "listItem" in wanted.expand:
        told["listItem"] = list_item_json(drive, node, wanted.expand["listItem"])
    if "children" in wanted.expand:
        inner = wanted.expand["children"]
        told["children"] = [item_json(drive, child, request, inner) for child in (node.children or {}).values()]


def _web_url(drive: Drive, node: Node) -> str:
    if node.parent is None:
        return drive.web_url
    folder = _quoted(node.parent.path)
    return "/".join(filter(None, (drive.web_url, folder, urllib.parse.quote(node.name))))


@lru_cache(maxsize=4096)
def _quoted(path: str) -> str:
    return urllib.parse.quote(path)


def _mime_type(name: str) -> str:
    return _mime_type_of(name.rpartition(".")[2].lower() if "." in name else "")


@lru_cache(maxsize=256)
def _mime_type_of(suffix: str) -> str:
    return mimetypes.guess_type(f"name.{suffix}")[0] or "application/octet-stream"
