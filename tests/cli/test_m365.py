"""`retentiond m365` says how we stand with a tenant, and tells no secret."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent import bootstrap
from agent.cli import m365_sign_in
from agent.tenancy.person import COMMAND_LINE_TOOLS
from connectors.microsoft365.device_code import DeviceCode
from tests.cli.tenant_desk import HR, SECRET, Ran, TenantDesk
from tests.emulator import Emulator, Fault

Person = Callable[..., Ran]
pytestmark = pytest.mark.loopback


@pytest.fixture
def graph() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def desk(
    graph: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> TenantDesk:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    return TenantDesk(graph, tmp_path, monkeypatch, capsys)


def test_all_is_well_where_the_reader_was_let_in(desk: TenantDesk) -> None:
    site = desk.graph.tenant.add_site("HR", path="/sites/hr")
    desk.graph.tenant.grant(desk.reader, site, "read")

    ran = desk.run("check")

    assert (ran.code, ran.err) == (0, "")
    for said in (
        "cloud global",
        "reader: signs in by certificate; rights: Sites.Selected; the certificate expires on ",
        "in 729 days",
        "writer: none, so that the tenant is only observed",
        "scan SharePoint        works          by Sites.Selected",
        "scan mail              not wanted",
        "unlock records         never",
        "Microsoft allows an app 1,250 resource units a minute and 1,200,000 a day; we spend at most 750 and 720,000.",
        "Everything that is wanted works.",
    ):
        assert said in ran.out
    assert "TOO MUCH" not in ran.out


def test_a_site_at_which_nobody_let_us_in_is_named(desk: TenantDesk) -> None:
    desk.graph.tenant.add_site("HR", path="/sites/hr")

    ran = desk.run("check")

    assert ran.code == 3
    assert f"site {HR}: the app is not allowed to read it (HTTP 403, accessDenied" in ran.out
    assert "scan SharePoint        does not work  reader: sites do not answer it" in ran.out


def test_rights_that_lack_and_rights_that_are_too_much_are_named(desk: TenantDesk) -> None:
    desk.reader.roles = {"Mail.ReadWrite"}
    desk.writer.roles = {"Sites.FullControl.All", "Mail.ReadWrite"}
    desk.with_writer(sites="all", onedrives="all")

    said = desk.said("check", code=3)["tenants"][0]

    assert not said["works"]
    lacking = {row["ability"]: row["lacking"] for row in said["abilities"] if row["standing"] == "fails"}
    assert lacking == {
        "scan_sites": ["Sites.Read.All"],
        "scan_onedrives": ["Sites.Read.All", "User.Read.All"],
        "read_labels": ["Sites.Read.All"],
    }
    assert said["too_much"] == [
        {"app": "reader", "right": "Mail.ReadWrite", "why": "changes"},
        {"app": "writer", "right": "Mail.ReadWrite", "why": "not_needed"},
    ]


def test_a_cloud_that_lacks_something_is_told(desk: TenantDesk) -> None:
    desk.graph.tenant.add_user("ann@contoso.example")
    desk.reader.roles, desk.writer.roles = {"Mail.Read"}, {"Mail.ReadWrite"}
    desk.with_writer(sites="none", mailboxes=["ann@contoso.example"], cloud="gcc_high")

    ran = desk.run("check")

    assert ran.code == 0
    assert "delete mail for good   in part        writer: in this cloud only into Recoverable Items" in ran.out


def test_a_secret_that_entra_refuses_is_told_and_never_shown(desk: TenantDesk) -> None:
    desk.with_writer()
    desk.writer.rotate_secret("another")
    desk.graph.tenant.grant(desk.reader, desk.graph.tenant.add_site("HR", path="/sites/hr"), "read")

    ran = desk.run("check")

    assert ran.code == 3
    assert "writer: cannot sign in by secret: the sign-in service refuses us (invalid_client" in ran.out
    assert "quarantine files       does not work  writer: this app cannot sign in (it needs Sites.Selected)" in ran.out
    assert "scan SharePoint        works" in ran.out
    assert SECRET not in ran.out + ran.err


def test_no_token_and_no_key_is_printed(desk: TenantDesk) -> None:
    desk.graph.tenant.add_site("HR", path="/sites/hr")
    desk.with_writer()

    ran = desk.run("check", "--json")

    tokens = {call.headers["Authorization"].removeprefix("Bearer ") for call in desk.graph.log if call.has_bearer}
    assert tokens
    for secret in (*tokens, SECRET, "PRIVATE KEY"):
        assert secret not in ran.out + ran.err


def test_a_key_that_others_may_read_is_refused(desk: TenantDesk, tmp_path: Path) -> None:
    (tmp_path / "reader.pem").chmod(0o644)

    ran = desk.run("check")

    assert ran.code == 3
    assert f"{tmp_path}/reader.pem: others may read this secret. Run: chmod 600 {tmp_path}/reader.pem" in ran.out
    assert desk.graph.log == []


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (725, "in 4 days: make a new one (retentiond init --m365 --new-certificate)"),
        (735, "THE CERTIFICATE EXPIRED on "),
    ],
)
def test_a_certificate_that_ends_soon_or_has_ended_is_told(
    desk: TenantDesk, monkeypatch: pytest.MonkeyPatch, days: int, said: str
) -> None:
    now = bootstrap.now()
    monkeypatch.setattr(bootstrap, "now", lambda: now + dt.timedelta(days=days))

    assert said in desk.run("check").out


def test_several_tenants_are_told_one_by_one(desk: TenantDesk) -> None:
    site = desk.graph.tenant.add_site("HR", path="/sites/hr")
    desk.graph.tenant.grant(desk.reader, site, "read")
    first = yaml.safe_load(desk.settings.read_text())["tenants"][0]
    desk.settings.write_text(yaml.safe_dump({"tenants": [first, first | {"name": "fabrikam", "sites": "all"}]}))

    said = desk.said("check", code=3)["tenants"]

    assert [(one["tenant"], one["works"]) for one in said] == [("contoso", True), ("fabrikam", False)]
    assert "Say which one:  --tenant NAME" in desk.run("sign-in").err
    assert desk.run("check", "--tenant", "contoso").code == 0


def test_a_tenant_that_does_not_answer_is_told(desk: TenantDesk) -> None:
    desk.graph.faults.add(Fault(host="login", path="/token", status=503, times=None))

    ran = desk.run("check")

    assert ran.code == 3
    assert "cannot sign in by certificate" in ran.out


def test_without_a_tenant_it_is_said_how_to_add_one(desk: TenantDesk) -> None:
    desk.settings.write_text("tenants: []\n")

    ran = desk.run("check")

    assert ran.code == 4
    assert "retentiond init --m365" in ran.err


def test_a_tenant_that_is_not_there_is_told_with_those_that_are(desk: TenantDesk) -> None:
    ran = desk.run("check", "--tenant", "fabrikam")

    assert (ran.code, "Known are: contoso." in ran.err) == (4, True)


def test_sites_are_listed_with_whether_they_are_looked_at(desk: TenantDesk) -> None:
    desk.reader.roles = {"Sites.Read.All"}
    desk.graph.tenant.add_site("HR", path="/sites/hr", data_location="GBR")
    desk.graph.tenant.add_site("Sales", path="/sites/sales", data_location="USA")

    listed = desk.said("sites")["sites"]

    assert [(one["url"], one["data_location"], one["looked_at"]) for one in listed] == [
        (HR, "GBR", True),
        ("https://contoso.sharepoint.com/sites/sales", "USA", False),
    ]
    assert re.search(r"sites/sales *│ Sales *│ USA *│ no", desk.run("sites").out)


def test_sites_that_do_not_answer_are_told_beside_the_others(desk: TenantDesk) -> None:
    desk.graph.tenant.grant(desk.reader, desk.graph.tenant.add_site("HR", path="/sites/hr"), "read")
    desk.write(sites=[HR, f"{HR}2"])

    ran = desk.run("sites")

    assert ran.code == 0
    assert f"{HR}2: the app is not allowed to read it (HTTP 403" in ran.out


def test_where_no_site_can_be_listed_it_is_said_why(desk: TenantDesk) -> None:
    desk.write(sites="all")

    ran = desk.run("sites")

    assert ran.code == 5
    assert "contoso: the app is not allowed to read it (HTTP 403" in ran.err
    assert "retentiond m365 check --tenant contoso" in ran.err


# An administrator signs in


@pytest.fixture
def person(desk: TenantDesk, monkeypatch: pytest.MonkeyPatch) -> Person:
    """Runs `sign-in` and plays the administrator, who types the code in and agrees, or not."""
    desk.graph.tenant.add_app(client_id=COMMAND_LINE_TOOLS, scopes={"Sites.FullControl.All"})

    def run(*arguments: str, agrees: bool = True, typed: str | None = None) -> Ran:
        def answer(code: DeviceCode) -> None:
            shown(code)
            (desk.graph.approve_device if agrees else desk.graph.decline_device)(code.user_code)

        monkeypatch.setattr(m365_sign_in, "_show", answer)
        return desk.run("sign-in", *arguments, typed=typed)

    shown = m365_sign_in._show
    return run


def test_an_administrator_lets_the_reader_in_at_the_sites_of_the_settings(desk: TenantDesk, person: Person) -> None:
    site = desk.graph.tenant.add_site("HR", path="/sites/hr")
    other = desk.graph.tenant.add_site("Other", path="/sites/other")

    ran = person("--grant", "read", "--yes")

    assert (ran.code, f"{HR}: granted read" in ran.out) == (0, True), ran
    assert re.search(r"Open https://\S+ in any browser, and type in this code:  \S+", ran.err)
    assert desk.graph.tenant.grants_of(site) == {desk.reader.client_id: "read"}
    assert desk.graph.tenant.grants_of(other) == {}
    assert desk.run("check").code == 0

    again = person("--grant", "read", "--yes", "--json")
    assert json.loads(again.out)["sites"] == [{"url": HR, "granted": False, "before": "read"}]


def test_the_writer_is_let_in_to_write_and_a_site_that_is_not_there_is_told(desk: TenantDesk, person: Person) -> None:
    desk.with_writer()
    site = desk.graph.tenant.add_site("HR", path="/sites/hr")

    ran = person("--grant", "write", "--site", HR, "--site", f"{HR}2", "--yes")

    assert ran.code == 3
    assert desk.graph.tenant.grants_of(site) == {desk.writer.client_id: "write"}
    assert f"{HR}2: NOT granted: there is none" in ran.out


def test_without_a_grant_sites_are_listed(desk: TenantDesk, person: Person) -> None:
    desk.graph.tenant.add_site("HR", path="/sites/hr")

    ran = person("--json")

    assert ran.code == 0
    assert [site["url"] for site in json.loads(ran.out)["sites"]] == [HR]
    assert {call.method for call in desk.graph.log if call.host == "graph"} == {"GET"}


def test_an_administrator_who_declines_changes_nothing(desk: TenantDesk, person: Person) -> None:
    site = desk.graph.tenant.add_site("HR", path="/sites/hr")

    ran = person("--grant", "read", "--yes", agrees=False)

    assert ran.code == 5
    assert "nobody has signed in with that code" in ran.err
    assert desk.graph.tenant.grants_of(site) == {}


@pytest.mark.parametrize(("typed", "grants"), [("y\n", 1), ("n\n", 0), ("\n", 0)])
def test_nothing_is_granted_that_was_not_agreed_to(desk: TenantDesk, person: Person, typed: str, grants: int) -> None:
    site = desk.graph.tenant.add_site("HR", path="/sites/hr")

    ran = person("--grant", "read", typed=typed)

    assert ran.code == 0
    assert f"The reader ({desk.reader.client_id}) is to have the right 'read' at:\n  {HR}" in ran.err
    assert len(desk.graph.tenant.grants_of(site)) == grants


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--grant", "read"), "there is nobody to ask. Use --yes if it is agreed"),
        (("--grant", "all", "--yes"), "there is no such right. Known are read, write, owner, fullcontrol."),
        (("--site", HR), "Say what:  --grant read"),
    ],
)
def test_what_cannot_be_meant_is_told_before_anybody_signs_in(
    desk: TenantDesk, arguments: tuple[str, ...], said: str
) -> None:
    ran = desk.run("sign-in", *arguments)

    assert (ran.code, said in ran.err) == (2, True), ran
    assert desk.graph.log == []


@pytest.mark.parametrize(
    ("settings", "arguments", "code", "said"),
    [
        ({"sites": "all"}, ("--grant", "read", "--yes"), 2, "Say at which sites"),
        ({}, ("--grant", "write", "--yes"), 4, "contoso has no writer"),
        ({"reader": {"managed_identity": True}}, ("--grant", "read", "--yes"), 2, "is a managed identity"),
    ],
)
def test_a_grant_needs_a_site_and_an_app(
    desk: TenantDesk, settings: dict[str, Any], arguments: tuple[str, ...], code: int, said: str
) -> None:
    desk.write(**settings)

    ran = desk.run("sign-in", *arguments)

    assert (ran.code, said in ran.err) == (code, True), ran
