"""The change feed of the tenant's sites."""

from __future__ import annotations

import base64
import json
from itertools import islice

from tests.emulator.addressing import page_size
from tests.emulator.http import Problem, Reply, Request
from tests.emulator.site_json import site_json
from tests.emulator.tenant import Tenant

_SITES_PER_PAGE = 100
_LATEST = "latest"


def answer(tenant: Tenant, request: Request) -> Reply:
    """A page of sites that are new, changed or deleted since the token; all of them where there is none."""
    place, is_whole = _read(tenant, request)
    size = page_size(request, _SITES_PER_PAGE)
    changed = [site for site in tenant.site_log.since(place) if not (is_whole and site.state == "deleted")]
    told = list(islice(changed, size))
    is_last = len(changed) <= size
    place = len(tenant.site_log) if is_last else changed[size].told
    token = _token(tenant, place, is_whole and not is_last)
    name = "@odata.deltaLink" if is_last else "@odata.nextLink"
    value = [
        {"id": site.id, "@removed": {"reason": "deleted"}} if site.state == "deleted" else site_json(site, request)
        for site in told
    ]
    return Reply(200, {"value": value, name: request.link("/sites/delta", {"token": token})})


def _read(tenant: Tenant, request: Request) -> tuple[int, bool]:
    token = request.query.get("token")
    if not token:
        return 0, True
    if token == _LATEST:
        return len(tenant.site_log), False
    try:
        epoch, place, is_whole = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, TypeError):
        raise Problem(400, "invalidRequest", "The token is not valid.") from None
    if epoch != tenant.site_epoch:
        location = request.link("/sites/delta", {"token": _token(tenant, 0, True)})
        raise Problem(410, "resyncRequired", "Resync required.", None, {"Location": location})
    return place, is_whole


def _token(tenant: Tenant, place: int, is_whole: bool) -> str:
    return base64.urlsafe_b64encode(json.dumps([tenant.site_epoch, place, is_whole]).encode()).decode()
