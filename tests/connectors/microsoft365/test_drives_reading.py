"""How the content of items is read, and what may come in between."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import ConnectorError, ItemChanged, ItemNotFound, NoRoom, PermissionDenied, SourceFault, Sparse
from connectors.microsoft365.content import Spool
from tests.connectors.microsoft365.drives import Library, careful_library
from tests.emulator import Fault


@pytest.fixture
def there() -> Iterator[Library]:
    with careful_library() as made:
        yield made


# While an item is read


WHILE_READ: dict[str, Callable[[Library, str], Any]] = {
    "renamed": lambda there, item_id: there.drive.rename(item_id, "b.txt"),
    "moved": lambda there, item_id: there.drive.move(item_id, "Elsewhere/a.txt"),
    "touched": lambda there, item_id: there.drive.touch(item_id),
}


@pytest.mark.parametrize("what", WHILE_READ)
def test_an_item_that_changes_while_it_is_downloaded_does_not_count_as_read(there: Library, what: str) -> None:
    item_id = there.put(b"a.txt", b"content " * 1000)
    item = there.item("a.txt")
    there.emulator.on_request("GET", r"^/content/", lambda _: WHILE_READ[what](there, item_id))
    try:
        with there.connector.open(there.scope, item) as content:
            assert os.pread(content.fileno(), 1 << 20, 0) == b"content " * 1000
            assert not content.still_current()
    except ItemChanged:
        pass  # as good


def test_an_item_that_is_edited_while_it_is_downloaded_is_not_opened(there: Library) -> None:
    there.put(b"a.txt", os.urandom(8_000))
    item = there.item("a.txt")
    there.emulator.on_request("GET", r"^/content/", lambda _: there.put(b"a.txt", os.urandom(8_000)))
    with pytest.raises(ItemChanged):
        there.connector.open(there.scope, item)


def test_an_item_that_is_edited_where_a_download_broke_off_is_not_opened(there: Library) -> None:
    there.put(b"a.bin", os.urandom(200_000))
    item = there.item("a.bin")
    there.emulator.faults.add(Fault(host="downloads", cut_at=100_000))
    there.emulator.on_request("GET", r"^/content/", lambda _: there.put(b"a.bin", os.urandom(200_000)), moment="after")
    with pytest.raises(ItemChanged):
        there.connector.open(there.scope, item)


def test_an_item_that_is_deleted_while_it_is_downloaded_is_not_found(there: Library) -> None:
    there.put(b"a.txt", b"content")
    item = there.item("a.txt")
    there.emulator.on_request("GET", r"^/content/", lambda _: there.remove(b"a.txt"))
    with pytest.raises(ItemNotFound):
        there.connector.open(there.scope, item)


def test_another_item_of_the_same_name_is_not_opened_for_the_one_that_is_gone(there: Library) -> None:
    there.put(b"a.txt", b"first")
    item = there.item("a.txt")
    there.remove(b"a.txt")
    there.put(b"a.txt", b"another")
    with pytest.raises(ItemNotFound):
        there.connector.open(there.scope, item)


def test_a_download_that_breaks_off_is_gone_on_with(there: Library) -> None:
    content = os.urandom(300_000)
    there.put(b"a.bin", content)
    there.emulator.faults.add(Fault(host="downloads", cut_at=70_000, times=2))
    assert there.read(there.item("a.bin")) == content


def test_a_token_that_expires_during_a_download_is_renewed(there: Library) -> None:
    content = os.urandom(300_000)
    there.put(b"a.bin", content)
    item = there.item("a.bin")
    there.emulator.faults.add(Fault(host="downloads", cut_at=70_000))
    there.emulator.on_request("GET", r"^/content/", lambda _: there.emulator.revoke_tokens())
    assert there.read(item) == content


def test_content_that_the_source_takes_for_malware_meanwhile_is_not_given_out(there: Library) -> None:
    item_id = there.put(b"a.exe", b"bad")
    item = there.item("a.exe")
    there.emulator.on_request("GET", r"^/content/", lambda _: there.drive.malware(item_id))
    with pytest.raises((PermissionDenied, ItemChanged)):
        there.connector.open(there.scope, item)


def test_content_of_another_size_than_was_told_is_refused(there: Library) -> None:
    item_id = there.put(b"a.txt", b"content")
    there.drive.claim(item_id, size=12_345)
    with pytest.raises(SourceFault):
        there.connector.open(there.scope, there.item("a.txt"))


def test_an_office_file_whose_bytes_differ_from_what_the_service_tells_is_read_all_the_same(there: Library) -> None:
    item_id = there.put(b"a.docx", b"content, with a column written into it")
    there.drive.claim(item_id, size=7, hash="AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    assert there.read(there.item("a.docx")) == b"content, with a column written into it"


def test_a_file_that_claims_to_be_huge_is_refused_before_anything_is_downloaded(there: Library) -> None:
    item_id = there.put(b"a.iso", b"content")
    there.drive.claim(item_id, size=5_000_000_000_000)
    with pytest.raises(Sparse):
        there.connector.open(there.scope, there.item("a.iso"))
    assert [call for call in there.emulator.log if call.host == "downloads"] == []


def test_a_file_that_turns_out_to_be_huge_is_refused_on_the_way(there: Library) -> None:
    item_id = there.put(b"a.docx", os.urandom(300_000))
    there.drive.claim(item_id, size=10)
    connector = there.another_connector(largest_bytes=100_000)
    with pytest.raises(Sparse):
        connector.open(there.scope, there.item("a.docx"))


@pytest.mark.parametrize("refused", ["large", "link", "version"])
def test_content_that_is_refused_leaves_no_descriptor_behind(there: Library, refused: str) -> None:
    there.put(b"a.docx", os.urandom(200_000))
    item = there.item("a.docx")
    if refused == "large":
        there.drive.claim(there.drive.id_of("a.docx"), size=10)
    if refused == "version":
        there.put(b"a.docx", b"another")
    if refused == "link":
        there.emulator.faults.add(Fault(host="downloads", status=500, times=None))
    connector = there.another_connector(largest_bytes=100_000)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(ConnectorError):
            connector.open(there.scope, item)
    there.graph.close()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_large_content_lies_in_a_file_without_a_name_and_small_content_in_memory(
    there: Library, tmp_path: Path
) -> None:
    small, large = b"small", os.urandom(2_500_000)
    there.put(b"small.txt", small)
    there.put(b"large.bin", large)
    connector = there.another_connector(spool_bytes=1_000_000, spool_directory=tmp_path)
    for path, content, place in (("small.txt", small, "memfd:"), ("large.bin", large, str(tmp_path))):
        with connector.open(there.scope, there.item(path)) as opened:
            assert os.readlink(f"/proc/self/fd/{opened.fileno()}").removeprefix("/").startswith(place.removeprefix("/"))
            assert os.pread(opened.fileno(), 1 << 30, 0) == content
            assert os.lseek(opened.fileno(), 0, os.SEEK_CUR) == 0
            assert not os.get_inheritable(opened.fileno())
            assert os.listdir(tmp_path) == []


def test_all_open_contents_together_stay_within_what_may_be_in_memory(there: Library, tmp_path: Path) -> None:
    for number in range(4):
        there.put(b"%d.bin" % number, os.urandom(400_000))
    connector = there.another_connector(spool_bytes=1_000_000, spool_directory=tmp_path)
    opened = [connector.open(there.scope, there.item(f"{number}.bin")) for number in range(4)]
    in_memory = [content for content in opened if "memfd" in os.readlink(f"/proc/self/fd/{content.fileno()}")]
    assert len(in_memory) == 2
    for content in opened:
        content.close()
        content.close()
    with connector.open(there.scope, there.item("0.bin")) as again:
        assert "memfd" in os.readlink(f"/proc/self/fd/{again.fileno()}"), "what was closed is still counted"


def test_a_full_disk_is_told_as_that(there: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    there.put(b"large.bin", os.urandom(100_000))
    monkeypatch.setattr(Spool, "file", lambda _: os.open("/dev/full", os.O_RDWR))
    with pytest.raises(NoRoom):
        there.another_connector(spool_bytes=10).open(there.scope, there.item("large.bin"))


def test_a_file_system_without_nameless_files_will_do(
    there: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        return opened(path, flags, *rest, **more)

    content = os.urandom(100_000)
    there.put(b"large.bin", content)
    opened = os.open
    monkeypatch.setattr(os, "open", refuse)
    with there.another_connector(spool_bytes=10, spool_directory=tmp_path).open(
        there.scope, there.item("large.bin")
    ) as large:
        assert os.pread(large.fileno(), 1 << 20, 0) == content
        assert os.listdir(tmp_path) == []


def test_bytes_that_are_taken_in_are_told_to_whoever_limits_them(there: Library) -> None:
    there.put(b"a.bin", os.urandom(200_000))
    spent: list[int] = []
    with there.another_connector(spend=spent.append).open(there.scope, there.item("a.bin")):
        assert sum(spent) == 200_000


def test_a_version_that_is_none_of_ours_is_never_the_one_at_the_source(there: Library) -> None:
    there.put(b"a.txt", b"x")
    item = there.item("a.txt")
    for version in (b"", b"x", b"[]", item.version + b" ", item.version[:-1]):
        with pytest.raises(ItemChanged):
            there.connector.open(there.scope, replace(item, version=version))


def test_a_zero_byte_file_is_read_as_nothing(there: Library) -> None:
    there.put(b"empty.txt", b"")
    assert there.read(there.item("empty.txt")) == b""
