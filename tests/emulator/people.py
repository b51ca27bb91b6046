"""Who did something in the emulated tenant, as Microsoft Graph names people and applications."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who creates, changes or is given items: by address, with the name that is shown."""

    address: str
    shown: str
    id: str
    is_app: bool = False

    def as_identity_set(self) -> dict[str, Any]:
        identity = {"id": self.id, "displayName": self.shown}
        if self.is_app:
            return {"application": identity, "user": {"displayName": "SharePoint App"}}
        return {"user": identity}


def person(address: str) -> Person:
    """The person of that address; "ann.lee@contoso.example" is shown as Ann Lee."""
    if address == SYSTEM:
        return Person(SYSTEM, "System Account", str(uuid.uuid5(uuid.NAMESPACE_DNS, SYSTEM)))
    shown = address.partition("@")[0].replace(".", " ").title()
    return Person(address, shown, str(uuid.uuid5(uuid.NAMESPACE_DNS, address.lower())))


def application(client_id: str) -> Person:
    return Person(client_id, "Retention", client_id, is_app=True)
