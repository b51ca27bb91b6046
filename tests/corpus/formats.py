"""Office formats with nothing but the standard library. The same input always gives the same bytes."""

from __future__ import annotations

import base64
import io
import struct
import textwrap
import zipfile
import zlib
from collections.abc import Sequence
from xml.sax.saxutils import escape

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MAIN = "application/vnd.openxmlformats-officedocument"
_LINES_PER_PAGE = 50


def _package(parts: dict[str, str]) -> bytes:
    return zipped({name: (_HEAD + text).encode() for name, text in parts.items()})


def zipped(members: dict[str, bytes]) -> bytes:
    """A ZIP archive, every member dated 1 January 1980."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _types(overrides: dict[str, str]) -> str:
    parts = "".join(
        f'<Override PartName="{name}" ContentType="{_MAIN}.{kind}+xml"/>' for name, kind in overrides.items()
    )
    return (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{parts}</Types>'
    )


def _relations(targets: dict[str, str]) -> str:
    parts = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (target, kind) in enumerate(targets.items(), 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{parts}</Relationships>'


def docx(paragraphs: Sequence[str], rows: Sequence[Sequence[str]] = ()) -> bytes:
    """A Word document of paragraphs, and a table behind them. Words are split into runs, as Word splits them."""

    def paragraph(text: str) -> str:
        middle = len(text) // 2
        runs = "".join(
            f'<w:r><w:t xml:space="preserve">{escape(part)}</w:t></w:r>'
            for part in (text[:middle], text[middle:])
            if part
        )
        return f"<w:p>{runs}</w:p>"

    cells = ("".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows)
    table = "".join(f"<w:tr>{row}</w:tr>" for row in cells)
    body = "".join(map(paragraph, paragraphs)) + (f"<w:tbl>{table}</w:tbl><w:p/>" if table else "")
    namespace = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    return _package(
        {
            "[Content_Types].xml": _types({"/word/document.xml": "wordprocessingml.document.main"}),
            "_rels/.rels": _relations({"word/document.xml": "officeDocument"}),
            "word/document.xml": f'<w:document xmlns:w="{namespace}"><w:body>{body}</w:body></w:document>',
        }
    )


def xlsx(sheet: str, rows: Sequence[Sequence[str]]) -> bytes:
    """A workbook of one sheet whose cells are shared strings, as Excel writes them."""
    strings = list(dict.fromkeys(cell for row in rows for cell in row))
    index = {text: number for number, text in enumerate(strings)}
    lines = "".join(
        f'<row r="{line}">'
        + "".join(
            f'<c r="{chr(ord("A") + column)}{line}" t="s"><v>{index[cell]}</v></c>' for column, cell in enumerate(row)
        )
        + "</row>"
        for line, row in enumerate(rows, 1)
    )
    texts = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in strings)
    namespace = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    kind = "spreadsheetml"
    return _package(
        {
            "[Content_Types].xml": _types(
                {
                    "/xl/workbook.xml": f"{kind}.sheet.main",
                    "/xl/worksheets/sheet1.xml": f"{kind}.worksheet",
                    "/xl/sharedStrings.xml": f"{kind}.sharedStrings",
                }
            ),
            "_rels/.rels": _relations({"xl/workbook.xml": "officeDocument"}),
            "xl/workbook.xml": f'<workbook {namespace} xmlns:r="{_OFFICE}"><sheets>'
            f'<sheet name="{escape(sheet)}" sheetId="1" r:id="rId1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": _relations(
                {"worksheets/sheet1.xml": "worksheet", "sharedStrings.xml": "sharedStrings"}
            ),
            "xl/worksheets/sheet1.xml": f"<worksheet {namespace}><sheetData>{lines}</sheetData></worksheet>",
            "xl/sharedStrings.xml": f"<sst {namespace}>{texts}</sst>",
        }
    )


def pdf(paragraphs: Sequence[str]) -> bytes:
    """A PDF of A4 pages in Helvetica, with compressed content, as a print to PDF gives."""
    lines = [line for text in paragraphs for line in textwrap.wrap(text, 90) or [""]]
    pages = [lines[start : start + _LINES_PER_PAGE] for start in range(0, len(lines), _LINES_PER_PAGE)] or [[]]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, page in enumerate(pages):
        shown = b"".join(b"(" + _pdf_text(line) + b") Tj T*\n" for line in page)
        content = zlib.compress(b"BT /F1 10 Tf 14 TL 50 790 Td\n" + shown + b"ET")
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            b"/Contents %d 0 R >>" % (5 + 2 * number)
        )
        objects.append(b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(content), content))
    return pdf_file(objects)


def pdf_file(objects: Sequence[bytes]) -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    document = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(document))
        document += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return (
        document
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
        + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(document))
    )


def _pdf_text(line: str) -> bytes:
    return line.encode("cp1252", "replace").replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")


def eml(headers: dict[str, str], paragraphs: Sequence[str], attachment: tuple[str, bytes] | None = None) -> bytes:
    """A message whose text is in base64, as Outlook sends anything beyond ASCII, with one file attached or none."""
    text = _base64("\r\n\r\n".join(paragraphs).encode())
    body = f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{text}"
    if attachment is not None:
        name, content = attachment
        body = (
            'Content-Type: multipart/mixed; boundary="=_office_share"\r\n\r\n'
            f"--=_office_share\r\n{body}\r\n--=_office_share\r\nContent-Type: application/octet-stream\r\n"
            f'Content-Disposition: attachment; filename="{name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
            f"{_base64(content)}\r\n--=_office_share--\r\n"
        )
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{head}MIME-Version: 1.0\r\n{body}".encode()


def _base64(content: bytes) -> str:
    return base64.encodebytes(content).decode("ascii").replace("\n", "\r\n")


def png(width: int = 1, height: int = 1, pixels: bytes = b"") -> bytes:
    """A grey picture of these pixels, by default of a single one."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = pixels or b"\x80" * width * height
    lines = b"".join(b"\0" + pixels[row * width : (row + 1) * width] for row in range(height))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
