"""Who may reach an item of the emulated drives: permissions of its own, or those of the folder it lies in."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.emulator.people import Person, person

if TYPE_CHECKING:
    from tests.emulator.drive_nodes import Node

_LINK_ROLES = {"read": "view", "write": "edit", "owner": "edit"}


@dataclass(frozen=True, slots=True)
class Permission:
    """A grant to one person or group, or a sharing link (`scope` is its scope; empty: no link)."""

    id: str
    role: str
    person: Person | None = None
    group: str = ""
    scope: str = ""
    people: tuple[Person, ...] = ()  # whom a link was sent to
    is_external: bool = False

    def as_json(self, inherited_from: dict[str, Any] | None) -> dict[str, Any]:
        told: dict[str, Any] = {"id": self.id, "roles": [self.role], "shareId": f"u!{self.id}"}
        if inherited_from is not None:
            told["inheritedFrom"] = inherited_from
        if self.scope:
            told["link"] = {
                "scope": self.scope,
                "type": _LINK_ROLES[self.role],
                "webUrl": f"https://contoso.sharepoint.com/:t:/g/{self.id}",
                "preventsDownload": False,
            }
            told["grantedToIdentitiesV2"] = [_grantee(each) for each in self.people]
            told["hasPassword"] = False
        elif self.person is not None:
            told["grantedToV2"] = _grantee(self.person)
            told["grantedTo"] = {"user": {"id": self.person.id, "displayName": self.person.shown}}
            if self.is_external:
                told["invitation"] = {"email": self.person.address, "signInRequired": True}
        else:
            group = {"id": self.id, "displayName": self.group, "loginName": self.group}
            told["grantedToV2"] = {"siteGroup": group}
        return told


def to_person(address: str, role: str, domain: str) -> Permission:
    """A direct grant; external where the address is of another domain than the tenant's."""
    return Permission(
        base64.urlsafe_b64encode(f"i:0#.f|membership|{address}".encode()).decode().rstrip("="),
        role,
        person(address),
        is_external=address.rpartition("@")[2].lower() != domain,
    )


def to_group(name: str, role: str) -> Permission:
    return Permission(base64.urlsafe_b64encode(name.encode()).decode().rstrip("="), role, group=name)


def sharing(scope: str, to: tuple[str, ...], role: str, domain: str) -> Permission:
    """A link of that scope; with the scope `people` a direct grant to the one address in `to`."""
    if scope == "people":
        return to_person(to[0], role, domain)
    outside = any(each.rpartition("@")[2].lower() != domain for each in to)
    return Permission(
        str(uuid.uuid4()), role, scope=scope, people=tuple(person(each) for each in to), is_external=outside
    )


def effective(node: Node) -> list[Permission]:
    """The permissions that hold for the item."""
    return list(holder(node).special.permissions or [])


def holder(node: Node) -> Node:
    """The item itself or the nearest folder above it that has permissions of its own."""
    return next(
        each for each in (node, *node.above()) if each.traits is not None and each.traits.permissions is not None
    )


def invited(node: Node, addresses: list[str], role: str, keep_inherited: bool, domain: str) -> list[Permission]:
    """Grants the role to those people; the item has permissions of its own from then on, without `keep_inherited` none
    but these. Gives the new ones."""
    granted = [to_person(each, role, domain) for each in addresses]
    new = {each.id for each in granted}
    before = [each for each in effective(node) if each.id not in new] if keep_inherited else []
    node.special.permissions = [*before, *granted]
    return granted


def withdrawn(node: Node, id: str) -> bool:
    """Takes that permission from the item; False if the item has none of that id of its own."""
    own = node.traits.permissions if node.traits else None
    kept = [each for each in own or [] if each.id != id]
    if own is None or len(kept) == len(own):
        return False
    node.special.permissions = kept
    return True


def _grantee(who: Person) -> dict[str, Any]:
    login = f"i:0#.f|membership|{who.address}"
    return {
        "user": {"id": who.id, "displayName": who.shown},
        "siteUser": {"id": who.id, "displayName": who.shown, "loginName": login},
    }
