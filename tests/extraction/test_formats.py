"""Every format gives up its text, with the place where it stood."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import sqlite3
import struct
import tarfile
import time
import zlib
from email.message import EmailMessage
from pathlib import Path

import openpyxl
import pypdfium2
import pytest
from openpyxl.comments import Comment

from agent.extraction.base import Limits
from agent.extraction.formats.outlook import decompressed
from agent.extraction.router import read_document
from agent.model.outcome import ExtractionStatus
from tests.corpus import formats, old_office
from tests.extraction.conftest import Read, places_of, text_of

VALUE = "AB 12 34 56 C"


# Plain text


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("cp1252", b""),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("utf-32-le", b"\xff\xfe\0\0"),
        ("utf-32-le", b""),
    ],
)
def test_text_is_read_in_every_common_encoding(read: Read, encoding: str, mark: bytes) -> None:
    text = f"Zoë’s letter – £20\nNI number {VALUE}\n" * 20
    extraction, chunks = read(mark + text.encode(encoding), "letter.txt")
    assert (extraction.status, extraction.format) == (ExtractionStatus.OK, "txt")
    assert text_of(chunks) == text
    assert places_of(chunks, VALUE)[:2] == ["line=2", "line=4"]


@pytest.mark.parametrize("encoding", ["cp850", "cp1252", "iso-8859-15"])
def test_the_old_code_pages_are_told_apart(read: Read, encoding: str) -> None:
    text = "Zoë Brontë and José Núñez of the café owe 20 €\n".replace("€", "EUR" if encoding == "cp850" else "€")
    _, chunks = read((text * 3).encode(encoding), "letter.txt")
    assert text_of(chunks) == text * 3


def test_bytes_that_break_utf8_in_one_place_do_not_spoil_the_rest(read: Read) -> None:
    text = "Zoë\n" * 20_000
    _, chunks = read(text.encode() + b"caf\xe9\n" + text.encode(), "mixed.txt")
    assert "café\nZoë\n" in text_of(chunks)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_lines_are_counted_whatever_ends_them(read: Read, end: str) -> None:
    _, chunks = read(end.join(["one", "two", VALUE]).encode(), "a.log")
    assert places_of(chunks, VALUE) == ["line=3"]


def test_one_endless_line_comes_in_chunks(read: Read) -> None:
    text = "x" * 500_000
    extraction, chunks = read(text.encode(), "a.txt")
    assert extraction.status is ExtractionStatus.OK
    assert text_of(chunks) == text


def test_zeros_in_a_text_do_not_hide_the_rest(read: Read) -> None:
    extraction, chunks = read(f"before\n{chr(0) * 500}\nNI number {VALUE}\n".encode() + b"words " * 100, "crashed.log")
    assert (extraction.status, extraction.format) == (ExtractionStatus.OK, "log")
    assert VALUE in text_of(chunks)


@pytest.mark.parametrize(
    "content",
    [b"ID3\x04" + bytes(500), b"\x7fELF\x02\x01" + bytes(500), bytes(range(1, 7)) * 400],
    ids=["music", "program", "noise"],
)
def test_what_is_no_text_is_told_as_unsupported(read: Read, content: bytes) -> None:
    extraction, chunks = read(content, "looks-like.txt")
    assert (extraction.status, chunks) == (ExtractionStatus.UNSUPPORTED, [])


# Tables, JSON, XML, HTML


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_each_value_of_a_table_stands_behind_its_heading(read: Read, separator: str) -> None:
    rows = [["Name", "NI number", "Note"], ["Tamsin", VALUE, '"two\nlines"'], ["Idris", "QQ 12 34 56 C", ""]]
    extraction, chunks = read("\n".join(separator.join(row) for row in rows).encode(), "pay.csv")
    assert extraction.format == "csv"
    assert f"NI number: {VALUE}\n" in text_of(chunks)
    assert places_of(chunks, VALUE) == ["row=2"]
    assert places_of(chunks, "QQ 12") == ["row=3"]


def test_a_table_without_headings_keeps_its_first_row(read: Read) -> None:
    _, chunks = read(f"Tamsin,{VALUE}\nIdris,QQ 12 34 56 C\n".encode(), "pay.csv")
    assert places_of(chunks, VALUE) == ["row=1"]
    assert "Tamsin:" not in text_of(chunks)


def test_values_of_json_stand_behind_their_keys(read: Read) -> None:
    content = json.dumps([{"a": 1}, {"ni_number": VALUE, "more": {"e-mail": "zo\u00eb@x.example", "empty": None}}])
    extraction, chunks = read(content.encode(), "export.json")
    assert extraction.format == "json"
    assert f"ni number: {VALUE}\n" in text_of(chunks)
    assert "zoë@x.example" in text_of(chunks)
    assert places_of(chunks, VALUE) == ["entry=2"]


def test_json_lines_are_read_line_by_line(read: Read) -> None:
    _, chunks = read(b'{"a": 1}\n' + json.dumps({"ni": VALUE}).encode() + b"\n{broken\n", "export.jsonl")
    assert places_of(chunks, VALUE) == ["line=2"]
    assert places_of(chunks, "broken") == ["line=3"]


def test_text_and_attributes_of_xml_are_read_with_their_lines(read: Read) -> None:
    content = f'<?xml version="1.0"?>\n<staff>\n<p id="{VALUE}">\n<name>Zoë &amp; Co</name></p>\n</staff>'
    extraction, chunks = read(content.encode(), "a.xml")
    assert extraction.format == "xml"
    assert places_of(chunks, VALUE) == ["line=3"]
    assert "name: Zoë & Co" in text_of(chunks)


def test_broken_xml_gives_what_came_before(read: Read) -> None:
    extraction, chunks = read(f'<?xml version="1.0"?><a><b>{VALUE}</b><c></a>'.encode(), "a.xml")
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("damaged_markup",))
    assert VALUE in text_of(chunks)


def test_entities_are_refused_and_nothing_is_fetched(read: Read) -> None:
    content = (
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y "yy">]><a>&x;&y;</a>'
    )
    extraction, chunks = read(content, "a.xml")
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("entity_declared",))
    assert "root:" not in text_of(chunks)
    assert "&x;&y;" in text_of(chunks)


def test_html_gives_what_is_seen_and_what_stands_behind_it(read: Read) -> None:
    content = f"""<!doctype html><html><head><title>The title</title><meta name=description content="described">
    <style>.x{{color:red}}</style><script>var s="hidden"</script></head><body><h1>Staff</h1><p>NI <b>{VALUE}</b></p>
    <table><tr><td>Name<td>Zo&euml;</table><img alt="a portrait"><a href="mailto:zo%65@x.example">write</a>
    <input value="typed"><!-- said aside --></body></html>"""
    extraction, chunks = read(content.encode(), "page.html")
    assert extraction.format == "html"
    text = text_of(chunks)
    for said in ("The title", "described", VALUE, "Zoë", "a portrait", "zoe@x.example", "typed", "said aside"):
        assert said in text
    assert "color:red" not in text
    assert "hidden" not in text


def test_html_in_the_page_own_encoding_is_read(read: Read) -> None:
    page = '<html><head><meta charset="iso-8859-15"></head><body>Zoë pays 5 €</body></html>'
    assert "Zoë pays 5 €" in text_of(read(page.encode("iso-8859-15"), "page.htm")[1])


@pytest.mark.parametrize(
    "hostile",
    [
        "<div>" * 200_000,
        "<div>" * 200_000 + "</div>" * 200_000,
        "</p>" * 200_000 + "<div>" * 200_000,
        "<div><!--</div>-->" * 100_000,
        "<a" * 500_000,
        "<p " + "a " * 200_000 + ">",
        "<p " + "a/" * 200_000 + ">",
        "<!--" * 200_000,
        "<div>" * 6_000 + "<script>" * 60_000,
        "<" * 1_000_000,
    ],
    ids=["open", "balanced", "stray", "commented", "unended", "bare", "slashed", "comments", "scripts", "less"],
)
def test_html_beyond_all_reason_is_stripped_in_no_time(read: Read, hostile: str) -> None:
    began = time.monotonic()
    extraction, chunks = read(f"<html><p>NI {VALUE}</p>{hostile}".encode(), "deep.html")
    assert extraction.status is ExtractionStatus.OK
    assert VALUE in text_of(chunks)
    assert time.monotonic() - began < 5


def test_entities_in_xml_are_told_and_the_rest_is_read_as_it_stands(read: Read) -> None:
    content = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY co "Company">]><a>&co; {VALUE}</a>'
    extraction, chunks = read(content.encode(), "a.xml")
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("entity_declared",))
    assert VALUE in text_of(chunks)


def test_xml_in_an_encoding_that_the_parser_lacks_is_read_as_text(read: Read) -> None:
    content = f'<?xml version="1.0" encoding="Shift_JIS"?><a>{VALUE}</a>'
    extraction, chunks = read(content.encode(), "a.xml")
    assert extraction.status is ExtractionStatus.PARTIAL
    assert VALUE in text_of(chunks)


def test_nothing_of_json_is_lost(read: Read) -> None:
    content = (
        '{"zoe@x.example": true, "a": {"idris@x.example": {}}, "n": 12345678.10, "k": 1, "k": 2, "big": 1' + "0" * 9_000
    )
    _, chunks = read((content + "}").encode(), "a.json")
    text = text_of(chunks)
    for said in ("zoe@x.example", "idris@x.example", "12345678.10", "k: 1", "k: 2", "0" * 9_000):
        assert said in text


def test_a_quotation_mark_that_is_never_closed_does_not_swallow_a_table(read: Read) -> None:
    rows = "".join(f"{number},x\n" for number in range(100_000))
    extraction, chunks = read(f'Name,Note\nZoe,"never closed\n{rows}NI,{VALUE}\n'.encode(), "a.csv")
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("damaged_rows",))
    assert VALUE in text_of(chunks)


# Word and Excel


W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def _word(parts: dict[str, str]) -> bytes:
    def story(root: str, inner: str) -> bytes:
        return f'<w:{root} xmlns:w="{W}" xmlns:mc="m" xmlns:wp="p">{inner}</w:{root}>'.encode()

    roots = {"word/document.xml": "document"}
    members = {name: story(roots.get(name, "part"), inner) for name, inner in parts.items() if name.startswith("word/")}
    members |= {name: inner.encode() for name, inner in parts.items() if not name.startswith("word/")}
    return formats.zipped(members)


def _said(text: str, tag: str = "t") -> str:
    return f"<w:p><w:r><w:{tag}>{text}</w:{tag}></w:r></w:p>"


def test_all_stories_of_a_word_document_are_read(read: Read) -> None:
    content = _word(
        {
            "word/document.xml": _said("first")
            + "<w:p><w:r><w:t>AB 12 </w:t></w:r><w:r><w:t>34 56 C</w:t></w:r></w:p>"
            + f"<w:p><w:del><w:r><w:delText>deleted {VALUE}</w:delText></w:r></w:del></w:p>"
            + '<wp:docPr descr="alternative text"/>'
            + f"<mc:AlternateContent><mc:Choice>{_said('boxed')}</mc:Choice><mc:Fallback>{_said('boxed')}</mc:Fallback>"
            "</mc:AlternateContent>",
            "word/header2.xml": _said("in the header"),
            "word/footer1.xml": _said("in the footer"),
            "word/footnotes.xml": _said("in a footnote"),
            "word/endnotes.xml": _said("in an endnote"),
            "word/comments.xml": '<w:comment w:author="Idris Bexcombe">' + _said("in a comment") + "</w:comment>",
            "docProps/core.xml": "<c xmlns:dc='d'><dc:creator>Tamsin Quillfeather</dc:creator></c>",
            "docProps/custom.xml": "<Properties><property name='Client'><lpwstr>Ada Lee</lpwstr></property>"
            "</Properties>",
        }
    )
    extraction, chunks = read(content, "letter.docx")
    assert (extraction.status, extraction.format) == (ExtractionStatus.OK, "docx")
    text = text_of(chunks)
    assert places_of(chunks, VALUE) == ["paragraph=2", "paragraph=3"]
    assert places_of(chunks, "in the header") == ["header=2"]
    assert places_of(chunks, "in the footer") == ["footer=1"]
    assert places_of(chunks, "in a comment") == ["comments=1"]
    assert places_of(chunks, "Client: Ada Lee") == ["properties=1"]
    for said in (
        "in a footnote",
        "in an endnote",
        "alternative text",
        "Idris Bexcombe",
        "creator: Tamsin Quillfeather",
    ):
        assert said in text
    assert text.count("boxed") == 1


def test_the_cells_of_a_word_table_stay_on_one_line(read: Read) -> None:
    _, chunks = read(formats.docx(["Staff"], [["NI number", VALUE], ["Name", "Zoë"]]), "staff.docx")
    assert f"NI number \t{VALUE} \t\nName" in text_of(chunks)


def test_a_table_embedded_in_a_letter_is_read(read: Read) -> None:
    inner = formats.xlsx("Pay", [["Name", "NI number"], ["Zoë", VALUE]])
    content = formats.zipped(
        {
            "word/document.xml": f'<w:document xmlns:w="{W}">{_said("see the table")}</w:document>'.encode(),
            "word/embeddings/Worksheet1.xlsx": inner,
        }
    )
    extraction, chunks = read(content, "letter.docx")
    assert extraction.status is ExtractionStatus.OK
    assert places_of(chunks, VALUE) == ["part=1!sheet=1&cell=B2"]


def test_links_to_the_outside_are_read(read: Read) -> None:
    links = '<Relationship Id="r1" Target="mailto:zoe@x.example"/><Relationship Id="r2" Target="media/i.png"/>'
    content = _word({"word/document.xml": _said("write"), "word/_rels/document.xml.rels": links})
    _, chunks = read(content, "a.docx")
    assert places_of(chunks, "zoe@x.example") == ["links=1"]
    assert "media" not in text_of(chunks)


def _workbook() -> bytes:
    import datetime as dt

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Pay"
    sheet.append(["Name", "NI number", "Born", "Hours"])
    sheet.append(["Zoë", VALUE, dt.date(1981, 3, 12), 37.5])
    sheet["B2"].comment = Comment("a cell comment", "Idris Bexcombe")
    sheet.oddHeader.center.text = "sheet header"
    hidden = book.create_sheet("Leavers 2019")
    hidden.sheet_state = "hidden"
    hidden["C17"] = "in a hidden sheet"
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def test_every_cell_of_a_workbook_is_read_with_its_place(read: Read) -> None:
    extraction, chunks = read(_workbook(), "pay.xlsx")
    assert (extraction.status, extraction.format) == (ExtractionStatus.OK, "xlsx")
    text = text_of(chunks)
    assert f"NI number: {VALUE}\tBorn: 1981-03-12\tHours: 37.5\t" in text
    assert places_of(chunks, VALUE) == ["sheet=1&cell=B2"]
    assert places_of(chunks, "in a hidden sheet") == ["sheet=2&cell=C17"]
    assert places_of(chunks, "a cell comment") == ["comments=1"]
    assert "sheet header" in text
    assert "Leavers 2019" in text


def test_shared_strings_are_read(read: Read) -> None:
    _, chunks = read(formats.xlsx("Pay", [["Name", "NI number"], ["Zoë", VALUE]]), "pay.xlsx")
    assert places_of(chunks, VALUE) == ["sheet=1&cell=B2"]


def test_an_office_file_with_a_password_is_told_as_encrypted(read: Read) -> None:
    stub = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(2000)
    assert read(stub, "secret.docx")[0].status is ExtractionStatus.ENCRYPTED


def test_of_a_word_document_cut_short_the_text_before_the_cut_is_kept(read: Read) -> None:
    content = formats.docx([f"paragraph {number} of {VALUE} and {number * 7919}" for number in range(2_000)])
    extraction, chunks = read(content[: len(content) // 2], "cut.docx")
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("damaged_archive",))
    assert extraction.format == "docx"
    assert 100 < text_of(chunks).count(VALUE) < 2_000


def test_a_package_in_which_nothing_is_left_is_damaged(read: Read) -> None:
    extraction, chunks = read(b"PK\x03\x04" + bytes(26) + b"word/document.xml" + bytes(500) + VALUE.encode(), "a.docx")
    assert (extraction.status, extraction.format) == (ExtractionStatus.CORRUPT, "docx")
    assert extraction.reasons == ("damaged_archive", "strings_only")
    assert VALUE in text_of(chunks)


# The old formats of Office


def test_all_stories_of_an_old_word_document_are_read(read: Read) -> None:
    body, note, header = f"first\rNI number {VALUE}\r\x07cell\x07", "a footnote\r", "in the header\r"
    extraction, chunks = read(old_office.doc([body, note, header]), "letter.doc")
    assert (extraction.status, extraction.format) == (ExtractionStatus.OK, "doc")
    assert places_of(chunks, VALUE) == ["paragraph=2"]
    assert places_of(chunks, "a footnote") == ["footnotes=1"]
    assert places_of(chunks, "in the header") == ["header=1"]


def test_text_beyond_western_letters_is_read_from_an_old_word_document(read: Read) -> None:
    _, chunks = read(old_office.doc(["Łódź – Прага – 北京\r"], wide=True), "letter.doc")
    assert "Łódź – Прага – 北京" in text_of(chunks)


def test_an_encrypted_old_word_document_is_told_so(read: Read) -> None:
    assert read(old_office.doc(["x"], encrypted=True), "a.doc")[0].status is ExtractionStatus.ENCRYPTED


def test_the_slides_of_an_old_presentation_are_read(read: Read) -> None:
    extraction, chunks = read(old_office.ppt([["Title", VALUE], ["second slide – Łódź"]]), "talk.ppt")
    assert (extraction.status, extraction.format) == (ExtractionStatus.OK, "ppt")
    assert places_of(chunks, VALUE) == ["slide=1"]
    assert places_of(chunks, "Łódź") == ["slide=2"]


def test_the_cells_of_an_old_workbook_are_read(read: Read) -> None:
    extraction, chunks = read(old_office.xls("Pay", [["Name", "NI number"], ["Idris", VALUE]]), "pay.xls")
    assert (extraction.status, extraction.format) == (ExtractionStatus.OK, "xls")
    assert f"NI number: {VALUE}" in text_of(chunks)
    assert places_of(chunks, VALUE) == ["sheet=1&cell=B2"]


def test_an_encrypted_old_workbook_is_told_so(read: Read) -> None:
    content = old_office.xls("Pay", [["x", "y"]], encrypted=True)
    assert read(content, "pay.xls")[0].status is ExtractionStatus.ENCRYPTED


def test_an_outlook_message_gives_people_bodies_and_attachments(read: Read) -> None:
    inner = old_office.message({"0037": "inner subject", "1000": "inner body"})
    streams = {
        **old_office.message({"0037": "Prüfung", "0C1A": "Zoë Quillfeather", "5D01": "zoe@x.example", "1000": "hello"}),
        "__recip_version1.0_#00000000/__substg1.0_3001001F": "Idris Bexcombe".encode("utf-16-le"),
        "__recip_version1.0_#00000000/__substg1.0_39FE001F": "idris@x.example".encode("utf-16-le"),
        "__attach_version1.0_#00000000/__substg1.0_3707001F": "pay.csv".encode("utf-16-le"),
        "__attach_version1.0_#00000000/__substg1.0_37010102": (
            f"Name,NI number\nZoë,{VALUE}\n" + "Idris,none\n" * 400
        ).encode(),
        **{f"__attach_version1.0_#00000001/__substg1.0_3701000D/{name}": data for name, data in inner.items()},
    }
    extraction, chunks = read(old_office.compound(streams), "mail.msg")
    assert (extraction.status, extraction.format) == (ExtractionStatus.OK, "msg")
    text = text_of(chunks)
    for said in ("Subject: Prüfung", "From: Zoë Quillfeather", "zoe@x.example", "Idris Bexcombe", "idris@x.example"):
        assert said in text
    assert places_of(chunks, VALUE) == ["part=1!row=2"]
    assert places_of(chunks, "inner body") == ["part=2"]
    assert places_of(chunks, "inner subject") == ["part=2!headers=1"]


def test_a_compressed_body_of_a_message_is_expanded(read: Read) -> None:
    """The example of [MS-OXRTFCP] 3.2.1, whose bytes were made by Outlook."""
    packed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )
    assert decompressed(packed) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"


# SQLite, 7z


def test_every_row_of_a_database_is_read(read: Read, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "staff.db") as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute('CREATE TABLE "a ""table""" (name TEXT, ni_number TEXT, photo BLOB, pay REAL)')
        database.execute('INSERT INTO "a ""table""" VALUES (?, ?, ?, ?)', ("Zoë", "x", formats.png(), 1.5))
        database.execute('INSERT INTO "a ""table""" VALUES (?, ?, ?, ?)', ("Idris", VALUE, b"a note", None))
        database.execute("CREATE VIEW v AS SELECT 1")
    database.close()
    extraction, chunks = read((tmp_path / "staff.db").read_bytes(), "staff.db")
    assert (extraction.status, extraction.format) == (ExtractionStatus.OK, "sqlite")
    assert places_of(chunks, f"ni_number: {VALUE}") == ["table=1&row=2"]
    assert "photo: a note" in text_of(chunks)


def test_a_7z_archive_is_read_as_libarchive_reads_it(read: Read, tmp_path: Path) -> None:
    libarchive = pytest.importorskip("libarchive")
    (tmp_path / "a.txt").write_text(VALUE)
    with libarchive.file_writer(str(tmp_path / "a.7z"), "7zip") as archive:
        archive.add_file_from_memory("folder/a.txt", len(VALUE), VALUE.encode())
    extraction, chunks = read((tmp_path / "a.7z").read_bytes(), "a.7z")
    assert (extraction.status, extraction.format) == (ExtractionStatus.OK, "7z")
    assert places_of(chunks, VALUE) == ["member=1!line=1"]


# PDF


def test_the_pages_of_a_pdf_are_read(read: Read) -> None:
    lines = [f"line {number} of the statement" for number in range(60)] + [f"NI number {VALUE}"]
    extraction, chunks = read(formats.pdf(lines), "a.pdf")
    assert (extraction.status, extraction.format) == (ExtractionStatus.OK, "pdf")
    assert places_of(chunks, VALUE) == ["page=2"]


def test_an_attachment_of_a_pdf_is_read_as_what_it_is(read: Read) -> None:
    pdf = pypdfium2.PdfDocument(formats.pdf(["cover"]))
    attached = pdf.new_attachment("staff.csv")
    attached.set_data(f"Name,NI number\nZoë,{VALUE}\n".encode())
    target = io.BytesIO()
    pdf.save(target)
    pdf.close()
    _, chunks = read(target.getvalue(), "a.pdf")
    assert places_of(chunks, f"NI number: {VALUE}") == ["part=1!row=2"]


def test_a_note_on_a_page_is_read(read: Read) -> None:
    plain = formats.pdf(["cover"])
    with_note = plain.replace(
        b"/Type /Page /Parent",
        b"/Type /Page /Annots [<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents (noted by hand) >>] /Parent",
    )
    _, chunks = read(with_note, "a.pdf")  # its table of offsets is wrong now, which a reader has to bear
    assert places_of(chunks, "noted by hand") == ["page=1"]


# Messages


def test_a_message_gives_its_headers_texts_and_attachments(read: Read) -> None:
    message = EmailMessage()
    message["From"] = "Zoë Quillfeather <zoe@x.example>"
    message["Subject"] = "Prüfung – your payslip"
    message.set_content(f"NI number {VALUE}\n", cte="base64")
    message.add_alternative(f"<p>NI number <b>{VALUE}</b></p>", subtype="html")
    message.add_attachment(_workbook(), maintype="application", subtype="octet-stream", filename="Gehälter.xlsx")
    extraction, chunks = read(message.as_bytes(), "message.eml")
    assert (extraction.status, extraction.format) == (ExtractionStatus.OK, "eml")
    text = text_of(chunks)
    assert "Subject: Prüfung – your payslip" in text
    assert "Zoë Quillfeather <zoe@x.example>" in text
    assert "Gehälter.xlsx" in text
    assert places_of(chunks, VALUE) == ["part=1", "part=2", "part=3!sheet=1&cell=B2"]


def test_a_message_too_large_to_be_held_is_told_as_read_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.extraction.formats.mail._WHOLE_BYTES", 2_000)
    content = formats.eml({"From": "a@x.example", "To": "b@x.example"}, [f"NI {VALUE}", "x" * 5_000])
    extraction = read_document(io.BytesIO(content), len(content), b"a.eml", Limits(), lambda chunk: None)
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("too_large",))


def test_a_message_inside_a_message_is_read(read: Read) -> None:
    inner = EmailMessage()
    inner["From"] = "inner@x.example"
    inner.set_content(f"inner text {VALUE}")
    outer = EmailMessage()
    outer["From"] = "outer@x.example"
    outer["To"] = "a@x.example"
    outer.set_content("see below")
    outer.add_attachment(inner)
    _, chunks = read(outer.as_bytes(), "message.eml")
    assert {"inner@x.example", "outer@x.example"} <= set(text_of(chunks).split())
    assert VALUE in text_of(chunks)


def test_an_attachment_that_cannot_be_read_is_told_and_spoils_nothing(read: Read) -> None:
    content = formats.eml(
        {"From": "a@x.example", "To": "b@x.example"}, [f"NI {VALUE}"], ("photo.png", formats.png(400, 300))
    )
    extraction, chunks = read(content, "message.eml")
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("picture_not_read",))
    assert VALUE in text_of(chunks)


# Presentations, OpenDocument, e-books, RTF


def _part(inner: str) -> bytes:
    return f"<p:sld xmlns:p='p' xmlns:a='a'>{inner}</p:sld>".encode()


def test_slides_notes_and_comments_of_a_presentation_are_read(read: Read) -> None:
    content = formats.zipped(
        {
            "ppt/presentation.xml": _part(""),
            "ppt/slides/slide1.xml": _part("<a:p><a:r><a:t>AB 12 </a:t></a:r><a:r><a:t>34 56 C</a:t></a:r></a:p>"),
            "ppt/slides/slide12.xml": _part('<p:cNvPr descr="a portrait"/><a:p><a:r><a:t>last slide</a:t></a:r></a:p>'),
            "ppt/notesSlides/notesSlide1.xml": _part("<a:p><a:r><a:t>said aside</a:t></a:r></a:p>"),
            "ppt/comments/comment1.xml": _part("<p:cm><p:text>a remark</p:text></p:cm>"),
            "ppt/commentAuthors.xml": _part('<p:cmAuthor name="Idris Bexcombe"/>'),
        }
    )
    extraction, chunks = read(content, "talk.pptx")
    assert (extraction.status, extraction.format) == (ExtractionStatus.OK, "pptx")
    assert places_of(chunks, VALUE) == ["slide=1"]
    assert places_of(chunks, "last slide") == ["slide=12"]
    assert places_of(chunks, "said aside") == ["notes=1"]
    assert places_of(chunks, "a remark") == ["comments=1"]
    assert {"a portrait", "Idris Bexcombe"} <= set(text_of(chunks).split("\n"))


def _open_document(kind: str, body: str, **parts: str) -> bytes:
    spaces = " ".join(f'xmlns:{name}="{name}"' for name in ("office", "text", "table", "draw", "meta", "dc", "xlink"))
    members = {
        "mimetype": f"application/vnd.oasis.opendocument.{kind}".encode(),
        "content.xml": f"<office:document {spaces}>{body}</office:document>".encode(),
    }
    for name, inner in parts.items():
        members[f"{name}.xml"] = f"<office:document {spaces}>{inner}</office:document>".encode()
    return formats.zipped(members)


def test_an_open_document_text_is_read(read: Read) -> None:
    content = _open_document(
        "text",
        f"<text:p>first</text:p><text:p>NI<text:tab/>{VALUE}</text:p>"
        "<text:p><office:annotation><dc:creator>Idris</dc:creator><text:p>a note</text:p></office:annotation></text:p>"
        '<text:a xlink:href="mailto:zoe@x.example">write</text:a>',
        styles="<text:p>in the header</text:p>",
        meta="<dc:creator>Tamsin Quillfeather</dc:creator>"
        '<meta:user-defined meta:name="Client">Ada</meta:user-defined>',
    )
    extraction, chunks = read(content, "letter.odt")
    assert (extraction.status, extraction.format) == (ExtractionStatus.OK, "odt")
    assert places_of(chunks, VALUE) == ["paragraph=2"]
    assert places_of(chunks, "in the header") == ["header=1"]
    assert places_of(chunks, "Client: Ada") == ["properties=1"]
    for said in ("a note", "Idris", "zoe@x.example", "Tamsin Quillfeather"):
        assert said in text_of(chunks)


def test_an_open_document_table_is_read_cell_by_cell(read: Read) -> None:
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    gap = '<table:table-cell table:number-columns-repeated="2"/>'
    rows = (
        "<table:table-row>" + cell.format("Name") + gap + cell.format("NI number") + "</table:table-row>"
        "<table:table-row>" + cell.format("Zoë") + gap + cell.format(VALUE) + "</table:table-row>"
    )
    extraction, chunks = read(_open_document("spreadsheet", f'<table:table table:name="Pay">{rows}</table:table>'), "a")
    assert extraction.format == "ods"
    assert f"NI number: {VALUE}" in text_of(chunks)
    assert places_of(chunks, VALUE) == ["sheet=1&cell=D2"]


def test_an_encrypted_open_document_is_told_so(read: Read) -> None:
    members = {
        "mimetype": b"application/vnd.oasis.opendocument.text",
        "content.xml": b"\x8a\x01",
        "META-INF/manifest.xml": b"<manifest><file-entry><encryption-data/></file-entry></manifest>",
    }
    assert read(formats.zipped(members), "a.odt")[0].status is ExtractionStatus.ENCRYPTED


def test_the_pages_of_an_e_book_are_read(read: Read) -> None:
    members = {
        "mimetype": b"application/epub+zip",
        "META-INF/container.xml": b"<container/>",
        "one.xhtml": b"<html><body>first page</body></html>",
        "two.xhtml": f"<html><body>{VALUE}</body></html>".encode(),
    }
    extraction, chunks = read(formats.zipped(members), "book.epub")
    assert extraction.format == "epub"
    assert places_of(chunks, VALUE) == ["page=2"]


def test_rich_text_is_read_without_its_tables_and_pictures(read: Read) -> None:
    content = (
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\info{\author Idris Bexcombe}}\uc1 caf\'e9 \u8364?5\par "
        rb"NI number AB 12 34\~56 C\par{\header in the header}{\pict 89504e47}{\*\annotation a remark}"
        rb"{\field{\*\fldinst HYPERLINK "
        rb'"mailto:zoe@x.example"}{\fldrslt write}} \u-10179?\u-8704? \{braces\}{\pict\bin6 \par }}done}'
    )
    extraction, chunks = read(content, "a.rtf")
    assert (extraction.status, extraction.format) == (ExtractionStatus.OK, "rtf")
    text = text_of(chunks)
    for said in ("café €5", "AB 12 34\u00a056 C", "Idris Bexcombe", "in the header", "a remark", "zoe@x.example", "😀"):
        assert said in text
    assert "{braces}" in text
    assert "Arial" not in text
    assert "89504e47" not in text
    assert places_of(chunks, "AB 12") == ["line=2"]


# Mailboxes and archives


def test_every_message_of_a_mailbox_is_read(read: Read) -> None:
    message = "From: a@x.example\nTo: b@x.example\nSubject: {}\n\n{}\n>From here on, it is quoted.\n\n"
    content = "".join(
        f"From a@x.example Mon Mar  3 10:12:00 2025\n{message.format(number, text)}"
        for number, text in enumerate(["hello", VALUE])
    )
    extraction, chunks = read(content.encode(), "archive.mbox")
    assert (extraction.status, extraction.format) == (ExtractionStatus.OK, "mbox")
    assert places_of(chunks, VALUE) == ["message=2!part=1"]
    assert text_of(chunks).count("\nFrom here on") == 2


def _tar(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "format_", "place"),
    [
        (formats.zipped({"a.txt": b"x", "staff/b.txt": VALUE.encode()}), "zip", "member=2!line=1"),
        (_tar({"a.txt": b"x", "b.txt": VALUE.encode()}), "tar", "member=2!line=1"),
        (gzip.compress(VALUE.encode(), mtime=0), "gzip", "member=1!line=1"),
        (bz2.compress(VALUE.encode()), "bzip2", "member=1!line=1"),
        (lzma.compress(VALUE.encode()), "xz", "member=1!line=1"),
        (gzip.compress(_tar({"b.txt": VALUE.encode()}), mtime=0), "gzip", "member=1!member=1!line=1"),
        (
            formats.zipped({"inner.zip": formats.zipped({"cv.docx": formats.docx([VALUE])})}),
            "zip",
            "member=1!member=1!paragraph=1",
        ),
    ],
    ids=["zip", "tar", "gzip", "bzip2", "xz", "tar in gzip", "docx in zip in zip"],
)
def test_what_lies_in_an_archive_is_read_as_what_it_is(read: Read, content: bytes, format_: str, place: str) -> None:
    extraction, chunks = read(content, "archive.bin")
    assert (extraction.status, extraction.format) == (ExtractionStatus.OK, format_)
    assert places_of(chunks, VALUE) == [place]


def test_the_names_in_an_archive_are_read_too(read: Read) -> None:
    _, chunks = read(formats.zipped({"CV of Tamsin Quillfeather.txt": b"x"}), "a.zip")
    assert "CV of Tamsin Quillfeather.txt" in text_of(chunks)


def test_a_damaged_member_costs_only_itself(read: Read) -> None:
    content = bytearray(formats.zipped({"a.txt": b"lost " * 500, "b.txt": VALUE.encode()}))
    content[60] ^= 0xFF
    extraction, chunks = read(bytes(content), "a.zip")
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("damaged_member",))
    assert VALUE in text_of(chunks)


def test_of_a_compressed_file_cut_short_the_text_before_the_cut_is_kept(read: Read) -> None:
    lines = "".join(f"{number * 7919} of {VALUE}\n" for number in range(20_000))
    extraction, chunks = read(gzip.compress(lines.encode())[:-20_000], "log.gz")
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("damaged_member",))
    assert text_of(chunks).count(VALUE) > 1_000


def test_an_archive_of_nothing_readable_is_unsupported(read: Read) -> None:
    extraction, _ = read(gzip.compress(b"\x7fELF\x02\x01" + bytes(500)), "program.gz")
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.UNSUPPORTED, ("part_unsupported",))


def test_a_bomb_is_given_up_at_the_limit(tmp_path: Path) -> None:
    from agent.extraction.process import ProcessExtractor
    from agent.extraction.testing import take

    (tmp_path / "bomb.zip").write_bytes(formats.zipped({"zeros": bytes(30_000_000)}))
    extractor = ProcessExtractor(Limits(expanded_bytes=10_000_000))
    extraction, _ = take(extractor, tmp_path / "bomb.zip")
    extractor.close()
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("expansion_limit",))


# Pictures


def _exif(text: bytes) -> bytes:
    """A TIFF structure with one text, the name of an artist."""
    return b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x013B, 2, len(text), 26, 0) + text


def test_what_stands_beside_a_picture_is_read_and_the_picture_is_told_as_unread(read: Read) -> None:
    xmp = b"<x:xmpmeta xmlns:x='x'><creator name='Idris Bexcombe'>Zo\xc3\xab</creator></x:xmpmeta>"
    jpeg = b"\xff\xd8"
    for marker, segment in ((0xE1, b"Exif\0\0" + _exif(b"Tamsin Quillfeather\0")), (0xFE, b"a comment"), (0xE1, xmp)):
        jpeg += struct.pack(">BBH", 0xFF, marker, len(segment) + 2) + segment
    extraction, chunks = read(jpeg + b"\xff\xda" + bytes(100), "photo.jpg")
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("picture_not_read",))
    for said in ("Tamsin Quillfeather", "a comment", "name: Idris Bexcombe", "Zoë"):
        assert said in text_of(chunks)
    assert places_of(chunks, "a comment") == ["properties=1"]


def test_the_texts_of_a_png_are_read(read: Read) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    texts = chunk(b"tEXt", b"Author\0Zo\xeb") + chunk(b"zTXt", b"Title\0\0" + zlib.compress(b"portrait"))
    international = chunk(b"iTXt", b"Comment\0\0\0en\0Note\0" + "Łódź".encode())
    png = formats.png(400, 300)
    extraction, chunks = read(png[:33] + texts + international + chunk(b"eXIf", _exif(b"Idris\0")) + png[33:], "a.png")
    assert extraction.status is ExtractionStatus.PARTIAL
    assert {"Author: Zoë", "Title: portrait", "Comment: Łódź", "Idris"} <= set(text_of(chunks).split("\n"))


def test_a_picture_is_told_as_read_in_part_and_a_mere_button_as_empty(read: Read) -> None:
    extraction, chunks = read(formats.png(400, 300), "a.png")
    assert (extraction.status, extraction.reasons, chunks) == (ExtractionStatus.PARTIAL, ("picture_not_read",), [])
    extraction, chunks = read(formats.png(16, 16), "button.png")
    assert (extraction.status, extraction.reasons, chunks) == (ExtractionStatus.EMPTY, (), [])


# The name does not decide


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        (formats.pdf(["x"]), "pdf"),
        (formats.docx(["x"]), "docx"),
        (formats.xlsx("a", [["x"]]), "xlsx"),
        (b"<html><body>x</body></html>", "html"),
        (b'<?xml version="1.0"?><a>x</a>', "xml"),
        (b"From: a@x.example\r\nTo: b@x.example\r\nSubject: s\r\n\r\nx", "eml"),
        (formats.zipped({"a.txt": b"x"}), "zip"),
    ],
    ids=["pdf", "docx", "xlsx", "html", "xml", "eml", "zip"],
)
@pytest.mark.parametrize("name", ["a.jpg", "noextension", "a.txt"])
def test_the_content_says_what_a_document_is(read: Read, content: bytes, format_: str, name: str) -> None:
    assert read(content, name)[0].format == format_


@pytest.mark.parametrize("name", ["readme", "b.cfg", "c.py"])
def test_text_of_any_name_is_text(read: Read, name: str) -> None:
    assert read(b"Dear all: please note,\nthe office is closed\n", name)[0].format == "txt"
