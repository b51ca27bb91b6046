"""Content comes whole, of one version, and in little memory; or it is said that it did not."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.errors import ItemChanged, ItemNotFound, PermissionDenied, SourceFault, Sparse
from connectors.microsoft365 import session
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.links import quoted
from connectors.microsoft365.streaming import SELECTED, Facts, Fetched, facts_of, fetch
from tests.connectors.microsoft365.asking import READER, asking, calls
from tests.emulator import Emulator, Fault
from tests.emulator.contents import Sparse as Zeros
from tests.emulator.drive_items import Drive

CONTENT = random.Random(3).randbytes(300_000)
ANN = "ann@contoso.example"


@dataclass
class Place:
    """A tenant with one library, and a way to fetch from it into a file in memory."""

    emulator: Emulator
    graph: Graph
    drive: Drive = field(init=False)
    asked: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.drive = self.emulator.tenant.add_site("HR", path="/sites/hr").add_library("Documents")

    def put(self, name: str, content: bytes = CONTENT) -> str:
        return self.drive.put(name, content, by=ANN)

    def facts(self, item_id: str) -> Callable[[], Facts]:
        def ask() -> Facts:
            self.asked += 1
            return facts_of(
                self.graph.get(f"/drives/{quoted(self.drive.id)}/items/{quoted(item_id)}?$select={SELECTED}")
            )

        return ask

    def fetch(self, item_id: str, **terms: Any) -> tuple[bytes, Fetched]:
        into = os.memfd_create("content")
        try:
            fetched = fetch(self.graph, self.facts(item_id), into, **terms)
            return os.pread(into, 1 << 24, 0), fetched
        finally:
            os.close(into)

    def breaks(self, **fault: Any) -> Fault:
        return self.emulator.faults.add(Fault(host="downloads", **fault))

    def ranges(self) -> list[str | None]:
        return [call.headers.get("Range") for call in calls(self.emulator, "downloads")]


@pytest.fixture
def place() -> Iterator[Place]:
    with Emulator() as emulator, asking(emulator, READER) as graph:
        yield Place(emulator, graph)


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 300_000])
def test_content_of_any_size_comes_whole(place: Place, size: int) -> None:
    content, fetched = place.fetch(place.put("a.bin", CONTENT[:size]))
    assert content == CONTENT[:size]
    assert (fetched.size_bytes, fetched.doubtful) == (size, False)
    assert place.asked == 1
    assert place.emulator.leaks == []


def test_nothing_is_downloaded_of_an_empty_file(place: Place) -> None:
    place.fetch(place.put("a.bin", b""))
    assert calls(place.emulator, "downloads") == []


@pytest.mark.parametrize("wire", [{"cut_at": 100_000}, {"reset": "before"}, {"reset": "after"}, {"cut_at": 0}])
def test_what_broke_off_goes_on_where_it_stopped(place: Place, wire: dict[str, Any]) -> None:
    item_id = place.put("a.bin")
    place.breaks(times=2, **wire)
    content, _ = place.fetch(item_id)
    assert content == CONTENT
    if wire == {"cut_at": 100_000}:
        assert place.ranges()[1:] == ["bytes=65536-", "bytes=131072-"], "a piece that was cut is fetched again"


def test_a_server_that_ignores_where_we_go_on_is_understood(place: Place) -> None:
    item_id = place.put("a.bin")
    place.breaks(cut_at=100_000)
    place.breaks(ignore_range=True)
    content, _ = place.fetch(item_id)
    assert content == CONTENT


def test_a_silent_server_is_left_and_asked_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "TIMEOUT", (5.0, 0.3))
    item_id = place.put("a.bin")
    place.breaks(stall_seconds=5.0)
    content, _ = place.fetch(item_id)
    assert content == CONTENT


def test_who_breaks_off_again_and_again_is_given_up(place: Place) -> None:
    item_id = place.put("a.bin")
    fault = place.breaks(cut_at=0, times=None)
    with pytest.raises(SourceFault):
        place.fetch(item_id)
    assert 5 <= fault.struck <= 25


def test_who_breaks_off_and_yet_gets_on_is_not_given_up(place: Place) -> None:
    item_id = place.put("a.bin", CONTENT * 5)
    place.breaks(cut_at=70_000, times=20)
    content, _ = place.fetch(item_id)
    assert content == CONTENT * 5


def test_a_link_that_has_expired_is_replaced(place: Place) -> None:
    item_id = place.put("a.bin")
    facts = place.facts(item_id)
    stale = facts()
    place.emulator.clock.advance(7_200)
    given = iter([stale])
    into = os.memfd_create("content")
    fetch(place.graph, lambda: next(given, None) or facts(), into)
    assert os.pread(into, 1 << 20, 0) == CONTENT
    os.close(into)


def test_a_link_that_expires_on_the_way_is_replaced(place: Place) -> None:
    item_id = place.put("a.bin")
    place.breaks(cut_at=100_000)
    place.breaks(status=401, body="")
    content, _ = place.fetch(item_id)
    assert content == CONTENT


def test_a_token_that_ends_on_the_way_is_renewed(place: Place) -> None:
    item_id = place.put("a.bin")
    place.breaks(cut_at=100_000)
    place.emulator.on_request("GET", "", lambda _: place.emulator.revoke_tokens(), times=1)
    content, _ = place.fetch(item_id)
    assert content == CONTENT


# The item changes


def test_an_item_that_is_edited_while_it_is_read_has_changed(place: Place) -> None:
    item_id = place.put("a.bin")
    place.breaks(cut_at=100_000)
    edit_after_first_facts(place, lambda: place.put("a.bin", b"another"))
    with pytest.raises(ItemChanged):
        place.fetch(item_id)


def edit_after_first_facts(place: Place, edit: Callable[[], object]) -> None:
    place.emulator.on_request("GET", "/items/", lambda _: edit(), moment="after")


@pytest.mark.parametrize("name", ["a.bin", "a.docx"])
def test_an_item_that_is_edited_before_the_download_has_changed(place: Place, name: str) -> None:
    item_id = place.put(name)
    edit_after_first_facts(place, lambda: place.put(name, CONTENT[::-1]))
    with pytest.raises(ItemChanged):
        place.fetch(item_id)


def test_an_item_that_is_deleted_while_it_is_read_is_not_there(place: Place) -> None:
    item_id = place.put("a.bin")
    place.breaks(cut_at=100_000)
    edit_after_first_facts(place, lambda: place.drive.remove(item_id))
    with pytest.raises(ItemNotFound):
        place.fetch(item_id)


def test_malware_is_not_given_out(place: Place) -> None:
    item_id = place.put("a.bin")
    place.emulator.faults.add(Fault(path=item_id, status=403, code="malwareDetected"))
    with pytest.raises(PermissionDenied):
        place.fetch(item_id)


# What the service says need not be so


@pytest.mark.parametrize("claim", [{"hash": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}, {"size": 299_999}, {"size": 300_001}])
@pytest.mark.parametrize("name", ["a.docx", "photo.JPG", "a.bin"])
def test_other_bytes_than_described_are_a_doubt_where_the_service_rewrites_files_and_else_a_fault(
    place: Place, claim: dict[str, Any], name: str
) -> None:
    item_id = place.put(name)
    place.drive.claim(item_id, **claim)
    if name == "a.bin":
        with pytest.raises(SourceFault, match="not the content"):
            place.fetch(item_id)
    else:
        content, fetched = place.fetch(item_id)
        assert content == CONTENT
        assert (fetched.size_bytes, fetched.doubtful) == (len(CONTENT), True)


def test_without_a_hash_the_version_is_asked_for_once_more(place: Place) -> None:
    item_id = place.put("a.bin")

    def without_hash() -> Facts:
        facts = place.facts(item_id)()
        return Facts(facts.etag, facts.size_bytes, facts.url)

    into = os.memfd_create("content")
    assert not fetch(place.graph, without_hash, into).doubtful
    assert place.asked == 2
    os.close(into)


def test_bytes_that_were_damaged_on_the_way_are_a_fault(place: Place) -> None:
    item_id = place.put("a.bin")
    place.breaks(status=200, body=CONTENT[:-1] + b"x")
    with pytest.raises(SourceFault, match="not the content"):
        place.fetch(item_id)


def test_more_bytes_than_we_take_are_refused_whatever_was_said(place: Place) -> None:
    item_id = place.put("a.bin")
    place.drive.claim(item_id, size=10)
    with pytest.raises(Sparse):
        place.fetch(item_id, most_bytes=200_000)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"eTag": "1", "size": 1},
        {"eTag": "", "size": 1, "@microsoft.graph.downloadUrl": "https://x/"},
        {"eTag": "1", "size": -1, "@microsoft.graph.downloadUrl": "https://x/"},
        {"eTag": "1", "size": True, "@microsoft.graph.downloadUrl": "https://x/"},
        {"eTag": "1", "size": "1", "@microsoft.graph.downloadUrl": "https://x/"},
    ],
)
def test_a_description_that_lacks_something_is_a_fault(answer: dict[str, Any]) -> None:
    with pytest.raises(SourceFault):
        facts_of(answer)


def test_a_description_is_read_as_far_as_it_goes() -> None:
    answer = {"eTag": "1", "size": 1, "@microsoft.graph.downloadUrl": "https://x/", "file": {"hashes": {}}, "name": 7}
    assert facts_of(answer) == Facts("1", 1, "https://x/")
    assert "x" not in repr(facts_of(answer)).removeprefix("Facts").replace("size_bytes", "")


def test_a_link_that_is_not_secure_is_not_followed(place: Place) -> None:
    facts = Facts("1", 10, place.emulator.plain_url + "/x")
    into = os.memfd_create("content")
    with pytest.raises(SourceFault):
        fetch(place.graph, lambda: facts, into)
    os.close(into)
    assert calls(place.emulator, "plain") == []


# Rates and memory


def test_the_one_who_limits_is_told_of_every_byte_before_it_is_written(place: Place) -> None:
    spent: list[int] = []
    place.fetch(place.put("a.bin"), spend=spent.append)
    assert sum(spent) == len(CONTENT)
    assert max(spent) <= 65_536


def test_what_the_one_who_limits_raises_ends_it(place: Place) -> None:
    def stop(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place.fetch(place.put("a.bin"), spend=stop)


_FETCHES = """
import json, os, resource, sys
from connectors.microsoft365.gate import TenantGate
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.streaming import SELECTED, facts_of, fetch
terms = json.load(sys.stdin)

class Signed:
    issued = 1
    def callback(self):
        return {"access_token": terms["token"], "token_type": "Bearer"}

graph = Graph(Signed(), TenantGate(None), root=terms["root"], ca_file=terms["ca_file"])
facts = lambda: facts_of(graph.get(terms["path"] + "?$select=" + SELECTED))
facts()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
fetched = fetch(graph, facts, os.open("/dev/null", os.O_WRONLY))
print(json.dumps([fetched.size_bytes, fetched.doubtful, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before]))
"""


def test_200_mib_pass_through_little_memory(place: Place) -> None:
    item_id = place.put("large.bin", b"")
    place.drive.rewrite(place.drive.nodes[item_id], Zeros(200 << 20), place.drive.nodes[item_id].created_by)
    app = place.emulator.tenant.add_app(roles=set(READER))
    terms = {
        "token": place.emulator.token_for(app),
        "root": place.emulator.graph_url,
        "ca_file": place.emulator.ca_file,
        "path": f"/drives/{quoted(place.drive.id)}/items/{quoted(item_id)}",
    }
    answer = subprocess.run(
        [sys.executable, "-c", _FETCHES],
        input=json.dumps(terms),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    size, doubtful, grown_kib = json.loads(answer.stdout)
    assert (size, doubtful) == (200 << 20, False)
    assert grown_kib < 20 << 10, f"memory grew by {grown_kib >> 10} MiB"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 250_000), max_size=4), ignored=st.integers(0, 4))
def test_however_often_it_breaks_off_the_content_is_the_same(place: Place, cuts: list[int], ignored: int) -> None:
    place.emulator.faults.clear()
    item_id = place.put("a.bin")
    for number, cut in enumerate(cuts):
        place.breaks(cut_at=cut, ignore_range=number == ignored)
    content, fetched = place.fetch(item_id)
    assert content == CONTENT
    assert not fetched.doubtful
