"""What the emulator can be told to do wrong, and that it does so on the wire."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator

import pytest
import requests

from tests.emulator import Emulator, Fault, Request
from tests.emulator.faults import duplicate_keys, not_a_number

CONTENT = bytes(range(256)) * 40


class Caller(requests.Session):
    """Plain requests with a token, none of them repeated or redirected."""

    def __init__(self, graph: Emulator) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = graph.ca_file
        app = graph.tenant.add_app(roles={"Sites.FullControl.All"})
        self.headers["Authorization"] = f"Bearer {graph.token_for(app)}"


@pytest.fixture
def graph() -> Iterator[Emulator]:
    with Emulator() as graph:
        yield graph


@pytest.fixture
def call(graph: Emulator) -> Iterator[Caller]:
    with Caller(graph) as call:
        yield call


@pytest.fixture
def item(graph: Emulator) -> str:
    """The address of a file with CONTENT."""
    drive = graph.tenant.add_site("HR", path="/sites/hr").add_library("Documents")
    return f"{graph.graph_url}/drives/{drive.id}/items/{drive.put('a.bin', CONTENT)}"


def status(call: Caller, url: str) -> int:
    return call.get(url, timeout=5, allow_redirects=False).status_code


def test_a_fault_strikes_the_calls_that_fit_as_often_as_it_says(graph: Emulator, call: Caller, item: str) -> None:
    fault = graph.faults.add(Fault(method="GET", path=r"/items/[^/]+$", status=503, times=2, skip=1))
    assert status(call, f"{item}/versions") == 200, "another path"
    assert [status(call, item) for _ in range(4)] == [200, 503, 503, 200]
    assert fault.struck == 2


def test_faults_by_chance_are_the_same_for_the_same_seed() -> None:
    runs = []
    for seed in (1, 1, 2):
        with Emulator(seed=seed) as graph, Caller(graph) as call:
            graph.faults.add(Fault(path="/sites/getAllSites", status=500, probability=0.5, times=None))
            runs.append([status(call, f"{graph.graph_url}/sites/getAllSites") for _ in range(20)])
    assert runs[0] == runs[1] != runs[2]
    assert set(runs[0]) == {200, 500}


def test_a_refusal_may_be_html_or_have_a_code_inside_a_code(graph: Emulator, call: Caller, item: str) -> None:
    graph.faults.add(Fault(status=504, body="<html>Gateway Timeout</html>"))
    graph.faults.add(Fault(status=403, code="accessDenied", message="no", inner={"code": "malwareDetected"}))
    graph.faults.add(Fault(status=500, body=b""))
    page = call.get(item)
    assert (page.status_code, page.text, page.headers["Content-Type"]) == (
        504,
        "<html>Gateway Timeout</html>",
        "text/html; charset=utf-8",
    )
    error = call.get(item).json()["error"]
    assert (error["code"], error["innerError"]["code"]) == ("accessDenied", "malwareDetected")
    assert call.get(item).content == b""


def test_a_reset_before_the_act_leaves_it_undone(graph: Emulator, call: Caller, item: str) -> None:
    graph.faults.add(Fault(method="DELETE", reset="before"))
    with pytest.raises(requests.ConnectionError):
        call.delete(item)
    assert graph.log[-1].status == 0
    assert status(call, item) == 200


def test_a_reset_after_the_act_leaves_it_done(graph: Emulator, call: Caller, item: str) -> None:
    graph.faults.add(Fault(method="DELETE", reset="after"))
    with pytest.raises(requests.ConnectionError):
        call.delete(item)
    assert graph.log[-1].status == 0
    assert status(call, item) == 404


def test_a_reset_is_one_on_the_wire(graph: Emulator) -> None:
    graph.faults.add(Fault(host="plain", reset="before"))
    with socket.create_connection(("127.0.0.1", graph.port_of("plain"))) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_a_truncated_body_says_more_than_it_sends(graph: Emulator, call: Caller, item: str) -> None:
    link = call.get(item).json()["@microsoft.graph.downloadUrl"]
    graph.faults.add(Fault(host="downloads", cut_at=1000))
    with requests.get(link, verify=graph.ca_file, stream=True, timeout=5) as answer:
        assert answer.headers["Content-Length"] == str(len(CONTENT))
        got = b""
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            for piece in answer.iter_content(100):
                got += piece
    assert got == CONTENT[:1000]


def test_a_stalled_body_is_silent_in_its_middle(graph: Emulator, call: Caller, item: str) -> None:
    link = call.get(item).json()["@microsoft.graph.downloadUrl"]
    graph.faults.add(Fault(host="downloads", stall_seconds=60, times=1))
    graph.faults.add(Fault(host="downloads", stall_seconds=0.3))
    with (
        pytest.raises((requests.ConnectionError, requests.Timeout)),
        requests.get(link, verify=graph.ca_file, stream=True, timeout=0.2) as answer,
    ):
        _ = answer.content
    started = time.monotonic()
    assert requests.get(link, verify=graph.ca_file, timeout=5).content == CONTENT
    assert time.monotonic() - started > 0.25


def test_leaving_the_emulator_does_not_wait_for_a_stalled_body() -> None:
    started = time.monotonic()
    with Emulator() as graph:
        graph.faults.add(Fault(host="evil", stall_seconds=60))
        with requests.get(graph.evil_url, verify=graph.ca_file, stream=True, timeout=5):
            pass
    assert time.monotonic() - started < 10


def test_a_delay_comes_before_everything(graph: Emulator, call: Caller, item: str) -> None:
    graph.faults.add(Fault(delay_seconds=0.2))
    started = time.monotonic()
    assert status(call, item) == 200
    assert time.monotonic() - started >= 0.2


def test_a_download_honours_a_range_unless_told_not_to(graph: Emulator, call: Caller, item: str) -> None:
    link = call.get(item).json()["@microsoft.graph.downloadUrl"]

    def part(wanted: str) -> requests.Response:
        return requests.get(link, verify=graph.ca_file, headers={"Range": wanted}, timeout=5)

    tail = part("bytes=10000-")
    assert (tail.status_code, tail.content) == (206, CONTENT[10000:])
    assert tail.headers["Content-Range"] == f"bytes 10000-{len(CONTENT) - 1}/{len(CONTENT)}"
    assert part("bytes=5-9").content == CONTENT[5:10]
    beyond = part(f"bytes={len(CONTENT)}-")
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(CONTENT)}")
    graph.faults.add(Fault(host="downloads", ignore_range=True))
    ignored = part("bytes=10000-")
    assert (ignored.status_code, ignored.content) == (200, CONTENT)


def test_a_link_ends_with_the_clock_and_cannot_be_altered(graph: Emulator, call: Caller, item: str) -> None:
    link = call.get(item).json()["@microsoft.graph.downloadUrl"]
    answers = [link, link.replace("expiry=1", "expiry=2"), link.replace("/content/", "/contents/")]
    assert [requests.get(each, verify=graph.ca_file, timeout=5).status_code for each in answers] == [200, 401, 401]
    graph.clock.advance(3601)
    assert requests.get(link, verify=graph.ca_file, timeout=5).status_code == 401


def test_a_bearer_on_the_download_host_is_noted_not_refused(graph: Emulator, call: Caller, item: str) -> None:
    link = call.get(item).json()["@microsoft.graph.downloadUrl"]
    assert requests.get(link, verify=graph.ca_file, timeout=5).content == CONTENT
    assert graph.leaks == []
    assert call.get(link).content == CONTENT
    assert [leak.host for leak in graph.leaks] == ["downloads"]


def test_a_next_link_may_lead_astray(graph: Emulator, call: Caller, item: str) -> None:
    graph.faults.add(Fault(path="/children", next_link=f"{graph.evil_url}/v1.0/drives"))
    link = call.get(item.partition("/items/")[0] + "/root/children").json()["@odata.nextLink"]
    assert call.get(link).status_code == 200
    assert [leak.host for leak in graph.leaks] == ["evil"]


def test_a_redirect_may_lead_to_plain_http(graph: Emulator, call: Caller, item: str) -> None:
    graph.faults.add(Fault(path="/content$", status=302, headers={"Location": f"{graph.plain_url}/a"}))
    answer = call.get(f"{item}/content", allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{graph.plain_url}/a")
    assert requests.get(answer.headers["Location"], timeout=5).status_code == 200


def test_answers_may_be_edited_or_garbled(graph: Emulator, call: Caller, item: str) -> None:
    graph.faults.add(Fault(edit=lambda body: body.update(size="large")))
    graph.faults.add(Fault(garble=not_a_number))
    graph.faults.add(Fault(garble=duplicate_keys))
    assert call.get(item).json()["size"] == "large"
    assert call.get(item).text.count('"size":NaN') == 1
    pairs = json.loads(call.get(item).text, object_pairs_hook=list)
    assert [name for name, _ in pairs].count("id") == 2
    assert call.get(item).json()["size"] == len(CONTENT)
    assert graph.violations == [], "what a fault has made is not the emulator's fault"


def test_what_is_asked_during_a_fault_is_still_checked(graph: Emulator, call: Caller, item: str) -> None:
    graph.faults.add(Fault(status=503))
    call.patch(item, json={"label": "b"})
    assert len(graph.violations) == 1
    graph.violations.clear()


def test_the_login_host_and_the_metadata_service_fail_too(graph: Emulator) -> None:
    graph.faults.add(Fault(host="login", path="openid-configuration", status=503, body="busy", retry_after="2"))
    graph.faults.add(Fault(host="imds", status=429, body={"error": "too many requests"}))
    url = f"{graph.login_url}/{graph.tenant.id}/v2.0/.well-known/openid-configuration"
    busy = requests.get(url, verify=graph.ca_file, timeout=5)
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "2")
    assert requests.get(url, verify=graph.ca_file, timeout=5).status_code == 200
    assert requests.get(f"{graph.imds_url}/metadata/identity/oauth2/token", timeout=5).status_code == 429


def test_a_test_may_act_between_two_requests_of_one_call(graph: Emulator, call: Caller, item: str) -> None:
    seen: list[str] = []
    [drive] = next(graph.tenant.sites()).drives
    item_id = item.rpartition("/")[2]

    def edit(request: Request) -> None:
        seen.append(request.method)
        drive.put("a.bin", b"changed meanwhile")

    before = call.get(item).json()["eTag"]
    graph.on_request("DELETE", "/items/", edit)
    assert call.delete(item, headers={"If-Match": before}).status_code == 412
    assert seen == ["DELETE"]
    graph.on_request("DELETE", "/items/", lambda _: seen.append(str(drive.path_of(item_id))), moment="after")
    assert call.delete(item).status_code == 204
    assert seen == ["DELETE", "None"], "the item was gone when we looked"


def test_the_log_tells_what_came_and_what_was_said(graph: Emulator, call: Caller, item: str) -> None:
    call.get(f"{item}?$select=id,name", headers={"User-Agent": "tests"})
    [logged] = graph.log
    assert (logged.host, logged.method, logged.status, logged.cost) == ("graph", "GET", 200, 1)
    assert logged.path == item.removeprefix(graph.graph_url)
    assert logged.query == {"$select": "id,name"}
    assert logged.headers["user-agent"] == "tests"
    assert graph.tenant.app_of(str(logged.app)) is not None


def test_a_bug_of_the_emulator_is_told_at_its_end() -> None:
    def fail(_: Request) -> None:
        raise ZeroDivisionError

    with pytest.raises(AssertionError, match="ZeroDivisionError"), Emulator() as graph, Caller(graph) as call:
        graph.on_request("GET", "/sites/getAllSites", fail)
        assert status(call, f"{graph.graph_url}/sites/getAllSites") == 500


def test_large_answers_come_packed_to_who_unpacks(graph: Emulator, call: Caller) -> None:
    drive = graph.tenant.add_site("HR", path="/sites/hr").add_library("Documents")
    for n in range(20):
        drive.put(f"{n}.txt", b"x")
    url = f"{graph.graph_url}/drives/{drive.id}/root/children"
    packed, plain = call.get(url), call.get(url, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert len(packed.json()["value"]) == len(plain.json()["value"]) == 20


def test_a_hundred_connections_at_once_are_served(graph: Emulator) -> None:
    context = ssl.create_default_context(cafile=graph.ca_file)
    port = graph.port_of("evil")
    clients = [http.client.HTTPSConnection("localhost", port, context=context, timeout=20) for _ in range(120)]
    for client in clients:
        client.connect()
    for client in clients:
        client.request("GET", "/")
    assert {client.getresponse().status for client in clients} == {200}
    for client in clients:
        client.close()


def test_old_tls_is_refused(graph: Emulator) -> None:
    context = ssl.create_default_context(cafile=graph.ca_file)
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        pytest.raises(ssl.SSLError),
        socket.create_connection(("127.0.0.1", graph.port_of("graph"))) as connection,
        context.wrap_socket(connection, server_hostname="localhost"),
    ):
        pass
