"""Asking a tenant how we stand with it, with a Graph that answers what it is told to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from agent.settings import TenantSettings
from agent.usecases.tenant_access import (
    Silent,
    Site,
    Way,
    access,
    grant,
    granted,
    is_looked_at,
    named_sites,
    searched_sites,
    site_path,
    sites,
    why,
)
from agent.usecases.tenant_rights import Ability, Excess, Role, Standing, TooMuch, Why
from connectors.errors import ConnectorError, ItemNotFound, NotSignedIn, PermissionDenied, SourceFault

APP = "11111111-2222-3333-4444-555555555555"
HR, SALES = "https://contoso.sharepoint.com/sites/hr", "https://contoso.sharepoint.com/sites/sales"
Pages = Mapping[str, Any]


@dataclass
class FakeGraph:
    """Answers paths by their beginning; an error is raised, a list is a list. What is not known is not found."""

    answers: Pages = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    sent: list[tuple[str, str, Any]] = field(default_factory=list)

    def get(self, path: str, *, cost: float = 1, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = self._answer(path)
        return answer

    def all(self, path: str, *, cost: float = 2, headers: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        yield from self._answer(path)

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, cost: float = 2) -> Any:
        self.sent.append((method, path, body))
        return SimpleNamespace(status=201)

    def _answer(self, path: str) -> Any:
        self.asked.append(path)
        found = [answer for begin, answer in self.answers.items() if path.startswith(begin)]
        if not found:
            raise ItemNotFound("it is not at the source (HTTP 404, itemNotFound)")
        if isinstance(found[0], ConnectorError):
            raise found[0]
        return found[0]


def tenant(**more: Any) -> TenantSettings:
    usual = {
        "name": "contoso",
        "tenant_id": "contoso.example",
        "reader": {"client_id": APP, "secret_file": "reader"},
        "sites": [HR, SALES],
    }
    return TenantSettings.model_validate(usual | more)


def way(*roles: str, files: Pages | None = None, mail: Pages | None = None) -> Way:
    return Way(lambda: frozenset(roles), lambda: FakeGraph(files or {}), lambda: FakeGraph(mail or {}))


def refused() -> frozenset[str]:
    raise NotSignedIn("the sign-in service refuses us (invalid_client, AADSTS7000215)")


WRITER = {"writer": {"client_id": APP, "secret_file": "writer"}, "quarantine_officers": ["dpo@contoso.example"]}
BOTH = {"/sites/contoso.sharepoint.com:/sites/hr": {"id": "1"}, "/sites/contoso.sharepoint.com:/sites/sales": {}}


def test_everything_works_if_every_site_answers() -> None:
    found = access(tenant(), {Role.READER: way("Sites.Selected", files=BOTH)}, frozenset())

    assert found.works
    assert found.excess == ()
    assert found.answered[Role.READER].silent == ()


def test_a_site_that_does_not_answer_is_named_with_the_reason() -> None:
    files = {"/sites/contoso.sharepoint.com:/sites/hr": {}}

    found = access(tenant(), {Role.READER: way("Sites.Selected", files=files)}, frozenset())

    assert not found.works
    [silent] = found.answered[Role.READER].silent
    assert (silent.kind, silent.place) == ("site", SALES)
    assert silent.why == "there is none, or the app was not let in there (HTTP 404, itemNotFound)"
    assert next(row for row in found.rows if row.ability is Ability.SCAN_SITES).why is Why.SILENT_SITES


def test_an_app_that_cannot_sign_in_is_asked_nothing_more() -> None:
    graph = FakeGraph(BOTH)

    found = access(tenant(), {Role.READER: Way(refused, lambda: graph, lambda: graph)}, frozenset())

    assert not found.works
    assert graph.asked == []
    assert found.answered[Role.READER].problem.endswith("(invalid_client, AADSTS7000215)")
    assert {row.why for row in found.rows if row.standing is Standing.FAILS} == {Why.NOT_SIGNED_IN}


def test_a_writer_that_cannot_sign_in_spoils_it_even_if_nothing_else_is_wanted() -> None:
    ways = {Role.READER: way(), Role.WRITER: Way(refused, FakeGraph, FakeGraph)}

    assert not access(tenant(sites="none", **WRITER), ways, frozenset()).works


def test_the_writer_is_asked_for_itself() -> None:
    ways = {Role.READER: way("Sites.Selected", files=BOTH), Role.WRITER: way("Sites.Selected")}

    found = access(tenant(**WRITER), ways, frozenset())

    assert [one.place for one in found.answered[Role.WRITER].silent] == [HR, SALES]
    assert {row.ability for row in found.rows if row.standing is Standing.FAILS} == {
        Ability.SET_LABELS,
        Ability.QUARANTINE_FILES,
        Ability.DELETE_FILES,
    }


def test_listed_mailboxes_are_asked_one_by_one() -> None:
    mail = {"/users/ann@contoso.example/mailFolders/inbox?": {"id": "x"}}
    settings = tenant(sites="none", mailboxes=["ann@contoso.example", "bob+x@contoso.example"])

    found = access(settings, {Role.READER: way("Mail.Read", mail=mail)}, frozenset())

    assert [(one.kind, one.place) for one in found.answered[Role.READER].silent] == [
        ("mailbox", "bob+x@contoso.example")
    ]


def test_where_all_are_wanted_nothing_is_asked_one_by_one() -> None:
    graph = FakeGraph()
    ways = {Role.READER: Way(lambda: frozenset({"Sites.Read.All"}), lambda: graph, lambda: graph)}

    assert access(tenant(sites="all"), ways, frozenset()).works
    assert graph.asked == []


def test_what_is_too_much_is_told_for_each_app() -> None:
    ways = {
        Role.READER: way("Sites.Selected", "Mail.Send", files=BOTH),
        Role.WRITER: way("Sites.FullControl.All", files=BOTH),
    }

    assert access(tenant(**WRITER), ways, frozenset()).excess == (
        Excess(Role.READER, "Mail.Send", TooMuch.CHANGES),
        Excess(Role.WRITER, "Sites.FullControl.All", TooMuch.ALL_SITES),
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionDenied("the source does not allow us this (HTTP 403, accessDenied)"), "(HTTP 403, accessDenied)"),
        (PermissionDenied("no"), "the app is not allowed to read it"),
        (SourceFault("the source has failed (HTTP 500)"), "the source has failed (HTTP 500)"),
    ],
)
def test_a_refusal_is_told_in_a_few_words_with_its_code(error: ConnectorError, said: str) -> None:
    assert why(error).endswith(said)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        (HR, "/sites/contoso.sharepoint.com:/sites/hr"),
        ("https://contoso.sharepoint.com", "/sites/contoso.sharepoint.com"),
        ("https://contoso.sharepoint.com/sites/A%20B", "/sites/contoso.sharepoint.com:/sites/A%20B"),
        ("https://contoso.sharepoint.com/sites/a#b", "/sites/contoso.sharepoint.com:/sites/a"),
        ("https://contoso.sharepoint.com/sites/Zoë", "/sites/contoso.sharepoint.com:/sites/Zo%C3%AB"),
    ],
)
def test_a_site_is_found_by_its_address(url: str, path: str) -> None:
    assert site_path(url) == path


def described(url: str, name: str, **more: Any) -> dict[str, Any]:
    return {"id": f"id of {name}", "webUrl": url, "displayName": name, **more}


ALL = [
    described(HR, "HR", siteCollection={"dataLocationCode": "GBR"}),
    described(SALES, "Sales"),
    described("https://contoso-my.sharepoint.com/personal/ann", "Ann", isPersonalSite=True),
]


def test_all_sites_are_listed_with_where_they_are_and_whether_they_are_wanted() -> None:
    found = list(sites(tenant(sites=[HR]), FakeGraph({"/sites/getAllSites": ALL})))

    assert found == [Site("id of HR", HR, "HR", "GBR", True), Site("id of Sales", SALES, "Sales", "", False)]


def test_where_not_all_may_be_listed_those_of_the_settings_are() -> None:
    graph = FakeGraph(
        {
            "/sites/getAllSites": PermissionDenied("no"),
            "/sites/contoso.sharepoint.com:/sites/hr": ALL[0],
        }
    )

    first, second = sites(tenant(), graph)

    assert isinstance(first, Site)
    assert isinstance(second, Silent)
    assert (first.url, second.place) == (HR, SALES)


def test_where_nothing_is_named_the_refusal_stands() -> None:
    with pytest.raises(PermissionDenied):
        list(sites(tenant(sites="all"), FakeGraph({"/sites/getAllSites": PermissionDenied("no")})))


def test_a_person_finds_sites_by_searching() -> None:
    graph = FakeGraph({"/sites?search=*": ALL[:2]})

    assert [site.name for site in searched_sites(tenant(), graph)] == ["HR", "Sales"]


@pytest.mark.parametrize(
    ("wanted", "exclude", "looked_at"),
    [
        ("all", [], True),
        ("none", [], False),
        ([HR], [], True),
        ([SALES], [], False),
        (["https://contoso.sharepoint.com/sites/HR/"], [], True),
        ("all", ["*/sites/h*"], False),
        ("all", ["/SITES/hr"], False),
        ("all", ["human*"], False),
        ("all", ["*archive*"], True),
    ],
)
def test_a_site_is_looked_at_as_the_settings_say(wanted: object, exclude: list[str], looked_at: bool) -> None:
    assert is_looked_at(tenant(sites=wanted, exclude=exclude), HR, "Human Resources") is looked_at


SITE = Site("contoso.sharepoint.com,1,2", HR, "HR", "", True)
PERMISSIONS = "/sites/contoso.sharepoint.com,1,2/permissions"


def permission(client_id: str, *roles: str, key: str = "grantedToIdentitiesV2") -> dict[str, Any]:
    return {"roles": list(roles), key: [{"application": {"id": client_id}}]}


def test_a_grant_names_one_right_one_app_and_one_site() -> None:
    graph = FakeGraph({PERMISSIONS: []})

    made = grant(SITE, APP, "retentiond reader", "read", graph)

    assert (made.done, made.before) == (True, None)
    identity = {"application": {"id": APP, "displayName": "retentiond reader"}}
    assert graph.sent == [("POST", PERMISSIONS, {"roles": ["read"], "grantedToIdentities": [identity]})]


@pytest.mark.parametrize(
    ("there", "right", "done"),
    [("read", "read", False), ("write", "read", False), ("fullcontrol", "write", False), ("read", "write", True)],
)
def test_a_grant_that_is_there_already_is_not_made_again(there: str, right: Any, done: bool) -> None:
    graph = FakeGraph({PERMISSIONS: [permission("other", "fullcontrol"), permission(APP, there)]})

    made = grant(SITE, APP, "retentiond", right, graph)

    assert (made.done, made.before, bool(graph.sent)) == (done, there, done)


def test_grants_are_read_in_the_old_form_too_and_by_whatever_case() -> None:
    graph = FakeGraph({PERMISSIONS: [permission(APP.upper(), "write", key="grantedToIdentities"), {"roles": ["x"]}]})

    assert granted(SITE, APP, graph) == "write"
    assert granted(SITE, "another", graph) is None


def test_sites_that_were_named_by_hand_are_found_or_told() -> None:
    graph = FakeGraph({"/sites/contoso.sharepoint.com:/sites/hr": ALL[0]})

    found = list(named_sites(tenant(), [HR, SALES], graph))

    assert [type(one) for one in found] == [Site, Silent]
