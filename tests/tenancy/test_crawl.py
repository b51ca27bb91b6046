"""What of a tenant is to be scanned, in which order, and with what; everything is closed again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent import bootstrap
from agent.errors import SourceUnavailable
from agent.model.analysis_version import AnalysisVersion
from agent.settings import TenantSettings
from agent.tenancy.crawl import Crawl, crawling, ended_before
from connectors.base import Found, KnowsNothing, Scope
from connectors.errors import Throttled
from connectors.microsoft365.graph import Graph
from tests.catalogue.empty import empty_at
from tests.emulator import Emulator, Fault

Make = Callable[..., TenantSettings]
ANN, BEN = "ann@contoso.example", "ben@contoso.example"
VERSION = AnalysisVersion("1", {}, "1")


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[Graph]:
    """Every Graph that was closed."""
    found: list[Graph] = []
    close = Graph.close
    monkeypatch.setattr(Graph, "close", lambda self: (found.append(self), close(self))[1])
    return found


def names(crawl: Crawl) -> list[str]:
    return [place.scope.name for place in crawl.places]


def library(graph: Emulator, site: str) -> Any:
    made = graph.tenant.add_site(site, path=f"/sites/{site.lower()}").add_library("Documents")
    made.put("a.txt", b"a letter")
    return made


def test_drives_and_mailboxes_come_each_with_its_connector(graph: Emulator, tenant: Make, tmp_path: Path) -> None:
    library(graph, "HR")
    graph.tenant.add_user(ANN).mailbox.deliver("Inbox", b"Subject: a\r\n\r\nb")

    with crawling(tenant(sites="all", mailboxes=[ANN]), tmp_path) as crawl:
        assert {place.scope.name: place.kind for place in crawl.places} == {
            "HR/Documents": "microsoft365-drives",
            ANN: "microsoft365-mailboxes",
        }
        for place in crawl.places:
            pages = list(place.connector.changes(place.scope, KnowsNothing()))
            assert sum(page.seen for page in pages) == 1, place.scope.name


def test_nothing_can_be_changed_through_it(graph: Emulator, tenant: Make, tmp_path: Path) -> None:
    drive = library(graph, "HR")
    for app in graph.tenant.apps:
        app.roles.add("Sites.FullControl.All")

    with crawling(tenant(sites="all"), tmp_path) as crawl:
        (place,) = crawl.places
        pages = list(place.connector.changes(place.scope, KnowsNothing()))
        (item,) = [one.item for page in pages for one in page.changes if isinstance(one, Found)]
        receipt = place.connector.delete(place.scope, item.ref, item.version)

    assert (receipt.done, receipt.note) == (False, "read-only: would delete")
    assert [entry.path for entry in drive.items() if not entry.is_folder] == ["a.txt"]
    assert {call.method for call in graph.log if call.host == "graph"} == {"GET"}


def test_what_was_scanned_the_longest_ago_comes_first_then_by_name(
    graph: Emulator, tenant: Make, tmp_path: Path
) -> None:
    for name in ("Delta", "Alpha", "Charlie", "Bravo"):
        library(graph, name)
    before = {"Alpha/Documents": 30.0, "Bravo/Documents": 10.0}

    with crawling(tenant(sites="all"), tmp_path, before=lambda scope: before.get(scope.name, 0.0)) as crawl:
        assert names(crawl) == ["Charlie/Documents", "Delta/Documents", "Bravo/Documents", "Alpha/Documents"]


def test_when_a_place_was_scanned_last_is_known_by_its_id_and_tenant(tenant: Make, tmp_path: Path) -> None:
    long_ago = datetime(2026, 1, 2, tzinfo=UTC)
    empty_at(tmp_path / "catalogue.sqlite")
    with bootstrap.open_catalogue(tmp_path) as catalogue:
        for number, (name, identity, owner) in enumerate(
            [("HR", "b!1", "contoso"), ("Sales", "b!2", "contoso"), ("Ours", "b!3", "contoso"), ("HR", "b!1", "other")]
        ):
            share = catalogue.ensure_scope(name, name, identity, "microsoft365-drives", owner)
            if name != "Ours":
                begun = catalogue.begin_pass(share, VERSION, long_ago, continues=True)
                if name == "HR":
                    catalogue.end_pass(begun, long_ago + timedelta(days=number))

        before = ended_before(catalogue, tenant())

        assert before(Scope("renamed since", "b!1")) == long_ago.timestamp()
        assert before(Scope("Sales", "b!2")) == 0, "its pass is to be gone on with"
        assert before(Scope("Ours", "b!3")) == 0
        assert before(Scope("New", "b!9")) == 0


def test_what_does_not_answer_is_told_and_the_rest_is_there(graph: Emulator, tenant: Make, tmp_path: Path) -> None:
    library(graph, "HR")
    library(graph, "Sales").site.become("locked")
    graph.tenant.add_user(ANN)

    with crawling(tenant(sites="all", mailboxes=[ANN, BEN]), tmp_path) as crawl:
        assert sorted(names(crawl)) == ["HR/Documents", ANN]
        assert sorted(name for name, _ in crawl.unreachable) == ["Sales", BEN]


@pytest.mark.parametrize(
    ("path", "found", "away"),
    [("/sites/getAllSites", [ANN], "sites and drives"), ("/users$|/users\\?", ["HR/Documents"], "mailboxes")],
)
def test_one_sort_that_cannot_be_listed_does_not_keep_the_other_away(
    graph: Emulator, tenant: Make, tmp_path: Path, path: str, found: list[str], away: str
) -> None:
    library(graph, "HR")
    graph.tenant.add_user(ANN)
    graph.faults.add(Fault(path=path, status=403, code="accessDenied", times=None))

    with crawling(tenant(sites="all", mailboxes="all"), tmp_path) as crawl:
        assert names(crawl) == found
        assert [name for name, _ in crawl.unreachable] == [away]


def test_where_nothing_can_be_listed_it_is_said_how_to_find_out_why(
    graph: Emulator, tenant: Make, tmp_path: Path, closed: list[Graph]
) -> None:
    (tmp_path / "reader.pem").unlink()

    with (
        pytest.raises(SourceUnavailable, match="retentiond m365 check --tenant contoso") as told,
        crawling(tenant(sites="all", mailboxes="all"), tmp_path),
    ):
        pytest.fail("there is nothing to scan")

    assert "cannot read the credential" in str(told.value)
    assert len(set(closed)) == 2


def test_a_tenant_of_which_nothing_is_wanted_is_empty(graph: Emulator, tenant: Make, tmp_path: Path) -> None:
    with crawling(tenant(), tmp_path) as crawl:
        assert (crawl.places, crawl.unreachable, crawl.waits()) == ((), (), (0, 0.0))
    assert graph.log == []


def test_the_settings_say_more_than_the_source_where_things_are_stored(
    graph: Emulator, tenant: Make, tmp_path: Path
) -> None:
    library(graph, "HR")

    with crawling(tenant(sites="all"), tmp_path) as crawl:
        assert crawl.places[0].scope.stored_in == ("cloud",)
    with crawling(tenant(sites="all", stored_in=["outside_eea"]), tmp_path) as crawl:
        assert crawl.places[0].scope.stored_in == ("outside_eea",)


def test_connections_are_closed_and_waits_told_also_when_the_scan_breaks_off(
    graph: Emulator, tenant: Make, tmp_path: Path, closed: list[Graph]
) -> None:
    library(graph, "HR")
    waits: list[tuple[int, float]] = []
    graph.faults.add(Fault(path="/sites/getAllSites", status=429, retry_after="1"))

    with (
        pytest.raises(ZeroDivisionError),
        crawling(tenant(sites="all"), tmp_path, on_waits=lambda *told: waits.append(told)),
    ):
        raise ZeroDivisionError

    assert closed
    assert waits[0][0] <= 1
    assert (waits[-1][0], waits[-1][1] >= 1) == (1, True)


def test_whoever_sleeps_may_end_it(graph: Emulator, tenant: Make, tmp_path: Path, closed: list[Graph]) -> None:
    library(graph, "HR")
    graph.faults.add(Fault(path="/sites/getAllSites", status=429, retry_after="600"))

    def sleep(seconds: float) -> None:
        assert seconds <= 1
        raise Throttled("we are to stop", seconds)

    with pytest.raises(SourceUnavailable), crawling(tenant(sites="all"), tmp_path, sleep=sleep):
        pytest.fail("nobody waited")
    assert closed
