"""A recipient opens the export with age, tar and sha256sum alone; an export that is not whole is none."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tracemalloc
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.age.base import Damaged
from agent.age.message import decrypt
from agent.age.stream import Reader
from agent.errors import UsageError
from agent.outgoing.base import About, Entry, Exported, ExportFailed
from agent.outgoing.export import export
from connectors.base import read_name
from tests.age.samples import FIRST, FIRST_RECIPIENT, SECOND, SECOND_RECIPIENT

ABOUT = About(
    organisation="Example Investigations Ltd",
    recipient="Client & Söhne",
    made_at=datetime(2026, 3, 2, 10, 30, tzinfo=timezone(timedelta(hours=1))),
    schedule_id="hr-investigations",
    schedule_version="3",
)
MODIFIED = datetime(2019, 5, 1, 12, 0, 1, 500_000, tzinfo=UTC)


def entry(path: bytes, content: bytes = b"content", modified_at: datetime = MODIFIED) -> Entry:
    return entry_of(path, len(content), lambda stream: copied(content, stream), modified_at)


def entry_of(
    path: bytes, size_bytes: int, write: Callable[[BinaryIO], object], modified_at: datetime = MODIFIED
) -> Entry:
    return Entry("office", path, size_bytes, modified_at, "case-material", date(2025, 7, 16), write)  # type: ignore[arg-type]


def copied(content: bytes, stream: BinaryIO) -> None:
    shutil.copyfileobj(io.BytesIO(content), stream, 1000)


def exported(*entries: Entry) -> tuple[bytes, Exported]:
    target = io.BytesIO()
    done = export(target, [FIRST_RECIPIENT, SECOND_RECIPIENT], iter(entries), ABOUT)
    return target.getvalue(), done


def members(sealed: bytes) -> dict[bytes, bytes]:
    """What is in the export, by the bytes of its path."""
    with tarfile.open(fileobj=io.BytesIO(decrypt(sealed, FIRST)), errors="surrogateescape") as archive:
        return {
            info.name.encode("utf-8", "surrogateescape"): archive.extractfile(info).read()  # type: ignore[union-attr]
            for info in archive
        }


def test_what_was_exported_is_told() -> None:
    sealed, done = exported(entry(b"a"), entry(b"b", bytes(200_000)))
    assert done == Exported(hashlib.sha256(sealed).digest(), len(sealed), 2)
    assert decrypt(sealed, FIRST) == decrypt(sealed, SECOND)


def test_what_a_target_takes_bit_by_bit_is_hashed_as_it_took_it() -> None:
    class Choosy(io.BytesIO):
        def write(self, data: bytes) -> int:  # type: ignore[override]
            return super().write(memoryview(data)[:1000])

    target = Choosy()
    done = export(target, [FIRST_RECIPIENT], [entry(b"b", bytes(200_000))], ABOUT)
    assert done.sha256 == hashlib.sha256(target.getvalue()).digest()
    assert done.size_bytes == len(target.getvalue())


def test_the_manifest_says_what_each_item_is() -> None:
    path = "Cases/2019-014/Evidence/statement of Zoë.docx".encode()
    inside = members(exported(entry(path, b"one"), entry(b"loose.txt", b"two"))[0])
    assert list(inside) == [b"items/" + path, b"items/loose.txt", b"MANIFEST.json", b"SHA256SUMS"]
    said = json.loads(inside[b"MANIFEST.json"])
    first, second = said.pop("items")
    assert said.pop("names").startswith("UTF-8")
    assert said == {
        "version": 1,
        "organisation": "Example Investigations Ltd",
        "recipient": "Client & Söhne",
        "made_at": "2026-03-02T09:30:00.000000Z",
        "schedule": {"id": "hr-investigations", "version": "3"},
    }
    assert first == {
        "path": "items/Cases/2019-014/Evidence/statement of Zoë.docx",
        "size_bytes": 3,
        "sha256": hashlib.sha256(b"one").hexdigest(),
        "share": "office",
        "folder": "Cases/2019-014/Evidence",
        "name": "statement of Zoë.docx",
        "modified_at": "2019-05-01T12:00:01.500000Z",
        "class": "case-material",
        "due_on": "2025-07-16",
    }
    assert (second["folder"], second["name"]) == ("", "loose.txt")


def test_the_manifest_is_canonical() -> None:
    line = members(exported(entry(b"\xc3\xa9"))[0])[b"MANIFEST.json"]
    assert line == json.dumps(json.loads(line), sort_keys=True, separators=(",", ":")).encode() + b"\n"
    assert line.isascii()


def test_the_checksums_cover_every_other_member() -> None:
    inside = members(exported(entry(b"a", b"one"), entry(b"sub/b", b""))[0])
    lines = [line.split(b"  ", 1) for line in inside[b"SHA256SUMS"].splitlines()]
    assert {path: digest.decode() for digest, path in lines} == {
        path: hashlib.sha256(content).hexdigest() for path, content in inside.items() if path != b"SHA256SUMS"
    }


def test_the_same_items_give_the_same_archive() -> None:
    first, second = (exported(entry(b"a", b"x" * 5000), entry("ä".encode() * 60))[0] for _ in range(2))
    assert first != second
    assert decrypt(first, FIRST) == decrypt(second, FIRST)


def test_members_tell_nothing_of_the_machine_that_made_them() -> None:
    sealed, _ = exported(entry(b"a"), entry(b"old", modified_at=datetime(1969, 12, 31, 23, 59, 58, tzinfo=UTC)))
    with tarfile.open(fileobj=io.BytesIO(decrypt(sealed, FIRST))) as archive:
        told = [(info.uid, info.gid, info.uname, info.gname, info.mode, info.isreg()) for info in archive]
        times = [info.mtime for info in archive]
    assert set(told) == {(0, 0, "", "", 0o600, True)}
    assert times == [int(MODIFIED.timestamp()), -2, int(ABOUT.made_at.timestamp()), int(ABOUT.made_at.timestamp())]


def test_an_archive_ends_as_tar_wants_it() -> None:
    archive = decrypt(exported(entry(b"a"))[0], FIRST)
    assert len(archive) % 10240 == 0
    assert archive.endswith(bytes(1024))


needs_tools = pytest.mark.skipif(
    not (shutil.which("age") and shutil.which("tar") and shutil.which("sha256sum")),
    reason="the commands age, tar and sha256sum are not all installed",
)
HOSTILE = [
    b"/etc/passwd",
    b"../../outside",
    b"a/../../b",
    b"..",
    b"line\nbreak",
    b"back\\slash\\..\\x",
    b"-rf",
    b"Caf\xe9 in Latin-1.txt",
    "Überstunden, Łódź 日本.xlsx".encode(),
    "e\u0301".encode(),
    "\u00e9".encode(),
    b"twice",
    b"twice",
    b"TWICE",
    b"twice/below",
    b"folder/file",
    b"folder",
    b"MANIFEST.json",
    b"SHA256SUMS",
    b"n" * 255,
    b"n" * 255,
    b"d" * 200 + b"/" + b"e" * 200 + b"/" + b"f" * 200,
    b"/".join([b"deep" * 50] * 30),
    b" leading and trailing ",
    b"*?<>|\"':;",
    b"\x1b[31mred\x07",
    "\u202etxt.exe".encode(),
    b"",
]


@needs_tools
@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_a_recipient_needs_age_tar_and_sha256sum_alone(tmp_path: Path, locale: str) -> None:
    contents = {number: os.urandom(number * 700) for number in range(len(HOSTILE))}
    with open(tmp_path / "export.age", "wb", buffering=0) as target:
        export(target, [FIRST_RECIPIENT], (entry(path, contents[n]) for n, path in enumerate(HOSTILE)), ABOUT)
    (tmp_path / "officer.key").write_text(FIRST)
    (tmp_path / "there").mkdir()
    done = subprocess.run(
        ["sh", "-c", "age -d -i ../officer.key ../export.age | tar x && sha256sum -c --strict SHA256SUMS"],
        cwd=tmp_path / "there",
        env={"PATH": os.environ["PATH"], "LC_ALL": locale},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = [Path(os.fsdecode(folder), name) for folder, _, names in os.walk(tmp_path / "there") for name in names]
    assert len(found) == len(HOSTILE) + 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["export.age", "officer.key", "there"]
    said = json.loads((tmp_path / "there" / "MANIFEST.json").read_text())
    for number, item in enumerate(said["items"]):
        unpacked = os.path.join(os.fsencode(tmp_path / "there"), read_name(item["path"]))
        assert Path(os.fsdecode(unpacked)).read_bytes() == contents[number]
        assert os.stat(unpacked).st_mtime == int(MODIFIED.timestamp())
        folder, _, name = HOSTILE[number].rpartition(b"/")
        assert (read_name(item["folder"]), read_name(item["name"])) == (folder, name)


@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from([b"a", b"A", b"..", b".", b"", b"b\n", b"\xff", b"x" * 250]), max_size=4),
            st.binary(max_size=1500),
        ),
        min_size=1,
        max_size=8,
    )
)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_whatever_items_are_called_each_comes_back_once(items: list[tuple[list[bytes], bytes]]) -> None:
    sealed, done = exported(*(entry(b"/".join(path), content) for path, content in items))
    inside = members(sealed)
    said = json.loads(inside[b"MANIFEST.json"])["items"]
    assert len(inside) == done.items + 2 == len(items) + 2
    for item, (_, content) in zip(said, items, strict=True):
        assert inside[read_name(item["path"])] == content


# What is not whole


@pytest.mark.parametrize(
    ("size_bytes", "pieces"),
    [(3, [b"ab"]), (3, []), (3, [b"ab", b"cd"]), (0, [b"x"]), (70_000, [bytes(70_001)]), (70_000, [bytes(69_999)])],
)
def test_an_item_that_is_longer_or_shorter_than_was_said_ends_the_export(size_bytes: int, pieces: list[bytes]) -> None:
    def write(stream: BinaryIO) -> None:
        for piece in pieces:
            stream.write(piece)

    target = io.BytesIO()
    with pytest.raises(ExportFailed, match=f"Item 2 of the export has {sum(map(len, pieces)):,} bytes") as raised:
        export(target, [FIRST_RECIPIENT], [entry(b"first"), entry_of(b"Jane Doe", size_bytes, write)], ABOUT)
    assert "Jane" not in str(raised.value)
    with pytest.raises(Damaged):
        decrypt(target.getvalue(), FIRST)


def test_what_exceeds_the_size_goes_nowhere() -> None:
    def write(stream: BinaryIO) -> None:
        for piece in (b"abc", *[b"SECRET" * 10_000] * 5):
            stream.write(piece)

    target = io.BytesIO()
    with pytest.raises(ExportFailed):
        export(target, [FIRST_RECIPIENT], [entry(b"b", bytes(200_000)), entry_of(b"a", 3, write)], ABOUT)
    plain = b""
    with pytest.raises(Damaged):
        for piece in Reader(io.BytesIO(target.getvalue()), FIRST):
            plain += piece
    assert len(plain) > 100_000
    assert b"SECRET" not in plain


class Unwilling(Exception):
    """What a vault might raise."""


@pytest.mark.parametrize("given", [0, 2, 3, 100_000])
def test_a_fault_of_an_item_ends_the_export_as_it_is(given: int) -> None:
    def write(stream: BinaryIO) -> None:
        stream.write(bytes(given))
        raise Unwilling

    target = io.BytesIO()
    with pytest.raises(Unwilling):
        export(target, [FIRST_RECIPIENT], [entry(b"first", bytes(200_000)), entry_of(b"a", 3, write)], ABOUT)
    with pytest.raises(Damaged):
        decrypt(target.getvalue(), FIRST)


def test_a_fault_of_the_target_or_of_the_list_ends_the_export() -> None:
    class Full(io.BytesIO):
        def write(self, data: bytes) -> int:  # type: ignore[override]
            if self.tell() > 100_000:
                raise OSError(28, "No space left on device")
            return super().write(data)

    with pytest.raises(OSError, match="No space"):
        export(Full(), [FIRST_RECIPIENT], [entry(b"a", bytes(300_000))], ABOUT)

    def ends_early() -> object:
        yield entry(b"a")
        raise Unwilling

    target = io.BytesIO()
    with pytest.raises(Unwilling):
        export(target, [FIRST_RECIPIENT], ends_early(), ABOUT)  # type: ignore[arg-type]
    with pytest.raises(Damaged):
        decrypt(target.getvalue(), FIRST)


def test_a_stream_that_is_kept_takes_nothing_any_more() -> None:
    kept: list[BinaryIO] = []

    def keep(stream: BinaryIO) -> None:
        assert stream.writable()
        assert not stream.readable()
        kept.append(stream)
        stream.write(memoryview(b"one"))

    inside = members(exported(entry_of(b"a", 3, keep), entry(b"b"))[0])
    assert inside[b"items/a"] == b"one"
    with pytest.raises(ValueError, match="finished"):
        kept[0].write(b"x")


def test_nothing_is_not_exported() -> None:
    with pytest.raises(ExportFailed, match="nothing to export"):
        export(io.BytesIO(), [FIRST_RECIPIENT], [], ABOUT)


@pytest.mark.parametrize("wrong", [[], ["ssh-ed25519 AAAA"], [FIRST_RECIPIENT, "age1nonsense"]])
def test_a_wrong_recipient_is_told_before_anything_is_read(wrong: list[str]) -> None:
    def write(stream: BinaryIO) -> None:
        pytest.fail("the item was read")

    target = io.BytesIO()
    with pytest.raises(UsageError):
        export(target, wrong, [entry_of(b"a", 3, write)], ABOUT)
    assert target.getvalue() == b""


def test_an_entry_shows_no_name() -> None:
    assert "Jane" not in repr(entry(b"Jane Doe.docx"))


def test_memory_does_not_grow_with_the_size_of_items() -> None:
    class Nowhere(io.BytesIO):
        def write(self, data: bytes) -> int:  # type: ignore[override]
            return len(data)

    block = bytes(1 << 20)

    def write(stream: BinaryIO) -> None:
        for _ in range(24):
            stream.write(block)

    tracemalloc.start()
    try:
        export(Nowhere(), [FIRST_RECIPIENT], [entry_of(b"a", 24 << 20, write)], ABOUT)
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()
