"""PDF by pdfium: the text of every page, form fields, notes, properties and attached files."""

from __future__ import annotations

import ctypes
import io

import pypdfium2
import pypdfium2.raw as pdfium

from agent.extraction.document import Damaged, Document, Encrypted
from agent.extraction.formats.nested import Nested
from agent.model.location import at, inside

_SPOKEN = (b"Contents", b"V", b"T", b"TU", b"RC")
_MOST_ANNOTATIONS = 10_000
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
    damaged = False
    properties = inside(document.place, at(properties=1))
    for name, value in pdf.get_metadata_dict(skip_empty=True).items():
        if name not in _DULL:
            document.output.write(f"{name}: {value}\n", properties)
    for number in range(len(pdf)):
        place = inside(document.place, at(page=number + 1))
        try:
            page = pdf[number]
        except pypdfium2.PdfiumError:
            damaged = True
            continue
        try:
            text = page.get_textpage()
            document.output.write(text.get_text_bounded().replace("\r\n", "\n") + "\n", place)
            text.close()
            for note in _annotations(page):
                document.output.write(note + "\n", place)
        except pypdfium2.PdfiumError:
            damaged = True
        finally:
            page.close()
    for number in range(pdf.count_attachments()):
        attached = pdf.get_attachment(number)
        content = bytes(attached.get_data())
        document.budget.expand(len(content))
        nested(document, io.BytesIO(content), len(content), attached.get_name().encode(), at(part=number + 1))
    if damaged:
        raise Damaged("damaged_page")


def _annotations(page: pypdfium2.PdfPage) -> list[str]:
    """What notes and form fields on the page say."""
    said: list[str] = []
    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page), _MOST_ANNOTATIONS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        said.extend(text for key in _SPOKEN if (text := _string(annotation, key)))
        pdfium.FPDFPage_CloseAnnot(annotation)
    return said


def _string(annotation: object, key: bytes) -> str:
    size = pdfium.FPDFAnnot_GetStringValue(annotation, key, None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    pdfium.FPDFAnnot_GetStringValue(annotation, key, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), size)
    return buffer.raw.decode("utf-16-le", "replace").rstrip("\0")
