"""What a document is, by its content. The name decides only between formats that are all plain text."""

from __future__ import annotations

import re
import zipfile
from typing import BinaryIO

from agent.extraction.charset import looks_like_text

HEAD_BYTES = 8192

_MAGIC = (
    (b"{\\rtf", "rtf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"BM", "bmp"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x1f\x9d", "compress"),
    (b"MSCF\0\0\0\0", "cab"),
    (b"070701", "cpio"),
    (b"070707", "cpio"),
    (b"!<arch>\n", "ar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"SQLite format 3\0", "sqlite"),
    (b"!BDN", "pst"),
    (b"\0\x01\0\0Standard ACE DB", "accdb"),
    (b"\0\x01\0\0Standard Jet DB", "mdb"),
    (b"\x7fELF", "elf"),
    (b"MZ", "exe"),
    (b"ID3", "mp3"),
    (b"OggS", "ogg"),
    (b"RIFF", "riff"),
    (b"fLaC", "flac"),
    (b"\x1aE\xdf\xa3", "matroska"),
    (b"\0\x01\0\0\0", "font"),
    (b"OTTO", "font"),
    (b"wOFF", "font"),
    (b"wOF2", "font"),
    (b"\xca\xfe\xba\xbe", "class"),
    (b"\0asm", "wasm"),
    (b"8BPS", "psd"),
    (b"\0\0\x01\0", "ico"),
    (b"QFI\xfb", "disk"),
    (b"KDMV", "disk"),
    (b"conectix", "disk"),
    (b"vhdxfile", "disk"),
)
_SHORT_MAGIC = frozenset({"bmp", "exe", "mp3", "bzip2", "cpio"})  # a text may begin like these by chance
_ZIPPED = (
    (re.compile(r"word/document\d*\.xml", re.IGNORECASE), "docx"),
    (re.compile(r"xl/workbook\.xml", re.IGNORECASE), "xlsx"),
    (re.compile(r"xl/workbook\.bin", re.IGNORECASE), "xlsb"),
    (re.compile(r"ppt/presentation\.xml", re.IGNORECASE), "pptx"),
    (re.compile(r"META-INF/container\.xml", re.IGNORECASE), "epub"),
)
_OPEN_DOCUMENT = {
    **dict.fromkeys((b"text", b"writer", b"graphics", b"draw"), "odt"),
    **dict.fromkeys((b"spreadsheet", b"calc"), "ods"),
    **dict.fromkeys((b"presentation", b"impress"), "odp"),
}
_MEDIA_TYPE = re.compile(rb"application/(?:vnd\.(?:oasis\.opendocument|sun\.xml)\.([a-z]+)|epub\+zip)")
_MANIFEST_BYTES = 4096
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = (
    ("EncryptedPackage", "encrypted_office"),
    ("__properties_version1.0", "msg"),  # before the rest: a message may carry any of them
    ("WordDocument", "doc"),
    ("Workbook", "xls"),
    ("Book", "xls"),
    ("PowerPoint Document", "ppt"),
)
_MAIL_HEADER = re.compile(
    rb"(?:From|To|Subject|Date|Received|Return-Path|Message-ID|MIME-Version|Delivered-To|Cc|Reply-To|X-[\w-]+"
    rb"|Content-Type|DKIM-Signature|Sender|Thread-Topic):[ \t]",
    re.IGNORECASE,
)
_HEADER_LINE = re.compile(rb"[!-9;-~]+:|[ \t]")
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|title|meta|script|table|div|h1|p)\b", re.IGNORECASE)
_JSON = re.compile(rb'\s*[\[{]\s*(?:["\[{\]}]|-?\d|true|false|null)')
_BY_EXTENSION = {
    b"csv": "csv",
    b"tsv": "csv",
    b"tab": "csv",
    b"md": "md",
    b"markdown": "md",
    b"log": "log",
    b"json": "json",
    b"jsonl": "json",
    b"ndjson": "json",
    b"htm": "html",
    b"html": "html",
    b"eml": "eml",
    b"xml": "xml",
}


def sniff(stream: BinaryIO, size: int, name: bytes) -> str:
    """The format: `pdf`, `docx`, `txt` …; `unknown` for bytes that are neither text nor anything we can name."""
    if size == 0:
        return "empty"
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _zipped(stream)
    if head.startswith(_OLE):
        return _ole(stream)
    known = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    if known == "riff" and head[8:12] == b"WEBP":
        known = "webp"
    if head[4:8] == b"ftyp":
        return "mp4"
    if known is not None and (known not in _SHORT_MAGIC or not looks_like_text(head)):
        return known
    if head[257:262] == b"ustar":
        return "tar"
    if not looks_like_text(head):
        return "unknown"
    return _text(head, name)


def sniff_compressed(stream: BinaryIO) -> str:
    """The archive or compression that the stream begins with: `zip`, `tar`, `gzip`, `bzip2`, `xz`, or `unknown`."""
    head = stream.read(512)
    if head.startswith(b"PK"):
        return "zip"
    if head[257:262] == b"ustar":
        return "tar"
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), "unknown")


def _zipped(stream: BinaryIO) -> str:
    try:
        with zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
            for named in ("mimetype", "META-INF/manifest.xml"):
                if named in names:
                    with archive.open(named) as member:
                        kind = _open_document(member.read(_MANIFEST_BYTES))
                    if kind:
                        return kind
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError, ValueError):
        stream.seek(0)
        head = stream.read(HEAD_BYTES * 8)
        kind = _open_document(head[:HEAD_BYTES])
        if kind:
            return kind
        names = [head.decode("latin-1")]  # damaged: the names stand before each member, too
    for pattern, zipped in _ZIPPED:
        if any(pattern.search(member) for member in names):
            return zipped
    return "zip"


def _open_document(said: bytes) -> str:
    """The kind that a media type in the bytes names; templates and the forerunners of OpenDocument are like it."""
    found = _MEDIA_TYPE.search(said)
    if found is None:
        return ""
    return _OPEN_DOCUMENT.get(found.group(1), "epub" if found.group(0).endswith(b"epub+zip") else "")


def _ole(stream: BinaryIO) -> str:
    """The kind of an OLE compound file, by the names of its streams ([MS-CFB] 2.6), which stand in it as UTF-16."""
    stream.seek(0)
    seen = stream.read(1024 * 1024)
    stream.seek(0, 2)
    stream.seek(max(0, stream.tell() - 1024 * 1024))
    seen += stream.read(1024 * 1024)
    for stored, kind in _OLE_STREAMS:
        if stored.encode("utf-16-le") in seen:
            return kind
    return "ole"


def _text(head: bytes, name: bytes) -> str:
    plain = head.replace(b"\0", b"").removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    start = plain.lstrip()
    by_name = _BY_EXTENSION.get(name.rpartition(b".")[2].lower() if b"." in name else b"", "")
    if by_name in ("csv", "md", "log"):
        return by_name
    if start.startswith(b"<?xml") and b"<html" not in start[:500].lower():
        return "xml"
    if _HTML.search(start, 0, 2048) and start.startswith(b"<"):
        return "html"
    if _is_mailbox(start):
        return "mbox"
    if _is_mail(start) or (by_name == "eml" and _HEADER_LINE.match(start)):
        return "eml"
    if _JSON.match(start) and (by_name == "json" or start[:1] == b"{"):
        return "json"
    if start.startswith(b"<") and re.match(rb"<[A-Za-z_][\w:.-]*[\s>/]", start):
        return "xml" if by_name != "html" else "html"
    return by_name if by_name in ("json", "html") else "txt"


def _is_mailbox(start: bytes) -> bool:
    """Whether the text begins as a file of several messages does (RFC 4155)."""
    return re.match(rb"From \S+.*\d{4}\r?\n[!-9;-~]+:", start) is not None


def _is_mail(start: bytes) -> bool:
    """Whether the text begins with at least two header fields of a message (RFC 5322) and nothing else."""
    lines = start.replace(b"\r\n", b"\n").split(b"\n")[:12]
    if lines and lines[0].startswith(b"From "):
        lines = lines[1:]
    fields = 0
    for line in lines:
        if not line or not _HEADER_LINE.match(line):
            break
        fields += bool(_MAIL_HEADER.match(line))
    return fields >= 2 and (len(lines) < 2 or bool(_HEADER_LINE.match(lines[1])))
