"""The emulator throttles as SharePoint and Exchange do, and remembers who does not wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from tests.emulator import App, Emulator, Fault, Limits, Request


class Caller:
    """Plain requests with the token of one app, all over one connection."""

    def __init__(self, graph: Emulator, app: App) -> None:
        self._graph = graph
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = graph.ca_file
        self.http.headers["Authorization"] = f"Bearer {graph.token_for(app)}"

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.http.get(self._graph.graph_url + path, timeout=10, **more)


@pytest.fixture
def graph() -> Iterator[Emulator]:
    with Emulator() as graph:
        yield graph


@pytest.fixture
def drive(graph: Emulator) -> str:
    drive = graph.tenant.add_site("HR", path="/sites/hr").add_library("Documents")
    drive.put("a.txt", b"hello")
    return f"/drives/{drive.id}"


def caller(graph: Emulator) -> Caller:
    return Caller(graph, graph.tenant.add_app(roles={"Sites.FullControl.All", "Mail.ReadWrite", "User.Read.All"}))


def test_without_limits_nobody_is_throttled(graph: Emulator, drive: str) -> None:
    one = caller(graph)
    answers = [one.get(drive + "/root") for _ in range(50)]
    assert {answer.status_code for answer in answers} == {200}
    assert not any("RateLimit-Limit" in answer.headers for answer in answers)


def test_a_call_costs_what_its_route_says_and_the_budget_ends(graph: Emulator, drive: str) -> None:
    graph.limits.units_per_minute = 10
    one = caller(graph)
    statuses = [one.get(drive + "/root/children").status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429], "a list costs two units"
    assert [call.cost for call in graph.log] == [2] * 6


def test_the_refusal_says_how_long_and_after_that_it_works_again(graph: Emulator, drive: str) -> None:
    graph.limits.units_per_minute = 3
    one = caller(graph)
    refused = [one.get(drive + "/root") for _ in range(4)][-1]
    wait = int(refused.headers["Retry-After"])
    assert refused.json()["error"]["code"] == "activityLimitReached"
    assert 50 < wait <= 60
    graph.clock.advance(wait)
    assert one.get(drive + "/root").status_code == 200
    assert graph.early_calls == []


def test_who_does_not_wait_is_remembered_and_waits_longer(graph: Emulator, drive: str) -> None:
    graph.limits.units_per_minute = 1
    one = caller(graph)
    first = [one.get(drive + "/root") for _ in range(2)][-1]
    early = one.get(drive + "/root")
    assert (early.status_code, [call.gate_closed for call in graph.log]) == (429, [False, False, True])
    assert int(early.headers["Retry-After"]) >= int(first.headers["Retry-After"]) + 4
    graph.clock.advance(int(first.headers["Retry-After"]))
    assert one.get(drive + "/root").status_code == 429, "the first wait is no longer enough"
    assert len(graph.early_calls) == 2


def test_from_four_fifths_of_the_budget_on_it_is_told(graph: Emulator, drive: str) -> None:
    graph.limits.units_per_minute = 10
    one = caller(graph)
    answers = [one.get(drive + "/root") for _ in range(11)]
    told = [answer.headers.get("RateLimit-Remaining") for answer in answers]
    assert told == [None] * 7 + ["2", "1", "0", "0"]
    assert answers[7].headers["RateLimit-Limit"] == "10"
    assert 50 < int(answers[7].headers["RateLimit-Reset"]) <= 60


def test_every_app_has_a_budget_and_a_gate_of_its_own(graph: Emulator, drive: str) -> None:
    graph.limits.units_per_minute = 1
    one, other = caller(graph), caller(graph)
    assert [one.get(drive + "/root").status_code for _ in range(2)] == [200, 429]
    assert other.get(drive + "/root").status_code == 200


def test_the_day_has_a_budget_too(graph: Emulator, drive: str) -> None:
    graph.limits.units_per_day = 3
    one = caller(graph)
    answers = [one.get(drive + "/root") for _ in range(4)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 80_000
    graph.clock.advance(86_400)
    one = caller(graph)
    assert one.get(drive + "/root").status_code == 200


def test_a_planned_refusal_closes_the_gate_as_a_real_one_does(graph: Emulator, drive: str) -> None:
    graph.faults.add(Fault(path="/root$", status=429, retry_after="3"))
    one = caller(graph)
    assert one.get(drive + "/root").headers["Retry-After"] == "3"
    assert one.get(drive + "/root/children").status_code == 429
    assert len(graph.early_calls) == 1
    graph.clock.advance(3 + 5 + 1)
    assert one.get(drive + "/root").status_code == 200


def test_a_refusal_may_name_a_date_or_nothing(graph: Emulator, drive: str) -> None:
    graph.faults.add(Fault(path="/root$", status=503, retry_after_date=7))
    graph.faults.add(Fault(path="/root$", status=429))
    one = caller(graph)
    dated = one.get(drive + "/root")
    wait = parsedate_to_datetime(dated.headers["Retry-After"]) - parsedate_to_datetime(dated.headers["Date"])
    assert 7 <= wait.total_seconds() <= 8
    graph.clock.advance(8)
    assert "Retry-After" not in one.get(drive + "/root").headers
    assert one.get(drive + "/root").status_code == 200
    assert graph.early_calls == [], "who was told no time cannot be early"


def test_downloads_count_and_wait_too(graph: Emulator, drive: str) -> None:
    graph.limits.units_per_minute = 2
    one = caller(graph)
    link = one.get(drive + "/root:/a.txt").json()["@microsoft.graph.downloadUrl"]

    def fetch() -> int:
        return requests.get(link, verify=graph.ca_file, timeout=5).status_code

    assert [fetch(), fetch()] == [200, 429]
    assert one.get(drive + "/root").status_code == 429
    assert [call.host for call in graph.early_calls] == ["graph"]


def test_grace_is_for_calls_that_were_on_their_way(graph: Emulator, drive: str) -> None:
    graph.limits.grace_seconds = 30
    graph.faults.add(Fault(path="/root$", status=429, retry_after="60"))
    app = graph.tenant.add_app(roles={"Sites.FullControl.All"})
    told, unaware = Caller(graph, app), Caller(graph, app)
    assert unaware.get(drive).status_code == 200  # it has its connection now
    assert told.get(drive + "/root").status_code == 429
    assert unaware.get(drive).status_code == 200
    assert told.get(drive).status_code == 429, "who was told has no grace"


def test_a_mailbox_takes_four_calls_at_once(graph: Emulator) -> None:
    for name in ("ann", "ben"):
        graph.tenant.add_user(f"{name}@contoso.example", mailbox=True)
    app = graph.tenant.add_app(roles={"Mail.ReadWrite"})
    inside, opened = threading.Semaphore(0), threading.Event()

    def linger(_: Request) -> None:
        inside.release()
        assert opened.wait(20)

    graph.on_request("GET", "/users/ann@contoso.example/mailFolders$", linger, times=4)

    def folders(user: str) -> requests.Response:
        return Caller(graph, app).get(f"/users/{user}@contoso.example/mailFolders")

    threads = [threading.Thread(target=folders, args=("ann",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert inside.acquire(timeout=20)
    fifth, elsewhere = folders("ann"), folders("ben")
    opened.set()
    for thread in threads:
        thread.join(20)
    assert fifth.json()["error"]["code"] == "ApplicationThrottled"
    assert (fifth.status_code, elsewhere.status_code) == (429, 200)
    graph.clock.advance(int(fifth.headers["Retry-After"]))
    assert folders("ann").status_code == 200
    assert sorted(call.status for call in graph.log) == [200] * 6 + [429]


def test_a_batch_pays_for_each_of_its_calls(graph: Emulator, drive: str) -> None:
    graph.limits.units_per_minute = 5
    one = caller(graph)
    requested = [{"id": str(n), "method": "GET", "url": f"{drive}/root/children"} for n in range(4)]
    answer = one.http.post(f"{graph.graph_url}/$batch", json={"requests": requested}).json()
    statuses = sorted(each["status"] for each in answer["responses"])
    assert statuses == [200, 200, 429, 429]
    assert graph.early_calls == [], "they came together"


def test_limits_may_be_given_at_the_start() -> None:
    with Emulator(limits=Limits(units_per_minute=1)) as graph:
        one = caller(graph)
        assert [one.get("/sites/getAllSites").status_code for _ in range(2)] == [429, 429]
