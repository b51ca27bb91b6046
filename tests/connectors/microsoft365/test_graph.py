"""Requests to Graph are sent once where that matters, again where it helps, and nowhere but to Graph."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.errors import (
    ItemChanged,
    ItemNotFound,
    NotSignedIn,
    PermissionDenied,
    SourceFault,
    Throttled,
)
from connectors.microsoft365 import pipeline
from connectors.microsoft365.answers import Conflict, LinkExpired, Resync
from connectors.microsoft365.gate import TenantGate
from connectors.microsoft365.graph import Graph, user_agent
from connectors.microsoft365.links import Origin, quoted
from connectors.microsoft365.session import Http
from connectors.microsoft365.strict_json import read_object
from tests.connectors.microsoft365.asking import PASSWORD, READER, asking, calls, gate_of, tokens_of
from tests.emulator import Emulator, Fault, Limits
from tests.emulator.drive_items import Drive
from tests.emulator.faults import duplicate_keys, not_a_number

CONTENT = b"Dear Ann, " * 20_000


@dataclass
class Place:
    """A tenant with one library that holds one file, and a way to ask about it."""

    emulator: Emulator
    graph: Graph
    drive: Drive = field(init=False)
    item_id: str = field(init=False)

    def __post_init__(self) -> None:
        self.drive = self.emulator.tenant.add_site("HR", path="/sites/hr").add_library("Documents")
        self.item_id = self.drive.put("Staff/a.docx", CONTENT, by="ann@contoso.example")

    @property
    def at(self) -> str:
        return f"/drives/{quoted(self.drive.id)}/items/{quoted(self.item_id)}"

    @property
    def delta(self) -> str:
        return f"/drives/{quoted(self.drive.id)}/root/delta"

    @property
    def children(self) -> str:
        return f"/drives/{quoted(self.drive.id)}/root/children"

    def etag(self) -> str:
        return str(self.graph.get(f"{self.at}?$select=id,eTag")["eTag"])

    def link(self) -> str:
        return str(self.graph.get(f"{self.at}?$select=id,@microsoft.graph.downloadUrl")["@microsoft.graph.downloadUrl"])

    def fails(self, **fault: Any) -> Fault:
        return self.emulator.faults.add(Fault(**fault))

    def seen(self, path: str = "", host: str = "graph") -> int:
        return len(calls(self.emulator, host, path))


@pytest.fixture
def place() -> Iterator[Place]:
    with Emulator() as emulator, asking(emulator) as graph:
        yield Place(emulator, graph)


# What is asked and what is answered


def test_an_object_is_given_as_it_is_answered(place: Place) -> None:
    found = place.graph.get(f"{place.at}?$select=id,name,size")
    assert (found["id"], found["name"], found["size"]) == (place.item_id, "a.docx", len(CONTENT))


def test_no_content_is_an_empty_object(place: Place) -> None:
    place.fails(path=place.item_id, status=204, body=b"")
    assert place.graph.get(place.at) == {}


def test_every_request_says_who_asks_and_can_be_found_again(place: Place) -> None:
    with asking(place.emulator, company="Contoso (London)") as graph:
        graph.get(place.at)
        graph.get(place.at)
    headers = [call.headers for call in calls(place.emulator, path=place.item_id)]
    assert all(header["User-Agent"].startswith("NONISV|Contoso London|retentiond/") for header in headers)
    assert len({header["client-request-id"] for header in headers}) == 2
    assert "gzip" in headers[0]["Accept-Encoding"]


def test_a_company_name_cannot_break_out_of_its_header() -> None:
    assert user_agent("Evil\r\nHost: x|y").startswith("NONISV|EvilHost xy|retentiond/")
    assert user_agent("").startswith("NONISV|retentiond|retentiond/")


def test_what_is_changed_is_answered_with_status_body_and_headers(place: Place) -> None:
    answer = place.graph.send("PATCH", place.at, {"name": "b.docx"}, headers={"If-Match": place.etag()})
    assert answer.status == 200
    assert answer.json is not None
    assert answer.json["name"] == "b.docx"
    assert "json" in answer.headers["content-type"]
    assert place.graph.send("DELETE", place.at).json is None
    assert "b.docx" not in repr(answer)


def test_a_list_is_given_page_by_page_and_as_a_whole(place: Place) -> None:
    for number in range(7):
        place.drive.put(f"{number}.txt", b"x", by="ann@contoso.example")
    page = place.graph.listed(f"{place.children}?$top=3")
    assert len(page.items) == 3
    assert page.next is not None
    assert page.delta is None
    assert len(list(place.graph.all(f"{place.children}?$top=3"))) == 8
    assert "txt" not in repr(page)


def test_changes_end_with_a_link_to_what_comes_later(place: Place) -> None:
    page = place.graph.listed(place.delta)
    while page.next:
        page = place.graph.listed(page.next)
    assert page.delta is not None
    place.drive.put("Staff/new.txt", b"x", by="ann@contoso.example")
    assert "new.txt" in [item.get("name") for item in place.graph.listed(page.delta).items]


def test_a_source_that_has_forgotten_where_we_were_says_from_where_to_go_on(place: Place) -> None:
    page = place.graph.listed(place.delta)
    while page.next:
        page = place.graph.listed(page.next)
    assert page.delta is not None
    place.drive.expire_tokens()
    with pytest.raises(Resync) as forgotten:
        place.graph.listed(page.delta)
    assert forgotten.value.location is not None
    assert place.graph.listed(forgotten.value.location).items


def test_a_refusal_is_the_error_that_it_means_and_is_not_asked_for_twice(place: Place) -> None:
    with pytest.raises(ItemNotFound):
        place.graph.get(f"/drives/{quoted(place.drive.id)}/items/01NOTTHERE")
    assert place.seen("01NOTTHERE") == 1
    with pytest.raises(ItemChanged):
        place.graph.send("PATCH", place.at, {"name": "b.docx"}, headers={"If-Match": '"{other},1"'})
    place.drive.put("Staff/taken.docx", b"x", by="ann@contoso.example")
    with pytest.raises(Conflict):
        place.graph.send("PATCH", f"{place.at}?@microsoft.graph.conflictBehavior=fail", {"name": "taken.docx"})
    with asking(place.emulator, READER) as reader, pytest.raises(PermissionDenied):
        reader.send("DELETE", place.at)


# Where our bearer goes

FOREIGN = [
    "https://evil.example/v1.0/x",
    "http://{host}/v1.0/x",
    "https://{host}@evil.example/x",
    "https://evil.example#@{host}/",
    "https://evil.example\\@{host}/x",
    "https://{host}.evil.example/x",
    "//evil.example/x",
    "https://{name}:1/v1.0/x",
    "https://{name}:notaport/x",
    "https://[::1/x",
    "https://{host}/v1.0/../../x",
    "https://{host}/v1.0/./x",
    "ftp://{host}/x",
    "/a/../../x",
    "https://{host}/a b",
    "https://{host}/a\r\nX: y",
    "https://{host}/\u0430",
    "javascript:x",
    "",
    "https://",
    "x",
    "https://{host}/" + "a" * 20_000,
]


@pytest.mark.parametrize("link", FOREIGN)
def test_no_foreign_link_is_followed(link: str) -> None:
    origin = Origin.of("https://graph.example:8443/v1.0")
    with pytest.raises(SourceFault, match="leads elsewhere"):
        origin.url(link.format(host="graph.example:8443", name="graph.example"))


@pytest.mark.parametrize("root", ["http://graph.example/v1.0", "graph.example", "https://", "https://me@graph.example"])
def test_graph_itself_has_to_be_at_a_secure_address(root: str) -> None:
    with pytest.raises(ValueError, match="https"):
        Origin.of(root)


def test_links_to_graph_itself_are_followed_whatever_the_spelling_of_its_host() -> None:
    origin = Origin.of("https://graph.example/v1.0/")
    for link in ("https://graph.example:443/v1.0/x?$skiptoken=a'b", "https://GRAPH.example/beta/x", "/x"):
        assert origin.url(link).endswith(("x", "b"))


def test_an_id_is_one_component_whatever_is_in_it() -> None:
    assert quoted("b!a/b?c#d%e ö") == "b!a%2Fb%3Fc%23d%25e%20%C3%B6"
    for none in ("", ".", ".."):
        with pytest.raises(ValueError, match="component"):
            quoted(none)


@pytest.mark.parametrize("link", ["evil_url", "plain_url"])
def test_a_page_that_leads_to_a_foreign_host_is_a_fault_and_nothing_goes_there(place: Place, link: str) -> None:
    place.fails(path="/children", next_link=getattr(place.emulator, link) + "/v1.0/more")
    with pytest.raises(SourceFault, match="leads elsewhere"):
        place.graph.listed(place.children)
    assert place.seen(host=link.removesuffix("_url")) == 0
    assert place.emulator.leaks == []


def test_a_redirect_is_not_followed(place: Place) -> None:
    place.fails(path=place.item_id, status=302, headers={"Location": place.emulator.evil_url + "/x"}, body=b"")
    with pytest.raises(SourceFault):
        place.graph.get(place.at)
    place.fails(path=place.item_id, status=302, headers={"Location": place.emulator.evil_url + "/x"}, body=b"")
    with pytest.raises(SourceFault), place.graph.bytes_of(place.at):
        pass
    assert place.seen(host="evil") == 0


def test_no_netrc_replaces_our_bearer_and_no_environment_our_trust(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / ".netrc").write_text("machine localhost login me password mine\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, "/etc/ssl/certs/ca-certificates.crt")
    with asking(place.emulator) as graph:
        graph.get(place.at)
    assert calls(place.emulator, path=place.item_id)[-1].headers["Authorization"].startswith("Bearer ")


def test_a_certificate_that_we_do_not_trust_ends_it_before_anything_is_sent(place: Place) -> None:
    app = place.emulator.tenant.add_app(roles={"Sites.Read.All"}, secret=PASSWORD)
    tokens = tokens_of(place.emulator, app)
    graph = Graph(tokens, gate_of(place.emulator), root=place.emulator.graph_url, sleep=lambda _: None)
    before = place.seen()
    with pytest.raises(SourceFault, match="certificate"):
        graph.get(place.at)
    assert place.seen() == before
    graph.close()


def test_a_proxy_that_is_given_is_used_for_everything() -> None:
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def answer() -> None:
            connection, _ = proxy.accept()
            with connection:
                asked.append(connection.recv(4096))
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        session = Http(proxy=f"http://127.0.0.1:{proxy.getsockname()[1]}")
        with pytest.raises(OSError, match="403"):
            session.get("https://graph.microsoft.com/v1.0/me")
        thread.join(10)
        session.close()
    assert asked[0].startswith(b"CONNECT graph.microsoft.com:443")


def test_the_environments_proxy_holds_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    session = Http()
    with pytest.raises(OSError, match=r"(?i)proxy"):
        session.get("https://graph.microsoft.com/v1.0/me")
    session.close()


# Again, if it helps and does no harm


@pytest.mark.parametrize("status", [408, 500, 502, 504])
def test_a_passing_fault_is_asked_again_after_a_growing_pause(place: Place, status: int) -> None:
    fault = place.fails(path=place.item_id, status=status, times=2)
    began = place.emulator.clock.time()
    assert place.graph.get(place.at)["id"] == place.item_id
    assert fault.struck == 2
    assert 3.0 <= place.emulator.clock.time() - began <= 10.0


def test_a_fault_that_does_not_pass_is_told_after_a_few_tries(place: Place) -> None:
    fault = place.fails(path=place.item_id, status=500, times=None)
    with pytest.raises(SourceFault):
        place.graph.get(place.at)
    assert fault.struck == 4


@pytest.mark.parametrize("wire", [{"reset": "before"}, {"reset": "after"}, {"cut_at": 10}])
def test_a_broken_connection_is_made_anew(place: Place, wire: dict[str, Any]) -> None:
    fault = place.fails(path=place.item_id, times=1, **wire)
    assert place.graph.get(place.at)["id"] == place.item_id
    assert fault.struck == 1


def test_after_an_overload_the_next_attempt_takes_a_new_connection(place: Place) -> None:
    place.graph.get(place.at)
    before = place.emulator.connections
    place.graph.get(place.at)
    assert place.emulator.connections == before, "connections are kept while all is well"
    place.fails(path=place.item_id, status=503, body="<html>busy</html>")
    place.graph.get(place.at)
    assert place.emulator.connections == before + 1


def changing(place: Place) -> dict[str, Callable[[], object]]:
    return {
        "POST": lambda: place.graph.send("POST", f"{place.at}/permanentDelete"),
        "PATCH": lambda: place.graph.send("PATCH", place.at, {"name": "b.docx"}, headers={"If-Match": place.etag()}),
        "DELETE": lambda: place.graph.send("DELETE", place.at, headers={"If-Match": place.etag()}),
    }


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "lost",
    [{"reset": "after"}, {"reset": "before"}, {"status": 500}, {"status": 502}, {"status": 504}, {"status": 408}],
)
def test_what_changes_something_is_sent_once_when_its_answer_is_lost(
    place: Place, method: str, lost: dict[str, Any]
) -> None:
    act = changing(place)[method]
    place.fails(method=method, path=place.item_id, times=None, **lost)
    with pytest.raises(SourceFault, match="may have happened"):
        act()
    assert len([call for call in place.emulator.log if call.method == method and place.item_id in call.path]) == 1


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "refused", [{"status": 429, "retry_after": "7"}, {"status": 503, "retry_after": "7"}, {"status": 429}]
)
def test_what_was_refused_for_sure_is_sent_again_when_it_may(
    place: Place, method: str, refused: dict[str, Any]
) -> None:
    act = changing(place)[method]
    fault = place.fails(method=method, path=place.item_id, **refused)
    act()
    assert fault.struck == 1
    assert place.drive.path_of(place.item_id) == ("Staff/b.docx" if method == "PATCH" else None)
    assert place.emulator.early_calls == []


def test_an_overload_without_a_word_is_no_certain_refusal_of_a_change(place: Place) -> None:
    place.fails(method="DELETE", path=place.item_id, status=503)
    with pytest.raises(SourceFault, match="may have happened"):
        place.graph.send("DELETE", place.at)


def test_a_gateway_that_speaks_of_limits_has_not_refused_a_change_for_sure(place: Place) -> None:
    fault = place.fails(method="DELETE", path=place.item_id, status=504, code="activityLimitReached", times=None)
    with pytest.raises(SourceFault, match="may have happened"):
        place.graph.send("DELETE", place.at)
    assert fault.struck == 1


def test_a_change_whose_answer_cannot_be_read_may_have_happened(place: Place) -> None:
    place.fails(method="PATCH", path=place.item_id, garble=lambda body: body[:20])
    with pytest.raises(SourceFault):
        place.graph.send("PATCH", place.at, {"name": "b.docx"})
    assert place.drive.path_of(place.item_id) == "Staff/b.docx"


def test_a_source_that_cannot_be_reached_is_tried_again_even_for_changes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    waited: list[float] = []

    class Signed:
        issued = 1

        def callback(self) -> dict[str, str]:
            return {"access_token": "t", "token_type": "Bearer"}

        def renew(self, issued: int | None = None) -> None:
            raise AssertionError("nobody has refused the token")

    graph = Graph(Signed(), TenantGate(None), root=f"https://127.0.0.1:{port}/v1.0", sleep=waited.append)
    with pytest.raises(SourceFault, match="cannot be reached"):
        graph.send("DELETE", "/drives/1/items/2")
    assert len(waited) >= 3
    assert max(waited) <= 1.0
    graph.close()


# Tokens


def test_a_token_that_has_expired_is_renewed_once_for_all(place: Place) -> None:
    place.graph.get(place.at)
    place.emulator.clock.advance(4000)
    signed_in = place.seen("token", host="login")
    assert place.graph.get(place.at)["id"] == place.item_id
    assert place.graph.get(place.at)["id"] == place.item_id
    assert place.seen("token", host="login") == signed_in + 1


def test_a_refused_token_is_renewed_before_a_change_too(place: Place) -> None:
    place.graph.get(place.at)
    place.emulator.revoke_tokens()
    place.graph.send("DELETE", place.at)
    assert place.drive.path_of(place.item_id) is None


def test_who_is_refused_with_a_new_token_as_well_is_not_signed_in(place: Place) -> None:
    fault = place.fails(path=place.item_id, status=401, code="InvalidAuthenticationToken", times=None)
    with pytest.raises(NotSignedIn):
        place.graph.get(place.at)
    assert fault.struck == 2


def test_threads_that_are_refused_together_renew_once(place: Place) -> None:
    place.graph.get(place.at)
    signed_in = place.seen("token", host="login")
    place.emulator.revoke_tokens()
    at_threads(8, lambda: place.graph.get(place.at))
    assert place.seen("token", host="login") <= signed_in + 2


def at_threads(count: int, act: Callable[[], object]) -> None:
    faults: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            faults.append(error)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert not faults, faults


def test_a_sign_in_that_fails_sends_nothing(place: Place) -> None:
    place.fails(host="login", status=503, times=None)
    with asking(place.emulator) as graph, pytest.raises(NotSignedIn):
        graph.get(place.at)
    assert place.seen(place.item_id) == 0


def test_a_token_that_ends_between_looking_and_sending_is_told_without_sending(place: Place) -> None:
    class Once:
        issued = 1
        asked = 0

        def callback(self) -> dict[str, str]:
            self.asked += 1
            if self.asked > 1:
                raise NotSignedIn("the token has ended")
            return {"access_token": "t", "token_type": "Bearer"}

        def renew(self, issued: int | None = None) -> None:
            raise AssertionError("nobody has refused the token")

    graph = Graph(Once(), gate_of(place.emulator), root=place.emulator.graph_url, ca_file=place.emulator.ca_file)
    with pytest.raises(NotSignedIn, match="has ended") as told:
        graph.get(place.at)
    assert told.value.__context__ is None
    assert place.seen(place.item_id) == 0
    graph.close()


# Waiting


@pytest.mark.parametrize("told", [{"retry_after": "20"}, {"retry_after_date": 20.0}])
def test_nobody_asks_before_the_time_that_was_told(place: Place, told: dict[str, Any]) -> None:
    place.fails(path=place.item_id, status=429, times=2, **told)
    began = place.emulator.clock.time()
    place.graph.get(place.at)
    assert place.emulator.clock.time() - began >= 38.0
    assert place.emulator.early_calls == []


def test_the_longer_of_two_waits_counts(place: Place) -> None:
    headers = {"RateLimit-Limit": "1200", "RateLimit-Remaining": "0", "RateLimit-Reset": "50"}
    place.fails(path=place.item_id, status=429, retry_after="5", headers=headers)
    began = place.emulator.clock.time()
    place.graph.get(place.at)
    assert place.emulator.clock.time() - began >= 50.0


def test_all_threads_wait_when_one_is_told_to(place: Place) -> None:
    place.emulator.limits.grace_seconds = 5.0
    place.fails(path=place.item_id, status=429, retry_after="30", times=1, skip=3)
    at_threads(6, lambda: [place.graph.get(place.at) for _ in range(5)])
    assert place.emulator.early_calls == []


def test_a_wait_beyond_our_patience_is_told_and_not_waited_for(place: Place) -> None:
    place.fails(path=place.item_id, status=429, retry_after="3600")
    began = place.emulator.clock.time()
    with pytest.raises(Throttled) as told:
        place.graph.get(place.at)
    assert told.value.retry_after_seconds >= 3599
    assert place.emulator.clock.time() - began < 60
    with pytest.raises(Throttled):
        place.graph.get(place.at)
    assert place.seen(place.item_id) == 1


def test_being_told_to_wait_again_and_again_ends_with_our_patience(place: Place) -> None:
    place.fails(path=place.item_id, status=429, retry_after="100", times=None)
    began = place.emulator.clock.time()
    with pytest.raises(Throttled):
        place.graph.get(place.at)
    assert place.emulator.clock.time() - began <= 900
    assert place.emulator.early_calls == []


def test_an_act_that_must_follow_on_a_look_is_given_up_rather_than_sent_late(place: Place) -> None:
    place.fails(method="DELETE", path=place.item_id, status=429, retry_after="30")
    with pytest.raises(Throttled):
        place.graph.send("DELETE", place.at, patience_seconds=10.0)
    assert place.drive.path_of(place.item_id) == "Staff/a.docx"


def test_we_stay_below_the_sources_limits_and_slow_down_near_them() -> None:
    limits = Limits(units_per_minute=200)
    with Emulator(limits=limits) as emulator, asking(emulator, gate=gate_of(emulator, 600)) as graph:
        place = Place(emulator, graph)
        began = emulator.clock.time()
        for _ in range(400):
            graph.get(place.at)
        throttled = [call for call in calls(emulator) if call.status == 429]
        assert len(throttled) <= 4
        assert emulator.early_calls == []
        assert emulator.clock.time() - began < 600


def test_costs_are_counted_as_the_source_counts_them(place: Place) -> None:
    place.graph.get(place.at)
    place.graph.listed(place.children)
    with place.graph.download(place.link()) as content:
        b"".join(content)
    place.graph.send("DELETE", place.at)
    counted = sum(call.cost for call in place.emulator.log if call.host in ("graph", "downloads"))
    assert place.graph.gate.used_today == counted


# Hostile answers


@pytest.mark.parametrize(
    "fault",
    [
        {"garble": not_a_number},
        {"garble": duplicate_keys},
        {"garble": lambda _: b"[]"},
        {"garble": lambda _: b"null"},
        {"garble": lambda _: b""},
        {"garble": lambda _: b"\xff\xfe"},
        {"garble": lambda _: b'{"a":' * 200_000},
        {"garble": lambda _: b'{"size":1e999}'},
        {"garble": lambda _: b"<html></html>"},
        {"garble": lambda body: body[:-1]},
    ],
)
def test_json_that_two_readers_could_take_for_two_things_is_a_fault(place: Place, fault: dict[str, Any]) -> None:
    place.fails(path=place.item_id, times=None, **fault)
    with pytest.raises(SourceFault, match="answered with something"):
        place.graph.get(place.at)


@pytest.mark.parametrize(
    "page",
    [
        {"value": "x"},
        {"value": [1]},
        {"value": None},
        {},
        {"value": [], "@odata.nextLink": 7},
        {"value": [], "@odata.nextLink": "{self}"},
        {"value": [], "@odata.nextLink": "{root}/a", "@odata.deltaLink": "{root}/b"},
    ],
)
def test_a_list_that_is_none_or_has_no_end_is_a_fault(place: Place, page: dict[str, Any]) -> None:
    def replace(body: dict[str, Any]) -> None:
        body.clear()
        for name, value in page.items():
            whole = place.graph.root + place.children
            body[name] = value.format(self=whole, root=place.graph.root) if isinstance(value, str) else value

    place.fails(path="/children", edit=replace, times=None)
    with pytest.raises(SourceFault):
        place.graph.listed(place.children)


def test_pages_that_lead_round_in_a_circle_are_a_fault(place: Place) -> None:
    links = [f"{place.graph.root}{place.children}?$top={number}" for number in (1, 2, 3)]
    for number, link in enumerate(links):
        place.fails(path=f"/children\\?\\$top={number + 1}", next_link=links[(number + 1) % 3], times=None)
        assert link
    with pytest.raises(SourceFault, match="no end"):
        list(place.graph.all(f"{place.children}?$top=1"))


def test_an_answer_larger_than_any_page_is_not_read_to_its_end(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_LARGEST_ANSWER_BYTES", 1 << 20)
    fault = place.fails(path=place.item_id, times=None, garble=lambda _: b'{"a":"' + b"x" * (8 << 20) + b'"}')
    with pytest.raises(SourceFault, match="more than any answer"):
        place.graph.get(place.at)
    assert fault.struck == 1, "packed, it is small: what counts is what comes out"


def test_an_answer_that_never_ends_is_left(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_LONGEST_ANSWER_SECONDS", -1.0)
    with pytest.raises(SourceFault, match="come to the end"):
        place.graph.get(place.at)
    assert place.seen(place.item_id) == 1


def test_of_a_refusal_only_the_beginning_is_read(place: Place) -> None:
    body = b'{"error":{"code":"accessDenied","message":"' + b"x" * (1 << 20) + b'"}}'
    place.fails(path=place.item_id, status=403, body=body)
    with pytest.raises(PermissionDenied):
        place.graph.get(place.at)


def test_json_is_read_strictly() -> None:
    assert read_object(b'{"a": [1, 1.5, true, null, "x"]}') == {"a": [1, 1.5, True, None, "x"]}
    with pytest.raises(SourceFault, match="twice"):
        read_object(b'{"a": {"b": 1, "b": 1}}')
    with pytest.raises(SourceFault, match="is none"):
        read_object(b'{"a": -Infinity}')


# Content


def test_content_comes_without_our_bearer_from_any_byte_on(place: Place) -> None:
    for offset in (0, 1, 65_536, len(CONTENT) - 1):
        with place.graph.download(place.link(), offset) as content:
            pieces = list(content)
            assert content.total_bytes == len(CONTENT)
        assert b"".join(pieces) == CONTENT[offset:]
        assert max(map(len, pieces)) <= 65_536
    assert place.emulator.leaks == []
    assert all("Authorization" not in call.headers for call in calls(place.emulator, "downloads"))


def test_a_server_that_gives_all_though_a_part_was_asked_for_is_understood(place: Place) -> None:
    place.fails(host="downloads", ignore_range=True)
    with place.graph.download(place.link(), 70_000) as content:
        assert b"".join(content) == CONTENT[70_000:]


def test_a_link_that_has_expired_is_told_as_such(place: Place) -> None:
    link = place.link()
    place.emulator.clock.advance(2 * 86_400)
    with pytest.raises(LinkExpired), place.graph.download(link):
        pass


@pytest.mark.parametrize("wire", [{"cut_at": 100_000}, {"reset": "after"}])
def test_content_that_breaks_off_is_a_fault_and_not_a_shorter_file(place: Place, wire: dict[str, Any]) -> None:
    link = place.link()
    place.fails(host="downloads", times=None, **wire)
    with pytest.raises(SourceFault), place.graph.download(link) as content:
        list(content)


def test_content_hosts_can_ask_all_to_wait_too(place: Place) -> None:
    link = place.link()
    place.fails(host="downloads", status=429, retry_after="30")
    with place.graph.download(link) as content:
        assert b"".join(content) == CONTENT
    assert place.graph.gate.throttled_count == 1
    assert place.emulator.early_calls == []


def test_redirects_of_content_are_followed_to_secure_places_only(place: Place) -> None:
    link = place.link()
    place.fails(host="downloads", status=302, headers={"Location": link}, body=b"")
    with place.graph.download(link) as content:
        assert b"".join(content) == CONTENT
    place.fails(host="downloads", status=302, headers={"Location": place.emulator.plain_url + "/x"}, body=b"")
    with pytest.raises(SourceFault, match="not secure"), place.graph.download(link):
        pass
    place.fails(host="downloads", status=302, headers={"Location": link}, body=b"", times=None)
    with pytest.raises(SourceFault, match="one place to the next"), place.graph.download(link):
        pass
    assert place.seen(host="plain") == 0


def test_a_redirect_to_nowhere_is_a_fault(place: Place) -> None:
    place.fails(host="downloads", status=302, body=b"")
    with pytest.raises(SourceFault), place.graph.download(place.link()):
        pass


def test_another_part_than_the_one_asked_for_is_a_fault(place: Place) -> None:
    for answered in ("bytes 5-9/10", "bytes */10", "nonsense"):
        place.fails(host="downloads", status=206, headers={"Content-Range": answered}, body=b"12345")
        with pytest.raises(SourceFault), place.graph.download(place.link(), 3):
            pass


def test_a_place_at_the_gate_is_free_again_after_the_content(place: Place) -> None:
    with asking(place.emulator, gate=gate_of(place.emulator, most_at_once=1)) as graph:
        for _ in range(3):
            with graph.download(place.link()) as content:
                next(content)
        with pytest.raises(SourceFault), graph.download("http://localhost/x"):
            pass
        assert graph.get(place.at)["id"] == place.item_id


def test_an_error_of_the_reader_is_left_as_it_is(place: Place) -> None:
    with pytest.raises(KeyError), place.graph.download(place.link()):
        raise KeyError


def test_bytes_of_graph_itself_come_with_our_bearer(place: Place) -> None:
    raw = b"From: ann@contoso.example\r\nSubject: x\r\n\r\n" + b"text " * 40_000
    ann = place.emulator.tenant.add_user("ann@contoso.example", mailbox=True)
    id = ann.mailbox.deliver("Inbox", raw, received_at=datetime(2026, 3, 2, tzinfo=UTC))
    with asking(place.emulator, frozenset({"Mail.Read"})) as graph:
        path = f"/users/{quoted(ann.id)}/messages/{quoted(id)}/$value"
        with graph.bytes_of(path) as content:
            assert b"".join(content) == raw
        place.emulator.revoke_tokens()
        place.fails(path="/messages/", status=429, retry_after="5")
        with graph.bytes_of(path) as content:
            assert b"".join(content) == raw
        place.fails(path="/messages/", cut_at=70_000)
        with pytest.raises(SourceFault, match="broke off"), graph.bytes_of(path) as content:
            list(content)
        with pytest.raises(ItemNotFound), graph.bytes_of(path.replace(id[-5:], "AAAAA")):
            pass


# Threads and the end


def test_threads_do_not_get_each_others_answers(place: Place) -> None:
    ids = [place.drive.put(f"Many/{number}.txt", b"x" * number, by="ann@contoso.example") for number in range(24)]
    place.fails(path="/items/", status=500, times=3, probability=0.2)

    def ask() -> None:
        for number, id in enumerate(ids):
            found = place.graph.get(f"/drives/{quoted(place.drive.id)}/items/{quoted(id)}")
            assert (found["id"], found["size"]) == (id, number)

    at_threads(6, ask)


def test_closing_twice_is_closing_once(place: Place) -> None:
    place.graph.get(place.at)
    place.graph.close()
    place.graph.close()
