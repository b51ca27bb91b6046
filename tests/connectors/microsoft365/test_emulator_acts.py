"""The emulator lets items be changed as the documentation says, and refuses what has been seen to be refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.connectors.microsoft365.plain_client import PlainClient, code_of
from tests.emulator import Emulator
from tests.emulator.drive_items import Drive

CONFLICT = "@microsoft.graph.conflictBehavior"
DAY = 24 * 3600


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


# Moving and renaming


def test_a_move_keeps_the_id_and_the_content(client: PlainClient, drive: Drive) -> None:
    id, folder = drive.put("a.txt", b"one"), drive.folder("Staff")
    before = client.get(path(drive, id))
    after = client.patch(path(drive, id), {"parentReference": {"id": folder}, "name": "b.txt"})
    assert drive.path_of(id) == "Staff/b.txt"
    assert drive.content(id) == b"one"
    assert after["eTag"] != before["eTag"]
    assert after["cTag"] == before["cTag"]
    assert after["lastModifiedBy"]["application"]["id"] == client.app.client_id


def test_a_name_may_change_in_case_alone(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt")
    client.patch(path(drive, id), {"name": "A.TXT"})
    assert drive.path_of(id) == "A.TXT"


@pytest.mark.parametrize("taken", ["b.txt", "B.TXT"])
def test_a_taken_name_is_a_conflict(client: PlainClient, drive: Drive, taken: str) -> None:
    id = drive.put("a.txt")
    drive.put("b.txt")
    assert code_of(client.patch(path(drive, id), {"name": taken}, 409)) == "nameAlreadyExists"
    assert drive.path_of(id) == "a.txt"


def test_the_caller_may_ask_for_another_name_or_for_replacing(client: PlainClient, drive: Drive) -> None:
    a, b = drive.put("a.txt"), drive.put("b.txt")
    drive.put("b 1.txt")
    told = client.patch(path(drive, a) + f"?{CONFLICT}=rename", {"name": "b.txt"})
    assert told["name"] == "b 2.txt"
    client.patch(path(drive, a) + f"?{CONFLICT}=replace", {"name": "b.txt"})
    assert drive.path_of(a) == "b.txt"
    assert drive.path_of(b) is None


@pytest.mark.parametrize("name", ['a"b', "a*b", "a:b", "a<b", "a?b", "a|b", "a/b", " a", "a ", "", "x" * 256])
def test_names_that_there_cannot_be_are_refused(client: PlainClient, drive: Drive, name: str) -> None:
    id = drive.put("a.txt")
    client.patch(path(drive, id), {"name": name}, 400)
    assert drive.path_of(id) == "a.txt"


def test_paths_have_a_longest_length(client: PlainClient, drive: Drive) -> None:
    folder = drive.folder("/".join(["x" * 99] * 3))
    id = drive.put("a.txt")
    client.patch(path(drive, id), {"parentReference": {"id": folder}, "name": "y" * 100})
    assert len(drive.path_of(id) or "") == 400
    client.patch(path(drive, id), {"name": "y" * 101}, 400)


def test_a_folder_does_not_go_into_itself_nor_an_item_into_a_file(client: PlainClient, drive: Drive) -> None:
    inner = drive.folder("A/B")
    client.patch(path(drive, drive.id_of("A")), {"parentReference": {"id": inner}}, 400)
    client.patch(path(drive, inner), {"parentReference": {"id": drive.put("a.txt")}}, 400)
    client.patch(path(drive, inner), {"parentReference": {"id": "01NOTHING"}}, 404)
    client.patch(path(drive, drive.root_id), {"name": "other"}, 400)


def test_a_condition_that_is_not_met_stops_everything(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt")
    etag = client.get(path(drive, id))["eTag"]
    drive.put("a.txt", b"newer")
    for method, below, body in [
        ("PATCH", "", {"name": "b.txt"}),
        ("DELETE", "", None),
        ("PATCH", "/listItem/fields", {"Title": "x"}),
    ]:
        answer = client.ask(method, path(drive, id) + below, body, If_Match=etag)
        assert (answer.status_code, code_of(answer.json())) == (412, "resourceModified")
    assert drive.path_of(id) == "a.txt"
    now = client.get(path(drive, id))["eTag"]
    client.patch(path(drive, id), {"name": "b.txt"}, If_Match=now)
    client.delete(path(drive, id), If_Match="*")


def test_a_service_that_ignores_conditions_can_be_had(client: PlainClient, drive: Drive) -> None:
    drive.quirks.delete_ignores_condition = True
    client.delete(path(drive, drive.put("a.txt")), If_Match='"{OLD},1"')
    drive.quirks.conditions = False
    client.patch(path(drive, drive.put("b.txt")), {"name": "c.txt"}, If_Match='"{OLD},1"')


def test_a_move_may_cost_label_and_sharing(client: PlainClient, graph: Emulator, drive: Drive) -> None:
    graph.tenant.add_retention_label("Keep")
    id, folder = drive.put("a.txt"), drive.folder("Staff")
    drive.label(id, "Keep")
    drive.share(id)
    client.patch(path(drive, id), {"parentReference": {"id": folder}})
    assert drive.label_of(id) is not None
    assert drive.is_shared_alone(id)
    drive.quirks.moves_drop_labels = drive.quirks.moves_drop_sharing = True
    client.patch(path(drive, id), {"parentReference": {"id": drive.root_id}})
    assert drive.label_of(id) is None
    assert not drive.is_shared_alone(id)


@pytest.fixture
def unchecked() -> Iterator[PlainClient]:
    """For answers that are not in the description, because the documentation calls them unsupported."""
    with Emulator(check=False) as graph:
        made = PlainClient(graph, graph.tenant.add_app(roles={"Sites.FullControl.All"}))
        yield made
        made.close()


def test_a_move_to_another_drive_must_not_be_waited_for(unchecked: PlainClient) -> None:
    site = unchecked.graph.tenant.add_site("HR")
    drive, other = site.add_library("Documents"), site.add_library("Other")
    id = drive.put("a.txt", b"one")
    body = {"parentReference": {"driveId": other.id, "id": other.root_id}}
    told = unchecked.patch(path(drive, id), body, 400)
    assert "async" in told["error"]["message"]
    answer = unchecked.ask("PATCH", path(drive, id), body, Prefer="respond-async")
    assert answer.status_code == 202
    monitor = unchecked.download(answer.headers["Location"]).json()
    assert monitor["status"] == "completed"
    assert other.content(monitor["resourceId"]) == b"one"
    assert monitor["resourceId"] != id
    assert drive.path_of(id) is None
    folder = path(drive, drive.folder("Staff"))
    unchecked.patch(folder, body, 400, Prefer="respond-async")
    unchecked.patch(folder, {"parentReference": {"driveId": "b!nothing"}}, 404)


def test_moves_inside_a_drive_may_be_answered_before_they_are_told(unchecked: PlainClient) -> None:
    drive = unchecked.graph.tenant.add_site("HR").add_library("Documents")
    drive.quirks.async_moves = True
    id, folder = drive.put("a.txt"), drive.folder("Staff")
    unchecked.patch(path(drive, id), {"parentReference": {"id": folder}}, 202, Prefer="respond-async")
    assert drive.path_of(id) == "Staff/a.txt"


def test_folders_can_be_made(client: PlainClient, drive: Drive) -> None:
    children = path(drive, drive.root_id) + "/children"
    made = client.post(children, {"name": "Staff", "folder": {}, CONFLICT: "fail"}, 201)
    assert drive.path_of(made["id"]) == "Staff"
    assert code_of(client.post(children, {"name": "staff", "folder": {}, CONFLICT: "fail"}, 409)) == "nameAlreadyExists"
    assert client.post(children, {"name": "Staff", "folder": {}, CONFLICT: "rename"}, 201)["name"] == "Staff 1"
    assert client.post(children, {"name": "Staff", "folder": {}, CONFLICT: "replace"}, 201)["id"] == made["id"]


# Deleting


def test_deleting_goes_to_the_recycle_bin_for_93_days(client: PlainClient, graph: Emulator, drive: Drive) -> None:
    id = drive.put("Staff/a.txt", b"one")
    client.delete(path(drive, id))
    client.delete(path(drive, id), 404)
    [told] = client.all(f"/sites/{drive.site.id}/recycleBin/items")
    assert (told["name"], told["size"], told["deletedFromLocation"]) == ("a.txt", 3, "Documents/Staff")
    graph.clock.advance(92 * DAY)
    assert drive.site.recycle_bin.of(id) is not None
    graph.clock.advance(2 * DAY)
    assert drive.site.recycle_bin.of(id) is None


def test_an_emptied_recycle_bin_leaves_a_second_stage(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt")
    client.delete(path(drive, id))
    drive.site.recycle_bin.empty()
    assert client.all(f"/sites/{drive.site.id}/recycleBin/items") == []
    assert [each.item_id for each in drive.site.recycle_bin.items(stage=2)] == [id]
    drive.restore(id)
    assert drive.path_of(id) == "a.txt"
    drive.remove(id)
    drive.site.recycle_bin.empty()
    drive.site.recycle_bin.empty()
    assert drive.site.recycle_bin.items() == []


def test_deleting_permanently_leaves_nothing_behind(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt")
    client.post(path(drive, id) + "/permanentDelete", None, 204)
    assert drive.path_of(id) is None
    assert drive.site.recycle_bin.items() == []
    assert drive.site.preservation_hold == []
    client.post(path(drive, id) + "/permanentDelete", None, 404)


def test_a_person_too_can_delete_for_good(drive: Drive) -> None:
    id = drive.put("a.txt")
    drive.purge(id)
    assert drive.path_of(id) is None
    assert drive.site.recycle_bin.items() == []


def test_the_root_cannot_be_deleted(client: PlainClient, drive: Drive) -> None:
    client.delete(path(drive, drive.root_id), 400)


def test_graph_restores_nothing_here(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt")
    drive.remove(id)
    assert code_of(client.post(path(drive, id) + "/restore", {}, 501)) == "notSupported"


@pytest.mark.parametrize("permanently", [False, True])
def test_a_retention_policy_keeps_a_copy_of_what_is_deleted(
    client: PlainClient, drive: Drive, permanently: bool
) -> None:
    drive.site.retention_policy = True
    id = drive.put("Staff/a.txt", b"one")
    if permanently:
        client.post(path(drive, id) + "/permanentDelete", None, 204)
    else:
        client.delete(path(drive, drive.id_of("Staff")))
    [kept] = drive.site.preservation_hold
    assert (kept.item_id, b"".join(kept.content.pieces())) == (id, b"one")


# Locks, check-outs, holds


@pytest.mark.parametrize("code", ["resourceLocked", "accessDenied"])
def test_what_somebody_has_open_can_be_read_and_not_changed(client: PlainClient, drive: Drive, code: str) -> None:
    id = drive.put("Staff/a.txt")
    drive.lock(id, code)
    client.get(path(drive, id))
    assert code_of(client.patch(path(drive, id), {"name": "b.txt"}, 423)) == code
    client.delete(path(drive, id), 423)
    client.delete(path(drive, drive.id_of("Staff")), 423)
    client.post(path(drive, id) + "/permanentDelete", None, 423)
    drive.unlock(id)
    client.delete(path(drive, id))


def test_a_shared_lock_can_be_passed_by_who_asks_for_it(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt")
    drive.lock(id)
    client.delete(path(drive, id), Prefer="bypass-shared-lock")


def test_what_somebody_has_checked_out_cannot_be_changed(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt")
    drive.check_out(id, by="bob@contoso.example")
    told = client.patch(path(drive, id), {"name": "b.txt"}, 423)
    assert "checked out" in told["error"]["message"]
    client.delete(path(drive, id), 423)
    client.post(path(drive, id) + "/checkout", None, 423)
    drive.check_in(id)
    client.delete(path(drive, id))


def test_who_checked_out_may_go_on(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt")
    client.post(path(drive, id) + "/checkout", None, 204)
    client.patch(path(drive, id), {"name": "b.txt"})
    client.post(path(drive, id) + "/checkin", {"comment": "done"}, 204)
    client.post(path(drive, id) + "/discardCheckout", None, 400)
    client.post(path(drive, drive.folder("Staff")) + "/checkout", None, 400)


def test_a_hold_is_told_by_nothing_but_its_refusal(client: PlainClient, drive: Drive) -> None:
    id = drive.put("Staff/a.txt")
    drive.hold(id)
    for answer in (client.delete(path(drive, id), 403), client.post(path(drive, id) + "/permanentDelete", None, 403)):
        assert code_of(answer) == "accessDenied"
        assert "on hold" in answer["error"]["message"]
    client.delete(path(drive, drive.id_of("Staff")), 403)
    client.patch(path(drive, id), {"name": "b.txt"})
    drive.release(id)
    client.delete(path(drive, id))


def test_a_folder_with_something_held_in_it_may_answer_with_a_fault(client: PlainClient, drive: Drive) -> None:
    drive.quirks.folder_hold_is_a_fault = True
    drive.hold(drive.put("Staff/a.txt"))
    told = client.delete(path(drive, drive.id_of("Staff")), 500)
    assert code_of(told) == "-2130575223, Microsoft.SharePoint.SPException"
    assert drive.path_of(drive.id_of("Staff/a.txt"))


# Columns


def test_columns_can_be_written_and_read(client: PlainClient, drive: Drive) -> None:
    drive.columns.add("Class", "choice", choices=("A", "B"))
    drive.columns.add("Due", "dateTime")
    id = drive.put("a.txt")
    before = client.get(path(drive, id))
    client.patch(path(drive, id) + "/listItem/fields", {"Class": "A", "Title": "Letter"})
    assert drive.fields_of(id) == {"Class": "A", "Title": "Letter"}
    told = client.get(path(drive, id) + "/listItem?$expand=fields")["fields"]
    assert (told["Class"], told["FileLeafRef"]) == ("A", "a.txt")
    assert client.get(path(drive, id) + "/listItem/fields?$select=Class")["Class"] == "A"
    after = client.get(path(drive, id))
    assert after["eTag"] != before["eTag"]
    assert after["file"] == before["file"]


@pytest.mark.parametrize(
    "fields",
    [
        {"Nothing": "x"},
        {"_ComplianceTag": "Keep"},
        {"Class": "C"},
        {"Class": None},
        {"Number": "one"},
        {"Number": True},
    ],
)
def test_columns_take_only_what_belongs_there(client: PlainClient, drive: Drive, fields: dict[str, Any]) -> None:
    drive.columns.add("Class", "choice", choices=("A", "B"), required=True)
    drive.columns.add("Number", "number")
    id = drive.put("a.txt")
    drive.fields(id, Class="A")
    assert code_of(client.patch(path(drive, id) + "/listItem/fields", fields, 400)) == "invalidRequest"
    assert drive.fields_of(id) == {"Class": "A"}


def test_a_required_column_that_is_empty_stops_every_other(client: PlainClient, drive: Drive) -> None:
    drive.columns.add("Class", required=True)
    id = drive.put("a.txt")
    client.patch(path(drive, id) + "/listItem/fields", {"Title": "x"}, 400)
    client.patch(path(drive, id) + "/listItem/fields", {"Title": "x", "Class": "A"})


def test_writing_columns_may_rewrite_an_office_file(client: PlainClient, drive: Drive) -> None:
    drive.quirks.office_rewrites = True
    letter, text = drive.put("letter.docx", b"PK"), drive.put("text.txt", b"PK")
    for id, changes in ((letter, True), (text, False)):
        before = client.get(path(drive, id))
        client.patch(path(drive, id) + "/listItem/fields", {"Title": "x"})
        after = client.get(path(drive, id))
        assert (after["file"] != before["file"]) == changes
        assert (after["size"] != before["size"]) == changes
        assert (after["cTag"] != before["cTag"]) == changes
        assert after["size"] == len(drive.content(id))


# The site


@pytest.mark.parametrize(("status", "code"), [(423, "resourceLocked"), (403, "accessDenied")])
def test_a_site_for_reading_only_refuses_every_change(
    client: PlainClient, drive: Drive, status: int, code: str
) -> None:
    id = drive.put("a.txt")
    drive.site.become("read_only", status=status, code=code)
    client.get(path(drive, id))
    assert code_of(client.delete(path(drive, id), status)) == code
    client.patch(path(drive, id), {"name": "b.txt"}, status)
    client.post(
        path(drive, id) + "/invite", {"recipients": [{"email": "a@contoso.example"}], "roles": ["read"]}, status
    )


@pytest.mark.parametrize(("state", "status"), [("locked", 423), ("archived", 423), ("deleted", 404)])
def test_a_site_that_is_closed_refuses_everything(client: PlainClient, drive: Drive, state: str, status: int) -> None:
    id = drive.put("a.txt")
    drive.site.become(state)
    client.get(path(drive, id), status)
    client.get(f"/drives/{drive.id}/root/delta", status)
    client.get(f"/sites/{drive.site.id}", status)
    drive.site.become("open")
    client.get(path(drive, id))
