"""Messages: header fields, texts in any encoding, and what is attached."""

from __future__ import annotations

import base64
import email
import quopri
from email.message import Message

import pytest

from agent.anonymisation.base import CannotAnonymise
from tests.anonymisation.desk import JANE, body, paragraph, run, word
from tests.corpus.formats import png


def message(*fields: str, text: str = "Hello", line_end: str = "\r\n") -> bytes:
    """A message of these fields and this text."""
    return line_end.join([*fields, "", text]).encode()


def read(content: bytes) -> Message:
    return email.message_from_bytes(content)


@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_fields_that_people_read_stay_without_what_must_go(line_end: str) -> None:
    content = message(
        "From: Jane Doe <jane@x.example>",
        "To: office@example.org,",
        " Jane Doe <jane@x.example>",
        "Subject: About Jane Doe and the lease",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        text=f"Dear Jane Doe,{line_end}{line_end}yes.{line_end}",
        line_end=line_end,
    )

    result, done = run(content, "eml")

    assert result.decode() == line_end.join(
        [
            "From: PERSON <EMAIL_ADDRESS>",
            "To: EMAIL_ADDRESS, PERSON <EMAIL_ADDRESS>",
            "Subject: About <PERSON> and the lease",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "",
            f"Dear <PERSON>,{line_end}{line_end}yes.{line_end}",
        ]
    )
    assert done.replaced == {"EMAIL_ADDRESS": 3, "PERSON": 4}


def test_what_servers_wrote_goes_and_of_the_date_only_the_day_stays() -> None:
    content = message(
        "Return-Path: <bounce@x.example>",
        "Received: from pc17 (10.0.0.7) by mx;",
        "\tMon, 2 Mar 2026 10:11:12 +0000",
        "Message-ID: <1234@pc17.x.example>",
        "In-Reply-To: <1233@pc17.x.example>",
        "DKIM-Signature: v=1; b=abc",
        "X-Originating-IP: 10.0.0.7",
        "Date: Mon, 2 Mar 2026 23:11:12 +0100",
        "From: office@example.org",
        "Content-ID: <part1>",
    )

    assert run(content, "eml")[0].decode().split("\r\n") == [
        "Date: Mon, 02 Mar 2026 00:00:00 +0100", "From: EMAIL_ADDRESS", "Content-ID: <part1>", "", "Hello",
    ]  # fmt: skip


def test_a_date_that_is_none_goes() -> None:
    assert run(message("Date: yesterday", "Subject: x"), "eml")[0] == b"Subject: x\r\n\r\nHello"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("Subject: =?utf-8?Q?Jane_Doe=E2=80=99s?= lease", "=?utf-8?b?PFBFUlNPTj7igJlzIGxlYXNl?="),
        ("Subject: =?utf-8?B?SmFuZSBEb2U=?=", "<PERSON>"),
        ("Subject: Jane Doe \xe9", "=?utf-8?b?PFBFUlNPTj4gw6k=?="),
        ("Subject: =?x-none?Q?a?= Jane Doe", "=?x-none?Q?a?= <PERSON>"),
        ("Subject: caf\xe9", "caf\xe9"),
    ],
)
def test_fields_are_read_as_people_see_them(field: str, expected: str) -> None:
    content = field.encode("latin-1") + b"\r\nFrom: a@example.org\r\n\r\nHello"

    assert run(content, "eml")[0].splitlines()[0] == f"Subject: {expected}".encode("latin-1")


def test_a_long_field_is_folded() -> None:
    result, _ = run(message("Subject: " + "about the lease of " * 8 + "Jane Doe", "From: a@example.org"), "eml")

    assert all(len(line) <= 78 for line in result.splitlines())
    assert read(result)["Subject"].replace("\r\n", "") == "about the lease of " * 8 + "<PERSON>"


TEXT = (
    "Caf\xe9: Jane Doe = yes\r\nand a line that is much longer than seventy-six "
    "characters, so that it has to be wrapped.\r\n"
)


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "x-unknown", ""])
@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "8bit"])
def test_texts_keep_charset_and_encoding(charset: str, encoding: str) -> None:
    data = TEXT.encode("iso-8859-1" if charset.startswith("iso") else "utf-8")
    written = {"base64": base64.encodebytes(data).replace(b"\n", b"\r\n"), "8bit": data}.get(
        encoding, quopri.encodestring(data.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    )
    kind = f"Content-Type: text/plain; charset={charset}" if charset else "Subject: x"
    content = message(kind, f"Content-Transfer-Encoding: {encoding}", text="") + written

    result, _ = run(content, "eml")

    part = read(result)
    assert part["Content-Transfer-Encoding"] == encoding
    assert part.get_payload(decode=True) == data.replace(b"Jane Doe", b"<PERSON>")
    assert result.partition(b"\r\n\r\n")[2].count(b"\n") == result.partition(b"\r\n\r\n")[2].count(b"\r\n")


def test_what_does_not_change_keeps_the_very_bytes_it_had() -> None:
    content = b"Subject: x\nContent-Transfer-Encoding: base64\n\nSGVsbG8g\nd29ybGQ=\n\n"

    assert run(content, "eml")[0] == content


def multipart(*parts: str, kind: str = "mixed", before: str = "", after: str = "") -> bytes:
    """A message of several parts."""
    inner = "".join(f"--=_b\r\n{part}\r\n" for part in parts)
    return (
        f'Subject: x\r\nContent-Type: multipart/{kind}; boundary="=_b"\r\n\r\n{before}{inner}--=_b--\r\n{after}'
    ).encode()


def test_every_part_is_cleaned_and_what_stands_around_them() -> None:
    plain = "Content-Type: text/plain\r\n\r\nI am Jane Doe"
    page = (
        'Content-Type: text/html; charset=utf-8\r\n\r\n<p title="Jane Doe">Jane <b>Doe</b> '
        '<a href="mailto:jane@x.example">mail</a></p>'
    )

    result, done = run(multipart(plain, page, before="Jane Doe\r\n", after="Jane Doe"), "eml")

    assert result == multipart(
        "Content-Type: text/plain\r\n\r\nI am <PERSON>",
        'Content-Type: text/html; charset=utf-8\r\n\r\n<p title="&lt;PERSON&gt;">&lt;PERSON&gt;<b></b> '
        '<a href="mailto:EMAIL_ADDRESS">mail</a></p>',
        before="<PERSON>\r\n",
        after="<PERSON>",
    )
    assert done.replaced == {"EMAIL_ADDRESS": 1, "PERSON": 5}


def attachment(content: bytes, name: str, kind: str = "application/octet-stream") -> str:
    return (
        f'Content-Type: {kind}; name="{name}"\r\nContent-Disposition: attachment; filename="{name}"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{base64.b64encode(content).decode()}"
    )


def test_attachments_are_cleaned_as_the_documents_they_are() -> None:
    content = multipart(
        attachment(word(paragraph("Jane Doe")), "Letter_to_Jane_Doe.docx"),
        attachment(b"Name,Town\nJane Doe,Ash\n", "list.csv", "text/csv"),
        attachment(png(), "logo.png", "image/png"),
        attachment(b"", "empty.bin"),
        attachment(b"Jane Doe", "note.txt", "text/plain"),
    )

    result, done = run(content, "eml")

    letter, table, logo, empty, note = read(result).get_payload()
    assert letter.get_filename() == letter.get_param("name") == "Letter to PERSON.docx".replace(" ", "_")
    assert body(letter.get_payload(decode=True)) == paragraph("&lt;PERSON&gt;")
    assert table.get_payload(decode=True) == b"Name,Town\n<PERSON>,Ash\n"
    assert logo.get_payload(decode=True) == png()
    assert empty.get_payload(decode=True) == b""
    assert note.get_payload(decode=True) == b"[PERSON]"
    assert done.left == ("picture",)


@pytest.mark.parametrize(
    ("parameter", "name"),
    [
        ("filename*=utf-8''Jane%20Doe%20%C3%A9.txt", "PERSON é.txt"),
        ("filename*=x-none''Jane%20Doe.txt", "PERSON.txt"),
        ('filename="=?utf-8?Q?Jane_Doe?=.txt"', "PERSON .txt"),
    ],
)
def test_names_of_attachments_are_read_in_every_form(parameter: str, name: str) -> None:
    content = multipart(f"Content-Type: text/plain\r\nContent-Disposition: attachment; {parameter}\r\n\r\nx")

    result, _ = run(content, "eml")

    part = read(result).get_payload()[0]
    assert part.get_filename() == name
    assert b"Jane" not in result


def test_bytes_in_quoted_printable_stay_the_bytes_they_are() -> None:
    table = b"Name;Town\rJane Doe;Ash\n"
    encoded = "Name;Town=0DJane Doe;Ash=0A="
    part = (
        "Content-Type: text/csv\r\nContent-Disposition: attachment; filename=a.csv\r\n"
        f"Content-Transfer-Encoding: quoted-printable\r\n\r\n{encoded}"
    )

    result, _ = run(multipart(part), "eml")

    assert read(result).get_payload()[0].get_payload(decode=True) == table.replace(b"Jane Doe", b"<PERSON>")


def test_a_message_in_a_message_is_cleaned() -> None:
    inner = "From: Jane Doe <jane@x.example>\r\nMessage-ID: <1@x>\r\nSubject: Jane Doe\r\n\r\nYours, Jane Doe"

    result, _ = run(multipart(f"Content-Type: message/rfc822\r\n\r\n{inner}"), "eml")

    (forwarded,) = read(result).get_payload()
    assert (
        forwarded.get_payload()[0].as_string() == "From: PERSON <EMAIL_ADDRESS>\nSubject: <PERSON>\n\nYours, <PERSON>"
    )


def test_an_envelope_goes_and_a_message_may_lack_a_body_or_its_last_boundary() -> None:
    assert run(b"From jane@x.example Mon Mar 2 2026\nSubject: x\nFrom: a@b.example\n", "eml")[0] == (
        b"Subject: x\nFrom: EMAIL_ADDRESS\n\n"
    )
    cut = multipart("\r\nJane Doe").removesuffix(b"\r\n--=_b--\r\n")
    assert run(cut, "eml")[0] == cut.replace(b"Jane Doe", b"<PERSON>")


def test_boundary_lines_behind_the_last_one_are_text() -> None:
    content = multipart("\r\nx", after="--=_b\r\nJane Doe")

    assert run(content, "eml")[0] == content.replace(b"Jane Doe", b"<PERSON>")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (message("Subject: x", "Content-Type: application/pkcs7-mime; smime-type=enveloped-data"), "signed, encrypted"),
        (message("Subject: x", "Content-Type: multipart/signed; boundary=b"), "signed, encrypted"),
        (message("Subject: x", "Content-Type: multipart/encrypted; boundary=b"), "signed, encrypted"),
        (multipart("Content-Type: application/x-pkcs7-signature\r\n\r\nx"), "signed, encrypted"),
        (multipart("Content-Type: application/ms-tnef\r\n\r\nx"), "winmail"),
        (message("Subject: x", text="-----BEGIN PGP MESSAGE-----\r\nabc"), "signed, encrypted"),
        (message("Subject: x", "Content-Transfer-Encoding: x-uuencode"), "encoding that is not known"),
        (message("Subject: x", "Content-Transfer-Encoding: \xe9"), "encoding that is not known"),
        (message("Subject: x", "y" * 300_000), "header is damaged"),
        ("".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(999)).encode(), "damaged"),
        (message("Subject: x", "Content-Type: multipart/mixed"), "damaged"),
        (message("Subject: x", "Content-Type: multipart/mixed; boundary=b"), "damaged"),
        (b"Subject: x\r\nthis is no field of Jane Doe\r\n\r\nx", "header is damaged"),
        (multipart("Content-Type: message/delivery-status\r\n\r\nTo: x\r\n\r\nAction: failed"), "damaged"),
        (multipart(attachment(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old.doc")), r"\(ole\)"),
    ],
)
def test_what_cannot_be_cleaned_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(CannotAnonymise, match=why) as refused:
        run(content, "eml")
    assert JANE not in str(refused.value)


def test_what_is_packed_in_attachments_counts_together() -> None:
    padded = word(paragraph("x") + " " * 400_000)
    content = multipart(*(attachment(padded, "a.docx") for _ in range(3)))

    with pytest.raises(CannotAnonymise, match="unpacked"):
        run(content, "eml", largest_bytes=1_000_000)
    assert run(content, "eml", largest_bytes=1_300_000)[1].rounds == 1


def test_addresses_of_a_house_go_though_nobody_finds_them() -> None:
    message = (
        b"From: Front desk <desk@intern>\nTo: desk2@intern, x <y>\nSubject: x\n\nAsk DESK@INTERN, not desk@internal.\n"
    )

    result, done = run(message, "eml")

    assert result == (
        b"From: Front desk <EMAIL_ADDRESS>\nTo: EMAIL_ADDRESS, x <y>\nSubject: x\n\n"
        b"Ask <EMAIL_ADDRESS>, not desk@internal.\n"
    )
    assert done.replaced == {"EMAIL_ADDRESS": 3}
