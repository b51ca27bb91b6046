"""The emulator's change feed tells what the documentation says, in all the ways it may."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.connectors.microsoft365.plain_client import PlainClient, code_of
from tests.emulator import Emulator
from tests.emulator.drive_items import Drive

EXAMPLES, MANY = (200, 20_000) if "RETENTIOND_TEST_LONG" in os.environ else (20, 5_000)


@pytest.fixture(scope="module")
def graph() -> Iterator[Emulator]:
    with Emulator() as started:
        yield started


@pytest.fixture
def drive(graph: Emulator) -> Drive:
    return graph.tenant.add_site("HR").add_library("Documents")


@pytest.fixture(scope="module")
def client(graph: Emulator) -> Iterator[PlainClient]:
    made = PlainClient(graph, graph.tenant.add_app(roles={"Sites.FullControl.All"}))
    yield made
    made.close()


def feed(drive: Drive) -> str:
    return f"/drives/{drive.id}/root/delta"


class Naive:
    """What the documentation tells a client to do.

    The last telling holds, the tree is kept by ids, and what an enumeration did not tell again is gone at its end.
    """

    def __init__(self, client: PlainClient, drive: Drive) -> None:
        self.client, self.drive = client, drive
        self.known: dict[str, dict[str, Any]] = {}
        self.link = feed(drive)
        self.told: list[dict[str, Any]] = []  # everything that was told in the last round
        self.seen: set[str] | None = set()  # in an enumeration

    def read(self, between: Callable[[], None] = lambda: None) -> None:
        """Read to the end, with something going on between two pages."""
        self.told = []
        while True:
            answer = self.client.ask("GET", self.link)
            if answer.status_code == 410:
                self.link, self.seen = answer.headers["Location"], set()
                continue
            assert answer.status_code == 200, answer.text
            page = answer.json()
            for entry in page["value"]:
                self._take(entry)
            if "@odata.deltaLink" in page:
                self.link = page["@odata.deltaLink"]
                break
            self.link = page["@odata.nextLink"]
            between()
        if self.seen is not None:
            self.known = {id: entry for id, entry in self.known.items() if id in self.seen}
            self.seen = None

    def paths(self) -> dict[str, str]:
        """Id to path of all that is known; what has lost a folder above it is gone with that."""
        return {id: path for id in self.known if (path := self._path(id))}

    def _take(self, entry: dict[str, Any]) -> None:
        self.told.append(entry)
        if "deleted" in entry:
            self.known.pop(entry["id"], None)
            return
        self.known[entry["id"]] = entry
        if self.seen is not None:
            self.seen.add(entry["id"])

    def _path(self, id: str) -> str:
        names: list[str] = []
        while id in self.known:
            entry = self.known[id]
            if "root" in entry:
                return "/".join(reversed(names))
            names.append(entry["name"])
            id = entry["parentReference"]["id"]
        return ""


@pytest.fixture
def naive(client: PlainClient, drive: Drive) -> Naive:
    return Naive(client, drive)


def truth(drive: Drive) -> dict[str, str]:
    return {entry.id: entry.path for entry in drive.items()}


def names(entries: list[dict[str, Any]]) -> list[str]:
    return [entry.get("name", "deleted") for entry in entries]


def test_an_enumeration_tells_everything_with_its_root(drive: Drive, naive: Naive) -> None:
    drive.put("Staff/Old/a.txt", b"one")
    drive.put("b.txt", b"two")
    naive.read()
    assert names(naive.told) == ["root", "Staff", "Old", "a.txt", "b.txt"]
    assert naive.paths() == truth(drive)


def test_entries_have_neither_path_nor_ctag_but_hash_and_size(drive: Drive, naive: Naive) -> None:
    drive.put("Staff/a.txt", b"one")
    naive.read()
    told = naive.told[-1]
    assert told["name"] == "a.txt"
    assert "cTag" not in told
    assert "path" not in told["parentReference"]
    assert told["size"] == 3
    assert told["file"]["hashes"]["quickXorHash"]
    assert "@microsoft.graph.downloadUrl" not in told


def test_only_what_changed_is_told_later_with_the_folders_above(drive: Drive, naive: Naive) -> None:
    a = drive.put("Staff/Old/a.txt", b"one")
    drive.put("b.txt", b"two")
    naive.read()
    naive.read()
    assert naive.told == []
    drive.put("Staff/Old/a.txt", b"three")
    naive.read()
    assert names(naive.told) == ["root", "Staff", "Old", "a.txt"]
    assert naive.told[-1]["id"] == a


@pytest.mark.parametrize("headers", [{"deltaExcludeParent": "true"}, {"Prefer": "deltaExcludeParent"}])
def test_the_folders_above_can_be_declined_but_for_the_root(
    drive: Drive, client: PlainClient, headers: dict[str, Any]
) -> None:
    drive.put("Staff/a.txt", b"one")
    link = client.get(feed(drive) + "?token=latest")["@odata.deltaLink"]
    drive.put("Staff/a.txt", b"two")
    assert names(client.get(link, **headers)["value"]) == ["root", "a.txt"]


def test_a_renamed_folder_is_told_alone(drive: Drive, naive: Naive) -> None:
    drive.put("Staff/a.txt")
    naive.read()
    drive.rename(drive.id_of("Staff"), "People")
    naive.read()
    assert names(naive.told) == ["root", "People"]
    assert naive.paths() == truth(drive)


def test_of_a_deleted_file_hardly_more_than_its_id_is_told(drive: Drive, naive: Naive) -> None:
    id = drive.put("a.txt")
    naive.read()
    drive.remove(id)
    naive.read()
    [told] = naive.told
    assert told["id"] == id
    assert told["deleted"] == {"state": "deleted"}
    assert not {"name", "cTag", "eTag"} & told.keys()


def test_of_a_deleted_folder_nothing_in_it_is_told(drive: Drive, naive: Naive) -> None:
    drive.put("Staff/a.txt")
    naive.read()
    drive.remove(drive.id_of("Staff"))
    naive.read()
    assert len(naive.told) == 1
    assert naive.paths() == {}


def test_where_the_service_tells_what_was_in_it_too_that_is_told(drive: Drive, naive: Naive) -> None:
    drive.put("Staff/a.txt")
    naive.read()
    drive.quirks.tells_children_of_deleted = True
    drive.remove(drive.id_of("Staff"))
    naive.read()
    assert len(naive.told) == 2


def test_what_moved_into_a_folder_that_was_then_deleted_is_told_as_deleted(drive: Drive, naive: Naive) -> None:
    id = drive.put("a.txt")
    drive.folder("Staff")
    naive.read()
    drive.move(id, "Staff/a.txt")
    drive.remove(drive.id_of("Staff"))
    naive.read()
    assert naive.paths() == {}


def test_what_is_restored_is_told_with_its_id(drive: Drive, naive: Naive) -> None:
    id = drive.put("Staff/a.txt")
    folder = drive.id_of("Staff")
    naive.read()
    drive.remove(folder)
    naive.read()
    drive.restore(folder)
    naive.read()
    assert naive.paths() == truth(drive) == {folder: "Staff", id: "Staff/a.txt"}


def test_pages_are_as_long_as_asked_and_links_can_be_used_again(drive: Drive, client: PlainClient) -> None:
    for number in range(5):
        drive.put(f"{number}.txt")
    first = client.get(feed(drive) + "?$top=2")
    again = [client.get(first["@odata.nextLink"])["value"] for _ in range(2)]
    assert names(first["value"]) == ["root", "0.txt"]
    assert names(again[0]) == names(again[1]) == ["1.txt", "2.txt"]
    assert len(list(client.pages(feed(drive) + "?$top=2"))) == 3


def test_links_to_content_come_with_the_feed_to_those_who_name_them(drive: Drive, client: PlainClient) -> None:
    drive.put("a.txt", b"one")
    root, told = client.get(feed(drive) + "?$select=id,@microsoft.graph.downloadUrl")["value"]
    assert "@microsoft.graph.downloadUrl" not in root
    assert client.download(told["@microsoft.graph.downloadUrl"]).content == b"one"


def test_what_was_selected_at_first_is_selected_to_the_end(drive: Drive, client: PlainClient) -> None:
    for number in range(3):
        drive.put(f"{number}.txt")
    entries = client.all(feed(drive) + "?$select=id,name,file&$top=2")
    assert all(not {"eTag", "size"} & entry.keys() for entry in entries)
    assert len(entries) == 4


def test_an_item_that_changes_while_pages_are_read_comes_again(drive: Drive, naive: Naive) -> None:
    drive.quirks.page_size = 2
    ids = [drive.put(f"{number}.txt") for number in range(5)]
    changes = iter([lambda: drive.rename(ids[0], "renamed.txt")])
    naive.read(lambda: next(changes, lambda: None)())
    assert [entry["id"] for entry in naive.told].count(ids[0]) == 2
    assert naive.paths() == truth(drive)


def test_the_same_item_may_come_twice_in_one_page_and_the_last_holds(drive: Drive, naive: Naive) -> None:
    drive.quirks.tells_twice = 2
    drive.put("a.txt", b"one")
    drive.put("b.txt", b"two")
    naive.read()
    assert names(naive.told) == ["root", "earlier a.txt", "a.txt", "b.txt"]
    assert naive.paths() == truth(drive)


def test_the_link_for_later_may_come_in_an_empty_page(drive: Drive, client: PlainClient) -> None:
    drive.quirks.empty_last_page = True
    drive.put("a.txt")
    pages = list(client.pages(feed(drive)))
    assert [len(page["value"]) for page in pages] == [2, 0]
    assert client.get(pages[-1]["@odata.deltaLink"])["value"] == []


def test_a_folder_made_anew_may_hide_that_the_old_one_was_deleted(drive: Drive, naive: Naive) -> None:
    drive.quirks.loses_recreated = True
    drive.put("Staff/a.txt")
    old = drive.id_of("Staff")
    naive.read()
    drive.remove(old)
    drive.put("Staff/b.txt")
    naive.read()
    assert old in naive.known
    assert naive.paths() != truth(drive)
    drive.expire_tokens()
    naive.read()
    assert naive.paths() == truth(drive)


def test_the_feed_can_begin_now(drive: Drive, client: PlainClient) -> None:
    drive.put("a.txt")
    page = client.get(feed(drive) + "?token=latest")
    assert page["value"] == []
    drive.put("b.txt")
    assert names(client.get(page["@odata.deltaLink"])["value"]) == ["root", "b.txt"]


def test_the_feed_can_begin_at_a_moment(graph: Emulator, drive: Drive, client: PlainClient) -> None:
    drive.put("a.txt")
    graph.clock.advance(3600)
    moment = graph.clock.now() - timedelta(minutes=30)
    drive.put("b.txt")
    told = client.get(feed(drive) + f"?token={moment:%Y-%m-%dT%H:%M:%SZ}")["value"]
    assert names(told) == ["root", "b.txt"]


@pytest.mark.parametrize("nested", [False, True])
def test_an_old_token_is_gone_and_a_link_to_begin_anew_is_given(
    graph: Emulator, drive: Drive, client: PlainClient, nested: bool
) -> None:
    drive.quirks.resync_nested = nested
    drive.put("a.txt")
    link = client.get(feed(drive))["@odata.deltaLink"]
    graph.clock.advance(31 * 24 * 3600)
    answer = client.ask("GET", link)
    assert answer.status_code == 410
    code = "resyncChangesApplyDifferences"
    assert code_of(answer.json()) == ("resyncRequired" if nested else code)
    assert not nested or answer.json()["error"]["innerError"]["code"] == code
    assert names(client.get(answer.headers["Location"])["value"]) == ["root", "a.txt"]


def test_tokens_can_be_made_to_expire_in_the_middle_of_paging(drive: Drive, naive: Naive) -> None:
    drive.quirks.page_size = 2
    for number in range(5):
        drive.put(f"{number}.txt")
    changes = iter([drive.expire_tokens])
    naive.read(lambda: next(changes, lambda: None)())
    assert naive.paths() == truth(drive)


@pytest.mark.parametrize("token", ["nonsense", "AAAA", "eJwDAAAAAAE"])
def test_a_token_that_is_none_is_refused(drive: Drive, client: PlainClient, token: str) -> None:
    client.get(feed(drive) + f"?token={token}", 400)


def test_a_token_of_another_drive_is_refused(drive: Drive, client: PlainClient) -> None:
    other = drive.site.add_library("Other")
    token = client.get(feed(other))["@odata.deltaLink"].partition("token=")[2]
    client.get(feed(drive) + f"?token={token}", 400)


@pytest.mark.parametrize(("quirk", "status"), [("yes", 200), ("ignored", 200), ("refused", 400)])
def test_expanding_in_the_feed_is_a_matter_of_luck(
    graph: Emulator, drive: Drive, client: PlainClient, quirk: str, status: int
) -> None:
    graph.tenant.add_retention_label("Keep")
    drive.label(drive.put("a.txt"), "Keep")
    drive.quirks.delta_expands = quirk
    page = client.get(feed(drive) + "?$expand=retentionLabel", status)
    if status == 200:
        assert ("retentionLabel" in page["value"][-1]) == (quirk == "yes")


def test_hashes_and_ctags_in_the_feed_are_switches(drive: Drive, naive: Naive) -> None:
    drive.quirks.delta_ctags, drive.quirks.delta_hashes = True, False
    drive.put("a.txt")
    naive.read()
    assert "cTag" in naive.told[-1]
    assert "hashes" not in naive.told[-1]["file"]


def test_the_feed_of_a_folder_tells_what_is_in_it(drive: Drive, client: PlainClient) -> None:
    drive.put("Staff/Old/a.txt")
    drive.put("b.txt")
    told = client.get(f"/drives/{drive.id}/items/{drive.id_of('Staff')}/delta")["value"]
    assert names(told) == ["Staff", "Old", "a.txt"]


def test_a_big_drive_is_made_and_told_in_reasonable_time() -> None:
    with Emulator(check_every=1000) as graph:
        drive = graph.tenant.add_site("HR").add_library("Documents")
        client = PlainClient(graph, graph.tenant.add_app(roles={"Sites.Read.All"}))
        began = time.process_time()
        drive.fill(MANY)
        assert time.process_time() - began < 3 * MANY / 20_000  # seconds of processor time, ten times what it takes
        began = time.process_time()
        assert len(client.all(feed(drive))) == MANY + MANY // 100 + 1
        assert time.process_time() - began < 20 * MANY / 20_000
        client.close()


deeds = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(["A", "B", "A/C", "A/B/D", ""]), st.sampled_from("xyz")),
    st.tuples(st.just("move"), st.integers(0, 30), st.sampled_from(["A/m", "B/m", "A/C/m", "n", "B/n"])),
    st.tuples(st.just("rename"), st.integers(0, 30), st.sampled_from(["R", "r", "S"])),
    st.tuples(st.just("remove"), st.integers(0, 30), st.none()),
    st.tuples(st.just("restore"), st.integers(0, 30), st.none()),
    st.tuples(st.just("expire"), st.none(), st.none()),
    st.tuples(st.just("read"), st.none(), st.none()),
)


def carry_out(drive: Drive, deed: tuple[str, Any, Any]) -> None:
    """Do it if it can be done as things are."""
    kind, what, where = deed
    entries = list(drive.items())
    entry = entries[what % len(entries)] if isinstance(what, int) and entries else None
    if kind == "put":
        place = f"{what}/{where}" if what else where
        if all(each.is_folder == (each.path != place) for each in entries if f"{place}/".startswith(f"{each.path}/")):
            drive.put(place, where.encode())
    elif kind == "expire":
        drive.expire_tokens()
    elif kind == "restore":
        restore(drive, what)
    elif entry is not None and kind == "remove":
        drive.remove(entry.id)
    elif entry is not None:
        folder = where.rpartition("/")[0] if kind == "move" else entry.path.rpartition("/")[0]
        place = where if kind == "move" else f"{folder}/{where}".strip("/")
        by_path = {each.path.lower(): each for each in entries}
        above = by_path.get(folder.lower())
        taken = by_path.get(place.lower(), entry) is not entry
        inside = f"{folder}/".lower().startswith(f"{entry.path}/".lower())
        if not taken and not inside and (not folder or (above is not None and above.is_folder)):
            drive.move(entry.id, place)


def restore(drive: Drive, number: int) -> None:
    deleted = drive.site.recycle_bin.items()
    there = {entry.path.lower() for entry in drive.items() if entry.is_folder} | {""}
    if deleted:
        chosen = deleted[number % len(deleted)]
        place = f"{chosen.folder}/{chosen.name}".strip("/").lower()
        if chosen.folder.lower() in there and place not in {entry.path.lower() for entry in drive.items()}:
            drive.restore(chosen.item_id)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(deeds, max_size=40), between=st.lists(deeds, max_size=20), size=st.integers(1, 5))
def test_a_client_that_does_as_told_ends_with_the_drive_as_it_is(
    graph: Emulator, client: PlainClient, history: list[Any], between: list[Any], size: int
) -> None:
    drive = graph.tenant.add_site("HR").add_library("Documents")
    drive.quirks.page_size = size
    naive = Naive(client, drive)
    meanwhile = iter([deed for deed in between if deed[0] != "read"])
    for deed in history:
        if deed[0] == "read":
            naive.read(lambda: carry_out(drive, next(meanwhile, ("nothing", None, None))))
        else:
            carry_out(drive, deed)
    naive.read()
    assert naive.paths() == truth(drive)
