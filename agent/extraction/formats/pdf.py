"""PDF by pdfium: the text of every page, form fields, notes, properties and attached files."""

from __future__ import annotations

import contextlib
import ctypes
import io
import math
from urllib.parse import unquote

import pypdfium2
import pypdfium2.raw as pdfium

from agent.extraction.document import Damaged, Document, Encrypted, Unread
from agent.extraction.formats.nested import Nested
from agent.extraction.formats.recognition import text_of_pixels
from agent.extraction.formats.xml import write_packet
from agent.model.location import at, inside

_SPOKEN = (b"Contents", b"V", b"T", b"TU", b"RC")
_MOST_ANNOTATIONS = 10_000
_DEEPEST_OUTLINE = 10
_TEXT_OF_A_SCAN = 20  # characters: a scanner adds a page number or a stamp at most
_SHARE_OF_A_SCAN = 0.1
_DOTS_AN_INCH = 200
_LONGEST_SIDE = 4_000
_DULL = frozenset({"Producer", "Creator", "CreationDate", "ModDate", "Trapped"})


def read(document: Document, nested: Nested) -> None:
    """Writes page by page. A damaged page costs only itself."""
    document.stream.seek(0)
    try:
        pdf = pypdfium2.PdfDocument(document.stream)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            raise Encrypted from None
        raise Damaged("damaged_file") from None
    try:
        _read(document, pdf, nested)
    finally:
        pdf.close()


def _read(document: Document, pdf: pypdfium2.PdfDocument, nested: Nested) -> None:
    pages = _Pages(document, pdf)
    _write_properties(document, pdf)
    for number in range(len(pdf)):
        pages.read(number)
    for number in range(pdf.count_attachments()):
        attached = pdf.get_attachment(number)
        content = bytes(attached.get_data())
        document.budget.expand(len(content))
        nested(document, io.BytesIO(content), len(content), attached.get_name().encode(), at(part=number + 1))
    if pages.damaged:
        raise Damaged("damaged_page")
    if pages.unread:
        raise Unread(pages.unread)


def _write_properties(document: Document, pdf: pypdfium2.PdfDocument) -> None:
    """Writes author, title and the like, the outline, and what a dynamic form (XFA) holds."""
    place = inside(document.place, at(properties=1))
    for name, value in pdf.get_metadata_dict(skip_empty=True).items():
        if name not in _DULL:
            document.output.write(f"{name}: {value}\n", place)
    with contextlib.suppress(pypdfium2.PdfiumError):
        for bookmark in pdf.get_toc(max_depth=_DEEPEST_OUTLINE):
            document.output.write(bookmark.get_title() + "\n", place)
    for number in range(pdfium.FPDF_GetXFAPacketCount(pdf)):
        _write_packet(document, pdf, number, place)


def _write_packet(document: Document, pdf: pypdfium2.PdfDocument, number: int, place: str) -> None:
    size = ctypes.c_ulong()
    pdfium.FPDF_GetXFAPacketContent(pdf, number, None, 0, size)
    document.budget.expand(size.value)
    packet = ctypes.create_string_buffer(size.value)
    pdfium.FPDF_GetXFAPacketContent(pdf, number, packet, size.value, size)
    if b"<xfa:datasets" in packet.raw or b"<xfa:data" in packet.raw:
        write_packet(document, packet.raw, place)


class _Pages:
    """The pages of one document, and whether any was damaged or holds what could not be read."""

    def __init__(self, document: Document, pdf: pypdfium2.PdfDocument) -> None:
        self._document = document
        self._pdf = pdf
        self.damaged = False
        self.unread = ""

    def read(self, number: int) -> None:
        try:
            page = self._pdf[number]
        except pypdfium2.PdfiumError:
            self.damaged = True
            return
        try:
            self._read(page, inside(self._document.place, at(page=number + 1)))
        except pypdfium2.PdfiumError:
            self.damaged = True
        except Unread as fault:
            self.unread = fault.reason
        finally:
            page.close()

    def _read(self, page: pypdfium2.PdfPage, place: str) -> None:
        output = self._document.output
        layer = page.get_textpage()
        text = layer.get_text_bounded().replace("\r\n", "\n")
        layer.close()
        output.write(text + "\n", place)
        for note in _annotations(self._pdf, page):
            output.write(note + "\n", place)
        if len("".join(text.split())) < _TEXT_OF_A_SCAN and _shows_pictures(page):
            output.write(_recognised(self._document, page) + "\n", place)


def _shows_pictures(page: pypdfium2.PdfPage) -> bool:
    """Whether pictures cover a good part of the page."""
    covered = 0.0
    for shown in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        left, bottom, right, top = shown.get_bounds()
        covered += (right - left) * (top - bottom)
    return bool(covered > _SHARE_OF_A_SCAN * math.prod(page.get_size()))


def _recognised(document: Document, page: pypdfium2.PdfPage) -> str:
    """The text in the picture of a page. Raises `Unread` if it is not to be had."""
    width, height = page.get_size()
    scale = min(_DOTS_AN_INCH / 72, _LONGEST_SIDE / max(width, height, 1))
    bitmap = page.render(scale=scale, grayscale=True)
    try:
        return text_of_pixels(document.budget, bytes(bitmap.buffer), bitmap.width, bitmap.height, bitmap.stride)
    finally:
        bitmap.close()


def _annotations(pdf: pypdfium2.PdfDocument, page: pypdfium2.PdfPage) -> list[str]:
    """What notes and form fields on the page say, and where its links lead."""
    said: list[str] = []
    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page), _MOST_ANNOTATIONS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        said.extend(text for key in _SPOKEN if (text := _string(annotation, key)))
        link = pdfium.FPDFAnnot_GetLink(annotation)
        if link and (target := _target(pdf, link)):
            said.append(target)
        pdfium.FPDFPage_CloseAnnot(annotation)
    return said


def _target(pdf: pypdfium2.PdfDocument, link: object) -> str:
    action = pdfium.FPDFLink_GetAction(link)
    size = pdfium.FPDFAction_GetURIPath(pdf, action, None, 0) if action else 0
    if size <= 1:
        return ""
    buffer = ctypes.create_string_buffer(size)
    pdfium.FPDFAction_GetURIPath(pdf, action, buffer, size)
    return unquote(buffer.raw.rstrip(b"\0").decode("utf-8", "replace")).removeprefix("mailto:")


def _string(annotation: object, key: bytes) -> str:
    size = pdfium.FPDFAnnot_GetStringValue(annotation, key, None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    pdfium.FPDFAnnot_GetStringValue(annotation, key, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), size)
    return buffer.raw.decode("utf-16-le", "replace").rstrip("\0")
