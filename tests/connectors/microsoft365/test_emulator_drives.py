"""The emulator's drives are what the documentation says of real ones: items, content, versions."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.microsoft365.plain_client import PlainClient, code_of
from tests.emulator import Emulator
from tests.emulator.contents import Ruled, Sparse
from tests.emulator.drive_items import Drive
from tests.emulator.quickxor import quick_xor, quick_xor_of_zeros

ODD_NAMES = [
    "a#b.txt",
    "50%.txt",
    "50%25.txt",
    "a+b.txt",
    "O'Neil & Sons.txt",
    "ends with a dot.",
    "\N{PARTY POPPER}.txt",
    "caf\N{LATIN SMALL LETTER E WITH ACUTE}.txt",
    "cafe\N{COMBINING ACUTE ACCENT}.txt",
]


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


# The hash


def naive_quick_xor(data: bytes) -> str:
    """Byte by byte, as the published description puts it."""
    ring = 0
    for index, byte in enumerate(data):
        place = 11 * index % 160
        ring ^= (byte << place) & ((1 << 160) - 1) ^ (byte << place >> 160)
    ring ^= len(data) << 96
    return base64.b64encode(ring.to_bytes(20, "little")).decode()


@given(st.lists(st.binary(max_size=400), max_size=5))
def test_the_hash_is_the_same_however_the_bytes_come(pieces: list[bytes]) -> None:
    assert quick_xor(pieces) == naive_quick_xor(b"".join(pieces))


def test_the_hash_of_zeros_needs_no_zeros() -> None:
    assert quick_xor_of_zeros(70_001) == quick_xor([bytes(70_001)])


def test_a_known_hash() -> None:
    assert quick_xor([b"hello"]) == "aCgDG9jwBgAAAAAABQAAAAAAAAA="


# What is told about items


def test_a_file_is_told_with_its_facts(client: PlainClient, drive: Drive) -> None:
    made = datetime(2019, 3, 4, 5, 6, 7, tzinfo=UTC)
    id = drive.put("Staff/a b.txt", b"hello", by="ann.lee@contoso.example", created_at=made, modified_at=made)

    told = client.get(path(drive, id))

    assert told["name"] == "a b.txt"
    assert told["size"] == 5
    assert told["file"] == {"mimeType": "text/plain", "hashes": {"quickXorHash": quick_xor([b"hello"])}}
    assert told["createdDateTime"] == told["fileSystemInfo"]["lastModifiedDateTime"] == "2019-03-04T05:06:07Z"
    assert told["createdBy"]["user"]["displayName"] == "Ann Lee"
    assert told["parentReference"]["id"] == drive.id_of("Staff")
    assert told["parentReference"]["path"] == f"/drives/{drive.id}/root:/Staff"
    assert told["webUrl"].endswith("/sites/hr/Documents/Staff/a%20b.txt")
    assert id.startswith("01")
    assert len(id) == 34
    assert drive.id.startswith("b!")


def test_the_same_path_again_is_new_content_of_the_same_item(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt", b"one")
    before = client.get(path(drive, id))
    assert drive.put("A.TXT", b"two!") == id
    after = client.get(path(drive, id))
    assert after["name"] == "a.txt"
    assert after["size"] == 4
    assert before["eTag"] != after["eTag"]
    assert before["cTag"] != after["cTag"]


def test_a_change_that_is_none_of_content_changes_the_etag_alone(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt", b"one")
    before = client.get(path(drive, id))
    drive.rename(id, "b.txt")
    after = client.get(path(drive, id))
    assert before["eTag"] != after["eTag"]
    assert before["cTag"] == after["cTag"]


def test_the_service_may_change_the_tags_by_itself(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt", b"one")
    before = client.get(path(drive, id))
    drive.touch(id)
    after = client.get(path(drive, id))
    assert [name for name in before if before[name] != after[name] and "downloadUrl" not in name] == ["eTag", "cTag"]


def test_only_what_is_selected_is_told(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt", b"one")
    assert client.get(path(drive, id) + "?$select=id,name") == {"id": id, "name": "a.txt"}


def test_names_that_there_are_not_are_passed_over() -> None:
    with Emulator(check=False) as graph:
        drive = graph.tenant.add_site("HR").add_library("Documents")
        client = PlainClient(graph, graph.tenant.add_app(roles={"Sites.Read.All"}))
        id = drive.put("a.txt", b"one")
        assert client.get(path(drive, id) + "?$select=id,nonsense") == {"id": id}
        client.close()


def test_a_drive_is_told(client: PlainClient, drive: Drive) -> None:
    told = client.get(f"/drives/{drive.id}")
    assert (told["name"], told["driveType"]) == ("Documents", "documentLibrary")
    assert told["webUrl"] == "https://contoso.sharepoint.com/sites/hr/Documents"
    asked = client.get(f"/drives/{drive.id}?$select=id,sharePointIds")
    assert asked == {"id": drive.id, "sharePointIds": asked["sharePointIds"]}
    assert asked["sharePointIds"]["listId"] == drive.list_id


def test_publication_and_sharepoint_ids_are_told_to_those_who_name_them(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt", b"one")
    assert not {"publication", "sharepointIds", "webDavUrl"} & client.get(path(drive, id)).keys()
    published = client.get(path(drive, id) + "?$select=publication,webDavUrl")
    assert published["publication"] == {"level": "published", "versionId": "1.0"}
    assert published["webDavUrl"].endswith("/a.txt")
    drive.check_out(id, by="bob@contoso.example")

    told = client.get(path(drive, id) + "?$select=publication,sharepointIds")

    assert told["publication"]["level"] == "checkout"
    assert told["publication"]["checkedOutBy"]["user"]["displayName"] == "Bob"
    assert told["sharepointIds"]["listId"] == drive.list_id


def test_label_and_columns_come_along_where_they_are_expanded(
    client: PlainClient, graph: Emulator, drive: Drive
) -> None:
    graph.tenant.add_retention_label("Keep", "retain")
    drive.columns.add("CaseNumber")
    id = drive.put("a.txt", b"one")
    drive.label(id, "Keep")
    drive.fields(id, CaseNumber="17")

    told = client.get(
        path(drive, id) + "?$select=id&$expand=retentionLabel,listItem($expand=fields($select=CaseNumber))"
    )

    assert told["retentionLabel"]["name"] == "Keep"
    assert told["listItem"]["fields"]["CaseNumber"] == "17"
    assert "FileLeafRef" not in told["listItem"]["fields"]
    assert "name" not in told


def test_what_cannot_be_expanded_is_refused(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt", b"one")
    client.get(path(drive, id) + "?$expand=nonsense", 400)
    client.get(path(drive, id) + "?$expand=listItem($expand=fields", 400)


def test_who_has_the_item_already_is_told_so(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt", b"one")
    etag = client.get(path(drive, id))["eTag"]
    client.get(path(drive, id), 304, If_None_Match=etag)
    client.get(path(drive, id) + "/content", 304, If_None_Match=etag)
    drive.put("a.txt", b"two")
    client.get(path(drive, id), 200, If_None_Match=etag)


def test_folders_packages_and_shortcuts_have_facets_of_their_own(client: PlainClient, drive: Drive) -> None:
    other = drive.site.add_library("Elsewhere")
    target = other.put("there.txt", b"there")
    folder, notebook = drive.folder("Staff"), drive.package("Notes")
    shortcut = drive.shortcut("Link", (other, target))

    assert client.get(path(drive, folder))["folder"] == {"childCount": 0}
    told = client.get(path(drive, notebook))
    assert told["package"] == {"type": "oneNote"}
    assert not {"folder", "file"} & told.keys()
    remote = client.get(path(drive, shortcut))["remoteItem"]
    assert remote["id"] == target
    assert remote["parentReference"]["driveId"] == other.id
    assert "root" in client.get(f"/drives/{drive.id}/root")
    to_folder = drive.shortcut("Link to a folder", (other, other.folder("There")))
    assert client.get(path(drive, to_folder))["remoteItem"]["folder"] == {"childCount": 0}


def test_children_come_in_pages(client: PlainClient, drive: Drive) -> None:
    for number in range(7):
        drive.put(f"Staff/{number}.txt", b"x")
    folder = drive.id_of("Staff")
    pages = list(client.pages(path(drive, folder) + "/children?$top=3&$select=name"))
    assert [[each["name"] for each in page["value"]] for page in pages] == [
        ["0.txt", "1.txt", "2.txt"],
        ["3.txt", "4.txt", "5.txt"],
        ["6.txt"],
    ]
    assert client.get(f"/drives/{drive.id}/root/children")["value"][0]["name"] == "Staff"
    for wrong in ("$top=0", "$top=many", "$skiptoken=far"):
        client.get(path(drive, folder) + f"/children?{wrong}", 400)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_kept_as_they_are(client: PlainClient, drive: Drive, name: str) -> None:
    id = drive.put(f"Odd/{name}", name.encode())
    told = client.get(path(drive, id))
    assert told["name"] == name
    assert client.download(told["@microsoft.graph.downloadUrl"]).content == name.encode()
    [child] = client.all(path(drive, drive.id_of("Odd")) + "/children")
    assert child["id"] == id


def test_both_spellings_of_an_accent_are_two_names(drive: Drive) -> None:
    assert drive.put(ODD_NAMES[-1]) != drive.put(ODD_NAMES[-2])


def test_an_item_that_is_not_there_is_not_found(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt")
    drive.remove(id)
    assert code_of(client.get(path(drive, id), 404)) == "itemNotFound"
    client.get(path(drive, "01NOTHING"), 404)
    client.get("/drives/b!nothing/root", 404)


def test_a_drive_without_hashes_tells_none(client: PlainClient, drive: Drive) -> None:
    drive.quirks.hashes = False
    id = drive.put("a.txt", b"one")
    assert "hashes" not in client.get(path(drive, id))["file"]


# Content


def test_content_is_behind_a_signed_link_on_another_host(client: PlainClient, graph: Emulator, drive: Drive) -> None:
    id = drive.put("a.txt", b"0123456789")
    answer = client.ask("GET", path(drive, id) + "/content")
    assert answer.status_code == 302
    link = answer.headers["Location"]
    assert link.startswith(graph.downloads_url)
    assert client.download(link).content == b"0123456789"
    partial = client.download(link, Range="bytes=4-")
    assert (partial.status_code, partial.content) == (206, b"456789")
    graph.clock.advance(3700)
    assert client.download(link).status_code == 401


def test_a_file_of_nothing_and_a_huge_one_of_zeros_can_be_downloaded(client: PlainClient, drive: Drive) -> None:
    empty = client.get(path(drive, drive.put("empty.txt", b"")))
    assert empty["size"] == 0
    assert client.download(empty["@microsoft.graph.downloadUrl"]).content == b""
    huge = client.get(path(drive, drive.put("huge.bin", Sparse(5 * 2**30))))
    assert huge["size"] == 5 * 2**30
    end = client.download(huge["@microsoft.graph.downloadUrl"], Range=f"bytes={5 * 2**30 - 3}-")
    assert (end.status_code, end.content) == (206, bytes(3))


def test_what_is_said_of_a_file_may_be_wrong(client: PlainClient, drive: Drive) -> None:
    id = drive.put("report.docx", b"as it is")
    drive.claim(id, size=99, hash="AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    told = client.get(path(drive, id))
    assert told["size"] == 99
    assert told["file"]["hashes"]["quickXorHash"] == "AAAAAAAAAAAAAAAAAAAAAAAAAAA="
    assert client.download(told["@microsoft.graph.downloadUrl"]).content == b"as it is"


def test_malware_is_told_and_not_given_out(client: PlainClient, drive: Drive) -> None:
    id = drive.put("bad.exe", b"evil")
    link = client.get(path(drive, id))["@microsoft.graph.downloadUrl"]
    drive.malware(id)
    told = client.get(path(drive, id))
    assert "malware" in told
    assert "@microsoft.graph.downloadUrl" not in told
    assert code_of(client.get(path(drive, id) + "/content", 403)) == "malwareDetected"
    assert client.download(link).status_code == 403


def test_a_file_that_was_never_checked_in_has_no_content(client: PlainClient, drive: Drive) -> None:
    id = drive.put("draft.txt", b"draft", checked_in=False)
    assert client.get(path(drive, id) + "?$select=publication")["publication"]["versionId"] == "0.1"
    client.get(path(drive, id) + "/content", 404)
    drive.check_in(id)
    assert client.ask("GET", path(drive, id) + "/content").status_code == 302


def test_folders_and_notebooks_have_no_content(client: PlainClient, drive: Drive) -> None:
    for id in (drive.folder("Staff"), drive.package("Notes")):
        client.get(path(drive, id) + "/content", 400)


def test_older_versions_can_be_had(client: PlainClient, drive: Drive) -> None:
    id = drive.put("a.txt", b"one")
    drive.put("a.txt", b"three")
    versions = client.all(path(drive, id) + "/versions")
    assert [(each["id"], each["size"]) for each in versions] == [("2.0", 5), ("1.0", 3)]
    answer = client.ask("GET", path(drive, id) + "/versions/1.0/content")
    assert client.download(answer.headers["Location"]).content == b"one"
    client.get(path(drive, id) + "/versions/9.0/content", 404)


def test_a_big_drive_is_made_quickly_and_its_content_by_rule(client: PlainClient, drive: Drive) -> None:
    drive.fill(1_000, seed=3)
    entries = [each for each in drive.items() if not each.is_folder]
    assert len(entries) == 1_000
    for entry in random.Random(1).sample(entries, 20):
        content = drive.content(entry.id)
        assert len(content) == entry.size == Ruled(3, int(entry.name[9:16])).size
        told = client.get(path(drive, entry.id))
        assert told["file"]["hashes"]["quickXorHash"] == quick_xor([content])
        assert client.download(told["@microsoft.graph.downloadUrl"]).content == content
    assert len({drive.content(each.id) for each in entries}) == 1_000
