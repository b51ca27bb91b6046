"""From the path of a request to the drive, item or site it is about."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from tests.emulator.drive_items import Drive
from tests.emulator.drive_nodes import Node
from tests.emulator.http import Handler, Problem, Reply, Request
from tests.emulator.odata import Wish, wish
from tests.emulator.refusals import not_found, refuse_by_site
from tests.emulator.tenant import Site, Tenant

MOST_PER_PAGE = 999


def one_at_a_time(tenant: Tenant) -> Callable[[Handler], Handler]:
    """Answers a request while nothing else in the tenant changes."""

    def wrap(handler: Handler) -> Handler:
        @wraps(handler)
        def answer(request: Request) -> Reply:
            with tenant.lock:
                return handler(request)

        return answer

    return wrap


def drive_of(tenant: Tenant, request: Request, *, writing: bool = False) -> Drive:
    """The drive in the path. Raises 404, or what its site refuses."""
    drive = tenant.drive(request.params["drive"])
    if drive is None:
        raise not_found()
    refuse_by_site(drive.site, writing=writing)
    return drive


def item_of(tenant: Tenant, request: Request, *, writing: bool = False) -> tuple[Drive, Node]:
    """The item in the path, with its drive."""
    drive = drive_of(tenant, request, writing=writing)
    node = drive.node(request.params.get("item", "root"))
    if node is None:
        raise not_found()
    return drive, node


def site_of(tenant: Tenant, request: Request, *, writing: bool = False) -> Site:
    """The site in the path."""
    site = tenant.site(request.params["site"])
    if site is None:
        raise not_found()
    refuse_by_site(site, writing=writing)
    return site


def wish_of(request: Request) -> Wish:
    return wish(request.query.get("$select"), request.query.get("$expand"))


def page_size(request: Request, default: int) -> int:
    """$top. Raises 400 where that is no number of entries."""
    text = request.query.get("$top", str(default))
    if not text.isdigit() or int(text) < 1:
        raise Problem(400, "invalidRequest", "The $top parameter is not valid.")
    return min(int(text), MOST_PER_PAGE)


def paged(request: Request, size: int, count: int) -> tuple[slice, dict[str, str]]:
    """Which entries of a list belong on this page, with the link to the next, if there is one."""
    token = request.query.get("$skiptoken", "0")
    if not token.isdigit():
        raise Problem(400, "invalidRequest", "The skip token is not valid.")
    start = int(token)
    following = {**request.query, "$skiptoken": str(start + size)}
    link = {"@odata.nextLink": request.link(request.path, following)} if start + size < count else {}
    return slice(start, start + size), link


def granted(tenant: Tenant) -> Callable[[Request, str], bool]:
    """Whether an application that has Sites.Selected was let into the site that the request is about."""

    def check(request: Request, access: str) -> bool:
        if request.app is None:
            return False
        params = request.params
        drive = tenant.drive(params["drive"]) if "drive" in params else None
        site = drive.site if drive else tenant.site(params.get("site", ""))
        if site is None and "host" in params:
            site = tenant.site_at(params["host"], params.get("path", ""))
        return site is not None and tenant.lets_in(request.app, site, access)

    return check
