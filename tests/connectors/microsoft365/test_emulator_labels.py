"""Retention labels at the emulator: who may set them, and what they forbid."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.microsoft365.plain_client import PlainClient, code_of
from tests.emulator import Emulator
from tests.emulator.drive_items import Drive

BEHAVIOURS = ["doNotRetain", "retain", "retainAsRecord", "retainAsRegulatoryRecord", "unknownFutureValue"]


@pytest.fixture
def graph() -> Iterator[Emulator]:
    with Emulator() as started:
        yield started


@pytest.fixture
def drive(graph: Emulator) -> Drive:
    return graph.tenant.add_site("HR").add_library("Documents")


@pytest.fixture
def client(graph: Emulator) -> Iterator[PlainClient]:
    made = PlainClient(graph, graph.tenant.add_app(roles={"Sites.FullControl.All"}))
    yield made
    made.close()


def path(drive: Drive, item: str) -> str:
    return f"/drives/{drive.id}/items/{item}"


def test_a_label_is_set_for_the_first_time_and_again(client: PlainClient, graph: Emulator, drive: Drive) -> None:
    graph.tenant.add_retention_label("Keep")
    graph.tenant.add_retention_label("Keep longer")
    label = path(drive, drive.put("a.txt")) + "/retentionLabel"
    assert client.get(label) == {}
    drive.quirks.no_label_is_not_found = True
    client.get(label, 404)
    assert client.patch(label, {"name": "Keep"}, 201)["isLabelAppliedExplicitly"] is True
    assert client.patch(label, {"name": "Keep longer"}, 200)["name"] == "Keep longer"
    assert code_of(client.patch(label, {"name": "Nothing"}, 400)) == "invalidRequest"
    client.delete(label)
    client.delete(label, 404)


def test_setting_a_label_changes_the_etag_once(client: PlainClient, graph: Emulator, drive: Drive) -> None:
    graph.tenant.add_retention_label("Keep")
    id = drive.put("a.txt")
    etags = []
    for _ in range(2):
        etags.append(client.get(path(drive, id))["eTag"])
        client.ask("PATCH", path(drive, id) + "/retentionLabel", {"name": "Keep"})
    etags.append(client.get(path(drive, id))["eTag"])
    assert etags[0] != etags[1] == etags[2]


@pytest.mark.parametrize(
    ("behaviour", "allowed"),
    [
        ("doNotRetain", {"Delete", "ContentUpdate", "MetadataUpdate", "LabelUpdate"}),
        ("retain", {"ContentUpdate", "MetadataUpdate", "LabelUpdate"}),
        ("retainAsRecord", {"MetadataUpdate", "LabelUpdate"}),
        ("retainAsRegulatoryRecord", set()),
    ],
)
def test_what_a_label_allows_follows_from_its_behaviour(
    client: PlainClient, graph: Emulator, drive: Drive, behaviour: str, allowed: set[str]
) -> None:
    graph.tenant.add_retention_label("Keep", behaviour)
    id = drive.put("a.txt")
    drive.label(id, "Keep")
    settings = client.get(path(drive, id) + "/retentionLabel")["retentionSettings"]
    assert settings["behaviorDuringRetentionPeriod"] == behaviour
    assert {name[2:-7] for name, value in settings.items() if name.endswith("Allowed") and value} == allowed
    assert settings["isRecordLocked"] == behaviour.endswith("Record")


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_what_is_retained_cannot_be_deleted(client: PlainClient, graph: Emulator, drive: Drive, behaviour: str) -> None:
    graph.tenant.add_retention_label("Keep", behaviour)
    id = drive.put("Staff/a.txt")
    drive.label(id, "Keep")
    kept = behaviour in BEHAVIOURS[1:4]
    client.delete(path(drive, drive.id_of("Staff")), 403 if kept else 204)
    client.delete(path(drive, id), 403 if kept else 404)


def test_where_the_tenant_allows_it_a_retained_file_leaves_a_copy(
    client: PlainClient, graph: Emulator, drive: Drive
) -> None:
    drive.quirks.kept_may_be_deleted = True
    graph.tenant.add_retention_label("Keep", "retain")
    id = drive.put("a.txt", b"one")
    drive.label(id, "Keep")
    assert client.get(path(drive, id) + "/retentionLabel")["retentionSettings"]["isDeleteAllowed"] is True
    client.delete(path(drive, id))
    assert [each.item_id for each in drive.site.preservation_hold] == [id]


def test_a_record_does_not_move_or_change_its_name_until_it_is_unlocked(
    client: PlainClient, graph: Emulator, drive: Drive
) -> None:
    graph.tenant.add_retention_label("Record", "retainAsRecord")
    id, folder = drive.put("a.txt"), drive.folder("Staff")
    drive.label(id, "Record")
    told = client.patch(path(drive, id), {"name": "b.txt"}, 403)
    assert "a record" in told["error"]["message"]
    client.patch(path(drive, id), {"parentReference": {"id": folder}}, 403)
    drive.quirks.records_move = True
    client.patch(path(drive, id), {"parentReference": {"id": folder}})
    label = path(drive, id) + "/retentionLabel"
    told = client.patch(label, {"retentionSettings": {"isRecordLocked": False}})
    assert told["retentionSettings"]["isRecordLocked"] is False
    assert told["retentionSettings"]["isContentUpdateAllowed"] is True
    client.patch(path(drive, id), {"name": "b.txt"})
    client.delete(path(drive, id), 403)
    client.patch(label, {"retentionSettings": {"isRecordLocked": True}})
    client.patch(path(drive, id), {"name": "c.txt"}, 403)


def test_a_regulatory_record_lets_nothing_be_changed(client: PlainClient, graph: Emulator, drive: Drive) -> None:
    graph.tenant.add_retention_label("Regulatory", "retainAsRegulatoryRecord")
    graph.tenant.add_retention_label("Keep")
    id = drive.put("a.txt")
    drive.label(id, "Regulatory")
    client.patch(path(drive, id) + "/listItem/fields", {"Title": "x"}, 403)
    client.patch(path(drive, id) + "/retentionLabel", {"name": "Keep"}, 403)
    client.patch(path(drive, id) + "/retentionLabel", {"retentionSettings": {"isRecordLocked": False}}, 400)


def test_only_a_person_takes_the_label_from_a_record(client: PlainClient, graph: Emulator, drive: Drive) -> None:
    graph.tenant.add_retention_label("Record", "retainAsRecord")
    id = drive.put("a.txt")
    drive.label(id, "Record")
    client.delete(path(drive, id) + "/retentionLabel", 403)
    app = graph.tenant.add_app(scopes={"Sites.FullControl.All"})
    signed_in = PlainClient(graph, app, delegated=True)
    signed_in.delete(path(drive, id) + "/retentionLabel")
    signed_in.close()


def test_records_need_more_rights_than_other_labels(graph: Emulator, drive: Drive) -> None:
    graph.tenant.add_retention_label("Record", "retainAsRecord")
    graph.tenant.add_retention_label("Keep")
    client = PlainClient(graph, graph.tenant.add_app(roles={"Sites.ReadWrite.All"}))
    label = path(drive, drive.put("a.txt")) + "/retentionLabel"
    client.patch(label, {"name": "Record"}, 403)
    client.patch(label, {"name": "Keep"}, 201)
    drive.label(drive.id_of("a.txt"), "Record")
    client.patch(label, {"retentionSettings": {"isRecordLocked": False}}, 403)
    client.close()


def test_a_folders_label_goes_to_what_is_in_it_and_comes_there(
    client: PlainClient, graph: Emulator, drive: Drive
) -> None:
    graph.tenant.add_retention_label("Keep")
    graph.tenant.add_retention_label("Own", "doNotRetain")
    inside, own = drive.put("Staff/a.txt"), drive.put("Staff/own.txt")
    drive.label(own, "Own")
    client.patch(path(drive, drive.id_of("Staff")) + "/retentionLabel", {"name": "Keep"}, 201)
    later, moved = drive.put("Staff/later.txt"), drive.put("moved.txt")
    drive.move(moved, "Staff/moved.txt")
    told = {id: client.get(path(drive, id) + "/retentionLabel") for id in (inside, own, later, moved)}
    assert [each["name"] for each in told.values()] == ["Keep", "Own", "Keep", "Keep"]
    assert [each["isLabelAppliedExplicitly"] for each in told.values()] == [False, True, False, False]


def test_sensitivity_labels_are_told_to_who_has_the_file_looked_into(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.docx")
    assert client.post(path(drive, id) + "/extractSensitivityLabels") == {"labels": []}
    drive.sensitivity(id, "5feba255-812e-446a-ac59-a7044ef827b5")
    [told] = client.post(path(drive, id) + "/extractSensitivityLabels")["labels"]
    assert told["sensitivityLabelId"] == "5feba255-812e-446a-ac59-a7044ef827b5"
