"""Sites of the emulated tenant as Microsoft Graph tells them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.emulator.addressing import wish_of
from tests.emulator.http import Request
from tests.emulator.moments import spelled
from tests.emulator.tenant import Site


def site_json(site: Site, request: Request) -> dict[str, Any]:
    """The site; what it is the topmost of its collection for is told only there."""
    told: dict[str, Any] = {
        "id": site.id,
        "name": site.path.rpartition("/")[2],
        "displayName": site.name,
        "webUrl": site.web_url,
        "isPersonalSite": site.is_personal,
        **stamp(site.created_at),
        "siteCollection": _collection(site),
    }
    if site.parent is None:
        told["root"] = {}
    wanted = wish_of(request)
    if wanted.names("sharepointIds"):
        told["sharepointIds"] = {"siteId": site.collection_id, "webId": site.web_id, "siteUrl": site.web_url}
    return wanted.of(told)


def stamp(moment: datetime) -> dict[str, str]:
    return {"createdDateTime": spelled(moment), "lastModifiedDateTime": spelled(moment)}


def _collection(site: Site) -> dict[str, Any]:
    told: dict[str, Any] = {"hostname": site.host, "dataLocationCode": site.data_location}
    if site.state == "archived":
        told["archivalDetails"] = {"archiveStatus": "fullyArchived"}
    return told
