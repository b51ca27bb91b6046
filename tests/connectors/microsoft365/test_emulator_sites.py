"""The emulator's sites, people and catalogues are what the documentation says of real ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.microsoft365.plain_client import PlainClient, code_of
from tests.emulator import Emulator
from tests.emulator.tenant import Site


@pytest.fixture
def graph() -> Iterator[Emulator]:
    with Emulator() as started:
        yield started


@pytest.fixture
def hr(graph: Emulator) -> Site:
    return graph.tenant.add_site("HR", path="/sites/hr")


@pytest.fixture
def client(graph: Emulator) -> Iterator[PlainClient]:
    roles = {"Sites.FullControl.All", "User.Read.All", "RecordsManagement.Read.All"}
    made = PlainClient(graph, graph.tenant.add_app(roles=roles))
    yield made
    made.close()


def test_all_sites_are_told_with_where_their_data_lies(client: PlainClient, graph: Emulator, hr: Site) -> None:
    payroll = hr.add_site("Payroll")
    graph.tenant.add_site("Paris", data_location="FRA")
    graph.tenant.add_user("ann@contoso.example")
    told = {each["displayName"]: each for each in client.all("/sites/getAllSites?$top=2")}
    assert list(told) == ["HR", "Payroll", "Paris", "Ann"]
    assert told["Paris"]["siteCollection"]["dataLocationCode"] == "FRA"
    assert told["Ann"]["isPersonalSite"] is True
    assert told["HR"]["webUrl"] == "https://contoso.sharepoint.com/sites/hr"
    assert told["HR"]["id"] == hr.id
    assert hr.id.startswith("contoso.sharepoint.com,")
    assert "root" in told["HR"]
    assert "root" not in told["Payroll"]
    assert [each["id"] for each in client.all(f"/sites/{hr.id}/sites")] == [payroll.id]


def test_a_site_is_found_by_its_path(client: PlainClient, hr: Site) -> None:
    assert client.get("/sites/contoso.sharepoint.com:/sites/hr")["id"] == hr.id
    payroll = hr.add_site("Payroll")
    assert client.get("/sites/contoso.sharepoint.com:/sites/hr/payroll")["id"] == payroll.id
    client.get("/sites/contoso.sharepoint.com:/sites/nothing", 404)
    client.get("/sites/contoso.sharepoint.com,1,2", 404)
    assert [each["id"] for each in client.all("/sites?search=hr")] == [hr.id]


def test_libraries_are_told_and_hidden_ones_on_request(client: PlainClient, hr: Site) -> None:
    documents = hr.add_library("Documents")
    hr.add_system_libraries()
    shown = client.all(f"/sites/{hr.id}/drives")
    assert [each["name"] for each in shown] == ["Documents", "Site Assets", "Style Library"]
    assert shown[0]["id"] == documents.id
    assert shown[0]["driveType"] == "documentLibrary"
    hidden = client.all(f"/sites/{hr.id}/drives?$select=id,name,system")
    assert "Form Templates" in [each["name"] for each in hidden]
    assert client.get(f"/sites/{hr.id}/drive")["id"] == documents.id
    client.get(f"/sites/{hr.add_site('Empty').id}/drive", 404)
    lists = client.all(f"/sites/{hr.id}/lists?$select=name,list,system&$expand=drive")
    assert {each["name"]: each["list"]["template"] for each in lists}["Preservation Hold Library"] == "genericList"
    assert lists[0]["drive"]["id"] == documents.id


def test_a_library_that_was_removed_is_not_found(client: PlainClient, hr: Site) -> None:
    drive = hr.add_library("Documents")
    hr.remove_library(drive)
    assert client.all(f"/sites/{hr.id}/drives") == []
    client.get(f"/drives/{drive.id}/root/delta", 404)


def test_the_columns_of_a_library_are_told(client: PlainClient, hr: Site) -> None:
    drive = hr.add_library("Documents")
    drive.columns.add("Class", "choice", required=True, choices=("A", "B"))
    told = {each["name"]: each for each in client.all(f"/sites/{hr.id}/lists/{drive.list_id}/columns")}
    assert told["Class"]["choice"] == {"choices": ["A", "B"]}
    assert told["Class"]["required"] is True
    assert told["_ComplianceTag"]["readOnly"] is True
    drive.columns.remove("Class")
    assert "Class" not in [each["name"] for each in client.all(f"/sites/{hr.id}/lists/{drive.list_id}/columns")]
    client.get(f"/sites/{hr.id}/lists/nothing/columns", 404)


def test_a_person_has_a_onedrive_once_it_was_opened(client: PlainClient, graph: Emulator) -> None:
    ann = graph.tenant.add_user("ann@contoso.example", mailbox=False)
    bob = graph.tenant.add_user("bob@contoso.example", drive=False, mailbox=False)
    told = client.get(f"/users/{ann.id}/drive")
    assert (told["id"], told["driveType"]) == (ann.drive.id, "business")
    assert told["owner"]["user"]["id"] == ann.id
    assert client.all(f"/users/{ann.address}/drives")[0]["id"] == ann.drive.id
    answer = client.get(f"/users/{bob.id}/drive", 404)
    assert code_of(answer) == "ResourceNotFound"
    assert "mysite" in answer["error"]["message"]
    assert not bob.has_drive
    bob.provision_drive("DEU")
    assert client.get(f"/users/{bob.id}/drive")["id"] == bob.drive.id
    client.get("/users/nobody/drive", 404)


def test_people_are_told_in_pages(client: PlainClient, graph: Emulator) -> None:
    for name in ("ann", "bob", "cid"):
        graph.tenant.add_user(f"{name}@contoso.example", drive=False, mailbox=name == "ann")
    told = client.all("/users?$select=userPrincipalName,mail&$top=2")
    assert [each["mail"] for each in told] == ["ann@contoso.example", None, None]
    cid = graph.tenant.user("cid@contoso.example")
    assert cid is not None
    assert client.get(f"/users/{cid.address}")["id"] == cid.id
    graph.tenant.remove_user(cid)
    client.get(f"/users/{cid.id}", 404)


def test_the_organisation_is_told(client: PlainClient, graph: Emulator) -> None:
    assert client.get("/organization")["value"][0]["id"] == graph.tenant.id


def test_the_catalogue_of_labels_is_told(client: PlainClient, graph: Emulator) -> None:
    keep = graph.tenant.add_retention_label("Keep 7 years", "retain")
    graph.tenant.add_retention_label("Free", "doNotRetain")
    told = client.all("/security/labels/retentionLabels?$top=1")
    assert [each["displayName"] for each in told] == ["Keep 7 years", "Free"]
    assert client.get(f"/security/labels/retentionLabels/{keep.id}")["behaviorDuringRetentionPeriod"] == "retain"
    client.get("/security/labels/retentionLabels/nothing", 404)


def test_changes_of_sites_are_told(client: PlainClient, graph: Emulator, hr: Site) -> None:
    sales = graph.tenant.add_site("Sales")
    pages = list(client.pages("/sites/delta?$top=1"))
    assert [each["id"] for page in pages for each in page["value"]] == [hr.id, sales.id]
    link = pages[-1]["@odata.deltaLink"]
    assert client.get(link)["value"] == []
    hr.rename("People")
    sales.become("deleted")
    changed = client.get(link)
    assert [each["id"] for each in changed["value"]] == [hr.id, sales.id]
    assert changed["value"][1]["@removed"] == {"reason": "deleted"}
    assert [each["displayName"] for each in client.get("/sites/delta")["value"]] == ["People"]
    assert client.get("/sites/delta?token=latest")["value"] == []
    client.get("/sites/delta?token=nonsense", 400)


def test_old_links_to_changes_of_sites_are_gone(client: PlainClient, graph: Emulator, hr: Site) -> None:
    link = client.get("/sites/delta")["@odata.deltaLink"]
    graph.tenant.site_epoch += 1
    answer = client.ask("GET", link)
    assert (answer.status_code, code_of(answer.json())) == (410, "resyncRequired")
    assert [each["id"] for each in client.get(answer.headers["Location"])["value"]] == [hr.id]


def test_an_archived_site_says_so_where_it_is_listed(client: PlainClient, hr: Site) -> None:
    hr.become("archived")
    [told] = client.all("/sites/getAllSites")
    assert told["siteCollection"]["archivalDetails"]["archiveStatus"] == "fullyArchived"
    hr.become("deleted")
    assert client.all("/sites/getAllSites") == []


def test_grants_for_single_sites_can_be_given_and_read(client: PlainClient, graph: Emulator, hr: Site) -> None:
    app = graph.tenant.add_app(roles={"Sites.Selected"})
    selected = PlainClient(graph, app)
    drive = hr.add_library("Documents")
    selected.get(f"/sites/{hr.id}", 403)
    grant = {"roles": ["read"], "grantedToIdentities": [{"application": {"id": app.client_id, "displayName": "x"}}]}
    client.post(f"/sites/{hr.id}/permissions", grant, 201)
    nobody = {"roles": ["read"], "grantedToIdentities": [{"application": {"id": "nobody", "displayName": "x"}}]}
    client.post(f"/sites/{hr.id}/permissions", nobody, 400)
    [told] = client.all(f"/sites/{hr.id}/permissions")
    assert told["roles"] == ["read"]
    selected.get(f"/sites/{hr.id}")
    selected.get("/sites/contoso.sharepoint.com:/sites/hr")
    selected.get(f"/drives/{drive.id}/root/delta")
    selected.get("/sites/getAllSites", 403)
    selected.get("/users", 403)
    selected.close()


def test_a_batch_is_many_calls_in_one(client: PlainClient, hr: Site) -> None:
    drive = hr.add_library("Documents")
    id = drive.put("a.txt")
    item = f"/drives/{drive.id}/items/{id}"
    calls = [
        {"id": "1", "method": "GET", "url": f"{item}?$select=id"},
        {"id": "2", "method": "GET", "url": f"/drives/{drive.id}/items/01NOTHING"},
        {"id": "3", "method": "DELETE", "url": item, "dependsOn": ["2"]},
        {
            "id": "4",
            "method": "PATCH",
            "url": item,
            "body": {"name": "b.txt"},
            "headers": {"Content-Type": "application/json"},
        },
    ]
    answers = {each["id"]: each for each in client.post("/$batch", {"requests": calls})["responses"]}
    assert [answers[each]["status"] for each in "1234"] == [200, 404, 424, 200]
    assert answers["1"]["body"] == {"id": id}
    assert drive.path_of(id) == "b.txt"


def test_a_batch_wants_different_ids(client: PlainClient, hr: Site) -> None:
    calls = [{"id": "1", "method": "GET", "url": f"/sites/{hr.id}"}] * 2
    client.post("/$batch", {"requests": calls}, 400)


def test_items_are_found_by_path_too(client: PlainClient, hr: Site) -> None:
    drive = hr.add_library("Documents")
    id = drive.put("Staff/a#b%25.txt", b"one")
    assert client.get(f"/drives/{drive.id}/root:/Staff/a%23b%2525.txt")["id"] == id
    assert client.get(f"/drives/{drive.id}/root:/Staff:/children")["value"][0]["id"] == id
    assert client.get(f"/drives/{drive.id}/items/{drive.root_id}:/Staff:")["id"] == drive.id_of("Staff")
    client.get(f"/drives/{drive.id}/root:/Nothing", 404)
