"""Who may reach what at the emulator: permissions of items, and roles of applications."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.microsoft365.plain_client import PlainClient
from tests.emulator import Emulator
from tests.emulator.drive_items import Drive


@pytest.fixture
def graph() -> Iterator[Emulator]:
    with Emulator() as started:
        yield started


@pytest.fixture
def drive(graph: Emulator) -> Drive:
    return graph.tenant.add_site("HR", path="/sites/hr").add_library("Documents")


@pytest.fixture
def client(graph: Emulator) -> Iterator[PlainClient]:
    made = PlainClient(graph, graph.tenant.add_app(roles={"Sites.FullControl.All"}))
    yield made
    made.close()


def path(drive: Drive, item: str) -> str:
    return f"/drives/{drive.id}/items/{item}"


def test_an_item_has_the_permissions_of_its_folder(client: PlainClient, drive: Drive) -> None:
    id = drive.put("Staff/a.txt")
    told = client.all(path(drive, id) + "/permissions")
    assert [each["grantedToV2"]["siteGroup"]["displayName"] for each in told] == [
        "HR Owners",
        "HR Members",
        "HR Visitors",
    ]
    assert all(each["inheritedFrom"]["id"] == drive.root_id for each in told)
    assert "shared" not in client.get(path(drive, id))


@pytest.mark.parametrize(
    ("scope", "to", "facet"),
    [
        ("anonymous", (), "anonymous"),
        ("organization", (), "organization"),
        ("users", ("guest@elsewhere.example",), "users"),
        ("people", ("guest@elsewhere.example",), "users"),
    ],
)
def test_sharing_is_told(client: PlainClient, drive: Drive, scope: str, to: tuple[str, ...], facet: str) -> None:
    id = drive.put("a.txt")
    shared = drive.share(id, scope, to=to)
    assert client.get(path(drive, id))["shared"]["scope"] == facet
    [told] = [each for each in client.all(path(drive, id) + "/permissions") if each["id"] == shared]
    assert "inheritedFrom" not in told
    if scope == "people":
        assert told["invitation"]["email"] == "guest@elsewhere.example"
    else:
        assert told["link"]["scope"] == scope


def test_of_several_links_the_widest_is_told(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt")
    for scope, told in (("users", "users"), ("organization", "organization"), ("anonymous", "anonymous")):
        drive.share(id, scope)
        assert client.get(path(drive, id))["shared"]["scope"] == told


def test_an_invitation_without_what_was_inherited_leaves_only_those_invited(client: PlainClient, drive: Drive) -> None:
    id, inside = drive.folder("Quarantine"), drive.put("Quarantine/a.txt")
    invitation = {
        "recipients": [{"email": "officer@contoso.example"}],
        "roles": ["write"],
        "requireSignIn": True,
        "sendInvitation": False,
        "retainInheritedPermissions": False,
    }
    client.post(path(drive, id) + "/invite", invitation)
    for each in (id, inside):
        [told] = client.all(path(drive, each) + "/permissions")
        assert told["roles"] == ["write"]
        assert told["grantedToV2"]["siteUser"]["loginName"].endswith("officer@contoso.example")
    assert drive.is_shared_alone(id)
    assert not drive.is_shared_alone(inside)


def test_an_invitation_otherwise_adds_to_what_there_was(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt")
    client.post(path(drive, id) + "/invite", {"recipients": [{"email": "bob@contoso.example"}], "roles": ["read"]})
    assert len(drive.permissions_of(id)) == 4


def test_an_invitation_for_nobody_that_could_be_found_is_refused(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt")
    client.post(path(drive, id) + "/invite", {"recipients": [{"email": "nobody"}], "roles": ["read"]}, 400)


def test_a_permission_can_be_withdrawn_where_it_was_given(client: PlainClient, drive: Drive) -> None:
    id = drive.put("Staff/a.txt")
    link = drive.share(id)
    client.delete(path(drive, id) + f"/permissions/{link}")
    assert link not in [each.id for each in drive.permissions_of(id)]
    client.delete(path(drive, id) + f"/permissions/{link}", 404)
    inherited = drive.put("b.txt")
    client.delete(path(drive, inherited) + f"/permissions/{drive.permissions_of(inherited)[0].id}", 400)


def test_what_is_moved_into_a_restricted_folder_has_its_permissions(client: PlainClient, drive: Drive) -> None:
    folder, id = drive.folder("Quarantine"), drive.put("a.txt")
    drive.restrict(folder, "officer@contoso.example")
    client.patch(path(drive, id), {"parentReference": {"id": folder}})
    assert [each.person.address for each in drive.permissions_of(id) if each.person] == ["officer@contoso.example"]


# Roles


@pytest.mark.parametrize(
    ("method", "below", "body", "role", "status"),
    [
        ("GET", "", None, "Files.Read.All", 200),
        ("GET", "", None, "User.Read.All", 403),
        ("GET", "/permissions", None, "Sites.Read.All", 200),
        ("PATCH", "", {"name": "b.txt"}, "Sites.Read.All", 403),
        ("PATCH", "", {"name": "b.txt"}, "Sites.ReadWrite.All", 200),
        ("DELETE", "", None, "Files.Read.All", 403),
        ("DELETE", "", None, "Files.ReadWrite.All", 204),
        ("POST", "/permanentDelete", None, "Sites.Read.All", 403),
        ("POST", "/permanentDelete", None, "Sites.ReadWrite.All", 204),
    ],
)
def test_every_route_wants_one_of_its_roles(
    graph: Emulator, drive: Drive, method: str, below: str, body: object, role: str, status: int
) -> None:
    client = PlainClient(graph, graph.tenant.add_app(roles={role}))
    answer = client.ask(method, path(drive, drive.put("a.txt")) + below, body)
    assert answer.status_code == status
    client.close()


def test_a_grant_for_one_site_opens_that_site_only(graph: Emulator, drive: Drive) -> None:
    app = graph.tenant.add_app(roles={"Sites.Selected"})
    other = graph.tenant.add_site("Sales").add_library("Documents")
    graph.tenant.grant(app, drive.site, "read")
    client = PlainClient(graph, app)
    id = drive.put("a.txt")
    client.get(path(drive, id))
    client.get(path(other, other.put("a.txt")), 403)
    client.delete(path(drive, id), 403)
    graph.tenant.grant(app, drive.site, "write")
    client.delete(path(drive, id))
    graph.tenant.withdraw(app, drive.site)
    client.get(f"/drives/{drive.id}/root", 403)
    client.close()
