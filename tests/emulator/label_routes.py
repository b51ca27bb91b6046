"""Routes about retention labels: those of items, and the tenant's catalogue of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.emulator.addressing import granted, item_of, one_at_a_time, page_size, paged, wish_of
from tests.emulator.drive_items import Drive
from tests.emulator.drive_nodes import Node
from tests.emulator.http import Problem, Reply, Request, Routes
from tests.emulator.labels import RECORD, AppliedLabel
from tests.emulator.people import application
from tests.emulator.refusals import Act, not_found, refuse_by_condition, refuse_by_item
from tests.emulator.roles import FULL_CONTROL, READ_FILES, READ_LABELS, WRITE_FILES
from tests.emulator.tenant import Tenant

_PATH = "/drives/{drive}/items/{item}/retentionLabel"


def routes(tenant: Tenant) -> Routes:
    """Retention labels."""
    table = Routes()
    table.granted = granted(tenant)
    _hang_items(table, tenant)
    _hang_catalogue(table, tenant)
    return table


def _hang_items(table: Routes, tenant: Tenant) -> None:
    @table.get(_PATH, cost=1, roles=READ_FILES, selected="read")
    @one_at_a_time(tenant)
    def read(request: Request) -> Reply:
        drive, node = item_of(tenant, request)
        return Reply(200, _told(drive, node))

    @table.post("/drives/{drive}/items/{item}/extractSensitivityLabels", cost=1, roles=READ_FILES, selected="read")
    @one_at_a_time(tenant)
    def extract(request: Request) -> Reply:
        _, node = item_of(tenant, request)
        id = node.traits.sensitivity if node.traits else ""
        found = {"sensitivityLabelId": id, "assignmentMethod": "standard", "tenantId": tenant.id}
        return Reply(200, {"labels": [found] if id else []})

    @table.patch(_PATH, cost=2, roles=WRITE_FILES, selected="write")
    @one_at_a_time(tenant)
    def change(request: Request) -> Reply:
        drive, node = item_of(tenant, request, writing=True)
        refuse_by_condition(drive, node, request)
        settings = request.json.get("retentionSettings")
        if settings is not None:
            _lock_record(drive, node, settings, request)
            return Reply(200, _told(drive, node))
        is_first = node.label is None
        _set(tenant, drive, node, request)
        return Reply(201 if is_first else 200, _told(drive, node))

    @table.delete(_PATH, cost=2, roles=WRITE_FILES, selected="write")
    @one_at_a_time(tenant)
    def remove(request: Request) -> Reply:
        drive, node = item_of(tenant, request, writing=True)
        refuse_by_condition(drive, node, request)
        label = node.label
        if label is None:
            raise not_found()
        if label.is_record and not request.delegated:
            raise Problem(403, "accessDenied", "Removing a record label needs a person who is signed in.")
        refuse_by_item(drive, node, request, Act.LABEL)
        drive.apply_label(node, None)
        return Reply(204)


def _set(tenant: Tenant, drive: Drive, node: Node, request: Request) -> None:
    name = request.json.get("name")
    label = tenant.labels.get(name) if isinstance(name, str) else None
    if label is None:
        raise Problem(400, "invalidRequest", "The retention label does not exist.")
    before = node.label
    refuse_by_item(drive, node, request, Act.LABEL)
    applied = AppliedLabel(label, application(request.app.client_id if request.app else ""), tenant.clock.now())
    if (applied.is_record or (before is not None and before.is_record)) and not request.roles & FULL_CONTROL:
        raise Problem(403, "accessDenied", "Labels of records need more than this application may do.")
    if before is None or before.name != name or not before.explicit:
        drive.apply_label(node, applied)


def _lock_record(drive: Drive, node: Node, settings: dict[str, Any], request: Request) -> None:
    label = node.label
    locked = settings.get("isRecordLocked")
    if label is None or label.label.behaviour != RECORD or not isinstance(locked, bool):
        raise Problem(400, "invalidRequest", "The item is no record that can be locked or unlocked.")
    if not request.roles & FULL_CONTROL:
        raise Problem(403, "accessDenied", "Locking and unlocking records needs more than this application may do.")
    node.special.label = replace(label, unlocked=not locked)
    drive.bump(node)


def _told(drive: Drive, node: Node) -> dict[str, Any]:
    """An item without a label answers with an empty object, or with 404, depending on the drive."""
    if node.label is not None:
        return node.label.as_json(drive.quirks.kept_may_be_deleted)
    if drive.quirks.no_label_is_not_found:
        raise not_found()
    return {}


def _hang_catalogue(table: Routes, tenant: Tenant) -> None:
    @table.get("/security/labels/retentionLabels", roles=READ_LABELS, workload="directory")
    @one_at_a_time(tenant)
    def labels(request: Request) -> Reply:
        told = [wish_of(request).of(each.as_json()) for each in tenant.labels.values()]
        part, link = paged(request, page_size(request, 100), len(told))
        return Reply(200, {"value": told[part], **link})

    @table.get("/security/labels/retentionLabels/{label}", roles=READ_LABELS, workload="directory")
    @one_at_a_time(tenant)
    def label(request: Request) -> Reply:
        found = next((each for each in tenant.labels.values() if each.id == request.params["label"]), None)
        if found is None:
            raise not_found()
        return Reply(200, wish_of(request).of(found.as_json()))
