"""Routes about who may reach an item: reading, inviting, withdrawing."""

from __future__ import annotations

from tests.emulator.addressing import granted, item_of, one_at_a_time
from tests.emulator.drive_answers import parent_reference
from tests.emulator.drive_items import Drive
from tests.emulator.drive_nodes import Node
from tests.emulator.http import Problem, Reply, Request, Routes
from tests.emulator.permissions import effective, holder, invited, withdrawn
from tests.emulator.refusals import Act, not_found, refuse_by_item
from tests.emulator.roles import READ_FILES, WRITE_FILES
from tests.emulator.tenant import Tenant

_COST = 5
_ROLES = {"read", "write", "owner"}


def routes(tenant: Tenant) -> Routes:
    """Permissions of items."""
    table = Routes()
    table.granted = granted(tenant)

    @table.get("/drives/{drive}/items/{item}/permissions", cost=_COST, roles=READ_FILES, selected="read")
    @one_at_a_time(tenant)
    def permissions(request: Request) -> Reply:
        drive, node = item_of(tenant, request)
        origin = holder(node)
        inherited = None if origin is node else _reference(drive, origin)
        return Reply(200, {"value": [each.as_json(inherited) for each in effective(node)]})

    @table.post("/drives/{drive}/items/{item}/invite", cost=_COST, roles=WRITE_FILES, selected="owner")
    @one_at_a_time(tenant)
    def invite(request: Request) -> Reply:
        drive, node = item_of(tenant, request, writing=True)
        asked = request.json
        addresses = [each.get("email", "") for each in asked.get("recipients", [])]
        roles = asked.get("roles", [])
        if not addresses or len(roles) != 1 or roles[0] not in _ROLES or not all("@" in each for each in addresses):
            raise Problem(400, "invalidRequest", "Recipients and one role are required.")
        refuse_by_item(drive, node, request, Act.SHARE)
        keep = asked.get("retainInheritedPermissions", True)
        new = invited(node, addresses, roles[0], keep, tenant.domain)
        drive.bump(node)
        return Reply(200, {"value": [each.as_json(None) for each in new]})

    @table.delete(
        "/drives/{drive}/items/{item}/permissions/{permission}", cost=_COST, roles=WRITE_FILES, selected="owner"
    )
    @one_at_a_time(tenant)
    def withdraw(request: Request) -> Reply:
        drive, node = item_of(tenant, request, writing=True)
        id = request.params["permission"]
        if holder(node) is not node and any(each.id == id for each in effective(node)):
            raise Problem(400, "invalidRequest", "Inherited permissions cannot be removed here.")
        if not withdrawn(node, id):
            raise not_found()
        drive.bump(node)
        return Reply(204)

    return table


def _reference(drive: Drive, node: Node) -> dict[str, str]:
    told = {"driveId": drive.id, "id": node.id}
    return told if node.parent is None else {**parent_reference(drive, node), **told}
