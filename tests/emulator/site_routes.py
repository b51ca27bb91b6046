"""Routes to sites, their lists and recycle bins, and to people and their OneDrives."""

from __future__ import annotations

from typing import Any

from tests.emulator.addressing import granted, one_at_a_time, page_size, paged, site_of, wish_of
from tests.emulator.drive_items import Drive
from tests.emulator.drive_routes import drive_json
from tests.emulator.http import Problem, Reply, Request, Routes
from tests.emulator.moments import spelled
from tests.emulator.refusals import not_found, refuse_by_site
from tests.emulator.roles import FULL_CONTROL, READ_FILES, READ_ORGANIZATION, READ_SITES, READ_USERS
from tests.emulator.site_delta import answer as site_delta
from tests.emulator.site_json import site_json, stamp
from tests.emulator.tenant import Tenant, User

_READ = {"roles": READ_SITES, "selected": "read"}
_SITES_PER_PAGE = 100
_USERS_PER_PAGE = 100


def routes(tenant: Tenant) -> Routes:
    """Everything under /sites and /users but mail."""
    table = Routes()
    table.granted = granted(tenant)
    _hang_sites(table, tenant)
    _hang_below_sites(table, tenant)
    _hang_grants(table, tenant)
    _hang_users(table, tenant)
    _hang_one_drives(table, tenant)
    return table


def _hang_sites(table: Routes, tenant: Tenant) -> None:
    @table.get("/sites/getAllSites", cost=2, roles=READ_SITES)
    @one_at_a_time(tenant)
    def all_sites(request: Request) -> Reply:
        return _listed(request, list(tenant.sites()), _SITES_PER_PAGE, lambda each: site_json(each, request))

    @table.get("/sites/delta", cost=1, roles=READ_SITES)
    @one_at_a_time(tenant)
    def delta(request: Request) -> Reply:
        return site_delta(tenant, request)

    @table.get("/sites", cost=2, roles=READ_SITES)
    @one_at_a_time(tenant)
    def search(request: Request) -> Reply:
        wanted = request.query.get("search", "").strip("*").lower()
        found = [each for each in tenant.sites() if wanted in each.name.lower()]
        return _listed(request, found, _SITES_PER_PAGE, lambda each: site_json(each, request))

    @table.get("/sites/{site}", cost=1, **_READ)
    @one_at_a_time(tenant)
    def site(request: Request) -> Reply:
        return Reply(200, site_json(site_of(tenant, request), request))

    @table.get("/sites/{host}:/{path...}", cost=1, **_READ)
    @one_at_a_time(tenant)
    def by_path(request: Request) -> Reply:
        site = tenant.site_at(request.params["host"], request.params["path"].rstrip(":"))
        if site is None:
            raise not_found()
        refuse_by_site(site, writing=False)
        return Reply(200, site_json(site, request))


def _hang_below_sites(table: Routes, tenant: Tenant) -> None:
    @table.get("/sites/{site}/sites", cost=2, **_READ)
    @one_at_a_time(tenant)
    def below(request: Request) -> Reply:
        sites = [each for each in site_of(tenant, request).sites if each.state != "deleted"]
        return _listed(request, sites, _SITES_PER_PAGE, lambda each: site_json(each, request))

    @table.get("/sites/{site}/drives", cost=2, **_READ)
    @one_at_a_time(tenant)
    def drives(request: Request) -> Reply:
        site = site_of(tenant, request)
        with_hidden = wish_of(request).names("system")
        shown = [each for each in site.drives if _is_library(each) and (with_hidden or not each.hidden)]
        return _listed(request, shown, _SITES_PER_PAGE, lambda each: drive_json(each, wish_of(request)))

    @table.get("/sites/{site}/drive", cost=1, **_READ)
    @one_at_a_time(tenant)
    def drive(request: Request) -> Reply:
        libraries = [each for each in site_of(tenant, request).drives if not each.hidden]
        if not libraries:
            raise not_found()
        return Reply(200, drive_json(libraries[0], wish_of(request)))

    @table.get("/sites/{site}/lists", cost=2, **_READ)
    @one_at_a_time(tenant)
    def lists(request: Request) -> Reply:
        site = site_of(tenant, request)
        with_hidden = wish_of(request).names("system")
        shown = [each for each in site.drives if with_hidden or not each.hidden]
        return _listed(request, shown, _SITES_PER_PAGE, lambda each: _list_json(each, request))

    @table.get("/sites/{site}/lists/{list}/columns", cost=2, **_READ)
    @one_at_a_time(tenant)
    def columns(request: Request) -> Reply:
        site = site_of(tenant, request)
        drive = next((each for each in site.drives if request.params["list"] in (each.list_id, each.name)), None)
        if drive is None:
            raise not_found()
        return _listed(request, list(drive.columns), 200, lambda each: wish_of(request).of(each.as_json()))

    @table.get("/sites/{site}/recycleBin/items", cost=2, **_READ)
    @one_at_a_time(tenant)
    def recycled(request: Request) -> Reply:
        items = site_of(tenant, request).recycle_bin.items(stage=1)
        return _listed(request, items, 200, lambda each: wish_of(request).of(_recycled_json(tenant, each)))


def _recycled_json(tenant: Tenant, each: Any) -> dict[str, Any]:
    drive = tenant.drive(each.drive_id)
    place = f"{drive.name}/{each.folder}".rstrip("/") if drive else each.folder
    return {
        "id": each.id,
        "name": each.name,
        "size": each.size,
        "deletedDateTime": spelled(each.deleted_at),
        "deletedFromLocation": place,
    }


def _hang_grants(table: Routes, tenant: Tenant) -> None:
    @table.get("/sites/{site}/permissions", cost=5, roles=FULL_CONTROL)
    @one_at_a_time(tenant)
    def grants(request: Request) -> Reply:
        site = site_of(tenant, request)
        told = [_grant_json(client, access) for client, access in tenant.grants_of(site).items()]
        return _listed(request, told, 100, lambda each: each)

    @table.post("/sites/{site}/permissions", cost=5, roles=FULL_CONTROL)
    @one_at_a_time(tenant)
    def grant(request: Request) -> Reply:
        site = site_of(tenant, request, writing=True)
        client, access = _asked_grant(request)
        app = tenant.app_of(client)
        if app is None:
            raise Problem(400, "invalidRequest", "There is no such application.")
        tenant.grant(app, site, access)
        return Reply(201, _grant_json(client, access))


def _asked_grant(request: Request) -> tuple[str, str]:
    try:
        access = request.json["roles"][0]
        identities = request.json.get("grantedToIdentitiesV2") or request.json["grantedToIdentities"]
        client = identities[0]["application"]["id"]
    except (KeyError, IndexError, TypeError):
        raise Problem(400, "invalidRequest", "One role and one application are required.") from None
    if access not in ("read", "write", "owner", "fullcontrol"):
        raise Problem(400, "invalidRequest", "There is no such role.")
    return client, access


def _grant_json(client: str, access: str) -> dict[str, Any]:
    identity = {"application": {"id": client, "displayName": "Retention"}}
    return {"id": f"aTowaS50fG1zLnNwLmV4dHw{client}", "roles": [access], "grantedToIdentitiesV2": [identity]}


def _hang_users(table: Routes, tenant: Tenant) -> None:
    @table.get("/users", cost=2, roles=READ_USERS, workload="directory")
    @one_at_a_time(tenant)
    def users(request: Request) -> Reply:
        people = list(tenant.users.values())
        return _listed(request, people, _USERS_PER_PAGE, lambda each: wish_of(request).of(_user_json(each)))

    @table.get("/users/{user}", roles=READ_USERS, workload="directory")
    @one_at_a_time(tenant)
    def user(request: Request) -> Reply:
        return Reply(200, wish_of(request).of(_user_json(_user(tenant, request))))

    @table.get("/organization", roles=READ_ORGANIZATION, workload="directory")
    def organization(request: Request) -> Reply:
        domains = [{"name": tenant.domain, "isDefault": True, "isInitial": True}]
        return Reply(200, {"value": [{"id": tenant.id, "displayName": "Contoso", "verifiedDomains": domains}]})


def _hang_one_drives(table: Routes, tenant: Tenant) -> None:
    @table.get("/users/{user}/drive", cost=1, roles=READ_FILES)
    @one_at_a_time(tenant)
    def drive(request: Request) -> Reply:
        return Reply(200, drive_json(_one_drive(tenant, request), wish_of(request)))

    @table.get("/users/{user}/drives", cost=2, roles=READ_FILES)
    @one_at_a_time(tenant)
    def drives(request: Request) -> Reply:
        return Reply(200, {"value": [drive_json(_one_drive(tenant, request), wish_of(request))]})


def _one_drive(tenant: Tenant, request: Request) -> Drive:
    user = _user(tenant, request)
    if not user.has_drive:
        raise Problem(404, "ResourceNotFound", "User's mysite not found.")
    refuse_by_site(user.drive.site, writing=False)
    return user.drive


def _user(tenant: Tenant, request: Request) -> User:
    user = tenant.user(request.params["user"])
    if user is None:
        raise Problem(404, "Request_ResourceNotFound", "Resource does not exist.")
    return user


def _user_json(user: User) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": user.id,
        "displayName": user.shown,
        "userPrincipalName": user.address,
        "mail": user.address if user.has_mailbox else None,
        "accountEnabled": user.enabled,
        "userType": "Member",
    }
    return told


def _is_library(drive: Drive) -> bool:
    return drive.template != "genericList"


def _list_json(drive: Drive, request: Request) -> dict[str, Any]:
    told = {
        "id": drive.list_id,
        "name": drive.name,
        "displayName": drive.name,
        "webUrl": drive.web_url,
        **stamp(drive.created_at),
        "list": {"template": drive.template, "hidden": drive.hidden, "contentTypesEnabled": False},
    }
    wanted = wish_of(request)
    if wanted.names("system") and drive.hidden:
        told["system"] = {}
    if "drive" in wanted.expand:
        told["drive"] = drive_json(drive, wanted.expand["drive"])
    return wanted.of(told)


def _listed(request: Request, found: list[Any], size: int, tell: Any) -> Reply:
    part, link = paged(request, page_size(request, size), len(found))
    return Reply(200, {"value": [tell(each) for each in found[part]], **link})
