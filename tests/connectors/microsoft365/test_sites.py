"""Which drives are found in a tenant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.base import KnowsNothing, Scope
from connectors.errors import ScopeUnavailable
from connectors.microsoft365.connector import DriveConnector
from connectors.microsoft365.sites import Wanted, stored_in
from connectors.testing import found as items_found
from tests.connectors.microsoft365.drives import READER, graph_of
from tests.emulator import App, Emulator, Fault
from tests.emulator.tenant import Tenant

EVERY_SITE = Wanted(all_sites=True)


class Found:
    """A tenant and what is found in it."""

    def __init__(self, emulator: Emulator, app: App) -> None:
        self.emulator = emulator
        self.app = app
        self.tenant: Tenant = emulator.tenant

    def connector(self, wanted: Wanted) -> DriveConnector:
        return DriveConnector(graph_of(self.emulator, self.app), wanted)

    def scopes(self, wanted: Wanted = EVERY_SITE) -> dict[str, Scope]:
        return {scope.name: scope for scope in self.connector(wanted).scopes()}

    def unreachable(self, wanted: Wanted = EVERY_SITE) -> dict[str, str]:
        connector = self.connector(wanted)
        connector.scopes()
        return {each.name: each.reason for each in connector.unreachable}


@pytest.fixture
def found() -> Iterator[Found]:
    with Emulator() as emulator:
        yield Found(emulator, emulator.tenant.add_app(roles=set(READER)))


# Sites and their libraries


def test_every_library_of_every_site_is_a_scope(found: Found) -> None:
    drive = found.tenant.add_site("HR").add_library("Documents")
    found.tenant.add_site("Legal").add_library("Cases")
    scopes = found.scopes()
    assert list(scopes) == ["HR/Documents", "Legal/Cases"]
    assert scopes["HR/Documents"] == Scope("HR/Documents", drive.id, drive.web_url, ("cloud",))


def test_sites_within_sites_are_found_once_and_named_after_what_they_lie_in(found: Found) -> None:
    hr = found.tenant.add_site("HR")
    payroll = hr.add_site("Payroll")
    payroll.add_library("Documents")
    payroll.add_site("2024").add_library("Slips")
    hr.add_library("Documents")
    assert list(found.scopes()) == ["HR/Documents", "HR/Payroll/2024/Slips", "HR/Payroll/Documents"]


def test_many_sites_come_over_many_pages(found: Found) -> None:
    for number in range(120):
        found.tenant.add_site(f"Site {number:03}").add_library("Documents")
    assert len(found.scopes()) == 120


def test_what_sharepoint_keeps_for_itself_is_left_out(found: Found) -> None:
    site = found.tenant.add_site("HR")
    site.add_system_libraries()
    site.add_library("Documents")
    site.add_library("Form Templates 2")
    assert list(found.scopes()) == ["HR/Documents", "HR/Form Templates 2"]


def test_libraries_are_chosen_by_patterns_but_held_copies_never_are(found: Found) -> None:
    site = found.tenant.add_site("HR")
    for name in ("Documents", "Contracts", "Contracts old", "Site Assets", "Preservation Hold Library"):
        site.add_library(name)
    wanted = Wanted(all_sites=True, libraries=("contracts*", "SITE *", "Preserv*"), exclude_libraries=("*old",))
    assert list(found.scopes(wanted)) == ["HR/Contracts", "HR/Site Assets"]


@pytest.mark.parametrize("pattern", ["legal", "*/sites/legal", "/sites/leg*", "https://*/sites/LEGAL"])
def test_sites_are_left_out_by_name_path_or_url(found: Found, pattern: str) -> None:
    found.tenant.add_site("HR").add_library("Documents")
    legal = found.tenant.add_site("Legal")
    legal.add_library("Cases")
    legal.add_site("Inner").add_library("Cases")
    names = list(found.scopes(Wanted(all_sites=True, exclude=(pattern,))))
    assert [name for name in names if name.startswith("Legal/")] == []
    assert "HR/Documents" in names


def test_two_libraries_of_one_name_both_get_another_that_stays(found: Found) -> None:
    one = found.tenant.add_site("HR", "/sites/hr").add_library("Documents")
    other = found.tenant.add_site("hr", "/sites/hr2").add_library("Documents")
    scopes = found.scopes()
    assert {scope.identity: name for name, scope in scopes.items()} == {
        one.id: f"HR/Documents ({one.id[-8:]})",
        other.id: f"hr/Documents ({other.id[-8:]})",
    }


def test_a_slash_in_a_name_parts_nothing(found: Found) -> None:
    found.tenant.add_site("Q/A", "/sites/qa").add_library("Documents")
    assert list(found.scopes()) == ["Q-A/Documents"]


def test_peoples_own_sites_are_no_sites_of_their_own(found: Found) -> None:
    found.tenant.add_user("ann@contoso.example")
    assert found.scopes() == {}


# Sites that are named


def test_named_sites_are_found_by_url_or_path_with_what_is_in_them(found: Found) -> None:
    found.tenant.add_site("Root", "/").add_library("Documents")
    found.tenant.add_site("HR", "/sites/hr").add_library("Documents")
    found.tenant.add_site("R & D", "/sites/r d").add_site("Lab").add_library("Notes")
    found.tenant.add_site("Legal", "/sites/legal").add_library("Cases")
    wanted = Wanted(sites=("https://contoso.sharepoint.com/sites/hr/", "https://contoso.sharepoint.com/sites/r%20d"))
    assert list(found.scopes(wanted)) == ["HR/Documents", "R & D/Lab/Notes"]


def test_a_path_is_one_on_the_tenants_main_host(found: Found) -> None:
    found.tenant.add_site("HR", "/sites/hr").add_library("Documents")
    main = {"id": "contoso.sharepoint.com,1,2", "webUrl": "https://contoso.sharepoint.com"}
    found.emulator.faults.add(Fault(path="/sites/root", status=200, body=main, times=None))
    assert list(found.scopes(Wanted(sites=("/sites/hr",)))) == ["HR/Documents"]


def test_the_topmost_site_can_be_named(found: Found) -> None:
    top = found.tenant.add_site("Home", "/")
    top.add_library("Documents")
    home = {"id": top.id, "displayName": "Home", "webUrl": "https://contoso.sharepoint.com"}
    found.emulator.faults.add(Fault(path=r"/sites/contoso\.sharepoint\.com\?", status=200, body=home))
    assert list(found.scopes(Wanted(sites=("https://contoso.sharepoint.com/",)))) == ["Home/Documents"]


def test_a_site_that_does_not_tell_what_lies_in_it_is_read_itself(found: Found) -> None:
    hr = found.tenant.add_site("HR")
    hr.add_library("Documents")
    found.emulator.faults.add(Fault(path=f"/sites/{hr.id}/sites", status=403, code="accessDenied", times=None))
    assert list(found.scopes()) == ["HR/Documents"]


def test_a_site_that_is_said_to_lie_in_itself_is_not_looked_into_for_ever(found: Found) -> None:
    hr = found.tenant.add_site("HR")
    hr.add_library("Documents")
    hr.sites.append(hr)
    assert len(found.scopes()) == 1


@pytest.mark.parametrize("bad", ["", "..", 7, None])
def test_a_site_drive_or_person_without_an_id_is_passed_over(found: Found, bad: object) -> None:
    found.tenant.add_site("HR").add_library("Documents")
    found.tenant.add_user("ann@contoso.example")

    def without_id(body: dict[str, Any]) -> None:
        body["value"][0]["id"] = bad

    for path in ("/getAllSites", "/users$", r"/users\?", "/drives"):
        found.emulator.faults.clear()
        found.emulator.faults.add(Fault(path=path, edit=without_id, times=None))
        assert len(found.scopes(Wanted(all_sites=True, onedrives="all"))) <= 2


def test_an_application_that_was_let_into_one_site_reads_that_one(found: Found) -> None:
    found.app.roles.clear()
    found.app.roles.add("Sites.Selected")
    hr = found.tenant.add_site("HR", "/sites/hr")
    hr.add_library("Documents")
    found.tenant.add_site("Legal", "/sites/legal").add_library("Cases")
    found.tenant.grant(found.app, hr, "read")
    urls = ("https://contoso.sharepoint.com/sites/hr", "https://contoso.sharepoint.com/sites/legal")
    assert list(found.scopes(Wanted(sites=urls))) == ["HR/Documents"]
    assert "not allowed" in found.unreachable(Wanted(sites=urls))[urls[1]]
    with pytest.raises(ScopeUnavailable, match=r"Sites\.Selected"):
        found.scopes(EVERY_SITE)


# Sites that do not answer


@pytest.mark.parametrize("status", [423, 403])
@pytest.mark.parametrize("state", ["locked", "archived"])
def test_a_site_that_is_closed_is_told_and_the_others_are_found(found: Found, state: str, status: int) -> None:
    found.tenant.add_site("HR").add_library("Documents")
    legal = found.tenant.add_site("Legal")
    legal.add_library("Cases")
    legal.become(state, status=status, code="resourceLocked" if status == 423 else "accessDenied")
    assert list(found.scopes()) == ["HR/Documents"]
    assert "archived" in found.unreachable()["Legal"]


def test_a_named_site_that_was_deleted_is_told(found: Found) -> None:
    legal = found.tenant.add_site("Legal", "/sites/legal")
    legal.become("deleted")
    url = "https://contoso.sharepoint.com/sites/legal"
    assert "no such site" in found.unreachable(Wanted(sites=(url,)))[url]


def test_a_site_of_which_the_source_says_nothing_does_not_hide_the_others(found: Found) -> None:
    found.tenant.add_site("HR").add_library("Documents")
    legal = found.tenant.add_site("Legal")
    found.emulator.faults.add(Fault(path=f"/sites/{legal.id}/drives", status=500, times=None))
    assert list(found.scopes()) == ["HR/Documents"]
    assert list(found.unreachable()) == ["Legal"]


@pytest.mark.parametrize(("status", "code"), [(503, "serviceNotAvailable"), (401, "InvalidAuthenticationToken")])
def test_a_tenant_that_cannot_be_asked_is_unavailable_and_not_empty(found: Found, status: int, code: str) -> None:
    found.tenant.add_site("HR").add_library("Documents")
    found.emulator.faults.add(Fault(status=status, code=code, times=None))
    with pytest.raises(ScopeUnavailable):
        found.scopes()


# OneDrives


def test_everybodys_onedrive_is_a_scope_and_whoever_has_none_has_none(found: Found) -> None:
    ann = found.tenant.add_user("ann@contoso.example")
    found.tenant.add_user("bob@contoso.example", drive=False)
    scopes = found.scopes(Wanted(onedrives="all"))
    assert {name: scope.identity for name, scope in scopes.items()} == {"OneDrive/ann@contoso.example": ann.drive.id}
    assert found.unreachable(Wanted(onedrives="all")) == {}


def test_named_onedrives_are_found_without_asking_who_there_is(found: Found) -> None:
    found.app.roles.discard("User.Read.All")
    found.tenant.add_user("ann@contoso.example")
    found.tenant.add_user("bob@contoso.example")
    wanted = Wanted(onedrives=("bob@contoso.example", "nobody@contoso.example"))
    assert list(found.scopes(wanted)) == ["OneDrive/bob@contoso.example"]
    with pytest.raises(ScopeUnavailable, match=r"User\.Read\.All"):
        found.scopes(Wanted(onedrives="all"))


def test_a_person_can_be_left_out(found: Found) -> None:
    found.tenant.add_user("ann@contoso.example")
    found.tenant.add_user("bob@contoso.example")
    wanted = Wanted(onedrives="all", exclude=("BOB@*",))
    assert list(found.scopes(wanted)) == ["OneDrive/ann@contoso.example"]


def test_many_onedrives_are_asked_for_together(found: Found) -> None:
    for number in range(45):
        found.tenant.add_user(f"user{number:02}@contoso.example", drive=number % 3 != 0, mailbox=False)
    assert len(found.scopes(Wanted(onedrives="all"))) == 30
    assert len([call for call in found.emulator.log if call.path.endswith("/$batch")]) == 3


def test_a_onedrive_that_is_locked_is_told_and_the_others_are_found(found: Found) -> None:
    found.tenant.add_user("ann@contoso.example")
    found.tenant.add_user("bob@contoso.example").drive.site.become("locked")
    assert list(found.scopes(Wanted(onedrives="all"))) == ["OneDrive/ann@contoso.example"]
    assert "locked" in found.unreachable(Wanted(onedrives="all"))["OneDrive/bob@contoso.example"]


def test_nothing_wanted_is_nothing_asked(found: Found) -> None:
    assert found.scopes(Wanted()) == {}
    assert [call for call in found.emulator.log if call.host == "graph"] == []


# Where the data lies


@pytest.mark.parametrize(
    ("code", "kinds"),
    [
        ("", ("cloud",)),
        ("GBR", ("cloud",)),
        ("gbr", ("cloud",)),
        ("EUR", ("cloud", "outside_uk")),
        ("DEU", ("cloud", "outside_uk")),
        ("NOR", ("cloud", "outside_uk")),
        ("CHE", ("cloud", "outside_uk", "outside_eea")),
        ("NAM", ("cloud", "outside_uk", "outside_eea")),
        ("XYZ", ("cloud", "outside_uk", "outside_eea")),
    ],
)
def test_what_sort_of_place_a_location_is(code: str, kinds: tuple[str, ...]) -> None:
    assert stored_in(code) == kinds


def test_where_a_library_lies_goes_with_it_and_its_items(found: Found) -> None:
    drive = found.tenant.add_site("Berlin", data_location="DEU").add_library("Documents")
    drive.put("a.txt", b"x")
    connector = found.connector(EVERY_SITE)
    (scope,) = connector.scopes()
    assert scope.stored_in == ("cloud", "outside_uk")
    (item,) = items_found(connector.changes(scope, KnowsNothing()))
    assert item.marks["data_location"] == "DEU"


# What the connector says of itself


@pytest.mark.parametrize(
    ("roles", "writes"),
    [({"Sites.Read.All"}, False), ({"Sites.Selected"}, False), ({"Sites.ReadWrite.All"}, True), (set(), False)],
)
def test_it_labels_and_deletes_only_where_the_application_may_write(
    found: Found, roles: set[str], writes: bool
) -> None:
    connector = DriveConnector(graph_of(found.emulator, found.app), EVERY_SITE, roles=lambda: frozenset(roles))
    said = connector.capabilities
    assert (said.label, said.delete) == (writes, writes)
    assert (said.continues, said.looks, said.file_ids, said.case_sensitive, said.marks) == (
        True,
        False,
        True,
        False,
        True,
    )
