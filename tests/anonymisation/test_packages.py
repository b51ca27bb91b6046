"""Archives: read within limits, written alike."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from agent.anonymisation.base import CannotAnonymise
from tests.anonymisation.desk import HEAD, paragraph, run, unzipped, word
from tests.corpus.formats import zipped


def test_order_names_and_compression_stay_and_what_else_an_archive_says_goes() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.comment = b"by jdoe"
        for name, content in reversed(unzipped(word(paragraph("x"))).items()):
            entry = zipfile.ZipInfo(name, (2026, 3, 1, 10, 0, 0))
            entry.compress_type = zipfile.ZIP_STORED if name.startswith("word") else zipfile.ZIP_DEFLATED
            entry.comment = b"by jdoe"
            entry.extra = b"\x55\x54\x05\x00\x01\0\0\0\0"
            archive.writestr(entry, content)
        archive.writestr(zipfile.ZipInfo("word/média/"), b"")
        archive.writestr(zipfile.ZipInfo("word/settings.xml"), b"<a/>", zipfile.ZIP_LZMA)

    result, _ = run(target.getvalue(), "docx")

    assert b"jdoe" not in result
    with zipfile.ZipFile(io.BytesIO(target.getvalue())) as before, zipfile.ZipFile(io.BytesIO(result)) as after:
        assert after.namelist() == before.namelist()
        for old, new in zip(before.infolist(), after.infolist(), strict=True):
            expected = zipfile.ZIP_DEFLATED if old.compress_type == zipfile.ZIP_LZMA else old.compress_type
            assert (new.compress_type, new.date_time, new.extra, new.comment) == (
                expected,
                (1980, 1, 1, 0, 0, 0),
                b"",
                b"",
            )
            assert new.is_dir() == old.is_dir()
            assert after.read(new) == before.read(old)


def test_a_bomb_is_refused_after_so_many_bytes_whatever_its_entries_say() -> None:
    bomb = word("", word__settings_xml="<a>" + " " * 3_000_000 + "</a>")
    assert len(bomb) < 10_000

    with pytest.raises(CannotAnonymise, match="more than 1000000 bytes"):
        run(bomb, "docx", largest_bytes=1_000_000)
    lying = bytearray(bomb)
    place = lying.rindex(b"PK\x01\x02", 0, lying.rindex(b"word/settings.xml"))
    struct.pack_into("<I", lying, place + 24, 10)
    with pytest.raises(CannotAnonymise):
        run(bytes(lying), "docx", largest_bytes=1_000_000)


def test_many_parts_together_count() -> None:
    parts = {f"word/header{number}.xml": "<a>" + " " * 400_000 + "</a>" for number in range(3)}

    with pytest.raises(CannotAnonymise, match="more than 1000000 bytes"):
        run(word("", **parts), "docx", largest_bytes=1_000_000)
    assert run(word("", **parts), "docx", largest_bytes=1_300_000)[1].rounds == 1


def _locked(content: bytes) -> bytes:
    changed = bytearray(content)
    place = changed.index(b"PK\x01\x02")
    changed[place + 8] |= 1
    return bytes(changed)


def _twice() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        for _ in range(2):
            archive.writestr("word/document.xml", "<a/>")
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"PK\x03\x04" + b"\xff" * 100, "damaged"),
        (word(paragraph("x"))[:-30], "damaged"),
        (_locked(word(paragraph("x"))), "password"),
        (zipped({"word/document.xml": HEAD.encode()}), "no list of its parts"),
        (word("", word__settings_xml='<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "entities of its own"),
        (word("<w:p>"), "XML in the document is damaged"),
    ],
)
def test_an_archive_that_is_not_sound_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(CannotAnonymise, match=why):
        run(content, "docx")


def test_two_parts_of_one_name_are_refused() -> None:
    with pytest.raises(CannotAnonymise, match="two parts of one name"):
        run(_twice(), "docx")


def test_a_part_whose_bytes_are_not_those_it_should_have_is_refused() -> None:
    changed = bytearray(word("x" * 50))
    with zipfile.ZipFile(io.BytesIO(bytes(changed))) as archive:
        place = archive.getinfo("word/document.xml").header_offset
    changed[place + 60] ^= 0xFF

    with pytest.raises(CannotAnonymise, match="damaged"):
        run(bytes(changed), "docx")
