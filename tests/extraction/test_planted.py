"""A value in every place where a document can hold one is found, at that place.

Files that LibreOffice wrote come from `tests.corpus.flat_office`; what they are expected to give stands in
`planted.json`. The others are made here, byte by byte.
"""

from __future__ import annotations

import json
import os
import re
import struct
import types
from pathlib import Path

import pytest

from agent.extraction.base import Chunk
from agent.extraction.formats import mail_store, office_art, property_set
from agent.extraction.process import ProcessExtractor
from agent.extraction.testing import take
from agent.model.outcome import ExtractionStatus
from tests.corpus import flat_office, formats, old_office
from tests.extraction.conftest import Read, places_of, text_of

GOLDEN = Path(__file__).with_name("planted.json")
SOURCES = {"letter": flat_office.letter, "sheet": flat_office.sheet, "talk": flat_office.talk}
EXTRA = {"letter": ["Zoë Québec Łódź"], "sheet": ["1984-03-17"], "talk": []}
FILES = [f"{name}.{ending}" for name, endings in flat_office.TARGETS.items() for ending in endings]


def _planted(file: str) -> list[str]:
    name = file.partition(".")[0]
    return [*dict.fromkeys(re.findall(r"[Qq][a-z]{4,}", SOURCES[name]())), *EXTRA[name]]


@pytest.mark.parametrize("file", FILES)
def test_what_libreoffice_wrote_is_found_where_it_stands(
    one_process: ProcessExtractor, file: str, golden_update: bool
) -> None:
    extraction, chunks = take(one_process, flat_office.FOLDER / file)
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.OK, ())
    found = {value: sorted(set(places)) for value in _planted(file) if (places := places_of(chunks, value))}
    expected = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if golden_update:
        GOLDEN.write_text(json.dumps({**expected, file: found}, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
        return
    assert found == expected[file]


# What the format cannot hold, or LibreOffice does not write into it; everything else must be in planted.json.
_NOWHERE = {
    "docx": "Qalttitle",
    "doc": "Qalttext Qalttitle",
    "rtf": "",
    "xls": "Qformula",  # the formula alone, without its result
    "pptx": "Qalttitle Qmaster",
    "ppt": "Qalttext Qalttitle Qmaster",
    "odp": "Qmaster",
    **dict.fromkeys(("odt", "ods", "xlsx"), ""),
}


@pytest.mark.parametrize("file", [file for file in FILES if file.rpartition(".")[2] in _NOWHERE])
def test_nothing_that_was_planted_is_missing_but_what_the_file_does_not_hold(file: str) -> None:
    found = json.loads(GOLDEN.read_text())[file]
    missing = {value for value in _planted(file) if value not in found}
    assert missing == set(_NOWHERE.get(file.rpartition(".")[2], "").split())
    raw = (flat_office.FOLDER / file).read_bytes()
    for value in missing - {"Qformula"}:
        assert value.encode() not in raw
        assert value.encode("utf-16-le") not in raw


def found_at(chunks: list[Chunk], *values: str) -> dict[str, str]:
    """Where each value stands first."""
    return {value: (places_of(chunks, value) or ["nowhere"])[0] for value in values}


# Word


_WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def test_names_forms_variables_and_bound_data_of_a_word_document_are_found(read: Read) -> None:
    body = (
        "<w:p><w:ins w:author='Qreviser'><w:r><w:t>new</w:t></w:r></w:ins>"
        "<w:r><w:fldChar><w:ffData><w:textInput><w:default w:val='Qformdefault'/></w:textInput></w:ffData></w:fldChar>"
        "</w:r><w:sdt><w:sdtPr><w:dropDownList><w:listItem w:displayText='Qchoice' w:value='1'/></w:dropDownList>"
        "</w:sdtPr><w:sdtContent><w:r><w:t>Qcontrol</w:t></w:r></w:sdtContent></w:sdt></w:p>"
    )
    content = formats.zipped(
        {
            "word/document.xml": f"<w:document {_WORD}><w:body>{body}</w:body></w:document>".encode(),
            "word/settings.xml": f"<w:settings {_WORD}><w:docVars><w:docVar w:name='v' w:val='Qvariable'/></w:docVars>"
            "</w:settings>".encode(),
            "word/people.xml": b"<w15:people xmlns:w15='p'><w15:person w15:author='Qperson'/></w15:people>",
            "customXml/item1.xml": b"<client><name>Qbound</name></client>",
            "word/glossary/document.xml": f"<w:document {_WORD}><w:body><w:p><w:r><w:t>Qblock</w:t></w:r></w:p>"
            "</w:body></w:document>".encode(),
        }
    )
    _, chunks = read(content, "form.docx")
    assert found_at(
        chunks, "Qreviser", "Qformdefault", "Qchoice", "Qcontrol", "Qvariable", "Qperson", "Qbound", "Qblock"
    ) == {
        **dict.fromkeys(("Qreviser", "Qformdefault", "Qchoice", "Qcontrol"), "paragraph=1"),
        **dict.fromkeys(("Qvariable", "Qbound", "Qblock"), "properties=1"),
        "Qperson": "comments=1",
    }


# Workbooks


def test_pivot_caches_and_links_to_other_books_are_found(read: Read) -> None:
    content = formats.zipped(
        {
            "xl/workbook.xml": b"<workbook/>",
            "xl/worksheets/sheet1.xml": b"<worksheet><sheetData/><hyperlinks><hyperlink ref='B7' display='Qshown'"
            b" tooltip='Qtip'/></hyperlinks></worksheet>",
            "xl/pivotCache/pivotCacheDefinition1.xml": b"<pivotCacheDefinition><cacheFields><cacheField name='Qfield'>"
            b"<sharedItems><s v='Qcached'/></sharedItems></cacheField></cacheFields></pivotCacheDefinition>",
            "xl/pivotCache/pivotCacheRecords1.xml": b"<r><s v='Qrecord'/></r>",
            "xl/externalLinks/externalLink1.xml": b"<externalLink><sheetData><row><cell r='A1' t='str'><v>Qelsewhere"
            b"</v></cell></row></sheetData></externalLink>",
        }
    )
    _, chunks = read(content, "pivot.xlsx")
    assert found_at(chunks, "Qshown", "Qtip", "Qfield", "Qcached", "Qrecord", "Qelsewhere") == {
        **dict.fromkeys(("Qshown", "Qtip"), "sheet=1&cell=B7"),
        **dict.fromkeys(("Qfield", "Qcached", "Qrecord"), "pivot=1"),
        "Qelsewhere": "links=1",
    }


# Old formats


def _shape_properties(*properties: tuple[int, str]) -> bytes:
    texts = [text.encode("utf-16-le") + b"\0\0" for _, text in properties]
    table = b"".join(
        struct.pack("<HI", number | 0x8000, len(text)) for (number, _), text in zip(properties, texts, strict=True)
    )
    return (
        struct.pack("<HHI", len(properties) << 4 | 3, 0xF00B, len(table) + sum(map(len, texts)))
        + table
        + b"".join(texts)
    )


def test_what_is_said_of_a_picture_in_an_old_drawing_is_found() -> None:
    data = b"\0" * 17 + _shape_properties((0x0380, "Qname"), (0x0381, "Qalt"), (0x00C0, "Qletters")) + b"\0" * 9
    assert list(office_art.texts(data)) == ["Qname", "Qalt", "Qletters"]


def test_a_broken_drawing_ends_where_it_breaks_off() -> None:
    sound = _shape_properties((0x0381, "Qalt"))
    for cut in range(len(sound)):
        assert list(office_art.texts(sound[:cut])) == []


@pytest.mark.parametrize("page", [1252, 1200, 65001])
def test_properties_that_people_add_are_found_in_every_encoding(page: int) -> None:
    encoding = {1252: "cp1252", 1200: "utf-16-le", 65001: "utf-8"}[page]

    def text(value: str) -> bytes:
        content = (value + "\0").encode(encoding)
        return struct.pack("<I", len(content) // (2 if page == 1200 else 1)) + content + b"\0" * (-len(content) % 4)

    names = struct.pack("<II", 1, 2) + text("Client Zoë")
    value = struct.pack("<I", 0x1F if page == 1200 else 0x1E) + text("Qvalue")
    code = struct.pack("<IHH", 2, page, 0)
    offsets = [32, 32 + len(names), 32 + len(names) + len(code)]
    section = struct.pack("<II", 0, 3) + b"".join(
        struct.pack("<II", number, offset) for number, offset in zip((0, 1, 2), offsets, strict=True)
    )
    section += names + code + value
    stream = b"\xfe\xff" + b"\0" * 22 + struct.pack("<I", 2) + (b"\0" * 16 + struct.pack("<I", 68)) * 2 + section
    assert list(property_set.properties(stream, {2: "title"})) == [("title", "Qvalue"), ("Client Zoë", "Qvalue")]
    for cut in range(len(stream)):
        list(property_set.properties(stream[:cut], {2: "title"}))  # ends, and nothing is raised


def _packed_object(name: str, content: bytes) -> bytes:
    said = name.encode() + b"\0"
    body = b"\x02\0" + said + said + b"\0\0\x03\0" + struct.pack("<I", len(said)) + said
    body += struct.pack("<I", len(content)) + content
    return struct.pack("<I", len(body)) + body


def test_a_file_packed_into_an_object_is_read_as_what_it_is(read: Read) -> None:
    inner = formats.docx(["Qinner"])
    holder = old_office.compound({"\x01Ole10Native": _packed_object("cv.docx", inner)})
    _, chunks = read(holder, "oleObject1.bin")
    assert found_at(chunks, "Qinner") == {"Qinner": "part=1!paragraph=1"}
    letter = formats.zipped({"word/document.xml": b"<d/>", "word/embeddings/oleObject1.bin": holder})
    _, chunks = read(letter, "letter.docx")
    assert found_at(chunks, "Qinner") == {"Qinner": "part=1!part=1!paragraph=1"}


def test_an_object_in_rich_text_is_read_as_what_it_is(read: Read) -> None:
    inner = formats.docx(["Qinner"])
    header = struct.pack("<III", 0x501, 2, 8) + b"Package\0" + struct.pack("<III", 0, 0, len(inner))
    rtf = rb"{\rtf1 before {\object\objemb{\*\objdata " + (header + inner).hex().encode() + rb"}} after}"
    _, chunks = read(rtf, "letter.rtf")
    assert found_at(chunks, "Qinner", "before", "after") == {
        "Qinner": "part=1!paragraph=1",
        "before": "line=1",
        "after": "line=1",
    }


def test_what_is_said_of_a_picture_in_rich_text_is_found_and_settings_of_shapes_are_not_text(read: Read) -> None:
    rtf = (
        rb"{\rtf1 {\*\shpinst{\sp{\sn shapeType}{\sv 75}}{\sp{\sn wzDescription}{\sv Qalt}}}"
        rb"{\pict{\*\picprop{\sp{\sn wzName}{\sv Qname}}}\pngblip 89504e47ff}text}"
    )
    _, chunks = read(rtf, "letter.rtf")
    assert found_at(chunks, "Qalt", "text") == {"Qalt": "line=1", "text": "line=1"}
    assert "75" not in text_of(chunks)
    assert "89504e47" not in text_of(chunks)


# Open documents


def test_forms_and_embedded_objects_of_an_open_document_are_found(read: Read) -> None:
    names = 'xmlns:office="o" xmlns:form="f" xmlns:text="t" xmlns:table="b"'
    content = formats.zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.text",
            "content.xml": f"<office:document-content {names}><form:form><form:text form:current-value='Qtyped'/>"
            "<form:listbox form:label='Qlabel'><form:option form:label='Qoption'/></form:listbox></form:form>"
            "<text:p>x</text:p></office:document-content>".encode(),
            "Object 1/content.xml": f"<office:document-content {names}><text:p>Qchart</text:p>"
            "</office:document-content>".encode(),
            "Object 2": old_office.compound({"\x01Ole10Native": _packed_object("a.txt", b"Qpacked text\n")}),
        }
    )
    _, chunks = read(content, "form.odt")
    assert found_at(chunks, "Qtyped", "Qlabel", "Qoption", "Qchart", "Qpacked") == {
        **dict.fromkeys(("Qtyped", "Qlabel", "Qoption"), "paragraph=1"),
        "Qchart": "part=1!paragraph=1",
        "Qpacked": "part=1!part=1!line=1",
    }


@pytest.mark.parametrize(
    ("media", "format_"),
    [
        ("application/vnd.oasis.opendocument.text-template", "odt"),
        ("application/vnd.sun.xml.writer", "odt"),
        ("application/vnd.sun.xml.calc", "ods"),
    ],
)
def test_templates_and_forerunners_of_open_document_are_read(read: Read, media: str, format_: str) -> None:
    text = b"<d xmlns:text='t'><text:p>Qtext</text:p></d>"
    extraction, chunks = read(formats.zipped({"mimetype": media.encode(), "content.xml": text}), "old")
    assert extraction.format == format_
    assert "Qtext" in text_of(chunks)


def test_an_open_document_without_its_media_type_is_known_by_its_manifest(read: Read) -> None:
    manifest = b"<m><f media-type='application/vnd.oasis.opendocument.spreadsheet' full-path='/'/></m>"
    extraction, _ = read(formats.zipped({"content.xml": b"<d>x</d>", "META-INF/manifest.xml": manifest}), "book")
    assert extraction.format == "ods"


# HTML and mail


def test_links_data_and_what_only_machines_see_on_a_page_are_found(read: Read) -> None:
    page = (
        '<html><head><script type=\'application/ld+json\'>{"name":"Qstructured"}</script><script>var Qcode=1'
        "</script></head><body><a href='https://x.example/?who=Qlinked%40x.example'>x</a><div data-who='Qdata'></div>"
        "<noscript>Qnoscript</noscript><img src='data:image/png;base64,Qinline' alt='Qalt'></body></html>"
    )
    _, chunks = read(page.encode(), "page.html")
    text = text_of(chunks)
    assert all(value in text for value in ("Qstructured", "Qlinked@x.example", "Qdata", "Qnoscript", "Qalt"))
    assert "Qcode" not in text
    assert "Qinline" not in text


def test_headers_and_file_names_of_mail_are_found_however_they_are_encoded(read: Read) -> None:
    message = (
        b"From: =?utf-8?q?Zo=C3=AB?= <a@x.example>\r\nTo: b@x.example\r\n"
        b"Subject: =?iso-8859-1?Q?caf=E9?= =?utf-8?b?UXN1YmplY3Q=?=\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: application/octet-stream\r\n'
        b"Content-Disposition: attachment; filename*0*=utf-8''Qlong%20Zo%C3%AB; filename*1*=%20name.txt\r\n\r\n"
        b"Qattached\r\n--b--\r\n"
    )
    _, chunks = read(message, "mail.eml")
    assert found_at(chunks, "Zoë <a@", "caféQsubject", "Qlong Zoë name.txt", "Qattached") == {
        "Zoë <a@": "headers=1",
        "caféQsubject": "headers=1",
        "Qlong Zoë name.txt": "part=1",
        "Qattached": "part=1!line=1",
    }


# Archives


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        (bytes.fromhex("28b52ffd20063100005170 61636b65640a".replace(" ", ""))[:6], "zstd"),
    ],
)
def test_a_broken_compressed_file_is_told_as_such(read: Read, content: bytes, format_: str) -> None:
    extraction, _ = read(content, "a.zst")
    assert (extraction.status, extraction.format) == (ExtractionStatus.CORRUPT, format_)


def test_a_unix_archive_is_read(read: Read) -> None:
    member = b"Qmember text of a file\n"
    head = b"cv.txt/".ljust(16) + b"0".ljust(12) + b"0".ljust(6) + b"0".ljust(6) + b"100644".ljust(8)
    content = b"!<arch>\n" + head + str(len(member)).encode().ljust(10) + b"`\n" + member + b"\n"
    _, chunks = read(content, "a.deb")
    assert found_at(chunks, "Qmember") == {"Qmember": "member=1!line=1"}


# What is in no format that we know


def test_what_looks_like_text_in_a_file_of_no_known_format_is_read_and_told(read: Read) -> None:
    extraction, chunks = read(
        b"\x00\x05\xe1\x03" * 40 + b"Qunknown words of somebody" + b"\x00\x01\x02" * 40, "old.wri"
    )
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("unknown_format",))
    assert "Qunknown" in text_of(chunks)


# Outlook's stores: nobody can write one but Outlook, so its library is played here


class _Entry:
    value_type = 0x1F

    def __init__(self, tag: int, text: str) -> None:
        self.entry_type, self._text = tag, text
        self.data = text.encode()

    @property
    def data_as_string(self) -> str:
        if self._text == "broken":
            raise OSError("unreadable")
        return self._text


def _holder(**lists: list[object]) -> types.SimpleNamespace:
    methods: dict[str, object] = {}
    for kind, values in lists.items():
        methods[f"get_number_of_{kind}s"] = lambda values=values: len(values)
        methods[f"get_{kind}"] = lambda number, values=values: values[number]
    return types.SimpleNamespace(**methods)


def _item(entries: dict[int, str], **lists: list[object]) -> types.SimpleNamespace:
    record = _holder(entry=[_Entry(tag, text) for tag, text in entries.items()])
    return _holder(record_set=[record], **lists)


def test_an_outlook_store_gives_folders_people_bodies_and_attachments(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    attachment = _item({0x3707: "cv.txt"})
    attachment.get_size = lambda: 10
    attachment.read_buffer = lambda size: b"Qattached\n"[:size]
    message = _item(
        {0x0037: "\x01\x04Qsubject", 0x3001: "broken", 0x0C1F: "/O=EXCHANGE/CN=X", 0x1000: "Qbody"},
        attachment=[attachment],
    )
    message.recipients = _item({0x39FE: "Qrecipient"})
    forwarded = _item({})
    forwarded.get_size = lambda: (_ for _ in ()).throw(OSError())
    forwarded.get_number_of_sub_items = lambda: 1
    forwarded.get_sub_item = lambda number: _item({0x1000: "Qforwarded"})
    folder = _holder(sub_message=[message, _item({0x3A08: "Qphone"}), _item({}, attachment=[forwarded])])
    folder.name = "Qfolder"
    root = _holder(sub_folder=[folder])
    root.name = None
    store = _holder(orphan_item=[_item({0x1000: "Qorphan"})])
    store.open_file_object = lambda stream: None
    store.get_root_folder = lambda: root
    monkeypatch.setattr(mail_store, "pypff", types.SimpleNamespace(file=lambda: store))
    (tmp_path / "mail.pst").write_bytes(b"!BDN" + b"\0" * 600)
    extraction, chunks = _read_here(tmp_path / "mail.pst")
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.OK, ())
    assert found_at(
        chunks, "Subject: Qsubject", "Qbody", "Qrecipient", "Qattached", "Qphone", "Qforwarded", "Qorphan", "Qfolder"
    ) == {
        "Qfolder": "folder=2",
        "Subject: Qsubject": "message=1!headers=1",
        "Qrecipient": "message=1!headers=1",
        "Qbody": "message=1",
        "Qattached": "message=1!part=1!line=1",
        "Qphone": "message=2!headers=1",
        "Qforwarded": "message=4",
        "Qorphan": "message=5",
    }
    assert "EXCHANGE" not in text_of(chunks)


def _read_here(path: Path) -> tuple[object, list[Chunk]]:
    from agent.extraction.base import Limits
    from agent.extraction.router import read_document

    chunks: list[Chunk] = []
    with open(path, "rb") as document:
        return read_document(document, path.stat().st_size, os.fsencode(path.name), Limits(), chunks.append), chunks


@pytest.mark.parametrize(
    ("module", "content", "reason"),
    [
        ("mail_store.pypff", b"!BDN" + b"\0" * 600, "libpff_missing"),
        ("access.access_parser", b"\0\x01\0\0Standard Jet DB" + b"\0" * 4096, "access_parser_missing"),
    ],
)
def test_without_its_library_a_format_is_told_as_unsupported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: str, content: bytes, reason: str
) -> None:
    monkeypatch.setattr(f"agent.extraction.formats.{module}", None)
    (tmp_path / "file").write_bytes(content)
    extraction, _ = _read_here(tmp_path / "file")
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.UNSUPPORTED, (reason,))


def test_a_broken_access_database_is_told_as_damaged(tmp_path: Path) -> None:
    (tmp_path / "file.mdb").write_bytes(b"\0\x01\0\0Standard Jet DB" + b"\0" * 4096)
    extraction, _ = _read_here(tmp_path / "file.mdb")
    assert (extraction.status, extraction.reasons[0]) == (ExtractionStatus.CORRUPT, "damaged_file")
